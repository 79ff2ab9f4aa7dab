"""Guesses the legacy encoding of a list."""

import re
from collections.abc import Iterable
from functools import cache

from crm.imports import aliases
from crm.imports.text import folded

LEGACY = ("cp949", "cp932", "euc_jp", "gb18030", "cp950", "cp1252")
SAMPLE_BYTES = 60_000
_WESTERN = frozenset("áéíóúüñçÁÉÍÓÚÜÑÇàèìòùâêîôûäëïöÿÄËÏÖßãõåøæœÅØÆ¿¡ºª€°´’‘“”–…·")


def guess(data: bytes) -> str:
    return max(LEGACY, key=lambda name: _plausibility(data[:SAMPLE_BYTES], name))


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
