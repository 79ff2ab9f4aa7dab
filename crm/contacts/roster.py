"""Reads people, or their talks, page by page as plain rows: what an export of 200,000 of them can afford."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from crm.accounts.rules import Action, Viewer, require
from crm.contacts.models import Contact, EmailAddress, Lead, Organisation, Suppression
from crm.contacts.queries import matches, sees_details
from crm.contacts.service import chunks
from crm.core.errors import BadInput
from crm.core.i18n import _
from crm.exporters.models import Exhibition, Exporter

PAGE = 500
CONTACTS = "contacts"
LEADS = "leads"
ACTIONS = {CONTACTS: Action.EXPORT_CONTACTS, LEADS: Action.EXPORT_LEADS}

_CONTACT: sa.Table = Contact.__table__  # type: ignore[attr-defined]
_FIRM: sa.Table = Organisation.__table__  # type: ignore[attr-defined]
_LEAD: sa.Table = Lead.__table__  # type: ignore[attr-defined]
_EMAIL: sa.Table = EmailAddress.__table__  # type: ignore[attr-defined]
_STOP: sa.Table = Suppression.__table__  # type: ignore[attr-defined]
_EXPORTER: sa.Table = Exporter.__table__  # type: ignore[attr-defined]
_SHOW: sa.Table = Exhibition.__table__  # type: ignore[attr-defined]

_PLAIN = (
    "id", "full_name", "family_name", "given_name", "name_alt", "name_reading", "gender", "department", "title",
    "country", "city", "language", "tags",
)  # fmt: skip
_DETAILS = ("mobile", "phone", "fax", "other_phones", "website", "address", "postal_code", "messengers", "extra")
_TALK = (
    "exporter_id", "met_at", "met_time_known", "rating", "interests", "requests", "notes", "captured_by",
)  # fmt: skip


@dataclass(frozen=True)
class Selection:
    """What to export: ``kind`` contacts (a row a person) or leads (a row a talk), narrowed as the list of buyers is."""

    kind: str = CONTACTS
    text: str = ""
    country: str | None = None
    exporter_id: int | None = None
    exhibition_id: int | None = None

    @property
    def filters(self) -> dict[str, Any]:
        """Return what narrows the selection, for the event log."""
        named = ("text", "country", "exporter_id", "exhibition_id")
        return {name: getattr(self, name) for name in named if getattr(self, name)}


@dataclass(slots=True)
class Person:
    """One row: the person's columns, the firm's names, addresses in order, where mail is stopped, and one talk.

    ``stops`` holds (address, exporter or 0 for all, reason). For an SME there are neither numbers nor addresses.
    """

    facts: Mapping[str, Any]
    company: str
    company_alt: str
    emails: list[str] = field(default_factory=list)
    addresses: int = 0
    """How many addresses there are, shown or not."""
    stops: list[tuple[str, int, str]] = field(default_factory=list)
    lead: Mapping[str, Any] | None = None


def check(viewer: Viewer, selection: Selection) -> None:
    """Raise BadInput for a kind there is not, NotAllowed for one that is not for the viewer's role."""
    action = ACTIONS.get(selection.kind)
    if action is None:
        raise BadInput(_("{what} cannot be exported. Known: {names}.", what=selection.kind, names=", ".join(ACTIONS)))
    require(viewer, action)


def count(session: Session, viewer: Viewer, selection: Selection, *, persons: bool = False) -> int:
    """Return how many rows an export has; ``persons`` counts people even when talks are selected (vCards)."""
    check(viewer, selection)
    by_lead = selection.kind == LEADS and not persons
    key = _LEAD.c.id if by_lead else _CONTACT.c.id
    statement = _narrowed(sa.select(sa.func.count(key)), viewer, selection, by_lead=by_lead)
    return int(session.execute(statement).scalar_one())


def pages(session: Session, viewer: Viewer, selection: Selection, *, persons: bool = False) -> Iterator[list[Person]]:
    """Yield the rows the viewer may export, in pages, oldest first; see ``check`` for what is refused."""
    by_lead = selection.kind == LEADS and not persons
    key = _LEAD.c.id if by_lead else _CONTACT.c.id
    statement = _narrowed(sa.select(*_columns(viewer, by_lead=by_lead)), viewer, selection, by_lead=by_lead)
    after = 0
    while True:
        found = session.execute(statement.where(key > after).order_by(key).limit(PAGE)).mappings().all()
        if found:
            yield _persons(session, viewer, found, by_lead=by_lead)
        if len(found) < PAGE:
            return
        after = found[-1]["key"]


def _columns(viewer: Viewer, *, by_lead: bool) -> list[Any]:
    names = (*_PLAIN, *_DETAILS) if sees_details(viewer) else _PLAIN
    columns: list[Any] = [_CONTACT.c[name] for name in names]
    columns += [
        _FIRM.c.name.label("company"),
        _FIRM.c.name_alt.label("company_alt"),
        _CONTACT.c.extra,
        _CONTACT.c.edited,
    ]
    if not by_lead:
        return [*columns, _CONTACT.c.id.label("key")]
    columns += [_LEAD.c[name].label(f"lead_{name}") for name in _TALK]
    columns += [_EXPORTER.c.code.label("lead_exporter"), _SHOW.c.code.label("lead_exhibition")]
    return [*columns, _LEAD.c.id.label("key")]


def _narrowed(statement: sa.Select[Any], viewer: Viewer, selection: Selection, *, by_lead: bool) -> sa.Select[Any]:
    source: Any = _CONTACT.outerjoin(_FIRM, _CONTACT.c.organisation_id == _FIRM.c.id)
    conditions = _talks_wanted(viewer, selection)
    statement = statement.where(_CONTACT.c.merged_into_id.is_(None))
    if by_lead:
        source = source.join(_LEAD, _LEAD.c.contact_id == _CONTACT.c.id)
        source = source.join(_EXPORTER, _LEAD.c.exporter_id == _EXPORTER.c.id)
        source = source.join(_SHOW, _LEAD.c.exhibition_id == _SHOW.c.id)
    elif conditions or selection.kind == LEADS:
        conditions = [_CONTACT.c.id.in_(sa.select(_LEAD.c.contact_id).where(*conditions))]
    if selection.text.strip():
        conditions.append(matches(selection.text.strip(), viewer))
    if selection.country:
        conditions.append(_CONTACT.c.country == selection.country)
    return statement.select_from(source).where(*conditions)


def _talks_wanted(viewer: Viewer, selection: Selection) -> list[Any]:
    conditions: list[Any] = []
    if viewer.exporter_ids is not None:
        conditions.append(_LEAD.c.exporter_id.in_(viewer.exporter_ids))
    if selection.exporter_id is not None:
        conditions.append(_LEAD.c.exporter_id == selection.exporter_id)
    if selection.exhibition_id is not None:
        conditions.append(_LEAD.c.exhibition_id == selection.exhibition_id)
    return conditions


def _persons(session: Session, viewer: Viewer, found: Sequence[Any], *, by_lead: bool) -> list[Person]:
    addresses = _addresses(session, {row["id"] for row in found})
    stops = _stops(session, viewer, [address for listed in addresses.values() for address in listed])
    persons = []
    for row in found:
        mine = addresses.get(row["id"], [])
        persons.append(
            Person(
                facts=row,
                company=_firm(row, "company"),
                company_alt=_firm(row, "company_alt"),
                emails=mine if sees_details(viewer) else [],
                addresses=len(mine),
                stops=[stop for address in mine for stop in stops.get(address, ())],
                lead=_talk(row) if by_lead else None,
            )
        )
    return persons


def _talk(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[f"lead_{name}"] for name in (*_TALK, "exporter", "exhibition")}


def _addresses(session: Session, ids: set[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    statement = sa.select(_EMAIL.c.contact_id, _EMAIL.c.address).where(_EMAIL.c.contact_id.in_(ids))
    for contact_id, address in session.execute(statement.order_by(_EMAIL.c.contact_id, _EMAIL.c.position, _EMAIL.c.id)):
        found[contact_id].append(address)
    return found


def _stops(session: Session, viewer: Viewer, addresses: Sequence[str]) -> dict[str, list[tuple[str, int, str]]]:
    """Return the stops the viewer may know of: those for everyone and those of the viewer's own companies."""
    found: dict[str, list[tuple[str, int, str]]] = defaultdict(list)
    for chunk in chunks(addresses):
        rows = sa.select(_STOP.c.address, _STOP.c.exporter_key, _STOP.c.reason).where(_STOP.c.address.in_(chunk))
        for address, exporter_key, reason in session.execute(rows.order_by(_STOP.c.id)):
            if exporter_key == 0 or viewer.sees(exporter_key):
                found[address].append((address, exporter_key, reason))
    return found


def _firm(row: Mapping[Any, Any], name: str) -> str:
    """Return the firm as the person's own lists spell it; a colleague's list may have named it first, and otherwise."""
    own = row["extra"] if "company" not in row["edited"] and "company" in row["extra"] else row
    return str(own.get(name) or "")
