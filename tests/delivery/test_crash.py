"""A worker that is killed, again and again, in the middle of five hundred letters. Real process, database and SMTP."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from crm.contacts import service as contacts
from crm.core.config import Settings
from crm.core.db import Database
from crm.core.models import Instance
from crm.delivery.models import Outbox
from crm.drafts.models import Draft
from crm.pipeline import service as pipeline
from crm.pipeline.models import Task
from crm.review import letters
from crm.review import service as review
from crm.review.models import Approval
from tests.delivery.conftest import BOTH
from tests.mailkit import Relay, running
from tests.pipeline.world import NOW
from tests.postroom import build, drafted, met

LETTERS = {"sqlite": 500, "postgresql": 150}
KILLS = {"sqlite": 5, "postgresql": 3}
CONNECTIONS = 4
SECRET = "test-secret-that-is-long-enough-0123456789"
LEASE_OVER = timedelta(minutes=10)


@pytest.fixture
def relay() -> Iterator[Relay]:
    with running(Relay()) as found:
        yield found


def approve_many(session: Session, settings: Settings, count: int) -> None:
    """Approved letters, composed and bound to their text as ``review.approve`` does, without asking 500 times."""
    world = build(session)
    leads = [met(session, world, f"Buyer{number}") for number in range(count)]
    pipeline.open_deals(session, now=NOW)
    for lead in leads:
        draft = drafted(session, lead)
        draft.status = "approved"
        approval = Approval(
            draft_id=draft.id, content_hash=review.fingerprint(session, draft), approved_by="advisor@ieum.example",
            approved_at=NOW, send_at=NOW,
        )  # fmt: skip
        session.add(approval)
        session.flush()
        letters.store_message(session, settings, draft, approval, now=NOW)


def write_config(folder: Path, db: Database, relay: Relay) -> Path:
    url = db.engine.url.render_as_string(hide_password=False)
    path = folder / "config.toml"
    path.write_text(
        f'[database]\nurl = "{url}"\n[smtp]\nport = {relay.port}\nsecurity = "none"\nconnections = {CONNECTIONS}\n'
        '[mail]\ndomain = "ieum.example"\n[clearance]\nkorean_sender_overlay = "off"\n[demo]\nenabled = true\n',
        encoding="utf-8",
    )
    return path


def start_worker(config: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from crm.cli import main; main()", "--config", str(config), "worker", "--once"]
    return subprocess.Popen(
        command, env={**os.environ, "IEUM_WEB__SECRET": SECRET}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def set_clock(db: Database, now: datetime) -> None:
    """The worker reads the clock's offset from the database, as in the demo; so leases end without waiting."""
    with db.writing() as session:
        session.get_one(Instance, 1).clock_offset = round((now - datetime.now(UTC)).total_seconds())


def kill_after(worker: subprocess.Popen[bytes], relay: Relay, taken: int, delay: float) -> None:
    deadline = time.monotonic() + 60
    while len(relay.taken) < taken and worker.poll() is None:
        assert time.monotonic() < deadline, "the worker sends nothing"
        time.sleep(0.002)
    time.sleep(delay)
    worker.kill()
    worker.wait()


@BOTH
@pytest.mark.timeout(300)
def test_killing_the_worker_neither_doubles_nor_loses_a_letter(
    db: Database, settings: Settings, relay: Relay, tmp_path: Path
) -> None:
    letters_in_all = LETTERS[db.engine.dialect.name]
    with db.writing() as session:
        approve_many(session, settings, letters_in_all)
    config = write_config(tmp_path, db, relay)
    chance = random.Random()
    points = sorted(chance.sample(range(1, letters_in_all - 50), KILLS[db.engine.dialect.name]))
    now = NOW + LEASE_OVER
    for point in points:
        set_clock(db, now)
        kill_after(start_worker(config), relay, point, chance.uniform(0, 0.02))
        now += LEASE_OVER
    set_clock(db, now)
    assert start_worker(config).wait(timeout=120) == 0

    arrived = Counter(relay.recipients)
    with db.reading() as session:
        status = {row.recipient: row.status for row in session.exec(select(Outbox))}
        tasks = set(session.exec(select(Task.origin)))
        uncertain = {row.id for row in session.exec(select(Outbox).where(Outbox.status == "uncertain"))}
        drafts = Counter(session.exec(select(Draft.status)))
    assert len(status) == letters_in_all
    assert max(arrived.values()) == 1, f"sent twice, killed at {points}"
    assert set(status.values()) <= {"sent", "uncertain"}, f"lost, killed at {points}"
    assert [name for name, state in status.items() if state == "sent" and not arrived[name]] == []
    assert len(uncertain) <= len(points) * CONNECTIONS
    assert {f"outbox:{number}" for number in uncertain} <= tasks
    assert drafts["sent"] == letters_in_all - len(uncertain)


def test_the_addresses_of_this_test_are_all_different(session: Session) -> None:
    """Counting arrivals by recipient proves nothing if two buyers share a mailbox."""
    world = build(session)
    found = [contacts.primary_email(session, met(session, world, f"Buyer{n}").contact_id) for n in range(20)]
    assert len({address.address for address in found if address}) == 20
