"""Staff write tests of workflows; what fails and what is mistyped is told so that they find it."""

from pathlib import Path

import pytest

from crm.campaigns import harness
from crm.campaigns.checker import check
from crm.campaigns.definition import Definition
from crm.campaigns.language import LANGUAGES
from crm.core.i18n import speaking

WORKFLOW = """\
workflow: short
title: {ko: 짧음, en: Short}
audience: contact.country != "KR"
dates: {next_show: {ko: 다음 전시회, en: next show}}
send_window: {days: [mon, tue, wed, thu, fri], hours: 09:30-11:30}
exit_when: [replied, opted_out, hard_bounced]
steps:
  - {id: thanks, after: {show_close: 1 business day}, mail: thank_you}
  - {id: call,   after: {thanks: 3 business days},    task: call, wait: true}
  - {id: remind, after: {call: 5 business days},      mail: reminder}
  - {id: invite, before: {next_show: 2 weeks},        notify: staff}
"""
TESTS = """\
workflow: short
show_closes: 2026-10-16
dates: {next_show: 2027-01-12}
tests:
  - test: nobody answers
    buyer: {country: DE, city: Berlin}
    happens:
      - {at: 2026-10-23 10:00, event: task_done, step: call}
    expect:
      - {at: 2026-10-19 09:30, mail: thank_you}
      - {at: 2026-10-22, task: call}
      - {at: 2026-10-30, mail: reminder}
      - {at: 2026-12-29, notify: staff}
  - test: an answer
    buyer: {country: US, city: Chicago}
    happens:
      - {at: 2026-10-21 10:00, event: reply}
    expect:
      - {at: 2026-10-19, mail: thank_you}
      - {at: 2026-10-22 10:00, task: answer}
  - test: Koreans
    buyer: {country: KR}
    followed: false
"""


def workflows() -> dict[str, Definition]:
    definition, problems = check(WORKFLOW, "short.yaml", {name: set(LANGUAGES) for name in ("thank_you", "reminder")})
    assert definition is not None, problems
    return {"short": definition}


def report(tmp_path: Path, *changes: tuple[str, str]) -> harness.Report:
    text = TESTS
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = tmp_path / "short.yaml"
    path.write_text(text, "utf-8")
    with speaking("en"):
        return harness.run_files([path], workflows(), {})[0]


def told(tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    found = report(tmp_path, *changes)
    assert not found.problems
    with speaking("en"):
        return [line.replace(str(tmp_path), "") for line in harness.told(found)]


def test_a_workflow_that_does_what_is_stated_passes(tmp_path: Path) -> None:
    assert told(tmp_path) == ["✓ nobody answers", "✓ an answer", "✓ Koreans"]


def test_a_letter_at_another_time_is_shown_beside_the_one_expected_with_both_clocks(tmp_path: Path) -> None:
    lines = told(tmp_path, ("2026-10-19 09:30", "2026-10-20 09:30"))
    assert lines[:4] == [
        "✗ nobody answers (/short.yaml:5:11)",
        "      expected                                came",
        "    ✗ 2026-10-20 Tue 09:30  mail: thank_you   "
        "2026-10-19 Mon 09:30  mail: thank_you (2026-10-19 Mon 16:30 in Korea)",
        "      2026-10-22 Thu  task: call              2026-10-22 Thu 09:00  task: call",
    ]


def test_a_letter_that_is_missing_or_too_many_stands_alone_in_its_line(tmp_path: Path) -> None:
    lines = told(tmp_path, ("      - {at: 2026-10-30, mail: reminder}\n", ""))
    assert any("(nothing)" in line and "mail: reminder" in line for line in lines)
    early = told(
        tmp_path,
        ("      - {at: 2026-10-23 10:00, event: task_done, step: call}\n", ""),
        ("happens:\n", "happens: []\n"),
    )
    assert any(line.startswith("    ✗ 2026-10-30 Fri  mail: reminder") and line.endswith("(nothing)") for line in early)


def test_who_must_be_left_out_and_is_not_is_told(tmp_path: Path) -> None:
    lines = told(tmp_path, ("buyer: {country: KR}", "buyer: {country: JP}"))
    assert "    The workflow follows this buyer." not in lines
    assert any("(nothing)" in line and "thank_you" in line for line in lines)
    lines = told(tmp_path, ("country: US, city: Chicago", "country: KR"))
    assert "    The workflow leaves this buyer out." in lines


def test_a_day_without_a_time_takes_any_time_of_that_day(tmp_path: Path) -> None:
    assert report(tmp_path, ("2026-10-19 09:30", "2026-10-19")).passed
    assert not report(tmp_path, ("2026-10-19 09:30", "2026-10-19 09:31")).passed


@pytest.mark.parametrize(
    ("old", "new", "code", "hint"),
    [
        ("workflow: short", "workflow: ‹shot", "workflow_unknown", "Did you mean short?"),
        ("show_closes:", "‹show_close:", "key_unknown", "Did you mean show_closes?"),
        ("show_closes: 2026-10-16", "show_closes: ‹2026/10/16", "date_form", "Did you mean 2026-10-16?"),
        ("{next_show: 2027", "{‹nextshow: 2027", "date_of_workflow", "Did you mean next_show?"),
        ("country: DE", "country: ‹Germany", "condition_value", "Did you mean DE?"),
        ("city: Berlin", "‹town: Berlin", "key_unknown", "Known here:"),
        ("city: Berlin", "rating: ‹9", "value_choice", "Known here: 0, 1, 2, 3, 4, 5."),
        ("city: Berlin", "stage: ‹negotation", "stage_unknown", "Did you mean negotiation?"),
        ("city: Berlin", "language: ‹jp", "value_choice", "Did you mean ja?"),
        ("city: Berlin", "requests: [‹samples]", "value_choice", "Did you mean sample?"),
        ("event: reply", "event: ‹replied", "happening_unknown", "Did you mean reply?"),
        ("event: reply", "event: reply, until: ‹2026-10-30", "until_unused", "Use until with"),
        ("step: call", "step: ‹cal", "waited_step_unknown", "Did you mean call?"),
        ("2026-10-21 10:00", "‹2026.10.21 10:00", "moment_form", "Did you mean 2026-10-21 10:00?"),
        ("2026-10-21 10:00", "‹tomorrow", "moment_form", "Write for example"),
        ("mail: reminder", "mail: ‹remind", "expect_mail", "Did you mean reminder?"),
        ("task: answer", "task: ‹sample", "expect_task", "Known here:"),
        ("notify: staff", "notify: ‹advisor", "expect_notify", "Known here: staff."),
        ("{at: 2026-10-30, mail: reminder}", "‹{at: 2026-10-30}", "expect_kind", "Write one of"),
        ("test: an answer", "test: ‹nobody answers", "test_twice", "Say what is different"),
        ("followed: false", "followed: ‹no way", "value_yes_no", "Write true or false."),
        (
            "followed: false",
            "followed: false\n    expect: ‹[{at: 2026-10-19, mail: thank_you}]",
            "expect_nothing",
            "Rem",
        ),
        ("  - test: an", "  ‹-test: an", "yaml_dash_space", "Type a space"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_test_is_told_with_its_place(tmp_path: Path, old: str, new: str, code: str, hint: str) -> None:
    found = report(tmp_path, (old, new.replace("‹", "")))
    before = TESTS.replace(old, new, 1).partition("‹")[0]
    problem = next((problem for problem in found.problems if problem.code == code), None)
    assert problem is not None, found.problems
    assert problem.hint.startswith(hint), problem.hint
    assert (problem.place.line, problem.place.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with speaking("en"):
        (found,) = harness.run_files([tmp_path / "none.yaml"], workflows(), {})
    assert not found.passed
    assert found.problems[0].message == "The file cannot be read."
