"""Branches, waits, dates, events, windows and caps of a workflow file are checked before anybody is written to."""

import pytest

from crm.campaigns.checker import check
from crm.campaigns.language import LANGUAGES
from crm.core.errors import Problem
from crm.core.i18n import speaking

LETTERS = {name: set(LANGUAGES) for name in ("thank_you", "catalogue", "sample_feedback", "reminder", "invitation")}
TEXT = """\
workflow: sample
title: {ko: 샘플, en: Sample}
audience: contact.country != "KR"
dates: {next_show: {ko: 다음 전시회, en: next show}}
send_window: {days: [tue, wed, thu], hours: 09:30-11:30}
cap: {letters: 4, within: 45 days}
ends: 300 days
exit_when: [opted_out, hard_bounced, stage >= negotiation]
steps:
  - {id: thanks,   after: {show_close: 1 business day}, mail: thank_you}
  - {id: pause,    after: {thanks: 0 days}, wait_for: reply, at_most: 5 business days}
  - id: split
    after: {pause.timeout: 0 days}
    branch: {hot: lead.rating >= 4, warm: lead.rating == 3, rest: otherwise}
  - {id: call,     after: {split.hot: 1 business day}, task: call, wait: true}
  - {id: chat,     after: {split.warm: 1 business day}, task: call}
  - {id: remind,   after: {split.rest: 5 days}, mail: reminder, window: {days: [mon], hours: 10:00-12:00}}
  - {id: feedback, after: {sample.delivered: 5 days}, mail: sample_feedback}
  - {id: invite,   before: {next_show: 8 weeks}, mail: invitation}
  - {id: greet,    on: 2026-12-10, mail: catalogue}
  - {id: cool,     after: {remind: 14 days}, move: dormant}
  - {id: tell,     after: {cool: 0 days}, notify: advisor}
"""


def checked(*changes: tuple[str, str]) -> list[Problem]:
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    with speaking("en"):
        return check(text, "workflows/sample.yaml", LETTERS)[1]


def test_a_file_that_uses_everything_is_in_order() -> None:
    assert checked() == []


MISTAKES = [
    # what is changed, into what (the mark ‹ stands where it is told), the code, how the hint starts
    ("split.hot", "‹split.hott", "outcome_unknown", "Did you mean split.hot?"),
    ("split.hot", "‹splitt.hot", "anchor_unknown", "Did you mean split.hot?"),
    ("pause.timeout", "‹pause.time_out", "outcome_unknown", "Did you mean pause.timeout?"),
    ("split.rest", "‹thanks.done", "outcome_none", "Write thanks alone."),
    ("sample.delivered", "‹sample.deliverd", "anchor_unknown", "Did you mean sample.delivered?"),
    ("sample.delivered", "‹stage.qualifed", "stage_unknown", "Did you mean qualified?"),
    ("before: {next_show", "before: {‹nextshow", "date_unknown", "Did you mean next_show?"),
    ("before: {next_show", "before: {‹thanks", "date_is_anchor", "Use after:"),
    ("before: {next_show", "before: {‹show_close", "date_is_anchor", "Use after:"),
    ("wait_for: reply", "wait_for: ‹reples", "event_unknown", "Did you mean reply?"),
    (", at_most: 5 business days", "", "wait_at_most", "Write for example"),
    ("rest: otherwise", "rest: lead.rating < 3", "branch_otherwise", "Add a last case"),
    ("hot: lead", "any: otherwise, ‹hot: lead", "arm_after_otherwise", "Move any to the end."),
    ("hot: lead.rating >= 4", "hot: ‹lead.rating > 5", "arm_never", "Compare it with the audience"),
    ("hot: lead.rating >= 4", "hot: ‹lead.rating >= 0", "arm_always", "Compare it with the audience"),
    ("warm: lead.rating == 3", "warm: ‹lead.rating == 5", "arm_covered", "Move it up"),
    ("move: dormant", "move: ‹dorment", "value_choice", "Did you mean dormant?"),
    ("notify: advisor", "notify: ‹adviser", "value_choice", "Did you mean advisor?"),
    ("2026-12-10", "‹2026.12.10", "date_form", "Did you mean 2026-12-10?"),
    ("2026-12-10", "‹10/12/2026", "date_form", "Did you mean 2026-12-10?"),
    ("days: [mon], hours", "days: ‹[sat, sun], hours", "window_weekend", "Add a weekday."),
    ("letters: 4", "letters: ‹four", "value_number", "Write digits only."),
    ("letters: 4", "letters: ‹1", "cap_low", "Remove one"),
    ("45 days", "‹45 business days", "length_business", "Write days, weeks or hours."),
    ("wait: true", "wait: ‹perhaps", "value_yes_no", "Write true or false."),
    ("{cool: 0 days}", "{‹cool: 300 days}", "after_ends", "Shorten the time"),
    ("sample.delivered", "‹stage.negotiation", "after_the_end", "Remove the step, or take stage >= negotiation"),
    ("sample.delivered", "‹stage.lost", "after_the_end", "Remove the step"),
    ("{id: chat,     after: {split.warm", "{id: chat,     after: {split.hot", "arm_unfollowed", "Let a step follow it"),
    ("dates: {next_show", "dates: {‹autumn: {ko: 가을, en: autumn}, next_show", "date_unused", "Remove it"),
    ("next_show: {ko", "‹reply: {ko", "date_reserved", "Rename it."),
    ("id: tell", "id: ‹reply", "step_reserved", "Rename it."),
    ("audience:", "‹mail: a\naudience:", "key_misplaced", "It belongs to steps."),
    ("task: call, wait: true", "task: call, wait: true, when: ‹lead.rating < 4", "step_never_here", "Compare it"),
    ("task: call, wait: true", "task: call, wait: true, when: ‹lead.rating > 3", "condition_always", "Leave it out"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "hint"), MISTAKES)
def test_a_mistake_is_told_with_what_was_meant(old: str, new: str, code: str, hint: str) -> None:
    problems = checked((old, new.replace("‹", "")))
    found = next((problem for problem in problems if problem.code == code), None)
    assert found is not None, problems
    assert found.hint.startswith(hint)
    if "‹" in new:
        before = TEXT.replace(old, new, 1).partition("‹")[0]
        assert (found.place.line, found.place.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


def test_what_follows_an_answer_is_told_when_an_answer_ends_the_follow_up() -> None:
    ends = ("[opted_out", "[replied, opted_out")
    problems = checked(ends, ("sample.delivered", "reply"))
    assert [problem.code for problem in problems] == ["after_the_end"]
    problems = checked(ends, ("sample.delivered", "pause.happened"))
    assert [problem.code for problem in problems] == ["after_the_end"]
    assert checked(("sample.delivered", "pause.happened")) == []


def test_a_wait_and_a_branch_that_nothing_follows_are_dead_ends() -> None:
    problems = checked(("{pause.timeout: 0 days}", "{thanks: 1 day}"))
    assert [problem.code for problem in problems] == ["dead_end"]
    problems = checked(*((f"split.{arm}", "thanks") for arm in ("hot", "warm", "rest")))
    assert [problem.code for problem in problems] == ["dead_end"]


def test_nobody_need_follow_the_case_of_all_others() -> None:
    assert checked(("{split.rest: 5 days}", "{thanks: 30 days}")) == []


def test_a_circle_through_a_branch_is_told() -> None:
    problems = checked(("{thanks: 0 days}", "{call: 0 days}"))
    assert "pause → call → split → pause" in problems[0].message
    assert problems[0].code == "anchor_circle"


def test_what_only_a_later_rating_can_make_true_is_in_order_after_somebody_was_asked() -> None:
    follow = "  - {id: later, after: {call: 1 day}, when: lead.rating < 3, mail: catalogue}\n"
    assert checked(("  - {id: cool", follow + "  - {id: cool")) == []
    told = checked(("  - {id: cool", follow + "  - {id: cool"), (", wait: true", ""))
    assert [problem.code for problem in told] == ["step_never_here"]


def test_letters_that_exclude_each_other_do_not_count_together() -> None:
    two = (
        "  - {id: a, after: {thanks: 3 days}, when: lead.rating >= 4, mail: catalogue}\n"
        "  - {id: b, after: {thanks: 3 days}, when: lead.rating < 4, mail: catalogue}\n"
    )
    low = ("letters: 4", "letters: 2")
    remind = ("mail: reminder, window: {days: [mon], hours: 10:00-12:00}", "task: other")
    assert checked(("  - {id: cool", two + "  - {id: cool"), low, remind) == []
    both = two.replace("lead.rating < 4", "lead.rating > 3 or lead.met")
    problems = checked(("  - {id: cool", both + "  - {id: cool"), low, remind)
    assert [problem.code for problem in problems] == ["cap_low"]
    assert "thanks, a, b" in problems[0].message


def test_letters_far_apart_do_not_count_together() -> None:
    assert checked(("letters: 4", "letters: 1"), ("45 days", "10 days")) == []


def test_a_window_of_a_step_is_looked_at_in_the_countries_that_come_to_it() -> None:
    saudi = ('contact.country != "KR"', 'contact.country in ["SA", "JP"]')
    window = ("days: [mon], hours", "days: [fri], hours")
    problems = checked(saudi, window)
    assert [(problem.code, problem.place.field) for problem in problems] == [("window_country", "steps[6].window")]
    assert "SA" in problems[0].message
    assert "JP" not in problems[0].message


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_mistake_reads_as_a_sentence_with_what_to_do(language: str) -> None:
    for old, new, _code, _hint in MISTAKES:
        text = TEXT.replace(old, new.replace("‹", ""), 1)
        with speaking(language):
            problems = check(text, "workflows/sample.yaml", LETTERS)[1]
        for problem in problems:
            assert problem.hint, problem
            assert "{" not in problem.message.replace("{ko", "").replace("{}", ""), problem
            assert problem.message.endswith((".", "다.")) or ":" in problem.message, problem
