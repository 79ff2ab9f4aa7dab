"""Reading what campaigns need to know of leads: many at once, in few queries."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlmodel import Session, col, select

from crm.campaigns.conditions import ContactFacts, DealFacts, Facts, TalkFacts
from crm.campaigns.definition import Definition
from crm.campaigns.engine import BuyerTime, OwnHolidays, buyer_time
from crm.campaigns.language import choose_language
from crm.contacts.models import Contact, EmailAddress, Lead, Organisation
from crm.exporters.models import Exhibition, Exporter
from crm.pipeline.models import Deal, DealLead
from crm.pipeline.rules import Stage

CHUNK = 500


@dataclass(frozen=True)
class LeadCard:
    """A lead with what campaigns ask of it. ``address`` is empty when no usable address is known."""

    lead_id: int
    contact_id: int
    exporter_id: int
    exhibition_id: int
    product_line_id: int | None
    name: str
    address: str
    bounced: bool
    timezone: str
    facts: Facts

    @property
    def country(self) -> str:
        return self.facts.contact.country

    @property
    def who(self) -> str:
        """Return name and company as one text."""
        return ", ".join(dict.fromkeys(part for part in (self.name, self.facts.contact.company) if part))

    @property
    def language(self) -> str:
        """Return the language this buyer is written to in."""
        return self.facts.contact.language

    def time(self, definition: Definition, own_holidays: OwnHolidays) -> BuyerTime | None:
        """Return the buyer's clock and calendar under a workflow, or None when the country is not known."""
        return buyer_time(definition, self.country, self.facts.contact.city, self.timezone, own_holidays)


def load(session: Session, lead_ids: Iterable[int]) -> dict[int, LeadCard]:
    """Return the cards of leads by id."""
    cards: dict[int, LeadCard] = {}
    for ids in chunks(lead_ids):
        rows = session.exec(_rows().where(col(Lead.id).in_(ids))).all()
        addresses = _addresses(session, {contact.id for _lead, contact, _firm, _deal in rows})
        cards |= {lead.id: _card(lead, contact, firm, deal, addresses) for lead, contact, firm, deal in rows}
    return cards


def hold_rows(session: Session, lead_ids: Iterable[int]) -> list[Any]:
    """Load the rows that clearance reads of leads, in a few queries, and return them.

    A session forgets rows that nobody holds; as long as the list lives, asking for one of them costs nothing.
    """
    held: list[Any] = [*session.exec(select(Exporter)), *session.exec(select(Exhibition))]
    for ids in chunks(lead_ids):
        held += session.exec(_rows().where(col(Lead.id).in_(ids))).all()
    return held


def chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    """Cut ids into lists that a query can take."""
    rest = iter(ids)
    while part := list(islice(rest, CHUNK)):
        yield part


def _rows() -> Any:
    return (
        select(Lead, Contact, Organisation, Deal)
        .join(Contact, col(Contact.id) == Lead.contact_id)
        .outerjoin(Organisation, col(Organisation.id) == Contact.organisation_id)
        .outerjoin(DealLead, col(DealLead.lead_id) == Lead.id)
        .outerjoin(Deal, col(Deal.id) == DealLead.deal_id)
        .order_by(col(Lead.id))
    )


def _addresses(session: Session, contact_ids: Iterable[int]) -> dict[int, list[EmailAddress]]:
    found = select(EmailAddress).where(col(EmailAddress.contact_id).in_(list(contact_ids)))
    addresses: dict[int, list[EmailAddress]] = {}
    for row in session.exec(found.order_by(col(EmailAddress.position), col(EmailAddress.id))):
        addresses.setdefault(row.contact_id, []).append(row)
    return addresses


def _card(
    lead: Lead,
    contact: Contact,
    firm: Organisation | None,
    deal: Deal | None,
    addresses: dict[int, list[EmailAddress]],
) -> LeadCard:
    assert lead.id is not None
    assert contact.id is not None
    known = addresses.get(contact.id, ())
    usable = [row.address for row in known if row.status == "ok"]
    return LeadCard(
        lead_id=lead.id,
        contact_id=contact.id,
        exporter_id=lead.exporter_id,
        exhibition_id=lead.exhibition_id,
        product_line_id=lead.product_line_id or (deal.product_line_id if deal else None),
        name=contact.full_name or (firm.name if firm else ""),
        address=usable[0] if usable else "",
        bounced=bool(known) and not usable,
        timezone=contact.timezone,
        facts=_facts(lead, contact, firm, deal.stage if deal else None),
    )


def _facts(lead: Lead, contact: Contact, firm: Organisation | None, stage: str | None) -> Facts:
    country = (contact.country or (firm.country if firm else None) or "").upper()
    return Facts(
        contact=ContactFacts(
            country=country,
            city=contact.city or (firm.city if firm and not contact.country else ""),
            language=choose_language(contact.language, country),
            company=firm.name if firm else "",
        ),
        lead=TalkFacts(
            rating=lead.rating or 0,
            interests=tuple(lead.interests),
            requests=tuple(lead.requests),
            notes=lead.notes,
            met=lead.met_at is not None,
        ),
        deal=DealFacts(stage=stage or Stage.LEAD.value),
    )
