"""Buyers: the people met at the booth, each with the talk, the mails and the deals."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from crm.accounts.models import Role
from crm.campaigns import queries as campaigns
from crm.contacts import queries as contacts
from crm.contacts.models import Lead
from crm.core.i18n import _
from crm.exporters import queries as exporters
from crm.imports.duplicates import kept_instead
from crm.pipeline import queries as pipeline
from crm.pipeline.service import deal_of_lead
from crm.web import reading
from crm.web.visits import SignedIn, Visit, only

router = APIRouter()
NotStaff = Annotated[Visit, Depends(only(Role.ADVISOR, Role.SME))]
PAGE = 50


@router.get("/buyers")
def buyers(visit: NotStaff, q: str = "", after: int = 0) -> Response:
    rows = contacts.list_contacts(visit.db, visit.viewer, text=q.strip(), limit=PAGE + 1, after_id=after)
    firms = {firm.code: firm.names for firm in exporters.list_exporters(visit.db, visit.viewer)}
    return visit.page("buyers/list.html", rows=rows[:PAGE], more=len(rows) > PAGE, q=q, base="/buyers", firms=firms)


@router.get("/buyers/{contact_id}")
def buyer(visit: SignedIn, contact_id: int) -> Response:
    kept = kept_instead(visit.db, contact_id)
    if kept is not None:
        contacts.get_contact(visit.db, visit.viewer, kept)  # who may not see the kept one is not told of it
        return visit.go(
            f"/buyers/{kept}", _("This person was joined with another entry. Here is the one that is kept.")
        )
    card = contacts.get_contact(visit.db, visit.viewer, contact_id)
    lead_ids = [lead.id for lead in card.leads if lead.id is not None]
    return visit.page(
        "buyers/buyer.html",
        card=card,
        deals=_deals(visit, card.leads),
        thread=reading.thread(visit.db, visit.viewer, lead_ids),
        steps=[step for lead_id in lead_ids for step in campaigns.steps_of_lead(visit.db, visit.viewer, lead_id)],
    )


def _deals(visit: Visit, leads: list[Lead]) -> list[pipeline.DealPage]:
    ids = {deal.id: None for lead in leads if lead.id and (deal := deal_of_lead(visit.db, lead.id)) and deal.id}
    return [pipeline.get_deal(visit.db, visit.viewer, deal_id, now=visit.now) for deal_id in ids]
