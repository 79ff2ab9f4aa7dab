"""What somebody who wrote a word wrongly probably meant. Pure; everything returned can be put in as it stands."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches

from crm.imports.countries import country_of

SAID_OTHERWISE: Mapping[str, str] = {
    "월": "mon",
    "화": "tue",
    "수": "wed",
    "목": "thu",
    "금": "fri",
    "토": "sat",
    "일": "sun",
    "전화": "call",
    "답장": "answer",
    "샘플": "sample",
    "견적": "quotation",
    "확인": "check",
    "answered": "replied",
    "reply": "replied",
    "replied": "reply",
    "bounced": "hard_bounced",
    "unsubscribed": "opted_out",
    "opt_out": "opted_out",
    "else": "otherwise",
    "default": "otherwise",
    "letter": "mail",
    "email": "mail",
    "condition": "when",
    "if": "when",
    "name": "id",
    "step": "id",
    "exit": "exit_when",
    "timeout": "at_most",
    "kr": "ko",
    "jp": "ja",
    "cn": "zh-Hans",
    "zh": "zh-Hans",
    "tw": "zh-Hant",
}
"""Words for the same thing that people bring from elsewhere. Each counts only where its answer may stand."""

_UNITS: Mapping[str, tuple[str, ...]] = {
    "hours": ("h", "hr", "hrs", "시간"),
    "days": ("d", "일", "calendar days"),
    "weeks": ("w", "wk", "주", "주일", "주간"),
    "business days": ("bd", "영업일", "근무일", "working days", "workdays", "work days", "weekdays", "businessdays"),
}
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}
_TIME = re.compile(r"(\d{1,2})(?:[:.시h]\s?(\d{2})?)?분?\s*(am|pm)?", re.IGNORECASE)


def near(name: str, known: Iterable[str]) -> str:
    """Return the known name that ``name`` is probably meant to be, or an empty text."""
    names = list(known)
    plain = name.strip().casefold().replace("-", "_")
    if name.strip().startswith("`") or not plain:
        return ""
    by_plain = {one.casefold().replace("-", "_"): one for one in names}
    if plain in by_plain and by_plain[plain] != name:
        return by_plain[plain]
    other = SAID_OTHERWISE.get(name.strip().removesuffix("요일"), "") or SAID_OTHERWISE.get(plain, "")
    if other in names:
        return other
    close = get_close_matches(plain, list(by_plain), n=1, cutoff=0.65)
    if close:
        return by_plain[close[0]]
    starts = [one for one in names if len(plain) >= 3 and len(one) >= 3 and _starts(plain, one.casefold())]
    return starts[0] if len(starts) == 1 else ""


def _starts(left: str, right: str) -> bool:
    return left.startswith(right) or right.startswith(left)


def delay(text: str) -> str:
    """Return a length of time that ``text`` probably means, e.g. ``5 business days`` for ``5 busines days``."""
    plain = re.sub(r"^\s*(영업일|근무일)\s*(\d+)\s*일?", r"\2 \1", text.casefold())  # as Korean counts them
    plain = re.sub(r"\s*(뒤|후|이후|later|after)\s*$", "", plain)
    found = re.fullmatch(r"\s*(\d{1,4}|[a-z]+)\s*(\D+?)\s*", plain)
    if found is None:
        return ""
    count = int(found[1]) if found[1].isdecimal() else _NUMBERS.get(found[1])
    unit = _unit(found[2].strip(" ."))
    if count is None or not unit:
        return ""
    return f"{count} {unit[:-1] if count == 1 else unit}"


def _unit(word: str) -> str:
    spellings = {one: unit for unit, others in _UNITS.items() for one in (unit, unit[:-1], *others)}
    close = [word] if word in spellings else get_close_matches(word, list(spellings), n=1, cutoff=0.75)
    return spellings[close[0]] if close else ""


def hours(text: str) -> str:
    """Return the hours that ``text`` probably means, e.g. ``09:30-11:30`` for ``9.30 to 11.30``."""
    found = [_clock(item) for item in _TIME.finditer(text)]
    if len(found) != 2 or None in found:
        return ""
    return f"{found[0]}-{found[1]}" if str(found[0]) < str(found[1]) else ""


def _clock(found: re.Match[str]) -> str | None:
    hour, minute = int(found[1]), int(found[2] or 0)
    hour += 12 if (found[3] or "").casefold() == "pm" and hour < 12 else 0
    return f"{hour:02d}:{minute:02d}" if hour < 24 and minute < 60 else None


def day(text: str) -> str:
    """Return the date that ``text`` probably means, e.g. ``2026-12-10`` for ``2026.12.10`` or ``10.12.2026``."""
    found = re.fullmatch(r"\s*(\d{4})\D{1,2}(\d{1,2})\D{1,2}(\d{1,2})\D?\s*", text)
    year, month, number = found.groups() if found else ("", "", "")
    if turned := re.fullmatch(r"\s*(\d{1,2})\D{1,2}(\d{1,2})\D{1,2}(\d{4})\s*", text):
        number, month, year = turned.groups()
    try:
        return date(int(year), int(month), int(number)).isoformat()
    except ValueError:
        return ""


def moment(text: str) -> str:
    """Return the day and time that ``text`` probably means."""
    found = re.fullmatch(r"(.*?)[ T,]+(\d{1,2}[:.시].*)", text)
    told = [_clock(item) for item in _TIME.finditer(found[2])] if found else []
    known = day(found[1] if found else text)
    if not known or (found and (len(told) != 1 or not told[0])):
        return ""
    return f"{known} {told[0]}" if found else known


def country(text: str) -> str:
    """Return the country code that a name in any of our languages stands for, or an empty text."""
    return country_of(text)
