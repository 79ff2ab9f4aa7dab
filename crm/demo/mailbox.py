"""A received letter as its owner's mail program would show it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime

from crm.demo.maildir import Stored
from crm.mail import mime

SHOWN_HEADERS = (
    "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Content-Language",
    "List-Unsubscribe", "List-Unsubscribe-Post", "Return-Path",
)  # fmt: skip


@dataclass(frozen=True)
class Received:
    """One letter, decoded."""

    key: str
    sender: str
    subject: str
    date: datetime | None
    language: str
    headers: list[tuple[str, str]]
    text: str
    html: str


def read(mail: Stored) -> Received:
    """Decode a stored mail; ``html`` is its HTML part as it was received, or empty."""
    message = message_from_bytes(mail.read(), policy=policy.compat32)
    bodies = {"text/plain": "", "text/html": ""}
    for part in mime.leaves(message):
        kind = part.get_content_type()
        if kind in bodies and not bodies[kind]:
            bodies[kind] = mime.part_text(part)
    return Received(
        key=mail.key,
        sender=mime.header(message, "From"),
        subject=mime.header(message, "Subject"),
        date=_date(mime.header(message, "Date")),
        language=mime.header(message, "Content-Language") or "ko",
        headers=[(name, mime.header(message, name)) for name in SHOWN_HEADERS if message.get(name)],
        text=bodies["text/plain"],
        html=bodies["text/html"],
    )


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None
