"""Reading batches, their rows, and where each value of a contact came from."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from crm.accounts.rules import Viewer
from crm.accounts.scope import only_visible
from crm.contacts import queries as contacts
from crm.contacts.merging import Facts, merge, ranked
from crm.contacts.service import chunks
from crm.core.clock import KST
from crm.core.errors import NotFound
from crm.core.i18n import _
from crm.imports.models import ImportBatch, ImportRow

LISTS = ("emails", "interests", "tags", "other_phones")


@dataclass(frozen=True)
class Source:
    """Where a value came from."""

    file: str
    row: int
    sheet: str
    day: date
    batch_id: int = 0

    def __str__(self) -> str:
        where = f"{self.sheet} {self.row}" if self.sheet else str(self.row)
        return _("{file}, row {row}, {day}", file=self.file, row=where, day=self.day.isoformat())


def list_batches(session: Session, viewer: Viewer) -> list[ImportBatch]:
    """Return the batches a viewer may see, the newest first; those of no one exporter are staff's."""
    statement = only_visible(select(ImportBatch), viewer, ImportBatch.exporter_id)
    return list(session.exec(statement.order_by(col(ImportBatch.id).desc())))


def get_batch(session: Session, viewer: Viewer, batch_id: int) -> ImportBatch:
    """Return one batch. Raises NotFound."""
    batch = session.get(ImportBatch, batch_id)
    if batch is None or not viewer.sees(batch.exporter_id):
        raise NotFound(_("There is no import batch {n}.", n=batch_id))
    return batch


@dataclass(frozen=True)
class RowPage:
    """Some rows of a batch in file order, and the ``after`` with which the next ones are asked for (0: no more)."""

    rows: list[ImportRow]
    next: int


def rows_of(
    session: Session,
    viewer: Viewer,
    batch_id: int,
    outcome: str | None = None,
    *,
    code: str = "",
    after: int = 0,
    limit: int | None = None,
) -> RowPage:
    """Return rows of a batch in file order: of one outcome, with one finding, after the row with id ``after``."""
    get_batch(session, viewer, batch_id)
    statement = select(ImportRow).where(ImportRow.batch_id == batch_id, col(ImportRow.id) > after)
    if outcome:
        statement = statement.where(ImportRow.outcome == outcome)
    if code:
        statement = statement.where(with_code(code))
    found = list(session.exec(statement.order_by(col(ImportRow.id)).limit(limit + 1 if limit else None)))
    shown = found[:limit]
    return RowPage(shown, (shown[-1].id or 0) if len(found) > len(shown) else 0)


def with_code(code: str) -> sa.ColumnElement[bool]:
    """Return the condition that a row has a finding."""
    return sa.cast(ImportRow.messages, sa.String).contains(f'"code":"{code}"', autoescape=True)


def provenance(session: Session, viewer: Viewer, contact_id: int) -> dict[str, Source]:
    """Return field → where its present value came from: the record that won, of lists the one that named it first.

    Fields a person has edited since are left out. Raises NotFound when the viewer may not know the contact.
    """
    contact = contacts.get_contact(session, viewer, contact_id).contact
    found = sources_of_fields(session, contact_id)
    return {name: source for name, source in found.items() if name not in contact.edited}


def sources_of_fields(session: Session, contact_id: int) -> dict[str, Source]:
    """Return field → the record that the value computed from lists came from."""
    told = _records(session, contact_id)
    if not told:
        return {}
    sources = {id(facts): source for facts, source in told if source is not None}
    rank = ranked([facts for facts, _source in told])
    found: dict[str, Source] = {}
    for name, value in merge([facts for facts, _source in told]).items():
        winner = _winner(name, value, rank)
        if winner is not None and id(winner) in sources:
            found[name] = sources[id(winner)]
    return found | _answers(rank, sources)


@dataclass(frozen=True)
class Origins:
    """What a person is made of: the rows, the notes and the values that lost, each with where it came from."""

    records: list[Source] = field(default_factory=list)
    notes: list[tuple[str, Source | None]] = field(default_factory=list)
    alternatives: list[tuple[str, str, Source | None]] = field(default_factory=list)
    """(field, value, source)"""


def origins(session: Session, viewer: Viewer, contact_id: int) -> Origins:
    """Return what a contact is made of. Raises NotFound when the viewer may not know the contact."""
    contact = contacts.get_contact(session, viewer, contact_id).contact
    told = _records(session, contact_id)
    if not told:
        return Origins()
    person = merge([facts for facts, _source in told])
    lost: dict[str, list[str]] = {**person.get("alternatives", {}), "other_names": person.get("other_names", [])}
    for name in contact.edited:
        now = getattr(contact, name, None) or contact.extra.get(name)
        values = [value for value in (person.get(name), *lost.get(name, ())) if value != now]
        if isinstance(now, str):
            lost[name] = [value for value in values if isinstance(value, str)]
    return Origins(
        [source for _facts, source in told if source is not None],
        [(note, _first_told(told, ("notes",), note)) for note in person.get("notes", [])],
        [
            (name, value, _first_told(told, ("full_name", "name_alt") if name == "other_names" else (name,), value))
            for name, values in lost.items()
            for value in values
        ],
    )


def _first_told(told: Iterable[tuple[Facts, Source | None]], names: Iterable[str], value: str) -> Source | None:
    wanted = tuple(names)
    return next((source for facts, source in told if any(facts.get(name) == value for name in wanted)), None)


def _records(session: Session, contact_id: int) -> list[tuple[Facts, Source | None]]:
    """Return what was told of a contact, in import order; what was known before any list has no source."""
    statement = (
        select(ImportRow, ImportBatch)
        .outerjoin(ImportBatch, col(ImportBatch.id) == ImportRow.batch_id)
        .where(ImportRow.contact_id == contact_id, col(ImportRow.stands))
        .order_by(col(ImportRow.id))
    )
    return [(row.facts, _source(row, batch)) for row, batch in session.exec(statement)]


def _source(row: ImportRow, batch: ImportBatch | None) -> Source | None:
    if batch is None:
        return None
    day = batch.created_at.astimezone(KST).date()
    return Source(batch.filename, row.number, row.sheet, day, batch.id or 0)


def _winner(name: str, value: Any, rank: Iterable[Facts]) -> Facts | None:
    if name in LISTS:
        return next((facts for facts in rank if value[0] in facts.get(name, ())), None)
    return next((facts for facts in rank if facts.get(name) == value), None)


def _answers(rank: list[Facts], sources: dict[int, Source]) -> dict[str, Source]:
    """Answers to a booth's own questions stand under the question; the newest answer is shown."""
    found: dict[str, Source] = {}
    for facts in reversed(rank):
        for name in ("more", "extra"):
            found.update((question, sources[id(facts)]) for question in facts.get(name, {}) if id(facts) in sources)
    return found


def sources_of(session: Session, contact_ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Return contact → the rows it is made of, as {file, sheet, row}, in import order."""
    found: dict[int, list[dict[str, Any]]] = {}
    for chunk in chunks(list(contact_ids)):
        statement = (
            select(ImportRow.contact_id, ImportBatch.filename, ImportRow.sheet, ImportRow.number)
            .join(ImportBatch, col(ImportBatch.id) == ImportRow.batch_id)
            .where(col(ImportRow.contact_id).in_(chunk), col(ImportRow.stands))
            .order_by(col(ImportRow.id))
        )
        for contact_id, file, sheet, number in session.exec(statement):
            found.setdefault(contact_id or 0, []).append({"file": file, "sheet": sheet or None, "row": number})
    return found
