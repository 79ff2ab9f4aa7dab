"""What a person agreed to when a campaign was started, and what differs from it now.

A plan is what the rehearsal lists, brought down to what matters: who gets which letter, in which language, on which
day, whether the law holds it back, and the wording of the letters. Names are not kept; they are looked up when shown.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from crm.campaigns.letters import wordings_of
from crm.campaigns.models import Campaign, CampaignPlan, Enrolment, Step
from crm.campaigns.rehearsal import Rehearsal
from crm.campaigns.states import ACTIVE, OPEN
from crm.core import events
from crm.core.clock import KST
from crm.core.config import Settings


class Letter(NamedTuple):
    """A letter of a plan. ``day`` is the Korean day as an ISO date; ``held``: it could not leave."""

    lead_id: int
    step: str
    letter: str
    language: str
    day: str
    held: bool

    @property
    def key(self) -> tuple[int, str]:
        return self.lead_id, self.step


@dataclass(frozen=True)
class Plan:
    """The letters of a rehearsal, and of each letter and language the digest of its wording."""

    letters: tuple[Letter, ...]
    wordings: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        return {"letters": [list(letter) for letter in self.letters], "wordings": dict(self.wordings)}

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> "Plan":
        return Plan(tuple(Letter(*row) for row in content["letters"]), content["wordings"])


def plan_of(rehearsal: Rehearsal, wordings: Mapping[str, str]) -> Plan:
    """Return the plan that a rehearsal comes to; ``wordings`` are all there are (``letters.wordings_of``)."""
    letters = sorted(
        Letter(
            one.lead_id, one.step, one.letter, one.language, one.due_at.astimezone(KST).date().isoformat(),
            one.level == "block",
        )
        for one in rehearsal.letters
    )  # fmt: skip
    used = {f"{letter.letter}/{letter.language}" for letter in letters}
    return Plan(tuple(letters), {name: digest for name, digest in wordings.items() if name in used})


def plan_hash(plan: Plan) -> str:
    """Return the SHA-256 of a plan; equal plans have equal hashes."""
    return hashlib.sha256(json.dumps(plan.as_json(), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True)
class Difference:
    """What differs between two plans. Letters that moved stand with the day they had and the day they have."""

    new_people: tuple[int, ...] = ()
    gone_people: tuple[int, ...] = ()
    new_letters: tuple[Letter, ...] = ()
    gone_letters: tuple[Letter, ...] = ()
    moved: tuple[tuple[Letter, Letter], ...] = ()
    languages: tuple[tuple[Letter, Letter], ...] = ()
    held: tuple[Letter, ...] = ()
    released: tuple[Letter, ...] = ()
    reworded: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(vars(self).values())

    @property
    def people(self) -> list[int]:
        """Return everybody whom the difference touches."""
        rows = [*self.new_letters, *self.gone_letters, *self.held, *self.released]
        pairs = [*self.moved, *self.languages]
        leads = {*self.new_people, *self.gone_people, *(row.lead_id for row in rows)}
        return sorted(leads | {new.lead_id for _old, new in pairs})


def compare(
    before: Plan, after: Plan, *, done: Collection[tuple[int, str]] = (), ended: Collection[int] = ()
) -> Difference:
    """Return what differs. ``done`` are letters that left or were left out since; ``ended`` are leads that answered or
    whose follow-up ended otherwise: that is what a campaign is for and no difference.
    """
    old = {row.key: row for row in before.letters if row.lead_id not in ended and row.key not in set(done)}
    new = {row.key: row for row in after.letters}
    known, now = {row.lead_id for row in before.letters}, {row.lead_id for row in new.values()}
    new_people = now - known
    gone_people = {row.lead_id for row in old.values()} - now
    both = [(row, new[key]) for key, row in old.items() if key in new]
    return Difference(
        new_people=tuple(sorted(new_people)),
        gone_people=tuple(sorted(gone_people)),
        new_letters=tuple(row for key, row in new.items() if key not in old and row.lead_id not in new_people),
        gone_letters=tuple(row for key, row in old.items() if key not in new and row.lead_id not in gone_people),
        moved=tuple((a, b) for a, b in both if a.day != b.day),
        languages=tuple((a, b) for a, b in both if (a.letter, a.language) != (b.letter, b.language)),
        held=tuple(b for a, b in both if b.held and not a.held),
        released=tuple(b for a, b in both if a.held and not b.held),
        reworded=tuple(
            sorted(name for name, digest in after.wordings.items() if before.wordings.get(name, digest) != digest)
        ),
    )


# ---------------------------------------------------------------- what is stored


def agree(
    session: Session, settings: Settings, campaign: Campaign, rehearsal: Rehearsal, *, by: str, now: datetime
) -> CampaignPlan:
    """Note that a person agrees to what a rehearsal lists; what was agreed before is replaced."""
    plan = plan_of(rehearsal, wordings_of(session, settings, campaign))
    assert campaign.id is not None
    stored = session.get(CampaignPlan, campaign.id) or CampaignPlan(
        campaign_id=campaign.id, sha256="", made_at=now, made_by=by
    )
    stored.sha256, stored.content, stored.made_at, stored.made_by = plan_hash(plan), plan.as_json(), now, by
    session.add(stored)
    session.flush()
    data = {"sha256": stored.sha256, "letters": len(plan.letters)}
    events.record(session, "plan_agreed", "campaign", campaign.id, at=now, actor=by, data=data)
    return stored


def difference(
    session: Session, settings: Settings, campaign: Campaign, rehearsal: Rehearsal
) -> tuple[CampaignPlan, Difference] | None:
    """Return what was agreed and what differs from it now, or None when nothing was agreed or nothing differs."""
    stored = session.get(CampaignPlan, campaign.id)
    if stored is None:
        return None
    present = plan_of(rehearsal, wordings_of(session, settings, campaign))
    if plan_hash(present) == stored.sha256:
        return None
    done, ended = _happened(session, campaign)
    found = compare(Plan.from_json(stored.content), present, done=done, ended=ended)
    return (stored, found) if found else None


def _happened(session: Session, campaign: Campaign) -> tuple[set[tuple[int, str]], set[int]]:
    steps = (
        select(Enrolment.lead_id, Step.step)
        .join(Step, col(Step.enrolment_id) == Enrolment.id)
        .where(Enrolment.campaign_id == campaign.id, col(Step.status).not_in(OPEN))
    )
    over = select(Enrolment.lead_id).where(Enrolment.campaign_id == campaign.id, Enrolment.status != ACTIVE)
    return {(lead, step) for lead, step in session.exec(steps)}, set(session.exec(over))
