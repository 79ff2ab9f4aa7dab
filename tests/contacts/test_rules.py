"""Who is the same person, which value wins, and when a consent stands."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.contacts import rules
from crm.contacts.rules import Identity, Statement

ANA = Identity(("ana@flores.example",), ("+34600000001",), "Ana López", company="Flores S.L.", country="ES")
DAY = datetime(2026, 11, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (Identity(("ana+expo@flores.example",), name="A. Lopez"), "email"),
        (Identity((), ("+34600000001;ext=5",), "LOPEZ ANA"), "phone"),
        (Identity((), ("+34600000001",), "安娜"), "phone"),
        (Identity((), ("+34600000001",), "Luis Gil"), ""),
        (Identity((), ("+34600000001",), ""), ""),
        (Identity((), (), "ana lópez", company="FLORES"), "name"),
        (Identity((), (), "ana lópez", company="Flores", country="MX"), ""),
        (Identity(("other@flores.example",), (), "Ana López", company="Flores S.L."), ""),
        (Identity(("ana@flores.example",), name="Luis Gil"), ""),
        (Identity(("ana@flores.example",)), "email"),
    ],
)
def test_people_are_told_apart(other: Identity, reason: str) -> None:
    assert rules.same_person(ANA, other) == reason
    assert rules.same_person(other, ANA) == reason


def test_a_shared_mailbox_joins_only_equal_names() -> None:
    one = Identity(("info@flores.example",), name="Ana López")
    assert rules.same_person(one, Identity(("info@flores.example",), name="Ana Gil")) == ""
    assert rules.same_person(one, Identity(("info@flores.example",), name="ana lopez")) == "email"
    assert rules.same_person(Identity(("info@flores.example",)), Identity(("info@flores.example",))) == "email"


def test_equal_names_with_two_mailboxes_are_for_a_person_to_decide() -> None:
    other = Identity(("ana2@flores.example",), (), "Ana López", company="Flores SL")
    assert rules.maybe_same_person(ANA, other)


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


values = st.dictionaries(st.sampled_from(["title", "phone", "city"]), st.text(max_size=5))


@given(values, values, st.booleans())
def test_a_merge_never_empties_a_field(current: dict[str, str], stated: dict[str, str], newer: bool) -> None:
    merged = rules.merge(current, stated, newer=newer)
    assert all(merged.changes.values())


@given(values, values, st.booleans())
def test_merging_the_same_twice_changes_nothing_more(
    current: dict[str, str], stated: dict[str, str], newer: bool
) -> None:
    once = {**current, **rules.merge(current, stated, newer=newer).changes}
    assert rules.merge(once, stated, newer=newer).changes == {}


lists = st.lists(st.integers(0, 5), unique=True)


@given(lists, lists, lists)
def test_undo_of_a_list_takes_only_what_it_added(before: list[int], stated: list[int], later: list[int]) -> None:
    current = [*dict.fromkeys([*before, *stated, *later])]
    kept: Any = rules.without(current, before, stated, [later])
    assert set(kept) == set(before) | set(later)


def test_a_value_changed_since_stays() -> None:
    assert rules.without("Owner", "Buyer", "Director") == "Owner"
    assert rules.without("Director", "Buyer", "Director") == "Buyer"


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
