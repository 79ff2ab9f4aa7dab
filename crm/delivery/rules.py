"""What follows from one attempt to send a letter. Pure: the relay's answer and the time in, the next state out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from crm.mail.outcome import Accepted, NotOffered, Outcome, Refused, Uncertain
from crm.mail.rules import AddressIsBad, LetterRefused, StopAll, TryAgain, meaning, retry_at


class Status(StrEnum):
    """Where a letter is. ``models.Outbox`` says what each means."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    BOUNCED = "bounced"
    WITHHELD = "withheld"
    UNCERTAIN = "uncertain"
    CANCELLED = "cancelled"


UNREACHED_PAUSE = timedelta(minutes=1)
SIGN_IN_PAUSE = timedelta(minutes=15)
QUOTA_PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Result:
    """What becomes of a letter. ``attempt`` is the word of ``models.Attempt.outcome``.

    ``pause_all`` stops every other letter for so long; ``stops`` ends the present round only.
    """

    status: Status
    attempt: str
    code: int | None = None
    answer: str = ""
    reason: str = ""
    due_at: datetime | None = None
    counts: bool = False
    dead_address: bool = False
    stops: bool = False
    pause_all: timedelta | None = None


def result_of(outcome: Outcome, *, now: datetime, attempts: int, pauses: Sequence[int]) -> Result:
    """Return what follows. ``attempts`` counts the refusals before this one; ``pauses`` are minutes between tries."""
    match outcome:
        case Accepted(code, text):
            return Result(Status.SENT, "accepted", code, text)
        case Uncertain(reason):
            return Result(Status.UNCERTAIN, "uncertain", None, reason, "no_answer")
        case NotOffered(reason):
            why = "" if reason == "withdrawn" else "relay_unreachable"
            due = now + UNREACHED_PAUSE
            return Result(Status.QUEUED, "not_offered", None, reason, why, due, stops=bool(why))
        case Refused():
            return _refused(outcome, now, attempts, pauses)


def _refused(refused: Refused, now: datetime, attempts: int, pauses: Sequence[int]) -> Result:
    code, text = refused.code, refused.text
    match meaning(refused):
        case AddressIsBad():
            return Result(Status.BOUNCED, "permanent", code, text, "no_such_address", dead_address=True)
        case LetterRefused(cause):
            return Result(Status.BOUNCED, "permanent", code, text, f"refused_{cause}")
        case StopAll(cause):
            pause = QUOTA_PAUSE if cause == "quota" else SIGN_IN_PAUSE
            reason = f"relay_{cause}"
            return Result(Status.QUEUED, "temporary", code, text, reason, now + pause, stops=True, pause_all=pause)
        case TryAgain():
            again = retry_at(now, attempts + 1, pauses)
            if again is None:
                return Result(Status.BOUNCED, "temporary", code, text, "given_up", counts=True)
            return Result(Status.QUEUED, "temporary", code, text, "refused_for_now", again, counts=True)


def lease_until(now: datetime, lease_seconds: int, timeout: float) -> datetime:
    """Return until when a claim belongs to its worker: never shorter than the four waits of a dialogue before DATA."""
    return now + timedelta(seconds=max(lease_seconds, 4 * timeout))


def envelope_sender_domain(message_id: str) -> str:
    """Return the domain that made a Message-ID; bounces come back to it."""
    return message_id.strip("<>").rpartition("@")[2]
