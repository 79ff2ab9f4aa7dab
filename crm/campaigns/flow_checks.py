"""Whether the steps of a workflow file hang together: what they follow, whether they can ever come, and how many."""

from collections.abc import Mapping
from typing import Any

from crm.campaigns.definition import DATED_EVENTS, EVENTS, HAPPENED, OTHERWISE, SHOW_CLOSE
from crm.campaigns.outline import STAGE_EVENT, Anchor, Draft, Outline
from crm.campaigns.reading import Path, YamlFile, near
from crm.pipeline.rules import WAY, Stage

RESERVED = (SHOW_CLOSE, *(event for event in EVENTS if "." not in event))


def check_flow(outline: Outline, data: Mapping[str, Any], file: YamlFile) -> None:
    """Say everything that is wrong with how the steps follow each other."""
    _check_names(outline, file)
    _check_dates(outline, file)
    lost: set[str] = set()
    misspelt: set[str] = set()
    for draft in outline.steps.values():
        _check_anchor(draft, outline, lost, misspelt, file)
    for draft in outline.steps.values():
        _check_branch(draft, outline, file)
        _check_wait(draft, outline, file)
        _check_end(draft, outline, data, lost, file)


# ---------------------------------------------------------------- names


def _check_names(outline: Outline, file: YamlFile) -> None:
    for draft in outline.all:
        path = (*draft.path, "id")
        if draft.name in RESERVED or draft.name in outline.dates:
            file.say("step_reserved", path, {"name": draft.name})
        elif draft.name and outline.steps[draft.name] is not draft:
            line = file.keys.get((*outline.steps[draft.name].path, "id"), (1, 1))[0]
            file.say("step_twice", path, {"name": draft.name, "line": line})


def _check_dates(outline: Outline, file: YamlFile) -> None:
    used = {draft.anchor.text for draft in outline.all}
    for name in outline.dates:
        if name in RESERVED:
            file.say("date_reserved", ("dates", name), {"name": name}, at_key=True)
        elif name not in used:
            file.say("date_unused", ("dates", name), {"name": name}, at_key=True)


# ---------------------------------------------------------------- what a step follows


def _check_anchor(draft: Draft, outline: Outline, lost: set[str], misspelt: set[str], file: YamlFile) -> None:
    """Steps in ``lost`` never come; of those in ``misspelt`` what follows them is put right by the same correction."""
    anchor = draft.anchor
    if anchor.relation == "before" and anchor.text not in (*outline.dates, *DATED_EVENTS):
        _say_date(draft, outline, file)
        lost.add(draft.name)
    elif anchor.relation != "after" or _is_known(anchor, outline):
        return
    elif not anchor.step:
        _say_unknown(draft, outline, file)
        lost.add(draft.name)
        misspelt.add(draft.name)
    elif anchor.outcome and not _has_outcome(draft, outline, file):
        lost.add(draft.name)
    else:
        _check_order(draft, outline, lost, misspelt, file)


def _is_known(anchor: Anchor, outline: Outline) -> bool:
    """Tell whether it names something other than a step."""
    return anchor.text == SHOW_CLOSE or anchor.text in (*EVENTS, *outline.dates)


def _say_date(draft: Draft, outline: Outline, file: YamlFile) -> None:
    name = draft.anchor.text
    hint = near(name, outline.dates)["near"] if outline.dates else ""
    code = "date_is_anchor" if name in (SHOW_CLOSE, *EVENTS, *outline.steps) else "date_unknown"
    file.say(code, (*draft.path, *draft.anchor.key), {"name": name, "near": hint}, at_key=True)


def _say_unknown(draft: Draft, outline: Outline, file: YamlFile) -> None:
    anchor, path = draft.anchor, (*draft.path, *draft.anchor.key)
    if anchor.text.startswith(STAGE_EVENT):
        hint = near(anchor.text.removeprefix(STAGE_EVENT), [stage.value for stage in Stage])
        file.say("stage_unknown", path, {"name": anchor.text.removeprefix(STAGE_EVENT), **hint}, at_key=True)
        return
    step, dot, outcome = anchor.text.partition(".")
    guess = str(near(anchor.text, outline.names())["near"])
    if dot and not guess and (base := str(near(step, outline.steps)["near"])):
        guess = f"{base}.{outcome}"
    known = ", ".join([SHOW_CLOSE, *outline.steps, *outline.dates, *EVENTS])
    file.say("anchor_unknown", path, {"name": anchor.text, "near": guess, "known": known}, at_key=True)


def _has_outcome(draft: Draft, outline: Outline, file: YamlFile) -> bool:
    anchor = draft.anchor
    step, path = outline.steps[anchor.step], (*draft.path, *anchor.key)
    if anchor.outcome in step.arms:
        return True
    if not step.arms:
        file.say("outcome_none", path, {"name": anchor.text, "step": anchor.step}, at_key=True)
    else:
        hint = str(near(anchor.outcome, step.arms)["near"])
        known = ", ".join(f"{anchor.step}.{arm}" for arm in step.arms)
        params = {"name": anchor.outcome, "step": anchor.step, "known": known}
        params["near"] = f"{anchor.step}.{hint}" if hint else ""
        file.say("outcome_unknown", path, params, at_key=True)
    return False


def _check_order(draft: Draft, outline: Outline, lost: set[str], misspelt: set[str], file: YamlFile) -> None:
    path, anchor = (*draft.path, *draft.anchor.key), draft.anchor
    chain = outline.chain(draft.name)
    back = chain[-1].anchor.step
    if back == draft.name:
        if draft.name not in lost:
            names = " → ".join([*(step.name for step in chain), draft.name])
            file.say("anchor_circle", path, {"names": names}, at_key=True)
        lost.update(step.name for step in chain)
    elif anchor.step in misspelt:
        lost.add(draft.name)
        misspelt.add(draft.name)
    elif anchor.step in lost or back:
        file.say("step_unreachable", path, {"name": draft.name, "anchor": anchor.step}, at_key=True)
        lost.add(draft.name)
    elif outline.steps[anchor.step].number > draft.number:
        file.say("anchor_below", path, {"name": draft.name, "anchor": anchor.step}, at_key=True)


# ---------------------------------------------------------------- branches and waits


def _check_branch(draft: Draft, outline: Outline, file: YamlFile) -> None:
    arms = draft.raw.get("branch")
    if draft.kind != "branch" or not isinstance(arms, dict):
        return
    path = (*draft.path, "branch")
    others = [arm for arm, condition in arms.items() if condition == OTHERWISE]
    if not others:
        file.say("branch_otherwise", path, {"name": draft.name})
    for arm in list(arms)[list(arms).index(others[0]) + 1 :] if others else ():
        file.say("arm_after_otherwise", (*path, arm), {"name": arm, "other": others[0]}, at_key=True)
    followed = {follower.anchor.outcome for follower in outline.followers(draft.name)}
    if not followed:
        file.say("dead_end", path, {"name": draft.name, "outcomes": _outcomes(draft)}, at_key=True)
        return
    for arm in arms:
        # Nothing to do in all other cases is a plain wish; a case that was thought of is not.
        if arm not in followed and arm not in others and "" not in followed:
            file.say("arm_unfollowed", (*path, arm), {"name": f"{draft.name}.{arm}"}, at_key=True)


def _outcomes(draft: Draft) -> str:
    return ", ".join(f"{draft.name}.{arm}" for arm in draft.arms)


def _check_wait(draft: Draft, outline: Outline, file: YamlFile) -> None:
    if draft.kind != "wait_for":
        return
    path = (*draft.path, "wait_for")
    if not list(outline.followers(draft.name)):
        file.say("dead_end", path, {"name": draft.name, "outcomes": _outcomes(draft)}, at_key=True)


# ---------------------------------------------------------------- what ends the follow-up


def _check_end(draft: Draft, outline: Outline, data: Mapping[str, Any], lost: set[str], file: YamlFile) -> None:
    """A step that follows what ends the follow-up never comes."""
    anchor = draft.anchor
    before = outline.steps.get(anchor.step)
    event = anchor.text if anchor.text in EVENTS else ""
    if before is not None and before.kind == "wait_for" and anchor.outcome == HAPPENED:
        event = before.text("wait_for")
    reason = ending(event, data)
    if anchor.relation == "after" and reason and draft.name not in lost:
        path: Path = (*draft.path, *anchor.key)
        file.say("after_the_end", path, {"name": draft.name, "event": event, "reason": reason}, at_key=True)


def ending(event: str, data: Mapping[str, Any]) -> str:
    """Return the entry of ``exit_when`` by which an event ends the follow-up, or an empty text."""
    if event == f"{STAGE_EVENT}{Stage.LOST}":
        return Stage.LOST.value
    for reason in exits(data):
        if event == "reply" and reason == "replied":
            return reason
        stage, reached = event.removeprefix(STAGE_EVENT), ending_stage(reason)
        if event.startswith(STAGE_EVENT) and reached and stage in WAY and WAY.index(Stage(stage)) >= WAY.index(reached):
            return reason
    return ""


def ending_stage(reason: str) -> Stage | None:
    """Return the stage from which on an entry of ``exit_when`` ends the follow-up."""
    stage = Stage.REPLIED.value if reason == "replied" else reason.partition(">=")[2].strip()
    return Stage(stage) if stage in WAY else None


def exits(data: Mapping[str, Any]) -> list[str]:
    """Return the entries of ``exit_when``."""
    found = data.get("exit_when")
    return [str(reason) for reason in found] if isinstance(found, list) else []
