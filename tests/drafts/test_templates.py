import shutil
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.core.config import ROOT
from crm.core.errors import BadInput, NotFound, Refused
from crm.core.i18n import speaking
from crm.drafts.language import LANGUAGES
from crm.drafts.layout import plain
from crm.drafts.placeholders import PLACEHOLDERS, SAMPLES
from crm.drafts.templates import Library, escape, render


@pytest.fixture(autouse=True)
def _english():
    with speaking("en"):
        yield


@pytest.fixture
def folder(tmp_path):
    """A folder with one small letter that is right."""
    letter = tmp_path / "hello"
    letter.mkdir()
    (letter / "letter.yaml").write_text(
        "title: {ko: 인사, en: Hello}\ncommercial: true\nblocks: [greeting, body]\nplaceholders: [greeting, product]\n",
        "utf-8",
    )
    for language in LANGUAGES:
        (letter / f"{language}.md").write_text(
            "[[subject]]\nHello\n\n[[greeting]]\n{{ greeting }}\n\n[[body]]\n"
            "{% if product %}\nAbout {{ product }}.\n{% endif %}\n",
            "utf-8",
        )
    return tmp_path


def change(folder, name, old, new):
    path = folder / "hello" / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def problems(folder):
    with pytest.raises(BadInput) as caught:
        Library(folder)
    return caught.value.problems


def test_it_reads_a_letter(folder):
    letter = Library(folder).letter("hello")
    assert letter.blocks == ("greeting", "body")
    assert letter.title["ko"] == "인사"
    assert [block.id for block in render(letter, "en", SAMPLES).blocks] == ["greeting", "body"]


def test_a_letter_that_does_not_exist_is_not_found(folder):
    with pytest.raises(NotFound, match="Known: hello"):
        Library(folder).letter("helo")


def test_the_version_changes_with_every_file(folder):
    before = Library(folder).letter("hello").version
    assert Library(folder).letter("hello").version == before
    change(folder, "es.md", "Hello", "Hola")
    assert Library(folder).letter("hello").version != before


def test_a_missing_language_is_named(folder):
    (folder / "hello" / "ja.md").unlink()
    assert [str(folder / "hello" / "ja.md") == problem.place.file for problem in problems(folder)] == [True]


def test_an_unknown_placeholder_is_named_with_its_line_and_a_suggestion(folder):
    change(folder, "en.md", "About {{ product }}.", "About {{ produkt }}.")
    (problem,) = problems(folder)
    assert (problem.place.line, problem.hint) == (9, "Did you mean product?")


def test_a_placeholder_of_letter_yaml_must_exist(folder):
    change(folder, "letter.yaml", "[greeting, product]", "[greeting, prodct]")
    (problem,) = problems(folder)
    assert (problem.place.line, problem.hint) == (4, "Did you mean product?")


def test_a_placeholder_that_no_language_uses_is_named(folder):
    change(folder, "letter.yaml", "[greeting, product]", "[greeting, product, booth]")
    assert "booth" in problems(folder)[0].message


def test_an_unknown_key_of_letter_yaml_is_named(folder):
    change(folder, "letter.yaml", "commercial: true", "comercial: true")
    assert problems(folder)[0].hint == "Did you mean commercial?"


def test_blocks_must_be_the_same_in_every_language(folder):
    change(folder, "ko.md", "[[body]]", "[[boddy]]")
    found = problems(folder)
    assert (found[0].place.line, found[0].hint) == (7, "Did you mean body?")


def test_blocks_must_stand_in_the_order_of_letter_yaml(folder):
    change(folder, "letter.yaml", "[greeting, body]", "[body, greeting]")
    assert {problem.place.line for problem in problems(folder)} == {4}


def test_text_before_the_first_section_is_refused(folder):
    change(folder, "en.md", "[[subject]]\n", "Dear\n[[subject]]\n")
    assert problems(folder)[0].place.line == 1


@pytest.mark.parametrize(
    "trick",
    [
        "{{ greeting.__class__ }}",
        "{{ greeting * 1000000 }}",
        "{{ greeting|upper }}",
        "{% for a in greeting %}{% for b in greeting %}x{% endfor %}{% endfor %}",
        "{% for a in range(99999999) %}x{% endfor %}",
        "{% set x = 1 %}",
        "{% include 'ko.md' %}",
        "{{ greeting() }}",
        "{{ greeting ~ product }}",
    ],
)
def test_a_template_may_only_print_ask_and_list(folder, trick):
    change(folder, "en.md", "About {{ product }}.", trick)
    assert any(problem.place.line == 9 for problem in problems(folder))


def test_a_broken_tag_is_named_with_its_line(folder):
    change(folder, "en.md", "{% endif %}", "{% endf %}")
    assert problems(folder)[0].place.file.endswith("en.md")


def test_printing_a_fact_without_asking_for_it_is_refused_on_reading(folder):
    change(folder, "en.md", "{% if product %}\nAbout {{ product }}.\n{% endif %}", "About {{ product }}.")
    assert "not known" in problems(folder)[0].message


def test_a_condition_over_two_blocks_is_refused(folder):
    change(folder, "en.md", "[[body]]\n{% if product %}", "{% if product %}\n[[body]]")
    assert problems(folder)


def test_the_first_subject_that_fits_is_taken(folder):
    change(folder, "en.md", "[[subject]]\nHello", f"[[subject]]\nHello {'x' * 70}\nHello {{{{ greeting }}}}\nHi")
    assert render(Library(folder).letter("hello"), "en", SAMPLES).subject == "Hello Dear Ms Dela Cruz,"


def test_a_subject_that_comes_out_empty_is_refused(folder):
    change(folder, "en.md", "[[subject]]\nHello", "[[subject]]\n{% if product %}\nHello\n{% endif %}")
    assert "no subject" in problems(folder)[0].message


def test_a_value_with_a_line_break_cannot_break_the_subject(folder):
    change(folder, "en.md", "[[subject]]\nHello", "[[subject]]\nHello {{ greeting }}")
    known = replace(SAMPLES["en"], greeting="A\r\nBcc: victim@example.com")
    subject = render(Library(folder).letter("hello"), "en", {"en": known}).subject
    assert "\n" not in subject
    assert "\r" not in subject


def test_a_tag_in_a_value_stays_a_text(folder):
    known = replace(SAMPLES["en"], product="pumps {{ 7*7 }}")
    with pytest.raises(Refused, match="left in the letter"):
        render(Library(folder).letter("hello"), "en", {"en": known})


@given(st.text(st.characters(codec="utf-8"), max_size=40) | st.text("*_[]<>`\\&;-+.)1# \n", max_size=20))
def test_a_value_reads_letter_by_letter_whatever_it_holds(value):
    shown = " ".join("".join(char if char.isprintable() else " " for char in value).split())
    assert plain(f"a {escape(value)} z") == f"a {shown} z"
    assert plain(escape(value)) == shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_placeholder_has_a_sample_in_every_language(language):
    for name, placeholder in PLACEHOLDERS.items():
        optional = name in ("messenger", "catalogue_language") or name.startswith("season_")
        if not optional:
            assert placeholder.sample(language), name


def test_the_letters_of_the_project_survive_being_copied(tmp_path):
    shutil.copytree(ROOT / "templates" / "mail", tmp_path / "mail")
    original = {letter.name: letter.version for letter in Library(ROOT / "templates" / "mail").letters()}
    assert {letter.name: letter.version for letter in Library(tmp_path / "mail").letters()} == original
