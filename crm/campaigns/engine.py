"""What happens next to one lead, and when. Rehearsal and worker both ask here, so they cannot differ. Pure.

``planning`` says when steps are due; here stands which of them happen: conditions, branches, caps, what ends a
follow-up, which steps a late lead still gets, and ``play``, which goes through a whole workflow on a fake clock.
"""

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count

from crm.campaigns.conditions import Facts, HappenedFacts, holds
from crm.campaigns.definition import DATED_EVENTS, EVENTS, OTHERWISE, Definition, OnBounce, OnStage
from crm.campaigns.planning import (
    CAP,
    CONDITION,
    DATE_PASSED,
    LATE,
    NO_WINDOW,
    BuyerTime,
    PlannedStep,
    buyer_time,
    cap_begins,
    ends_at,
    fixed_anchors,
    happened_anchors,
    held,
    held_until,
    may_follow,
    no_clock,
    office_deadline,
    own_window,
    plan,
    postponed,
    resolved,
)
from crm.campaigns.rules import Delay, OwnHolidays
from crm.pipeline.rules import BEFORE_REPLY, WAY, Move, Stage, refuse_move

__all__ = [
    "CAP",
    "CONDITION",
    "DATE_PASSED",
    "LATE",
    "NO_WINDOW",
    "BuyerTime",
    "Happening",
    "OwnHolidays",
    "PlannedStep",
    "Standing",
    "answers",
    "arm",
    "buyer_time",
    "cap_begins",
    "ends_at",
    "exit_reason",
    "first_steps",
    "fixed_anchors",
    "happened_anchors",
    "happens",
    "held",
    "held_until",
    "may_follow",
    "no_clock",
    "office_deadline",
    "own_window",
    "plan",
    "play",
    "play_on",
    "postponed",
    "remembered",
    "resolved",
    "why_not",
]

LAST_STEP_OPEN = timedelta(days=14)
"""How long after its time the last letter of a workflow may still start a lead that was imported late."""
ENDS_FOLLOW_UP = frozenset({"hard_bounce", "opt_out", "complaint", "exclusive", "manual"})
"""Happenings that end a follow-up whatever its workflow says."""
ANSWER_WITHIN = Delay(1, "business days")


@dataclass(frozen=True)
class Happening:
    """Something that comes from outside at ``at``.

    ``name`` is an event of ``definition.EVENTS``, ``out_of_office`` (``until`` the return, None if it is not told),
    ``task_done:<step>``, or one of ``ENDS_FOLLOW_UP``. Of a quotation, ``until`` is the day its prices expire.
    """

    name: str
    at: datetime
    until: datetime | None = None

    def events(self) -> dict[str, datetime]:
        """Return the events of workflows that this is, each with the time from which is counted."""
        if self.name == "quotation.sent" and self.until is not None:
            return {"quotation.sent": self.at, "quotation.expires": self.until}
        if self.name in DATED_EVENTS:
            return {self.name: self.until or self.at}
        return {self.name: self.at} if self.name in EVENTS else {}


def remembered(events: Mapping[str, datetime], now: datetime) -> list[Happening]:
    """Return events that are known at ``now`` as happenings."""
    return [Happening(name, min(at, now), at if name in DATED_EVENTS else None) for name, at in events.items()]


def exit_reason(definition: Definition, facts: Facts) -> str | None:
    """Return why the stage of the deal ends the follow-up (``lost``, ``replied``, ``stage``), or None."""
    stage = facts.deal.stage
    if stage == Stage.LOST:
        return "lost"
    rank = WAY.index(Stage(stage)) if stage in WAY else -1
    for rule in definition.exit_when:
        if rule.stage is not None and rank >= WAY.index(rule.stage):
            return "stage"
        if rule.reason == "replied" and rank >= WAY.index(Stage.REPLIED):
            return "replied"
    return None


def happens(definition: Definition, step_id: str, facts: Facts) -> bool:
    """Tell whether the condition of a step holds; asked when the step is due."""
    step = definition.step(step_id)
    return step is not None and holds(step.when, facts)


def answers(definition: Definition, facts: Facts) -> tuple[bool, ...]:
    """Return what is true of a lead, for every condition of the workflow in turn.

    Leads with the same answers on the same clock have the same way before them.
    """
    return tuple(holds(text, facts) for text in definition.conditions)


def arm(definition: Definition, step_id: str, facts: Facts) -> str:
    """Return the outcome of a branch: its first arm that holds, or nothing."""
    step = definition.step(step_id)
    arms = (step.branch or {}) if step is not None else {}
    return next((name for name, text in arms.items() if text == OTHERWISE or holds(text, facts)), "")


def why_not(definition: Definition, row: PlannedStep, facts: Facts, letters: Iterable[datetime]) -> str:
    """Return why a step that is due does not happen, or nothing: its day has passed, its condition, the cap.

    ``letters`` are the times of the exporter's letters to this person so far.
    """
    if row.expires_at is not None and row.due_at >= row.expires_at:
        return DATE_PASSED
    if not happens(definition, row.step, facts):
        return CONDITION
    begins = cap_begins(definition, row.due_at)
    if row.kind != "mail" or begins is None or definition.cap is None:
        return ""
    counted = sum(begins < letter <= row.due_at for letter in letters)
    return CAP if counted >= definition.cap.letters else ""


# ---------------------------------------------------------------- how a lead comes in


def first_steps(
    definition: Definition,
    buyer: BuyerTime,
    facts: Facts,
    show_close: datetime,
    enrolled_at: datetime,
    *,
    dates: Mapping[str, date] | None = None,
    events: Mapping[str, datetime] | None = None,
) -> list[PlannedStep]:
    """Return the steps that can be planned when a lead is enrolled, among them those it came too late for.

    ``dates`` are the campaign's named dates, ``events`` those that have come already. ``late_import`` rules:
    ``start_from_beginning`` lets the show end when the lead came; ``skip_missed`` leaves out what was due before;
    ``start_at_first_open_step`` also leaves that out, but starts with the letter due last. Days of the calendar are
    kept in any case.
    """
    events = events or {}
    anchors = fixed_anchors(definition, buyer, show_close, dates or {}) | dict(events)
    if definition.late_import == "start_from_beginning":
        anchors = {**fixed_anchors(definition, buyer, max(show_close, enrolled_at), dates or {}), **events}
        return plan(definition, buyer, anchors, planned=(), not_before=enrolled_at, events=events)
    timetable = _timetable(definition, buyer, facts, anchors, events)
    missed = _missed(definition, facts, timetable, enrolled_at)
    late = [replace(timetable[step.id], skip=LATE) for step in definition.steps if step.id in missed]
    for row in late:
        anchors |= happened_anchors(row.step, row.outcome, row.due_at)
    return late + plan(definition, buyer, anchors, planned=missed, not_before=enrolled_at, events=events)


def _timetable(
    definition: Definition,
    buyer: BuyerTime,
    facts: Facts,
    anchors: Mapping[str, datetime],
    events: Mapping[str, datetime],
) -> dict[str, PlannedStep]:
    """Return when each step would have been due for a lead that was there from the start, tasks done at once."""
    timetable: dict[str, PlannedStep] = {}
    first = min(anchors.values())
    while new := plan(definition, buyer, anchors, planned=timetable, not_before=first, events=events):
        rows = [replace(row, outcome=arm(definition, row.step, facts)) if row.kind == "branch" else row for row in new]
        timetable |= {row.step: row for row in rows}
        for row in rows:
            anchors = {**anchors, **happened_anchors(row.step, row.outcome, row.due_at)}
    return timetable


def _missed(
    definition: Definition, facts: Facts, timetable: Mapping[str, PlannedStep], enrolled_at: datetime
) -> set[str]:
    counted = {name: row for name, row in timetable.items() if row.expires_at is None}
    past = {name for name, row in counted.items() if row.due_at < enrolled_at}
    if definition.late_import == "skip_missed":
        return past
    letters = sorted(
        (row for row in counted.values() if row.kind == "mail" and happens(definition, row.step, facts)),
        key=lambda row: row.due_at,
    )
    due = [row for row in letters if row.step in past]
    if not due or (due[-1] is letters[-1] and enrolled_at > due[-1].due_at + LAST_STEP_OPEN):
        return past
    return {name for name in past if timetable[name].due_at < due[-1].due_at}


# ---------------------------------------------------------------- playing


@dataclass(frozen=True)
class Standing:
    """Where a lead stands that is on its way already: what it takes to play on.

    ``known`` are all steps there are, in whatever state; ``made`` are the tasks that wait for a person. Nothing that
    follows comes before ``now``.
    """

    known: Collection[str] = ()
    events: Mapping[str, datetime] = field(default_factory=dict)
    letters: Sequence[datetime] = ()
    made: Sequence[PlannedStep] = ()
    hold_until: datetime | None = None
    ends_at: datetime | None = None
    now: datetime | None = None


def play(
    definition: Definition,
    buyer: BuyerTime,
    facts: Facts,
    show_close: datetime,
    start: datetime,
    *,
    happenings: Iterable[Happening] = (),
    dates: Mapping[str, date] | None = None,
    letters: Sequence[datetime] = (),
    tasks_done: bool = False,
) -> list[PlannedStep]:
    """Return every step in order of time if each letter is approved and leaves in its slot, with what happens outside.

    ``happenings`` until ``start`` are known when the lead comes in. ``letters`` are the times of letters before it.
    With ``tasks_done`` every task that is waited for is done when it is made; else it is done by its happening, or
    never. Tasks that answer a happening are listed too, as ``on_reply``, ``on_bounce`` or ``on_stage.<stage>``, with
    the time until when they are to be done.
    """
    happenings = sorted(happenings, key=lambda one: one.at)
    past = {name: at for one in happenings if one.at <= start for name, at in one.events().items()}
    events = {name: at for name, at in past.items() if name in definition.events and name != "reply"}
    waiting = first_steps(definition, buyer, facts, show_close, start, dates=dates, events=events)
    standing = Standing(
        known={row.step for row in waiting}, events=events, letters=letters, ends_at=ends_at(definition, buyer, start)
    )
    later = [one for one in happenings if one.at > start]
    return play_on(definition, buyer, facts, waiting, standing, happenings=later, tasks_done=tasks_done)


def play_on(
    definition: Definition,
    buyer: BuyerTime,
    facts: Facts,
    waiting: Iterable[PlannedStep],
    standing: Standing,
    *,
    happenings: Iterable[Happening] = (),
    tasks_done: bool = False,
) -> list[PlannedStep]:
    """Return how it goes on from ``waiting`` steps, as ``play`` does."""
    run = _Run(definition, buyer, facts, standing, tasks_done)
    run.add(list(waiting))
    for happening in sorted(happenings, key=lambda one: one.at):
        run.until(happening.at)
        run.take(happening)
    run.until(None)
    return sorted(run.played, key=lambda row: row.due_at)


class _Run:
    """One lead on a fake clock."""

    def __init__(
        self, definition: Definition, buyer: BuyerTime, facts: Facts, standing: Standing, tasks_done: bool
    ) -> None:
        self.played: list[PlannedStep] = []
        self._definition, self._buyer, self._facts, self._tasks_done = definition, buyer, facts, tasks_done
        self._planned, self._events = set(standing.known), dict(standing.events)
        self._letters, self._made = list(standing.letters), {row.step for row in standing.made}
        self._hold, self._ends_at, self._ended = standing.hold_until, standing.ends_at, False
        self._floor = standing.now
        self._open: list[tuple[datetime, bool, int, PlannedStep]] = []
        self._number = count()
        self._verdicts: dict[str, str] = {}
        if tasks_done:
            for row in standing.made:
                # A task that waits for somebody now will not have been done before.
                done_at = max(row.due_at, self._floor or row.due_at)
                self._follow(happened_anchors(row.step, "", done_at), done_at)

    def add(self, rows: Iterable[PlannedStep]) -> None:
        """Take planned rows; those that are skipped from the start have had their say."""
        for row in rows:
            self._planned.add(row.step)
            if row.skip:
                self.played.append(row)
            else:
                heapq.heappush(self._open, self._entry(row))

    def _entry(self, row: PlannedStep) -> tuple[datetime, bool, int, PlannedStep]:
        # Letters last: what is decided at the same moment comes before what leaves the house.
        return row.due_at, row.kind == "mail", next(self._number), row

    def until(self, moment: datetime | None) -> None:
        """Do what is due before ``moment``; without one, all there is."""
        while self._open and not self._ended:
            due = self._open[0][0]
            if moment is not None and due >= moment:
                return
            if self._ends_at is not None and due >= self._ends_at:
                self._ended = True
                return
            self._do(heapq.heappop(self._open)[3])

    def _do(self, row: PlannedStep) -> None:
        if row.step not in self._verdicts:
            self._ask(row)
        reason = self._verdicts.pop(row.step)
        if reason:
            self.played.append(replace(row, skip=reason, outcome=""))
            self._follow({row.step: row.due_at}, row.due_at)
            return
        if row.kind == "branch":
            row = replace(row, outcome=arm(self._definition, row.step, self._asked()))
        self.played.append(row)
        self._act(row)

    def _ask(self, row: PlannedStep) -> None:
        """Ask whether a step happens. Letters of one moment are asked together, as they are drafted together."""
        rows = [row]
        if row.kind == "mail":
            same = (entry for entry in self._open if entry[0] == row.due_at and entry[1])
            rows += [entry[3] for entry in sorted(same, key=lambda entry: entry[2])]
        letters = list(self._letters)
        for one in rows:
            if one.step not in self._verdicts:
                self._verdicts[one.step] = why_not(self._definition, one, self._asked(), letters)
            letters += [] if self._verdicts[one.step] else [one.due_at]

    def _asked(self) -> Facts:
        return replace(self._facts, happened=HappenedFacts.of(self._events))

    def _act(self, row: PlannedStep) -> None:
        step, at, stage = self._definition.step(row.step), row.due_at, self._stage
        if row.kind == "task" and step is not None and step.wait and not self._tasks_done:
            self._made.add(row.step)
            return
        moved = None
        if row.kind == "mail":
            self._letters.append(at)
            moved = Stage.CONTACTED if stage == Stage.LEAD else None
        elif row.kind == "move" and movable(stage, row.what):
            moved = Stage(row.what)
        if moved is not None:
            self._facts = replace(self._facts, deal=replace(self._facts.deal, stage=str(moved)))
        self._follow(happened_anchors(row.step, row.outcome, at), at)
        if moved is not None:
            self._reached(moved, at)

    @property
    def _stage(self) -> str:
        return self._facts.deal.stage

    def _follow(self, anchors: Mapping[str, datetime], now: datetime) -> None:
        if self._ended:
            return
        not_before = max(now, self._hold or now, self._floor or now)
        self.add(
            plan(
                self._definition, self._buyer, anchors, planned=self._planned, not_before=not_before,
                events=self._events,
            )
        )  # fmt: skip

    def take(self, one: Happening) -> None:
        """Let something happen."""
        if self._ends_at is not None and one.at >= self._ends_at:
            self._ended = True
        if one.name == "out_of_office":
            self._away(one)
        elif one.name.startswith("task_done:"):
            step = one.name.partition(":")[2]
            if step in self._made:
                self._made.discard(step)
                self._follow(happened_anchors(step, "", one.at), one.at)
        elif one.name in ENDS_FOLLOW_UP:
            self._ended = True
            if one.name == "hard_bounce":
                self._once("on_bounce", self._definition.on_bounce, one.at)
        else:
            self._event(one)

    def _away(self, one: Happening) -> None:
        until = held_until(self._definition, one.until, one.at)
        self._hold = max(until, self._hold or until)
        rows = held(self._definition, self._buyer, [entry[3] for entry in self._open], until)
        self._put([(row.due_at, *entry[1:3], row) for entry, row in zip(self._open, rows, strict=True)])

    def _put(self, entries: list[tuple[datetime, bool, int, PlannedStep]]) -> None:
        self._open = entries
        heapq.heapify(self._open)

    def _event(self, one: Happening) -> None:
        if one.name == "reply":
            self._reply(one.at)
            return
        if one.name.startswith("stage."):
            stage = Stage(one.name.partition(".")[2])
            self._facts = replace(self._facts, deal=replace(self._facts.deal, stage=str(stage)))
            self._reached(stage, one.at)
            return
        for name, at in one.events().items():
            self._come(name, at, one.at)

    def _reply(self, at: datetime) -> None:
        if self._definition.ends_on_reply:
            self._ended = True
        self._come("reply", at, at)
        rule = self._definition.on_reply
        self._answer("on_reply", rule.task if rule else "answer", rule.within if rule else ANSWER_WITHIN, at)
        if self._stage in BEFORE_REPLY:
            self._facts = replace(self._facts, deal=replace(self._facts.deal, stage=Stage.REPLIED.value))
            self._reached(Stage.REPLIED, at)

    def _reached(self, stage: Stage, at: datetime) -> None:
        self._once(f"on_stage.{stage}", self._definition.on_stage.get(stage), at)
        self._come(f"stage.{stage}", at, at)
        if exit_reason(self._definition, self._facts) is not None:
            self._ended = True

    def _come(self, name: str, at: datetime, now: datetime) -> None:
        if name in self._events or self._ended:
            return
        self._events[name] = at
        not_before = max(now, self._hold or now)
        rows = [resolved(entry[3], name, at, not_before) for entry in self._open]
        self._put([(row.due_at, *entry[1:3], row) for entry, row in zip(self._open, rows, strict=True)])
        self._follow({name: at}, now)

    def _once(self, step: str, rule: OnBounce | OnStage | None, at: datetime) -> None:
        # The first time counts, also if that task is done by now: one follow-up asks for one thing once.
        if rule is not None and step not in {row.step for row in self.played}:
            self._answer(step, rule.task, rule.within, at)

    def _answer(self, step: str, task: str, within: Delay, at: datetime) -> None:
        due = office_deadline(within, at, self._buyer.korea)
        self.played.append(PlannedStep(step, "task", task, due, at))


def movable(stage: str, to: str) -> bool:
    """Tell whether the engine may move a deal by itself: nothing proves a step forward, so that is for a person."""
    return refuse_move(Move(stage, to, evidence=False, reason="workflow", by_hand=False)) is None
