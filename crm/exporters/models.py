"""Exporters, what they sell, where they exhibited and who looks after them."""

from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, UniqueConstraint

from crm.core.models import Versioned


class Exporter(Versioned, table=True):
    """A small exporter. ``names``: language → legal or trading name; ko and en are always there."""

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(max_length=32, unique=True)
    names: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    country: str = Field(default="KR", max_length=2)
    sector: str = Field(default="", max_length=64)
    address_ko: str = ""
    address_en: str = ""
    phone: str = Field(default="", max_length=32)
    website: str = Field(default="", max_length=255)
    privacy_url: str = Field(default="", max_length=255)
    contact_name_ko: str = Field(default="", max_length=100)
    contact_name_latin: str = Field(default="", max_length=100)
    contact_titles: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    sender_email: str = Field(max_length=254)
    active: bool = True
    created_at: datetime


class ProductLine(Versioned, table=True):
    """A line of products that letters offer and exclusive contracts name; lines form a tree by ``parent_id``."""

    __tablename__ = "product_line"
    __table_args__ = (UniqueConstraint("exporter_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    parent_id: int | None = Field(default=None, foreign_key="product_line.id")
    code: str = Field(max_length=32)
    names: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    keywords: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    hs_code: str = Field(default="", max_length=16)
    moq: int | None = None
    moq_units: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    lead_time_days: int | None = None
    incoterm: str = Field(default="", max_length=3)
    incoterm_place: str = Field(default="", max_length=64)
    price_from: Decimal | None = Field(default=None, max_digits=12, decimal_places=2)
    currency: str = Field(default="USD", max_length=3)
    price_valid_until: date | None = None
    certificates: list[str] = Field(default_factory=list, sa_type=sa.JSON)


class Catalogue(SQLModel, table=True):
    """A catalogue in one language, reached by a link (letters carry no heavy attachments)."""

    __table_args__ = (UniqueConstraint("product_line_id", "language"),)

    id: int | None = Field(default=None, primary_key=True)
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    product_line_id: int = Field(foreign_key="product_line.id")
    language: str = Field(max_length=8)
    title: str = Field(max_length=200)
    url: str = Field(max_length=500)


class StoredFile(SQLModel, table=True):
    """The bytes of documents, once each, by their SHA-256. They never change and nothing else stands beside them."""

    __tablename__ = "stored_file"

    sha256: str = Field(primary_key=True, max_length=64)
    size: int
    content: bytes


class Document(Versioned, table=True):
    """One version of a paper of an exporter: a catalogue, a price list, a certificate, a quotation or another.

    ``series`` names the paper of which this is a version (``documents.series_of``); ``number`` counts its versions from
    1. One of them is ``current`` at most: that which letters take; none is after the paper was withdrawn. The bytes
    stand in ``stored_file``. ``language`` is that of the paper, "" where it has none.
    """

    __table_args__ = (
        UniqueConstraint("exporter_id", "series", "number"),
        sa.Index(
            "uq_document_current",
            "exporter_id",
            "series",
            unique=True,
            sqlite_where=sa.text("current"),
            postgresql_where=sa.text("current"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    product_line_id: int | None = Field(default=None, foreign_key="product_line.id", index=True)
    kind: str = Field(max_length=16)
    language: str = Field(default="", max_length=8)
    title: str = Field(max_length=200)
    filename: str = Field(max_length=200)
    media_type: str = Field(max_length=100)
    size: int
    sha256: str = Field(max_length=64, foreign_key="stored_file.sha256", index=True)
    series: str = Field(max_length=300)
    number: int = 1
    current: bool = True
    withdrawn_at: datetime | None = None
    created_at: datetime
    created_by: str = Field(max_length=254)


class Exhibition(Versioned, table=True):
    """A show. ``ends_on`` is the last show day in Korea; day 0 of every follow-up."""

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(max_length=32, unique=True)
    names: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    venue: str = Field(default="KINTEX", max_length=100)
    starts_on: date
    ends_on: date


class Booth(SQLModel, table=True):
    """An exporter's stand at an exhibition."""

    __table_args__ = (UniqueConstraint("exhibition_id", "number"), UniqueConstraint("exhibition_id", "exporter_id"))

    id: int | None = Field(default=None, primary_key=True)
    exhibition_id: int = Field(foreign_key="exhibition.id", index=True)
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    number: str = Field(max_length=16)


class Member(SQLModel, table=True):
    """An SME user of a company."""

    __table_args__ = (UniqueConstraint("user_id", "exporter_id"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user_account.id", index=True, ondelete="CASCADE")
    exporter_id: int = Field(foreign_key="exporter.id", index=True)


class Assignment(SQLModel, table=True):
    """An advisor who looks after a company. ``languages`` empty: all of them."""

    __table_args__ = (UniqueConstraint("user_id", "exporter_id"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user_account.id", index=True, ondelete="CASCADE")
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    languages: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    since: datetime
