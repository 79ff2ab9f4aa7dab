"""The short ways for plainly written cells must come to the same as the long ones."""

import re
import unicodedata
from datetime import date

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm.imports import dialling, emails, names, phones, text
from crm.imports.dates import DateColumn, plain_date
from crm.imports.text import Memo, is_plain, is_tidy, many_lines, name_line, one_line

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
HOME = ["KR", "JP", "CN", "TW", "US", "VN", "IT", "DE", "MX", "AR", "BR", "KZ", "SG", "AE", ""]
STARTS = ["", "+", "00", "0", "(0", "1", "8", "+82", "+820", "82", "010", "011", "+1", "+7", "+44", "+39", "+54 9"]


def _long_way(written: str, region: str) -> tuple[str, str]:
    number, code = phones._international(written, region, "")
    return (number, code) if number else ("", "phone_invalid")


@given(st.sampled_from(REGIONS + HOME * 10), st.sampled_from(STARTS), st.from_regex(r"[0-9 .\-]{1,14}", fullmatch=True))
@example("IM", "", "4951509")
@example("TA", "0", "89 22")
@example("AF", "+0", "57706912766")
def test_numbers_of_any_digits_read_as_libphonenumber_reads_them(region: str, start: str, digits: str) -> None:
    found = dialling.plainly(start + digits, region)
    assert found in (dialling.DOUBTFUL, _long_way(start + digits, region))


@given(st.sampled_from(REGIONS), st.sampled_from([0, 1, 2, 3, 4]), st.data())
def test_numbers_like_real_ones_read_as_libphonenumber_reads_them(region: str, kind: int, data: st.DataObject) -> None:
    real = phonenumbers.example_number_for_type(region, kind)
    if real is None:
        return
    national = str(real.national_number)
    kept = data.draw(st.integers(0, len(national)))
    rest = data.draw(st.text("0123456789", min_size=len(national) - kept, max_size=len(national) - kept + 1))
    calling = str(real.country_code)
    starts = ["", "0", "1", "8", "06", calling, f"+{calling}", f"+{calling} (0)", f"00{calling}", f"(+{calling}) "]
    written = data.draw(st.sampled_from(starts)) + national[:kept] + rest
    found = dialling.plainly(written, region)
    assert found in (dialling.DOUBTFUL, _long_way(written, region))


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("010-1234-5678", "KR", "+821012345678"),
        ("01012345678", "KR", "+821012345678"),
        ("(02) 1234-5678", "KR", "+82212345678"),
        ("+82 10 1234 5678", "DE", "+821012345678"),
        ("+82 (0)10-1234-5678", "", "+821012345678"),
        ("090-1234-5678", "JP", "+819012345678"),
        ("138 0000 0000", "CN", "+8613800000000"),
        ("+39 02 12345678", "", "+390212345678"),
        ("(+1) 202-555-0141", "", "+12025550141"),
    ],
)
def test_usual_numbers_take_the_short_way(written: str, region: str, number: str) -> None:
    assert dialling.plainly(written, region) == (number, "")


@given(st.sampled_from(REGIONS), st.from_regex(r"[1-9][0-9]{6,10}", fullmatch=True))
def test_the_country_of_a_number_is_libphonenumbers(region: str, digits: str) -> None:
    number = phonenumbers.PhoneNumber(phonenumbers.country_code_for_region(region), int(digits))
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    alone = dialling.only_region(written)
    assert alone in ("", phonenumbers.region_code_for_number(number))


ADDRESSES = st.from_regex(r"[A-Za-z0-9._%+-]{1,12}@[A-Za-z0-9.-]{1,14}", fullmatch=True) | st.text(max_size=30)


@given(ADDRESSES)
def test_an_address_read_in_short_is_the_address_read_at_length(cell: str) -> None:
    found = emails.plainly(cell)
    assert not found or emails.read(cell) == emails.Emails((found,))


def test_most_addresses_take_the_short_way() -> None:
    assert emails.plainly(" Kim.Chulsoo+expo@Firm-1.co.example ") == "kim.chulsoo+expo@firm-1.co.example"


@given(
    st.text("김이박남궁황보제갈민수철씨님하대표부장", min_size=1, max_size=6), st.sampled_from(["KR", "CN", "JP", ""])
)
def test_a_plain_korean_name_is_split_as_any_name(cell: str, country: str) -> None:
    family, rest = names.plain_hangul(cell)
    if rest:
        assert names.from_one_cell(cell, country=country) == names.PersonName(cell, family, rest)


ANY_TEXT = st.text(max_size=12) | st.text(" ab=@'&;김\u3000\u200bé\u0301ｱ㈜-x", max_size=8)


@given(ANY_TEXT)
def test_tidy_texts_are_those_cleaning_would_not_change(cell: str) -> None:
    if cell and is_tidy(cell):
        long_way = unicodedata.normalize("NFKC", text.unwrapped(cell))
        assert cell == re.sub(r"\s+", " ", text.without_invisible(long_way)).strip()
        assert cell == one_line(cell) == name_line(cell) == many_lines(cell)


@given(ANY_TEXT)
def test_nothing_is_to_be_said_about_plain_texts(cell: str) -> None:
    if cell and is_plain(cell):
        assert is_tidy(cell)
        assert not (text.is_empty_word(cell) or text.looks_like_formula(cell) or text.has_invisible(cell))
        assert not cell.endswith("\ufffd")


@given(st.datetimes(), st.sampled_from(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"]))
def test_a_plain_date_is_read_as_any_date(moment: object, form: str) -> None:
    written = format(moment, form)
    if len(written.split("-")[0]) == 4:  # strftime does not pad the years of antiquity
        expected = written[:16].replace(" ", "T")
        assert plain_date(written) == expected
        assert DateColumn(()).read(f"{written} ").text == expected


@pytest.mark.parametrize("written", ["2026-02-30", "2026-11-12 25:00", "２０２６-11-12", "2026-11-12 9:00", ""])
def test_what_only_looks_like_a_plain_date_is_left_to_the_long_way(written: str) -> None:
    assert plain_date(written) == ""


def test_a_memory_stays_small_and_forgets_long_texts() -> None:
    memo: Memo[str] = Memo(str.upper)
    assert [memo[f"text {n}"] for n in range(5000)][-1] == "TEXT 4999"
    assert memo["x" * 1000] == "X" * 1000
    assert len(memo) <= Memo.SIZE
    assert "x" * 1000 not in memo


def test_the_order_of_many_dates_is_settled_without_keeping_them() -> None:
    column = DateColumn()
    for n in range(50_000):
        column.see(f"{n % 12 + 1}/{n % 28 + 1}/{2000 + n % 200}")
    column.settle()
    assert (column.day_first, column.guessed) == (False, False)
    assert column.read("1/13/2026").text == date(2026, 1, 13).isoformat()
