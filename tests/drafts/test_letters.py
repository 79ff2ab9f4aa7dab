"""Every letter in every language for every kind of buyer, in text and in HTML."""

import re
from dataclasses import replace
from functools import cache

import pytest

from crm.core.config import ROOT
from crm.drafts.language import LANGUAGES
from crm.drafts.layout import links, to_html, to_text
from crm.drafts.names import NameParts, salute
from crm.drafts.placeholders import SAMPLES, least
from crm.drafts.rules import SUBJECT_LIMITS, check_content
from crm.drafts.templates import Library, render

LETTERS = (
    "thank_you",
    "catalogue",
    "sample_offer",
    "reminder",
    "sample_feedback",
    "quotation",
    "quotation_check",
    "distributor_proposal",
    "invitation",
)
WITH_CATALOGUE = ("thank_you", "catalogue", "reminder")
BUYERS = {
    "longest_name": NameParts(
        full_name="María Ximena de los Ángeles García-Zúñiga y Fernández de Córdoba",
        family_name="García-Zúñiga y Fernández de Córdoba",
        given_name="María Ximena de los Ángeles",
        gender="f",
        company="Novaterra Sistemas de Tratamiento Integral de Aguas Industriales S.A. de C.V.",
        country="MX",
    ),
    "name_only": NameParts(full_name="Stephen Fairbank"),
    "no_name": NameParts(title="Buyer", company="PT Olivares Flow Control", country="ID"),
    "company_only": NameParts(company="Elmaro *Packaging* [SG] Pte. Ltd.", country="SG"),
    "nothing": NameParts(),
    "hostile": NameParts(full_name="<script>alert(1)</script> **Bob**", company="=cmd|' /C calc'!A0"),
}
KNOWLEDGE = ("all", "least", "not_met", "no_product", "no_price", "no_catalogue")


@cache
def library():
    return Library(ROOT / "templates" / "mail")


def facts(language, buyer, knowledge="all", needs=()):
    """Facts of which something is not known; what a letter needs always is, since it is held otherwise."""
    full = SAMPLES[language]
    if knowledge == "no_product" and "product" in needs:
        knowledge = "least"
    known = {
        "all": full,
        "least": least(full, needs),
        "not_met": replace(full, met_on=None, requested=(), promised_by=None),
        "no_product": replace(full, product=None),
        "no_price": replace(full, price=None),
        "no_catalogue": replace(full, catalogue_url=None, catalogue_language=None),
    }[knowledge]
    salutation = salute(BUYERS[buyer], language)
    return replace(known, greeting=salutation.greeting, mention=salutation.mention)


def test_all_letters_are_there():
    assert {letter.name for letter in library().letters()} == set(LETTERS)


@pytest.mark.parametrize("knowledge", KNOWLEDGE)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", LETTERS)
def test_every_letter_is_whole_for_every_buyer(name, language, knowledge):
    for buyer in BUYERS:
        template = library().letter(name)
        letter = render(template, language, {language: facts(language, buyer, knowledge, template.needs)})
        text, page = to_text(letter.blocks), to_html(letter.blocks, language)
        assert letter.subject.strip() == letter.subject
        assert len(letter.subject.splitlines()) == 1
        for part in (letter.subject, text, page):
            assert not re.search(r"\bNone\b|\{\{|\{%|\[\[|[\ue000\ue001]|undefined", part)
        assert "\n\n\n" not in text
        assert "<script>" not in page
        assert f'<html lang="{language}">' in page


@pytest.mark.parametrize("knowledge", KNOWLEDGE)
@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_says_the_same_blocks_in_every_language(name, knowledge):
    letter = library().letter(name)
    known = {language: facts(language, "name_only", knowledge, letter.needs) for language in LANGUAGES}
    said = {language: [block.id for block in render(letter, language, known).blocks] for language in LANGUAGES}
    assert all(blocks == said["ko"] for blocks in said.values()), said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", LETTERS)
def test_text_and_html_carry_the_same_links(name, language):
    letter = render(library().letter(name), language, SAMPLES)
    text, page = to_text(letter.blocks), to_html(letter.blocks, language)
    hrefs = re.findall(r'href="([^"]+)"', page)
    assert hrefs == [link for block in letter.blocks for link in links(block.text)]
    assert hrefs == re.findall(r"https?://[\w./-]+\w", text)
    assert "https://hanbit.example/catalogue/en.pdf" in hrefs or name not in WITH_CATALOGUE


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_as_written_passes_its_own_checks(name, language):
    template = library().letter(name)
    for known in (SAMPLES[language], least(SAMPLES[language], template.needs)):
        letter = render(template, language, {language: known})
        assert check_content(language, letter.subject, [block.text for block in letter.blocks]) == []
        assert len(letter.subject) <= SUBJECT_LIMITS[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_filled_in_values_are_marked_and_only_they(language):
    letter = render(library().letter("catalogue"), language, SAMPLES)
    marked = {value for block in letter.blocks for value in re.findall("\ue000([^\ue001]*)\ue001", block.marked)}
    assert SAMPLES[language].exporter in marked
    assert {SAMPLES[language].greeting, "8481.80"} <= marked
    assert all(re.sub("[\ue000\ue001]", "", block.marked) == block.text for block in letter.blocks)


def test_a_letter_without_facts_is_shorter():
    whole = render(library().letter("thank_you"), "en", SAMPLES)
    short = render(library().letter("thank_you"), "en", {"en": least(SAMPLES["en"])})
    assert [block.id for block in short.blocks] == ["greeting", "thanks", "question", "closing", "signature"]
    assert len(to_text(short.blocks)) < len(to_text(whole.blocks)) / 2


def test_a_price_is_left_out_unless_currency_unit_terms_and_validity_are_known():
    for missing in ("currency", "moq_unit", "price_valid_until", "incoterm_place"):
        known = replace(SAMPLES["en"], **{missing: None})
        text = to_text(render(library().letter("catalogue"), "en", {"en": known}).blocks)
        assert "Indicative price" not in text, missing
        assert "12.50" not in text, missing


def test_a_catalogue_in_another_language_says_so():
    japanese = replace(SAMPLES["ja"], catalogue_language="ja")
    letter = library().letter("catalogue")
    assert "英語版" in to_text(render(letter, "ja", SAMPLES).blocks)
    assert "版）" not in to_text(render(letter, "ja", {"ja": japanese}).blocks)


def test_many_letters_made_at_once_do_not_mix_up_their_buyers():
    from concurrent.futures import ThreadPoolExecutor

    letter = library().letter("thank_you")

    def written(number):
        known = replace(SAMPLES["en"], greeting=f"Dear Buyer {number},")
        return render(letter, "en", {"en": known}).blocks[0].text

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(written, range(200))) == [f"Dear Buyer {number}," for number in range(200)]
