"""Which days people work, and which of them take letters: public holidays, quiet seasons, days of our own. Pure.

Public holidays and make-up working days come from the ``holidays`` package, which follows each country's laws; quiet
seasons and Ramadan from ``quiet_seasons.toml``; Korean names from ``holiday_names.toml``; the rest is what the centre
writes into its configuration.
"""

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from itertools import takewhile
from typing import Any

import holidays as public_holidays

SATURDAY_SUNDAY = frozenset({5, 6})
LONG_HOLIDAY = 3
"""So many days off in a row, weekends included, make a long holiday."""

OPEN, QUIET, HOLIDAY, WEEKEND = range(4)
"""What a day is: it takes letters; only work goes on; people rest because of the day; they rest as every week."""


@dataclass(frozen=True)
class OwnDays:
    """What the centre knows better of a country: days off it adds, and days on which people work all the same."""

    off: frozenset[date] = frozenset()
    working: frozenset[date] = frozenset()


NO_OWN_DAYS = OwnDays()
OwnHolidays = Mapping[str, OwnDays]
"""The centre's own days by country code."""


@dataclass(frozen=True)
class DayOff:
    """Why nothing goes out on a day.

    ``kind`` is ``weekend``, ``holiday``, ``quiet_season`` or ``own``; where a window asks for more, also ``closed`` (no
    day of the window), ``day_before_holiday``, ``ramadan`` and ``sender_holiday``.
    """

    kind: str
    name: str = ""


@dataclass(frozen=True)
class Calendar:
    """The days of one country (ISO 3166-1 alpha-2, or empty when it is not known: Saturday and Sunday off)."""

    country: str = ""
    own: OwnDays = field(default=NO_OWN_DAYS)

    def is_business_day(self, day: date) -> bool:
        """Tell whether people work there on ``day``; on a make-up working day they do, whatever weekday it is."""
        return self.mark(day) <= QUIET

    def takes_letters(self, day: date) -> bool:
        """Tell whether a letter may arrive on ``day``: a business day outside a quiet season."""
        return self.mark(day) == OPEN

    def mark(self, day: date) -> int:
        """Return what ``day`` is: OPEN, QUIET, HOLIDAY or WEEKEND."""
        return _marks(self, day.year)[day.timetuple().tm_yday - 1]

    def day_off(self, day: date, language: str = "en") -> DayOff | None:
        """Return why ``day`` is no day for letters, or None. ``language`` is that of the name, ``ko`` or ``en``."""
        if day in self.own.working:
            return None
        if day.weekday() in weekend(self.country) and day not in make_up_days(self.country, day.year):
            return DayOff("weekend")
        if day in self.own.off:
            return DayOff("own")
        name = holidays_of(self.country, day.year, language).get(day)
        if name is not None:
            return DayOff("holiday", name)
        return quiet_season(self.country, day, language)

    def before_holiday(self, day: date) -> date | None:
        """Return the first day of the long holiday that ``day`` is the last working day before, or None.

        A long holiday is a run of three days off or more, weekends included, of which at least one is no weekend.
        """
        if not self.is_business_day(day):
            return None
        following = (day + timedelta(days=number) for number in range(1, 100))
        days_off = list(takewhile(lambda each: not self.is_business_day(each), following))
        holidays = [each for each in days_off if self.mark(each) == HOLIDAY]
        return holidays[0] if holidays and len(days_off) >= LONG_HOLIDAY else None


_KINDS = {"weekend": WEEKEND, "holiday": HOLIDAY, "own": HOLIDAY, "quiet_season": QUIET}


@lru_cache(maxsize=4096)
def _marks(calendar: Calendar, year: int) -> bytes:
    """Return what each day of a year is; asked a few times for every letter, so it is worked out once."""
    reasons = (calendar.day_off(day) for day in _days_of(year))
    return bytes(OPEN if reason is None else _KINDS[reason.kind] for reason in reasons)


def _days_of(year: int) -> Iterator[date]:
    first, next_first = date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()
    return map(date.fromordinal, range(first, next_first))


@lru_cache(maxsize=4096)
def _business_days(calendar: Calendar, year: int) -> tuple[int, ...]:
    marks, first = _marks(calendar, year), date(year, 1, 1).toordinal()
    return tuple(first + number for number, mark in enumerate(marks) if mark <= QUIET)


def add_business_days(day: date, count: int, calendar: Calendar) -> date:
    """Return the ``count``-th business day after ``day``, or before it when negative; with 0 the day itself."""
    if count == 0:
        return day
    year, at = day.year, day.toordinal()
    days = _business_days(calendar, year)
    index = bisect_right(days, at) + count - 1 if count > 0 else bisect_left(days, at) + count
    while index >= len(days):
        index -= len(days)
        year += 1
        days = _business_days(calendar, year)
    while index < 0:
        year -= 1
        days = _business_days(calendar, year)
        index += len(days)
    return date.fromordinal(days[index])


# ---------------------------------------------------------------- public holidays


@cache
def weekend(country: str) -> frozenset[int]:
    """Return the weekdays (Monday is 0) that are the weekend, e.g. Friday and Saturday in Saudi Arabia."""
    if not _has_holidays(country):
        return SATURDAY_SUNDAY
    by_law = frozenset(public_holidays.country_holidays(country).weekend)
    # Saturday is a working day by law in a few countries, and still no day for business letters.
    return by_law | {5} if 6 in by_law else by_law


@lru_cache(maxsize=4096)
def make_up_days(country: str, year: int) -> frozenset[date]:
    """Return the weekend days on which people work by decree, for a bridge day off; known for the years announced."""
    # A Saturday of December may be worked for a day off in January.
    listed = (_listed(country, each) for each in (year, year + 1))
    return frozenset(day for _names, days in listed for day in days if day.year == year)


@lru_cache(maxsize=8192)
def holidays_of(country: str, year: int, language: str = "en") -> Mapping[date, str]:
    """Return the public holidays of a country in a year with their names in Korean (``ko``) or English."""
    if language == "ko" and country == "KR":
        return dict(public_holidays.country_holidays(country, years=year, expand=False, language="ko"))
    say = _in_korean if language == "ko" else _in_english
    return {day: say(name) for day, name in _listed(country, year)[0].items()}


@lru_cache(maxsize=4096)
def _listed(country: str, year: int) -> tuple[Mapping[date, str], frozenset[date]]:
    """Return holidays and make-up days as the package knows them.

    One fresh object a year, since the package's own objects fill themselves while they are read, which two threads
    must not do at once.
    """
    if not _has_holidays(country):
        return {}, frozenset()
    english = "en_US" if "en_US" in _languages(country) else None
    found = public_holidays.country_holidays(country, years=year, expand=False, language=english)
    return dict(found), frozenset(found.weekend_workdays)


@cache
def _has_holidays(country: str) -> bool:
    return country in public_holidays.list_supported_countries()


@cache
def _languages(country: str) -> tuple[str, ...]:
    return tuple(public_holidays.country_holidays(country).supported_languages)


_SUFFIX = re.compile(r" \(((?:observed|in lieu|estimated)(?:, estimated)?)\)$")
_IN_LIEU = re.compile(r"Day off \(substituted from (\d\d)/(\d\d)/(\d{4})\)")


def _in_english(name: str) -> str:
    return _IN_LIEU.sub(r"day off for working on \3-\1-\2", name)


@lru_cache(maxsize=8192)
def _in_korean(name: str) -> str:
    """Translate a name of the package, which may be several: those that the table does not know stay English."""
    return "·".join(dict.fromkeys(_one_in_korean(part) for part in name.split("; ")))


def _one_in_korean(name: str) -> str:
    in_lieu = _IN_LIEU.fullmatch(name)
    words = _words()
    if in_lieu is not None:
        return f"{words['in_lieu']}({in_lieu[3]}-{in_lieu[1]}-{in_lieu[2]})"
    suffix = _SUFFIX.search(name)
    base = name[: suffix.start()] if suffix else name
    known = _table("holiday_names.toml")["names"].get(base, base)
    return f"{known} {words['observed']}" if suffix and not suffix[1].startswith("estimated") else str(known)


def _words() -> Mapping[str, str]:
    words: Mapping[str, str] = _table("holiday_names.toml")["words"]
    return words


# ---------------------------------------------------------------- quiet seasons


@cache
def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(files("crm.campaigns").joinpath(name).read_text("utf-8"))


@dataclass(frozen=True)
class _Season:
    first: date
    last: date
    name: str
    name_ko: str


@lru_cache(maxsize=4096)
def _seasons(country: str, year: int) -> tuple[_Season, ...]:
    """Return the quiet seasons of a country that begin in a year."""
    rows = [row for row in _table("quiet_seasons.toml")["season"] if country in row["countries"]]
    return tuple(_Season(first, last, row["name"], row["name_ko"]) for row in rows for first, last in _when(row, year))


def _when(row: Mapping[str, Any], year: int) -> Iterator[tuple[date, date]]:
    """Yield first and last day: fixed days of the year, or so many days from a feast that moves."""
    if "feast" in row:
        for feast in feasts(row["feast"]):
            if feast.year == year:
                yield feast + timedelta(days=row["from"]), feast + timedelta(days=row["to"])
        return
    first, last = (date.fromisoformat(f"{year}-{row[key]}") for key in ("from", "to"))
    yield first, last if first <= last else last.replace(year=year + 1)


@cache
def feasts(name: str) -> tuple[date, ...]:
    """Return the days of a feast that moves, year by year, as ``quiet_seasons.toml`` lists them."""
    return tuple(_table("quiet_seasons.toml")["feasts"][name])


def quiet_season(country: str, day: date, language: str = "en") -> DayOff | None:
    """Return the quiet season of ``country`` that ``day`` falls into, or None."""
    for year in (day.year - 1, day.year, day.year + 1):
        for season in _seasons(country, year):
            if season.first <= day <= season.last:
                return DayOff("quiet_season", season.name_ko if language == "ko" else season.name)
    return None


def ramadan_until(country: str) -> time | None:
    """Return until when letters are read in Ramadan, or None where it does not change the working day."""
    ramadan = _table("quiet_seasons.toml")["ramadan"]
    return time.fromisoformat(ramadan["until"]) if country in ramadan["countries"] else None


@cache
def ramadan_days() -> frozenset[int]:
    """Return the ordinals of all days of Ramadan; its end counts as well, since the moon decides country by country."""
    spans = zip(feasts("ramadan"), feasts("eid_al_fitr"), strict=True)
    return frozenset(day for first, last in spans for day in range(first.toordinal(), last.toordinal() + 1))


def say(word: str, language: str) -> str:
    """Return a word of ``holiday_names.toml``, such as that for Ramadan, in ``ko`` or ``en``."""
    return _words()[word] if language == "ko" else str(_table("holiday_names.toml")["english"][word])
