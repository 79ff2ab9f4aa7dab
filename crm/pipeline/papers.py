"""What letters need to know of the papers of many deals, read in a few queries, as plain values.

Nothing here has passed: no quotation whose last day is over, no time that lies behind, no contract that has ended.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from crm.contacts.service import chunks
from crm.pipeline import papering
from crm.pipeline.models import ExclusiveContract, MeetingProposal, NegotiationPoint, Quotation
from crm.pipeline.papering import Offer, day_of
from crm.pipeline.paperwork import offer_of, slots_of


@dataclass(frozen=True)
class QuotedPaper:
    """The newest quotation of a deal that still holds; ``document_id`` is its signed paper."""

    id: int
    offer: Offer
    state: str
    document_id: int | None = None


@dataclass(frozen=True)
class MeetingPaper:
    """The times proposed for a talk that lie ahead, or the one that was ``chosen``. All aware, in UTC."""

    id: int
    slots: tuple[datetime, ...]
    minutes: int
    place: str
    online: bool
    sequence: int
    changed_at: datetime
    chosen: datetime | None = None


@dataclass(frozen=True)
class PointPaper:
    """One point of a negotiation; ``texts``: language → text."""

    kind: str
    texts: Mapping[str, str]
    until: date | None = None


@dataclass(frozen=True)
class ContractPaper:
    """What was promised, or offered, to the deal's buyer. The minimum is for a year; ``words`` is how it was said."""

    id: int
    kind: str
    status: str
    territory: tuple[str, ...]
    starts_on: date
    ends_on: date
    minimum_quantity: int | None = None
    minimum_unit: str = ""
    minimum_amount: Decimal | None = None
    currency: str = ""
    words: str = ""


@dataclass(frozen=True)
class Papers:
    """All that letters about one deal can speak of."""

    quotation: QuotedPaper | None = None
    meeting: MeetingPaper | None = None
    points: tuple[PointPaper, ...] = ()
    contract: ContractPaper | None = None

    def texts(self, kind: str, language: str) -> tuple[str, ...]:
        """Return the points of a kind in ``language``; empty when one of them is not written in it.

        Half a list would tell the buyer that the rest was dropped.
        """
        found = [point.texts.get(language, "") for point in self.points if point.kind == kind]
        return tuple(found) if all(found) else ()

    def until(self) -> date | None:
        """Return the day until which all our proposals hold."""
        days = [point.until for point in self.points if point.kind == papering.PROPOSAL and point.until]
        return min(days, default=None)


NOTHING = Papers()
_KINDS: tuple[Any, ...] = (Quotation, MeetingProposal, NegotiationPoint, ExclusiveContract)


@dataclass
class Stack:
    """All papers of one deal as they stand; ``at`` tells which of them count at a moment."""

    quotations: list[Quotation] = field(default_factory=list)
    meetings: list[MeetingProposal] = field(default_factory=list)
    points: list[PointPaper] = field(default_factory=list)
    contracts: list[ExclusiveContract] = field(default_factory=list)

    def at(self, now: datetime) -> Papers:
        """Return what a letter that leaves at ``now`` may speak of."""
        today = day_of(now)
        holding = [row for row in self.quotations if papering.still_holds(row.state, row.valid_until, today)]
        meetings = [meeting for row in self.meetings if (meeting := meeting_paper(row, now))]
        # What is signed stays before what is only offered; of equals the newest.
        standing = sorted(
            (row for row in self.contracts if _stands(row, today)), key=lambda row: row.status == "signed"
        )
        return Papers(
            quotation=_quoted(holding[-1]) if holding else None,
            meeting=meetings[-1] if meetings else None,
            points=tuple(self.points),
            contract=_contract(standing[-1]) if standing else None,
        )


def papers_of(session: Session, deal_ids: Collection[int], *, now: datetime) -> dict[int, Papers]:
    """Return the papers that count at ``now``, of each deal that has any, in five queries for up to 500 deals."""
    found = {deal_id: stack.at(now) for deal_id, stack in stacks_of(session, deal_ids).items()}
    return {deal_id: papers for deal_id, papers in found.items() if papers != NOTHING}


def stacks_of(session: Session, deal_ids: Collection[int]) -> dict[int, Stack]:
    """Return all papers of each deal that has any, the oldest first, to be asked for several moments.

    Most deals have none, so it is asked first which have.
    """
    stacks: dict[int, Stack] = {}
    for chunk in (having for part in chunks(sorted(set(deal_ids))) if (having := _with_papers(session, part))):
        for row in _rows(session, Quotation, chunk):
            stacks.setdefault(row.deal_id, Stack()).quotations.append(row)
        for row in _rows(session, MeetingProposal, chunk):
            stacks.setdefault(row.deal_id, Stack()).meetings.append(row)
        for row in _rows(session, NegotiationPoint, chunk):
            point = PointPaper(row.kind, dict(row.texts), row.until)
            stacks.setdefault(row.deal_id, Stack()).points.append(point)
        for row in _rows(session, ExclusiveContract, chunk):
            stacks.setdefault(row.deal_id, Stack()).contracts.append(row)
    return stacks


def meetings_of_leads(session: Session, lead_ids: Collection[int], *, now: datetime) -> dict[int, MeetingPaper]:
    """Return the times proposed to leads themselves, which is done while they have no deal."""
    found: dict[int, MeetingPaper] = {}
    for chunk in chunks(sorted(set(lead_ids))):
        rows = select(MeetingProposal).where(col(MeetingProposal.lead_id).in_(chunk))
        for row in session.exec(rows.order_by(col(MeetingProposal.id))):
            meeting = meeting_paper(row, now)
            if meeting is not None and row.lead_id is not None:
                found[row.lead_id] = meeting
    return found


def with_meeting(papers: Papers, meeting: MeetingPaper | None) -> Papers:
    """Return the papers with the lead's own meeting where the deal has none."""
    return papers if papers.meeting or meeting is None else replace(papers, meeting=meeting)


def _with_papers(session: Session, deal_ids: list[int]) -> list[int]:
    return sorted(session.execute(_HAVING, {"ids": deal_ids}).scalars())


_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_HAVING = sa.union(*(sa.select(col(kind.deal_id)).where(col(kind.deal_id).in_(_IDS)) for kind in _KINDS))


def _rows(session: Session, kind: type[Any], deal_ids: list[int]) -> Iterable[Any]:
    return session.exec(select(kind).where(col(kind.deal_id).in_(deal_ids)).order_by(col(kind.id)))


def _quoted(row: Quotation) -> QuotedPaper:
    return QuotedPaper(row.id or 0, offer_of(row), row.state, row.document_id)


def meeting_paper(row: MeetingProposal, now: datetime) -> MeetingPaper | None:
    """Return what a letter that leaves at ``now`` may say of a proposed meeting; None when no time is left."""
    chosen = row.chosen_at if row.chosen_at and row.chosen_at > now else None
    left = (chosen,) if chosen else () if row.chosen_at else papering.slots_left(slots_of(row), now)
    if not left or row.id is None:
        return None
    return MeetingPaper(
        row.id, left, row.minutes, row.place, row.online, row.sequence, row.changed_at, chosen
    )  # fmt: skip


def _stands(row: ExclusiveContract, today: date) -> bool:
    reserved = row.status != "offered" or row.reserved_until is None or row.reserved_until >= today
    return row.status in ("offered", "signed") and row.ends_on >= today and reserved


def _contract(row: ExclusiveContract) -> ContractPaper:
    return ContractPaper(
        id=row.id or 0,
        kind=row.kind,
        status=row.status,
        territory=tuple(row.territory),
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        minimum_quantity=row.minimum_quantity,
        minimum_unit=row.minimum_unit,
        minimum_amount=row.minimum_amount,
        currency=row.minimum_currency,
        words=row.minimum,
    )
