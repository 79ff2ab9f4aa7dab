"""Which of the six languages a buyer is written to in, and which locale its dates and figures follow."""

from functools import cache

from babel import Locale

from crm.campaigns.language import LANGUAGES, SPANISH_AMERICA, TRADITIONAL_CHINESE, choose_language

__all__ = ["LANGUAGES", "SPANISH_AMERICA", "choose_language"]

KOREAN = "ko"
AMERICAN_ENGLISH = frozenset({"US", "CA", "PH"})


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
