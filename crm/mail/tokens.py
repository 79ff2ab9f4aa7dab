"""The return ticket each letter carries: a signed number in its envelope sender and in its unsubscribe link.

Mail servers may change the case of a local part (RFC 5321 section 2.4 warns, many do), so a token is lower-case
base32 and is read without regard to case. Eighty bits of HMAC-SHA256 are enough: guessing one opts out one letter.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Literal

from itsdangerous import Signer
from itsdangerous.signer import HMACAlgorithm

Purpose = Literal["bounce", "unsubscribe"]
_TOKEN = re.compile(r"([1-9][0-9]{0,17})-[a-z2-7]{16}")
_TICKET = re.compile(r"(bounce|unsubscribe)\+([0-9a-z-]+)@.+")
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
