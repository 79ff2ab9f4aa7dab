"""Advisors' decisions: approvals bound to the exact letter, and everything else that was decided about a draft."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel


class Approval(SQLModel, table=True):
    """A person's yes to one exact letter. It can be taken back until ``taken_at`` is set by delivery.

    ``content_hash`` is the SHA-256 over subject, blocks, recipient, sender and language as they were read.
    ``send_at`` is the first moment it may leave (hold over, inside the allowed window). The database itself sees to it
    that a draft has one standing approval at most.
    """

    __table_args__ = (
        sa.Index(
            "uq_approval_standing",
            "draft_id",
            unique=True,
            sqlite_where=sa.text("revoked_at IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    draft_id: int = Field(foreign_key="draft.id", index=True)
    content_hash: str = Field(max_length=64)
    approved_by: str = Field(max_length=254)
    approved_at: datetime
    send_at: datetime = Field(index=True)
    acknowledged: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    revoked_at: datetime | None = None
    revoked_by: str = Field(default="", max_length=254)
    taken_at: datetime | None = None


class Message(SQLModel, table=True):
    """The bytes of an approved letter, composed once; sending renders nothing.

    Kept apart from the narrow state rows, which are updated often. In ``raw`` a mark with its SHA-256 stands for each
    document that goes along (``letters.bytes_of`` puts them in); ``sha256`` and ``size`` are those of the whole mail.
    """

    approval_id: int = Field(primary_key=True, foreign_key="approval.id")
    message_id: str = Field(max_length=255, unique=True)
    token: str = Field(max_length=64, unique=True)
    from_address: str = Field(max_length=254)
    recipient: str = Field(max_length=254)
    subject: str = Field(max_length=500)
    text: str
    html: str
    raw: bytes
    sha256: str = Field(max_length=64)
    size: int = 0


class LetterDocument(SQLModel, table=True):
    """A document that an approved letter carried (``how`` file) or linked to (link): where each is used."""

    __tablename__ = "letter_document"

    approval_id: int = Field(primary_key=True, foreign_key="approval.id")
    document_id: int = Field(primary_key=True, foreign_key="document.id", index=True)
    how: str = Field(max_length=8)


class Decision(SQLModel, table=True):
    """Anything else decided about a draft. ``kind``: edited, postponed, returned, taken_back, handed_over."""

    id: int | None = Field(default=None, primary_key=True)
    draft_id: int = Field(foreign_key="draft.id", index=True)
    kind: str = Field(max_length=16)
    by: str = Field(max_length=254)
    at: datetime
    reason: str = ""
    until: datetime | None = None
    data: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
