"""Which of the six languages a buyer is written to in, and which locale its dates and figures follow."""

import re
from functools import cache

from babel import Locale

LANGUAGES = ("ko", "en", "zh-Hans", "zh-Hant", "ja", "es")
KOREAN = "ko"

TRADITIONAL_CHINESE = frozenset({"TW", "HK", "MO"})
SPANISH_AMERICA = frozenset(
    ("AR", "BO", "CL", "CO", "CR", "CU", "DO", "EC", "GT", "HN", "MX", "NI", "PA", "PE", "PR", "PY", "SV", "UY", "VE")
)
AMERICAN_ENGLISH = frozenset({"US", "CA", "PH"})
COUNTRY_LANGUAGE = {
    "KR": "ko",
    "JP": "ja",
    "CN": "zh-Hans",
    "ES": "es",
    **dict.fromkeys(TRADITIONAL_CHINESE, "zh-Hant"),
    **dict.fromkeys(SPANISH_AMERICA, "es"),
}


def choose_language(wanted: str | None, country: str | None) -> str:
    """Return the language of a letter: what the buyer asked for, else that of the country, else English.

    ``wanted`` is a language tag (``zh``, ``zh-TW``, ``es_MX``); ``country`` is ISO 3166-1 alpha-2. A language we have
    no letters in counts as not asked for. Chinese is never inferred from a name.
    """
    land = (country or "").strip().upper()
    return _spoken(wanted or "", land) or COUNTRY_LANGUAGE.get(land, "en")


def _spoken(tag: str, country: str) -> str:
    parts = [part for part in re.split(r"[-_]", tag.strip()) if part]
    if not parts:
        return ""
    language = parts[0].lower()
    if language == "zh":
        return _chinese([part.title() for part in parts[1:]], country)
    return language if language in LANGUAGES else ""


def _chinese(subtags: list[str], country: str) -> str:
    script = next((part for part in subtags if part in ("Hans", "Hant")), "")
    region = next((part.upper() for part in subtags if len(part) == 2), country)
    return f"zh-{script}" if script else "zh-Hant" if region in TRADITIONAL_CHINESE else "zh-Hans"


@cache
def locale_for(language: str, country: str | None = None) -> Locale:
    """Return the CLDR locale for ``language`` as written to a reader in ``country``.

    Spanish follows the reader's country, elsewhere Spanish America. English is American or the world's: an English
    letter to Germany still writes ``12,500.50``. The other languages have one form each.
    """
    land = (country or "").upper()
    fixed = {"ko": "ko_KR", "ja": "ja_JP", "zh-Hans": "zh_Hans_CN"}
    if language in fixed:
        return Locale.parse(fixed[language])
    if language == "zh-Hant":
        return Locale.parse(f"zh_Hant_{land if land in TRADITIONAL_CHINESE else 'TW'}")
    if language == "en":
        return Locale.parse("en_US" if land in AMERICAN_ENGLISH else "en_001")
    return Locale.parse(f"es_{land}" if land in SPANISH_AMERICA | {"ES"} else "es_419")


@cache
def language_name(language: str, in_language: str) -> str:
    """Return what ``language`` is called in ``in_language``, e.g. ``inglés`` for English in Spanish (CLDR)."""
    name = str(locale_for(in_language).languages[language.replace("-", "_")])
    if in_language == "zh-Hans":
        name = name.replace("语", "文")  # CLDR names the tongue; of a printed thing the written language is said
    return name.replace("만다린, ", "")  # CLDR's Korean says "Mandarin, simplified", which no reader does
