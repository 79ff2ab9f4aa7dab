"""From an approved draft to the bytes that will leave: label, body, legal footer, headers. Composed once."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from crm.clearance import service as clearance
from crm.core.config import Settings
from crm.core.errors import Refused
from crm.core.i18n import _
from crm.drafts import layout
from crm.drafts import service as drafts
from crm.drafts.enclosed import Enclosures
from crm.drafts.enclosures import FILE, OUT, Enclosed, read
from crm.drafts.models import Draft
from crm.exporters import documents
from crm.exporters.models import Exporter
from crm.exporters.rules import in_language
from crm.mail import calendars, tokens
from crm.mail.compose import Attachment, Outgoing, compose, filled
from crm.review.models import Approval, LetterDocument, Message

PREVIEW_ID = 2_147_483_647
"""No approval ever has this number, so the unsubscribe link of a preview belongs to nobody."""


@dataclass(frozen=True)
class Letter:
    """A letter as its receiver will see it, label and legal footer included."""

    subject: str
    text: str
    html: str
    from_name: str
    from_address: str
    unsubscribe_url: str
    unsubscribe_email: str


def final_letter(
    session: Session, settings: Settings, draft: Draft, *, moment: datetime, letter_id: int = PREVIEW_ID
) -> Letter:
    """Return the draft with everything the law of the receiver's country adds.

    ``moment`` is when it will leave: consent may have expired by then. ``letter_id`` is the approval's id; a preview
    carries the token of a letter that does not exist.
    """
    exporter = session.get_one(Exporter, draft.exporter_id)
    token = tokens.sign(settings.web.secret.get_secret_value(), letter_id)
    url = f"{settings.web.public_url.rstrip('/')}/u/{token}"
    email = tokens.address("unsubscribe", token, settings.mail.domain)
    legal = clearance.compose_legal(
        session,
        settings,
        lead_id=draft.lead_id,
        language=draft.language,
        product_line_id=draft.product_line_id,
        unsubscribe_url=url,
        unsubscribe_email=email,
        moment=moment,
        commercial=is_commercial(draft),
        is_reply=bool(draft.in_reply_to),
    )
    blocks = drafts.rendered(draft)
    return Letter(
        subject=f"{legal.label}{draft.subject}" if legal.label else draft.subject,
        text=layout.to_text(blocks, footer=legal.footer),
        html=layout.to_html(blocks, draft.language, footer=legal.footer),
        from_name=in_language(exporter.names, draft.language),
        from_address=exporter.sender_email,
        unsubscribe_url=url,
        unsubscribe_email=email,
    )


def is_commercial(draft: Draft) -> bool:
    """Tell a campaign's letter from a person's answer to what the buyer asked."""
    return draft.letter != drafts.ANSWER


def fingerprint_parts(draft: Draft, sender: str) -> list[str]:
    """Return everything an approval is bound to: sender, recipient, language, subject, each block and each file."""
    blocks = [f"{block['id']}\n{block['text']}" for block in draft.blocks]
    files = [
        f"{item.kind}\n{item.how}\n{item.sha256}\n{item.filename}\n{item.last_day}" for item in read(draft.enclosed)
    ]
    return [sender, draft.recipient, draft.recipient_name, draft.language, draft.subject, *blocks, *files]


def earlier_message_ids(session: Session, draft: Draft) -> tuple[str, ...]:
    """Return the Message-IDs of letters that already left to this lead, oldest first: the thread (RFC 5322 3.6.4)."""
    rows = (
        select(Message.message_id)
        .join(Approval, col(Approval.id) == col(Message.approval_id))
        .join(Draft, col(Draft.id) == col(Approval.draft_id))
        .where(Draft.lead_id == draft.lead_id, col(Approval.taken_at).is_not(None))
        .order_by(col(Approval.approved_at))
    )
    return tuple(session.exec(rows))


def store_message(session: Session, settings: Settings, draft: Draft, approval: Approval, *, now: datetime) -> Message:
    """Compose the letter's bytes and keep them beside the approval. ``now`` is the Date the letter will carry."""
    assert approval.id is not None
    letter = final_letter(session, settings, draft, moment=approval.send_at, letter_id=approval.id)
    thread = earlier_message_ids(session, draft)
    parent = draft.in_reply_to or (thread[-1] if thread else "")
    uid = hashlib.sha256(
        f"{approval.id}:{approval.content_hash}:{approval.approved_at.isoformat()}".encode()
    ).hexdigest()
    outgoing = Outgoing(
        from_name=letter.from_name,
        from_address=letter.from_address,
        to_name=draft.recipient_name,
        to_address=draft.recipient,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        message_id=f"<{uid[:32]}@{settings.mail.domain}>",
        date=now,
        in_reply_to=parent,
        references=tuple(dict.fromkeys((*thread, *([parent] if parent else [])))),
        list_unsubscribe_url=letter.unsubscribe_url,
        list_unsubscribe_mailto=letter.unsubscribe_email,
        language=draft.language,
        attachments=_attachments(session, settings, draft),
    )
    raw = compose(outgoing)
    whole = _filled(session, raw)
    message = Message(
        approval_id=approval.id,
        message_id=outgoing.message_id,
        token=tokens.sign(settings.web.secret.get_secret_value(), approval.id),
        from_address=outgoing.from_address,
        recipient=outgoing.to_address,
        subject=outgoing.subject,
        text=outgoing.text,
        html=outgoing.html,
        raw=raw,
        sha256=hashlib.sha256(whole).hexdigest(),
        size=len(whole),
    )
    session.add(message)
    session.add_all(_uses(approval.id, draft))
    session.flush()
    return message


def bytes_of(session: Session, message: Message) -> bytes:
    """Return the mail as it goes over the wire, with the documents it carries.

    Raises NotFound or CannotCompose when a document is not the one that was approved.
    """
    return _filled(session, message.raw)


def _filled(session: Session, raw: bytes) -> bytes:
    return filled(raw, lambda sha256: documents.content(session, sha256))


def _attachments(session: Session, settings: Settings, draft: Draft) -> tuple[Attachment, ...]:
    """Return the files of a draft: documents by their hash alone, since they are kept once, calendars as they are."""
    known = Enclosures(session, settings, [draft])
    return tuple(_attachment(known, draft, item) for item in read(draft.enclosed) if item.how == FILE)


def _attachment(known: Enclosures, draft: Draft, item: Enclosed) -> Attachment:
    if item.meeting_id is None:
        return Attachment(item.filename, item.media_type, None, item.sha256)
    data = known.calendar(draft, item)
    if data is None or hashlib.sha256(data).hexdigest() != item.sha256:
        raise Refused(_("The proposed meeting was changed after this letter was written. Write the letter anew."))
    return Attachment(item.filename, item.media_type, data, item.sha256, calendars.METHOD)


def _uses(approval_id: int, draft: Draft) -> list[LetterDocument]:
    going = {item.document_id: item.how for item in read(draft.enclosed) if item.document_id and item.how != OUT}
    return [LetterDocument(approval_id=approval_id, document_id=number, how=how) for number, how in going.items()]
