"""Puts what a workflow asks of people on their desks."""

from datetime import datetime

from sqlmodel import Session

from crm.campaigns.leads import LeadCard
from crm.campaigns.texts import TASKS
from crm.core.i18n import _
from crm.pipeline import service as pipeline

DESKS = {"advisor": "advisor", "staff": "staff", "exporter": "sme"}
"""The desks of the language, and what they are called in the pipeline."""


def put(
    session: Session,
    card: LeadCard,
    *,
    kind: str,
    origin: str,
    due_at: datetime,
    now: datetime,
    title: str = "",
    desk: str = "advisor",
) -> None:
    """Make a task about a lead. The same ``origin`` a second time changes nothing."""
    deal = pipeline.deal_of_lead(session, card.lead_id)
    pipeline.add_task(
        session,
        exporter_id=card.exporter_id,
        kind=kind,
        title=title or _(TASKS[kind], who=card.who),
        assignee=DESKS[desk],
        due_at=due_at,
        deal_id=deal.id if deal else None,
        lead_id=card.lead_id,
        origin=origin,
        now=now,
    )
