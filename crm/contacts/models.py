"""People, their organisations, what they consented to, what they refused, and where we met them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, UniqueConstraint

from crm.core.models import Versioned

CONTACT_FIELDS = (
    "full_name",
    "family_name",
    "given_name",
    "name_alt",
    "name_reading",
    "gender",
    "department",
    "title",
    "mobile",
    "phone",
    "fax",
    "other_phones",
    "website",
    "country",
    "city",
    "address",
    "postal_code",
    "language",
    "messengers",
    "tags",
)
"""Columns of a contact that lists fill in, in the order in which people are shown them."""
MANY = {"other_phones": list, "messengers": dict, "tags": list}
"""Those that hold several values."""


class Organisation(Versioned, table=True):
    """A buyer's company. ``match_key`` is the normalised name (with country) that imports look it up by.

    ``imported``: a list named it first; it goes when no list and nobody else does any more.
    """

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=500)
    name_alt: str = Field(default="", max_length=500)
    match_key: str = Field(max_length=500, index=True)
    country: str | None = Field(default=None, max_length=2)
    city: str = Field(default="", max_length=200)
    website: str = Field(default="", max_length=500)
    business: str = Field(default="", max_length=500)
    imported: bool = False
    created_at: datetime


class Contact(Versioned, table=True):
    """A person (or a company's shared mailbox when ``full_name`` is empty).

    Field names are the canonical ones of the import documentation. A contact is what its import records add up to
    (``merging``), except for the fields in ``edited``, which maps a field to when a human last changed it: such a value
    is never overwritten by a file. ``extra`` holds what has no column: other_names, alternatives, interests, notes,
    consents, answers to a booth's own questions. ``merged_into_id``: this person turned out to be another one; the row
    stays, empty-handed, so that the merge can be taken back.
    """

    __table_args__ = (
        sa.Index(
            "ix_contact_merged",
            "merged_into_id",
            sqlite_where=sa.text("merged_into_id IS NOT NULL"),
            postgresql_where=sa.text("merged_into_id IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int | None = Field(default=None, foreign_key="organisation.id", index=True)
    full_name: str = Field(default="", max_length=500)
    family_name: str = Field(default="", max_length=200)
    given_name: str = Field(default="", max_length=200)
    name_alt: str = Field(default="", max_length=500)
    name_reading: str = Field(default="", max_length=500)
    gender: str = Field(default="", max_length=1)
    department: str = Field(default="", max_length=500)
    title: str = Field(default="", max_length=500)
    mobile: str = Field(default="", max_length=40)
    phone: str = Field(default="", max_length=40)
    fax: str = Field(default="", max_length=40)
    other_phones: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    website: str = Field(default="", max_length=500)
    country: str | None = Field(default=None, max_length=2, index=True)
    city: str = Field(default="", max_length=200)
    address: str = ""
    postal_code: str = Field(default="", max_length=32)
    language: str = Field(default="", max_length=8)
    timezone: str = Field(default="", max_length=64)
    messengers: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    tags: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    extra: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    edited: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    merged_into_id: int | None = Field(default=None, foreign_key="contact.id")
    created_at: datetime


class EmailAddress(SQLModel, table=True):
    """An address of a contact, lower case, unique over all contacts; ``position`` 0 is the primary one.

    ``status``: ok or bounced (a hard bounce was read; see ``status_reason``).
    """

    __tablename__ = "email_address"

    id: int | None = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id", index=True, ondelete="CASCADE")
    address: str = Field(max_length=254, unique=True)
    position: int = 0
    status: str = Field(default="ok", max_length=16)
    status_reason: str = ""


class Lead(Versioned, table=True):
    """Person × exporter × exhibition: one talk at one booth, with what was said and asked for.

    ``requests`` holds facts out of catalogue, price_list, sample, quotation, meeting, certificate. ``notes`` are
    internal and never quoted in a letter.
    """

    __table_args__ = (UniqueConstraint("contact_id", "exporter_id", "exhibition_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id")
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    exhibition_id: int = Field(foreign_key="exhibition.id", index=True)
    product_line_id: int | None = Field(default=None, foreign_key="product_line.id")
    met_at: datetime | None = None
    met_time_known: bool = False
    booth: str = Field(default="", max_length=16)
    rating: int | None = None
    interests: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    requests: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    notes: str = ""
    captured_by: str = Field(default="", max_length=200)
    external_id: str = Field(default="", max_length=100)
    source: str = Field(default="", max_length=32)
    created_at: datetime = Field(index=True)


class Consent(SQLModel, table=True):
    """One recorded basis for writing to a person, with its evidence (a row is never changed, only withdrawn).

    ``basis`` is a basis code of mail-rules.yaml. ``exporter_id`` None: the wording named all exhibitors of the show.
    ``evidence``: file, row, wording, column, note: whatever proves it. ``derived``: computed from the records of lists
    and computed again with them; it can never lift an opt-out.
    """

    id: int | None = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id", index=True, ondelete="CASCADE")
    exporter_id: int | None = Field(default=None, foreign_key="exporter.id")
    basis: str = Field(max_length=40)
    given_at: datetime
    expires_at: datetime | None = None
    source: str = Field(max_length=40)
    evidence: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    recorded_at: datetime
    recorded_by: str = Field(max_length=254)
    withdrawn_at: datetime | None = None
    derived: bool = False


class Suppression(SQLModel, table=True):
    """An address that must not be written to, by one exporter or (``exporter_key`` 0) by anyone.

    It is keyed by the address, not the contact, so that it survives re-import, merge and undo.
    ``reason``: opt_out, hard_bounce, complaint, manual.
    """

    __table_args__ = (UniqueConstraint("address", "exporter_key"),)

    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(max_length=254, index=True)
    exporter_key: int = 0
    reason: str = Field(max_length=32)
    source: str = Field(default="", max_length=64)
    evidence: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    at: datetime
    by: str = Field(max_length=254)
