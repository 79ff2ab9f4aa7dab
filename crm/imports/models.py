"""What was imported, row by row, and what each row changed: enough to explain every value and to undo a batch."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, UniqueConstraint


class ImportBatch(SQLModel, table=True):
    """One file taken in. ``status``: done, undone, partly_undone."""

    __tablename__ = "import_batch"

    id: int | None = Field(default=None, primary_key=True)
    filename: str = Field(max_length=255)
    sha256: str = Field(max_length=64, index=True)
    exhibition_id: int = Field(foreign_key="exhibition.id", index=True)
    exporter_id: int | None = Field(default=None, foreign_key="exporter.id")
    home_country: str = Field(default="", max_length=2)
    profile: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    counts: dict[str, int] = Field(default_factory=dict, sa_type=sa.JSON)
    status: str = Field(default="done", max_length=16)
    created_at: datetime
    created_by: str = Field(max_length=254)
    undone_at: datetime | None = None
    undone_by: str = Field(default="", max_length=254)


class ImportRow(SQLModel, table=True):
    """One row of the file and what became of it: ``outcome`` is added, merged, unchanged or refused."""

    __tablename__ = "import_row"
    __table_args__ = (UniqueConstraint("batch_id", "sheet", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    batch_id: int = Field(foreign_key="import_batch.id", index=True, ondelete="CASCADE")
    sheet: str = Field(default="", max_length=100)
    number: int
    outcome: str = Field(max_length=16)
    contact_id: int | None = Field(default=None, index=True)
    messages: list[dict[str, Any]] = Field(default_factory=list, sa_type=sa.JSON)
    raw: list[Any] = Field(default_factory=list, sa_type=sa.JSON)


class ImportChange(SQLModel, table=True):
    """One value that a batch wrote: provenance of the value, and what undo puts back.

    ``before`` None with ``created`` True: the whole row was made by this batch.
    """

    __tablename__ = "import_change"
    __table_args__ = (sa.Index("ix_import_change_target", "target", "target_id"),)

    id: int | None = Field(default=None, primary_key=True)
    batch_id: int = Field(foreign_key="import_batch.id", index=True, ondelete="CASCADE")
    row_id: int = Field(foreign_key="import_row.id", index=True, ondelete="CASCADE")
    target: str = Field(max_length=32)
    target_id: int
    field: str = Field(default="", max_length=64)
    created: bool = False
    before: Any = Field(default=None, sa_type=sa.JSON)
    after: Any = Field(default=None, sa_type=sa.JSON)


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
