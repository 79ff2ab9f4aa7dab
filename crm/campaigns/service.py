"""The verbs of campaigns: start and stop them, enrol leads, plan their steps, end or hold what should not go on.

The rows are the schedule: a step waits with its time, is taken by whoever makes its letter, and ends as done, skipped
or cancelled. What follows it is planned then, by the same ``engine`` that plays the rehearsal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select, update

from crm.campaigns import engine
from crm.campaigns.definition import Definition, OnReply
from crm.campaigns.engine import BuyerTime
from crm.campaigns.enrolling import Exclusion, candidates, decide
from crm.campaigns.leads import LeadCard, chunks, load
from crm.campaigns.models import Campaign, Enrolment, Step
from crm.campaigns.rehearsal import Rehearsal, rehearse
from crm.campaigns.rules import Calendar, Window, next_slot, recipient_zone, show_close
from crm.campaigns.states import (
    ACTIVE,
    CANCELLED,
    DONE,
    DRAFT,
    EXITED,
    OPEN,
    PAUSED,
    RUNNING,
    SKIPPED,
    STOPPED,
    TAKEN,
    WAITING,
)
from crm.campaigns.stepping import end, finish_if_complete, follow, shift, skip, steps_of, write
from crm.campaigns.texts import STATUSES, TASKS
from crm.campaigns.workflows import Workflow, definition_of, keep, load_workflows, own_holidays
from crm.contacts.models import Lead
from crm.core import events
from crm.core.config import Settings
from crm.core.errors import NotFound, Refused
from crm.core.i18n import _
from crm.exporters.models import Exhibition, Exporter
from crm.pipeline import service as pipeline
from crm.pipeline.models import Deal, DealLead
from crm.pipeline.rules import Stage

__all__ = ["Rehearsal", "Workflow", "load_workflows", "rehearse"]

ENDED = ("campaign_stopped", "step_cancelled", "enrolment_ended")
"""Hindrances of a letter that do not pass."""
OFFICE_ABROAD = Window(days=frozenset(range(5)), opens=time(9), closes=time(17))
"""When a letter that belongs to no workflow may go out: the buyer's office hours."""


# ---------------------------------------------------------------- campaigns


def create(
    session: Session,
    settings: Settings,
    *,
    exhibition: Exhibition,
    workflow: str,
    exporter: Exporter | None = None,
    now: datetime,
    by: str,
) -> Campaign:
    """Make a campaign that does nothing yet. It keeps the present text of the workflow file.

    Raises NotFound for an unknown workflow, BadInput for a file with mistakes, Refused when one like it is going on.
    """
    assert exhibition.id is not None
    found = load_workflows(settings, session)
    if workflow not in found:
        names = ", ".join(found)
        raise NotFound(_("There is no workflow {name}. Known: {known}.", name=workflow, known=names))
    refuse_twin(session, exhibition.id, workflow, exporter)
    chosen = found[workflow]
    keep(session, workflow, chosen.text, now)
    campaign = Campaign(
        exhibition_id=exhibition.id,
        exporter_id=exporter.id if exporter else None,
        workflow=workflow,
        workflow_sha256=chosen.sha256,
        created_at=now,
        created_by=by,
    )
    session.add(campaign)
    session.flush()
    _log(session, campaign, "campaign_created", now, by)
    return campaign


def refuse_twin(session: Session, exhibition_id: int, workflow: str, exporter: Exporter | None) -> None:
    """Raise Refused when a campaign that was not stopped runs this workflow for the same leads."""
    same = select(Campaign).where(
        Campaign.exhibition_id == exhibition_id,
        Campaign.workflow == workflow,
        col(Campaign.exporter_id) == (exporter.id if exporter else None),
        Campaign.status != STOPPED,
    )
    twin = session.exec(same).first()
    if twin is not None:
        raise Refused(_("Campaign {id} already runs this workflow for the same leads. Use it or stop it.", id=twin.id))


def start(session: Session, campaign: Campaign, *, by: str, now: datetime, reason: str = "") -> None:
    """Let a draft campaign run; leads are enrolled with the next tick. Raises Refused in any other state."""
    _change(session, campaign, (DRAFT,), RUNNING, "campaign_started", now, by, reason)
    campaign.started_at = now
    session.flush()


def pause(session: Session, campaign: Campaign, *, by: str, now: datetime, reason: str = "") -> None:
    """Let nothing more be drafted or sent until it is resumed. Raises Refused unless it runs."""
    _change(session, campaign, (RUNNING,), PAUSED, "campaign_paused", now, by, reason)


def resume(
    session: Session, campaign: Campaign, *, by: str, now: datetime, reason: str = "", settings: Settings | None = None
) -> None:
    """Go on after a pause. Leads whose step became due meanwhile are moved on by as long as the pause was.

    So the letters keep the distances they had, and nothing goes out in a burst. Raises Refused unless it is paused.
    """
    since = _paused_at(session, campaign) or now
    _change(session, campaign, (PAUSED,), RUNNING, "campaign_resumed", now, by, reason)
    rows = select(Enrolment).where(Enrolment.campaign_id == campaign.id, Enrolment.status == ACTIVE)
    for enrolment in session.exec(rows).all():
        waiting = steps_of(session, enrolment, (WAITING,))
        if any(step.due_at < now for step in waiting):
            shift(session, settings or Settings(), enrolment, waiting, now - since, now)


def stop(session: Session, campaign: Campaign, *, by: str, now: datetime, reason: str = "") -> list[int]:
    """End a campaign for good, effective before the next letter. Returns the ids of the cancelled steps.

    Raises Refused when it is stopped already.
    """
    _change(session, campaign, (DRAFT, RUNNING, PAUSED), STOPPED, "campaign_stopped", now, by, reason)
    rows = select(Enrolment).where(Enrolment.campaign_id == campaign.id, Enrolment.status == ACTIVE)
    return end(session, session.exec(rows).all(), "campaign_stopped", now)


def _change(
    session: Session,
    campaign: Campaign,
    allowed: Sequence[str],
    status: str,
    verb: str,
    now: datetime,
    by: str,
    reason: str,
) -> None:
    if campaign.status not in allowed:
        shown = _(STATUSES[campaign.status])
        raise Refused(_("Campaign {id} is {status}; that cannot be done now.", id=campaign.id, status=shown))
    campaign.status, campaign.status_reason = status, reason
    session.flush()
    _log(session, campaign, verb, now, by, reason)


def _paused_at(session: Session, campaign: Campaign) -> datetime | None:
    times = [
        line.at for line in events.history(session, "campaign", campaign.id or 0) if line.verb == "campaign_paused"
    ]
    return times[-1] if times else None


def _log(session: Session, campaign: Campaign, verb: str, now: datetime, by: str, reason: str = "") -> None:
    events.record(
        session, verb, "campaign", campaign.id, at=now, actor=by, exporter_id=campaign.exporter_id, reason=reason
    )


# ---------------------------------------------------------------- one tick


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
    # The row lock makes a second worker on PostgreSQL wait; SQLite has one writer anyway.
    running = select(Campaign).where(Campaign.status == RUNNING).order_by(col(Campaign.id)).with_for_update()
    return sum(_enrol_campaign(session, settings, campaign, now) for campaign in session.exec(running).all())


def _enrol_campaign(session: Session, settings: Settings, campaign: Campaign, now: datetime) -> int:
    definition, own = definition_of(session, campaign.workflow_sha256), own_holidays(settings)
    closed = show_close(session.get_one(Exhibition, campaign.exhibition_id).ends_on)
    count = 0
    for ids in chunks(candidates(session, campaign)):
        for card, verdict in decide(session, campaign, definition, own, load(session, ids).values()):
            if isinstance(verdict, Exclusion):
                continue
            _enrol(session, campaign, definition, card, verdict, closed, now)
            count += 1
    return count


def _enrol(
    session: Session,
    campaign: Campaign,
    definition: Definition,
    card: LeadCard,
    buyer: BuyerTime,
    closed: datetime,
    now: datetime,
) -> None:
    assert campaign.id is not None
    enrolment = Enrolment(
        campaign_id=campaign.id, lead_id=card.lead_id, workflow_sha256=campaign.workflow_sha256, created_at=now
    )
    session.add(enrolment)
    session.flush()
    events.record(
        session,
        "lead_enrolled",
        "lead",
        card.lead_id,
        at=now,
        exporter_id=card.exporter_id,
        data={"campaign": campaign.id, "workflow": campaign.workflow},
    )
    rows = engine.first_steps(definition, buyer, card.facts, closed, now)
    write(session, enrolment, definition, buyer, card, rows, now)
    finish_if_complete(session, enrolment, now)


def advance(session: Session, settings: Settings, *, now: datetime) -> Advance:
    """End the follow-up of deals that moved on, and skip steps that are due and whose condition is false.

    Callers cancel the drafts of the ``cancelled`` steps.
    """
    ended = _end_by_stage(session, now)
    ahead = timedelta(hours=settings.campaigns.draft_ahead_hours)
    skipped = 0
    for step, card, definition in _due(session, now, ahead, None, 1000):
        if not engine.happens(definition, step.step, card.facts):
            skip(session, settings, step, "condition", now)
            skipped += 1
    return Advance(skipped, ended)


def _end_by_stage(session: Session, now: datetime) -> list[int]:
    """End enrolments whose deal reached a stage that ends them; only deals that left the first stages are looked at."""
    moved = (
        select(Enrolment)
        .join(DealLead, col(DealLead.lead_id) == Enrolment.lead_id)
        .join(Deal, col(Deal.id) == DealLead.deal_id)
        .where(Enrolment.status == ACTIVE, col(Deal.stage).not_in([Stage.LEAD, Stage.CONTACTED]))
    )
    cancelled: list[int] = []
    for enrolment in session.exec(moved).all():
        facts = load(session, [enrolment.lead_id])[enrolment.lead_id].facts
        reason = engine.exit_reason(definition_of(session, enrolment.workflow_sha256), facts)
        if reason is not None:
            cancelled += end(session, [enrolment], reason, now)
    return cancelled


# ---------------------------------------------------------------- steps


def due_steps(session: Session, *, now: datetime, ahead: timedelta, kind: str, limit: int) -> list[Step]:
    """Return waiting steps of ``kind`` (mail or task) due until ``now + ahead``, the oldest first.

    Only of running campaigns and active enrolments that are not held, and only if the step's condition holds.
    """
    due = _due(session, now, ahead, kind, limit)
    return [step for step, card, definition in due if engine.happens(definition, step.step, card.facts)]


def _due(
    session: Session, now: datetime, ahead: timedelta, kind: str | None, limit: int
) -> list[tuple[Step, LeadCard, Definition]]:
    rows = (
        select(Step, Enrolment)
        .join(Enrolment, col(Enrolment.id) == Step.enrolment_id)
        .join(Campaign, col(Campaign.id) == Enrolment.campaign_id)
        .where(
            Step.status == WAITING,
            # A task has no letter to be written before its time.
            sa.or_(col(Step.due_at) <= now, sa.and_(col(Step.kind) == "mail", col(Step.due_at) <= now + ahead)),
            Enrolment.status == ACTIVE,
            sa.or_(col(Enrolment.hold_until).is_(None), col(Enrolment.hold_until) <= now + ahead),
            Campaign.status == RUNNING,
        )
        .order_by(col(Step.due_at), col(Step.id))
        .limit(limit)
    )
    if kind is not None:
        rows = rows.where(Step.kind == kind)
    found = session.exec(rows).all()
    cards = load(session, {enrolment.lead_id for _step, enrolment in found})
    return [
        (step, cards[enrolment.lead_id], definition_of(session, enrolment.workflow_sha256)) for step, enrolment in found
    ]


def take(session: Session, step: Step, *, now: datetime) -> bool:
    """Claim a waiting step for making its letter or task; False when somebody else has it or it may not happen now."""
    active = (
        select(Enrolment.id)
        .join(Campaign, col(Campaign.id) == Enrolment.campaign_id)
        .where(Enrolment.status == ACTIVE, Campaign.status == RUNNING)
    )
    claim = (
        update(Step)
        .where(col(Step.id) == step.id, col(Step.status) == WAITING, col(Step.enrolment_id).in_(active))
        .values(status=TAKEN)
        .execution_options(synchronize_session=False)
    )
    taken: bool = session.exec(claim).rowcount == 1
    session.refresh(step)
    return taken


def step_done(session: Session, step_id: int, *, at: datetime, settings: Settings) -> None:
    """Note that the letter left (or the task was made) at ``at`` and plan what follows it. Twice changes nothing.

    A letter that was on its way when the enrolment ended is still noted as done, and nothing follows it.
    """
    step = session.get_one(Step, step_id)
    if step.status == DONE:
        return
    step.status, step.done_at, step.reason = DONE, at, ""
    session.flush()
    follow(session, settings, step, happened_at=at, now=at)


def step_skipped(session: Session, step_id: int, *, reason: str, now: datetime, settings: Settings) -> None:
    """Note that an open step does not happen and plan what follows it, counted from when it was due.

    Steps that are done, skipped or cancelled stay what they are.
    """
    step = session.get_one(Step, step_id)
    if step.status in OPEN:
        skip(session, settings, step, reason, now)


def make_task(session: Session, settings: Settings, step_id: int, *, now: datetime) -> bool:
    """Turn a due task step into a task of the advisor; False when somebody was faster or it may not happen now."""
    step = session.get_one(Step, step_id)
    if step.kind != "task" or not take(session, step, now=now):
        return False
    enrolment = session.get_one(Enrolment, step.enrolment_id)
    card = load(session, [enrolment.lead_id])[enrolment.lead_id]
    deal = pipeline.deal_of_lead(session, card.lead_id)
    pipeline.add_task(
        session,
        exporter_id=card.exporter_id,
        kind=step.what,
        title=_(TASKS[step.what], who=card.who),
        assignee="advisor",
        due_at=step.due_at,
        deal_id=deal.id if deal else None,
        lead_id=card.lead_id,
        origin=f"step:{step.id}",
        now=now,
    )
    step_done(session, step_id, at=now, settings=settings)
    return True


def hindrance(session: Session, step_id: int, *, now: datetime) -> str | None:
    """Return why the letter of a step may not leave now, or None. Delivery asks before each letter.

    ``campaign_paused``, ``campaign_stopped``, ``enrolment_ended``, ``step_cancelled`` or ``out_of_office``.
    """
    step = session.get_one(Step, step_id)
    enrolment = session.get_one(Enrolment, step.enrolment_id)
    campaign = session.get_one(Campaign, enrolment.campaign_id)
    if campaign.status in (PAUSED, STOPPED):
        return f"campaign_{campaign.status}"
    if step.status in (CANCELLED, SKIPPED):
        return "step_cancelled"
    if enrolment.status == EXITED:
        return "enrolment_ended"
    return "out_of_office" if enrolment.hold_until is not None and enrolment.hold_until > now else None


def next_slot_for(
    session: Session, settings: Settings, step_id: int | None, moment: datetime, *, lead_id: int | None = None
) -> datetime:
    """Return the first allowed time at or after ``moment`` for the letter of a step, or for a letter to a lead.

    A letter of no workflow goes out in the buyer's office hours; where the buyer is not known, ``moment`` stands.
    """
    if step_id is None:
        return _office_slot(session, settings, lead_id, moment)
    step = session.get_one(Step, step_id)
    enrolment = session.get_one(Enrolment, step.enrolment_id)
    definition = definition_of(session, enrolment.workflow_sha256)
    buyer = load(session, [enrolment.lead_id])[enrolment.lead_id].time(definition, own_holidays(settings))
    if buyer is None:
        return moment
    return engine.postponed(definition, step.kind, buyer, moment, enrolment.hold_until)


def _office_slot(session: Session, settings: Settings, lead_id: int | None, moment: datetime) -> datetime:
    card = load(session, [lead_id]).get(lead_id) if lead_id is not None else None
    local = recipient_zone(card.country, card.facts.contact.city) if card else None
    if card is None or local is None:
        return moment
    calendar = Calendar(card.country, own_holidays(settings).get(card.country, frozenset()))
    return next_slot(moment, OFFICE_ABROAD, local.zone, calendar) or moment


# ---------------------------------------------------------------- ending and holding


def end_enrolments(
    session: Session,
    *,
    lead_id: int | None = None,
    contact_id: int | None = None,
    exporter_id: int | None = None,
    reason: str,
    now: datetime,
) -> list[int]:
    """End the follow-up of a lead, or of a person (by one exporter or by all); return the cancelled steps' ids.

    ``reason``: replied, opted_out, hard_bounced, complaint, exclusive, manual. Callers cancel the steps' drafts.
    """
    if lead_id is None and contact_id is None:
        raise ValueError("say whose follow-up ends: lead_id or contact_id")
    rows = select(Enrolment).join(Lead, col(Lead.id) == Enrolment.lead_id).where(Enrolment.status == ACTIVE)
    conditions = {Lead.id: lead_id, Lead.contact_id: contact_id, Lead.exporter_id: exporter_id}
    rows = rows.where(*(col(column) == value for column, value in conditions.items() if value is not None))
    # Who refuses must not fail because a tick touches the same row: on PostgreSQL the lock waits and reads it anew.
    locked = rows.with_for_update(of=Enrolment).execution_options(populate_existing=True)
    return end(session, session.exec(locked).all(), reason, now)


def on_reply(session: Session, lead_id: int) -> OnReply | None:
    """Return what the workflow of a lead says about an answer: that of the newest enrolment, ended or not."""
    rows = select(Enrolment).where(Enrolment.lead_id == lead_id).order_by(col(Enrolment.id).desc())
    enrolment = session.exec(rows).first()
    return definition_of(session, enrolment.workflow_sha256).on_reply if enrolment else None


def hold_enrolments(
    session: Session, *, lead_id: int, until: datetime, now: datetime, settings: Settings | None = None
) -> None:
    """Let nothing go to a lead before ``until`` (out of office); steps due earlier keep their distances after it."""
    rows = select(Enrolment).where(Enrolment.lead_id == lead_id, Enrolment.status == ACTIVE)
    for enrolment in session.exec(rows).all():
        enrolment.hold_until = max(until, enrolment.hold_until or until)
        session.flush()
        waiting = steps_of(session, enrolment, (WAITING,))
        if waiting and waiting[0].due_at < until:
            shift(session, settings or Settings(), enrolment, waiting, until - waiting[0].due_at, until)
        lead = session.get_one(Lead, lead_id)
        data = {"until": until.astimezone(UTC).isoformat()}
        events.record(session, "follow_up_held", "lead", lead_id, at=now, exporter_id=lead.exporter_id, data=data)
