"""The whole way of reading a file: bytes → tables → columns → canonical rows."""

from collections.abc import Mapping

from crm.core.errors import BadInput, Place, Problem
from crm.imports import aliases, mapping, reading
from crm.imports.cleaning import TableCleaner
from crm.imports.records import (
    CanonicalRow,
    Column,
    EventDates,
    Issue,
    Profile,
    ReadResult,
    ReadRow,
    RowIssue,
    SheetProfile,
    Source,
    Table,
)
from crm.imports.text import cell_text, shown
from crm.imports.texts import sentence


def read_contacts(
    data: bytes,
    filename: str,
    *,
    home_country: str | None = None,
    event: EventDates | None = None,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
) -> ReadResult:
    """Read a contact list and return its rows in canonical form; nothing is stored.

    ``home_country`` (ISO alpha-2) is the country of national telephone numbers and of rows without one; None takes
    that of the headers' language and says so in the notes, an empty text takes none. ``columns``
    maps headers as written to canonical fields, or to "" to leave a column unmapped; it overrules what we recognise.
    Raises BadInput naming the file when it cannot be read or no header line is found.
    """
    _refuse_unknown_fields(columns or {}, filename)
    source = reading.open_source(data, filename, encoding=encoding)
    notes = list(source.notes)
    headed = [(table, mapping.find_header(table)) for table in source.tables]
    found = [(table, header, mapping.header_texts(table, header)) for table, header in headed if header is not None]
    notes += [Issue("sheet_skipped", {"sheet": t.sheet or filename}) for t, header in headed if header is None]
    if not found:
        raise BadInput([Problem(sentence("no_header"), Place(filename), code="no_header")], code="no_header")
    suggested = _suggested_home([text for _table, _header, texts in found for text in texts])
    home = suggested if home_country is None else home_country
    if home_country is None and suggested:
        notes.append(Issue("home_guessed", {"country": suggested}))
    cleaners = [_cleaner(source, *table, home or "", event, columns) for table in found]
    return _result(source, cleaners, notes, suggested)


def _suggested_home(headers: list[str]) -> str | None:
    return aliases.HOME_OF_LANGUAGE.get(mapping.home_language(headers) or "")


def _refuse_unknown_fields(columns: Mapping[str, str], filename: str) -> None:
    unknown = [name for name in columns.values() if name and name not in aliases.fields()]
    if unknown:
        problems = [
            Problem(sentence("unknown_field", field=name), Place(filename), code="unknown_field") for name in unknown
        ]
        raise BadInput(problems, code="unknown_field")


def _cleaner(
    source: Source,
    table: Table,
    header: int,
    headers: list[str],
    home: str,
    event: EventDates | None,
    chosen: Mapping[str, str] | None,
) -> TableCleaner:
    return TableCleaner(
        table,
        header,
        headers,
        mapping.columns(headers, chosen),
        home,
        event,
        source.date_1904,
        is_workbook=source.format != "csv",
    )


def _result(source: Source, cleaners: list[TableCleaner], notes: list[Issue], suggested_home: str | None) -> ReadResult:
    rows: list[CanonicalRow] = []
    refused: list[RowIssue] = []
    skipped: list[RowIssue] = []
    for cleaner in cleaners:
        accepted, bad, passed = cleaner.clean()
        rows += accepted
        refused += bad
        skipped += [line for line in passed if line.code != "header"]
        notes += cleaner.notes
    sheets = tuple(_sheet_profile(cleaner) for cleaner in cleaners)
    columns = [column for sheet in sheets for column in sheet.columns]
    notes += _column_notes(columns)
    profile = Profile(
        source.format,
        source.encoding,
        source.delimiter,
        source.date_1904,
        sheets,
        suggested_home,
        tuple(notes),
    )
    return ReadResult(profile, rows, refused, skipped)


def _sheet_profile(cleaner: TableCleaner) -> SheetProfile:
    columns = tuple(
        Column(c.index, c.header, c.field, c.certainty, () if c.field == "sensitive" else _samples(cleaner, c))
        for c in cleaner.columns
    )
    return SheetProfile(cleaner.table.sheet, cleaner.header + 1, len(cleaner.table.rows), columns)


def _samples(cleaner: TableCleaner, column: Column) -> tuple[str, ...]:
    found = dict.fromkeys(text for cell in cleaner.cells_of(column) if (text := shown(cell_text(cell))))
    return tuple(found)[:3]


def _column_notes(columns: list[Column]) -> list[Issue]:
    unknown = [column.header for column in columns if column.certainty == "unmapped" and column.header]
    guessed = [f"{column.header} → {column.field}" for column in columns if column.certainty == "guessed"]
    notes = [Issue("unknown_columns", {"names": ", ".join(dict.fromkeys(unknown))})] if unknown else []
    return [*notes, Issue("guessed_columns", {"names": ", ".join(dict.fromkeys(guessed))})] if guessed else notes


class ContactList:
    def __init__(self, result: ReadResult) -> None:
        self.result = result
        self.profile = result.profile

    def lines(self):
        for bad in self.result.skipped:
            yield ReadRow(bad.row, bad.sheet, "skipped", bad.code)
        for row in self.result.rows:
            facts = row.as_json()
            for name in ("row", "sheet", "warnings", "duplicate_of"):
                facts.pop(name, None)
            facts |= {
                n: getattr(row, n)
                for n in ("consent_privacy", "consent_third_party", "consent_marketing", "opt_out")
                if getattr(row, n) is not None
            }
            if row.consents:
                facts["consents"] = [
                    {"kind": c.kind, "given": c.given, "wording": c.wording, "cell": c.cell} for c in row.consents
                ]
            yield ReadRow(row.row, row.sheet, "accepted", "", facts, list(row.issues), list(row.raw.values()))
        for bad in self.result.refused:
            yield ReadRow(bad.row, bad.sheet, "refused", bad.code, {}, [], list(bad.raw.values()))


def open_list(data, filename, options, event):
    return ContactList(
        read_contacts(
            data,
            filename,
            home_country=options.home_country,
            event=event,
            columns=options.columns or None,
            encoding=options.encoding,
        )
    )
