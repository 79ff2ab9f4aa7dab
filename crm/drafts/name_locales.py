"""Locales and scripts as CLDR sees them: likely subtags, where data and orders are looked up, which scripts match."""

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache

from babel.core import get_global

# --- locales ---------------------------------------------------------------------------------------------------------


@cache
def subtags(locale: str) -> tuple[str, str, str]:
    """Return (language, script, region) of a locale; '' for what it does not say."""
    language, *rest = locale.replace("-", "_").split("_")
    script = next((tag.title() for tag in rest if len(tag) == 4), "")
    region = next((tag.upper() for tag in rest if len(tag) in (2, 3)), "")
    return language.lower() or "und", script, region


@cache
def maximal(locale: str) -> tuple[str, str, str]:
    """Return the locale with its likely script and region filled in."""
    language, script, region = subtags(locale)
    likely: Mapping[str, str] = get_global("likely_subtags")
    for tags in ((language, script, region), (language, script), (language, region), (language,)):
        key = "_".join(filter(None, tags))
        if key == "und" or (key == "und_Latn" and key not in likely):
            filled = ("en", "Latn", "US")
        elif key in likely:
            filled = subtags(likely[key])
        else:
            continue
        return (filled[0] if language == "und" else language, script or filled[1], region or filled[2])
    return language, script, region


def likely_locale(locale: str) -> str:
    """Return the locale with its likely language, script and region: ``und_KR`` → ``ko_Kore_KR``."""
    return "_".join(filter(None, maximal(locale)))


def language_of(locale: str) -> str:
    """Return the language of a locale, the likely one where it is not said."""
    return maximal(locale)[0]


def data_chain(locale: str) -> Iterable[str]:
    """Yield where a locale's data may stand, from itself to the root; never across to another script."""
    language, script, region = maximal(locale)
    parents: Mapping[str, str] = get_global("parent_exceptions")
    tried = [f"{language}_{script}_{region}", f"{language}_{script}"]
    if covers(maximal(f"{language}_{region}")[1], script):
        tried.insert(0, f"{language}_{region}")
    if covers(maximal(language)[1], script):
        tried.append(language)
    for one in tried:
        yield one
        while (one := parents.get(one, "root")) not in ("root", language):
            yield one
    yield "und"


def lookup_chain(locale: str) -> Iterable[str]:
    """Yield the locales to look for in the lists of orders.

    Each is followed by the same for any language, the root last. A traditional Chinese name counts as Chinese here.
    """
    language, script, region = subtags(locale)
    for tags in ((script, region), (script,), (region,), ()):
        if all(tags):
            yield "_".join((language, *tags))
            if tags:
                yield "_".join(("und", *tags))
    yield "und"


_CHINESE = frozenset({"zh", "yue", "ja"})


def akin(one: str, other: str) -> bool:
    """Tell whether names of one language are at home in the other: the same, or both written in Chinese characters."""
    return one == other or {one, other} <= _CHINESE


# --- scripts ---------------------------------------------------------------------------------------------------------

_SCRIPTS = {
    "LATIN": "Latn",
    "FULLWIDTH LATIN": "Latn",
    "HANGUL": "Hang",
    "HALFWIDTH HANGUL": "Hang",
    "HIRAGANA": "Hira",
    "KATAKANA": "Kana",
    "HALFWIDTH KATAKANA": "Kana",
    "CJK UNIFIED": "Hani",
    "CJK COMPATIBILITY IDEOGRAPH": "Hani",
    "IDEOGRAPHIC ITERATION": "Hani",
    "CYRILLIC": "Cyrl",
    "GREEK": "Grek",
    "ARABIC": "Arab",
    "HEBREW": "Hebr",
    "THAI": "Thai",
    "LAO ": "Laoo",
    "KHMER": "Khmr",
    "MYANMAR": "Mymr",
    "DEVANAGARI": "Deva",
    "BENGALI": "Beng",
    "TAMIL": "Taml",
    "TELUGU": "Telu",
    "KANNADA": "Knda",
    "MALAYALAM": "Mlym",
    "GUJARATI": "Gujr",
    "GURMUKHI": "Guru",
    "SINHALA": "Sinh",
    "GEORGIAN": "Geor",
    "ARMENIAN": "Armn",
    "ETHIOPIC": "Ethi",
    "MONGOLIAN": "Mong",
    "BOPOMOFO": "Bopo",
}
_SETS = {
    "Jpan": frozenset({"Hani", "Hira", "Kana"}),
    "Hrkt": frozenset({"Hira", "Kana"}),
    "Kore": frozenset({"Hang", "Hani"}),
    "Hans": frozenset({"Hani"}),
    "Hant": frozenset({"Hani"}),
    "Hanb": frozenset({"Hani", "Bopo"}),
}


@cache
def script_of(char: str) -> str:
    """Return the ISO 15924 code of a letter's script, '' for signs and letters of many scripts."""
    if not (char.isalpha() or char == "々") or char in "ーｰ":
        return ""
    named = unicodedata.name(char, "")
    return next((code for prefix, code in _SCRIPTS.items() if named.startswith(prefix)), "")


def covers(whole: str, script: str) -> bool:
    """Tell whether ``script`` is ``whole`` or one of the scripts it stands for."""
    return script == whole or script in _SETS.get(whole, ())


def written_alike(one: str, other: str) -> bool:
    """Tell whether two scripts are the same or have one in common: Japanese and Chinese share the characters."""
    return not _SETS.get(one, frozenset({one})).isdisjoint(_SETS.get(other, frozenset({other})))
