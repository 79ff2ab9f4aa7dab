"""Writing and reading the event log. Nothing ever changes or removes a line of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, select

from crm.core import bulk
from crm.core.models import Event

SYSTEM = "system"


def record(
    session: Session,
    verb: str,
    subject: str,
    subject_id: int | None,
    *,
    at: datetime,
    actor: str = SYSTEM,
    exporter_id: int | None = None,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> Event:
    """Append one line to the log and return it.

    ``verb`` is a past participle in snake case (``letter_approved``); ``subject`` is a table name; ``actor`` is the
    e-mail address of the person or ``system``; ``exporter_id`` scopes the line for SME and advisor viewers.
    """
    if subject_id is None:
        raise ValueError("flush the row before recording an event about it")
    event = Event(
        at=at,
        actor=actor,
        verb=verb,
        subject=subject,
        subject_id=subject_id,
        exporter_id=exporter_id,
        reason=reason,
        data=data or {},
    )
    session.add(event)
    return event


def record_many(
    session: Session,
    verb: str,
    subject: str,
    subjects: Sequence[tuple[int, int | None]],
    *,
    at: datetime,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Append the same line for many rows, given as (id, exporter id), in the name of the system."""
    table: sa.Table = Event.__table__  # type: ignore[attr-defined]
    columns = ("at", "actor", "verb", "subject", "subject_id", "exporter_id", "reason", "data")
    moment, text = bulk.moment_of(session, table.c.at)(at), bulk.as_json(data or {})
    rows = [(moment, SYSTEM, verb, subject, one, exporter_id, reason, text) for one, exporter_id in subjects]
    bulk.insert(session, table, columns, rows)


def history(session: Session, subject: str, subject_id: int) -> list[Event]:
    """Return the log lines of one row, oldest first."""
    found = select(Event).where(Event.subject == subject, Event.subject_id == subject_id).order_by(Event.id)  # type: ignore[arg-type]
    return list(session.exec(found))
