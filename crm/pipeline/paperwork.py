"""The verbs of papers: quotations, proposed meetings, negotiation points, the minimum purchase of a contract.

Each writes one event about the deal: who, when, and what stood there before.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import Session, col, select

from crm.contacts.models import Lead
from crm.core import events
from crm.core.db import alone
from crm.core.errors import BadInput, NotFound, Place, Problem, Refused
from crm.core.i18n import _
from crm.exporters.models import Document
from crm.pipeline import papering, service
from crm.pipeline.models import Deal, ExclusiveContract, MeetingProposal, NegotiationPoint, Quotation
from crm.pipeline.papering import Minimum, Offer, QuotedLine, Slots, day_of

CHANGES = (
    "quotation_added", "quotation_changed", "quotation_expired", "quotation_paper_set", "meeting_proposed",
    "meeting_agreed", "meeting_withdrawn", "point_added", "point_changed", "point_removed", "contract_minimum_set",
    "contract_offered", "contract_signed",
)  # fmt: skip
"""The verbs after which a letter that was written from a deal's papers has to be looked at again."""


# --- quotations ------------------------------------------------------------------------------------------------------


def add_quotation(session: Session, deal: Deal, offer: Offer, *, by: str, now: datetime) -> Quotation:
    """Store a quotation as a draft. Raises BadInput naming field and line, also when the number is taken."""
    _refuse(papering.faults_of_offer(offer))
    alone(session, f"quotations of {deal.exporter_id}")
    _refuse_taken(session, deal.exporter_id, offer.number, None)
    row = Quotation(
        deal_id=_id(deal), exporter_id=deal.exporter_id, created_at=now, created_by=by, **_columns(offer)
    )  # fmt: skip
    session.add(row)
    session.flush()
    _tell(session, "quotation_added", row, {"quotation": row.id, **_told(offer)}, by, now)
    return row


def change_quotation(session: Session, row: Quotation, offer: Offer, *, by: str, now: datetime) -> None:
    """Change a quotation that has not left. Raises Refused for one that has: it gets a new number instead."""
    if row.state != papering.DRAFT:
        raise Refused(_("This quotation has been sent. Make a new one with a number of its own."))
    _refuse(papering.faults_of_offer(offer))
    alone(session, f"quotations of {row.exporter_id}")
    _refuse_taken(session, row.exporter_id, offer.number, row.id)
    before = _told(offer_of(row))
    for name, value in _columns(offer).items():
        setattr(row, name, value)
    session.flush()
    _tell(session, "quotation_changed", row, {"quotation": row.id, "before": before, **_told(offer)}, by, now)


def mark_sent(session: Session, row: Quotation, *, at: datetime, by: str, now: datetime) -> None:
    """Note that a quotation has left; workflows go on from it. Raises Refused when it has left before."""
    if row.state != papering.DRAFT:
        raise Refused(_("This quotation has been sent already."))
    if day_of(at) > row.valid_until:
        raise Refused(_("This quotation is out of date. Make a new one."))
    row.state = papering.SENT
    session.flush()
    service.note_happening(
        session,
        session.get_one(Deal, row.deal_id),
        "quotation.sent",
        at=at,
        by=by,
        now=now,
        note=row.number,
        expires_on=row.valid_until + timedelta(days=1),
    )


def quotation_left(session: Session, deal_id: int, *, at: datetime) -> None:
    """Note that a letter with the deal's quotation has left: what was still a draft is now sent."""
    rows = select(Quotation).where(
        Quotation.deal_id == deal_id, Quotation.state == papering.DRAFT, col(Quotation.valid_until) >= day_of(at)
    )
    row = session.exec(rows.order_by(col(Quotation.id).desc())).first()
    if row is not None:
        mark_sent(session, row, at=at, by=events.SYSTEM, now=at)


def expire(session: Session, *, now: datetime) -> int:
    """Mark sent quotations whose last day is over, and return how many; their prices are not named any more."""
    rows = select(Quotation).where(Quotation.state == papering.SENT, col(Quotation.valid_until) < day_of(now))
    found = session.exec(rows).all()
    for row in found:
        row.state = papering.EXPIRED
        _tell(session, "quotation_expired", row, {"quotation": row.id, "number": row.number}, events.SYSTEM, now)
    session.flush()
    return len(found)


def attach_paper(session: Session, row: Quotation, document: Document | None, *, by: str, now: datetime) -> None:
    """Say which document is the quotation's signed paper; None: none is. Raises Refused for one of another exporter."""
    if document is not None and document.exporter_id != row.exporter_id:
        raise Refused(_("This document belongs to another company."))
    row.document_id = document.id if document else None
    session.flush()
    _tell(session, "quotation_paper_set", row, {"quotation": row.id, "document": row.document_id}, by, now)


def offer_of(row: Quotation) -> Offer:
    """Return a stored quotation as a plain value, its figures exact."""
    return Offer(
        number=row.number,
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        currency=row.currency,
        lines=tuple(_line(line) for line in row.lines),
        incoterm=row.incoterm,
        incoterm_place=row.incoterm_place,
        lead_time_days=row.lead_time_days,
        payment=row.payment,
        packing=dict(row.packing),
    )


def _line(stored: Mapping[str, str]) -> QuotedLine:
    """Return one stored line as a plain value."""
    return QuotedLine(
        item=stored["item"],
        quantity=int(stored["quantity"]),
        unit=stored["unit"],
        unit_price=Decimal(stored["unit_price"]),
        hs_code=stored.get("hs_code", ""),
    )


def _columns(offer: Offer) -> dict[str, Any]:
    names = (
        "number",
        "issued_on",
        "valid_until",
        "currency",
        "incoterm",
        "incoterm_place",
        "lead_time_days",
        "payment",
    )
    lines = [
        {
            "item": line.item,
            "hs_code": line.hs_code,
            "quantity": str(line.quantity),
            "unit": line.unit,
            "unit_price": f"{line.unit_price:f}",
        }
        for line in offer.lines
    ]
    return {**{name: getattr(offer, name) for name in names}, "packing": dict(offer.packing), "lines": lines}


def _told(offer: Offer) -> dict[str, Any]:
    return {
        "number": offer.number,
        "total": f"{offer.currency} {offer.total:f}",
        "valid_until": offer.valid_until.isoformat(),
        "lines": len(offer.lines),
    }


def _refuse_taken(session: Session, exporter_id: int, number: str, own: int | None) -> None:
    taken = select(Quotation.id).where(Quotation.exporter_id == exporter_id, Quotation.number == number)
    if session.exec(taken).first() not in (None, own):
        message = _("The number {number} is taken. Give this quotation another.", number=number)
        raise BadInput([Problem(message, Place(field="number"))])


# --- meetings --------------------------------------------------------------------------------------------------------


def propose_meeting(
    session: Session, wanted: Slots, *, deal: Deal | None = None, lead: Lead | None = None, by: str, now: datetime
) -> MeetingProposal:
    """Store proposed times of a deal, or of a lead that has none; what was proposed before is replaced.

    A change of an earlier proposal keeps its name in calendars. Raises BadInput for times that cannot be proposed.
    """
    _refuse(papering.faults_of_slots(wanted, now))
    about = deal or lead
    if about is None:
        raise ValueError("a meeting is proposed to a deal or a lead")
    row = _meeting_of(session, deal, lead)
    if row is None:
        row = MeetingProposal(
            exporter_id=about.exporter_id,
            deal_id=deal.id if deal else None,
            lead_id=None if deal else about.id,
            minutes=wanted.minutes,
            changed_at=now,
            changed_by=by,
        )
    else:
        row.sequence += 1
    row.slots = [moment.astimezone(UTC).isoformat() for moment in sorted(set(wanted.moments))]
    row.minutes, row.place, row.online = wanted.minutes, wanted.place, wanted.online
    row.chosen_at, row.changed_at, row.changed_by = None, now, by
    session.add(row)
    session.flush()
    _tell(session, "meeting_proposed", row, {"meeting": row.id, "slots": row.slots, "minutes": row.minutes}, by, now)
    return row


def choose_slot(session: Session, row: MeetingProposal, slot: datetime, *, by: str, now: datetime) -> None:
    """Note which of the proposed times was agreed. Raises BadInput for one that was not proposed."""
    if slot not in slots_of(row):
        raise BadInput([Problem(_("This time was not proposed."), Place(field="chosen"))])
    row.chosen_at, row.changed_at, row.changed_by = slot, now, by
    row.sequence += 1
    session.flush()
    _tell(session, "meeting_agreed", row, {"meeting": row.id, "at": slot.astimezone(UTC).isoformat()}, by, now)


def withdraw_meeting(session: Session, row: MeetingProposal, *, by: str, now: datetime) -> None:
    """Take a proposal back; letters do not name its times any more."""
    before = row.slots
    row.slots, row.chosen_at, row.changed_at, row.changed_by = [], None, now, by
    row.sequence += 1
    session.flush()
    _tell(session, "meeting_withdrawn", row, {"meeting": row.id, "slots": before}, by, now)


def slots_of(row: MeetingProposal) -> tuple[datetime, ...]:
    """Return the proposed times as aware moments."""
    return tuple(datetime.fromisoformat(text) for text in row.slots)


def _meeting_of(session: Session, deal: Deal | None, lead: Lead | None) -> MeetingProposal | None:
    rows = select(MeetingProposal).order_by(col(MeetingProposal.id).desc())
    if deal is not None:
        return session.exec(rows.where(MeetingProposal.deal_id == deal.id)).first()
    return session.exec(rows.where(MeetingProposal.lead_id == (lead.id if lead else None))).first()


# --- negotiation -----------------------------------------------------------------------------------------------------


def add_point(
    session: Session,
    deal: Deal,
    kind: str,
    texts: Mapping[str, str],
    *,
    until: date | None = None,
    by: str,
    now: datetime,
) -> NegotiationPoint:
    """Store a point of a negotiation. Raises BadInput naming the field."""
    texts = _cleaned(texts)
    _refuse(papering.faults_of_point(kind, texts, until, day_of(now)))
    row = NegotiationPoint(
        deal_id=_id(deal),
        exporter_id=deal.exporter_id,
        kind=kind,
        texts=texts,
        until=until,
        changed_at=now,
        changed_by=by,
    )
    session.add(row)
    session.flush()
    _tell(session, "point_added", row, {"point": row.id, **_said(row)}, by, now)
    return row


def change_point(
    session: Session,
    row: NegotiationPoint,
    kind: str,
    texts: Mapping[str, str],
    *,
    until: date | None = None,
    by: str,
    now: datetime,
) -> None:
    """Change a point, for example from open to agreed. Raises BadInput naming the field."""
    texts = _cleaned(texts)
    _refuse(papering.faults_of_point(kind, texts, until, day_of(now)))
    before = _said(row)
    row.kind, row.texts, row.until, row.changed_at, row.changed_by = kind, texts, until, now, by
    session.flush()
    _tell(session, "point_changed", row, {"point": row.id, "before": before, **_said(row)}, by, now)


def remove_point(session: Session, row: NegotiationPoint, *, by: str, now: datetime) -> None:
    """Take a point out; the log keeps what it said."""
    _tell(session, "point_removed", row, {"point": row.id, "before": _said(row)}, by, now)
    session.delete(row)
    session.flush()


def _cleaned(texts: Mapping[str, str]) -> dict[str, str]:
    return {language: " ".join(text.split()) for language, text in texts.items() if text.strip()}


def _said(row: NegotiationPoint) -> dict[str, Any]:
    return {"kind": row.kind, "texts": dict(row.texts), "until": row.until.isoformat() if row.until else None}


# --- the minimum of a contract ---------------------------------------------------------------------------------------


def set_minimum(session: Session, contract: ExclusiveContract, minimum: Minimum, *, by: str, now: datetime) -> None:
    """Put the least that is bought a year into figures; what was said in words stays. Raises BadInput."""
    _refuse(papering.faults_of_minimum(minimum))
    before = {"quantity": contract.minimum_quantity, "unit": contract.minimum_unit}
    before |= {"amount": _text(contract.minimum_amount), "currency": contract.minimum_currency}
    contract.minimum_quantity, contract.minimum_unit = minimum.quantity, minimum.unit
    contract.minimum_amount, contract.minimum_currency = minimum.amount, minimum.currency
    session.flush()
    after = {"quantity": minimum.quantity, "unit": minimum.unit}
    after |= {"amount": _text(minimum.amount), "currency": minimum.currency}
    data = {"contract": contract.id, "before": before, "after": after}
    events.record(
        session, "contract_minimum_set", "deal", contract.deal_id, at=now, actor=by, exporter_id=contract.exporter_id,
        data=data,
    )  # fmt: skip


def _text(amount: object) -> str | None:
    return None if amount is None else f"{amount:f}"


# --- one place for what all of them do -------------------------------------------------------------------------------


def of_deal(session: Session, kind: type[Any], deal_id: int, number: int) -> Any:
    """Return a quotation, proposal, point or contract of this deal by its id. Raises NotFound, also for another's."""
    row = session.get(kind, number)
    if row is None or row.deal_id != deal_id:
        raise NotFound(_("There is no such paper in this deal."))
    return row


def _refuse(faults: list[Problem]) -> None:
    if faults:
        raise BadInput(faults)


def _tell(session: Session, verb: str, row: Any, data: dict[str, Any], by: str, now: datetime) -> None:
    subject, number = ("deal", row.deal_id) if row.deal_id is not None else ("lead", row.lead_id)
    events.record(session, verb, subject, number, at=now, actor=by, exporter_id=row.exporter_id, data=data)
    session.flush()


def _id(deal: Deal) -> int:
    assert deal.id is not None
    return deal.id
