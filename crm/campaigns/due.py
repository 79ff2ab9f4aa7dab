"""Finds the steps whose time has come, and claims them for one worker. Costs what is due, whatever else waits.

Each running campaign has its stretch of the index of waiting steps, in order of time; nothing outside it is touched.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from crm.campaigns.models import Campaign, Enrolment, Step
from crm.campaigns.states import ACTIVE, RUNNING, TAKEN
from crm.core import bulk

STEPS: sa.Table = Step.__table__  # type: ignore[attr-defined]
ENROLMENTS: sa.Table = Enrolment.__table__  # type: ignore[attr-defined]
CAMPAIGNS: sa.Table = Campaign.__table__  # type: ignore[attr-defined]
WAITS = sa.text("step.status = 'waiting'")  # as a bound value it would not match the condition of the index


class DueStep(NamedTuple):
    """A step whose time has come, with the lead it concerns and the version of the workflow it belongs to."""

    id: int
    enrolment_id: int
    lead_id: int
    workflow_sha256: str
    step: str
    kind: str
    what: str
    due_at: datetime
    campaign_id: int
    data: Mapping[str, Any]

    @property
    def attach(self) -> str:
        """Return what the step wants attached to its letter."""
        return str(self.data.get("attach", ""))


def find(
    session: Session,
    *,
    now: datetime,
    ahead: timedelta = timedelta(0),
    kinds: Collection[str] | None = None,
    limit: int,
    lock: bool = False,
) -> list[DueStep]:
    """Return waiting steps that are due, the oldest of each campaign first; letters already ``ahead`` of their time.

    Only of running campaigns and active enrolments that are not held. ``lock`` keeps them for this transaction, and
    leaves out those that another one keeps.
    """
    until = now + ahead if kinds is None or "mail" in kinds else now
    values: dict[str, Any] = {"until": until, "now": now}
    if kinds is not None:
        values["kinds"] = sorted(kinds)
    statement = _STATEMENTS[kinds is None, lock]
    found: list[DueStep] = []
    for (campaign_id,) in session.execute(_WITH_DUE, {"until": until}).all():
        rows = session.execute(statement, {**values, "campaign": campaign_id, "limit": limit - len(found)})
        found += [DueStep(*row) for row in rows]
        if len(found) >= limit:
            break
    return found


def claim(
    session: Session, *, now: datetime, ahead: timedelta = timedelta(0), kinds: Collection[str], limit: int
) -> list[DueStep]:
    """Take due steps for this transaction's worker and return them; no two workers get the same one.

    The claim is as durable as what the caller makes of it: both are kept, or neither is.
    """
    found = find(session, now=now, ahead=ahead, kinds=kinds, limit=limit, lock=True)
    mark(session, [step.id for step in found], TAKEN)
    return found


def mark(session: Session, ids: Sequence[int], status: str) -> None:
    """Set the state of steps in one statement."""
    if not ids:
        return
    wanted, values = bulk.any_of(session, STEPS.c.id, ids)
    session.execute(sa.update(STEPS).where(wanted).values(status=status), values)


def _statement(any_kind: bool, lock: bool) -> "sa.Select[Any]":
    until, now = (sa.bindparam(name, type_=STEPS.c.due_at.type) for name in ("until", "now"))
    rows = (
        sa.select(
            STEPS.c.id, STEPS.c.enrolment_id, ENROLMENTS.c.lead_id, ENROLMENTS.c.workflow_sha256,
            STEPS.c.step, STEPS.c.kind, STEPS.c.what, STEPS.c.due_at, STEPS.c.campaign_id, STEPS.c.data,
        )
        .join(ENROLMENTS, ENROLMENTS.c.id == STEPS.c.enrolment_id)
        .where(
            STEPS.c.campaign_id == sa.bindparam("campaign"),
            WAITS,
            STEPS.c.due_at <= until,
            # A task has no letter to be written before its time.
            sa.or_(STEPS.c.kind == "mail", STEPS.c.due_at <= now),
            ENROLMENTS.c.status == ACTIVE,
            sa.or_(ENROLMENTS.c.hold_until.is_(None), ENROLMENTS.c.hold_until <= until),
        )
        .order_by(STEPS.c.due_at, STEPS.c.id)
        # As a number in the statement, or PostgreSQL plans for reading a tenth of what waits.
        .limit(sa.bindparam("limit", type_=sa.Integer, literal_execute=True))
    )  # fmt: skip
    if not any_kind:
        rows = rows.where(STEPS.c.kind.in_(sa.bindparam("kinds", expanding=True)))
    if lock:
        # The enrolment too: who ends it holds it first, then its steps, and must not meet us in between.
        rows = rows.with_for_update(skip_locked=True, key_share=True, of=[STEPS, ENROLMENTS])
    return rows


_STATEMENTS = {(any_kind, lock): _statement(any_kind, lock) for any_kind in (True, False) for lock in (True, False)}
_OLDEST = sa.select(sa.func.min(STEPS.c.due_at)).where(STEPS.c.campaign_id == CAMPAIGNS.c.id, WAITS).scalar_subquery()
_WITH_DUE = (
    sa.select(CAMPAIGNS.c.id)
    .where(CAMPAIGNS.c.status == RUNNING, sa.bindparam("until", type_=STEPS.c.due_at.type) >= _OLDEST)
    .order_by(_OLDEST, CAMPAIGNS.c.id)
)
"""Running campaigns in which something is due, the one that waits longest first."""
