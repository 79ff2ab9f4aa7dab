"""Reading contacts. What a viewer may not know of does not exist: rows are narrowed by the viewer's companies.

Addresses and telephone numbers are for staff and advisors; an SME sees name, firm and country.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, func, or_, select

from crm.accounts.models import Role
from crm.accounts.rules import Viewer
from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Organisation, Suppression
from crm.contacts.service import chunks, suppressions_for
from crm.core.errors import NotFound
from crm.core.i18n import _
from crm.exporters.models import Exporter

BATCH = 500
RATINGS = {5: "hot", 3: "warm", 1: "cold"}


@dataclass(frozen=True)
class ContactRow:
    """One line of the list of contacts. ``emails`` and numbers are empty for SMEs."""

    id: int
    full_name: str
    company: str
    country: str
    title: str
    language: str
    emails: tuple[str, ...] = ()
    exporters: tuple[str, ...] = ()
    """Codes of the exporters whose leads the viewer may see."""
    suppressed: bool = False


@dataclass(frozen=True)
class ContactCard:
    """All a viewer may know of one contact."""

    contact: Contact
    organisation: Organisation | None
    addresses: list[EmailAddress] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)


def sees_details(viewer: Viewer) -> bool:
    """Tell whether the viewer is shown addresses and telephone numbers."""
    return viewer.role != Role.SME


def list_contacts(
    session: Session,
    viewer: Viewer,
    *,
    text: str = "",
    country: str | None = None,
    exporter_id: int | None = None,
    exhibition_id: int | None = None,
    limit: int = 100,
    after_id: int = 0,
) -> list[ContactRow]:
    """Return contacts by id, after ``after_id``; ``text`` is part of a name, a firm or (not for SMEs) an address."""
    statement = _visible(viewer, exporter_id, exhibition_id).where(col(Contact.id) > after_id)
    if text:
        statement = statement.where(matches(text, viewer))
    if country:
        statement = statement.where(Contact.country == country)
    found = session.exec(statement.order_by(col(Contact.id)).limit(limit)).all()
    return _rows(session, viewer, found)


def _visible(viewer: Viewer, exporter_id: int | None = None, exhibition_id: int | None = None) -> Any:
    statement = select(Contact, Organisation).join(Organisation, isouter=True)
    statement = statement.where(col(Contact.merged_into_id).is_(None))  # they live on in another contact
    leads = select(Lead.contact_id)
    narrowed = False
    if viewer.exporter_ids is not None:
        leads, narrowed = leads.where(col(Lead.exporter_id).in_(viewer.exporter_ids)), True
    if exporter_id is not None:
        leads, narrowed = leads.where(Lead.exporter_id == exporter_id), True
    if exhibition_id is not None:
        leads, narrowed = leads.where(Lead.exhibition_id == exhibition_id), True
    return statement.where(col(Contact.id).in_(leads)) if narrowed else statement


def matches(text: str, viewer: Viewer) -> Any:
    """Return the condition that ``text`` is part of a name, a firm or (not for SMEs) an address.

    Compared without case; the wildcards of LIKE are letters like any other.
    """
    escaped = text.casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = f"%{escaped}%"
    named: list[Any] = [
        func.lower(column).like(pattern, escape="\\")
        for column in (Contact.full_name, Contact.name_alt, Organisation.name, Organisation.name_alt)
    ]
    if sees_details(viewer):
        owners = select(EmailAddress.contact_id).where(col(EmailAddress.address).like(pattern, escape="\\"))
        named.append(col(Contact.id).in_(owners))
    return or_(*named)


def _rows(session: Session, viewer: Viewer, found: Sequence[tuple[Contact, Organisation | None]]) -> list[ContactRow]:
    ids = [contact.id for contact, _firm in found if contact.id is not None]
    addresses = _addresses(session, ids)
    stopped = suppressions_for(session, [a for listed in addresses.values() for a in listed], None)
    exporters = _exporter_codes(session, viewer, ids)
    return [
        ContactRow(
            id=contact.id or 0,
            full_name=contact.full_name,
            company=firm.name if firm else "",
            country=contact.country or "",
            title=contact.title,
            language=contact.language,
            emails=tuple(addresses[contact.id or 0]) if sees_details(viewer) else (),
            exporters=tuple(exporters[contact.id or 0]),
            suppressed=any(address in stopped for address in addresses[contact.id or 0]),
        )
        for contact, firm in found
    ]


def _addresses(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for chunk in chunks(ids):
        rows = select(EmailAddress).where(col(EmailAddress.contact_id).in_(chunk))
        for row in session.exec(rows.order_by(col(EmailAddress.contact_id), col(EmailAddress.position))):
            found[row.contact_id].append(row.address)
    return found


def _exporter_codes(session: Session, viewer: Viewer, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for chunk in chunks(ids):
        rows = select(Lead.contact_id, Exporter.id, Exporter.code).join(Exporter).where(col(Lead.contact_id).in_(chunk))
        for contact_id, exporter_id, code in session.exec(rows.distinct().order_by(Exporter.code)):
            if viewer.sees(exporter_id):
                found[contact_id].append(code)
    return found


def get_contact(session: Session, viewer: Viewer, contact_id: int) -> ContactCard:
    """Return one contact with the leads, consents and suppressions the viewer may see.

    Raises NotFound also when the contact only ever met companies the viewer has nothing to do with.
    """
    found = session.exec(_visible(viewer).where(col(Contact.id) == contact_id)).first()
    if found is None:
        raise NotFound(_("There is no such contact."))
    contact, organisation = found
    leads = session.exec(select(Lead).where(Lead.contact_id == contact_id).order_by(col(Lead.id))).all()
    mine = [lead for lead in leads if viewer.sees(lead.exporter_id)]
    if not sees_details(viewer):
        return ContactCard(contact, organisation, leads=mine)
    rows = select(EmailAddress).where(EmailAddress.contact_id == contact_id).order_by(col(EmailAddress.position))
    addresses = list(session.exec(rows))
    consents = session.exec(select(Consent).where(Consent.contact_id == contact_id).order_by(col(Consent.id))).all()
    return ContactCard(
        contact,
        organisation,
        addresses,
        mine,
        [one for one in consents if one.exporter_id is None or viewer.sees(one.exporter_id)],
        _suppressions(session, viewer, [row.address for row in addresses]),
    )


def _suppressions(session: Session, viewer: Viewer, addresses: Sequence[str]) -> list[Suppression]:
    rows = session.exec(select(Suppression).where(col(Suppression.address).in_(addresses))).all()
    return [row for row in rows if row.exporter_key == 0 or viewer.sees(row.exporter_key)]


def as_json(
    session: Session,
    viewer: Viewer,
    *,
    text: str = "",
    country: str | None = None,
    exporter_id: int | None = None,
    exhibition_id: int | None = None,
    contact_id: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield contacts as canonical records (the field names of an import); what is not known is left out."""
    if contact_id is not None:
        yield from _records(session, viewer, [contact_id])
        return
    after = 0
    while True:
        rows = list_contacts(
            session,
            viewer,
            text=text,
            country=country,
            exporter_id=exporter_id,
            exhibition_id=exhibition_id,
            limit=BATCH,
            after_id=after,
        )
        yield from _records(session, viewer, [row.id for row in rows])
        if len(rows) < BATCH:
            return
        after = rows[-1].id


def _records(session: Session, viewer: Viewer, ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    addresses = _addresses(session, ids)
    leads: dict[int, list[tuple[Lead, str]]] = defaultdict(list)
    statement = select(Lead, Exporter.code).join(Exporter).where(col(Lead.contact_id).in_(ids)).order_by(col(Lead.id))
    for lead, code in session.exec(statement):
        if viewer.sees(lead.exporter_id):
            leads[lead.contact_id].append((lead, code))
    found = session.exec(_visible(viewer).where(col(Contact.id).in_(ids)).order_by(col(Contact.id)))
    for contact, organisation in found:
        yield _record(viewer, contact, organisation, addresses[contact.id], leads[contact.id])


PLAIN = (
    "full_name",
    "family_name",
    "given_name",
    "name_alt",
    "name_reading",
    "gender",
    "department",
    "title",
    "country",
    "city",
    "language",
    "tags",
)
DETAILS = ("mobile", "phone", "fax", "other_phones", "website", "address", "postal_code", "messengers")


def _record(
    viewer: Viewer,
    contact: Contact,
    organisation: Organisation | None,
    addresses: list[str],
    leads: list[tuple[Lead, str]],
) -> dict[str, Any]:
    record: dict[str, Any] = {"id": contact.id}
    record |= {name: getattr(contact, name) for name in PLAIN}
    if sees_details(viewer):
        record |= {"emails": addresses} | {name: getattr(contact, name) for name in DETAILS}
        record |= contact.extra
    if organisation and "company" not in record:
        record |= {"company": organisation.name, "company_alt": organisation.name_alt}
    record["leads"] = [_lead_record(lead, code) for lead, code in leads]
    return {name: value for name, value in record.items() if value not in (None, "", [], {})}


def _lead_record(lead: Lead, code: str) -> dict[str, Any]:
    record = {
        "id": lead.id,
        "exporter": code,
        "booth": lead.booth,
        "met_at": lead.met_at.isoformat() if lead.met_at else None,
        "rating": RATINGS.get(lead.rating or 0),
        "interests": lead.interests,
        "requests": lead.requests,
        "notes": lead.notes,
        "captured_by": lead.captured_by,
        "external_id": lead.external_id,
        "source": lead.source,
    }
    return {name: value for name, value in record.items() if value not in (None, "", [], {})}
