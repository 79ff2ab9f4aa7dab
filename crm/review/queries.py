"""Reading approvals; every answer holds only what the viewer may see."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from crm.accounts.rules import Viewer
from crm.accounts.scope import only_visible
from crm.drafts.models import Draft
from crm.review.models import Approval, Decision


@dataclass(frozen=True)
class Held:
    """An approved letter that can still be taken back."""

    draft: Draft
    approval: Approval


def approvals_held(session: Session, viewer: Viewer, *, now: datetime, limit: int = 200) -> list[Held]:
    """Return approved letters that delivery has not taken, the next to leave first."""
    rows = (
        select(Draft, Approval)
        .join(Approval, col(Approval.draft_id) == col(Draft.id))
        .where(Draft.status == "approved", col(Approval.revoked_at).is_(None), col(Approval.taken_at).is_(None))
        .order_by(col(Approval.send_at))
        .limit(limit)
    )
    found = session.exec(only_visible(rows, viewer, col(Draft.exporter_id)))
    return [Held(draft, approval) for draft, approval in found]


def last_approval(session: Session, viewer: Viewer) -> Held | None:
    """Return the viewer's newest approval that can still be taken back: what Ctrl+Z means."""
    rows = (
        select(Draft, Approval)
        .join(Approval, col(Approval.draft_id) == col(Draft.id))
        .where(
            Approval.approved_by == viewer.email,
            col(Approval.revoked_at).is_(None),
            col(Approval.taken_at).is_(None),
            Draft.status == "approved",
        )
        .order_by(col(Approval.id).desc())
    )
    found = session.exec(only_visible(rows, viewer, col(Draft.exporter_id))).first()
    return Held(*found) if found else None


def decisions_of(session: Session, viewer: Viewer, draft: Draft) -> list[Decision]:
    """Return what was decided about a draft, oldest first; nothing for a viewer who may not see it."""
    if not viewer.sees(draft.exporter_id):
        return []
    return list(session.exec(select(Decision).where(Decision.draft_id == draft.id).order_by(col(Decision.id))))
