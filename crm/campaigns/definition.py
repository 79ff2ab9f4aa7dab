"""The shape of a workflow file. The models are the only place that says what may stand in one.

``checker.check`` reads a file into a ``Definition`` and says what is wrong; ``manual`` writes the documentation and
the JSON schema from the same models. Whoever holds a ``Definition`` may rely on its being checked.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, time
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from crm.campaigns.rules import Avoided, Delay, Unit, Whose, Window
from crm.pipeline.rules import WAY, Stage

SHOW_CLOSE = "show_close"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXPRESSION_LENGTH = 500
DAY_STARTS, DAY_ENDS = time(6), time(22)
MAX_DELAY: dict[Unit, int] = {"hours": 2400, "days": 400, "business days": 250}

EVENTS = (
    "reply",
    "sample.sent",
    "sample.delivered",
    "quotation.sent",
    "quotation.expires",
    *(f"stage.{stage}" for stage in Stage),
)
"""What may happen outside the workflow and be followed by a step or waited for."""
DATED_EVENTS = ("quotation.expires",)
"""Events that are known before they come, so that a step may also stand before them."""
EVENT_FAMILIES = frozenset(name.partition(".")[0] for name in EVENTS)
HAPPENED, TIMEOUT, OTHERWISE = "happened", "timeout", "otherwise"

_DELAY = re.compile(r"(\d{1,4}) (business days?|weeks?|days?|hours?)")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_NAME = r"^[a-z][a-z0-9_]{0,39}$"


def parse_delay(text: object) -> Delay:
    """Read ``5 business days``, ``7 days``, ``8 weeks`` or ``36 hours``.

    Weeks are kept as days. Raises PydanticCustomError with a code of ``texts``.
    """
    found = _DELAY.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise PydanticCustomError("delay_form", "delay", {"value": str(text)})
    words = found[2] if found[2].endswith("s") else found[2] + "s"
    count = int(found[1]) * (7 if words == "weeks" else 1)
    unit: Unit = "hours" if words == "hours" else "business days" if words == "business days" else "days"
    if count > MAX_DELAY[unit]:
        raise PydanticCustomError("delay_long", "delay", {"value": str(text), "most": MAX_DELAY[unit], "unit": unit})
    return Delay(count, unit)


def parse_length(text: object) -> Delay:
    """Read a length of time that is the same in every country: a delay, but not in business days."""
    delay = parse_delay(text)
    if delay.unit == "business days":
        raise PydanticCustomError("length_business", "delay", {"value": str(text)})
    return delay


def parse_day(text: object) -> date:
    """Read ``2026-12-10``. Raises PydanticCustomError with a code of ``texts``."""
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise PydanticCustomError("date_form", "date", {"value": str(text)}) from None


def parse_event(text: object) -> str:
    """Read the name of an event. Raises PydanticCustomError with a code of ``texts``."""
    if text not in EVENTS:
        raise PydanticCustomError("event_unknown", "event", {"value": str(text)})
    return str(text)


def parse_stage(text: object) -> str:
    """Read a stage that a deal can come to. Raises PydanticCustomError with a code of ``texts``."""
    if text not in set(Stage):
        raise PydanticCustomError("exit_stage", "stage", {"value": str(text)})
    return str(text)


class Hours(NamedTuple):
    """Wall-clock hours; the end is not included."""

    opens: time
    closes: time


def parse_hours(text: object) -> Hours:
    """Read ``09:30-11:30``. Raises PydanticCustomError with a code of ``texts``."""
    found = _HOURS.fullmatch(text.replace(" ", "")) if isinstance(text, str) else None
    if found is None:
        raise PydanticCustomError("hours_form", "hours", {"value": str(text)})
    hours = Hours(time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4])))
    if hours.opens >= hours.closes:
        raise PydanticCustomError("hours_never_open", "hours", {"value": str(text)})
    # Countries change their clocks at night only: inside these hours every wall-clock time exists, and once.
    if hours.opens < DAY_STARTS or hours.closes > DAY_ENDS:
        raise PydanticCustomError("hours_at_night", "hours", {"value": str(text)})
    return hours


class ExitRule(NamedTuple):
    """A reason to stop: something that happened, or (``stage`` set) a stage that the deal reached."""

    reason: str
    stage: Stage | None = None


EXIT_REASONS = ("replied", "opted_out", "hard_bounced")
REQUIRED_EXITS = ("opted_out", "hard_bounced")
_STAGE_RULE = re.compile(r"stage\s*>=\s*(\w+)")


def parse_exit(text: object) -> ExitRule:
    """Read ``replied`` or ``stage >= negotiation``. Raises PydanticCustomError with a code of ``texts``."""
    if isinstance(text, str) and text in EXIT_REASONS:
        return ExitRule(text)
    found = _STAGE_RULE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise PydanticCustomError("exit_form", "exit", {"value": str(text)})
    if found[1] not in WAY:
        raise PydanticCustomError("exit_stage", "exit", {"value": found[1]})
    if found[1] == Stage.LEAD:
        raise PydanticCustomError("exit_at_once", "exit", {"value": found[1]})
    return ExitRule("stage", Stage(found[1]))


def _in_file(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


DelayText = Annotated[
    Delay, BeforeValidator(parse_delay), _in_file(f"^{_DELAY.pattern}$", "5 business days", "7 days", "36 hours")
]
LengthText = Annotated[
    Delay, BeforeValidator(parse_length), _in_file(r"^(\d{1,4}) (weeks?|days?|hours?)$", "45 days", "6 weeks")
]
HoursText = Annotated[Hours, BeforeValidator(parse_hours), _in_file(f"^{_HOURS.pattern}$", "09:30-11:30")]
DayText = Annotated[date, BeforeValidator(parse_day), WithJsonSchema({"type": "string", "format": "date"})]
ExitText = Annotated[
    ExitRule,
    BeforeValidator(parse_exit),
    _in_file(rf"^({'|'.join(EXIT_REASONS)}|{_STAGE_RULE.pattern})$", "replied", "stage >= negotiation"),
]
EventText = Annotated[str, BeforeValidator(parse_event), WithJsonSchema({"enum": list(EVENTS)})]
StageText = Annotated[str, BeforeValidator(parse_stage), WithJsonSchema({"enum": [str(stage) for stage in Stage]})]
Name = Annotated[str, Field(pattern=_NAME)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TaskKind = Literal["call", "answer", "sample", "tracking", "quotation", "check", "other"]
MoveTo = Literal[
    "contacted", "replied", "qualified", "sample_or_quotation", "negotiation", "supply_contract", "exclusive_contract",
    "dormant",
]  # fmt: skip
Desk = Literal["advisor", "staff", "exporter"]
StepKind = Literal["mail", "task", "move", "notify", "wait", "branch"]
Expression = Annotated[str, Field(min_length=1, max_length=EXPRESSION_LENGTH)]


class Part(BaseModel):
    """A part of a workflow file: unknown keys are mistakes, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(Part):
    """The name of the workflow as people read it."""

    ko: str = Field(min_length=1, max_length=100, description="Korean title")
    en: str = Field(min_length=1, max_length=100, description="English title")


class SendWindow(Part):
    """When letters may go out. Weekends of the buyer's country are always left out, make-up working days are none."""

    days: list[Weekday] = Field(min_length=1, description="weekdays on which letters go out")
    hours: HoursText = Field(description="from and until, 24-hour clock, between 06:00 and 22:00")
    clock: Literal["recipient", "korea"] = Field(default="recipient", description="whose clock the hours are read on")
    holidays: Whose = Field(
        default="recipient",
        description="whose public holidays, quiet seasons and own days are left out: the buyer's (recipient), Korea's "
        "(sender), both, or none",
    )
    avoid: list[Avoided] = Field(
        default=[],
        description="what else is left out: day_before_holiday (the last working day before three or more days off), "
        "ramadan_afternoon (past noon in Ramadan, where it shortens the working day)",
    )

    @model_validator(mode="after")
    def _has_days_to_avoid(self) -> "SendWindow":
        if self.holidays == "none" and "day_before_holiday" in self.avoid:
            raise PydanticCustomError("avoid_no_holidays", "avoid", {"value": "day_before_holiday"})
        return self

    def window(self) -> Window:
        """Return the plain value that ``rules`` works with; the same one for the same text, which it is quick with."""
        return _window(tuple(self.days), self.hours, self.clock == "korea", self.holidays, tuple(self.avoid))


@lru_cache(maxsize=1024)
def _window(
    days: tuple[str, ...], hours: Hours, korean_clock: bool, holidays: Whose, avoid: tuple[Avoided, ...]
) -> Window:
    weekdays = frozenset(WEEKDAYS.index(day) for day in days)
    return Window(weekdays, hours.opens, hours.closes, korean_clock, holidays, frozenset(avoid))


ANCHORS = ("after", "before", "on")
KINDS: dict[str, StepKind] = {
    "mail": "mail", "task": "task", "move": "move", "notify": "notify", "wait_for": "wait", "branch": "branch",
}  # fmt: skip
"""The keys of which a step has exactly one, and the kind of step that each makes."""


def _exactly_one(names: Iterable[str]) -> dict[str, Any]:
    return {"oneOf": [{"required": [name]} for name in names]}


class Step(Part):
    """One thing that happens: a letter, a task, a move of the deal, a notice, a wait for an event, or a branch.

    It says when by exactly one of `after`, `before` and `on`, and what by exactly one of `mail`, `task`, `move`,
    `notify`, `wait_for` and `branch`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [_exactly_one(ANCHORS), _exactly_one(KINDS)],
            "dependentRequired": {
                "wait_for": ["at_most"], "at_most": ["wait_for"], "attach": ["mail"], "wait": ["task"],
            },
            "dependentSchemas": {
                "when": {"not": {"anyOf": [{"required": ["wait_for"]}, {"required": ["branch"]}]}},
                "window": {"anyOf": [{"required": ["mail"]}, {"required": ["task"]}]},
            },
        }
    )  # fmt: skip

    id: Name = Field(description="name of the step, unique in the file; small letters, digits and _")
    after: dict[str, DelayText] | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="what it follows (`show_close`, the id of a step above, an outcome such as `wait.timeout`, a name "
        "of `dates`, or an event) and how long after: hours, days, weeks, or business days of the buyer's country",
    )
    before: dict[str, DelayText] | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="a name of `dates`, or `quotation.expires`, and how long before; on that day it is too late",
    )
    on: DayText | None = Field(default=None, description="a fixed day of the buyer's calendar, as 2026-12-10")
    mail: str | None = Field(default=None, description="the letter: a folder of templates/mail")
    task: TaskKind | None = Field(default=None, description="the kind of task for the advisor")
    wait: bool = Field(
        default=False, description="only with task: what follows waits until a person marks the task as done"
    )
    move: MoveTo | None = Field(
        default=None,
        description="the stage the deal moves to, where the pipeline allows it without a proof; else a task `check`",
    )
    notify: Desk | None = Field(default=None, description="whose desk gets a line; nobody is written to")
    wait_for: EventText | None = Field(
        default=None, description="the event that is waited for; outcomes `<id>.happened` and `<id>.timeout`"
    )
    at_most: DelayText | None = Field(default=None, description="how long is waited; must stand with wait_for")
    branch: dict[Name, Expression] | None = Field(
        default=None,
        min_length=1,
        max_length=10,
        description="outcomes with their conditions; the first that holds is taken, `otherwise` always holds",
    )
    when: Expression | None = Field(
        default=None, description="condition, asked when the step is due; false: the step is skipped, later ones go on"
    )
    attach: Literal["catalogue"] | None = Field(
        default=None, description="what goes along, besides what the letter itself attaches; only with mail"
    )
    window: SendWindow | None = Field(
        default=None, description="takes the place of send_window (or of Korean office hours) for this letter or task"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> "Step":
        if sum(getattr(self, name) is not None for name in ANCHORS) != 1:
            raise PydanticCustomError("anchor_kind", "anchor", {"value": self.id})
        if sum(getattr(self, name) is not None for name in KINDS) != 1:
            raise PydanticCustomError("step_kind", "kind", {"value": self.id})
        for code in self._misplaced():
            raise PydanticCustomError(code, "key", {"value": self.id})
        return self

    def _misplaced(self) -> Iterator[str]:
        if self.attach and self.kind != "mail":
            yield "attach_to_task"
        if self.wait and self.kind != "task":
            yield "wait_without_task"
        if (self.wait_for is None) != (self.at_most is None):
            yield "wait_at_most"
        if self.when and self.kind in ("wait", "branch"):
            yield "when_not_here"
        if self.window and self.kind not in ("mail", "task"):
            yield "window_not_here"
        if self.kind in ("wait", "branch") and self.id in EVENT_FAMILIES:
            yield "outcome_reserved"

    @property
    def kind(self) -> StepKind:
        return next(kind for name, kind in KINDS.items() if getattr(self, name) is not None)

    @property
    def what(self) -> str:
        """Return the letter, the kind of task, the stage, the desk or the event; a branch has none."""
        return self.mail or self.task or self.move or self.notify or self.wait_for or ""

    @property
    def anchor(self) -> str:
        """Return the name of what its time is counted from; the day itself for a fixed day."""
        return next(iter(self.after or self.before or (f"{self.on}",)))

    @property
    def delay(self) -> Delay:
        """Return how long after or before its anchor."""
        counted = self.after or self.before
        return counted[self.anchor] if counted else Delay(0, "days")

    @property
    def dated(self) -> bool:
        """Tell whether it belongs to a day of the calendar, so that it is senseless once that has passed."""
        return self.after is None

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Return how a wait or a branch may end."""
        return tuple(self.branch) if self.branch else (HAPPENED, TIMEOUT) if self.wait_for else ()


class Cap(Part):
    """At most so many letters of the exporter to one person; a letter over it is skipped."""

    letters: int = Field(ge=1, le=20, description="how many letters")
    within: LengthText = Field(description="in which time: days, weeks or hours")


class OnReply(Part):
    """What happens when the buyer answers.

    An answer moves the deal and ends the follow-up of the lead, unless `exit_when` leaves `replied` out and a step
    follows or waits for `reply`. Without this part the task is `answer`, within 1 business day. Business days are those
    of Korea.
    """

    move: Literal["replied"] = Field(default="replied", description="the stage the deal moves to")
    task: TaskKind = Field(default="answer", description="the task that is made for the advisor")
    within: DelayText = Field(description="until when the answer should be written")


class OnBounce(Part):
    """The task that is made when a letter comes back for good; the follow-up ends then. Business days of Korea."""

    task: TaskKind = Field(default="check", description="the task that is made for the advisor")
    within: DelayText = Field(description="until when it should be done")


class OnOutOfOffice(Part):
    """How long nothing goes out to a buyer who is away; steps keep their distances after it."""

    hold: Literal["until_return"] = Field(default="until_return", description="until the day the buyer names")
    at_most: LengthText = Field(description="never longer than this")
    otherwise: LengthText = Field(description="so long when no day of return can be read")


class OnStage(Part):
    """The task that is made when the deal reaches a stage, even after the follow-up. Business days of Korea."""

    task: TaskKind = Field(description="the task that is made for the advisor")
    within: DelayText = Field(description="until when it should be done")


LateImport = Literal["start_at_first_open_step", "skip_missed", "start_from_beginning"]


class Definition(Part):
    """A whole workflow file."""

    model_config = ConfigDict(title="Workflow of the post-show follow-up")

    workflow: str = Field(pattern=r"^[a-z][a-z0-9-]{0,63}$", description="name; the same as the file's without .yaml")
    title: Title = Field(description="name of the workflow as people read it")
    audience: Expression = Field(description="condition on contact, lead and deal: who is followed up")
    send_window: SendWindow = Field(description="when letters may go out")
    exit_when: list[ExitText] = Field(
        description="what stops the follow-up: replied, opted_out, hard_bounced, or stage >= a stage of the pipeline; "
        "opted_out and hard_bounced must be there"
    )
    dates: dict[Name, Title] = Field(
        default={}, max_length=10, description="days that are asked for when a campaign is made, with their titles"
    )
    cap: Cap | None = Field(default=None, description="most letters to one person")
    ends: DelayText = Field(
        default=Delay(180, "days"), description="after this time the follow-up of a lead is over at the latest"
    )
    steps: list[Step] = Field(min_length=1, max_length=50, description="what happens, in order")
    on_reply: OnReply | None = Field(default=None, description="what happens when the buyer answers")
    on_bounce: OnBounce | None = Field(default=None, description="what happens when a letter comes back for good")
    on_out_of_office: OnOutOfOffice | None = Field(
        default=None, description="what happens when the buyer is away; without it, held until the return or 7 days"
    )
    on_stage: dict[StageText, OnStage] = Field(
        default={}, description="what happens when the deal reaches a stage of the pipeline"
    )
    late_import: LateImport = Field(
        default="start_at_first_open_step",
        description="leads that arrive after steps were due: start_at_first_open_step (the step whose time has come "
        "last, then on), skip_missed (only what is still to come), start_from_beginning (all, from the day they came)",
    )

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """Return every condition that a step's happening depends on, each once."""
        arms = (text for step in self.steps for text in (step.branch or {}).values() if text != OTHERWISE)
        return tuple(dict.fromkeys([*(step.when for step in self.steps if step.when), *arms]))

    def step(self, step_id: str) -> Step | None:
        """Return a step by its id."""
        return self._by_id.get(step_id)

    @cached_property
    def _by_id(self) -> dict[str, Step]:
        return {step.id: step for step in self.steps}

    @cached_property
    def events(self) -> frozenset[str]:
        """Return the events that a step follows or waits for."""
        named = {step.anchor for step in self.steps} | {step.wait_for or "" for step in self.steps}
        return frozenset(named & set(EVENTS))

    @cached_property
    def ends_on_reply(self) -> bool:
        """Tell whether an answer ends the follow-up: always, unless a step is there for what comes after it."""
        return "reply" not in self.events or any(rule.reason == "replied" for rule in self.exit_when)

    @cached_property
    def asks_events(self) -> bool:
        """Tell whether a condition asks what has happened so far."""
        return any("happened." in text for text in self.conditions)


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a workflow file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Definition.model_json_schema()}
