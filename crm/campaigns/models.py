"""Campaigns, the workflow versions they run, who is enrolled and which step is due when. The rows are the schedule."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel, UniqueConstraint

from crm.core.models import Versioned

WAITS = sa.text("status = 'waiting'")
"""The condition of the index of what is due. Queries have to say it in the same words, or the index is not used."""


FOLLOWED = sa.text("status = 'active'")
MADE = sa.text("status = 'taken' AND kind = 'task'")
"""The conditions of the indexes of follow-ups that will end, and of tasks that a person has still to do."""


class WorkflowVersion(SQLModel, table=True):
    """The text of a workflow file by its content hash; leads in flight keep the version they started with."""

    __tablename__ = "workflow_version"

    sha256: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=64, index=True)
    text: str
    created_at: datetime


class WorkflowSave(SQLModel, table=True):
    """A workflow as somebody saved it in the browser; the highest ``number`` of a name is the one in use.

    ``file_sha256`` is what the file held at the time
    (empty: there was none), so that a later change of the file can be told. The same number cannot be saved twice.
    """

    __tablename__ = "workflow_save"
    __table_args__ = (UniqueConstraint("name", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=64)
    number: int
    sha256: str = Field(foreign_key="workflow_version.sha256", max_length=64)
    file_sha256: str = Field(default="", max_length=64)
    saved_at: datetime
    saved_by: str = Field(max_length=254)
    why: str = ""


class Campaign(Versioned, table=True):
    """A workflow run for the leads of one exhibition. ``status``: draft, running, paused, stopped.

    ``dates``: the days that the workflow asks for, by name, as ISO dates.
    """

    id: int | None = Field(default=None, primary_key=True)
    exhibition_id: int = Field(foreign_key="exhibition.id", index=True)
    exporter_id: int | None = Field(default=None, foreign_key="exporter.id")
    workflow: str = Field(max_length=64)
    workflow_sha256: str = Field(foreign_key="workflow_version.sha256", max_length=64)
    status: str = Field(default="draft", max_length=16, index=True)
    status_reason: str = ""
    dates: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    started_at: datetime | None = None
    created_at: datetime
    created_by: str = Field(max_length=254)


class LetterVersion(SQLModel, table=True):
    """All files of a letter (name → text) by their content hash. Kept for good: campaigns and drafts name it."""

    __tablename__ = "letter_version"

    sha256: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=64, index=True)
    files: dict[str, str] = Field(default_factory=dict, sa_type=sa.JSON)
    created_at: datetime


class LetterSave(SQLModel, table=True):
    """A letter as somebody saved it on the desk; the highest ``number`` of a name is the one in use.

    ``folder_sha256`` is what the folder held at the time (empty: there was none), so that a later change there can be
    told. The same number cannot be saved twice.
    """

    __tablename__ = "letter_save"
    __table_args__ = (UniqueConstraint("name", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=64)
    number: int
    sha256: str = Field(foreign_key="letter_version.sha256", max_length=64)
    folder_sha256: str = Field(default="", max_length=64)
    saved_at: datetime
    saved_by: str = Field(max_length=254)
    why: str = ""


class LetterDecision(SQLModel, table=True):
    """What a person decided about one text of a letter beside one Korean text. ``kind``: asked, approved, returned.

    Bound to the two texts by their hashes and to nothing else, so it holds for every version that has both.
    """

    __tablename__ = "letter_decision"

    id: int | None = Field(default=None, primary_key=True)
    letter: str = Field(max_length=64, index=True)
    language: str = Field(max_length=16)
    text_sha256: str = Field(max_length=64)
    korean_sha256: str = Field(max_length=64)
    kind: str = Field(max_length=16)
    decided_at: datetime
    decided_by: str = Field(max_length=254)
    note: str = ""


class CampaignLetter(SQLModel, table=True):
    """The version of a letter that a campaign keeps, from its start until somebody moves it to a newer one."""

    __tablename__ = "campaign_letter"

    campaign_id: int = Field(primary_key=True, foreign_key="campaign.id", ondelete="CASCADE")
    letter: str = Field(primary_key=True, max_length=64)
    sha256: str = Field(foreign_key="letter_version.sha256", max_length=64)


class CampaignPlan(SQLModel, table=True):
    """What a campaign was going to send when a person agreed to it; ``plans`` tells what differs from it now."""

    __tablename__ = "campaign_plan"

    campaign_id: int = Field(primary_key=True, foreign_key="campaign.id", ondelete="CASCADE")
    sha256: str = Field(max_length=64)
    made_at: datetime
    made_by: str = Field(max_length=254)
    content: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)


class Enrolment(Versioned, table=True):
    """A lead in a campaign. ``status``: active, exited, finished. ``hold_until``: out of office until then.

    ``ends_at``: when it is over at the latest; None for those that an older program enrolled.
    """

    __table_args__ = (
        UniqueConstraint("campaign_id", "lead_id"),
        sa.Index("ix_enrolment_ends", "ends_at", sqlite_where=FOLLOWED, postgresql_where=FOLLOWED),
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaign.id")
    lead_id: int = Field(foreign_key="lead.id", index=True)
    workflow_sha256: str = Field(foreign_key="workflow_version.sha256", max_length=64)
    status: str = Field(default="active", max_length=16)
    exit_reason: str = Field(default="", max_length=64)
    hold_until: datetime | None = None
    ends_at: datetime | None = None
    created_at: datetime
    ended_at: datetime | None = None


class EnrolmentEvent(SQLModel, table=True):
    """Something that came from outside while a lead was followed up; of each name the first time only.

    ``name`` is one of ``definition.EVENTS``; ``at`` is when it happened, which may lie before it was noticed.
    """

    __tablename__ = "enrolment_event"
    __table_args__ = (UniqueConstraint("enrolment_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    enrolment_id: int = Field(foreign_key="enrolment.id")
    name: str = Field(max_length=64)
    at: datetime
    data: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)


class Step(SQLModel, table=True):
    """One step of one enrolment, with the time it is due. Unique in the database, so a step happens once.

    ``kind``: mail, task, move, notify, wait, branch. ``status``: waiting (due in future or now), taken (a letter was
    made of it, or a task for which is waited), done (the letter left, the task was made or done, the wait is over),
    skipped (its condition was false or it was late), cancelled (the enrolment ended first).
    ``address_key``: '<campaign>:<exporter>:<address>:<step>' of a mail step: one letter per address and exporter.
    ``campaign_id`` is that of the enrolment, so that what is due is found without looking at what is paused.
    """

    __table_args__ = (
        UniqueConstraint("enrolment_id", "step"),
        UniqueConstraint("address_key"),
        sa.Index("ix_step_due", "campaign_id", "due_at", "id", sqlite_where=WAITS, postgresql_where=WAITS),
        sa.Index("ix_step_made", "id", sqlite_where=MADE, postgresql_where=MADE),
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaign.id")
    enrolment_id: int = Field(foreign_key="enrolment.id")
    step: str = Field(max_length=64)
    kind: str = Field(max_length=16)
    what: str = Field(max_length=64)
    due_at: datetime
    status: str = Field(default="waiting", max_length=16)
    reason: str = ""
    address_key: str | None = Field(default=None, max_length=400)
    done_at: datetime | None = None
    data: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)


class CampaignLook(SQLModel, table=True):
    """Up to where a campaign has looked for leads: the newest line of the log and lead it knows, and when it saw all.

    A row that is missing makes the next look one at all leads.
    """

    __tablename__ = "campaign_look"

    campaign_id: int = Field(primary_key=True, foreign_key="campaign.id")
    event_id: int = Field(sa_type=sa.BigInteger)
    lead_id: int
    all_seen_at: datetime
