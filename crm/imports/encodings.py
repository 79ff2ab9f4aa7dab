"""Finds and undoes the encoding of a text file, without ever holding its text as a whole.

A byte order mark, the zero bytes of UTF-16, the escapes of ISO-2022-JP and strict UTF-8 are certain. What remains is
guessed from a sample, see ``guessing``. Decoding never fails: what cannot be decoded becomes U+FFFD and is counted.
"""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TextIO

from crm.imports import guessing

_BLOCK = 1 << 18
_HEAD = 4096
_ASCII = bytes(range(128))
_FEW = 24
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030", "gb18030"),
)
# The Windows code pages hold more than the standards they are named after, and are what such files really are.
_MEANT = {
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz": "gb18030",
    "big5": "cp950",
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso2022_jp": "iso2022_jp_ext",
    "utf-8-sig": "utf-8",
}
# What lies beyond the usual code page, tried when that one leaves characters unread.
_WIDER = {"cp950": "big5hkscs", "euc_jp": "euc_jis_2004"}
# Names in use that Python does not know.
_OTHER_NAMES = {
    "ansi": "cp1252",
    "windows-949": "cp949",
    "x-windows-949": "cp949",
    "windows-932": "cp932",
    "windows-31j": "cp932",
    "x-sjis": "cp932",
    "windows-936": "gb18030",
    "windows-950": "cp950",
    "x-euc-jp": "euc_jp",
    "unicode": "utf-16",
    "euc-tw": "cp950",
}
_READ = frozenset(
    {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp949", "johab", "cp932", "euc_jp", "euc_jis_2004"}
    | {"iso2022_jp_ext", "gb18030", "cp950", "big5hkscs", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1258"}
    | {"cp874", "cp437", "cp850", "mac-roman", "iso8859-2", "iso8859-9", "iso8859-15", "koi8-r"}
)


@dataclass(frozen=True)
class Encoding:
    """How a file is decoded: the name that is shown, Python's codec, the mark's length, and whether it is a guess.

    ``whole`` says that the bytes were seen to decode without loss.
    """

    name: str
    codec: str
    mark: int = 0
    guessed: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Decoded:
    """The text of a small file, how it was decoded, whether that was a guess, and how many characters were lost."""

    text: str
    encoding: str
    guessed: bool
    damaged: int


def of(data: bytes, chosen: str | None = None) -> Encoding:
    """Return the encoding of ``data``: the one ``chosen`` by the user, or what the bytes show.

    Raises LookupError when ``chosen`` is no encoding that is read.
    """
    return _chosen(data, chosen) if chosen else _certain(data) or _guess(data)


def detect(data: bytes) -> tuple[str, bool]:
    """Return the encoding's name and whether it is a guess."""
    found = of(data)
    return found.name, found.guessed


def open_text(data: bytes, encoding: Encoding) -> TextIO:
    """Return the text as a stream; line ends stay as they are. What cannot be decoded becomes U+FFFD."""
    return text_of(io.BytesIO(data), encoding)  # shares the bytes, no copy


def text_of(file: IO[bytes], encoding: Encoding) -> TextIO:
    """Return the text of a whole file; else as ``open_text``."""
    file.seek(encoding.mark)
    return io.TextIOWrapper(file, encoding.codec, errors="replace", newline="")


def count_damaged(data: bytes, encoding: Encoding) -> int:
    """Return how many characters of the text cannot be read, those the file itself has lost included."""
    if encoding.whole:
        return data.count("\ufffd".encode())
    return sum(text.count("\ufffd") for text in _decoded(data, encoding, "replace"))


def decode(data: bytes, chosen: str | None = None) -> Decoded:
    """Decode a whole small file. Never fails but for an unknown ``chosen`` (LookupError)."""
    encoding = of(data, chosen)
    text = "".join(_decoded(data, encoding, "replace"))
    return Decoded(text, encoding.name, encoding.guessed, text.count("\ufffd"))


def _chosen(data: bytes, name: str) -> Encoding:
    codec = codec_of(name)
    for mark, _shown, marked in _MARKS:
        if data.startswith(mark) and codec in (marked, "utf-16"):
            return Encoding(codec, marked, len(mark))
    if codec == "utf-16":  # without a mark: the side of the zero bytes tells
        codec = _utf16_side(data) or "utf-16-le"
    return _wider(data, Encoding(codec, codec))


def codec_of(name: str) -> str:
    """Return the codec that is meant by an encoding's name or alias. Raises LookupError when it is none we read."""
    plain = name.strip().casefold()
    if "\x00" in plain:
        raise LookupError(name)
    found = codecs.lookup(_OTHER_NAMES.get(plain.replace("_", "-"), plain)).name
    found = _MEANT.get(found, found)
    if found not in _READ:
        raise LookupError(name)
    return found


def _certain(data: bytes) -> Encoding | None:
    for mark, shown, codec in _MARKS:
        if data.startswith(mark):
            return Encoding(shown, codec, len(mark))
    side = _utf16_side(data)
    if side:
        return Encoding(side, side)
    if data.isascii():
        return Encoding("iso2022_jp", "iso2022_jp_ext") if b"\x1b$" in data or b"\x1b(I" in data else _UTF8
    if not _is_utf8(data):
        return None
    return None if _may_be_chance(data) else _UTF8


def _may_be_chance(data: bytes) -> bool:
    """Tell whether UTF-8 is no proof: a few bytes, two to a character, are often valid in it by accident."""
    foreign = data.translate(None, _ASCII)
    return len(foreign) <= _FEW and max(foreign) < 0xE0


_UTF8 = Encoding("utf-8", "utf-8", whole=True)


def _utf16_side(data: bytes) -> str | None:
    """Tell which byte of each pair is zero for separators, line ends and Latin letters; None when neither is."""
    head = data[: _HEAD & ~1] if len(data) > _HEAD else data[: len(data) & ~1]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    least = max(2, len(head) // 50)
    if max(even, odd) < least or max(even, odd) < 8 * min(even, odd):
        return None
    codec = "utf-16-le" if odd > even else "utf-16-be"
    text = head.decode(codec, errors="replace")
    is_text = text.count("\ufffd") * 20 <= len(text) and any(sign in text for sign in ",\t;|\n")
    return codec if is_text else None


def _is_utf8(data: bytes) -> bool:
    try:
        for _text in _decoded(data, _UTF8, "strict"):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _guess(data: bytes) -> Encoding:
    name = guessing.guess(data)
    if name == "utf-8" and _is_utf8(data):
        return _UTF8
    return _wider(data, Encoding(name, name, guessed=True))


def _wider(data: bytes, encoding: Encoding) -> Encoding:
    """Take the wider set of characters when it reads what the usual one does not."""
    wider = _WIDER.get(encoding.codec)
    if not wider:
        return encoding
    other = Encoding(wider, wider, guessed=encoding.guessed)
    damaged = count_damaged(data, encoding)
    return other if damaged and count_damaged(data, other) < damaged else encoding


def _decoded(data: bytes, encoding: Encoding, errors: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding.codec)(errors)
    for start in range(encoding.mark, len(data), _BLOCK):
        yield decoder.decode(data[start : start + _BLOCK])
    yield decoder.decode(b"", final=True)
