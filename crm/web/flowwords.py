"""A workflow in words: what each step is, when it comes, what it follows. For lists, pictures and timelines."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from crm.campaigns import graph
from crm.campaigns.definition import SHOW_CLOSE, Definition, ExitRule, Step
from crm.campaigns.rules import Delay
from crm.core.i18n import N_, _, language, ngettext
from crm.exporters.rules import in_language
from crm.pipeline import texts as pipeline_texts
from crm.web import words

KINDS = {
    "mail": N_("Letter"),
    "task": N_("Task"),
    "move": N_("Stage"),
    "notify": N_("Notice"),
    "wait": N_("Waiting"),
    "branch": N_("Branch"),
}
EVENTS = {
    SHOW_CLOSE: N_("the end of the exhibition"),
    "reply": N_("the buyer's answer"),
    "sample.sent": N_("the sending of the sample"),
    "sample.delivered": N_("the arrival of the sample"),
    "quotation.sent": N_("the sending of the quotation"),
    "quotation.expires": N_("the end of the quotation"),
}
NOTIFIED = {"advisor": N_("Tell the advisor"), "staff": N_("Tell the staff"), "exporter": N_("Tell the exporter")}
OUTCOMES = {"happened": N_("it came"), "timeout": N_("it did not come"), "rest": N_("all others")}
EXITS = {
    "replied": N_("the buyer answers"),
    "opted_out": N_("the buyer wants no letters"),
    "hard_bounced": N_("the address does not exist"),
}
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
        return _(pipeline_texts.TASK_KINDS.get(step.what, step.what))

    def name(self, stop: str) -> str:
        """Return what a place in the workflow is called: a step by what it does, else the event or date."""
        step = self.definition.step(stop)
        if step is not None:
            return self.title(step)
        if stop in EVENTS:
            return _(EVENTS[stop])
        if stop.startswith("stage."):
            return _("reaching the stage {stage}", stage=pipeline_texts.stage_name(stop.removeprefix("stage.")))
        return stop

    def when(self, step: Step) -> str:
        """Return when the step comes: ``2 business days after Thank-you letter``."""
        stop, _dot, _arm = step.anchor.partition(".")
        what = self.name(stop if self.definition.step(stop) else step.anchor)
        if step.delay.count == 0:
            return _("right after: {what}", what=what)
        return _("{length} after: {what}", length=length(step.delay), what=what)

    def arm(self, arm: str) -> str:
        """Return the outcome that leads to a step."""
        return _(OUTCOMES[arm]) if arm in OUTCOMES else arm


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
    below: "Sequence[Sequence[Line]]" = ()


def outline(said: FlowWords) -> list[list[Line]]:
    """Return the workflow as nested lists: a chain is one list, and where it parts each way is a list of its own."""
    return [_chain(said, tree) for tree in graph.forest(said.definition.steps)]


def _chain(said: FlowWords, stop: graph.Stop) -> list[Line]:
    here = _line(said, stop, ())
    if len(stop.then) == 1:
        return [here, *_chain(said, stop.then[0])]
    return [_line(said, stop, [_chain(said, child) for child in stop.then])]


def _line(said: FlowWords, stop: graph.Stop, below: Sequence[Sequence[Line]]) -> Line:
    step = said.definition.step(stop.step) if stop.step else None
    return Line(
        step=step,
        name=stop.name,
        kind=step.kind if step else "start",
        title=said.title(step) if step else said.name(stop.name),
        when=said.when(step) if step else "",
        arm=said.arm(stop.arm) if stop.arm else "",
        condition=(step.when or "") if step else "",
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
    yield f"{said.kind(step)}: {said.title(step)}"
    yield said.when(step)
    if step.when:
        yield _("only if a condition holds")
    if counts.get(step.id):
        yield ngettext("{n} person here now", "{n} persons here now", counts[step.id])


def window_text(window: Any) -> str:
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
