"""The law table: complete, typed, and strict about mistakes."""

import pytest

from crm.clearance.lawbook import RULES_FILE, lawbook, parse_lawbook, rule_for
from crm.core.errors import BadInput


def test_it_reads_norway_as_a_country_and_not_as_false() -> None:
    assert rule_for("NO").name == "Norway"


def test_it_serves_an_unlisted_country_by_the_default() -> None:
    assert rule_for("KE").is_default
    assert rule_for("ke") == lawbook().default


def test_it_has_no_rule_for_an_unknown_country() -> None:
    with pytest.raises(ValueError, match="no rule"):
        rule_for("")


def test_it_accepts_a_request_as_basis_of_its_answer_everywhere() -> None:
    assert all(rule.basis_rule("requested_info") for rule in (*lawbook().countries.values(), lawbook().default))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("confidence: high", "confidence: sure", "confidence"),
        ("trade_fair_contact: refuse", "trade_fair_contct: refuse", "trade_fair_contct"),
        ("code: express_optin", "code: opt_in", "basis.0.code"),
        ("expires_iso: P30D", "expires_iso: 30 days", "expires_iso"),
    ],
)
def test_it_names_the_entry_and_field_of_a_mistake(old: str, new: str, place: str) -> None:
    text = RULES_FILE.read_text(encoding="utf-8")
    start = text.index('  "DE":')

    with pytest.raises(BadInput) as caught:
        parse_lawbook(text[:start] + text[start:].replace(old, new, 1))

    places = [str(problem.place) for problem in caught.value.problems]
    assert any("countries.DE" in one and place in one for one in places)


@pytest.mark.parametrize("text", ["schema: [", "schema: mail-rules/9", "just words"])
def test_it_refuses_a_file_that_is_no_law_table(text: str) -> None:
    with pytest.raises(BadInput):
        parse_lawbook(text)
