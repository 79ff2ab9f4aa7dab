"""Whether the windows of a workflow file ever open, its steps come before it ends, and how many letters go out."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from crm.campaigns.conditions import Facts
from crm.campaigns.definition import Definition, SendWindow
from crm.campaigns.outline import Outline
from crm.campaigns.reading import Path, YamlFile
from crm.campaigns.rules import Calendar, next_slot, recipient_zone

STARTS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
"""A window that opens on no day of the half-years after these never opens: holidays come every year."""


def check_windows(data: Mapping[str, Any], steps: Outline, file: YamlFile) -> None:
    """Say which windows lie on weekends only."""
    windows: list[tuple[Path, Any]] = [(("send_window",), data.get("send_window"))]
    windows += [((*draft.path, "window"), draft.raw.get("window")) for draft in steps.all]
    for path, window in windows:
        days = window.get("days") if isinstance(window, dict) else None
        if isinstance(days, list) and days and set(map(str, days)) <= {"sat", "sun"}:
            file.say("window_weekend", (*path, "days"))


def check_timing(definition: Definition, kinds: Iterable[Facts] | None, file: YamlFile) -> None:
    """Say which windows never open for the countries that the file names."""
    countries = sorted({kind.contact.country for kind in kinds or ()} & _named(file.text))
    for path, window in _windows(definition):
        closed = [country for country in countries if not _opens(window, country)]
        if closed and window.days != ["sat", "sun"]:
            file.say("window_country", path, {"countries": ", ".join(closed)})


def _named(text: str) -> set[str]:
    return {text[at + 1 : at + 3] for at in range(len(text) - 3) if text[at] == text[at + 3] and text[at] in "\"'"}


def _windows(definition: Definition) -> Iterator[tuple[Path, SendWindow]]:
    yield ("send_window",), definition.send_window


def _opens(window: SendWindow, country: str) -> bool:
    local = recipient_zone(country)
    if local is None:
        return True
    calendar = Calendar(country, mind_holidays=window.holidays == "recipient")
    return any(next_slot(start, window.window(), local.zone, calendar) is not None for start in STARTS)
