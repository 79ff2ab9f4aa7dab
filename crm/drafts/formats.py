"""Dates, money and quantities as a trade letter writes them. Pure, and remembered, since letters repeat them.

Dates are long with Western years, never ``04/05/2026``; money is the ISO 4217 code, a space and the figure, never a
bare ``$`` or ``¥``. Patterns are ours where CLDR's own do not fit a letter.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import format_date, get_timezone_location
from babel.lists import format_list
from babel.numbers import format_decimal, get_currency_precision

from crm.drafts.language import AMERICAN_ENGLISH, locale_for

_DEADLINE = {
    "ko": "y년 M월 d일(EEE)",
    "zh-Hans": "y年M月d日（EEE）",
    "zh-Hant": "y年M月d日（EEE）",
    "ja": "y年M月d日（EEE）",
    "es": "EEEE d 'de' MMMM 'de' y",
}


@lru_cache(maxsize=4096)
def long_date(day: date, language: str, country: str | None = None) -> str:
    """Return a day in words, e.g. ``14 April 2026``, ``April 14, 2026``, ``2026년 4월 14일``."""
    pattern = _english(country, "MMMM d, y", "d MMMM y") if language == "en" else "long"
    return format_date(day, pattern, locale=locale_for(language, country))


@lru_cache(maxsize=4096)
def deadline(day: date, language: str, country: str | None = None) -> str:
    """Return a day by which something is due, with its weekday: ``Friday 24 April 2026`` or ``2026年4月24日（金）``."""
    pattern = _DEADLINE.get(language) or _english(country, "EEEE, MMMM d, y", "EEEE d MMMM y")
    return format_date(day, pattern, locale=locale_for(language, country))


def _english(country: str | None, american: str, british: str) -> str:
    return american if country in AMERICAN_ENGLISH else british


@lru_cache(maxsize=4096)
def money(amount: Decimal, currency: str, language: str, country: str | None = None) -> str:
    """Return an amount in ``currency`` (ISO 4217), e.g. ``USD 12,500.50``; in Spain ``USD 12.500,50``.

    Two decimals always, since ``1.234`` is a thousand in Madrid and one and a bit in Mexico; none for currencies
    without a small unit (KRW, JPY). Won between Koreans are written ``12,500원``.
    """
    pattern = "#,##0.00" if get_currency_precision(currency) else "#,##0"
    figure = format_decimal(amount, pattern, locale=locale_for(language, country))
    return f"{figure}원" if (language, country, currency) == ("ko", "KR", "KRW") else f"{currency} {figure}"


@lru_cache(maxsize=4096)
def number(value: int, language: str, country: str | None = None) -> str:
    """Return a whole number with the reader's grouping."""
    return format_decimal(value, "#,##0", locale=locale_for(language, country))


# Singular, plural where the language has one. Units that an exporter may state; others stand as they were typed.
_UNITS: dict[str, dict[str, tuple[str, ...]]] = {
    "pcs": {
        "ko": ("개",),
        "en": ("piece", "pieces"),
        "zh-Hans": ("件",),
        "zh-Hant": ("件",),
        "ja": ("個",),
        "es": ("unidad", "unidades"),
    },
    "set": {
        "ko": ("세트",),
        "en": ("set", "sets"),
        "zh-Hans": ("套",),
        "zh-Hant": ("套",),
        "ja": ("セット",),
        "es": ("juego", "juegos"),
    },
    "box": {
        "ko": ("상자",),
        "en": ("box", "boxes"),
        "zh-Hans": ("箱",),
        "zh-Hant": ("箱",),
        "ja": ("箱",),
        "es": ("caja", "cajas"),
    },
    "carton": {
        "ko": ("카톤",),
        "en": ("carton", "cartons"),
        "zh-Hans": ("箱",),
        "zh-Hant": ("箱",),
        "ja": ("カートン",),
        "es": ("caja", "cajas"),
    },
    "pair": {
        "ko": ("켤레",),
        "en": ("pair", "pairs"),
        "zh-Hans": ("双",),
        "zh-Hant": ("雙",),
        "ja": ("組",),
        "es": ("par", "pares"),
    },
}
_UNIT_NAMES = {
    **{
        word: name
        for name, words in _UNITS.items()
        for word in (name, *(one for all_ in words.values() for one in all_))
    },
    **dict.fromkeys(("pc", "pce", "ea", "each", "unit", "units", "pieza", "piezas"), "pcs"),
    **dict.fromkeys(("박스", "ボックス"), "box"),
    **dict.fromkeys(("ctn", "ctns"), "carton"),
}
_SPACED = frozenset({"en", "es"})


def unit_name(unit: str, language: str, *, one: bool = False) -> str:
    """Return the word for a unit of quantity; an unknown unit (``kg``, ``m``) as it stands."""
    words = _UNITS.get(_UNIT_NAMES.get(unit.strip().lower(), ""), {}).get(language)
    return (words[0] if one else words[-1]) if words else unit.strip()


@lru_cache(maxsize=4096)
def quantity(value: int, unit: str, language: str, country: str | None = None) -> str:
    """Return a number with its unit, e.g. ``500 pieces``, ``500개``, ``500個``."""
    word = unit_name(unit, language, one=value == 1)
    space = " " if language in _SPACED or word.isascii() else ""
    return f"{number(value, language, country)}{space}{word}".strip()


_PER = {
    "ko": "{unit}당 {price}",
    "en": "{price} per {unit}",
    "zh-Hans": "{price} / {unit}",
    "zh-Hant": "{price} / {unit}",
    "ja": "{price}（{unit}当たり）",
    "es": "{price} por {unit}",
}


@lru_cache(maxsize=4096)
def unit_price(amount: Decimal, currency: str, unit: str, language: str, country: str | None = None) -> str:
    """Return a price with the unit it is for, e.g. ``USD 12.50 per piece``."""
    price = money(amount, currency, language, country)
    word = unit_name(unit, language, one=True)
    return _PER[language].format(price=price, unit=f"1{word}" if language in ("ko", "ja") else word)


_LINE = {"en": "{item}: {rest}", "es": "{item}: {rest}", "ko": "{item}: {rest}"}


@lru_cache(maxsize=4096)
def price_line(
    item: str, count: int, unit: str, amount: Decimal, currency: str, language: str, country: str | None = None
) -> str:
    """Return one line of a quotation: ``Actuator DN50: 500 pieces × USD 12.50 = USD 6,250.00``."""
    total = money(amount * count, currency, language, country)
    rest = f"{quantity(count, unit, language, country)} × {money(amount, currency, language, country)} = {total}"
    return _LINE.get(language, "{item}：{rest}").format(item=item, rest=rest)


_PER_YEAR = {
    "ko": "연간 {much}",
    "en": "{much} per year",
    "zh-Hans": "每年{much}",
    "zh-Hant": "每年{much}",
    "ja": "年間{much}",
    "es": "{much} al año",
}


def in_brackets(text: str, more: str, language: str) -> str:
    """Return a text with another in brackets behind it, in the language's own brackets."""
    return f"{text} ({more})" if language in _SPACED else f"{text}({more})" if language == "ko" else f"{text}（{more}）"


def per_year(much: str, language: str) -> str:
    """Return an amount or a quantity that is due every year: ``1,000 sets per year``."""
    space = " " if language not in _SPACED | {"ko"} and much[0].isascii() and not much[0].isdigit() else ""
    return _PER_YEAR[language].format(much=space + much).strip()


_COUNTRY_NAMES = {
    "HK": {"ko": "홍콩", "en": "Hong Kong", "zh-Hans": "香港", "zh-Hant": "香港", "ja": "香港", "es": "Hong Kong"},
    "MO": {"ko": "마카오", "en": "Macao", "zh-Hans": "澳门", "zh-Hant": "澳門", "ja": "マカオ", "es": "Macao"},
}
"""Where CLDR's name states a status, which a trade letter does not."""


@lru_cache(maxsize=2048)
def country_name(code: str, language: str, country: str | None = None) -> str:
    """Return what a country or region (ISO 3166-1 alpha-2) is called, by CLDR; an unknown code as it stands."""
    known = _COUNTRY_NAMES.get(code, {}).get(language)
    return known or str(locale_for(language, country).territories.get(code, code))


@lru_cache(maxsize=1024)
def country_names(codes: tuple[str, ...], language: str, country: str | None = None) -> str:
    """Return countries in one phrase: ``Malaysia and Indonesia``."""
    return listing(tuple(country_name(code, language, country) for code in codes), language, country)


_ZONE = {
    "ko": "{city} 시간",
    "en": "{city} time",
    "zh-Hans": "{city}时间",
    "zh-Hant": "{city}時間",
    "ja": "{city}時間",
    "es": "hora de {city}",
}
_CITIES = {
    ("Asia/Shanghai", "zh-Hans"): "北京",
    ("Asia/Shanghai", "zh-Hant"): "北京",
    ("America/Mexico_City", "es"): "la Ciudad de México",
}
_OLD_NAMES = {
    "Asia/Ho_Chi_Minh": "Asia/Saigon",
    "Asia/Kolkata": "Asia/Calcutta",
    "Asia/Kathmandu": "Asia/Katmandu",
    "Asia/Yangon": "Asia/Rangoon",
}
"""CLDR keeps the names of cities under the zone's oldest name."""
_IN_KOREA = {
    "ko": ("{there}, 한국 시간 {here}", "{there}, 한국과 같음"),
    "en": ("{there}; {here} in Korea", "{there}, the same in Korea"),
    "zh-Hans": ("{there}，韩国时间{here}", "{there}，与韩国时间相同"),
    "zh-Hant": ("{there}，韓國時間{here}", "{there}，與韓國時間相同"),
    "ja": ("{there}、韓国時間{here}", "{there}、韓国も同時刻"),
    "es": ("{there}; {here} en Corea", "{there}; la misma hora en Corea"),
}
_MOMENT = {"ko": "{day} {time}", "en": "{day}, {time}", "es": "{day}, {time}"}
_SEOUL = ZoneInfo("Asia/Seoul")


@cache
def zone_name(zone: str, language: str) -> str:
    """Return whose time it is, by the zone's city: ``Singapore time``, ``hora de la Ciudad de México`` (CLDR)."""
    named = ZoneInfo(_OLD_NAMES.get(zone, zone))
    city = _CITIES.get((zone, language)) or get_timezone_location(named, locale=locale_for(language), return_city=True)
    return _ZONE[language].format(city=city)


@lru_cache(maxsize=1024)
def meeting_time(moment: datetime, zone: str, language: str, country: str | None = None) -> str:
    """Return a moment on the buyer's clock and on Korea's: ``Tuesday 28 April 2026, 10:00 (Singapore time; 11:00 in
    Korea)``.

    ``moment`` is aware, ``zone`` the buyer's (IANA); Korea's day is said where it is another. In Seoul's zone there is
    nothing to add.
    """
    there, here = moment.astimezone(ZoneInfo(zone)), moment.astimezone(_SEOUL)
    text = _moment(there, language, country)
    if zone == _SEOUL.key:
        return text
    other, same = _IN_KOREA[language]
    known = zone_name(zone, language)
    if there.utcoffset() == here.utcoffset():
        told = same.format(there=known)
    else:
        korean = f"{here:%H:%M}" if there.date() == here.date() else _moment(here, language, country)
        told = other.format(there=known, here=korean)
    return in_brackets(text, told, language)


def _moment(moment: datetime, language: str, country: str | None) -> str:
    day = deadline(moment.date(), language, country)
    return _MOMENT.get(language, "{day}{time}").format(day=day, time=f"{moment:%H:%M}")


_MINUTES = {
    "ko": "{n}분",
    "en": "{n} minutes",
    "zh-Hans": "{n}分钟",
    "zh-Hant": "{n}分鐘",
    "ja": "{n}分",
    "es": "{n} minutos",
}


def minutes(count: int, language: str) -> str:
    """Return how long a meeting takes: ``30 minutes``."""
    return _MINUTES[language].format(n=count)


_DAYS = {
    "ko": "{n}일",
    "en": "{n} days",
    "zh-Hans": "{n}天",
    "zh-Hant": "{n}天",
    "ja": "{n}日",
    "es": "{n} días",
}


def days(count: int, language: str) -> str:
    """Return a duration in days; a lead time is always more than one."""
    one = {"en": "1 day", "es": "1 día"}
    return one.get(language, "") if count == 1 and language in one else _DAYS[language].format(n=count)


@lru_cache(maxsize=4096)
def listing(items: tuple[str, ...], language: str, country: str | None = None) -> str:
    """Return ``A, B and C`` as the language joins a list (CLDR); Spanish *y* is *e* before the sound of *i*."""
    joined = format_list(list(items), locale=locale_for(language, country)) if items else ""
    return re.sub(r" y (?=h?[ií](?![ae]))", " e ", joined, flags=re.IGNORECASE) if language == "es" else joined


def delivery_terms(rule: str, place: str) -> str:
    """Return an Incoterm with its place and version; never one without a place (ICC, Incoterms 2020)."""
    return f"{rule.upper()} {place} (Incoterms® 2020)"


@lru_cache(maxsize=4096)
def phone(number: str) -> str:
    """Return a telephone number as dialled from abroad, e.g. ``+82 31-000-0101``; what is none stays as it is."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
