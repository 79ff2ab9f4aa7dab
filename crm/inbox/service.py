"""Reading the mailbox: each mail is stored and acted on in one transaction, and only then marked as seen.

Reading twice changes nothing: the digest of the bytes is unique. A mail over which the acting stumbles is stored all
the same and left for a person.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime

import structlog
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from crm.campaigns import service as campaigns
from crm.campaigns.rules import NO_OWN_DAYS, Calendar
from crm.campaigns.workflows import own_holidays
from crm.clearance import service as clearance
from crm.contacts.models import Contact, Lead
from crm.core import events
from crm.core.config import Settings
from crm.core.context import Context
from crm.core.errors import Refused
from crm.core.i18n import _
from crm.delivery import service as delivery
from crm.delivery.models import Outbox
from crm.drafts import service as drafts
from crm.inbox.matching import Match, match
from crm.inbox.models import InboxMessage, Mailbox
from crm.inbox.rules import Kind, answer_due, back_at, kind_of
from crm.mail.bounces import Bounce
from crm.mail.imap import Fetched, open_mailbox
from crm.mail.incoming import Incoming, parse
from crm.pipeline import service as pipeline

log = structlog.get_logger()
ACTED = "system"
NOT_ACTED_ON = (Kind.OTHER, Kind.AUTO_REPLY)


def read_mailbox(context: Context) -> int:
    """Read what is new in the mailbox of the settings, and return how many mails were stored.

    Raises Unreachable when the mailbox cannot be read.
    """
    settings = context.settings
    act_again(context)
    name = f"{settings.imap.user}@{settings.imap.host}/{settings.imap.folder}"[:255]
    with context.db.reading() as session:
        place = session.get(Mailbox, name) or Mailbox(name=name)
    count = 0
    with open_mailbox(settings.imap) as box:
        for fetched in box.read_new(place.uidvalidity, place.last_uid):
            try:
                with context.db.writing() as session:
                    count += take_in(session, settings, fetched, mailbox=name, now=context.clock.now())
            except IntegrityError:
                return count  # another worker reads the same mailbox and was faster; it goes on from here
            box.mark_seen([fetched.uid])
    return count


def take_in(session: Session, settings: Settings, fetched: Fetched, *, mailbox: str, now: datetime) -> bool:
    """Store one mail, act on it, and remember how far the mailbox was read. False if it is known already."""
    digest = hashlib.sha256(fetched.raw).hexdigest()
    known = session.exec(select(InboxMessage.id).where(InboxMessage.digest == digest)).first()
    if known is None:
        mail = parse(fetched.raw)
        message = store(session, settings, mail, fetched, mailbox=mailbox, digest=digest, now=now)
        _act_safely(session, settings, message, mail, now)
    place = session.get(Mailbox, mailbox) or Mailbox(name=mailbox)
    place.uidvalidity, place.last_uid, place.read_at = fetched.uidvalidity, fetched.uid, now
    session.add(place)
    session.flush()
    return known is None


def store(
    session: Session,
    settings: Settings,
    mail: Incoming,
    fetched: Fetched,
    *,
    mailbox: str,
    digest: str,
    now: datetime,
) -> InboxMessage:
    """Store a mail with what it was taken for and why."""
    found = match(session, settings, mail)
    kind = kind_of(mail, found.ticket, matched=found.lead_id is not None)
    message = InboxMessage(
        mailbox=mailbox,
        uidvalidity=fetched.uidvalidity,
        uid=fetched.uid,
        digest=digest,
        message_id=mail.message_id[:998],
        from_address=mail.from_address[:320],
        from_name=mail.from_name,
        subject=mail.subject,
        date=mail.sent_at,
        received_at=now,
        kind=kind,
        text=mail.reply_text if kind in (Kind.REPLY, Kind.OPT_OUT, Kind.OUT_OF_OFFICE) else mail.text,
        outbox_id=found.outbox_id,
        lead_id=found.lead_id,
        exporter_id=found.exporter_id,
        contact_id=found.contact_id,
        matched_by=found.by,
        evidence=_evidence(mail, found),
        raw=fetched.raw,
    )
    session.add(message)
    session.flush()
    events.record(
        session, f"mail_{kind}", "inbox_message", message.id, at=now, exporter_id=found.exporter_id,
        data={"from": mail.from_address, "lead": found.lead_id, "matched_by": found.by},
    )  # fmt: skip
    return message


def _evidence(mail: Incoming, found: Match) -> dict[str, object]:
    facts: dict[str, object] = dict(found.evidence)
    if mail.bounces:
        facts["bounces"] = [
            {"recipient": one.recipient, "status": one.status, "cause": one.cause, "answer": one.diagnostic[:500]}
            for one in mail.bounces
        ]
    if mail.complaint:
        facts["complaint"] = mail.complaint
    if mail.returns_on:
        facts["returns_on"] = mail.returns_on.isoformat()
    if mail.defects:
        facts["defects"] = list(mail.defects)
    return facts


def _act_safely(session: Session, settings: Settings, message: InboxMessage, mail: Incoming, now: datetime) -> None:
    try:
        with session.begin_nested():
            act(session, settings, message, now=now, mail=mail)
    except Exception as error:
        log.exception("mail_not_acted_on", message=message.id)
        session.refresh(message)
        message.evidence = {**message.evidence, "error": f"{type(error).__name__}: {error}"[:500]}
        session.flush()


def act_again(context: Context) -> int:
    """Try again what was stumbled over, e.g. because a page changed the same row; return how often that helped.

    Without it a buyer who answered or opted out would go on getting letters.
    """
    with context.db.reading() as session:
        stored = select(InboxMessage.id, InboxMessage.evidence).where(
            col(InboxMessage.handled_at).is_(None), col(InboxMessage.kind) != Kind.OTHER
        )
        failed = [found for found, evidence in session.exec(stored) if "error" in evidence]
    return sum(_acted_again(context, found) for found in failed if found is not None)


def _acted_again(context: Context, message_id: int) -> bool:
    with context.db.writing() as session:
        message = session.get_one(InboxMessage, message_id)
        before = message.evidence
        message.evidence = {name: value for name, value in before.items() if name != "error"}
        session.flush()
        _act_safely(session, context.settings, message, parse(message.raw), context.clock.now())
        return "error" not in message.evidence


def act(
    session: Session, settings: Settings, message: InboxMessage, *, now: datetime, mail: Incoming | None = None
) -> None:
    """Do what a stored mail asks for. What needs no person is marked as handled.

    A reply stops the sequence and moves the deal; an absence holds it; a dead address, a complaint or an opt-out ends
    all mail to the address.
    """
    mail = mail or parse(message.raw)
    row = session.get(Outbox, message.outbox_id) if message.outbox_id else None
    if row is not None:
        delivery.arrived(session, settings, row, now=now)
    if message.kind == Kind.REPLY:
        _reply(session, settings, message, now)
    elif message.kind == Kind.OUT_OF_OFFICE:
        _away(session, settings, message, mail, now)
    elif message.kind == Kind.BOUNCE:
        _bounce(session, settings, message, row, mail.bounces, now)
    elif message.kind in (Kind.OPT_OUT, Kind.COMPLAINT):
        _stop(session, message, row, mail, now)
    if message.kind not in (Kind.REPLY, Kind.OTHER):
        message.handled_at, message.handled_by = now, ACTED
    session.flush()


def _reply(session: Session, settings: Settings, message: InboxMessage, now: datetime) -> None:
    if message.lead_id is None or message.exporter_id is None:
        return
    cancelled = campaigns.replied(session, settings, lead_id=message.lead_id, now=now)
    drafts.cancel_for_steps(session, cancelled, reason="replied", now=now)
    evidence = {"inbox_message": message.id, "message_id": message.message_id, "matched_by": message.matched_by}
    pipeline.note_reply(session, message.lead_id, now=now, evidence=evidence)
    deal = pipeline.deal_of_lead(session, message.lead_id)
    rule = campaigns.on_reply(session, message.lead_id)
    korea = Calendar("KR", own_holidays(settings).get("KR", NO_OWN_DAYS))
    pipeline.add_task(
        session,
        exporter_id=message.exporter_id,
        kind=rule.task if rule else "answer",
        title=_("Answer {who}", who=_who(session, message)),
        due_at=answer_due(rule.within if rule else None, now, korea),
        deal_id=deal.id if deal else None,
        lead_id=message.lead_id,
        origin=f"mail:{message.id}",
        now=now,
    )


def _who(session: Session, message: InboxMessage) -> str:
    contact = session.get(Contact, message.contact_id) if message.contact_id else None
    return (contact.full_name if contact else "") or message.from_name or message.from_address


def _away(session: Session, settings: Settings, message: InboxMessage, mail: Incoming, now: datetime) -> None:
    """Hold every follow-up of the person, whichever exporter's letter was answered."""
    if message.contact_id is None:
        return
    returns_at = back_at(mail.returns_on)
    for lead_id in session.exec(select(Lead.id).where(Lead.contact_id == message.contact_id).order_by(col(Lead.id))):
        if lead_id is not None:
            campaigns.away(session, settings, lead_id=lead_id, returns_at=returns_at, now=now)


def _bounce(
    session: Session,
    settings: Settings,
    message: InboxMessage,
    row: Outbox | None,
    bounces: tuple[Bounce, ...],
    now: datetime,
) -> None:
    """A report about a letter of ours. What it says of an address we did not write to is only kept."""
    final = [bounce for bounce in bounces if bounce.given_up]
    if row is None or not final:
        return
    about = next((bounce for bounce in final if bounce.recipient == row.recipient), final[0])
    # A buyer who forwards mail may forward it to an address that is dead; their own is not.
    dead = about.dead_address and about.recipient in ("", row.recipient)
    reason = "no_such_address" if dead else "bounced"
    delivery.bounced(session, settings, row, reason=reason, answer=about.diagnostic, dead_address=dead, now=now)


def _stop(session: Session, message: InboxMessage, row: Outbox | None, mail: Incoming, now: datetime) -> None:
    """A person wants to hear no more: from nobody, as the letters of all exporters come from one house.

    Both the address we wrote to and the one the wish came from are taken; a forwarded letter has two.
    """
    source = "complaint" if message.kind == Kind.COMPLAINT else "reply"
    wish = mail.complained_recipient if message.kind == Kind.COMPLAINT else mail.from_address
    for address in dict.fromkeys(found for found in (row.recipient if row else "", wish) if found):
        clearance.opt_out(
            session, address, exporter_id=None, source=source, evidence={"inbox_message": message.id},
            now=now, by=events.SYSTEM,
        )  # fmt: skip
    if message.contact_id is not None:
        reason = "complaint" if message.kind == Kind.COMPLAINT else "opted_out"
        _end(session, reason, now, contact_id=message.contact_id)


def _end(session: Session, reason: str, now: datetime, *, contact_id: int) -> None:
    cancelled = campaigns.end_enrolments(session, contact_id=contact_id, reason=reason, now=now)
    drafts.cancel_for_steps(session, cancelled, reason=reason, now=now)


def mark_handled(session: Session, message: InboxMessage, *, by: str, now: datetime) -> None:
    """Note that a person dealt with a mail. Raises Refused when somebody did already."""
    if message.handled_at is not None:
        raise Refused(_("This mail has been dealt with already."))
    message.handled_at, message.handled_by = now, by
    session.flush()
    events.record(
        session, "mail_handled", "inbox_message", message.id, at=now, actor=by, exporter_id=message.exporter_id
    )


def leads_heard_of(session: Session, lead_ids: Collection[int]) -> set[int]:
    """Return those of the leads from whose person mail has come in."""
    from_person = select(Lead.id).join(InboxMessage, col(InboxMessage.contact_id) == col(Lead.contact_id))
    about = select(InboxMessage.lead_id).where(col(InboxMessage.lead_id).in_(lead_ids))
    found = {*session.exec(from_person.where(col(Lead.id).in_(lead_ids))), *session.exec(about)}
    return {lead_id for lead_id in found if lead_id is not None}
