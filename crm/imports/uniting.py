"""Makes one person of two by hand, and two again.

A merge by hand is a join (``joining``) plus choices. Both people's records then belong to the kept contact, which is
computed from all of them; a choice that this would not make by itself becomes an edit, so that later lists respect it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from crm.contacts import service as contacts
from crm.contacts.models import CONTACT_FIELDS, Consent, Suppression
from crm.core import bulk, events
from crm.core.db import alone
from crm.core.errors import BadInput, NotFound, Refused
from crm.core.i18n import _
from crm.imports import joining, remembering
from crm.imports.comparing import CHOOSABLE, GROUPS, Standing, add_up, as_they_stand, in_order, talk_name, values_of
from crm.imports.duplicates import DIFFERENT, MERGED, standing
from crm.imports.joining import CONTACTS, LEADS, PAIRS
from crm.imports.matching import EMAILS, ROWS, Batches, adopt_strays, key_rows, persons
from crm.imports.models import ContactMerge, DuplicatePair
from crm.imports.storing import CHOSEN, Store

Mailed = Callable[[Session, list[int]], set[int]]
Release = Callable[[Session, list[int]], set[int]]


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
    standing(session, keep_id)
    standing(session, gone_id)
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
        stand = as_they_stand(session, store, batches, (self.keep_id, self.gone_id))
        keep, gone = stand[self.keep_id], stand[self.gone_id]
        before_keys = key_rows([keep.person, gone.person])
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
        store.write_keys(before_keys, key_rows([together]))
        self._tell(made)
        return made.id or 0

    def _plan(self, store: Store, stand: Mapping[int, Standing]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the values that a person decides (the choices, and earlier edits of the contact given up) and the
        marks that go with them."""
        keep, gone = stand[self.keep_id], stand[self.gone_id]
        mine = {one: values_of(self.session, stand[one]) for one in stand}
        by_itself = add_up(self.session, store, stand, keep_id=self.keep_id, gone_id=self.gone_id)
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
            values["emails"] = in_order(keep, gone, by_itself["emails"], first)
        return values, marks

    def _remember(self, keep: Standing, values: Mapping[str, Any], marks: Mapping[str, str]) -> dict[str, Any]:
        old = {**keep.state.extra, **keep.state.columns, "timezone": keep.timezone, "organisation_id": keep.firm_id}
        known = {name: old.get(name) for name in values if name != "emails"}
        return {"edited": keep.edited, "marks": dict(marks), "values": known, "timezone": values.get("timezone")}

    def _write_choices(self, keep: Standing, values: Mapping[str, Any], marks: Mapping[str, str]) -> None:
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
        name = talk_name(self.session, mine)
        raise Refused(
            _(
                "Both people talked to {exporter}, and somebody has worked on both follow-ups: letters were decided, "
                "mail came in, or a deal was moved. Two follow-ups cannot become one. Leave the two people apart "
                "(answer: later), and stop the follow-up of the one that is not needed.",
                exporter=name,
            ),
            code="both_followed_up",
        )

    def _withdraw_optins(self, keep: Standing, gone: Standing) -> list[remembering.Entry]:
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
    before_keys = key_rows(persons(session, ids, batches))
    addresses = set(store.states([made.kept_id])[made.kept_id].emails)
    _restore_edits(session, made)
    joining.part(session, made, now=now, by=by)
    stand = {person.id: person for person in persons(session, ids, batches)}
    states = store.states(ids)
    store.write([store.wanted(person, states[one]) for one, person in stand.items()])
    store.write_keys(before_keys, key_rows(stand.values()))
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
