"""Finds the encoding of a text file.

A byte order mark, ISO-2022-JP escapes, strict UTF-8 and the zero bytes of UTF-16 are certain. What remains is decoded
as each legacy encoding in turn; the one in which most non-ASCII column names are found wins, and among equals the one
whose characters are most common. General detectors do badly on lists: three rows and one CJK name are typical.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from crm.imports import aliases
from crm.imports.text import folded

# The Windows code pages, which hold more than the standards they are named after.
LEGACY = ("cp949", "cp932", "euc_jp", "gb18030", "cp950", "cp1252")
SAMPLE_BYTES = 60_000
_WESTERN = frozenset("áéíóúüñçÁÉÍÓÚÜÑÇàèìòùâêîôûäëïöÿÄËÏÖßãõåøæœÅØÆ¿¡ºª€°´’‘“”–…·")


@dataclass(frozen=True)
class Decoded:
    """The text of a file, how it was decoded, whether that was a guess, and how many characters were lost."""

    text: str
    encoding: str
    guessed: bool
    damaged: int


def decode(data: bytes, encoding: str | None = None) -> Decoded:
    """Decode ``data`` by ``encoding`` or by what its bytes show. Never fails: lost characters become U+FFFD.

    Raises LookupError when ``encoding`` is no known encoding.
    """
    name, guessed = (encoding, False) if encoding else detect(data)
    text = data.decode(name, errors="replace")
    return Decoded(text.removeprefix("\ufeff"), name, guessed, text.count("\ufffd"))


def detect(data: bytes) -> tuple[str, bool]:
    """Return the encoding's Python name and whether it is a guess."""
    certain = _certain(data)
    if certain:
        return certain, False
    return max(LEGACY, key=lambda name: _plausibility(data[:SAMPLE_BYTES], name)), True


def _certain(data: bytes) -> str | None:
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = data[:2000]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 5 > len(head):  # ASCII letters have one zero byte of two, on one side only
        return "utf-16-le" if odd > even else "utf-16-be"
    if b"\x1b$" in data:
        return "iso2022_jp"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _plausibility(data: bytes, encoding: str) -> tuple[float, float]:
    text = data.decode(encoding, errors="replace")
    return (_known_headers(text), _commonness(text, encoding))


def _known_headers(text: str) -> float:
    """Return the most non-ASCII column names found in one of the first 25 lines."""
    lines = text.splitlines()[:25]
    return max((sum(_is_foreign_alias(part) for part in re.split(r"[,\t;|]", line)) for line in lines), default=0)


def _is_foreign_alias(part: str) -> bool:
    key = folded(part)
    return not key.isascii() and key in aliases.by_alias()


def _commonness(text: str, encoding: str) -> float:
    foreign = [c for c in text if ord(c) > 127]
    return sum(_weight(c, encoding) for c in foreign) / len(foreign) if foreign else 0.0


def _weight(char: str, encoding: str) -> float:
    """Return how well one decoded character fits the language its encoding was made for: -3 … 1."""
    code = ord(char)
    if code == 0xFFFD or 0xE000 <= code <= 0xF8FF or 0x80 <= code < 0xA0:
        return -3.0
    if encoding == "cp1252":
        return 1.0 if char in _WESTERN else -1.5
    if char in _common(encoding):
        return 0.85 if 0x4E00 <= code <= 0x9FFF else 1.0
    if 0xFF61 <= code <= 0xFF9F:  # half-width kana: what cp932 makes of nearly every Korean byte
        return -0.6
    if 0x3000 <= code <= 0x303F or 0xFF01 <= code <= 0xFF5E or 0x2460 <= code <= 0x2473 or 0x3200 <= code <= 0x33FF:
        return 0.3
    return -0.4


@cache
def _common(encoding: str) -> frozenset[str]:
    """Return the everyday characters of an encoding: level 1 of the national standard it extends."""
    upper = range(0xA1, 0xFF)
    if encoding == "cp949":
        return _rows("euc_kr", range(0xB0, 0xC9), upper)
    if encoding in ("cp932", "euc_jp"):
        return _rows("euc_jp", range(0xB0, 0xD0), upper) | _rows("euc_jp", (0xA4, 0xA5), upper) | {"ー"}
    if encoding == "gb18030":
        return _rows("gb2312", range(0xB0, 0xD8), upper)
    return _rows("big5", range(0xA4, 0xC7), [*range(0x40, 0x7F), *upper])


def _rows(codec: str, leads: Iterable[int], trails: Iterable[int]) -> frozenset[str]:
    pairs = (bytes([lead, trail]) for lead in leads for trail in trails)
    return frozenset("".join(pair.decode(codec, errors="ignore") for pair in pairs))
