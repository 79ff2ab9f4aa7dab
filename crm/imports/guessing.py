"""Guesses the legacy encoding of a list from a sample of its bytes.

Each encoding is judged by how probable the text is that it gives: the probability of every character in the languages
it was made for, column names, surnames at the beginning of cells, and what the plain ASCII says about the country
(mail domains, calling codes). General detectors do badly on lists: three rows and one name are typical.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from crm.imports import aliases
from crm.imports.text import folded

LANGUAGES = {"cp949": "ko", "cp932": "ja", "euc_jp": "ja", "gb18030": "zh-Hans", "cp950": "zh-Hant", "cp1252": "es"}
"""The Windows code pages, which hold more than the standards they are named after, and their languages."""
CANDIDATES = (*LANGUAGES, "utf-8")

_HEAD_BYTES = 1600
_SLICES = 3
_SLICE_BYTES = 400
_HEADER_LINES = 15

# How usual the encodings are among the lists of a Korean fair, in natural logarithms.
_PRIOR = {"cp949": 1.0, "cp932": 0.5, "gb18030": 0.5, "cp950": 0.0, "cp1252": 0.0, "euc_jp": -1.5, "utf-8": -1.0}
_LOST = -11.0
_ASCII = -3.0
_HEADER = 7.0
_SHORT_HEADER = 3.0
_FAMILY = 1.5
_NO_FAMILY = -0.7
_COUNTRY = 1.5
_WORD_BREAK = -2.0
_WESTERN = "áéíóúüñçÁÉÍÓÚÜÑÇàèìòùâêîôûäëïöÿÄËÏÖßãõåøæœÅØÆ"
_WESTERN_SIGNS = "¿¡ºª€°´’‘“”–…·®™"
_EASTERN = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_CELL_START = re.compile(f'(?:^|[,;\t|"\n])([{_EASTERN}])(?=[{_EASTERN} \u3000]{{1,4}}(?:[,;\t|"\r\n]|$))')
_FOREIGN_RUN = re.compile("[\u0080-\U0010ffff]{2}")
_COUNTRIES = {
    "ko": re.compile(rb"\.kr\b|\+82\b|\b010-?\d{4}|\bKorea\b|\bSeoul\b|\bKRW\b"),
    "ja": re.compile(rb"\.jp\b|\+81\b|\bJapan\b|\bTokyo\b|\bOsaka\b|\bJPY\b"),
    "zh-Hans": re.compile(rb"\.cn\b|\+86\b|\bChina\b|\bShanghai\b|\bBeijing\b|\bShenzhen\b|@(?:qq|163|126)\.com"),
    "zh-Hant": re.compile(rb"\.(?:tw|hk)\b|\+88?[56]2?\b|\bTaiwan\b|\bTaipei\b|\bHong Kong\b"),
    "es": re.compile(rb"\.(?:es|mx|ar|cl|pe|fr|de|br)\b|\+3[34]\b|\+5[2-7]\b|\bSpain\b|\bMexico\b|\bS\.A\.|\bS\.L\."),
}


def guess(data: bytes) -> str:
    """Return the most plausible of ``CANDIDATES`` for text that is no flawless UTF-8, or might be so by chance."""
    sample = _sample(data)
    hints = {language: min(len(pattern.findall(sample)), 2) for language, pattern in _COUNTRIES.items()}
    return max(
        CANDIDATES, key=lambda name: _plausibility(sample, name) + _COUNTRY * hints.get(LANGUAGES.get(name, ""), 0)
    )


def _sample(data: bytes) -> bytes:
    """Return the lines that are not ASCII: from the beginning, where the names of the columns are, and from within."""
    step = max((len(data) - _HEAD_BYTES) // (_SLICES + 1), 1)
    parts = [_foreign_lines(data[: 1 << 16], _HEAD_BYTES)]
    if len(data) > 1 << 16:
        for number in range(1, _SLICES + 1):
            begin = data.find(b"\n", _HEAD_BYTES + number * step) + 1  # no trail byte is a line feed
            parts.append(_foreign_lines(data[begin : begin + (1 << 14)], _SLICE_BYTES))
    return b"\n".join(parts)


def _foreign_lines(data: bytes, most: int) -> bytes:
    found: list[bytes] = []
    size = 0
    for line in data.split(b"\n"):
        if size >= most:
            break
        if line and not line.isascii():
            found.append(line[:most])
            size += len(line)
    return b"\n".join(found)


def _plausibility(sample: bytes, encoding: str) -> float:
    text = sample.decode(encoding, errors="replace")
    weights = _weights(encoding)
    total = _PRIOR[encoding]
    for char, times in Counter(text).items():
        total += times * (_ASCII if char < "\x80" else weights.get(char) or _rest(char, encoding))
    if encoding == "cp1252":  # letters with accents stand among others, hardly ever side by side
        total += _WORD_BREAK * len(_FOREIGN_RUN.findall(text))
    family = _family(LANGUAGES.get(encoding, ""))
    for first in _CELL_START.findall(text) if family else ():
        total += _FAMILY if first in family else _NO_FAMILY
    return total + _headers(text)


def _headers(text: str) -> float:
    """Value the column names in the line that has most of them."""
    return max((_header_line(line) for line in text.splitlines()[:_HEADER_LINES]), default=0.0)


def _header_line(line: str) -> float:
    found = {key for part in re.split(r"[,\t;|]", line) if not part.isascii() and _is_alias(key := folded(part[:40]))}
    return sum(_HEADER if len(key) > 1 else _SHORT_HEADER for key in found)


def _is_alias(key: str) -> bool:
    return not key.isascii() and key in aliases.by_alias()


def _rest(char: str, encoding: str) -> float:
    """Return the weight of a character that is in none of the tables."""
    code = ord(char)
    if code == 0xFFFD or 0xE000 <= code <= 0xF8FF or 0x80 <= code < 0xA0:
        return _LOST
    if encoding == "utf-8":
        return -5.0 if code > 0x7FF or code < 0x180 else -9.0
    if encoding == "cp1252":
        return -8.0
    if 0x3000 <= code <= 0x303F or 0xFF01 <= code <= 0xFF5E or 0x2460 <= code <= 0x2473 or 0x3200 <= code <= 0x33FF:
        return -7.5
    if 0xFF61 <= code <= 0xFF9F:  # half-width kana: what cp932 makes of nearly every Korean byte
        return -9.0
    return -15.0 if code > 0x2E80 else -12.0


@cache
def _weights(encoding: str) -> dict[str, float]:
    """Return the logarithm of how probable each usual character is, the rarest class first."""
    found: dict[str, float] = {}
    for share, chars in _classes(encoding):
        kinds = set(chars)
        found |= dict.fromkeys(kinds, math.log(share / len(kinds)))
    return found


def _classes(encoding: str) -> Iterator[tuple[float, Iterable[str]]]:
    """Yield (share of the text, characters), from the rare to the common."""
    upper = range(0xA1, 0xFF)
    if encoding == "cp1252":
        yield 0.05, _WESTERN_SIGNS
        yield 0.95, _WESTERN
        return
    if encoding == "utf-8":
        yield 0.95, _WESTERN
        return
    language = LANGUAGES[encoding]
    if language == "ko":
        yield 0.002, _rows("euc_kr", range(0xCA, 0xFE), upper)
        yield 0.08, _rows("euc_kr", range(0xB0, 0xC9), upper)
    elif language == "ja":
        yield 0.01, _rows("euc_jp", range(0xD0, 0xF5), upper)
        yield 0.12, _rows("euc_jp", range(0xB0, 0xD0), upper)
        yield 0.10, _rows("euc_jp", (0xA4,), upper)
        yield 0.25, [*_rows("euc_jp", (0xA5,), upper), "ー", "・"]
    elif language == "zh-Hans":
        yield 0.01, _rows("gb2312", range(0xD8, 0xF8), upper)
        yield 0.15, _rows("gb2312", range(0xB0, 0xD8), upper)
    else:
        trails = [*range(0x40, 0x7F), *upper]
        yield 0.01, _rows("big5", range(0xC9, 0xFA), trails)
        yield 0.15, _rows("big5", range(0xA4, 0xC7), trails)
    yield 0.5, _letters()[language]["common"]
    yield 0.35, _letters()[language]["family"]


@cache
def _letters() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("letters.json").read_text(encoding="utf-8"))
    return found


@cache
def _family(language: str) -> frozenset[str]:
    return frozenset(_letters().get(language, {}).get("family", ""))


def _rows(codec: str, leads: Iterable[int], trails: Iterable[int]) -> frozenset[str]:
    pairs = (bytes([lead, trail]) for lead in leads for trail in trails)
    return frozenset("".join(pair.decode(codec, errors="ignore") for pair in pairs))
