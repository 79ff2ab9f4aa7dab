"""From the name of a country or a city, in many languages, to ISO 3166-1 alpha-2 (names: CLDR, in countries.json)."""

import json
import re
import unicodedata
from functools import cache
from pathlib import Path

from crm.imports.words import by_word

NAMES = Path(__file__).with_name("countries.json")


def country_of(text: str) -> str:
    """Return the ISO code a country text names, or an empty text. Country names win over cities."""
    return _countries().get(key(text)) or _without_brackets(text)


def country_of_city(text: str) -> str:
    """Return the ISO code of the country a well-known city lies in, or an empty text."""
    return _cities().get(key(text), "")


def _without_brackets(text: str) -> str:
    bare = re.sub(r"[(（\[][^)）\]]*[)）\]]", "", text)
    inner = re.findall(r"[(（\[]([^)）\]]*)[)）\]]", text)
    parts = [bare, *inner, *re.split(r"[/|]", text)] if bare != text else re.split(r"[/|]", text)
    found = {_countries().get(key(part), "") for part in parts} - {""}
    return found.pop() if len(found) == 1 else ""


def key(text: str) -> str:
    """Fold accents, case, spaces and dots away."""
    plain = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D").replace("ı", "i").casefold())
    kept = "".join(c for c in plain if c.isalnum() and not unicodedata.combining(c))
    return unicodedata.normalize("NFC", kept)


@cache
def _countries() -> dict[str, str]:
    listed = json.loads(NAMES.read_text(encoding="utf-8"))
    found = {name: code for code, names in listed.items() for name in names}
    # What lists say and CLDR does not know.
    found.update({key(name): code for name, code in by_word("countries").items()})
    return found


@cache
def _cities() -> dict[str, str]:
    return {key(name): code for name, code in by_word("cities").items()}
