"""What a received mail is taken for. Pure: the parsed mail and our own ticket in its address decide."""

from datetime import UTC, date, datetime, time
from enum import StrEnum

from crm.campaigns.engine import ANSWER_WITHIN, office_deadline
from crm.campaigns.rules import Calendar, Delay
from crm.mail.incoming import Incoming
from crm.mail.tokens import Ticket


class Kind(StrEnum):
    """What a mail is. ``other`` is mail that belongs to no letter of ours."""

    REPLY = "reply"
    AUTO_REPLY = "auto_reply"
    OUT_OF_OFFICE = "out_of_office"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    OPT_OUT = "opt_out"
    OTHER = "other"


def kind_of(mail: Incoming, ticket: Ticket | None, *, matched: bool) -> Kind:
    """Return what the mail is. A machine's words are never taken for a person's wish."""
    if mail.is_complaint:
        return Kind.COMPLAINT
    if mail.is_bounce:
        return Kind.BOUNCE
    if ticket is not None and ticket.purpose == "unsubscribe":
        # No answering machine writes there: mail programs do, for a person who pressed their button (RFC 2369).
        return Kind.OPT_OUT
    if mail.is_out_of_office:
        return Kind.OUT_OF_OFFICE
    if mail.is_auto_reply:
        return Kind.AUTO_REPLY
    if mail.wants_no_more:
        return Kind.OPT_OUT
    return Kind.REPLY if matched else Kind.OTHER


def back_at(returns_on: date | None) -> datetime | None:
    """Return the beginning of the first day back (UTC), or None when it is not told."""
    return datetime.combine(returns_on, time(0), UTC) if returns_on else None


def answer_due(within: Delay | None, now: datetime, korea: Calendar) -> datetime:
    """Return until when to answer, at the same time of day: by the workflow, else on Korea's next business day."""
    return office_deadline(within or ANSWER_WITHIN, now, korea)
