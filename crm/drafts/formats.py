"""Dates, money and quantities as a trade letter writes them. Pure, and remembered, since letters repeat them.

Dates are long with Western years, never ``04/05/2026``; money is the ISO 4217 code, a space and the figure, never a
bare ``$`` or ``¥``. Patterns are ours where CLDR's own do not fit a letter.
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

import phonenumbers
from babel.dates import format_date
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
    without a small unit (KRW, JPY).
    """
    pattern = "#,##0.00" if get_currency_precision(currency) else "#,##0"
    return f"{currency} {format_decimal(amount, pattern, locale=locale_for(language, country))}"


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


def unit_price(amount: Decimal, currency: str, unit: str, language: str, country: str | None = None) -> str:
    """Return a price with the unit it is for, e.g. ``USD 12.50 per piece``."""
    price = money(amount, currency, language, country)
    word = unit_name(unit, language, one=True)
    return _PER[language].format(price=price, unit=f"1{word}" if language in ("ko", "ja") else word)


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


def listing(items: tuple[str, ...], language: str, country: str | None = None) -> str:
    """Return ``A, B and C`` as the language joins a list (CLDR); Spanish *y* is *e* before the sound of *i*."""
    joined = format_list(list(items), locale=locale_for(language, country)) if items else ""
    return re.sub(r" y (?=h?[ií](?![ae]))", " e ", joined, flags=re.IGNORECASE) if language == "es" else joined


def delivery_terms(rule: str, place: str) -> str:
    """Return an Incoterm with its place and version; never one without a place (ICC, Incoterms 2020)."""
    return f"{rule.upper()} {place} (Incoterms® 2020)"


def phone(number: str) -> str:
    """Return a telephone number as dialled from abroad, e.g. ``+82 31-000-0101``; what is none stays as it is."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
