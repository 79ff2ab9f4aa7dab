"""Brings a database to the newest schema, keeping its rows.

In: a database of any earlier version, or an empty one. Out: the newest schema. Never drops a value silently.
"""

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from crm.core.db import Database


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def newest() -> str:
    """Return the revision that this version of the program wants."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise RuntimeError("the project has no migrations")
    return head


def current(db: Database) -> str | None:
    """Return the revision the database is at; None for an empty one."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(db: Database, revision: str = "head") -> None:
    """Run every missing migration. On SQLite each runs with foreign keys off, then all keys are checked.

    Batch migrations rebuild a table; with foreign keys on, that would empty every table that cascades from it.
    """
    run(db, lambda connection: command.upgrade(_config(connection), revision))


def downgrade(db: Database, revision: str) -> None:
    """Step back to ``revision``; used by tests and by a person who must return to an older program."""
    run(db, lambda connection: command.downgrade(_config(connection), revision))


def run(db: Database, action: Callable[[sa.Connection], None]) -> None:
    """Run a change of the schema in one transaction, on SQLite with foreign keys off and checked afterwards."""
    if not db.is_sqlite:
        with db.engine.begin() as connection:
            action(connection)
        return
    # An engine of its own: the pragma means nothing inside a transaction, so it is set as the connection opens.
    engine = sa.create_engine(db.url)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.commit()
            action(connection)
            connection.commit()
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"migration left broken references: {broken[:5]}")
    finally:
        engine.dispose()
