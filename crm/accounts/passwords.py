"""Argon2id, with a limit on how many run at once: each check takes 64 MB and a tenth of a second."""

from functools import cache
from threading import BoundedSemaphore

from pwdlib import PasswordHash

_slots = BoundedSemaphore(4)


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _hash_of_nobody() -> str:
    return _hasher().hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return the hash to store. Slow on purpose: call it outside the event loop."""
    with _slots:
        return _hasher().hash(password)


def verify(password: str, stored: str | None) -> bool:
    """Tell whether the password is the stored one; takes as long when there is none, so that time tells nothing."""
    with _slots:
        right = _hasher().verify(password, stored or _hash_of_nobody())
    return right and stored is not None
