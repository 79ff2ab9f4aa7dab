"""The schema is what the migrations make, on both databases, and an old database keeps its rows."""

from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from crm import migrations
from crm.core.db import Database
from crm.tables import metadata


def test_the_migrated_schema_is_that_of_the_models(db: Database) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_all_migrations_can_be_undone_and_done_again(db: Database) -> None:
    migrations.downgrade(db, "base")
    migrations.upgrade(db)
    assert migrations.current(db) == migrations.newest()


def test_upgrading_twice_changes_nothing(sqlite_db: Database) -> None:
    migrations.upgrade(sqlite_db)
    assert migrations.current(sqlite_db) == migrations.newest()


def test_an_empty_database_is_at_no_version(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    assert migrations.current(db) is None
    db.close()


def test_foreign_keys_are_on_for_the_application(sqlite_db: Database) -> None:
    with sqlite_db.engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA foreign_keys")).scalar() == 1
