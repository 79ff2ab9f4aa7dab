"""Proposed and agreed meetings as a calendar file (RFC 5545), written so that the same meeting gives the same bytes.

The file is published, not sent as an invitation: METHOD:PUBLISH (RFC 5546 section 3.2.1). A REQUEST names its attendees
and asks each program to answer by mail to the organiser, for every slot that is only proposed; such answers are no
words of the buyer, and nobody would read them. What the buyer takes from a published file is a tentative entry for each
slot; they answer the letter. Times are in UTC, so no description of a time zone is needed and none can be wrong.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from crm.mail.compose import CannotCompose, Method

OCTETS = 75  # RFC 5545 section 3.1
MEDIA_TYPE = "text/calendar"
METHOD: Method = "PUBLISH"
_UID = re.compile(r"[!-9;-~]{1,200}")
_ADDRESS = re.compile(r"[!-9;=?-~]+@[!-9;=?-~]+")
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, kw_only=True)
class Appointment:
    """A meeting with the times proposed for it, all aware. ``chosen``: the one that was agreed, if any.

    ``uid`` names the meeting for good. ``sequence`` counts up whenever it changed (RFC 5545 section 3.8.7.4);
    ``changed_at`` is when that was.
    """

    uid: str
    slots: Sequence[datetime]
    minutes: int
    summary: str
    organiser: str
    organiser_name: str = ""
    description: str = ""
    place: str = ""
    chosen: datetime | None = None
    sequence: int = 0
    changed_at: datetime


def calendar(meeting: Appointment) -> bytes:
    """Return the .ics file: a tentative event for each slot, or a confirmed one once a slot is chosen.

    An event keeps its UID from the proposal to the agreement, so that a calendar replaces it. Raises CannotCompose for
    a naive time, no slot, no length, or a UID or address that cannot stand in it.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Ieum//Letters//EN", f"METHOD:{METHOD}"]
    slots = [meeting.chosen] if meeting.chosen else list(dict.fromkeys(meeting.slots))
    if not slots or meeting.minutes < 1:
        raise CannotCompose("calendar: a meeting needs a time and a length")
    for slot in slots:
        lines += _event(meeting, slot)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def event_uid(uid: str, slot: datetime) -> str:
    """Return the name of the event of one slot: that of the meeting with the moment before it."""
    return f"{_stamp(slot).lower()}-{uid}"


def _event(meeting: Appointment, slot: datetime) -> Iterator[str]:
    uid = event_uid(meeting.uid, slot)
    if not _UID.fullmatch(uid) or not _ADDRESS.fullmatch(meeting.organiser):
        raise CannotCompose("calendar: the UID or the organiser's address cannot stand in it")
    name = f";CN={_parameter(meeting.organiser_name)}" if meeting.organiser_name else ""
    yield "BEGIN:VEVENT"
    yield f"UID:{uid}"
    yield f"DTSTAMP:{_stamp(meeting.changed_at)}"
    yield f"DTSTART:{_stamp(slot)}"
    yield f"DTEND:{_stamp(slot + timedelta(minutes=meeting.minutes))}"
    yield f"SEQUENCE:{meeting.sequence}"
    yield f"STATUS:{'CONFIRMED' if meeting.chosen else 'TENTATIVE'}"
    yield f"SUMMARY:{_text(meeting.summary)}"
    for key, value in (("LOCATION", meeting.place), ("DESCRIPTION", meeting.description)):
        if value:
            yield f"{key}:{_text(value)}"
    yield f"ORGANIZER{name}:mailto:{meeting.organiser}"
    # A proposal leaves the time free; what was agreed takes it (section 3.8.2.7).
    yield f"TRANSP:{'OPAQUE' if meeting.chosen else 'TRANSPARENT'}"
    yield "END:VEVENT"


def _stamp(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise CannotCompose("calendar: an aware time is needed")
    return moment.astimezone(UTC).strftime(_STAMP)


def _text(value: str) -> str:
    """Escape a TEXT value (section 3.3.11); line breaks are kept, other controls are not."""
    lines = re.split(r"\r\n|\r|\n", value.strip())
    kept = ["".join(char for char in line if not _control(char)) for line in lines]
    return "\\n".join(re.sub(r"([\\;,])", r"\\\1", line) for line in kept)


def _parameter(value: str) -> str:
    """Quote a parameter's value; it can hold no quotation mark (section 3.1) and no line break."""
    kept = "".join(" " if char in '"\r\n' else char for char in value if char in "\r\n" or not _control(char))
    return f'"{kept.strip()}"'


def _control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs") and char != "\t"


def _folded(line: str) -> bytes:
    """Break a line after at most 75 octets, between characters; what follows begins with a space."""
    pieces: list[bytes] = []
    piece = b""
    for char in line:
        encoded = char.encode()
        if len(piece) + len(encoded) > OCTETS - bool(pieces):
            pieces.append(piece)
            piece = b""
        piece += encoded
    return b"\r\n ".join([*pieces, piece]) + b"\r\n"
