"""Reading deals, tasks and territories; every answer holds only what the viewer may see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from crm.accounts.models import Role
from crm.accounts.rules import Viewer
from crm.accounts.scope import only_visible
from crm.contacts.models import Contact, EmailAddress, Lead, Organisation
from crm.core import events
from crm.core.clock import KST
from crm.core.errors import NotFound
from crm.core.i18n import _, language
from crm.exporters.models import Exhibition, Exporter, ProductLine
from crm.exporters.rules import in_language
from crm.pipeline import rules, texts
from crm.pipeline.models import Deal, DealLead, ExclusiveContract, StageMove, Task
from crm.pipeline.rules import Stage

CLOSED = (Stage.DORMANT, Stage.LOST)


@dataclass(frozen=True)
class DealCard:
    """One deal as a list shows it. ``quiet``: nothing has happened for longer than usual at this stage."""

    id: int
    exporter_id: int
    exporter: str
    organisation: str
    country: str | None
    person: str
    contact_id: int
    line: str
    stage: str
    plain_stage: str
    stage_since: datetime
    turn: str
    next_step: str
    lost_reason: str
    quiet: bool

    def as_json(self) -> dict[str, Any]:
        """Return the deal under the names that the command line and exports use."""
        return {
            "id": self.id,
            "stage": self.stage,
            "exporter": self.exporter,
            "company": self.organisation,
            "person": self.person,
            "country": self.country or "",
            "product_line": self.line,
            "turn": self.turn,
            "next_step": self.next_step,
            "stage_since": self.stage_since.isoformat(),
            "lost_reason": self.lost_reason,
        }


@dataclass(frozen=True)
class StageColumn:
    """One plain stage and its deals, the one that waits longest first."""

    code: str
    name: str
    meaning: str
    deals: list[DealCard]


@dataclass(frozen=True)
class Person:
    """A person at the buyer's. An SME is not shown ``email`` and ``phone``."""

    contact_id: int
    name: str
    name_alt: str
    title: str
    country: str | None
    language: str
    email: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Meeting:
    """A lead of the deal: where and when they met, and what was said and asked for there."""

    lead_id: int
    contact_id: int
    exhibition: str
    met_at: datetime | None
    rating: int | None
    interests: list[str]
    requests: list[str]
    notes: str = ""


@dataclass(frozen=True)
class Happened:
    """Something that happened to a deal: one of ``rules.HAPPENINGS``, and until which day a quotation's prices hold."""

    name: str
    at: datetime
    valid_until: date | None
    note: str


@dataclass(frozen=True)
class DealPage:
    """Everything about one deal."""

    deal: Deal
    card: DealCard
    moves: Sequence[StageMove]
    contracts: Sequence[ExclusiveContract]
    contacts: list[Person]
    leads: list[Meeting]
    tasks: Sequence[Task]
    happened: list[Happened]


@dataclass(frozen=True)
class Territory:
    """A product line in a country: ``state`` is free, negotiating, contested, offered or exclusive."""

    line_id: int
    line: str
    country: str
    state: str
    partners: tuple[str, ...] = ()
    until: date | None = None


@dataclass
class _Claims:
    deals: list[tuple[str, str]] = field(default_factory=list)
    contracts: list[tuple[ExclusiveContract, str]] = field(default_factory=list)


def board(
    session: Session, viewer: Viewer, *, exporter_id: int | None = None, now: datetime | None = None
) -> list[StageColumn]:
    """Return the six plain stages and the resting deals behind them. Without ``now`` no deal is marked quiet."""
    cards = list_deals(session, viewer, exporter_id=exporter_id, now=now)
    plains = (*rules.PLAIN_STAGES, rules.RESTING)
    return [
        StageColumn(
            plain.code,
            texts.plain_stage_name(plain.code),
            texts.plain_stage_meaning(plain.code),
            [card for card in cards if card.plain_stage == plain.code],
        )
        for plain in plains
    ]


def list_deals(
    session: Session,
    viewer: Viewer,
    *,
    exporter_id: int | None = None,
    stage: str | None = None,
    country: str | None = None,
    now: datetime | None = None,
) -> list[DealCard]:
    """Return the viewer's deals, the one that waits longest first."""
    rows = _cards(viewer).order_by(col(Deal.stage_since), col(Deal.id))
    for column, wanted in ((Deal.exporter_id, exporter_id), (Deal.stage, stage), (Organisation.country, country)):
        if wanted is not None:
            rows = rows.where(column == wanted)
    return [_card(row, now) for row in session.exec(rows)]


def get_deal(session: Session, viewer: Viewer, deal_id: int, *, now: datetime | None = None) -> DealPage:
    """Return one deal with its history; NotFound also when the viewer may not know of it."""
    row = session.exec(_cards(viewer).where(Deal.id == deal_id)).first()
    if row is None:
        raise NotFound(_("There is no such deal."))
    deal = row[0]
    leads = session.exec(select(Lead).join(DealLead).where(DealLead.deal_id == deal_id).order_by(col(Lead.id))).all()
    return DealPage(
        deal=deal,
        card=_card(row, now),
        moves=session.exec(select(StageMove).where(StageMove.deal_id == deal_id).order_by(col(StageMove.id))).all(),
        contracts=session.exec(
            select(ExclusiveContract).where(ExclusiveContract.deal_id == deal_id).order_by(col(ExclusiveContract.id))
        ).all(),
        contacts=_people(session, viewer, {deal.contact_id, *(lead.contact_id for lead in leads)}),
        leads=[_meeting(session, lead) for lead in leads],
        tasks=_tasks_of(session, viewer, Task.deal_id == deal_id),
        happened=_happened(session, deal_id),
    )


def _happened(session: Session, deal_id: int) -> list[Happened]:
    names = {verb: name for name, verb in rules.HAPPENINGS.items()}
    lines = [line for line in events.history(session, "deal", deal_id) if line.verb in names]
    found = [
        Happened(
            names[line.verb],
            datetime.fromisoformat(line.data["at"]),
            _day_before(line.data["expires_at"]) if "expires_at" in line.data else None,
            line.reason,
        )
        for line in lines
    ]
    return sorted(found, key=lambda one: one.at)


def _day_before(moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(KST).date() - timedelta(days=1)


def tasks_for(session: Session, viewer: Viewer, now: datetime) -> Sequence[Task]:
    """Return what is still to be done by the viewer, the most urgent first. Staff see all, an SME its own."""
    return _tasks_of(session, viewer, col(Task.done_at).is_(None))


def get_task(session: Session, viewer: Viewer, task_id: int) -> Task:
    """Return one task that the viewer may see, else NotFound."""
    found = _tasks_of(session, viewer, Task.id == task_id)
    if not found:
        raise NotFound(_("There is no such task."))
    return found[0]


def territories(session: Session, viewer: Viewer, exporter_id: int, *, now: datetime | None = None) -> list[Territory]:
    """Return who was given which country for which product line, or wants it. Ended terms are left out."""
    today = now.astimezone(KST).date() if now else date.min
    found: dict[tuple[int, str], _Claims] = {}
    for deal, organisation in session.exec(_open_deals(viewer, exporter_id)):
        if organisation.country:
            place = found.setdefault((deal.product_line_id, organisation.country), _Claims())
            place.deals.append((deal.stage, organisation.name))
    for contract, organisation in session.exec(_contracts(viewer, exporter_id)):
        if contract.status != "ended" and contract.kind != "non_exclusive" and contract.ends_on >= today:
            for country in contract.territory:
                place = found.setdefault((contract.product_line_id, country), _Claims())
                place.contracts.append((contract, organisation.name))
    names = {line.id: in_language(line.names, language()) for line in session.exec(_lines(viewer, exporter_id))}
    return [
        _territory(names[line_id], line_id, country, claims) for (line_id, country), claims in sorted(found.items())
    ]


def _territory(line: str, line_id: int, country: str, claims: _Claims) -> Territory:
    for state, status in (("exclusive", "signed"), ("offered", "offered")):
        held = [(contract, partner) for contract, partner in claims.contracts if contract.status == status]
        if held:
            partners = tuple(dict.fromkeys(partner for _contract, partner in held))
            until = max(contract.ends_on for contract, _partner in held)
            return Territory(line_id, line, country, state, partners, until)
    wanting = tuple(dict.fromkeys(name for stage, name in claims.deals if stage == Stage.NEGOTIATION))
    state = "contested" if len(wanting) > 1 else "negotiating" if wanting else "free"
    return Territory(line_id, line, country, state, wanting)


def _cards(viewer: Viewer) -> Any:
    rows = (
        select(Deal, Organisation, Contact, ProductLine)
        .add_columns(Exporter)
        .join(Organisation, col(Organisation.id) == col(Deal.organisation_id))
        .join(Contact, col(Contact.id) == col(Deal.contact_id))
        .join(ProductLine, col(ProductLine.id) == col(Deal.product_line_id))
        .join(Exporter, col(Exporter.id) == col(Deal.exporter_id))
    )
    return only_visible(rows, viewer, col(Deal.exporter_id))


def _card(row: Any, now: datetime | None) -> DealCard:
    deal, organisation, contact, line, exporter = row
    return DealCard(
        id=deal.id,
        exporter_id=deal.exporter_id,
        exporter=in_language(exporter.names, language()),
        organisation=organisation.name,
        country=organisation.country or contact.country,
        person=contact.full_name,
        contact_id=contact.id,
        line=in_language(line.names, language()),
        stage=deal.stage,
        plain_stage=rules.plain_stage(deal.stage).code,
        stage_since=deal.stage_since,
        turn=deal.turn,
        next_step=deal.next_step,
        lost_reason=deal.lost_reason,
        quiet=now is not None and rules.is_quiet(deal.stage, deal.stage_since, now),
    )


def _people(session: Session, viewer: Viewer, contact_ids: Iterable[int]) -> list[Person]:
    rows = select(Contact).where(col(Contact.id).in_(contact_ids)).order_by(col(Contact.id))
    return [_person(session, viewer, contact) for contact in session.exec(rows)]


def _person(session: Session, viewer: Viewer, contact: Contact) -> Person:
    assert contact.id is not None
    plain = Person(contact.id, contact.full_name, contact.name_alt, contact.title, contact.country, contact.language)
    if viewer.role == Role.SME:
        return plain
    addresses = select(EmailAddress.address).where(EmailAddress.contact_id == contact.id)
    email = session.exec(addresses.order_by(col(EmailAddress.position))).first() or ""
    return Person(**{**vars(plain), "email": email, "phone": contact.mobile or contact.phone})


def _meeting(session: Session, lead: Lead) -> Meeting:
    assert lead.id is not None
    show = session.get_one(Exhibition, lead.exhibition_id)
    return Meeting(
        lead_id=lead.id,
        contact_id=lead.contact_id,
        exhibition=in_language(show.names, language()),
        met_at=lead.met_at,
        rating=lead.rating,
        interests=lead.interests,
        requests=lead.requests,
        notes=lead.notes,
    )


def _tasks_of(session: Session, viewer: Viewer, condition: Any) -> Sequence[Task]:
    rows = only_visible(select(Task).where(condition), viewer, col(Task.exporter_id))
    if viewer.role == Role.SME:
        rows = rows.where(Task.assignee == "sme")
    return session.exec(rows.order_by(col(Task.due_at).is_(None), col(Task.due_at), col(Task.id))).all()


def _open_deals(viewer: Viewer, exporter_id: int) -> Any:
    rows = (
        select(Deal, Organisation)
        .join(Organisation, col(Organisation.id) == col(Deal.organisation_id))
        .where(Deal.exporter_id == exporter_id, col(Deal.stage).not_in(CLOSED))
    )
    return only_visible(rows, viewer, col(Deal.exporter_id))


def _contracts(viewer: Viewer, exporter_id: int) -> Any:
    rows = (
        select(ExclusiveContract, Organisation)
        .join(Organisation, col(Organisation.id) == col(ExclusiveContract.organisation_id))
        .where(ExclusiveContract.exporter_id == exporter_id)
    )
    return only_visible(rows, viewer, col(ExclusiveContract.exporter_id))


def _lines(viewer: Viewer, exporter_id: int) -> Any:
    rows = select(ProductLine).where(ProductLine.exporter_id == exporter_id)
    return only_visible(rows, viewer, col(ProductLine.exporter_id))
