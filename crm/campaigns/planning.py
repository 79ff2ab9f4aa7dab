"""When the steps of one lead are due: what follows what, before what, and how plans move. Pure.

A step is planned as soon as the time of what it follows is known: the end of the show at enrolment, a letter when it
has left, a task when it was made or done, an event when it comes, a skipped step when it was due.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crm.campaigns.definition import HAPPENED, SHOW_CLOSE, TIMEOUT, Definition, Step
from crm.campaigns.rules import (
    OFFICE_IN_KOREA,
    SEOUL,
    Calendar,
    Delay,
    add_business_days,
    earliest,
    next_slot,
    recipient_zone,
)
from crm.core.clock import KST

ON_TIME = timedelta(days=3)
"""How long after its day a step with a fixed day may still happen, when holidays or an absence moved it."""
ABSENCE = timedelta(days=7)
"""How long nothing goes to somebody who is away and does not say until when, if the workflow does not say either."""

OwnHolidays = Mapping[str, frozenset[date]]
LATE, CONDITION, NO_WINDOW, DATE_PASSED, CAP = "late", "condition", "no_window", "date_passed", "cap"


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

    A wait begins at ``wanted_at`` and is over at ``due_at``. ``outcome`` is how a wait will end or a branch ended.
    ``skip`` is empty or why it does not happen: ``late``, ``condition``, ``no_window``, ``date_passed``, ``cap``. A
    step that is due at ``expires_at`` or later comes too late for its day.
    """

    step: str
    kind: str
    what: str
    due_at: datetime
    wanted_at: datetime
    attach: str = ""
    skip: str = ""
    outcome: str = ""
    expires_at: datetime | None = None


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


# ---------------------------------------------------------------- anchors


def fixed_anchors(
    definition: Definition, buyer: BuyerTime, show_close: datetime, dates: Mapping[str, date]
) -> dict[str, datetime]:
    """Return the anchors that the calendar gives: the end of the show, the named dates, the fixed days.

    Days begin at the buyer's midnight. A named date that nobody gave is no anchor: nothing follows it.
    """
    days = {name: day for name, day in dates.items() if name in definition.dates}
    days |= {step.anchor: step.on for step in definition.steps if step.on is not None}
    return {SHOW_CLOSE: show_close, **{name: _midnight(day, buyer.zone) for name, day in days.items()}}


def happened_anchors(step: str, outcome: str, at: datetime) -> dict[str, datetime]:
    """Return what steps can follow once ``step`` has happened: itself, and the way it ended."""
    return {step: at, f"{step}.{outcome}": at} if outcome else {step: at}


# ---------------------------------------------------------------- planning


def plan(
    definition: Definition,
    buyer: BuyerTime,
    anchors: Mapping[str, datetime],
    *,
    planned: Collection[str],
    not_before: datetime,
    events: Mapping[str, datetime] | None = None,
) -> list[PlannedStep]:
    """Return the steps that follow any of ``anchors`` (name → when it happened) and are not ``planned`` yet.

    A step that has no window at all is skipped, and what follows it is among the steps returned. ``events`` are those
    that have come so far, by name: what waits for one of them has nothing to wait for.
    """
    rows: list[PlannedStep] = []
    known = set(planned)
    open_anchors = dict(anchors)
    while open_anchors:
        new = [
            _planned(definition, step, buyer, open_anchors[step.anchor], not_before, events or {})
            for step in definition.steps
            if step.anchor in open_anchors and step.id not in known
        ]
        known |= {row.step for row in new}
        rows += new
        open_anchors = {row.step: row.due_at for row in new if row.skip == NO_WINDOW}
    return rows


def may_follow(definition: Definition, planned: Collection[str], events: Collection[str]) -> bool:
    """Tell whether an event that has not come yet could still bring a step that is not planned."""
    coming = definition.events - set(events)
    if definition.ends_on_reply:
        coming -= {"reply"}
    return any(step.anchor in coming for step in definition.steps if step.id not in planned)


def ends_at(definition: Definition, buyer: BuyerTime, enrolled_at: datetime) -> datetime:
    """Return when the follow-up of a lead is over at the latest."""
    return earliest(enrolled_at, definition.ends, buyer.zone, buyer.calendar)


def _planned(
    definition: Definition,
    step: Step,
    buyer: BuyerTime,
    anchor: datetime,
    not_before: datetime,
    events: Mapping[str, datetime],
) -> PlannedStep:
    wanted = _wanted(step, anchor, buyer)
    start = max(wanted, not_before)
    if step.wait_for is not None and step.at_most is not None:
        timeout = earliest(start, step.at_most, buyer.zone, buyer.calendar)
        row = PlannedStep(step.id, step.kind, step.what, timeout, start, outcome=TIMEOUT)
        come = events.get(step.wait_for)
        return row if come is None else _resolved(row, come, start)
    due = slot(definition, step.id, step.kind, buyer, start)
    skip = "" if due else NO_WINDOW
    expires = _expires(definition, step, buyer, anchor, wanted) if step.dated else None
    return PlannedStep(
        step.id, step.kind, step.what, due or start, wanted, step.attach or "", skip, expires_at=expires
    )  # fmt: skip


def _wanted(step: Step, anchor: datetime, buyer: BuyerTime) -> datetime:
    if step.before is not None:
        return earlier(anchor, step.delay, buyer.zone, buyer.calendar)
    return earliest(anchor, step.delay, buyer.zone, buyer.calendar)


def earlier(moment: datetime, delay: Delay, zone: ZoneInfo, calendar: Calendar) -> datetime:
    """Return the moment that lies a delay before ``moment``: days begin with the buyer's day."""
    if delay.unit == "hours":
        return moment - timedelta(hours=delay.count)
    day = moment.astimezone(zone).date()
    if delay.unit == "days":
        return _midnight(day - timedelta(days=delay.count), zone)
    left = delay.count
    while left > 0:
        day -= timedelta(days=1)
        left -= calendar.is_business_day(day)
    return _midnight(day, zone)


def _expires(
    definition: Definition, step: Step, buyer: BuyerTime, anchor: datetime, wanted: datetime
) -> datetime | None:
    if step.before is not None:
        return anchor
    # Holidays may move a fixed day by more than a few days; that is still its own time.
    return (slot(definition, step.id, step.kind, buyer, wanted) or wanted) + ON_TIME


def slot(definition: Definition, step_id: str, kind: str, buyer: BuyerTime, moment: datetime) -> datetime | None:
    """Return the first allowed time at or after ``moment`` for a step, or None if there is none.

    Letters keep to the buyer's window, tasks to Korean office hours, and each to its own window where it has one. What
    nobody reads has no hours.
    """
    step = definition.step(step_id)
    own = step.window if step is not None else None
    if kind not in ("mail", "task"):
        return moment
    if own is None and kind == "task":
        return next_slot(moment, OFFICE_IN_KOREA, SEOUL, buyer.korea)
    window = own or definition.send_window
    calendar = buyer.calendar if own is None else replace(buyer.calendar, mind_holidays=own.holidays == "recipient")
    return next_slot(moment, window.window(), buyer.zone, calendar)


def postponed(
    definition: Definition,
    kind: str,
    buyer: BuyerTime,
    moment: datetime,
    not_before: datetime | None = None,
    *,
    step: str = "",
) -> datetime:
    """Return the first allowed time at or after ``moment`` (and ``not_before``) for a step of ``kind``.

    ``step`` is its id, which tells whether it has a window of its own.
    """
    moment = max(moment, not_before or moment)
    return slot(definition, step, kind, buyer, moment) or moment


# ---------------------------------------------------------------- events and absences


def resolved(row: PlannedStep, event: str, at: datetime, not_before: datetime) -> PlannedStep:
    """Return a waiting row after ``event`` came at ``at``: a wait for it is over then, any other row stays."""
    if row.kind != "wait" or row.what != event or row.outcome == HAPPENED:
        return row
    return _resolved(row, at, not_before)


def _resolved(row: PlannedStep, at: datetime, not_before: datetime) -> PlannedStep:
    if at > row.due_at:
        return row
    return replace(row, due_at=max(row.wanted_at, at, not_before), outcome=HAPPENED)


def held_until(definition: Definition, returns_at: datetime | None, at: datetime) -> datetime:
    """Return until when nothing goes to a buyer who said at ``at`` that they are away (until ``returns_at``)."""
    rule = definition.on_out_of_office
    if returns_at is None:
        return at + (_length(rule.otherwise) if rule else ABSENCE)
    until = returns_at if returns_at > at else at + timedelta(days=1)
    return min(until, at + _length(rule.at_most)) if rule else until


def _length(delay: Delay) -> timedelta:
    return timedelta(hours=delay.count) if delay.unit == "hours" else timedelta(days=delay.count)


def cap_begins(definition: Definition, moment: datetime) -> datetime | None:
    """Return since when letters count against the cap at ``moment``, or None without a cap."""
    return moment - _length(definition.cap.within) if definition.cap else None


def held(definition: Definition, buyer: BuyerTime, rows: Iterable[PlannedStep], until: datetime) -> list[PlannedStep]:
    """Return waiting rows with nothing before ``until``: they keep their distances, but days of the calendar stay."""
    rows = list(rows)
    first = min((row.due_at for row in rows), default=until)
    if first >= until:
        return rows
    return [_moved(definition, buyer, row, until - first, until) for row in rows]


def _moved(
    definition: Definition, buyer: BuyerTime, row: PlannedStep, by: timedelta, not_before: datetime
) -> PlannedStep:
    moment = row.due_at if row.expires_at else row.due_at + by
    return replace(row, due_at=postponed(definition, row.kind, buyer, moment, not_before, step=row.step))


def office_deadline(within: Delay, at: datetime, korea: Calendar) -> datetime:
    """Return until when a person in Korea should have done something, at the same time of day."""
    if within.unit != "business days":
        return at + _length(within)
    local = at.astimezone(KST)
    day = add_business_days(local.date(), within.count, korea)
    return datetime.combine(day, local.timetz()).astimezone(at.tzinfo)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the start of a day (UTC), as ``rules`` counts it."""
    return earliest(datetime.combine(day - timedelta(days=1), time(12), zone), Delay(1, "days"), zone, Calendar())
