"""Whether a letter may be written in a language: decided by who approved which text beside which Korean one. Pure.

A decision is bound to two texts, by their hashes: that of the language and that of the Korean master it was read
beside. So a changed Korean text makes every other language look again, and nothing has to be reset anywhere.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from crm.accounts.rules import Viewer
from crm.campaigns.letters import base_of

MASTER = "ko"
ASKED, APPROVED, RETURNED = "asked", "approved", "returned"


class State(StrEnum):
    """How far a letter is in one language."""

    NONE = "none"
    WRITING = "writing"
    REVIEW = "review"
    APPROVED = "approved"
    AGAIN = "again"


@dataclass(frozen=True)
class Decision:
    """What somebody decided about a text (its hash) beside a Korean text (its hash), in order of time."""

    tongue: str
    text: str
    korean: str
    kind: str
    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True)
class Readiness:
    """The state of one language of a letter, and the decision it comes from (None: nobody decided anything)."""

    state: State
    decision: Decision | None = None

    @property
    def approved(self) -> bool:
        return self.state == State.APPROVED


def readiness(
    tongues: Iterable[str], texts: Mapping[str, str], faulty: Collection[str], decisions: Sequence[Decision]
) -> dict[str, Readiness]:
    """Return the state of each of ``tongues``; ``texts`` are the hashes of those that are written.

    ``faulty`` cannot be read as they are. Of the decisions about the present pair of texts the last one counts; one
    about the same text beside another Korean text says only that it has to be looked at again.
    """
    return {one: _state(one, texts, faulty, decisions) for one in tongues}


def _state(tongue: str, texts: Mapping[str, str], faulty: Collection[str], decisions: Sequence[Decision]) -> Readiness:
    if tongue not in texts:
        return Readiness(State.NONE)
    about = [one for one in decisions if one.tongue == tongue and one.text == texts[tongue]]
    here = [one for one in about if one.korean == texts.get(MASTER)]
    if here:
        state = {ASKED: State.REVIEW, APPROVED: State.APPROVED}.get(here[-1].kind, State.WRITING)
        return Readiness(State.WRITING if tongue in faulty else state, here[-1])
    if tongue in faulty:
        return Readiness(State.WRITING)
    earlier = [one for one in about if one.kind == APPROVED]
    return Readiness(State.AGAIN, earlier[-1]) if earlier else Readiness(State.WRITING)


class Authors(NamedTuple):
    """Who wrote the present text of a language, and the Korean text beside it; empty: it came with the program."""

    text: str
    korean: str


def writer_of_what_is_new(authors: Authors, now: Readiness) -> str:
    """Return whose work an approval would be about, who therefore may not give it.

    Where a text was approved before and only the Korean one is new, that is who changed the Korean text; else who
    wrote the text itself.
    """
    return authors.korean if now.state == State.AGAIN else authors.text


# --- who may do what --------------------------------------------------------------------------------------------------


def reads(viewer: Viewer, tongue: str) -> bool:
    """Tell whether somebody reads a language well enough to approve it: it is noted of them; all staff read Korean."""
    language = base_of(tongue)
    if viewer.is_sme:
        return False
    return language in viewer.languages or (viewer.is_staff and language == MASTER)


def may_edit(viewer: Viewer, tongue: str) -> bool:
    """Tell whether somebody may change a text: staff any (a translator's, too), an advisor the languages they read."""
    return viewer.is_staff or (viewer.is_advisor and base_of(tongue) in viewer.languages)
