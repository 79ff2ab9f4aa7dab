"""How times, days, countries and languages are written on a page, in the viewer's language.

Explicit patterns, because CLDR writes Korean medium times in a mixed form; names come from CLDR, some shortened.
"""

from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date

from crm.core.clock import KST
from crm.core.i18n import _, language

WEEKDAYS = {"ko": "월화수목금토일", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SHORT_COUNTRIES = {
    "ko": {"HK": "홍콩", "MO": "마카오", "KR": "한국", "AE": "UAE"},
    "en": {"HK": "Hong Kong", "MO": "Macao", "AE": "UAE"},
}
# CLDR says 중국어(만다린, 간체); nobody at a booth does.
SHORT_LANGUAGES = {"ko": {"zh-Hans": "중국어(간체)", "zh-Hant": "중국어(번체)", "zh": "중국어"}}


def day(value: date | datetime, *, now: datetime | None = None) -> str:
    """Return ``11월 24일(화)`` or ``Tue 24 Nov``, with the year when it is not that of ``now``."""
    shown = value.astimezone(KST).date() if isinstance(value, datetime) else value
    with_year = now is not None and now.astimezone(KST).year != shown.year
    weekday = WEEKDAYS[language()][shown.weekday()]
    if language() == "ko":
        return f"{f'{shown.year}년 ' if with_year else ''}{shown.month}월 {shown.day}일({weekday})"
    return f"{weekday} {shown.day} {MONTHS[shown.month - 1]}{f' {shown.year}' if with_year else ''}"


def long_day(value: date) -> str:
    """Return a day with its year, as contracts need it: ``2028년 11월 30일`` or ``November 30, 2028``."""
    return format_date(value, "long", locale=language())


def moment(value: datetime, zone: str | tzinfo | None = None, *, now: datetime | None = None) -> str:
    """Return ``11월 24일(화) 23:00 (현지 09:00)``: Korean time, then that of ``zone`` where it differs."""
    korean = value.astimezone(KST)
    text = f"{day(value, now=now)} {korean:%H:%M}"
    local = value.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone) if zone else korean
    if local.utcoffset() == korean.utcoffset():
        return text
    shown = f"{local:%H:%M}" if local.date() == korean.date() else f"{day(local.date())} {local:%H:%M}"
    return _("{korean} (local {time})", korean=text, time=shown)


def clock_time(value: datetime) -> str:
    """Return the Korean wall-clock time, ``23:00``."""
    return f"{value.astimezone(KST):%H:%M}"


def days_between(earlier: datetime, later: datetime) -> int:
    """Return how many Korean calendar days lie between two moments."""
    gap: timedelta = later.astimezone(KST).date() - earlier.astimezone(KST).date()
    return gap.days


@cache
def _locale(code: str) -> Locale:
    return Locale.parse(code)


def country(code: str | None) -> str:
    """Return a country's name for an ISO 3166-1 code; an empty text for none."""
    if not code:
        return ""
    return SHORT_COUNTRIES[language()].get(code) or _locale(language()).territories.get(code, code)


def tongue(code: str) -> str:
    """Return a language's name for a BCP 47 tag such as ``zh-Hant``; of a variant (``es-ES``) with its country."""
    base, _dash, land = code.rpartition("-")
    if base and len(land) == 2 and land.isupper():
        return f"{tongue(base)} · {country(land)}"
    short = SHORT_LANGUAGES.get(language(), {}).get(code)
    return short or _locale(language()).languages.get(code.replace("-", "_"), code)
