"""Does what is due and no letter: makes tasks, moves deals, tells desks, decides branches, ends waits.

What decides by itself counts from when it was due, however late the worker came.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from crm.campaigns import desk, due, engine
from crm.campaigns.asking import Question, facts_of, refusals
from crm.campaigns.due import DueStep
from crm.campaigns.leads import chunks, load
from crm.campaigns.models import MADE, Enrolment, Step
from crm.campaigns.states import ACTIVE, DONE
from crm.campaigns.stepping import follow, skip
from crm.campaigns.texts import NOTICE, STAGE_REACHED
from crm.campaigns.workflows import definition_of
from crm.core import events
from crm.core.config import Settings
from crm.core.db import one_of_many
from crm.core.i18n import _
from crm.pipeline import service as pipeline
from crm.pipeline.models import Task
from crm.pipeline.texts import stage_name

KINDS = ("task", "move", "notify", "wait", "branch")
ROUNDS = 60
"""So many steps may follow each other at one moment; a workflow has no more."""


def act_due(session: Session, settings: Settings, *, now: datetime, limit: int = 500) -> int:
    """Do every step that is due and no letter, and what follows from it at once; return how many were done."""
    count = close_done_tasks(session, settings, now=now)
    for _round in range(ROUNDS):
        found = due.claim(session, now=now, kinds=KINDS, limit=limit)
        if not found:
            break
        count += _act_on(session, settings, found, now)
    return count


def _act_on(session: Session, settings: Settings, found: list[DueStep], now: datetime) -> int:
    count = 0
    while found:
        # What a step does may change what the next one of the same lead is asked, so each has its turn.
        first = {one.enrolment_id: one.id for one in reversed(found)}
        turn = [one for one in found if first[one.enrolment_id] == one.id]
        found = [one for one in found if first[one.enrolment_id] != one.id]
        count += _act_on_each(session, settings, turn, now)
    return count


def _act_on_each(session: Session, settings: Settings, found: list[DueStep], now: datetime) -> int:
    questions = {one.step.id or 0: one for one in questions_of(session, found)}
    refused = refusals(session, questions.values())
    count = 0
    for claimed in found:
        with one_of_many(session, "step_not_done", step=claimed.id):
            if claimed.id in refused:
                skip(session, settings, questions[claimed.id].step, refused[claimed.id], now)
            else:
                _act(session, settings, questions[claimed.id], now)
                count += 1
    return count


def questions_of(session: Session, found: list[DueStep]) -> list[Question]:
    """Return due steps with what is needed to ask whether they happen."""
    cards = load(session, {one.lead_id for one in found})
    rows = select(Step).execution_options(populate_existing=True)
    steps = {
        step.id: step
        for ids in chunks(one.id for one in found)
        for step in session.exec(rows.where(col(Step.id).in_(ids)))
    }
    return [Question(steps[one.id], cards[one.lead_id], definition_of(session, one.workflow_sha256)) for one in found]


def _act(session: Session, settings: Settings, one: Question, now: datetime) -> None:
    step = one.step
    if step.kind == "task":
        make_task(session, settings, one, now)
        return
    if step.kind == "move":
        _move(session, one, now)
    elif step.kind == "notify":
        title = _(NOTICE, who=one.card.who, step=step.step)
        origin = f"step:{step.id}"
        desk.put(
            session, one.card, kind="other", origin=origin, due_at=step.due_at, now=now, title=title, desk=step.what
        )
    elif step.kind == "branch":
        facts = facts_of(session, [one])[step.id or 0]
        step.data = {**step.data, "outcome": engine.arm(one.definition, step.step, facts)}
    _done(session, settings, step, step.due_at, now)


def _done(session: Session, settings: Settings, step: Step, at: datetime, now: datetime) -> None:
    step.status, step.done_at, step.reason = DONE, at, ""
    session.flush()
    follow(session, settings, step, happened_at=at, now=now, outcome=step.data.get("outcome", ""))


def make_task(session: Session, settings: Settings, one: Question, now: datetime) -> None:
    """Make the task of a claimed step; what follows it waits for the person where the workflow says so."""
    step, known = one.step, one.definition.step(one.step.step)
    desk.put(session, one.card, kind=step.what, origin=f"step:{step.id}", due_at=step.due_at, now=now)
    if known is None or not known.wait:
        _done(session, settings, step, now, now)


def _move(session: Session, one: Question, now: datetime) -> None:
    """Move the deal where no proof is needed; anything else is for a person to see."""
    step, deal = one.step, pipeline.deal_of_lead(session, one.card.lead_id)
    stage = one.card.facts.deal.stage
    if deal is not None and engine.movable(deal.stage, step.what):
        reason = _("The workflow moved it: step {step}.", step=step.step)
        pipeline.move(session, deal, step.what, by=events.SYSTEM, now=now, reason=reason)
    elif stage != step.what:
        title = _(STAGE_REACHED, who=one.card.who, stage=stage_name(step.what))
        desk.put(session, one.card, kind="check", origin=f"step:{step.id}", due_at=step.due_at, now=now, title=title)


def close_done_tasks(session: Session, settings: Settings, *, now: datetime) -> int:
    """Go on after tasks that were waited for and that a person has done; return how many there were."""
    rows = (
        select(Step, Task.done_at)
        .join(Enrolment, col(Enrolment.id) == Step.enrolment_id)
        .join(Task, col(Task.origin) == sa.literal("step:").concat(sa.cast(col(Step.id), sa.String)))
        .where(sa.text(f"step.{MADE.text.replace('kind', 'step.kind')}"), Enrolment.status == ACTIVE)
        .where(col(Task.done_at).is_not(None))
        .order_by(col(Task.done_at), col(Step.id))
        .with_for_update(of=Step, skip_locked=True)
    )
    count = 0
    for step, done_at in session.exec(rows).all():
        with one_of_many(session, "task_not_followed", step=step.id):
            assert done_at is not None
            _done(session, settings, step, done_at, now)
            count += 1
    return count
