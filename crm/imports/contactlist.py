"""The whole way of reading a file: bytes → tables → columns → rows, in two passes and without holding the rows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from crm.core.errors import BadInput, Place, Problem
from crm.imports import aliases, mapping, reading
from crm.imports.cleaning import TableCleaner
from crm.imports.records import (
    Column,
    EventDates,
    Issue,
    Profile,
    ReadOptions,
    ReadRow,
    Source,
    Table,
)
from crm.imports.survey import Reading, Survey, survey
from crm.imports.text import cell_text
from crm.imports.texts import sentence

CARDS = "vcf"
_ADDRESS = re.compile(r"[^\s,;|]+@[^\s,;|]+")


@dataclass
class ContactList:
    """A list that was looked over: ``profile`` says how it is read, ``lines`` reads it."""

    profile: Profile
    cleaners: Sequence[TableCleaner]

    def lines(self) -> Iterator[ReadRow]:
        """Yield every line of every table in the order of the file: accepted, refused or skipped.

        Call it as often as needed; each call reads the file again.
        """
        for cleaner in self.cleaners:
            yield from cleaner.lines()

    def head(self, most: int) -> list[tuple[int, list[str]]]:
        """Return the first lines of the first table with their numbers, those above its header too, as they stand.

        Blank lines are left out, and so is what must not be stored.
        """
        cleaner = self.cleaners[0]
        rows = ((number, cleaner.raw(row)) for number, row in enumerate(cleaner.of.table.head, cleaner.first_number))
        return [(number, texts) for number, texts in rows if any(texts)][:most]


def open_list(
    source: bytes | Source, filename: str, options: ReadOptions | None = None, event: EventDates | None = None
) -> ContactList:
    """Look a contact list over and return it ready for reading; nothing is stored.

    ``event``: the show's days, which settle dates without a year and the order of day and month. Raises BadInput naming
    the file when it cannot be read, when no table is found in it, or when ``options`` name a field there is not.
    """
    options = options or ReadOptions()
    _refuse_unknown_fields(options.columns, filename)
    if isinstance(source, bytes):
        source = reading.open_source(source, filename, encoding=options.encoding, delimiter=options.delimiter)
    notes = list(source.notes)
    how = Reading(options.columns, event, source.date_1904, names_fields=source.format == CARDS)
    surveys = _surveys(source, filename, options, how, notes)
    if not surveys and options.asks:
        surveys = _as_they_stand(source, filename, options, how, notes)
    if not surveys:
        raise BadInput([Problem(sentence("no_header"), Place(filename), code="no_header")], code="no_header")
    suggested = _suggested_home([text for found in surveys for text in found.headers])
    home = suggested if options.home_country is None else options.home_country
    if options.home_country is None and suggested:
        notes.append(Issue("home_guessed", {"country": suggested}))
    for found in surveys:
        notes += found.notes
    notes += _column_notes([column for found in surveys for column in found.columns])
    profile = Profile(
        source.format,
        source.encoding,
        source.delimiter,
        source.date_1904,
        tuple(found.profile() for found in surveys),
        suggested,
        tuple(notes),
    )
    return ContactList(profile, [_cleaner(found, source.format, home or "", options) for found in surveys])


def _surveys(source: Source, filename: str, options: ReadOptions, how: Reading, notes: list[Issue]) -> list[Survey]:
    found = []
    for table in source.tables:
        name = table.sheet or ""
        if name in options.skipped_sheets:
            continue
        looked = survey(table, how, options.header_rows.get(name)) if table.head else None
        if looked is None:
            notes.append(Issue("sheet_skipped", {"sheet": name or filename}))
        else:
            found.append(looked)
    return found


def _as_they_stand(
    source: Source, filename: str, options: ReadOptions, how: Reading, notes: list[Issue]
) -> list[Survey]:
    """Return the longest sheet that may be a list, read from its first line on; a person is to say what it is."""
    tables = [t for t in source.tables if (t.sheet or "") not in options.skipped_sheets and _may_be_list(t)]
    found = [looked for table in tables if (looked := survey(table, how, 0))]
    if not found:
        return []
    longest = max(found, key=lambda looked: looked.records)
    name = longest.table.sheet or ""
    notes.remove(Issue("sheet_skipped", {"sheet": name or filename}))
    told = [note for note in longest.notes if note.code != "header_missing"]
    longest.notes = [Issue("header_asked", {"sheet": name}), *told]
    return [longest]


def _may_be_list(table: Table) -> bool:
    """A text has no columns; what has only one may be a list of addresses."""
    texts = [[text for cell in row if (text := cell_text(cell).strip())] for row in table.head]
    return any(len(row) > 1 or any(_ADDRESS.fullmatch(text) for text in row) for row in texts)


def _cleaner(found: Survey, kind: str, home: str, options: ReadOptions) -> TableCleaner:
    sheet = found.table.sheet or ""
    return TableCleaner(
        found,
        home,
        {row: texts for (name, row), texts in options.corrections.items() if name == sheet},
        {row for name, row in options.left_out if name == sheet},
        has_shape=kind == "csv",
        all_texts=kind == "csv",
        first_number=0 if kind == CARDS else 1,
    )


def _suggested_home(headers: list[str]) -> str | None:
    return aliases.HOME_OF_LANGUAGE.get(mapping.home_language(headers) or "")


def _refuse_unknown_fields(columns: Mapping[str, str], filename: str) -> None:
    unknown = [name for name in columns.values() if name and name not in aliases.fields()]
    if unknown:
        problems = [
            Problem(sentence("unknown_field", field=name), Place(filename), code="unknown_field") for name in unknown
        ]
        raise BadInput(problems, code="unknown_field")


def _column_notes(columns: list[Column]) -> list[Issue]:
    unknown = [column.header for column in columns if column.certainty == "unmapped" and column.header]
    guessed = [
        f"{column.header} → {column.field}"
        for column in columns
        if column.certainty == "guessed" and not column.by_value
    ]
    notes = [Issue("unknown_columns", {"names": ", ".join(dict.fromkeys(unknown))})] if unknown else []
    return [*notes, Issue("guessed_columns", {"names": ", ".join(dict.fromkeys(guessed))})] if guessed else notes
