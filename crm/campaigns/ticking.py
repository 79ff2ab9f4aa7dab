"""What a tick of the clock does to the leads of campaigns: who comes in, who goes out, what does not apply.

It costs what is due and what has changed since the last tick, however many leads wait or stay outside.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
import structlog
from sqlmodel import Session, col, select

from crm.campaigns import due, engine
from crm.campaigns.asking import Question, refusals
from crm.campaigns.catching_up import after_standstill
from crm.campaigns.definition import Definition
from crm.campaigns.engine import BuyerTime, PlannedStep
from crm.campaigns.enrolling import Exclusion, candidates, decide
from crm.campaigns.happenings import notice, past_events
from crm.campaigns.leads import LeadCard, chunks, load
from crm.campaigns.looking import Changes, changes, looked
from crm.campaigns.models import FOLLOWED, Campaign, Enrolment, Step
from crm.campaigns.rules import show_close
from crm.campaigns.states import ACTIVE, FINISHED, PAUSED, RUNNING, WAITING
from crm.campaigns.stepping import EVENTS, Plan, close, end, skip, write_many
from crm.campaigns.workflows import dates_of, definition_of, own_holidays
from crm.core import bulk, events
from crm.core.config import Settings
from crm.core.db import one_of_many
from crm.exporters.models import Exhibition
from crm.pipeline.models import Deal, DealLead
from crm.pipeline.rules import Stage

log = structlog.get_logger()
ENROLMENTS: sa.Table = Enrolment.__table__  # type: ignore[attr-defined]
COLUMNS = (
    "id",
    "campaign_id",
    "lead_id",
    "workflow_sha256",
    "status",
    "exit_reason",
    "created_at",
    "ends_at",
    "version",
)
AT_ONCE = 1000


@dataclass(frozen=True)
class Advance:
    """What a look at the enrolments changed. ``cancelled`` are ids of steps whose letters must not go out."""

    skipped: int
    cancelled: list[int]


def enrol_leads(session: Session, settings: Settings, *, now: datetime) -> int:
    """Enrol every lead that running campaigns are meant for and that is not in them yet; return how many.

    Looks at those enrolled first (``advance``), so that one call a tick keeps all of them true. Doing it twice, or by
    two workers at once, enrols nobody twice.
    """
    advance(session, settings, now=now)
    # A campaign that another worker looks after on PostgreSQL is left to it; SQLite has one writer anyway.
    running = select(Campaign).where(Campaign.status == RUNNING).order_by(col(Campaign.id))
    mine = session.exec(running.with_for_update(skip_locked=True, key_share=True)).all()
    return sum(_enrol_campaign(session, settings, campaign, now) for campaign in mine)


def advance(session: Session, settings: Settings, *, now: datetime) -> Advance:
    """Notice what happened to deals, end the follow-up of those that moved on or whose time is over, and skip steps
    that are due and do not apply.

    What was due more than a day ago was missed, since nothing ran: it takes the next windows (``catching_up``).

    Callers cancel the drafts of the ``cancelled`` steps.
    """
    ended = [*_look_at_deals(session, settings, now), *_end_by_time(session, now)]
    ahead = timedelta(hours=settings.campaigns.draft_ahead_hours)
    skipped = 0
    questions = [Question(*found) for found in due_now(session, now, ahead, None, AT_ONCE)]
    refused = refusals(session, questions)
    deciding: set[int] = set()
    for step, _card, _definition in questions:
        # What is due and no letter may change what the letters after it are asked, so it comes first.
        if step.id not in refused or step.enrolment_id in deciding:
            deciding |= {step.enrolment_id} if step.kind != "mail" else set()
            continue
        with one_of_many(session, "step_not_advanced", step=step.id):
            if _still_waits(session, step):
                skip(session, settings, step, refused[step.id], now)
                skipped += 1
    for campaign in session.exec(select(Campaign).where(Campaign.status == RUNNING)).all():
        after_standstill(session, settings, campaign, now=now)
    return Advance(skipped, ended)


def _still_waits(session: Session, step: Step) -> bool:
    """Keep a step for this transaction, unless another worker was faster."""
    row = select(Step).where(Step.id == step.id, Step.status == WAITING)
    locked = row.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    return session.exec(locked).first() is not None


def due_now(
    session: Session, now: datetime, ahead: timedelta, kinds: Collection[str] | None, limit: int
) -> list[tuple[Step, LeadCard, Definition]]:
    """Return due steps with what is needed to ask for their conditions, the oldest first."""
    found = sorted(
        due.find(session, now=now, ahead=ahead, kinds=kinds, limit=limit), key=lambda one: (one.due_at, one.id)
    )
    cards = load(session, {one.lead_id for one in found})
    rows = {step.id: step for ids in chunks(one.id for one in found) for step in _steps(session, ids)}
    texts = {sha256: definition_of(session, sha256) for sha256 in {one.workflow_sha256 for one in found}}
    return [(rows[one.id], cards[one.lead_id], texts[one.workflow_sha256]) for one in found]


def _steps(session: Session, ids: list[int]) -> Sequence[Step]:
    return session.exec(select(Step).where(col(Step.id).in_(ids))).all()


# ---------------------------------------------------------------- who comes in


class _Way(NamedTuple):
    """What a newcomer has before it. ``stays``: although nothing is planned, an event may still bring something."""

    rows: list[PlannedStep]
    ends_at: datetime
    stays: bool


class _Newcomer(NamedTuple):
    card: LeadCard
    way: _Way
    events: dict[str, datetime]


_Ways = dict[tuple[BuyerTime, tuple[bool, ...]], _Way]


def _enrol_campaign(session: Session, settings: Settings, campaign: Campaign, now: datetime) -> int:
    seen = _changes(session, settings, campaign, now)
    count = 0
    ways: _Ways = {}
    for ids in chunks(candidates(session, campaign, seen.lead_ids)):
        newcomers = [*_newcomers(session, settings, campaign, ids, ways, now)]
        count += _enrol_together(session, campaign, newcomers, now)
    looked(session, seen)
    return count


def _changes(session: Session, settings: Settings, campaign: Campaign, now: datetime) -> Changes:
    all_every = timedelta(minutes=settings.campaigns.look_at_all_minutes)
    return changes(session, campaign.id or 0, now=now, all_every=all_every)


def _newcomers(
    session: Session, settings: Settings, campaign: Campaign, ids: list[int], ways: _Ways, now: datetime
) -> Iterator[_Newcomer]:
    """Yield leads that come in, each with its first steps; buyers on one clock of whom the same is true share them."""
    definition = definition_of(session, campaign.workflow_sha256)
    closed = show_close(session.get_one(Exhibition, campaign.exhibition_id).ends_on)
    cards = load(session, ids).values()
    past = past_events(session, definition, ids)
    for card, buyer in decide(session, campaign, definition, own_holidays(settings), cards):
        if isinstance(buyer, Exclusion):
            continue
        try:
            events = past.get(card.lead_id, {})
            key = (buyer, engine.answers(definition, card.facts))
            if events:
                way = _way(definition, buyer, card, closed, campaign, events, now)
            elif (known := ways.get(key)) is None:
                way = ways[key] = _way(definition, buyer, card, closed, campaign, {}, now)
            else:
                way = known
            yield _Newcomer(card, way, events)
        except Exception:
            log.exception("lead_not_planned", lead=card.lead_id)


def _way(
    definition: Definition,
    buyer: BuyerTime,
    card: LeadCard,
    closed: datetime,
    campaign: Campaign,
    events: dict[str, datetime],
    now: datetime,
) -> _Way:
    dates = dates_of(campaign)
    rows = engine.first_steps(definition, buyer, card.facts, closed, now, dates=dates, events=events)
    stays = engine.may_follow(definition, {row.step for row in rows}, events)
    return _Way(rows, engine.ends_at(definition, buyer, now), stays)


def _enrol_together(session: Session, campaign: Campaign, newcomers: Sequence[_Newcomer], now: datetime) -> int:
    """Write them all at once, or, if the database refuses one of them, one after the other without that one."""
    if not newcomers:
        return 0
    try:
        with session.begin_nested():
            _enrol(session, campaign, newcomers, now)
        return len(newcomers)
    except (sa.exc.DataError, sa.exc.IntegrityError):
        count = 0
        for newcomer in newcomers:
            with one_of_many(session, "lead_not_enrolled", lead=newcomer.card.lead_id):
                _enrol(session, campaign, [newcomer], now)
                count += 1
        return count


def _enrol(session: Session, campaign: Campaign, newcomers: Sequence[_Newcomer], now: datetime) -> None:
    assert campaign.id is not None
    next_id, as_moment = bulk.ids_for(session, ENROLMENTS), bulk.moment_of(session, ENROLMENTS.c.created_at)
    moment = as_moment(now)
    sha256, ids = campaign.workflow_sha256, [next_id() for _newcomer in newcomers]
    rows = [
        (number, campaign.id, newcomer.card.lead_id, sha256, ACTIVE, "", moment, as_moment(newcomer.way.ends_at), 1)
        for number, newcomer in zip(ids, newcomers, strict=True)
    ]
    bulk.insert(session, ENROLMENTS, COLUMNS, rows)
    plans = [
        Plan(number, campaign.id, newcomer.card.exporter_id, newcomer.card.address, newcomer.way.rows)
        for number, newcomer in zip(ids, newcomers, strict=True)
    ]
    going_on = write_many(session, plans)
    over = [
        (FINISHED, moment, number)
        for number, newcomer in zip(ids, newcomers, strict=True)
        if number not in going_on and not newcomer.way.stays
    ]
    bulk.update(session, ENROLMENTS, ("status", "ended_at"), over)
    come = [
        (number, name, as_moment(at), "{}")
        for number, newcomer in zip(ids, newcomers, strict=True)
        for name, at in newcomer.events.items()
    ]
    bulk.insert(session, EVENTS, ("enrolment_id", "name", "at", "data"), come)
    who = [(newcomer.card.lead_id, newcomer.card.exporter_id) for newcomer in newcomers]
    data = {"campaign": campaign.id, "workflow": campaign.workflow}
    events.record_many(session, "lead_enrolled", "lead", who, at=now, data=data)


# ---------------------------------------------------------------- who goes out


def _look_at_deals(session: Session, settings: Settings, now: datetime) -> list[int]:
    """Notice what happened to deals, and end enrolments whose deal reached a stage that ends them.

    Only deals of which the log tells something new are looked at. Returns the ids of cancelled steps.
    """
    cancelled: list[int] = []
    for campaign in session.exec(select(Campaign).where(col(Campaign.status).in_((RUNNING, PAUSED)))).all():
        changed = _changes(session, settings, campaign, now).lead_ids
        if changed is not None and not changed:
            continue
        notice(session, settings, campaign, changed, now=now)
        for enrolment in _moved_on(session, campaign, changed):
            with one_of_many(session, "follow_up_not_ended", enrolment=enrolment.id):
                facts = load(session, [enrolment.lead_id])[enrolment.lead_id].facts
                reason = engine.exit_reason(definition_of(session, enrolment.workflow_sha256), facts)
                if reason is not None:
                    cancelled += end(session, [enrolment], reason, now)
    return cancelled


def _end_by_time(session: Session, now: datetime) -> list[int]:
    """Finish enrolments whose time is over; return the ids of cancelled steps."""
    over = (
        select(Enrolment)
        .where(sa.text(f"enrolment.{FOLLOWED.text}"), col(Enrolment.ends_at) <= now)
        .order_by(col(Enrolment.ends_at))
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return close(session, session.exec(over).all(), now)


def _moved_on(session: Session, campaign: Campaign, among: Collection[int] | None) -> list[Enrolment]:
    """Return active enrolments whose deal has left the first stages."""
    moved = (
        sa.select(Enrolment)
        .join(DealLead, col(DealLead.lead_id) == Enrolment.lead_id)
        .join(Deal, col(Deal.id) == DealLead.deal_id)
        .where(
            col(Enrolment.campaign_id) == campaign.id,
            col(Enrolment.status) == ACTIVE,
            col(Deal.stage).not_in([Stage.LEAD, Stage.CONTACTED]),
        )
        .with_for_update(of=Enrolment, skip_locked=True, key_share=True)
    )
    found = session.execute(moved) if among is None else bulk.find(session, moved, ENROLMENTS.c.lead_id, among)
    return [enrolment for (enrolment,) in found]
