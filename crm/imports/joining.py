"""Joins two contacts into one, and takes a join back. What hung on the one hangs on the other; nothing is deleted.

The contact that is given up stays as an empty-handed row (``merged_into_id``), and the join remembers what it moved, so
that taking it back puts every row where it was. Which tables point at contacts is read from the schema: no room is
named here.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from crm.contacts.models import Contact, Lead
from crm.imports.models import ContactMerge

CONTACTS: sa.Table = Contact.__table__  # type: ignore[attr-defined]
LEADS: sa.Table = Lead.__table__  # type: ignore[attr-defined]
MERGES: sa.Table = ContactMerge.__table__  # type: ignore[attr-defined]
OWN = frozenset({"contact", "contact_merge", "duplicate_pair", "identity_key"})
"""Tables of the joining itself; what they say about a contact stays said about that contact."""


def pointing_at(table: str, besides: Iterable[str] = ()) -> Iterator[sa.Column[Any]]:
    """Yield the columns of the whole database that refer to rows of ``table``."""
    for other in SQLModel.metadata.sorted_tables:
        if other.name not in besides:
            yield from (c for c in other.columns if any(key.column.table.name == table for key in c.foreign_keys))


def may_join(session: Session, keep_id: int, gone_id: int) -> bool:
    """Tell whether two contacts can become one without anybody being asked.

    Not when a human edited the one to be given up, nor when both met the same exporter at the same show: two follow-ups
    would meet in one person.
    """
    edited = session.execute(sa.select(CONTACTS.c.edited).where(CONTACTS.c.id == gone_id)).scalar_one()
    return not edited and not shared_talks(session, keep_id, gone_id)


def shared_talks(session: Session, keep_id: int, gone_id: int) -> list[tuple[int, int]]:
    """Return (lead of the kept, lead of the given up) for every exporter and show that both met."""
    mine, theirs = LEADS.alias(), LEADS.alias()
    rows = sa.select(mine.c.id, theirs.c.id).where(
        mine.c.contact_id == keep_id,
        theirs.c.contact_id == gone_id,
        mine.c.exporter_id == theirs.c.exporter_id,
        mine.c.exhibition_id == theirs.c.exhibition_id,
    )
    return [(one, other) for one, other in session.execute(rows.order_by(mine.c.id))]


def join(session: Session, keep_id: int, gone_id: int, *, batch_id: int | None, now: datetime, by: str) -> ContactMerge:
    """Hand everything of one contact to another and remember what was moved.

    Computed values (columns, addresses' order, leads' facts) are the caller's to write; see ``storing``.
    """
    moved: list[list[Any]] = []
    for column in pointing_at("contact", OWN):
        ids = list(session.execute(sa.select(column.table.c.id).where(column == gone_id)).scalars())
        if ids:
            session.execute(column.table.update().where(column == gone_id).values({column.name: keep_id}))
            moved += [[column.table.name, column.name, row_id] for row_id in ids]
    _set_merged(session, gone_id, keep_id)
    merge = ContactMerge(kept_id=keep_id, gone_id=gone_id, batch_id=batch_id, moved=moved, at=now, by=by)
    session.add(merge)
    session.flush()
    return merge


def part(session: Session, merge: ContactMerge, *, now: datetime, by: str) -> None:
    """Take a join back: what it moved and still lies where it was moved to goes back."""
    for table_name, column_name, row_id in merge.moved:
        table = SQLModel.metadata.tables[table_name]
        column = table.c[column_name]
        mine = sa.and_(table.c.id == row_id, column == merge.kept_id)
        session.execute(table.update().where(mine).values({column_name: merge.gone_id}))
    _set_merged(session, merge.gone_id, None)
    merge.undone_at, merge.undone_by = now, by
    session.add(merge)
    session.flush()


def _set_merged(session: Session, contact_id: int, into: int | None) -> None:
    values = {"merged_into_id": into, "version": CONTACTS.c.version + 1}
    session.execute(CONTACTS.update().where(CONTACTS.c.id == contact_id).values(values))
