"""Conditions of workflow files: what they may say, what is refused before it runs, what they answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.campaigns.conditions import (
    LENGTH,
    ConditionError,
    ContactFacts,
    DealFacts,
    Facts,
    TalkFacts,
    compile_condition,
    holds,
)

YUKI = Facts(
    ContactFacts(country="JP", city="Osaka", language="ja", company="Tsubame Trading"),
    TalkFacts(rating=3, interests=("valves",), requests=("catalogue", "sample"), notes="asked =~ for MOQ", met=True),
    DealFacts("contacted"),
)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('contact.country != "KR"', True),
        ("lead.rating >= 4", False),
        ('contact.country in ["JP", "CN"] and lead.interest >= 2', True),
        ('"sample" in lead.requests', True),
        ('"quotation" in lead.requests or lead.met', True),
        ('not contact.city == ""', True),
        ('deal.stage == "contacted"', True),
        ('lead.notes == "asked =~ for MOQ"', True),
        ("lead.requests.length > 1", True),
    ],
)
def test_a_condition_is_answered_from_the_facts(text: str, answer: bool) -> None:
    assert compile_condition(text).holds(YUKI) is answer


def test_no_condition_holds_for_everybody() -> None:
    assert holds(None, Facts())


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ('contact.contry == "KR"', "condition_name", 8),
        ("lad.rating > 1", "condition_name", 0),
        ("lead.rating > 1 and lead.ratng > 2", "condition_name", 25),
        ("contact.country > 3", "condition_types", 0),
        ("contact.country == 5", "condition_types", 0),
        ("contact.country == null", "condition_types", 0),
        ('contact.country =~ "(a+)+$"', "condition_regex", 16),
        ('contact.country !~ "K"', "condition_regex", 16),
        ("contact.country and", "condition_syntax", 19),
        ("lead.rating", "condition_not_yes_no", 0),
        ('[x for x in lead.requests if x == "a"]', "condition_sign", 3),
        ("$random(3) > 1", "condition_sign", 0),
        ("99**99**99 > 1", "condition_sign", 2),
        ("lead.rating + 1 > 2", "condition_sign", 12),
        ('contact.country = "KR"', "condition_single_equals", 16),
        ('contact.country == "KR', "condition_sign", 19),
        ('deal.stage >= "negotiation"', "condition_order", 0),
        ('contact.country == "KOR"', "condition_value", 20),
        ('contact.language in ["ko", "chinese"]', "condition_value", 28),
        ('not (lead.met and "catalog" in lead.requests)', "condition_value", 19),
        ('deal.stage == "negotiaton"', "condition_value", 15),
        ("lead.met or " * 60 + "lead.met", "condition_long", 0),
        ("", "condition_syntax", 0),
    ],
)
def test_it_refuses_what_cannot_be_meant_and_says_where(text: str, code: str, at: int) -> None:
    with pytest.raises(ConditionError) as refused:
        compile_condition(text)
    assert (refused.value.code, refused.value.at) == (code, at)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ('contact.contry == "KR"', "country"),
        ("lad.rating > 1", "lead"),
        ('"catalog" in lead.requests', "catalogue"),
        ('contact.country == "UK"', "GB"),
        ('contact.country == "KO"', ""),
    ],
)
def test_it_names_what_was_probably_meant(text: str, near: str) -> None:
    with pytest.raises(ConditionError) as refused:
        compile_condition(text)
    assert refused.value.params["near"] == near


@pytest.mark.parametrize("text", ["(" * 240 + "true" + ")" * 240, "not " * 120 + "lead.met"])
def test_deep_nesting_is_no_danger(text: str) -> None:
    assert isinstance(compile_condition(text).holds(Facts()), bool)


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("contaleduyr.in[]()<>=! \"'01or&*|\\$=~ñ한"), max_size=LENGTH))
def test_any_text_is_either_a_condition_or_refused(text: str) -> None:
    try:
        compile_condition(text)
    except ConditionError as error:
        assert 0 <= error.at <= len(text)


@pytest.mark.parametrize(
    ("facts", "interest"),
    [
        (TalkFacts(), 1),
        (TalkFacts(rating=1), 1),
        (TalkFacts(met=True), 2),
        (TalkFacts(notes="wants a quotation"), 2),
        (TalkFacts(rating=3), 2),
        (TalkFacts(rating=5), 3),
        (TalkFacts(requests=("sample",)), 3),
    ],
)
def test_interest_follows_from_what_was_said(facts: TalkFacts, interest: int) -> None:
    assert facts.interest == interest
