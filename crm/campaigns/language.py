"""Which of the six languages a buyer is written to in. Pure."""

import re

LANGUAGES = ("ko", "en", "zh-Hans", "zh-Hant", "ja", "es")
TRADITIONAL_CHINESE = frozenset({"TW", "HK", "MO"})
SPANISH_AMERICA = frozenset(
    ("AR", "BO", "CL", "CO", "CR", "CU", "DO", "EC", "GT", "HN", "MX", "NI", "PA", "PE", "PR", "PY", "SV", "UY", "VE")
)
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
