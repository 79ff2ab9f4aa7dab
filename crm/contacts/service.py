"""The verbs about people: suppress an address, record a consent, edit a contact, note a bounce, make a lead."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from sqlmodel import Session, col, or_, select

from crm.contacts import rules
from crm.contacts.models import CONTACT_FIELDS, MANY, Consent, Contact, EmailAddress, Organisation, Suppression
from crm.core import events
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _

CHUNK = 500
EDITABLE = frozenset(CONTACT_FIELDS) - MANY.keys() | {"timezone"}


def suppress(
    session: Session,
    address: str,
    *,
    exporter_id: int | None,
    reason: str,
    source: str,
    evidence: Mapping[str, Any],
    now: datetime,
    by: str,
) -> Suppression:
    """Stop all mail to an address, for one exporter or (None) for everyone; doing it twice changes nothing.

    A refusal that is repeated later counts from then: an opt-in given in between does not outlive it.
    """
    address = address.strip().casefold()
    known = _stop_of(session, address, exporter_id or 0)
    if known:
        return _repeated(session, known, reason, source, evidence, now, by)
    widest = is_suppressed(session, address, None)
    if widest and widest.at >= now:
        return widest
    found = Suppression(
        address=address,
        exporter_key=exporter_id or 0,
        reason=reason,
        source=source,
        evidence=dict(evidence),
        at=now,
        by=by,
    )
    session.add(found)
    session.flush()
    events.record(
        session, "address_suppressed", "suppression", found.id, at=now, actor=by, exporter_id=exporter_id, reason=reason
    )
    return found


def _stop_of(session: Session, address: str, exporter_key: int) -> Suppression | None:
    rows = select(Suppression).where(Suppression.address == address, Suppression.exporter_key == exporter_key)
    return session.exec(rows).first()


def _repeated(
    session: Session, known: Suppression, reason: str, source: str, evidence: Mapping[str, Any], now: datetime, by: str
) -> Suppression:
    """Let a person's refusal count from its latest time. A bounce refuses nothing and takes no refusal's place."""
    if reason == "hard_bounce" or (known.reason != "hard_bounce" and known.at >= now):
        return known
    known.reason, known.source, known.evidence, known.by = reason, source, dict(evidence), by
    known.at = max(known.at, now)
    session.flush()
    exporter_id = known.exporter_key or None
    events.record(
        session, "address_suppressed", "suppression", known.id, at=now, actor=by, exporter_id=exporter_id, reason=reason
    )
    return known


def is_suppressed(session: Session, address: str, exporter_id: int | None) -> Suppression | None:
    """Return the widest suppression that stops mail of this exporter to the address; None when there is none."""
    return suppressions_for(session, [address], exporter_id).get(address.strip().casefold())


def suppressions_for(session: Session, addresses: Iterable[str], exporter_id: int | None) -> dict[str, Suppression]:
    """Return address → its widest suppression for the exporter; ``exporter_id`` None asks for those for everyone."""
    wanted = sorted({address.strip().casefold() for address in addresses})
    keys = [0] if exporter_id is None else [0, exporter_id]
    found: dict[str, Suppression] = {}
    for chunk in chunks(wanted):
        rows = select(Suppression).where(col(Suppression.address).in_(chunk), col(Suppression.exporter_key).in_(keys))
        for row in session.exec(rows.order_by(col(Suppression.exporter_key))):
            found.setdefault(row.address, row)
    return found


def record_consent(
    session: Session,
    contact_id: int,
    *,
    exporter_id: int | None,
    basis: str,
    given_at: datetime,
    expires_at: datetime | None = None,
    source: str,
    evidence: Mapping[str, Any],
    now: datetime,
    by: str,
) -> Consent:
    """Record a basis for writing to a person, with what proves it. The same basis of the same moment is kept once."""
    same = select(Consent).where(
        Consent.contact_id == contact_id,
        Consent.basis == basis,
        Consent.exporter_id == exporter_id,
        Consent.given_at == given_at,
        col(Consent.withdrawn_at).is_(None),
    )
    known = session.exec(same).first()
    if known:
        return known
    consent = Consent(
        contact_id=contact_id,
        exporter_id=exporter_id,
        basis=basis,
        given_at=given_at,
        expires_at=expires_at,
        source=source,
        evidence=dict(evidence),
        recorded_at=now,
        recorded_by=by,
    )
    session.add(consent)
    session.flush()
    events.record(
        session, "consent_recorded", "contact", contact_id, at=now, actor=by, exporter_id=exporter_id, reason=basis
    )
    return consent


def consents_of(session: Session, contact_id: int, exporter_id: int | None) -> list[Consent]:
    """Return the bases that stand for this exporter, those for all exporters among them, oldest first."""
    rows = select(Consent).where(
        Consent.contact_id == contact_id,
        or_(col(Consent.exporter_id).is_(None), col(Consent.exporter_id) == exporter_id),
        col(Consent.withdrawn_at).is_(None),
    )
    return list(session.exec(rows.order_by(col(Consent.given_at), col(Consent.id))))


def primary_email(session: Session, contact_id: int) -> EmailAddress | None:
    """Return the first address that has not bounced, else the first one, else None."""
    rows = select(EmailAddress).where(EmailAddress.contact_id == contact_id).order_by(col(EmailAddress.position))
    found = list(session.exec(rows))
    return next((row for row in found if row.status == "ok"), found[0] if found else None)


def contact_by_address(session: Session, address: str) -> Contact | None:
    """Return whose address it is; the plus tag is ignored when the address itself is not known."""
    exact = address.strip().casefold()
    for wanted in dict.fromkeys((exact, rules.mailbox(exact))):
        rows = select(Contact).join(EmailAddress).where(EmailAddress.address == wanted)
        found = session.exec(rows).first()
        if found:
            return found
    return None


def mark_bounced(session: Session, address: str, reason: str, *, now: datetime) -> None:
    """Note that an address does not exist; it is not written to again until a person corrects it."""
    row = session.exec(select(EmailAddress).where(EmailAddress.address == address.strip().casefold())).first()
    if row is None or row.status == "bounced":
        return
    row.status, row.status_reason = "bounced", reason
    session.add(row)
    events.record(session, "address_bounced", "contact", row.contact_id, at=now, reason=reason)


def edit_contact(session: Session, contact: Contact, changes: Mapping[str, str], *, now: datetime, by: str) -> None:
    """Change fields by hand. What a person wrote is never overwritten by a file.

    Raises BadInput for unknown fields and for a time zone that does not exist.
    """
    unknown = sorted(set(changes) - EDITABLE)
    if unknown:
        raise BadInput(_("These fields of a contact cannot be edited: {fields}.", fields=", ".join(unknown)))
    if changes.get("timezone") and changes["timezone"] not in available_timezones():
        problem = _("There is no time zone {name}.", name=changes["timezone"])
        hint = _("Write for example Asia/Tokyo or America/Mexico_City, or leave it empty.")
        raise BadInput([Problem(problem, Place(field="timezone"), hint)])
    before = {field: getattr(contact, field) for field in changes}
    changed = {field: value for field, value in changes.items() if (before[field] or "") != value}
    for field, value in changed.items():
        setattr(contact, field, value or (None if field == "country" else ""))
    contact.edited = {**contact.edited, **dict.fromkeys(changed, now.isoformat())}
    session.add(contact)
    session.flush()
    if changed:
        data = {field: [before[field], value] for field, value in changed.items()}
        events.record(session, "contact_edited", "contact", contact.id, at=now, actor=by, data=data)


def new_contact(*, now: datetime) -> Contact:
    """Return a contact that is not stored yet. Its maps are given outright: the mapper takes long to make them."""
    return Contact(other_phones=[], messengers={}, tags=[], extra={}, edited={}, created_at=now)


def new_organisation(name: str, country: str | None, *, now: datetime) -> Organisation:
    """Return a firm that is not stored yet."""
    return Organisation(name=name, match_key=rules.match_key(name, country or ""), country=country, created_at=now)


def chunks(values: Collection[Any]) -> Iterable[list[Any]]:
    """Cut a list of values into pieces that every database takes as parameters of one query."""
    listed = list(values)
    return (listed[start : start + CHUNK] for start in range(0, len(listed), CHUNK))
