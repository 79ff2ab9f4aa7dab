"""What a text must look like so that Excel shows it and does nothing else with it. Pure.

No line says which separator a CSV has (``sep=``): Excel, told so, forgets the byte order mark and shows garbage.
"""

import re
import unicodedata

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CELL_LIMIT = 32_766
"""Excel's own limit of a cell less one for an apostrophe, in UTF-16 units; what is longer spills into the next row."""

_UNHOLDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# The full-width signs too: East Asian versions of Excel take them for the plain ones.
_FORMULA = re.compile(r"(?:\A|\n)(?:\t|\s*[=+\-@＝＋－＠])")
_DIGIT = re.compile(r"\d")
_SIGNS = re.compile(r"[\d\s.,:/%()\-+'_$¢£¥€₩]")
_MONTHS = "jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec"
_UNITS = re.compile(
    rf"(?:e|am|pm|a|p|january|february|march|april|august|september|october|november|december|{_MONTHS}"
    r"|오전|오후|년|월|일|시|분|초|年|月|日|時|时|分|秒)+"
)


def holdable(text: str) -> str:
    """Return the text without what no file format can carry: control characters but tab and line feed."""
    return _UNHOLDABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def cut(text: str) -> str:
    """Return what fits into one cell of Excel."""
    if len(text) * 2 <= CELL_LIMIT:
        return text
    return text.encode("utf-16-le")[: CELL_LIMIT * 2].decode("utf-16-le", errors="ignore")


def in_csv(text: str) -> str:
    """Return a cell of a CSV: with a leading apostrophe where Excel would compute it or take it for a number or date.

    The importer takes one leading apostrophe off, so a text with one of its own gets a second.
    """
    if not text:
        return ""
    text = cut(holdable(text))
    if text.startswith("'") or _FORMULA.search(text) or is_taken_for_a_number(text):
        return f"'{text}"
    return text


def is_taken_for_a_number(text: str) -> bool:
    """Tell whether Excel would make a number, date or truth value of it: ``0123``, ``3-4``, ``5월 1일``, ``TRUE``."""
    if not _DIGIT.search(text):
        return text.strip().casefold() in ("true", "false")
    rest = _SIGNS.sub("", unicodedata.normalize("NFKC", text).casefold())
    return not rest or bool(_UNITS.fullmatch(rest))
