"""What a page, a command or a job is handed: settings, database and clock."""

import socket
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.core.clock import Clock, SystemClock
from crm.core.config import Settings
from crm.core.db import Database
from crm.core.models import Instance


@dataclass
class Context:
    """The three things everything needs. Tests build it with a frozen clock."""

    settings: Settings
    db: Database
    clock: Clock


def host_name() -> str:
    """Return the name that identifies this machine in the instance row."""
    return socket.gethostname()


def open_context(settings: Settings) -> Context:
    """Open the database named in ``settings`` and the clock that belongs to it.

    In a demo the clock is shifted by the offset stored in the database, so that web, worker and command line agree.
    """
    db = Database(settings.database.url)
    return Context(settings=settings, db=db, clock=InstanceClock(db) if settings.demo.enabled else SystemClock())


class InstanceClock:
    """The machine's clock shifted by what the database says; read afresh each time, one primary-key look-up."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def now(self) -> datetime:
        with self.db.reading() as session:
            row = session.get(Instance, 1)
            offset = row.clock_offset if row else 0
        return SystemClock(timedelta(seconds=offset)).now()


def new_uid() -> str:
    """Return a new random identity, as stored in the instance row and in Message-IDs."""
    return str(uuid.uuid4())
