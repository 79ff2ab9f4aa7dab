"""Reads dates and times in the forms lists use. The order of day and month is decided for a whole column."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.imports.records import Cell, EventDates
from crm.imports.text import cell_text, unwrapped
from crm.imports.words import words

_SHOW_ZONE = ZoneInfo("Asia/Seoul")
_MONTH_OF = {name: number for number, names in enumerate(words("months"), 1) for name in names}
_PAIRS_KEPT = 2000
_NEAR_YEARS = 2
_PLAIN = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?", re.ASCII)
_YMD = re.compile(r"(\d{4})\s*[-./년年]\s*(\d{1,2})\s*[-./월月]\s*(\d{1,2})\s*[일日]?")
_COMPACT = re.compile(r"(20\d\d)(\d\d)(\d\d)")
_SHORT = re.compile(r"'?(\d{1,2})\s*([-./])\s*(\d{1,2})\s*\2\s*(\d{2})(?!\d)")
_NUMERIC = re.compile(r"(\d{1,2})\s*([-./])\s*(\d{1,2})\s*\2\s*(\d{4})")
_ERA = re.compile(r"(?:令和|R)\s*(\d{1,2}|元)\s*[年.\-/]\s*(\d{1,2})\s*[月.\-/]\s*(\d{1,2})\s*日?", re.IGNORECASE)
_NO_YEAR = re.compile(r"(\d{1,2})\s*[월月]\s*(\d{1,2})\s*[일日]")
_DAY_MONTH = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[\s.-]+(?:de\s+)?([^\W\d_]{3,})\.?(?:[\s,.-]+(?:de(?:l)?\s+)?(\d{4}))?"
)
_MONTH_DAY = re.compile(r"([^\W\d_]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?:[\s,]+(\d{4}))?")
_TIME = re.compile(
    r"(\d{1,2})\s*(?::|시|時|时|点|點)\s*(?:(\d{1,2})(?:\s*[분分])?)?(?::\d{1,2}(?:\.\d+)?)?\s*([ap]\.?m\.?)?",
    re.IGNORECASE,
)
_MORNING = ("오전", "上午", "午前")
_AFTERNOON = ("오후", "下午", "午後")


@dataclass(frozen=True)
class Reading:
    """A date as ``YYYY-MM-DD`` or ``YYYY-MM-DDTHH:MM``; ``code`` says what was assumed or why it is empty."""

    text: str
    code: str = ""


@dataclass
class DateColumn:
    """One column of dates. Show it all its cells before reading one; ``guessed`` tells that none settled the order."""

    cells: InitVar[Iterable[Cell]] = ()
    event: EventDates | None = None
    date_1904: bool = False
    day_first: bool = field(default=False, init=False)
    guessed: bool = field(default=False, init=False)
    _pairs: Counter[tuple[int, int, int]] = field(default_factory=Counter, init=False)
    _shorts: Counter[tuple[int, int, int]] = field(default_factory=Counter, init=False)

    def __post_init__(self, cells: Iterable[Cell]) -> None:
        for cell in cells:
            self.see(cell)
        self.settle()

    def see(self, cell: Cell) -> bool:
        """Take note of a cell whose order of day and month is open; True: there may be more to learn."""
        if not isinstance(cell, str) or cell[:4].isdigit() or not cell:
            return True
        text = unicodedata.normalize("NFKC", unwrapped(cell)).strip()
        found, seen, century = _NUMERIC.match(text), self._pairs, 0
        if not found:
            found, seen, century = _SHORT.match(text), self._shorts, 2000
        if found and len(seen) < _PAIRS_KEPT:
            seen[(int(found[1]), int(found[3]), century + int(found[4]))] += 1
        return True

    def settle(self) -> None:
        """Decide the order of day and month from what was seen."""
        pairs = self._pairs if self._year_first else self._pairs + self._shorts
        if pairs:
            self.day_first, self.guessed = _order(pairs, self.event)

    @property
    def _year_first(self) -> bool:
        """``26.04.14`` begins with the year when all of the column are near the show's, as Korean lists write it."""
        if self.event is None:
            return True
        near = self.event.first_day.year % 100
        return all(abs(first - near) <= _NEAR_YEARS for first, _second, _third in self._shorts)

    def read(self, cell: Cell) -> Reading:
        """Return the date of one cell, empty with ``date_unreadable`` when it is none."""
        if isinstance(cell, str) and (plain := plain_date(cell)):
            return Reading(plain)
        if isinstance(cell, datetime):
            return Reading(_shown(cell.date(), cell.time() if cell.time() != time(0) else None))
        if isinstance(cell, date):
            return Reading(cell.isoformat())
        text = unicodedata.normalize("NFKC", unwrapped(cell_text(cell))).strip()
        serial = _serial(text, self.date_1904)
        return serial or self._written(text)

    def _written(self, text: str) -> Reading:
        zoned = _zoned(text)
        if zoned:
            return zoned
        text = re.sub(r"[(（\[][^\d)）\]]{1,9}[)）\]]", " ", text)
        day, assumed, rest = self._day(text)
        if day is None:
            return Reading("", "date_unreadable")
        return Reading(_shown(day, _time_of(rest)), "date_year_assumed" if assumed else "")

    def _day(self, text: str) -> tuple[date | None, bool, str]:
        """Return the day, whether its year was assumed, and the rest of the text."""
        forms: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[int, int, int]]], ...] = (
            (_ERA, lambda m: (2018 + (1 if m[1] == "元" else int(m[1])), int(m[2]), int(m[3]))),
            (_YMD, lambda m: (int(m[1]), int(m[2]), int(m[3]))),
            (_NUMERIC, lambda m: self._ordered(int(m[1]), int(m[3]), int(m[4]))),
            (_SHORT, lambda m: self._short(int(m[1]), int(m[3]), int(m[4]))),
            (_COMPACT, lambda m: (int(m[1]), int(m[2]), int(m[3]))),
        )
        for pattern, parts in forms:
            found = pattern.match(text)
            if found:
                return _date(*parts(found)), False, text[found.end() :]
        return self._named(text)

    def _named(self, text: str) -> tuple[date | None, bool, str]:
        found = _NO_YEAR.match(text)
        if found:
            return self._yearless(int(found[1]), int(found[2])), True, text[found.end() :]
        for pattern, month, day in ((_DAY_MONTH, 2, 1), (_MONTH_DAY, 1, 2)):
            found = pattern.match(text)
            number = _MONTH_OF.get(found[month].casefold()) if found else None
            if found and number:
                rest = text[found.end() :]
                if found[3]:
                    return _date(int(found[3]), number, int(found[day])), False, rest
                return self._yearless(number, int(found[day])), True, rest
        return None, False, text

    def _yearless(self, month: int, day: int) -> date | None:
        if self.event is None:
            return None
        # A show over New Year: take the year in which the day is nearest to the show.
        years = {self.event.first_day.year, self.event.last_day.year}
        days = [found for year in sorted(years) if (found := _date(year, month, day))]
        return min(days, key=lambda d: abs(d - self._first()), default=None)

    def _first(self) -> date:
        return self.event.first_day if self.event else date.min

    def _ordered(self, first: int, second: int, year: int) -> tuple[int, int, int]:
        if first > 12 or second > 12:
            return (year, second, first) if first > 12 else (year, first, second)
        return (year, second, first) if self.day_first else (year, first, second)

    def _short(self, first: int, second: int, third: int) -> tuple[int, int, int]:
        """``26.04.14`` begins with the year when that is near the show's, as Korean lists write it."""
        if self._year_first or first > 31:
            return 2000 + first, second, third
        return self._ordered(first, second, 2000 + third)


def plain_date(text: str) -> str:
    """Return a date written as most systems do, ``2026-04-14 09:30``, in our form; an empty text for all others."""
    if not _PLAIN.fullmatch(text):
        return ""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return ""
    return text if len(text) == 10 else f"{text[:10]}T{text[11:16]}"


def _order(pairs: Counter[tuple[int, int, int]], event: EventDates | None) -> tuple[bool, bool]:
    """Return (day first, guessed): a value over 12 settles it; else days within the show; else the smaller spread."""
    days = sum(count for (a, _b, _y), count in pairs.items() if a > 12)
    months = sum(count for (_a, b, _y), count in pairs.items() if b > 12)
    if bool(days) != bool(months):
        return bool(days), False
    day_first = [found for a, b, y in pairs.elements() if (found := _date(y, b, a))]
    month_first = [found for a, b, y in pairs.elements() if (found := _date(y, a, b))]
    if set(day_first) == set(month_first):
        return days > months, False
    if event:
        inside = [sum(event.first_day <= d <= event.last_day for d in read) for read in (day_first, month_first)]
        if inside[0] != inside[1]:
            return inside[0] > inside[1], True
    return _spread(day_first) < _spread(month_first), True


def _spread(days: list[date]) -> timedelta:
    return max(days) - min(days) if days else timedelta.max


def _serial(text: str, date_1904: bool) -> Reading | None:
    """Excel's day number, time as fraction; day 0 is 1899-12-30, or 1904-01-01 when the workbook says so."""
    if not re.fullmatch(r"\d{5}(?:\.\d+)?", text):
        return None
    start = datetime(1904, 1, 1) if date_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 - a wall clock
    at = start + timedelta(minutes=round(float(text) * 1440))
    return Reading(_shown(at.date(), at.time() if "." in text and at.time() != time(0) else None))


def _zoned(text: str) -> Reading | None:
    if not re.search(r"T\d\d:\d\d.*(?:Z|[+-]\d\d:?\d\d)$", text):
        return None
    try:
        at = datetime.fromisoformat(text).astimezone(_SHOW_ZONE)
    except ValueError:
        return None
    return Reading(_shown(at.date(), at.time()))


def _time_of(text: str) -> time | None:
    found = _TIME.search(text)
    if not found:
        return None
    hour, minute, mark = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    afternoon = mark.startswith("p") or any(word in text for word in _AFTERNOON)
    morning = mark.startswith("a") or any(word in text for word in _MORNING)
    if afternoon and hour < 12:
        hour += 12
    if morning and hour == 12:
        hour = 0
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _shown(day: date, at: time | None) -> str:
    return f"{day.isoformat()}T{at:%H:%M}" if at else day.isoformat()


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
