"""What was imported, row by row. Rows are immutable; people are computed from them and from what humans edited."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, UniqueConstraint


class ImportBatch(SQLModel, table=True):
    """One file taken in. ``status``: done, undone, partly_undone. ``kind``: registration, badge_scan, card or list."""

    __tablename__ = "import_batch"

    id: int | None = Field(default=None, primary_key=True)
    filename: str = Field(max_length=255)
    sha256: str = Field(max_length=64, index=True)
    exhibition_id: int = Field(foreign_key="exhibition.id", index=True)
    exporter_id: int | None = Field(default=None, foreign_key="exporter.id")
    home_country: str = Field(default="", max_length=2)
    kind: str = Field(default="list", max_length=16)
    profile: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    counts: dict[str, int] = Field(default_factory=dict, sa_type=sa.JSON)
    status: str = Field(default="done", max_length=16)
    created_at: datetime
    created_by: str = Field(max_length=254)
    undone_at: datetime | None = None
    undone_by: str = Field(default="", max_length=254)


class ImportRow(SQLModel, table=True):
    """One row of a file: what it said (``raw``), what was read out of it (``facts``), and what became of it.

    ``outcome`` is added, merged, unchanged, refused, or (without a batch) baseline: what was known of a person before
    the first list named them. ``stands``: the row counts; false for refused rows and after an undo. ``facts`` are
    canonical fields, nothing empty; ``raw`` the cells by position, without what must never be stored.
    """

    __tablename__ = "import_row"
    __table_args__ = (UniqueConstraint("batch_id", "sheet", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    batch_id: int | None = Field(default=None, foreign_key="import_batch.id", ondelete="CASCADE")
    sheet: str = Field(default="", max_length=100)
    number: int
    outcome: str = Field(max_length=16)
    stands: bool = False
    contact_id: int | None = Field(default=None, foreign_key="contact.id", index=True, ondelete="SET NULL")
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    messages: list[dict[str, Any]] = Field(default_factory=list, sa_type=sa.JSON)
    raw: list[Any] = Field(default_factory=list, sa_type=sa.JSON)


class IdentityKey(SQLModel, table=True):
    """A key under which a contact is found again, and the firm it is about; derived.

    The key is the checksum of one of ``contacts.rules.keys``: numbers stand closer together than texts, and two keys
    with one checksum cost a look at one stranger, no more.
    """

    __tablename__ = "identity_key"
    __table_args__ = ({"sqlite_with_rowid": False},)

    key: int = Field(primary_key=True, sa_type=sa.BigInteger)
    contact_id: int = Field(primary_key=True)
    firm: str = Field(default="", max_length=500)


class DuplicatePair(SQLModel, table=True):
    """Two contacts who may be one person. ``status``: open, later, different or merged; an answer is never asked again.

    ``one_id`` is the smaller id. ``why``: name, mailbox or mobile. ``batch_id``: the list that raised the question.
    """

    __tablename__ = "duplicate_pair"
    __table_args__ = (UniqueConstraint("one_id", "other_id"),)

    id: int | None = Field(default=None, primary_key=True)
    one_id: int = Field(foreign_key="contact.id", ondelete="CASCADE")
    other_id: int = Field(foreign_key="contact.id", index=True, ondelete="CASCADE")
    why: str = Field(max_length=16)
    status: str = Field(default="open", max_length=16, index=True)
    batch_id: int | None = Field(default=None, foreign_key="import_batch.id", index=True, ondelete="CASCADE")
    decided_at: datetime | None = None
    decided_by: str = Field(default="", max_length=254)


class ContactMerge(SQLModel, table=True):
    """Two contacts joined into one, by a person or (``batch_id``) because a list proved it. Can be taken back.

    ``moved``: [table, column, row id] of everything that changed hands. ``before``: the values and edits of the kept
    contact that the merge's choices replaced.
    """

    __tablename__ = "contact_merge"

    id: int | None = Field(default=None, primary_key=True)
    kept_id: int = Field(foreign_key="contact.id", index=True, ondelete="CASCADE")
    gone_id: int = Field(foreign_key="contact.id", index=True, ondelete="CASCADE")
    batch_id: int | None = Field(default=None, foreign_key="import_batch.id", index=True, ondelete="CASCADE")
    moved: list[Any] = Field(default_factory=list, sa_type=sa.JSON)
    before: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    at: datetime
    by: str = Field(max_length=254)
    undone_at: datetime | None = None
    undone_by: str = Field(default="", max_length=254)


class SavedMapping(SQLModel, table=True):
    """How the columns of one kind of list were mapped by a person; found again by the headers' fingerprint."""

    __tablename__ = "saved_mapping"

    fingerprint: str = Field(primary_key=True, max_length=64)
    columns: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    used_at: datetime
    used_by: str = Field(max_length=254)


class Upload(SQLModel, table=True):
    """A file that staff have uploaded and not yet imported; each step of the wizard has an address by its id."""

    id: int | None = Field(default=None, primary_key=True)
    filename: str = Field(max_length=255)
    sha256: str = Field(max_length=64)
    content: bytes
    exhibition_id: int | None = Field(default=None, foreign_key="exhibition.id")
    exporter_id: int | None = Field(default=None, foreign_key="exporter.id")
    home_country: str = Field(default="", max_length=2)
    options: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    batch_id: int | None = Field(default=None, foreign_key="import_batch.id")
    created_at: datetime
    created_by: str = Field(max_length=254)
