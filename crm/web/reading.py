"""What several rooms know together: the mails to and from a buyer. Reads only what the viewer may see."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from crm.accounts.rules import Viewer
from crm.accounts.scope import only_visible
from crm.contacts.models import Organisation
from crm.drafts.models import Draft
from crm.inbox.models import InboxMessage
from crm.pipeline.models import ExclusiveContract
from crm.review.models import Approval


@dataclass(frozen=True)
class Mail:
    """One mail of a thread. ``state``: waiting, approved, sent, returned, cancelled of ours; the kind of theirs.

    ``texts`` are paragraphs in the mail's language, ``korean`` their Korean rendering (ours only).
    """

    at: datetime
    incoming: bool
    state: str
    subject: str
    subject_ko: str
    language: str
    texts: tuple[str, ...]
    korean: tuple[str, ...]
    draft_id: int | None = None
    message_id: int | None = None


def thread(session: Session, viewer: Viewer, lead_ids: Collection[int]) -> list[Mail]:
    """Return the mails to and from some leads, the newest first; what was cancelled or returned is left out."""
    mails = [*_letters(session, viewer, lead_ids), *_answers(session, viewer, lead_ids)]
    return sorted(mails, key=lambda mail: mail.at, reverse=True)


def _letters(session: Session, viewer: Viewer, lead_ids: Collection[int]) -> list[Mail]:
    rows = (
        select(Draft, Approval)
        .join(Approval, (col(Approval.draft_id) == col(Draft.id)) & col(Approval.revoked_at).is_(None), isouter=True)
        .where(col(Draft.lead_id).in_(lead_ids), col(Draft.status).in_(("waiting", "approved", "sent")))
    )
    found = session.exec(only_visible(rows, viewer, col(Draft.exporter_id)))
    return [_letter(draft, approval) for draft, approval in found]


def _letter(draft: Draft, approval: Approval | None) -> Mail:
    at = (approval.taken_at or approval.send_at) if approval else draft.planned_at
    return Mail(
        at=at,
        incoming=False,
        state=draft.status,
        subject=draft.subject,
        subject_ko=draft.subject_ko,
        language=draft.language,
        texts=tuple(str(block["text"]) for block in draft.blocks),
        korean=tuple(str(block.get("ko") or "") for block in draft.blocks),
        draft_id=draft.id,
    )


def _answers(session: Session, viewer: Viewer, lead_ids: Collection[int]) -> list[Mail]:
    rows = select(InboxMessage).where(col(InboxMessage.lead_id).in_(lead_ids))
    found = session.exec(only_visible(rows, viewer, col(InboxMessage.exporter_id)))
    return [
        Mail(
            at=message.received_at,
            incoming=True,
            state=message.kind,
            subject=message.subject,
            subject_ko="",
            language="",
            texts=tuple(message.text.split("\n\n")),
            korean=(),
            message_id=message.id,
        )
        for message in found
    ]


def waiting_drafts(session: Session, viewer: Viewer, now: datetime) -> int:
    """Return how many drafts wait for a decision now."""
    awake = col(Draft.wait_until).is_(None) | (col(Draft.wait_until) <= now)
    rows = select(func.count()).select_from(Draft).where(Draft.status == "waiting", awake)
    return session.exec(only_visible(rows, viewer, col(Draft.exporter_id))).one()


def contracts(session: Session, viewer: Viewer) -> Sequence[tuple[ExclusiveContract, Organisation]]:
    """Return the viewer's contracts and offers with the buyer, those that end first on top."""
    rows = (
        select(ExclusiveContract, Organisation)
        .join(Organisation, col(Organisation.id) == col(ExclusiveContract.organisation_id))
        .order_by(col(ExclusiveContract.status).desc(), col(ExclusiveContract.ends_on))
    )
    return session.exec(only_visible(rows, viewer, col(ExclusiveContract.exporter_id))).all()
