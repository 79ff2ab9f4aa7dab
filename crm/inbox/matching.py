"""Which letter a received mail belongs to, and why: the return ticket first, then Message-IDs, then the address."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from crm.contacts import service as contacts
from crm.contacts.models import Lead
from crm.core.config import Settings
from crm.delivery.models import Outbox
from crm.drafts.models import Draft
from crm.mail import tokens
from crm.mail.incoming import Incoming
from crm.mail.tokens import Ticket
from crm.review.models import Message


@dataclass(frozen=True)
class Match:
    """What a mail belongs to. ``by`` is token, message_id, address or empty; ``evidence`` is what was found."""

    by: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    outbox_id: int | None = None
    lead_id: int | None = None
    exporter_id: int | None = None
    contact_id: int | None = None
    ticket: Ticket | None = None


def match(session: Session, settings: Settings, mail: Incoming) -> Match:
    """Return the best match; an empty one if the mail belongs to nothing we know."""
    ticket = ticket_in(settings, mail)
    return (
        _by_ticket(session, ticket)
        or _by_message_id(session, mail, ticket)
        or _by_address(session, mail, ticket)
        or Match(ticket=ticket)
    )


def ticket_in(settings: Settings, mail: Incoming) -> Ticket | None:
    """Return what our own address says to which the mail was delivered."""
    secret = settings.web.secret.get_secret_value()
    found = (tokens.ticket(secret, address) for address in mail.to_addresses) if secret else iter(())
    return next((ticket for ticket in found if ticket is not None), None)


def _by_ticket(session: Session, ticket: Ticket | None) -> Match | None:
    if ticket is None:
        return None
    letter = session.exec(_letters().where(Message.token == ticket.token)).first()
    return _letter(letter, "token", {"token": ticket.token}, ticket) if letter else None


def _by_message_id(session: Session, mail: Incoming, ticket: Ticket | None) -> Match | None:
    """The direct parent first, then the thread from its newest end."""
    ids = [mail.returned_message_id, mail.in_reply_to, *reversed(mail.references)]
    for message_id in dict.fromkeys(found for found in ids if found):
        letter = session.exec(_letters().where(Message.message_id == message_id)).first()
        if letter:
            return _letter(letter, "message_id", {"message_id": message_id}, ticket)
    return None


def _by_address(session: Session, mail: Incoming, ticket: Ticket | None) -> Match | None:
    """The newest letter to the address that failed, complained or wrote; that of the exporter it wrote to, if any."""
    wanted = [bounce.recipient for bounce in mail.bounces] or [mail.complained_recipient or mail.from_address]
    sent = _letters().where(col(Outbox.recipient).in_(wanted), col(Outbox.offered_at).is_not(None))
    letters = session.exec(sent.order_by(col(Outbox.id).desc()).limit(20)).all()
    if letters:
        return _letter(_preferred(letters, mail), "address", {"address": letters[0][0].recipient}, ticket)
    contact = contacts.contact_by_address(session, wanted[0]) if wanted[0] else None
    if contact is None:
        return None
    lead = session.exec(select(Lead).where(Lead.contact_id == contact.id).order_by(col(Lead.id).desc())).first()
    return Match(
        by="address",
        evidence={"address": wanted[0]},
        lead_id=lead.id if lead else None,
        exporter_id=lead.exporter_id if lead else None,
        contact_id=contact.id,
        ticket=ticket,
    )


Letter = tuple[Outbox, Draft, Message]


def _letters() -> Any:
    return (
        select(Outbox, Draft, Message)
        .join(Draft, col(Draft.id) == col(Outbox.draft_id))
        .join(Message, col(Message.approval_id) == col(Outbox.approval_id))
    )


def _preferred(letters: Sequence[Letter], mail: Incoming) -> Letter:
    written_to = (letter for letter in letters if letter[2].from_address.lower() in mail.to_addresses)
    return next(written_to, letters[0])


def _letter(letter: Letter, by: str, evidence: dict[str, Any], ticket: Ticket | None) -> Match:
    row, draft, _message = letter
    return Match(by, evidence, row.id, draft.lead_id, row.exporter_id, draft.contact_id, ticket)
