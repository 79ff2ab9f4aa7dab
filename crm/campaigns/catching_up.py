"""Gives what was missed new times: after a pause, or when nothing ran for days. Never a burst, and never in silence.

Missed letters and tasks take the next windows in the order in which they were due, only so many of an exporter an hour.
What else waits for the same buyer moves on by as much, so that the letters keep their distances. Steps that trouble
nobody (a branch, a move) are not moved.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from crm.campaigns import engine
from crm.campaigns.definition import Definition
from crm.campaigns.engine import BuyerTime
from crm.campaigns.leads import chunks, load
from crm.campaigns.models import WAITS, Campaign, Enrolment, Step
from crm.campaigns.states import ACTIVE, OPEN, TAKEN
from crm.campaigns.workflows import definition_of, own_holidays
from crm.core import events
from crm.core.config import Settings
from crm.core.db import one_of_many

AFTER_PAUSE, AFTER_STANDSTILL = "after_pause", "after_standstill"
STANDSTILL = timedelta(days=1)
"""A step that waits so long after its time was missed: a worker that runs takes it within minutes."""
TROUBLES = ("mail", "task")
HOUR = timedelta(hours=1)


class Pace:
    """Shares out moments, at most ``per_hour`` of an exporter in any hour of the clock."""

    def __init__(self, per_hour: int) -> None:
        self._per_hour = per_hour
        self._booked: Counter[tuple[int, datetime]] = Counter()

    def book(self, exporter_id: int, wanted: datetime, allowed: Callable[[datetime], datetime]) -> datetime:
        """Return a moment at or after ``wanted``; ``allowed`` gives the first one inside the buyer's window."""
        at = allowed(wanted)
        while self._booked[exporter_id, _hour(at)] >= self._per_hour:
            at = allowed(_hour(at) + HOUR)
        key = exporter_id, _hour(at)
        spaced = at + self._booked[key] * (HOUR / self._per_hour)
        self._booked[key] += 1
        return spaced if _hour(spaced) == key[1] and allowed(spaced) == spaced else at


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def after_pause(session: Session, settings: Settings, campaign: Campaign, *, now: datetime) -> int:
    """Give everything of a campaign whose time came while it was paused a new one; return how many steps moved.

    Letters that were with an advisor are moved too: approved ones would all leave at once.
    """
    rows = (
        select(Step)
        .join(Enrolment, col(Enrolment.id) == Step.enrolment_id)
        .where(
            Enrolment.campaign_id == campaign.id,
            Enrolment.status == ACTIVE,
            col(Step.status).in_(OPEN),
            col(Step.due_at) < now,
            col(Step.kind).in_(TROUBLES),
        )
    )
    missed = session.exec(rows.order_by(col(Step.due_at), col(Step.id))).all()
    return _move(session, settings, campaign, missed, AFTER_PAUSE, now)


def after_standstill(session: Session, settings: Settings, campaign: Campaign, *, now: datetime) -> int:
    """Give steps of a running campaign that nobody took for more than a day new times; return how many moved."""
    rows = (
        select(Step)
        .join(Enrolment, col(Enrolment.id) == Step.enrolment_id)
        .where(
            Step.campaign_id == campaign.id,
            sa.text(f"step.{WAITS.text}"),
            col(Step.due_at) < now - STANDSTILL,
            col(Step.kind).in_(TROUBLES),
            Enrolment.status == ACTIVE,
            sa.or_(col(Enrolment.hold_until).is_(None), col(Enrolment.hold_until) <= now),
        )
        .order_by(col(Step.due_at), col(Step.id))
        # Two workers must not move the same step twice.
        .with_for_update(of=Step, skip_locked=True)
    )
    return _move(session, settings, campaign, session.exec(rows).all(), AFTER_STANDSTILL, now)


def _move(
    session: Session, settings: Settings, campaign: Campaign, missed: Sequence[Step], why: str, now: datetime
) -> int:
    first: dict[int, Step] = {}
    for step in missed:
        first.setdefault(step.enrolment_id, step)
    pace, count = Pace(settings.campaigns.spread_per_hour), 0
    for ids in chunks(first):
        leads, waiting = _leads(session, settings, ids), _open_steps(session, ids)
        for number, lead in leads.items():
            with one_of_many(session, "steps_not_moved", enrolment=number):
                _move_lead(lead, waiting[number], first[number], pace, why, now)
                session.flush()
                count += 1
    if count:
        events.record(
            session, "steps_moved", "campaign", campaign.id, at=now, exporter_id=campaign.exporter_id, reason=why,
            data={"leads": count},
        )  # fmt: skip
    return count


@dataclass(frozen=True)
class _Lead:
    """What it takes to tell when something may reach a buyer."""

    definition: Definition
    buyer: BuyerTime
    exporter_id: int
    hold_until: datetime | None

    def book(self, step: Step, wanted: datetime, pace: Pace) -> datetime:
        def allowed(at: datetime) -> datetime:
            return engine.postponed(self.definition, step.kind, self.buyer, at, self.hold_until)

        return pace.book(self.exporter_id, wanted, allowed)


def _leads(session: Session, settings: Settings, enrolment_ids: Sequence[int]) -> dict[int, _Lead]:
    """Return the leads of enrolments in the order given, without those of whom no time can be told any more."""
    rows = session.exec(select(Enrolment).where(col(Enrolment.id).in_(enrolment_ids))).all()
    enrolments = {enrolment.id: enrolment for enrolment in rows}
    cards, own = load(session, {enrolment.lead_id for enrolment in rows}), own_holidays(settings)
    found: dict[int, _Lead] = {}
    for number in enrolment_ids:
        enrolment = enrolments[number]
        card, definition = cards[enrolment.lead_id], definition_of(session, enrolment.workflow_sha256)
        buyer = card.time(definition, own)
        if buyer is not None:
            found[number] = _Lead(definition, buyer, card.exporter_id, enrolment.hold_until)
    return found


def _open_steps(session: Session, enrolment_ids: Iterable[int]) -> dict[int, list[Step]]:
    found: dict[int, list[Step]] = {}
    rows = select(Step).where(col(Step.enrolment_id).in_(list(enrolment_ids)), col(Step.status).in_(OPEN))
    for step in session.exec(rows.order_by(col(Step.due_at), col(Step.id))):
        found.setdefault(step.enrolment_id, []).append(step)
    return found


def _move_lead(lead: _Lead, steps: Sequence[Step], missed: Step, pace: Pace, why: str, now: datetime) -> None:
    """Move the first missed step into the next free moment, and the others of this buyer behind it."""
    by: timedelta | None = None
    for step in steps:
        with_advisor = step.status == TAKEN and why != AFTER_PAUSE
        if step.kind not in TROUBLES or step.due_at < missed.due_at or with_advisor:
            continue
        before = step.due_at
        step.due_at = lead.book(step, max(now, before + (by or timedelta(0))), pace)
        by = step.due_at - before if by is None else by
        step.reason = why
        step.data = {**step.data, "wanted_at": step.due_at.isoformat(), "missed": before.isoformat()}
