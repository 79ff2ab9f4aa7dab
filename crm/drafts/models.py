"""Drafts: one letter in one language to one person, with the Korean rendering the reviewer reads."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field

from crm.core.models import Versioned


class Draft(Versioned, table=True):
    """A letter that waits for an advisor.

    ``status``: held (facts are missing, nothing is written yet), waiting (to be reviewed), approved, returned,
    cancelled (the enrolment ended), sent. ``held_for``: list of {placeholder, where}, what a held draft lacks and the
    page on which it is filled in; ``looked_at``: when it was last looked for.
    ``blocks``: list of {id, text, marked, ko, ko_marked, template_text, edited_by, edited_at, ko_note}, in the letter's
    order; ``text`` is Markdown, ``template_text`` stands in what was changed by hand only. ``planned_at`` is the slot
    the workflow wants; ``wait_until`` is set by "later".
    ``variant`` names the file that wrote the letter where it is a region's (es-ES); ``turn`` is the place of the buyer
    among the people of the firm to whom the exporter writes after this exhibition: it chooses among wordings.
    ``enclosed``: list of ``enclosures.Enclosed``, the files and links that go along, of which the text speaks.
    """

    __table_args__ = (sa.Index("ix_draft_queue", "status", "planned_at"),)

    id: int | None = Field(default=None, primary_key=True)
    step_id: int | None = Field(default=None, foreign_key="step.id", unique=True)
    lead_id: int = Field(foreign_key="lead.id", index=True)
    contact_id: int = Field(foreign_key="contact.id", index=True)
    exporter_id: int = Field(foreign_key="exporter.id", index=True)
    exhibition_id: int = Field(foreign_key="exhibition.id", index=True)
    deal_id: int | None = Field(default=None, foreign_key="deal.id", index=True)
    product_line_id: int | None = Field(default=None, foreign_key="product_line.id")
    letter: str = Field(max_length=64)
    letter_version: str = Field(max_length=64)
    language: str = Field(max_length=8)
    variant: str = Field(default="", max_length=16)
    turn: int = 0
    recipient: str = Field(max_length=254)
    recipient_name: str = Field(default="", max_length=500)
    subject: str = Field(max_length=500)
    subject_ko: str = Field(default="", max_length=500)
    subject_template: str = Field(default="", max_length=500)
    blocks: list[dict[str, Any]] = Field(default_factory=list, sa_type=sa.JSON)
    enclosed: list[dict[str, Any]] = Field(default_factory=list, sa_type=sa.JSON)
    in_reply_to: str = Field(default="", max_length=255)
    status: str = Field(default="waiting", max_length=16)
    status_reason: str = ""
    held_for: list[dict[str, str]] = Field(default_factory=list, sa_type=sa.JSON)
    looked_at: datetime | None = None
    planned_at: datetime
    wait_until: datetime | None = None
    created_at: datetime
