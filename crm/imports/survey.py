"""The first pass over a table: where it begins, what its columns are, how wide it really is, how its dates are written.

Nothing of the rows is kept but counts, three samples a column and the first rows while they are looked at.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice

from crm.imports import evidence, mapping
from crm.imports.dates import DateColumn
from crm.imports.records import Cell, Column, EventDates, Issue, SheetProfile, Table
from crm.imports.text import cell_text, folded, shown

ROWS_WEIGHED = 300
SAMPLES = 3
SAMPLE_TRIES = 40
DATED = ("registered_at", "met_at")
CONSENTS = {
    "consent_privacy": "privacy",
    "consent_third_party": "third_party",
    "consent_marketing": "marketing",
    "consent_transfer": "transfer",
    "opt_out": "opt_out",
}

Watch = Callable[[Cell], bool]
"""Looks at a cell; False when there is nothing more to learn from the column."""


@dataclass
class Survey:
    """What the first pass found out about one table."""

    table: Table
    head: mapping.Head
    columns: list[Column]
    width: int = 0
    """Rows with more cells than this have shifted values."""
    records: int = 0
    dates: dict[int, DateColumn] = field(default_factory=dict)
    crosses: set[int] = field(default_factory=set)
    """Consent columns that hold nothing but X, which means ticked in one country and refused in the next."""
    notes: list[Issue] = field(default_factory=list)

    @property
    def headers(self) -> list[str]:
        return self.head.texts

    def profile(self) -> SheetProfile:
        """Return what is shown of the table before anything is stored."""
        mark = mapping.fingerprint(self.headers) if self.head.index >= 0 else ""
        return SheetProfile(self.table.sheet, self.head.index + 1, self.records, tuple(self.columns), mark)


@dataclass(frozen=True)
class Reading:
    """How a table is to be read: what the user chose, the show's days, the workbook's dates, the source's own names."""

    chosen: Mapping[str, str]
    event: EventDates | None = None
    date_1904: bool = False
    names_fields: bool = False


def survey(table: Table, how: Reading, header_row: int | None = None) -> Survey | None:
    """Go over a table once. ``header_row`` (from 1; 0 for none) overrules the search. None: this is no table."""
    if how.names_fields:
        found = Survey(table, mapping.Head(0, 1, [cell_text(cell) for cell in table.head[0]]), [])
        found.columns = mapping.canonical_columns(found.headers)
    else:
        index = mapping.find_header(table) if header_row is None else header_row - 1
        if index is not None and index >= len(table.head):
            index = None
        if index is None or index < 0:
            return _without_header(table, how, sure=index is not None)
        head = mapping.read_head(table, index)
        found = Survey(table, head, mapping.columns(head.texts, how.chosen))
    _go_over(found, how, least=evidence.LEAST_VALUES)
    return found


def _without_header(table: Table, how: Reading, *, sure: bool) -> Survey | None:
    """Read a list that begins with its first contact, when its values tell of two columns, one with addresses."""
    width = max((len(row) for row in table.head), default=0)
    if not width:
        return None
    head = mapping.without_header(width)
    found = Survey(table, head, mapping.columns(head.texts, how.chosen))
    _go_over(found, how, least=1)
    known = {column.field for column in found.columns if column.field} - {"sensitive", "company"}
    if not sure and ("email" not in known or len(known) < 2):
        return None
    found.notes.append(Issue("header_missing", {"sheet": table.sheet or ""}))
    return found


def _go_over(found: Survey, how: Reading, *, least: int) -> None:
    rows = islice(found.table.records(), found.head.first, None)
    first = list(islice(rows, ROWS_WEIGHED))
    if not how.names_fields:
        _weigh(found, first, how.event, least)
    _sample(found, first)
    watches = _watches(found, how)
    widths: Counter[int] = Counter()
    surplus: set[int] = set()
    width = len(found.headers)
    for row in chain(first, rows):
        size = len(row)
        widths[size] += 1
        if size > width and size not in surplus and any(cell not in ("", None) for cell in row[width:]):
            surplus.add(size)
        known = [place for place, watch in watches if place < size and not watch(row[place])]
        if known:
            watches = [(place, watch) for place, watch in watches if place not in known]
    found.records = found.head.first + widths.total()
    found.width = _real_width(widths, surplus, width)
    _settle(found)


def _weigh(found: Survey, first: Sequence[Sequence[Cell]], event: EventDates | None, least: int) -> None:
    places = range(len(found.columns))
    values = {place: evidence.weigh([row[place] for row in first if place < len(row)]) for place in places}
    found.columns = evidence.by_values(found.columns, values, event, least=least)
    guessed = [
        f"{column.header or '#' + str(column.index + 1)} → {column.field}"
        for column in found.columns
        if column.by_value and column.field
    ]
    if guessed:
        found.notes.append(Issue("columns_by_value", {"names": ", ".join(guessed)}))
    given_up = [column.header for column in found.columns if column.by_value and not column.field]
    if given_up:
        found.notes.append(Issue("columns_not_as_named", {"names": ", ".join(given_up)}))


def _sample(found: Survey, first: Sequence[Sequence[Cell]]) -> None:
    """Keep three different values of a column to be shown; of columns that may not be stored, none."""
    for place, column in enumerate(found.columns):
        if column.field == "sensitive":
            continue
        cells = (shown(cell_text(row[place])) for row in first if place < len(row))
        texts = dict.fromkeys(islice((text for text in cells if text), SAMPLE_TRIES))
        found.columns[place] = replace(column, samples=tuple(texts)[:SAMPLES])


def _watches(found: Survey, how: Reading) -> list[tuple[int, Watch]]:
    watches: list[tuple[int, Watch]] = []
    for column in found.columns:
        if column.field in DATED:
            dates = found.dates[column.index] = DateColumn((), how.event, how.date_1904)
            watches.append((column.index, dates.see))
        elif column.field in CONSENTS and folded(column.header).isascii():
            watches.append((column.index, partial(_only_crosses, found.crosses, column.index)))
    return watches


def _only_crosses(crossed: set[int], place: int, cell: Cell) -> bool:
    text = cell_text(cell).strip().casefold()
    if text == "x":
        crossed.add(place)
    elif text:
        crossed.discard(place)
    return text in ("", "x")


def _settle(found: Survey) -> None:
    for place, dates in found.dates.items():
        dates.settle()
        if dates.guessed:
            order = "D/M" if dates.day_first else "M/D"
            found.notes.append(Issue("date_order_guessed", {"column": found.columns[place].header, "order": order}))
    for place in sorted(found.crosses):
        found.notes.append(Issue("consent_crosses", {"column": found.columns[place].header}))


def _real_width(widths: Counter[int], surplus: Iterable[int], width: int) -> int:
    """A delimiter at the end of nearly every line is no extra cell."""
    counted = Counter({size: count for size, count in widths.items() if size > 1})
    usual = counted.most_common(1)[0][0] if counted else width
    return width if usual <= width or usual in set(surplus) else usual
