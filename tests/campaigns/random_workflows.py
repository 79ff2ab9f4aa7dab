"""Random workflows, buyers and events for properties: all features of the language, in valid combinations only.

What is drawn at random hardly ever meets: a wait for a quotation and a quotation, a branch that asks for a stage and a
deal that gets there. So each workflow has few events of its own, and its buyers live through those more than others.
Each case comes from one number: hypothesis likes to vary what it had before, and three hundred variations of a dozen
workflows are not three hundred workflows. What it would do to a failing case, ``smallest`` does here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from random import Random
from typing import Any

from crm.campaigns.definition import Definition
from crm.campaigns.rules import show_close

LETTERS = ("thank_you", "catalogue", "sample_offer", "reminder")
CONDITIONS = (
    "lead.rating >= 4", "lead.rating < 3", '"sample" in lead.requests', "lead.requests == []", "lead.interest >= 2",
    'deal.stage == "contacted"', 'deal.stage == "dormant"', 'deal.stage != "lead"', "happened.sample_sent",
    "not happened.reply", 'contact.country in ["US", "MX", "ES"]', 'deal.product_line == "MAIN"',
)  # fmt: skip
STAGES = ("contacted", "replied", "qualified", "sample_or_quotation", "negotiation", "dormant")
EVENTS = (
    "reply", "sample.sent", "sample.delivered", "quotation.sent", "quotation.expires",
    *(f"stage.{stage}" for stage in STAGES),
)  # fmt: skip
ENDS = ("hard_bounce", "opt_out", "stage.lost")
PLACES = (
    ("DE", "Berlin"), ("ES", "Madrid"), ("US", "New York"), ("US", "Los Angeles"), ("MX", "Mexico City"),
    ("BR", "São Paulo"), ("CN", "Shanghai"), ("JP", "Tokyo"), ("IN", "Mumbai"), ("SA", "Riyadh"), ("EG", "Cairo"),
    ("AU", "Sydney"), ("CL", "Santiago"), ("NZ", "Auckland"), ("GB", "London"), ("KR", "Seoul"),
)  # fmt: skip
EUROPE, EGYPT, AMERICA, SOUTH, CHINA = PLACES[:2], PLACES[10:11], PLACES[2:4], PLACES[11:14], PLACES[6:7]
EDGES = {
    date(2026, 3, 6): AMERICA, date(2026, 3, 27): EUROPE, date(2026, 4, 3): SOUTH, date(2026, 4, 22): EGYPT,
    date(2026, 9, 4): SOUTH[1:2], date(2026, 9, 25): SOUTH[2:], date(2026, 10, 2): SOUTH[:1],
    date(2026, 10, 23): EUROPE, date(2026, 10, 28): EGYPT, date(2026, 10, 30): AMERICA, date(2027, 3, 12): AMERICA,
    date(2026, 12, 18): PLACES, date(2026, 12, 30): PLACES, date(2027, 2, 3): CHINA,
}  # fmt: skip
"""Days before clocks change somewhere, or before a year ends (the sun's or the moon's), and where."""


@dataclass(frozen=True)
class Wish:
    """Something that shall happen so long after a lead came in; what the house refuses then does not happen."""

    after: timedelta
    name: str
    lasts: timedelta | None = None


@dataclass(frozen=True)
class Buyer:
    country: str
    city: str
    rating: int
    requests: tuple[str, ...]
    wishes: tuple[Wish, ...]


@dataclass(frozen=True)
class Case:
    """A workflow, its show and named date, the moment at which leads come in, and the leads.

    ``pause`` is when the campaign is paused and when it goes on, counted from that moment, if it is.
    """

    workflow: dict[str, Any]
    closes_on: date
    next_show: date
    start: datetime
    buyers: tuple[Buyer, ...]
    pause: tuple[timedelta, timedelta] | None = None

    @cached_property
    def definition(self) -> Definition:
        return Definition.model_validate(self.workflow)


UNITS = ("business days", "business days", "days", "hours", "weeks")
MOST = {"business days": 12, "days": 20, "hours": 72, "weeks": 3}
DAYS = (["mon", "tue", "wed", "thu", "fri"], ["tue", "wed", "thu"], ["mon"], ["sun", "mon", "thu"], ["sat", "sun"])
HOURS = ("09:30-11:30", "06:00-07:15", "13:00-22:00", "09:00-17:00")
KINDS = (*["mail"] * 8, "task", "task", "wait_for", "wait_for", "branch", "branch", "move", "notify")
REQUESTS: tuple[tuple[str, ...], ...] = ((), ("sample",), ("catalogue",), ("catalogue", "sample"))
PARTS = ("cap", "ends", "on_bounce", "on_out_of_office", "on_stage")


def _delay(dice: Random) -> str:
    unit = dice.choice(UNITS)
    return f"{dice.choice([0, dice.randint(0, MOST[unit])])} {unit}"


def _window(dice: Random) -> dict[str, Any]:
    window: dict[str, Any] = {"days": dice.choice(DAYS), "hours": dice.choice(HOURS)}
    window |= dice.choice([{}, {"clock": "recipient"}, {"clock": "korea"}])
    return window | dice.choice([{}, {"holidays": "recipient"}, {"holidays": "none"}])


# ---------------------------------------------------------------- workflows


def _workflow(dice: Random) -> dict[str, Any]:
    title, late = {"ko": "예시", "en": "Example"}, ["replied", "stage >= negotiation"]
    parts: dict[str, Any] = {
        "cap": {"letters": dice.randint(1, 3), "within": dice.choice(["3 weeks", "45 days"])},
        "ends": dice.choice(["20 days", "60 business days", "200 days"]),
        "on_bounce": {"task": "check", "within": _delay(dice)},
        "on_out_of_office": {"at_most": "30 days", "otherwise": "7 days"},
        "on_stage": {stage: {"task": "check", "within": _delay(dice)} for stage in dice.sample(STAGES, 2)},
    }
    return {
        "workflow": "example", "title": title, "audience": 'contact.country != ""', "send_window": _window(dice),
        "dates": {"next_show": title}, "steps": _steps(dice, dice.choices(EVENTS, k=3)),
        "exit_when": ["opted_out", "hard_bounced", *dice.choice([[], late[:1], late[1:], late])],
        "late_import": dice.choice(["start_at_first_open_step", "skip_missed", "start_from_beginning"]),
        **{name: part for name, part in parts.items() if dice.random() < 0.4},
    }  # fmt: skip


def _steps(dice: Random, events: Sequence[str]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    ends: list[str] = []
    for number in range(dice.randint(1, 8)):
        step: dict[str, Any] = {"id": f"s{number}"}
        _place(dice, step, ends, events)
        _fill(dice, step, events)
        steps.append(step)
        ends += _outcomes(step)
    return steps


def _place(dice: Random, step: dict[str, Any], ends: Sequence[str], events: Sequence[str]) -> None:
    # Steps above are followed more often than the rest, or hardly anything would ever be planned.
    kind = dice.choice(["end"] * 7 + ["event"] * 3 + ["close", "date", "before", "before", "on"]) if ends else "close"
    if kind == "before":
        step["before"] = {dice.choice(["next_show", "next_show", "quotation.expires"]): _delay(dice)}
    elif kind == "on":
        step["on"] = (date(2026, 3, 1) + timedelta(days=dice.randint(0, 450))).isoformat()
    else:
        anchors = {"end": ends, "event": events, "close": ["show_close"], "date": ["next_show"]}[kind]
        step["after"] = {dice.choice(anchors): _delay(dice)}


def _fill(dice: Random, step: dict[str, Any], events: Sequence[str]) -> None:
    kind = dice.choice(KINDS)
    if kind == "mail":
        step["mail"] = dice.choice(LETTERS)
    elif kind == "task":
        step |= {"task": dice.choice(["call", "sample"]), "wait": dice.choice([True, False])}
    elif kind == "wait_for":
        step |= {"wait_for": dice.choice(events), "at_most": _delay(dice)}
    elif kind == "branch":
        arms = dice.choice([(dice.choice(CONDITIONS),), *pairwise(dice.sample(CONDITIONS, 3))])
        step["branch"] = {f"arm{number}": text for number, text in enumerate(arms)}
        step["branch"] |= dice.choice([{}, {"rest": "otherwise"}])
    elif kind == "move":
        step["move"] = dice.choice(STAGES)
    else:
        step["notify"] = dice.choice(["advisor", "staff", "exporter"])
    if kind not in ("wait_for", "branch") and dice.random() < 0.25:
        step["when"] = dice.choice(CONDITIONS)
    if kind in ("mail", "task") and dice.random() < 0.25:
        step["window"] = _window(dice)


def _outcomes(step: dict[str, Any]) -> list[str]:
    outcomes = ["happened", "timeout"] if "wait_for" in step else list(step.get("branch", ()))
    return [step["id"], *(f"{step['id']}.{outcome}" for outcome in outcomes)]


# ---------------------------------------------------------------- buyers


def _buyer(dice: Random, names: Sequence[str], places: Sequence[tuple[str, str]]) -> Buyer:
    country, city = dice.choice([dice.choice(PLACES), dice.choice(places)])
    # Minutes that no two events share: which of two at the same moment comes first is nobody's promise.
    minutes = dice.sample(range(-9_000, 90_000), k=dice.randint(0, 4))
    wishes = tuple(_wish(dice, timedelta(minutes=minute), dice.choice(names)) for minute in sorted(minutes) if minute)
    return Buyer(country, city, dice.randint(0, 5), dice.choice(REQUESTS), wishes)


def _names(definition: Definition) -> list[str]:
    """Return what may happen: half of it is what the workflow cares for."""
    heeded = {*definition.events, *(f"stage.{stage}" for stage in definition.on_stage)}
    mine = sorted({"quotation.sent" if name == "quotation.expires" else name for name in heeded})
    mine += [f"task_done:{step.id}" for step in definition.steps if step.wait]
    others = ["out_of_office"] * 4 + [name for name in (*EVENTS, *ENDS) if name != "quotation.expires"]
    return [*others, *mine * (len(others) // len(mine) if mine else 0)]


def _wish(dice: Random, after: timedelta, name: str) -> Wish:
    lasts = dice.choice([None, timedelta(days=dice.randint(-1, 50))])
    return Wish(after, name, lasts if name in ("out_of_office", "quotation.sent") else None)


# ---------------------------------------------------------------- cases


def random_case(number: int) -> Case:
    """Return the case of a number: most leads come in around the end of the show, some long after it."""
    dice = Random(number)
    some_day = date(2026, 3, 1) + timedelta(days=dice.randint(0, 365))
    closes_on = dice.choice([*dice.sample(list(EDGES), 3), some_day])
    late = timedelta(days=dice.choice([0, 0, 0, 0, 0, 5, 30]), minutes=dice.randint(-3000, 3000))
    workflow = _workflow(dice)
    names = _names(Definition.model_validate(workflow))
    buyers = tuple(_buyer(dice, names, EDGES.get(closes_on, PLACES)) for _number in range(dice.choice([1, 1, 1, 2])))
    first = timedelta(hours=dice.randint(0, 700))
    pause = dice.choice([None, None, None, (first, first + timedelta(hours=dice.randint(1, 400)))])
    start, next_show = show_close(closes_on) + late, closes_on + timedelta(days=dice.randint(10, 300))
    return Case(workflow, closes_on, next_show, start.astimezone(UTC), buyers, pause)


def smallest(case: Case, fails: Callable[[Case], bool]) -> Case:
    """Return a case like this one that still fails, and from which nothing more can be left out."""
    while (smaller := next((one for one in _smaller(case) if fails(one)), None)) is not None:
        case = smaller
    return case


def _smaller(case: Case) -> Iterator[Case]:
    for buyers in _one_less(case.buyers):
        if buyers:
            yield replace(case, buyers=buyers)
    for number, buyer in enumerate(case.buyers):
        for wishes in _one_less(buyer.wishes):
            fewer = replace(buyer, wishes=wishes)
            yield replace(case, buyers=(*case.buyers[:number], fewer, *case.buyers[number + 1 :]))
    steps = case.workflow["steps"]
    for fewer_steps in _one_less(tuple(steps)):
        if fewer_steps:
            yield replace(case, workflow=case.workflow | {"steps": list(fewer_steps)})
    for number, step in enumerate(steps):
        for name in {"when", "window", "wait"} & step.keys():
            simpler = {key: value for key, value in step.items() if key != name}
            yield replace(case, workflow=case.workflow | {"steps": [*steps[:number], simpler, *steps[number + 1 :]]})
    for name in case.workflow.keys() & set(PARTS):
        yield replace(case, workflow={key: value for key, value in case.workflow.items() if key != name})


def _one_less(whole: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    for number in range(len(whole)):
        yield whole[:number] + whole[number + 1 :]
