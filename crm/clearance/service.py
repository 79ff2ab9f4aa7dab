"""Gathers the facts for a clearance question, composes label and footer, and takes an opt-out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from babel.core import get_global
from sqlmodel import Session, col, select

from crm.clearance import texts
from crm.clearance.composition import Footer, footer, subject_label
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
from crm.clearance.rules import basis_of, evaluate, lifted
from crm.contacts import models as contact_tables
from crm.contacts import service as contacts
from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Organisation
from crm.core import events
from crm.core.clock import KST
from crm.core.config import Settings
from crm.exporters.models import Exhibition, Exporter
from crm.exporters.rules import in_language
from crm.pipeline import service as pipeline


@dataclass(frozen=True)
class Legal:
    """What the law adds to a letter. ``label`` stands before the subject and brings its space along."""

    label: str | None
    footer: Footer
    basis: str | None


def verdicts(
    session: Session,
    settings: Settings,
    *,
    lead_id: int,
    recipient: str,
    language: str,
    product_line_id: int | None,
    moment: datetime,
    commercial: bool = True,
    is_reply: bool = False,
    subject: str | None = None,
    text: str | None = None,
    last_letters: Sequence[datetime] = (),
    timezone: str | None = None,
) -> list[Verdict]:
    """Answer whether a letter to a lead may go at ``moment``; ``subject`` and ``text`` None while it is only planned.

    ``last_letters``: when commercial letters left for this person before. ``commercial`` False: only what the person
    asked for, resting on the request (or, with ``is_reply``, on their own mail). ``timezone`` (IANA) when the caller
    knows the recipient's better than the contact's record.
    """
    lead = session.get_one(Lead, lead_id)
    asked = _question(session, settings, lead, language, commercial, is_reply, moment)
    letter = replace(asked.letter, subject=subject, text=text)
    known = not commercial or _belongs(session, lead, recipient)
    written_to = _recipient(session, lead, recipient if known else "", timezone)
    return evaluate(
        replace(
            asked,
            letter=letter,
            recipient=written_to,
            last_letters=tuple(last_letters),
            suppressions=_suppressions(session, lead, recipient),
            claims=tuple(
                pipeline.exclusive_claims(
                    session,
                    exporter_id=lead.exporter_id,
                    product_line_id=product_line_id,
                    country=written_to.company_country or written_to.country,
                    organisation_id=session.get_one(Contact, lead.contact_id).organisation_id,
                    now=moment,
                )
            ),
        )
    )


def compose_legal(
    session: Session,
    settings: Settings,
    *,
    lead_id: int,
    language: str,
    product_line_id: int | None,
    unsubscribe_url: str,
    unsubscribe_email: str,
    moment: datetime | None = None,
    commercial: bool = True,
    is_reply: bool = False,
) -> Legal:
    """Compose what the law of the recipient's country adds to a letter that leaves at ``moment``.

    Without ``moment`` the basis is chosen as of the last consent. A lead without a country gets what every letter
    carries; ``verdicts`` blocks it anyway.
    """
    lead = session.get_one(Lead, lead_id)
    asked = _question(session, settings, lead, language, commercial, is_reply, moment or _latest_consent(session, lead))
    asked = replace(
        asked,
        letter=replace(asked.letter, unsubscribe_url=unsubscribe_url),
        sender=replace(asked.sender, unsubscribe_email=unsubscribe_email),
        recipient=_recipient(session, lead, "", None),
    )
    basis = basis_of(asked)
    country = asked.recipient.country or ""
    overlay = asked.sender.country == "KR" and commercial and settings.clearance.korean_sender_overlay == "on"
    label = subject_label(country, basis, kind=asked.letter.kind, korean_overlay=overlay) if country else None
    return Legal(f"{label} " if label else None, footer(asked, basis), basis)


def opt_out(
    session: Session,
    address: str,
    *,
    exporter_id: int | None,
    source: str,
    evidence: Mapping[str, Any],
    now: datetime,
    by: str,
) -> None:
    """Take a refusal, for one exporter or (None) for all. A repeated one counts from now, whatever lay between."""
    contacts.suppress(
        session,
        address,
        exporter_id=exporter_id,
        reason="opt_out",
        source=source,
        evidence=evidence,
        now=now,
        by=by,
    )
    contact = contacts.contact_by_address(session, address)
    if contact:
        events.record(
            session,
            "contact_opted_out",
            "contact",
            contact.id,
            at=now,
            actor=by,
            exporter_id=exporter_id,
            reason=source,
        )


def is_refused(session: Session, lead_id: int, recipient: str) -> bool:
    """Tell whether a refusal stands in the way of a letter to this lead; one that a later opt-in lifted does not."""
    lead = session.get_one(Lead, lead_id)
    basis = _basis(session, lead)
    return any(not lifted(one, basis, lead.exporter_id) for one in _suppressions(session, lead, recipient))


def _question(
    session: Session,
    settings: Settings,
    lead: Lead,
    language: str,
    commercial: bool,
    is_reply: bool,
    moment: datetime,
) -> Question:
    return Question(
        letter=Letter(
            kind=LetterKind.COMMERCIAL if commercial else LetterKind.REQUESTED,
            language=language,
            unsubscribe_url=f"{settings.web.public_url.rstrip('/')}/u/",
            is_reply=is_reply,
        ),
        recipient=Recipient("", None),
        sender=_sender(session, settings, lead.exporter_id, language),
        moment=moment,
        basis=_basis(session, lead),
        meeting=_meeting(session, lead, language),
        policy=Policy(settings.clearance.korean_sender_overlay, settings.clearance.contact_cap_days),
    )


def _sender(session: Session, settings: Settings, exporter_id: int, language: str) -> Sender:
    exporter = session.get_one(Exporter, exporter_id)
    korean, foreign = exporter.address_ko, exporter.address_en
    return Sender(
        exporter_id=exporter_id,
        legal_name=in_language(exporter.names, language),
        country=exporter.country,
        postal_address=(korean or foreign) if language == "ko" else (foreign or korean),
        email=exporter.sender_email,
        phone=exporter.phone,
        operator_name=settings.mail.operator_name,
        unsubscribe_email=f"@{settings.mail.domain}",
        privacy_url=exporter.privacy_url,
    )


def _recipient(session: Session, lead: Lead, address: str, timezone: str | None) -> Recipient:
    contact = session.get_one(Contact, lead.contact_id)
    company = session.get(Organisation, contact.organisation_id) if contact.organisation_id else None
    company_country = company.country if company else None
    country = contact.country or company_country
    bounced = select(EmailAddress.status).where(EmailAddress.address == address.strip().casefold())
    return Recipient(
        address=address,
        country=country,
        timezone=timezone or contact.timezone or only_zone(country),
        hard_bounced=session.exec(bounced).first() == "bounced",
        company_country=company_country if company_country != country else None,
    )


def _belongs(session: Session, lead: Lead, recipient: str) -> bool:
    """An address may have been taken back, with the list it came from, after a letter to it was written."""
    rows = select(EmailAddress.id).where(
        EmailAddress.contact_id == lead.contact_id, EmailAddress.address == recipient.strip().casefold()
    )
    return session.exec(rows).first() is not None


def only_zone(country: str | None) -> str | None:
    """Return the IANA zone of a country that has a single one (CLDR), else None."""
    zones = get_global("territory_zones").get(country or "", [])
    return zones[0] if len(zones) == 1 else None


def _basis(session: Session, lead: Lead) -> tuple[BasisRecord, ...]:
    rows = select(Consent).where(Consent.contact_id == lead.contact_id, col(Consent.withdrawn_at).is_(None))
    return tuple(
        BasisRecord(
            row.basis,
            row.given_at,
            texts.evidence(row.source, row.evidence),
            row.exporter_id,
            row.expires_at,
            from_list=row.derived,
        )
        for row in session.exec(rows.order_by(col(Consent.id)))
    )


def _latest_consent(session: Session, lead: Lead) -> datetime:
    rows = select(Consent.given_at).where(Consent.contact_id == lead.contact_id).order_by(col(Consent.given_at).desc())
    return session.exec(rows).first() or lead.created_at


def _suppressions(session: Session, lead: Lead, recipient: str) -> tuple[Suppression, ...]:
    """Refusals of this mailbox, and what the person refused under another address of theirs."""
    mine = recipient.strip().casefold()
    others = set(session.exec(select(EmailAddress.address).where(EmailAddress.contact_id == lead.contact_id)))
    table = contact_tables.Suppression
    rows = select(table).where(
        col(table.address).in_({mine, *others}), col(table.exporter_key).in_((0, lead.exporter_id))
    )
    return tuple(
        Suppression(row.at, row.reason, row.exporter_key or None)
        for row in session.exec(rows)
        if row.address == mine or row.reason != "hard_bounce"
    )


def _meeting(session: Session, lead: Lead, language: str) -> Meeting:
    show = session.get_one(Exhibition, lead.exhibition_id)
    met_on = lead.met_at.astimezone(KST).date() if lead.met_at else show.ends_on
    return Meeting(in_language(show.names, language), met_on, lead.booth)
