"""A workflow in words: what each step is, when it comes, what it follows. For lists, pictures and timelines."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from crm.campaigns import graph
from crm.campaigns.definition import HAPPENED, OTHERWISE, SHOW_CLOSE, TIMEOUT, Definition, ExitRule, SendWindow, Step
from crm.campaigns.rules import Delay
from crm.core.i18n import N_, _, language, ngettext
from crm.exporters.rules import in_language
from crm.pipeline import texts as pipeline_texts
from crm.web import words
from crm.web.conditionwords import condition_text

KINDS = {
    "mail": N_("Letter"),
    "task": N_("Task"),
    "move": N_("Stage"),
    "notify": N_("Notice"),
    "wait": N_("Waiting"),
    "branch": N_("Branch"),
}
NAMED_KINDS = ("mail", "task")
"""Of these the title alone does not say what they are."""
EVENTS = {
    SHOW_CLOSE: N_("the end of the exhibition"),
    "reply": N_("the buyer's answer"),
    "sample.sent": N_("the sending of the sample"),
    "sample.delivered": N_("the arrival of the sample"),
    "quotation.sent": N_("the sending of the quotation"),
    "quotation.expires": N_("the end of the quotation"),
}
NOTIFIED = {"advisor": N_("Tell the advisor"), "staff": N_("Tell the staff"), "exporter": N_("Tell the exporter")}
OUTCOMES = {HAPPENED: N_("it came"), TIMEOUT: N_("it did not come")}
EXITS = {
    "replied": N_("the buyer answers"),
    "opted_out": N_("the buyer wants no letters"),
    "hard_bounced": N_("the address does not exist"),
}
SHORT = 24
"""A condition of so many characters still has room in a picture."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def length(delay: Delay) -> str:
    """Return ``3 business days``, ``1 week``."""
    if delay.unit == "hours":
        return ngettext("{n} hour", "{n} hours", delay.count)
    if delay.unit == "business days":
        return ngettext("{n} business day", "{n} business days", delay.count)
    return ngettext("{n} day", "{n} days", delay.count)


@dataclass(frozen=True)
class FlowWords:
    """The words for one workflow; ``letter_name`` gives letters their titles."""

    definition: Definition
    letter_name: Callable[[str], str]

    def kind(self, step: Step) -> str:
        """Return what kind of step it is: letter, task, waiting."""
        return _(KINDS[step.kind])

    def title(self, step: Step) -> str:
        """Return what the step does."""
        if step.kind == "mail":
            return self.letter_name(step.what)
        if step.kind == "task":
            return _(pipeline_texts.TASK_KINDS.get(step.what, step.what))
        if step.kind == "move":
            return _("Move the deal to: {stage}", stage=pipeline_texts.stage_name(step.what))
        if step.kind == "notify":
            return _(NOTIFIED[step.what])
        if step.kind == "wait":
            return _("Wait for {what}", what=self.name(step.what))
        return _("Which way it goes on")

    def name(self, stop: str) -> str:
        """Return what a place in the workflow is called: a step by what it does, else the event or date."""
        step = self.definition.step(stop)
        if step is not None:
            return self.title(step)
        if stop in EVENTS:
            return _(EVENTS[stop])
        if stop in self.definition.dates:
            return in_language(dict(self.definition.dates[stop]), language())
        if stop.startswith("stage."):
            return _("reaching the stage {stage}", stage=pipeline_texts.stage_name(stop.removeprefix("stage.")))
        return day_text(stop) if _DAY.fullmatch(stop) else stop

    def when(self, step: Step) -> str:
        """Return when the step comes: ``2 business days after: Thank-you letter``."""
        if step.on is not None:
            return _("on {day}", day=words.long_day(step.on))
        stop, _dot, _arm = step.anchor.partition(".")
        what = self.name(stop if self.definition.step(stop) else step.anchor)
        if step.before is not None:
            return _("{length} before: {what}", length=length(step.delay), what=what)
        if step.delay.count == 0:
            return _("right after: {what}", what=what)
        return _("{length} after: {what}", length=length(step.delay), what=what)

    def more(self, step: Step) -> list[str]:
        """Return what else is to be known of a step, a sentence each."""
        found = []
        if step.at_most is not None:
            found.append(_("at most {length}", length=length(step.at_most)))
        if step.wait:
            found.append(_("What follows waits until a person marks it as done."))
        if step.window is not None:
            found.append(_("Only {window}", window=window_text(step.window)))
        return found

    def arm(self, arm: str) -> str:
        """Return the outcome that leads to a step."""
        return _(OUTCOMES[arm]) if arm in OUTCOMES else arm

    def arm_condition(self, stop: graph.Stop, parent: str) -> str:
        """Return the condition of the arm of a branch that leads to a stop."""
        step = self.definition.step(parent)
        text = (step.branch or {}).get(stop.arm, "") if step is not None else ""
        return _("all others") if text == OTHERWISE else condition_text(text) or text


@dataclass(frozen=True)
class Line:
    """One line of the workflow as a list. ``depth``: how far it stands in; a chain stays at its depth."""

    step: Step | None
    name: str
    kind: str
    title: str
    when: str
    arm: str
    condition: str
    arm_condition: str = ""
    more: Sequence[str] = ()
    below: "Sequence[Sequence[Line]]" = ()


def outline(said: FlowWords) -> list[list[Line]]:
    """Return the workflow as nested lists: a chain is one list, and where it parts each way is a list of its own."""
    return [_chain(said, tree) for tree in graph.forest(said.definition.steps)]


def _chain(said: FlowWords, stop: graph.Stop, parent: str = "") -> list[Line]:
    if len(stop.then) == 1:
        return [_line(said, stop, parent, ()), *_chain(said, stop.then[0], stop.name)]
    return [_line(said, stop, parent, [_chain(said, child, stop.name) for child in stop.then])]


def _line(said: FlowWords, stop: graph.Stop, parent: str, below: Sequence[Sequence[Line]]) -> Line:
    step = said.definition.step(stop.step) if stop.step else None
    return Line(
        step=step,
        name=stop.name,
        kind=step.kind if step else "start",
        title=said.title(step) if step else said.name(stop.name),
        when=said.when(step) if step else "",
        arm=said.arm(stop.arm) if stop.arm else "",
        condition=condition_text(step.when) or step.when if step and step.when else "",
        arm_condition=said.arm_condition(stop, parent),
        more=said.more(step) if step else (),
        below=below,
    )


def picture(said: FlowWords, counts: Mapping[str, int]) -> graph.Drawing:
    """Return the workflow as a picture; ``counts`` are how many people stand at each step."""
    trees = graph.forest(said.definition.steps)
    return graph.draw(trees, {stop.name: list(_texts(said, stop, counts)) for stop in graph.walk(trees)})


def _texts(said: FlowWords, stop: graph.Stop, counts: Mapping[str, int]) -> Iterator[str]:
    step = said.definition.step(stop.step) if stop.step else None
    if step is None:
        yield said.name(stop.name)
        return
    yield f"{said.kind(step)}: {said.title(step)}" if step.kind in NAMED_KINDS else said.title(step)
    yield said.when(step)
    if step.at_most is not None:
        yield _("at most {length}", length=length(step.at_most))
    if step.when:
        told = condition_text(step.when)
        yield _("only if {condition}", condition=told) if 0 < len(told) <= SHORT else _("only if a condition holds")
    if counts.get(step.id):
        yield ngettext("{n} person here now", "{n} persons here now", counts[step.id])


def window_text(window: SendWindow) -> str:
    """Return a send window: its days, hours and clock."""
    days = "·".join(words.WEEKDAYS[language()][WEEKDAYS.index(day)] for day in window.days)
    clock = _("Korean time") if window.clock == "korea" else _("the buyer's time")
    return f"{days} {window.hours.opens:%H:%M}–{window.hours.closes:%H:%M} ({clock})"


def exit_name(rule: ExitRule) -> str:
    """Return what ends a follow-up early."""
    if rule.stage is not None:
        return _("the deal reaches the stage {stage}", stage=pipeline_texts.stage_name(rule.stage))
    return _(EXITS[rule.reason])


def title_of(definition: Definition) -> str:
    """Return the workflow's title in the viewer's language."""
    return in_language(dict(definition.title), language())


def day_text(text: str) -> str:
    """Return an ISO date as a page shows it."""
    return words.long_day(date.fromisoformat(text))
