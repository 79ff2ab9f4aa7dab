"""What goes along with a letter: which documents, attached or as a link, and the calendar of a proposed meeting.

It is chosen once, when the letter is written, because the text speaks of it; the draft keeps the choice with the hash
of each file, and an approval is bound to it. Pure: what there is was read before.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from crm.core.clock import KST
from crm.core.config import Settings
from crm.exporters.models import Document, Exporter
from crm.exporters.rules import in_language
from crm.mail import calendars, tokens
from crm.pipeline.papers import MeetingPaper

FILE, LINK, OUT = "file", "link", "out"
MEETING = "meeting"
CATALOGUE = "catalogue"
QUOTATION = "quotation"
ORDER = (QUOTATION, "certificate", "price_list", MEETING, CATALOGUE)
"""In this order things are packed. The catalogue comes last: it is the largest, and a link can stand for it."""
CALENDAR_NAME = "meeting.ics"


@dataclass(frozen=True)
class Posting:
    """How files leave: the most bytes attached to a letter, how long a link holds, and what signs and leads it."""

    limit: int
    link_days: int
    secret: str
    public_url: str
    domain: str

    @classmethod
    def of(cls, settings: Settings) -> "Posting":
        """Return what the settings say."""
        return cls(
            limit=int(settings.documents.attach_mb * 1024 * 1024),
            link_days=settings.documents.link_days,
            secret=settings.web.secret.get_secret_value(),
            public_url=settings.web.public_url.rstrip("/"),
            domain=settings.mail.domain,
        )


@dataclass(frozen=True)
class Enclosed:
    """One thing that goes along. ``how``: file, or link, of which ``last_day`` (ISO) is; a meeting has no document.

    ``how`` out: it was wanted and did not fit beside the rest; the reviewer is told so.
    """

    kind: str
    how: str
    sha256: str
    filename: str
    media_type: str
    size: int
    language: str = ""
    document_id: int | None = None
    meeting_id: int | None = None
    last_day: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as a draft keeps it."""
        return asdict(self)


def read(stored: Iterable[Mapping[str, Any]]) -> list[Enclosed]:
    """Return what a draft keeps as values."""
    return [Enclosed(**one) for one in stored]


@dataclass(frozen=True)
class Catalogue:
    """How the letter speaks of the catalogue: its language, its link, and whether it is attached as well."""

    language: str
    url: str
    attached: bool = False
    last_day: date | None = None


@dataclass(frozen=True)
class Parcel:
    """What goes along, and what the text says of it."""

    items: tuple[Enclosed, ...] = ()
    catalogue: Catalogue | None = None

    def facts(self, language: str) -> dict[str, object]:
        """Return the fields of ``Facts`` that tell of catalogue and quotation, for a letter in ``language``."""
        quoted = any(item.kind == QUOTATION and item.how == FILE for item in self.items)
        if self.catalogue is None:
            return {"quotation_attached": quoted}
        return {
            "quotation_attached": quoted,
            "catalogue_url": self.catalogue.url,
            "catalogue_language": None if self.catalogue.language == language else self.catalogue.language,
            "attached": self.catalogue.attached,
            "catalogue_expires": self.catalogue.last_day,
        }


def pack(
    found: Iterable[tuple[str, Document]],
    wanted: Collection[str],
    posting: Posting,
    language: str,
    now: datetime,
    calendar: tuple[int, bytes] | None = None,
) -> Parcel:
    """Choose what goes along with a letter in ``language`` that leaves about ``now``.

    ``found`` are the documents there are, by kind; of the catalogue the text may speak although it is not ``wanted`` as
    a file: then it is a link. ``calendar`` is a meeting's id and file. What does not fit beside the rest stays out, but
    a catalogue becomes a link.
    """
    last_day = (now + timedelta(days=posting.link_days)).astimezone(KST).date()
    items: list[Enclosed] = []
    spoken: Catalogue | None = None
    room = posting.limit
    if calendar is not None and MEETING in wanted:
        items.append(_calendar(*calendar))
        room -= items[0].size
    for kind, document in sorted(found, key=lambda pair: ORDER.index(pair[0])):
        fits = kind in wanted and document.size <= room
        if kind == CATALOGUE:
            url = link(posting, document.id or 0, last_day, language)
            spoken = Catalogue(document.language, url, fits, last_day)
        how = FILE if fits else LINK if kind == CATALOGUE else OUT
        items.append(_document(kind, document, how, last_day))
        room -= document.size if fits else 0
    return Parcel(tuple(items), spoken)


def link(posting: Posting, document_id: int, last_day: date, language: str) -> str:
    """Return the address at which a document can be had until ``last_day``; the page there speaks ``language``."""
    return f"{posting.public_url}/d/{_token(posting.secret, document_id, last_day, language)}"


@lru_cache(maxsize=4096)
def _token(secret: str, document_id: int, last_day: date, language: str) -> str:
    return tokens.sign_file(secret, tokens.FileLink(document_id, last_day, language))


def _document(kind: str, document: Document, how: str, last_day: date) -> Enclosed:
    return Enclosed(
        kind=kind,
        how=how,
        sha256=document.sha256,
        filename=document.filename,
        media_type=document.media_type,
        size=document.size,
        language=document.language,
        document_id=document.id,
        last_day=last_day.isoformat() if how == LINK else "",
    )


def _calendar(meeting_id: int, data: bytes) -> Enclosed:
    return Enclosed(
        kind=MEETING,
        how=FILE,
        sha256=hashlib.sha256(data).hexdigest(),
        filename=CALENDAR_NAME,
        media_type=calendars.MEDIA_TYPE,
        size=len(data),
        meeting_id=meeting_id,
    )


def calendar_of(meeting: MeetingPaper, exporter: Exporter, product: str, language: str, domain: str) -> bytes:
    """Return a meeting as a calendar file. Its title is the firm and the product, which need no translation."""
    name = in_language(exporter.names, language)
    return calendars.calendar(
        calendars.Appointment(
            uid=f"meeting-{meeting.id}@{domain}",
            slots=meeting.slots,
            minutes=meeting.minutes,
            summary=f"{name} – {product}" if product else name,
            organiser=exporter.sender_email,
            organiser_name=name,
            place=meeting.place,
            chosen=meeting.chosen,
            sequence=meeting.sequence,
            changed_at=meeting.changed_at,
        )
    )
