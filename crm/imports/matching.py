"""Finds the person a row is about. Everybody who may be meant is fetched at once, by the keys of many rows."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, select

from crm.contacts import rules
from crm.contacts.models import CONTACT_FIELDS, Contact, EmailAddress, Organisation
from crm.contacts.rules import Identity
from crm.contacts.service import chunks
from crm.core import bulk
from crm.exporters.models import Exhibition
from crm.imports.identities import keys_of
from crm.imports.models import IdentityKey, ImportBatch, ImportRow
from crm.imports.projection import Batch, Record, identity_of, opened

ROWS: sa.Table = ImportRow.__table__  # type: ignore[attr-defined]
KEYS: sa.Table = IdentityKey.__table__  # type: ignore[attr-defined]
CONTACTS: sa.Table = Contact.__table__  # type: ignore[attr-defined]
FIRMS: sa.Table = Organisation.__table__  # type: ignore[attr-defined]
EMAILS: sa.Table = EmailAddress.__table__  # type: ignore[attr-defined]

KEY_COLUMNS = ("key", "contact_id", "firm")
_KNOWN = bulk.LookUp(sa.select(KEYS.c.key, KEYS.c.contact_id, KEYS.c.firm), KEYS.c.key)
_RECORDS = bulk.LookUp(
    sa.select(ROWS.c.contact_id, ROWS.c.id, ROWS.c.batch_id, ROWS.c.sheet, ROWS.c.number, ROWS.c.facts)
    .where(ROWS.c.stands)
    .order_by(ROWS.c.id),
    ROWS.c.contact_id,
)
CROWD = 40
"""Of a key that so many people share (a switchboard, a family of test data) only the first are compared."""


@dataclass(eq=False, slots=True)
class Person:
    """A contact with its standing records in import order. ``id`` is given out before the contact is stored."""

    id: int
    is_new: bool = False
    records: list[Record] = field(default_factory=list)
    keys: set[int] = field(default_factory=set)
    """Of the keys that are being looked for those under which the person is known."""
    _told: Identity | None = None

    @property
    def firm(self) -> str:
        """Return the person's one firm by ``company_key`` if that costs nothing; empty otherwise."""
        return self._told.firm if self._told is not None else ""

    @property
    def identity(self) -> Identity:
        """Return what all records tell of the person; worked out when first asked."""
        if self._told is None:
            self._told = reduce(or_, map(identity_of, self.records), Identity())
        return self._told

    def add(self, record: Record, told: Identity) -> None:
        """Take in one more record with what it tells of the person."""
        self._told = None if self.records else told  # of whom is known from several lists it is seldom asked again
        self.records.append(record)

    def take_in(self, other: "Person") -> None:
        """Take over the records of somebody who turned out to be this person."""
        self.records = sorted([*self.records, *other.records], key=lambda record: record.id)
        self.keys |= other.keys
        self._told = None


@dataclass
class Found:
    """What a row's identity led to: the people it surely is (the first is the one), and those it may be."""

    sure: list[Person] = field(default_factory=list)
    maybe: list[tuple[Person, str]] = field(default_factory=list)


@dataclass
class People:
    """People who can be found by their keys; grows as rows add people."""

    by_key: dict[int, list[Person]] = field(default_factory=dict)
    by_id: dict[int, Person] = field(default_factory=dict)

    def add(self, person: Person, keys: Iterable[int]) -> None:
        """Make the person findable under ``keys``."""
        self.by_id[person.id] = person
        person.keys.update(keys)
        for key in keys:
            known = self.by_key.setdefault(key, [])
            if person not in known and len(known) < CROWD:
                known.append(person)

    def forget(self, person: Person) -> None:
        """Let nobody find the person any more (they were joined with another)."""
        self.by_id.pop(person.id, None)
        for key in person.keys:
            if person in self.by_key.get(key, ()):
                self.by_key[key].remove(person)

    def find(self, wanted: Identity, keys: Iterable[int], said_so: Callable[[Person], bool]) -> Found:
        """Return who is meant, the strongest reason first and the oldest contact first among equals.

        ``said_so`` tells whether a person has this very row already: so the row of somebody without a name, whom
        nothing proves to be the same, still finds its own person when it comes again.
        """
        near = {person.id: person for key in keys for person in self.by_key.get(key, ())}
        sure: list[tuple[int, int, Person]] = []
        found = Found()
        for person in near.values():
            reason = rules.same_person(person.identity, wanted)
            if reason:
                sure.append((rules.REASONS.index(reason), person.id, person))
            elif said_so(person):
                sure.append((len(rules.REASONS), person.id, person))
            elif why := rules.maybe_same_person(person.identity, wanted):
                found.maybe.append((person, why))
        found.sure = [person for _reason, _id, person in sorted(sure, key=lambda one: one[:2])]
        return found


def load(session: Session, wanted: Mapping[int, str], batches: "Batches") -> People:
    """Fetch everybody who is known under one of the keys, given with the firm each is about."""
    rows = _KNOWN(session, wanted)
    ids = {one for key, one, firm in rows if not firm or rules.firm_fits(firm, wanted[key])}
    found = {person.id: person for person in persons(session, ids, batches)}
    people = People(by_id=found)
    for key, one in sorted([(key, one) for key, one, _firm in rows]):
        person = found.get(one)
        known = people.by_key.setdefault(key, [])
        if person is not None and len(known) < CROWD:
            person.keys.add(key)
            known.append(person)
    return people


def persons(session: Session, ids: Collection[int], batches: "Batches") -> list[Person]:
    """Return contacts with their standing records, by id; who has none is left out."""
    found: dict[int, Person] = {}
    for contact_id, row_id, batch_id, sheet, number, facts in _RECORDS(session, ids):
        person = found.get(contact_id) or found.setdefault(contact_id, Person(contact_id))
        batch = batches[batch_id] if batch_id is not None else None
        person.records.append(Record(row_id, batch, sheet, number, facts))
    return [found[one] for one in sorted(found)]


class Batches:
    """The lists that records came with, looked up once each."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[int, Batch] = {}

    def __getitem__(self, batch_id: int) -> Batch:
        if batch_id not in self._known:
            rows = select(ImportBatch, Exhibition).join(Exhibition).where(ImportBatch.id == batch_id)
            self._known[batch_id] = batch_of(*self._session.exec(rows).one())
        return self._known[batch_id]

    def add(self, batch: Batch) -> None:
        self._known[batch.id] = batch


def batch_of(row: ImportBatch, show: Exhibition) -> Batch:
    """Return what matters of a stored batch."""
    assert row.id is not None
    return Batch(
        row.id,
        row.exhibition_id,
        show.code,
        opened(show.starts_on),
        row.filename,
        row.kind,
        row.created_at,
        row.created_by,
    )


def adopt_strays(session: Session) -> None:
    """Give every contact that no list named a baseline record, so that lists can build on it and be taken back."""
    make_missing_keys(session)
    named = sa.exists().where(ROWS.c.contact_id == CONTACTS.c.id)
    strays = sa.select(CONTACTS.c.id).where(~named, CONTACTS.c.merged_into_id.is_(None))
    ids = list(session.execute(strays).scalars())
    if ids:
        _write_baselines(session, ids)
        _write_keys(session, ids)


def make_missing_keys(session: Session) -> None:
    """Make the keys of everybody where there are none at all, as after an upgrade."""
    if session.execute(sa.select(KEYS.c.contact_id).limit(1)).first() is None:
        known = sa.select(ROWS.c.contact_id).where(ROWS.c.stands).distinct()
        _write_keys(session, list(session.execute(known).scalars()))


def _write_keys(session: Session, ids: Collection[int]) -> None:
    batches = Batches(session)
    for chunk in chunks(ids):
        bulk.insert(session, KEYS, KEY_COLUMNS, key_rows(persons(session, chunk, batches)))


def key_rows(people: Iterable[Person]) -> list[tuple[int, int, str]]:
    """Return the rows of keys under which people are found: those of all their records, each once."""
    return [(key, one.id, firm) for one in people for key, firm in _all_keys(one).items()]


def _all_keys(person: Person) -> dict[int, str]:
    found: dict[int, str] = {}
    for record in person.records:
        for key, firm in keys_of(identity_of(record)).items():
            found.setdefault(key, firm)
    return found


def _write_baselines(session: Session, ids: Collection[int]) -> None:
    columns = [CONTACTS.c[name] for name in CONTACT_FIELDS]
    firm = (FIRMS.c.name.label("company"), FIRMS.c.name_alt.label("company_alt"))
    lines = []
    for chunk in chunks(ids):
        addresses: dict[int, list[str]] = defaultdict(list)
        emails = sa.select(EMAILS.c.contact_id, EMAILS.c.address).where(EMAILS.c.contact_id.in_(chunk))
        for contact_id, address in session.execute(emails.order_by(EMAILS.c.position)):
            addresses[contact_id].append(address)
        statement = sa.select(CONTACTS.c.id, CONTACTS.c.extra, *columns, *firm)
        statement = statement.outerjoin(FIRMS, FIRMS.c.id == CONTACTS.c.organisation_id)
        for row in session.execute(statement.where(CONTACTS.c.id.in_(chunk))).mappings():
            lines.append((row["id"], bulk.as_json(_baseline(row, addresses[row["id"]]))))
    next_id = bulk.ids_for(session, ROWS)
    made = [(next_id(), "", 0, "baseline", True, contact_id, facts, "[]", "[]") for contact_id, facts in lines]
    names = ("id", "sheet", "number", "outcome", "stands", "contact_id", "facts", "messages", "raw")
    bulk.insert(session, ROWS, names, made)


def _baseline(row: Mapping[Any, Any], emails: list[str]) -> dict[str, Any]:
    told = {name: row[name] for name in (*CONTACT_FIELDS, "company", "company_alt")} | {"emails": emails}
    kept = {name: value for name, value in (row["extra"] or {}).items() if name in ("more", "extra")}
    return {name: value for name, value in {**told, **kept}.items() if value}
