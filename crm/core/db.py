"""Sessions on SQLite or PostgreSQL. Nothing outside this file knows which of the two it is.

One request or job is one transaction, opened and closed at its edge: ``with db.writing() as session``. Rooms add and
flush, they never commit. Delivery is the exception, and says so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlmodel import Session

log = structlog.get_logger()

SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "busy_timeout=15000",
    "foreign_keys=ON",
    "cache_size=-16000",
)


def _dumps(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


_JSON: dict[str, Any] = {"json_serializer": _dumps, "json_deserializer": orjson.loads}


def _make_engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=10, **_JSON)
    parsed = sa.make_url(url)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": 15, "check_same_thread": False}, **_JSON)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        # pysqlite begins no transaction for SELECT or DDL by itself; we begin all of them (SQLAlchemy's recipe).
        connection.isolation_level = None
        for pragma in SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {kind}")

    return engine


class Database:
    """A database by its SQLAlchemy address, e.g. ``sqlite:///var/ieum.sqlite3`` or ``postgresql:///ieum``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _make_engine(url)
        # A reader that later writes under a deferred BEGIN meets "database is locked" in spite of busy_timeout,
        # so writers take the lock at once. On PostgreSQL the option means nothing.
        self._write_engine = self.engine.execution_options(sqlite_begin="IMMEDIATE")

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session whose changes are thrown away. Rows read in it can still be looked at afterwards."""
        with Session(self.engine, expire_on_commit=False) as session:
            try:
                yield session
            finally:
                session.expunge_all()  # a rollback would make the rows forget what was read
                session.rollback()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session that is committed when the block ends, and rolled back when it raises."""
        with Session(self._write_engine, expire_on_commit=False) as session:
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise

    def close(self) -> None:
        self.engine.dispose()


def alone(session: Session, what: str) -> None:
    """Let only one transaction at a time do ``what``, until it ends. On SQLite a writer is alone already."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(what))))


@contextmanager
def one_of_many(session: Session, failed: str, **about: object) -> Iterator[None]:
    """Do one piece of a batch in a savepoint: if the program stumbles over it, it is logged and the others go on.

    Trouble of the database itself (a lost connection, a deadlock) is not the piece's fault and is raised.
    """
    try:
        with session.begin_nested():
            yield
    except Exception as error:
        if isinstance(error, SQLAlchemyError) and not isinstance(error, DataError | IntegrityError):
            raise
        log.exception(failed, **about)
