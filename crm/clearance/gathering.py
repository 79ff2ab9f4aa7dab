"""Reads what clearance has to know of many leads in a few queries, and makes the questions out of it.

In: which letters to whom. Out: a ``Gathered`` that can be asked about any of them at any moment, without another query.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any

import sqlalchemy as sa
from babel.core import get_global
from sqlmodel import Session, col, select

from crm.clearance import texts
from crm.clearance.question import (
    BasisRecord,
    Letter,
    LetterKind,
    Meeting,
    Policy,
    Question,
    Recipient,
    Sender,
    Suppression,
    Verdict,
)
from crm.clearance.rules import evaluate, lifted, refusal_code, standing_refusal
from crm.contacts import models as contact_tables
from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Organisation
from crm.core import bulk
from crm.core.clock import KST
from crm.core.config import Settings
from crm.core.errors import NotFound
from crm.core.i18n import _
from crm.exporters.models import Exhibition, Exporter
from crm.exporters.rules import in_language
from crm.pipeline.service import Territories

LEADS: sa.Table = Lead.__table__  # type: ignore[attr-defined]
CONTACTS: sa.Table = Contact.__table__  # type: ignore[attr-defined]
FIRMS: sa.Table = Organisation.__table__  # type: ignore[attr-defined]
ADDRESSES: sa.Table = EmailAddress.__table__  # type: ignore[attr-defined]
CONSENTS: sa.Table = Consent.__table__  # type: ignore[attr-defined]
REFUSALS: sa.Table = contact_tables.Suppression.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Asked:
    """A letter to a lead that is asked about.

    ``commercial`` False: only what the person asked for, resting on the request (or, with ``is_reply``, on their own
    mail). ``timezone`` (IANA) when the caller knows the recipient's better than the contact's record.
    """

    lead_id: int
    recipient: str
    language: str
    product_line_id: int | None = None
    commercial: bool = True
    is_reply: bool = False
    timezone: str | None = None


@dataclass(frozen=True)
class _Person:
    """A lead with what hangs on it. ``addresses`` maps each address of the contact to its state."""

    lead: Any
    all_consents: Callable[[], Mapping[int, Sequence[Any]]]
    addresses: dict[str, str]

    @property
    def consents(self) -> Sequence[Any]:
        """Return what the person consented to; read for all people of the batch when the first is asked for."""
        return self.all_consents().get(self.lead.contact_id, ())

    @cached_property
    def basis(self) -> tuple[BasisRecord, ...]:
        """Return what the person agreed to and did not take back."""
        return tuple(
            BasisRecord(
                row.basis,
                row.given_at,
                texts.evidence(row.source, row.evidence),
                row.exporter_id,
                row.expires_at,
                from_list=row.derived,
            )
            for row in self.consents
            if row.withdrawn_at is None
        )


class Gathered:
    """What clearance knows of some leads. Good for as long as their rows do not change."""

    def __init__(self, session: Session, settings: Settings, asked: Iterable[Asked]) -> None:
        """Read all that questions about these letters need. Raises NotFound for an unknown lead."""
        asked = list(asked)
        self._settings = settings
        self._people = _people(session, {one.lead_id for one in asked})
        self._session = session
        written_to = {_mailbox(one.recipient) for one in asked}
        known = {address for person in self._people.values() for address in person.addresses}
        self._refusals = _refusals(session, written_to | known)
        self._bounced = _bounced(session, written_to)
        self._senders: dict[tuple[int, str], Sender] = {}

    # Read when a whole question is asked; ``hopeless`` needs none of them.
    @cached_property
    def _exporters(self) -> dict[int | None, Exporter]:
        rows = self._session.exec(select(Exporter).where(col(Exporter.id).in_(self._exporter_ids)))
        return {one.id: one for one in rows}

    @cached_property
    def _shows(self) -> dict[int | None, Exhibition]:
        ids = {person.lead.exhibition_id for person in self._people.values()}
        return {one.id: one for one in self._session.exec(select(Exhibition).where(col(Exhibition.id).in_(ids)))}

    @cached_property
    def _territories(self) -> Territories:
        return Territories(self._session, self._exporter_ids)

    @property
    def _exporter_ids(self) -> set[int]:
        return {person.lead.exporter_id for person in self._people.values()}

    def verdicts(
        self,
        asked: Asked,
        moment: datetime,
        *,
        last_letters: Sequence[datetime] = (),
        subject: str | None = None,
        text: str | None = None,
    ) -> list[Verdict]:
        """Answer whether a letter may go at ``moment``; ``subject`` and ``text`` None while it is only planned.

        ``last_letters``: when commercial letters left for this person before.
        """
        return evaluate(self.question(asked, moment, last_letters=last_letters, subject=subject, text=text))

    def question(
        self,
        asked: Asked,
        moment: datetime,
        *,
        last_letters: Sequence[datetime] = (),
        subject: str | None = None,
        text: str | None = None,
        unsubscribe_url: str = "",
    ) -> Question:
        """Return the whole question about a letter at ``moment``."""
        person = self._people[asked.lead_id]
        lead = person.lead
        recipient = self._recipient(asked)
        return Question(
            letter=Letter(
                kind=LetterKind.COMMERCIAL if asked.commercial else LetterKind.REQUESTED,
                language=asked.language,
                subject=subject,
                text=text,
                unsubscribe_url=unsubscribe_url or f"{self._settings.web.public_url.rstrip('/')}/u/",
                is_reply=asked.is_reply,
            ),
            recipient=recipient,
            sender=self._sender(lead.exporter_id, asked.language),
            moment=moment,
            basis=person.basis,
            suppressions=_against(person, asked.recipient, self._refusals),
            last_letters=tuple(last_letters),
            claims=tuple(
                self._territories.claims(
                    exporter_id=lead.exporter_id,
                    product_line_id=asked.product_line_id,
                    country=recipient.company_country or recipient.country,
                    organisation_id=lead.organisation_id,
                    now=moment,
                )
            ),
            meeting=self._meeting(lead, asked.language),
            policy=Policy(self._settings.clearance.korean_sender_overlay, self._settings.clearance.contact_cap_days),
        )

    def hopeless(self, asked: Asked) -> str | None:
        """Return the code of what stands in a letter's way and no advisor can resolve, or None.

        No address, one that bounced, a refusal: the first such block among ``verdicts``, at a fraction of the cost.
        """
        person, mine = self._people[asked.lead_id], _mailbox(asked.recipient)
        if not self._written_to(asked, person, mine):
            return "NO_ADDRESS"
        if mine in self._bounced:
            return "PROTO_HARD_BOUNCED"
        against = _against(person, asked.recipient, self._refusals)
        refusal = standing_refusal(against, person.basis, person.lead.exporter_id) if against else None
        return refusal_code(refusal) if refusal else None

    def latest_consent(self, lead_id: int) -> datetime:
        """Return when the person last consented to something, else when the lead came."""
        person = self._people[lead_id]
        created: datetime = person.lead.created_at
        return max((row.given_at for row in person.consents), default=created)

    def _recipient(self, asked: Asked) -> Recipient:
        person = self._people[asked.lead_id]
        mine = _mailbox(asked.recipient)
        address = self._written_to(asked, person, mine)
        country = person.lead.country or person.lead.firm_country
        return Recipient(
            address=address,
            country=country,
            timezone=asked.timezone or person.lead.timezone or only_zone(country),
            hard_bounced=bool(address) and mine in self._bounced,
            company_country=person.lead.firm_country if person.lead.firm_country != country else None,
        )

    def _written_to(self, asked: Asked, person: _Person, mailbox: str) -> str:
        # An address may have been taken back, with the list it came from, after a letter to it was written.
        return asked.recipient if not asked.commercial or mailbox in person.addresses else ""

    def _sender(self, exporter_id: int, language: str) -> Sender:
        key = (exporter_id, language)
        if key not in self._senders:
            self._senders[key] = _sender(self._settings, self._exporters[exporter_id], language)
        return self._senders[key]

    def _meeting(self, lead: Any, language: str) -> Meeting:
        show = self._shows[lead.exhibition_id]
        met_on = lead.met_at.astimezone(KST).date() if lead.met_at else show.ends_on
        return Meeting(in_language(show.names, language), met_on, lead.booth)


def refused(session: Session, letters: Iterable[tuple[int, str]]) -> set[tuple[int, str]]:
    """Return those (lead, address) to which a refusal stands in the way; one that a later opt-in lifted does not."""
    letters = set(letters)
    people = _people(session, {lead_id for lead_id, _address in letters})
    known = {address for person in people.values() for address in person.addresses}
    refusals = _refusals(session, known | {_mailbox(address) for _lead_id, address in letters})
    return {
        (lead_id, address)
        for lead_id, address in letters
        for person in [people[lead_id]]
        for one in _against(person, address, refusals)
        if not lifted(one, person.basis, person.lead.exporter_id)
    }


def _against(person: _Person, recipient: str, refusals: dict[str, list[Any]]) -> tuple[Suppression, ...]:
    """Refusals of this mailbox, and what the person refused under another address of theirs."""
    mine = _mailbox(recipient)
    keys = (0, person.lead.exporter_id)
    return tuple(
        Suppression(row.at, row.reason, row.exporter_key or None)
        for address in sorted({mine, *person.addresses})
        for row in refusals.get(address, ())
        if row.exporter_key in keys and (row.address == mine or row.reason != "hard_bounce")
    )


def only_zone(country: str | None) -> str | None:
    """Return the IANA zone of a country that has a single one (CLDR), else None."""
    zones = get_global("territory_zones").get(country or "", [])
    return zones[0] if len(zones) == 1 else None


def _sender(settings: Settings, exporter: Exporter, language: str) -> Sender:
    korean, foreign = exporter.address_ko, exporter.address_en
    return Sender(
        exporter_id=exporter.id or 0,
        legal_name=in_language(exporter.names, language),
        country=exporter.country,
        postal_address=(korean or foreign) if language == "ko" else (foreign or korean),
        email=exporter.sender_email,
        phone=exporter.phone,
        operator_name=settings.mail.operator_name,
        unsubscribe_email=f"@{settings.mail.domain}",
        privacy_url=exporter.privacy_url,
    )


def _people(session: Session, lead_ids: Collection[int]) -> dict[int, _Person]:
    rows = _LEADS(session, sorted(lead_ids))
    if len(rows) < len(lead_ids):
        raise NotFound(_("There is no such contact at this exhibition."))
    contact_ids = sorted({row.contact_id for row in rows})

    @cache
    def consents() -> Mapping[int, Sequence[Any]]:
        found: dict[int, list[Any]] = {}
        for row in _CONSENTS(session, contact_ids):
            found.setdefault(row.contact_id, []).append(row)
        return found

    addresses: dict[int, dict[str, str]] = {}
    for row in _ADDRESSES(session, contact_ids):
        addresses.setdefault(row.contact_id, {})[row.address] = row.status
    return {row.id: _Person(row, consents, addresses.get(row.contact_id, {})) for row in rows}


def _refusals(session: Session, addresses: Collection[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in _REFUSALS(session, sorted(addresses)):
        found.setdefault(row.address, []).append(row)
    return found


def _bounced(session: Session, addresses: Collection[str]) -> set[str]:
    return {row.address for row in _STATES(session, sorted(addresses)) if row.status == "bounced"}


def _mailbox(address: str) -> str:
    return address.strip().casefold()


_LEADS = bulk.LookUp(
    sa.select(
        LEADS.c.id, LEADS.c.contact_id, LEADS.c.exporter_id, LEADS.c.exhibition_id, LEADS.c.met_at, LEADS.c.booth,
        LEADS.c.created_at, CONTACTS.c.country, CONTACTS.c.timezone, CONTACTS.c.organisation_id,
        FIRMS.c.country.label("firm_country"),
    )
    .join(CONTACTS, CONTACTS.c.id == LEADS.c.contact_id)
    .outerjoin(FIRMS, FIRMS.c.id == CONTACTS.c.organisation_id),
    LEADS.c.id,
    named=True,
)  # fmt: skip
_CONSENTS = bulk.LookUp(
    sa.select(
        CONSENTS.c.contact_id, CONSENTS.c.basis, CONSENTS.c.given_at, CONSENTS.c.source, CONSENTS.c.evidence,
        CONSENTS.c.exporter_id, CONSENTS.c.expires_at, CONSENTS.c.derived, CONSENTS.c.withdrawn_at,
    ).order_by(CONSENTS.c.id),
    CONSENTS.c.contact_id,
    named=True,
)  # fmt: skip
_ADDRESS = sa.select(ADDRESSES.c.contact_id, ADDRESSES.c.address, ADDRESSES.c.status).order_by(ADDRESSES.c.id)
_ADDRESSES = bulk.LookUp(_ADDRESS, ADDRESSES.c.contact_id, named=True)
_STATES = bulk.LookUp(_ADDRESS, ADDRESSES.c.address, named=True)
_REFUSALS = bulk.LookUp(
    sa.select(REFUSALS.c.address, REFUSALS.c.at, REFUSALS.c.reason, REFUSALS.c.exporter_key).order_by(REFUSALS.c.id),
    REFUSALS.c.address,
    named=True,
)
