"""Reads the e-mail cell. An address is never repaired by guessing: a comma may be a mistyped dot."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

from crm.imports.text import unwrapped, without_invisible

_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"\\]+@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_][\w-]*[^\W_]", re.UNICODE)
_PLAIN = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]"
)
_SPLIT = re.compile(r"[;,/、|\s]+|또는|및")
_LABEL = re.compile(r"[a-z0-9-]{2,}(?:\.[a-z0-9-]+)*", re.IGNORECASE)


@dataclass(frozen=True)
class Emails:
    """Addresses in lower case, the pieces that are none, and whether an internal Exchange path stood there."""

    addresses: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()
    exchange: bool = False


def plainly(cell: str) -> str:
    """Return the address of a cell that holds one, plainly written, else an empty text; ``read`` knows the rest."""
    text = cell.strip(" ")
    if len(text) > 64 or not _PLAIN.fullmatch(text):  # the length of the local part alone is bounded to 64
        return ""
    return text.lower()


def read(cell: str) -> Emails:
    """Return the addresses of a cell; a doubtful cell yields none and is named in ``invalid``."""
    text = without_invisible(unicodedata.normalize("NFKC", unwrapped(cell))).strip()
    if re.match(r"/o=", text, re.IGNORECASE):
        return Emails(exchange=True)
    text = re.sub(r"\s*[(\[]\s*at\s*[)\]]\s*", "@", text, flags=re.IGNORECASE)
    text = re.sub(r"\s*@\s*", "@", text)
    inside = re.findall(r"<([^<>]*@[^<>]*)>", text)
    text = ",".join(inside) if inside else text
    if _comma_for_dot(text):
        return Emails(invalid=(text,))
    pieces = [_trimmed(piece) for piece in _SPLIT.split(text)]
    good = [piece.casefold() for piece in pieces if is_address(piece)]
    bad = [piece for piece in pieces if "@" in piece and not is_address(piece)]
    if not good and not bad and text:
        bad = [text]
    return Emails(tuple(dict.fromkeys(good)), tuple(bad))


def is_address(text: str) -> bool:
    """Tell whether ``text`` has the form of one address; any top-level domain passes."""
    if not _ADDRESS.fullmatch(text) or len(text) > 254:
        return False
    local = text.rpartition("@")[0]
    return not (local.startswith(".") or local.endswith(".") or ".." in text) and len(local) <= 64


def _comma_for_dot(text: str) -> bool:
    pieces = re.split(r"\s*,\s*", text)
    return any("@" in first and _LABEL.fullmatch(second) for first, second in pairwise(pieces))


def _trimmed(piece: str) -> str:
    piece = re.sub(r"^mailto:", "", piece.strip("\"'“”‘’()[]<>"), flags=re.IGNORECASE)
    return piece.partition("?")[0].rstrip(".;,>").strip("\"'")
