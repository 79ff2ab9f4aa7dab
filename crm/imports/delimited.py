"""Reads delimited text (CSV, TSV …) record by record; only the sample that settles the delimiter is ever held."""

import csv
import io
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, cast

from crm.imports import aliases, encodings, mapping
from crm.imports.encodings import Encoding
from crm.imports.limits import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, TITLE_ROWS
from crm.imports.records import Cell, FileUnreadable, Issue, Source, Table
from crm.imports.text import folded

DELIMITERS = (",", "\t", ";", "|")
_SNIFF_ROWS = 40
_SNIFF_CELLS = 300
_SNIFF_BYTES = 1 << 16
_LONGEST_NAME = 40
_LONG_LINE = 1 << 20
# Stands after the last line: when it comes back as a part of a cell, a quotation mark before it was never closed.
_END = "\x00end of file\x00"

# Python's own limit of 131,072 characters would refuse a file for one long note.
csv.field_size_limit(MAX_BYTES)


def read(data: bytes, encoding_chosen: str | None, delimiter_chosen: str | None) -> Source:
    """Open delimited text. ``encoding_chosen`` must be one that is read.

    Raises FileUnreadable for what cannot be read as a table of a sensible size.
    """
    encoding = encodings.of(data, encoding_chosen)
    if delimiter_chosen and (len(delimiter_chosen) != 1 or delimiter_chosen in '\r\n" '):
        raise FileUnreadable("unknown_delimiter", delimiter=delimiter_chosen)
    delimiter = delimiter_chosen or _delimiter(data, encoding)
    _check(data, encoding, delimiter)

    text = _Text(data, encoding, delimiter)
    return Source(
        "csv", [Table(text.records, moved=text.moved)], encoding.name, delimiter, notes=_notes(data, encoding)
    )


class _Text:
    """A delimited text that can be read again and again, from memory until another process needs it as a file."""

    def __init__(self, data: bytes, encoding: Encoding, delimiter: str) -> None:
        self._data, self._encoding, self._delimiter = data, encoding, delimiter
        self._file: IO[bytes] | None = None

    def records(self) -> Iterator[list[Cell]]:
        """Begin a pass."""
        file = Path(self._file.name).open("rb") if self._file else io.BytesIO(self._data)  # noqa: SIM115
        return _records(file, self._encoding, self._delimiter)

    def moved(self) -> tuple[IO[bytes], Callable[[IO[bytes]], Iterator[list[Cell]]]]:
        """Return the text as an open file and what reads it; the memory it took is free."""
        if self._file is None:
            self._file = tempfile.NamedTemporaryFile(prefix="ieum-list-")  # noqa: SIM115 - goes with this object
            self._file.write(self._data)
            self._file.flush()
            self._data = b""
        return Path(self._file.name).open("rb"), partial(_records, encoding=self._encoding, delimiter=self._delimiter)


def _records(file: IO[bytes], encoding: Encoding, delimiter: str) -> Iterator[list[Cell]]:
    with encodings.text_of(file, encoding) as text:
        yield from cast(Iterator[list[Cell]], csv.reader(text, delimiter=delimiter))


def _notes(data: bytes, encoding: Encoding) -> list[Issue]:
    notes = [Issue("encoding_guessed", {"encoding": encoding.name})] if encoding.guessed else []
    damaged = encodings.count_damaged(data, encoding)
    return [*notes, Issue("encoding_damaged", {"count": damaged})] if damaged else notes


def _delimiter(data: bytes, encoding: Encoding) -> str:
    """Choose the delimiter that gives most column names in one line; else the most even columns; else the comma."""
    sample = encodings.open_text(data[:_SNIFF_BYTES], encoding).read()
    lines = sample.splitlines(keepends=True)[:_SNIFF_ROWS]
    tables = {sign: _few_cells(csv.reader(lines, delimiter=sign)) for sign in DELIMITERS if sign in sample}
    for names in (_plain_names, mapping.known_names):  # the second knows more and takes a hundred times as long
        found = {sign: max((names([*row]) for row in rows), default=0) for sign, rows in tables.items()}
        best = max(found, key=lambda sign: (found[sign], _evenness(tables[sign])), default=",")
        if found.get(best, 0) >= mapping.LEAST_FIELDS:
            break
    return best


def _few_cells(rows: Iterable[list[str]]) -> list[list[str]]:
    return [row[:_SNIFF_CELLS] for row in rows]


def _plain_names(row: Sequence[Cell]) -> int:
    known = aliases.by_alias()
    return len(
        {known.get(folded(cell)) for cell in row if isinstance(cell, str) and len(cell) < _LONGEST_NAME} - {None}
    )


def _evenness(rows: list[list[str]]) -> float:
    """Return the share of lines that have the most frequent number of cells, if that is more than one."""
    widths = Counter(len(row) for row in rows if len(row) > 1)
    return widths.most_common(1)[0][1] / len(rows) if widths else 0.0


def _check(data: bytes, encoding: Encoding, delimiter: str) -> None:
    """Pass once over the file to see that it can be read to its end, so that no later pass has to refuse it."""
    width, begun, ended, last = 0, 1, 0, [""]
    reader = csv.reader(_watched(encodings.open_text(data, encoding), delimiter), delimiter=delimiter)
    for found, last in enumerate(reader):
        begun, ended = ended + 1, reader.line_num
        if len(last) > width:
            width = len(last)
            if width > MAX_COLUMNS:
                raise FileUnreadable("too_many_columns", limit=MAX_COLUMNS)
        if found > MAX_ROWS + TITLE_ROWS:
            raise FileUnreadable("too_many_rows", limit=MAX_ROWS)
    if last != [_END]:  # a quote that is never closed swallows all rows after it into one cell; better to stop
        raise FileUnreadable("open_quote", line=begun)


def _watched(lines: Iterable[str], delimiter: str) -> Iterator[str]:
    for line in lines:
        if len(line) > _LONG_LINE and line.count(delimiter) > _LONG_LINE:  # even to split it would cost a gigabyte
            raise FileUnreadable("too_many_columns", limit=MAX_COLUMNS)
        yield line
    yield _END
