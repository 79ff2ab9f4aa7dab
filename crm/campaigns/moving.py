"""Moves leads in flight to another version of their workflow: first as a preview that writes nothing, then for good.

What happened stays what it was, and a letter that is with an advisor stays there. What still waits is planned anew
where the new version says something else about it, and keeps its time where it does not. A step that is new and whose
time has passed already is not made up for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, delete, select

from crm.campaigns import engine
from crm.campaigns.definition import Definition
from crm.campaigns.engine import BuyerTime, PlannedStep
from crm.campaigns.leads import LeadCard, chunks, load
from crm.campaigns.looking import look_at_all
from crm.campaigns.models import Campaign, Enrolment, Step, WorkflowVersion
from crm.campaigns.rules import show_close
from crm.campaigns.states import ACTIVE, DONE, SKIPPED, STOPPED, WAITING
from crm.campaigns.stepping import Plan, events_of, finish_if_complete, write_many
from crm.campaigns.workflows import dates_of, definition_of, own_holidays
from crm.core import events as log
from crm.core.config import Settings
from crm.core.errors import BadInput, NotFound, Refused
from crm.core.i18n import _
from crm.exporters.models import Exhibition

Change = Literal["appears", "vanishes", "moves", "changes", "passed"]
"""A step comes in, goes out, gets another time, becomes another letter or task, or would have been due already."""


DECIDES = ("wait", "branch")
"""Steps that reach nobody: what a new one of them says is asked for even when its time has passed."""


@dataclass(frozen=True)
class StepChange:
    """What becomes of one waiting step. The times and letters (``what``) before and after are None where none is."""

    step: str
    change: Change
    before: datetime | None = None
    after: datetime | None = None
    what_before: str | None = None
    what_after: str | None = None


@dataclass(frozen=True)
class LeadMove:
    """One lead in flight with what the new version changes for it; nothing, if ``changes`` is empty."""

    enrolment_id: int
    lead_id: int
    contact: str
    company: str
    changes: tuple[StepChange, ...]
    plan: tuple[PlannedStep, ...] = ()
    """What would wait under the new version; ``rehearsal`` plays on from it."""


@dataclass(frozen=True)
class Move:
    """What moving a campaign to a version does. ``stays``: leads of which no time can be told any more, left alone."""

    campaign_id: int
    sha256: str
    leads: tuple[LeadMove, ...]
    stays: tuple[int, ...] = ()

    @property
    def changed(self) -> list[LeadMove]:
        """Return the leads for which something changes."""
        return [lead for lead in self.leads if lead.changes]

    def count(self, change: Change) -> int:
        """Return how many steps change in one way."""
        return sum(one.change == change for lead in self.leads for one in lead.changes)


@dataclass(frozen=True)
class _Replanned:
    """A lead with its rows and what the new version would have waiting instead."""

    enrolment: Enrolment
    card: LeadCard
    waiting: Mapping[str, Step]
    plan: Mapping[str, PlannedStep]

    @property
    def changes(self) -> tuple[StepChange, ...]:
        names = [*self.waiting, *(step for step in self.plan if step not in self.waiting)]
        found = [_change(name, self.waiting.get(name), self.plan.get(name)) for name in names]
        return tuple(one for one in found if one is not None)


def preview(session: Session, settings: Settings, campaign: Campaign, sha256: str, *, now: datetime) -> Move:
    """Say who would be moved to a version and what changes for each. Writes nothing.

    Raises NotFound for a version that is not stored, Refused for a stopped campaign.
    """
    definition = _target(session, campaign, sha256)
    replanned = [*_replanned(session, settings, campaign, definition, sha256, now)]
    return _move(session, campaign, sha256, replanned)


def migrate(
    session: Session, settings: Settings, campaign: Campaign, sha256: str, *, by: str, now: datetime, reason: str
) -> Move:
    """Move a campaign and its leads in flight to a version, as ``preview`` says; return what was done.

    Raises NotFound and Refused as ``preview`` does, Refused also when the campaign runs it already, and BadInput
    without a reason.
    """
    if not reason.strip():
        raise BadInput(_("Say why the campaign goes on with another version."))
    definition = _target(session, campaign, sha256)
    if campaign.workflow_sha256 == sha256:
        raise Refused(_("The campaign runs this version already."))
    # Whoever ends or holds one of them meanwhile waits, or we do.
    active = select(Enrolment.id).where(Enrolment.campaign_id == campaign.id, Enrolment.status == ACTIVE)
    session.exec(active.with_for_update(key_share=True)).all()
    replanned = [*_replanned(session, settings, campaign, definition, sha256, now)]
    move = _move(session, campaign, sha256, replanned)
    before = campaign.workflow_sha256
    campaign.workflow_sha256 = sha256
    for lead in replanned:
        _apply(session, lead, sha256, now)
    session.flush()
    data = {"from": before, "to": sha256, "leads": len(move.leads), "changed": len(move.changed)}
    log.record(
        session, "campaign_migrated", "campaign", campaign.id, at=now, actor=by, exporter_id=campaign.exporter_id,
        reason=reason, data=data,
    )  # fmt: skip
    look_at_all(session, campaign.id)
    return move


def _target(session: Session, campaign: Campaign, sha256: str) -> Definition:
    if campaign.status == STOPPED:
        raise Refused(_("A stopped campaign is not changed any more."))
    version = session.get(WorkflowVersion, sha256)
    if version is None or version.name != campaign.workflow:
        raise NotFound(_("There is no such version of the workflow {name}.", name=campaign.workflow))
    return definition_of(session, sha256)


def _move(session: Session, campaign: Campaign, sha256: str, replanned: Sequence[_Replanned]) -> Move:
    assert campaign.id is not None
    moved = {lead.enrolment.lead_id for lead in replanned}
    active = select(Enrolment.lead_id).where(
        Enrolment.campaign_id == campaign.id, Enrolment.status == ACTIVE, Enrolment.workflow_sha256 != sha256
    )
    leads = tuple(
        LeadMove(
            lead.enrolment.id or 0,
            lead.card.lead_id,
            lead.card.name,
            lead.card.facts.contact.company,
            lead.changes,
            tuple(lead.plan.values()),
        )
        for lead in replanned
    )
    return Move(campaign.id, sha256, leads, tuple(sorted(set(session.exec(active)) - moved)))


def _replanned(
    session: Session, settings: Settings, campaign: Campaign, definition: Definition, sha256: str, now: datetime
) -> Iterator[_Replanned]:
    rows = select(Enrolment).where(
        Enrolment.campaign_id == campaign.id, Enrolment.status == ACTIVE, Enrolment.workflow_sha256 != sha256
    )
    enrolments = session.exec(rows.order_by(col(Enrolment.id))).all()
    closed = show_close(session.get_one(Exhibition, campaign.exhibition_id).ends_on)
    own = own_holidays(settings)
    cards = load(session, {enrolment.lead_id for enrolment in enrolments})
    numbers = [enrolment.id or 0 for enrolment in enrolments]
    steps, events = _steps(session, numbers), events_of(session, numbers)
    for enrolment in enrolments:
        card = cards[enrolment.lead_id]
        buyer = card.time(definition, own)
        if buyer is None:
            continue
        before = definition_of(session, enrolment.workflow_sha256)
        known = steps.get(enrolment.id or 0, [])
        come = events.get(enrolment.id or 0, {})
        planner = _Planner(before, definition, buyer, now, max(now, enrolment.hold_until or now), come)
        fixed = engine.fixed_anchors(definition, buyer, _show_close(definition, enrolment, closed), dates_of(campaign))
        plan = planner.anew(known, {**fixed, **come, **_happened(known)})
        waiting = {step.step: step for step in known if step.status == WAITING}
        yield _Replanned(enrolment, card, waiting, plan)


def _steps(session: Session, enrolment_ids: Sequence[int]) -> dict[int, list[Step]]:
    found: dict[int, list[Step]] = {}
    for ids in chunks(enrolment_ids):
        rows = select(Step).where(col(Step.enrolment_id).in_(ids)).order_by(col(Step.due_at), col(Step.id))
        for step in session.exec(rows):
            found.setdefault(step.enrolment_id, []).append(step)
    return found


def _show_close(definition: Definition, enrolment: Enrolment, closed: datetime) -> datetime:
    return max(closed, enrolment.created_at) if definition.late_import == "start_from_beginning" else closed


def _happened(steps: Sequence[Step]) -> dict[str, datetime]:
    """Return what has happened to a lead, each with its time: a skipped step happened when it was due."""
    anchors: dict[str, datetime] = {}
    for step in steps:
        if step.status == DONE:
            anchors |= engine.happened_anchors(step.step, step.data.get("outcome", ""), step.done_at or step.due_at)
        elif step.status == SKIPPED:
            outcome = step.data.get("outcome", "") if step.reason == engine.LATE else ""
            anchors |= engine.happened_anchors(step.step, outcome, step.due_at)
    return anchors


@dataclass(frozen=True)
class _Planner:
    """Plans what waits for one lead under ``definition`` in place of ``before``; nothing before ``floor``."""

    before: Definition
    definition: Definition
    buyer: BuyerTime
    now: datetime
    floor: datetime
    events: Mapping[str, datetime]

    def anew(self, steps: Sequence[Step], anchors: Mapping[str, datetime]) -> dict[str, PlannedStep]:
        """Return what waits, by step. Those passed over are marked as late, and what follows them is planned too."""
        waiting = {step.step: step for step in steps if step.status == WAITING}
        settled = {step.step for step in steps} - set(waiting)
        plan: dict[str, PlannedStep] = {}
        happened = dict(anchors)
        while happened:
            # From the anchors on, so that a time that has passed is seen as such.
            first = min(anchors.values())
            new = engine.plan(
                self.definition, self.buyer, happened, planned=settled | set(plan), not_before=first, events=self.events
            )
            rows = [self._settled(row, waiting.get(row.step)) for row in new]
            plan |= {row.step: row for row in rows}
            happened = {row.step: row.due_at for row in rows if row.skip}
        return plan

    def _settled(self, row: PlannedStep, waiting: Step | None) -> PlannedStep:
        if row.skip:
            return row
        if waiting is None and row.due_at < self.now and row.kind not in DECIDES:
            return replace(row, skip=engine.LATE)
        if waiting is not None and self._same_time(row.step):
            # Whatever moved it there (a pause, an absence) still holds.
            return replace(row, due_at=waiting.due_at)
        return replace(row, due_at=self._allowed(row))

    def _allowed(self, row: PlannedStep) -> datetime:
        if row.due_at >= self.floor:
            return row.due_at
        return engine.postponed(self.definition, row.kind, self.buyer, self.floor, step=row.step)

    def _same_time(self, step_id: str) -> bool:
        old, new = self.before.step(step_id), self.definition.step(step_id)
        if old is None or new is None:
            return False
        windows = old.window or self.before.send_window, new.window or self.definition.send_window
        before, after = ((one.after, one.before, one.on, one.kind, one.wait_for, one.at_most) for one in (old, new))
        return windows[0] == windows[1] and before == after


def _change(name: str, waiting: Step | None, plan: PlannedStep | None) -> StepChange | None:
    if plan is None:
        assert waiting is not None
        return StepChange(name, "vanishes", waiting.due_at, None, waiting.what)
    if waiting is None:
        return StepChange(name, "passed" if plan.skip else "appears", None, plan.due_at, None, plan.what)
    times, letters = (waiting.due_at, plan.due_at), (waiting.what, plan.what)
    attach = waiting.data.get("attach", "") != plan.attach
    if letters[0] != letters[1] or waiting.kind != plan.kind or attach:
        return StepChange(name, "changes", *times, *letters)
    return StepChange(name, "moves", *times, *letters) if times[0] != times[1] or plan.skip else None


def _apply(session: Session, lead: _Replanned, sha256: str, now: datetime) -> None:
    """Take out the waiting rows that change and write what stands in their place; nothing was made of them yet."""
    enrolment = lead.enrolment
    assert enrolment.id is not None
    enrolment.workflow_sha256 = sha256
    changed = {one.step for one in lead.changes}
    gone = [step.id for name, step in lead.waiting.items() if name in changed]
    session.exec(delete(Step).where(col(Step.id).in_(gone), col(Step.status) == WAITING))
    rows = [row for name, row in lead.plan.items() if name in changed]
    write_many(session, [Plan(enrolment.id, enrolment.campaign_id, lead.card.exporter_id, lead.card.address, rows)])
    finish_if_complete(session, enrolment, now)
