"""Writes step rows: what is planned, what follows a step that happened, what ends, what moves. Used by the verbs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from crm.campaigns import engine
from crm.campaigns.definition import Definition
from crm.campaigns.engine import BuyerTime, PlannedStep
from crm.campaigns.leads import LeadCard, load
from crm.campaigns.models import Campaign, Enrolment, Step
from crm.campaigns.states import ACTIVE, CANCELLED, EXITED, FINISHED, OPEN, SKIPPED, WAITING
from crm.campaigns.workflows import definition_of, own_holidays
from crm.contacts.models import Lead
from crm.core import bulk, events
from crm.core.config import Settings

ENROLMENTS: sa.Table = Enrolment.__table__  # type: ignore[attr-defined]
LEADS: sa.Table = Lead.__table__  # type: ignore[attr-defined]
STEPS: sa.Table = Step.__table__  # type: ignore[attr-defined]
COLUMNS = ("campaign_id", "enrolment_id", "step", "kind", "what", "due_at", "status", "reason", "address_key", "data")


@dataclass(frozen=True)
class Plan:
    """The steps planned for one enrolment."""

    enrolment_id: int
    campaign_id: int
    exporter_id: int
    address: str
    rows: list[PlannedStep]


def write(
    session: Session,
    enrolment: Enrolment,
    definition: Definition,
    buyer: BuyerTime,
    card: LeadCard,
    rows: Iterable[PlannedStep],
    now: datetime,
) -> None:
    """Store planned steps; a step that has no window at all is stored as skipped and what follows it is planned."""
    assert enrolment.id is not None
    whole = with_followers(definition, buyer, rows, planned_steps(session, enrolment), now)
    write_many(session, [Plan(enrolment.id, enrolment.campaign_id, card.exporter_id, card.address, whole)])


def with_followers(
    definition: Definition, buyer: BuyerTime, rows: Iterable[PlannedStep], planned: Iterable[str], now: datetime
) -> list[PlannedStep]:
    """Return ``rows`` with what follows those that have no window at all, which count as having been due."""
    whole = new = list(rows)
    known = {*planned, *(row.step for row in whole)}
    while homeless := {row.step: row.due_at for row in new if row.skip == engine.NO_WINDOW}:
        new = engine.plan(definition, buyer, homeless, planned=known, not_before=now)
        known |= {row.step for row in new}
        whole = [*whole, *new]
    return whole


def write_many(session: Session, plans: Sequence[Plan]) -> set[int]:
    """Store the steps of many enrolments at once; return the enrolments that have a step still to come.

    The same person under two leads of one exporter gets each letter once: the second one is skipped.
    """
    session.flush()
    known = _known_keys(session, [key for plan in plans for row in plan.rows if (key := _key(plan, row))])
    moment = bulk.moment_of(session, STEPS.c.due_at)
    going_on: set[int] = set()
    rows: list[tuple[Any, ...]] = []
    for plan in plans:
        for row in plan.rows:
            key = _key(plan, row)
            reason = "same_address" if key and key in known else row.skip
            if not reason:
                going_on.add(plan.enrolment_id)
                known |= {key} if key else set()
            status = SKIPPED if reason else WAITING
            data = bulk.as_json({"wanted_at": row.wanted_at.isoformat(), "attach": row.attach})
            own = None if reason or not key else key
            shown = (row.step, row.kind, row.what, moment(row.due_at), status, reason)
            rows.append((plan.campaign_id, plan.enrolment_id, *shown, own, data))
    bulk.insert(session, STEPS, COLUMNS, rows)
    return going_on


def _key(plan: Plan, row: PlannedStep) -> str:
    """Return what makes a letter one of its kind, or nothing for a step that writes to nobody."""
    if row.kind != "mail" or row.skip or not plan.address:
        return ""
    return f"{plan.campaign_id}:{plan.exporter_id}:{plan.address}:{row.step}"


def _known_keys(session: Session, keys: Sequence[str]) -> set[str]:
    return {key for (key,) in bulk.find(session, sa.select(STEPS.c.address_key), STEPS.c.address_key, keys)}


def planned_steps(session: Session, enrolment: Enrolment) -> set[str]:
    """Return the ids of the workflow's steps that have a row, in whatever state."""
    return set(session.exec(select(Step.step).where(Step.enrolment_id == enrolment.id)))


def follow(session: Session, settings: Settings, step: Step, *, happened_at: datetime, now: datetime) -> None:
    """Plan what follows a step that happened, or was due, at ``happened_at``; nothing once the enrolment has ended."""
    enrolment = session.get_one(Enrolment, step.enrolment_id)
    if enrolment.status != ACTIVE:
        return
    definition = definition_of(session, enrolment.workflow_sha256)
    card = load(session, [enrolment.lead_id])[enrolment.lead_id]
    buyer = card.time(definition, own_holidays(settings))
    if buyer is None:
        # Somebody took the country away meanwhile; no time can be told, and that must be seen.
        end(session, [enrolment], "country_unknown", now)
        return
    not_before = max(now, enrolment.hold_until or now)
    anchors, planned = {step.step: happened_at}, planned_steps(session, enrolment)
    rows = engine.plan(definition, buyer, anchors, planned=planned, not_before=not_before)
    write(session, enrolment, definition, buyer, card, rows, now)
    finish_if_complete(session, enrolment, now)


def skip(session: Session, settings: Settings, step: Step, reason: str, now: datetime) -> None:
    """Mark a step as skipped, free its address and plan what follows, counted from when it was due."""
    step.status, step.reason, step.address_key = SKIPPED, reason, None
    session.flush()
    follow(session, settings, step, happened_at=step.due_at, now=now)
    enrolment = session.get_one(Enrolment, step.enrolment_id)
    lead = session.get_one(Lead, enrolment.lead_id)
    events.record(
        session,
        "step_skipped",
        "lead",
        lead.id,
        at=now,
        exporter_id=lead.exporter_id,
        reason=reason,
        data={"step": step.step, "campaign": enrolment.campaign_id},
    )


def finish_if_complete(session: Session, enrolment: Enrolment, now: datetime) -> None:
    """Finish an enrolment that has no open step left."""
    if not steps_of(session, enrolment, OPEN):
        enrolment.status, enrolment.ended_at = FINISHED, now
        session.flush()


def steps_of(session: Session, enrolment: Enrolment, statuses: Sequence[str]) -> Sequence[Step]:
    """Return the steps of an enrolment in some states, in order of time."""
    rows = select(Step).where(Step.enrolment_id == enrolment.id, col(Step.status).in_(statuses))
    return session.exec(rows.order_by(col(Step.due_at), col(Step.id))).all()


def end(session: Session, enrolments: Iterable[Enrolment], reason: str, now: datetime) -> list[int]:
    """End enrolments and cancel their open steps; return the ids of those steps."""
    cancelled: list[int] = []
    for enrolment in enrolments:
        for step in steps_of(session, enrolment, OPEN):
            step.status, step.reason = CANCELLED, reason
            cancelled.append(step.id or 0)
        enrolment.status, enrolment.exit_reason, enrolment.ended_at = EXITED, reason, now
        session.flush()
        lead = session.get_one(Lead, enrolment.lead_id)
        data = {"campaign": enrolment.campaign_id}
        events.record(
            session,
            "follow_up_ended",
            "lead",
            lead.id,
            at=now,
            exporter_id=lead.exporter_id,
            reason=reason,
            data=data,
        )
    return cancelled


def end_all(session: Session, campaign: Campaign, reason: str, now: datetime) -> list[int]:
    """End every active enrolment of a campaign and cancel the open steps; return the ids of those steps."""
    session.flush()
    rows = sa.select(ENROLMENTS.c.id, ENROLMENTS.c.lead_id, LEADS.c.exporter_id).join(
        LEADS, LEADS.c.id == ENROLMENTS.c.lead_id
    )
    active = rows.where(ENROLMENTS.c.campaign_id == campaign.id, ENROLMENTS.c.status == ACTIVE)
    ended = session.execute(active.with_for_update(of=ENROLMENTS, key_share=True)).all()
    ids = [row.id for row in ended]
    still_open = sa.select(STEPS.c.id).where(STEPS.c.status.in_(OPEN)).order_by(STEPS.c.id)
    cancelled = [number for (number,) in bulk.find(session, still_open, STEPS.c.enrolment_id, ids)]
    _set(session, Step, cancelled, status=CANCELLED, reason=reason)
    version = ENROLMENTS.c.version + 1
    _set(session, Enrolment, ids, status=EXITED, exit_reason=reason, ended_at=now, version=version)
    who = [(row.lead_id, row.exporter_id) for row in ended]
    events.record_many(session, "follow_up_ended", "lead", who, at=now, reason=reason, data={"campaign": campaign.id})
    return cancelled


def _set(session: Session, model: type[Step] | type[Enrolment], ids: Sequence[int], **values: Any) -> None:
    """Change many rows in one statement; what the session holds of them is read afresh."""
    table: sa.Table = model.__table__  # type: ignore[union-attr]
    if ids:
        wanted, given = bulk.any_of(session, table.c.id, ids)
        session.execute(sa.update(table).where(wanted).values(values), given)
    for held in list(session.identity_map.values()):
        if isinstance(held, model):
            session.expire(held)


def shift(
    session: Session,
    settings: Settings,
    enrolment: Enrolment,
    steps: Sequence[Step],
    by: timedelta,
    not_before: datetime,
) -> None:
    """Move steps by as much, each into its next window and none before ``not_before``."""
    definition = definition_of(session, enrolment.workflow_sha256)
    buyer = load(session, [enrolment.lead_id])[enrolment.lead_id].time(definition, own_holidays(settings))
    for step in steps:
        moved = step.due_at + by
        step.due_at = engine.postponed(definition, step.kind, buyer, moved, not_before) if buyer else moved
    session.flush()
