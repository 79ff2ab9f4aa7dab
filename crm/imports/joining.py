"""Joins two contacts into one, and takes a join back. What hung on the one hangs on the other; nothing is deleted.

The contact that is given up stays as an empty-handed row (``merged_into_id``), and the join remembers what it moved, so
that taking it back puts every row where it was. Which tables point at contacts is read from the schema: no room is
named here.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from crm.contacts.models import Consent, Contact, Lead
from crm.core import bulk
from crm.imports import remembering
from crm.imports.models import ContactMerge, DuplicatePair
from crm.imports.remembering import pointing_at

CONTACTS: sa.Table = Contact.__table__  # type: ignore[attr-defined]
LEADS: sa.Table = Lead.__table__  # type: ignore[attr-defined]
CONSENTS: sa.Table = Consent.__table__  # type: ignore[attr-defined]
PAIRS: sa.Table = DuplicatePair.__table__  # type: ignore[attr-defined]
OWN = frozenset({"contact", "contact_merge", "duplicate_pair", "identity_key"})
"""Tables of the joining itself; what they say about a contact stays said about that contact."""


def may_join(session: Session, keep_id: int, gone_id: int) -> bool:
    """Tell whether two contacts can become one without anybody being asked.

    Not when a human edited the one to be given up or said that they are two people, nor when both met the same exporter
    at the same show: two follow-ups would meet in one person.
    """
    edited = session.execute(sa.select(CONTACTS.c.edited).where(CONTACTS.c.id == gone_id)).scalar_one()
    return not edited and not told_apart(session, keep_id, gone_id) and not shared_talks(session, keep_id, gone_id)


def told_apart(session: Session, one_id: int, other_id: int) -> bool:
    """Tell whether a person has said that two contacts are different people."""
    low, high = sorted((one_id, other_id))
    asked = sa.select(PAIRS.c.id).where(PAIRS.c.one_id == low, PAIRS.c.other_id == high, PAIRS.c.status == "different")
    return session.execute(asked).first() is not None


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
    moved: list[Any] = [*_take_out_doubles(session, keep_id, gone_id), *_hand_questions_on(session, keep_id, gone_id)]
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


def _take_out_doubles(session: Session, keep_id: int, gone_id: int) -> list[remembering.Entry]:
    """Remove the computed consents that both have: two rows of one consent could not be withdrawn together."""
    same = (CONSENTS.c.exporter_id, CONSENTS.c.basis, CONSENTS.c.given_at)
    mine = sa.select(*same).where(CONSENTS.c.contact_id == keep_id, CONSENTS.c.derived)
    known = {tuple(row) for row in session.execute(mine)}
    theirs = sa.select(CONSENTS).where(CONSENTS.c.contact_id == gone_id, CONSENTS.c.derived)
    doubles = [
        row
        for row in session.execute(theirs).mappings()
        if (row["exporter_id"], row["basis"], row["given_at"]) in known
    ]
    bulk.delete_ids(session, CONSENTS, [row["id"] for row in doubles])
    return [remembering.gone(CONSENTS, row) for row in doubles]


def _hand_questions_on(session: Session, keep_id: int, gone_id: int) -> list[remembering.Entry]:
    """Whoever may be, or is not, the contact given up may be, or is not, the kept one; an answer is asked for once."""
    with_gone = sa.or_(PAIRS.c.one_id == gone_id, PAIRS.c.other_id == gone_id)
    entries = []
    for row in session.execute(sa.select(PAIRS).where(with_gone)).mappings().all():
        other = row["one_id"] + row["other_id"] - gone_id
        low, high = sorted((keep_id, other))
        known = sa.select(PAIRS.c.id).where(PAIRS.c.one_id == low, PAIRS.c.other_id == high)
        if other == keep_id or session.execute(known).first():
            continue
        now = {"one_id": low, "other_id": high}
        session.execute(PAIRS.update().where(PAIRS.c.id == row["id"]).values(now))
        entries.append(remembering.changed("duplicate_pair", [row["id"]], row, now))
    return entries


def part(session: Session, merge: ContactMerge, *, now: datetime, by: str) -> None:
    """Take a join back: what it moved and still lies where it was moved to goes back, what it let go of returns."""
    for table_name, column_name, row_id in (one for one in merge.moved if isinstance(one, list)):
        table = SQLModel.metadata.tables[table_name]
        column = table.c[column_name]
        mine = sa.and_(table.c.id == row_id, column == merge.kept_id)
        session.execute(table.update().where(mine).values({column_name: merge.gone_id}))
    remembering.put_back(session, [one for one in merge.moved if isinstance(one, dict)], "lead")
    _let_follow(session, merge.kept_id, merge.gone_id)
    _set_merged(session, merge.gone_id, None)
    merge.undone_at, merge.undone_by = now, by
    session.add(merge)
    session.flush()


def _let_follow(session: Session, kept_id: int, gone_id: int) -> None:
    """What came about a talk since (a letter, a mail, a deal) belongs to whose talk it is."""
    talks = set(session.execute(sa.select(LEADS.c.id).where(LEADS.c.contact_id == gone_id)).scalars())
    if not talks:
        return
    about_talks = {column.table.name: column for column in pointing_at("lead")}
    for column in pointing_at("contact", OWN):
        table = column.table
        if table.name in about_talks:
            mine = sa.and_(column == kept_id, about_talks[table.name].in_(talks))
            session.execute(table.update().where(mine).values({column.name: gone_id}))
        for link in _links_to(table.name):
            ids = _only_about(session, about_talks[link.table.name], link, talks)
            mine = sa.and_(column == kept_id, table.c.id.in_(ids))
            session.execute(table.update().where(mine).values({column.name: gone_id}))


def _links_to(table: str) -> list["sa.Column[Any]"]:
    return [column for column in pointing_at(table) if column.table.name in remembering.LINKS]


def _only_about(session: Session, lead: "sa.Column[Any]", link: "sa.Column[Any]", talks: Collection[int]) -> set[int]:
    """Return what is tied to these talks and to no other."""
    tied = set(session.execute(sa.select(link).where(lead.in_(talks))).scalars())
    shared = set(session.execute(sa.select(link).where(link.in_(tied), lead.not_in(talks))).scalars())
    return tied - shared


def _set_merged(session: Session, contact_id: int, into: int | None) -> None:
    values = {"merged_into_id": into, "version": CONTACTS.c.version + 1}
    session.execute(CONTACTS.update().where(CONTACTS.c.id == contact_id).values(values))
