import shutil
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.core.config import ROOT
from crm.core.errors import BadInput, NotFound, Refused
from crm.core.i18n import speaking
from crm.drafts.language import LANGUAGES, chain
from crm.drafts.layout import plain
from crm.drafts.placeholders import HOME_SAMPLE, PLACEHOLDERS, PLACES, SAMPLES, Quoted, least, values
from crm.drafts.templates import Library, escape, missing, render


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
    (letter / "ko-KR.md").write_text("[[subject]]\nHello, Korea\n", "utf-8")
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
    (problem,) = problems(folder)
    assert (problem.place.line, problem.message) == (8, "product is printed where it is not known.")


def test_a_condition_over_two_blocks_is_refused(folder):
    change(folder, "en.md", "[[body]]\n{% if product %}", "{% if product %}\n[[body]]")
    assert "not closed in the block greeting" in problems(folder)[0].message


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


# --- variants ---------------------------------------------------------------------------------------------------------


def write(folder, name, text):
    (folder / "hello" / name).write_text(text, "utf-8")


def written(folder, language="en", **how):
    return render(Library(folder).letter("hello"), language, SAMPLES, **how)


@pytest.mark.parametrize(
    ("language", "country", "files"),
    [
        ("es", "ES", ("es-ES", "es")),
        ("es", "MX", ("es",)),
        ("ko", "KR", ("ko-KR", "ko")),
        ("ko", None, ("ko",)),
        ("en", "ph", ("en-US", "en")),
        ("en", "KR", ("en",)),
        ("zh-Hant", "MO", ("zh-Hant-HK", "zh-Hant")),
        ("zh-Hant", "TW", ("zh-Hant",)),
    ],
)
def test_the_files_a_letter_is_looked_up_in_are_stated(language, country, files):
    assert chain(language, country) == files


def test_a_variant_says_its_blocks_and_takes_the_others_from_its_language(folder):
    write(folder, "en-US.md", "[[body]]\nWe write to America.\n")
    american, british = written(folder, country="US"), written(folder, country="GB")
    assert [block.text for block in american.blocks] == ["Dear Ms Dela Cruz,", "We write to America."]
    assert (american.variant, british.variant) == ("en-US", "en")
    assert "America" not in british.blocks[1].text


def test_a_variant_may_have_its_own_subject(folder):
    write(folder, "es-ES.md", "[[subject]]\nOferta\n")
    assert written(folder, "es", country="ES").subject == "Oferta"


def test_without_a_country_the_language_itself_writes(folder):
    write(folder, "ko-KR.md", "[[body]]\n국내\n")
    assert written(folder, "ko").variant == "ko"


def test_every_letter_has_its_version_between_koreans(folder):
    (folder / "hello" / "ko-KR.md").unlink()
    (problem,) = problems(folder)
    assert (problem.place.file, problem.hint) == (str(folder / "hello" / "ko-KR.md"), "Write it.")


def test_a_file_of_another_name_is_named(folder):
    write(folder, "es-MX.md", "[[body]]\nHola\n")
    (problem,) = problems(folder)
    assert problem.place.file == str(folder / "hello" / "es-MX.md")
    assert "es-ES.md" in problem.hint


def test_what_is_hidden_is_no_part_of_a_letter(folder):
    before = Library(folder).letter("hello").version
    write(folder, ".en.md.swp", "")
    assert Library(folder).letter("hello").version == before


def test_the_version_changes_with_a_variant(folder):
    before = Library(folder).letter("hello").version
    write(folder, "es-ES.md", "[[subject]]\nOferta\n")
    assert Library(folder).letter("hello").version != before


def test_a_block_that_only_a_variant_has_is_named_with_its_line(folder):
    write(folder, "es-ES.md", "[[subject]]\nOferta\n\n[[boddy]]\nHola\n")
    (problem,) = problems(folder)
    assert (problem.place.line, problem.hint) == (4, "Did you mean body?")


def test_a_variant_that_says_nothing_is_named(folder):
    write(folder, "es-ES.md", "{# nothing yet #}\n")
    assert problems(folder)[0].hint == "Delete the file."


def test_blocks_of_a_variant_stand_in_order_too(folder):
    write(folder, "es-ES.md", "[[body]]\nHola\n\n[[subject]]\nOferta\n")
    assert problems(folder)[0].place.line == 4


def test_a_variant_is_tried_out_with_few_facts(folder):
    write(folder, "es-ES.md", "[[body]]\nHola\nSobre {{ product }}.\n")
    (problem,) = problems(folder)
    assert (problem.place.file, problem.place.line) == (str(folder / "hello" / "es-ES.md"), 3)
    assert problem.message == "product is printed where it is not known."


def test_a_letter_between_koreans_names_no_incoterm(folder):
    change(folder, "letter.yaml", "[greeting, product]", "[greeting, product, delivery_terms]")
    change(
        folder,
        "ko.md",
        "About {{ product }}.",
        "About {{ product }}, {% if delivery_terms %}{{ delivery_terms }}{% endif %}.",
    )
    write(folder, "ko-KR.md", "[[body]]\n\n{% if delivery_terms %}{{ delivery_terms }}{% endif %}\n")
    (problem, *_rest) = problems(folder)
    assert (problem.place.line, problem.message) == (3, "A letter between Koreans does not say delivery_terms.")


def test_what_a_letter_between_koreans_takes_from_korean_leaves_the_incoterm_out(folder):
    change(folder, "letter.yaml", "[greeting, product]", "[greeting, product, delivery_terms]")
    change(folder, "ko.md", "About {{ product }}.", "{% if delivery_terms %}\n{{ delivery_terms }}\n{% endif %}\n국내")
    write(folder, "ko-KR.md", "[[subject]]\n안내\n")
    assert "FOB" in written(folder, "ko").blocks[1].text
    assert "FOB" not in written(folder, "ko", country="KR").blocks[1].text


# --- other wordings ---------------------------------------------------------------------------------------------------


def say_otherwise(folder, languages=LANGUAGES):
    for language in languages:
        change(folder, f"{language}.md", "[[body]]\n", "[[body]]\nOne.\n\n[[body 2]]\nTwo.\n\n[[body 3]]\n")


def test_each_turn_has_its_wording(folder):
    say_otherwise(folder)
    texts = [written(folder, turn=turn).blocks[1].text for turn in range(5)]
    assert texts == ["One.", "Two.", "About actuators.", "One.", "Two."]


def test_wordings_are_as_many_in_every_language(folder):
    say_otherwise(folder, [language for language in LANGUAGES if language != "ja"])
    (problem,) = problems(folder)
    assert (problem.place.file, problem.place.line) == (str(folder / "hello" / "ja.md"), 7)
    assert problem.message == "The block body has 1 wordings here and 3 in ko.md."


def test_a_variant_does_not_change_how_many_wordings_there_are(folder):
    say_otherwise(folder)
    write(folder, "es-ES.md", "[[body]]\nUno.\n\n[[body 2]]\nDos.\n")
    assert problems(folder)[0].place.line == 4


@pytest.mark.parametrize("heads", [("[[body 2]]", "[[body]]"), ("[[body]]", "[[body 3]]"), ("[[body]]", "[[body]]")])
def test_wordings_are_counted_one_after_another(folder, heads):
    for language in LANGUAGES:
        change(folder, f"{language}.md", "[[body]]\n", f"{heads[0]}\nOne.\n\n{heads[1]}\n")
    assert "right behind" in problems(folder)[0].message


def test_there_is_one_subject(folder):
    change(folder, "en.md", "[[subject]]\nHello", "[[subject]]\nHello\n\n[[subject 2]]\nHi")
    assert problems(folder)[0].place.line == 4


def test_every_wording_is_tried_out(folder):
    for language in LANGUAGES:
        change(folder, f"{language}.md", "[[body]]\n", "[[body]]\nOne.\n\n[[body 2]]\n")
    change(folder, "en.md", "{% if product %}\nAbout {{ product }}.\n{% endif %}", "About {{ product }}.")
    (problem,) = problems(folder)
    assert problem.place.line == 11


def test_a_condition_may_not_reach_from_one_wording_into_the_next(folder):
    for language in LANGUAGES:
        change(folder, f"{language}.md", "[[body]]\n{% if product %}\n", "[[body]]\n{% if product %}\n[[body 2]]\n")
    assert "not closed in the block body" in problems(folder)[0].message


# --- what a letter needs and what goes along --------------------------------------------------------------------------


def need(folder, *names):
    change(folder, "letter.yaml", "commercial: true", f"commercial: true\nneeds: [{', '.join(names)}]")


def test_what_is_needed_may_be_printed_unasked(folder):
    need(folder, "product")
    change(folder, "en.md", "{% if product %}\nAbout {{ product }}.\n{% endif %}", "About {{ product }}.")
    assert written(folder).blocks[1].text == "About actuators."


def test_what_is_needed_and_not_known_is_told(folder):
    need(folder, "product")
    letter = Library(folder).letter("hello")
    assert missing(letter, least(SAMPLES["en"]), "en") == ["product"]
    assert missing(letter, SAMPLES["en"], "en") == []


def test_what_is_needed_must_be_a_placeholder_of_the_letter(folder):
    need(folder, "booth")
    (problem,) = problems(folder)
    assert (problem.place.line, problem.place.field) == (3, "needs")


def test_a_letter_between_koreans_does_not_need_an_incoterm(folder):
    change(folder, "letter.yaml", "[greeting, product]", "[greeting, product, quotation_terms]")
    need(folder, "quotation_terms")
    letter = Library(folder).letter("hello")
    home = replace(HOME_SAMPLE, quotation=None)
    assert missing(letter, home, "ko", "KR") == []
    assert missing(letter, home, "ko") == ["quotation_terms"]


def test_what_may_go_along_is_known(folder):
    change(folder, "letter.yaml", "commercial: true", "commercial: true\nattach: [catalogue, brochure]")
    (problem,) = problems(folder)
    assert (problem.place.line, problem.place.field) == (3, "attach")
    change(folder, "letter.yaml", "[catalogue, brochure]", "[catalogue, meeting]")
    assert Library(folder).letter("hello").attach == ("catalogue", "meeting")


def test_of_a_whole_only_the_needed_parts_are_kept():
    few = least(SAMPLES["en"], ["quotation_number", "meeting_slots"])
    assert few.quotation == Quoted(number="HV-2026-041")
    assert few.meeting == replace(SAMPLES["en"].meeting, minutes=None, place=None, online=False)
    assert few.contract is None


def test_what_each_placeholder_is_made_of_is_stated():
    """A placeholder shows something as soon as the facts it is said to be made of are known."""
    for name, placeholder in PLACEHOLDERS.items():
        if placeholder.sample("ja"):
            assert placeholder.value(least(SAMPLES["ja"], [name]), "ja") == placeholder.sample("ja"), name


def test_every_placeholder_says_where_it_is_filled_in():
    assert {placeholder.where for placeholder in PLACEHOLDERS.values()} <= set(PLACES)


def test_between_koreans_a_price_is_in_won_without_an_incoterm():
    assert values(HOME_SAMPLE, "ko", home=True)["price"] == "1개당 16,500원"
    assert values(replace(HOME_SAMPLE, currency="USD"), "ko", home=True)["price"] is None
    assert values(HOME_SAMPLE, "ko", home=True)["delivery_terms"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_placeholder_has_a_sample_in_every_language(language):
    for name, placeholder in PLACEHOLDERS.items():
        optional = name in ("messenger", "catalogue_language", "attached") or name.startswith("season_")
        if not optional:
            assert placeholder.sample(language), name


def test_the_letters_of_the_project_survive_being_copied(tmp_path):
    shutil.copytree(ROOT / "templates" / "mail", tmp_path / "mail")
    original = {letter.name: letter.version for letter in Library(ROOT / "templates" / "mail").letters()}
    assert {letter.name: letter.version for letter in Library(tmp_path / "mail").letters()} == original


def test_a_line_of_words_between_tags_keeps_its_break(folder):
    change(folder, "en.md", "About {{ product }}.", "{% if product %}About {{ product }}.{% endif %}\nOne more line.")
    (body,) = render(Library(folder).letter("hello"), "en", SAMPLES).blocks[1:]
    assert body.text == "About actuators.\nOne more line."
