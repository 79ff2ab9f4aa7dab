"""Moves the demo's clock: an hour, a day, or to the next moment at which something is due."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from crm.accounts.models import WebSession
from crm.campaigns.models import Campaign, Enrolment, Step
from crm.core.config import Settings
from crm.core.models import Instance
from crm.delivery.models import Outbox
from crm.drafts.models import Draft
from crm.review.models import Approval

A_LITTLE = timedelta(seconds=1)


def next_due(session: Session, settings: Settings, now: datetime) -> datetime | None:
    """Return the next moment after ``now`` at which the engine will do something by itself, or None."""
    ahead = timedelta(hours=settings.campaigns.draft_ahead_hours)
    running = (
        select(func.min(Step.due_at))
        .join(Enrolment, col(Enrolment.id) == col(Step.enrolment_id))
        .join(Campaign, col(Campaign.id) == col(Enrolment.campaign_id))
        .where(Step.status == "waiting", Enrolment.status == "active", Campaign.status == "running")
    )
    moments = [
        _minus(session.exec(running.where(Step.kind == "mail", Step.due_at > now + ahead)).one(), ahead),
        session.exec(running.where(Step.kind != "mail", Step.due_at > now)).one(),
        session.exec(_approvals(now)).one(),
        session.exec(select(func.min(Outbox.due_at)).where(Outbox.status == "queued", Outbox.due_at > now)).one(),
        session.exec(
            select(func.min(Draft.wait_until)).where(Draft.status == "waiting", col(Draft.wait_until) > now)
        ).one(),
    ]
    found = [moment for moment in moments if moment is not None]
    return min(found) + A_LITTLE if found else None


def _approvals(now: datetime) -> Any:
    return select(func.min(Approval.send_at)).where(
        col(Approval.revoked_at).is_(None), col(Approval.taken_at).is_(None), Approval.send_at > now
    )


def _minus(moment: datetime | None, by: timedelta) -> datetime | None:
    return moment - by if moment else None


def move(session: Session, by: timedelta) -> None:
    """Move the clock forward; people who are signed in stay so."""
    if by <= timedelta(0):
        raise ValueError("the demo's clock only goes forward")
    row = session.get_one(Instance, 1)
    row.clock_offset += round(by.total_seconds())
    for signed_in in session.exec(select(WebSession)):
        signed_in.expires_at += by
