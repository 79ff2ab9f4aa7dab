"""Several workers on one database, some of them killed at random: each step is drafted exactly once. Real processes."""

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, func, select

from crm import jobs
from crm.campaigns import service
from crm.campaigns.models import Enrolment, Step
from crm.core.clock import FrozenClock
from crm.core.config import ROOT, Settings
from crm.core.context import Context
from crm.core.db import Database
from crm.core.models import Instance
from crm.drafts.models import Draft
from crm.exporters.models import Exhibition
from crm.pipeline import service as pipeline
from crm.pipeline.models import Task
from tests.pipeline.world import NOW
from tests.postroom import build, met

LEADS = {"sqlite": 60, "postgresql": 160}
WORKERS = {"sqlite": (1, 2), "postgresql": (2, 4)}
KILLS = 4
SECRET = "test-secret-that-is-long-enough-0123456789"
AT = NOW + timedelta(hours=9)
DAY = timedelta(days=1)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The house's own workflows and letters, as the processes have them."""
    folders = {"workflows_dir": str(ROOT / "workflows"), "templates_dir": str(ROOT / "templates" / "mail")}
    return settings.model_copy(update=folders)


def start_campaign(db: Database, settings: Settings, leads: int) -> None:
    with db.writing() as session:
        world = build(session)
        for number in range(leads):
            met(session, world, f"Buyer{number}")
        pipeline.open_deals(session, now=NOW)
        show = session.get_one(Exhibition, world.show)
        campaign = service.create(
            session, settings, exhibition=show, workflow="overseas-buyer", now=NOW, by="staff@ieum.example"
        )
        service.start(session, campaign, by="staff@ieum.example", now=NOW)


def write_config(folder: Path, db: Database) -> Path:
    url = db.engine.url.render_as_string(hide_password=False)
    path = folder / "config.toml"
    path.write_text(
        f'[database]\nurl = "{url}"\n[smtp]\nsecurity = "none"\n[mail]\ndomain = "ieum.example"\n'
        '[clearance]\nkorean_sender_overlay = "off"\n[demo]\nenabled = true\n',
        encoding="utf-8",
    )
    return path


def set_clock(db: Database, now: datetime) -> None:
    """The worker reads the clock's offset from the database, as in the demo."""
    with db.writing() as session:
        session.get_one(Instance, 1).clock_offset = round((now - datetime.now(UTC)).total_seconds())


def start_worker(config: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from crm.cli import main; main()", "--config", str(config), "worker", "--once"]
    return subprocess.Popen(
        command, env={**os.environ, "IEUM_WEB__SECRET": SECRET}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip


def count(db: Database, table: type[Draft] | type[Enrolment]) -> int:
    with db.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def kill_some(workers: list[subprocess.Popen[str]], db: Database, goal: int, chance: random.Random) -> None:
    """Kill the workers in turn, each at a moment of its own, from when so many drafts are there."""
    deadline = time.monotonic() + 60
    while count(db, Draft) < goal and any(worker.poll() is None for worker in workers):
        assert time.monotonic() < deadline, "the workers draft nothing"
        time.sleep(0.005)  # asking without a pause would take the processor from the workers
    for worker in chance.sample(workers, len(workers)):
        time.sleep(chance.uniform(0, 0.08))
        worker.kill()
    for worker in workers:
        worker.communicate()


@pytest.mark.timeout(300)
def test_killing_workers_at_random_leaves_each_step_drafted_exactly_once(
    db: Database, settings: Settings, tmp_path: Path
) -> None:
    """F1, F2, F4, F9, F15: whatever dies in the middle is done again, and nothing twice."""
    name = db.engine.dialect.name
    leads = LEADS[name]
    start_campaign(db, settings, leads)
    config = write_config(tmp_path, db)
    set_clock(db, AT)
    chance = random.Random()
    goals = sorted(chance.sample(range(leads - 20), KILLS))
    for goal in goals:
        workers = [start_worker(config) for _ in range(chance.randint(*WORKERS[name]))]
        kill_some(workers, db, goal, chance)
    last = [start_worker(config) for _ in range(2)]
    said = [worker.communicate(timeout=120)[0] for worker in last]

    assert [worker.returncode for worker in last] == [0, 0], said
    with db.reading() as session:
        enrolled = Counter(session.exec(select(Enrolment.lead_id)))
        drafts = Counter(session.exec(select(Draft.step_id)))
        taken = session.exec(select(Step.id).where(Step.status == "taken")).all()
        steps = Counter(session.exec(select(Step.step)))
        troubles = session.exec(select(Task.title)).all()
    assert (len(enrolled), max(enrolled.values())) == (leads, 1), f"killed at {goals}"
    assert (set(drafts), max(drafts.values())) == (set(taken), 1), f"killed at {goals}"
    assert steps == {"thanks": leads}
    assert troubles == []


def work_together(context: Context, workers: int, work: Callable[[Context], object]) -> list[object]:
    together, results = threading.Barrier(workers), []

    def one() -> None:
        together.wait()
        results.append(work(context))

    threads = [threading.Thread(target=one) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("workers", [2, 4])
def test_workers_share_the_drafting_and_none_fails(db: Database, settings: Settings, workers: int) -> None:
    """F4, F9: with the claim taken out, a worker meets the unique step of another one and fails."""
    start_campaign(db, settings, 50)
    context = Context(settings, db, FrozenClock(AT))
    jobs.enrol_leads(context)
    done = work_together(context, workers, jobs.make_drafts)
    assert len(done) == workers
    assert sum(int(str(one)) for one in done) == count(db, Draft) == 50


@pytest.mark.postgres
def test_a_worker_does_not_wait_for_what_another_one_has_claimed(postgres_db: Database, settings: Settings) -> None:
    start_campaign(postgres_db, settings, 10)
    context = Context(settings, postgres_db, FrozenClock(AT))
    jobs.enrol_leads(context)

    def claim(session: Session, limit: int) -> set[int]:
        session.connection().exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        return {one.id for one in service.claim(session, settings, now=AT, ahead=DAY, kind="mail", limit=limit)}

    with postgres_db.writing() as first, postgres_db.writing() as second:
        mine, yours = claim(first, 6), claim(second, 6)
    assert (len(mine), len(yours), mine & yours) == (6, 4, set())


@pytest.mark.postgres
def test_what_a_dead_worker_had_claimed_is_given_to_the_next(postgres_db: Database, settings: Settings) -> None:
    start_campaign(postgres_db, settings, 5)
    context = Context(settings, postgres_db, FrozenClock(AT))
    jobs.enrol_leads(context)
    with postgres_db.reading() as dying:  # rolled back, as when its connection breaks
        assert len(service.claim(dying, settings, now=AT, ahead=DAY, kind="mail", limit=9)) == 5
    with postgres_db.writing() as session:
        assert len(service.claim(session, settings, now=AT, ahead=DAY, kind="mail", limit=9)) == 5


@pytest.mark.postgres
def test_a_follow_up_that_is_being_ended_is_not_drafted(postgres_db: Database, settings: Settings) -> None:
    start_campaign(postgres_db, settings, 3)
    context = Context(settings, postgres_db, FrozenClock(AT))
    jobs.enrol_leads(context)
    with postgres_db.writing() as ending, postgres_db.writing() as worker:
        lead_id = ending.exec(select(Enrolment.lead_id).order_by(col(Enrolment.id))).first()
        service.end_enrolments(ending, lead_id=lead_id, reason="opted_out", now=AT)
        claimed = service.claim(worker, settings, now=AT, ahead=DAY, kind="mail", limit=9)
    assert lead_id not in {one.lead_id for one in claimed}
    assert len(claimed) == 2


def test_a_restart_with_other_settings_keeps_what_waits(db: Database, settings: Settings) -> None:
    """F3: saving settings and starting anew closes no campaign and loses no step."""
    start_campaign(db, settings, 5)
    jobs.enrol_leads(Context(settings, db, FrozenClock(AT - 5 * DAY)))
    with db.reading() as session:
        before = sorted((step.id, step.due_at, step.status) for step in session.exec(select(Step)))
    changed = settings.campaigns.model_copy(update={"draft_ahead_hours": 1, "spread_per_hour": 3})
    again = Context(settings.model_copy(update={"campaigns": changed}), db, FrozenClock(AT - 5 * DAY))
    jobs.enrol_leads(again)
    with db.reading() as session:
        assert sorted((step.id, step.due_at, step.status) for step in session.exec(select(Step))) == before
    assert len(before) == 5


def test_a_letter_over_which_every_worker_stumbles_holds_up_no_other(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F6: one poisoned letter becomes a task, and the others are drafted once."""
    from crm.drafts import service as drafts

    start_campaign(db, settings, 5)
    context = Context(settings, db, FrozenClock(AT))
    jobs.enrol_leads(context)
    written = drafts.write_in_use

    def stumbling(library: object, name: str, about: object, **rest: object) -> object:
        if about.card.address.startswith("buyer2@"):  # type: ignore[attr-defined]
            raise ZeroDivisionError
        return written(library, name, about, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(drafts, "write_in_use", stumbling)
    assert jobs.make_drafts(context) == 4
    assert jobs.make_drafts(context) == 0
    with db.reading() as session:
        assert session.exec(select(Step.reason).where(Step.status == "skipped")).all() == ["not_written"]
        assert len(session.exec(select(Task)).all()) == 1
