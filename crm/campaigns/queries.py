"""Reading campaigns and steps; every answer holds only what the viewer may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from crm.accounts.rules import Viewer
from crm.accounts.scope import only_visible
from crm.campaigns.models import Campaign, Enrolment, Step
from crm.campaigns.states import ACTIVE, EXITED, FINISHED, OPEN, PAUSED, RUNNING, WAITING
from crm.contacts.models import Lead
from crm.core.errors import NotFound
from crm.core.i18n import _


@dataclass(frozen=True)
class StepRow:
    """A step of a lead as a timeline shows it. ``reason`` is a code of ``texts.ENDINGS``."""

    id: int
    campaign_id: int
    workflow: str
    step: str
    kind: str
    what: str
    due_at: datetime
    status: str
    reason: str
    done_at: datetime | None


def list_campaigns(session: Session, viewer: Viewer) -> Sequence[Campaign]:
    """Return campaigns, the newest first: all for staff, those that follow up the viewer's leads for others."""
    rows = select(Campaign).order_by(col(Campaign.id).desc())
    if viewer.exporter_ids is not None:
        mine = only_visible(
            select(Enrolment.campaign_id).join(Lead, col(Lead.id) == Enrolment.lead_id), viewer, col(Lead.exporter_id)
        )
        rows = rows.where(sa.or_(col(Campaign.exporter_id).in_(viewer.exporter_ids), col(Campaign.id).in_(mine)))
    return session.exec(rows).all()


def get_campaign(session: Session, viewer: Viewer, campaign_id: int) -> Campaign:
    """Return one campaign; NotFound also when the viewer may not know of it."""
    for campaign in list_campaigns(session, viewer):
        if campaign.id == campaign_id:
            return campaign
    raise NotFound(_("There is no such campaign."))


def progress(session: Session, campaign_id: int, viewer: Viewer | None = None) -> dict[str, Any]:
    """Count how far a campaign is, over the viewer's leads (None: over all).

    Keys: enrolled, active, exited, finished (leads); waiting, taken, done, skipped, cancelled (letters); next_due_at.
    """
    leads = _counts(session, Enrolment.status, campaign_id, viewer, [])
    letters = _counts(session, Step.status, campaign_id, viewer, [Step.kind == "mail"])
    next_due = _scoped(select(func.min(Step.due_at)), campaign_id, viewer).where(
        Step.status == WAITING, Step.kind == "mail", Enrolment.status == ACTIVE
    )
    return {
        "enrolled": sum(leads.values()),
        **{status: leads.get(status, 0) for status in (ACTIVE, EXITED, FINISHED)},
        **{status: letters.get(status, 0) for status in ("waiting", "taken", "done", "skipped", "cancelled")},
        "next_due_at": session.exec(next_due).one(),
    }


def people_at(
    session: Session, viewer: Viewer, *, workflow: str = "", campaign_id: int | None = None
) -> dict[str, int]:
    """Return how many of the viewer's leads stand at each step: of one campaign, or of all that run a workflow."""
    rows = (
        select(Step.step, func.count())
        .join(Enrolment, col(Enrolment.id) == Step.enrolment_id)
        .join(Campaign, col(Campaign.id) == Enrolment.campaign_id)
        .join(Lead, col(Lead.id) == Enrolment.lead_id)
        .where(Enrolment.status == ACTIVE, col(Step.status).in_(OPEN), col(Campaign.status).in_((RUNNING, PAUSED)))
        .group_by(Step.step)
    )
    rows = (
        rows.where(Campaign.id == campaign_id) if campaign_id is not None else rows.where(Campaign.workflow == workflow)
    )
    return {step: int(count) for step, count in session.exec(only_visible(rows, viewer, col(Lead.exporter_id)))}


def versions_of(session: Session, viewer: Viewer, campaign_id: int) -> dict[str, int]:
    """Return the versions that the viewer's leads of a campaign run, each with how many are still in it."""
    rows = (
        select(Enrolment.workflow_sha256, func.count())
        .join(Lead, col(Lead.id) == Enrolment.lead_id)
        .where(Enrolment.campaign_id == campaign_id, Enrolment.status == ACTIVE)
        .group_by(Enrolment.workflow_sha256)
    )
    return {sha256: int(count) for sha256, count in session.exec(only_visible(rows, viewer, col(Lead.exporter_id)))}


def _counts(
    session: Session, column: Any, campaign_id: int, viewer: Viewer | None, conditions: list[Any]
) -> dict[str, int]:
    if conditions:
        rows = _scoped(select(column, func.count()), campaign_id, viewer).where(*conditions)
    else:
        rows = select(column, func.count()).select_from(Enrolment).join(Lead, col(Lead.id) == Enrolment.lead_id)
        rows = _seen(rows.where(Enrolment.campaign_id == campaign_id), viewer)
    return {str(status): int(count) for status, count in session.exec(rows.group_by(column))}


def _scoped(statement: Any, campaign_id: int, viewer: Viewer | None) -> Any:
    rows = (
        statement.select_from(Step)
        .join(Enrolment, col(Enrolment.id) == Step.enrolment_id)
        .join(Lead, col(Lead.id) == Enrolment.lead_id)
        .where(Enrolment.campaign_id == campaign_id)
    )
    return _seen(rows, viewer)


def _seen(statement: Any, viewer: Viewer | None) -> Any:
    return statement if viewer is None else only_visible(statement, viewer, col(Lead.exporter_id))


def steps_of_lead(session: Session, viewer: Viewer, lead_id: int) -> list[StepRow]:
    """Return the steps of a lead in order of time; an empty list also when the viewer may not know of the lead."""
    rows = (
        select(Step, Campaign)
        .join(Enrolment, col(Enrolment.id) == Step.enrolment_id)
        .join(Campaign, col(Campaign.id) == Enrolment.campaign_id)
        .join(Lead, col(Lead.id) == Enrolment.lead_id)
        .where(Enrolment.lead_id == lead_id)
        .order_by(col(Step.due_at), col(Step.id))
    )
    return [_row(step, campaign) for step, campaign in session.exec(only_visible(rows, viewer, col(Lead.exporter_id)))]


def _row(step: Step, campaign: Campaign) -> StepRow:
    return StepRow(
        id=step.id or 0,
        campaign_id=campaign.id or 0,
        workflow=campaign.workflow,
        step=step.step,
        kind=step.kind,
        what=step.what,
        due_at=step.due_at,
        status=step.status,
        reason=step.reason,
        done_at=step.done_at,
    )
