"""Finds the header line of a table and what each column is. Pure; the names come from aliases.json."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, zip_longest

from crm.imports import aliases
from crm.imports.records import Cell, Column, Table
from crm.imports.text import cell_text, folded, one_line, unwrapped

HEADER_SEARCH = 25
LEAST_FIELDS = 3
CARD_STATE = "card_state"
"""The column in which a source of address cards says that a card is no contact."""

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
_PERSONS_IN_CHARGE = ("담당자", "담당자명", "담당자 성명", "担当者", "担当者名", "负责人", "对接人", "負責人", "窗口")
_IN_CHARGE = {folded(word) for word in (*_PERSONS_IN_CHARGE, "Responsable", "PIC", "Person in Charge")}
_BARE_NAME = {folded(word) for word in ("이름", "Nombre", "Name")}
_OUTLOOK_SIGNS = {folded(word) for word in ("Sensitivity", "숨김", "秘密度", "敏感度", "Confidencialidad")}
_OUTLOOK_PRIORITY = {folded(word) for word in ("Priority", "우선 순위", "優先度", "优先级", "優先順序", "Prioridad")}


@dataclass(frozen=True)
class Head:
    """Where a table begins: the header texts, the record of the header line (-1: none) and the first record of data.

    ``lines`` are the cells of the header's lines, for recognising them when they come again after a page break.
    """

    index: int
    first: int
    texts: list[str]
    lines: tuple[tuple[str, ...], ...] = ()


def known_names(row: Sequence[Cell]) -> int:
    """Return how many different fields the cells of a line name without guessing."""
    return _names_in(row)[0]


def _names_in(row: Iterable[Cell]) -> tuple[int, int]:
    """Return how many different fields a line names without guessing, and how many with."""
    hits = [hit for cell in row if (hit := match(cell_text(cell)))]
    return len({name for name, how in hits if how == "exact"}), len({name for name, _how in hits})


def find_header(table: Table) -> int | None:
    """Return the index of the header line among the first 25 records, or None when this is no table.

    It is the line that names most different fields, at least three, and holds no mail address. Of a narrow list it may
    name fewer, when the line above completes it or when it names nothing else and addresses stand below.
    """
    places = [index for index, row in enumerate(table.head[:HEADER_SEARCH]) if not _has_address(row)]
    scores = [(*_names_in(_with_merged(table, index)), -index) for index in places]
    exact, guessed, place = max(scores, default=(0, 0, 0))
    if exact >= LEAST_FIELDS or (exact == LEAST_FIELDS - 1 and guessed >= LEAST_FIELDS):
        return -place
    fitting = (index for index in places if known_names(_texts(table, index)) and _is_completed(table, index))
    narrow = (index for index in places if _names_narrow_list(table.head[index], table.head[index + 1 :]))
    return next(fitting, next(narrow, None))


def _is_completed(table: Table, index: int) -> bool:
    own = len(_filled(_texts(table, index)))
    return index > 0 and own > 1 and known_names([*header_texts(table, index)]) >= LEAST_FIELDS


def _has_address(row: Sequence[Cell]) -> bool:
    return any("@" in cell_text(cell) for cell in row)


def _names_narrow_list(row: Sequence[Cell], below: Sequence[Sequence[Cell]]) -> bool:
    hits = {position: match(text) for position, cell in enumerate(row) if (text := cell_text(cell).strip())}
    if not hits or not all(hit and hit[1] == "exact" for hit in hits.values()):
        return False
    position = next((place for place, hit in hits.items() if hit and hit[0] == "email"), None)
    return position is not None and any(
        position < len(line) and "@" in cell_text(line[position]) for line in below[:HEADER_SEARCH]
    )


def read_head(table: Table, index: int) -> Head:
    """Return the header that begins at record ``index`` (from 0); it may go on in the next record."""
    texts = header_texts(table, index)
    lines = [_filled(texts)]
    if index and len(_filled(_texts(table, index - 1))) > 1:
        lines.append(_filled(_texts(table, index - 1)))
    below = _texts(table, index + 1)
    joined = _stacked(texts, below)
    if joined is None:
        return Head(index, index + 1, texts, tuple(lines))
    return Head(index, index + 2, joined, (*lines, _filled(below)))


def without_header(width: int) -> Head:
    """Return the head of a table that has none: its columns are named by their numbers."""
    return Head(-1, 0, [f"#{number}" for number in range(1, width + 1)])


def _filled(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(text for text in texts if text)


def _texts(table: Table, index: int) -> list[str]:
    if not 0 <= index < len(table.head):
        return []
    return [cell_text(cell).strip() for cell in _with_merged(table, index)]


def header_texts(table: Table, index: int) -> list[str]:
    """Return the header cells; a blank one takes the name above it, an unknown one may need the group above it."""
    texts = _texts(table, index)
    above = _texts(table, index - 1)
    for position, upper in enumerate(above):
        if upper and match(upper):
            texts.extend([""] * (position + 1 - len(texts)))
            texts[position] = texts[position] or upper
    groups = _carried(above)
    return [_with_group(text, group) for text, group in zip_longest(texts, groups[: len(texts)], fillvalue="")]


def _carried(above: Sequence[str]) -> list[str]:
    """The name of a group stands over its first column only."""
    return list(accumulate(above, _text_or_group))


def _text_or_group(group: str, text: str) -> str:
    return text or group


def _with_group(text: str, group: str) -> str:
    if not text or not group or match(text):
        return text
    both = (f"{group} {text}", f"{text} {group}")
    return next((whole for whole in both if _is_exact(whole)), text)


def _is_exact(text: str) -> bool:
    hit = match(text)
    return hit is not None and hit[1] == "exact"


def _stacked(texts: Sequence[str], below: Sequence[str]) -> list[str] | None:
    """Return the header that two lines make together: one over the other (Company/Name), or one in two languages."""
    filled = _filled(below)
    if len(filled) < 2 or any(c.isdigit() or c == "@" for text in filled for c in text):
        return None
    pairs = list(zip_longest(texts, below, fillvalue=""))
    together = sum(bool(lower) and bool(upper) and _is_exact(f"{upper} {lower}") for upper, lower in pairs)
    if together >= 2 and together * 2 >= len(filled):
        return [f"{upper} {lower}" if _is_exact(f"{upper} {lower}") else upper or lower for upper, lower in pairs]
    if known_names(below) >= LEAST_FIELDS and sum(map(_is_exact, filled)) * 2 >= len(filled):
        return [upper if match(upper) or not lower else f"{upper} / {lower}".strip(" /") for upper, lower in pairs]
    return None


def _with_merged(table: Table, index: int) -> list[Cell]:
    row = list(table.head[index])
    for (line, column), value in table.across.items():
        if line == index and column < len(row) and row[column] in ("", None):
            row[column] = value
    return row


def fingerprint(headers: Sequence[str]) -> str:
    """Return a short mark of a header line: equal for the same columns in the same order, whatever case and spaces."""
    text = "\x1f".join(folded(one_line(header)) for header in headers)
    return hashlib.sha256(text.strip("\x1f").encode()).hexdigest()[:32]


def canonical_columns(headers: Sequence[str]) -> list[Column]:
    """Return the columns of a source that names fields itself (address cards)."""
    known = aliases.fields()
    return [
        Column(index, header, header if header in known or header == CARD_STATE else None, "exact")
        if header
        else Column(index, header, None, "unmapped")
        for index, header in enumerate(headers)
    ]


def columns(headers: Sequence[str], chosen: Mapping[str, str] | None = None) -> list[Column]:
    """Return what each column is. ``chosen`` maps a header as written to a field name, or to "" for 'unknown'.

    What must never be stored cannot be chosen to be something else.
    """
    chosen = chosen or {}
    found = []
    for index, header in enumerate(headers):
        if header in chosen and not _is_secret(header):
            found.append(Column(index, header, chosen[header] or None, "chosen"))
            continue
        hit = match(header)
        if hit is None or hit[1] == "guessed":
            hit = _private(header) or hit
        found.append(Column(index, header, *hit) if hit else Column(index, header, None, "unmapped"))
    return _in_context(found)


def _is_secret(header: str) -> bool:
    hit = match(header)
    return hit == ("sensitive", "exact") or (_private(header) is not None and (hit is None or hit[1] == "guessed"))


def _private(header: str) -> tuple[str, str] | None:
    """Private addresses and numbers (Outlook's Home columns) are never stored."""
    return ("sensitive", "exact") if _PRIVATE.match(one_line(header)) else None


@lru_cache(maxsize=2048)
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
    if text.rstrip().endswith(("?", "？")):
        return None  # a question of the booth: its answers stay under its own words
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
    if key in _IN_CHARGE and name == "full_name" and _has_other_names(fields, keys):
        return replace(column, field="captured_by", certainty="guessed")
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


def _has_other_names(fields: Counter[str | None], keys: set[str]) -> bool:
    """With a name column beside it, “담당자” is who of ours met them; alone it is the person at the firm."""
    return bool(fields["family_name"]) or fields["full_name"] > len(keys & _IN_CHARGE)


def home_language(headers: Sequence[str]) -> str | None:
    """Return the language that most headers, and more than half of all, are written in; None when they do not say."""
    votes = Counter(language for header in headers for language in aliases.languages_of(header))
    ranked = votes.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    if ranked[0][1] * 2 <= sum(1 for header in headers if header.strip()):
        return None
    return ranked[0][0]
