"""Reads the tables of a web page: what many registration systems hand out under the name of a workbook.

Runs in the child process of ``workbook_child``, so a page built to be slow or large ends there.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import IO, Any

from crm.imports import encodings, limits
from crm.imports.encodings import Encoding
from crm.imports.records import FileUnreadable
from crm.imports.spool import SheetWriter

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n ?")
_SILENT = frozenset({"script", "style", "title"})
_BREAKS = frozenset({"br", "p", "div", "li"})
_MOST_ACROSS, _MOST_DOWN = 1000, 65_534  # the bounds of HTML itself
_MOST_TABLES = 1000


@dataclass
class _Table:
    rows: list[list[Any]] = field(default_factory=list)
    merged: list[Any] = field(default_factory=list)
    links: list[Any] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)
    taken: dict[int, int] = field(default_factory=dict)
    """Columns that a cell further up reaches into: column → its last row."""
    cell: list[str] | None = None
    at: tuple[int, int] = (0, 0)


class _Reader(HTMLParser):
    """Collects the tables; one inside another is a table of its own."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[_Table] = []
        self.open: list[_Table] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self.silent += 1
        elif tag == "table":
            self._begin_table()
        elif not self.open:
            return
        elif tag == "tr":
            self._begin_row(dict(attrs))
        elif tag in ("td", "th"):
            self._begin_cell(dict(attrs))
        elif tag in _BREAKS:
            self._add("\n")
        elif tag == "a":
            self._link(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent = max(self.silent - 1, 0)
        elif not self.open:
            return
        elif tag == "table":
            self._end_cell()
            self.open.pop()
        elif tag in ("td", "th", "tr"):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self.open and not self.silent:
            self._add(data.replace("\r", " ").replace("\n", " "))

    def _begin_table(self) -> None:
        table = _Table()
        self.tables.append(table)
        self.open.append(table)
        if len(self.tables) > _MOST_TABLES:
            raise FileUnreadable("workbook_too_heavy")

    def _begin_row(self, attrs: dict[str, str | None]) -> None:
        self._end_cell()
        table = self.open[-1]
        if _HIDDEN.search(attrs.get("style") or ""):
            table.hidden.append(len(table.rows))
        table.rows.append([])
        if len(table.rows) > limits.MAX_ROWS + limits.TITLE_ROWS:
            raise FileUnreadable("too_many_rows")

    def _begin_cell(self, attrs: dict[str, str | None]) -> None:
        self._end_cell()
        table = self.open[-1]
        if not table.rows:
            table.rows.append([])
        top, row = len(table.rows) - 1, table.rows[-1]
        while table.taken.get(len(row), -1) >= top:
            row.append("")
        left = len(row)
        right = left + _span(attrs.get("colspan"), _MOST_ACROSS) - 1
        bottom = top + _span(attrs.get("rowspan"), _MOST_DOWN) - 1
        row.extend([""] * (right + 1 - left))
        if len(row) > limits.MAX_COLUMNS:
            raise FileUnreadable("workbook_too_heavy")
        if bottom > top:
            table.taken.update(dict.fromkeys(range(left, right + 1), bottom))
        if bottom > top or right > left:
            table.merged.append(((top, left), (bottom, right)))
        table.cell, table.at = [], (top, left)

    def _end_cell(self) -> None:
        table = self.open[-1]
        if table.cell is None:
            return
        row, column = table.at
        text = _SPACES.sub(" ", "".join(table.cell))
        table.rows[row][column] = _LINES.sub("\n", text).strip()
        table.cell = None

    def _add(self, text: str) -> None:
        cell = self.open[-1].cell
        if cell is not None:
            cell.append(text)

    def _link(self, target: str) -> None:
        table = self.open[-1]
        if table.cell is not None and target[:7].lower() == "mailto:":
            table.links.append([*table.at, target[7:]])


def _span(text: str | None, most: int) -> int:
    digits = (text or "").strip()[:6]
    number = int(digits) if digits.isascii() and digits.isdigit() else 1
    return min(number or most, most)  # 0 means: to the end


def read(data: bytes, target: IO[bytes], chosen: str) -> dict[str, Any]:
    """Write the tables of a page to ``target`` and return the list of them, as for a workbook.

    ``chosen`` is the encoding the user chose, or empty. Raises FileUnreadable when the page has no table.
    """
    encoding = _encoding(data, chosen)
    text = encodings.open_text(data, encoding).read()
    reader = _Reader()
    reader.feed(text)
    reader.close()
    while reader.open:  # a page that was cut off
        reader.handle_endtag("table")
    tables = [table for table in reader.tables if any(map(any, table.rows))]
    if not tables:
        raise FileUnreadable("html_not_read")
    names = [str(number) for number in range(1, len(tables) + 1)] if len(tables) > 1 else [None]
    sheets = [_write(table, target, name) for table, name in zip(tables, names, strict=True)]
    notes: list[Any] = [("encoding_guessed", {"encoding": encoding.name})] if encoding.guessed else []
    damaged = text.count("\ufffd")
    notes += [("encoding_damaged", {"count": damaged})] if damaged else []
    about = {"format": "html", "encoding": encoding.name, "date_1904": False, "macros": False}
    return about | {"sheets": sheets, "notes": notes}


def _write(table: _Table, target: IO[bytes], name: str | None) -> dict[str, Any]:
    writer = SheetWriter(target, name, table.merged, table.links, table.hidden)
    for row in table.rows:
        writer.write(row)
    return writer.close()


def _encoding(data: bytes, chosen: str) -> Encoding:
    """Take the encoding the page names, unless its bytes say otherwise."""
    if chosen:
        return encodings.of(data, chosen)
    seen = encodings.of(data)
    named = _CHARSET.search(data[:4096])
    if not named or not seen.guessed:
        return seen
    try:
        stated = encodings.of(data, named[1].decode())
    except LookupError:
        return seen
    return seen if encodings.count_damaged(data, stated) > encodings.count_damaged(data, seen) else stated
