"""Takes a batch back: its rows no longer stand, and the people they were about become what the other rows say.

Later batches and people's edits are not disturbed, because nothing is restored from a copy: everybody touched is
computed anew. Who was mailed stays as they are, with the reason; an opt-out that the list told stays in force.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from crm.contacts import rules
from crm.contacts.rules import Identity
from crm.contacts.service import chunks
from crm.core import bulk
from crm.core.errors import Refused
from crm.core.i18n import _
from crm.imports.identities import keys_of
from crm.imports.joining import LEADS, part
from crm.imports.matching import (
    CONTACTS,
    FIRMS,
    KEYS,
    ROWS,
    Batches,
    Person,
    key_rows,
    make_missing_keys,
    persons,
)
from crm.imports.models import ContactMerge, DuplicatePair, ImportBatch
from crm.imports.remembering import LINKS, pointing_at
from crm.imports.report import Kept, UndoReport
from crm.imports.storing import CONSENTS, KeyRow, State, Store, Wanted

Mailed = Callable[[Session, list[int]], set[int]]
Release = Callable[[Session, list[int]], set[int]]
PAIRS: sa.Table = DuplicatePair.__table__  # type: ignore[attr-defined]
PORTION = 2_000
WITHIN = timedelta(days=7)
"""So long a list can be taken back on its page. Later too much rests on it to be undone by a click."""

GOES_WITH_CONTACT = frozenset(
    {"contact", "email_address", "consent", "lead", "import_row", "duplicate_pair", "contact_merge"}
)
"""Tables whose rows go with a contact (as do contacts that were joined into it), or are looked after by the undo."""
GOES_WITH_LEAD = LINKS


def deadline(batch: ImportBatch) -> datetime:
    """Return until when a list can be taken back on its page."""
    return batch.created_at + WITHIN


def refuse_late(batch: ImportBatch, *, now: datetime) -> None:
    """Raise Refused when the time in which a list can be taken back on its page is over."""
    if now > deadline(batch):
        raise Refused(late_sentence(batch), code="too_late")


def late_sentence(batch: ImportBatch) -> str:
    """Return why a list cannot be taken back on its page any more, and how it still can."""
    return _(
        "An import can be taken back here for {days} days. This one is older; who looks after the server can still do "
        "it with: crm import undo {n}",
        days=WITHIN.days,
        n=batch.id,
    )


@dataclass
class Undoing:
    """One undo of one batch, a portion of people at a time."""

    session: Session
    batch: ImportBatch
    mailed: Mailed
    release: Release | None
    now: datetime
    by: str
    report: UndoReport = field(init=False)

    def run(self) -> UndoReport:
        """Do it and tell what was removed, put back and kept."""
        removed = dict.fromkeys(("contact", "lead", "organisation"), 0)
        self.report = UndoReport(self.batch.id or 0, "undone", removed)
        self.store = Store(self.session)
        self.batches = Batches(self.session)
        make_missing_keys(self.session)
        parted = self._part()
        rows = sa.select(ROWS.c.contact_id).where(ROWS.c.batch_id == self.batch.id, ROWS.c.stands).distinct()
        touched = sorted({*self.session.execute(rows).scalars(), *parted} - {None})
        for start in range(0, len(touched), PORTION):
            self._take_back(touched[start : start + PORTION])
        self._forget_questions()
        if any(kept.target != "value" for kept in self.report.kept):
            self.report.status = "partly_undone"
        return self.report

    def _part(self) -> set[int]:
        """Part those whom only this list joined, except who was written to since; return who was parted."""
        mine = select(ContactMerge).where(ContactMerge.batch_id == self.batch.id, col(ContactMerge.undone_at).is_(None))
        parted: set[int] = set()
        for merge in self.session.exec(mine.order_by(col(ContactMerge.id).desc())).all():
            pair = {merge.kept_id, merge.gone_id}
            if self.mailed(self.session, sorted(pair)):
                continue
            before = self._keys(pair)
            part(self.session, merge, now=self.now, by=self.by)
            self.store.write_keys(before, self._keys(pair))
            parted |= pair
        return parted

    def _keys(self, ids: Collection[int]) -> list[KeyRow]:
        return key_rows(persons(self.session, ids, self.batches))

    # A portion of people

    def _take_back(self, ids: list[int]) -> None:
        # Of whom this list had joined to another nothing may be left: the list that named them was taken back before.
        before = {one: Person(one) for one in ids}
        before |= {person.id: person for person in persons(self.session, ids, self.batches)}
        states = self.store.states(ids)
        after = {one: self._without(person) for one, person in before.items()}
        for stay, reason in (
            (lambda free: set(self.mailed(self.session, sorted(free))), "mailed"),
            (lambda free: {one for one in free if not after[one].records and states[one].edited}, "edited"),
            (lambda free: self._held({one: after[one] for one in free}, before, states), "in_use"),
        ):
            for one in sorted(stay(set(after))):
                self._keep(Kept("contact", one, _name(states[one]), reason))
                del after[one]
        self._withdraw_rows(after)
        going = [one for one, person in after.items() if not person.records]
        self._remove_leads(after, before, states)
        freed = self._remove_contacts(going, before, states)
        freed |= self._write([person for person in after.values() if person.records], before, states)
        self._hand_over(freed)
        firms = {state.firm[0] for state in states.values() if state.firm[0] is not None}
        self._remove_firms(firms | self._unnamed_firms(after, before))

    def _without(self, person: Person) -> Person:
        left = Person(person.id)
        for record in person.records:
            if record.batch is None or record.batch.id != self.batch.id:
                left.records.append(record)
        return left

    def _keep(self, kept: Kept) -> None:
        if kept not in self.report.kept:
            self.report.kept.append(kept)

    def _held(self, after: dict[int, Person], before: dict[int, Person], states: dict[int, State]) -> set[int]:
        """Return whom others still need: a lead somebody works on, or anything that points at a person who would go.

        The rooms that follow up leads are asked first to let go of those that nobody will name any more.
        """
        unnamed = _unnamed_leads(after, before, states)
        held = set(self.release(self.session, sorted(unnamed))) if self.release and unnamed else set()
        self.session.flush()
        held |= in_use(self.session, "lead", set(unnamed) - held, besides=GOES_WITH_LEAD)
        needed = {unnamed[lead_id] for lead_id in held}
        going = {one for one, person in after.items() if not person.records} - needed
        needed |= {one for one in going if {row_id for row_id, _v in states[one].leads.values()} - set(unnamed)}
        needed |= self._with_own_consents(going)
        return needed | in_use(self.session, "contact", going - needed, besides=GOES_WITH_CONTACT)

    def _with_own_consents(self, ids: Collection[int]) -> set[int]:
        found: set[int] = set()
        for chunk in chunks(sorted(ids)):
            rows = sa.select(CONSENTS.c.contact_id).where(CONSENTS.c.contact_id.in_(chunk), ~CONSENTS.c.derived)
            found |= set(self.session.execute(rows).scalars())
        return found

    def _withdraw_rows(self, ids: Collection[int]) -> None:
        for chunk in chunks(sorted(ids)):
            mine = sa.and_(ROWS.c.batch_id == self.batch.id, ROWS.c.contact_id.in_(chunk))
            self.session.execute(ROWS.update().where(mine).values(stands=False))

    def _remove_leads(self, after: dict[int, Person], before: dict[int, Person], states: dict[int, State]) -> None:
        gone = _unnamed_leads(after, before, states)
        bulk.delete_ids(self.session, LEADS, gone)
        self.report.removed["lead"] += len(gone)

    def _remove_contacts(self, ids: list[int], before: dict[int, Person], states: dict[int, State]) -> set[str]:
        """Remove people nobody names any more; return the addresses that are free now."""
        self.store.write_keys(key_rows([before[one] for one in ids]), [])
        self._remove_joined(ids)
        bulk.delete_ids(self.session, CONTACTS, ids)
        self.report.removed["contact"] += len(ids)
        return {address for one in ids for address in states[one].emails}

    def _remove_joined(self, ids: Collection[int]) -> None:
        """Remove the empty-handed contacts that were joined into those who go, and theirs; the innermost first."""
        rows = bulk.find(self.session, sa.select(CONTACTS.c.id), CONTACTS.c.merged_into_id, ids)
        joined = [row[0] for row in rows]
        if joined:
            self._remove_joined(joined)
            bulk.delete_ids(self.session, CONTACTS, joined)

    def _write(self, people: list[Person], before: dict[int, Person], states: dict[int, State]) -> set[str]:
        """Write what the remaining records add up to; return the addresses that are free now."""
        wanted = [self.store.wanted(person, states[person.id]) for person in people]
        for one in wanted:
            self._tell(one, before[one.person.id])
        self.store.write(wanted)
        self.store.write_keys(key_rows([before[person.id] for person in people]), key_rows(people))
        return {
            address
            for one in wanted
            if one.state
            for address in set(one.state.emails) - set(one.projection.person.get("emails", ()))
        }

    def _tell(self, one: Wanted, before: Person) -> None:
        """Count the values put back, and name the person whose edits stand where the list had changed something."""
        assert one.state is not None
        self.report.restored += sum(one.columns[name] != value for name, value in one.state.columns.items())
        if one.state.edited:
            was, now = self.store.project(before).columns(), one.projection.columns()
            if any(name in was and was[name] != now[name] for name in one.state.edited):
                self._keep(Kept("value", one.person.id, _name(one.state), "edited"))

    def _hand_over(self, freed: set[str]) -> None:
        """Give addresses that became free to who stated them too and could not have them."""
        keys = {key for address in freed for key in keys_of(Identity((rules.mailbox(address),)))}
        claimants: set[int] = set()
        for chunk in chunks(sorted(keys)):
            claimants |= set(self.session.execute(sa.select(KEYS.c.contact_id).where(KEYS.c.key.in_(chunk))).scalars())
        states = self.store.states(claimants)
        people = [
            self.store.wanted(person, states[person.id]) for person in persons(self.session, claimants, self.batches)
        ]
        self.store.write(people)

    def _unnamed_firms(self, after: dict[int, Person], before: dict[int, Person]) -> set[int]:
        """Return firms that records named which are withdrawn now; they need not be the firm the person stood with."""
        keys: set[str] = set()
        for one, person in after.items():
            keys |= _firm_keys(before[one]) - _firm_keys(person)
        return {row[0] for row in bulk.find(self.session, sa.select(FIRMS.c.id), FIRMS.c.match_key, keys)}

    def _remove_firms(self, ids: set[int]) -> None:
        """Remove firms that only lists had named and nobody names any more."""
        free = ids - in_use(self.session, "organisation", ids)
        for chunk in chunks(sorted(free)):
            rows = sa.select(FIRMS.c.id).where(FIRMS.c.id.in_(chunk), FIRMS.c.imported)
            gone = list(self.session.execute(rows).scalars())
            bulk.delete_ids(self.session, FIRMS, gone)
            self.report.removed["organisation"] += len(gone)
        self.store.forget_firms()

    def _forget_questions(self) -> None:
        """Nobody need compare people any more of whom only this list said anything; answers given are kept."""
        standing = sa.exists().where(
            ROWS.c.batch_id == self.batch.id, ROWS.c.stands, ROWS.c.contact_id.in_((PAIRS.c.one_id, PAIRS.c.other_id))
        )
        mine = sa.and_(PAIRS.c.batch_id == self.batch.id, PAIRS.c.status.in_(("open", "later")), ~standing)
        self.session.execute(PAIRS.delete().where(mine))


def _unnamed_leads(after: dict[int, Person], before: dict[int, Person], states: dict[int, State]) -> dict[int, int]:
    """Return lead → contact of the leads that were named by records and will not be any more."""
    return {
        row_id: one
        for one, person in after.items()
        for key, (row_id, _values) in states[one].leads.items()
        if key in _talks(before[one]) and key not in _talks(person)
    }


def _talks(person: Person) -> set[tuple[int, int]]:
    """Return (exporter, exhibition) of every talk the records tell of."""
    return {
        (exporter_id, record.batch.exhibition_id)
        for record in person.records
        if record.batch
        for exporter_id in record.facts.get("exporter_ids", ())
    }


def _firm_keys(person: Person) -> set[str]:
    """Return the keys under which firms that the records name may stand: with any country the records name."""
    firms = {record.facts["company"] for record in person.records if "company" in record.facts}
    countries = {"", *(record.facts.get("country", "") for record in person.records)}
    return {rules.match_key(firm, country) for firm in firms for country in countries} - {""}


def _name(state: State) -> str:
    return str(state.columns["full_name"] or state.extra.get("company", ""))


def in_use(session: Session, table: str, ids: Collection[int], *, besides: Collection[str] = ()) -> set[int]:
    """Return which rows of a table any other table points at, the rooms to our left included.

    The foreign keys of the whole database are asked, so that no room need be known here.
    """
    found: set[int] = set()
    for column in pointing_at(table, besides):
        for chunk in chunks(sorted(ids)):
            found |= set(session.execute(sa.select(column).where(column.in_(chunk)).distinct()).scalars())
    return found
