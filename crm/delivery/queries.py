"""Reading the outbox; every answer holds only what the viewer may see."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from crm.accounts.rules import Viewer
from crm.accounts.scope import only_visible
from crm.core.errors import NotFound
from crm.core.i18n import _
from crm.delivery import texts
from crm.delivery.models import Attempt, Outbox
from crm.exporters.models import Exporter
from crm.exporters.rules import in_language
from crm.review.models import Message


@dataclass(frozen=True)
class OutboxRow:
    """One letter on its way. ``recipient`` is empty for an SME, who sees no addresses. ``reason`` is a sentence."""

    id: int
    draft_id: int
    exporter: str
    status: str
    status_text: str
    recipient: str
    subject: str
    due_at: datetime
    sent_at: datetime | None
    attempts: int
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Return the row as the command line prints it, times in ISO 8601 UTC."""
        return {
            "id": self.id,
            "draft_id": self.draft_id,
            "exporter": self.exporter,
            "status": self.status,
            "recipient": self.recipient,
            "subject": self.subject,
            "due_at": self.due_at.isoformat(),
            "sent_at": self.sent_at.isoformat() if self.sent_at else None,
            "attempts": self.attempts,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class OutboxLetter:
    """One letter with its bytes as they left or will leave, and every try to send it, oldest first."""

    row: OutboxRow
    message: Message
    attempts: list[Attempt]


def list_outbox(session: Session, viewer: Viewer, *, status: str | None = None, limit: int = 500) -> list[OutboxRow]:
    """Return the viewer's letters, the newest first; ``status`` narrows them to one state."""
    rows = (
        select(Outbox, Message.subject, Exporter)
        .join(Message, col(Message.approval_id) == col(Outbox.approval_id))
        .join(Exporter, col(Exporter.id) == col(Outbox.exporter_id))
        .order_by(col(Outbox.due_at).desc(), col(Outbox.id).desc())
        .limit(limit)
    )
    if status:
        rows = rows.where(Outbox.status == status)
    found = session.exec(only_visible(rows, viewer, col(Outbox.exporter_id)))
    return [_row(viewer, letter, subject, exporter) for letter, subject, exporter in found]


def get_letter(session: Session, viewer: Viewer, outbox_id: int) -> OutboxLetter:
    """Return one letter. Raises NotFound when there is none that the viewer may read; an SME reads none."""
    letter = session.get(Outbox, outbox_id)
    if letter is None or viewer.is_sme or not viewer.sees(letter.exporter_id):
        raise NotFound(_("There is no such letter."))
    message = session.get_one(Message, letter.approval_id)
    exporter = session.get_one(Exporter, letter.exporter_id)
    tries = select(Attempt).where(Attempt.outbox_id == letter.id).order_by(col(Attempt.id))
    return OutboxLetter(_row(viewer, letter, message.subject, exporter), message, list(session.exec(tries)))


def _row(viewer: Viewer, letter: Outbox, subject: str, exporter: Exporter) -> OutboxRow:
    return OutboxRow(
        id=letter.id or 0,
        draft_id=letter.draft_id,
        exporter=in_language(exporter.names, "ko"),
        status=letter.status,
        status_text=texts.status(letter.status),
        recipient="" if viewer.is_sme else letter.recipient,
        subject=subject,
        due_at=letter.due_at,
        sent_at=letter.sent_at,
        attempts=letter.attempts,
        reason=texts.reason(letter.reason),
    )
