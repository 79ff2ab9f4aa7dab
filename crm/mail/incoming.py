"""From the raw bytes of a received mail to what it says: who, answering what, in which words, and of which kind.

Nothing a stranger sends may stop the reading: ``parse`` never raises. What cannot be understood comes out empty, for a
person to look at, with the raw bytes kept by the caller.
"""

import email
import email.policy
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

from crm.mail import absence, replies
from crm.mail.bounces import Bounce, bounces_in, complained_recipient, complaint_in, returned_message_id
from crm.mail.mime import addresses, body, header, headers

_ID = re.compile(r"<[^<>\s]+@[^<>\s]+>")
_RECIPIENTS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To", "Cc")


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A received mail. Addresses are lower case, Message-IDs have brackets, ``sent_at`` is aware (UTC) or None.

    ``to_addresses`` begins with the addresses it was really delivered to. ``text`` is all that can be read,
    ``reply_text`` only the newest words. ``returns_on`` is the first day back of somebody who is away.
    """

    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    from_address: str = ""
    from_name: str = ""
    to_addresses: tuple[str, ...] = ()
    subject: str = ""
    sent_at: datetime | None = None
    text: str = ""
    reply_text: str = ""
    is_auto_reply: bool = False
    is_out_of_office: bool = False
    returns_on: date | None = None
    bounces: tuple[Bounce, ...] = ()
    complaint: str = ""
    complained_recipient: str = ""
    returned_message_id: str = ""
    wants_no_more: bool = False
    defects: tuple[str, ...] = field(default=())

    @property
    def is_bounce(self) -> bool:
        return bool(self.bounces)

    @property
    def is_complaint(self) -> bool:
        return bool(self.complaint)


def parse(raw: bytes) -> Incoming:
    """Return what the mail says. Never raises; ``defects`` names what went wrong."""
    try:
        return _parsed(raw)
    except Exception as error:
        return Incoming(defects=(f"{type(error).__name__}: {error}",))


def _parsed(raw: bytes) -> Incoming:
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    sender = next(iter(addresses(message, "From", "Sender", "Reply-To")), ("", ""))
    sent = _date(message)
    bounces = tuple(bounces_in(message, raw))
    complaint = complaint_in(message)
    subject, text = header(message, "Subject"), body(message)
    newest = replies.newest(text)
    automatic = not bounces and not complaint and _is_automatic(message, subject, newest)
    away = automatic and replies.says_absent(f"{subject}\n{newest}")
    return Incoming(
        message_id=_first_id(header(message, "Message-ID")),
        in_reply_to=_first_id(header(message, "In-Reply-To")),
        references=tuple(_ID.findall(header(message, "References"))),
        from_name=sender[0],
        from_address=sender[1],
        to_addresses=tuple(dict.fromkeys(address for _name, address in addresses(message, *_RECIPIENTS))),
        subject=subject,
        sent_at=sent,
        text=text,
        reply_text=newest,
        is_auto_reply=automatic,
        is_out_of_office=away,
        returns_on=absence.returns_on(f"{subject}\n{newest}", sent.date()) if away and sent else None,
        bounces=bounces,
        complaint=complaint,
        complained_recipient=complained_recipient(message) if complaint else "",
        returned_message_id=returned_message_id(message) if bounces or complaint else "",
        wants_no_more=not (bounces or complaint or automatic) and _asks_to_stop(subject, newest),
        defects=tuple(type(defect).__name__ for defect in message.defects),
    )


def _is_automatic(message: Message, subject: str, newest: str) -> bool:
    """RFC 3834 section 5, what Exchange and old programs add, and at last subject and wording."""
    submitted = header(message, "Auto-Submitted").split(";")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if any(headers(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply")):
        return True
    if header(message, "Precedence").lower() in ("auto_reply", "auto-reply", "junk", "bulk"):
        return True
    if header(message, "X-Auto-Response-Suppress") or replies.is_auto_subject(subject):
        return True
    return not subject.lower().startswith("re:") and replies.opens_with_absence(newest)


def _asks_to_stop(subject: str, newest: str) -> bool:
    """The words, or a subject that is nothing but the word (a mail program followed our mailto link)."""
    if replies.wants_no_more(newest):
        return True
    return len(newest) <= 40 and not subject.lower().startswith("re:") and replies.wants_no_more(subject)


def _first_id(value: str) -> str:
    found = _ID.search(value)
    return found[0] if found else ""


def _date(message: Message) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header(message, "Date"))
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
