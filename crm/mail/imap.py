"""Reading a mailbox without leaving traces: a mail is marked as seen only when the caller says so.

IMAPClient pairs each answer with its UID, which ``imap_tools`` in bulk does not; it is synchronous, so async callers
use a thread.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from imapclient import IMAPClient  # type: ignore[import-untyped]
from imapclient.exceptions import IMAPClientError, LoginError  # type: ignore[import-untyped]

from crm.core.config import ImapSettings
from crm.core.i18n import _
from crm.mail.errors import Unreachable
from crm.mail.smtp import tls_context


@dataclass(frozen=True)
class Fetched:
    """One mail as it lies in the mailbox. UIDs are comparable only under one UIDVALIDITY (RFC 3501 section 2.3.1.1)."""

    uidvalidity: int
    uid: int
    raw: bytes


class MailboxSession:
    """An open folder."""

    def __init__(self, client: IMAPClient, uidvalidity: int) -> None:
        self._client = client
        self.uidvalidity = uidvalidity

    def read_new(self, uidvalidity: int, last_uid: int) -> Iterator[Fetched]:
        """Yield the mails after ``last_uid``, in order; all of them if the folder's UIDVALIDITY is another now."""
        known = last_uid if uidvalidity == self.uidvalidity else 0
        found = self._client.search(["UID", f"{known + 1}:*"])
        for uid in sorted(uid for uid in found if uid > known):  # 'n:*' always names the last mail, even below n
            answer = self._client.fetch([uid], ["BODY.PEEK[]"]).get(uid, {})
            if b"BODY[]" in answer:  # gone since the search: somebody deleted it
                yield Fetched(self.uidvalidity, uid, answer[b"BODY[]"] or b"")

    def mark_seen(self, uids: list[int]) -> None:
        """Mark these mails as seen."""
        if uids:
            self._client.add_flags(uids, [b"\\Seen"], silent=True)


@contextmanager
def open_mailbox(settings: ImapSettings) -> Iterator[MailboxSession]:
    """Sign in and open the folder of the settings.

    Raises Unreachable, with a sentence that says what to check, when that fails or the connection breaks inside the
    block.
    """
    place = f"{settings.host}:{settings.port}"
    try:
        client = _connected(settings)
        try:
            selected = client.select_folder(settings.folder)
            yield MailboxSession(client, int(selected[b"UIDVALIDITY"]))
        finally:
            _leave(client)
    except LoginError as error:
        message = _("The mailbox {place} refuses the user name or password: {answer}", place=place, answer=_said(error))
        raise Unreachable(message) from None
    except ssl.SSLCertVerificationError as error:
        message = _("The certificate of {place} cannot be trusted: {reason}", place=place, reason=error.verify_message)
        raise Unreachable(message) from None
    except (IMAPClientError, OSError) as error:
        message = _(
            "The mailbox {place} cannot be read ({reason}). Check [imap] host, port, security and folder.",
            place=place,
            reason=str(error) or type(error).__name__,
        )
        raise Unreachable(message) from None


def probe(settings: ImapSettings) -> None:
    """Sign in, open the folder and leave again. Raises Unreachable."""
    with open_mailbox(settings):
        pass


def _connected(settings: ImapSettings) -> IMAPClient:
    secure = settings.security != "none"
    client = IMAPClient(
        settings.host,
        port=settings.port,
        ssl=settings.security == "tls",
        ssl_context=tls_context(settings.host) if secure else None,
        timeout=settings.timeout,
    )
    try:
        if settings.security == "starttls":
            client.starttls(tls_context(settings.host))
        client.login(settings.user, settings.password.get_secret_value())
    except BaseException:
        _leave(client)
        raise
    return client


def _leave(client: IMAPClient) -> None:
    try:
        client.logout()
    except (IMAPClientError, OSError):
        client.shutdown()


def _said(error: Exception) -> str:
    """Return a server's words; IMAPClient hands them on as the text of a bytes object."""
    return str(error).removeprefix("b'").removesuffix("'")
