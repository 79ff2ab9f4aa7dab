"""Reading what campaigns need to know of leads: many at once, in few queries."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from crm.campaigns.conditions import ContactFacts, DealFacts, Facts, TalkFacts
from crm.campaigns.definition import Definition
from crm.campaigns.engine import BuyerTime, OwnHolidays, buyer_time
from crm.campaigns.language import choose_language
from crm.contacts.models import Contact, EmailAddress, Lead, Organisation
from crm.core import bulk
from crm.exporters.models import ProductLine
from crm.pipeline.models import Deal, DealLead
from crm.pipeline.rules import Stage

CHUNK = 500
LEADS: sa.Table = Lead.__table__  # type: ignore[attr-defined]
CONTACTS: sa.Table = Contact.__table__  # type: ignore[attr-defined]
ADDRESSES: sa.Table = EmailAddress.__table__  # type: ignore[attr-defined]
FIRMS: sa.Table = Organisation.__table__  # type: ignore[attr-defined]
DEALS: sa.Table = Deal.__table__  # type: ignore[attr-defined]
LINES: sa.Table = ProductLine.__table__  # type: ignore[attr-defined]
DEAL_LEADS: sa.Table = DealLead.__table__  # type: ignore[attr-defined]


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
    """Return the cards of leads by id, as they stand in the database."""
    cards: dict[int, LeadCard] = {}
    for ids in chunks(lead_ids):
        rows = _CARDS(session, ids)
        addresses = _addresses(session, {row.contact_id for row in rows})
        cards |= {row.lead_id: _card(row, addresses.get(row.contact_id, ())) for row in rows}
    return cards


def chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    """Cut ids into lists that a query can take."""
    rest = iter(ids)
    while part := list(islice(rest, CHUNK)):
        yield part


def _addresses(session: Session, contact_ids: Collection[int]) -> dict[int, list[Any]]:
    addresses: dict[int, list[Any]] = {}
    for row in _ADDRESSES(session, contact_ids):
        addresses.setdefault(row.contact_id, []).append(row)
    return addresses


def _card(row: Any, known: Sequence[Any]) -> LeadCard:
    usable = next((one.address for one in known if one.status == "ok"), "")
    return LeadCard(
        lead_id=row.lead_id,
        contact_id=row.contact_id,
        exporter_id=row.exporter_id,
        exhibition_id=row.exhibition_id,
        product_line_id=row.product_line_id or row.deal_line_id,
        name=row.full_name or row.firm_name or "",
        address=usable,
        bounced=bool(known) and not usable,
        timezone=row.timezone,
        facts=_facts(row),
    )


def _facts(row: Any) -> Facts:
    country = (row.country or row.firm_country or "").upper()
    return Facts(
        contact=ContactFacts(
            country=country,
            city=row.city or (row.firm_city or "" if not row.country else ""),
            language=choose_language(row.language, country),
            company=row.firm_name or "",
        ),
        lead=TalkFacts(
            rating=row.rating or 0,
            interests=tuple(row.interests),
            requests=tuple(row.requests),
            notes=row.notes,
            met=row.met_at is not None,
        ),
        deal=DealFacts(stage=row.stage or Stage.LEAD.value, product_line=row.line_code or ""),
    )


_CARDS = bulk.LookUp(
    sa.select(
        LEADS.c.id.label("lead_id"), LEADS.c.contact_id, LEADS.c.exporter_id, LEADS.c.exhibition_id,
        LEADS.c.product_line_id, LEADS.c.rating, LEADS.c.interests, LEADS.c.requests, LEADS.c.notes, LEADS.c.met_at,
        CONTACTS.c.full_name, CONTACTS.c.country, CONTACTS.c.city, CONTACTS.c.language, CONTACTS.c.timezone,
        FIRMS.c.name.label("firm_name"), FIRMS.c.country.label("firm_country"), FIRMS.c.city.label("firm_city"),
        DEALS.c.stage, DEALS.c.product_line_id.label("deal_line_id"), LINES.c.code.label("line_code"),
    )
    .join(CONTACTS, CONTACTS.c.id == LEADS.c.contact_id)
    .outerjoin(FIRMS, FIRMS.c.id == CONTACTS.c.organisation_id)
    .outerjoin(DEAL_LEADS, DEAL_LEADS.c.lead_id == LEADS.c.id)
    .outerjoin(DEALS, DEALS.c.id == DEAL_LEADS.c.deal_id)
    .outerjoin(LINES, LINES.c.id == DEALS.c.product_line_id)
    .order_by(LEADS.c.id),
    LEADS.c.id,
    named=True,
)  # fmt: skip
_ADDRESSES = bulk.LookUp(
    sa.select(ADDRESSES.c.contact_id, ADDRESSES.c.address, ADDRESSES.c.status).order_by(
        ADDRESSES.c.position, ADDRESSES.c.id
    ),
    ADDRESSES.c.contact_id,
    named=True,
)
