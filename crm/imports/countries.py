"""From the name of a country or a city, in many languages, to ISO 3166-1 alpha-2 (names: CLDR through Babel)."""

import re
import unicodedata
from functools import cache

from babel import Locale
from babel.core import get_global

from crm.imports.words import by_word

_LANGUAGES = ("en", "ko", "ja", "zh_Hans", "zh_Hant", "es", "de", "fr", "pt", "it", "vi", "id", "tr", "ru", "ar", "th")
_ISO = re.compile(r"[A-Z]{2}")


def country_of(text: str) -> str:
    """Return the ISO code a country text names, or an empty text. Country names win over cities."""
    return _countries().get(_key(text)) or _without_brackets(text)


def country_of_city(text: str) -> str:
    """Return the ISO code of the country a well-known city lies in, or an empty text."""
    return _cities().get(_key(text), "")


def _without_brackets(text: str) -> str:
    bare = re.sub(r"[(（\[][^)）\]]*[)）\]]", "", text)
    inner = re.findall(r"[(（\[]([^)）\]]*)[)）\]]", text)
    parts = [bare, *inner, *re.split(r"[/|]", text)] if bare != text else re.split(r"[/|]", text)
    found = {_countries().get(_key(part), "") for part in parts} - {""}
    return found.pop() if len(found) == 1 else ""


def _key(text: str) -> str:
    """Fold accents, case, spaces and dots away."""
    plain = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D").replace("ı", "i").casefold())
    kept = "".join(c for c in plain if c.isalnum() and not unicodedata.combining(c))
    return unicodedata.normalize("NFC", kept)


@cache
def _countries() -> dict[str, str]:
    found: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if _ISO.fullmatch(code) and code not in ("ZZ", "EU", "UN", "EZ", "XA", "XB", "QO"):
                found.setdefault(_key(name), code)
                found.setdefault(_key(code), code)
    for alias, codes in get_global("territory_aliases").items():
        if len(alias) == 3 and alias.isalpha() and len(codes) == 1:  # ISO alpha-3
            found.setdefault(_key(alias), codes[0])
    # What lists say and CLDR does not know.
    found.update({_key(name): code for name, code in by_word("countries").items()})
    return found


@cache
def _cities() -> dict[str, str]:
    return {_key(name): code for name, code in by_word("cities").items()}
