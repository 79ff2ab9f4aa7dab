"""Mail that came in, what it was taken for, which letter it answers and why we think so."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, UniqueConstraint


class Mailbox(SQLModel, table=True):
    """How far a folder has been read (RFC 3501: UIDs are only comparable under one UIDVALIDITY)."""

    name: str = Field(primary_key=True, max_length=255)
    uidvalidity: int = 0
    last_uid: int = 0
    read_at: datetime | None = None


class InboxMessage(SQLModel, table=True):
    """One received mail, raw bytes kept. ``kind``: reply, auto_reply, out_of_office, bounce, complaint, opt_out, other.

    ``matched_by``: token, message_id, address or nothing; ``evidence`` holds what was found.
    """

    __tablename__ = "inbox_message"
    __table_args__ = (UniqueConstraint("mailbox", "uidvalidity", "uid"), UniqueConstraint("digest"))

    id: int | None = Field(default=None, primary_key=True)
    mailbox: str = Field(max_length=255)
    uidvalidity: int
    uid: int
    digest: str = Field(max_length=64)
    message_id: str = Field(default="", max_length=998, index=True)
    from_address: str = Field(default="", max_length=320)
    from_name: str = ""
    subject: str = ""
    date: datetime | None = None
    received_at: datetime = Field(index=True)
    kind: str = Field(max_length=16, index=True)
    text: str = ""
    outbox_id: int | None = Field(default=None, foreign_key="outbox.id", index=True)
    lead_id: int | None = Field(default=None, foreign_key="lead.id", index=True)
    exporter_id: int | None = Field(default=None, foreign_key="exporter.id", index=True)
    contact_id: int | None = Field(default=None, foreign_key="contact.id", index=True)
    matched_by: str = Field(default="", max_length=16)
    evidence: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    handled_at: datetime | None = None
    handled_by: str = Field(default="", max_length=254)
    raw: bytes
