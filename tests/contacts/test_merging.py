"""What several records of one person add up to: which value wins, and that nothing stated is ever lost."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.contacts import merging
from crm.contacts.merging import merge
from crm.contacts.rules import fold

OLD, NEW = "2026-11-11", "2026-11-13T14:20"


def record(**facts: Any) -> dict[str, Any]:
    return facts


@pytest.mark.parametrize(
    ("records", "field", "won"),
    [
        ([record(title="Buyer", met_at=OLD), record(title="Director", met_at=NEW)], "title", "Director"),
        ([record(title="Director", met_at=NEW), record(title="Buyer", met_at=OLD)], "title", "Director"),
        ([record(title="Buyer", met_at=OLD), record(title="Director", registered_at=NEW)], "title", "Director"),
        ([record(title="Buyer"), record(title="Director", met_at=OLD)], "title", "Director"),
        ([record(title="Buyer"), record(title="Director")], "title", "Buyer"),
        ([record(title="Buyer", met_at=OLD), record(met_at=NEW, city="Vigo")], "title", "Buyer"),
        ([record(full_name="Kim Minsu", met_at=NEW), record(full_name="김민수", met_at=OLD)], "full_name", "김민수"),
        ([record(full_name="ANA LÓPEZ", met_at=NEW), record(full_name="Ana López")], "full_name", "Ana López"),
        ([record(full_name="Ana Lopez", met_at=NEW), record(full_name="Ana López")], "full_name", "Ana López"),
        ([record(full_name="Ana Gil", met_at=NEW), record(full_name="Ana López")], "full_name", "Ana Gil"),
    ],
)
def test_the_newest_record_wins_and_a_name_in_its_own_script_before_it(
    records: list[dict[str, Any]], field: str, won: str
) -> None:
    assert merge(records)[field] == won


def test_a_day_without_a_time_is_the_start_of_that_day() -> None:
    timed, dated = record(title="Buyer", met_at="2026-11-13T00:01"), record(title="Director", met_at="2026-11-13")
    assert merge([dated, timed])["title"] == "Buyer"


def test_the_day_of_the_talk_counts_before_that_of_the_registration() -> None:
    one = record(title="Buyer", met_at=OLD, registered_at="2026-12-01")
    assert merge([one, record(title="Director", met_at=NEW)])["title"] == "Director"


def test_lists_are_united_in_rank_and_notes_in_order_of_import() -> None:
    older = record(met_at=OLD, emails=["a@x.example"], interests=["Cream"], notes="first", tags=["vip"])
    newer = record(met_at=NEW, emails=["b@x.example", "a@x.example"], interests=["cream", "Soap"], notes="second")
    found = merge([older, newer])
    assert found["emails"] == ["b@x.example", "a@x.example"]
    assert found["interests"] == ["cream", "Soap"]
    assert found["notes"] == ["first", "second"]
    assert found["tags"] == ["vip"]


def test_what_lost_is_kept_in_sight_once() -> None:
    found = merge(
        [
            record(title="Buyer", phone="+3491", met_at=OLD),
            record(title="BUYER", company="Flores"),
            record(title="Director", phone="+3492", company="Flores SA", met_at=NEW),
        ]
    )
    assert found["alternatives"] == {"title": ["Buyer"], "phone": ["+3491"], "company": ["Flores"]}


def test_other_spellings_and_scripts_of_the_name_are_other_names() -> None:
    found = merge([record(full_name="Kim Minsu", met_at=NEW), record(full_name="김민수", name_alt="金民秀")])
    assert (found["full_name"], found["name_alt"]) == ("김민수", "金民秀")
    assert set(found["other_names"]) == {"Kim Minsu", "金民秀"}


def test_the_halves_go_with_the_name_that_won() -> None:
    one = record(full_name="Ana López", family_name="López", given_name="Ana", met_at=NEW)
    found = merge([record(full_name="김민수", family_name="김", given_name="민수"), one])
    assert (found["family_name"], found["given_name"]) == ("김", "민수")


def test_a_main_number_is_no_other_number() -> None:
    found = merge([record(mobile="+1", other_phones=["+2"]), record(mobile="+2", met_at=NEW, other_phones=["+3"])])
    assert (found["mobile"], found["other_phones"]) == ("+2", ["+3"])


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ([(OLD, True), (NEW, False)], False),
        ([(NEW, True), (OLD, False)], True),
        ([(OLD, True), (OLD, False)], False),
        ([("", False), (NEW, True)], False),
        ([("", True), (OLD, False)], False),
        ([("", True)], True),
    ],
)
def test_an_undated_no_wins_else_the_latest_statement(said: list[tuple[str, bool]], stands: bool) -> None:
    records = [record(consent_marketing=given, **({"met_at": at} if at else {})) for at, given in said]
    assert merge(records)["consent_marketing"] is stands


def test_the_first_and_the_last_day_are_known() -> None:
    found = merge([record(met_at=NEW), record(registered_at=OLD), record(title="x")])
    assert (found["first_seen"], found["last_seen"]) == ("2026-11-11", "2026-11-13")


words = st.sampled_from(
    ["Buyer", "BUYER", "Director", "구매부", "Ana López", "ANA LOPEZ", "김민수", "+34600000001", "x"]
)
some = st.lists(words, min_size=1, max_size=3, unique=True)
kept_maps = st.dictionaries(st.sampled_from(["Q1", "Q2"]), words, min_size=1)
facts = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("full_name", "name_alt", "family_name", *merging.SINGLE), words),
        **dict.fromkeys(("emails", "interests", "tags", "other_phones"), some),
        **dict.fromkeys(("more", "extra", "messengers"), kept_maps),
        **{name: st.booleans() for name in merging.CONSENTS},
        "notes": words,
        "external_id": words,
        "met_at": st.sampled_from([OLD, NEW, "2026-11-12"]),
        "registered_at": st.sampled_from([OLD, "2026-10-01"]),
    },
)
records = st.lists(facts, min_size=1, max_size=4)


def texts(value: Any) -> set[str]:
    """Return every text inside a value, folded."""
    if isinstance(value, dict):
        return set().union(*map(texts, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(texts, value)) if value else set()
    return {fold(value)} if isinstance(value, str) else set()


@given(records)
def test_repeated_records_change_nothing(told: list[dict[str, Any]]) -> None:
    assert merge([*told, *told]) == merge(told)


@given(records)
def test_nothing_in_a_record_is_changed_by_merging(told: list[dict[str, Any]]) -> None:
    before = repr(told)
    merge(told)
    assert repr(told) == before


@given(records, st.randoms(use_true_random=False))
def test_the_order_of_import_only_breaks_ties(told: list[dict[str, Any]], random: Any) -> None:
    days = ["2026-11-10", "2026-11-11", "2026-11-12", "2026-11-13"]
    dated = [{**one, "met_at": day} for one, day in zip(told, days, strict=False)]
    mixed = list(dated)
    random.shuffle(mixed)
    one, other = merge(dated), merge(mixed)
    for by_import in ("notes",):
        assert sorted(one.pop(by_import, [])) == sorted(other.pop(by_import, []))
    assert one == other


@given(records)
def test_what_was_stated_of_a_person_is_never_lost(told: list[dict[str, Any]]) -> None:
    found = texts(merge(told))
    for one in told:
        for name in ("full_name", "name_alt", *merging.ALTERNATIVES, "notes", "external_id"):
            assert texts(one.get(name, [])) <= found
        for name in ("emails", "interests", "tags", "other_phones"):
            assert texts(one.get(name, [])) <= found
        for name in ("more", "extra", "messengers"):
            assert set(one.get(name, {})) <= set(merge(told)[name] if name in one else {})


@given(records)
def test_a_blank_never_overwrites(told: list[dict[str, Any]]) -> None:
    found = merge(told)
    for name in ("full_name", *merging.SINGLE):
        stated = [one[name] for one in told if name in one]
        assert (name in found) == bool(stated)
        assert not stated or found[name] in stated


@given(records, facts)
def test_one_more_record_never_empties_a_field(told: list[dict[str, Any]], one: dict[str, Any]) -> None:
    before = merge(told)
    after = merge([*told, one])
    lost = {name for name in before if name not in after}
    assert lost <= {"family_name", "given_name", "name_alt", "other_phones"}


@given(facts)
def test_one_record_alone_says_what_it_says_in_company(one: dict[str, Any]) -> None:
    alone, twice = merge([one]), merge([one, dict(one)])
    assert alone == twice
