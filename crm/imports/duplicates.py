"""The questions that lists raised: who may be one person. An answer is never asked again."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from crm.contacts.models import Contact, EmailAddress, Organisation
from crm.core import events
from crm.core.errors import BadInput, NotFound, Refused
from crm.core.i18n import _
from crm.imports.matching import ROWS
from crm.imports.models import ContactMerge, DuplicatePair, ImportBatch

BATCHES: sa.Table = ImportBatch.__table__  # type: ignore[attr-defined]
OPEN, LATER, DIFFERENT, MERGED = "open", "later", "different", "merged"
ANSWERS = (DIFFERENT, LATER)
MANY = 100
"""Open questions are counted up to here; who has more needs no figure."""


@dataclass(frozen=True)
class Face:
    """One of two people in the list of questions."""

    id: int
    name: str
    company: str
    country: str
    emails: tuple[str, ...]
    records: int
    """How many rows of lists the person is made of."""
    last_seen: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """Two people who may be one. ``why``: name, mailbox or mobile; ``status``: open, later, different or merged."""

    id: int
    why: str
    status: str
    batch_id: int | None
    one: Face
    other: Face


def list_pairs(
    session: Session,
    *,
    statuses: Collection[str] = (OPEN, LATER),
    why: str = "",
    exhibition_id: int | None = None,
    contact_id: int | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[Question]:
    """Return pairs by number, after ``after``; those of whom one was joined with somebody are not asked about."""
    rows = _askable(statuses).where(col(DuplicatePair.id) > after).order_by(col(DuplicatePair.id)).limit(limit)
    if why:
        rows = rows.where(DuplicatePair.why == why)
    if exhibition_id is not None:
        batches = select(ImportBatch.id).where(ImportBatch.exhibition_id == exhibition_id)
        rows = rows.where(col(DuplicatePair.batch_id).in_(batches))
    if contact_id is not None:
        rows = rows.where((DuplicatePair.one_id == contact_id) | (DuplicatePair.other_id == contact_id))
    pairs = session.exec(rows).all()
    faces = faces_of(session, {one for pair in pairs for one in (pair.one_id, pair.other_id)})
    return [
        Question(pair.id or 0, pair.why, pair.status, pair.batch_id, faces[pair.one_id], faces[pair.other_id])
        for pair in pairs
    ]


def each_pair(session: Session, *, why: str = "", exhibition_id: int | None = None) -> Iterator[Question]:
    """Yield all open questions, a page at a time."""
    after = 0
    while rows := list_pairs(session, statuses=(OPEN,), why=why, exhibition_id=exhibition_id, after=after, limit=200):
        yield from rows
        after = rows[-1].id


def _askable(statuses: Collection[str]) -> Any:
    away = select(Contact.id).where(col(Contact.merged_into_id).is_not(None))
    rows = select(DuplicatePair).where(col(DuplicatePair.status).in_(tuple(statuses)))
    if MERGED in statuses:
        return rows
    return rows.where(
        col(DuplicatePair.one_id).not_in(away),
        col(DuplicatePair.other_id).not_in(away),
    )


def open_questions(session: Session) -> int:
    """Count the open questions, up to ``MANY`` + 1."""
    few = _askable((OPEN,)).with_only_columns(col(DuplicatePair.id)).limit(MANY + 1).subquery()
    return int(session.execute(sa.select(sa.func.count()).select_from(few)).scalar_one())


def faces_of(session: Session, ids: Collection[int]) -> dict[int, Face]:
    people = {one.id: one for one in session.exec(select(Contact).where(col(Contact.id).in_(ids)))}
    firms = _firm_names(session, people.values())
    addresses = _addresses(session, ids)
    files: dict[int, list[str]] = {}
    rows = (
        sa.select(ROWS.c.contact_id, BATCHES.c.filename)
        .outerjoin(BATCHES, BATCHES.c.id == ROWS.c.batch_id)
        .where(ROWS.c.contact_id.in_(ids), ROWS.c.stands)
        .order_by(ROWS.c.id)
    )
    for contact_id, file in session.execute(rows):
        files.setdefault(contact_id, []).append(file or "")
    return {
        one: Face(
            one,
            people[one].full_name,
            firms.get(one, ""),
            people[one].country or "",
            tuple(addresses.get(one, ())),
            len(files.get(one, ())),
            str(people[one].extra.get("last_seen", "")),
            tuple(dict.fromkeys(file for file in files.get(one, ()) if file)),
        )
        for one in ids
    }


def _firm_names(session: Session, people: Iterable[Contact]) -> dict[int, str]:
    firm_of = {one.id: one.organisation_id for one in people if one.organisation_id is not None}
    rows = select(Organisation).where(col(Organisation.id).in_(set(firm_of.values())))
    names = {firm.id: firm.name for firm in session.exec(rows)}
    return {one: names[firm] for one, firm in firm_of.items() if one is not None}


def _addresses(session: Session, ids: Collection[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    rows = select(EmailAddress).where(col(EmailAddress.contact_id).in_(ids))
    for row in session.exec(rows.order_by(col(EmailAddress.position), col(EmailAddress.id))):
        found.setdefault(row.contact_id, []).append(row.address)
    return found


def get_pair(session: Session, pair_id: int) -> DuplicatePair:
    """Return one question. Raises NotFound."""
    pair = session.get(DuplicatePair, pair_id)
    if pair is None:
        raise NotFound(_("There is no such question about two people."))
    return pair


def ask(session: Session, one_id: int, other_id: int, *, now: datetime, by: str) -> DuplicatePair:
    """Return the question whether two people are one, made when nobody asked it before.

    Raises BadInput for one and the same person, NotFound for somebody who does not exist or was joined with another.
    """
    low, high = sorted((standing(session, one_id).id or 0, standing(session, other_id).id or 0))
    if low == high:
        raise BadInput(_("Choose two different people."))
    known = session.exec(
        select(DuplicatePair).where(DuplicatePair.one_id == low, DuplicatePair.other_id == high)
    ).first()
    if known is not None:
        return known
    pair = DuplicatePair(one_id=low, other_id=high, why="hand", status=OPEN)
    session.add(pair)
    session.flush()
    events.record(session, "duplicate_asked", "contact", low, at=now, actor=by, data={"other": high})
    return pair


def standing(session: Session, contact_id: int) -> Contact:
    contact = session.get(Contact, contact_id)
    if contact is None or contact.merged_into_id is not None:
        raise NotFound(_("There is no such contact."))
    return contact


def decide(session: Session, pair_id: int, answer: str, *, now: datetime, by: str) -> DuplicatePair:
    """Remember that two people are different, or that the question waits. Raises BadInput, NotFound, Refused."""
    if answer not in ANSWERS:
        raise BadInput(_("Choose one of the listed values."))
    pair = get_pair(session, pair_id)
    if pair.status == MERGED:
        raise Refused(_("These two are one person already. Take the merge back first."), code="already_merged")
    pair.status, pair.decided_at, pair.decided_by = answer, now, by
    session.add(pair)
    session.flush()
    for one, other in ((pair.one_id, pair.other_id), (pair.other_id, pair.one_id)):
        data = {"pair": pair.id, "other": other, "answer": answer}
        events.record(session, "duplicate_decided", "contact", one, at=now, actor=by, reason=answer, data=data)
    return pair


@dataclass(frozen=True)
class Merge:
    """A standing merge of a contact, for its page."""

    id: int
    at: datetime
    by: str
    from_list: str
    """The list that proved it; empty when a person decided."""
    gone: Face


def merges_of(session: Session, contact_id: int) -> list[Merge]:
    """Return who was joined into a contact, the latest first."""
    rows = session.exec(
        select(ContactMerge, ImportBatch.filename)
        .outerjoin(ImportBatch, col(ImportBatch.id) == ContactMerge.batch_id)
        .where(ContactMerge.kept_id == contact_id, col(ContactMerge.undone_at).is_(None))
        .order_by(col(ContactMerge.id).desc())
    ).all()
    faces = faces_of(session, {merge.gone_id for merge, _file in rows})
    return [Merge(merge.id or 0, merge.at, merge.by, file or "", faces[merge.gone_id]) for merge, file in rows]


def kept_instead(session: Session, contact_id: int) -> int | None:
    """Return the contact that a merged-away one lives on in; None for everybody else."""
    kept, seen = None, {contact_id}
    at = session.get(Contact, contact_id)
    while at is not None and at.merged_into_id is not None and at.merged_into_id not in seen:
        kept = at.merged_into_id
        seen.add(kept)
        at = session.get(Contact, kept)
    return kept
