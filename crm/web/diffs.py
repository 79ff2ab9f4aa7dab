"""What changed between two versions of a paragraph, word by word; Chinese and Japanese sign by sign."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

WORD = re.compile(r"[a-zA-Z0-9À-ɏḀ-ỿ가-힣]+|\s+|.", re.DOTALL)


@dataclass(frozen=True)
class Piece:
    """A run of text that stayed (``same``), went (``gone``) or came (``new``)."""

    kind: str
    text: str


def changes(old: str, new: str) -> list[Piece]:
    """Return the pieces of both versions in reading order, what went before what came instead."""
    before, after = WORD.findall(old), WORD.findall(new)
    pieces = []
    for _what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if before[a:b] == after[c:d]:
            pieces.append(Piece("same", "".join(before[a:b])))
        else:
            pieces += [Piece("gone", "".join(before[a:b])), Piece("new", "".join(after[c:d]))]
    return [piece for piece in pieces if piece.text]
