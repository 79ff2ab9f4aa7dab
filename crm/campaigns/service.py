"""The verbs of campaigns: start and stop them, enrol leads, plan their steps, end or hold what should not go on.

The rows are the schedule: a step waits with its time, is taken by whoever makes its letter, and ends as done, skipped
or cancelled. What follows it is planned then, by the same ``engine`` that plays the rehearsal.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import cast

from sqlmodel import Session, col, select, update

from crm.campaigns import acting, due, engine
from crm.campaigns.acting import act_due
from crm.campaigns.asking import Question, refusals
from crm.campaigns.catching_up import after_pause
from crm.campaigns.definition import Definition, OnReply
from crm.campaigns.due import DueStep
from crm.campaigns.happenings import away, bounced, happened, held, newest_of, replied
from crm.campaigns.leads import LeadCard, load
from crm.campaigns.looking import look_at_all
from crm.campaigns.models import Campaign, Enrolment, Step
from crm.campaigns.moving import Move, migrate
from crm.campaigns.moving import preview as preview_migration
from crm.campaigns.rehearsal import Rehearsal, rehearse
from crm.campaigns.rules import NO_OWN_DAYS, Calendar, Window, next_slot, recipient_zone
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
from crm.campaigns.stepping import end, end_all, follow, skip
from crm.campaigns.texts import STATUSES
from crm.campaigns.ticking import Advance, advance, due_now, enrol_leads
from crm.campaigns.workflows import Workflow, definition_of, keep, load_workflows, own_holidays
from crm.contacts.models import Lead
from crm.core import events
from crm.core.config import Settings
from crm.core.db import one_of_many
from crm.core.errors import BadInput, NotFound, Refused
from crm.core.i18n import _
from crm.exporters.models import Exhibition, Exporter

__all__ = [
    "Advance",
    "DueStep",
    "Move",
    "Rehearsal",
    "Workflow",
    "act_due",
    "advance",
    "away",
    "bounced",
    "enrol_leads",
    "happened",
    "load_workflows",
    "migrate",
    "preview_migration",
    "rehearse",
    "replied",
]

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
    dates: Mapping[str, date] | None = None,
    now: datetime,
    by: str,
) -> Campaign:
    """Make a campaign that does nothing yet. It keeps the present text of the workflow file.

    ``dates`` are the days the workflow asks for; those that are not known yet can be told later (``set_dates``).
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
    if dates:
        set_dates(session, campaign, dates, by=by, now=now)
    return campaign


def copy(
    session: Session,
    settings: Settings,
    campaign: Campaign,
    *,
    exhibition: Exhibition,
    exporter: Exporter | None = None,
    now: datetime,
    by: str,
) -> Campaign:
    """Make a draft of the same workflow for another exhibition. Nothing of the old one's time comes along.

    No dates, no leads, no letters, no start: a copy sends nothing before somebody looked at it. Raises as ``create``.
    """
    made = create(
        session, settings, exhibition=exhibition, workflow=campaign.workflow, exporter=exporter, now=now, by=by
    )
    _log(session, made, "campaign_copied", now, by, reason=str(campaign.id))
    return made


def set_dates(session: Session, campaign: Campaign, dates: Mapping[str, date], *, by: str, now: datetime) -> None:
    """Tell the days that the campaign's workflow asks for, before it starts.

    Raises Refused once it has started, BadInput for a name the workflow does not know.
    """
    if campaign.status != DRAFT:
        raise Refused(_("The campaign has started; its dates cannot be changed any more."))
    asked = definition_of(session, campaign.workflow_sha256).dates
    for name in dates:
        if name not in asked:
            known = ", ".join(asked) or "–"
            raise BadInput(_("The workflow asks for no date {name}. It asks for: {known}.", name=name, known=known))
    campaign.dates = {**campaign.dates, **{name: day.isoformat() for name, day in dates.items()}}
    session.flush()
    events.record(
        session, "campaign_dated", "campaign", campaign.id, at=now, actor=by, exporter_id=campaign.exporter_id,
        data=dict(campaign.dates),
    )  # fmt: skip


def missing_dates(session: Session, campaign: Campaign) -> list[str]:
    """Return the names of the days that the workflow asks for and nobody has told yet."""
    return [name for name in definition_of(session, campaign.workflow_sha256).dates if name not in campaign.dates]


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
    """Let a draft campaign run; leads are enrolled with the next tick.

    Raises Refused in any other state, and while a day that the workflow asks for is not known.
    """
    missing = missing_dates(session, campaign) if campaign.status == DRAFT else []
    if missing:
        names = ", ".join(missing)
        raise Refused(_("The workflow needs these dates before the campaign can start: {names}.", names=names))
    _change(session, campaign, (DRAFT,), RUNNING, "campaign_started", now, by, reason)
    campaign.started_at = now
    session.flush()


def pause(session: Session, campaign: Campaign, *, by: str, now: datetime, reason: str = "") -> None:
    """Let nothing more be drafted or sent until it is resumed. Raises Refused unless it runs."""
    _change(session, campaign, (RUNNING,), PAUSED, "campaign_paused", now, by, reason)


def resume(
    session: Session, campaign: Campaign, *, by: str, now: datetime, reason: str = "", settings: Settings | None = None
) -> None:
    """Go on after a pause. What became due meanwhile takes the next windows, so many an hour (``catching_up``).

    So the letters keep the distances they had, and nothing goes out in a burst. Raises Refused unless it is paused.
    """
    _change(session, campaign, (PAUSED,), RUNNING, "campaign_resumed", now, by, reason)
    after_pause(session, settings or Settings(), campaign, now=now)
    look_at_all(session, campaign.id)


def stop(session: Session, campaign: Campaign, *, by: str, now: datetime, reason: str = "") -> list[int]:
    """End a campaign for good, effective before the next letter. Returns the ids of the cancelled steps.

    Raises Refused when it is stopped already.
    """
    _change(session, campaign, (DRAFT, RUNNING, PAUSED), STOPPED, "campaign_stopped", now, by, reason)
    return end_all(session, campaign, "campaign_stopped", now)


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


def _log(session: Session, campaign: Campaign, verb: str, now: datetime, by: str, reason: str = "") -> None:
    events.record(
        session, verb, "campaign", campaign.id, at=now, actor=by, exporter_id=campaign.exporter_id, reason=reason
    )


# ---------------------------------------------------------------- steps


def due_steps(session: Session, *, now: datetime, ahead: timedelta, kind: str, limit: int) -> list[Step]:
    """Return waiting steps of ``kind`` (mail or task) due until ``now + ahead``, the oldest first.

    Only of running campaigns and active enrolments that are not held, and only if the step's condition holds.
    """
    questions = [Question(*found) for found in due_now(session, now, ahead, (kind,), limit)]
    refused = refusals(session, questions)
    return [one.step for one in questions if one.step.id not in refused]


def claim(
    session: Session, settings: Settings, *, now: datetime, ahead: timedelta, kind: str, limit: int
) -> list[DueStep]:
    """Take due steps of ``kind`` for this worker, the oldest first, and return those that happen.

    The others are skipped. However many workers ask, each step is given to one of them; what the caller does not keep
    (its transaction fails, its process dies) is given out again.
    """
    return claim_with_cards(session, settings, now=now, ahead=ahead, kind=kind, limit=limit)[0]


def claim_with_cards(
    session: Session, settings: Settings, *, now: datetime, ahead: timedelta, kind: str, limit: int
) -> tuple[list[DueStep], dict[int, LeadCard]]:
    """Take due steps as ``claim`` does, and return them with the cards of their leads, which it has to read anyway."""
    found = due.claim(session, now=now, ahead=ahead, kinds=(kind,), limit=limit)
    cards = load(session, {one.lead_id for one in found})
    asking = [one for one in found if _has_condition(definition_of(session, one.workflow_sha256), one)]
    refused = refusals(session, _questions(session, asking, cards)) if asking else {}
    for number, reason in refused.items():
        with one_of_many(session, "step_not_skipped", step=number):
            skip(session, settings, session.get_one(Step, number, populate_existing=True), reason, now)
    return [one for one in found if one.id not in refused], cards


def _questions(session: Session, found: list[DueStep], cards: Mapping[int, LeadCard]) -> list[Question]:
    # A claimed step knows all that is asked of a step; its row is loaded where it is changed.
    return [Question(cast(Step, one), cards[one.lead_id], definition_of(session, one.workflow_sha256)) for one in found]


def _has_condition(definition: Definition, step: DueStep) -> bool:
    known = definition.step(step.step)
    return known is None or known.when is not None or known.dated or definition.cap is not None


def give_back(session: Session, step: DueStep) -> None:
    """Let a claimed step wait again, for the next tick or another worker."""
    due.mark(session, [step.id], WAITING)


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
    question = Question(step, card, definition_of(session, enrolment.workflow_sha256))
    acting.make_task(session, settings, question, now)
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
    # After a pause the letters of approved drafts have times of their own, or they would leave together.
    earliest = max(moment, step.due_at)
    return engine.postponed(definition, step.kind, buyer, earliest, enrolment.hold_until, step=step.step)


def _office_slot(session: Session, settings: Settings, lead_id: int | None, moment: datetime) -> datetime:
    card = load(session, [lead_id]).get(lead_id) if lead_id is not None else None
    local = recipient_zone(card.country, card.facts.contact.city) if card else None
    if card is None or local is None:
        return moment
    calendar = Calendar(card.country, own_holidays(settings).get(card.country, NO_OWN_DAYS))
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
    enrolment = newest_of(session, lead_id)
    return definition_of(session, enrolment.workflow_sha256).on_reply if enrolment else None


def hold_enrolments(
    session: Session, *, lead_id: int, until: datetime, now: datetime, settings: Settings | None = None
) -> None:
    """Let nothing go to a lead before ``until``; steps due earlier keep their distances after it."""
    rows = select(Enrolment).where(Enrolment.lead_id == lead_id, Enrolment.status == ACTIVE)
    for enrolment in session.exec(rows.order_by(col(Enrolment.id))).all():
        held(session, settings or Settings(), enrolment, until, now)
