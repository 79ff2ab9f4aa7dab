"""Writes what people's records add up to: reads the rows as they stand, compares, and writes only the differences.

Everything is done for many people at once, in plain rows. Import, undo and merge all end here, so a person always
stands in the database as their records and edits say.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from crm.contacts import rules
from crm.contacts.models import CONTACT_FIELDS, Consent, Lead
from crm.contacts.rules import fold
from crm.core import bulk
from crm.exporters.models import ProductLine
from crm.exporters.service import booth_number, lines_of, match_line
from crm.imports.matching import CONTACTS, EMAILS, FIRMS, KEY_COLUMNS, KEYS, Person
from crm.imports.projection import BLANKS, Projection, project

LEADS: sa.Table = Lead.__table__  # type: ignore[attr-defined]
CONSENTS: sa.Table = Consent.__table__  # type: ignore[attr-defined]

LEAD_FIELDS = (
    "product_line_id",
    "met_at",
    "met_time_known",
    "booth",
    "rating",
    "interests",
    "requests",
    "notes",
    "captured_by",
    "external_id",
    "source",
    "created_at",
)
CONSENT_FIELDS = ("source", "evidence", "recorded_at", "recorded_by", "withdrawn_at")
_CONTACT_JSON = ("other_phones", "messengers", "tags")
_CONTACT_COLUMNS = (*CONTACT_FIELDS, "organisation_id", "extra", "created_at", "version")
_INDEXED = ("country",)
_UNINDEXED = tuple(name for name in _CONTACT_COLUMNS if name not in (*_INDEXED, "organisation_id"))
"""Indexed columns that stay as they are are left out of an update: writing them again costs more than all the rest."""
_UNINDEXED_PLACES = [*map(_CONTACT_COLUMNS.index, _UNINDEXED), len(_CONTACT_COLUMNS)]
CHOSEN = frozenset({"company", "company_alt", "rating", "timeframe", "visit_purpose"})
"""Values without a column of their own that a person may choose where two contacts are compared."""
_FIRMS_REMEMBERED = 5_000
KeyRow = tuple[int, int, str]

_CONTACTS = bulk.LookUp(
    sa.select(
        *(CONTACTS.c[name] for name in CONTACT_FIELDS),
        *(CONTACTS.c.id, CONTACTS.c.extra, CONTACTS.c.edited, CONTACTS.c.organisation_id, FIRMS.c.match_key),
        *(CONTACTS.c.version, CONTACTS.c.created_at),
    ).outerjoin(FIRMS, FIRMS.c.id == CONTACTS.c.organisation_id),
    CONTACTS.c.id,
)
_ADDRESSES = bulk.LookUp(
    sa.select(EMAILS.c.contact_id, EMAILS.c.address, EMAILS.c.id, EMAILS.c.position), EMAILS.c.contact_id
)
_OWNERS = bulk.LookUp(sa.select(EMAILS.c.address, EMAILS.c.contact_id), EMAILS.c.address)
_FIRMS = bulk.LookUp(sa.select(FIRMS.c.match_key, FIRMS.c.id).order_by(FIRMS.c.id.desc()), FIRMS.c.match_key)
_LEADS = bulk.LookUp(
    sa.select(
        *(LEADS.c[name] for name in ("contact_id", "exporter_id", "exhibition_id", "id")),
        *(LEADS.c[name] for name in LEAD_FIELDS),
    ),
    LEADS.c.contact_id,
)
_CONSENTS = bulk.LookUp(
    sa.select(
        *(CONSENTS.c[name] for name in ("contact_id", "exporter_id", "basis", "given_at", "id")),
        *(CONSENTS.c[name] for name in CONSENT_FIELDS),
    ).where(CONSENTS.c.derived),
    CONSENTS.c.contact_id,
)


@dataclass(slots=True)
class State:
    """A contact as it stands in the database, with what of its is computed from records."""

    columns: dict[str, Any]
    extra: dict[str, Any]
    edited: dict[str, str]
    firm: tuple[int | None, str]
    """The organisation's id and match key."""
    version: int
    created_at: datetime
    emails: dict[str, tuple[int, int]] = field(default_factory=dict)
    """address → (id, position)"""
    leads: dict[tuple[int, int], tuple[int, dict[str, Any]]] = field(default_factory=dict)
    consents: dict[tuple[int | None, str, datetime], tuple[int, dict[str, Any]]] = field(default_factory=dict)


@dataclass(slots=True)
class Wanted:
    """A person as their records and edits say they should stand."""

    person: Person
    state: State | None
    """None: a new contact."""
    projection: Projection
    columns: dict[str, Any]
    extra: dict[str, Any]


class Store:
    """Writes people of one transaction. Keeps small look-ups (firms, booths, product lines) between calls."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.counts: dict[str, int] = defaultdict(int)
        self.next_contact = bulk.ids_for(session, CONTACTS)
        self._next_firm = bulk.ids_for(session, FIRMS)
        self._firms: dict[str, int] = {}
        self._booths: dict[tuple[int, int], str] = {}
        self._lines: dict[int, list[ProductLine]] = {}
        self._stamp = lru_cache(4096)(bulk.moment_of(session, CONTACTS.c.created_at))

    # What records add up to

    def project(self, person: Person) -> Projection:
        """Return what the person's records add up to."""
        return project(person.records, self._booth, self._line)

    def _booth(self, exporter_id: int, exhibition_id: int) -> str:
        key = exporter_id, exhibition_id
        if key not in self._booths:
            self._booths[key] = booth_number(self.session, exhibition_id, exporter_id)
        return self._booths[key]

    def _line(self, exporter_id: int, texts: Iterable[str]) -> int | None:
        if exporter_id not in self._lines:
            self._lines[exporter_id] = list(lines_of(self.session, exporter_id))
        line = match_line(self._lines[exporter_id], texts)
        return line.id if line else None

    def wanted(self, person: Person, state: State | None) -> Wanted:
        """Return how the person should stand: as computed, except for what a human edited."""
        projection = self.project(person)
        columns, extra = projection.columns(), projection.extra()
        if state is not None and state.edited:
            edits = {name: state.columns[name] for name in state.edited if name in columns}
            columns |= edits
            extra = _without_edits(extra, edits)
            _keep_choices(state, projection, extra)
        return Wanted(person, state, projection, columns, extra)

    # As it stands

    def states(self, ids: Collection[int]) -> dict[int, State]:
        """Return contacts as they stand in the database, by id."""
        found = self._contacts(ids)
        self._add_emails(found, ids)
        self._add_leads(found, ids)
        self._add_consents(found, ids)
        return found

    def _contacts(self, ids: Collection[int]) -> dict[int, State]:
        width = len(CONTACT_FIELDS)
        found = {}
        for row in _CONTACTS(self.session, ids):
            one, extra, edited, firm_id, firm_key, version, created_at = row[width:]
            columns = dict(zip(CONTACT_FIELDS, row[:width], strict=True))
            found[one] = State(columns, extra or {}, edited or {}, (firm_id, firm_key or ""), version, created_at)
        return found

    def _add_emails(self, found: dict[int, State], ids: Collection[int]) -> None:
        for contact_id, address, row_id, position in _ADDRESSES(self.session, ids):
            found[contact_id].emails[address] = row_id, position

    def _add_leads(self, found: dict[int, State], ids: Collection[int]) -> None:
        for contact_id, exporter_id, exhibition_id, row_id, *values in _LEADS(self.session, ids):
            found[contact_id].leads[exporter_id, exhibition_id] = row_id, dict(zip(LEAD_FIELDS, values, strict=True))

    def _add_consents(self, found: dict[int, State], ids: Collection[int]) -> None:
        for contact_id, exporter_id, basis, given_at, row_id, *values in _CONSENTS(self.session, ids):
            key = exporter_id, basis, given_at
            found[contact_id].consents[key] = row_id, dict(zip(CONSENT_FIELDS, values, strict=True))

    def owners(self, addresses: Collection[str]) -> dict[str, int]:
        """Return whose the addresses are."""
        return {row[0]: row[1] for row in _OWNERS(self.session, addresses)}

    # Writing

    def write(self, people: Sequence[Wanted], owners: Mapping[str, int | None] | None = None) -> list[tuple[int, str]]:
        """Make the database stand as ``people`` say. Leads that nobody names any more are the caller's to remove.

        ``owners``: whose addresses are as far as the caller knows, None for nobody's. Returns (contact, address) of
        what stayed with another contact, because an address has one owner.
        """
        self._write_contacts(people, self._firm_ids(people))
        conflicts = self._write_emails(people, owners or {})
        self._write_leads(people)
        self._write_consents(people)
        return conflicts

    def _firm_ids(self, people: Sequence[Wanted]) -> list[int | None]:
        keys = [self._firm_key(one) for one in people]
        self._learn_firms({key for key in keys if key and key not in self._firms})
        made = []
        for one, key in zip(people, keys, strict=True):
            if key and key not in self._firms:
                self._firms[key] = self._next_firm()
                made.append(self._new_firm(self._firms[key], key, one))
        names = (
            "id",
            "version",
            "name",
            "name_alt",
            "match_key",
            "country",
            "city",
            "website",
            "business",
            "imported",
            "created_at",
        )
        bulk.insert(self.session, FIRMS, names, made)
        return [self._firms[key] if key else None for key in keys]

    def _firm_key(self, one: Wanted) -> str:
        person, state = one.projection.person, one.state
        if "company" not in person or (state is not None and "company" in state.edited):
            return ""
        if state is not None and state.firm[0] is not None and _same_firm(state, person):
            self._firms[state.firm[1]] = state.firm[0]
            return state.firm[1]
        return rules.match_key(person["company"], person.get("country", ""), one.person.firm)

    def _learn_firms(self, keys: Collection[str]) -> None:
        if len(self._firms) > _FIRMS_REMEMBERED:
            self._firms.clear()
        self._firms.update((row[0], row[1]) for row in _FIRMS(self.session, keys))

    def forget_firms(self) -> None:
        """Look firms up anew: some were removed."""
        self._firms.clear()

    def _new_firm(self, row_id: int, key: str, one: Wanted) -> tuple[Any, ...]:
        person = one.projection.person
        return (
            row_id,
            1,
            person["company"],
            person.get("company_alt", ""),
            key[:500],
            person.get("country"),
            person.get("city", "")[:200],
            person.get("website", ""),
            "",
            True,
            self._stamp(self._made_at(one)),
        )

    def _made_at(self, one: Wanted) -> datetime:
        records = one.person.records
        if len(records) == 1 and records[0].batch:
            return records[0].batch.created_at
        dated = [record.batch.created_at for record in records if record.batch]
        if one.state is not None and len(dated) < len(records):
            return one.state.created_at  # known before any list
        return min(dated)

    def _write_contacts(self, people: Sequence[Wanted], firms: Sequence[int | None]) -> None:
        made, changed, lesser = [], [], []
        for one, firm_id in zip(people, firms, strict=True):
            state = one.state
            created_at = self._made_at(one)
            if state is None:
                made.append((*self._values(one, firm_id, created_at), 1, "", "{}", one.person.id))
                continue
            firm_id = state.firm[0] if "company" in state.edited else firm_id
            if (
                one.columns != state.columns
                or one.extra != state.extra
                or firm_id != state.firm[0]
                or created_at != state.created_at
            ):
                values = [*self._values(one, firm_id, created_at), state.version + 1, one.person.id]
                if firm_id == state.firm[0] and all(one.columns[n] == state.columns[n] for n in _INDEXED):
                    lesser.append([values[place] for place in _UNINDEXED_PLACES])
                else:
                    changed.append(values)
        bulk.insert(self.session, CONTACTS, (*_CONTACT_COLUMNS, "timezone", "edited", "id"), made)
        bulk.update(self.session, CONTACTS, _CONTACT_COLUMNS, changed)
        bulk.update(self.session, CONTACTS, _UNINDEXED, lesser)

    def _values(self, one: Wanted, firm_id: int | None, created_at: datetime) -> list[Any]:
        values = list(one.columns.values())
        for place in _JSON_PLACES:
            values[place] = bulk.as_json(values[place]) if values[place] else _BLANK_JSON[place]
        values += (firm_id, bulk.as_json(one.extra), self._stamp(created_at))
        return values

    def _write_emails(self, people: Sequence[Wanted], known: Mapping[str, int | None]) -> list[tuple[int, str]]:
        stated = {id(one): one.projection.person.get("emails", []) for one in people}
        new = {a for one in people for a in stated[id(one)] if one.state is None or a not in one.state.emails}
        removed = [
            row_id
            for one in people
            if one.state is not None
            for address, (row_id, _position) in one.state.emails.items()
            if address not in stated[id(one)]
        ]
        bulk.delete_ids(self.session, EMAILS, removed)
        owners = {address: owner for address, owner in known.items() if owner is not None}
        owners |= self.owners(new - known.keys())
        made, moved, conflicts = [], [], []
        for one in people:
            position = 0
            for address in stated[id(one)]:
                owner = owners.setdefault(address, one.person.id) if address in new else one.person.id
                if owner != one.person.id:
                    conflicts.append((one.person.id, address))
                    continue
                row = one.state.emails.get(address) if one.state else None
                if row is None:
                    made.append((one.person.id, address, position, "ok", ""))
                elif row[1] != position:
                    moved.append((position, row[0]))
                position += 1
        bulk.update(self.session, EMAILS, ("position",), moved)
        bulk.insert(self.session, EMAILS, ("contact_id", "address", "position", "status", "status_reason"), made)
        return conflicts

    def _write_leads(self, people: Sequence[Wanted]) -> None:
        made, changed = [], []
        for one in people:
            known = one.state.leads if one.state else {}
            for (exporter_id, exhibition_id), values in one.projection.leads.items():
                row = known.get((exporter_id, exhibition_id))
                if row is None:
                    made.append((*self._lead_values(values), one.person.id, exporter_id, exhibition_id, 1))
                elif row[1] != values:
                    changed.append((*self._lead_values(values), row[0]))
        self.counts["leads"] += len(made)
        names = (*LEAD_FIELDS, "contact_id", "exporter_id", "exhibition_id", "version")
        bulk.insert(self.session, LEADS, names, made)
        bulk.update(self.session, LEADS, LEAD_FIELDS, changed)

    def _lead_values(self, values: dict[str, Any]) -> list[Any]:
        found = dict(values)
        found["met_at"] = self._stamp(found["met_at"]) if found["met_at"] else None
        found["created_at"] = self._stamp(found["created_at"])
        found["interests"] = bulk.as_json(found["interests"])
        found["requests"] = bulk.as_json(found["requests"])
        return [found[name] for name in LEAD_FIELDS]

    def _write_consents(self, people: Sequence[Wanted]) -> None:
        made, changed, removed = [], [], []
        for one in people:
            known = one.state.consents if one.state else {}
            for key, values in one.projection.consents.items():
                row = known.get(key)
                if row is None:
                    exporter_id, basis, given_at = key
                    made.append(
                        (*self._consent_values(values), one.person.id, exporter_id, basis, self._stamp(given_at), True)
                    )
                elif row[1] != values:
                    changed.append((*self._consent_values(values), row[0]))
            removed += [row[0] for key, row in known.items() if key not in one.projection.consents]
        self.counts["consents"] += len(made)
        names = (*CONSENT_FIELDS, "contact_id", "exporter_id", "basis", "given_at", "derived")
        bulk.delete_ids(self.session, CONSENTS, removed)
        bulk.insert(self.session, CONSENTS, names, made)
        bulk.update(self.session, CONSENTS, CONSENT_FIELDS, changed)

    def _consent_values(self, values: dict[str, Any]) -> list[Any]:
        found = dict(values)
        found["evidence"] = bulk.as_json(found["evidence"])
        found["recorded_at"] = self._stamp(found["recorded_at"])
        found["withdrawn_at"] = self._stamp(found["withdrawn_at"]) if found["withdrawn_at"] else None
        return [found[name] for name in CONSENT_FIELDS]

    def write_keys(self, before: Collection[KeyRow], after: Collection[KeyRow]) -> None:
        """Make the keys that were ``before`` stand as ``after``; rows as ``keys_of`` gives them."""
        gone = set(before) - set(after)
        bulk.delete(self.session, KEYS, ("key", "contact_id"), sorted((key, one) for key, one, _firm in gone))
        bulk.insert(self.session, KEYS, KEY_COLUMNS, sorted(set(after) - set(before)))


def _same_firm(state: State, person: Mapping[str, Any]) -> bool:
    """Tell whether a person's records name the firm with which the person stands already."""
    country = state.firm[1].rpartition("|")[2]
    return bool(state.extra.get("company") == person["company"] and country == person.get("country", ""))


def _keep_choices(state: State, projection: Projection, extra: dict[str, Any]) -> None:
    """What a person chose where two contacts were compared stands too: the firm, the primary address, and the like."""
    for name in CHOSEN & state.edited.keys():
        if name in state.extra:
            extra[name] = state.extra[name]
        else:
            extra.pop(name, None)
    stated = projection.person.get("emails", [])
    if "emails" in state.edited and len(stated) > 1:
        places = {address: position for address, (_id, position) in state.emails.items()}
        projection.person["emails"] = sorted(stated, key=lambda address: places.get(address, len(places)))


def _without_edits(extra: dict[str, Any], edits: dict[str, Any]) -> dict[str, Any]:
    """Leave out of the values that lost what a human chose: a list that says the same agrees, it did not lose."""
    found = dict(extra)
    if "alternatives" in extra:
        kept = {
            name: left
            for name, values in extra["alternatives"].items()
            if (left := [value for value in values if name not in edits or not _agree(name, value, edits[name] or "")])
        }
        found["alternatives"] = kept
    if "other_names" in extra and "full_name" in edits:
        found["other_names"] = [name for name in extra["other_names"] if fold(name) != fold(edits["full_name"] or "")]
    return {name: value for name, value in found.items() if value or value is False}


def _agree(name: str, one: str, other: str) -> bool:
    """Tell whether two values say the same; a number typed by hand often lacks the country's code."""
    if name in ("mobile", "phone"):
        return [c for c in one if c.isdigit()][-8:] == [c for c in other if c.isdigit()][-8:]
    return fold(one) == fold(other)


_JSON_PLACES = [CONTACT_FIELDS.index(name) for name in _CONTACT_JSON]
_BLANK_JSON = {place: bulk.as_json(BLANKS[CONTACT_FIELDS[place]]) for place in _JSON_PLACES}
