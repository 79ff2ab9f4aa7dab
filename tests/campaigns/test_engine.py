"""What happens next to a lead: the plan that rehearsal and worker share."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.campaigns import engine
from crm.campaigns.checker import check
from crm.campaigns.conditions import ContactFacts, DealFacts, Facts, TalkFacts
from crm.campaigns.definition import Definition
from crm.campaigns.engine import BuyerTime, PlannedStep
from crm.campaigns.language import LANGUAGES
from crm.campaigns.rules import OwnDays, show_close

LETTERS = {name: set(LANGUAGES) for name in ("thank_you", "catalogue", "sample_offer", "reminder")}
TEXT = """\
workflow: example
title: {ko: 예시, en: Example}
audience: contact.country != "KR"
send_window: {days: [mon, tue, wed, thu, fri], hours: 09:30-11:30}
exit_when: [replied, opted_out, hard_bounced, stage >= negotiation]
steps:
  - {id: thanks,    after: {show_close: 1 business day}, mail: thank_you}
  - {id: catalogue, after: {thanks: 4 business days},    mail: catalogue, attach: catalogue}
  - {id: call,      after: {catalogue: 3 business days}, when: lead.rating >= 4, task: call}
  - {id: sample,    after: {catalogue: 5 business days}, when: '"sample" in lead.requests', mail: sample_offer}
  - {id: reminder,  after: {sample: 12 business days},   mail: reminder}
late_import: RULE
"""
CLOSED = show_close(date(2026, 11, 14))  # a Saturday
MONDAY = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
HOT = Facts(ContactFacts("DE"), TalkFacts(rating=5, requests=("sample",)))
COLD = Facts(ContactFacts("DE"), TalkFacts(rating=1))


@cache
def workflow(late: str = "start_at_first_open_step") -> Definition:
    definition, problems = check(TEXT.replace("RULE", late), "example.yaml", LETTERS)
    assert definition is not None, problems
    return definition


def buyer(country: str = "DE", city: str = "", timezone: str = "") -> BuyerTime:
    found = engine.buyer_time(workflow(), country, city, timezone, {})
    assert found is not None
    return found


def days(rows: list[PlannedStep]) -> list[tuple[str, str, str]]:
    """Return step, local date and skip reason of each row."""
    zone = buyer().zone
    return [(row.step, f"{row.due_at.astimezone(zone):%m-%d}", row.skip) for row in rows]


def test_a_whole_workflow_is_played_in_the_buyers_office_hours() -> None:
    rows = engine.play(workflow(), buyer(), HOT, CLOSED, MONDAY)
    assert days(rows) == [
        ("thanks", "11-16", ""),
        ("catalogue", "11-20", ""),
        ("call", "11-25", ""),
        ("sample", "11-27", ""),
        ("reminder", "12-15", ""),
    ]
    assert rows[1].due_at == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
    assert rows[1].attach == "catalogue"


def test_a_step_whose_condition_is_false_is_skipped_and_the_next_ones_go_on() -> None:
    rows = engine.play(workflow(), buyer(), COLD, CLOSED, MONDAY)
    assert days(rows) == [
        ("thanks", "11-16", ""),
        ("catalogue", "11-20", ""),
        ("call", "11-25", "condition"),
        ("sample", "11-27", "condition"),
        ("reminder", "12-15", ""),
    ]


def test_a_task_is_due_in_korean_office_hours() -> None:
    rows = engine.play(workflow(), buyer("US", "Los Angeles"), HOT, CLOSED, MONDAY)
    call = next(row for row in rows if row.kind == "task")
    at = call.due_at.astimezone(ZoneInfo("Asia/Seoul"))
    assert at.weekday() < 5
    assert 9 <= at.hour < 18


def test_nothing_follows_a_letter_that_has_not_left() -> None:
    rows = engine.first_steps(workflow(), buyer(), HOT, CLOSED, MONDAY)
    assert [row.step for row in rows] == ["thanks"]


def test_what_follows_counts_from_when_the_letter_really_left() -> None:
    left = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
    rows = engine.plan(workflow(), buyer(), {"thanks": left}, planned={"thanks"}, not_before=left)
    assert days(rows) == [("catalogue", "11-25", "")]


def test_a_step_that_is_planned_is_not_planned_again() -> None:
    known = {"thanks", "catalogue"}
    assert engine.plan(workflow(), buyer(), {"thanks": MONDAY}, planned=known, not_before=MONDAY) == []


def test_a_holiday_moves_a_letter_and_the_wish_stays_visible() -> None:
    rows = engine.play(workflow(), buyer("MX"), HOT, CLOSED, MONDAY)
    reminder = rows[-1]
    assert reminder.wanted_at.date() == date(2026, 12, 16)
    assert reminder.due_at.astimezone(ZoneInfo("America/Mexico_City")).date() == date(2027, 1, 7)


def test_a_time_zone_of_the_contact_wins_over_that_of_the_country() -> None:
    assert str(buyer("US", "Chicago", "America/Anchorage").zone) == "America/Anchorage"


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "../etc/passwd", "\0"])
def test_a_time_zone_that_does_not_exist_is_not_passed_over(timezone: str) -> None:
    assert engine.buyer_time(workflow(), "JP", "", timezone, {}) is None
    assert engine.no_clock("JP") == "zone_unknown"


def test_a_buyer_without_a_country_has_no_clock() -> None:
    assert engine.buyer_time(workflow(), "", "", "", {}) is None


def test_ones_own_holidays_are_minded() -> None:
    closed = {"DE": OwnDays(off=frozenset({date(2026, 11, 16)}))}
    time = engine.buyer_time(workflow(), "DE", "", "", closed)
    assert time is not None
    assert days(engine.first_steps(workflow(), time, HOT, CLOSED, MONDAY)) == [("thanks", "11-17", "")]


# The thank-you was due on 16 November, the catalogue on the 20th, the sample on the 27th, the reminder on 15 December.
LATE = [
    ("start_at_first_open_step", 18, [("thanks", "11-18", ""), ("catalogue", "11-24", "")]),
    ("skip_missed", 18, [("thanks", "11-16", "late"), ("catalogue", "11-20", "")]),
    ("start_from_beginning", 18, [("thanks", "11-19", ""), ("catalogue", "11-25", "")]),
    ("start_at_first_open_step", 24, [("thanks", "11-16", "late"), ("catalogue", "11-24", "")]),
    ("skip_missed", 24, [("thanks", "11-16", "late"), ("catalogue", "11-20", "late")]),
    ("start_from_beginning", 24, [("thanks", "11-25", ""), ("catalogue", "12-01", "")]),
]


@pytest.mark.parametrize(("rule", "day", "plan"), LATE)
def test_a_lead_that_comes_late_starts_where_the_workflow_says(
    rule: str, day: int, plan: list[tuple[str, str, str]]
) -> None:
    came = datetime(2026, 11, day, 8, 0, tzinfo=UTC)
    rows = engine.play(workflow(rule), buyer(), HOT, CLOSED, came)
    assert [row for row in days(rows) if row[0] in ("thanks", "catalogue")] == plan


def test_the_last_letter_stays_open_for_two_weeks_only() -> None:
    soon, far = (datetime(2026, 12, 20, tzinfo=UTC), datetime(2027, 1, 10, tzinfo=UTC))
    assert [row.step for row in engine.play(workflow(), buyer(), HOT, CLOSED, soon) if not row.skip] == ["reminder"]
    assert all(row.skip == "late" for row in engine.play(workflow(), buyer(), HOT, CLOSED, far))


def test_a_lead_that_came_before_the_show_ended_misses_nothing() -> None:
    rows = engine.play(workflow(), buyer(), HOT, CLOSED, CLOSED - timedelta(days=3))
    assert all(not row.skip for row in rows)


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        ("lead", None),
        ("contacted", None),
        ("dormant", None),
        ("replied", "replied"),
        ("negotiation", "replied"),
        ("lost", "lost"),
    ],
)
def test_the_stage_of_the_deal_ends_the_follow_up(stage: str, reason: str | None) -> None:
    assert engine.exit_reason(workflow(), Facts(deal=DealFacts(stage))) == reason


def test_a_stage_exit_counts_from_its_stage_on() -> None:
    text = TEXT.replace("RULE", "skip_missed").replace("[replied, opted_out", "[opted_out")
    definition, _problems = check(text, "example.yaml", LETTERS)
    assert definition is not None
    assert engine.exit_reason(definition, Facts(deal=DealFacts("qualified"))) is None
    assert engine.exit_reason(definition, Facts(deal=DealFacts("supply_contract"))) == "stage"


countries = st.sampled_from(["DE", "US", "MX", "CN", "JP", "SA", "ES", "CL", "KR", "SG"])
late_rules = st.sampled_from(["start_at_first_open_step", "skip_missed", "start_from_beginning"])


@settings(deadline=None)
@given(
    countries, late_rules, st.integers(-60, 60 * 24 * 70), st.sampled_from([HOT, COLD]), st.integers(0, 3 * 365)
)  # fmt: skip
def test_every_step_is_played_once_in_order_and_never_before_the_lead_came(
    country: str, rule: str, minutes: int, facts: Facts, shift: int
) -> None:
    closed = CLOSED + timedelta(days=shift)
    came = closed + timedelta(minutes=minutes)
    rows = engine.play(workflow(rule), buyer(country), facts, closed, came)
    assert sorted(row.step for row in rows) == sorted(step.id for step in workflow().steps)
    happening = [row for row in rows if not row.skip]
    assert all(row.due_at >= came for row in happening)
    assert [row.due_at for row in happening] == sorted(row.due_at for row in happening)
    letters = [row.due_at for row in happening if row.kind == "mail"]
    assert len(set(letters)) == len(letters)


@settings(deadline=None)
@given(countries, late_rules, st.integers(0, 60 * 24 * 40))
def test_a_play_can_be_taken_up_at_any_step(country: str, rule: str, minutes: int) -> None:
    came = CLOSED + timedelta(minutes=minutes)
    whole = engine.play(workflow(rule), buyer(country), HOT, CLOSED, came)
    first_rows = engine.first_steps(workflow(rule), buyer(country), HOT, CLOSED, came)
    open_rows, known = [row for row in first_rows if not row.skip], {row.step for row in first_rows}
    while open_rows:
        rest = engine.play_on(workflow(rule), buyer(country), HOT, open_rows, engine.Standing(known))
        assert rest == whole[-len(rest) :]
        done = min(open_rows, key=lambda row: row.due_at)
        followers = engine.plan(
            workflow(rule), buyer(country), {done.step: done.due_at}, planned=known, not_before=done.due_at
        )
        open_rows = [row for row in open_rows if row != done] + followers
        known |= {row.step for row in followers}


def test_what_follows_a_task_that_still_waits_counts_from_now_at_the_earliest() -> None:
    """A rehearsal in the middle: a call that is a month overdue will not have been made a month ago."""
    text = TEXT.replace("RULE", "skip_missed").replace("task: call}", "task: call, wait: true}")
    text = text.replace("after: {catalogue: 5", "after: {call: 5")
    definition, problems = check(text, "example.yaml", LETTERS)
    assert definition is not None, problems
    call = PlannedStep("call", "task", "call", MONDAY, MONDAY)
    standing = engine.Standing({"thanks", "catalogue", "call"}, made=[call], now=MONDAY + timedelta(days=30))
    rest = engine.play_on(definition, buyer(), HOT, [], standing, tasks_done=True)
    assert days(rest)[0] == ("sample", "12-23", "")  # five business days after the 16th of December
