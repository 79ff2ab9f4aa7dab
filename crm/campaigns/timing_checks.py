"""Whether the windows of a workflow file ever open, its steps come before it ends, and how many letters go out."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

from crm.campaigns.condition_checks import Reach
from crm.campaigns.definition import TIMEOUT, Cap, Definition
from crm.campaigns.engine import buyer_time
from crm.campaigns.outline import Draft, Outline
from crm.campaigns.planning import slot
from crm.campaigns.reading import Path, YamlFile
from crm.campaigns.rules import Delay

STARTS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
"""A window that opens on no day of the half-years after these never opens: holidays come every year."""
MOST_WAYS = 256
"""Through how many ways letters are counted; files with more branches than that are not judged."""
_COUNTRY = re.compile(r"[\"']([A-Z]{2})[\"']")


def check_windows(data: Mapping[str, Any], steps: Outline, file: YamlFile) -> None:
    """Say which windows lie on weekends only."""
    windows: list[tuple[Path, Any]] = [(("send_window",), data.get("send_window"))]
    windows += [((*draft.path, "window"), draft.raw.get("window")) for draft in steps.all]
    for path, window in windows:
        days = window.get("days") if isinstance(window, dict) else None
        if isinstance(days, list) and days and set(map(str, days)) <= {"sat", "sun"}:
            file.say("window_weekend", (*path, "days"))


def check_timing(definition: Definition, steps: Outline, reach: Reach, file: YamlFile) -> None:
    """Say which windows never open where the buyers are, what comes too late, and where the cap is too low."""
    _check_countries(definition, reach, file)
    times = _times(definition, steps)
    _check_ends(definition, steps, times, file)
    if definition.cap is not None:
        _check_cap(definition.cap, steps, times, reach, file)


# ---------------------------------------------------------------- windows


def _check_countries(definition: Definition, reach: Reach, file: YamlFile) -> None:
    """Only countries that the file names are looked at: of all others nobody said that they are to be written to."""
    named = set(_COUNTRY.findall(file.text))
    told: set[Path] = set()
    for number, step in enumerate(definition.steps):
        path: Path = ("steps", number, "window") if step.window else ("send_window",)
        if step.kind not in ("mail", "task") or (step.kind == "task" and not step.window) or path in told:
            continue
        countries = sorted({kind.contact.country for kind in reach.kinds(step.id)} & named)
        closed = [country for country in countries if not _opens(definition, step.id, step.kind, country)]
        if closed:
            told.add(path)
            file.say("window_country", path, {"countries": ", ".join(closed)})


def _opens(definition: Definition, step: str, kind: str, country: str) -> bool:
    buyer = buyer_time(definition, country, "", "", {})
    return buyer is None or any(slot(definition, step, kind, buyer, start) is not None for start in STARTS)


# ---------------------------------------------------------------- days


def _days(delay: Delay) -> float:
    """Return the calendar days of a delay; five business days are a week."""
    if delay.unit == "hours":
        return delay.count / 24
    return delay.count * 7 / 5 if delay.unit == "business days" else delay.count


@dataclass(frozen=True)
class _Time:
    """When a step comes: so many days after the thing at the head of its chain."""

    head: str
    days: float


def _times(definition: Definition, steps: Outline) -> dict[str, _Time]:
    found: dict[str, _Time] = {}
    by_id = {step.id: step for step in definition.steps}
    for name, step in by_id.items():
        draft = steps.steps[name]
        before = found.get(draft.anchor.step)
        if step.on is not None:
            found[name] = _Time("on", step.on.toordinal())
        elif before is None:
            found[name] = _Time(draft.anchor.text, -_days(step.delay) if step.before else _days(step.delay))
        else:
            waited = by_id[draft.anchor.step].at_most if draft.anchor.outcome == TIMEOUT else None
            found[name] = _Time(before.head, before.days + _days(step.delay) + (_days(waited) if waited else 0))
    return found


def _check_ends(definition: Definition, steps: Outline, times: Mapping[str, _Time], file: YamlFile) -> None:
    ends = _days(definition.ends)
    for name, found in times.items():
        draft = steps.steps[name]
        if draft.anchor.relation == "after" and found.head != "on" and found.days >= ends > 0:
            params = {"name": name, "days": round(found.days), "ends": str(definition.ends)}
            file.say("after_ends", (*draft.path, *draft.anchor.key), params, at_key=True)
            return  # what follows it is late for the same reason


# ---------------------------------------------------------------- the cap


def _check_cap(cap: Cap, steps: Outline, times: Mapping[str, _Time], reach: Reach, file: YamlFile) -> None:
    within = _days(cap.within)
    worst: list[str] = []
    for names in _letters_of_ways(steps, reach):
        for head in {times[name].head for name in names}:
            together = sorted((times[name].days, name) for name in names if times[name].head == head)
            for first, _name in together:
                close = [name for day, name in together if first <= day < first + within]
                worst = max(worst, close, key=len)
    if len(worst) > cap.letters:
        params = {"count": len(worst), "names": ", ".join(worst), "letters": cap.letters, "within": str(cap.within)}
        file.say("cap_low", ("cap", "letters"), params)


def _letters_of_ways(steps: Outline, reach: Reach) -> Iterator[Sequence[str]]:
    """Yield the letters that can come to one buyer, for every way through branches and waits."""
    deciding = [draft for draft in steps.steps.values() if draft.arms]
    letters = [draft for draft in steps.steps.values() if draft.kind == "mail"]
    ways = 1
    for draft in deciding:
        ways *= len(draft.arms)
    if ways > MOST_WAYS:
        return
    for chosen in product(*(draft.arms for draft in deciding)):
        way = {draft.name: arm for draft, arm in zip(deciding, chosen, strict=True)}
        on_way = [draft for draft in letters if _lies_on(draft, way, steps)]
        for happening in reach.together([draft.name for draft in on_way], way):
            yield [draft.name for draft in on_way if draft.name in happening]


def _lies_on(draft: Draft, way: Mapping[str, str], steps: Outline) -> bool:
    chain: Iterable[Draft] = steps.chain(draft.name)
    return all(not one.anchor.outcome or way.get(one.anchor.step) == one.anchor.outcome for one in chain)
