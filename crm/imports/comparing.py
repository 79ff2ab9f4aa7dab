"""Two people side by side, field by field, with where each value came from, and what they add up to together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from crm.accounts.rules import Viewer
from crm.contacts.models import Organisation
from crm.exporters.models import Exhibition, Exporter
from crm.exporters.rules import in_language
from crm.imports import joining
from crm.imports.duplicates import Face, faces_of, standing
from crm.imports.joining import CONTACTS, LEADS
from crm.imports.matching import Batches, Person, persons
from crm.imports.queries import Source, sources_of_fields
from crm.imports.storing import State, Store, Wanted

GROUPS = {
    "full_name": ("full_name", "family_name", "given_name", "name_reading"),
    "company": ("company", "company_alt"),
}
"""Fields that are chosen together; all others are chosen one by one."""
CHOOSABLE = (
    "full_name",
    "company",
    "emails",
    "gender",
    "department",
    "title",
    "mobile",
    "phone",
    "fax",
    "website",
    "country",
    "city",
    "address",
    "postal_code",
    "language",
    "timezone",
    "rating",
    "timeframe",
    "visit_purpose",
)
UNITED = (
    "name_alt",
    "other_names",
    "other_phones",
    "messengers",
    "tags",
    "interests",
    "notes",
    "more",
    "extra",
)
"""Fields of which both people's values are kept."""


@dataclass(frozen=True)
class Side:
    """One person's value of a field, and where it came from."""

    value: Any
    source: Source | None = None
    edited: str = ""
    """The day a person wrote it, if one did."""


@dataclass(frozen=True)
class FieldPair:
    """A field side by side. ``state``: equal, different, missing (one has none) or united (both values are kept).

    ``proposed`` is the contact whose value a merge takes by itself; None where it makes no difference.
    """

    name: str
    state: str
    one: Side
    other: Side
    choosable: bool
    proposed: int | None


@dataclass(frozen=True)
class Comparison:
    """Two people, field by field; ``keep`` is who is kept unless staff choose otherwise."""

    one: Face
    other: Face
    keep: int
    fields: list[FieldPair]
    talks: list[str] = field(default_factory=list)
    """Companies that both met at the same show."""


def compare(session: Session, viewer: Viewer, one_id: int, other_id: int) -> Comparison:
    """Return two people side by side. Raises NotFound, also for who was joined with another."""
    ids = (standing(session, one_id).id or 0, standing(session, other_id).id or 0)
    store, batches = Store(session), Batches(session)
    stand = as_they_stand(session, store, batches, ids)
    one, other = (values_of(session, stand[contact_id]) for contact_id in ids)
    together = add_up(session, store, stand, keep_id=min(ids), gone_id=max(ids))
    sources = [sources_of_fields(session, contact_id) for contact_id in ids]
    edited = [stand[contact_id].edited for contact_id in ids]
    found = []
    for name in (*CHOOSABLE, *UNITED):
        sides = [
            Side(value.get(name), source.get(name) if name not in edits else None, edits.get(name, "")[:10])
            for value, source, edits in zip((one, other), sources, edited, strict=True)
        ]
        if sides[0].value or sides[1].value:
            found.append(_field_pair(name, sides[0], sides[1], ids, together))
    faces = faces_of(session, ids)
    talks = [talk_name(session, lead) for lead, _other in joining.shared_talks(session, *ids)]
    return Comparison(faces[ids[0]], faces[ids[1]], min(ids), found, talks)


def _field_pair(name: str, one: Side, other: Side, ids: Sequence[int], together: Mapping[str, Any]) -> FieldPair:
    mine, theirs = _shown(name, one.value), _shown(name, other.value)
    if mine == theirs:
        state = "equal"
    elif name in UNITED:
        state = "united"
    else:
        state = "different" if one.value and other.value else "missing"
    choosable = name in CHOOSABLE and state == "different"
    proposed = None
    if choosable:
        proposed = ids[0] if _shown(name, together.get(name)) == mine else ids[1]
    return FieldPair(name, state, one, other, choosable, proposed)


def _shown(name: str, value: Any) -> Any:
    """Of addresses only the first is chosen, it is the one letters go to."""
    return value[:1] if name == "emails" and value else value


@dataclass
class Standing:
    """A contact with its records and its row, as they stand."""

    person: Person
    state: State
    wanted: Wanted
    timezone: str
    firm_id: int | None

    @property
    def edited(self) -> dict[str, str]:
        return self.state.edited


def as_they_stand(session: Session, store: Store, batches: Batches, ids: Collection[int]) -> dict[int, Standing]:
    states = store.states(ids)
    known = {person.id: person for person in persons(session, ids, batches)}
    rows = session.execute(
        sa.select(CONTACTS.c.id, CONTACTS.c.timezone, CONTACTS.c.organisation_id).where(CONTACTS.c.id.in_(ids))
    )
    found = {}
    for one, timezone, firm_id in rows:
        person = known.get(one) or Person(one)
        found[one] = Standing(person, states[one], store.wanted(person, states[one]), timezone, firm_id)
    return found


def values_of(session: Session, one: Standing) -> dict[str, Any]:
    """Return what is known of a person by field, as the pages show it: from the row where no list named them."""
    state = one.state
    columns = one.wanted.columns if one.person.records else state.columns
    extra = one.wanted.extra if one.person.records else state.extra
    found = {**extra, **columns, "timezone": one.timezone}
    if "company" not in found and one.firm_id is not None:
        found["company"] = session.get_one(Organisation, one.firm_id).name
    found["emails"] = sorted(state.emails, key=lambda address: state.emails[address][1])
    return found


def add_up(
    session: Session, store: Store, stand: Mapping[int, Standing], *, keep_id: int, gone_id: int
) -> dict[str, Any]:
    """Return what two people add up to when nobody chooses anything."""
    keep, gone = stand[keep_id], stand[gone_id]
    found = computed(store, united(keep.person, gone.person))
    for one in (gone, keep):
        mine = values_of(session, one)
        found |= {name: mine.get(name) for name in one.edited}
    found["timezone"] = keep.timezone or gone.timezone
    found["emails"] = in_order(keep, gone, found.get("emails") or [])
    return found


def computed(store: Store, person: Person) -> dict[str, Any]:
    if not person.records:
        return {}
    projection = store.project(person)
    return {**projection.extra(), **projection.columns(), "emails": list(projection.person.get("emails", ()))}


def united(one: Person, other: Person) -> Person:
    return Person(one.id, records=sorted([*one.records, *other.records], key=lambda record: record.id))


def in_order(keep: Standing, gone: Standing, stated: Sequence[str], first: str = "") -> list[str]:
    """Return the addresses of two people in one order; an order that a person made goes before that of the lists."""
    theirs = [
        sorted(one.state.emails, key=lambda address, one=one: one.state.emails[address][1])  # type: ignore[misc]
        for one in (keep, gone)
    ]
    by_hand = [
        address
        for one, listed in zip((keep, gone), theirs, strict=True)
        if "emails" in one.edited
        for address in listed
    ]
    owned = {*theirs[0], *theirs[1]}
    wanted = dict.fromkeys([*([first] if first else []), *by_hand, *stated, *theirs[0], *theirs[1]])
    return [address for address in wanted if address in owned]


def talk_name(session: Session, lead_id: int) -> str:
    """Return whom and where a talk was with, for a sentence."""
    row = session.execute(sa.select(LEADS.c.exporter_id, LEADS.c.exhibition_id).where(LEADS.c.id == lead_id)).one()
    exporter, show = session.get_one(Exporter, row[0]), session.get_one(Exhibition, row[1])
    return f"{in_language(exporter.names, 'ko')} ({in_language(show.names, 'ko')})"
