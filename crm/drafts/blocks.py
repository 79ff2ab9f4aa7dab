"""A letter's file as its blocks, taken apart and put together again without touching what nobody changed. Pure.

A file is what stands before the first ``[[name]]`` line, then each such line with the text below it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_HEADING = re.compile(r"^\[\[([a-z][a-z0-9_]*(?: [2-9]|  *\d{2})?)\]\][ \t]*$")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
SUBJECT = "subject"


@dataclass(frozen=True)
class Block:
    """One block of a file: its key (``opening``, ``opening 2``), its heading, its text, and the line it begins at."""

    key: str
    heading: str
    body: str
    line: int

    @property
    def text(self) -> str:
        """Return the text as it is edited: without the empty lines around it."""
        return _trimmed(self.body)

    @property
    def name(self) -> str:
        """Return the block this is a wording of."""
        return self.key.partition(" ")[0]


@dataclass(frozen=True)
class Written:
    """A file taken apart; ``joined`` puts it together, byte for byte."""

    head: str
    blocks: tuple[Block, ...]

    @property
    def texts(self) -> dict[str, str]:
        """Return the text of each block by its key."""
        return {block.key: block.text for block in self.blocks}

    def block_at(self, line: int | None) -> str:
        """Return the key of the block that a line belongs to, or an empty text."""
        before = [block.key for block in self.blocks if line is not None and block.line <= line]
        return before[-1] if before else ""


def split(text: str) -> Written:
    """Take a file apart."""
    head, blocks = "", []
    key = heading = body = ""
    start = 0
    for number, line in enumerate(_LINE.findall(text), 1):
        found = _HEADING.match(line.rstrip("\r\n"))
        if not found:
            if start:
                body += line
            else:
                head += line
            continue
        if start:
            blocks.append(Block(key, heading, body, start))
        key, heading, body, start = " ".join(found[1].split()), line, "", number
    if start:
        blocks.append(Block(key, heading, body, start))
    return Written(head, tuple(blocks))


def joined(written: Written) -> str:
    """Put a file together."""
    return written.head + "".join(block.heading + block.body for block in written.blocks)


def keys_of(names: Sequence[str], written: Written) -> list[str]:
    """Return the keys of a letter in its order: the subject, then each block with the wordings that it has."""
    found: dict[str, list[str]] = {}
    for block in written.blocks:
        found.setdefault(block.name, []).append(block.key)
    return [key for name in (SUBJECT, *names) for key in found.get(name, [name])]


def rewritten(text: str, keys: Sequence[str], texts: Mapping[str, str], *, optional: bool = False) -> str:
    """Return a file with other texts in its blocks, in the order of ``keys``; what is the same keeps its bytes.

    Blocks that are not in ``keys`` go. Further wordings without a text go too, and so does every block without one in
    a variant (``optional``), where the language it belongs to speaks.
    """
    present = split(text)
    known = {block.key: block for block in present.blocks}
    wanted = [key for key in keys if tidy(texts.get(key, "")) or not (optional or " " in key)]
    blocks = []
    for number, key in enumerate(wanted):
        new, old = tidy(texts.get(key, "")), known.get(key)
        if old is not None and tidy(old.body) == new and (old.body.strip() == "" or _ends_well(old, number, wanted)):
            blocks.append(old)
        else:
            end = "\n" if number + 1 == len(wanted) else "\n\n"
            blocks.append(Block(key, f"[[{key}]]\n", f"{new}{end}" if new else end[1:], 0))
    return joined(Written(present.head, tuple(blocks)))


def _ends_well(block: Block, number: int, wanted: Sequence[str]) -> bool:
    return number + 1 == len(wanted) or block.body.endswith("\n")


def tidy(text: str) -> str:
    """Return the text of a block as it is stored: line ends of here, no empty lines around it."""
    return _trimmed(text.replace("\r\n", "\n").replace("\r", "\n"))


def _trimmed(text: str) -> str:
    return re.sub(r"\A(?:[ \t]*\r?\n)+", "", text).rstrip()
