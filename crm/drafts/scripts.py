"""Which writing a text is in. Pure; the sets of Chinese characters come from the national character sets themselves."""

import unicodedata
from functools import cache, lru_cache

HANGUL, KANA, HAN, LATIN, OTHER = "hangul", "kana", "han", "latin", "other"
_PREFIXES = (
    ("HANGUL", HANGUL),
    ("HIRAGANA", KANA),
    ("KATAKANA", KANA),
    ("HALFWIDTH KATAKANA", KANA),
    ("CJK UNIFIED", HAN),
    ("CJK COMPATIBILITY IDEOGRAPH", HAN),
    ("IDEOGRAPHIC ITERATION MARK", HAN),
    ("LATIN", LATIN),
    ("FULLWIDTH LATIN", LATIN),
)
# Marks used with both kana and other writing say nothing by themselves.
_SHARED = frozenset("・ーｰ゛゜")


@cache
def script_of(char: str) -> str:
    """Return the script of one letter, and '' for digits, signs and spaces."""
    if not char.isalpha() and char != "々":
        return ""
    if char in _SHARED:
        return ""
    name = unicodedata.name(char, "")
    return next((script for prefix, script in _PREFIXES if name.startswith(prefix)), OTHER)


@lru_cache(maxsize=4096)
def scripts_in(text: str) -> frozenset[str]:
    """Return every script that has a letter in ``text``."""
    return frozenset(script_of(char) for char in set(text)) - {""}


@cache
def _in(char: str, charset: str) -> bool:
    try:
        char.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def is_simplified(char: str) -> bool:
    """Tell whether a Han character is written in the mainland only: it is in GB 2312 and not in Big5."""
    return script_of(char) == HAN and _in(char, "gb2312") and not _in(char, "big5")


def is_traditional(char: str) -> bool:
    """Tell whether a Han character is not used in the mainland: it is in Big5 and not in GB 2312."""
    return script_of(char) == HAN and _in(char, "big5") and not _in(char, "gb2312")


def is_foreign_to_japanese(char: str) -> bool:
    """Tell whether a Han character is missing from JIS X 0208 and the vendors' additions, so not Japanese."""
    return script_of(char) == HAN and not _in(char, "cp932")


READABLE = {
    "ko": frozenset({HANGUL, HAN, KANA, LATIN, OTHER}),
    "en": frozenset({LATIN}),
    "es": frozenset({LATIN}),
    "zh-Hans": frozenset({HAN, LATIN}),
    "zh-Hant": frozenset({HAN, LATIN}),
    "ja": frozenset({HAN, KANA, LATIN}),
}
NATIVE = {
    "ko": frozenset({HANGUL}),
    "en": frozenset({LATIN}),
    "es": frozenset({LATIN}),
    "zh-Hans": frozenset({HAN}),
    "zh-Hant": frozenset({HAN}),
    "ja": frozenset({HAN, KANA}),
}


def readable(text: str, language: str) -> bool:
    """Tell whether a name in ``text`` can stand in a letter: its reader knows the script. Korean takes names as is."""
    return bool(text) and scripts_in(text) <= READABLE[language]


def native(text: str, language: str) -> bool:
    """Tell whether ``text`` is written in the language's own script, as a job title must be to be used as address."""
    found = scripts_in(text)
    if not found or not found <= NATIVE[language]:
        return False
    if language == "zh-Hant":
        return not any(map(is_simplified, text))
    if language == "zh-Hans":
        return not any(map(is_traditional, text))
    return not (language == "ja" and any(map(is_foreign_to_japanese, text)))
