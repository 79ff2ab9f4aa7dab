"""Runs the tests of workflow files: a made-up buyer, what happens to it, and what the workflow must do.

``crm campaign test`` and ``make test`` run them on a clock of their own, with the engine that also plays the rehearsal
and makes the real letters.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path as FilePath
from typing import Any, NamedTuple
from unicodedata import east_asian_width

from babel.dates import format_date

from crm.campaigns.casefile import SHOWN_KINDS, TASK_DONE, Case, Expect, Happens, Moment, TestFile, read_tests
from crm.campaigns.conditions import Facts, holds
from crm.campaigns.definition import Definition
from crm.campaigns.engine import BuyerTime, Happening, OwnHolidays, buyer_time, exit_reason, play
from crm.campaigns.reading import Path
from crm.campaigns.rules import SEOUL, show_close
from crm.core.errors import Place, Problem
from crm.core.i18n import _, language

# ---------------------------------------------------------------- running


@dataclass(frozen=True)
class Report:
    """How the tests of one file ended; ``problems`` are mistakes for which it could not be run."""

    file: str
    results: Sequence["Result"] = ()
    problems: Sequence[Problem] = ()

    @property
    def passed(self) -> bool:
        return not self.problems and all(result.passed for result in self.results)


def run_files(paths: Iterable[FilePath], workflows: Mapping[str, Definition], own: OwnHolidays) -> list[Report]:
    """Run the tests of every file. ``workflows`` by name; ``own`` are the centre's own days off."""
    return [_run_file(path, workflows, own) for path in paths]


def _run_file(path: FilePath, workflows: Mapping[str, Definition], own: OwnHolidays) -> Report:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        problem = Problem(_("The file cannot be read."), Place(str(path)), _("Save it as UTF-8 text."))
        return Report(str(path), problems=[problem])
    tests, problems, places = read_tests(text, str(path), workflows)
    if tests is None:
        return Report(str(path), problems=problems)
    return Report(str(path), run(tests, workflows[tests.workflow], places, own))


class Line(NamedTuple):
    """Something that is expected or that came, with its local time."""

    kind: str
    what: str
    when: str


class Row(NamedTuple):
    """What was expected beside what came; either may be missing. ``in_korea``: Korean time of a letter that came."""

    expected: Line | None
    got: Line | None
    same: bool
    in_korea: str = ""


@dataclass(frozen=True)
class Result:
    """How a test ended. ``left_out`` says that the workflow does not follow the buyer."""

    name: str
    place: Place
    rows: Sequence[Row]
    left_out: bool
    passed: bool


def run(
    tests: TestFile, workflow: Definition, places: Mapping[Path, tuple[int, int]], own: OwnHolidays
) -> list[Result]:
    """Run every test of a file on a clock of its own. ``places`` come from ``read_tests``."""
    return [_run_case(case, number, tests, workflow, places, own) for number, case in enumerate(tests.tests)]


def _run_case(
    case: Case,
    number: int,
    tests: TestFile,
    workflow: Definition,
    places: Mapping[Path, tuple[int, int]],
    own: OwnHolidays,
) -> Result:
    facts = case.buyer.facts()
    buyer = buyer_time(workflow, case.buyer.country, case.buyer.city, "", own)
    left_out = buyer is None or not holds(workflow.audience, facts) or exit_reason(workflow, facts) is not None
    came = [] if buyer is None or left_out else _played(case, tests, workflow, buyer, facts)
    rows = _beside_each_other(case.expect, came)
    passed = all(row.same for row in rows) and left_out is not case.followed
    return Result(case.test, Place(None, *places[("tests", number, "test")]), rows, left_out, passed)


class _Came(NamedTuple):
    kind: str
    what: str
    at: datetime
    local: datetime

    def line(self) -> Line:
        return Line(self.kind, self.what, _time(self.local))


def _played(case: Case, tests: TestFile, workflow: Definition, buyer: BuyerTime, facts: Facts) -> list[_Came]:
    closed = show_close(case.show_closes or tests.show_closes)
    start = case.enrolled.at(SEOUL, time(9)) if case.enrolled else closed
    happenings = [_happening(happens, buyer) for happens in case.happens]
    rows = play(workflow, buyer, facts, closed, start, happenings=happenings, dates=tests.dates)
    return [
        _Came(row.kind, row.what, row.due_at, row.due_at.astimezone(buyer.zone if row.kind == "mail" else SEOUL))
        for row in rows
        if not row.skip and row.kind in SHOWN_KINDS
    ]


def _happening(happens: Happens, buyer: BuyerTime) -> Happening:
    name = f"{TASK_DONE}:{happens.step}" if happens.event == TASK_DONE else happens.event
    until = Moment(happens.until).at(buyer.zone) if happens.until else None
    return Happening(name, happens.at.at(SEOUL, time(9)), until)


def _beside_each_other(expected: Sequence[Expect], came: Sequence[_Came]) -> list[Row]:
    """Put what was expected beside what came: by the order of what it is first, then by time."""
    names = [(item.kind, item.what) for item in expected], [(item.kind, item.what) for item in came]
    rows: list[Row] = []
    for _tag, left, left_end, right, right_end in SequenceMatcher(None, *names, autojunk=False).get_opcodes():
        for item, thing in zip_longest(expected[left:left_end], came[right:right_end]):
            rows.append(_row(item, thing))
    return rows


def _row(expected: Expect | None, came: _Came | None) -> Row:
    same = expected is not None and came is not None and _same(expected, came)
    in_korea = _time(came.at.astimezone(SEOUL)) if came and came.kind == "mail" else ""
    line = Line(expected.kind, expected.what, _shown(expected.at)) if expected else None
    return Row(line, came.line() if came else None, same, in_korea)


def _same(expected: Expect, came: _Came) -> bool:
    return (expected.kind, expected.what) == (came.kind, came.what) and expected.at.matches(came.local)


def _shown(moment: Moment) -> str:
    return _day(moment.day) + (f" {moment.clock:%H:%M}" if moment.clock else "")


def _time(moment: datetime) -> str:
    return f"{_day(moment.date())} {moment:%H:%M}"


def _day(day: date) -> str:
    return f"{day:%Y-%m-%d} {format_date(day, 'EEE', locale=language())}"


# ---------------------------------------------------------------- telling


def told(report: Report) -> Iterator[str]:
    """Yield what a person is told of a file: each test, and what was expected beside what came where they differ."""
    for result in report.results:
        if result.passed:
            yield f"✓ {result.name}"
            continue
        yield f"✗ {result.name} ({Place(report.file, result.place.line, result.place.column)})"
        yield from (f"    {line}" for line in side_by_side(result))


def as_json(report: Report, result: Result) -> dict[str, Any]:
    """Return one test with plain values."""
    return {
        "file": report.file,
        "line": result.place.line,
        "test": result.name,
        "passed": result.passed,
        "left_out": result.left_out,
        "expected": [_told(row.expected) for row in result.rows if row.expected],
        "came": [_told(row.got) for row in result.rows if row.got],
    }


def side_by_side(result: Result) -> Iterator[str]:
    """Yield the lines that show what a test expected beside what came, each with its local time."""
    if result.left_out:
        yield _("The workflow leaves this buyer out.")
    elif not result.rows:
        yield _("The workflow follows this buyer.")
    if not result.rows:
        return
    left = [_told(row.expected) for row in result.rows]
    heads = _("expected"), _("came")
    wide = max(_width(text) for text in (heads[0], *left)) + 3
    yield f"  {_padded(heads[0], wide)}{heads[1]}"
    for row, text in zip(result.rows, left, strict=True):
        korea = _("({time} in Korea)", time=row.in_korea) if row.in_korea and not row.same else ""
        mark = " " if row.same else "✗"
        yield f"{mark} {_padded(text, wide)}{_told(row.got)} {korea}".rstrip()


def _told(line: Line | None) -> str:
    return f"{line.when}  {line.kind}: {line.what}" if line else _("(nothing)")


def _padded(text: str, wide: int) -> str:
    return text + " " * (wide - _width(text))


def _width(text: str) -> int:
    """Return how many columns a terminal needs; Korean letters take two."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)
