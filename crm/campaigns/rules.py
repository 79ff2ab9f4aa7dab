"""When a step may happen: time zones, delays, send windows. Pure; every moment is handed in.

All moments are aware datetimes in UTC; all dates are dates on the buyer's calendar, which ``days`` knows.
"""

import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal
from zoneinfo import ZoneInfo

from crm.campaigns import days
from crm.campaigns.days import (
    NO_OWN_DAYS,
    Calendar,
    DayOff,
    OwnDays,
    OwnHolidays,
    add_business_days,
    holidays_of,
    weekend,
)

__all__ = [
    "NO_OWN_DAYS",
    "Calendar",
    "DayOff",
    "OwnDays",
    "OwnHolidays",
    "add_business_days",
    "holidays_of",
    "weekend",
]

SEOUL = ZoneInfo("Asia/Seoul")
SHOW_CLOSES_AT = time(18)
SEARCH_DAYS = 200
SEARCH_TIME = timedelta(days=SEARCH_DAYS)

KOREA = Calendar("KR")

Unit = Literal["hours", "days", "business days"]
Whose = Literal["recipient", "sender", "both", "none"]
Avoided = Literal["day_before_holiday", "ramadan_afternoon"]


@dataclass(frozen=True)
class Delay:
    """How long after its anchor a step follows. ``business days`` count on the buyer's calendar."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count} {self.unit.removesuffix('s') if self.count == 1 else self.unit}"


@dataclass(frozen=True)
class Window:
    """The weekdays (Monday is 0) and the hours, ``opens`` included and ``closes`` not, in which letters go out.

    ``holidays`` says whose public holidays, quiet seasons and own days are left out; the buyer's weekend always is.
    ``avoid`` leaves out the last working day before a long holiday of those calendars, and what is past the buyer's
    noon in Ramadan.
    """

    days: frozenset[int]
    opens: time
    closes: time
    korean_clock: bool = False
    holidays: Whose = "recipient"
    avoid: frozenset[Avoided] = field(default=frozenset())

    @property
    def minds_recipient(self) -> bool:
        return self.holidays in ("recipient", "both")

    @property
    def minds_sender(self) -> bool:
        return self.holidays in ("sender", "both")


OFFICE_IN_KOREA = Window(days=frozenset(range(5)), opens=time(9), closes=time(18), korean_clock=True)


@dataclass(frozen=True)
class LocalZone:
    """A buyer's time zone; ``assumed`` when the country has several and the city did not decide."""

    zone: ZoneInfo
    assumed: bool = False


def recipient_zone(country: str, city: str = "") -> LocalZone | None:
    """Return the zone of a buyer by country code and city, or None when the country is not known.

    A country is not a zone: without a known city, the business centre's zone of a large country is only assumed.
    """
    table = _zone_table()
    main = table["countries"].get(country.upper())
    if main is None:
        return None
    cities: dict[str, str] = _cities(country.upper())
    for name in _city_names(city):
        if name in cities:
            return LocalZone(ZoneInfo(cities[name]))
    return LocalZone(ZoneInfo(main), assumed=country.upper() in table["several"])


def _city_names(city: str) -> Iterator[str]:
    """Yield the whole cell first, then its parts: ``Austin, TX`` is known by either."""
    yield _plain(city)
    for part in city.replace("/", ",").replace("(", ",").replace(")", ",").split(","):
        yield _plain(part)


def _plain(name: str) -> str:
    # Compatibility decomposition also takes Hangul apart, so it is composed again.
    letters = (c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    kept = unicodedata.normalize("NFC", "".join(letters)).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in kept if c != ".").split())


@cache
def _zone_table() -> dict[str, Any]:
    return tomllib.loads(files("crm.campaigns").joinpath("zones.toml").read_text("utf-8"))


@cache
def _cities(country: str) -> dict[str, str]:
    zones: Mapping[str, list[str]] = _zone_table()["cities"].get(country, {})
    return {name: zone for zone, names in zones.items() for name in names}


def known_countries() -> frozenset[str]:
    """Return every country code that has a time zone."""
    return frozenset(_zone_table()["countries"])


def show_close(last_day: date) -> datetime:
    """Return the moment a Korean exhibition closes: 18:00 in Seoul on its last day."""
    return datetime.combine(last_day, SHOW_CLOSES_AT, SEOUL).astimezone(UTC)


def earliest(anchor: datetime, delay: Delay, zone: ZoneInfo, calendar: Calendar) -> datetime:
    """Return the moment a delay has passed, before any window is asked: days end as the buyer's day begins."""
    if delay.unit == "hours":
        return anchor + timedelta(hours=delay.count)
    if delay.count == 0:
        return anchor
    day = anchor.astimezone(zone).date()
    if delay.unit == "days":
        return _instant(day + timedelta(days=delay.count), time(0), zone)
    return _instant(add_business_days(day, delay.count, calendar), time(0), zone)


# ---------------------------------------------------------------- the window


def next_slot(
    moment: datetime, window: Window, zone: ZoneInfo, calendar: Calendar, sender: Calendar = KOREA
) -> datetime | None:
    """Return the first instant (UTC) not before ``moment`` at which a letter may go out, or None if there is none.

    Inside the window's days and hours, on a day of the buyer's ``calendar`` (and of the ``sender``'s, which is read on
    the Korean clock) that the window does not leave out. None after 200 days in vain.

    Each gate moves the moment on to the first instant it lets through, never back; an instant that all of them let
    through is the answer. So the answer is the earliest there is, and asked again it stays.
    """
    gates = _gates(window, zone, calendar, sender)
    found, agreed, number = moment.astimezone(UTC), 0, 0
    while agreed < len(gates):
        passed = gates[number % len(gates)].first(found)
        if passed is None or passed - moment > SEARCH_TIME:
            return None
        # What a gate has moved, that gate lets through.
        agreed = agreed + 1 if passed is found else 1
        found, number = passed, number + 1
    return found


def due_at(
    anchor: datetime,
    delay: Delay,
    window: Window,
    zone: ZoneInfo,
    calendar: Calendar,
    not_before: datetime | None = None,
    sender: Calendar = KOREA,
) -> datetime | None:
    """Return when a step is due: the delay after its anchor, not before ``not_before``, moved into the window."""
    moment = earliest(anchor, delay, zone, calendar)
    return next_slot(max(moment, not_before or moment), window, zone, calendar, sender)


@lru_cache(maxsize=4096)
def _gates(window: Window, zone: ZoneInfo, calendar: Calendar, sender: Calendar) -> "tuple[_Gate, ...]":
    """Return what a moment has to pass: one gate a clock, since a day in Seoul is not the buyer's day.

    Kept with their tables, which make an answer a matter of microseconds.
    """
    clock = SEOUL if window.korean_clock else zone
    eves = "day_before_holiday" in window.avoid
    closed = _CLOSED if window.minds_recipient else _WEEKEND
    weekdays = window.days if clock is zone else _ANY_DAY
    buyers = _Days(calendar, closed, eves and window.minds_recipient, weekdays)
    # A Saturday in Seoul is still Friday in Mexico: only days that Korea rests for a reason close its gate.
    closed = _CLOSED - _WEEKEND if window.minds_sender else frozenset()
    weekdays = window.days if clock is not zone else _ANY_DAY
    koreans = _Days(sender, closed, eves and window.minds_sender, weekdays)
    until = days.ramadan_until(calendar.country) if "ramadan_afternoon" in window.avoid else None
    if clock is not zone:
        return _Gate(SEOUL, koreans, window.opens, window.closes), _Gate(zone, buyers, ramadan_until=until)
    hours = _Gate(zone, buyers, window.opens, window.closes, until)
    return (hours, _Gate(SEOUL, koreans)) if window.minds_sender else (hours,)


_WEEKEND = frozenset({days.WEEKEND})
_CLOSED = frozenset({days.QUIET, days.HOLIDAY, days.WEEKEND})
_ANY_DAY = frozenset(range(7))


@dataclass(frozen=True)
class _Days:
    """Which days of a calendar are open: none of the ``closed`` kinds, a weekday asked for, with or without eves."""

    calendar: Calendar
    closed: frozenset[int]
    eves: bool
    weekdays: frozenset[int]

    def is_open(self, day: date) -> bool:
        if day.weekday() not in self.weekdays or self.calendar.mark(day) in self.closed:
            return False
        return not (self.eves and self.calendar.before_holiday(day))


_BLOCK = 512
_NEVER = 255


class _Gate:
    """The days and hours on one clock. ``first`` is all it does; the rest makes that quick."""

    def __init__(
        self,
        zone: ZoneInfo,
        open_days: _Days,
        opens: time = time(0),
        closes: time | None = None,
        ramadan_until: time | None = None,
    ) -> None:
        self._zone, self._days = zone, open_days
        self._opens, self._closes = opens, closes
        self._ramadan = days.ramadan_days() if ramadan_until is not None else frozenset()
        self._closes_in_ramadan = (
            ramadan_until if closes is None or ramadan_until is None else min(closes, ramadan_until)
        )
        self._tables: dict[int, bytes] = {}

    def first(self, moment: datetime) -> datetime | None:
        """Return the first instant not before ``moment`` that lies in the hours of an open day, or None."""
        day = start = moment.astimezone(self._zone).toordinal()
        while day - start <= SEARCH_DAYS:
            wait = self._wait(day)
            if wait == _NEVER:
                return None
            day += wait
            for begins, ends in _stretches(self._zone, day, self._opens, self._closes_on(day)):
                if moment < ends:
                    return moment if begins <= moment else begins
            day += 1
        return None

    def _wait(self, day: int) -> int:
        """Return in how many days the next open day comes: 0 on one, ``_NEVER`` when none is near."""
        block, place = divmod(day, _BLOCK)
        table = self._tables.get(block)
        if table is None:
            table = self._tables[block] = self._table(block * _BLOCK)
        return table[place]

    def _table(self, first: int) -> bytes:
        waits = bytearray()
        wait = _NEVER
        for day in range(first + _BLOCK + SEARCH_DAYS, first - 1, -1):
            wait = 0 if self._is_open(day) else min(wait + 1, _NEVER)
            waits.append(wait if wait <= SEARCH_DAYS else _NEVER)
        return bytes(waits[: -_BLOCK - 1 : -1])

    def _is_open(self, day: int) -> bool:
        closes = self._closes_on(day)
        return (closes is None or self._opens < closes) and self._days.is_open(date.fromordinal(day))

    def _closes_on(self, day: int) -> time | None:
        return self._closes_in_ramadan if day in self._ramadan else self._closes


# ---------------------------------------------------------------- clocks that change


@lru_cache(maxsize=1 << 16)
def _stretches(zone: ZoneInfo, day: int, opens: time, closes: time | None) -> tuple[tuple[datetime, datetime], ...]:
    """Return the instants (from, until) of a day at which a clock on the wall shows ``opens`` or later, not ``closes``.

    One stretch on most days. Where clocks are set forward the hours left out are left out here; where they are set back
    an hour that comes twice is there twice.
    """
    midnight = datetime.combine(date.fromordinal(day), time(0), UTC)
    from_wall = datetime.combine(midnight, opens, UTC)
    until_wall = midnight + timedelta(days=1) if closes is None else datetime.combine(midnight, closes, UTC)
    found = []
    for begins, ends, offset in _offsets(zone, day):
        start, end = max(begins, from_wall - offset), min(ends, until_wall - offset)
        if start < end:
            found.append((start, end))
    return tuple(found)


@lru_cache(maxsize=1 << 14)
def _offsets(zone: ZoneInfo, day: int) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """Return the parts of a day with their distance from UTC: one, or two when the clocks change on that day."""
    begins, ends = _midnight(day, zone), _midnight(day + 1, zone)
    before, after = _offset(begins, zone), _offset(ends - timedelta(seconds=1), zone)
    if before == after:
        return ((begins, ends, before),)
    low, high = begins, ends
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    change = high.replace(microsecond=0)
    return ((begins, change, before), (change, ends, after))


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _midnight(day: int, zone: ZoneInfo) -> datetime:
    return _instant(date.fromordinal(day), time(0), zone)


def _instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall-clock time; one that a clock change leaves out is the moment of the change."""
    return datetime.combine(day, wall, zone).astimezone(UTC)


# ---------------------------------------------------------------- why


def explain(
    start: datetime,
    end: datetime,
    window: Window,
    zone: ZoneInfo,
    calendar: Calendar,
    language: str = "en",
    sender: Calendar = KOREA,
) -> list[tuple[date, DayOff]]:
    """Return each day from ``start`` up to ``end`` on which the window let nothing out or closed early, and why.

    Days are those of the buyer. ``language`` is that of the names, ``ko`` or ``en``. The kinds besides those of a
    calendar: ``closed`` (no day of the window), ``day_before_holiday``, ``ramadan``, ``sender_holiday``.
    """
    day, last, found = start.astimezone(zone).date(), end.astimezone(zone).date(), []
    while day < last:
        reason = _why_not(day, window, zone, calendar, sender, language)
        if reason is not None:
            found.append((day, reason))
        day += timedelta(days=1)
    return found


def days_off_between(
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    calendar: Calendar,
    language: str = "en",
    window: Window | None = None,
    sender: Calendar = KOREA,
) -> list[tuple[date, DayOff]]:
    """Return the days off from ``start`` up to ``end`` that moved a letter, without those of every week.

    With ``window`` only what that window minds, the sender's holidays among it; else the buyer's holidays and quiet
    days.
    """
    reasons = explain(start, end, window or _EVERY_DAY, zone, calendar, language, sender)
    return [(day, reason) for day, reason in reasons if reason.kind not in ("weekend", "closed")]


_EVERY_DAY = Window(days=_ANY_DAY, opens=time(0), closes=time.max)


def _why_not(
    day: date, window: Window, zone: ZoneInfo, calendar: Calendar, sender: Calendar, language: str
) -> DayOff | None:
    clock = SEOUL if window.korean_clock else zone
    if clock is zone and day.weekday() not in window.days:
        return DayOff("closed")
    reason = calendar.day_off(day, language)
    if reason is not None and (window.minds_recipient or reason.kind == "weekend"):
        return reason
    if "day_before_holiday" in window.avoid and window.minds_recipient:
        eve = _eve(calendar, day, language)
        if eve is not None:
            return eve
    if window.minds_sender:
        korean = _sender_off(_instant(day, window.opens, clock).astimezone(SEOUL).date(), window, sender, language)
        if korean is not None:
            return korean
    shortened = (
        "ramadan_afternoon" in window.avoid
        and days.ramadan_until(calendar.country)
        and day.toordinal() in days.ramadan_days()
    )
    return DayOff("ramadan", days.say("ramadan", language)) if shortened else None


def _sender_off(day: date, window: Window, sender: Calendar, language: str) -> DayOff | None:
    reason = sender.day_off(day, language)
    if reason is None or reason.kind == "weekend":
        reason = _eve(sender, day, language) if "day_before_holiday" in window.avoid else None
    if reason is None:
        return None
    name = reason.name or days.say("own", language)
    return DayOff("sender_holiday", days.say("korea", language).format(name=name))


def _eve(calendar: Calendar, day: date, language: str) -> DayOff | None:
    holiday = calendar.before_holiday(day)
    if holiday is None:
        return None
    reason = calendar.day_off(holiday, language)
    name = (reason.name if reason else "") or days.say("own", language)
    return DayOff("day_before_holiday", days.say("before", language).format(name=name))
