"""Whether the conditions of a workflow file can be read, and whether they ever tell buyers apart."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crm.campaigns import meant
from crm.campaigns.conditions import ConditionError, Facts, HappenedFacts, compile_condition, holds
from crm.campaigns.definition import OTHERWISE
from crm.campaigns.flow_checks import ending_stage, exits
from crm.campaigns.outline import Draft, Outline
from crm.campaigns.reading import Path, YamlFile
from crm.campaigns.worlds import kinds_of_buyers
from crm.pipeline.rules import WAY, Stage

Kinds = frozenset[Facts]
"""Kinds of buyers with the stage of their deal."""


class Reach:
    """Who comes to which step, as far as conditions tell. Without ``kinds`` all of them may come to all."""

    def __init__(self, outline: Outline, coming: Mapping[str, Kinds] | None) -> None:
        self._outline, self._coming = outline, coming

    def kinds(self, step: str) -> Kinds:
        """Return the kinds of buyers that come to a step; none where it is not known."""
        return (self._coming or {}).get(step, frozenset())

    def together(self, steps: Sequence[str], way: Mapping[str, str]) -> Iterator[frozenset[str]]:
        """Yield which of ``steps`` one and the same buyer can get on a way through the branches, for every buyer."""
        if self._coming is None:
            yield frozenset(steps)
            return
        takers = {step: self._takers(step) for step in steps}
        people = {person for taken in takers.values() for person in taken}
        for branch, arm in way.items():
            draft = self._outline.steps[branch]
            if draft.kind == "branch" and (coming := self.kinds(branch)):
                going = {_person(kind) for kind in _in_arm(coming, _arms(draft), arm)}
                elsewhere = {_person(kind) for kind in coming} - going
                people -= elsewhere
        yield from {frozenset(step for step in steps if person in takers[step]) for person in people}

    def _takers(self, step: str) -> set[Facts]:
        when = self._outline.steps[step].text("when")
        return {_person(kind) for kind in self.kinds(step) if not when or holds(when, kind)}


def check_conditions(outline: Outline, data: Mapping[str, Any], file: YamlFile) -> Reach:
    """Say what is wrong with the conditions; return who comes to which step, where that is known."""
    unknown = Reach(outline, None)
    read = _Conditions(file)
    audience = read.text(data.get("audience"), ("audience",))
    for draft in outline.all:
        read.text(draft.raw.get("when"), (*draft.path, "when"))
        for arm, condition in _arms(draft).items():
            if condition != OTHERWISE:
                read.text(condition, (*draft.path, "branch", arm))
    if read.faulty or audience is None:
        return unknown
    kinds = kinds_of_buyers([*read.texts, 'deal.stage == "lead"'])
    if kinds is None:
        return unknown
    followed = frozenset(
        kind for kind in kinds if _is_open(kind, data) and holds(audience, kind) and kind.happened == HappenedFacts()
    )
    if not followed:
        file.say("audience_nobody", ("audience",))
        return unknown
    judge = _Judge(outline, data, file, frozenset(kinds))
    judge.judge(followed)
    return Reach(outline, judge.reach)


def _arms(draft: Draft) -> Mapping[str, Any]:
    arms = draft.raw.get("branch")
    return arms if draft.kind == "branch" and isinstance(arms, dict) else {}


class _Conditions:
    """Reads conditions one after the other and keeps those in order."""

    def __init__(self, file: YamlFile) -> None:
        self.file, self.faulty, self.texts = file, False, list[str]()

    def text(self, text: Any, path: Path) -> str | None:
        """Check one condition; return it if there is one and it is in order."""
        if not isinstance(text, str) or not text:
            return None
        try:
            compile_condition(text)
        except ConditionError as error:
            self.file.say(error.code, path, _with_meaning(error), offset=error.at)
            self.faulty = True
            return None
        self.texts.append(text)
        return text


def _with_meaning(error: ConditionError) -> dict[str, object]:
    params = dict(error.params)
    name, value = str(params.get("name", "")), str(params.get("value", ""))
    if error.code == "condition_value" and not params.get("near"):
        known = str(params.get("known", "")).split(", ")
        params["near"] = meant.country(value) if name == "contact.country" else meant.near(value, known)
    if error.code == "condition_name" and not params.get("near"):
        owner, dot, _word = name.partition(".")
        guess = meant.near(name.rpartition(".")[2], str(params.get("known", "")).split(", "))
        params["near"] = f"{owner}.{guess}" if dot and guess else guess
    return params


def _is_open(kind: Facts, data: Mapping[str, Any]) -> bool:
    """Tell whether a deal at this stage is still followed up."""
    stage = kind.deal.stage
    reached = [found for reason in exits(data) if (found := ending_stage(reason))]
    ends = min(map(WAY.index, reached), default=len(WAY))
    return stage != Stage.LOST and (stage not in WAY or WAY.index(Stage(stage)) < ends)


def _person(kind: Facts) -> Facts:
    """Return what stays: the stage of the deal and what has come change on the way."""
    return replace(kind, deal=replace(kind.deal, stage=Stage.LEAD.value), happened=HappenedFacts())


class _Judge:
    """Goes through the steps with the kinds of buyers that can come to each.

    The stage of a deal and what has come change on the way, so they are free again at every step. What the buyer said
    can be learned later too, once a person was waited for or something happened.
    """

    def __init__(self, outline: Outline, data: Mapping[str, Any], file: YamlFile, kinds: Kinds) -> None:
        self.outline, self.file = outline, file
        self.open = frozenset(kind for kind in kinds if _is_open(kind, data))
        self.reach: dict[str, Kinds] = {}

    def judge(self, followed: Kinds) -> None:
        for draft in self.outline.all:
            if draft.name in self.outline.steps and self.outline.steps[draft.name] is not draft:
                continue
            self._judge_step(draft, self._coming(draft, followed))

    def _coming(self, draft: Draft, followed: Kinds) -> Kinds:
        """Return the kinds of buyers for whom a step can come."""
        anchor = draft.anchor
        before = self.outline.steps.get(anchor.step)
        if before is None:
            return (
                self._any_stage(followed)
                if anchor.relation != "after" or "." not in anchor.text
                else self._learned(followed)
            )
        kinds = self.reach.get(before.name, frozenset())
        if anchor.outcome and before.kind == "branch":
            kinds = _in_arm(kinds, _arms(before), anchor.outcome)
        kinds = self._any_stage(kinds)
        return self._learned(kinds) if before.waits_for_person else kinds

    def _any_stage(self, kinds: Kinds) -> Kinds:
        people = {_person(kind) for kind in kinds}
        return frozenset(kind for kind in self.open if _person(kind) in people)

    def _learned(self, kinds: Kinds) -> Kinds:
        contacts = {kind.contact for kind in kinds}
        return frozenset(kind for kind in self.open if kind.contact in contacts)

    def _judge_step(self, draft: Draft, kinds: Kinds) -> None:
        when = draft.text("when")
        self.reach[draft.name] = kinds
        if when and kinds:
            answers = {holds(when, kind) for kind in kinds}
            if answers == {False}:
                self._never(draft)
            elif answers == {True}:
                self.file.say("condition_always", (*draft.path, "when"), {"name": draft.name, "text": when})
        for arm, condition in _arms(draft).items():
            if kinds and condition != OTHERWISE:
                self._judge_arm(draft, str(arm), str(condition), kinds)

    def _never(self, draft: Draft) -> None:
        alone = _answers(draft.text("when"), self.open) == {False}
        code = "step_never" if alone else "step_never_here"
        self.file.say(code, (*draft.path, "when"), {"name": draft.name, "text": draft.text("when")})

    def _judge_arm(self, draft: Draft, arm: str, condition: str, kinds: Kinds) -> None:
        path: Path = (*draft.path, "branch", arm)
        params = {"name": f"{draft.name}.{arm}", "text": condition}
        if _answers(condition, kinds) == {False}:
            self.file.say("arm_never", path, params)
        elif not _in_arm(kinds, _arms(draft), arm):
            self.file.say("arm_covered", path, params)
        elif _answers(condition, kinds) == {True}:
            self.file.say("arm_always", path, params)


def _answers(condition: str, kinds: Iterable[Facts]) -> set[bool]:
    return {holds(condition, kind) for kind in kinds}


def _in_arm(kinds: Kinds, arms: Mapping[str, Any], wanted: str) -> Kinds:
    """Return those of ``kinds`` that go into the arm ``wanted``: the first whose condition holds."""
    left: Sequence[Facts] = list(kinds)
    for arm, condition in arms.items():
        taken = [kind for kind in left if condition == OTHERWISE or holds(str(condition), kind)]
        if arm == wanted:
            return frozenset(taken)
        gone = set(taken)
        left = [kind for kind in left if kind not in gone]
    return frozenset()
