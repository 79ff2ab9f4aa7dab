"""A mail server for the demo and for tests: real SMTP and real IMAP on this machine, Maildirs on disk.

Whatever is addressed to our own domain goes to the engine's mailbox; everything else to a mailbox of that address, so
that every buyer has one. There is no client in here: it has no way to pass a mail on to anybody.
"""

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any, TypeVar

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession

from crm.demo import imapd
from crm.demo.maildir import Maildir, Stored, Uids, addresses, folder_of

ENGINE = "inbox"
MAX_SIZE = 25_000_000
Result = TypeVar("Result")


@dataclass(frozen=True)
class Ports:
    """The ports the servers listen on, on 127.0.0.1."""

    smtp: int
    imap: int


class Rack:
    """The mailboxes under ``mail_dir``, for whoever looks at them from outside (any process may)."""

    def __init__(self, mail_dir: Path, local_domain: str) -> None:
        self.mail_dir = mail_dir
        self.local_domain = local_domain.lower()

    def box_for(self, address: str) -> Maildir:
        """Return the mailbox an address is delivered to."""
        domain = address.rpartition("@")[2].lower()
        return self.engine() if domain == self.local_domain else Maildir(folder_of(self.mail_dir, address))

    def engine(self) -> Maildir:
        """Return the engine's own mailbox."""
        return Maildir(self.mail_dir / ENGINE)

    def buyers(self) -> list[str]:
        """Return the addresses of the buyers who have received something."""
        return addresses(self.mail_dir)

    def mails(self, address: str) -> list[Stored]:
        """Return the mails in the mailbox of an address (``inbox``: the engine's), oldest first."""
        if address == ENGINE:
            return self.engine().mails()
        folder = folder_of(self.mail_dir, address)
        return Maildir(folder).mails() if folder.is_dir() else []

    def deliver(self, sender: str, recipient: str, raw: bytes) -> None:
        """Put a mail into the recipient's mailbox with the trace headers of a final delivery (RFC 5321 section 4.4)."""
        now = format_datetime(datetime.now(UTC))
        trace = (
            f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\nReceived: by demo.invalid with ESMTP; {now}\r\n"
        )
        self.box_for(recipient).add(trace.encode("utf-8") + raw)


class DemoMailServer:
    """Both servers in a thread with its own event loop. ``with DemoMailServer(…) as ports`` or ``start()``/``stop()``.

    Port 0 takes any free one. IMAP users are ``inbox`` and every buyer's address; any password will do.
    """

    def __init__(self, mail_dir: Path | str, local_domain: str, *, smtp_port: int = 0, imap_port: int = 0) -> None:
        self.rack = Rack(Path(mail_dir), local_domain)
        self._wanted = Ports(smtp_port, imap_port)
        self._uids: dict[Path, Uids] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._servers: list[asyncio.Server] = []

    def start(self) -> Ports:
        """Listen. Raises OSError when a port is taken."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="demo-mail", daemon=True)
        self._thread.start()
        try:
            return self._run(self._listen())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Close both servers and every session."""
        if self._loop is None or self._thread is None:
            return
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None

    def __enter__(self) -> Ports:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        if self._loop is None:
            raise RuntimeError("the server is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> Ports:
        loop = asyncio.get_running_loop()
        self.rack.engine()
        smtp = await loop.create_server(self._smtp, "127.0.0.1", self._wanted.smtp)
        self._servers.append(smtp)
        imap = await asyncio.start_server(self._imap, "127.0.0.1", self._wanted.imap, limit=imapd.MAX_LINE)
        self._servers.append(imap)
        return Ports(smtp.sockets[0].getsockname()[1], imap.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self._servers.clear()

    def _smtp(self) -> SMTP:
        return SMTP(_Postman(self.rack), hostname="demo.invalid", data_size_limit=MAX_SIZE, enable_SMTPUTF8=True)

    async def _imap(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await imapd.Session(reader, writer, self._login).run()
        except (ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass  # the client went away in the middle of a line, or the line was longer than any command
        finally:
            writer.close()

    def _login(self, user: str, _password: str) -> Uids | None:
        """Return the mailbox of a user. One ``Uids`` a folder, or two sessions would give out the same number."""
        folder = self.rack.mail_dir / ENGINE if user == ENGINE else folder_of(self.rack.mail_dir, user)
        if not folder.is_dir():
            return None
        if folder not in self._uids:
            self._uids[folder] = Uids(Maildir(folder))
        return self._uids[folder]


class _Postman:
    """Takes every mail in; the names of the methods are aiosmtpd's."""

    def __init__(self, rack: Rack) -> None:
        self._rack = rack

    async def handle_DATA(self, _server: SMTP, _session: SmtpSession, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        for recipient in envelope.rcpt_tos:
            self._rack.deliver(envelope.mail_from or "", recipient, content)
        return "250 2.0.0 kept"
