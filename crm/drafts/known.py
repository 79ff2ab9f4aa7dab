"""The facts of a letter as plain values. A fact that is not known is None or empty.

They are gathered in ``facts``, written by language in ``placeholders``, and shown in previews by ``samples``.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Request(StrEnum):
    """What a buyer may have asked for at the booth."""

    CATALOGUE = "catalogue"
    PRICE_LIST = "price_list"
    SAMPLE = "sample"
    QUOTATION = "quotation"
    MEETING = "meeting"
    CERTIFICATE = "certificate"


@dataclass(frozen=True)
class QuotedLine:
    """One line of a quotation; ``unit_price`` is for one ``unit`` in the quotation's currency."""

    item: str
    quantity: int
    unit: str
    unit_price: Decimal


@dataclass(frozen=True)
class Quoted:
    """A quotation as it was given. ``payment`` is one of PAYMENTS; ``packing`` is in the letter's language."""

    number: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    currency: str | None = None
    incoterm: str | None = None
    incoterm_place: str | None = None
    lead_time_days: int | None = None
    payment: str | None = None
    packing: str | None = None
    lines: tuple[QuotedLine, ...] = ()


@dataclass(frozen=True)
class Meeting:
    """A proposed meeting. ``slots`` are aware moments; ``zone`` is the buyer's (IANA)."""

    slots: tuple[datetime, ...] = ()
    minutes: int | None = None
    place: str | None = None
    online: bool = False
    zone: str | None = None


@dataclass(frozen=True)
class Negotiation:
    """Where a negotiation stands; the texts are in the letter's language."""

    agreed: tuple[str, ...] = ()
    open_points: tuple[str, ...] = ()
    proposals: tuple[str, ...] = ()
    until: date | None = None


@dataclass(frozen=True)
class Promise:
    """What a distributorship would be: ``territory`` are ISO 3166-1 codes, the minimum is what is bought every year.

    ``kind`` is ``exclusive``, ``sole`` or ``non_exclusive``.
    """

    territory: tuple[str, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    minimum_quantity: int | None = None
    minimum_unit: str | None = None
    minimum_amount: Decimal | None = None
    currency: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Facts:
    """Everything one letter in one language is written from. Texts are already in that language.

    ``met_on`` is None unless the talk took place; ``noted`` tells whether the buyer's interest in ``product`` was
    recorded, not assumed; ``price`` is for one ``moq_unit``; ``catalogue_language`` is set where it is another than the
    letter's; ``reply_by`` and ``promised_by`` are days in the reader's calendar; ``next_exhibition`` is the first one
    to come at which the exporter has a booth. ``attached``: the catalogue goes along as a file, ``quotation_attached``:
    the quotation does; ``catalogue_expires``: the link's last day. ``season`` is a code of ``seasons``, ``season_year``
    the year it wishes well for.
    """

    greeting: str
    mention: str
    exhibition: str
    exhibition_short: str
    exporter: str
    exporter_short: str
    sender_name: str
    sender_email: str
    country: str | None = None
    met_on: date | None = None
    booth: str | None = None
    venue: str | None = None
    sender_title: str | None = None
    sender_phone: str | None = None
    website: str | None = None
    messenger: str | None = None
    product: str | None = None
    noted: bool = False
    interests: tuple[str, ...] = ()
    requested: tuple[str, ...] = ()
    moq: int | None = None
    moq_unit: str | None = None
    lead_time_days: int | None = None
    incoterm: str | None = None
    incoterm_place: str | None = None
    price: Decimal | None = None
    currency: str | None = None
    price_valid_until: date | None = None
    hs_code: str | None = None
    certificates: tuple[str, ...] = ()
    catalogue_url: str | None = None
    catalogue_language: str | None = None
    reply_by: date | None = None
    promised_by: date | None = None
    next_exhibition: str | None = None
    next_from: date | None = None
    next_booth: str | None = None
    rating: int | None = None
    attached: bool = False
    catalogue_expires: date | None = None
    quotation: Quoted | None = None
    quotation_attached: bool = False
    meeting: Meeting | None = None
    negotiation: Negotiation | None = None
    contract: Promise | None = None
    season: str | None = None
    season_year: int | None = None
