"""What Excel would do to a text, and that it does not get to."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm.contacts.cells import CELL_LIMIT, cut, holdable, in_csv, is_taken_for_a_number
from crm.imports.text import many_lines

SIGNS = ("=", "+", "-", "@", "\t", "＝", "＋", "－", "＠")


@given(st.text())
@example("=1+1")
@example(" \u00a0=1+1")
@example("'t Hart")
@example("\t=cmd")
@example("\r=cmd")
def test_no_cell_begins_with_a_formula_and_taking_one_apostrophe_off_gives_the_text_back(text: str) -> None:
    cell = in_csv(text)
    assert not cell.lstrip(" \u00a0\n").startswith(SIGNS)
    assert cell.removeprefix("'") == holdable(text)


@pytest.mark.parametrize("text", ["note\n=1+1", "note\n - second", "note\r\n\t@x"])
def test_a_sign_after_a_line_break_is_neutralised_too(text: str) -> None:
    assert in_csv(text) == "'" + holdable(text)


@given(st.text(min_size=1))
def test_the_importer_takes_the_one_apostrophe_off_that_was_put_on(text: str) -> None:
    cell = in_csv(text)
    if cell != holdable(text):
        assert many_lines(cell) == many_lines(f"'{holdable(text)}")


@pytest.mark.parametrize(
    "text",
    ["+821012345678", "0123", "105-0001", "8801234567890123", "3-4", "3/4", "1E5", "1,234", "(12)", "₩5000", "50%",
     "5월 1일", "2026년 5월", "오전 9:00", "MAR1", "1 Jan 2026", "10:30 pm", "TRUE", "False", "１２３", ".5"],
)  # fmt: skip
def test_digits_and_dates_are_held_as_text(text: str) -> None:
    assert in_csv(text) == f"'{text}"


@pytest.mark.parametrize("text", ["3M", "7-Eleven", "(주)한빛", "B2B", "2층", "kim@firm.example", "서울 1호점"])
def test_names_with_digits_stay_as_they_are(text: str) -> None:
    assert not is_taken_for_a_number(text)
    assert in_csv(text) == text


def test_a_cell_is_cut_where_excel_ends_it_and_never_inside_a_character() -> None:
    assert cut("가" * 40_000) == "가" * CELL_LIMIT
    assert cut("x" + "😀" * 40_000) == "x" + "😀" * ((CELL_LIMIT - 1) // 2)
