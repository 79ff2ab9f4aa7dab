"""Which leads a campaign takes, and why it leaves others out. Asked by the worker and by the rehearsal alike."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlmodel import Session, col, select

from crm.campaigns import engine
from crm.campaigns.conditions import holds
from crm.campaigns.definition import Definition
from crm.campaigns.engine import BuyerTime, OwnHolidays
from crm.campaigns.leads import LEADS, LeadCard, chunks
from crm.campaigns.models import Campaign, Enrolment, Step
from crm.campaigns.states import ACTIVE, DONE, STOPPED, TAKEN
from crm.clearance import service as clearance
from crm.contacts import service as contacts
from crm.core import bulk

log = structlog.get_logger()


@dataclass(frozen=True)
class Exclusion:
    """Why a lead is not in a campaign. ``code`` names a sentence of ``texts.EXCLUSIONS``."""

    code: str


def candidates(session: Session, campaign: Campaign, among: Collection[int] | None = None) -> list[int]:
    """Return the ids of the exhibition's leads (of one exporter, if the campaign has one) that are not enrolled yet.

    ``among`` leaves all others out.
    """
    rows = sa.select(LEADS.c.id).where(LEADS.c.exhibition_id == campaign.exhibition_id).order_by(LEADS.c.id)
    if campaign.id is not None:
        inside = sa.select(col(Enrolment.lead_id)).where(col(Enrolment.campaign_id) == campaign.id)
        rows = rows.where(LEADS.c.id.not_in(inside))
    if campaign.exporter_id is not None:
        rows = rows.where(LEADS.c.exporter_id == campaign.exporter_id)
    found = session.execute(rows) if among is None else bulk.find(session, rows, LEADS.c.id, among)
    return [lead_id for (lead_id,) in found]


def decide(
    session: Session, campaign: Campaign, definition: Definition, own_holidays: OwnHolidays, cards: Iterable[LeadCard]
) -> Iterator[tuple[LeadCard, BuyerTime | Exclusion]]:
    """Yield each lead with its clock and calendar if the campaign takes it, else with the reason why not."""
    cards = list(cards)
    elsewhere = _elsewhere(session, campaign, [card.lead_id for card in cards])
    refused = _refused(session, cards)
    for card in cards:
        code = "other_campaign" if card.lead_id in elsewhere else "suppressed" if card.lead_id in refused else ""
        yield card, _decided(definition, own_holidays, card, code)


def _decided(definition: Definition, own_holidays: OwnHolidays, card: LeadCard, code: str) -> BuyerTime | Exclusion:
    """A lead over which the program stumbles stays out, and is listed so; the others go on."""
    try:
        code = _why_not(definition, card) or code
        buyer = card.time(definition, own_holidays)
    except Exception:
        log.exception("lead_not_decided", lead=card.lead_id)
        return Exclusion("stumbled")
    return Exclusion(code or "country_unknown") if code or buyer is None else buyer


def _why_not(definition: Definition, card: LeadCard) -> str:
    if not holds(definition.audience, card.facts):
        return "not_in_audience"
    if not card.address:
        return "address_bounced" if card.bounced else "no_address"
    if engine.exit_reason(definition, card.facts) is not None:
        return "deal_moved_on"
    return ""


def _refused(session: Session, cards: Iterable[LeadCard]) -> set[int]:
    """Return the leads whose mailbox refuses letters; clearance says whether a refusal still stands."""
    by_exporter: dict[int, dict[str, list[int]]] = {}
    for card in cards:
        if card.address:
            by_exporter.setdefault(card.exporter_id, {}).setdefault(card.address, []).append(card.lead_id)
    letters = [
        (lead_id, address)
        for exporter_id, addresses in by_exporter.items()
        for address in contacts.suppressions_for(session, addresses, exporter_id)
        for lead_id in addresses[address]
    ]
    return {lead_id for lead_id, _address in clearance.refused(session, letters)} if letters else set()


def _elsewhere(session: Session, campaign: Campaign, lead_ids: list[int]) -> set[int]:
    """Return leads that another campaign follows up, or has written to with the same workflow."""
    found: set[int] = set()
    written = select(Step.enrolment_id).where(Step.kind == "mail", col(Step.status).in_((TAKEN, DONE)))
    for ids in chunks(lead_ids):
        rows = (
            select(Enrolment.lead_id)
            .join(Campaign, col(Campaign.id) == Enrolment.campaign_id)
            .where(
                col(Enrolment.lead_id).in_(ids),
                col(Campaign.id) != (campaign.id or 0),
                sa.or_(
                    col(Enrolment.status) == ACTIVE,
                    sa.and_(
                        col(Campaign.workflow) == campaign.workflow,
                        sa.or_(col(Campaign.status) != STOPPED, col(Enrolment.id).in_(written)),
                    ),
                ),
            )
        )
        found |= set(session.exec(rows))
    return found
