"""Rows on their way from the child process to us: blocks of JSON in a file that has no name any more.

The child may have been taken over by what it read, so nothing that could run code (pickle, marshal) is used, and only
the kinds of values below come out. The last line of the file lists the sheets and the length of each of their blocks.
"""

import json
import os
import weakref
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import partial
from math import isfinite
from typing import IO, Any

from crm.imports.limits import MERGED_CELLS
from crm.imports.records import Cell, FileUnreadable, Table

_BLOCK_CELLS = 4096
_WHOLE = 1e15  # beyond this a float no longer tells its units apart
_PARSERS: dict[str, Callable[[str], Cell]] = {
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "h": time.fromisoformat,
}


class SheetWriter:
    """Writes the rows of one sheet, merged ranges filled in. ``merged``: ((top, left), (bottom, right)) from 0."""

    def __init__(self, file: IO[bytes], name: str | None, merged: list[Any], links: list[Any], hidden: list[int]):
        self.file = file
        self.about: dict[str, Any] = {
            "name": name,
            "links": links,
            "hidden": hidden,
            "blocks": [],
            "filled": [],
            "across": [],
        }
        self.rows = 0
        self._blank = 0
        self._block: list[list[Any]] = []
        self._kinds: list[tuple[int, int, str]] = []
        self._cells = 0
        self._begins: dict[int, list[tuple[int, int, int]]] = {}
        for (top, left), (bottom, right) in merged:
            self._begins.setdefault(top, []).append((left, bottom, right))
        self._open: dict[int, tuple[int, Cell]] = {}

    def write(self, row: list[Any]) -> None:
        """Take the next row. Blank rows are written once a row with something in it follows."""
        if not any(row) and all(cell == "" or cell is None for cell in row):
            self._blank += 1
            return
        self.skip(0)
        while row[-1] == "":
            row.pop()
        self._put(row)

    def skip(self, blank: int) -> None:
        """Write the blank rows passed so far and ``blank`` more."""
        for _ in range(self._blank + blank):
            self._put([])
        self._blank = 0

    def close(self) -> dict[str, Any]:
        """Write what is left and return the sheet's entry of the list at the end."""
        self._flush()
        return self.about

    def _put(self, row: list[Any]) -> None:
        if self._open or self.rows in self._begins:
            self._merge(row)
        for kind in set(map(type, row)):
            if kind is not str:
                self._convert(row)
                break
        self._block.append(row)
        self.rows += 1
        self._cells += len(row) + 1
        if self._cells >= _BLOCK_CELLS:
            self._flush()

    def _merge(self, row: list[Any]) -> None:
        number = self.rows
        for left, (bottom, value) in list(self._open.items()):
            if number > bottom:
                del self._open[left]
                continue
            row.extend([""] * (left + 1 - len(row)))
            row[left] = value
            self._note("filled", [number, left])
        for left, bottom, right in self._begins.pop(number, ()):
            value = row[left] if left < len(row) else ""
            if value == "":
                continue
            if bottom > number:
                self._open[left] = (bottom, value)
            shown = _plain(value)[1]
            for column in range(left + 1, right + 1):
                self._note("across", [number, column, shown])
            row.extend([""] * (right + 1 - len(row)))

    def _note(self, table: str, entry: list[Any]) -> None:
        entries = self.about[table]
        entries.append(entry)
        if len(entries) > MERGED_CELLS:
            raise FileUnreadable("workbook_too_heavy")

    def _convert(self, row: list[Any]) -> None:
        for column, cell in enumerate(row):
            if type(cell) is str:
                continue
            kind, row[column] = _plain(cell)
            if kind:
                self._kinds.append((len(self._block), column, kind))

    def _flush(self) -> None:
        if not self._block:
            return
        content: Any = {"rows": self._block, "kinds": self._kinds} if self._kinds else self._block
        block = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        self.file.write(block)
        self.about["blocks"].append(len(block))
        self._block, self._kinds, self._cells = [], [], 0


def _plain(cell: Any) -> tuple[str, Any]:
    """Return how a cell is written in JSON: its kind (empty for what JSON knows) and the value."""
    if isinstance(cell, float):
        if not isfinite(cell):
            return "", ""
        return "", int(cell) if cell.is_integer() and abs(cell) < _WHOLE else cell
    if isinstance(cell, bool | int | str):
        return "", cell
    if isinstance(cell, datetime):
        return "t", cell.isoformat()
    if isinstance(cell, date):
        return "d", cell.isoformat()
    if isinstance(cell, time):
        return "h", cell.isoformat()
    return "", str(cell) if isinstance(cell, timedelta) else ""


def finish(file: IO[bytes], about: dict[str, Any]) -> None:
    """Write the list at the end; ``about["sheets"]`` holds what ``SheetWriter.close`` returned, in order."""
    trailer = json.dumps(about, ensure_ascii=True).encode()
    file.write(trailer + b"%016d" % len(trailer))
    file.flush()


class Spool:
    """The file of rows, read. It is closed, and with that gone, when nobody holds one of its tables any more."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        weakref.finalize(self, file.close)
        end = file.seek(0, 2)
        file.seek(end - 16)
        length = int(file.read(16))
        file.seek(end - 16 - length)
        self.about: dict[str, Any] = json.loads(file.read(length))

    def tables(self) -> list[Table]:
        """Return the sheets in order."""
        found, start = [], 0
        for sheet in self.about["sheets"]:
            found.append(self._table(sheet, start))
            start += sum(sheet["blocks"])
        return found

    def _table(self, sheet: dict[str, Any], start: int) -> Table:
        blocks = sheet["blocks"]
        return Table(
            lambda: self._records(start, blocks),
            moved=lambda: (os.fdopen(os.dup(self._file.fileno()), "rb"), partial(_records, start=start, blocks=blocks)),
            sheet=sheet["name"],
            filled={(row, column) for row, column in sheet["filled"]},
            across={(row, column): value for row, column, value in sheet["across"]},
            links={(row, column): address for row, column, address in sheet["links"]},
            hidden_rows=set(sheet["hidden"]),
        )

    def _records(self, start: int, blocks: list[int]) -> Iterator[list[Cell]]:
        return _records(self._file, start, blocks)


def _records(file: IO[bytes], start: int, blocks: list[int]) -> Iterator[list[Cell]]:
    for length in blocks:
        block = os.pread(file.fileno(), length, start)  # several passes may run at once
        start += length
        yield from _rows(json.loads(block))


def _rows(content: Any) -> list[list[Cell]]:
    if isinstance(content, list):
        return content
    rows: list[list[Any]] = content["rows"]
    for row, column, kind in content["kinds"]:
        rows[row][column] = _PARSERS[kind](rows[row][column])
    return rows
