"""The outbox: one narrow row per approved letter, and one line per attempt to send it."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel


class Outbox(SQLModel, table=True):
    """The way of one letter out of the house.

    ``status``: queued, sending (claimed, committed), sent, bounced (refused for good, now or later), withheld
    (clearance said no at the last moment), uncertain (the body was offered, no answer is known: a person decides),
    cancelled.
    ``offered_at`` is committed before DATA: what a crash leaves in ``sending`` without it goes back to ``queued``.
    """

    __table_args__ = (sa.Index("ix_outbox_due", "status", "due_at"),)

    id: int | None = Field(default=None, primary_key=True)
    approval_id: int = Field(foreign_key="approval.id", unique=True)
    draft_id: int = Field(foreign_key="draft.id", index=True)
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    recipient: str = Field(max_length=254, index=True)
    envelope_sender: str = Field(max_length=254)
    status: str = Field(default="queued", max_length=16)
    reason: str = ""
    due_at: datetime
    attempts: int = 0
    worker: str = Field(default="", max_length=64)
    lease_until: datetime | None = None
    offered_at: datetime | None = None
    sent_at: datetime | None = None


class Attempt(SQLModel, table=True):
    """One SMTP dialogue and the server's answer.

    ``outcome``: accepted, temporary, permanent, not_offered, uncertain.
    """

    id: int | None = Field(default=None, primary_key=True)
    outbox_id: int = Field(foreign_key="outbox.id", index=True)
    at: datetime
    outcome: str = Field(max_length=16)
    code: int | None = None
    answer: str = ""
