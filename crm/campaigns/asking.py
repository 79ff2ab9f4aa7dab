"""Asks of steps that are due whether they happen: their day, their condition, the cap. Many at once, in few queries."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from crm.campaigns import engine
from crm.campaigns.conditions import Facts, HappenedFacts
from crm.campaigns.definition import Definition
from crm.campaigns.leads import LEADS, LeadCard
from crm.campaigns.models import Step
from crm.campaigns.states import ACTIVE, DONE, OPEN
from crm.campaigns.stepping import ENROLMENTS, STEPS, as_planned, events_of
from crm.core import bulk


class Question(NamedTuple):
    """A step that is due, the lead it concerns and the workflow it belongs to."""

    step: Step
    card: LeadCard
    definition: Definition


def refusals(session: Session, questions: Iterable[Question]) -> dict[int, str]:
    """Return why steps do not happen, by id; those that do are left out."""
    questions = sorted(questions, key=lambda one: (one.step.due_at, one.step.id or 0))
    facts = facts_of(session, questions)
    letters = _letters(session, {one.card.contact_id for one in questions if one.definition.cap})
    refused: dict[int, str] = {}
    for one in questions:
        number, person = one.step.id or 0, (one.card.exporter_id, one.card.contact_id)
        before = [
            at
            for at, letter in letters.get(person, ())
            if (at, letter) < (one.step.due_at, number) and letter != number
        ]
        reason = engine.why_not(one.definition, as_planned(one.step), facts[number], before)
        if reason:
            refused[number] = reason
            letters[person] = [(at, letter) for at, letter in letters.get(person, ()) if letter != number]
    return refused


def facts_of(session: Session, questions: Collection[Question]) -> dict[int, Facts]:
    """Return what conditions may ask for each step, by its id."""
    events = events_of(session, {one.step.enrolment_id for one in questions if one.definition.asks_events})
    return {
        one.step.id or 0: replace(one.card.facts, happened=HappenedFacts.of(events.get(one.step.enrolment_id, {})))
        for one in questions
    }


def letters_sent(session: Session, contact_ids: Collection[int]) -> Mapping[tuple[int, int], list[datetime]]:
    """Return when letters of an exporter left to a person, by (exporter, contact)."""
    rows = _letters(session, contact_ids, sent_only=True)
    return {person: [at for at, _letter in letters] for person, letters in rows.items()}


def _letters(
    session: Session, contact_ids: Collection[int], *, sent_only: bool = False
) -> dict[tuple[int, int], list[tuple[datetime, int]]]:
    """Return the letters to people as (time, step), by (exporter, contact): those that left and those that will."""
    if not contact_ids:
        return {}
    left = STEPS.c.status == DONE
    coming = sa.and_(STEPS.c.status.in_(OPEN), ENROLMENTS.c.status == ACTIVE)
    rows = (
        sa.select(LEADS.c.exporter_id, LEADS.c.contact_id, STEPS.c.id, STEPS.c.due_at, STEPS.c.done_at)
        .join(ENROLMENTS, ENROLMENTS.c.id == STEPS.c.enrolment_id)
        .join(LEADS, LEADS.c.id == ENROLMENTS.c.lead_id)
        .where(STEPS.c.kind == "mail", left if sent_only else sa.or_(left, coming))
    )
    found: dict[tuple[int, int], list[tuple[datetime, int]]] = {}
    for exporter_id, contact_id, number, due_at, done_at in bulk.find(session, rows, LEADS.c.contact_id, contact_ids):
        found.setdefault((exporter_id, contact_id), []).append((done_at or due_at, number))
    return found
