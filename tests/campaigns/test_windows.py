"""The one decision about when a letter may go out, held against a slow second opinion: zones, years, clock changes."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from crm.campaigns import engine, rules
from crm.campaigns.definition import SendWindow
from crm.campaigns.rules import SEOUL, Calendar, DayOff, Delay, OwnDays, Window, due_at, explain, next_slot

# Every kind of clock: far offsets, odd ones, changes of half an hour, at midnight, on Thursdays, in both halves.
PLACES = {
    "Europe/Madrid": "ES",
    "America/Mexico_City": "MX",
    "America/New_York": "US",
    "America/Sao_Paulo": "BR",
    "America/St_Johns": "CA",
    "America/Santiago": "CL",
    "America/Havana": "CU",
    "Asia/Seoul": "KR",
    "Asia/Shanghai": "CN",
    "Asia/Tokyo": "JP",
    "Asia/Kolkata": "IN",
    "Asia/Kathmandu": "NP",
    "Asia/Tehran": "IR",
    "Asia/Dubai": "AE",
    "Asia/Riyadh": "SA",
    "Asia/Jakarta": "ID",
    "Asia/Ho_Chi_Minh": "VN",
    "Asia/Beirut": "LB",
    "Africa/Cairo": "EG",
    "Africa/Casablanca": "MA",
    "Australia/Lord_Howe": "AU",
    "Pacific/Auckland": "NZ",
    "Pacific/Chatham": "NZ",
    "Pacific/Kiritimati": "KI",
    "America/Nuuk": "GL",
    "UTC": "",
}
YEARS = range(2024, 2037)
KOREA = Calendar("KR", OwnDays(off=frozenset({date(2026, 11, 18)}), working=frozenset({date(2026, 10, 9)})))
MIDWEEK = frozenset({1, 2, 3})
MORNING = Window(MIDWEEK, time(9, 30), time(11, 30))
# The first look at a country reads its holidays, which takes longer than any other.
calm = settings(deadline=None)


@cache
def changes(zone: str) -> list[datetime]:
    """Return the midnights (UTC) after which a zone changes its clocks within a day."""
    clock, found = ZoneInfo(zone), []
    day = datetime(YEARS[0], 1, 1, tzinfo=UTC)
    while day.year in YEARS:
        following = day + timedelta(days=1)
        if day.astimezone(clock).utcoffset() != following.astimezone(clock).utcoffset():
            found.append(day)
        day = following
    return found


zones = st.sampled_from(sorted(PLACES))
first, last = datetime(YEARS[0], 1, 1, tzinfo=UTC), datetime(YEARS[-1], 12, 31, tzinfo=UTC)
any_time = st.integers(0, int((last - first).total_seconds())).map(lambda seconds: first + timedelta(seconds=seconds))


@st.composite
def places_and_moments(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone and a moment: any, or one near a change of its clocks."""
    zone = draw(zones)
    near = changes(zone)
    if near and draw(st.booleans()):
        return zone, draw(st.sampled_from(near)) + timedelta(minutes=draw(st.integers(-3000, 3000)))
    return zone, draw(any_time)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Any window, also one at night, where clocks change; files allow 06:00 to 22:00."""
    opens = draw(st.integers(0, 46))
    return Window(
        frozenset(draw(st.sets(st.integers(0, 6), min_size=1)) | {draw(st.sampled_from([0, 1, 2, 3]))}),
        _clock(opens),
        _clock(draw(st.integers(opens + 1, 47))),
        korean_clock=draw(st.booleans()),
        holidays=draw(st.sampled_from(["recipient", "sender", "both", "none"])),
        avoid=frozenset(draw(st.sets(st.sampled_from(["day_before_holiday", "ramadan_afternoon"])))),
    )


def _clock(half_hour: int) -> time:
    return time(half_hour // 2, 30 * (half_hour % 2))


def allowed(moment: datetime, window: Window, zone: ZoneInfo, calendar: Calendar) -> bool:
    """The second opinion: what the window says of one moment, word by word."""
    there, here = moment.astimezone(zone), moment.astimezone(SEOUL)
    wall = here if window.korean_clock else there
    if wall.weekday() not in window.days or not window.opens <= wall.time() < window.closes:
        return False
    off, korean = calendar.day_off(there.date()), KOREA.day_off(here.date())
    eves = "day_before_holiday" in window.avoid
    if off is not None and (off.kind == "weekend" or window.holidays in ("recipient", "both")):
        return False
    if window.holidays in ("recipient", "both") and eves and calendar.before_holiday(there.date()):
        return False
    if window.holidays in ("sender", "both"):
        if korean is not None and korean.kind != "weekend":
            return False
        if eves and KOREA.before_holiday(here.date()):
            return False
    ramadan = there.date().toordinal() in rules.days.ramadan_days() and rules.days.ramadan_until(calendar.country)
    return not ("ramadan_afternoon" in window.avoid and ramadan and there.time() >= ramadan)


def decide(moment: datetime, window: Window, zone: str) -> datetime | None:
    return next_slot(moment, window, ZoneInfo(zone), Calendar(PLACES[zone]), KOREA)


# ---------------------------------------------------------------- properties


@settings(deadline=None, max_examples=300)
@given(places_and_moments(), windows())
def test_a_slot_is_allowed_never_early_and_in_utc(place: tuple[str, datetime], window: Window) -> None:
    zone, moment = place
    slot = decide(moment, window, zone)
    if slot is not None:
        assert slot >= moment
        assert slot.tzinfo is UTC
        assert allowed(slot, window, ZoneInfo(zone), Calendar(PLACES[zone]))


@settings(deadline=None, max_examples=300)
@given(places_and_moments(), windows())
def test_f19_a_slot_asked_again_stays_where_it_is(place: tuple[str, datetime], window: Window) -> None:
    zone, moment = place
    slot = decide(moment, window, zone)
    if slot is not None:
        assert decide(slot, window, zone) == slot


@settings(deadline=None, max_examples=300)
@given(places_and_moments(), windows(), st.lists(st.floats(0, 1), min_size=20, max_size=20))
def test_nothing_earlier_would_have_been_allowed(
    place: tuple[str, datetime], window: Window, parts: list[float]
) -> None:
    zone, moment = place
    slot = decide(moment, window, zone)
    end = slot if slot is not None else moment + timedelta(days=rules.SEARCH_DAYS - 1)
    tries = [moment, *(moment + (end - moment) * part for part in parts), end - timedelta(seconds=1)]
    tries += [end - timedelta(minutes=30 * number) for number in range(1, 60)]
    for each in tries:
        if moment <= each < end:
            assert not allowed(each, window, ZoneInfo(zone), Calendar(PLACES[zone])), each


@calm
@given(places_and_moments(), windows(), st.integers(0, 60 * 24 * 40))
def test_who_asks_later_never_gets_an_earlier_slot(place: tuple[str, datetime], window: Window, minutes: int) -> None:
    zone, moment = place
    early, late = decide(moment, window, zone), decide(moment + timedelta(minutes=minutes), window, zone)
    if early is not None and late is not None:
        assert early <= late


@calm
@given(
    places_and_moments(),
    st.builds(Delay, st.integers(0, 60), st.sampled_from(["hours", "days", "business days"])),
    st.integers(0, 60 * 24 * 10),
)
def test_a_step_is_due_after_its_anchor_and_not_before_it_may(
    place: tuple[str, datetime], delay: Delay, minutes: int
) -> None:
    zone, anchor = place
    not_before = anchor + timedelta(minutes=minutes)
    due = due_at(anchor, delay, MORNING, ZoneInfo(zone), Calendar(PLACES[zone]), not_before, KOREA)
    assert due is not None
    assert due >= not_before
    assert allowed(due, MORNING, ZoneInfo(zone), Calendar(PLACES[zone]))


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Madrid",
        "America/Mexico_City",
        "America/New_York",
        "Asia/Seoul",
        "Asia/Shanghai",
        "Africa/Cairo",
        "Australia/Lord_Howe",
        "Pacific/Chatham",
    ],
)
def test_f40_a_morning_is_the_same_on_the_wall_around_every_change_of_clocks(zone: str) -> None:
    daily = Window(frozenset(range(7)), time(9, 30), time(11, 30), holidays="none")
    clock = ZoneInfo(zone)
    for change in [*changes(zone), datetime(2026, 6, 1, tzinfo=UTC)]:
        for hours in range(-72, 73, 3):
            moment = change + timedelta(hours=hours)
            slot = next_slot(moment, daily, clock, Calendar("US"))
            assert slot is not None
            wall = slot.astimezone(clock)
            assert slot == moment or wall.time() == time(9, 30)
            assert wall.weekday() < 5


# ---------------------------------------------------------------- clock changes, one by one

EVERY_NIGHT = frozenset(range(7))


@pytest.mark.parametrize(
    ("zone", "opens", "closes", "asked", "slot"),
    [
        # Clocks go from 02:00 to 03:00: a window at 02:15 has no such time, one until 03:30 opens at 03:00.
        ("Europe/Madrid", time(2, 15), time(2, 45), "2026-03-29T00:00", "2026-03-30T00:15"),
        ("Europe/Madrid", time(2, 15), time(3, 30), "2026-03-29T00:00", "2026-03-29T01:00"),
        # Clocks go from 03:00 back to 02:00: the window is there twice.
        ("Europe/Madrid", time(2, 15), time(2, 45), "2026-10-25T00:00", "2026-10-25T00:15"),
        ("Europe/Madrid", time(2, 15), time(2, 45), "2026-10-25T00:45", "2026-10-25T01:15"),
        # By half an hour, in a country of New Year in summer.
        ("Australia/Lord_Howe", time(2), time(2, 30), "2026-10-03T15:00", "2026-10-04T15:00"),
        # At midnight: the day begins at one.
        ("Africa/Cairo", time(0), time(6), "2026-04-23T20:00", "2026-04-23T22:00"),
        ("America/Santiago", time(0), time(6), "2026-09-06T02:00", "2026-09-06T04:00"),
    ],
)
def test_a_window_at_the_hour_of_a_clock_change(zone: str, opens: time, closes: time, asked: str, slot: str) -> None:
    nightly = Window(EVERY_NIGHT, opens, closes, holidays="none")
    found = next_slot(datetime.fromisoformat(asked).replace(tzinfo=UTC), nightly, ZoneInfo(zone), _always_open())
    assert found == datetime.fromisoformat(slot).replace(tzinfo=UTC)


def _always_open() -> Calendar:
    # Every day of these years is a working day, so that only clocks matter.
    whole = date(2026, 1, 1).toordinal()
    return Calendar("", OwnDays(working=frozenset(date.fromordinal(whole + number) for number in range(800))))


# ---------------------------------------------------------------- F49, B8, B9, B10, D7


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_f49_a_letter_approved_after_its_slot_takes_the_next_window_and_not_the_present_moment() -> None:
    spain, madrid = Calendar("ES"), ZoneInfo("Europe/Madrid")
    due = due_at(utc("2026-11-16T09:00"), Delay(1, "business days"), MORNING, madrid, spain)
    assert due == utc("2026-11-17T08:30")
    approved = utc("2026-11-19T14:00")  # Thursday afternoon; the window is Tuesday to Thursday in the morning
    late = due_at(utc("2026-11-16T09:00"), Delay(1, "business days"), MORNING, madrid, spain, not_before=approved)
    assert late == utc("2026-11-24T08:30")


@pytest.mark.parametrize(
    ("zone", "hour"), [("Asia/Tokyo", 0), ("Europe/Madrid", 8), ("America/New_York", 14), ("America/Mexico_City", 15)]
)
def test_b8_a_letter_leaves_at_half_past_nine_where_it_is_read(zone: str, hour: int) -> None:
    slot = decide(utc("2026-11-16T23:00"), MORNING, zone)
    assert slot == utc(f"2026-11-{18 if zone == 'Asia/Tokyo' and hour > 23 else 17}T00:30") + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Europe/Madrid", "2026-11-23"), ("Asia/Riyadh", "2026-11-22"), ("Asia/Dubai", "2026-11-23")],
)
def test_b9_business_hours_know_the_weekend_of_the_country(zone: str, day: str) -> None:
    whole_week = Window(EVERY_NIGHT, time(9), time(17))
    slot = decide(utc("2026-11-20T18:00"), whole_week, zone)  # a Friday evening
    assert slot is not None
    assert slot.astimezone(ZoneInfo(zone)).date() == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("zone", "asked", "day"),
    [
        ("Asia/Tokyo", "2026-11-22T20:00", "2026-11-24"),  # Labor Thanksgiving Day
        ("Asia/Seoul", "2026-09-23T20:00", "2026-09-29"),  # Chuseok; Monday is no day of the window
        ("America/Sao_Paulo", "2026-11-20T10:00", "2026-11-24"),  # Black Awareness Day, a Friday
        ("Asia/Riyadh", "2026-09-23T05:00", "2026-09-24"),  # Saudi national day
        ("Asia/Dubai", "2026-12-02T05:00", "2026-12-08"),  # the Emirates' national days
    ],
)
def test_b10_holidays_are_those_of_the_buyers_country(zone: str, asked: str, day: str) -> None:
    slot = decide(utc(asked), MORNING, zone)
    assert slot is not None
    assert slot.astimezone(ZoneInfo(zone)).date() == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("zone", "closes_on", "day"),
    [
        ("Asia/Shanghai", date(2026, 9, 30), "2026-10-13"),  # Golden Week; the make-up Saturday is no day of the window
        ("Asia/Shanghai", date(2027, 1, 30), "2027-02-17"),  # Spring Festival
        ("Asia/Seoul", date(2026, 9, 23), "2026-09-29"),  # Chuseok
        ("Europe/Madrid", date(2027, 3, 20), "2027-03-30"),  # Semana Santa
        ("America/Mexico_City", date(2026, 12, 14), "2027-01-07"),  # Christmas to Epiphany
        ("Asia/Dubai", date(2027, 3, 5), "2027-03-16"),  # the end of Ramadan
    ],
)
def test_d7_a_day_after_the_show_waits_for_the_end_of_the_feast(zone: str, closes_on: date, day: str) -> None:
    calendar = Calendar(PLACES[zone])
    delay = Delay(2 if zone == "Asia/Shanghai" and closes_on.month == 1 else 1, "business days")
    due = due_at(rules.show_close(closes_on), delay, MORNING, ZoneInfo(zone), calendar)
    assert due is not None
    assert due.astimezone(ZoneInfo(zone)).date() == date.fromisoformat(day)


# ---------------------------------------------------------------- whose holidays, what to avoid


def test_a_make_up_sunday_takes_letters_where_the_window_has_sundays() -> None:
    sundays = Window(frozenset({6}), time(9), time(17))
    assert decide(utc("2026-09-16T00:00"), sundays, "Asia/Shanghai") == utc("2026-09-20T01:00")


@pytest.mark.parametrize(
    ("holidays", "day"),
    [("recipient", "2026-09-24"), ("sender", "2026-09-28"), ("both", "2026-09-28"), ("none", "2026-09-24")],
)
def test_the_senders_holidays_hold_letters_back_if_the_window_says_so(holidays: str, day: str) -> None:
    weekdays = Window(frozenset(range(5)), time(9), time(17), holidays=holidays)  # type: ignore[arg-type]
    slot = decide(utc("2026-09-23T17:00"), weekdays, "Europe/Madrid")  # the evening before Chuseok
    assert slot is not None
    assert slot.astimezone(ZoneInfo("Europe/Madrid")).date() == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("holidays", "day"), [("recipient", "2026-11-24"), ("sender", "2026-11-23"), ("none", "2026-11-23")]
)
def test_the_buyers_holidays_are_left_out_only_if_the_window_minds_them(holidays: str, day: str) -> None:
    weekdays = Window(frozenset(range(5)), time(9), time(17), holidays=holidays)  # type: ignore[arg-type]
    slot = decide(utc("2026-11-22T20:00"), weekdays, "Asia/Tokyo")
    assert slot is not None
    assert slot.astimezone(ZoneInfo("Asia/Tokyo")).date() == date.fromisoformat(day)


def test_a_friday_in_mexico_is_no_weekend_though_it_is_saturday_in_seoul() -> None:
    afternoons = Window(frozenset({4}), time(15), time(17), holidays="both")
    assert decide(utc("2026-11-20T00:00"), afternoons, "America/Mexico_City") == utc("2026-11-20T21:00")


def test_own_days_of_the_sender_count_as_its_holidays() -> None:
    weekdays = Window(frozenset(range(5)), time(9), time(17), holidays="sender")
    # 18 November is a day of ours in Korea, and begins at 16:00 in Madrid on the 17th.
    assert decide(utc("2026-11-17T14:00"), weekdays, "Europe/Madrid") == utc("2026-11-17T14:00")
    assert decide(utc("2026-11-17T15:30"), weekdays, "Europe/Madrid") == utc("2026-11-18T15:00")


@pytest.mark.parametrize(("avoid", "day"), [((), "2026-09-23"), (("day_before_holiday",), "2026-09-29")])
def test_the_day_before_a_long_holiday_is_avoided_if_the_window_says_so(avoid: tuple[str, ...], day: str) -> None:
    window = Window(MIDWEEK, time(9, 30), time(11, 30), avoid=frozenset(avoid))  # type: ignore[arg-type]
    slot = decide(utc("2026-09-22T20:00"), window, "Asia/Seoul")
    assert slot is not None
    assert slot.astimezone(SEOUL).date() == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("zone", "avoid", "slot"),
    [
        ("Asia/Dubai", (), "2027-02-16T09:00"),
        ("Asia/Dubai", ("ramadan_afternoon",), "2027-02-17T06:00"),
        ("Africa/Cairo", ("ramadan_afternoon",), "2027-02-16T09:00"),  # 11:00 there, still morning
        ("Europe/Madrid", ("ramadan_afternoon",), "2027-02-16T09:00"),  # no Ramadan in the offices there
    ],
)
def test_ramadan_afternoons_are_avoided_where_they_are_kept(zone: str, avoid: tuple[str, ...], slot: str) -> None:
    window = Window(MIDWEEK, time(10), time(16), avoid=frozenset(avoid))  # type: ignore[arg-type]
    assert decide(utc("2027-02-16T09:00"), window, zone) == utc(slot)


def test_an_afternoon_window_waits_for_the_end_of_ramadan() -> None:
    window = Window(MIDWEEK, time(13), time(16), avoid=frozenset({"ramadan_afternoon"}))
    slot = decide(utc("2027-02-10T00:00"), window, "Asia/Dubai")
    assert slot == utc("2027-03-16T09:00")


# ---------------------------------------------------------------- why


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "ko",
            [("closed", ""), ("day_before_holiday", "추석 전날 연휴 전날"), ("holiday", "추석 전날"), ("closed", "")],
        ),
        (
            "en",
            [
                ("closed", ""),
                ("day_before_holiday", "day before The day preceding Chuseok"),
                ("holiday", "The day preceding Chuseok"),
                ("closed", ""),
            ],
        ),
    ],
)
def test_what_moved_a_letter_is_told_day_by_day(language: str, said: list[tuple[str, str]]) -> None:
    window = Window(MIDWEEK, time(9, 30), time(11, 30), avoid=frozenset({"day_before_holiday"}))
    found = explain(utc("2026-09-21T00:00"), utc("2026-09-26T00:00"), window, SEOUL, Calendar("KR"), language)
    assert [(reason.kind, reason.name) for _day, reason in found if _day != date(2026, 9, 22)] == said


def test_the_senders_holiday_is_named_as_korean() -> None:
    window = Window(MIDWEEK, time(9, 30), time(11, 30), holidays="both")
    madrid = ZoneInfo("Europe/Madrid")
    found = rules.days_off_between(
        utc("2026-09-24T00:00"), utc("2026-09-29T07:30"), madrid, Calendar("ES"), "ko", window, KOREA
    )
    assert found == [(date(2026, 9, 24), DayOff("sender_holiday", "추석 전날(한국)"))]


def test_a_ramadan_afternoon_is_named() -> None:
    window = Window(MIDWEEK, time(10), time(16), avoid=frozenset({"ramadan_afternoon"}))
    dubai = ZoneInfo("Asia/Dubai")
    found = rules.days_off_between(
        utc("2027-02-16T09:00"), utc("2027-02-17T06:00"), dubai, Calendar("AE"), "ko", window
    )
    assert found == [(date(2027, 2, 16), DayOff("ramadan", "라마단 오후"))]


def test_holidays_on_days_that_are_none_of_the_window_moved_nothing() -> None:
    found = rules.days_off_between(
        utc("2026-11-22T00:00"), utc("2026-11-24T00:30"), ZoneInfo("Asia/Tokyo"), Calendar("JP"), "ko", MORNING
    )
    assert found == []


@calm
@given(places_and_moments(), windows(), st.sampled_from(["ko", "en"]))
def test_every_whole_day_a_slot_was_moved_over_has_a_reason(
    place: tuple[str, datetime], window: Window, language: str
) -> None:
    zone, moment = place
    slot = decide(moment, window, zone)
    if slot is None or window.korean_clock or window.opens < time(6) or window.closes > time(22):
        return
    clock = ZoneInfo(zone)
    reasons = dict(explain(moment, slot, window, clock, Calendar(PLACES[zone]), language, KOREA))
    day = moment.astimezone(clock).date() + timedelta(days=1)
    while day < slot.astimezone(clock).date():
        assert day in reasons
        day += timedelta(days=1)


# ---------------------------------------------------------------- in a workflow


def test_a_workflow_says_whose_holidays_and_what_to_avoid() -> None:
    written = SendWindow.model_validate(
        {
            "days": ["tue"],
            "hours": "09:30-11:30",
            "holidays": "both",
            "avoid": ["day_before_holiday", "ramadan_afternoon"],
        }
    )
    assert written.window() == Window(
        frozenset({1}), time(9, 30), time(11, 30), holidays="both",
        avoid=frozenset({"day_before_holiday", "ramadan_afternoon"}),
    )  # fmt: skip


def test_who_minds_no_holidays_cannot_avoid_the_day_before_one() -> None:
    with pytest.raises(ValidationError) as caught:
        SendWindow.model_validate(
            {"days": ["tue"], "hours": "09:30-11:30", "holidays": "none", "avoid": ["day_before_holiday"]}
        )
    assert [item["type"] for item in caught.value.errors()] == ["avoid_no_holidays"]


def test_the_engine_minds_the_senders_own_days() -> None:
    from tests.campaigns.test_engine import workflow

    definition = workflow().model_copy(
        update={
            "send_window": SendWindow.model_validate(
                {"days": ["tue", "wed"], "hours": "09:30-11:30", "holidays": "both"}
            )
        }
    )
    own = {"KR": OwnDays(off=frozenset({date(2026, 11, 17)}))}
    buyer = engine.buyer_time(definition, "DE", "", "", own)
    assert buyer is not None
    assert engine.postponed(definition, "mail", buyer, utc("2026-11-17T08:30")) == utc("2026-11-18T08:30")
