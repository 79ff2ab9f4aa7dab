"""Reading approvals; every answer holds only what the viewer may see."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from crm.accounts.rules import Viewer
from crm.accounts.scope import only_visible
from crm.drafts.models import Draft
from crm.exporters.models import Document
from crm.review.models import Approval, Decision, LetterDocument


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


@dataclass(frozen=True)
class Use:
    """How many letters carry a document or link to it, approvals that were taken back left out, and since when."""

    letters: int
    last_at: datetime


@dataclass(frozen=True)
class LetterWith:
    """A letter that carries a document (``how`` file) or links to it; ``number`` is the document's version."""

    draft_id: int
    subject: str
    recipient: str
    at: datetime
    how: str
    number: int


def uses_of(session: Session, viewer: Viewer, document_ids: Collection[int]) -> dict[int, Use]:
    """Return where each document is used; those in no letter are left out."""
    rows = (
        select(LetterDocument.document_id, func.count(), func.max(Approval.approved_at))
        .join(Approval, col(Approval.id) == col(LetterDocument.approval_id))
        .join(Draft, col(Draft.id) == col(Approval.draft_id))
        .where(col(LetterDocument.document_id).in_(sorted(document_ids)), col(Approval.revoked_at).is_(None))
        .group_by(col(LetterDocument.document_id))
    )
    found = session.exec(only_visible(rows, viewer, col(Draft.exporter_id)))
    return {document_id: Use(count, last_at) for document_id, count, last_at in found}


def letters_with(
    session: Session, viewer: Viewer, document_ids: Collection[int], *, limit: int = 50
) -> list[LetterWith]:
    """Return the letters that carry one of the documents, the newest first."""
    rows = (
        select(Draft, Approval, LetterDocument, Document)
        .join(Approval, col(Approval.draft_id) == col(Draft.id))
        .join(LetterDocument, col(LetterDocument.approval_id) == col(Approval.id))
        .join(Document, col(Document.id) == col(LetterDocument.document_id))
        .where(col(Document.id).in_(sorted(document_ids)), col(Approval.revoked_at).is_(None))
        .order_by(col(Approval.id).desc())
        .limit(limit)
    )
    return [
        LetterWith(draft.id or 0, draft.subject, draft.recipient, approval.approved_at, use.how, document.number)
        for draft, approval, use, document in session.exec(only_visible(rows, viewer, col(Draft.exporter_id)))
    ]
