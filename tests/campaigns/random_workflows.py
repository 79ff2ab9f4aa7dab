"""Random workflows, buyers and events for properties: all features of the language, in valid combinations only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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
PLACES = (
    ("DE", "Berlin"), ("ES", "Madrid"), ("US", "New York"), ("US", "Los Angeles"), ("MX", "Mexico City"),
    ("BR", "São Paulo"), ("CN", "Shanghai"), ("JP", "Tokyo"), ("IN", "Mumbai"), ("SA", "Riyadh"), ("EG", "Cairo"),
    ("AU", "Sydney"), ("CL", "Santiago"), ("NZ", "Auckland"), ("GB", "London"), ("KR", "Seoul"),
)  # fmt: skip
EDGES = (
    date(2026, 3, 6), date(2026, 3, 27), date(2026, 4, 3), date(2026, 10, 2), date(2026, 10, 23), date(2026, 10, 30),
    date(2026, 12, 18), date(2026, 12, 30), date(2027, 2, 3), date(2027, 3, 12),
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
    """A workflow, its show and named date, the moment at which leads come in, and the leads."""

    definition: Definition
    closes_on: date
    next_show: date
    start: datetime
    buyers: tuple[Buyer, ...]


def delays() -> st.SearchStrategy[str]:
    return st.one_of(
        st.integers(0, 12).map(lambda n: f"{n} business days"),
        st.integers(0, 20).map(lambda n: f"{n} days"),
        st.integers(0, 72).map(lambda n: f"{n} hours"),
        st.integers(0, 4).map(lambda n: f"{n} weeks"),
    )


def windows() -> st.SearchStrategy[dict[str, Any]]:
    days = st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1)
    hours = st.sampled_from(["09:30-11:30", "06:00-07:15", "13:00-22:00", "09:00-17:00"])
    return st.fixed_dictionaries(
        {"days": days.map(sorted), "hours": hours},
        optional={"clock": st.sampled_from(["recipient", "korea"]), "holidays": st.sampled_from(["recipient", "none"])},
    )


@st.composite
def _steps(draw: st.DrawFn) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    anchors = ["show_close", "next_show", *EVENTS]
    for number in range(draw(st.integers(1, 8))):
        step: dict[str, Any] = {"id": f"s{number}"}
        _place(draw, step, anchors)
        _fill(draw, step)
        steps.append(step)
        # Steps above are followed more often than events, or hardly anything would ever be planned.
        anchors += [step["id"]] * 4
        anchors += [f"{step['id']}.{end}" for end in _outcomes(step)] * 4
    return steps


def _place(draw: st.DrawFn, step: dict[str, Any], anchors: Sequence[str]) -> None:
    kind = draw(st.sampled_from(["after"] * 9 + ["before", "on"]))
    if not step["id"].strip("s0"):
        step["after"] = {"show_close": draw(delays())}
    elif kind == "after":
        step["after"] = {draw(st.sampled_from(anchors)): draw(delays())}
    elif kind == "before":
        step["before"] = {draw(st.sampled_from(["next_show", "quotation.expires"])): draw(delays())}
    else:
        step["on"] = draw(st.dates(date(2026, 3, 1), date(2027, 6, 1))).isoformat()


def _fill(draw: st.DrawFn, step: dict[str, Any]) -> None:
    kind = draw(st.sampled_from(["mail"] * 5 + ["task", "task", "wait_for", "branch", "branch", "move", "notify"]))
    if kind == "mail":
        step["mail"] = draw(st.sampled_from(LETTERS))
    elif kind == "task":
        step |= {"task": draw(st.sampled_from(["call", "sample"])), "wait": draw(st.booleans())}
    elif kind == "wait_for":
        step |= {"wait_for": draw(st.sampled_from(EVENTS)), "at_most": draw(delays())}
    elif kind == "branch":
        arms = draw(st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=2))
        step["branch"] = {f"arm{number}": text for number, text in enumerate(arms)}
        step["branch"] |= {"rest": "otherwise"} if draw(st.booleans()) else {}
    elif kind == "move":
        step["move"] = draw(st.sampled_from(STAGES))
    else:
        step["notify"] = draw(st.sampled_from(["advisor", "staff", "exporter"]))
    if kind not in ("wait_for", "branch") and draw(st.integers(0, 3)) == 0:
        step["when"] = draw(st.sampled_from(CONDITIONS))
    if kind in ("mail", "task") and draw(st.integers(0, 3)) == 0:
        step["window"] = draw(windows())


def _outcomes(step: dict[str, Any]) -> list[str]:
    return ["happened", "timeout"] if "wait_for" in step else list(step.get("branch", ()))


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Return a workflow with steps of every kind."""
    exits = ["opted_out", "hard_bounced", *draw(st.sets(st.sampled_from(["replied", "stage >= negotiation"])))]
    title = {"ko": "예시", "en": "Example"}
    whole: dict[str, Any] = {
        "workflow": "example", "title": title, "audience": 'contact.country != ""', "send_window": draw(windows()),
        "dates": {"next_show": title}, "exit_when": exits, "steps": draw(_steps()),
        "late_import": draw(st.sampled_from(["start_at_first_open_step", "skip_missed", "start_from_beginning"])),
    }  # fmt: skip
    task = st.fixed_dictionaries({"task": st.just("check"), "within": delays()})
    away = {"at_most": "30 days", "otherwise": "7 days"}
    parts: dict[str, st.SearchStrategy[Any]] = {
        "cap": st.fixed_dictionaries({"letters": st.integers(1, 3), "within": st.sampled_from(["3 weeks", "45 days"])}),
        "ends": st.sampled_from(["20 days", "60 business days", "200 days"]),
        "on_bounce": task,
        "on_out_of_office": st.just(away),
        "on_stage": st.dictionaries(st.sampled_from(STAGES), task, min_size=1, max_size=2),
    }
    for name, part in parts.items():
        if draw(st.booleans()):
            whole[name] = draw(part)
    return Definition.model_validate(whole)


@st.composite
def buyers(draw: st.DrawFn) -> Buyer:
    """Return a buyer somewhere, with what will happen to them."""
    country, city = draw(st.sampled_from(PLACES))
    requests = draw(st.sets(st.sampled_from(["sample", "catalogue"])))
    # Minutes that no two events share: which of two at the same moment comes first is nobody's promise.
    minutes = draw(st.lists(st.integers(-20_000, 120_000).filter(bool), max_size=6, unique=True))
    wishes = tuple(draw(_wishes(timedelta(minutes=minute))) for minute in sorted(minutes))
    return Buyer(country, city, draw(st.integers(0, 5)), tuple(sorted(requests)), wishes)


@st.composite
def _wishes(draw: st.DrawFn, after: timedelta) -> Wish:
    names = (
        "sample.sent", "sample.delivered", "quotation.sent", "out_of_office", "reply", "hard_bounce", "opt_out",
        *(f"stage.{stage}" for stage in (*STAGES, "lost")), *(f"task_done:s{number}" for number in range(8)),
    )  # fmt: skip
    name = draw(st.sampled_from(names))
    lasts = draw(st.none() | st.integers(-1, 50).map(lambda days: timedelta(days=days)))
    return Wish(after, name, lasts if name in ("out_of_office", "quotation.sent") else None)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Return a whole case: most leads come in around the end of the show, some long after it."""
    closes_on = draw(st.sampled_from(EDGES) | st.dates(date(2026, 3, 1), date(2027, 3, 1)))
    late = draw(st.sampled_from([0, 0, 0, 5, 30])) * 24 * 60
    start = show_close(closes_on) + timedelta(minutes=late + draw(st.integers(-3000, 3000)))
    next_show = closes_on + timedelta(days=draw(st.integers(10, 300)))
    return Case(
        draw(definitions()),
        closes_on,
        next_show,
        start.astimezone(UTC),
        tuple(draw(st.lists(buyers(), min_size=1, max_size=2))),
    )
