"""Decisions of the review, on plain values."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum


class ReturnReason(StrEnum):
    """Why a draft went back; the reasons become fixes of the templates."""

    FACTS = "facts"
    TONE = "tone"
    RECIPIENT = "recipient"
    TIMING = "timing"
    OTHER = "other"


def content_hash(parts: Sequence[str]) -> str:
    """Return the SHA-256 over everything an approval is bound to, in the order given."""
    return hashlib.sha256(json.dumps(list(parts), ensure_ascii=False).encode()).hexdigest()


def earliest_send(now: datetime, hold_minutes: int, planned_at: datetime) -> datetime:
    """Return the first moment an approval given ``now`` allows: its hold is over and its planned time has come."""
    return max(now + timedelta(minutes=hold_minutes), planned_at)


def unseen(codes: Iterable[str], acknowledged: Iterable[str]) -> list[str]:
    """Return the 'check' verdicts that appeared after the reviewer loaded the page."""
    return sorted(set(codes) - set(acknowledged))
