"""What may stand in a file of tests for a workflow, and what is wrong with one.

``workflows/tests/<name>.yaml`` states what a workflow must do for made-up buyers, in words that staff can write.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from crm.campaigns import meant
from crm.campaigns.conditions import REQUESTS, ContactFacts, DealFacts, Facts, TalkFacts
from crm.campaigns.definition import EVENTS, DayText, Definition, Part
from crm.campaigns.engine import ENDS_FOLLOW_UP
from crm.campaigns.language import LANGUAGES
from crm.campaigns.reading import Path, YamlFile, near, validated
from crm.campaigns.rules import known_countries
from crm.core.errors import Problem
from crm.pipeline.rules import Stage

TASK_DONE, AWAY = "task_done", "out_of_office"
HAPPENINGS = (*EVENTS, AWAY, TASK_DONE, *sorted(ENDS_FOLLOW_UP))
SHOWN_KINDS = ("mail", "task", "move", "notify")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T]([01]\d|2[0-3]):([0-5]\d))?")


class Moment(NamedTuple):
    """A day, and the time of day where one is given, on whichever clock it is read."""

    day: date
    clock: time | None = None

    def at(self, zone: ZoneInfo, default: time = time(0)) -> datetime:
        """Return the instant (UTC) on the clock of ``zone``."""
        return datetime.combine(self.day, self.clock or default, zone).astimezone(UTC)

    def matches(self, moment: datetime) -> bool:
        """Tell whether a local moment is this one; without a time of day any on that day is."""
        return moment.date() == self.day and (self.clock is None or moment.time().replace(second=0) == self.clock)

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}" + (f" {self.clock:%H:%M}" if self.clock else "")


def parse_moment(text: object) -> Moment:
    """Read ``2026-10-19`` or ``2026-10-19 09:30``. Raises PydanticCustomError with a code of ``texts``."""
    found = _MOMENT.fullmatch(text.strip()) if isinstance(text, str) else None
    try:
        if found is not None:
            return Moment(date.fromisoformat(found[1]), time(int(found[2]), int(found[3])) if found[2] else None)
    except ValueError:
        pass
    raise PydanticCustomError("moment_form", "moment", {"value": str(text)})


MomentText = Annotated[
    Moment, BeforeValidator(parse_moment), WithJsonSchema({"type": "string", "pattern": f"^{_MOMENT.pattern}$"})
]
Rating = Literal["0", "1", "2", "3", "4", "5"]


class Buyer(Part):
    """A made-up buyer; what is left out is not known."""

    country: str = Field(description="country code of two letters")
    city: str = Field(default="", description="city, for the time zone")
    language: str = Field(default="en", description="language it is written to in")
    company: str = Field(default="", description="its company")
    rating: Rating = Field(default="0", description="5 hot, 3 warm, 1 cold, 0 not rated")
    interests: list[str] = Field(default=[], description="what it ticked")
    requests: list[str] = Field(default=[], description="what it asked for")
    notes: str = Field(default="", description="the note of the talk")
    met: bool = Field(default=True, description="whether the day of the talk is known")
    stage: str = Field(default=Stage.LEAD.value, description="stage of the deal")

    def facts(self) -> Facts:
        """Return what conditions may ask."""
        talk = TalkFacts(int(self.rating), tuple(self.interests), tuple(self.requests), self.notes, self.met)
        return Facts(ContactFacts(self.country, self.city, self.language, self.company), talk, DealFacts(self.stage))


class Happens(Part):
    """Something that happens to the buyer."""

    at: MomentText = Field(description="when, Korean time; 09:00 where only a day is given")
    event: str = Field(
        description="an event that steps may follow, `task_done`, `out_of_office`, `hard_bounce`, `opt_out`, "
        "`complaint`, `exclusive` (the territory was promised to another) or `manual` (a person ended it)"
    )
    step: str | None = Field(default=None, description="with `task_done`: the step whose task a person did")
    until: DayText | None = Field(
        default=None, description="with `out_of_office`: the day of the return; with `quotation.sent`: its last day"
    )


class Expect(Part):
    """One thing that the workflow must do, and when: a letter on the buyer's clock, all else on Korea's."""

    at: MomentText = Field(description="day, or day and time")
    mail: str | None = Field(default=None, description="a letter")
    task: str | None = Field(default=None, description="a task")
    move: str | None = Field(default=None, description="a move to a stage")
    notify: str | None = Field(default=None, description="a notice")

    @model_validator(mode="after")
    def _one_kind(self) -> "Expect":
        if sum(getattr(self, kind) is not None for kind in SHOWN_KINDS) != 1:
            raise PydanticCustomError("expect_kind", "kind", {"value": ""})
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in SHOWN_KINDS if getattr(self, kind) is not None)

    @property
    def what(self) -> str:
        return str(getattr(self, self.kind))


class Case(Part):
    """One test: a buyer, what happens, and everything that the workflow must do, in order of time."""

    test: str = Field(min_length=1, description="what is tested, as a sentence")
    buyer: Buyer = Field(description="the made-up buyer")
    show_closes: DayText | None = Field(
        default=None, description="last day of the exhibition, if another than the file's"
    )
    enrolled: MomentText | None = Field(
        default=None, description="when the buyer comes into the campaign, Korean time; the end of the exhibition"
    )
    happens: list[Happens] = Field(default=[], description="what happens to it")
    followed: bool = Field(default=True, description="`false`: the workflow must leave this buyer out")
    expect: list[Expect] = Field(
        default=[], description="all letters, tasks, moves and notices in order of time; nothing else may come"
    )


class TestFile(Part):
    """A file of tests for one workflow."""

    __test__ = False
    workflow: str = Field(description="name of the workflow")
    show_closes: DayText = Field(description="last day of the exhibition")
    dates: dict[str, DayText] = Field(default={}, description="the dates that the workflow asks for")
    tests: list[Case] = Field(min_length=1, description="the tests")


# ---------------------------------------------------------------- reading


def read_tests(
    text: str, filename: str, workflows: Mapping[str, Definition]
) -> tuple[TestFile | None, list[Problem], Mapping[Path, tuple[int, int]]]:
    """Read a file of tests for one of ``workflows``; return it, its mistakes, and where everything stands in it."""
    file = YamlFile(filename, text)
    data = file.read()
    found = validated(TestFile, data, file) if data is not None else None
    if found is not None:
        _check(found, workflows, file)
    return (None if file.problems else found), file.sorted_problems(), file.values


def _check(tests: TestFile, workflows: Mapping[str, Definition], file: YamlFile) -> None:
    workflow = workflows.get(tests.workflow)
    if workflow is None:
        file.say("workflow_unknown", ("workflow",), {"name": tests.workflow, **near(tests.workflow, workflows)})
        return
    _check_dates(tests, workflow, file)
    names: set[str] = set()
    for number, case in enumerate(tests.tests):
        path: Path = ("tests", number)
        if case.test in names:
            file.say("test_twice", (*path, "test"), {"name": case.test})
        names.add(case.test)
        _check_case(case, workflow, path, file)


def _check_dates(tests: TestFile, workflow: Definition, file: YamlFile) -> None:
    for name in tests.dates:
        if name not in workflow.dates:
            file.say("date_of_workflow", ("dates", name), {"name": name, **near(name, workflow.dates)}, at_key=True)
    for name in workflow.dates:
        if name not in tests.dates:
            file.say("key_missing", ("dates",), {"name": name, "example": "2026-12-10"})


def _check_case(case: Case, workflow: Definition, path: Path, file: YamlFile) -> None:
    _check_buyer(case.buyer, (*path, "buyer"), file)
    if not case.followed and case.expect:
        file.say("expect_nothing", (*path, "expect"))
    for number, happens in enumerate(case.happens):
        _check_event(happens, workflow, (*path, "happens", number), file)
    for number, expect in enumerate(case.expect):
        _check_expected(expect, workflow, (*path, "expect", number), file)


def _check_buyer(buyer: Buyer, path: Path, file: YamlFile) -> None:
    if buyer.country not in known_countries():
        params = {"name": "country", "value": buyer.country, "near": meant.country(buyer.country)}
        file.say("condition_value", (*path, "country"), params)
    if buyer.language not in LANGUAGES:
        file.say("value_choice", (*path, "language"), {"value": buyer.language, **near(buyer.language, LANGUAGES)})
    if buyer.stage not in list(Stage):
        file.say("stage_unknown", (*path, "stage"), {"name": buyer.stage, **near(buyer.stage, list(Stage))})
    for number, request in enumerate(buyer.requests):
        if request not in REQUESTS:
            file.say("value_choice", (*path, "requests", number), {"value": request, **near(request, REQUESTS)})


def _check_event(happens: Happens, workflow: Definition, path: Path, file: YamlFile) -> None:
    if happens.event not in HAPPENINGS:
        file.say("happening_unknown", (*path, "event"), {"name": happens.event, **near(happens.event, HAPPENINGS)})
    steps = [step.id for step in workflow.steps if step.wait]
    if happens.event == TASK_DONE and happens.step not in steps:
        name = happens.step or ""
        file.say("waited_step_unknown", (*path, "step"), {"name": name, **near(name, steps)})
    if happens.until is not None and happens.event not in (AWAY, "quotation.sent"):
        file.say("until_unused", (*path, "until"))


def _check_expected(expect: Expect, workflow: Definition, path: Path, file: YamlFile) -> None:
    known = {step.what for step in workflow.steps if step.kind == expect.kind}
    if expect.kind == "task":
        answers = (workflow.on_reply, workflow.on_bounce, *workflow.on_stage.values())
        known |= {"answer", "check", *(rule.task for rule in answers if rule is not None)}
    if expect.what not in known:
        code = f"expect_{expect.kind}"
        file.say(code, (*path, expect.kind), {"name": expect.what, **near(expect.what, sorted(known))})
