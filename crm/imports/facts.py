"""Turns the words of a follow-up column into facts a letter may answer, and dates into moments. Pure."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import lru_cache

from crm.core.clock import KST
from crm.imports.words import words

RATINGS = {"hot": 5, "warm": 3, "cold": 1}


@dataclass(frozen=True)
class Requests:
    """What was asked for (catalogue, price_list, sample, quotation, meeting, certificate) and what is unclear."""

    kinds: list[str]
    unknown: list[str]


@lru_cache(4096)
def requests_in(text: str) -> Requests:
    """Read a follow-up cell. Only what the table of words knows becomes a fact, the rest stays a note."""
    if not text:
        return Requests([], [])
    kinds: list[str] = []
    unknown: list[str] = []
    for part in re.split(r"[,;/|·・、，\n]+", text):
        found = _kinds(part)
        kinds += [kind for kind in found if kind not in kinds]
        if part.strip() and not found:
            unknown.append(part.strip())
    return Requests(kinds, unknown)


def _kinds(part: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", part).casefold()
    return [kind for kind, listed in words("requests").items() if any(word in folded for word in listed)]


@lru_cache(4096)
def moment(text: str) -> tuple[datetime | None, bool]:
    """Return the moment of an ISO date or minute as written at the show (Korean time), and whether a time was given.

    A date alone becomes noon, so that it is the same day in Korea and in UTC.
    """
    if not text:
        return None, False
    at = datetime.fromisoformat(text)
    timed = "T" in text
    return datetime.combine(at.date(), at.time() if timed else time(12), KST).astimezone(UTC), timed
