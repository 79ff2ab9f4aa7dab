"""How much a campaign gives each advisor to review, week by week, and who could take what is too much. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from crm.core.clock import KST

REVIEWS_A_WEEK = 60
"""More letters than this are too many for one advisor in a week."""

Load = Mapping[str, Mapping[date, int]]


class Proposal(NamedTuple):
    """So many letters of a week that one advisor could hand to another. ``to`` is empty when nobody has room."""

    monday: date
    advisor: str
    to: str
    letters: int


def monday_of(moment: datetime) -> date:
    """Return the first day of the Korean week of a moment."""
    day = moment.astimezone(KST).date()
    return day - timedelta(days=day.weekday())


def weekly(letters: Iterable[tuple[str, datetime]]) -> dict[str, Counter[date]]:
    """Return advisor → Monday → how many letters; in come the advisor and the time of each letter."""
    found: dict[str, Counter[date]] = {}
    for advisor, due_at in letters:
        found.setdefault(advisor, Counter())[monday_of(due_at)] += 1
    return found


def proposals(load: Load, advisors: Iterable[str] = (), *, most: int = REVIEWS_A_WEEK) -> list[Proposal]:
    """Return who could hand what to whom so that nobody has more than ``most`` in a week.

    Those with the most room that week take first; ``advisors`` are more of them, who have nothing yet.
    """
    everybody = sorted({*load, *advisors} - {""})
    found: list[Proposal] = []
    for monday in sorted({monday for weeks in load.values() for monday in weeks}):
        room = {name: most - load.get(name, {}).get(monday, 0) for name in everybody}
        for name in sorted(everybody, key=lambda one: (room[one], one)):
            if room[name] < 0:
                found += _hand_over(monday, name, room)
    return found


def _hand_over(monday: date, advisor: str, room: dict[str, int]) -> Iterable[Proposal]:
    for other in sorted(room, key=lambda one: (-room[one], one)):
        count = min(-room[advisor], room[other])
        if count > 0:
            room[advisor] += count
            room[other] -= count
            yield Proposal(monday, advisor, other, count)
    if room[advisor] < 0:
        yield Proposal(monday, advisor, "", -room[advisor])
