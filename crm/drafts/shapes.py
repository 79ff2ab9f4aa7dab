"""The forms that blocks take, each worked out once: Markdown read, styles inlined, and only values filled in. Pure.

Of a block there are few forms (its conditions, the lengths of its lists) and many values. A form is worked out with a
sign in the place of each value, which is neither a space nor a mark of Markdown, or with an address in the place of an
address. So a value cannot become Markdown, whatever stands in it. Where a value is of another kind than a line, some
lines or an address, and where a sign does not come out again, the block takes the ordinary way.
"""

import html
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from crm.drafts import markdown
from crm.drafts.bidi import isolated
from crm.drafts.markdown import ADDRESS
from crm.drafts.templates import CLOSE, OPEN, unmarked

Finish = Callable[[str, str], str]
"""What is done to the HTML of a form in a language, such as giving it its styles."""
FORMS = 2048
_FIRST = 0xE100
_VALUE = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
_HOST = "https://v.invalid/"
_SLOT = re.compile(f"{re.escape(_HOST)}(\\d+)/|([\ue100-\uefff])")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


class Form(NamedTuple):
    """A text with gaps: ``pieces`` around them, ``slots`` the number of the value that goes into each."""

    pieces: tuple[str, ...]
    slots: tuple[int, ...]


def plain(marked: str) -> str:
    """Return a block, its values marked, as plain text."""
    literals, values, kinds = _cut(marked)
    form = _plain_form(literals, kinds) if kinds is not None else None
    if form is None:
        return markdown.plain(unmarked(marked))
    return _filled(form, [_unescaped(value) for value in values])


def to_html(marked: str, finish: Finish, language: str) -> str:
    """Return a block, its values marked, as ``finish`` leaves its HTML."""
    literals, values, kinds = _cut(marked)
    form = _html_form(literals, kinds, finish, language) if kinds is not None else None
    if form is None:
        return finish(isolated(markdown.to_html(unmarked(marked))), language)
    return _filled(form, [_as_html(value) for value in values])


def _cut(marked: str) -> tuple[tuple[str, ...], Sequence[str], str | None]:
    """Return what stands around the values, the values, and the kind of each; None where one is of no known kind."""
    parts = _VALUE.split(marked)
    values = parts[1::2]
    kinds = "".join(map(_kind, values))
    return tuple(parts[::2]), values, None if "?" in kinds else kinds


def _kind(value: str) -> str:
    if "://" in value:
        return "a" if ADDRESS.fullmatch(value) else "?"
    return "?" if "\n\n" in value else "t"


@lru_cache(maxsize=FORMS)
def _plain_form(literals: tuple[str, ...], kinds: str) -> Form | None:
    source = _with_signs(literals, kinds)
    return None if source is None else _form(markdown.plain(source), kinds)


@lru_cache(maxsize=FORMS)
def _html_form(literals: tuple[str, ...], kinds: str, finish: Finish, language: str) -> Form | None:
    source = _with_signs(literals, kinds)
    return None if source is None else _form(finish(isolated(markdown.to_html(source)), language), kinds)


def _with_signs(literals: Sequence[str], kinds: str) -> str | None:
    """Return the block with a sign for each value; None where its own text has such a sign, or an orphan of a mark."""
    if any(_SLOT.search(text) or OPEN in text or CLOSE in text for text in literals):
        return None
    signs = [f"{_HOST}{number}/" if kind == "a" else chr(_FIRST + number) for number, kind in enumerate(kinds)]
    return literals[0] + "".join(sign + text for sign, text in zip(signs, literals[1:], strict=True))


def _form(made: str, kinds: str) -> Form | None:
    """Cut what was made where the signs came out; None unless each came out, a line's sign once."""
    pieces, slots, end = [], [], 0
    for found in _SLOT.finditer(made):
        pieces.append(made[end : found.start()])
        slots.append(int(found[1]) if found[1] else ord(found[2]) - _FIRST)
        end = found.end()
    counts = [slots.count(number) for number in range(len(kinds))]
    whole = all(count == 1 or (count and kind == "a") for count, kind in zip(counts, kinds, strict=True))
    return Form((*pieces, made[end:]), tuple(slots)) if whole else None


def _filled(form: Form, values: Sequence[str]) -> str:
    parts = [form.pieces[0]]
    for slot, piece in zip(form.slots, form.pieces[1:], strict=True):
        parts += (values[slot], piece)
    return "".join(parts)


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(r"\1", value) if "\\" in value else value


def _as_html(value: str) -> str:
    return isolated(html.escape(_unescaped(value), quote=False)).replace("\n", "<br>\n")
