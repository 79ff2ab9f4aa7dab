"""The plain values that a clearance question is made of, and the verdicts that answer it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from crm.pipeline.rules import Claim


class LetterKind(StrEnum):
    """What a letter is in the eyes of the law. One promotional sentence makes it commercial."""

    COMMERCIAL = "commercial"
    REQUESTED = "requested"  # only what the person asked for
    TRANSACTIONAL = "transactional"  # order, delivery, payment, contract
    NOTICE = "notice"  # receipt of a consent or refusal; no promotion


class Level(StrEnum):
    BLOCK = "block"
    CHECK = "check"
    PASS = "pass"  # noqa: S105 - a level, not a password


@dataclass(frozen=True)
class Letter:
    """A letter, or the plan of one: ``subject`` and ``text`` are None as long as nothing is written.

    ``text`` is the text/plain part with its footer. ``language`` is one of ko, en, zh-Hans, zh-Hant, ja, es.
    ``unsubscribe_url`` may be its beginning as long as no link is made. ``is_reply``: it answers the person's own mail.
    """

    kind: LetterKind
    language: str
    subject: str | None = None
    text: str | None = None
    unsubscribe_url: str = ""
    is_reply: bool = False


@dataclass(frozen=True)
class Recipient:
    """``country`` is ISO 3166-1 alpha-2 of the person or else their company, None when unknown; ``timezone`` IANA.

    ``company_country`` is given when it is known to differ from the person's.
    """

    address: str
    country: str | None
    timezone: str | None = None
    hard_bounced: bool = False
    company_country: str | None = None


@dataclass(frozen=True)
class BasisRecord:
    """Evidence of why we may write. ``given_at`` is the anchor the law counts from (consent, request, end of sale).

    ``exporter_id`` None: the wording named all exporters of the exhibition. A record without ``source`` proves nothing.
    ``from_list``: a list states it; such a record never lifts a refusal, whatever day the list gives it.
    """

    code: str
    given_at: datetime
    source: str
    exporter_id: int | None = None
    expires_at: datetime | None = None
    from_list: bool = False


@dataclass(frozen=True)
class Suppression:
    """A refusal, complaint or withdrawal. ``exporter_id`` None holds for every exporter."""

    at: datetime
    reason: str
    exporter_id: int | None = None


@dataclass(frozen=True)
class Sender:
    """The exporter on whose behalf the letter goes out, and the operator who sends it."""

    exporter_id: int
    legal_name: str
    country: str
    postal_address: str
    email: str
    phone: str = ""
    operator_name: str = ""
    unsubscribe_email: str = ""
    privacy_url: str = ""


@dataclass(frozen=True)
class Meeting:
    """Where the address was obtained."""

    fair: str
    on: date
    booth: str = ""


@dataclass(frozen=True)
class Policy:
    """What the centre decided. ``korean_overlay``: does the Korean Network Act apply to letters sent abroad."""

    korean_overlay: str = "undecided"
    contact_cap_days: int = 3


@dataclass(frozen=True)
class Question:
    """May this letter go from this exporter to this person at this moment (aware UTC)?

    ``last_letters``: when commercial letters last left for this person, from whichever exporter.
    """

    letter: Letter
    recipient: Recipient
    sender: Sender
    moment: datetime
    basis: tuple[BasisRecord, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    last_letters: tuple[datetime, ...] = ()
    claims: tuple[Claim, ...] = ()
    meeting: Meeting | None = None
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True)
class Verdict:
    """One finding. ``params`` feed the sentence in ``texts``; ``resolves`` is the code of what would fix it.

    ``until`` is set where time alone resolves it: the first moment (UTC) at which the same letter may go.
    """

    level: Level
    code: str
    params: Mapping[str, object] = field(default_factory=dict)
    article: str = ""
    resolves: str = ""
    until: datetime | None = None
