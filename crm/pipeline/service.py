"""The verbs of the pipeline: opening deals, moving them with evidence, giving territories, and tasks."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import sqlalchemy as sa
from babel import Locale
from sqlmodel import Session, col, select

from crm.contacts.models import Contact, Lead, Organisation
from crm.core import bulk, events
from crm.core.clock import KST
from crm.core.errors import BadInput, NotFound, Refused
from crm.core.i18n import _
from crm.exporters import service as exporters
from crm.exporters.models import Exporter, ProductLine
from crm.exporters.rules import in_language
from crm.pipeline import rules, texts
from crm.pipeline.models import Deal, DealLead, ExclusiveContract, StageMove, Task
from crm.pipeline.papering import Minimum, faults_of_minimum
from crm.pipeline.rules import BEFORE_REPLY, Buyer, Claim, Line, Move, Stage

DEALS: sa.Table = Deal.__table__  # type: ignore[attr-defined]
DEAL_LEADS: sa.Table = DealLead.__table__  # type: ignore[attr-defined]
LEADS: sa.Table = Lead.__table__  # type: ignore[attr-defined]
CONTACTS: sa.Table = Contact.__table__  # type: ignore[attr-defined]
_Key = tuple[int, int, int]
"""Exporter, buyer company and product line; of each there is one deal."""


# Deals


def open_deals(session: Session, *, now: datetime) -> int:
    """Give every lead without one a deal, and return how many leads were taken in.

    A lead joins the deal of its exporter, buyer company and product line. The line is the lead's own, else the
    exporter's first; leads of an exporter without product lines wait. A person without a company stands for one.
    A long list brings thousands at once, so everything is looked up and written together.
    """
    session.flush()
    leads = _leads_without_deal(session)
    first = {exporter_id: _first_line(session, exporter_id) for exporter_id in {lead.exporter_id for lead in leads}}
    wanted = [
        (lead, (lead.exporter_id, lead.organisation_id or _stand_in(session, lead.contact_id, now), line_id))
        for lead in leads
        if (line_id := lead.product_line_id or first[lead.exporter_id]) is not None
    ]
    deals = _deals_of(session, first)
    next_id = bulk.ids_for(session, DEALS)
    opened: list[tuple[int, _Key, int]] = []
    for lead, key in wanted:
        if key not in deals:
            deals[key] = next_id()
            opened.append((deals[key], key, lead.contact_id))
    _open(session, opened, now)
    joined = [(lead.id, deals[key]) for lead, key in wanted]
    bulk.insert(session, DEAL_LEADS, ("lead_id", "deal_id"), joined)
    return len(joined)


def _leads_without_deal(session: Session) -> Sequence[Any]:
    rows = (
        sa.select(LEADS.c.id, LEADS.c.exporter_id, LEADS.c.contact_id, LEADS.c.product_line_id)
        .add_columns(CONTACTS.c.organisation_id)
        .join(CONTACTS, CONTACTS.c.id == LEADS.c.contact_id)
        .outerjoin(DEAL_LEADS, DEAL_LEADS.c.lead_id == LEADS.c.id)
        .where(DEAL_LEADS.c.lead_id.is_(None))
    )
    return session.execute(rows.order_by(LEADS.c.id)).all()


def _deals_of(session: Session, exporter_ids: Iterable[int]) -> dict[_Key, int]:
    rows = sa.select(DEALS.c.id, DEALS.c.exporter_id, DEALS.c.organisation_id, DEALS.c.product_line_id)
    found = session.execute(rows.where(DEALS.c.exporter_id.in_(list(exporter_ids))))
    return {
        (exporter_id, organisation_id, line_id): deal_id for deal_id, exporter_id, organisation_id, line_id in found
    }


def _open(session: Session, opened: Sequence[tuple[int, _Key, int]], now: datetime) -> None:
    """Write new deals, given as id, key and contact, with their lines of the log."""
    moment = bulk.moment_of(session, DEALS.c.created_at)(now)
    columns = ("id", "exporter_id", "organisation_id", "product_line_id", "contact_id", "stage", "stage_since")
    rows = [(deal_id, *key, contact_id, Stage.LEAD.value, moment) for deal_id, key, contact_id in opened]
    rest = ("turn", "next_step", "lost_reason", "created_at", "version")
    bulk.insert(session, DEALS, (*columns, *rest), [(*row, "us", "", "", moment, 1) for row in rows])
    events.record_many(session, "deal_opened", "deal", [(deal_id, key[0]) for deal_id, key, _one in opened], at=now)


def _first_line(session: Session, exporter_id: int) -> int | None:
    lines = exporters.lines_of(session, exporter_id)
    return lines[0].id if lines else None


def _stand_in(session: Session, contact_id: int, now: datetime) -> int:
    contact = session.get_one(Contact, contact_id)
    if contact.organisation_id is None:
        # The key can match no company name, so that an import never takes this person for a firm.
        stand_in = Organisation(
            name=contact.full_name, match_key=f"person:{contact.id}", country=contact.country, created_at=now
        )
        session.add(stand_in)
        session.flush()
        contact.organisation_id = stand_in.id
    return _id(contact.organisation_id)


def deal_of_lead(session: Session, lead_id: int) -> Deal | None:
    """Return the deal a lead belongs to, or None before it was taken in."""
    return session.exec(select(Deal).join(DealLead).where(DealLead.lead_id == lead_id)).first()


def move(
    session: Session,
    deal: Deal,
    to_stage: str,
    *,
    by: str,
    now: datetime,
    reason: str = "",
    evidence: Mapping[str, Any] | None = None,
    lost_reason: str = "",
) -> StageMove:
    """Move a deal and write down who, when, why and what proves it. Raises Refused when the rules say no.

    What a person writes as the reason of a step forward is its evidence, unless there is a better one.
    """
    by_hand = by != events.SYSTEM
    proof = dict(evidence or ({"note": reason.strip()} if by_hand and reason.strip() else {}))
    wish = Move(deal.stage, to_stage, bool(proof), reason, by_hand, lost_reason)
    refusal = rules.refuse_move(wish)
    if refusal:
        raise Refused(texts.say(refusal), code=refusal.code)
    return _record_move(session, deal, to_stage, by, now, reason or lost_reason, proof, lost_reason)


def _record_move(
    session: Session,
    deal: Deal,
    to_stage: str,
    by: str,
    now: datetime,
    reason: str,
    proof: dict[str, Any],
    lost_reason: str = "",
) -> StageMove:
    made = StageMove(
        deal_id=_id(deal.id),
        from_stage=deal.stage,
        to_stage=to_stage,
        at=now,
        by=by,
        reason=reason,
        evidence=proof,
    )
    deal.stage, deal.stage_since, deal.lost_reason = to_stage, now, lost_reason
    session.add(made)
    session.flush()
    data = {"from": made.from_stage, "to": to_stage, "evidence": proof}
    events.record(
        session, rules.MOVED, "deal", deal.id, at=now, actor=by, exporter_id=deal.exporter_id, reason=reason, data=data
    )
    return made


def note_sent(session: Session, lead_id: int, *, now: datetime) -> None:
    """Note that a letter left: a lead becomes contacted, and it is the buyer's turn."""
    deal = deal_of_lead(session, lead_id)
    if deal is None:
        return
    deal.turn = "buyer"
    if deal.stage == Stage.LEAD:
        move(session, deal, Stage.CONTACTED, by=events.SYSTEM, now=now, evidence={"lead_id": lead_id, "letter": "sent"})
    session.flush()


def note_reply(session: Session, lead_id: int, *, now: datetime, evidence: Mapping[str, Any]) -> None:
    """Note that the buyer answered: an earlier or resting deal becomes replied, and it is our turn.

    A deal that a person ended stays ended; the answer is seen all the same, as our turn.
    """
    deal = deal_of_lead(session, lead_id)
    if deal is None:
        return
    deal.turn = "us"
    if deal.stage in BEFORE_REPLY:
        # A buyer may write before our first letter left, so the engine may go over "contacted" here.
        move(session, deal, Stage.REPLIED, by=events.SYSTEM, now=now, reason="reply", evidence=evidence)
    session.flush()


def note_happening(
    session: Session,
    deal: Deal,
    name: str,
    *,
    at: datetime,
    by: str,
    now: datetime,
    note: str = "",
    expires_on: date | None = None,
) -> None:
    """Write down what happened to a deal at ``at``: one of ``rules.HAPPENINGS``. Workflows go on from it.

    ``expires_on`` is the first day on which the prices of a quotation do not hold any more, as Korea's calendar has it.
    Raises BadInput for an unknown name, a time to come, or an end that is not after the quotation.
    """
    if name not in rules.HAPPENINGS:
        known = ", ".join(rules.HAPPENINGS)
        raise BadInput(_("{name} is nothing that happens to a deal. Known: {known}.", name=name, known=known))
    if at > now:
        raise BadInput(_("Write down what has happened once it has."))
    data: dict[str, Any] = {"at": at.astimezone(UTC).isoformat()}
    if expires_on is not None:
        expires_at = datetime.combine(expires_on, time(0), KST)
        if name != "quotation.sent" or expires_at <= at:
            raise BadInput(_("Only a quotation expires, and after the day it was sent."))
        data["expires_at"] = expires_at.astimezone(UTC).isoformat()
    events.record(
        session, rules.HAPPENINGS[name], "deal", deal.id, at=now, actor=by, exporter_id=deal.exporter_id, reason=note,
        data=data,
    )  # fmt: skip
    session.flush()


# Exclusive contracts


def sign_exclusive(
    session: Session,
    deal: Deal,
    *,
    territory: Sequence[str],
    product_line_id: int,
    starts_on: date,
    ends_on: date,
    kind: str = "exclusive",
    status: str = "signed",
    minimum: str = "",
    least: Minimum | None = None,
    reserved_until: date | None = None,
    by: str,
    now: datetime,
) -> ExclusiveContract:
    """Store a contract, or the offer of one, with the deal's buyer. A signed exclusivity also moves the deal.

    ``minimum`` says in words what is to be bought at least, ``least`` the same in figures.

    Raises Refused, naming the other partner, when it overlaps a signed contract (or, for an offer, one that still
    binds); BadInput when a country or the product line does not exist, or the minimum cannot be.
    """
    least = least or Minimum()
    faults = faults_of_minimum(least)
    if faults:
        raise BadInput(faults)
    wanted = ExclusiveContract(
        deal_id=_id(deal.id),
        exporter_id=deal.exporter_id,
        organisation_id=deal.organisation_id,
        product_line_id=_line_of(session, deal.exporter_id, product_line_id),
        kind=kind,
        status=status,
        territory=_countries(territory),
        starts_on=starts_on,
        ends_on=ends_on,
        reserved_until=reserved_until,
        minimum=minimum,
        minimum_quantity=least.quantity,
        minimum_unit=least.unit,
        minimum_amount=least.amount,
        minimum_currency=least.currency,
        signed_on=now.astimezone(KST).date() if status == "signed" else None,
        created_at=now,
        created_by=by,
    )
    _refuse_overlap(session, wanted, now)
    session.add(wanted)
    session.flush()
    _close_offers(session, wanted)
    data = {"territory": wanted.territory, "from": starts_on.isoformat(), "to": ends_on.isoformat(), "kind": kind}
    events.record(
        session, f"contract_{status}", "deal", deal.id, at=now, actor=by, exporter_id=deal.exporter_id, data=data
    )
    if status == "signed" and kind != "non_exclusive" and deal.stage != Stage.EXCLUSIVE_CONTRACT:
        proof = {"contract_id": wanted.id}
        _record_move(session, deal, Stage.EXCLUSIVE_CONTRACT, by, now, _("Exclusive contract"), proof)
    return wanted


def _line_of(session: Session, exporter_id: int, product_line_id: int) -> int:
    line = session.get(ProductLine, product_line_id)
    if line is None or line.exporter_id != exporter_id:
        raise BadInput(_("There is no such product line."))
    return product_line_id


def _countries(codes: Iterable[str]) -> list[str]:
    known = Locale("en").territories
    wanted = sorted({code.strip().upper() for code in codes if code.strip()})
    for code in wanted:
        if len(code) != 2 or code not in known:
            raise BadInput(_("{country} is not a country code. Use two letters such as PH.", country=code))
    return wanted


def _refuse_overlap(session: Session, wanted: ExclusiveContract, now: datetime) -> None:
    # Two people may sign at the same moment: the exporter's row is the lock that makes the second one wait (on SQLite
    # all writers wait for each other anyway).
    session.exec(select(Exporter.id).where(Exporter.id == wanted.exporter_id).with_for_update()).one()
    others = contracts_of(session, wanted.exporter_id)
    families = {
        line_id: frozenset(exporters.ancestors(session, line_id))
        for line_id in {wanted.product_line_id, *(line for other in others for line in other.lines)}
    }
    today = now.astimezone(KST).date()
    refusal = rules.refuse_contract(_plain(session, wanted), others, families, today)
    if refusal:
        raise Refused(texts.say(refusal), code=refusal.code)


def _close_offers(session: Session, signed: ExclusiveContract) -> None:
    """The offer that led to a signature is not open any more."""
    if signed.status != "signed":
        return
    rows = select(ExclusiveContract).where(
        ExclusiveContract.deal_id == signed.deal_id,
        ExclusiveContract.product_line_id == signed.product_line_id,
        ExclusiveContract.status == "offered",
    )
    for offer in session.exec(rows):
        offer.status = "ended"
    session.flush()


def contracts_of(session: Session, exporter_id: int) -> list[rules.ExclusiveContract]:
    """Return all contracts and offers of an exporter as plain values."""
    rows = select(ExclusiveContract).where(ExclusiveContract.exporter_id == exporter_id)
    return [_plain(session, row) for row in session.exec(rows.order_by(col(ExclusiveContract.id)))]


def _plain(session: Session, row: ExclusiveContract) -> rules.ExclusiveContract:
    partner = session.get_one(Organisation, row.organisation_id)
    line = session.get_one(ProductLine, row.product_line_id)
    return rules.ExclusiveContract(
        id=row.id or 0,
        exporter_id=row.exporter_id,
        partner_id=row.organisation_id,
        partner=partner.name,
        kind=row.kind,
        status=row.status,
        lines=frozenset({row.product_line_id}),
        territory=frozenset(row.territory),
        start=row.starts_on,
        end=row.ends_on,
        reserved_until=row.reserved_until,
        name=in_language(line.names, "ko"),
    )


class Territories:
    """The contracts and product lines of some exporters, read once, to be asked about many buyers."""

    def __init__(self, session: Session, exporter_ids: Iterable[int]) -> None:
        wanted = sorted(set(exporter_ids))
        self._contracts = {exporter_id: contracts_of(session, exporter_id) for exporter_id in wanted}
        # Without a contract there is nothing to ask of the lines.
        binding = [exporter_id for exporter_id, contracts in self._contracts.items() if contracts]
        rows = session.exec(select(ProductLine).where(col(ProductLine.exporter_id).in_(binding))) if binding else ()
        self._parents = {_id(line.id): line.parent_id for line in rows}
        self._lines: dict[int, Line] = {}

    def claims(
        self,
        *,
        exporter_id: int,
        product_line_id: int | None,
        country: str | None,
        organisation_id: int | None,
        now: datetime,
    ) -> list[Claim]:
        """Return which exclusivities stand in the way of offering a product line to a buyer at ``now``."""
        contracts = self._contracts[exporter_id]
        if product_line_id is None or not contracts:
            return []
        if product_line_id not in self._lines:
            self._lines[product_line_id] = self._line(product_line_id)
        return rules.conflicts(self._lines[product_line_id], Buyer(organisation_id, country), now, contracts)

    def _line(self, line_id: int) -> Line:
        below = frozenset(one for one in self._parents if one != line_id and line_id in self._chain(one))
        return Line(line_id, frozenset(self._chain(line_id)[1:]), below)

    def _chain(self, line_id: int) -> list[int]:
        chain: list[int] = []
        current: int | None = line_id
        while current is not None and current not in chain:
            chain.append(current)
            current = self._parents.get(current)
        return chain


def exclusive_claims(
    session: Session,
    *,
    exporter_id: int,
    product_line_id: int | None,
    country: str | None,
    organisation_id: int | None,
    now: datetime,
) -> list[Claim]:
    """Return which exclusivities stand in the way of offering a product line to a buyer at ``now``."""
    return Territories(session, [exporter_id]).claims(
        exporter_id=exporter_id,
        product_line_id=product_line_id,
        country=country,
        organisation_id=organisation_id,
        now=now,
    )


# Tasks


def add_task(
    session: Session,
    *,
    exporter_id: int,
    kind: str,
    title: str,
    assignee: str = "advisor",
    due_at: datetime | None = None,
    deal_id: int | None = None,
    lead_id: int | None = None,
    origin: str | None = None,
    now: datetime,
) -> Task:
    """Store something to do. The same ``origin`` a second time gives the task that is there."""
    known = session.exec(select(Task).where(Task.origin == origin)).first() if origin else None
    if known:
        return known
    task = Task(
        exporter_id=exporter_id,
        deal_id=deal_id,
        lead_id=lead_id,
        origin=origin,
        kind=kind,
        assignee=assignee,
        title=title,
        due_at=due_at,
        created_at=now,
    )
    session.add(task)
    session.flush()
    events.record(session, "task_added", "task", task.id, at=now, exporter_id=exporter_id, data={"title": title})
    return task


def finish_task(session: Session, task: Task, *, by: str, now: datetime, note: str = "") -> None:
    """Mark a task as done. Raises Refused when it is done already."""
    if task.done_at:
        raise Refused(_("This task is done already."))
    task.done_at, task.done_by, task.note = now, by, note
    session.flush()
    events.record(
        session, "task_finished", "task", task.id, at=now, actor=by, exporter_id=task.exporter_id, reason=note
    )


def find_deal(session: Session, deal_id: int) -> Deal:
    """Return a deal for the engine itself; pages ask ``queries.get_deal``. Raises NotFound."""
    deal = session.get(Deal, deal_id)
    if deal is None:
        raise NotFound(_("There is no such deal."))
    return deal


def _id(value: int | None) -> int:
    assert value is not None
    return value
