"""What keeps a letter from being written: facts it needs, and values its text prints without having asked. Pure."""

import re
from collections.abc import Iterator

from crm.drafts.placeholders import PLACEHOLDERS, Facts, values
from crm.drafts.templates import CLOSE, OPEN, Letter

_PRINTED = re.compile(f"{OPEN}§(\\w+)§{CLOSE}")


class _Gap(str):
    """A value that is not known: false where a template asks for it, told by its name where the template prints it."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[str]:
        return iter(())


def needed(letter: Letter, facts: Facts, language: str) -> list[str]:
    """Return the placeholders without which the letter must not be written, and whose facts are not known."""
    names: tuple[str, ...] = getattr(letter, "needs", ())
    return [name for name in names if _empty(PLACEHOLDERS[name].value(facts, language))]


def printed(letter: Letter, facts: Facts, language: str) -> list[str]:
    """Return the placeholders that the letter prints without having asked, and whose facts are not known."""
    known = values(facts, language)
    gaps = {name: _Gap(f"§{name}§") for name in letter.placeholders if _empty(known[name])}
    filled = letter.compiled[language].render({**known, **gaps})
    return list(dict.fromkeys(_PRINTED.findall(filled)))


def where(name: str) -> str:
    """Return the page on which a placeholder's fact is filled in."""
    return str(getattr(PLACEHOLDERS[name], "where", "contact"))


def _empty(value: object) -> bool:
    return not value.strip() if isinstance(value, str) else not value
