"""When somebody who is away will be back, as far as the automatic answer says so.

Pure functions: text and the day it was sent in, a day out. Where a date can be read two ways (7/12 in English) or no
word says what it means, the answer is None, and the caller waits a fixed time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

LONGEST = timedelta(days=370)
_EN = "jan feb mar apr may jun jul aug sep oct nov dec"
_ES = "ene feb mar abr may jun jul ago sep oct nov dic"
_MONTHS = {name: number for names in (_EN, _ES) for number, name in enumerate(names.split(), 1)} | {"set": 9}
_MONTH = r"(?P<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|ene|abr|ago|set|dic)[a-z]*\.?"
_YEAR = r"(?P<year>20\d\d)"
# One day, or two days of one month. 'first' is the day a range begins with.
_DAY = r"(?P<day>\d{1,2})(?!\d|\s*[월月/.-]\s*\d)\s*(?:일|日|号|號)?"
_WEEKDAY = r"(?:\([^)]*\)|（[^）]*）)?"
_FIRST = rf"(?:(?P<first>\d{{1,2}})\s*(?:일|日|号|號)?\s*{_WEEKDAY}\s*(?:부터|から|至|到|~|～|-|–)\s*)?"
_TH = r"(?:st|nd|rd|th)?"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_YEAR}\s*[-./年년]\s*(?P<month>\d{{1,2}})\s*[-./月월]\s*{_FIRST}{_DAY}",
        rf"(?<!\d)(?P<month>\d{{1,2}})\s*[月월]\s*{_FIRST}{_DAY}",
        rf"\b{_MONTH}\s+(?:(?P<first>\d{{1,2}}){_TH}\s*(?:to|until|through|-|–)\s*)?(?P<day>\d{{1,2}}){_TH}\b"
        rf"(?:,?\s+{_YEAR})?",
        rf"\b(?:(?P<first>\d{{1,2}}){_TH}\s*(?:to|until|through|al?|hasta el|-|–)\s*)?(?P<day>\d{{1,2}}){_TH}"
        rf"\s+(?:of\s+|de\s+)?{_MONTH}(?:,?\s*(?:de(?:l)?\s+)?{_YEAR})?",
        rf"(?<!\d)(?P<left>\d{{1,2}})[/.](?P<right>\d{{1,2}})(?:[/.]{_YEAR})?(?!\d)",
    )
)
# English and Spanish put the verb before the date, Korean, Chinese and Japanese behind it.
_BACK_AHEAD = re.compile(
    r"back\b|return|resum|again from|available (again )?(on|from)|regres|volver[eé]|vuelv|reincorpor|retorn"
    r"|복귀일|복귀 예정|出社日|復帰日|返回日期|返岗",
    re.IGNORECASE,
)
_BACK_BEHIND = re.compile(r"복귀|출근|돌아오|돌아옵|出社|復帰|戻り|戻る|回来|回來|返回|返岗|恢复|恢復")
_UNTIL = re.compile(
    r"\b(until|till|through|thru|to|and|hasta|al|y)\b|까지|まで|至|到|止|为止|為止|~|～|–|-",
    re.IGNORECASE,
)
_SPANISH = re.compile(r"\b(oficina|regres|hasta|del|vacaciones|vuelv|volver)", re.IGNORECASE)


@dataclass(frozen=True)
class _Found:
    day: date
    start: int
    end: int
    ranged: bool


def returns_on(text: str, sent: date) -> date | None:
    """Return the first day back, or None if the text states none that can be trusted."""
    found = sorted(_dates(text[:4000], sent), key=lambda item: item.start)
    for item in found:
        if _cue(text, item, found) == "back":
            return _sane(item.day, sent)
    for before, item in pairwise(found):
        between = text[before.end : item.start]
        if len(between) < 30 and _UNTIL.search(between):
            return _sane(item.day + timedelta(days=1), sent)
    for item in found:
        if item.ranged or _cue(text, item, found) == "until":
            return _sane(item.day + timedelta(days=1), sent)
    return None


def _sane(day: date, sent: date) -> date | None:
    return day if sent < day <= sent + LONGEST else None


def _cue(text: str, item: _Found, found: list[_Found]) -> str:
    """Say what the words around a date make of it. A word belongs to the nearest date, within its sentence."""
    low = max((other.end for other in found if other.end <= item.start), default=0)
    high = min((other.start for other in found if other.start >= item.end), default=len(text))
    ahead = re.split(r"[.。!?\n]\s*(?=\D)", text[low : item.start])[-1][-60:]
    behind = re.split(r"[.。!?\n]", text[item.end : high][:40])[0]
    if re.match(r"[^.]{0,12}?(까지|まで|为止|為止)", behind):
        return "until"
    if _BACK_AHEAD.search(ahead) or _BACK_BEHIND.search(behind):
        return "back"
    return "until" if _UNTIL.search(ahead[-25:]) else ""


def _dates(text: str, sent: date) -> Iterator[_Found]:
    taken: list[range] = []
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            span = range(match.start(), match.end())
            if any(span.start < other.stop and other.start < span.stop for other in taken):
                continue
            day = _day(match, sent, spanish=bool(_SPANISH.search(text)))
            if day is not None:
                taken.append(span)
                yield _Found(day, span.start, span.stop, bool(match.groupdict().get("first")))


def _day(match: re.Match[str], sent: date, *, spanish: bool) -> date | None:
    parts = match.groupdict()
    if parts.get("left"):
        left, right = int(parts["left"]), int(parts["right"])
        if left <= 12 and right <= 12 and left != right and not spanish:
            return None
        day, month = (left, right) if spanish or left > 12 else (right, left)
    else:
        day = int(parts["day"])
        month = int(parts["month"]) if parts.get("month") else _MONTHS[parts["name"].lower()]
    year = parts.get("year")
    return _date(int(year), month, day) if year else _next(month, day, sent)


def _next(month: int, day: int, sent: date) -> date | None:
    """A day without a year is the next one, or one of the last few weeks (the first day of an absence)."""
    this_year = _date(sent.year, month, day)
    if this_year and this_year >= sent - timedelta(days=60):
        return this_year
    return _date(sent.year + 1, month, day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
