"""What comes from outside the workflows: answers, samples, quotations, stages, returned letters, absences.

The mailbox tells at once (``replied``, ``away``, ``bounced``); what stands in the log of a deal is noticed with the
next tick (``notice``). Each event counts once for each follow-up, so telling it twice changes nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from crm.campaigns import desk, engine
from crm.campaigns.definition import Definition
from crm.campaigns.leads import DEAL_LEADS, load
from crm.campaigns.models import Campaign, Enrolment, EnrolmentEvent, WorkflowVersion
from crm.campaigns.rules import NO_OWN_DAYS, Calendar, Delay
from crm.campaigns.states import ACTIVE, WAITING
from crm.campaigns.stepping import ENROLMENTS, as_planned, end, events_of, hold, plan_from, steps_of
from crm.campaigns.workflows import definition_of, own_holidays
from crm.contacts.models import Lead
from crm.core import bulk, events
from crm.core.config import Settings
from crm.core.db import one_of_many
from crm.core.models import Event
from crm.pipeline.rules import HAPPENINGS, MOVED

LOG: sa.Table = Event.__table__  # type: ignore[attr-defined]


# ---------------------------------------------------------------- events of one lead


def happened(session: Session, settings: Settings, *, lead_id: int, event: str, at: datetime, now: datetime) -> int:
    """Tell the follow-ups of a lead that an event of ``definition.EVENTS`` came at ``at``; return how many heed it.

    Waits for it are over, and what follows it is planned. ``at`` may lie before ``now``, or, for the end of a
    quotation, after it. A second time changes nothing.
    """
    return sum(come(session, settings, one, event, at, now) for one in _followed(session, lead_id))


def come(session: Session, settings: Settings, enrolment: Enrolment, event: str, at: datetime, now: datetime) -> bool:
    """Note an event for one enrolment and plan what follows; False when it knows it or its workflow does not care.

    Of a follow-up that has ended, only the tasks for stages still come.
    """
    definition, number = definition_of(session, enrolment.workflow_sha256), enrolment.id or 0
    if event not in _heeded(definition) or event in events_of(session, [number]).get(number, {}):
        return False
    session.add(EnrolmentEvent(enrolment_id=number, name=event, at=at))
    session.flush()
    _on_stage(session, settings, enrolment, event.removeprefix("stage."), at, now)
    not_before = max(now, enrolment.hold_until or now)
    for step in steps_of(session, enrolment, (WAITING,)):
        row = as_planned(step)
        over = engine.resolved(row, event, at, not_before)
        if over != row:
            step.due_at, step.data = over.due_at, {**step.data, "outcome": over.outcome}
    session.flush()
    plan_from(session, settings, enrolment, {event: at}, now)
    return True


def _heeded(definition: Definition) -> frozenset[str]:
    """Return the events that mean something to a workflow."""
    asked = {"reply", *HAPPENINGS} if definition.asks_events else set()
    return definition.events | {f"stage.{stage}" for stage in definition.on_stage} | asked


def _followed(session: Session, lead_id: int) -> list[Enrolment]:
    """Return the active enrolments of a lead, kept from everybody else until the transaction ends."""
    rows = select(Enrolment).where(Enrolment.lead_id == lead_id, Enrolment.status == ACTIVE)
    locked = rows.order_by(col(Enrolment.id)).with_for_update(key_share=True)
    return list(session.exec(locked.execution_options(populate_existing=True)))


def replied(session: Session, settings: Settings, *, lead_id: int, now: datetime) -> list[int]:
    """Note that the buyer of a lead answered; return the ids of the steps that this cancelled.

    It ends the follow-up, unless the workflow has steps for what comes after an answer.
    """
    cancelled: list[int] = []
    for enrolment in _followed(session, lead_id):
        if definition_of(session, enrolment.workflow_sha256).ends_on_reply:
            cancelled += end(session, [enrolment], "replied", now)
        else:
            come(session, settings, enrolment, "reply", now, now)
    return cancelled


def away(session: Session, settings: Settings, *, lead_id: int, returns_at: datetime | None, now: datetime) -> None:
    """Hold the follow-ups of a lead whose buyer is away until ``returns_at`` (None: they do not say)."""
    for enrolment in _followed(session, lead_id):
        definition = definition_of(session, enrolment.workflow_sha256)
        held(session, settings, enrolment, engine.held_until(definition, returns_at, now), now)


def held(session: Session, settings: Settings, enrolment: Enrolment, until: datetime, now: datetime) -> None:
    """Hold one follow-up until a moment, and write it into the log."""
    hold(session, settings, enrolment, until)
    lead = session.get_one(Lead, enrolment.lead_id)
    data = {"until": until.astimezone(UTC).isoformat()}
    events.record(session, "follow_up_held", "lead", lead.id, at=now, exporter_id=lead.exporter_id, data=data)


def bounced(session: Session, settings: Settings, *, lead_id: int, now: datetime) -> bool:
    """Make the task that the workflow of a lead has for a letter that came back for good; False if it has none."""
    newest = newest_of(session, lead_id)
    rule = definition_of(session, newest.workflow_sha256).on_bounce if newest else None
    if newest is None or rule is None:
        return False
    _ask(session, settings, newest, rule.task, rule.within, f"on_bounce:{newest.id}", now, now)
    return True


def newest_of(session: Session, lead_id: int) -> Enrolment | None:
    """Return the newest enrolment of a lead, ended or not."""
    rows = select(Enrolment).where(Enrolment.lead_id == lead_id).order_by(col(Enrolment.id).desc())
    return session.exec(rows).first()


def _ask(
    session: Session,
    settings: Settings,
    enrolment: Enrolment,
    task: str,
    within: Delay,
    origin: str,
    at: datetime,
    now: datetime,
) -> None:
    card = load(session, [enrolment.lead_id])[enrolment.lead_id]
    korea = Calendar("KR", own_holidays(settings).get("KR", NO_OWN_DAYS))
    desk.put(session, card, kind=task, origin=origin, due_at=engine.office_deadline(within, at, korea), now=now)


# ---------------------------------------------------------------- events in the log of deals


@dataclass(frozen=True)
class _Line:
    """What a line in the log of a deal says: the events it is, and when it was written."""

    events: Mapping[str, datetime]
    written_at: datetime


def notice(
    session: Session, settings: Settings, campaign: Campaign, lead_ids: Collection[int] | None, *, now: datetime
) -> int:
    """Tell the follow-ups of a campaign what stands in the logs of their deals; return how many events were new.

    Of the leads given, None for all. Costs nothing for workflows that care for no event.
    """
    heeded = _heeded_by_version(session, campaign)
    if not heeded:
        return 0
    rows = sa.select(
        ENROLMENTS.c.id, ENROLMENTS.c.lead_id, ENROLMENTS.c.workflow_sha256, ENROLMENTS.c.created_at,
        DEAL_LEADS.c.deal_id,
    ).join(DEAL_LEADS, DEAL_LEADS.c.lead_id == ENROLMENTS.c.lead_id)  # fmt: skip
    mine = rows.where(ENROLMENTS.c.campaign_id == campaign.id, ENROLMENTS.c.workflow_sha256.in_(list(heeded)))
    mine = mine.order_by(ENROLMENTS.c.id)
    found = (
        session.execute(mine).all() if lead_ids is None else bulk.find(session, mine, ENROLMENTS.c.lead_id, lead_ids)
    )
    lines = _lines(session, {row.deal_id for row in found})
    known = events_of(session, [row.id for row in found if row.deal_id in lines])
    count = 0
    for row in found:
        new = heeded[row.workflow_sha256] - known.get(row.id, {}).keys()
        written = [line for line in lines.get(row.deal_id, ()) if line.written_at >= row.created_at]
        for name, at in ((name, at) for line in written for name, at in line.events.items() if name in new):
            with one_of_many(session, "event_not_noticed", enrolment=row.id):
                count += come(session, settings, session.get_one(Enrolment, row.id), name, at, now)
    return count


def _heeded_by_version(session: Session, campaign: Campaign) -> dict[str, frozenset[str]]:
    """Return the versions of a campaign's workflow for which events mean something, with these events."""
    versions = session.exec(select(WorkflowVersion.sha256).where(WorkflowVersion.name == campaign.workflow))
    return {sha256: events for sha256 in versions if (events := _heeded(definition_of(session, sha256)))}


def _lines(session: Session, deal_ids: Collection[int]) -> dict[int, list[_Line]]:
    rows = (
        sa.select(LOG.c.subject_id, LOG.c.verb, LOG.c.at, LOG.c.data)
        .where(LOG.c.subject == "deal", LOG.c.verb.in_([MOVED, *HAPPENINGS.values()]))
        .order_by(LOG.c.id)
    )
    found: dict[int, list[_Line]] = {}
    for deal_id, verb, at, data in bulk.find(session, rows, LOG.c.subject_id, deal_ids):
        found.setdefault(deal_id, []).append(_Line(dict(_events_in(verb, at, data)), at))
    return found


def _events_in(verb: str, at: datetime, data: Mapping[str, Any]) -> Iterator[tuple[str, datetime]]:
    if verb == MOVED:
        yield f"stage.{data['to']}", at
        return
    yield next(name for name, known in HAPPENINGS.items() if known == verb), datetime.fromisoformat(data["at"])
    if data.get("expires_at"):
        yield "quotation.expires", datetime.fromisoformat(data["expires_at"])


def _on_stage(
    session: Session, settings: Settings, enrolment: Enrolment, stage: str, at: datetime, now: datetime
) -> None:
    rule = definition_of(session, enrolment.workflow_sha256).on_stage.get(stage)
    newest = newest_of(session, enrolment.lead_id) if rule else None
    if rule is not None and newest is not None and newest.id == enrolment.id:
        _ask(session, settings, enrolment, rule.task, rule.within, f"on_stage:{enrolment.id}:{stage}", at, now)


def past_events(session: Session, definition: Definition, lead_ids: Collection[int]) -> dict[int, dict[str, datetime]]:
    """Return what has come for leads that are about to be followed up, the last time of each event that counts."""
    if not definition.events - {"reply"}:
        return {}
    rows = sa.select(DEAL_LEADS.c.lead_id, DEAL_LEADS.c.deal_id)
    deals: dict[int, int] = dict(bulk.find(session, rows, DEAL_LEADS.c.lead_id, lead_ids))
    lines = _lines(session, set(deals.values()))
    return {
        lead_id: found for lead_id, deal_id in deals.items() if (found := _last(definition, lines.get(deal_id, ())))
    }


def _last(definition: Definition, lines: Iterable[_Line]) -> dict[str, datetime]:
    return {name: at for line in lines for name, at in line.events.items() if name in definition.events}
