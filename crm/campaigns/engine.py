"""What happens next to one lead, and when. Rehearsal and worker both ask here, so they cannot differ. Pure.

A step is planned as soon as the time of what it follows is known: the end of the show at enrolment, a letter when it
has left, a skipped step when it was due. Its condition is asked when it is due.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm.campaigns import rules
from crm.campaigns.conditions import Facts, holds
from crm.campaigns.definition import SHOW_CLOSE, Definition, Step
from crm.campaigns.rules import OFFICE_IN_KOREA, SEOUL, Calendar
from crm.pipeline.rules import WAY, Stage

# A tick plans thousands of steps from few anchors: the end of the show, for buyers of a dozen countries.
earliest = lru_cache(maxsize=1 << 15)(rules.earliest)
next_slot = lru_cache(maxsize=1 << 15)(rules.next_slot)
recipient_zone = lru_cache(maxsize=1 << 12)(rules.recipient_zone)

LAST_STEP_OPEN = timedelta(days=14)
"""How long after its time the last letter of a workflow may still start a lead that was imported late."""

OwnHolidays = Mapping[str, frozenset[date]]
LATE, CONDITION, NO_WINDOW = "late", "condition", "no_window"


@dataclass(frozen=True)
class BuyerTime:
    """The buyer's clock and calendar, and Korea's for tasks. ``assumed``: the zone is only the country's main one."""

    zone: ZoneInfo
    calendar: Calendar
    korea: Calendar = field(default=Calendar("KR"))
    assumed: bool = False


@dataclass(frozen=True)
class PlannedStep:
    """A step with its time (UTC). ``wanted_at`` is when its delay is over, before window and holidays move it.

    ``skip`` is empty or why it does not happen: ``late``, ``condition``, ``no_window``.
    """

    step: str
    kind: str
    what: str
    due_at: datetime
    wanted_at: datetime
    attach: str = ""
    skip: str = ""


def buyer_time(
    definition: Definition, country: str, city: str, timezone: str, own_holidays: OwnHolidays
) -> BuyerTime | None:
    """Return the buyer's clock and calendar, or None when nothing tells where the buyer is: such a lead is held."""
    local = recipient_zone(country, city)
    if local is None:
        return None
    mind = definition.send_window.holidays == "recipient"
    calendar = Calendar(country, own_holidays.get(country, frozenset()), mind)
    korea = Calendar("KR", own_holidays.get("KR", frozenset()))
    zone = _zone(timezone)
    return BuyerTime(zone or local.zone, calendar, korea, assumed=zone is None and local.assumed)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


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


def first_steps(
    definition: Definition, buyer: BuyerTime, facts: Facts, show_close: datetime, enrolled_at: datetime
) -> list[PlannedStep]:
    """Return the steps that can be planned when a lead is enrolled, among them those it came too late for.

    ``late_import`` rules: ``start_from_beginning`` lets the show end when the lead came; ``skip_missed`` leaves out
    what was due before; ``start_at_first_open_step`` also leaves that out, but starts with the letter due last.
    """
    if definition.late_import == "start_from_beginning":
        anchors = {SHOW_CLOSE: max(show_close, enrolled_at)}
        return plan(definition, buyer, anchors, planned=(), not_before=enrolled_at)
    timetable = _timetable(definition, buyer, show_close)
    missed = _missed(definition, facts, timetable, enrolled_at)
    late = [replace(timetable[step.id], skip=LATE) for step in definition.steps if step.id in missed]
    anchors = {SHOW_CLOSE: show_close, **{row.step: row.due_at for row in late}}
    return late + plan(definition, buyer, anchors, planned=missed, not_before=enrolled_at)


def plan(
    definition: Definition,
    buyer: BuyerTime,
    anchors: Mapping[str, datetime],
    *,
    planned: Collection[str],
    not_before: datetime,
) -> list[PlannedStep]:
    """Return the steps that follow any of ``anchors`` (step → when it happened) and are not ``planned`` yet."""
    return [
        _planned(definition, step, buyer, anchors[step.anchor], not_before)
        for step in definition.steps
        if step.anchor in anchors and step.id not in planned
    ]


def happens(definition: Definition, step_id: str, facts: Facts) -> bool:
    """Tell whether the condition of a step holds; asked when the step is due."""
    step = definition.step(step_id)
    return step is not None and holds(step.when, facts)


def answers(definition: Definition, facts: Facts) -> tuple[bool, ...]:
    """Return what is true of a lead, for every condition of the workflow in turn.

    Leads with the same answers on the same clock have the same way before them.
    """
    return tuple(holds(text, facts) for text in definition.conditions)


def play(
    definition: Definition, buyer: BuyerTime, facts: Facts, show_close: datetime, start: datetime
) -> list[PlannedStep]:
    """Return every step in order of time if each letter is approved, leaves in its slot and nobody answers."""
    waiting = first_steps(definition, buyer, facts, show_close, start)
    return play_on(definition, buyer, facts, waiting, {row.step for row in waiting})


def play_on(
    definition: Definition, buyer: BuyerTime, facts: Facts, waiting: Iterable[PlannedStep], known: Collection[str]
) -> list[PlannedStep]:
    """Return how it goes on from ``waiting`` steps; ``known`` are all steps there are already, waiting or not."""
    open_rows, planned, played = list(waiting), set(known), []
    while open_rows:
        open_rows.sort(key=lambda row: row.due_at)
        row = _settled(definition, open_rows.pop(0), facts)
        played.append(row)
        if row.skip != LATE:
            new = plan(definition, buyer, {row.step: row.due_at}, planned=planned, not_before=row.due_at)
            open_rows += new
            planned |= {follower.step for follower in new}
    return played


def postponed(
    definition: Definition, kind: str, buyer: BuyerTime, moment: datetime, not_before: datetime | None = None
) -> datetime:
    """Return the first allowed time at or after ``moment`` (and ``not_before``) for a step of ``kind``."""
    moment = max(moment, not_before or moment)
    return _slot(definition, kind, buyer, moment) or moment


def _settled(definition: Definition, row: PlannedStep, facts: Facts) -> PlannedStep:
    if row.skip or happens(definition, row.step, facts):
        return row
    return replace(row, skip=CONDITION)


def _planned(
    definition: Definition, step: Step, buyer: BuyerTime, anchor: datetime, not_before: datetime
) -> PlannedStep:
    wanted = earliest(anchor, step.delay, buyer.zone, buyer.calendar)
    due = _slot(definition, step.kind, buyer, max(wanted, not_before))
    skip = "" if due else NO_WINDOW
    return PlannedStep(step.id, step.kind, step.what, due or wanted, wanted, step.attach or "", skip)


def _slot(definition: Definition, kind: str, buyer: BuyerTime, moment: datetime) -> datetime | None:
    if kind == "task":
        return next_slot(moment, OFFICE_IN_KOREA, SEOUL, buyer.korea)
    return next_slot(moment, definition.send_window.window(), buyer.zone, buyer.calendar)


def _timetable(definition: Definition, buyer: BuyerTime, show_close: datetime) -> dict[str, PlannedStep]:
    """Return when each step would have been due for a lead that was there from the start."""
    timetable: dict[str, PlannedStep] = {}
    anchors = {SHOW_CLOSE: show_close}
    while new := plan(definition, buyer, anchors, planned=timetable, not_before=show_close):
        timetable |= {row.step: row for row in new}
        anchors |= {row.step: row.due_at for row in new}
    return timetable


def _missed(
    definition: Definition, facts: Facts, timetable: Mapping[str, PlannedStep], enrolled_at: datetime
) -> set[str]:
    past = {step for step, row in timetable.items() if row.due_at < enrolled_at}
    if definition.late_import == "skip_missed":
        return past
    letters = sorted(
        (row for row in timetable.values() if row.kind == "mail" and happens(definition, row.step, facts)),
        key=lambda row: row.due_at,
    )
    due = [row for row in letters if row.step in past]
    if not due or (due[-1] is letters[-1] and enrolled_at > due[-1].due_at + LAST_STEP_OPEN):
        return past
    return {step for step in past if timetable[step].due_at < due[-1].due_at}
