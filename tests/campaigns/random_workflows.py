"""Random workflows, buyers and events for properties: all features of the language, in valid combinations only.

What is drawn at random hardly ever meets: a wait for a quotation and a quotation, a branch that asks for a stage and a
deal that gets there. So each workflow has few events of its own, and its buyers live through those more than others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

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
EDGES = (
    date(2026, 3, 6), date(2026, 3, 27), date(2026, 4, 3), date(2026, 9, 4), date(2026, 9, 25), date(2026, 10, 2),
    date(2026, 10, 23), date(2026, 10, 30), date(2026, 12, 18), date(2026, 12, 30), date(2027, 2, 3),
    date(2027, 3, 12),
)  # fmt: skip
"""Days before clocks change somewhere, or before a year ends (the sun's or the moon's)."""


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

    definition: Definition
    closes_on: date
    next_show: date
    start: datetime
    buyers: tuple[Buyer, ...]
    pause: tuple[timedelta, timedelta] | None = None


def _delays(most: int) -> st.SearchStrategy[str]:
    texts = [f"{count} {unit}" for count in range(most + 1) for unit in ("business days", "days")]
    texts += [f"{count} hours" for count in (0, 1, 5, 24, 30, 71)] + [
        f"{count} weeks" for count in range(most // 7 + 1)
    ]
    return st.sampled_from(texts)


DELAYS, WAITS = _delays(12), _delays(21)


def _windows(*hours: str) -> st.SearchStrategy[dict[str, Any]]:
    days = st.sampled_from(
        [["mon", "tue", "wed", "thu", "fri"], ["tue", "wed", "thu"], ["mon"], ["thu", "sat", "sun"], ["sun", "wed"]]
    )
    return st.fixed_dictionaries(
        {"days": days, "hours": st.sampled_from(hours)},
        optional={"clock": st.sampled_from(["recipient", "korea"]), "holidays": st.sampled_from(["recipient", "none"])},
    )


WINDOWS = _windows("09:30-11:30", "06:00-07:15", "13:00-22:00", "09:00-17:00")
WHEN = st.sampled_from([None, None, None, *CONDITIONS[:9]])
KINDS = st.sampled_from(["mail"] * 6 + ["task", "task", "wait_for", "wait_for", "branch", "branch", "move", "notify"])


@st.composite
def _steps(draw: st.DrawFn, events: Sequence[str]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    ends: list[str] = []
    for number in range(draw(st.sampled_from([1, 3, 4, 5, 6, 7, 8]))):
        step: dict[str, Any] = {"id": f"s{number}"}
        _place(draw, step, ends, events)
        _fill(draw, step, events)
        steps.append(step)
        ends += _outcomes(step)
    return steps


def _place(draw: st.DrawFn, step: dict[str, Any], ends: Sequence[str], events: Sequence[str]) -> None:
    # Steps above are followed more often than the rest, or hardly anything would ever be planned.
    kind = draw(st.sampled_from(["end"] * 7 + ["event"] * 3 + ["close", "date", "before", "on"])) if ends else "close"
    if kind == "before":
        step["before"] = {draw(st.sampled_from(["next_show", "quotation.expires"])): draw(WAITS)}
    elif kind == "on":
        step["on"] = draw(st.dates(date(2026, 3, 1), date(2027, 6, 1))).isoformat()
    else:
        anchors = {"end": ends, "event": events, "close": ["show_close"], "date": ["next_show"]}[kind]
        step["after"] = {draw(st.sampled_from(anchors)): draw(DELAYS)}


def _fill(draw: st.DrawFn, step: dict[str, Any], events: Sequence[str]) -> None:
    kind = draw(KINDS)
    if kind == "mail":
        step["mail"] = draw(st.sampled_from(LETTERS))
    elif kind == "task":
        step |= {"task": draw(st.sampled_from(["call", "sample"])), "wait": draw(st.booleans())}
    elif kind == "wait_for":
        step |= {"wait_for": draw(st.sampled_from(events)), "at_most": draw(WAITS)}
    elif kind == "branch":
        arms = draw(st.sampled_from([*CONDITIONS, *pairwise(CONDITIONS)]))
        step["branch"] = {f"arm{number}": text for number, text in enumerate([arms] if isinstance(arms, str) else arms)}
        step["branch"] |= {"rest": "otherwise"} if draw(st.booleans()) else {}
    elif kind == "move":
        step["move"] = draw(st.sampled_from(STAGES))
    else:
        step["notify"] = draw(st.sampled_from(["advisor", "staff", "exporter"]))
    when = draw(WHEN) if kind not in ("wait_for", "branch") else None
    if when is not None:
        step["when"] = when
    if kind in ("mail", "task") and draw(st.integers(0, 3)) == 3:
        step["window"] = draw(WINDOWS)


def _outcomes(step: dict[str, Any]) -> list[str]:
    outcomes = ["happened", "timeout"] if "wait_for" in step else list(step.get("branch", ()))
    return [step["id"], *(f"{step['id']}.{outcome}" for outcome in outcomes)]


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Return a workflow with steps of every kind."""
    late = ["replied", "stage >= negotiation"]
    exits = ["opted_out", "hard_bounced", *draw(st.sampled_from([[], late[:1], late[1:], late]))]
    title = {"ko": "예시", "en": "Example"}
    events = draw(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=3))
    whole: dict[str, Any] = {
        "workflow": "example", "title": title, "audience": 'contact.country != ""', "send_window": draw(WINDOWS),
        "dates": {"next_show": title}, "exit_when": exits, "steps": draw(_steps(events)),
        "late_import": draw(st.sampled_from(["start_at_first_open_step", "skip_missed", "start_from_beginning"])),
    }  # fmt: skip
    task = st.fixed_dictionaries({"task": st.just("check"), "within": DELAYS})
    away = {"at_most": "30 days", "otherwise": "7 days"}
    parts: dict[str, st.SearchStrategy[Any]] = {
        "cap": st.fixed_dictionaries({"letters": st.integers(1, 3), "within": st.sampled_from(["3 weeks", "45 days"])}),
        "ends": st.sampled_from(["20 days", "60 business days", "200 days"]),
        "on_bounce": task,
        "on_out_of_office": st.just(away),
        "on_stage": st.dictionaries(st.sampled_from(STAGES), task, min_size=1, max_size=2),
    }
    for name in draw(st.lists(st.sampled_from(sorted(parts)), max_size=3, unique=True)):
        whole[name] = draw(parts[name])
    return Definition.model_validate(whole)


def _names(definition: Definition) -> list[str]:
    """Return what may happen, what the workflow cares for much more often than what ends it."""
    heeded = {*definition.events, *(step.wait_for for step in definition.steps if step.wait_for)}
    heeded |= {f"stage.{stage}" for stage in definition.on_stage}
    heeded = {"quotation.sent" if name == "quotation.expires" else name for name in heeded}
    done = [f"task_done:{step.id}" for step in definition.steps if step.wait]
    mine = [*sorted(heeded), *done]
    return [*mine * (1 + 24 // (len(mine) or 24)), *["out_of_office"] * 6, *EVENTS, *ENDS]


@st.composite
def _buyers(draw: st.DrawFn, definition: Definition) -> Buyer:
    """Return a buyer somewhere, with what will happen to them."""
    country, city = draw(st.sampled_from(PLACES))
    requests = draw(st.sampled_from([(), ("sample",), ("catalogue",), ("catalogue", "sample")]))
    # Minutes that no two events share: which of two at the same moment comes first is nobody's promise.
    minutes = draw(st.lists(st.integers(-9_000, 90_000).filter(bool), max_size=5, unique=True))
    names = st.sampled_from([name for name in _names(definition) if name != "quotation.expires"])
    wishes = tuple(_wish(draw, timedelta(minutes=minute), draw(names)) for minute in sorted(minutes))
    return Buyer(country, city, draw(st.integers(0, 5)), requests, wishes)


def _wish(draw: st.DrawFn, after: timedelta, name: str) -> Wish:
    if name not in ("out_of_office", "quotation.sent"):
        return Wish(after, name)
    days = draw(st.none() | st.integers(-1, 50))
    return Wish(after, name, None if days is None else timedelta(days=days))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return a whole case: most leads come in around the end of the show, some long after it."""
    closes_on = draw(st.sampled_from(EDGES) | st.dates(date(2026, 3, 1), date(2027, 3, 1)))
    late = draw(st.sampled_from([0, 0, 0, 5, 30])) * 24 * 60
    start = show_close(closes_on) + timedelta(minutes=late + draw(st.integers(-3000, 3000)))
    next_show = closes_on + timedelta(days=draw(st.integers(10, 300)))
    definition = draw(definitions())
    buyers = tuple(draw(st.lists(_buyers(definition), min_size=1, max_size=2)))
    paused = draw(st.none() | st.tuples(st.integers(0, 900), st.integers(1, 500)) | st.none())
    pause = (timedelta(hours=paused[0]), timedelta(hours=sum(paused))) if paused else None
    return Case(definition, closes_on, next_show, start.astimezone(UTC), buyers, pause)
