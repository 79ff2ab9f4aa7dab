"""What an answer of a mail server means: try again, the address is bad, this letter is refused, or stop everything.

Sources: RFC 5321 section 4.2 (reply codes), RFC 3463 and the IANA registry 'SMTP Enhanced Status Codes', RFC 7504
(521, 556), and the published answers of Google, Microsoft, Yahoo, Naver and Tencent, whose wording is matched where
the number says too little. A 5 at the front is not yet a dead address: a full mailbox and a blocked sender have it too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from crm.mail.outcome import Refused

Cause = Literal["no_such_address", "mailbox_full", "blocked", "too_large", "quota", "sign_in", "relaying", "other"]


@dataclass(frozen=True)
class TryAgain:
    """A temporary refusal (4yz): the same letter may be offered again later."""


@dataclass(frozen=True)
class AddressIsBad:
    """There is no such mailbox or domain: never write to it again."""


@dataclass(frozen=True)
class LetterRefused:
    """Refused for good for another reason than the address; a person has to look."""

    cause: Cause


@dataclass(frozen=True)
class StopAll:
    """Our relay will take nothing now (sign-in, quota, relaying): every further letter would fail alike."""

    cause: Cause


Meaning = TryAgain | AddressIsBad | LetterRefused | StopAll

# Reply codes that speak of our account at the relay, whatever stands behind them (RFC 4954 section 6).
_SIGN_IN_CODES = {530, 534, 535, 538}
# Enhanced status codes of class 5 (RFC 3463 sections 3.2 to 3.8, RFC 7505 5.1.10) by what they say.
_CAUSE_BY_STATUS: dict[str, Cause] = {
    **dict.fromkeys(("1.0", "1.1", "1.2", "1.3", "1.4", "1.6", "1.10", "2.1", "4.4"), "no_such_address"),
    "2.2": "mailbox_full",
    **dict.fromkeys(("2.3", "3.4"), "too_large"),
    "4.5": "quota",
    "7.8": "sign_in",
    **dict.fromkeys(("7.0", "7.1", "7.2", "7.23", "7.24", "7.25", "7.26", "7.27"), "blocked"),
}
# Wording first where a server gives a general number: 550 5.7.1 "user unknown" is common.
_WORDS: dict[Cause, tuple[str, ...]] = {
    "relaying": (r"relay(ing)?( access)? (is )?(denied|not permitted|not allowed)", r"not allowed to relay"),
    "quota": (r"(daily|hourly|sending|message) (user )?(sending )?(quota|limit)", r"too many messages"),
    "sign_in": (r"authentication (is )?(required|failed|credentials)", r"must (first )?authenticate"),
    "mailbox_full": (
        r"(mailbox|inbox|quota|storage|account|user)[^.\n]{0,40}(full|over ?quota|exceed|over its limit|out of space)",
        r"(over|exceed\w*|reached|insufficient)[^.\n]{0,20}(quota|storage|disk space)",
        r"quota violation|full (mailbox|inbox)",
        r"(메일함|편지함|용량)[^.\n]{0,20}(가득|초과)",
        r"(容量|邮箱|郵箱|信箱)[^.\n]{0,12}(已?满|已?滿|超)",
        r"buz[oó]n[^.\n]{0,20}lleno",
    ),
    "no_such_address": (
        r"(user|recipient|mailbox|address|account|alias|local ?part)\b[^.\n]{0,40}"
        r"(unknown|not (be )?(found|exist|known|listed|valid)|does(n['’]t| not) exist|invalid|inactive|disabled"
        r"|deactivated|suspended|closed|discontinued|no longer|unavailable|undeliverable)",
        r"(unknown|no such|invalid|bad|non-?exist\w*|illegal)[^.\n]{0,20}"
        r"(user|recipient|mailbox|address|account|domain|host|person|local part|name)",
        r"not (a valid|our) (user|customer|mailbox|recipient)",
        r"no (mailbox|account|user)( here)? (by|with|for) that name",
        r"(host|domain)( name)?\b[^.\n]{0,60}(not found|unknown|does not exist|lookup failure|not resolve)",
        r"(can(no|')t|couldn't|unable to) (find|route)[^.\n]{0,40}(host|domain|user|mailbox)|unrout(e)?able",
        r"nxdomain|존재하지 않는|없는 (사용자|계정|메일)|휴면|宛先不明|不存在|查无此|no existe|desconocid|inexistente",
    ),
    "blocked": (
        r"\bspam\b|block(ed|list)|black ?list|denied|polic(y|ies)|reputation|\b(spf|dkim|dmarc)\b|banned|reject",
        r"unsolicited|스팸|차단|垃圾|拒绝|拒絕",
    ),
    "too_large": (r"(message|size)[^.\n]{0,30}(too (large|big)|exceeds)", r"exceed\w*[^.\n]{0,30}size"),
}
_CAUSE_BY_WORDS = tuple((cause, re.compile("|".join(words), re.I)) for cause, words in _WORDS.items())


def meaning(refused: Refused) -> Meaning:
    """Say what the relay's refusal asks of us.

    A refusal of the sender (MAIL) concerns our account, not this recipient, so everything stops.
    """
    if refused.code in _SIGN_IN_CODES:
        return StopAll("sign_in")
    cause = cause_of(status_in(refused.text), refused.text, refused.code)
    if cause in ("sign_in", "quota", "relaying"):
        return StopAll(cause)
    if refused.code < 500:
        return TryAgain()
    if refused.stage == "mail":
        return StopAll(cause)
    if cause == "mailbox_full":
        return TryAgain()  # RFC 3463 5.2.2: the recipient can make room
    return AddressIsBad() if cause == "no_such_address" else LetterRefused(cause)


def status_in(text: str) -> str:
    """Return the enhanced status code (RFC 3463) that stands in a server's answer, or an empty string."""
    found = re.search(r"(?<![\d.])([45])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)", text)
    return found[0] if found else ""


def cause_of(status: str, text: str, code: int = 0) -> Cause:
    """Return why a mailbox or server said no, from wording, enhanced status and reply code, in this order of trust."""
    for cause, words in _CAUSE_BY_WORDS:
        if words.search(text):
            return cause
    if code in (551, 553, 556) and not status:
        return "no_such_address"
    return _CAUSE_BY_STATUS.get(status.partition(".")[2], "other")


def retry_at(now: datetime, attempts: int, pauses: Sequence[int]) -> datetime | None:
    """Return when to try again after this many failed attempts, or None when the pauses (minutes) are used up."""
    return now + timedelta(minutes=pauses[attempts - 1]) if 0 < attempts <= len(pauses) else None
