"""What travels between the steps of an import: raw tables, the reading profile, canonical rows and their issues."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property
from itertools import islice
from typing import IO, Any

Cell = str | float | bool | date | datetime | time | None

FieldName = str
"""A name of section 'canonical contact', e.g. ``full_name``; the keys of aliases.json."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding: a code of ``texts.py`` and the values its sentence needs."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EventDates:
    """First and last day of the exhibition; settles dates without a year and the order of day and month."""

    first_day: date
    last_day: date


HEAD_RECORDS = 60


class FileUnreadable(Exception):
    """A file cannot be read; ``code`` is one of the file codes of ``texts.py``, ``params`` what its sentence needs."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass
class Table:
    """One sheet, CSV or set of cards as it stands in the file, read anew at every pass and never held as a whole.

    ``opened`` begins a pass. ``moved`` (None: it cannot be) gives the table to another process: its file, and what
    reads the records from it there. The tables beside are sparse; their keys are record and column, counted from 0.
    """

    opened: Callable[[], Iterator[list[Cell]]]
    sheet: str | None = None
    filled: set[tuple[int, int]] = field(default_factory=set)
    """Cells that were empty parts of a merged range and got its value."""
    across: dict[tuple[int, int], Cell] = field(default_factory=dict)
    """Values of merged ranges for the columns right of their first; they matter in header lines only."""
    links: dict[tuple[int, int], str] = field(default_factory=dict)
    """Mail addresses that stood behind cells as hyperlinks."""
    hidden_rows: set[int] = field(default_factory=set)
    moved: "Callable[[], tuple[IO[bytes], Callable[[IO[bytes]], Iterator[list[Cell]]]]] | None" = None

    def records(self) -> Iterator[list[Cell]]:
        """Yield every record from the first one, afresh at each call. Nothing is refused here: opening did that."""
        return self.opened()

    @cached_property
    def head(self) -> list[list[Cell]]:
        """The first records, enough to find a header line and to show what a column holds."""
        return list(islice(self.records(), HEAD_RECORDS))


@dataclass(frozen=True)
class Source:
    """A file, opened: its tables and how it was read. ``format``: csv, xlsx, xls, xlsb, ods, html or vcf."""

    format: str
    tables: list[Table]
    encoding: str | None = None
    delimiter: str | None = None
    date_1904: bool = False
    notes: list[Issue] = field(default_factory=list)


@dataclass(frozen=True)
class Column:
    """What one column of the file was taken for. ``certainty`` is exact, guessed, chosen or unmapped.

    ``by_value``: its header says nothing or something else; the guess rests on what stands in its cells.
    """

    index: int
    header: str
    field: FieldName | None
    certainty: str
    samples: tuple[str, ...] = ()
    by_value: bool = False


@dataclass(frozen=True)
class SheetProfile:
    """Where the table of one sheet begins (``header_row`` 0: it has no header line) and what its columns are.

    ``fingerprint`` marks its header line, so that a mapping can be remembered for the next list of its source.
    """

    name: str | None
    header_row: int
    records: int
    columns: tuple[Column, ...]
    fingerprint: str = ""


@dataclass(frozen=True)
class Profile:
    """How the file was read; shown before anything is stored and kept with the batch."""

    format: str
    encoding: str | None
    delimiter: str | None
    date_1904: bool
    sheets: tuple[SheetProfile, ...]
    suggested_home: str | None = None
    notes: tuple[Issue, ...] = ()

    @property
    def header_row(self) -> int:
        return self.sheets[0].header_row


@dataclass(frozen=True)
class ReadOptions:
    """What the user decided about a file; whatever is left out is found out.

    ``home_country`` (ISO alpha-2) is the country of national telephone numbers and of rows without one; None takes that
    of the headers' language and says so in the notes, an empty text takes none. ``columns`` maps headers as written to
    fields, or to "" to leave a column unmapped. ``header_rows`` maps a sheet ("" in a file without sheets) to the
    record of its header line, from 1; 0 says that there is none. ``corrections`` maps (sheet, row) to the new texts
    by column from 0; ``left_out`` are the (sheet, row) not wanted. ``asks``: somebody can be asked, so a file in which
    no header line is found is not refused but read from its first line on, with the note ``header_asked``.
    """

    encoding: str | None = None
    delimiter: str | None = None
    home_country: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    header_rows: Mapping[str, int] = field(default_factory=dict)
    skipped_sheets: Collection[str] = ()
    corrections: Mapping[tuple[str, int], Mapping[int, str]] = field(default_factory=dict)
    left_out: Collection[tuple[str, int]] = frozenset()
    asks: bool = False


Facts = dict[str, Any]
"""What one row states about a contact, by field name; only what is stated, ready for JSON."""


@dataclass(slots=True)
class ReadRow:
    """One line of a list after cleaning.

    ``outcome`` is accepted, refused or skipped, ``code`` the reason of the last two. ``raw`` is the line as it stood in
    the file, aligned with the columns, without what must never be stored; empty when nothing of it may be kept.
    """

    number: int
    sheet: str | None
    outcome: str
    code: str = ""
    facts: Facts = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
