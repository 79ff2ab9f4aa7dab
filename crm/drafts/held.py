"""What keeps a letter from being written: facts it needs, and values its text prints without having asked. Pure."""

import re
from collections.abc import Iterator

from crm.drafts.placeholders import PLACEHOLDERS, Facts
from crm.drafts.templates import CLOSE, OPEN, Letter, filled, missing

_PRINTED = re.compile(f"{OPEN}§(\\w+)§{CLOSE}")


class _Gap(str):
    """A value that is not known: false where a template asks for it, told by its name where the template prints it."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[str]:
        return iter(())


def lacking(letter: Letter, facts: Facts, language: str, *, country: str | None = None, turn: int = 0) -> list[str]:
    """Return the placeholders whose facts are not known although the letter needs them or prints them unasked."""
    gaps = {name: _Gap(f"§{name}§") for name in letter.placeholders}
    text = filled(letter, language, facts, country=country, turn=turn, instead=gaps)
    return list(dict.fromkeys((*missing(letter, facts, language, country), *_PRINTED.findall(text))))


def where(name: str) -> str:
    """Return the page on which a placeholder's fact is filled in, one of PLACES."""
    return PLACEHOLDERS[name].where
