"""Documents that can be checked are."""

import re
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import countries  # noqa: E402
import reference  # noqa: E402

from crm.imports.countries import NAMES  # noqa: E402


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_the_reference_pages_are_those_of_the_code(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == reference.PAGES[name](), "run: make docs"


def test_the_names_of_countries_are_those_of_the_locked_cldr() -> None:
    assert NAMES.read_text("utf-8") == countries.text(), "run: make docs"


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "README.ko.md",
        "CONTRIBUTING.md",
        *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
        "docs/decisions/README.md",
    ],
)
def test_every_link_of_a_document_leads_somewhere(name: str) -> None:
    page = ROOT / name
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_readme_shows_the_two_commands(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "make demo" in text
    assert "make test" in text


def test_ci_runs_the_tests_the_readme_names() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_no_package_index_is_named_in_any_locked_file() -> None:
    for name in ("constraints.txt", "pyproject.toml", "Makefile", ".ci/run"):
        text = (ROOT / name).read_text("utf-8")
        assert not re.search(r"--(extra-)?index-url|--find-links|https?://[^ ]*(pypi|simple)", text), name


def test_what_the_guide_of_the_staff_tells_to_press_stands_on_a_page() -> None:
    said: set[str] = set()
    for path in (ROOT / "crm" / "locale" / "ko").glob("*.po"):
        with path.open("rb") as file:
            said |= {str(entry.string).rstrip(".") for entry in read_po(file)}
    guide = (ROOT / "docs" / "staff.ko.md").read_text("utf-8")
    pressed = {word.rstrip(".") for word in re.findall(r"\*\*([^*]+)\*\*", guide)}
    assert pressed - said == set()


@pytest.mark.parametrize("room", ["campaigns", "imports"])
def test_the_page_of_a_room_names_each_of_its_modules(room: str) -> None:
    page = (ROOT / "docs" / f"{room}.md").read_text("utf-8")
    table = page.partition("## Modules")[2].partition("\n## ")[0]
    first_column = "".join(re.findall(r"(?m)^\|[^|]*\|", table))
    named = set(re.findall(r"`(\w+)`", first_column))
    assert named == {path.stem for path in (ROOT / "crm" / room).glob("*.py")} - {"__init__"}
