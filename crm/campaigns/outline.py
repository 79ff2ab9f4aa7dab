"""The steps of a workflow file as far as they can be made out, also while the file still has mistakes in it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from crm.campaigns.definition import EVENTS, HAPPENED, KINDS, SHOW_CLOSE, TIMEOUT
from crm.campaigns.reading import Path

STAGE_EVENT = "stage."
WORD = re.compile(r"[a-z][a-z0-9_]*")
Relation = Literal["after", "before", "on", ""]


class Anchor(NamedTuple):
    """What a step follows: as it is written, and the step, outcome, event or date that it names."""

    relation: Relation
    text: str
    step: str = ""
    outcome: str = ""

    @property
    def key(self) -> Path:
        """Return where it stands below its step."""
        return (self.relation, self.text) if self.relation != "on" else ("on",)


NOTHING = Anchor("", "")


@dataclass(frozen=True)
class Draft:
    """A step as it is written. ``arms`` are the names of its outcomes."""

    number: int
    name: str
    raw: Mapping[str, Any]
    anchor: Anchor
    kind: str
    arms: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return ("steps", self.number)

    @property
    def waits_for_person(self) -> bool:
        return self.kind == "wait_for" or str(self.raw.get("wait", "")).casefold() == "true"

    def text(self, key: str) -> str:
        """Return the text under a key, empty where there is none."""
        value = self.raw.get(key)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True)
class Outline:
    """The steps in their order, and the dates that the file declares. Of two steps of one name the first counts."""

    all: tuple[Draft, ...] = ()
    dates: tuple[str, ...] = ()
    steps: Mapping[str, Draft] = field(default_factory=dict)

    def followers(self, name: str) -> Iterator[Draft]:
        """Yield the steps that follow a step or one of its outcomes."""
        return (draft for draft in self.steps.values() if draft.anchor.step == name)

    def chain(self, name: str) -> list[Draft]:
        """Return the step, what it follows, and so on; it ends before a step would come twice."""
        found: list[Draft] = []
        while (draft := self.steps.get(name)) is not None and draft not in found:
            found.append(draft)
            name = draft.anchor.step
        return found

    def names(self) -> list[str]:
        """Return everything that ``after`` may name."""
        outcomes = [f"{name}.{arm}" for name, draft in self.steps.items() for arm in draft.arms]
        return [SHOW_CLOSE, *self.steps, *outcomes, *self.dates, *EVENTS]


def outline(data: Mapping[str, Any]) -> Outline:
    """Return what can be made out of the content of a file."""
    raw = data.get("steps")
    items = [(i, step) for i, step in enumerate(raw if isinstance(raw, list) else []) if isinstance(step, dict)]
    declared = data.get("dates")
    dates = tuple(declared) if isinstance(declared, dict) else ()
    names = {step["id"] for _number, step in items if isinstance(step.get("id"), str)}
    drafts = tuple(_draft(number, step, names) for number, step in items)
    steps: dict[str, Draft] = {}
    for draft in drafts:
        if draft.name:
            steps.setdefault(draft.name, draft)
    return Outline(drafts, dates, steps)


def _draft(number: int, raw: Mapping[str, Any], names: set[str]) -> Draft:
    name = raw.get("id")
    kind = next((kind for kind in KINDS if raw.get(kind) is not None), "")
    return Draft(number, name if isinstance(name, str) else "", raw, _anchor(raw, names), kind, _arms(raw, kind))


def _anchor(raw: Mapping[str, Any], names: set[str]) -> Anchor:
    for relation in ("after", "before"):
        found = raw.get(relation)
        if isinstance(found, dict) and len(found) == 1:
            text = str(next(iter(found)))
            step, _dot, outcome = text.partition(".")
            known = step in names and relation == "after" and text not in (SHOW_CLOSE, *EVENTS)
            return Anchor("after" if relation == "after" else "before", text, *((step, outcome) if known else ("", "")))
    return Anchor("on", str(raw["on"])) if raw.get("on") is not None else NOTHING


def _arms(raw: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    arms = raw.get("branch")
    if kind == "branch" and isinstance(arms, dict):
        return tuple(str(arm) for arm in arms)
    return (HAPPENED, TIMEOUT) if kind == "wait_for" else ()
