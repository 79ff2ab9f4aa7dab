"""The schema is what the migrations make, on both databases, and an old database keeps its rows."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from crm import migrations
from crm.core.db import Database
from crm.review.models import Approval
from crm.tables import metadata
from tests.conftest import NOW
from tests.postroom import build, drafted, met


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


def row_counts(db: Database) -> dict[str, int]:
    with db.engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        count = "SELECT COUNT(*) FROM {}"
        return {name: connection.execute(sa.text(count.format(name))).scalar_one() for name in tables}


def test_an_old_database_is_upgraded_with_its_rows(db: Database, session: Session) -> None:
    world = build(session)
    for name in ("Lucia", "Misaki"):
        draft = drafted(session, met(session, world, name))
        session.add(Approval(draft_id=draft.id, content_hash="x", approved_by="a", approved_at=NOW, send_at=NOW))
    session.commit()
    migrations.downgrade(db, "0001")
    before = row_counts(db)
    migrations.upgrade(db, "0002")
    assert row_counts(db) == before
    assert before["approval"] == 2


def test_two_standing_approvals_of_an_old_program_become_one(db: Database, session: Session) -> None:
    draft = drafted(session, met(session, build(session), "Lucia"))
    session.commit()
    migrations.downgrade(db, "0001")
    for _ in range(2):
        session.add(Approval(draft_id=draft.id, content_hash="x", approved_by="a", approved_at=NOW, send_at=NOW))
    session.commit()
    migrations.upgrade(db)
    rows = session.exec(select(Approval).order_by(col(Approval.id))).all()
    for row in rows:
        session.refresh(row)
    assert [row.revoked_at is None for row in rows] == [False, True]


def test_a_draft_cannot_be_approved_twice_at_once(session: Session) -> None:
    draft = drafted(session, met(session, build(session), "Lucia"))
    for _ in range(2):
        session.add(Approval(draft_id=draft.id, content_hash="x", approved_by="a", approved_at=NOW, send_at=NOW))
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def test_rebuilding_a_parent_table_keeps_its_children(sqlite_db: Database) -> None:
    """SQLite's batch mode drops the old table; with foreign keys on, that empties whatever cascades from it."""
    with sqlite_db.writing() as session:
        met(session, build(session), "Lucia")
    before = row_counts(sqlite_db)["email_address"]

    def widen(connection: sa.Connection) -> None:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("contact", recreate="always") as table:
            table.alter_column("title", type_=sa.String(600))

    migrations.run(sqlite_db, widen)
    assert before == 1
    assert row_counts(sqlite_db)["email_address"] == before


def test_an_empty_database_is_at_no_version(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    assert migrations.current(db) is None
    db.close()


def test_foreign_keys_are_on_for_the_application(sqlite_db: Database) -> None:
    with sqlite_db.engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA foreign_keys")).scalar() == 1
