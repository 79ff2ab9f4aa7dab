"""Opens a file: from bytes to tables of raw cells. A new format is one more function in ``FORMATS``."""

import csv
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crm.core.errors import BadInput, Place, Problem
from crm.imports import encodings, mapping, workbooks
from crm.imports.records import Cell, Issue, Source, Table
from crm.imports.texts import sentence

MAX_BYTES = 30 << 20
MAX_ROWS = 50_000
DELIMITERS = (",", "\t", ";", "|")
_SNIFF_ROWS = 40

# Python's own limit of 131,072 characters would refuse a file for one long note.
csv.field_size_limit(MAX_BYTES)


def open_source(data: bytes, filename: str, *, encoding: str | None = None, delimiter: str | None = None) -> Source:
    """Return the tables of a file. The content decides what it is, not the name.

    Raises BadInput naming the file when it is empty, too large, encrypted or of a kind that is not read.
    """
    if len(data) > MAX_BYTES:
        raise _bad(filename, "too_large", megabytes=MAX_BYTES >> 20)
    if not data.strip():
        raise _bad(filename, "empty_file")
    kind = container(data)
    if kind == "csv":
        return _read_csv(data, filename, encoding, delimiter)
    return FORMATS[kind](data, filename, encoding)


def container(data: bytes) -> str:
    """Name the container by its first bytes: xlsx, ole (old .xls or encrypted), vcard, html or csv."""
    if data.startswith(b"PK"):
        return "xlsx"
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return "ole"
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"begin:vcard"):
        return "vcard"
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<style")):
        return "html"
    return "csv"


def _read_csv(data: bytes, filename: str, encoding: str | None, delimiter: str | None) -> Source:
    try:
        decoded = encodings.decode(data, encoding)
    except LookupError:
        raise _bad(filename, "unknown_encoding", encoding=encoding) from None
    notes = [Issue("encoding_guessed", {"encoding": decoded.encoding})] if decoded.guessed else []
    if decoded.damaged:
        notes.append(Issue("encoding_damaged", {"count": decoded.damaged}))
    delimiter = delimiter or _delimiter(decoded.text)
    rows: list[list[Cell]] = [[*row] for row in _records(decoded.text, delimiter, filename)]
    return Source("csv", [Table(lambda: iter(rows))], decoded.encoding, delimiter, notes=notes)


def _delimiter(text: str) -> str:
    """Choose the delimiter that gives most column names in one line; comma when none does."""
    head = "\n".join(text.splitlines()[:_SNIFF_ROWS])

    def names(delimiter: str) -> int:
        rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        return max((mapping.known_names([*row]) for row in rows), default=0)

    return max(DELIMITERS, key=names)


def _records(text: str, delimiter: str, filename: str) -> list[list[str]]:
    rows = []
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        rows.append(row)
        if len(rows) > MAX_ROWS + mapping.HEADER_SEARCH:
            raise _bad(filename, "too_many_rows", limit=MAX_ROWS)
    _refuse_open_quote(text, delimiter, filename)
    return rows


def _refuse_open_quote(text: str, delimiter: str, filename: str) -> None:
    """A quote that is never closed swallows all rows after it into one cell; better to stop."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begun = 1
    try:
        for _row in reader:
            begun = reader.line_num + 1
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise _bad(filename, "open_quote", line=begun) from None


def _read_xlsx(data: bytes, filename: str, _encoding: str | None) -> Source:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "workbook.xlsx"
        path.write_bytes(data)
        try:
            found = workbooks.read(path, rows=MAX_ROWS)
        except workbooks.WorkbookUnreadable as error:
            raise _bad(filename, error.code) from None
    tables = [_table(sheet) for sheet in found["sheets"]]
    if any(len(table.rows) > MAX_ROWS for table in tables):
        raise _bad(filename, "too_many_rows", limit=MAX_ROWS)
    notes = [Issue("macro_workbook")] if found["macros"] else []
    if found["date_1904"]:
        notes.append(Issue("date_1904"))
    hidden = sum(len(table.hidden_rows) for table in tables)
    if hidden:
        notes.append(Issue("hidden_rows", {"count": hidden}))
    return Source("xlsx", tables, date_1904=found["date_1904"], notes=notes)


def _table(sheet: dict[str, Any]) -> Table:
    rows: list[list[Cell]] = [[workbooks.decoded(cell) for cell in row] for row in sheet["rows"]]
    table = Table(lambda: iter(rows), sheet=sheet["name"], hidden_rows=set(sheet["hidden"]))
    for row, column, address in sheet["links"]:
        table.links[(row, column)] = address
    for (top, left), (bottom, right) in sheet["merged"]:
        _fill_merged(table, top, left, bottom, right)
    return table


def _fill_merged(table: Table, top: int, left: int, bottom: int, right: int) -> None:
    """A merged cell counts for all rows of the merge; across columns it only ever names a group of columns."""
    value = _cell(table.rows, top, left)
    if value in ("", None):
        return
    for row in range(top + 1, min(bottom + 1, len(table.rows))):
        _put(table.rows[row], left, value)
        table.filled.add((row, left))
    for column in range(left + 1, right + 1):
        table.across[(top, column)] = value


def _cell(rows: list[list[Cell]], row: int, column: int) -> Cell:
    return rows[row][column] if row < len(rows) and column < len(rows[row]) else None


def _put(row: list[Cell], column: int, value: Cell) -> None:
    row.extend([""] * (column + 1 - len(row)))
    row[column] = value


def _refuse_ole(data: bytes, filename: str, _encoding: str | None) -> Source:
    encrypted = "EncryptedPackage".encode("utf-16-le") in data
    raise _bad(filename, "encrypted_workbook" if encrypted else "old_workbook")


def _refuse_vcard(_data: bytes, filename: str, _encoding: str | None) -> Source:
    raise _bad(filename, "vcard_not_read")


def _refuse_html(_data: bytes, filename: str, _encoding: str | None) -> Source:
    raise _bad(filename, "html_not_read")


FORMATS: dict[str, Callable[[bytes, str, str | None], Source]] = {
    "xlsx": _read_xlsx,
    "ole": _refuse_ole,
    "vcard": _refuse_vcard,
    "html": _refuse_html,
}


def _bad(filename: str, code: str, **params: object) -> BadInput:
    line = params.get("line")
    place = Place(filename, line if isinstance(line, int) else None)
    return BadInput([Problem(sentence(code, **params), place, code=code)], code=code)
