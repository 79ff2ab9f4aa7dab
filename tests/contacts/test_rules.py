"""Who is the same person, which firms are one, by what a person is found, and when a consent stands."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.contacts import rules
from crm.contacts.rules import Identity, Statement

DAY = datetime(2026, 11, 12, tzinfo=UTC)


def somebody(*names: str, mail: str = "", number: str = "", firm: str = "", country: str = "", **more: Any) -> Identity:
    """Return what one row tells of a person; ``mobile`` is a number too."""
    mobile = more.get("mobile", "")
    return Identity(
        mailboxes=(rules.mailbox(mail),) if mail else (),
        numbers=tuple(one for one in (number, mobile) if one),
        names=names,
        companies=(firm,) if firm else (),
        countries=(country,) if country else (),
        badges=((1, more["badge"]),) if "badge" in more else (),
        mobiles=(mobile,) if mobile else (),
    )


ANA = somebody("Ana López", mail="ana@flores.example", number="+34600000001", firm="Flores S.L.", country="ES")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (somebody("A. Lopez", mail="ana+expo@flores.example"), "email"),
        (somebody("LOPEZ ANA", number="+34600000001"), "phone"),
        (somebody("安娜", number="+34600000001"), "phone"),
        (somebody("Luis Gil", number="+34600000001"), ""),
        (somebody(number="+34600000001"), ""),
        (somebody("ana lópez", firm="FLORES"), "name"),
        (somebody("ana lópez", firm="Flores", country="MX"), ""),
        (somebody("Ana López", mail="other@flores.example", firm="Flores S.L."), ""),
        (somebody("Luis Gil", mail="ana@flores.example"), ""),
        (somebody(mail="ana@flores.example"), "email"),
    ],
)
def test_people_are_told_apart(other: Identity, reason: str) -> None:
    assert rules.same_person(ANA, other) == reason
    assert rules.same_person(other, ANA) == reason


def test_a_badge_of_the_same_show_is_the_strongest_reason() -> None:
    one = somebody("Ana López", mail="ana@flores.example", badge="B-1")
    assert rules.same_person(one, somebody("Ana López", mail="ana@flores.example", badge="B-1")) == "badge"
    assert rules.REASONS[0] == "badge"


def test_a_badge_of_another_show_proves_nothing() -> None:
    one, other = Identity(badges=((1, "B-1"),)), Identity(badges=((2, "B-1"),))
    assert rules.same_person(one, other) == ""


def test_a_badge_does_not_join_who_are_named_differently() -> None:
    assert rules.same_person(somebody("Ana López", badge="B-1"), somebody("Luis Gil", badge="B-1")) == ""


def test_a_shared_mailbox_joins_only_equal_names() -> None:
    one = somebody("Ana López", mail="info@flores.example")
    assert rules.same_person(one, somebody("Ana Gil", mail="info@flores.example")) == ""
    assert rules.same_person(one, somebody(mail="info@flores.example")) == ""
    assert rules.same_person(one, somebody("ana lopez", mail="info@flores.example")) == "email"
    assert rules.same_person(somebody(mail="info@flores.example"), somebody(mail="info@flores.example")) == "email"


def test_equal_names_with_two_mailboxes_are_for_a_person_to_decide() -> None:
    other = somebody("Ana López", mail="ana2@flores.example", firm="Flores SL")
    assert rules.same_person(ANA, other) == ""
    assert rules.maybe_same_person(ANA, other) == "name"


def test_one_mobile_under_two_names_is_for_a_person_to_decide_and_a_land_line_is_not() -> None:
    one = somebody("Ana López", mobile="+34600000001", number="+34910000001")
    assert rules.maybe_same_person(one, somebody("Luis Gil", mobile="+34600000001")) == "mobile"
    assert rules.maybe_same_person(one, somebody("Luis Gil", number="+34910000001")) == ""


def test_one_mailbox_under_two_names_is_for_a_person_to_decide() -> None:
    assert rules.maybe_same_person(ANA, somebody("Luis Gil", mail="ana@flores.example")) == "mailbox"


def test_a_person_of_two_lists_is_known_by_what_both_say() -> None:
    both = ANA | somebody("安娜", mail="ana2@flores.example")
    assert both.names == ("Ana López", "安娜")
    assert both.mailboxes == ("ana@flores.example", "ana2@flores.example")
    assert both.firms == ANA.firms


names = st.sampled_from(["Ana López", "LOPEZ ANA", "Luis Gil", "安娜", "김민수", "김영희", ""])
people = st.builds(
    lambda name, mail, number, firm, country: somebody(
        *([name] if name else []), mail=mail, number=number, firm=firm, country=country
    ),
    names,
    st.sampled_from(["", "a@x.example", "A+fair@x.example", "info@x.example", "b@x.example"]),
    st.sampled_from(["", "+821012345678", "+34600000001"]),
    st.sampled_from(["", "Flores S.L.", "Flores", "Lotus"]),
    st.sampled_from(["", "ES", "KR"]),
)


@given(people, people)
def test_the_order_of_two_people_does_not_matter(one: Identity, other: Identity) -> None:
    assert rules.same_person(one, other) == rules.same_person(other, one)
    assert rules.maybe_same_person(one, other) == rules.maybe_same_person(other, one)


@given(people, people)
def test_contradicting_names_never_join(one: Identity, other: Identity) -> None:
    if rules.names_contradict(one, other):
        assert rules.same_person(one, other) == ""


@given(people, people)
def test_who_is_or_may_be_one_person_is_found_by_a_common_key(one: Identity, other: Identity) -> None:
    if rules.same_person(one, other) or rules.maybe_same_person(one, other):
        assert set(rules.keys(one)) & set(rules.keys(other))


def test_a_person_is_found_by_mailbox_number_badge_and_name_with_firm() -> None:
    one = somebody("Ana López", mail="Ana+x@flores.example", number="+34600000001", firm="Flores S.L.", badge="7")
    firm = rules.company_key("Flores S.L.")
    name = rules.name_key("Ana López")
    assert rules.keys(one) == {
        "e:ana@flores.example": "",
        "p:+34600000001": "",
        "b:1:7": "",
        f"n:{name}|{firm[:3]}": firm,
        f"m:{name}|{firm[-3:]}": firm,
    }


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [("flores", "flores", True), ("", "flores", True), ("floresgarden", "floresgardn", True), ("a", "b", False)],
)
def test_a_key_is_looked_at_closely_when_the_firms_may_be_one(one: str, other: str, fits: bool) -> None:
    assert rules.firm_fits(one, other) is fits


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("㈜한빛", "주식회사 한빛"),
        ("Han Bit Co., Ltd.", "HANBIT"),
        ("株式会社ハナ", "ハナ"),
        ("Flores S.A. de C.V.", "flores"),
    ],
)
def test_legal_forms_do_not_tell_firms_apart(one: str, other: str) -> None:
    assert rules.company_key(one) == rules.company_key(other)


def test_a_firm_that_is_only_a_legal_form_still_has_a_key() -> None:
    assert rules.match_key("Company", "US") == "company|US"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Đặng Văn", "dang van"),
        ("ŁUKASZ", "lukasz"),
        ("ＡＢＣ", "abc"),
        ("O'Neil-Smith", "oneilsmith"),
        ("Işık", "isik"),
    ],
)
def test_accents_case_and_width_do_not_tell_words_apart(one: str, other: str) -> None:
    assert rules.fold(one) == rules.fold(other)


@given(st.text(max_size=20))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert rules.fold(rules.fold(text)) == rules.fold(text)


@pytest.mark.parametrize(
    ("statements", "stands"),
    [
        ([Statement(True, 1, DAY)], True),
        ([Statement(True, None, DAY)], True),
        ([Statement(True, 2, DAY)], False),
        ([], False),
        ([Statement(True, 1, DAY), Statement(False, 1, None)], False),
        ([Statement(True, 1, DAY), Statement(False, 1, DAY)], False),
        ([Statement(False, 1, DAY), Statement(True, 1, DAY.replace(day=13))], True),
        ([Statement(False, 1, DAY), Statement(True, 1, None)], False),
        ([Statement(True, 1, DAY), Statement(False, 2, DAY.replace(day=13))], True),
        ([Statement(True, 1, DAY), Statement(False, None, DAY.replace(day=13))], False),
    ],
)
def test_the_latest_dated_statement_counts_and_no_wins_ties(statements: list[Statement], stands: bool) -> None:
    assert rules.consent_stands(statements, 1) is stands
