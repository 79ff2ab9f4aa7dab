"""Reading received mail; every answer holds only what the viewer may see. An SME reads no mail."""

from sqlmodel import Session, col, select

from crm.accounts.rules import Viewer
from crm.accounts.scope import only_visible
from crm.core.errors import NotFound
from crm.core.i18n import _
from crm.inbox.models import InboxMessage
from crm.inbox.rules import Kind


def list_messages(
    session: Session, viewer: Viewer, *, kind: str | None = None, lead_id: int | None = None, limit: int = 200
) -> list[InboxMessage]:
    """Return the viewer's mails, newest first, of one kind or one lead if asked."""
    if viewer.is_sme:
        return []
    rows = select(InboxMessage).order_by(col(InboxMessage.id).desc()).limit(limit)
    if kind:
        rows = rows.where(InboxMessage.kind == kind)
    if lead_id is not None:
        rows = rows.where(InboxMessage.lead_id == lead_id)
    return list(session.exec(only_visible(rows, viewer, col(InboxMessage.exporter_id))))


def to_answer(session: Session, viewer: Viewer, *, limit: int = 200) -> list[InboxMessage]:
    """Return the replies nobody has dealt with yet, oldest first."""
    if viewer.is_sme:
        return []
    rows = select(InboxMessage).where(InboxMessage.kind == Kind.REPLY, col(InboxMessage.handled_at).is_(None))
    rows = rows.order_by(col(InboxMessage.id)).limit(limit)
    return list(session.exec(only_visible(rows, viewer, col(InboxMessage.exporter_id))))


def unmatched(session: Session, viewer: Viewer, *, limit: int = 200) -> list[InboxMessage]:
    """Return mails that belong to no lead and wait for a person, oldest first. They are staff's."""
    if not viewer.is_staff:
        return []
    rows = select(InboxMessage).where(col(InboxMessage.lead_id).is_(None), col(InboxMessage.handled_at).is_(None))
    return list(session.exec(rows.order_by(col(InboxMessage.id)).limit(limit)))


def get_message(session: Session, viewer: Viewer, message_id: int) -> InboxMessage:
    """Return one mail. Raises NotFound when there is none that the viewer may read."""
    message = session.get(InboxMessage, message_id)
    if message is None or viewer.is_sme or not viewer.sees(message.exporter_id):
        raise NotFound(_("There is no such mail."))
    return message
