"""Mail servers of our own for tests: real ones on this machine, and ones that misbehave on purpose."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from hypothesis import settings

from crm.core.config import ImapSettings, SmtpSettings
from crm.demo.mailserver import ENGINE, Ports
from crm.mail.compose import Outgoing

calm = settings(deadline=None)
"""For property tests: on a busy machine an example may take longer than hypothesis likes."""
MAILS = Path(__file__).parent / "mails"
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def mail(name: str) -> bytes:
    """Return a mail of tests/mails by its name without ending."""
    return (MAILS / f"{name}.eml").read_bytes()


def letter(**changes: Any) -> Outgoing:
    """Return an ordinary letter to a Japanese buyer, changed as asked."""
    facts: dict[str, Any] = {
        "from_name": "한빛정밀",
        "from_address": "hanbit@ieum.example",
        "to_name": "田中 一郎",
        "to_address": "tanaka@buyer.example",
        "subject": "KINTEX展示会でのご面談のお礼",
        "text": "田中様\n\nお世話になっております。",
        "html": "<p>田中様</p>",
        "message_id": "<letter-1@ieum.example>",
        "date": NOW,
        "language": "ja",
        "list_unsubscribe_url": "https://ieum.example/u/1-abc",
        "list_unsubscribe_mailto": "unsubscribe+1-abc@ieum.example",
    }
    return Outgoing(**{**facts, **changes})


def smtp_settings(port: int, **changes: Any) -> SmtpSettings:
    return SmtpSettings(**{"port": port, "security": "none", "timeout": 5, "connections": 1, **changes})


def imap_settings(ports: Ports, user: str = ENGINE, **changes: Any) -> ImapSettings:
    return ImapSettings(
        **{"host": "127.0.0.1", "port": ports.imap, "security": "none", "user": user, "password": "any", **changes}
    )


class Relay:
    """An SMTP server that remembers what it took and answers as a test tells it.

    ``answer`` maps (verb, envelope) to a reply line, None for the usual one, or "drop" to cut the line. Verbs: MAIL,
    RCPT, DATA (after the body was received).
    """

    def __init__(self, answer: Callable[[str, Envelope], str | None] = lambda _verb, _envelope: None) -> None:
        self.answer = answer
        self.taken: list[Envelope] = []
        self.sessions = 0
        self.port = 0

    async def handle_MAIL(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self._reply(server, "MAIL", envelope)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return reply or "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        reply = self._reply(server, "RCPT", envelope)
        if reply and not reply.startswith("2"):
            envelope.rcpt_tos.pop()
        return reply or "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        reply = self._reply(server, "DATA", envelope)
        if not reply or reply.startswith("2"):
            self.taken.append(envelope)
        return reply or "250 2.0.0 taken"

    def _reply(self, server: SMTP, verb: str, envelope: Envelope) -> str | None:
        reply = self.answer(verb, envelope)
        if reply == "drop":
            if verb == "DATA":
                self.taken.append(envelope)
            server.transport.abort()
        return reply

    def protocol(self) -> SMTP:
        self.sessions += 1
        return SMTP(self, hostname="relay.test")

    @property
    def recipients(self) -> list[str]:
        return [envelope.rcpt_tos[0] for envelope in self.taken]


@contextmanager
def running(relay: Relay) -> Iterator[Relay]:
    """Serve a relay on a free port of this machine, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(loop.create_server(relay.protocol, "127.0.0.1", 0), loop).result()
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def always() -> bool:
    """Let every letter go on to DATA."""
    return True
