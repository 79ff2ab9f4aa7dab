"""SMTP sessions to the relay: a few at a time, some letters each, one recipient a letter.

``deliver`` walks MAIL, RCPT, DATA itself, so that the caller can commit between RCPT and DATA: from then on a crash
leaves doubt, before it none.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import aiosmtplib

from crm.core.config import LOOPBACK, SmtpSettings
from crm.core.i18n import _
from crm.mail.errors import Unreachable
from crm.mail.outcome import Accepted, NotOffered, Outcome, Refused, Stage, Uncertain

BeforeData = Callable[[], Awaitable[bool]]
_BROKEN = (aiosmtplib.SMTPException, OSError, EOFError)  # TimeoutError and ssl.SSLError are OSErrors
_SERVICE_CLOSING = 421  # RFC 5321 section 3.8: may answer any command


def tls_context(host: str) -> ssl.SSLContext:
    """Return a context that verifies the server's certificate, except on this machine, where nobody listens between."""
    context = ssl.create_default_context()
    if host in LOOPBACK:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Session:
    """One connection at a time to the relay, opened when needed and renewed after ``per_connection`` letters."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._client: aiosmtplib.SMTP | None = None
        self._used = 0

    async def deliver(self, *, sender: str, recipient: str, raw: bytes, before_data: BeforeData) -> Outcome:
        """Offer one letter. ``before_data`` is awaited after the recipient was accepted; False withdraws the letter.

        Never raises for what a server or network does; whatever ``before_data`` raises passes through.
        """
        try:
            return await self._dialogue(sender, recipient, raw, before_data)
        except BaseException:
            self._drop()  # cancelled somewhere in the dialogue: the next letter must not continue it
            raise

    async def _dialogue(self, sender: str, recipient: str, raw: bytes, before_data: BeforeData) -> Outcome:
        stage: Stage = "mail"
        try:
            client = await self._connected()
            await client.mail(sender, encoding="ascii")
            stage = "rcpt"
            await client.rcpt(recipient, encoding="ascii")
        except aiosmtplib.SMTPAuthenticationError as error:
            return await self._refused(error, "sign_in")
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPRecipientRefused) as error:
            return await self._refused(error, stage)
        except _BROKEN as error:
            return await self._not_offered(error)
        return await self._offer(client, raw, before_data)

    async def _offer(self, client: aiosmtplib.SMTP, raw: bytes, before_data: BeforeData) -> Outcome:
        if not await before_data():
            await self.close()
            return NotOffered("withdrawn")
        try:
            reply = await client.data(raw)
        except aiosmtplib.SMTPDataError as error:
            return await self._refused(error, "data")
        except _BROKEN as error:
            await self.close()
            return Uncertain(_say(error))
        return Accepted(reply.code, reply.message)

    async def _refused(self, error: aiosmtplib.SMTPResponseException, stage: Stage) -> Outcome:
        if error.code == _SERVICE_CLOSING and stage != "data":
            return await self._not_offered(error)
        if not 400 <= error.code < 600:  # no answer SMTP knows: after DATA nothing can be concluded from it
            await self.close()
            return Uncertain(_say(error)) if stage == "data" else NotOffered(_say(error))
        await self._reset()
        return Refused(error.code, error.message, stage)

    async def _not_offered(self, error: BaseException) -> NotOffered:
        await self.close()
        return NotOffered(_say(error))

    async def _reset(self) -> None:
        try:
            if self._client is not None:
                await self._client.rset()
        except _BROKEN:
            await self.close()

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and (self._used >= self._settings.per_connection or not self._client.is_connected):
            await self.close()
        if self._client is None:
            self._client = await connect(self._settings)
            self._used = 0
        self._used += 1
        return self._client

    async def close(self) -> None:
        """End the connection, politely where the server still listens."""
        try:
            if self._client is not None:
                await self._client.quit(timeout=2)
        except _BROKEN:
            pass
        finally:
            self._drop()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


class SmtpPool:
    """At most ``settings.connections`` sessions; ``async with SmtpPool(settings) as pool: await pool.deliver(…)``."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.size = settings.connections
        self._sessions = [Session(settings) for _number in range(settings.connections)]
        self._free: asyncio.LifoQueue[Session] = asyncio.LifoQueue()  # the warm connection first
        for session in self._sessions:
            self._free.put_nowait(session)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def deliver(self, *, sender: str, recipient: str, raw: bytes, before_data: BeforeData) -> Outcome:
        """Offer one letter over a free session, waiting for one if all are busy. See ``Session.deliver``."""
        session = await self._free.get()
        try:
            return await session.deliver(sender=sender, recipient=recipient, raw=raw, before_data=before_data)
        finally:
            self._free.put_nowait(session)

    async def close(self) -> None:
        """Close every session; the pool may be used again and reconnects."""
        await asyncio.gather(*(session.close() for session in self._sessions))


async def connect(settings: SmtpSettings) -> aiosmtplib.SMTP:
    """Open a connection, secured and signed in as the settings say. Raises what aiosmtplib raises."""
    client = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        local_hostname="localhost" if settings.host in LOOPBACK else None,  # else it asks the DNS for our name
        timeout=settings.timeout,
        use_tls=settings.security == "tls",
        start_tls=settings.security == "starttls",
        tls_context=None if settings.security == "none" else tls_context(settings.host),
        username=settings.user or None,
        password=settings.password.get_secret_value() or None,
    )
    try:
        await client.connect()
    except BaseException:
        client.close()
        raise
    return client


async def probe(settings: SmtpSettings) -> None:
    """Connect, sign in and leave again. Raises Unreachable with a sentence that says what to check."""
    place = f"{settings.host}:{settings.port}"
    try:
        client = await connect(settings)
    except aiosmtplib.SMTPAuthenticationError as error:
        message = _("The relay {place} refuses the user name or password: {answer}", place=place, answer=error.message)
        raise Unreachable(message) from None
    except _BROKEN as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            reason = error.__cause__.verify_message
            raise Unreachable(
                _("The certificate of {place} cannot be trusted: {reason}", place=place, reason=reason)
            ) from None
        message = _(
            "The relay {place} cannot be reached ({reason}). Check [smtp] host, port and security.",
            place=place,
            reason=_say(error),
        )
        raise Unreachable(message) from None
    await client.quit()


def _say(error: BaseException) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__
