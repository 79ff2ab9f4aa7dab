"""Gathers the facts for a clearance question, composes label and footer, and takes an opt-out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from crm.clearance.composition import Footer, footer, subject_label
from crm.clearance.gathering import Asked, Gathered, only_zone, refused
from crm.clearance.question import Verdict
from crm.clearance.rules import basis_of
from crm.contacts import service as contacts
from crm.core import events
from crm.core.config import Settings

__all__ = [
    "Asked",
    "Gathered",
    "Legal",
    "compose_legal",
    "is_refused",
    "only_zone",
    "opt_out",
    "refused",
    "verdicts",
]


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
    asked = Asked(lead_id, recipient, language, product_line_id, commercial, is_reply, timezone)
    known = Gathered(session, settings, [asked])
    return known.verdicts(asked, moment, last_letters=last_letters, subject=subject, text=text)


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
    letter = Asked(lead_id, "", language, product_line_id, commercial, is_reply)
    known = Gathered(session, settings, [letter])
    asked = known.question(letter, moment or known.latest_consent(lead_id), unsubscribe_url=unsubscribe_url)
    asked = replace(asked, sender=replace(asked.sender, unsubscribe_email=unsubscribe_email))
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
    return bool(refused(session, [(lead_id, recipient)]))
