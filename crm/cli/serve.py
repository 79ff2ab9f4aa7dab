"""``crm init|serve|worker|doctor|demo``: setting up, running and looking after the house."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm.cli import common
from crm.core.errors import BadInput
from crm.core.i18n import _

if TYPE_CHECKING:
    from crm.core.context import Context

MIN_SECRET = 32


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (init, serve, worker, doctor, demo):
        app.command(command.__name__)(command)


def init() -> None:
    """Make or upgrade the database; rows are kept. Safe to run again."""
    from crm import migrations
    from crm.core import instance

    context = common.open_house(must_exist=False)
    before = migrations.current(context.db)
    migrations.upgrade(context.db)
    with context.db.writing() as session:
        instance.initialise(session, now=context.clock.now(), demo=context.settings.demo.enabled)
    after = migrations.newest()
    common.say(_("The database is at version {version}.", version=after))
    if before is None:
        common.say(_("Invite the first person: crm users add you@example.com --name NAME --role staff"))


def _require_secret(context: "Context") -> None:
    if len(context.settings.web.secret.get_secret_value()) < MIN_SECRET:
        hint = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
        raise BadInput(_("Set IEUM_WEB__SECRET (at least 32 characters). A good one: {hint}", hint=hint))


def serve(
    config: Annotated[Path | None, typer.Option("--config", "-c", help="config.toml to read")] = None,
    host: Annotated[str, typer.Option(help="address to listen on")] = "",
    port: Annotated[int, typer.Option(help="port to listen on")] = 0,
    with_worker: Annotated[
        bool | None, typer.Option("--worker/--no-worker", help="run the worker too (default: on SQLite)")
    ] = None,
) -> None:
    """Serve the pages; on SQLite the worker runs in the same process."""
    common.options.config = config or common.options.config
    context = common.open_house()
    _require_secret(context)
    both = context.db.is_sqlite if with_worker is None else with_worker
    asyncio.run(_serve(context, host or context.settings.web.host, port or context.settings.web.port, both))


async def _serve(context: "Context", host: str, port: int, with_worker: bool) -> None:
    import uvicorn

    from crm import jobs
    from crm.web.app import create_app

    config = uvicorn.Config(create_app(context), host=host, port=port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    stop = asyncio.Event()
    work = asyncio.create_task(jobs.work_forever(context, stop)) if with_worker else None
    common.say(_("The pages are at {url}", url=f"http://{host}:{port}"))
    try:
        await server.serve()
    finally:
        stop.set()
        if work:
            await work


def worker(
    once: Annotated[bool, typer.Option("--once", help="do what is due now, then end")] = False,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="config.toml to read")] = None,
) -> None:
    """Draft, send and read what is due. On PostgreSQL any number may run."""
    from crm import jobs

    common.options.config = config or common.options.config
    context = common.open_house()
    _require_secret(context)
    if once:
        done = asyncio.run(jobs.run_once(context))
        for name, result in done.items():
            common.say(f"{name}: {result}")
        if any(str(result).startswith("failed") for result in done.values()):
            raise typer.Exit(1)
        return
    asyncio.run(_work(context))


async def _work(context: "Context") -> None:
    from crm import jobs

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    common.say(_("The worker runs. Stop it with Ctrl+C."))
    await jobs.work_forever(context, stop)


def doctor(json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False) -> None:
    """Check configuration, database, mail server and mailbox, and say what to do about each failure."""
    from crm.cli.doctor import checks

    found = [check() for check in checks()]
    rows = [
        {"check": item.name, "state": "ok" if item.ok else "failed", "detail": item.detail, "cure": item.cure}
        for item in found
    ]
    heads = [("check", _("Check")), ("state", _("State")), ("detail", _("Found")), ("cure", _("What to do"))]
    common.emit(rows, heads, as_json=json)
    if not all(item.ok for item in found):
        raise typer.Exit(1)


def demo(
    folder: Annotated[Path, typer.Option(help="where the demo keeps its data")] = Path("var/demo"),
    port: Annotated[int, typer.Option(help="port of the pages; 0 takes a free one")] = 8000,
    reset: Annotated[bool, typer.Option("--reset", help="throw the demo's data away and begin anew")] = False,
) -> None:
    """Live one exhibition on sample data: pages, worker and a local mail server. Never mails a real address."""
    from crm.demo import run

    run.main(folder, port=port, reset=reset, say=common.say)
