"""What travels between the steps of an import: raw tables, the reading profile, canonical rows and their issues."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time
from functools import cached_property
from itertools import islice
from typing import Any

Cell = str | float | bool | date | datetime | time | None

FieldName = str
"""A name of section 'canonical contact', e.g. ``full_name``; the keys of aliases.json."""


@dataclass(frozen=True)
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

    ``opened`` begins a pass. The tables beside it are sparse; their keys are record and column, counted from 0.
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

    def records(self) -> Iterator[list[Cell]]:
        """Yield every record from the first one, afresh at each call. Nothing is refused here: opening did that."""
        return self.opened()

    @cached_property
    def head(self) -> list[list[Cell]]:
        """The first records, enough to find a header line and to show what a column holds."""
        return list(islice(self.records(), HEAD_RECORDS))

    @cached_property
    def rows(self) -> list[list[Cell]]:
        """All records at once: for the callers that do not stream yet."""
        return list(self.records())


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
    """What one column of the file was taken for. ``certainty`` is exact, guessed, chosen or unmapped."""

    index: int
    header: str
    field: FieldName | None
    certainty: str
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class SheetProfile:
    """Where the table of one sheet begins and what its columns are."""

    name: str | None
    header_row: int
    records: int
    columns: tuple[Column, ...]


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
class ConsentStatement:
    """One consent cell: kind (privacy, third_party, marketing, transfer, opt_out), its header and cell as written.

    ``given`` is None when the cell is blank or not understood. The header is the wording the visitor saw, so it is
    evidence and never replaced by our own name.
    """

    kind: str
    given: bool | None
    wording: str
    cell: str


@dataclass
class CanonicalRow:
    """One accepted row: one contact as the file states it. Empty text, empty list or None mean 'not stated'."""

    row: int
    sheet: str | None = None
    full_name: str = ""
    family_name: str = ""
    given_name: str = ""
    name_alt: str = ""
    name_reading: str = ""
    gender: str = ""
    company: str = ""
    company_alt: str = ""
    department: str = ""
    title: str = ""
    emails: list[str] = field(default_factory=list)
    mobile: str = ""
    phone: str = ""
    fax: str = ""
    other_phones: list[str] = field(default_factory=list)
    website: str = ""
    country: str = ""
    city: str = ""
    address: str = ""
    postal_code: str = ""
    interests: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    visit_purpose: str = ""
    timeframe: str = ""
    notes: str = ""
    rating: str = ""
    registered_at: str = ""
    met_at: str = ""
    captured_by: str = ""
    external_id: str = ""
    language: str = ""
    messengers: dict[str, str] = field(default_factory=dict)
    consent_privacy: bool | None = None
    consent_third_party: bool | None = None
    consent_marketing: bool | None = None
    opt_out: bool | None = None
    booth: str = ""
    exporter: str = ""
    follow_up: str = ""
    more: dict[str, str] = field(default_factory=dict)
    """Fields we recognise but do not work with (industry, quantity …), by field name."""
    extra: dict[str, str] = field(default_factory=dict)
    """Columns we do not know, by their header; they often hold the answers to the booth's own questions."""
    consents: list[ConsentStatement] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    duplicate_of: tuple[str | None, int] | None = None
    """(sheet, row) of the first row of the same person in the same file."""
    raw: dict[str, str] = field(default_factory=dict)
    """The row as it stood in the file, by header, without what must never be stored."""

    @property
    def warnings(self) -> list[str]:
        """Codes of the findings, each once, in the order found."""
        return list(dict.fromkeys(issue.code for issue in self.issues))

    def as_json(self) -> dict[str, Any]:
        """Return the canonical record; what is not stated is left out."""
        skipped = {"issues", "raw", "consents", "duplicate_of", "sheet"}
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in skipped}
        found = {name: value for name, value in values.items() if value not in ("", [], {}, None)}
        if self.sheet is not None:
            found["sheet"] = self.sheet
        if self.warnings:
            found["warnings"] = self.warnings
        if self.duplicate_of:
            found["duplicate_of"] = {"row": self.duplicate_of[1], "sheet": self.duplicate_of[0]}
        return found


@dataclass(frozen=True)
class ReadOptions:
    """How staff want a file to be read, where they overrule what we recognise."""

    encoding: str | None = None
    delimiter: str | None = None
    home_country: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    header_rows: Mapping[str, int] = field(default_factory=dict)
    skipped_sheets: frozenset[str] = frozenset()
    corrections: Mapping[tuple[str, int], Mapping[int, str]] = field(default_factory=dict)
    left_out: frozenset[tuple[str, int]] = frozenset()


@dataclass(slots=True)
class ReadRow:
    """One line of a file. ``outcome``: accepted, refused or skipped; ``code``: why it was refused or skipped.

    ``facts`` are the canonical fields it states, nothing empty, ready for JSON; ``raw`` its cells by position.
    """

    number: int
    sheet: str | None
    outcome: str
    code: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RowIssue:
    """A row that was refused or a line that is no data, with the reason's code."""

    row: int
    code: str
    sheet: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadResult:
    """Everything an import reads: every line of the file is in exactly one of rows, refused and skipped."""

    profile: Profile
    rows: list[CanonicalRow]
    refused: list[RowIssue]
    skipped: list[RowIssue]
