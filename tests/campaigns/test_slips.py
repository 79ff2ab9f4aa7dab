"""What a person who never saw YAML types wrongly is told in plain words, where it stands, with what to type instead."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from crm.campaigns.checker import check
from crm.campaigns.language import LANGUAGES
from crm.campaigns.reading import YamlFile
from crm.campaigns.slips import find_slip
from crm.core.i18n import speaking

ROOT = Path(__file__).resolve().parents[2]
LETTERS = {name: set(LANGUAGES) for name in ("thank_you", "catalogue", "sample_offer", "reminder")}
GOOD = [path.read_text("utf-8") for path in sorted((ROOT / "workflows").glob("*.yaml"))]

SLIPS = [
    # The mark ‹ stands where the mistake is told; it is taken out before reading.
    ("steps:\n‹\t- {id: a}\n", "yaml_tab", "Delete it and type spaces."),
    ("title:\n  ko: 가\n‹\ten: b\n", "yaml_tab", "Delete it and type spaces."),
    ("a: b\n  ‹c: d\n", "yaml_indent", "Make it 0 spaces."),
    ("  ‹a: b\nc: d\n", "yaml_indent", "Make it 0 spaces."),
    ("steps:\n  - {id: a}\n   ‹- {id: b}\n", "yaml_indent", "Make it 2 spaces."),
    ("steps:\n  - {id: a}\n ‹- {id: b}\nx: y\n", "yaml_indent", "Make it 2 spaces."),
    ("steps:\n  - {id: a}\n‹- {id: b}\n  - {id: c}\n", "yaml_indent", "Make it 2 spaces."),
    ("title:\n  ko: 가\n   ‹en: b\n", "yaml_indent", "Make it 2 spaces."),
    ("steps:\n  - id: a\n    mail: b\n   ‹when: c\n", "yaml_indent", "Make it 4 spaces."),
    ("workflow‹:x\ntitle: a\n", "yaml_colon_space", "Write workflow: and a space before the value."),
    ("title: a\nsteps:\n  - {id‹:thanks, mail: b}\n", "yaml_colon_space", "Write id: and a space before the value."),
    ("title: a\n‹workflow x\n", "yaml_colon", "Write workflow: and a space before the value."),
    ("‹workflow x\ntitle: a\n", "yaml_colon", "Write workflow: and a space before the value."),
    ("steps:\n  - {‹id thanks, mail: b}\n", "yaml_colon", "Write id: and a space before the value."),
    ("title: Foo‹: bar\n", "yaml_colon_twice", "Put the value in quotes: 'Foo: bar'"),
    ("steps:\n  - {id: a ‹mail: b}\n", "yaml_comma", "Write a, mail"),
    ("steps:\n  - {after: {a: 1 day} ‹mail: b}\n", "yaml_comma", "Write }, mail"),
    ("steps:\n  ‹-{id: a}\n  - {id: b}\n", "yaml_dash_space", "Type a space behind it."),
    ("steps:\n  ‹– {id: a}\n  - {id: b}\n", "yaml_dash", "Type - (minus) and a space instead."),
    ("steps:\n  ‹• {id: a}\n  - {id: b}\n", "yaml_dash", "Type - (minus) and a space instead."),
    ("steps:\n  ‹* {id: a}\n  - {id: b}\n", "yaml_dash", "Type - (minus) and a space instead."),
    ("steps:\n  - {id: a}\n    ‹{id: b}\n", "yaml_dash_missing", "Write - and a space before it."),
    ("steps:\n    ‹{id: a}\n  - {id: b}\n", "yaml_dash_missing", "Write - and a space before it."),
    ("a: b\nwhen: ‹'lead.met\nc: d\n", "yaml_quote_open", "Write ' where the text ends."),
    ('a: b\nwhen: ‹"lead.met\nc: "d"\n', "yaml_quote_open", 'Write " where the text ends.'),
    ('audience: ‹"x" in lead.requests\n', "yaml_needs_quotes", "Write '\"x\" in lead.requests'"),
    ("s: {when: ‹lead.requests == [], mail: b}\n", "yaml_needs_quotes", "Write 'lead.requests == []'"),
    ("a: ‹@b\n", "yaml_sign_start", "Put the value in quotes: '@b'"),
    ("a: ‹>= 4\n", "yaml_sign_start", "Put the value in quotes: '>= 4'"),
    ("a: ‹!lead.met\n", "yaml_sign_start", "Put the value in quotes: '!lead.met '"),
    ("steps:\n  - ‹{id: a, after: {c: d}\n  - {id: b}\n", "yaml_bracket_open", "Write } where its content ends."),
    ("w: {days: ‹[mon, tue\nx: y\n", "yaml_bracket_open", "Write ] where its content ends."),
    ("steps:\n  - {id: a}‹}\n", "yaml_bracket_extra", "Delete it, or write the bracket that should open."),
    ("w: {days: [mon, tue‹}}\n", "yaml_bracket_wrong", "Write ] here."),
    ("title‹：a\nx: y\n", "yaml_wide_sign", "Switch the keyboard to English and type :"),
    ("s: {id‹：a, x: y}\n", "yaml_wide_sign", "Switch the keyboard to English and type :"),
    ("a: b\n‹---\nc: d\n", "yaml_documents", "Delete the line; one file holds one workflow."),
    ('a: "b‹\\c"\n', "yaml_escape", "Put the text in single quotes (') instead of double quotes."),
    ("a: b\nc: ‹\x07d\n", "yaml_character", "Delete it and type the word again."),
]  # fmt: skip


@pytest.mark.parametrize(("marked", "code", "hint"), SLIPS)
def test_a_slip_is_told_where_it_stands_with_what_to_type(marked: str, code: str, hint: str) -> None:
    before = marked.partition("‹")[0]
    with speaking("en"):
        file = YamlFile("x.yaml", marked.replace("‹", ""))
        file.read()
    place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    told = [(problem.code, problem.place.line, problem.place.column, problem.hint) for problem in file.problems]
    assert [item[0] for item in told] == [code]
    assert told[0][1:] == (*place, hint) or (code == "yaml_escape" and told[0][1] == place[0] and told[0][3] == hint)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_sentence_uses_the_words_of_the_parser(language: str) -> None:
    words = ("mapping", "scalar", "token", "block", "YAML", "매핑", "스칼라", "토큰")
    for marked, _code, _hint in SLIPS:
        with speaking(language):
            file = YamlFile("x.yaml", marked.replace("‹", ""))
            file.read()
        said = " ".join(f"{problem.message} {problem.hint}" for problem in file.problems)
        assert not [word for word in words if word in said], said


@pytest.mark.parametrize("text", GOOD)
def test_nothing_is_found_in_a_file_in_order(text: str) -> None:
    assert find_slip(text) is None


VALID = [
    "a: b # c: d\n",
    "a:\n- b\n- c: d\n  e: f\ng: h\n",
    "a: |\n  any: thing { [\n  more\nb: c\n",
    "a: {b: [c, d], e: {f: g},\n    h: i}\nj: k\n",
    "a: 'it''s'\nb: \"c\\\"d\"\n",
    "a: contact.country in [\"JP\", 'KR']\nb: c\n",
    "a: b:c http://x.example/y\n",
    "a: {h: 09:30-11:30, u: https://x.example}\n",
    "a:\n  b:\n    - c\n    - d\n  e: f\ng: h\n",
    "a:\n  - b: c\n    d:\n      e: f\n  - b: g\n",
]


@pytest.mark.parametrize("text", VALID)
def test_what_can_be_read_holds_no_slip(text: str) -> None:
    assert YAML().compose(text) is not None
    assert find_slip(text) is None


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(GOOD), st.data())
def test_a_sign_taken_out_of_a_file_is_told_on_its_line_or_near_it(text: str, data: st.DataObject) -> None:
    places = [at for at, sign in enumerate(text) if sign in "{}[]:-\"'" and not _in_comment(text, at)]
    at = data.draw(st.sampled_from(places))
    name = text.partition("workflow: ")[2].partition("\n")[0]
    with speaking("en"):
        definition, problems = check(text[:at] + text[at + 1 :], f"{name}.yaml", LETTERS)
    line = text[:at].count("\n") + 1
    told = [problem for problem in problems if problem.code == "yaml_other"]
    assert not told, told
    if problems and problems[0].code.startswith("yaml"):
        assert problems[0].place.line == line
    assert (definition is None) == bool(problems)


def _in_comment(text: str, at: int) -> bool:
    return "#" in text[text.rfind("\n", 0, at) + 1 : at]
