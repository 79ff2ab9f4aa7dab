"""Who may be one person: the questions that lists raised, comparing two people, making one of them, taking it back.

A merge by hand is a join (``joining``) plus choices. Both people's records then belong to the kept contact, which is
computed from all of them; a choice that this would not make by itself becomes an edit, so that later lists respect it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from crm.accounts.rules import Viewer
from crm.contacts import service as contacts
from crm.contacts.models import Consent, Contact, EmailAddress, Organisation, Suppression
from crm.core import bulk, events
from crm.core.db import alone
from crm.core.errors import BadInput, NotFound, Refused
from crm.core.i18n import _
from crm.exporters.models import Exhibition, Exporter
from crm.exporters.rules import in_language
from crm.imports import joining, remembering
from crm.imports.joining import CONTACTS, LEADS, PAIRS
from crm.imports.matching import EMAILS, ROWS, Batches, Person, adopt_strays, keys_of, persons
from crm.imports.models import ContactMerge, DuplicatePair, ImportBatch
from crm.imports.projection import CONTACT_FIELDS
from crm.imports.queries import Source, sources_of_fields
from crm.imports.storing import CHOSEN, State, Store, Wanted

Mailed = Callable[[Session, list[int]], set[int]]
Release = Callable[[Session, list[int]], set[int]]
BATCHES: sa.Table = ImportBatch.__table__  # type: ignore[attr-defined]
OPEN, LATER, DIFFERENT, MERGED = "open", "later", "different", "merged"
ANSWERS = (DIFFERENT, LATER)
MANY = 100
"""Open questions are counted up to here; who has more needs no figure."""
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


# ---------------------------------------------------------------- the questions


@dataclass(frozen=True)
class Face:
    """One of two people in the list of questions."""

    id: int
    name: str
    company: str
    country: str
    emails: tuple[str, ...]
    records: int
    """How many rows of lists the person is made of."""
    last_seen: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """Two people who may be one. ``why``: name, mailbox or mobile; ``status``: open, later, different or merged."""

    id: int
    why: str
    status: str
    batch_id: int | None
    one: Face
    other: Face


def list_pairs(
    session: Session,
    *,
    statuses: Collection[str] = (OPEN, LATER),
    why: str = "",
    exhibition_id: int | None = None,
    contact_id: int | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[Question]:
    """Return pairs by number, after ``after``; those of whom one was joined with somebody are not asked about."""
    rows = _askable(statuses).where(col(DuplicatePair.id) > after).order_by(col(DuplicatePair.id)).limit(limit)
    if why:
        rows = rows.where(DuplicatePair.why == why)
    if exhibition_id is not None:
        batches = select(ImportBatch.id).where(ImportBatch.exhibition_id == exhibition_id)
        rows = rows.where(col(DuplicatePair.batch_id).in_(batches))
    if contact_id is not None:
        rows = rows.where((DuplicatePair.one_id == contact_id) | (DuplicatePair.other_id == contact_id))
    pairs = session.exec(rows).all()
    faces = _faces(session, {one for pair in pairs for one in (pair.one_id, pair.other_id)})
    return [
        Question(pair.id or 0, pair.why, pair.status, pair.batch_id, faces[pair.one_id], faces[pair.other_id])
        for pair in pairs
    ]


def each_pair(session: Session, *, why: str = "", exhibition_id: int | None = None) -> Iterator[Question]:
    """Yield all open questions, a page at a time."""
    after = 0
    while rows := list_pairs(session, statuses=(OPEN,), why=why, exhibition_id=exhibition_id, after=after, limit=200):
        yield from rows
        after = rows[-1].id


def _askable(statuses: Collection[str]) -> Any:
    away = select(Contact.id).where(col(Contact.merged_into_id).is_not(None))
    rows = select(DuplicatePair).where(col(DuplicatePair.status).in_(tuple(statuses)))
    if MERGED in statuses:
        return rows
    return rows.where(
        col(DuplicatePair.one_id).not_in(away),
        col(DuplicatePair.other_id).not_in(away),
    )


def open_questions(session: Session) -> int:
    """Count the open questions, up to ``MANY`` + 1."""
    few = _askable((OPEN,)).with_only_columns(col(DuplicatePair.id)).limit(MANY + 1).subquery()
    return int(session.execute(sa.select(sa.func.count()).select_from(few)).scalar_one())


def _faces(session: Session, ids: Collection[int]) -> dict[int, Face]:
    people = {one.id: one for one in session.exec(select(Contact).where(col(Contact.id).in_(ids)))}
    firms = _firm_names(session, people.values())
    addresses = _addresses(session, ids)
    files: dict[int, list[str]] = {}
    rows = (
        sa.select(ROWS.c.contact_id, BATCHES.c.filename)
        .outerjoin(BATCHES, BATCHES.c.id == ROWS.c.batch_id)
        .where(ROWS.c.contact_id.in_(ids), ROWS.c.stands)
        .order_by(ROWS.c.id)
    )
    for contact_id, file in session.execute(rows):
        files.setdefault(contact_id, []).append(file or "")
    return {
        one: Face(
            one,
            people[one].full_name,
            firms.get(one, ""),
            people[one].country or "",
            tuple(addresses.get(one, ())),
            len(files.get(one, ())),
            str(people[one].extra.get("last_seen", "")),
            tuple(dict.fromkeys(file for file in files.get(one, ()) if file)),
        )
        for one in ids
    }


def _firm_names(session: Session, people: Iterable[Contact]) -> dict[int, str]:
    firm_of = {one.id: one.organisation_id for one in people if one.organisation_id is not None}
    rows = select(Organisation).where(col(Organisation.id).in_(set(firm_of.values())))
    names = {firm.id: firm.name for firm in session.exec(rows)}
    return {one: names[firm] for one, firm in firm_of.items() if one is not None}


def _addresses(session: Session, ids: Collection[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    rows = select(EmailAddress).where(col(EmailAddress.contact_id).in_(ids))
    for row in session.exec(rows.order_by(col(EmailAddress.position), col(EmailAddress.id))):
        found.setdefault(row.contact_id, []).append(row.address)
    return found


def get_pair(session: Session, pair_id: int) -> DuplicatePair:
    """Return one question. Raises NotFound."""
    pair = session.get(DuplicatePair, pair_id)
    if pair is None:
        raise NotFound(_("There is no such question about two people."))
    return pair


def ask(session: Session, one_id: int, other_id: int, *, now: datetime, by: str) -> DuplicatePair:
    """Return the question whether two people are one, made when nobody asked it before.

    Raises BadInput for one and the same person, NotFound for somebody who does not exist or was joined with another.
    """
    low, high = sorted((_standing(session, one_id).id or 0, _standing(session, other_id).id or 0))
    if low == high:
        raise BadInput(_("Choose two different people."))
    known = session.exec(
        select(DuplicatePair).where(DuplicatePair.one_id == low, DuplicatePair.other_id == high)
    ).first()
    if known is not None:
        return known
    pair = DuplicatePair(one_id=low, other_id=high, why="hand", status=OPEN)
    session.add(pair)
    session.flush()
    events.record(session, "duplicate_asked", "contact", low, at=now, actor=by, data={"other": high})
    return pair


def _standing(session: Session, contact_id: int) -> Contact:
    contact = session.get(Contact, contact_id)
    if contact is None or contact.merged_into_id is not None:
        raise NotFound(_("There is no such contact."))
    return contact


def decide(session: Session, pair_id: int, answer: str, *, now: datetime, by: str) -> DuplicatePair:
    """Remember that two people are different, or that the question waits. Raises BadInput, NotFound, Refused."""
    if answer not in ANSWERS:
        raise BadInput(_("Choose one of the listed values."))
    pair = get_pair(session, pair_id)
    if pair.status == MERGED:
        raise Refused(_("These two are one person already. Take the merge back first."), code="already_merged")
    pair.status, pair.decided_at, pair.decided_by = answer, now, by
    session.add(pair)
    session.flush()
    for one, other in ((pair.one_id, pair.other_id), (pair.other_id, pair.one_id)):
        data = {"pair": pair.id, "other": other, "answer": answer}
        events.record(session, "duplicate_decided", "contact", one, at=now, actor=by, reason=answer, data=data)
    return pair


# ---------------------------------------------------------------- comparing


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
    ids = (_standing(session, one_id).id or 0, _standing(session, other_id).id or 0)
    store, batches = Store(session), Batches(session)
    stand = _as_they_stand(session, store, batches, ids)
    one, other = (_values(session, stand[contact_id]) for contact_id in ids)
    together = _together(session, store, stand, keep_id=min(ids), gone_id=max(ids))
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
    faces = _faces(session, ids)
    talks = [_talk_name(session, lead) for lead, _other in joining.shared_talks(session, *ids)]
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
class _Standing:
    """A contact with its records and its row, as they stand."""

    person: Person
    state: State
    wanted: Wanted
    timezone: str
    firm_id: int | None

    @property
    def edited(self) -> dict[str, str]:
        return self.state.edited


def _as_they_stand(session: Session, store: Store, batches: Batches, ids: Collection[int]) -> dict[int, _Standing]:
    states = store.states(ids)
    known = {person.id: person for person in persons(session, ids, batches)}
    rows = session.execute(
        sa.select(CONTACTS.c.id, CONTACTS.c.timezone, CONTACTS.c.organisation_id).where(CONTACTS.c.id.in_(ids))
    )
    found = {}
    for one, timezone, firm_id in rows:
        person = known.get(one) or Person(one)
        found[one] = _Standing(person, states[one], store.wanted(person, states[one]), timezone, firm_id)
    return found


def _values(session: Session, one: _Standing) -> dict[str, Any]:
    """Return what is known of a person by field, as the pages show it: from the row where no list named them."""
    state = one.state
    columns = one.wanted.columns if one.person.records else state.columns
    extra = one.wanted.extra if one.person.records else state.extra
    found = {**extra, **columns, "timezone": one.timezone}
    if "company" not in found and one.firm_id is not None:
        found["company"] = session.get_one(Organisation, one.firm_id).name
    found["emails"] = sorted(state.emails, key=lambda address: state.emails[address][1])
    return found


def _together(
    session: Session, store: Store, stand: Mapping[int, _Standing], *, keep_id: int, gone_id: int
) -> dict[str, Any]:
    """Return what two people add up to when nobody chooses anything."""
    keep, gone = stand[keep_id], stand[gone_id]
    found = _computed(store, _united(keep.person, gone.person))
    for one in (gone, keep):
        mine = _values(session, one)
        found |= {name: mine.get(name) for name in one.edited}
    found["timezone"] = keep.timezone or gone.timezone
    found["emails"] = _order(keep, gone, found.get("emails") or [])
    return found


def _computed(store: Store, person: Person) -> dict[str, Any]:
    if not person.records:
        return {}
    projection = store.project(person)
    return {**projection.extra(), **projection.columns(), "emails": list(projection.person.get("emails", ()))}


def _united(one: Person, other: Person) -> Person:
    return Person(one.id, records=sorted([*one.records, *other.records], key=lambda record: record.id))


def _order(keep: _Standing, gone: _Standing, stated: Sequence[str], first: str = "") -> list[str]:
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


# ---------------------------------------------------------------- making one of two


def merge(
    session: Session,
    keep_id: int,
    gone_id: int,
    choices: Mapping[str, int] | None = None,
    *,
    now: datetime,
    by: str,
    release: Release | None = None,
) -> ContactMerge:
    """Make one person of two and return what was joined; ``take_back`` undoes it.

    ``choices``: field of ``CHOOSABLE`` → the contact whose value is taken. ``release`` is handed the lead of one of
    the two where both met the same exporter at the same show: it removes what opened by itself and returns the leads
    that somebody has worked on. Raises NotFound, BadInput for a field that cannot be chosen, and Refused when people
    have worked on both of two such talks.
    """
    choices = dict(choices or {})
    _check(keep_id, gone_id, choices)
    alone(session, "imports")
    _standing(session, keep_id)
    _standing(session, gone_id)
    session.flush()
    adopt_strays(session)
    with session.no_autoflush:
        made = _Merging(session, keep_id, gone_id, choices, now, by).run(release)
    session.expire_all()
    return session.get_one(ContactMerge, made)


def _check(keep_id: int, gone_id: int, choices: Mapping[str, int]) -> None:
    if keep_id == gone_id:
        raise BadInput(_("Choose two different people."))
    unknown = sorted(set(choices) - set(CHOOSABLE))
    if unknown:
        known = ", ".join(CHOOSABLE)
        message = _("These fields cannot be chosen: {fields}.", fields=", ".join(unknown))
        raise BadInput(message + " " + _("Known fields: {fields}.", fields=known))
    if set(choices.values()) - {keep_id, gone_id}:
        raise BadInput(_("A value can only be taken from one of the two people."))


@dataclass
class _Merging:
    """One merge by hand."""

    session: Session
    keep_id: int
    gone_id: int
    choices: Mapping[str, int]
    now: datetime
    by: str

    def run(self, release: Release | None) -> int:
        session = self.session
        store, batches = Store(session), Batches(session)
        stand = _as_they_stand(session, store, batches, (self.keep_id, self.gone_id))
        keep, gone = stand[self.keep_id], stand[self.gone_id]
        before_keys = keys_of([keep.person, gone.person])
        values, edited = self._plan(store, stand)
        let_go = [*self._free_talks(release), *self._withdraw_optins(keep, gone)]
        made = joining.join(session, self.keep_id, self.gone_id, batch_id=None, now=self.now, by=self.by)
        made.moved = [*made.moved, *let_go, *self._close_question()]
        made.before = self._remember(keep, values, edited)
        session.add(made)
        session.flush()
        self._write_choices(keep, values, edited)
        [together] = persons(session, [self.keep_id], batches)
        store.write([store.wanted(together, store.states([self.keep_id])[self.keep_id])])
        store.write_keys(before_keys, keys_of([together]))
        self._tell(made)
        return made.id or 0

    def _plan(self, store: Store, stand: Mapping[int, _Standing]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the values that a person decides (the choices, and earlier edits of the contact given up) and the
        marks that go with them."""
        keep, gone = stand[self.keep_id], stand[self.gone_id]
        mine = {one: _values(self.session, stand[one]) for one in stand}
        by_itself = _together(self.session, store, stand, keep_id=self.keep_id, gone_id=self.gone_id)
        marks = {name: stamp for name, stamp in gone.edited.items() if name not in keep.edited}
        values = {name: mine[self.gone_id].get(name) for name in marks if name != "emails"}
        if by_itself["timezone"] != keep.timezone:
            values["timezone"] = by_itself["timezone"]
        first = ""
        for chosen, taken_from in self.choices.items():
            if chosen == "emails":
                listed = mine[taken_from]["emails"]
                first = listed[0] if listed and listed[0] != next(iter(by_itself["emails"]), "") else ""
                marks |= {"emails": self.now.isoformat()} if first else {}
                continue
            for name in GROUPS.get(chosen, (chosen,)):
                if (mine[taken_from].get(name) or "") != (by_itself.get(name) or ""):
                    values[name] = mine[taken_from].get(name)
                    marks[name] = self.now.isoformat()
        if "company" in values:
            source = self.choices.get("company", self.gone_id)
            values["organisation_id"] = stand[source].firm_id
            values["company_alt"] = mine[source].get("company_alt")
            marks["company_alt"] = marks["company"]
        if "emails" in marks:
            values["emails"] = _order(keep, gone, by_itself["emails"], first)
        return values, marks

    def _remember(self, keep: _Standing, values: Mapping[str, Any], marks: Mapping[str, str]) -> dict[str, Any]:
        old = {**keep.state.extra, **keep.state.columns, "timezone": keep.timezone, "organisation_id": keep.firm_id}
        known = {name: old.get(name) for name in values if name != "emails"}
        return {"edited": keep.edited, "marks": dict(marks), "values": known, "timezone": values.get("timezone")}

    def _write_choices(self, keep: _Standing, values: Mapping[str, Any], marks: Mapping[str, str]) -> None:
        _write_values(self.session, self.keep_id, keep.state.extra, values, {**keep.edited, **marks})
        for place, address in enumerate(values.get("emails", ())):
            self.session.execute(EMAILS.update().where(EMAILS.c.address == address).values(position=place))

    def _free_talks(self, release: Release | None) -> list[remembering.Entry]:
        """Let one of two talks with one exporter at one show go, and remember all that hung on it."""
        entries = []
        for mine, theirs in joining.shared_talks(self.session, self.keep_id, self.gone_id):
            entries += self._free(release, mine, theirs)
        return entries

    def _free(self, release: Release | None, mine: int, theirs: int) -> list[remembering.Entry]:
        for lead_id in (theirs, mine):
            before = remembering.picture_of(self.session, "lead", lead_id)
            held = release(self.session, [lead_id]) if release else set()
            self.session.flush()
            if lead_id not in held and not _hung_on(self.session, lead_id):
                bulk.delete_ids(self.session, LEADS, [lead_id])
                return remembering.changes_since(self.session, before)
        name = _talk_name(self.session, mine)
        raise Refused(
            _(
                "Both people talked to {exporter}, and somebody has worked on both follow-ups: letters were decided, "
                "mail came in, or a deal was moved. Two follow-ups cannot become one. Leave the two people apart "
                "(answer: later), and stop the follow-up of the one that is not needed.",
                exporter=name,
            ),
            code="both_followed_up",
        )

    def _withdraw_optins(self, keep: _Standing, gone: _Standing) -> list[remembering.Entry]:
        """A yes of one must not lift the no of the other: who of the two meant what is not known."""
        table: sa.Table = Consent.__table__  # type: ignore[attr-defined]
        entries = []
        for one, other in ((keep, gone), (gone, keep)):
            stops = _refusals(self.session, other.state.emails)
            rows = sa.select(table).where(
                table.c.contact_id == one.person.id,
                ~table.c.derived,
                table.c.basis == "express_optin",
                table.c.withdrawn_at.is_(None),
            )
            for row in self.session.execute(rows).mappings().all():
                if any(stop.exporter_key in (0, row["exporter_id"]) for stop in stops):
                    now = {"withdrawn_at": self.now}
                    self.session.execute(table.update().where(table.c.id == row["id"]).values(now))
                    entries.append(remembering.changed("consent", [row["id"]], row, now))
        return entries

    def _close_question(self) -> list[remembering.Entry]:
        low, high = sorted((self.keep_id, self.gone_id))
        mine = sa.and_(PAIRS.c.one_id == low, PAIRS.c.other_id == high)
        row = self.session.execute(sa.select(PAIRS).where(mine)).mappings().first()
        if row is None:
            return []
        now = {"status": MERGED, "decided_at": self.now, "decided_by": self.by}
        self.session.execute(PAIRS.update().where(mine).values(now))
        return [remembering.changed("duplicate_pair", [row["id"]], row, now)]

    def _tell(self, made: ContactMerge) -> None:
        data = {"merge": made.id, "kept": self.keep_id, "gone": self.gone_id, "chosen": dict(self.choices)}
        for one in (self.keep_id, self.gone_id):
            events.record(self.session, "contacts_merged", "contact", one, at=self.now, actor=self.by, data=data)


def _write_values(
    session: Session, contact_id: int, extra: Mapping[str, Any], values: Mapping[str, Any], edited: Mapping[str, str]
) -> None:
    """Write values of fields wherever they stand: in a column or in ``extra``."""
    columns = {name: values[name] for name in (*CONTACT_FIELDS, "timezone", "organisation_id") if name in values}
    columns = {
        name: value if name in ("country", "organisation_id") else value or "" for name, value in columns.items()
    }
    left = {name: value for name, value in extra.items() if name not in values}
    left |= {name: values[name] for name in CHOSEN if values.get(name)}
    row = {**columns, "extra": left, "edited": dict(edited)}
    session.execute(CONTACTS.update().where(CONTACTS.c.id == contact_id).values(row))


def _hung_on(session: Session, lead_id: int) -> bool:
    """Tell whether anything still points at a lead after it was let go of."""
    for column in remembering.pointing_at("lead", remembering.LINKS):
        if session.execute(sa.select(column).where(column == lead_id).limit(1)).first() is not None:
            return True
    return False


def _talk_name(session: Session, lead_id: int) -> str:
    row = session.execute(sa.select(LEADS.c.exporter_id, LEADS.c.exhibition_id).where(LEADS.c.id == lead_id)).one()
    exporter, show = session.get_one(Exporter, row[0]), session.get_one(Exhibition, row[1])
    return f"{in_language(exporter.names, 'ko')} ({in_language(show.names, 'ko')})"


def _refusals(session: Session, addresses: Collection[str]) -> list[Suppression]:
    rows = select(Suppression).where(col(Suppression.address).in_(list(addresses)), Suppression.reason != "hard_bounce")
    return list(session.exec(rows))


# ---------------------------------------------------------------- taking a merge back


@dataclass(frozen=True)
class Parting:
    """What taking a merge back did. ``mailed``: letters went to the joined person meanwhile."""

    kept_id: int
    gone_id: int
    mailed: bool
    stops: int
    """Refusals that came while the two were one, and now hold for both."""

    def summary(self) -> str:
        """Return it as a sentence or two for people."""
        said = [_("The two people are two again.")]
        if self.mailed:
            said.append(_("Letters that left meanwhile stay with the talk they were written about."))
        if self.stops:
            said.append(_("Who was not to be written to any more is not written to under either name."))
        return " ".join(said)


def take_back(session: Session, merge_id: int, *, now: datetime, by: str, mailed: Mailed | None = None) -> Parting:
    """Make two people of one again, as they were; what came since stays with the kept one.

    Letters, mails and deals about a talk go with the talk. A refusal that came meanwhile holds for both. Raises
    NotFound, and Refused when it was taken back before, when a later merge stands on it, or when nothing is left of
    the person that was given up.
    """
    made = session.get(ContactMerge, merge_id)
    if made is None:
        raise NotFound(_("There is no such merge."))
    alone(session, "imports")
    _check_partable(session, made)
    session.flush()
    written = bool(mailed and mailed(session, [made.kept_id]))
    with session.no_autoflush:
        stops = _part(session, made, now, by)
    for one in (made.kept_id, made.gone_id):
        data = {"merge": made.id, "kept": made.kept_id, "gone": made.gone_id}
        events.record(session, "contacts_parted", "contact", one, at=now, actor=by, data=data)
    result = Parting(made.kept_id, made.gone_id, written, stops)
    session.flush()
    session.expire_all()
    return result


def _check_partable(session: Session, made: ContactMerge) -> None:
    if made.undone_at is not None:
        raise Refused(_("This merge was taken back before."), code="already_parted")
    later = session.exec(
        select(ContactMerge).where(
            col(ContactMerge.id) > made.id,
            col(ContactMerge.undone_at).is_(None),
            col(ContactMerge.kept_id).in_((made.kept_id, made.gone_id))
            | col(ContactMerge.gone_id).in_((made.kept_id, made.gone_id)),
        )
    ).first()
    if later is not None:
        raise Refused(
            _("Merge {n} came later and builds on this one. Take that one back first.", n=later.id), code="later_merge"
        )
    moved = [one[2] for one in made.moved if isinstance(one, list) and one[0] == "import_row"]
    standing = sa.select(ROWS.c.id).where(ROWS.c.contact_id == made.kept_id, ROWS.c.stands)
    if not any(bulk.find(session, standing, ROWS.c.id, moved)):
        raise Refused(
            _("The lists that named the other person were taken back. There is nobody to part."), code="nobody_left"
        )


def _part(session: Session, made: ContactMerge, now: datetime, by: str) -> int:
    store, batches = Store(session), Batches(session)
    ids = (made.kept_id, made.gone_id)
    before_keys = keys_of(persons(session, ids, batches))
    addresses = set(store.states([made.kept_id])[made.kept_id].emails)
    _restore_edits(session, made)
    joining.part(session, made, now=now, by=by)
    stand = {person.id: person for person in persons(session, ids, batches)}
    states = store.states(ids)
    store.write([store.wanted(person, states[one]) for one, person in stand.items()])
    store.write_keys(before_keys, keys_of(stand.values()))
    if made.batch_id is not None:
        _never_again(session, made, now, by)
    return _widen_stops(session, addresses, made, now, by)


def _restore_edits(session: Session, made: ContactMerge) -> None:
    """Take back the values that the merge's choices set, except where somebody has edited the field since."""
    row = session.execute(
        sa.select(CONTACTS.c.edited, CONTACTS.c.extra, CONTACTS.c.timezone).where(CONTACTS.c.id == made.kept_id)
    ).one()
    before = made.before or {}
    edited = dict(row.edited or {})
    mine = {name for name, stamp in before.get("marks", {}).items() if edited.get(name) == stamp}
    for name in mine:
        edited.pop(name)
        if name in before["edited"]:
            edited[name] = before["edited"][name]
    old = before.get("values", {})
    values = {name: value for name, value in old.items() if name in mine}
    if "company" in mine:
        values["organisation_id"] = old.get("organisation_id")
    if "timezone" in old and "timezone" not in edited and row.timezone == before["timezone"]:
        values["timezone"] = old["timezone"]
    if values or mine:
        _write_values(session, made.kept_id, row.extra or {}, values, edited)


def _never_again(session: Session, made: ContactMerge, now: datetime, by: str) -> None:
    """Two whom a list joined and a person parted are not joined by the next list."""
    low, high = sorted((made.kept_id, made.gone_id))
    pair = session.exec(
        select(DuplicatePair).where(DuplicatePair.one_id == low, DuplicatePair.other_id == high)
    ).first() or DuplicatePair(one_id=low, other_id=high, why="hand", batch_id=made.batch_id)
    pair.status, pair.decided_at, pair.decided_by = DIFFERENT, now, by
    session.add(pair)


def _widen_stops(session: Session, addresses: Collection[str], made: ContactMerge, now: datetime, by: str) -> int:
    """Whoever said no while the two were one said it for both; nobody can know which of the two it was."""
    known = 0
    for stop in _refusals(session, addresses):
        if stop.at < made.at:
            continue
        for address in sorted(addresses - {stop.address}):  # type: ignore[operator]
            contacts.suppress(
                session,
                address,
                exporter_id=stop.exporter_key or None,
                reason=stop.reason,
                source="parted",
                evidence={"merge": made.id, "address": stop.address},
                now=now,
                by=by,
            )
            known += 1
    return known


@dataclass(frozen=True)
class Merge:
    """A standing merge of a contact, for its page."""

    id: int
    at: datetime
    by: str
    from_list: str
    """The list that proved it; empty when a person decided."""
    gone: Face


def merges_of(session: Session, contact_id: int) -> list[Merge]:
    """Return who was joined into a contact, the latest first."""
    rows = session.exec(
        select(ContactMerge, ImportBatch.filename)
        .outerjoin(ImportBatch, col(ImportBatch.id) == ContactMerge.batch_id)
        .where(ContactMerge.kept_id == contact_id, col(ContactMerge.undone_at).is_(None))
        .order_by(col(ContactMerge.id).desc())
    ).all()
    faces = _faces(session, {merge.gone_id for merge, _file in rows})
    return [Merge(merge.id or 0, merge.at, merge.by, file or "", faces[merge.gone_id]) for merge, file in rows]


def kept_instead(session: Session, contact_id: int) -> int | None:
    """Return the contact that a merged-away one lives on in; None for everybody else."""
    kept, seen = None, {contact_id}
    at = session.get(Contact, contact_id)
    while at is not None and at.merged_into_id is not None and at.merged_into_id not in seen:
        kept = at.merged_into_id
        seen.add(kept)
        at = session.get(Contact, kept)
    return kept
