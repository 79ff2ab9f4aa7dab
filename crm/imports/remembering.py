"""Remembers rows that a join lets go of, or changes, and puts them back as they were.

Which tables hang on which is read from the schema, so that no room is named here. A remembered row is a JSON object:
``{"table", "key", "row"}`` for one that went, ``{"table", "key", "was", "now"}`` for one whose columns changed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

LINKS = frozenset({"deal_lead"})
"""Tables that only tie two rows together: what is at the other end may go with the tie."""
Key = tuple[str, tuple[Any, ...]]
Picture = dict[Key, dict[str, Any]]
Entry = dict[str, Any]


def pointing_at(table: str, besides: Iterable[str] = ()) -> Iterator[sa.Column[Any]]:
    """Yield the columns of the whole database that refer to rows of ``table``."""
    for other in SQLModel.metadata.sorted_tables:
        if other.name not in besides:
            yield from (c for c in other.columns if any(key.column.table.name == table for key in c.foreign_keys))


def picture_of(session: Session, table: str, row_id: int) -> Picture:
    """Return a row with everything that hangs on it, and what hangs on that, as it stands now."""
    root = SQLModel.metadata.tables[table]
    found: Picture = {}
    queue: list[tuple[sa.Table, sa.Column[Any], set[Any]]] = [(root, root.c.id, {row_id})]
    while queue:
        where, column, values = queue.pop()
        if any(isinstance(c.type, sa.LargeBinary) for c in where.columns):
            continue  # mail as it came or left; nobody lets go of what has some
        news = {key: row for key, row in _read(session, where, column.in_(values)) if key not in found}
        found |= news
        queue += list(_next(where, news.values()))
    return found


def _next(table: sa.Table, rows: Collection[Mapping[str, Any]]) -> Iterator[tuple[sa.Table, sa.Column[Any], set[Any]]]:
    if not rows:
        return
    if "id" in table.c:
        ids = {row["id"] for row in rows}
        yield from ((column.table, column, ids) for column in pointing_at(table.name))
    if table.name in LINKS:
        for key in table.foreign_keys:
            target: sa.Column[Any] = key.column
            yield target.table, target, {row[key.parent.name] for row in rows}


def _read(session: Session, table: sa.Table, condition: Any) -> Iterator[tuple[Key, dict[str, Any]]]:
    for row in session.execute(sa.select(table).where(condition)).mappings():
        yield (table.name, tuple(row[c.name] for c in table.primary_key)), dict(row)


def changes_since(session: Session, before: Picture) -> list[Entry]:
    """Return what of a picture went or changed."""
    entries = []
    for (name, key), was in before.items():
        table = SQLModel.metadata.tables[name]
        now = dict(next(_read(session, table, _is(table, key)), (None, {}))[1])
        if not now:
            entries.append({"table": name, "key": list(key), "row": _plain(was)})
        elif now != was:
            entries.append(changed(name, key, was, {c: value for c, value in now.items() if value != was[c]}))
    return entries


def changed(table: str, key: Iterable[Any], was: Mapping[Any, Any], now: Mapping[str, Any]) -> Entry:
    """Return the entry of a row whose columns ``now`` are new; ``was`` holds at least their values before."""
    names = [name for name in now if name != "version"]
    old, new = {name: was[name] for name in names}, {name: now[name] for name in names}
    return {"table": table, "key": list(key), "was": _plain(old), "now": _plain(new)}


def gone(table: sa.Table, row: Mapping[Any, Any]) -> Entry:
    """Return the entry of a row that is about to be deleted."""
    return {"table": table.name, "key": [row[c.name] for c in table.primary_key], "row": _plain(row)}


def _is(table: sa.Table, key: Iterable[Any]) -> Any:
    return sa.and_(*(column == value for column, value in zip(table.primary_key, key, strict=True)))


# Putting back


def put_back(session: Session, entries: Iterable[Entry], root: str) -> None:
    """Put remembered rows back. What stands in the way stays, and is not overwritten.

    Rows of ``root`` come first, under a new id where theirs was given out again. What hung on them comes back whole, or
    not at all when anything of it can no longer stand; the rooms then open it anew by themselves.
    """
    listed = list(entries)
    order = {table.name: place for place, table in enumerate(SQLModel.metadata.sorted_tables)}
    rows = sorted((one for one in listed if "row" in one), key=lambda one: order[one["table"]])
    roots = [_insert_root(session, one) for one in rows if one["table"] == root]
    alone = [one for one in rows if one["table"] != root and _alone(one, root)]
    rest = [one for one in rows if one["table"] != root and one not in alone]
    for one in alone:
        if _fits(session, [one]):
            _insert(session, one)
    if all(roots) and _fits(session, rest):
        for one in rest:
            _insert(session, one)
    for one in listed:
        if "was" in one:
            _change_back(session, one)


def _alone(one: Entry, root: str) -> bool:
    """Tell whether nothing refers to the row, and it does not refer to the root: a consent, an address."""
    table = SQLModel.metadata.tables[one["table"]]
    refers = any(key.column.table.name == root for key in table.foreign_keys)
    return not refers and not any(True for _column in pointing_at(table.name)) and "contact_id" in table.c


def _insert_root(session: Session, one: Entry) -> bool:
    """Insert a row unless its place is taken; return whether it has its old id again."""
    table = SQLModel.metadata.tables[one["table"]]
    if _taken(session, table, _typed(table, one["row"]), by_key=False):
        return False
    if _taken(session, table, _typed(table, one["row"]), by_key=True):
        values = {name: value for name, value in _typed(table, one["row"]).items() if name != "id"}
        session.execute(table.insert().values(values))
        return False
    _insert(session, one)
    return True


def _insert(session: Session, one: Entry) -> None:
    table = SQLModel.metadata.tables[one["table"]]
    session.execute(table.insert().values(_typed(table, one["row"])))


def _fits(session: Session, entries: Collection[Entry]) -> bool:
    """Tell whether rows can be inserted together: no key is taken and all they refer to is there."""
    mine = {(one["table"], one["row"].get("id")) for one in entries}
    for one in entries:
        table = SQLModel.metadata.tables[one["table"]]
        row = _typed(table, one["row"])
        if _taken(session, table, row, by_key=True) or _taken(session, table, row, by_key=False):
            return False
        for key in table.foreign_keys:
            value, target = row[key.parent.name], key.column
            if value is None or (target.table.name, value) in mine:
                continue
            if session.execute(sa.select(target).where(target == value)).first() is None:
                return False
    return True


def _taken(session: Session, table: sa.Table, row: Mapping[str, Any], *, by_key: bool) -> bool:
    found: list[list[sa.Column[Any]]] = []
    if by_key:
        found = [list(table.primary_key)]
    else:
        found += [list(one.columns) for one in table.constraints if isinstance(one, sa.UniqueConstraint)]
        plain = (one for one in table.indexes if one.unique and not one.dialect_kwargs)
        found += [list(one.columns) for one in plain]
    for columns in found:
        values = [row[column.name] for column in columns]
        same = sa.and_(*(column == value for column, value in zip(columns, values, strict=True)))
        if None not in values and session.execute(sa.select(sa.literal(1)).select_from(table).where(same)).first():
            return True
    return False


def _change_back(session: Session, one: Entry) -> None:
    """Give a row its old values where nobody has changed them since."""
    table = SQLModel.metadata.tables[one["table"]]
    was, now = _typed(table, one["was"]), _typed(table, one["now"])
    found = next(_read(session, table, _is(table, one["key"])), None)
    if found is None or any(found[1][name] != value for name, value in now.items()):
        return
    if not _taken(session, table, {**found[1], **was}, by_key=False) or not _unique(table, was):
        session.execute(table.update().where(_is(table, one["key"])).values(was))


def _unique(table: sa.Table, names: Iterable[str]) -> bool:
    keys = [set(one.columns.keys()) for one in table.constraints if isinstance(one, sa.UniqueConstraint)]
    return any(key & set(names) for key in keys)


# Values as JSON


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    if isinstance(value, date):  # a moment is one too
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _typed(table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(table.c[name], value) for name, value in row.items()}


def _value(column: "sa.Column[Any]", value: Any) -> Any:
    kind: Any = getattr(column.type, "impl_instance", column.type).python_type
    if isinstance(value, str) and kind in (datetime, date, Decimal):
        return Decimal(value) if kind is Decimal else kind.fromisoformat(value)
    return value
