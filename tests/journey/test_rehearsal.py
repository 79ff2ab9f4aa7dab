"""The rehearsal is a promise: the running worker drafts exactly the letters it listed."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from crm import jobs
from crm.accounts.rules import system_viewer
from crm.campaigns import service as campaigns
from crm.campaigns.models import Campaign
from crm.core.clock import FrozenClock
from crm.core.config import Settings
from crm.core.context import Context
from crm.core.db import Database
from crm.core.errors import Refused
from crm.delivery.models import Outbox
from crm.demo.clock import next_due
from crm.demo.mailserver import DemoMailServer
from crm.drafts.models import Draft
from crm.review import service as review
from tests.conftest import NOW

END = NOW + timedelta(days=75)
Line = tuple[int, str, str, str]


@pytest.fixture
def house(demo_db: Database, settings: Settings, tmp_path: Path) -> Iterator[Context]:
    """The demo's exhibition with a clock that stands still, and a real SMTP server for what leaves."""
    with DemoMailServer(tmp_path / "mail", "ieum.example") as ports:
        smtp = settings.smtp.model_copy(update={"port": ports.smtp, "security": "none"})
        hold = settings.review.model_copy(update={"hold_minutes": 0})
        yield Context(settings.model_copy(update={"smtp": smtp, "review": hold}), demo_db, FrozenClock(NOW))


def rehearsed(context: Context) -> tuple[Counter[Line], Counter[Line]]:
    """Return what the rehearsal lists: letters that leave, and letters that would be held."""
    leave: Counter[Line] = Counter()
    held: Counter[Line] = Counter()
    with context.db.reading() as session:
        for campaign in session.exec(select(Campaign)).all():
            for letter in campaigns.rehearse(session, context.settings, campaign, now=NOW).letters:
                line = (letter.lead_id, letter.letter, letter.language, letter.due_at.isoformat())
                (held if letter.held_reason else leave)[line] += 1
    return leave, held


def approve_new(context: Context, looked_at: set[int]) -> None:
    """Approve what may be approved, as an advisor who always says yes; what is blocked stays where it is."""
    with context.db.reading() as session:
        waiting = session.exec(select(Draft.id).where(Draft.status == "waiting")).all()
    for number in [found for found in waiting if found is not None and found not in looked_at]:
        looked_at.add(number)
        with context.db.writing() as session:
            approve(context, session, session.get_one(Draft, number))


def approve(context: Context, session: Session, draft: Draft) -> None:
    now = context.clock.now()
    checks = [item.code for item in review.verdicts_of(session, context.settings, draft, now=now)]
    try:
        review.approve(
            session, context.settings, draft, seen_version=draft.version or 0, acknowledged=checks,
            viewer=system_viewer(), now=now,
        )  # fmt: skip
    except Refused:
        session.rollback()


def live(context: Context) -> None:
    """Let the worker live until nothing is due any more, moving the clock from one due moment to the next."""
    assert isinstance(context.clock, FrozenClock)
    looked_at: set[int] = set()
    for _ in range(2000):
        asyncio.run(jobs.run_once(context))
        approve_new(context, looked_at)
        asyncio.run(jobs.run_once(context))
        with context.db.reading() as session:
            due = next_due(session, context.settings, context.clock.now())
        if due is None or due > END:
            return
        context.clock.set(due)
    raise AssertionError("the campaign never came to an end")


@pytest.mark.timeout(300)
def test_the_worker_drafts_exactly_the_letters_of_the_rehearsal(house: Context) -> None:
    leave, held = rehearsed(house)
    assert sum(leave.values()) > 100, "the demo has something to rehearse"
    assert held, "and somebody who may not be written to"
    live(house)
    with house.db.reading() as session:
        drafts = session.exec(select(Draft)).all()
        sent = session.exec(select(Outbox.draft_id).where(col(Outbox.status) == "sent")).all()
    lines = Counter((d.lead_id, d.letter, d.language, d.planned_at.isoformat()) for d in drafts)
    assert lines == leave + (lines & held)
    assert set(sent) == {draft.id for draft in drafts if draft.status == "sent"}
    assert {(d.lead_id, d.letter) for d in drafts if d.status == "sent"} == {line[:2] for line in leave}
