"""Says which lines of a table are data and which are titles, remarks, totals or blank. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from crm.imports.mapping import Head
from crm.imports.records import Cell, Column
from crm.imports.text import cell_text

_TOTALS = re.compile(
    r"(?:합\s*계|총\s*계|소\s*계|계|총\s*\d+\s*명|(?:grand\s+|sub)?total|sum|合\s*計|小\s*計|計|计|累計|누계|总\s*计|合\s*计|小\s*计|总计|總計)"
    r"(?![\w])|총\s*\d",
    re.IGNORECASE,
)
_MARKS = ("※", "*", "■", "●", "▶", "#", "◆", "★")
_IDENTIFYING = frozenset(
    {"full_name", "family_name", "given_name", "company", "email", "email_other", "mobile", "phone"}
)
LONG_REMARK = 20
MANY_CELLS = 3


@dataclass
class Kinds:
    """Tells the kinds of lines of one table apart."""

    head: Head
    columns: Mapping[int, Column]

    def __post_init__(self) -> None:
        self.header_lines = set(self.head.lines)
        self.starts = {line[0] for line in self.header_lines if line}

    def above(self, index: int, cells: Sequence[Cell]) -> str:
        """Name a line of the head that is not the header: blank_row, group_header_row or title_row."""
        filled = sum(1 for cell in cells if cell_text(cell).strip())
        if not filled:
            return "blank_row"
        return "group_header_row" if index >= self.head.index - 1 and filled > 1 else "title_row"

    def of(self, texts: Sequence[str], merged: Collection[int] = ()) -> str:
        """Name a line below the header that is no data; empty text when it is data.

        ``merged`` are the places that only repeat the value of a merged range.
        """
        if len(texts) - texts.count("") > MANY_CELLS and not merged and " " not in texts:
            first = texts[0] or next(filter(None, texts))
            if first not in self.starts and not first.isspace() and first.strip() not in self.starts:
                return ""
        filled = {place: text.strip() for place, text in enumerate(texts) if text and place not in merged}
        filled = {place: text for place, text in filled.items() if text}
        if not filled:
            return "blank_row"
        if tuple(filled.values()) in self.header_lines:
            return "repeated_header"
        if len(filled) <= MANY_CELLS and _is_total(filled):
            return "totals_row"
        return self._remark(filled) if len(filled) == 1 else ""

    def _remark(self, filled: Mapping[int, str]) -> str:
        [(position, text)] = filled.items()
        column = self.columns.get(position)
        if "@" in text and column and column.field in ("email", "email_other"):
            return ""
        if text.startswith(_MARKS):
            return "section_row" if len(text) <= LONG_REMARK else "note_row"
        identifying = column is not None and column.field in _IDENTIFYING
        return "note_row" if len(text) > LONG_REMARK and not identifying else ""


def _is_total(filled: Mapping[int, str]) -> bool:
    return bool(_TOTALS.match(next(iter(filled.values())))) and not any("@" in text for text in filled.values())
