"""What is shipped: workflow files that check, documents that match the models, texts that are translated."""

import ast
import json
import re
from datetime import date, timedelta
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from crm.campaigns import engine, examples, harness, manual
from crm.campaigns.checker import check
from crm.campaigns.conditions import ContactFacts, Facts, TalkFacts, holds
from crm.campaigns.definition import Definition, Step
from crm.campaigns.letters import letters_in
from crm.campaigns.rules import show_close

ROOT = Path(__file__).resolve().parents[2]
LETTERS = letters_in(ROOT / "templates" / "mail")
WORKFLOWS = sorted((ROOT / "workflows").glob("*.yaml"))


def definition(path: Path) -> Definition:
    found, problems = check(path.read_text("utf-8"), path.name, LETTERS)
    assert found is not None, problems
    return found


FIRST = [path for path in WORKFLOWS if path.stem in ("overseas-buyer", "domestic-buyer")]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_shipped_workflow_has_no_mistakes(path: Path) -> None:
    assert definition(path).workflow == path.stem


@pytest.mark.parametrize("path", FIRST, ids=lambda path: path.stem)
def test_the_first_follow_up_uses_the_four_letters(path: Path) -> None:
    letters = [step.what for step in definition(path).steps if step.kind == "mail"]
    assert letters == ["thank_you", "catalogue", "sample_offer", "reminder"]


@pytest.mark.parametrize("country", ["DE", "US", "JP", "CN", "SG", "SA", "KR"])
@pytest.mark.parametrize("path", FIRST, ids=lambda path: path.stem)
def test_letters_go_out_around_the_days_that_the_advisors_ask_for(path: Path, country: str) -> None:
    workflow, days = (
        definition(path),
        {"thanks": (0, 4), "catalogue": (4, 12), "sample": (11, 21), "reminder": (26, 40)},
    )
    facts = Facts(ContactFacts(country), TalkFacts(rating=5))
    for shift in range(7):
        closed = show_close(date(2026, 10, 19) + timedelta(days=shift))
        buyer = engine.buyer_time(workflow, country, "", "", {})
        assert buyer is not None
        for row in engine.play(workflow, buyer, facts, closed, closed):
            if row.step in days:
                first, last = days[row.step]
                assert first <= (row.due_at - closed).days <= last, (row.step, row.due_at)


def test_every_lead_with_a_known_country_is_in_exactly_one_audience_if_it_talked_to_us() -> None:
    for country in ("KR", "JP", "US", "CN"):
        facts = Facts(ContactFacts(country), TalkFacts(met=True))
        assert sum(holds(definition(path).audience, facts) for path in WORKFLOWS) == 1


@pytest.mark.parametrize("name", manual.PAGES)
def test_the_documents_say_what_the_models_say(name: str) -> None:
    written = (ROOT / "docs" / name).read_text("utf-8")
    assert written == manual.PAGES[name](), "run: python -m crm.campaigns.manual"


@pytest.mark.parametrize("example", examples.EXAMPLES, ids=lambda example: example.title)
def test_every_example_of_the_documents_works(example: examples.Example) -> None:
    text = manual.with_snippet(example.snippet)
    assert all(line in text for line in example.snippet.splitlines())
    found, problems = check(text, "example.yaml", LETTERS)
    assert found is not None, problems


def test_every_key_of_a_workflow_stands_in_an_example() -> None:
    shown = "".join(example.snippet for example in examples.EXAMPLES)
    keys = {*Definition.model_fields, *Step.model_fields, "cap", "avoid", "clock", "holidays"}
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}:", shown)] == []


def test_the_example_of_tests_passes(tmp_path: Path) -> None:
    found, _problems = check(examples.BASE, "example.yaml", LETTERS)
    assert found is not None
    file = tmp_path / "example.yaml"
    file.write_text(examples.TESTS, "utf-8")
    [report] = harness.run_files([file], {"example": found}, {})
    assert report.passed, list(harness.told(report))


def test_the_schema_names_every_key_and_forbids_others() -> None:
    schema = json.loads(manual.schema())
    assert schema["properties"].keys() == Definition.model_fields.keys()
    assert schema["additionalProperties"] is False


def marked_texts() -> set[str]:
    found = set()
    for path in (ROOT / "crm" / "campaigns").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "N_"):
                text = node.args[0]
                if isinstance(text, ast.Constant):
                    found.add(str(text.value))
    return found


def placeholders(text: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in Formatter().parse(text) if name}


def test_every_text_is_translated_with_the_same_placeholders_and_no_exclamation_mark() -> None:
    with (ROOT / "crm" / "locale" / "ko" / "campaigns.po").open("rb") as file:
        korean = {str(entry.id): str(entry.string) for entry in read_po(file) if entry.id}
    assert korean.keys() == marked_texts()
    for english, text in korean.items():
        assert placeholders(english) == placeholders(text), english
        assert text
        assert "!" not in text.replace("!=", "")
