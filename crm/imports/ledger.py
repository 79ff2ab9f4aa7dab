"""The ledger of an import: every value a row wrote or confirmed, to tell where values came from and to undo batches.

Lines are many, so they are written and read as plain rows, not as objects of the mapper. There are three kinds: a
changed value (``field``, ``before``, ``after``); a row that was made (``created``, all its values in ``after``); and a
row that was found as stated (no ``field``, the confirmed values in ``after``), which must survive the undo of the
list it was first made from.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from crm.contacts.service import chunks
from crm.imports.models import ImportBatch, ImportChange

Key = tuple[str, int]
LINES: sa.Table = ImportChange.__table__  # type: ignore[attr-defined]
BATCHES: sa.Table = ImportBatch.__table__  # type: ignore[attr-defined]
_COLUMNS = (
    LINES.c.id,
    LINES.c.batch_id,
    LINES.c.row_id,
    LINES.c.target,
    LINES.c.target_id,
    LINES.c.field,
    LINES.c.created,
    LINES.c.before,
    LINES.c.after,
)


@dataclass
class Change:
    """One value written or confirmed; ids are known only after the flush, so the row object itself is kept."""

    target: SQLModel
    field: str = ""
    created: bool = False
    before: Any = None
    after: Any = None
    is_news: bool = True
    """False: the row only confirms what was known."""


def write(session: Session, batch_id: int, entries: Iterable[tuple[int, Sequence[Change]]]) -> None:
    """Store the changes of (import row id, changes); the targets must have been flushed."""
    values = [line for row_id, changes in entries for line in _lines(batch_id, row_id, changes)]
    if values:
        session.execute(LINES.insert(), values)


def _lines(batch_id: int, row_id: int, changes: Sequence[Change]) -> Iterator[dict[str, Any]]:
    gathered: dict[int, list[Change]] = defaultdict(list)
    for change in changes:
        gathered[id(change.target)].append(change)
    for listed in gathered.values():
        target: Any = listed[0].target
        base = {"batch_id": batch_id, "row_id": row_id, "target": target.__tablename__, "target_id": target.id}
        made = any(change.created for change in listed)
        told = [change for change in listed if change.field and (made or not change.is_news)]
        before = {change.field: plain(change.before) for change in reversed(told)}
        after = {change.field: plain(change.after) for change in told}
        yield base | {"field": "", "created": made, "before": before, "after": after}
        for change in listed:
            if change.field and change.is_news and not made:
                news = {"before": plain(change.before), "after": plain(change.after)}
                yield base | {"field": change.field, "created": False} | news


@dataclass(eq=False)
class Line:
    """One line as stored."""

    id: int
    batch_id: int
    row_id: int
    target: str
    target_id: int
    field: str
    created: bool
    before: Any
    after: Any
    touched: bool = False

    @property
    def key(self) -> Key:
        return self.target, self.target_id

    def values(self) -> "list[Value]":
        """Return the values of the line, one or (made and found rows) many."""
        if self.field:
            return [Value(self, self.field)]
        return [Value(self, name) for name in self.after or {}]


@dataclass(eq=False)
class Value:
    """One value of a line."""

    line: Line
    field: str

    @property
    def before(self) -> Any:
        return self.line.before if self.line.field else (self.line.before or {}).get(self.field)

    @property
    def after(self) -> Any:
        return self.line.after if self.line.field else self.line.after[self.field]

    def rebase(self, before: Any) -> None:
        """Change what the undo of this line puts back."""
        self.line.before = before if self.line.field else {**(self.line.before or {}), self.field: before}
        self.line.touched = True


@dataclass
class Standing:
    """What other batches that were not undone wrote or confirmed on the same rows, oldest first."""

    lines: dict[Key, list[Line]] = field(default_factory=lambda: defaultdict(list))

    def first(self, key: Key) -> Line | None:
        return next(iter(self.lines.get(key, ())), None)

    def values(self, key: Key, name: str) -> list[Value]:
        return [value for line in self.lines.get(key, ()) for value in line.values() if value.field == name]

    def save(self, session: Session) -> None:
        """Store the lines whose base changed."""
        touched = [line for listed in self.lines.values() for line in listed if line.touched]
        if touched:
            statement = LINES.update().where(LINES.c.id == sa.bindparam("line_id"))
            statement = statement.values(before=sa.bindparam("base"))
            session.connection().execute(statement, [{"line_id": line.id, "base": line.before} for line in touched])


def read(session: Session, batch_id: int) -> list[Line]:
    """Return the lines of a batch, the last written first."""
    found = session.execute(sa.select(*_COLUMNS).where(LINES.c.batch_id == batch_id).order_by(LINES.c.id.desc()))
    return [Line(*row) for row in found]


def read_standing(session: Session, batch_id: int, rows: Collection[Key]) -> Standing:
    """Return what other batches that still stand say about the rows."""
    standing = Standing()
    wanted: dict[str, set[int]] = defaultdict(set)
    for name, row_id in rows:
        wanted[name].add(row_id)
    for name, ids in wanted.items():
        for chunk in chunks(sorted(ids)):
            statement = sa.select(*_COLUMNS).join(BATCHES, BATCHES.c.id == LINES.c.batch_id)
            statement = statement.where(LINES.c.target == name, LINES.c.target_id.in_(chunk))
            statement = statement.where(LINES.c.batch_id != batch_id, BATCHES.c.status != "undone")
            for row in session.execute(statement.order_by(LINES.c.id)):
                line = Line(*row)
                standing.lines[line.key].append(line)
    return standing


def hand_down_creation(session: Session, line: Line) -> None:
    """Let another batch answer for a row from now on: its undo will remove it."""
    heir = {"batch_id": line.batch_id, "row_id": line.row_id, "target": line.target, "target_id": line.target_id}
    session.execute(LINES.insert(), [heir | {"field": "", "created": True, "before": {}, "after": {}}])


def plain(value: Any) -> Any:
    """Return a value as the ledger's JSON holds it: moments as ISO text in UTC."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
