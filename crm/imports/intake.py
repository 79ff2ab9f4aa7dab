"""Stores the rows of one file: finds or makes each person, merges values, makes leads, records consent.

Every written value goes into a ledger, from which provenance is told and the batch is undone. The work is done in two
passes, people first and what hangs on them second, so that each pass is one flush and not one a row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, func, select

from crm.contacts import rules, service
from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Organisation, Suppression
from crm.core.clock import KST
from crm.exporters.models import Exhibition, Exporter, ProductLine
from crm.exporters.service import lines_of, match_line
from crm.imports import facts, ledger, people
from crm.imports.contactlist import identity as identity_of_row
from crm.imports.exhibitors import Exhibitors
from crm.imports.ledger import Change
from crm.imports.models import ImportRow
from crm.imports.people import Person
from crm.imports.records import CanonicalRow, Issue, ReadResult, RowIssue
from crm.imports.report import RowReport, issue_json

ROWS: sa.Table = ImportRow.__table__  # type: ignore[attr-defined]
CONTACT_FIELDS = (
    "full_name",
    "family_name",
    "given_name",
    "name_alt",
    "name_reading",
    "gender",
    "department",
    "title",
    "mobile",
    "phone",
    "fax",
    "other_phones",
    "website",
    "country",
    "city",
    "address",
    "postal_code",
    "language",
    "messengers",
    "tags",
)


@dataclass
class Entry:
    """One accepted row on its way: its person, its changes, its report."""

    row: CanonicalRow
    person: Person
    report: RowReport
    changes: list[Change] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)


@dataclass
class Intake:
    """One run over one file; ``run`` does it all and leaves nothing unflushed."""

    session: Session
    result: ReadResult
    exhibition: Exhibition
    exporter: Exporter | None
    filename: str
    source: str
    now: datetime
    by: str
    entries: list[Entry] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    newcomers: list[Person] = field(default_factory=list)

    def run(self) -> list[RowReport]:
        """Store everything and return a report for every line but the skipped ones, in file order."""
        session, rows = self.session, self.result.rows
        assert self.exhibition.id is not None
        self.exhibition_id = self.exhibition.id
        self.people = people.load(session, rows, self.exhibition_id)
        self.exhibitors = Exhibitors(session, self.exhibition_id, self.exporter)
        self.organisations = _organisations(session, rows)
        self.lines: dict[int, list[ProductLine]] = {}
        with session.no_autoflush:
            for row in rows:
                self._take_person(row)
            self._store_people()
            self._prepare_second_pass()
            for entry in self.entries:
                self._take_what_hangs_on(entry)
            session.flush()
        return self._reports()

    # First pass: people and firms

    def _take_person(self, row: CanonicalRow) -> None:
        found, maybe = self.people.find(identity_of_row(row))
        report = RowReport(row.row, row.sheet, "unchanged", row.full_name or row.company, issues=list(row.issues))
        person = found or Person(service.new_contact(now=self.now))
        entry = Entry(row, person, report)
        if maybe:
            report.issues.append(Issue("ambiguous_person", {"v": maybe.contact.full_name or row.full_name}))
        if found is None:
            self.newcomers.append(person)
        entry.changes.append(Change(person.contact, created=found is None, is_news=found is None))
        self._take_firm(entry)
        self._merge_contact(entry)
        if row.external_id:
            person.badges.add(row.external_id)
        person.addresses += [address for address in row.emails if address not in person.addresses]
        self.people.add(person)
        self.entries.append(entry)

    def _take_firm(self, entry: Entry) -> None:
        row, person = entry.row, entry.person
        key = rules.match_key(row.company, row.country)
        if not key:
            return
        firm = self.organisations.get(key)
        if firm is None:
            firm = service.new_organisation(row.company, row.country or None, now=self.now)
            firm.name_alt, firm.city, firm.website = row.company_alt, row.city, row.website
            self.session.add(firm)
            self.organisations[key] = firm
            entry.changes.append(Change(firm, created=True))
        else:
            entry.changes.append(Change(firm, is_news=False))
        if person.organisation is None:
            person.organisation = firm
        elif person.organisation is not firm:
            self._other_firm(entry, firm)

    def _other_firm(self, entry: Entry, firm: Organisation) -> None:
        """A newer record moves the person to its firm; an older one is remembered. The same firm abroad is no move."""
        person = entry.person
        assert person.organisation is not None
        if rules.company_key(person.organisation.name) == rules.company_key(firm.name):
            return
        native = rules.script(person.organisation.name) == "native" != rules.script(firm.name)
        if self._is_newer(entry) and "company" not in person.contact.edited and not native:
            self._remember(entry, "company", person.organisation.name)
            person.organisation = firm
        else:
            self._remember(entry, "company", firm.name)

    def _merge_contact(self, entry: Entry) -> None:
        contact, row = entry.person.contact, entry.row
        stated = {name: getattr(row, name) for name in CONTACT_FIELDS}
        stated = _agreeing_names(contact, stated)
        current = {name: getattr(contact, name) for name in CONTACT_FIELDS}
        merged = rules.merge(current, stated, newer=self._is_newer(entry), edited=contact.edited)
        promoted = contact.full_name and "full_name" in merged.changes
        for name, value in stated.items():
            self._state(entry, contact, name, value, merged.changes.get(name, current[name]))
        for name in rules.NAME_FIELDS[1:]:
            if promoted and not stated[name]:
                self._state(entry, contact, name, None, "")  # half of another spelling would be a wrong name
        for name, value in merged.lost.items():
            self._remember(entry, name, value)
        for name in merged.protected:
            entry.report.issues.append(Issue("kept_human_edit", {"field": name}))
        self._merge_extra(entry)

    def _merge_extra(self, entry: Entry) -> None:
        """Answers to the booth's own questions, and what else a row says that has no field of its own."""
        row = entry.row
        more = {"visit_purpose": row.visit_purpose, "timeframe": row.timeframe, **row.more}
        self._state_extra(entry, "extra", row.extra)
        self._state_extra(entry, "more", {name: text for name, text in more.items() if text})
        if self._is_newer(entry):
            self._state_extra(entry, "seen_at", _seen(row))

    def _is_newer(self, entry: Entry) -> bool:
        seen = _seen(entry.row)
        return bool(seen) and seen > str(entry.person.contact.extra.get("seen_at") or "")

    def _remember(self, entry: Entry, name: str, value: str) -> None:
        known = _dict(entry.person.contact.extra.get("alternatives"))
        values = list(known.get(name, []))
        if value and not any(rules.fold(value) == rules.fold(str(other)) for other in values):
            self._state_extra(entry, "alternatives", {**known, name: [*values, value]})

    def _state_extra(self, entry: Entry, key: str, value: Any) -> None:
        """Write one part of the contact's bag; newer answers to the same question win."""
        contact = entry.person.contact
        before = contact.extra.get(key)
        united = {**_dict(before), **value} if isinstance(value, dict) else value
        if not value:
            return
        if united != before:
            contact.extra = {**contact.extra, key: united}
        entry.changes.append(Change(contact, f"extra.{key}", before=before, after=value, is_news=united != before))

    def _state(self, entry: Entry, target: SQLModel, name: str, stated: Any, value: Any) -> None:
        """Write ``value`` into a field of which the row states ``stated``.

        A value that only confirms what is known goes into the ledger too: it must survive the undo of the other list.
        """
        before = getattr(target, name)
        is_news = value != before
        if not is_news and (not stated or (stated != before and not isinstance(stated, list | dict))):
            return
        if is_news:
            setattr(target, name, value)
        after = stated if isinstance(stated, list | dict) else value
        entry.changes.append(Change(target, name, before=before, after=after, is_news=is_news))
        if is_news and target is entry.person.contact:
            entry.report.diff[name] = (entry.report.diff.get(name, (before, None))[0], value)

    def _store_people(self) -> None:
        """Firms first, so that a new contact is written once, with its firm."""
        self.session.flush()
        for person in self.newcomers:
            person.contact.organisation_id = person.organisation.id if person.organisation else None
        self.session.add_all(person.contact for person in self.newcomers)
        self.session.flush()

    # Second pass: what hangs on people

    def _prepare_second_pass(self) -> None:
        addresses = {address for entry in self.entries for address in entry.row.emails}
        ids = {entry.person.contact.id for entry in self.entries}
        self.owners = _owners(self.session, addresses)
        self.address_counts = _address_counts(self.session, ids)
        self.leads = _leads(self.session, ids, self.exhibition_id)
        self.consents = _consents(self.session, ids)
        self.suppressions = _suppressions(self.session, addresses)

    def _take_what_hangs_on(self, entry: Entry) -> None:
        contact, firm = entry.person.contact, entry.person.organisation
        if firm is not None:
            self._state(entry, contact, "organisation_id", firm.id, firm.id)
            entry.report.diff.pop("organisation_id", None)
        self._take_addresses(entry)
        self._take_refusals(entry)
        self._take_leads(entry)
        self._take_consents(entry)

    def _take_addresses(self, entry: Entry) -> None:
        contact_id = entry.person.contact.id or 0
        count = self.address_counts.get(contact_id, 0)
        for address in entry.row.emails:
            owner = self.owners.get(address)
            if owner is None:
                email = EmailAddress(contact_id=contact_id, address=address, position=count)
                count += 1
                self.address_counts[contact_id] = count
                self.owners[address] = email
                self._create(entry, email)
                entry.report.diff["emails"] = (None, address)
            elif owner.contact_id == contact_id:
                entry.changes.append(Change(owner, is_news=False))
            else:
                entry.report.issues.append(Issue("email_of_other", {"v": address}))

    def _take_refusals(self, entry: Entry) -> None:
        """A stop outlives every import: it is recorded for everyone, and never lifted by a later yes."""
        row = entry.row
        for address in row.emails:
            if row.opt_out and not self._refused_everywhere(address):
                stop = service.suppress(
                    self.session,
                    address,
                    exporter_id=None,
                    reason="opt_out",
                    source="import",
                    evidence=self._evidence(row, "opt_out"),
                    now=self.now,
                    by=self.by,
                )
                self.suppressions.setdefault(address, []).append(stop)
                self._count("suppressed")
            elif address in self.suppressions:
                entry.report.issues.append(Issue("suppressed", {"v": address}))

    def _refused_everywhere(self, address: str) -> bool:
        """Tell whether the address stands refused for all already. A bounce, or a stop for one company, is less."""
        return any(
            stop.exporter_key == 0 and stop.reason != "hard_bounce" for stop in self.suppressions.get(address, ())
        )

    def _take_leads(self, entry: Entry) -> None:
        row = entry.row
        exporters, unknown = self.exhibitors.named_by(row)
        entry.report.issues += [Issue("exporter_unknown", {"v": name}) for name in unknown]
        if row.consent_third_party is False:
            entry.report.issues.append(Issue("third_party_refused"))
            return
        if "consent_privacy_missing" in row.warnings:
            return
        if not exporters and not unknown and self.source != "registration":
            entry.report.issues.append(Issue("exporter_missing"))
        for exporter in exporters:
            self._take_lead(entry, exporter)

    def _take_lead(self, entry: Entry, exporter: Exporter) -> None:
        assert exporter.id is not None
        contact_id = entry.person.contact.id or 0
        values = self._lead_facts(entry, exporter)
        known = self.leads.get((contact_id, exporter.id))
        if known is None:
            known = service.new_lead(contact_id, exporter.id, self.exhibition_id, {}, now=self.now)
            self.leads[(contact_id, exporter.id)] = known
            self._create(entry, known)
            self._count("leads")
        else:
            entry.changes.append(Change(known, is_news=False))
        changes = service.lead_changes(known, values)
        for name, value in values.items():
            self._state(entry, known, name, value, changes.get(name, getattr(known, name)))
        entry.leads.append(known)

    def _lead_facts(self, entry: Entry, exporter: Exporter) -> dict[str, Any]:
        row = entry.row
        asked = facts.requests_in(row.follow_up)
        entry.report.issues += [Issue("unknown_request", {"v": text}) for text in asked.unknown]
        met_at, timed = facts.moment(row.met_at)
        line = match_line(self._lines(exporter), [*row.interests, row.follow_up, row.notes])
        return {
            "product_line_id": line.id if line else None,
            "met_at": met_at,
            "met_time_known": timed,
            "booth": self.exhibitors.booth_of(exporter),
            "rating": facts.RATINGS.get(row.rating),
            "interests": row.interests,
            "requests": asked.kinds,
            "notes": "\n".join(text for text in (row.notes, *asked.unknown) if text),
            "captured_by": row.captured_by[:200],
            "external_id": row.external_id[:100],
            "source": self.source,
        }

    def _lines(self, exporter: Exporter) -> list[ProductLine]:
        assert exporter.id is not None
        if exporter.id not in self.lines:
            self.lines[exporter.id] = list(lines_of(self.session, exporter.id))
        return self.lines[exporter.id]

    def _take_consents(self, entry: Entry) -> None:
        row = entry.row
        if "consent_privacy_missing" in row.warnings:
            return
        self._take_marketing(entry)
        at = facts.moment(row.met_at)[0]
        for lead in entry.leads:
            asked = facts.requests_in(row.follow_up).kinds
            if asked and at:
                evidence = self._evidence(row) | {"follow_up": row.follow_up, "requests": asked}
                self._consent(entry, lead.exporter_id, "requested_info", at, evidence)
            if self.source == "badge_scan" and at:
                evidence = self._evidence(row) | {"badge": row.external_id, "captured_by": row.captured_by}
                self._consent(entry, lead.exporter_id, "badge_scanned", at, evidence)

    def _take_marketing(self, entry: Entry) -> None:
        """Record an opt-in where the statements of all files end in a yes; a later no withdraws what stood."""
        row = entry.row
        if row.consent_marketing is None:
            return
        said_at = row.registered_at or row.met_at if self.source == "registration" else row.met_at or row.registered_at
        at = facts.moment(said_at)[0]
        # A registration's wording names the exhibitors of the show only where it also asks to pass the data on.
        general = self.source == "registration" and row.consent_third_party is True
        scopes: list[int | None] = [None] if general else [lead.exporter_id for lead in entry.leads]
        statements = self._statements(entry, row.consent_marketing, scopes, at)
        for scope in scopes:
            if row.consent_marketing and rules.consent_stands(statements, scope):
                self._opt_in(entry, scope, at)
        self._withdraw(entry, statements)

    def _statements(
        self, entry: Entry, given: bool, scopes: list[int | None], at: datetime | None
    ) -> list[rules.Statement]:
        listed = list(entry.person.contact.extra.get("marketing") or [])
        for scope in scopes if given else scopes or [None]:
            said = {"given": given, "exporter": scope, "at": at.isoformat() if at else None}
            if said not in listed:
                listed.append(said)
        self._state_extra(entry, "marketing", listed)
        return [
            rules.Statement(said["given"], said["exporter"], datetime.fromisoformat(said["at"]) if said["at"] else None)
            for said in listed
        ]

    def _opt_in(self, entry: Entry, scope: int | None, at: datetime | None) -> None:
        if any(self._stopped(address, scope) for address in entry.person.addresses):
            return
        # Without a date the consent cannot be younger than the show; a date in the future is a slip.
        opened = datetime.combine(self.exhibition.starts_on, datetime.min.time(), KST)
        given_at = min(at or opened, self.now)
        self._consent(entry, scope, "express_optin", given_at, self._evidence(entry.row, "marketing", "third_party"))

    def _stopped(self, address: str, scope: int | None) -> bool:
        return any(scope is None or stop.exporter_key in (0, scope) for stop in self.suppressions.get(address, ()))

    def _withdraw(self, entry: Entry, statements: list[rules.Statement]) -> None:
        for consent in self.consents.get(entry.person.contact.id or 0, []):
            stands = consent.basis != "express_optin" or rules.consent_stands(statements, consent.exporter_id)
            if not stands and consent.withdrawn_at is None:
                self._state(entry, consent, "withdrawn_at", self.now, self.now)

    def _consent(
        self, entry: Entry, exporter_id: int | None, basis: str, at: datetime, evidence: dict[str, Any]
    ) -> None:
        contact_id = entry.person.contact.id or 0
        known = self.consents.setdefault(contact_id, [])
        for consent in known:
            same = consent.basis == basis and consent.exporter_id == exporter_id and consent.given_at == at
            if same and consent.withdrawn_at is None:
                entry.changes.append(Change(consent, is_news=False))
                return
        consent = Consent(
            contact_id=contact_id,
            exporter_id=exporter_id,
            basis=basis,
            given_at=at,
            source=self.source,
            evidence=evidence,
            recorded_at=self.now,
            recorded_by=self.by,
        )
        known.append(consent)
        self._create(entry, consent)
        self._count("consents")

    def _evidence(self, row: CanonicalRow, *kinds: str) -> dict[str, Any]:
        """Return what proves a statement: file, row, and the column's header and cell as the visitor saw them."""
        said = [
            {"column": one.wording, "cell": one.cell}
            for one in row.consents
            if one.kind in (*kinds, "privacy") and kinds
        ]
        found = {
            "file": self.filename,
            "sheet": row.sheet,
            "row": row.row,
            "exhibition": self.exhibition.code,
            "day": row.met_at or row.registered_at,
            "statements": said,
        }
        return {name: value for name, value in found.items() if value}

    def _create(self, entry: Entry, made: SQLModel) -> None:
        self.session.add(made)
        entry.changes.append(Change(made, created=True))

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    # Reports and the ledger

    def _reports(self) -> list[RowReport]:
        for entry in self.entries:
            made = any(change.created and change.target is entry.person.contact for change in entry.changes)
            news = any(change.is_news for change in entry.changes)
            entry.report.outcome = "added" if made else "merged" if news else "unchanged"
            entry.report.contact_id = entry.person.contact.id
        refused = [_refused(bad) for bad in self.result.refused]
        order = {sheet.name: place for place, sheet in enumerate(self.result.profile.sheets)}
        found = [*(entry.report for entry in self.entries), *refused]
        return sorted(found, key=lambda one: (order.get(one.sheet, 0), one.row))

    def write_ledger(self, batch_id: int) -> None:
        """Store every row with its outcome, and every value it wrote."""
        reports: list[tuple[RowReport, Mapping[str, str]]] = [(e.report, e.row.raw) for e in self.entries]
        reports += [(_refused(bad), bad.raw) for bad in self.result.refused]
        values = [_import_row(batch_id, report, raw) for report, raw in reports]
        if not values:
            return
        self.session.execute(ROWS.insert(), values)
        stored = sa.select(ROWS.c.id, ROWS.c.sheet, ROWS.c.number).where(ROWS.c.batch_id == batch_id)
        ids = {(sheet, number): row_id for row_id, sheet, number in self.session.execute(stored)}
        places = [_place(entry.report) for entry in self.entries]
        changes = [entry.changes for entry in self.entries]
        ledger.write(self.session, batch_id, ((ids[place], made) for place, made in zip(places, changes, strict=True)))


def _refused(bad: RowIssue) -> RowReport:
    return RowReport(bad.row, bad.sheet, "refused", issues=[Issue(bad.code, bad.params)])


def _place(report: RowReport) -> tuple[str, int]:
    return (report.sheet or "")[:100], report.row


def _import_row(batch_id: int, report: RowReport, raw: Mapping[str, str]) -> dict[str, Any]:
    sheet, number = _place(report)
    return {
        "batch_id": batch_id,
        "sheet": sheet,
        "number": number,
        "outcome": report.outcome,
        "contact_id": report.contact_id,
        "messages": [issue_json(issue) for issue in report.issues],
        "raw": [[header, text] for header, text in raw.items()],
    }


def _agreeing_names(contact: Contact, stated: dict[str, Any]) -> dict[str, Any]:
    """Fit a row's name to the known one: two scripts are two names of one person, swapped halves are no news.

    Parts are only ever taken together with the name they belong to.
    """
    known, new = contact.full_name, str(stated["full_name"])
    if not known or not new:
        return stated
    scripts = rules.script(known), rules.script(new)
    if scripts[0] != scripts[1]:
        stated = {**stated, "name_alt": stated["name_alt"] or (known if scripts[1] == "native" else new)}
    same = rules.name_key(known) == rules.name_key(new)
    if scripts == ("native", "latin") or (same and rules.fold(known) != rules.fold(new)):
        return {**stated, **dict.fromkeys(rules.NAME_FIELDS, "")}
    return stated


def _seen(row: CanonicalRow) -> str:
    return row.met_at or row.registered_at


def _dict(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _organisations(session: Session, rows: list[CanonicalRow]) -> dict[str, Organisation]:
    wanted = {rules.match_key(row.company, row.country) for row in rows if row.company} - {""}
    found: dict[str, Organisation] = {}
    for chunk in service.chunks(sorted(wanted)):
        statement = select(Organisation).where(col(Organisation.match_key).in_(chunk)).order_by(col(Organisation.id))
        for organisation in session.exec(statement):
            found.setdefault(organisation.match_key, organisation)
    return found


def _owners(session: Session, addresses: set[str]) -> dict[str, EmailAddress]:
    found: dict[str, EmailAddress] = {}
    for chunk in service.chunks(sorted(addresses)):
        rows = select(EmailAddress).where(col(EmailAddress.address).in_(chunk))
        found |= {row.address: row for row in session.exec(rows)}
    return found


def _address_counts(session: Session, ids: set[int | None]) -> dict[int, int]:
    found: dict[int, int] = {}
    for chunk in service.chunks(ids):
        rows = select(EmailAddress.contact_id, func.count()).where(col(EmailAddress.contact_id).in_(chunk))
        found |= dict(session.exec(rows.group_by(col(EmailAddress.contact_id))).all())
    return found


def _leads(session: Session, ids: set[int | None], exhibition_id: int) -> dict[tuple[int, int], Lead]:
    found: dict[tuple[int, int], Lead] = {}
    for chunk in service.chunks(ids):
        rows = select(Lead).where(Lead.exhibition_id == exhibition_id, col(Lead.contact_id).in_(chunk))
        found |= {(lead.contact_id, lead.exporter_id): lead for lead in session.exec(rows)}
    return found


def _consents(session: Session, ids: set[int | None]) -> dict[int, list[Consent]]:
    found: dict[int, list[Consent]] = {}
    for chunk in service.chunks(ids):
        for consent in session.exec(select(Consent).where(col(Consent.contact_id).in_(chunk))):
            found.setdefault(consent.contact_id, []).append(consent)
    return found


def _suppressions(session: Session, addresses: set[str]) -> dict[str, list[Suppression]]:
    found: dict[str, list[Suppression]] = {}
    for chunk in service.chunks(sorted(addresses)):
        for stop in session.exec(select(Suppression).where(col(Suppression.address).in_(chunk))):
            found.setdefault(stop.address, []).append(stop)
    return found
