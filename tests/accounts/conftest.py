"""A fresh database and a clock that stands still."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session, SQLModel

from crm.accounts import models  # noqa: F401 - its tables
from crm.core.clock import FrozenClock
from crm.core.db import Database


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 11, 23, 0, 10, tzinfo=UTC))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    db = Database(f"sqlite:///{tmp_path}/ieum.sqlite3")
    tables = [table for name, table in SQLModel.metadata.tables.items() if name in NEEDED]
    SQLModel.metadata.create_all(db.engine, tables=tables)
    with db.writing() as session:
        yield session
    db.close()


NEEDED = ("event", "user_account", "web_session", "invitation", "sign_in_attempt")
