"""Deals, their way through the stages, exclusive contracts and tasks."""

from datetime import date, datetime
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
    signed_on: date | None = None
    note: str = ""
    created_at: datetime
    created_by: str = Field(max_length=254)


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
