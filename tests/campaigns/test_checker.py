"""Workflow files are checked before they can run: every mistake with its place and what was probably meant."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.campaigns.checker import check, read_stored
from crm.campaigns.definition import Definition
from crm.campaigns.language import LANGUAGES
from crm.core.errors import Problem
from crm.core.i18n import speaking

LETTERS = {name: set(LANGUAGES) for name in ("thank_you", "catalogue", "sample_offer", "reminder")}
NAME = "workflows/overseas-buyer.yaml"
TEXT = """\
workflow: overseas-buyer
title: {ko: 해외 바이어, en: Overseas buyer}
audience: contact.country != "KR"
send_window: {days: [tue, wed, thu], hours: 09:30-11:30, clock: recipient, holidays: recipient}
exit_when: [replied, opted_out, hard_bounced, stage >= negotiation]
steps:
  - {id: thanks,    after: {show_close: 1 business day}, mail: thank_you}
  - {id: catalogue, after: {thanks: 5 business days},    mail: catalogue, attach: catalogue}
  - {id: call,      after: {catalogue: 7 days}, when: lead.rating >= 4, task: call}
  - {id: sample,    after: {catalogue: 10 business days}, mail: sample_offer}
on_reply: {move: replied, task: answer, within: 1 business day}
late_import: start_at_first_open_step
"""
SAMPLE = "{id: sample,    after: {catalogue: 10 business days}, mail: sample_offer}"


def checked(*changes: tuple[str, str]) -> tuple[Definition | None, list[Problem]]:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    with speaking("en"):
        return check(text, NAME, LETTERS)


def the_problem(*changes: tuple[str, str]) -> Problem:
    definition, problems = checked(*changes)
    assert definition is None
    assert len(problems) == 1, problems
    return problems[0]


def test_a_file_in_order_becomes_a_definition() -> None:
    definition, problems = checked()
    assert problems == []
    assert definition is not None
    assert [(step.id, step.kind, step.what, str(step.delay)) for step in definition.steps] == [
        ("thanks", "mail", "thank_you", "1 business day"),
        ("catalogue", "mail", "catalogue", "5 business days"),
        ("call", "task", "call", "7 days"),
        ("sample", "mail", "sample_offer", "10 business days"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("workflow: overseas-buyer", "workflow: ‹overseas", "file_name"),
        ("audience:", "audience: lead.met\n‹audience:", "key_twice"),
        ("late_import:", "‹late_imports:", "key_unknown"),
        ("en: Overseas buyer", "‹eng: Overseas buyer, en: Overseas", "key_unknown"),
        ("attach: catalogue", "‹atach: catalogue", "key_unknown"),
        ("{ko: 해외 바이어, ", "‹{", "key_missing"),
        ("[tue, wed, thu]", "[tue, ‹web, thu]", "value_choice"),
        ("[tue, wed, thu]", "‹tue", "value_list"),
        ("[tue, wed, thu]", "‹[]", "value_empty"),
        ("clock: recipient", "clock: ‹receiver", "value_choice"),
        ("{ko: 해외 바이어, en: Overseas buyer}", "‹Overseas", "value_map"),
        ("09:30-11:30", "‹9.30 to 11", "hours_form"),
        ("09:30-11:30", "‹11:30-09:30", "hours_never_open"),
        ("09:30-11:30", "‹09:30-09:30", "hours_never_open"),
        ("09:30-11:30", "‹02:30-11:30", "hours_at_night"),
        ("[tue, wed, thu]", "‹[sat, sun]", "window_weekend"),
        ("1 business day}, mail", "‹1 busines day}, mail", "delay_form"),
        ("7 days", "‹-7 days", "delay_form"),
        ("7 days", "‹700 days", "delay_long"),
        ("replied, opted", "‹answered, opted", "exit_form"),
        ("stage >= negotiation", "‹stage >= negotation", "exit_stage"),
        ("stage >= negotiation", "‹stage >= lead", "exit_at_once"),
        ("[replied, opted_out, ", "‹[replied, ", "exit_required"),
        ("id: call", "id: ‹thanks", "step_twice"),
        ("id: call", "id: ‹show_close", "step_reserved"),
        ("id: call", "id: ‹Call-him", "value_name"),
        (SAMPLE, "‹{id: sample, after: {thanks: 1 day}, mail: reminder, task: call}", "step_kind"),
        (SAMPLE, "‹{id: sample, after: {thanks: 1 day}}", "step_kind"),
        ("{id: call, ", "‹{attach: catalogue, id: call, ", "attach_to_task"),
        ("task: call", "task: ‹coll", "value_choice"),
        ("{catalogue: 7 days}", "{‹catalog: 7 days}", "anchor_unknown"),
        ("{catalogue: 7 days}", "{‹sample: 7 days}", "anchor_below"),
        ("{catalogue: 7 days}", "{‹call: 7 days}", "anchor_circle"),
        ("{catalogue: 7 days}", "‹{catalogue: 7 days, thanks: 1 day}", "anchor_count"),
        ("mail: thank_you", "mail: ‹thankyou", "template_unknown"),
        ("lead.rating >= 4", "lead.‹ratng >= 4", "condition_name"),
        ("lead.rating >= 4", "'\"‹catalog\" in lead.requests'", "condition_value"),
        ("lead.rating >= 4", "‹3 > 4", "step_never"),
        ('contact.country != "KR"', "‹1 == 2", "audience_nobody"),
        ('audience: contact.country != "KR"', "‹audience:", "value_empty"),
        ('contact.country != "KR"', 'contact.country ‹=~ "K"', "condition_regex"),
        ("[tue, wed, thu], hours: 09:30-11:30, clock: recipient, holidays: recipient}", "[tue‹}", "yaml_bracket_wrong"),
    ],
)  # fmt: skip
def test_it_names_a_mistake_with_line_and_column(old: str, new: str, code: str) -> None:
    before = TEXT.replace(old, new, 1).partition("‹")[0]
    problem = the_problem((old, new.replace("‹", "")))
    assert (problem.code, problem.place.line, problem.place.column) == (
        code,
        before.count("\n") + 1,
        len(before) - before.rfind("\n"),
    )


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("late_import:", "late_imports:", "Did you mean late_import?"),
        ("[tue, wed, thu]", "[tue, web, thu]", "Did you mean wed?"),
        ("mail: thank_you", "mail: thankyou", "Did you mean thank_you?"),
        ("{catalogue: 7 days}", "{catalog: 7 days}", "Did you mean catalogue?"),
        ("stage >= negotiation", "stage >= negotation", "Did you mean negotiation?"),
        ("lead.rating >= 4", "lead.ratng >= 4", "Did you mean rating?"),
        ("replied, opted", "repied, opted", "Did you mean replied?"),
        ("late_import: start_at_first_open_step", "late_import: skip_mised", "Did you mean skip_missed?"),
    ],
)  # fmt: skip
def test_it_says_what_was_probably_meant(old: str, new: str, meant: str) -> None:
    assert the_problem((old, new)).hint == meant


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("lead.rating >= 4 and lead.rating < 3", "step_never", "Correct the condition or remove the step."),
        ("contact.country == 'KR'", "step_never_here", "Compare it with the audience"),
        ("contact.country != 'KR'", "condition_always", "Leave it out"),
        ("lead.rating >= 0", "condition_always", "Leave it out"),
        ("lead.interest == 2 and lead.rating == 5", "step_never", "Correct the condition"),
        ("deal.stage == 'exclusive_contract'", "step_never", "Correct the condition"),
        ("not lead.met and lead.met", "step_never", "Correct the condition"),
        ("lead.requests == ['sample'] and 'quotation' in lead.requests", "step_never", "Correct the condition"),
    ],
)
def test_a_condition_that_is_the_same_for_all_who_come_to_it_is_told(text: str, code: str, hint: str) -> None:
    problem = the_problem(("when: lead.rating >= 4", "when: " + "'" + text.replace("'", "''") + "'"))
    assert problem.code == code
    assert problem.hint.startswith(hint)


@pytest.mark.parametrize(
    "text",
    [
        "lead.rating >= 4 or contact.city == 'Berlin'",
        "lead.interest == 2 and lead.rating == 0",
        "deal.stage == 'contacted'",
        "'sample' in lead.requests and not 'quotation' in lead.requests",
        "contact.country in ['JP', 'CN'] and contact.language != 'ko'",
        "lead.notes == ''",
    ],
)
def test_a_condition_that_tells_buyers_apart_is_in_order(text: str) -> None:
    assert checked(("when: lead.rating >= 4", "when: " + "'" + text.replace("'", "''") + "'"))[1] == []


def test_an_audience_that_the_exits_leave_nobody_of_is_told() -> None:
    problem = the_problem(('contact.country != "KR"', 'deal.stage == "negotiation"'))
    assert problem.code == "audience_nobody"


def test_a_window_that_opens_on_no_working_day_of_a_named_country_is_told() -> None:
    problem = the_problem(("[tue, wed, thu]", "[fri, sat]"), ('contact.country != "KR"', 'contact.country == "SA"'))
    assert (problem.code, "SA" in problem.message) == ("window_country", True)
    assert checked(("[tue, wed, thu]", "[fri, sat]"), ('contact.country != "KR"', 'contact.country == "JP"'))[1] == []


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("7 days", "7 dyas", "7 days"),
        ("5 business days", "5 working days", "5 business days"),
        ("5 business days", "영업일 5일 뒤", "5 business days"),
        ("5 business days", "5일 후", "5 days"),
        ("5 business days", "5 영업일", "5 business days"),
        ("09:30-11:30", "9.30 to 11.30", "09:30-11:30"),
        ("09:30-11:30", "09:30~11:30", "09:30-11:30"),
        ("09:30-11:30", "9시 30분 - 11시 30분", "09:30-11:30"),
        ("[tue, wed, thu]", "[tuesday, wed, thu]", "tue"),
        ("[tue, wed, thu]", "[화, wed, thu]", "tue"),
        ("[tue, wed, thu]", "tue", "[tue]"),
        ('contact.country != "KR"', 'contact.country != "Germany"', "DE"),
        ('contact.country != "KR"', 'contact.country != "한국"', "KR"),
        ('contact.country != "KR"', 'contact.language != "kr"', "ko"),
        ("mail: thank_you", "mail: thank-you", "thank_you"),
        ("mail: thank_you", "email: thank_you", "mail"),
        ("attach: catalogue", "Attach: catalogue", "attach"),
        ("task: call", "task: 전화", "call"),
    ],
)  # fmt: skip
def test_it_guesses_what_staff_type(old: str, new: str, meant: str) -> None:
    _definition, problems = checked((old, new))
    assert f"Did you mean {meant}?" in [problem.hint for problem in problems]


def test_a_key_in_the_wrong_part_is_sent_to_the_right_one() -> None:
    inside = the_problem(
        ("clock: recipient", "late_import: skip_missed"), ("late_import: start_at_first_open_step\n", "")
    )
    assert (inside.code, "start of a line" in inside.hint) == ("key_misplaced_top", True)
    outside = the_problem(("late_import:", "hours: 09:00-10:00\nlate_import:"))
    assert (outside.code, outside.hint) == ("key_misplaced", "It belongs to send_window.")


def test_a_check_added_later_does_not_stop_a_stored_workflow() -> None:
    text = TEXT.replace("lead.rating >= 4", "lead.rating >= 0")
    with speaking("en"):
        assert check(text, NAME, LETTERS)[0] is None
    stored = read_stored(text)
    assert stored is not None
    assert stored.workflow == "overseas-buyer"


def test_it_tells_all_mistakes_at_once_in_the_order_of_the_lines() -> None:
    _definition, problems = checked(
        ("audience:", "audence:"),
        ("09:30-11:30", "11:30-09:30"),
        ("mail: thank_you", "mail: thankyou"),
        ("lead.rating >= 4", "lead.rating >="),
    )
    assert [problem.code for problem in problems] == [
        "key_unknown",
        "hours_never_open",
        "template_unknown",
        "condition_syntax",
    ]


def test_a_circle_is_told_once_and_what_hangs_on_it_is_unreachable() -> None:
    _definition, problems = checked(("{show_close: 1 business day}", "{catalogue: 1 business day}"))
    assert [problem.code for problem in problems] == ["anchor_circle", "step_unreachable", "step_unreachable"]
    assert "thanks → catalogue → thanks" in problems[0].message


def test_what_follows_a_misspelt_step_is_not_told_as_well() -> None:
    problem = the_problem(("{thanks: 5 business days}", "{thank: 5 business days}"))
    assert (problem.code, problem.hint) == ("anchor_unknown", "Did you mean thanks?")


def test_what_is_missing_is_told_with_an_example() -> None:
    problem = the_problem(("hours: 09:30-11:30, ", ""))
    assert (problem.code, problem.hint) == ("key_missing", "Write for example hours: 09:30-11:30")


def test_brackets_without_a_name_are_told_as_that() -> None:
    _definition, problems = checked(("after: {thanks: 5 business days}", "{thanks: 5 business days}"))
    assert "key_nameless" in {problem.code for problem in problems}
    assert not any("Node" in str(problem) for problem in problems)


def test_a_letter_must_exist_in_every_language() -> None:
    with speaking("en"):
        _definition, problems = check(TEXT, NAME, {**LETTERS, "catalogue": {"ko", "en", "ja"}})
    assert [problem.code for problem in problems] == ["template_languages"]
    assert "zh-Hans, zh-Hant, es" in problems[0].message
    assert "catalogue/zh-Hans.md" in problems[0].hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "yaml_empty"),
        ("# nothing\n", "yaml_empty"),
        ("- a\n", "yaml_top"),
        ("just a text", "yaml_top"),
        ("a: b: c", "yaml_colon_twice"),
        ("\tworkflow: x", "yaml_tab"),
        ("workflow: x\n---\nworkflow: y\n", "yaml_documents"),
        ("x" * 100_001, "yaml_long"),
    ],
)
def test_it_refuses_what_is_no_workflow_file(text: str, code: str) -> None:
    definition, problems = check(text, NAME, LETTERS)
    assert definition is None
    assert [problem.code for problem in problems] == [code]


def test_an_alias_that_holds_itself_ends() -> None:
    _definition, problems = check("steps: &x [*x]\n", NAME, LETTERS)
    assert "yaml_alias" in {problem.code for problem in problems}


def test_words_that_older_yaml_reads_as_yes_or_no_stay_texts() -> None:
    definition, problems = checked(('contact.country != "KR"', 'contact.country in ["NO"]'))
    assert (problems, definition.audience if definition else "") == ([], 'contact.country in ["NO"]')


def test_a_problem_reads_in_korean_for_a_korean_reader() -> None:
    with speaking("ko"):
        _definition, problems = check(TEXT.replace("thank_you", "thankyou"), NAME, LETTERS)
    assert str(problems[0]) == (
        f"{NAME}:7:64 (steps[1].mail): thankyou 메일이 없습니다. 이 뜻이면 이렇게 적으십시오: thank_you"
    )


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.sampled_from("{}[]:,-\"'\n &*|>#x0")), max_size=6))
def test_a_file_with_any_slip_of_the_keyboard_is_read_or_refused(slips: list[tuple[int, str]]) -> None:
    text = TEXT
    for at, sign in slips:
        text = text[:at] + sign + text[at:]
    definition, problems = check(text, NAME, LETTERS)
    assert (definition is None) == bool(problems)


def test_the_file_is_named_as_the_caller_named_it(tmp_path: Path) -> None:
    path = tmp_path / "overseas-buyer.yaml"
    _definition, problems = check(TEXT.replace("mail: thank_you", "mail: x"), str(path), LETTERS)
    assert problems[0].place.file == str(path)
