"""The table of column names in six languages (aliases.json), looked up by folded text."""

import json
from functools import cache
from pathlib import Path

from crm.imports.text import folded

LANGUAGES = ("ko", "en", "ja", "zh-Hans", "zh-Hant", "es")
HOME_OF_LANGUAGE = {"ko": "KR", "ja": "JP", "zh-Hans": "CN", "zh-Hant": "TW"}


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = json.loads(
        Path(__file__).with_name("aliases.json").read_text(encoding="utf-8")
    )
    return found


def first_name(field: str) -> str:
    """Return an English header that is recognised as ``field``; the field's own name where there is none."""
    return next(iter(_table().get(field, {}).get("en", ())), field)


@cache
def fields() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return field → language → folded aliases."""
    return {
        name: {lang: tuple(folded(alias) for alias in entry.get(lang, ())) for lang in LANGUAGES}
        for name, entry in _table().items()
    }


@cache
def by_alias() -> dict[str, str]:
    """Return folded alias → field. Where two languages disagree (``HP``) the first language listed wins."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        for name, names in fields().items():
            for alias in names[language]:
                if alias:
                    found.setdefault(alias, name)
    return found


@cache
def by_length() -> tuple[tuple[str, str], ...]:
    """Return (alias, field), longest alias first, for guessing by the end of a header."""
    return tuple(sorted(by_alias().items(), key=lambda item: (-len(item[0]), item[0])))


def languages_of(header: str) -> set[str]:
    """Return the languages in which ``header`` is an alias; headers that are plain ASCII say nothing."""
    key = folded(header)
    if key.isascii():
        return set()
    return {lang for names in fields().values() for lang, listed in names.items() if key in listed}
