"""When letters may go out: zones, calendars, business days, windows, also over clock changes."""

from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm.campaigns import rules
from crm.campaigns.rules import Calendar, Delay, Window, add_business_days, due_at, next_slot, recipient_zone

PLACES = {
    "ES": "Europe/Madrid",
    "MX": "America/Mexico_City",
    "US": "America/New_York",
    "KR": "Asia/Seoul",
    "CN": "Asia/Shanghai",
    "CL": "America/Santiago",
    "SA": "Asia/Riyadh",
    "AU": "Australia/Sydney",
    "": "UTC",
}
# Around the clock changes of 2026 in Madrid, New York, Santiago and Sydney, besides any other time.
CHANGES = [
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 3, 8, 6, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
    datetime(2026, 4, 5, 3, 30, tzinfo=UTC),
    datetime(2026, 9, 6, 4, 30, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
]
anywhere = st.sampled_from(sorted(PLACES))
any_time = st.integers(0, 7 * 365 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
near_a_change = st.builds(
    lambda at, minutes: at + timedelta(minutes=minutes), st.sampled_from(CHANGES), st.integers(-3000, 3000)
)
moments = any_time | near_a_change
half_hours = st.integers(12, 43)
# The first look at a country reads its holidays, which takes longer than any other.
calm = settings(deadline=None)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    opens = draw(half_hours)
    closes = draw(st.integers(opens + 1, 44))
    weekdays = draw(st.sets(st.integers(0, 6)))
    return Window(frozenset(weekdays | {1}), _clock(opens), _clock(closes), korean_clock=draw(st.booleans()))


def _clock(half_hour: int) -> time:
    return time(half_hour // 2, 30 * (half_hour % 2))


delays = st.builds(Delay, st.integers(0, 60), st.sampled_from(["hours", "days", "business days"]))
WORKDAY = Window(frozenset(range(5)), time(9, 30), time(11, 30))


@calm
@given(moments, windows(), anywhere)
def test_a_slot_lies_inside_the_window_on_a_working_day_and_never_before_the_moment(
    moment: datetime, window: Window, country: str
) -> None:
    zone, calendar = ZoneInfo(PLACES[country]), Calendar(country)
    slot = next_slot(moment, window, zone, calendar)
    assert slot is not None
    assert slot >= moment
    on_the_clock = slot.astimezone(rules.SEOUL if window.korean_clock else zone)
    assert on_the_clock.weekday() in window.days
    assert window.opens <= on_the_clock.time() < window.closes
    assert calendar.takes_letters(slot.astimezone(zone).date())


@calm
@given(moments, windows(), anywhere)
def test_a_slot_is_its_own_next_slot(moment: datetime, window: Window, country: str) -> None:
    zone, calendar = ZoneInfo(PLACES[country]), Calendar(country)
    slot = next_slot(moment, window, zone, calendar)
    assert slot is not None
    assert next_slot(slot, window, zone, calendar) == slot


@calm
@given(moments, st.integers(0, 60 * 24 * 40), windows(), delays, anywhere)
@example(CHANGES[0], 60, WORKDAY, Delay(1, "days"), "ES")
def test_a_later_anchor_never_makes_a_step_due_earlier(
    anchor: datetime, minutes: int, window: Window, delay: Delay, country: str
) -> None:
    zone, calendar = ZoneInfo(PLACES[country]), Calendar(country)
    first = due_at(anchor, delay, window, zone, calendar)
    second = due_at(anchor + timedelta(minutes=minutes), delay, window, zone, calendar)
    assert first is not None
    assert second is not None
    assert anchor <= first <= second


@calm
@given(moments, windows(), anywhere)
def test_no_earlier_minute_of_the_day_would_have_done(moment: datetime, window: Window, country: str) -> None:
    zone, calendar = ZoneInfo(PLACES[country]), Calendar(country)
    slot = next_slot(moment, window, zone, calendar)
    assert slot is not None
    before = slot - timedelta(minutes=1)
    if before < moment:
        return
    on_the_clock = before.astimezone(rules.SEOUL if window.korean_clock else zone)
    open_then = on_the_clock.weekday() in window.days and window.opens <= on_the_clock.time() < window.closes
    assert not (open_then and calendar.takes_letters(before.astimezone(zone).date()))


@calm
@given(st.dates(date(2024, 1, 1), date(2030, 12, 31)), st.integers(1, 40), anywhere)
def test_business_days_are_counted_one_by_one(day: date, count: int, country: str) -> None:
    calendar = Calendar(country)
    end = add_business_days(day, count, calendar)
    between = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert calendar.is_business_day(end)
    assert sum(calendar.is_business_day(each) for each in between) == count


@pytest.mark.parametrize(
    ("country", "city", "zone", "assumed"),
    [
        ("KR", "", "Asia/Seoul", False),
        ("US", "", "America/New_York", True),
        ("US", "Los Angeles, CA", "America/Los_Angeles", False),
        ("US", "시애틀", "America/Los_Angeles", False),
        ("MX", "Ciudad de México", "America/Mexico_City", False),
        ("MX", "TIJUANA (B.C.)", "America/Tijuana", False),
        ("BR", "São Paulo", "America/Sao_Paulo", False),
        ("CA", "Vancouver", "America/Vancouver", False),
        ("AU", "Perth", "Australia/Perth", False),
        ("CL", "", "America/Santiago", True),
        ("ES", "Las Palmas", "Atlantic/Canary", False),
        ("ID", "Surabaya", "Asia/Jakarta", False),
        ("CN", "Urumqi", "Asia/Shanghai", False),
        ("de", "Hamburg", "Europe/Berlin", False),
    ],
)
def test_a_buyer_lives_in_the_zone_of_city_and_country(country: str, city: str, zone: str, assumed: bool) -> None:
    found = recipient_zone(country, city)
    assert found is not None
    assert (str(found.zone), found.assumed) == (zone, assumed)


@pytest.mark.parametrize("country", ["", "XX", "Korea"])
def test_an_unknown_country_has_no_zone(country: str) -> None:
    assert recipient_zone(country, "Seoul") is None


def test_every_country_of_the_time_zone_database_is_known_and_every_zone_exists() -> None:
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8")
    assert rules.known_countries() == {line[:2] for line in table.splitlines() if line and line[0] != "#"}
    for zone in rules._zone_table()["countries"].values():
        assert ZoneInfo(zone).key == zone
    for country, zones in rules._zone_table()["cities"].items():
        names = [name for group in zones.values() for name in group]
        assert len(names) == len(set(names)), country
        assert all(rules._plain(name) == name for name in names), country
        assert all(ZoneInfo(zone) for zone in zones)


def test_the_weekend_of_saudi_arabia_is_friday_and_saturday_and_that_of_the_emirates_saturday_and_sunday() -> None:
    assert rules.weekend("SA") == {4, 5}
    assert rules.weekend("AE") == {5, 6}


def test_nothing_goes_out_on_saturday_where_only_sunday_is_free_by_law() -> None:
    assert rules.weekend("HK") == {5, 6}


@pytest.mark.parametrize(
    ("country", "day", "kind"),
    [
        ("CN", date(2026, 2, 18), "holiday"),
        ("KR", date(2026, 9, 25), "holiday"),
        ("JP", date(2026, 5, 5), "holiday"),
        ("JP", date(2026, 8, 14), "quiet_season"),
        ("ES", date(2026, 8, 10), "quiet_season"),
        ("MX", date(2026, 12, 22), "quiet_season"),
        ("CL", date(2027, 1, 6), "quiet_season"),
        ("SA", date(2026, 5, 27), "holiday"),
        ("DE", date(2026, 8, 15), "weekend"),
    ],
)
def test_a_day_off_says_why(country: str, day: date, kind: str) -> None:
    reason = Calendar(country).day_off(day)
    assert reason is not None
    assert reason.kind == kind


def test_a_holiday_is_named_in_korean_where_the_name_is_known() -> None:
    reason = Calendar("KR").day_off(date(2026, 9, 25), "ko")
    assert reason is not None
    assert reason.name == "추석"


def test_a_quiet_season_stops_letters_but_counts_as_business_days() -> None:
    spain = Calendar("ES")
    assert spain.is_business_day(date(2026, 8, 10))
    assert not spain.takes_letters(date(2026, 8, 10))


def test_the_hours_stay_the_same_on_the_wall_when_clocks_change() -> None:
    madrid = ZoneInfo("Europe/Madrid")
    slots = [next_slot(datetime(2026, 3, day, 20, tzinfo=UTC), WORKDAY, madrid, Calendar("ES")) for day in (26, 29)]
    assert [slot.astimezone(madrid).time() for slot in slots if slot] == [time(9, 30), time(9, 30)]
    assert [slot.hour for slot in slots if slot] == [8, 7]


def test_a_korean_morning_waits_until_it_is_monday_for_the_buyer() -> None:
    morning = Window(frozenset(range(5)), time(9), time(18), korean_clock=True)
    monday_in_seoul = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)  # Sunday evening in New York
    slot = next_slot(monday_in_seoul, morning, ZoneInfo("America/New_York"), Calendar("US"))
    assert slot == datetime(2026, 11, 23, 5, 0, tzinfo=UTC)  # midnight in New York, 14:00 in Seoul


def test_a_window_without_a_working_day_gives_no_slot() -> None:
    sundays = Window(frozenset({6}), time(9), time(18))
    assert next_slot(CHANGES[0], sundays, ZoneInfo("Asia/Seoul"), Calendar("KR")) is None


def test_holidays_between_two_moments_are_named() -> None:
    seoul = ZoneInfo("Asia/Seoul")
    start, end = datetime(2026, 9, 23, 15, tzinfo=UTC), datetime(2026, 9, 28, 1, tzinfo=UTC)
    found = rules.days_off_between(start, end, seoul, Calendar("KR"))
    assert [day for day, _reason in found] == [date(2026, 9, 24), date(2026, 9, 25)]


def test_a_show_closes_at_six_in_the_evening_in_seoul() -> None:
    assert rules.show_close(date(2026, 11, 14)) == datetime(2026, 11, 14, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("delay", "text"), [(Delay(1, "days"), "1 day"), (Delay(5, "business days"), "5 business days")]
)
def test_a_delay_reads_as_it_is_written(delay: Delay, text: str) -> None:
    assert str(delay) == text
