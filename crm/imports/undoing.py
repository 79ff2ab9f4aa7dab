"""Takes a batch back. Later batches and people's edits are not disturbed; who was mailed stays as they are."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Organisation
from crm.contacts.rules import added, without
from crm.contacts.service import chunks
from crm.imports import ledger
from crm.imports.ledger import Key, Value
from crm.imports.models import ImportBatch
from crm.imports.report import Kept, UndoReport

Mailed = Callable[[Session, list[int]], set[int]]
Release = Callable[[Session, list[int]], set[int]]
TABLES: dict[str, Any] = {
    "consent": Consent,
    "lead": Lead,
    "email_address": EmailAddress,
    "contact": Contact,
    "organisation": Organisation,
}
"""In the order in which rows can be removed."""

MOMENTS = ("met_at", "withdrawn_at")
"""Fields that stand in the ledger as ISO text and in the row as a moment."""

# What goes with a row when it goes, by ON DELETE CASCADE or because the batch removes it itself.
_OWN = {"contact": ("email_address", "consent"), "lead": ("deal_lead",)}


@dataclass
class Undoing:
    """One undo of one batch."""

    session: Session
    batch: ImportBatch
    mailed: Mailed
    release: Release | None

    def run(self) -> UndoReport:
        """Do it and tell what was removed, put back and kept."""
        self.report = UndoReport(self.batch.id or 0, "undone")
        self.lines = ledger.read(self.session, self.batch.id or 0)
        self.rows = self._targets()
        self.standing = ledger.read_standing(self.session, self.batch.id or 0, self.rows)
        self.made = self._made()
        self.untouchable: set[int] = set()
        self._decide_who_stays()
        for line in self.lines:
            for value in reversed(line.values()):
                self._take_back(value)
        self.standing.save(self.session)
        self.session.flush()
        for name in TABLES:
            self._remove(name)
        if any(kept.target != "value" for kept in self.report.kept):
            self.report.status = "partly_undone"
        return self.report

    def _targets(self) -> dict[Key, Any]:
        wanted: dict[str, set[int]] = defaultdict(set)
        for line in self.lines:
            wanted[line.target].add(line.target_id)
        found = {}
        for name, ids in wanted.items():
            for chunk in chunks(sorted(ids)):
                for row in self.session.exec(select(TABLES[name]).where(TABLES[name].id.in_(chunk))):
                    found[(name, row.id)] = row
        return found

    def _made(self) -> dict[str, set[int]]:
        """Return the rows that only this batch stands for; those another list names too are handed down to it."""
        made: dict[str, set[int]] = defaultdict(set)
        for line in self.lines:
            if not line.created or line.key not in self.rows:
                continue
            heir = self.standing.first(line.key)
            if heir:
                ledger.hand_down_creation(self.session, heir)
            else:
                made[line.target].add(line.target_id)
        return made

    # Who stays

    def _decide_who_stays(self) -> None:
        contacts = sorted({self._contact_of(key) for key in self.rows} - {0})
        mailed = set(self.mailed(self.session, contacts)) if contacts else set()
        self._let_stay(mailed, "mailed")
        self._let_stay({i for i in self.made["contact"] if self.rows[("contact", i)].edited}, "edited")
        self._let_stay(self._contacts_of_held_leads(), "in_use")
        self._let_stay(
            in_use(self.session, "contact", self._free("contact"), besides=(*_OWN["contact"], "lead")), "in_use"
        )
        self._let_stay(self._with_other_leads(), "in_use")

    def _let_stay(self, contacts: set[int], reason: str) -> None:
        for contact_id in sorted(contacts - self.untouchable):
            self._keep("contact", contact_id, reason)
        self.untouchable |= contacts

    def _contacts_of_held_leads(self) -> set[int]:
        """Ask the rooms that follow up leads to let go; what they hold, or point at without saying so, stays."""
        free = self._free("lead")
        held = set(self.release(self.session, sorted(free))) if self.release and free else set()
        self.session.flush()
        held |= in_use(self.session, "lead", free, besides=_OWN["lead"])
        for lead_id in sorted(held):
            if self.rows[("lead", lead_id)].contact_id not in self.made["contact"]:
                self._keep("lead", lead_id, "in_use")
        self.held_leads = held
        return {self.rows[("lead", lead_id)].contact_id for lead_id in held} & self.made["contact"]

    def _with_other_leads(self) -> set[int]:
        free = self._free("contact")
        found: set[int] = set()
        for chunk in chunks(sorted(free)):
            for lead_id, contact_id in self.session.exec(
                select(Lead.id, Lead.contact_id).where(col(Lead.contact_id).in_(chunk))
            ):
                if lead_id not in self.made["lead"]:
                    found.add(contact_id)
        return found

    def _free(self, name: str) -> set[int]:
        return {i for i in self.made[name] if self._contact_of((name, i)) not in self.untouchable}

    def _contact_of(self, key: Key) -> int:
        row = self.rows[key]
        if key[0] == "organisation":
            return 0
        return int(row.id if key[0] == "contact" else row.contact_id)

    def _keep(self, name: str, row_id: int, reason: str) -> None:
        self._keep_once(Kept(name, row_id, self._name_of(name, row_id), reason))

    def _keep_once(self, kept: Kept) -> None:
        if kept not in self.report.kept:
            self.report.kept.append(kept)

    def _name_of(self, name: str, row_id: int) -> str:
        row = self.rows.get((name, row_id)) or self.session.get(TABLES[name], row_id)
        contact = row if isinstance(row, Contact) else self.session.get(Contact, row.contact_id) if row else None
        return contact.full_name if contact and contact.full_name else f"#{contact.id if contact else row_id}"

    # Values

    def _take_back(self, value: Value) -> None:
        key = value.line.key
        row = self.rows.get(key)
        if row is None or self._contact_of(key) in self.untouchable or self._goes(key):
            return
        if value.field in getattr(row, "edited", {}):
            self._keep_value(value)
            return
        later = self.standing.values(key, value.field)
        if _hand_down(value, later):
            return
        current = _read(row, value.field)
        before = _blank(row, value.field) if value.before is None else value.before
        kept = without(current, before, value.after, [other.after for other in later])
        if kept != current:
            _write(row, value.field, kept)
            self.session.add(row)
            self.report.restored += 1

    def _goes(self, key: Key) -> bool:
        """Tell whether the whole row is about to be removed, so that its values need no putting back."""
        return key[1] in self.made[key[0]] and not (key[0] == "lead" and key[1] in self.held_leads)

    def _keep_value(self, value: Value) -> None:
        if value.before != value.after:
            self._keep_once(Kept("value", value.line.target_id, self._name_of(*value.line.key), "edited"))

    # Rows

    def _remove(self, name: str) -> None:
        free = self._free(name) - (self.held_leads if name == "lead" else set())
        free -= in_use(self.session, name, free, besides=_OWN.get(name, ()))
        for row_id in sorted(free):
            self.session.delete(self.rows[(name, row_id)])
        self.session.flush()
        self.report.removed[name] = len(free)


def _hand_down(value: Value, later: Sequence[Value]) -> bool:
    """Pass a value on to a list that builds on it; True: the value itself is not ours to take back any more.

    A single value that a later list confirmed or replaced now rests on that list, whose own undo must put back what
    was there before us. Of lists and maps the later list only inherits the items it stated itself.
    """
    if isinstance(value.after, list | dict):
        gone = added(value.before, value.after)
        for other in later:
            if isinstance(other.before, list):
                other.rebase([item for item in other.before if item not in gone])
            elif isinstance(other.before, dict):
                other.rebase({name: text for name, text in other.before.items() if name not in gone})
        return False
    heir = next((other for other in later if other.before == value.after and not _adds_lines(other)), None)
    if heir is not None:
        heir.rebase(value.before)
    return heir is not None


def _adds_lines(value: Value) -> bool:
    """Notes are added to, not replaced: what stood there before is not the later list's."""
    return isinstance(value.after, str) and value.after.startswith(f"{value.before}\n")


def in_use(session: Session, table: str, ids: Collection[int], *, besides: Collection[str] = ()) -> set[int]:
    """Return which rows of a table any other table points at, the rooms to our left included.

    The foreign keys of the whole database are asked, so that no room need be known here.
    """
    found: set[int] = set()
    for other in SQLModel.metadata.tables.values():
        for column in other.columns:
            points_here = any(key.column.table.name == table for key in column.foreign_keys)
            if not points_here or other.name in besides:
                continue
            for chunk in chunks(sorted(ids)):
                found |= set(session.execute(sa.select(column).where(column.in_(chunk)).distinct()).scalars())
    return found


def _read(row: Any, name: str) -> Any:
    if name.startswith("extra."):
        return row.extra.get(name.removeprefix("extra."))
    return ledger.plain(getattr(row, name))


def _blank(row: Any, name: str) -> Any:
    """Return what an unset field holds: None where the column allows it, else an empty value of its kind."""
    if name.startswith("extra.") or type(row).__table__.columns[name].nullable:
        return None
    return type(getattr(row, name))()


def _write(row: Any, name: str, value: Any) -> None:
    if name.startswith("extra."):
        key = name.removeprefix("extra.")
        rest = {other: kept for other, kept in row.extra.items() if other != key}
        row.extra = {**rest, key: value} if value else rest
        return
    setattr(row, name, datetime.fromisoformat(value) if name in MOMENTS and value else value)
