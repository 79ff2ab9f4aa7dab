"""Takes a batch back. Later batches and people's edits are not disturbed; who was mailed stays as they are."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Organisation
from crm.contacts.rules import added, without
from crm.contacts.service import chunks
from crm.imports.models import ImportBatch, ImportChange
from crm.imports.report import Kept, UndoReport

Mailed = Callable[[Session, list[int]], set[int]]
Release = Callable[[Session, list[int]], set[int]]
Key = tuple[str, int]
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
        own = select(ImportChange).where(ImportChange.batch_id == self.batch.id)
        self.changes = self.session.exec(own.order_by(col(ImportChange.id).desc())).all()
        self.rows = self._targets()
        self.others = self._standing_lines()
        self.made = self._made()
        self.untouchable: set[int] = set()
        self._decide_who_stays()
        for change in self.changes:
            self._take_back(change)
        self.session.flush()
        for name in TABLES:
            self._remove(name)
        if any(kept.target != "value" for kept in self.report.kept):
            self.report.status = "partly_undone"
        return self.report

    def _targets(self) -> dict[Key, Any]:
        wanted: dict[str, set[int]] = defaultdict(set)
        for change in self.changes:
            wanted[change.target].add(change.target_id)
        found = {}
        for name, ids in wanted.items():
            for chunk in chunks(sorted(ids)):
                for row in self.session.exec(select(TABLES[name]).where(TABLES[name].id.in_(chunk))):
                    found[(name, row.id)] = row
        return found

    def _standing_lines(self) -> dict[Key, list[ImportChange]]:
        """Return what other batches that still stand wrote or confirmed on the same rows, oldest first."""
        found: dict[Key, list[ImportChange]] = defaultdict(list)
        wanted: dict[str, set[int]] = defaultdict(set)
        for name, row_id in self.rows:
            wanted[name].add(row_id)
        for name, ids in wanted.items():
            for chunk in chunks(sorted(ids)):
                lines = select(ImportChange).join(ImportBatch, col(ImportBatch.id) == ImportChange.batch_id)
                lines = lines.where(ImportChange.target == name, col(ImportChange.target_id).in_(chunk))
                lines = lines.where(ImportChange.batch_id != self.batch.id, ImportBatch.status != "undone")
                for line in self.session.exec(lines.order_by(col(ImportChange.id))):
                    found[(name, line.target_id)].append(line)
        return found

    def _made(self) -> dict[str, set[int]]:
        """Return the rows that only this batch stands for; those another list names too are handed down to it."""
        made: dict[str, set[int]] = defaultdict(set)
        for change in self.changes:
            key = (change.target, change.target_id)
            if not change.created or key not in self.rows:
                continue
            if self.others[key]:
                self._hand_down_creation(self.others[key][0])
            else:
                made[change.target].add(change.target_id)
        return made

    def _hand_down_creation(self, line: ImportChange) -> None:
        heir = ImportChange(
            batch_id=line.batch_id, row_id=line.row_id, target=line.target, target_id=line.target_id, created=True
        )
        self.session.add(heir)

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
        kept = Kept(name, row_id, self._name_of(name, row_id), reason)
        if kept not in self.report.kept:
            self.report.kept.append(kept)

    def _name_of(self, name: str, row_id: int) -> str:
        row = self.rows.get((name, row_id)) or self.session.get(TABLES[name], row_id)
        contact = row if isinstance(row, Contact) else self.session.get(Contact, row.contact_id) if row else None
        return contact.full_name if contact and contact.full_name else f"#{contact.id if contact else row_id}"

    # Values

    def _take_back(self, change: ImportChange) -> None:
        key = (change.target, change.target_id)
        row = self.rows.get(key)
        if row is None or not change.field or self._contact_of(key) in self.untouchable or self._goes(key):
            return
        if change.field in getattr(row, "edited", {}):
            self._keep_value(change)
            return
        later = [line for line in self.others[key] if line.field == change.field]
        if _hand_down(change, later):
            self.session.add_all(later)
            return
        current = _read(row, change.field)
        value = without(current, change.before, change.after, [line.after for line in later])
        if value != current:
            _write(row, change.field, value)
            self.session.add(row)
            self.report.restored += 1

    def _goes(self, key: Key) -> bool:
        """Tell whether the whole row is about to be removed, so that its values need no putting back."""
        return key[1] in self.made[key[0]] and not (key[0] == "lead" and key[1] in self.held_leads)

    def _keep_value(self, change: ImportChange) -> None:
        if change.before != change.after and change.target_id not in self.made[change.target]:
            kept = Kept("value", change.target_id, self._name_of(change.target, change.target_id), "edited")
            if kept not in self.report.kept:
                self.report.kept.append(kept)

    # Rows

    def _remove(self, name: str) -> None:
        free = self._free(name) - (self.held_leads if name == "lead" else set())
        free -= in_use(self.session, name, free, besides=_OWN.get(name, ()))
        for row_id in sorted(free):
            self.session.delete(self.rows[(name, row_id)])
        self.session.flush()
        self.report.removed[name] = len(free)


def _hand_down(change: ImportChange, later: Sequence[ImportChange]) -> bool:
    """Pass a value on to a list that builds on it; True: the value itself is not ours to take back any more.

    A single value that a later list confirmed or replaced now rests on that list, whose own undo must put back what
    was there before us. Of lists and maps the later list only inherits the items it stated itself.
    """
    if isinstance(change.after, list | dict):
        gone = added(change.before, change.after)
        for line in later:
            if isinstance(line.before, list):
                line.before = [item for item in line.before if item not in gone]
            elif isinstance(line.before, dict):
                line.before = {name: value for name, value in line.before.items() if name not in gone}
        return False
    heir = next((line for line in later if line.before == change.after and not _adds_lines(line)), None)
    if heir is None:
        return False
    heir.before = change.before
    return True


def _adds_lines(line: ImportChange) -> bool:
    """Notes are added to, not replaced: what stood there before is not the later list's."""
    return isinstance(line.after, str) and line.after.startswith(f"{line.before}\n")


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
    value = getattr(row, name)
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _write(row: Any, name: str, value: Any) -> None:
    if name.startswith("extra."):
        key = name.removeprefix("extra.")
        rest = {other: kept for other, kept in row.extra.items() if other != key}
        row.extra = {**rest, key: value} if value else rest
        return
    setattr(row, name, datetime.fromisoformat(value) if name in MOMENTS and value else value)
