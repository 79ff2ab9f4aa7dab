"""Says which lines of a table are data and which are titles, remarks, totals or blank. Pure."""

import re
from collections.abc import Mapping

from crm.imports.records import Cell, Column, Table
from crm.imports.text import cell_text

_TOTALS = re.compile(
    r"(?:합\s*계|총\s*계|소\s*계|계|총\s*\d+\s*명|(?:grand\s+|sub)?total|sum|合\s*計|小\s*計|計|总\s*计|合\s*计|小\s*计|总计|總計)"
    r"(?![\w])|총\s*\d",
    re.IGNORECASE,
)
_MARKS = ("※", "*", "■", "●", "▶", "#", "◆", "★")
_IDENTIFYING = frozenset(
    {"full_name", "family_name", "given_name", "company", "email", "email_other", "mobile", "phone"}
)
LONG_REMARK = 20


def above_header(table: Table, index: int, header: int) -> str:
    """Name a line above the header: blank_row, group_header_row or title_row."""
    filled = filled_cells(table, index)
    if not filled:
        return "blank_row"
    return "group_header_row" if index == header - 1 and len(filled) > 1 else "title_row"


def not_data(table: Table, index: int, headers: list[str], columns: Mapping[int, Column]) -> str:
    """Name a line below the header that is no data; empty text when it is data."""
    filled = filled_cells(table, index)
    if not filled:
        return "blank_row"
    if _is_header(table.rows[index], headers):
        return "repeated_header"
    if len(filled) <= 3 and _TOTALS.match(next(iter(filled.values()))) and not any("@" in v for v in filled.values()):
        return "totals_row"
    return _remark(filled, columns) if len(filled) == 1 else ""


def filled_cells(table: Table, index: int) -> dict[int, str]:
    """Return the cells of a line that hold text of their own, not that of a merged range."""
    texts = {column: cell_text(cell).strip() for column, cell in enumerate(table.rows[index])}
    return {column: text for column, text in texts.items() if text and (index, column) not in table.filled}


def _is_header(row: list[Cell], headers: list[str]) -> bool:
    texts = [cell_text(cell).strip() for cell in row]
    return [text for text in texts if text] == [header for header in headers if header]


def _remark(filled: Mapping[int, str], columns: Mapping[int, Column]) -> str:
    [(position, text)] = filled.items()
    column = columns.get(position)
    if "@" in text and column and column.field in ("email", "email_other"):
        return ""
    if text.startswith(_MARKS):
        return "section_row" if len(text) <= LONG_REMARK else "note_row"
    identifying = column is not None and column.field in _IDENTIFYING
    return "note_row" if len(text) > LONG_REMARK and not identifying else ""
