"""Deals, their way through the stages, exclusive contracts and tasks."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, UniqueConstraint

from crm.core.models import Versioned


class Deal(Versioned, table=True):
    """One exporter × one buyer company × one product line, at one stage. ``turn``: us, buyer or advisor."""

    __table_args__ = (UniqueConstraint("exporter_id", "organisation_id", "product_line_id"),)

    id: int | None = Field(default=None, primary_key=True)
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    organisation_id: int = Field(foreign_key="organisation.id", index=True)
    product_line_id: int = Field(foreign_key="product_line.id", index=True)
    contact_id: int = Field(foreign_key="contact.id", index=True)
    stage: str = Field(default="lead", max_length=32, index=True)
    stage_since: datetime
    turn: str = Field(default="us", max_length=16)
    next_step: str = ""
    lost_reason: str = Field(default="", max_length=32)
    created_at: datetime


class DealLead(SQLModel, table=True):
    """A lead belongs to exactly one deal; a deal may have several leads (colleagues, further shows)."""

    __tablename__ = "deal_lead"

    lead_id: int = Field(primary_key=True, foreign_key="lead.id", ondelete="CASCADE")
    deal_id: int = Field(foreign_key="deal.id", index=True)


class StageMove(SQLModel, table=True):
    """One move of a deal: who, when, why, and what proves it."""

    __tablename__ = "stage_move"

    id: int | None = Field(default=None, primary_key=True)
    deal_id: int = Field(foreign_key="deal.id", index=True)
    from_stage: str = Field(max_length=32)
    to_stage: str = Field(max_length=32)
    at: datetime
    by: str = Field(max_length=254)
    reason: str = ""
    evidence: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)


class ExclusiveContract(Versioned, table=True):
    """Product lines × countries × term promised to one partner.

    ``kind``: exclusive, sole, non_exclusive. ``status``: offered, signed, ended. ``territory``: ISO 3166-1 codes.
    ``minimum`` is what was said about the least that is bought, in words; ``minimum_…`` the same a year as figures, as
    far as they are known, which letters write in the reader's way.
    """

    __tablename__ = "exclusive_contract"

    id: int | None = Field(default=None, primary_key=True)
    deal_id: int = Field(foreign_key="deal.id", index=True)
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    organisation_id: int = Field(foreign_key="organisation.id", index=True)
    product_line_id: int = Field(foreign_key="product_line.id", index=True)
    kind: str = Field(default="exclusive", max_length=16)
    status: str = Field(default="offered", max_length=16)
    territory: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    starts_on: date
    ends_on: date
    reserved_until: date | None = None
    minimum: str = ""
    minimum_quantity: int | None = None
    minimum_unit: str = Field(default="", max_length=32)
    minimum_amount: Decimal | None = Field(default=None, max_digits=14, decimal_places=2)
    minimum_currency: str = Field(default="", max_length=3)
    signed_on: date | None = None
    note: str = ""
    created_at: datetime
    created_by: str = Field(max_length=254)


class Quotation(Versioned, table=True):
    """An offer at fixed prices, under a number that the exporter gives once.

    ``lines``: list of {item, hs_code, quantity, unit, unit_price}; figures are texts, so that they stay exact.
    ``state``: draft, sent or expired. ``payment``: a code of ``papering.PAYMENTS``. ``packing``: language → text.
    ``document_id``: the signed paper, a PDF that goes along.
    """

    __table_args__ = (UniqueConstraint("exporter_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    deal_id: int = Field(foreign_key="deal.id", index=True)
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    number: str = Field(max_length=40)
    issued_on: date
    valid_until: date
    currency: str = Field(max_length=3)
    incoterm: str = Field(default="", max_length=3)
    incoterm_place: str = Field(default="", max_length=64)
    lead_time_days: int | None = None
    payment: str = Field(default="other", max_length=16)
    packing: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    lines: list[dict[str, str]] = Field(default_factory=list, sa_type=sa.JSON)
    state: str = Field(default="draft", max_length=16)
    document_id: int | None = Field(default=None, foreign_key="document.id")
    created_at: datetime
    created_by: str = Field(max_length=254)


class MeetingProposal(Versioned, table=True):
    """Times proposed for a talk about a deal, or to a lead that has none yet; ``slots`` are moments in UTC (ISO 8601).

    ``chosen_at``: the slot that was agreed. ``sequence`` counts the changes, as calendars want it.
    """

    __tablename__ = "meeting_proposal"

    id: int | None = Field(default=None, primary_key=True)
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    deal_id: int | None = Field(default=None, foreign_key="deal.id", index=True)
    lead_id: int | None = Field(default=None, foreign_key="lead.id", index=True, ondelete="CASCADE")
    slots: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    minutes: int
    place: str = Field(default="", max_length=300)
    online: bool = False
    chosen_at: datetime | None = None
    sequence: int = 0
    changed_at: datetime
    changed_by: str = Field(max_length=254)


class NegotiationPoint(Versioned, table=True):
    """One point of a negotiation. ``kind``: agreed, open or proposal. ``texts``: language → text, Korean among them.

    ``until``: the last day on which a proposal holds.
    """

    __tablename__ = "negotiation_point"

    id: int | None = Field(default=None, primary_key=True)
    deal_id: int = Field(foreign_key="deal.id", index=True)
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    kind: str = Field(max_length=16)
    texts: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    until: date | None = None
    changed_at: datetime
    changed_by: str = Field(max_length=254)


class Task(Versioned, table=True):
    """Something a person has to do. ``assignee``: advisor, sme or staff.

    ``kind``: call, answer, sample, tracking, quotation, check, other. ``origin`` makes a task unique, e.g. "step:12".
    """

    id: int | None = Field(default=None, primary_key=True)
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    deal_id: int | None = Field(default=None, foreign_key="deal.id", index=True)
    lead_id: int | None = Field(default=None, foreign_key="lead.id")
    origin: str | None = Field(default=None, max_length=64, unique=True)
    kind: str = Field(max_length=16)
    assignee: str = Field(default="advisor", max_length=16)
    title: str
    due_at: datetime | None = Field(default=None, index=True)
    done_at: datetime | None = None
    done_by: str = Field(default="", max_length=254)
    note: str = ""
    created_at: datetime
