"""What is composed passes, and whatever is taken away from it blocks."""

from dataclasses import replace

import pytest

from crm.clearance.composition import footer, required_parts, subject_label, with_label
from crm.clearance.lawbook import lawbook
from crm.clearance.question import LetterKind, Policy
from crm.clearance.rules import basis_of, evaluate
from tests.clearance.cases import NOW, SENDER, basis, blocks, question, written

SEVEN = ["KR", "JP", "US", "SG", "CN", "ES", "DE"]
EVERYWHERE = [*sorted(lawbook().countries), "KE"]
LANGUAGES = ["ko", "en", "zh-Hans", "zh-Hant", "ja", "es"]


@pytest.mark.parametrize("country", EVERYWHERE)
def test_it_composes_label_and_footer_that_pass_in_every_country(country: str) -> None:
    asked = question(country, basis(), moment=NOW.replace(hour=14))

    assert not blocks(written(asked))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("country", SEVEN)
def test_it_composes_a_footer_that_passes_in_every_letter_language(country: str, language: str) -> None:
    asked = question(country, basis())
    asked = replace(asked, letter=replace(asked.letter, language=language))

    assert not blocks(written(asked))


@pytest.mark.parametrize(
    ("country", "item", "language"),
    [
        (country, part.item, part.language)
        for country in [*SEVEN, "KE", "AR", "HK", "VN", "MX"]
        for part in required_parts(question(country, basis("card_handed")), "card_handed")
    ],
)
def test_it_blocks_when_one_item_of_the_footer_is_taken_away(country: str, item: str, language: str) -> None:
    asked = written(question(country, basis(), basis("card_handed")))
    text = asked.letter.text or ""
    for part in required_parts(asked, basis_of(asked)):
        if (part.item, part.language) == (item, language):
            for proof in part.proofs:
                text = text.replace(proof, "")
    faults = {
        (verdict.params["item"], verdict.params["language"])
        for verdict in evaluate(replace(asked, letter=replace(asked.letter, text=text)))
        if verdict.code in ("LAW_FOOTER_MISSING", "LAW_FOOTER_LANGUAGE")
    }

    spared = item == "advertisement_identification"  # not required with an opt-in
    assert spared or (item, language) in faults


def test_it_passes_a_letter_that_was_approved_with_the_words_of_an_older_program() -> None:
    asked = written(question("US", basis()))
    [now] = [part for part in required_parts(asked, basis_of(asked)) if part.item == "unsubscribe_statement"]
    older = "If you do not wish to receive further e-mail from us, please use the link below."
    text = (asked.letter.text or "").replace(now.line, older)

    assert older in text
    assert not blocks(replace(asked, letter=replace(asked.letter, text=text)))


def test_it_writes_the_korean_refusal_notice_in_korean_and_english() -> None:
    lines = footer(question("KR", basis()), "express_optin").lines

    assert "메일을 더 받고 싶지 않으시면 아래 링크에서 수신을 거부하실 수 있습니다." in lines
    assert "You may unsubscribe from our e-mail at any time with the link below." in lines
    assert "수신 거부에는 비용이 들지 않습니다." in lines
    assert lines.index("https://ieum.example/u/t1") > lines.index("전화: +82 31 000 0000")


def test_it_says_in_the_letters_language_where_the_address_was_obtained() -> None:
    lines = footer(question("ES", basis()), "express_optin").lines

    assert "Dónde obtuvimos su dirección: Food Expo 2026, stand B-12, 14 de noviembre de 2026" in lines


def test_it_names_the_operator_and_the_exporter_it_sends_for() -> None:
    lines = footer(question("JP", basis()), "express_optin").lines

    assert "本メールは、Hanbit Valve Co., Ltd.の委託を受けてKINTEX Post-Show Deskが送信しています。" in lines


def test_it_carries_the_two_statutory_texts_of_argentina() -> None:
    lines = footer(question("AR", basis("card_handed")), "card_handed").lines

    assert sum("Ley 25.326" in line or "Decreto 1558/2001" in line for line in lines) == 2


def test_it_identifies_an_american_advertisement_unless_the_buyer_opted_in() -> None:
    sentence = "Hanbit Valve Co., Ltd. sends this e-mail as an advertisement."

    assert sentence in footer(question("US"), "opt_out_regime").lines
    assert sentence not in footer(question("US", basis()), "express_optin").lines


def test_it_repeats_no_line() -> None:
    lines = footer(question("HK", basis()), "express_optin").lines

    assert len(lines) == len(set(lines))


def test_it_writes_the_footer_in_english_for_a_language_without_sentences() -> None:
    asked = question("BR", basis("legitimate_interest"))
    asked = replace(asked, letter=replace(asked.letter, language="pt"))

    assert "Address: 12 Hanbit-ro, Goyang-si, Republic of Korea" in footer(asked, "legitimate_interest").lines


def test_it_asks_little_of_a_letter_about_an_order() -> None:
    asked = question("DE")
    asked = replace(asked, letter=replace(asked.letter, kind=LetterKind.TRANSACTIONAL))

    assert {part.item for part in required_parts(asked, None)} == {"sender_legal_name", "sender_contact"}


@pytest.mark.parametrize("country", ["HK"])
def test_it_refuses_a_post_office_box_where_a_street_is_asked_for(country: str) -> None:
    boxed = replace(SENDER, postal_address="P.O. Box 12, Goyang-si, Republic of Korea")

    assert blocks(question(country, basis(), sender=boxed)) == {"LAW_FOOTER_FACT_UNKNOWN"}


def test_it_blocks_at_planning_when_a_fact_for_the_footer_is_missing() -> None:
    asked = question("DE", basis(), sender=replace(SENDER, privacy_url=""))

    (verdict,) = [one for one in evaluate(asked) if one.level == "block"]
    assert (verdict.code, verdict.params["item"], verdict.resolves) == (
        "LAW_FOOTER_FACT_UNKNOWN",
        "privacy_notice_link",
        "COMPLETE_FACTS",
    )


@pytest.mark.parametrize(
    ("country", "rests_on", "label"),
    [
        ("KR", "express_optin", "(광고)"),
        ("CN", "express_optin", "广告"),
        ("SG", "card_handed", "<ADV>"),
        ("SG", "express_optin", None),
        ("AR", "card_handed", "publicidad"),
        ("AR", "transaction", None),
        ("PE", "express_optin", "PUBLICIDAD"),
        ("JP", "card_handed", None),
        ("US", "opt_out_regime", None),
        ("DE", "express_optin", None),
        ("KE", "express_optin", None),
    ],
)
def test_it_knows_the_label_of_a_country_and_a_basis(country: str, rests_on: str, label: str | None) -> None:
    assert subject_label(country, rests_on) == label


def test_it_needs_no_label_on_the_answer_to_a_request() -> None:
    assert subject_label("KR", "requested_info", kind=LetterKind.REQUESTED) is None
    assert subject_label("KR", "express_optin", kind=LetterKind.REQUESTED) == "(광고)"


def test_it_puts_the_korean_label_after_the_countrys_own_when_the_overlay_is_on() -> None:
    assert subject_label("CN", "express_optin", korean_overlay=True) == "广告 (광고)"
    assert subject_label("JP", "card_handed", korean_overlay=True) == "(광고)"
    assert subject_label("KR", "express_optin", korean_overlay=True) == "(광고)"


def test_it_asks_for_both_rules_when_the_overlay_is_on() -> None:
    asked = question("CN", basis(), policy=Policy(korean_overlay="on"))
    lines = footer(asked, "express_optin").text
    letter = replace(asked.letter, subject="广告 (광고) 产品目录", text=lines)

    assert not blocks(replace(asked, letter=letter))
    assert blocks(replace(asked, letter=replace(letter, subject="广告 产品目录"))) == {"LAW_LABEL_MISSING"}
    assert "수신 거부에는 비용이 들지 않습니다." in lines


def test_it_puts_a_label_only_once() -> None:
    once = with_label("Hello", "(광고)")

    assert once == "(광고) Hello"
    assert with_label(once, "(광고)") == once
    assert with_label("Hello", None) == "Hello"
