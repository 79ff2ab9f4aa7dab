"""Stores the rows of one file: finds or makes each person and writes what the records then add up to.

The file is worked off in portions of some thousand rows, so that memory does not grow with it. Of each portion
everybody who may be meant is fetched at once, rows are matched in file order, and what follows is written in a few bulk
statements.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from crm.contacts import rules, service
from crm.contacts.models import Suppression
from crm.core import bulk
from crm.exporters.models import Exporter
from crm.imports import facts as words
from crm.imports import joining
from crm.imports.ahead import Prepared
from crm.imports.exhibitors import Exhibitors
from crm.imports.matching import ROWS, Batches, Found, Person, key_rows, load
from crm.imports.models import DuplicatePair
from crm.imports.projection import Batch, Record
from crm.imports.records import Issue, ReadRow
from crm.imports.report import Findings, RowReport, issue_json
from crm.imports.storing import KeyRow, State, Store, Wanted

COLLECTED = 20
"""After so many portions the cycles are collected; oftener would walk the living rows again and again."""
STOPS: sa.Table = Suppression.__table__  # type: ignore[attr-defined]
PAIRS: sa.Table = DuplicatePair.__table__  # type: ignore[attr-defined]
_NO_EXPORTER = Issue("exporter_missing")
PAIRS_OF_ONE = 5
"""A person is compared with so many others at the most; who resembles more of them resembles a test entry."""
_STOPPED = bulk.LookUp(sa.select(STOPS.c.address), STOPS.c.address)
_ROW_COLUMNS = ("id", "batch_id", "sheet", "number", "outcome", "stands", "contact_id", "facts", "messages", "raw")


@dataclass(eq=False, slots=True)
class Entry:
    """One accepted row on its way: its record, its person, its report."""

    row: ReadRow
    record: Record
    person: Person
    report: RowReport


@dataclass
class Intake:
    """One run over one file; ``run`` does it all.

    ``each`` is told of every row but the skipped ones, ``progress`` after every portion how many lines are done.
    """

    session: Session
    batch: Batch
    exporter: Exporter | None
    now: datetime
    by: str
    progress: Callable[[int], None] | None = None
    each: Callable[[RowReport], None] | None = None
    findings: Findings = field(default_factory=Findings)

    def __post_init__(self) -> None:
        self.store = Store(self.session)
        self.batches = Batches(self.session)
        self.batches.add(self.batch)
        self.exhibitors = Exhibitors(self.session, self.batch.exhibition_id, self.exporter)
        self.next_row = bulk.ids_for(self.session, ROWS)
        self.first_rows: dict[int, tuple[str | None, int]] = {}
        """Contact → its first row of this file; kept only when somebody wants every row."""

    def run(self, portions: Iterable[list[Prepared]]) -> Findings:
        """Store everything and return what was found. Every line is counted in exactly one outcome."""
        with _no_collector():
            self._run(portions)
        self.findings.counts |= {name: n for name, n in self.store.counts.items() if n}
        return self.findings

    def _run(self, portions: Iterable[list[Prepared]]) -> None:
        done = 0
        for number, portion in enumerate(portions, 1):
            self._take(portion)
            done += len(portion)
            if number % COLLECTED == 0:
                gc.collect(1)  # what is young only: cycles of these rows, and of pages that are served meanwhile
            if self.progress:
                self.progress(done)

    # One portion

    def _take(self, portion: list[Prepared]) -> None:
        kept = [one for one in portion if one.row.outcome != "skipped"]
        accepted = [one for one in kept if one.row.outcome == "accepted"]
        # Ids in the order of the file, so that rows can be listed by them.
        self.row_ids = {id(one.row): self.next_row() for one in kept}
        self.findings.skip(len(portion) - len(kept))
        self.people = load(self.session, _wanted([one.keys for one in accepted]), self.batches)
        self.addresses = {a for one in accepted for a in one.row.facts.get("emails", ())}
        self.stops = _stops(self.session, self.addresses)
        self.new_keys: list[KeyRow] = []
        self.pairs: dict[tuple[int, int], str] = {}
        self.joins: list[tuple[Person, Person]] = []
        self.entries: list[Entry] = []
        for one in accepted:
            self.entries.append(self._match(one))
        for keep, gone in self.joins:
            joining.join(self.session, keep.id, gone.id, batch_id=self.batch.id, now=self.now, by=self.by)
        self._write()
        self._write_rows(kept)

    def _match(self, one: Prepared) -> Entry:
        row, told, keys = one.row, one.told, one.keys
        report = RowReport(
            row.number,
            row.sheet,
            "unchanged",
            row.facts.get("full_name") or row.facts.get("company", ""),
            None,
            row.issues,
            facts=row.facts,
            line=one.raw,
        )
        if self._name_exporters(row, report):
            one.facts = bulk.as_json(row.facts)
        found = self.people.find(told, keys, lambda known: self._has(known, row.facts))
        person = self._one_of(found) if found.sure else Person(self.store.next_contact(), is_new=True)
        if not found.sure:
            self._remember_pairs(person, found, report)
        record = Record(self.row_ids[id(row)], self.batch, row.sheet or "", row.number, row.facts)
        if report.outcome == "unchanged" and found.sure and self._has(person, row.facts):
            report.outcome = "known"
        self.new_keys += [(key, person.id, firm) for key, firm in keys.items() if key not in person.keys]
        person.add(record, told)
        self.people.add(person, keys)
        self._take_refusals(row, record, report)
        return Entry(row, record, person, report)

    def _has(self, person: Person, facts: dict[str, Any]) -> bool:
        """Tell whether a list of the same kind from the same exhibition said the very same of a person before."""
        return any(known.facts == facts and self._alike(known.batch) for known in person.records)

    def _alike(self, batch: Batch | None) -> bool:
        mine = self.batch
        return batch is mine or (
            batch is not None and (batch.exhibition_id, batch.kind) == (mine.exhibition_id, mine.kind)
        )

    def _one_of(self, found: Found) -> Person:
        """Join those whom the row proves to be one person, and return the oldest of them."""
        if len(found.sure) == 1:
            return found.sure[0]
        first, *others = sorted(found.sure, key=lambda person: person.id)
        strongest = found.sure[0]
        for other in others:
            if rules.names_contradict(first.identity, other.identity) or not self._may_join(first, other):
                return strongest
        for other in others:
            self._join(first, other)
        return first

    def _may_join(self, keep: Person, gone: Person) -> bool:
        return gone.is_new or joining.may_join(self.session, keep.id, gone.id)

    def _join(self, keep: Person, gone: Person) -> None:
        self.people.forget(gone)
        known = {row[0] for row in key_rows([keep])}
        self.new_keys = [key for key in self.new_keys if key[1] != gone.id]
        self.new_keys += [(key, keep.id, firm) for key, _gone, firm in key_rows([gone]) if key not in known]
        keep.take_in(gone)
        self.people.add(keep, keep.keys)
        for entry in self.entries:
            if entry.person is gone:
                entry.person = keep
        if gone.id in self.first_rows:
            self.first_rows.setdefault(keep.id, self.first_rows.pop(gone.id))
        if not gone.is_new:
            self.joins.append((keep, gone))

    def _remember_pairs(self, person: Person, found: Found, report: RowReport) -> None:
        for other, why in found.maybe[:PAIRS_OF_ONE]:
            low, high = sorted((person.id, other.id))
            self.pairs.setdefault((low, high), why)
        if found.maybe:
            other = found.maybe[0][0]
            params = {"v": report.name, "contact": other.id, "other": _described(other)}
            report.issues.append(Issue("ambiguous_person", params))

    def _name_exporters(self, row: ReadRow, report: RowReport) -> bool:
        """Settle for good which exporters the row is about, and whether it may be handed to them.

        Returns whether that is a new fact of the row.
        """
        facts = row.facts
        known = len(facts)
        exporters, unknown = self.exhibitors.named_by(facts)
        report.issues += [Issue("exporter_unknown", {"v": name}) for name in unknown]
        if facts.get("consent_third_party") is False:
            report.issues.append(Issue("third_party_refused"))
            exporters = []
        elif any(issue.code == "consent_privacy_missing" for issue in row.issues):
            facts["basis_held"] = True
            exporters = []
        elif not exporters and not unknown and self.batch.kind != "registration":
            report.issues.append(_NO_EXPORTER)
        if exporters:
            facts["exporter_ids"] = [exporter.id for exporter in exporters]
        if "follow_up" in facts:
            asked = words.requests_in(facts["follow_up"])
            report.issues += [Issue("unknown_request", {"v": text}) for text in asked.unknown]
        return len(facts) > known

    def _take_refusals(self, row: ReadRow, record: Record, report: RowReport) -> None:
        """A stop outlives every import: it is recorded for everyone, and never lifted by a later yes."""
        for address in row.facts.get("emails", ()):
            if row.facts.get("opt_out") and not _refused_everywhere(self.stops.get(address, [])):
                stop = service.suppress(
                    self.session,
                    address,
                    exporter_id=None,
                    reason="opt_out",
                    source="import",
                    evidence={"file": self.batch.filename, "row": record.number, "sheet": record.sheet},
                    now=self.now,
                    by=self.by,
                )
                self.stops.setdefault(address, []).append(stop)
                self.findings.count("suppressed")
            elif address in self.stops:
                report.issues.append(Issue("suppressed", {"v": address}))

    # What follows from the portion

    def _write(self) -> None:
        news: dict[int, list[Entry]] = {}
        for entry in self.entries:
            if entry.report.outcome == "known":
                entry.report.outcome = "unchanged"
            else:
                news.setdefault(entry.person.id, []).append(entry)
        people = [entries[0].person for entries in news.values()]
        states = self.store.states([person.id for person in people if not person.is_new])
        self.owners: dict[str, int | None] = {**dict.fromkeys(self.addresses), **self.store.owners(self.addresses)}
        wanted = [self._settle(entries, states.get(entries[0].person.id)) for entries in news.values()]
        for contact_id, address in self.store.write(wanted, self.owners):
            for entry in news[contact_id]:
                if address in entry.row.facts.get("emails", ()):
                    entry.report.issues.append(Issue("email_of_other", {"v": address}))
        self.store.write_keys(key_rows([gone for _keep, gone in self.joins]), self.new_keys)
        self._write_pairs()

    def _settle(self, entries: list[Entry], state: State | None) -> Wanted:
        """Say of each row what it changes in the person, in file order, and return how the person stands in the end."""
        person = entries[0].person
        if state is None and len(entries) == 1:
            entries[0].report.outcome = "added"
            return self.store.wanted(person, None)
        before: State | Wanted | None = state
        for entry in entries:
            after = self.store.wanted(_as_of(person, entry), state)
            entry.report.outcome = "added" if before is None else "unchanged"
            if before is not None:
                entry.report.diff = self._differences(before, after)
                entry.report.outcome = "merged" if entry.report.diff or _more_differs(before, after) else "unchanged"
            if state is not None:
                entry.report.issues += _kept_edits(entry.row.facts, state)
            before = after
        after.person = person
        return after

    def _differences(self, before: State | Wanted, after: Wanted) -> dict[str, tuple[Any, Any]]:
        """Return the fields of a known person that change, as (before, after)."""
        found: dict[str, tuple[Any, Any]] = {}
        if before.columns != after.columns:
            was = before.columns
            found = {name: (was[name], value) for name, value in after.columns.items() if was[name] != value}
        known, mine = _emails(before), after.person.id
        news = [one for one in _emails(after) if one not in known and self.owners.get(one) in (None, mine)]
        if news:
            found["emails"] = (known, [*known, *news])
        if before.extra.get("company") != after.extra.get("company"):
            found["company"] = (before.extra.get("company"), after.extra.get("company"))
        return found

    def _write_pairs(self) -> None:
        """Remember who may be one person, unless the question was asked before or the two are one by now."""
        alive = {entry.person.id for entry in self.entries} | set(self.people.by_id)
        wanted = {pair for pair in self.pairs if set(pair) <= alive}
        asked: set[tuple[int, int]] = set()
        for chunk in service.chunks({one for one, _other in wanted}):
            rows = sa.select(PAIRS.c.one_id, PAIRS.c.other_id).where(PAIRS.c.one_id.in_(chunk))
            asked.update((one, other) for one, other in self.session.execute(rows))
        made = [(*pair, self.pairs[pair], "open", self.batch.id, "") for pair in sorted(wanted - asked)]
        bulk.insert(self.session, PAIRS, ("one_id", "other_id", "why", "status", "batch_id", "decided_by"), made)

    def _write_rows(self, kept: list[Prepared]) -> None:
        """Store every row with what it said and what became of it, and report it."""
        entries = iter(self.entries)
        made = []
        for one in kept:
            entry = next(entries) if one.row.outcome == "accepted" else None
            report = entry.report if entry else _refused(one)
            if entry:
                report.contact_id = entry.person.id
                if self.each:
                    self._compare_with_first(report, entry.person.id)
            made.append(_stored(self.row_ids[id(one.row)], self.batch.id, one, report))
            self.findings.add(report)
            if self.each:
                self.each(report)
        bulk.insert(self.session, ROWS, _ROW_COLUMNS, made)

    def _compare_with_first(self, report: RowReport, contact_id: int) -> None:
        here = (report.sheet, report.row)
        first = self.first_rows.setdefault(contact_id, here)
        report.duplicate_of = None if first == here else first


def _described(person: Person) -> str:
    """Return name and firm of a person, for somebody who is to tell two apart."""
    facts = person.records[-1].facts if person.records else {}
    return ", ".join(facts[name] for name in ("full_name", "company") if facts.get(name))


@contextmanager
def _no_collector() -> Iterator[None]:
    """Keep the cycle collector from walking thousands of living rows again and again: it would take half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _wanted(keys: list[dict[int, str]]) -> dict[int, str]:
    """Unite the keys of rows; where they are about different firms, any firm fits."""
    found: dict[int, str] = {}
    for listed in keys:
        for key, firm in listed.items():
            if found.setdefault(key, firm) != firm:
                found[key] = ""
    return found


def _as_of(person: Person, entry: Entry) -> Person:
    """Return the person as known when the entry's row came; later rows of the portion are left out."""
    if person.records[-1] is entry.record:
        return person
    return Person(person.id, records=[record for record in person.records if record.id <= entry.record.id])


def _emails(one: State | Wanted) -> list[str]:
    return list(one.emails) if isinstance(one, State) else list(one.projection.person.get("emails", ()))


def _more_differs(before: State | Wanted, after: Wanted) -> bool:
    """Tell whether anything beyond the shown fields changes: notes, answers, leads, consents."""
    if before.extra != after.extra:
        return True
    if isinstance(before, Wanted):
        return (before.projection.leads, before.projection.consents) != (
            after.projection.leads,
            after.projection.consents,
        )
    leads = {key: values for key, (_id, values) in before.leads.items()}
    consents = {key: values for key, (_id, values) in before.consents.items()}
    new = after.projection
    return any(leads.get(key) != values for key, values in new.leads.items()) or consents != new.consents


def _kept_edits(facts: dict[str, Any], state: State) -> list[Issue]:
    if not state.edited:
        return []
    known = {**state.extra, **state.columns}
    kept = [name for name in state.edited if name in facts and name != "emails" and facts[name] != known.get(name)]
    return [Issue("kept_human_edit", {"field": name}) for name in kept]


def _refused(one: Prepared) -> RowReport:
    row = one.row
    return RowReport(row.number, row.sheet, "refused", "", None, [Issue(row.code), *row.issues], line=one.raw)


def _stored(row_id: int, batch_id: int, one: Prepared, report: RowReport) -> tuple[Any, ...]:
    stands = report.contact_id is not None
    return (
        row_id,
        batch_id,
        (report.sheet or "")[:100],
        report.row,
        report.outcome,
        stands,
        report.contact_id,
        one.facts if stands else "{}",
        _messages(report.issues),
        one.raw,
    )


def _messages(issues: list[Issue]) -> str:
    if len(issues) == 1 and not issues[0].params:
        return _message(issues[0].code)
    return bulk.as_json([issue_json(issue) for issue in issues]) if issues else "[]"


@cache
def _message(code: str) -> str:
    """Return the only message of most rows that have one."""
    return bulk.as_json([issue_json(Issue(code))])


def _refused_everywhere(stops: list[Suppression]) -> bool:
    """Tell whether an address stands refused for all already. A bounce, or a stop for one company, is less."""
    return any(stop.exporter_key == 0 and stop.reason != "hard_bounce" for stop in stops)


def _stops(session: Session, addresses: set[str]) -> dict[str, list[Suppression]]:
    found: dict[str, list[Suppression]] = {}
    stopped = {address for (address,) in _STOPPED(session, addresses)}
    for (stop,) in bulk.find(session, sa.select(Suppression), STOPS.c.address, stopped):
        found.setdefault(stop.address, []).append(stop)
    return found
