"""The return ticket each letter carries: a signed number in its envelope sender and in its unsubscribe link.

A link to a file carries a ticket of its own: which file, in which language the reader is spoken to, and the last day.

Mail servers may change the case of a local part (RFC 5321 section 2.4 warns, many do), so a token is lower-case
base32 and is read without regard to case. Eighty bits of HMAC-SHA256 are enough: guessing one opts out one letter.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from itsdangerous import Signer
from itsdangerous.signer import HMACAlgorithm

Purpose = Literal["bounce", "unsubscribe"]
_TOKEN = re.compile(r"([1-9][0-9]{0,17})-[a-z2-7]{16}")
_TICKET = re.compile(r"(bounce|unsubscribe)\+([0-9a-z-]+)@.+")
_FILE_LINK = re.compile(r"([1-9][0-9]{0,17})-([1-9][0-9]{0,5})-([a-z]{2}(?:\.[a-z]{4})?)-[a-z2-7]{26}")
_EPOCH = date(2020, 1, 1)
_ALGORITHM = HMACAlgorithm(hashlib.sha256)


@dataclass(frozen=True)
class Ticket:
    """What an address of ours says: a bounce or an opt-out, of the letter with this token."""

    purpose: Purpose
    token: str


def sign(secret: str, number: int) -> str:
    """Return the token of the letter with this (approval) number: at most 35 characters of ``0-9a-z-``.

    Raises ValueError for an empty secret or a number below 1.
    """
    if not secret or number < 1:
        raise ValueError("a token needs a secret and a positive number")
    key = Signer(secret, salt="crm.mail.token", digest_method=hashlib.sha256).derive_key()
    mac = _ALGORITHM.get_signature(key, str(number).encode())[:10]
    return f"{number}-{base64.b32encode(mac).decode().lower()}"


def read(secret: str, token: str) -> int | None:
    """Return the number, or None if the token is not one that ``sign`` made with this secret."""
    found = _TOKEN.fullmatch(token.strip().lower())
    if not found:
        return None
    number = int(found[1])
    return number if hmac.compare_digest(sign(secret, number), found[0]) else None


def address(purpose: Purpose, token: str, domain: str) -> str:
    """Return ``bounce+TOKEN@domain``; the local part stays within 64 octets (RFC 5321 section 4.5.3.1.1)."""
    return f"{purpose}+{token}@{domain}"


def ticket(secret: str, text: str) -> Ticket | None:
    """Return what one of our own addresses says, in whatever case it came back, or None if it is not genuine."""
    found = _TICKET.fullmatch(text.strip().lower())
    if not found or read(secret, found[2]) is None:
        return None
    return Ticket("bounce" if found[1] == "bounce" else "unsubscribe", found[2])


@dataclass(frozen=True)
class FileLink:
    """What a link to a file says: which document, the last day it holds, and the language of the letter it stood in."""

    document_id: int
    last_day: date
    language: str


def sign_file(secret: str, link: FileLink) -> str:
    """Return the token of a link to a file, of ``0-9a-z.-``. Its key is not that of the letters' tokens.

    It gives the file to whoever has it, without any other question, so it carries 128 bits and not eighty.
    Raises ValueError for an empty secret, a number below 1, a day before 2020 or a language that is no code.
    """
    if not secret:
        raise ValueError("a token needs a secret")
    days = (link.last_day - _EPOCH).days
    text = f"{link.document_id}-{days}-{link.language.lower().replace('-', '.')}"
    key = Signer(secret, salt="crm.mail.token.document", digest_method=hashlib.sha256).derive_key()
    mac = base64.b32encode(_ALGORITHM.get_signature(key, text.encode())[:16]).decode().lower().rstrip("=")
    if not _FILE_LINK.fullmatch(f"{text}-{mac}"):
        raise ValueError("a link to a file needs a document, a day and a language")
    return f"{text}-{mac}"


def read_file(secret: str, token: str) -> FileLink | None:
    """Return what a file's token says, or None if it is none of ours. Whether its day is over is for the caller."""
    found = _FILE_LINK.fullmatch(token.strip().lower())
    if not found:
        return None
    language, _dot, script = found[3].partition(".")
    link = FileLink(
        int(found[1]), _EPOCH + timedelta(days=int(found[2])), f"{language}-{script.title()}" if script else language
    )
    return link if hmac.compare_digest(sign_file(secret, link), found[0]) else None
