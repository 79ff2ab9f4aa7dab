"""The advisors' weeks: what is too much is found, and handed only to those who have room."""

from collections import Counter
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from crm.campaigns.load import Proposal, monday_of, proposals, weekly

MONDAY = date(2026, 11, 23)
LOADS = st.dictionaries(
    st.sampled_from(["choi", "jung", "song", "yoon"]),
    st.dictionaries(st.sampled_from([MONDAY, date(2026, 11, 30)]), st.integers(0, 200)),
)


def test_a_week_is_korean() -> None:
    assert monday_of(datetime(2026, 11, 22, 16, tzinfo=UTC)) == MONDAY  # Monday 01:00 in Korea
    assert weekly([("choi", datetime(2026, 11, 25, tzinfo=UTC))] * 2) == {"choi": Counter({MONDAY: 2})}


def test_what_is_too_much_goes_to_who_has_the_most_room() -> None:
    assert proposals({"choi": {MONDAY: 71}, "jung": {MONDAY: 48}, "yoon": {MONDAY: 37}}) == [
        Proposal(MONDAY, "choi", "yoon", 11)
    ]


def test_an_advisor_without_letters_that_week_can_take_some() -> None:
    assert proposals({"choi": {MONDAY: 130}}, ["choi", "song"]) == [
        Proposal(MONDAY, "choi", "song", 60),
        Proposal(MONDAY, "choi", "", 10),
    ]


def test_letters_that_have_no_advisor_are_handed_to_nobody() -> None:
    assert proposals({"": {MONDAY: 500}, "choi": {MONDAY: 1}}) == []


@given(LOADS)
def test_after_the_proposals_nobody_has_too_much_unless_it_says_so(load: dict[str, dict[date, int]]) -> None:
    weeks: Counter[tuple[str, date]] = Counter(
        {(name, day): n for name, days in load.items() for day, n in days.items()}
    )
    left: Counter[tuple[str, date]] = Counter()
    for one in proposals(load):
        weeks[one.advisor, one.monday] -= one.letters
        (weeks if one.to else left)[one.to or one.advisor, one.monday] += one.letters
    assert all(n <= 60 for n in weeks.values())
    assert sum(weeks.values()) + sum(left.values()) == sum(n for days in load.values() for n in days.values())
