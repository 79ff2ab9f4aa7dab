"""What one attempt to hand a letter to the relay came to. Plain values; the SMTP session makes them."""

from dataclasses import dataclass
from typing import Literal

Stage = Literal["sign_in", "mail", "rcpt", "data"]


@dataclass(frozen=True)
class Accepted:
    """The relay has taken the letter and answers for it (RFC 5321 section 6.1)."""

    code: int
    text: str


@dataclass(frozen=True)
class Refused:
    """The relay answered no, at this stage of the dialogue. It has not taken the letter."""

    code: int
    text: str
    stage: Stage

    @property
    def permanent(self) -> bool:
        return self.code >= 500


@dataclass(frozen=True)
class NotOffered:
    """The body never left: no connection, no sign-in, a break before DATA, or the letter was withdrawn."""

    reason: str


@dataclass(frozen=True)
class Uncertain:
    """The body was offered and no answer came back. It may have arrived: never send it again by itself."""

    reason: str


Outcome = Accepted | Refused | NotOffered | Uncertain
