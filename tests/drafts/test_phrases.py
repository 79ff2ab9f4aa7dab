"""The list of phrases that must not stand in a letter."""

import pytest

from crm.campaigns.language import LANGUAGES
from crm.core.i18n import speaking
from crm.drafts.names import NameParts
from crm.drafts.phrases import GREETING, PHRASE, all_phrases, find
from crm.drafts.rules import Finding, check_content
from crm.drafts.texts import TITLES, say

PHRASES = [pytest.param(phrase, id=f"{phrase.number}-{phrase.words[0]}") for phrase in all_phrases()]


def found(phrase, text):
    return phrase.found(text)


@pytest.mark.parametrize("phrase", PHRASES)
def test_an_entry_finds_its_example_and_not_its_better_wording(phrase):
    assert found(phrase, phrase.example)
    assert not found(phrase, phrase.better)


@pytest.mark.parametrize("phrase", PHRASES)
def test_an_entry_gives_its_reason_in_both_languages_of_the_pages(phrase):
    assert phrase.why["ko"] != phrase.why["en"]
    assert phrase.languages <= set(LANGUAGES)
    assert phrase.code == PHRASE or phrase.code in TITLES


@pytest.mark.parametrize("phrase", PHRASES)
def test_an_entry_is_searched_by_words_in_small_letters(phrase):
    assert all(word == word.lower() for word in phrase.words)


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_better_wording_breaks_no_other_entry(phrase):
    for language in phrase.languages:
        country = "ES" if "ES" in phrase.countries else "MX" if language == "es" else ""
        assert [one.words for one, _ in find(language, [(phrase.part, phrase.better)], country=country)] == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Dear Sir,"),
        ("en", "I HOPE THIS EMAIL FINDS YOU WELL"),
        ("zh-Hant", "我們重視質量"),
        ("zh-Hans", "产品影片"),
        ("ja", "了解しました。"),
        ("es", "Espero que este correo le encuentre bien."),
        ("ko", "언제든지 연락 주세요."),
    ],
)
def test_an_edited_letter_is_held_against_the_list_too(language, text):
    (finding,) = check_content(language, "Subject", ["greeting", text])
    assert (finding.level, finding.code) == ("check", PHRASE)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Dear Sir or Madam,"),
        ("en", "See https://a.example/hope-finds-you-well/asap"),
        ("en", "Please revise the drawing."),
        ("zh-Hans", "高品质"),
        ("zh-Hans", "500件以上"),
        ("zh-Hant", "請寄電子郵件，或與我聯絡"),
        ("ja", "様式をお送りいたします"),
        ("ja", "3つの候補日"),
        ("ko", "필요 수량을 알려 주시겠습니까?"),
        ("ko", "요즘 날씨가 좋습니다."),
        ("es", "su empresa y su actual proveedor"),
        ("es", "¿Se ajusta a su presupuesto?"),
    ],
)
def test_good_words_near_to_bad_ones_pass(language, text):
    assert check_content(language, "Subject", ["greeting", text]) == []


@pytest.mark.parametrize(
    ("language", "country", "text", "wrong"),
    [
        ("es", "ES", "nuestra cotización", True),
        ("es", "MX", "nuestra cotización", False),
        ("es", "MX", "nuestro presupuesto", True),
        ("es", "ES", "nuestro presupuesto", False),
        ("zh-Hant", "TW", "網絡", True),
        ("zh-Hant", "HK", "網絡", False),
        ("ko", "KR", "HS 코드: 8481.80", True),
        ("ko", "SG", "HS 코드: 8481.80", False),
    ],
)
def test_some_words_are_wrong_in_some_countries_only(language, country, text, wrong):
    letter = check_content(language, "Subject", ["", text], addressee=NameParts(country=country))
    assert [finding.code for finding in letter] == ([PHRASE] if wrong else [])


def test_some_words_are_wrong_in_a_template_only():
    assert list(find("en", [(GREETING, "Dear Mrs Dela Cruz,")], template="thank_you"))
    assert not list(find("en", [(GREETING, "Dear Mrs Dela Cruz,")]))
    opener = "いつもお世話になっております。"
    assert list(find("ja", [("", opener)], template="thank_you"))
    assert not list(find("ja", [("", opener)], template="quotation_check"))


def test_the_sentence_gives_the_words_the_reason_and_the_better_wording():
    (finding,) = check_content("en", "Subject", ["", "Kindly revert."])
    with speaking("en"):
        title, sentence = say(finding)
    assert title == "Better said in another way"
    assert sentence == (
        "“kindly revert”: English of one region; elsewhere it says something else."
        " Better: Please let me know by 24 April."
    ).replace("kindly", "Kindly")


def test_each_phrase_is_told_once():
    twice = check_content("en", "Subject", ["", "ASAP. Kindly revert asap."])
    assert [finding.params["text"] for finding in twice] == ["ASAP", "Kindly revert"]
    assert isinstance(twice[0], Finding)
