"""Writes many plain rows at once, past the mapper: executemany on SQLite, COPY on PostgreSQL.

Values are what the driver takes: JSON as text (``as_json``), moments through ``moment_of``. The caller names the
columns once and hands tuples; nothing is looked up per row. Names of tables and columns come from the models, never
from people, which is why they may stand in the statements.
"""

from collections import namedtuple
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlmodel import Session


def as_json(value: Any) -> str:
    """Return a value as the text of a JSON column."""
    return orjson.dumps(value).decode()


def moment_of(session: Session, column: "sa.Column[Any]") -> Callable[[datetime], Any]:
    """Return the function that turns a moment into what the driver stores in ``column``."""
    dialect = session.get_bind().dialect
    return column.type.dialect_impl(dialect).bind_processor(dialect) or (lambda value: value)


def ids_for(session: Session, table: sa.Table) -> Callable[[], int]:
    """Return a source of unused ids for ``table``; good inside a transaction that nobody else inserts beside.

    On PostgreSQL they come from the table's sequence, so that others may insert meanwhile.
    """
    if session.get_bind().dialect.name == "sqlite":
        highest = session.execute(sa.select(sa.func.max(table.c.id))).scalar_one() or 0
        return count(highest + 1).__next__
    name = sa.func.pg_get_serial_sequence(table.name, "id")
    blocks = (
        number
        for _block in count()
        for (number,) in session.execute(sa.select(sa.func.nextval(name)).select_from(sa.func.generate_series(1, 500)))
    )
    return lambda: int(next(blocks))


def find(
    session: Session, statement: "sa.Select[Any]", column: "sa.Column[Any]", values: Collection[Any]
) -> Sequence[Any]:
    """Return the rows of ``statement`` of which ``column`` is one of ``values``, however many these are.

    The values travel as one parameter, so the statement is the same for any number of them and compiled once. All rows
    are fetched at once, which costs half of fetching them one by one.
    """
    if not values:
        return ()
    wanted, given = any_of(session, column, values)
    return session.execute(statement.where(wanted), given).all()


class LookUp:
    """A ``find`` that is asked again and again: compiled once, and its rows come as plain tuples past SQLAlchemy.

    For statements without parameters of their own. With ``named`` the tuples know the names of their columns. What
    waits in the session is flushed first, as by any query of it.
    """

    def __init__(self, statement: "sa.Select[Any]", column: "sa.Column[Any]", *, named: bool = False) -> None:
        self._statement, self._column = statement, column
        names = [str(one.key) for one in statement.selected_columns]
        row: Any = namedtuple("Row", names) if named else None
        self._made: Callable[[Sequence[Any]], Any] | None = row._make if named else None
        self._compiled: dict[str, tuple[str, list[tuple[int, Callable[[Any], Any]]]]] = {}

    def __call__(self, session: Session, values: Collection[Any]) -> Sequence[Any]:
        """Return the rows of which the column is one of ``values``."""
        if not values:
            return ()
        if session.autoflush:
            session.flush()
        dialect = session.get_bind().dialect
        if dialect.name not in self._compiled:
            self._compiled[dialect.name] = self._compile(session)
        text, turned = self._compiled[dialect.name]
        connection = session.connection()
        cursor: Any = connection.connection.cursor()
        driver: Any = dialect.loaded_dbapi
        try:
            rows = cursor.execute(text, {"wanted": _wanted_values(session, values)}).fetchall()
        except driver.Error as error:
            raise sa.exc.DBAPIError.instance(text, None, error, driver.Error) from error
        finally:
            cursor.close()
        rows = [_turned(row, turned) for row in rows] if turned else rows
        return list(map(self._made, rows)) if self._made else rows

    def _compile(self, session: Session) -> tuple[str, list[tuple[int, Callable[[Any], Any]]]]:
        dialect = session.get_bind().dialect
        wanted, _given = any_of(session, self._column, ())
        compiled = self._statement.where(wanted).compile(dialect=_named(dialect))
        turns = [_turn_of(column.type, dialect) for column in self._statement.selected_columns]
        return str(compiled), [(place, turn) for place, turn in enumerate(turns) if turn]


def _turn_of(kind: Any, dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    """Return what makes our value of the driver's; None where they are the same."""
    turn: Callable[[Any], Any] | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    if turn is None or isinstance(kind, sa.String):
        return None
    if isinstance(kind, sa.JSON):
        return _from_json
    return lru_cache(4096)(turn) if kind.python_type is datetime else turn  # lists are full of a few moments


def _from_json(text: str | None) -> Any:
    # Most lists and mappings of a table are empty.
    return [] if text == "[]" else {} if text == "{}" else None if text is None else orjson.loads(text)


def _named(dialect: sa.Dialect) -> sa.Dialect:
    """Return the dialect with parameters by name, as the driver takes a mapping."""
    return sqlite.dialect(paramstyle="named") if dialect.name == "sqlite" else dialect


def _turned(row: Sequence[Any], turned: list[tuple[int, Callable[[Any], Any]]]) -> list[Any]:
    found = list(row)
    for place, turn in turned:
        found[place] = turn(found[place])
    return found


def any_of(
    session: Session, column: "sa.Column[Any]", values: Collection[Any]
) -> tuple["sa.ColumnElement[bool]", dict[str, Any]]:
    """Return the condition that ``column`` is one of ``values``, and the parameters to execute it with."""
    if _is_sqlite(session):
        listed = sa.func.json_each(sa.bindparam("wanted", type_=sa.String)).table_valued("value", name="listed")
        return column.in_(sa.select(listed.c.value)), {"wanted": _wanted_values(session, values)}
    given = {"wanted": _wanted_values(session, values)}
    return column == sa.any_(sa.bindparam("wanted", type_=sa.ARRAY(column.type))), given


def _wanted_values(session: Session, values: Collection[Any]) -> Any:
    return as_json(list(values)) if _is_sqlite(session) else list(values)


def insert(session: Session, table: sa.Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows given as tuples in the order of ``columns``."""
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    if _is_sqlite(session):
        marks = ", ".join("?" * len(columns))
        _many(session, f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', rows)  # noqa: S608
        return
    _copy(session, f'COPY "{table.name}" ({names}) FROM STDIN', rows)


def _copy(session: Session, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    connection = session.connection()
    cursor: Any = connection.connection.cursor()
    driver: Any = connection.dialect.loaded_dbapi
    try:
        with cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except driver.Error as error:
        # Callers know the errors of SQLAlchemy, whichever way a row takes.
        raise sa.exc.DBAPIError.instance(statement, None, error, driver.Error) from error


def update(session: Session, table: sa.Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Set ``columns`` of rows given as tuples whose last value is the row's id."""
    mark = _mark(session)
    wanted = ", ".join(f'"{name}" = {mark}' for name in columns)
    _many(session, f'UPDATE "{table.name}" SET {wanted} WHERE id = {mark}', rows)  # noqa: S608


def delete(session: Session, table: sa.Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Delete the rows that hold the given values in ``columns``."""
    mark = _mark(session)
    wanted = " AND ".join(f'"{name}" = {mark}' for name in columns)
    _many(session, f'DELETE FROM "{table.name}" WHERE {wanted}', rows)  # noqa: S608


def delete_ids(session: Session, table: sa.Table, ids: Iterable[int]) -> None:
    """Delete rows by id."""
    delete(session, table, ("id",), [(one,) for one in sorted(ids)])


def _many(session: Session, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        session.connection().exec_driver_sql(statement, [tuple(row) for row in rows])


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _mark(session: Session) -> str:
    return "?" if _is_sqlite(session) else "%s"
