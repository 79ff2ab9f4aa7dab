"""When a step may happen: time zones, holidays, business days, send windows. Pure; every moment is handed in.

All moments are aware datetimes in UTC; all dates are dates on the buyer's calendar. Holidays come from the
``holidays`` package, which follows each country's laws, joined by quiet seasons and by the centre's own days.
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

import holidays as public_holidays

SEOUL = ZoneInfo("Asia/Seoul")
SHOW_CLOSES_AT = time(18)
SEARCH_DAYS = 200
SATURDAY_SUNDAY = frozenset({5, 6})

Unit = Literal["hours", "days", "business days"]


@dataclass(frozen=True)
class Delay:
    """How long after its anchor a step follows. ``business days`` count on the buyer's calendar."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count} {self.unit.removesuffix('s') if self.count == 1 else self.unit}"


@dataclass(frozen=True)
class Window:
    """The weekdays (Monday is 0) and the hours, ``opens`` included and ``closes`` not, in which letters go out."""

    days: frozenset[int]
    opens: time
    closes: time
    korean_clock: bool = False


OFFICE_IN_KOREA = Window(days=frozenset(range(5)), opens=time(9), closes=time(18), korean_clock=True)


@dataclass(frozen=True)
class LocalZone:
    """A buyer's time zone; ``assumed`` when the country has several and the city did not decide."""

    zone: ZoneInfo
    assumed: bool = False


@dataclass(frozen=True)
class DayOff:
    """Why nothing goes out on a day. ``kind`` is ``weekend``, ``holiday``, ``quiet_season`` or ``own``."""

    kind: str
    name: str = ""


@dataclass(frozen=True)
class Calendar:
    """The working days of one country (ISO 3166-1 alpha-2, or empty when it is not known: Saturday and Sunday off).

    ``own`` are days the centre adds; with ``mind_holidays`` false only weekends count.
    """

    country: str = ""
    own: frozenset[date] = field(default=frozenset())
    mind_holidays: bool = True

    def is_business_day(self, day: date) -> bool:
        """Tell whether people work there on ``day``."""
        reason = self.day_off(day)
        return reason is None or reason.kind == "quiet_season"

    def takes_letters(self, day: date) -> bool:
        """Tell whether a letter may arrive on ``day``: a business day outside a quiet season."""
        return self.day_off(day) is None

    def day_off(self, day: date, language: str = "en") -> DayOff | None:
        """Return why ``day`` is no day for letters, or None. ``language`` is that of the name, ``ko`` or ``en``."""
        if day.weekday() in weekend(self.country):
            return DayOff("weekend")
        if not self.mind_holidays:
            return None
        if day in self.own:
            return DayOff("own")
        name = holidays_of(self.country, day.year, language).get(day)
        if name is not None:
            return DayOff("holiday", name)
        return quiet_season(self.country, day, language)


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


@cache
def weekend(country: str) -> frozenset[int]:
    """Return the weekdays (Monday is 0) that are the weekend, e.g. Friday and Saturday in Saudi Arabia."""
    if not _has_holidays(country):
        return SATURDAY_SUNDAY
    # Saturday is a working day by law in a few countries, and still no day for business letters.
    return frozenset(public_holidays.country_holidays(country).weekend) | _saturday(country)


def _saturday(country: str) -> frozenset[int]:
    return frozenset({5}) if 6 in public_holidays.country_holidays(country).weekend else frozenset()


@lru_cache(maxsize=4096)
def holidays_of(country: str, year: int, language: str = "en") -> Mapping[date, str]:
    """Return the public holidays of a country in a year with their names in ``language`` where known, else English.

    One fresh object a year, since the package's own objects fill themselves while they are read, which two threads
    must not do at once.
    """
    if not _has_holidays(country):
        return {}
    wanted = language if language in _holiday_languages(country) else "en_US"
    return dict(public_holidays.country_holidays(country, years=year, expand=False, language=wanted))


@cache
def _has_holidays(country: str) -> bool:
    return country in public_holidays.list_supported_countries()


@cache
def _holiday_languages(country: str) -> tuple[str, ...]:
    return tuple(public_holidays.country_holidays(country).supported_languages)


@cache
def _seasons() -> list[dict[str, Any]]:
    text = files("crm.campaigns").joinpath("quiet_seasons.toml").read_text("utf-8")
    return list(tomllib.loads(text)["season"])


def quiet_season(country: str, day: date, language: str = "en") -> DayOff | None:
    """Return the quiet season of ``country`` that ``day`` falls into, or None."""
    today = f"{day:%m-%d}"
    for season in _seasons():
        first, last = season["from"], season["to"]
        inside = first <= today <= last if first <= last else today >= first or today <= last
        if inside and country in season["countries"]:
            return DayOff("quiet_season", season["name_ko" if language == "ko" else "name"])
    return None


def show_close(last_day: date) -> datetime:
    """Return the moment a Korean exhibition closes: 18:00 in Seoul on its last day."""
    return datetime.combine(last_day, SHOW_CLOSES_AT, SEOUL).astimezone(UTC)


def add_business_days(day: date, count: int, calendar: Calendar) -> date:
    """Return the ``count``-th business day after ``day``; with 0 the day itself."""
    while count > 0:
        day += timedelta(days=1)
        count -= calendar.is_business_day(day)
    return day


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


def next_slot(moment: datetime, window: Window, zone: ZoneInfo, calendar: Calendar) -> datetime | None:
    """Return the first instant (UTC) not before ``moment`` at which a letter may go out, or None if there is none.

    Inside the window's days and hours, and on a day of the buyer's calendar that takes letters. Hours are those of the
    wall clock: windows lie between 06:00 and 22:00, where no country changes its clocks. None after 200 days in vain.
    """
    clock = SEOUL if window.korean_clock else zone
    first_day = moment.astimezone(clock).date()
    for ahead in range(SEARCH_DAYS):
        day = first_day + timedelta(days=ahead)
        if day.weekday() not in window.days:
            continue
        opens = max(moment, _instant(day, window.opens, clock))
        found = _first_working(opens, _instant(day, window.closes, clock), zone, calendar)
        if found is not None:
            return found
    return None


def _first_working(start: datetime, end: datetime, zone: ZoneInfo, calendar: Calendar) -> datetime | None:
    """Return the first instant of [start, end) on a day of letters; a Korean morning may span two days elsewhere."""
    while start < end:
        day = start.astimezone(zone).date()
        if calendar.takes_letters(day):
            return start.astimezone(UTC)
        start = _instant(day + timedelta(days=1), time(0), zone)
    return None


def due_at(
    anchor: datetime,
    delay: Delay,
    window: Window,
    zone: ZoneInfo,
    calendar: Calendar,
    not_before: datetime | None = None,
) -> datetime | None:
    """Return when a step is due: the delay after its anchor, not before ``not_before``, moved into the window."""
    moment = earliest(anchor, delay, zone, calendar)
    return next_slot(max(moment, not_before or moment), window, zone, calendar)


def days_off_between(
    start: datetime, end: datetime, zone: ZoneInfo, calendar: Calendar, language: str = "en"
) -> list[tuple[date, DayOff]]:
    """Return the buyer's holidays and quiet days from ``start`` up to ``end``: what moved a letter, weekends aside."""
    day, last, found = start.astimezone(zone).date(), end.astimezone(zone).date(), []
    while day < last:
        reason = calendar.day_off(day, language)
        if reason is not None and reason.kind != "weekend":
            found.append((day, reason))
        day += timedelta(days=1)
    return found


def _instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall-clock time; one that a clock change leaves out is the moment of the change."""
    return datetime.combine(day, wall, zone).astimezone(UTC)
