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


@dataclass(frozen=True)
class TextLine:
    """A line of two versions of a text: ``same``, ``gone``, ``new``, or ``skip`` where ``number`` equal lines stand."""

    kind: str
    number: int
    text: str = ""


def line_changes(old: str, new: str, *, around: int = 3) -> list[TextLine]:
    """Return what changed line by line, with ``around`` equal lines before and after each change; empty: nothing."""
    before, after = old.splitlines(), new.splitlines()
    found: list[TextLine] = []
    end = 0
    for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(around):
        if group[0][3] > end:
            found.append(TextLine("skip", group[0][3] - end))
        for what, a, b, c, d in group:
            if what == "equal":
                found += [TextLine("same", number + 1, after[number]) for number in range(c, d)]
            else:
                found += [TextLine("gone", number + 1, before[number]) for number in range(a, b)]
                found += [TextLine("new", number + 1, after[number]) for number in range(c, d)]
        end = group[-1][4]
    if found and end < len(after):
        found.append(TextLine("skip", len(after) - end))
    return found
