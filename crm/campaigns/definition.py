"""The shape of a workflow file. The models are the only place that says what may stand in one.

``checker.check`` reads a file into a ``Definition`` and says what is wrong; ``manual`` writes the documentation and
the JSON schema from the same models. Whoever holds a ``Definition`` may rely on its being checked.
"""

import re
from datetime import time
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from crm.campaigns.rules import Delay, Unit, Window
from crm.pipeline.rules import WAY, Stage

SHOW_CLOSE = "show_close"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXPRESSION_LENGTH = 500
DAY_STARTS, DAY_ENDS = time(6), time(22)
MAX_DELAY: dict[Unit, int] = {"hours": 2400, "days": 400, "business days": 250}

_DELAY = re.compile(r"(\d{1,4}) (business days?|days?|hours?)")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_NAME = r"^[a-z][a-z0-9_]{0,39}$"


def parse_delay(text: object) -> Delay:
    """Read ``5 business days``, ``7 days`` or ``36 hours``. Raises PydanticCustomError with a code of ``texts``."""
    found = _DELAY.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise PydanticCustomError("delay_form", "delay", {"value": str(text)})
    words = found[2] if found[2].endswith("s") else found[2] + "s"
    unit: Unit = "hours" if words == "hours" else "days" if words == "days" else "business days"
    if int(found[1]) > MAX_DELAY[unit]:
        raise PydanticCustomError("delay_long", "delay", {"value": str(text), "most": MAX_DELAY[unit], "unit": unit})
    return Delay(int(found[1]), unit)


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
HoursText = Annotated[Hours, BeforeValidator(parse_hours), _in_file(f"^{_HOURS.pattern}$", "09:30-11:30")]
ExitText = Annotated[
    ExitRule,
    BeforeValidator(parse_exit),
    _in_file(rf"^({'|'.join(EXIT_REASONS)}|{_STAGE_RULE.pattern})$", "replied", "stage >= negotiation"),
]
Name = Annotated[str, Field(pattern=_NAME)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TaskKind = Literal["call", "answer", "sample", "quotation", "check", "other"]
Expression = Annotated[str, Field(min_length=1, max_length=EXPRESSION_LENGTH)]


class Part(BaseModel):
    """A part of a workflow file: unknown keys are mistakes, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(Part):
    """The name of the workflow as people read it."""

    ko: str = Field(min_length=1, max_length=100, description="Korean title")
    en: str = Field(min_length=1, max_length=100, description="English title")


class SendWindow(Part):
    """When letters may go out. Weekends of the buyer's country are always left out."""

    days: list[Weekday] = Field(min_length=1, description="weekdays on which letters go out")
    hours: HoursText = Field(description="from and until, 24-hour clock, between 06:00 and 22:00")
    clock: Literal["recipient", "korea"] = Field(default="recipient", description="whose clock the hours are read on")
    holidays: Literal["recipient", "none"] = Field(
        default="recipient", description="public holidays and quiet seasons to leave out: the buyer's, or none"
    )

    def window(self) -> Window:
        """Return the plain value that ``rules`` works with."""
        days = frozenset(WEEKDAYS.index(day) for day in self.days)
        return Window(days, self.hours.opens, self.hours.closes, korean_clock=self.clock == "korea")


class Step(Part):
    """One thing that happens: a letter (``mail``) or a task for a person (``task``), never both."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["mail"]}, {"required": ["task"]}]})

    id: Name = Field(description="name of the step, unique in the file; small letters, digits and _")
    after: dict[str, DelayText] = Field(
        min_length=1,
        max_length=1,
        description="what it follows (`show_close` or the id of a step above) and how long after: "
        "hours, days, or business days of the buyer's country",
    )
    mail: str | None = Field(default=None, description="the letter: a folder of templates/mail")
    task: TaskKind | None = Field(default=None, description="the kind of task")
    when: Expression | None = Field(
        default=None, description="condition, asked when the step is due; false: the step is skipped, later ones go on"
    )
    attach: Literal["catalogue"] | None = Field(default=None, description="what the letter links to; only with mail")

    @model_validator(mode="after")
    def _one_kind(self) -> "Step":
        if (self.mail is None) == (self.task is None):
            raise PydanticCustomError("step_kind", "kind", {"value": self.id})
        if self.attach and self.mail is None:
            raise PydanticCustomError("attach_to_task", "attach", {"value": self.id})
        return self

    @property
    def kind(self) -> Literal["mail", "task"]:
        return "task" if self.mail is None else "mail"

    @property
    def what(self) -> str:
        """Return the letter or the kind of task."""
        return self.mail or self.task or ""

    @property
    def anchor(self) -> str:
        return next(iter(self.after))

    @property
    def delay(self) -> Delay:
        return self.after[self.anchor]


class OnReply(Part):
    """What happens when the buyer answers.

    An answer always ends the follow-up of the lead and moves its deal, whatever `exit_when` says. Without this part the
    task is `answer`, within 1 business day. Business days are those of Korea.
    """

    move: Literal["replied"] = Field(default="replied", description="the stage the deal moves to")
    task: TaskKind = Field(default="answer", description="the task that is made for the advisor")
    within: DelayText = Field(description="until when the answer should be written")


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
    steps: list[Step] = Field(min_length=1, max_length=50, description="what happens, in order")
    on_reply: OnReply | None = Field(default=None, description="what happens when the buyer answers")
    late_import: LateImport = Field(
        default="start_at_first_open_step",
        description="leads that arrive after steps were due: start_at_first_open_step (the step whose time has come "
        "last, then on), skip_missed (only what is still to come), start_from_beginning (all, from the day they came)",
    )

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """Return every condition that a step's happening depends on, each once."""
        return tuple(dict.fromkeys(step.when for step in self.steps if step.when))

    def step(self, step_id: str) -> Step | None:
        return next((step for step in self.steps if step.id == step_id), None)


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a workflow file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Definition.model_json_schema()}
