"""Cleaning of text that every field shares. Pure functions; what they changed is told by the caller."""

import html
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time
from functools import lru_cache
from typing import TypeVar
from unicodedata import is_normalized

from crm.imports.records import Cell
from crm.imports.words import words

T = TypeVar("T")

NOTE_LIMIT = 10_000
FIELD_LIMIT = 500

EMPTY_WORDS = frozenset(words("empty"))
_LONGEST_EMPTY = max(map(len, EMPTY_WORDS))

# Zero-width and direction marks that paste along unseen; the joiners some scripts need are not among them.
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff]")
_SPACES = re.compile(r"\s+")
_DOUBTFUL_STARTS = frozenset(" ='@+-")
_DOUBTFUL_ENDS = frozenset((" ", "\ufffd"))
_WRAPPERS = frozenset((" ", "=", "'"))
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
# NFC, too, would put the common character in place of these.
_NO_VARIANTS = re.compile("[^\uf900-\ufaff\U0002f800-\U0002fa1f]+")
_HALF_KANA = re.compile("[\uff61-\uff9f]+")


def cell_text(cell: Cell) -> str:
    """Return a cell as the text a person would read in the table; whole floats lose their ``.0``."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="minutes")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


def unwrapped(text: str) -> str:
    """Undo what spreadsheets put round text: ``="010…"`` and a leading apostrophe; and HTML entities, once."""
    text = text.strip()
    formula = re.fullmatch(r'="(.*)"', text, re.DOTALL)
    if formula:
        text = formula[1].replace('""', '"')
    elif text.startswith("'") and len(text) > 1:
        text = text[1:]
    return html.unescape(text)


def without_invisible(text: str) -> str:
    """Remove control and zero-width characters; line breaks and tabs stay."""
    return _INVISIBLE.sub("", text)


def has_invisible(text: str) -> bool:
    return bool(_INVISIBLE.search(text))


def is_tidy(text: str) -> bool:
    """Tell quickly that cleaning would change nothing; most cells of most lists are like that.

    Printable leaves out control and zero-width characters and every space but the plain one.
    """
    return (
        text.isprintable()
        and text[:1] not in _WRAPPERS
        and text[-1] != " "
        and "  " not in text
        and "&" not in text
        and (text.isascii() or is_normalized("NFKC", text))
    )


def is_plain(text: str) -> bool:
    """Tell quickly that a cell is tidy and needs no remark: no placeholder, no formula, not too long."""
    return (
        text.isprintable()
        and text[0] not in _DOUBTFUL_STARTS
        and text[-1] not in _DOUBTFUL_ENDS
        and "  " not in text
        and "&" not in text
        and (text.isascii() or is_normalized("NFKC", text))
        and (len(text) > _LONGEST_EMPTY or text.casefold() not in EMPTY_WORDS)
        and len(text) <= FIELD_LIMIT
    )


def one_line(text: str) -> str:
    """Fold a single-line field: NFKC, no invisible characters, single spaces."""
    if not text or is_tidy(text):
        return text
    return _SPACES.sub(" ", without_invisible(unicodedata.normalize("NFKC", unwrapped(text)))).strip()


def name_line(text: str) -> str:
    """Fold a person's name: width and composition only. A person's own variant character (U+F900 …) stays theirs."""
    if not text or is_tidy(text):
        return text
    text = _HALF_KANA.sub(lambda m: unicodedata.normalize("NFKC", m[0]), unwrapped(text)).translate(_FULL_WIDTH)
    text = _NO_VARIANTS.sub(lambda m: unicodedata.normalize("NFC", m[0]), text)
    return _SPACES.sub(" ", without_invisible(text)).strip()


def many_lines(text: str) -> str:
    """Fold free text: line breaks stay as ``\\n``."""
    if not text or is_tidy(text):
        return text
    text = without_invisible(unicodedata.normalize("NFC", unwrapped(text).replace("\r\n", "\n").replace("\r", "\n")))
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


def is_empty_word(text: str) -> bool:
    """Tell whether a cell says 'nothing' in words, e.g. ``-``, ``n/a``, ``없음``."""
    text = text.strip()
    return len(text) <= _LONGEST_EMPTY and text.casefold() in EMPTY_WORDS


def looks_like_formula(text: str) -> bool:
    """Tell whether a spreadsheet would compute the text instead of showing it."""
    if text[:1] in ("=", "@"):
        return True
    return text[:1] in ("+", "-") and not re.fullmatch(r"[+-][\d\s.,()/-]*", text)


def folded(text: str) -> str:
    """Return the letters and digits of ``text`` without case and width, for comparing headers and words."""
    return _folded(text)


@lru_cache(maxsize=8192)
def _folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def shown(text: str) -> str:
    """Shorten a value for a message: 40 characters, no control characters."""
    text = _SPACES.sub(" ", without_invisible(text)).strip()
    return text if len(text) <= 40 else text[:39] + "…"


class Memo(dict[str, T]):
    """Remembers what was made of the last texts. Columns of lists repeat their values; memory stays bounded."""

    SIZE = 1024
    LONGEST = 120

    def __init__(self, make: Callable[[str], T]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, text: str) -> T:
        made = self.make(text)
        if len(text) <= self.LONGEST:
            if len(self) >= self.SIZE:
                self.clear()
            self[text] = made
        return made
