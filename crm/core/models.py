"""Tables of the house itself: which copy of the database this is, and what happened in it."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

# Constraint names must be the same on every database, or migrations cannot find them again.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Versioned(SQLModel):
    """Optimistic lock for rows that people edit: a stale write raises ``StaleDataError``."""

    version: int | None = Field(default=None, nullable=False, sa_type=sa.Integer)

    @sa.orm.declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805
        return {"version_id_col": cls.__table__.c.version}  # type: ignore[attr-defined]


class Instance(SQLModel, table=True):
    """The single row that says which copy of the database this is and whether it may send.

    ``host`` is where sending was last confirmed; a copy restored elsewhere sees a different host and stays paused
    until a person confirms. ``clock_offset`` (seconds) is only ever non-zero in a demo.
    """

    id: int = Field(default=1, primary_key=True)
    uid: str = Field(max_length=36)
    host: str = Field(default="", max_length=255)
    sending_paused: bool = False
    paused_reason: str = ""
    demo: bool = False
    clock_offset: int = 0
    created_at: datetime


class Event(SQLModel, table=True):
    """One line of the append-only log: who did what to which row, when and why."""

    __table_args__ = (sa.Index("ix_event_subject", "subject", "subject_id"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True)
    actor: str = Field(max_length=255)
    verb: str = Field(max_length=64, index=True)
    subject: str = Field(max_length=32)
    subject_id: int
    exporter_id: int | None = Field(default=None, index=True)
    reason: str = ""
    data: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
