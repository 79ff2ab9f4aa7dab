"""What the letters from the thank-you to the quotation's follow-up say for which facts."""

import re
from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.core.config import ROOT
from crm.drafts.layout import to_text
from crm.drafts.placeholders import HOME_SAMPLE, SAMPLES, Quoted, QuotedLine, Request, least, values
from crm.drafts.templates import Library, missing, render

LETTERS = ("thank_you", "catalogue", "sample_offer", "sample_feedback", "reminder", "quotation", "quotation_check")
TURNS = range(3)


@cache
def library():
    return Library(ROOT / "templates" / "mail")


def write(name, language, facts, country=None, turn=0):
    letter = render(library().letter(name), language, {language: facts}, country=country, turn=turn)
    return f"{letter.subject}\n{to_text(letter.blocks)}"


def abroad(language, country):
    return replace(SAMPLES[language], country=country)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", LETTERS)
def test_between_koreans_nothing_is_said_of_customs_and_prices_leave_vat_out(name, turn):
    text = write(name, "ko", HOME_SAMPLE, "KR", turn)
    assert not re.search(r"FOB|Incoterm|HS 코드|FTA|통관|USD|KRW|화상|견적송장|신용장|선적", text)
    assert "부가세 별도" in text or not re.search(r"\d원", text)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", LETTERS)
def test_spain_reads_oferta_and_spanish_america_cotizacion(name, turn):
    spain, mexico = (write(name, "es", abroad("es", land), land, turn).lower() for land in ("ES", "MX"))
    assert "cotizaci" not in spain
    assert "oferta" not in mexico


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", LETTERS)
def test_americans_read_american_words(name, turn):
    text = re.sub(r"https?://\S+", "", write(name, "en", abroad("en", "US"), "US", turn))
    assert not re.search(r"catalogue|labelling|enquiry", text, re.IGNORECASE)


def test_a_letter_to_america_may_close_with_sincerely():
    assert "\nSincerely,\n" in write("reminder", "en", abroad("en", "US"), "US")
    assert "Sincerely" not in write("reminder", "en", abroad("en", "GB"), "GB")


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", LETTERS)
def test_hong_kong_does_not_read_words_of_taiwan(name, turn):
    text = write(name, "zh-Hant", abroad("zh-Hant", "HK"), "HK", turn)
    assert not re.search("型錄|電子郵件|視訊|稅則號列|(?<!貨)交期", text)


@pytest.mark.parametrize("language", SAMPLES)
def test_the_thank_you_names_one_day_only(language):
    facts = SAMPLES[language]
    late, soon = (values(facts, language)[name] for name in ("reply_by", "promised_by"))
    assert late not in write("thank_you", language, facts)
    assert soon in write("thank_you", language, facts)
    assert late in write("thank_you", language, replace(facts, promised_by=None))


def test_the_thank_you_asks_for_what_was_talked_about():
    facts = replace(SAMPLES["en"], requested=())
    cold = replace(facts, rating=2)
    assert "Which week would suit you" in write("thank_you", "en", replace(cold, requested=(Request.MEETING,)))
    assert "On what quantity" in write("thank_you", "en", replace(cold, requested=(Request.QUOTATION,)), turn=1)
    assert "Shall we prepare a quotation now" in write("thank_you", "en", facts)
    assert "quotation" not in write("thank_you", "en", replace(facts, requested=(Request.SAMPLE,)))
    assert "prices and terms first" in write("thank_you", "en", cold)
    assert "What products are you looking for" in write("thank_you", "en", replace(cold, noted=False))


@pytest.mark.parametrize("language", SAMPLES)
@pytest.mark.parametrize("name", ["thank_you", "catalogue", "reminder"])
def test_a_catalogue_is_attached_or_linked_never_both(name, language):
    link = SAMPLES[language].catalogue_url
    for turn in TURNS:
        assert link in write(name, language, SAMPLES[language], turn=turn)
        assert link not in write(name, language, replace(SAMPLES[language], attached=True), turn=turn)


def test_an_attached_catalogue_in_another_language_says_so():
    facts = replace(SAMPLES["ja"], attached=True, catalogue_url=None)
    assert "カタログ（英語版）を添付" in write("catalogue", "ja", facts)


def test_the_reminder_has_the_newest_reason_to_write():
    facts = SAMPLES["en"]
    assert "is valid until 30 June 2026" in write("reminder", "en", facts)
    assert "lead time for actuators is 30 days" in write("reminder", "en", replace(facts, price=None))
    show = write("reminder", "en", replace(facts, price=None, lead_time_days=None))
    assert "We will exhibit again at Hanbit International Industry Fair 2027" in show


def test_the_catalogue_letter_needs_a_product_and_the_quotation_its_figures():
    few = least(SAMPLES["en"])
    assert missing(library().letter("catalogue"), few, "en") == ["product"]
    assert missing(library().letter("quotation"), few, "en") == [
        "quotation_number",
        "quotation_lines",
        "quotation_total",
        "quotation_valid_until",
        "quotation_terms",
    ]
    assert missing(library().letter("quotation_check"), few, "en") == ["quotation_number", "quotation_valid_until"]


def test_a_quotation_without_an_incoterm_is_whole_between_koreans_only():
    domestic = replace(HOME_SAMPLE, quotation=replace(HOME_SAMPLE.quotation, incoterm=None, incoterm_place=None))
    assert missing(library().letter("quotation"), domestic, "ko", "KR") == []
    assert missing(library().letter("quotation"), domestic, "ko") == ["quotation_terms"]


_PRICES = st.decimals(Decimal("0.01"), Decimal(100_000), places=2)


@given(st.lists(st.tuples(st.integers(1, 99_999), _PRICES), min_size=1, max_size=6))
def test_the_total_of_a_quotation_is_the_sum_of_its_lines(rows):
    lines = tuple(QuotedLine("Valve", count, "pcs", price) for count, price in rows)
    facts = replace(SAMPLES["en"], quotation=Quoted(currency="USD", lines=lines))
    known = values(facts, "en", ["quotation_lines", "quotation_total"])
    amounts = [Decimal(line.rpartition("USD ")[2].replace(",", "")) for line in known["quotation_lines"]]
    assert known["quotation_total"] == f"USD {sum(amounts):,.2f}"


@pytest.mark.parametrize("language", SAMPLES)
def test_the_follow_up_says_until_when_the_quotation_holds(language):
    last = values(SAMPLES[language], language)["quotation_valid_until"]
    assert all(last in write("quotation_check", language, SAMPLES[language], turn=turn) for turn in TURNS)


@pytest.mark.parametrize("name", LETTERS)
def test_a_japanese_letter_apologises_or_humbles_itself_but_never_presses(name):
    for turn in TURNS:
        assert not re.search("必ず|至急|お早めに|大至急|！", write(name, "ja", SAMPLES["ja"], turn=turn))
