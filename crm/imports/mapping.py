"""Finds the header line of a table and what each column is. Pure; the names come from aliases.json."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from crm.imports import aliases
from crm.imports.records import Cell, Column, Table
from crm.imports.text import cell_text, folded, one_line, unwrapped

HEADER_SEARCH = 25
LEAST_FIELDS = 3

_SIGNS = {"#": "seq", "〒": "postal_code", "№": "seq"}
_NUMBERING = re.compile(r"^\s*(?:\d{1,2}\s*[.)]\s*|[①-⑳]\s*)(?=\D)")
_REMARK = re.compile(
    r"[*＊]|[(（\[]\s*(?:필수|선택|복수\s*선택|required|optional|multiple|必須|任意|必填|选填|選填|複数回答可|obligatorio)"
    r"[^)）\]]*[)）\]]",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"[(（\[［〔<]([^)）\]］〕>]*)[)）\]］〕>]")
_PRIVATE = re.compile(r"^(?:home\s|자택|집\s|自宅|住宅|家庭|住家|其他地址)", re.IGNORECASE)
# Headers whose meaning hangs on the columns beside them.
_BARE_NAME = {folded(word) for word in ("이름", "Nombre", "Name")}
_OUTLOOK_SIGNS = {folded(word) for word in ("Sensitivity", "숨김", "秘密度", "敏感度", "Confidencialidad")}
_OUTLOOK_PRIORITY = {folded(word) for word in ("Priority", "우선 순위", "優先度", "优先级", "優先順序", "Prioridad")}


def known_names(row: Sequence[Cell]) -> int:
    """Return how many different fields the cells of a line name without guessing."""
    found = (match(cell_text(cell)) for cell in row)
    return len({hit[0] for hit in found if hit and hit[1] == "exact"})


def find_header(table: Table) -> int | None:
    """Return the index of the header line among the first 25 records, or None when this is no table.

    It is the line that names most different fields, at least three, and holds no mail address.
    """
    scores = [
        (known_names(_with_merged(table, index)), -index)
        for index, row in enumerate(table.rows[:HEADER_SEARCH])
        if not any("@" in cell_text(cell) for cell in row)
    ]
    best = max(scores, default=(0, 0))
    return -best[1] if best[0] >= LEAST_FIELDS else None


def header_texts(table: Table, index: int) -> list[str]:
    """Return the header cells; a blank one takes the name that stands above it."""
    texts = [cell_text(cell).strip() for cell in _with_merged(table, index)]
    above = [cell_text(cell).strip() for cell in _with_merged(table, index - 1)] if index else []
    for position, upper in enumerate(above):
        if upper and match(upper):
            texts.extend([""] * (position + 1 - len(texts)))
            texts[position] = texts[position] or upper
    return texts


def _with_merged(table: Table, index: int) -> list[Cell]:
    row = list(table.rows[index])
    for (line, column), value in table.across.items():
        if line == index and column < len(row) and row[column] in ("", None):
            row[column] = value
    return row


def columns(headers: Sequence[str], chosen: Mapping[str, str] | None = None) -> list[Column]:
    """Return what each column is. ``chosen`` maps a header as written to a field name, or to "" for 'unknown'."""
    chosen = chosen or {}
    found = []
    for index, header in enumerate(headers):
        if header in chosen:
            found.append(Column(index, header, chosen[header] or None, "chosen"))
            continue
        hit = match(header)
        if hit is None or hit[1] == "guessed":
            hit = _private(header) or hit
        found.append(Column(index, header, *hit) if hit else Column(index, header, None, "unmapped"))
    return _in_context(found)


def _private(header: str) -> tuple[str, str] | None:
    """Private addresses and numbers (Outlook's Home columns) are never stored."""
    return ("sensitive", "exact") if _PRIVATE.match(one_line(header)) else None


def match(header: str) -> tuple[str, str] | None:
    """Return (field, exact or guessed) for a header as written, or None when nothing fits."""
    text = _REMARK.sub(" ", _NUMBERING.sub("", unwrapped(header)))
    sign = _SIGNS.get(text.strip() or header.strip())
    if sign:
        return sign, "exact"
    known = aliases.by_alias()
    for candidate in _readings(unicodedata.normalize("NFKC", text)):
        name = known.get(candidate) or known.get(candidate.strip("0123456789")) or known.get(_digitless(candidate))
        if candidate and name:
            return name, "exact"
    return _by_ending(folded(text))


def _digitless(key: str) -> str:
    return "".join(c for c in key if not c.isdigit())


def _readings(text: str) -> list[str]:
    bare = _BRACKETS.sub(" ", text)
    inside = _BRACKETS.findall(text)
    parts = [part for whole in (bare, text) for part in re.split(r"[/|\n\r]", whole)]
    return [folded(reading) for reading in (text, bare, *inside, *parts)]


def _by_ending(key: str) -> tuple[str, str] | None:
    if len(key) > 24:
        return None
    for alias, name in aliases.by_length():
        if key.endswith(alias) and len(alias) >= (4 if alias.isascii() else 2):
            return name, "guessed"
    return None


def _in_context(found: list[Column]) -> list[Column]:
    fields = Counter(column.field for column in found)
    keys = {folded(column.header) for column in found}
    japanese = home_language([column.header for column in found]) == "ja"
    return [_reconsidered(column, fields, keys, japanese) for column in found]


def _reconsidered(column: Column, fields: Counter[str | None], keys: set[str], japanese: bool) -> Column:
    """Correct the words that need their neighbours; a choice of the user stays."""
    key = folded(column.header)
    name = column.field
    if column.certainty == "chosen":
        return column
    if key in _BARE_NAME:
        own = 1 if name == "given_name" else 0
        split = fields["family_name"] and fields["given_name"] == own
        name = "given_name" if split else "full_name"
    elif key == "title" and fields["title"] > 1:
        name = "prefix"
    elif key == folded("肩書き"):
        name = "prefix" if fields["title"] else "title"
    elif key == "hp" and japanese:
        name = "website"
    elif key in _OUTLOOK_PRIORITY and keys & _OUTLOOK_SIGNS:
        name = "ignored"
    return replace(column, field=name)


def home_language(headers: Sequence[str]) -> str | None:
    """Return the language that most headers, and more than half of all, are written in; None when they do not say."""
    votes = Counter(language for header in headers for language in aliases.languages_of(header))
    ranked = votes.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    if ranked[0][1] * 2 <= sum(1 for header in headers if header.strip()):
        return None
    return ranked[0][0]


def real_width(rows: Sequence[Sequence[Cell]], width: int) -> int:
    """Return the width rows really have: a delimiter at the end of nearly every line is no extra cell."""
    lengths = Counter(len(row) for row in rows if len(row) > 1)
    usual = lengths.most_common(1)[0][0] if lengths else width
    if usual <= width:
        return width
    surplus = (cell for row in rows if len(row) == usual for cell in row[width:])
    return usual if all(cell in ("", None) for cell in surplus) else width
