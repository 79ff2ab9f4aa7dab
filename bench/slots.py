"""How long one decision about time takes: 100,000 steps after shows of three years, for buyers of 34 countries.

    python -m bench.slots

Prints microseconds of processor time a call, first with empty caches (holidays read, tables made), then again. The
first round also pays for reading about a hundred country-years of holidays.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from time import process_time
from zoneinfo import ZoneInfo

from crm.campaigns.rules import Calendar, Delay, Window, due_at, next_slot, recipient_zone

CALLS = 100_000
COUNTRIES = "KR CN JP TW HK VN TH SG MY ID IN US CA MX BR AR CL CO PE ES DE FR GB IT NL PL TR AE SA EG AU NZ KZ ZA"
MIDWEEK = frozenset({1, 2, 3})
WINDOWS = {
    "buyer's holidays": Window(MIDWEEK, time(9, 30), time(11, 30)),
    "both, days before holidays, Ramadan": Window(
        MIDWEEK,
        time(9, 30),
        time(11, 30),
        holidays="both",
        avoid=frozenset({"day_before_holiday", "ramadan_afternoon"}),
    ),
    "Korean clock, both": Window(frozenset(range(5)), time(10), time(16), korean_clock=True, holidays="both"),
}
Case = tuple[datetime, Delay, ZoneInfo, Calendar]


def cases(number: int) -> list[Case]:
    """Return anchors with a delay, a zone and a calendar, the same ones every time."""
    dice = random.Random(1)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    found = []
    for _ in range(number):
        country = dice.choice(COUNTRIES.split())
        local = recipient_zone(country)
        assert local is not None
        anchor = first + timedelta(minutes=dice.randrange(3 * 365 * 24 * 60))
        delay = Delay(dice.randrange(15), dice.choice(("hours", "days", "business days")))
        found.append((anchor, delay, local.zone, Calendar(country)))
    return found


def microseconds(call: Callable[[Case], object], rows: list[Case]) -> float:
    """Return the processor time of one call."""
    started = process_time()
    for row in rows:
        call(row)
    return (process_time() - started) / len(rows) * 1e6


def main() -> None:
    """Measure and print."""
    rows = cases(CALLS)
    for name, window in WINDOWS.items():

        def slot(row: Case, window: Window = window) -> object:
            return next_slot(row[0], window, row[2], row[3])

        def due(row: Case, window: Window = window) -> object:
            return due_at(row[0], row[1], window, row[2], row[3])

        for cache in ("empty", "warm"):
            print(
                f"{name:36} {cache:5}  next_slot {microseconds(slot, rows):5.1f}  due_at {microseconds(due, rows):5.1f}"
            )


if __name__ == "__main__":
    main()
