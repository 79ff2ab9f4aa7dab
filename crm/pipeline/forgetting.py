"""Letting go of leads whose import is taken back. What a person did with a deal stays, and so does its lead."""

from collections.abc import Collection

from sqlmodel import Session, col, delete, select

from crm.contacts.models import Lead
from crm.core import events
from crm.core.models import Event
from crm.pipeline.models import (
    Deal,
    DealLead,
    ExclusiveContract,
    MeetingProposal,
    NegotiationPoint,
    Quotation,
    StageMove,
    Task,
)
from crm.pipeline.rules import HAPPENINGS


def in_human_hands(session: Session, lead_ids: Collection[int], *, shared: bool = True) -> set[int]:
    """Return those of the leads whose deal a person moved, told of or gave a paper, or who have a task of a person.

    ``shared`` False: a deal that has another lead as well goes on with that one, so it holds nobody.
    """
    deals = dict(
        session.exec(select(DealLead.lead_id, DealLead.deal_id).where(col(DealLead.lead_id).in_(lead_ids))).all()
    )
    ids = set(deals.values())
    moved = select(StageMove.deal_id).where(col(StageMove.deal_id).in_(ids), StageMove.by != events.SYSTEM)
    papers = (ExclusiveContract, Quotation, MeetingProposal, NegotiationPoint)
    given = {one for kind in papers for one in session.exec(select(kind.deal_id).where(col(kind.deal_id).in_(ids)))}
    told = select(Event.subject_id).where(
        Event.subject == "deal", col(Event.subject_id).in_(ids), col(Event.verb).in_(HAPPENINGS.values())
    )
    touched: set[int | None] = {*session.exec(moved), *given, *session.exec(told)}
    if not shared:
        others = select(DealLead.deal_id).where(col(DealLead.deal_id).in_(ids), col(DealLead.lead_id).not_in(lead_ids))
        touched -= {*session.exec(others)}
    proposed = select(MeetingProposal.lead_id).where(col(MeetingProposal.lead_id).in_(lead_ids))
    tasks = select(Task.lead_id).where(col(Task.lead_id).in_(lead_ids), col(Task.done_at).is_not(None))
    held = {lead_id for lead_id, deal_id in deals.items() if deal_id in touched}
    own = [*session.exec(tasks), *session.exec(proposed)]
    return held | {lead_id for lead_id in own if lead_id is not None}


def forget_leads(session: Session, lead_ids: Collection[int]) -> None:
    """Take leads out of their deals, and close what the house opened for them by itself; empty deals go."""
    deal_ids = set(session.exec(select(DealLead.deal_id).where(col(DealLead.lead_id).in_(lead_ids))))
    session.exec(delete(Task).where(col(Task.lead_id).in_(lead_ids)))
    session.exec(delete(DealLead).where(col(DealLead.lead_id).in_(lead_ids)))
    for deal_id in sorted(deal_ids):
        _close_or_hand_on(session, session.get_one(Deal, deal_id))
    session.flush()


def _close_or_hand_on(session: Session, deal: Deal) -> None:
    others = select(Lead.contact_id).join(DealLead).where(DealLead.deal_id == deal.id).order_by(col(Lead.id))
    heir = session.exec(others).first()
    if heir is not None:
        deal.contact_id = heir
        return
    session.exec(delete(Task).where(col(Task.deal_id) == deal.id))
    session.exec(delete(StageMove).where(col(StageMove.deal_id) == deal.id))
    session.delete(deal)
