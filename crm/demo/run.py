"""Starts the demo: folder, configuration, mail server, database, pages and worker, all on this machine."""

import asyncio
import logging
import secrets
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from crm import jobs, migrations, tables  # noqa: F401 - all tables must be known before the first query
from crm.core import logs
from crm.core.config import LOOPBACK, Settings, load
from crm.core.context import Context, open_context
from crm.core.errors import BadInput
from crm.core.i18n import _
from crm.demo import pages, world
from crm.demo.mailserver import ENGINE, DemoMailServer, Ports
from crm.web.app import create_app

DOMAIN = "ieum.example"
TICK_SECONDS = 2
Say = Callable[[str], None]


def main(folder: Path, *, port: int, reset: bool, say: Say) -> None:
    """Run the demo until it is stopped. Its data stays in ``folder`` and is used again the next time."""
    logs.configure(level=logging.WARNING)
    folder = folder.resolve()
    if reset and folder.exists():
        _refuse_foreign(folder)
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    server = DemoMailServer(folder / "mail", DOMAIN)
    ports = server.start()
    try:
        context = open_context(prepare(folder, ports, _free_port(port, say)))
        if migrations.current(context.db) is None:
            say(_("Making the exhibition …"))
            counts = world.build(context, folder)
            say(
                _(
                    "{leads} contacts imported, {enrolled} enrolled.",
                    leads=counts.get("added", 0),
                    enrolled=counts["enrolled"],
                )
            )
        migrations.upgrade(context.db)
        asyncio.run(_live(context, server, ports, folder, say))
    finally:
        server.stop()


def _refuse_foreign(folder: Path) -> None:
    if not (folder / "config.toml").exists():
        raise BadInput(_("{folder} is not the folder of a demo; nothing was removed.", folder=folder))


def _free_port(wanted: int, say: Say) -> int:
    """Return ``wanted`` if nobody listens there, else a free port, and say so."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            say(_("Port {port} is taken; another one is used.", port=wanted))
        else:
            return int(probe.getsockname()[1])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prepare(folder: Path, ports: Ports, web_port: int) -> Settings:
    """Write the demo's configuration and secret, and return the settings read back from them."""
    secret = folder / "secret"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(48), encoding="utf-8")
    config = folder / "config.toml"
    config.write_text(_config(folder, ports, web_port), encoding="utf-8")
    settings = load(config, {"IEUM_WEB__SECRET_FILE": str(secret), "IEUM_IMAP__PASSWORD": "demo"})
    if settings.smtp.host not in LOOPBACK or not settings.demo.enabled:
        raise BadInput(_("A demo speaks to its own mail server only."))
    return settings


def _config(folder: Path, ports: Ports, web_port: int) -> str:
    return f"""# Written by `crm demo` at every start. For the command line:
#   IEUM_WEB__SECRET_FILE={folder.name}/secret crm --config {folder.name}/config.toml drafts list
[database]
url = "sqlite:///{(folder / "ieum.sqlite3").as_posix()}"
[web]
port = {web_port}
public_url = "http://127.0.0.1:{web_port}"
session_hours = 72
[smtp]
port = {ports.smtp}
security = "none"
[imap]
host = "127.0.0.1"
port = {ports.imap}
security = "none"
user = "{ENGINE}"
[mail]
domain = "{DOMAIN}"
operator_email = "desk@{DOMAIN}"
[clearance]
korean_sender_overlay = "off"
[worker]
tick_seconds = {TICK_SECONDS}
inbox_seconds = {TICK_SECONDS}
[demo]
enabled = true
"""


async def _live(context: Context, server: DemoMailServer, ports: Ports, folder: Path, say: Say) -> None:
    demo = pages.Demo(context, server.rack, ports.smtp)
    app = create_app(context, routers=[pages.router(demo)], templates=[pages.TEMPLATES], banner=pages.banner(demo))
    web = context.settings.web
    config = uvicorn.Config(app, host="127.0.0.1", port=web.port, log_level="warning", access_log=False)
    site = uvicorn.Server(config)
    stop = asyncio.Event()
    await demo.tick()  # so that the drafts are there when the first person signs in
    work = asyncio.create_task(_tick(demo, stop))
    told = asyncio.create_task(_announce_once_open(site, web.public_url, folder, say))
    try:
        await site.serve()
    finally:
        told.cancel()
        stop.set()
        await work


async def _announce_once_open(site: uvicorn.Server, url: str, folder: Path, say: Say) -> None:
    """Name the address when a browser gets an answer there: reading the letters takes the site some seconds."""
    while not site.started:
        await asyncio.sleep(0.05)
    announce(url, folder, say)


async def _tick(demo: pages.Demo, stop: asyncio.Event) -> None:
    """Run the worker beside the pages, one tick at a time, sharing the lock with the clock's buttons."""
    await jobs.work_forever(demo.context, stop, tick=demo.tick)


def announce(url: str, folder: Path, say: Say) -> None:
    """Say where the pages are and who may sign in."""
    say("")
    say(_("Open {url}", url=url))
    say(_("Sign in as one of these; the password is {password}", password=world.PASSWORD))
    for person in world.CAST:
        companies = ", ".join(person.companies)
        say(f"  {person.email:26} {person.name}  {person.role.value}  {companies}")
    say(_("Letters that leave lie in {folder} and are shown at {url}", folder=folder / "mail", url=f"{url}/demo/mail"))
    say(_("Stop with Ctrl+C. Begin anew with: crm demo --reset"))
