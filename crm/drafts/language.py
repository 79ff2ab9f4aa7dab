"""Which of the six languages a buyer is written to in, and which locale its dates and figures follow."""

from collections.abc import Mapping
from functools import cache

from babel import Locale

from crm.campaigns.language import LANGUAGES, SPANISH_AMERICA, TRADITIONAL_CHINESE, choose_language

__all__ = ["LANGUAGES", "SPANISH_AMERICA", "choose_language"]

KOREAN = "ko"
AMERICAN_ENGLISH = frozenset({"US", "CA", "PH"})
AT_HOME = "ko-KR"
"""The variant for letters between Koreans."""
VARIANTS: Mapping[str, tuple[str, frozenset[str]]] = {
    AT_HOME: ("ko", frozenset({"KR"})),
    "en-US": ("en", AMERICAN_ENGLISH),
    "es-ES": ("es", frozenset({"ES"})),
    "zh-Hant-HK": ("zh-Hant", frozenset({"HK", "MO"})),
}
"""Variants of a language, and to readers of which countries they go. American English goes where its style is used."""


@cache
def chain(language: str, country: str | None = None) -> tuple[str, ...]:
    """Return in which files a letter's blocks are looked up, the first first: ``("es-ES", "es")``, ``("ja",)``.

    ``country`` is the reader's (ISO 3166-1 alpha-2); without it there is no variant.
    """
    land = (country or "").upper()
    own = [tag for tag, (base, lands) in VARIANTS.items() if base == language and land in lands]
    return (*own, language)


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
