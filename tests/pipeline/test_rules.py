"""Stages, moves and exclusive territories as plain decisions."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.pipeline.rules import (
    PLAIN_STAGES,
    WAY,
    Buyer,
    Claim,
    ExclusiveContract,
    Line,
    LostReason,
    Move,
    Stage,
    conflicts,
    expected_value,
    is_quiet,
    plain_stage,
    refuse_contract,
    refuse_move,
)

NOW = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
TODAY = date(2026, 11, 16)


def refused(current: str, wanted: str, **facts: object) -> str | None:
    found = refuse_move(Move(current, wanted, **facts))  # type: ignore[arg-type]
    return found.code if found else None


# Moves


@pytest.mark.parametrize(("current", "wanted"), list(pairwise(WAY)))
def test_it_moves_one_step_forward_with_evidence_only(current: Stage, wanted: Stage) -> None:
    assert refused(current, wanted) == "MOVE_EVIDENCE"
    assert refused(current, wanted, evidence=True) is None


def test_it_skips_a_stage_only_with_evidence_and_a_reason() -> None:
    assert refused("lead", "supply_contract", evidence=True) == "MOVE_SKIP_REASON"
    assert refused("lead", "supply_contract", reason="ordered at the booth") == "MOVE_EVIDENCE"
    assert refused("lead", "supply_contract", evidence=True, reason="ordered at the booth") is None


@pytest.mark.parametrize(("current", "wanted"), [("replied", "contacted"), ("exclusive_contract", "supply_contract")])
def test_it_moves_back_only_with_a_reason(current: str, wanted: str) -> None:
    assert refused(current, wanted, evidence=True) == "MOVE_BACK_REASON"
    assert refused(current, wanted, reason="  ") == "MOVE_BACK_REASON"
    assert refused(current, wanted, reason="asked to come back in March") is None


def test_it_ends_a_deal_by_hand_only_and_with_a_known_reason() -> None:
    assert refused("negotiation", "lost", by_hand=False, lost_reason="price") == "MOVE_LOST_BY_HAND"
    assert refused("negotiation", "lost", lost_reason="did not like us") == "MOVE_LOST_REASON"
    assert all(refused("negotiation", "lost", lost_reason=reason) is None for reason in LostReason)


def test_it_takes_up_an_ended_deal_by_hand_only() -> None:
    assert refused("lost", "replied", evidence=True, by_hand=False) == "MOVE_LOST_BY_HAND"
    assert refused("lost", "replied", reason="came back at the next show") is None


def test_it_lets_a_reply_wake_a_resting_deal() -> None:
    assert refused("negotiation", "dormant", by_hand=False) == "MOVE_DORMANT_REASON"
    assert refused("negotiation", "dormant", by_hand=False, reason="silence") is None
    assert refused("dormant", "replied", evidence=True, by_hand=False) is None
    assert refused("dormant", "negotiation", evidence=True) == "MOVE_BACK_REASON"


def test_it_refuses_a_move_to_nowhere() -> None:
    assert refused("lead", "lead", evidence=True) == "MOVE_SAME_STAGE"
    assert refused("lead", "customer", evidence=True) == "MOVE_UNKNOWN_STAGE"


@given(st.sampled_from(list(Stage)), st.sampled_from(list(Stage)))
def test_it_allows_no_move_without_evidence_or_reason(current: Stage, wanted: Stage) -> None:
    assert refuse_move(Move(current, wanted)) is not None


@given(st.sampled_from(list(Stage)), st.sampled_from(list(Stage)))
def test_it_lets_a_person_with_evidence_and_reasons_reach_every_stage(current: Stage, wanted: Stage) -> None:
    found = refuse_move(Move(current, wanted, True, "because", True, "other"))

    assert (found is None) == (current != wanted)


# Plain stages


def test_it_shows_each_stage_in_exactly_one_plain_stage() -> None:
    shown = [stage for plain in PLAIN_STAGES for stage in plain.stages]

    assert shown == list(WAY)
    assert plain_stage("dormant").code == plain_stage("lost").code == "resting"


@pytest.mark.parametrize(
    ("stage", "days"),
    [
        ("lead", 21),
        ("contacted", 21),
        ("replied", 10),
        ("qualified", 10),
        ("sample_or_quotation", 14),
        ("negotiation", 14),
        ("supply_contract", 30),
    ],
)
def test_it_calls_a_deal_quiet_after_the_days_of_its_stage(stage: str, days: int) -> None:
    assert not is_quiet(stage, NOW - timedelta(days=days), NOW)
    assert is_quiet(stage, NOW - timedelta(days=days, seconds=1), NOW)


def test_it_never_calls_an_exclusive_contract_or_a_resting_deal_quiet() -> None:
    long_ago = NOW - timedelta(days=900)

    assert not any(is_quiet(stage, long_ago, NOW) for stage in ("exclusive_contract", "dormant", "lost"))


def test_it_weighs_a_deal_by_the_chance_of_its_stage() -> None:
    assert expected_value(Decimal("12345.67"), "sample_or_quotation") == Decimal("4320.98")
    assert expected_value(Decimal(100), "lost") == 0


# Exclusivity. Lines: 1 valves & actuators, 2 actuators below it, 3 valves below it, 4 baby goods.

ACTUATORS = Line(2, ancestors=frozenset({1}))
VALVES = Line(3, ancestors=frozenset({1}))
BOTH = Line(1, descendants=frozenset({2, 3}))
BABY = Line(4)
PARTNER, SOMEBODY = 50, 51

MANILA = ExclusiveContract(
    id=9,
    exporter_id=7,
    partner_id=PARTNER,
    partner="Manila Flow",
    kind="exclusive",
    status="signed",
    lines=frozenset({2}),
    territory=frozenset({"PH"}),
    start=date(2026, 1, 1),
    end=date(2027, 12, 31),
    name="Actuators",
)


def claim(line: Line, buyer: Buyer, contract: ExclusiveContract = MANILA, at: datetime = NOW) -> Claim | None:
    found = conflicts(line, buyer, at, [contract])
    return found[0] if found else None


def finding(line: Line, buyer: Buyer, contract: ExclusiveContract = MANILA, at: datetime = NOW) -> tuple[str, str]:
    found = claim(line, buyer, contract, at)
    return (found.level, found.code) if found else ("free", "")


FREE = ("free", "")
SIGNED = ("block", "EXCLUSIVITY_SIGNED")
IN_MANILA = Buyer(SOMEBODY, "PH")


def test_it_blocks_the_line_in_the_territory_and_names_the_partner() -> None:
    found = claim(ACTUATORS, IN_MANILA)

    assert found == Claim(
        "block", "EXCLUSIVITY_SIGNED", 9, "Manila Flow", "Actuators", ("PH",), date(2026, 1, 1), date(2027, 12, 31)
    )


def test_it_leaves_another_line_free() -> None:
    assert finding(VALVES, IN_MANILA) == FREE


def test_it_leaves_another_country_free() -> None:
    assert finding(ACTUATORS, Buyer(SOMEBODY, "VN")) == FREE


def test_it_blocks_an_online_shop_in_the_territory() -> None:
    shop = replace(MANILA, lines=frozenset({4}), territory=frozenset({"SG"}))

    assert finding(BABY, Buyer(SOMEBODY, "SG"), shop) == SIGNED


def test_it_asks_when_a_buyer_of_the_territory_sells_elsewhere() -> None:
    shop = replace(MANILA, lines=frozenset({4}), territory=frozenset({"SG"}))
    buys_for_thailand = Buyer(SOMEBODY, "SG", sells_in=frozenset({"TH"}))

    assert finding(BABY, buys_for_thailand, shop) == ("check", "EXCLUSIVITY_ASK_TERRITORY")


def test_it_follows_where_a_buyer_sells_rather_than_where_it_sits() -> None:
    assert finding(ACTUATORS, Buyer(SOMEBODY, "US", sells_in=frozenset({"PH"}))) == SIGNED
    assert finding(ACTUATORS, Buyer(SOMEBODY, "US", sells_in=frozenset({"PH", "VN"}))) == (
        "check",
        "EXCLUSIVITY_PARTLY",
    )


def test_it_warns_while_an_exclusivity_is_on_offer_and_forgets_it_when_the_offer_lapses() -> None:
    offer = replace(MANILA, status="offered", territory=frozenset({"MY", "ID"}), reserved_until=date(2026, 11, 16))
    malaysian = Buyer(SOMEBODY, "MY")

    assert finding(ACTUATORS, malaysian, offer) == ("check", "EXCLUSIVITY_OFFERED")
    assert finding(ACTUATORS, malaysian, offer, NOW + timedelta(days=1)) == FREE
    assert finding(ACTUATORS, malaysian, replace(offer, reserved_until=None), NOW + timedelta(days=30)) == (
        "check",
        "EXCLUSIVITY_OFFERED",
    )


def test_it_leaves_the_partner_and_its_friends_free() -> None:
    assert finding(ACTUATORS, Buyer(PARTNER, "PH")) == FREE
    assert finding(ACTUATORS, IN_MANILA, replace(MANILA, friends=frozenset({SOMEBODY}))) == FREE


def test_it_frees_the_territory_the_day_after_the_end_but_tells_the_advisor() -> None:
    last_minute = datetime(2027, 12, 31, 14, 59, tzinfo=UTC)  # 23:59 in Korea

    assert finding(ACTUATORS, IN_MANILA, at=last_minute) == SIGNED
    assert finding(ACTUATORS, IN_MANILA, at=last_minute + timedelta(minutes=1)) == ("check", "EXCLUSIVITY_ENDED")
    assert finding(ACTUATORS, IN_MANILA, at=last_minute + timedelta(days=31)) == FREE


def test_it_blocks_from_signing_on_even_before_the_start() -> None:
    assert finding(ACTUATORS, IN_MANILA, replace(MANILA, start=date(2027, 6, 1))) == SIGNED


def test_it_blocks_a_buyer_without_a_country_and_asks() -> None:
    assert finding(ACTUATORS, Buyer(SOMEBODY, None)) == ("block", "EXCLUSIVITY_COUNTRY_UNKNOWN")
    assert finding(VALVES, Buyer(SOMEBODY, None)) == FREE


def test_it_blocks_resellers_and_warns_about_end_users_under_a_sole_distributor() -> None:
    sole = replace(MANILA, kind="sole")

    assert finding(ACTUATORS, IN_MANILA, sole) == SIGNED
    assert finding(ACTUATORS, replace(IN_MANILA, end_user=True), sole) == ("check", "EXCLUSIVITY_SOLE_END_USER")
    assert finding(ACTUATORS, replace(IN_MANILA, end_user=True)) == SIGNED


def test_it_takes_no_notice_of_a_contract_without_exclusivity() -> None:
    assert finding(ACTUATORS, IN_MANILA, replace(MANILA, kind="non_exclusive")) == FREE


def test_it_matches_lines_up_and_down_the_tree() -> None:
    region = replace(MANILA, territory=frozenset({"PH", "ID"}))
    parent = replace(region, lines=frozenset({1}))

    assert finding(ACTUATORS, Buyer(SOMEBODY, "ID"), parent) == SIGNED
    assert finding(VALVES, Buyer(SOMEBODY, "ID"), parent) == SIGNED
    assert finding(BOTH, Buyer(SOMEBODY, "ID"), region) == ("check", "EXCLUSIVITY_PART_OF_LINE")


def test_it_names_blocks_before_warnings() -> None:
    offer = replace(MANILA, id=8, status="offered")

    assert [one.level for one in conflicts(ACTUATORS, IN_MANILA, NOW, [offer, MANILA])] == ["block", "check"]


FAMILIES = {1: frozenset({1}), 2: frozenset({2, 1}), 3: frozenset({3, 1}), 4: frozenset({4})}


def clash(wanted: ExclusiveContract, other: ExclusiveContract = MANILA) -> str | None:
    found = refuse_contract(wanted, [other], FAMILIES, TODAY)
    return found.code if found else None


def test_it_refuses_a_second_exclusivity_that_overlaps() -> None:
    second = replace(MANILA, id=0, partner_id=SOMEBODY, territory=frozenset({"PH", "VN"}))

    found = refuse_contract(second, [MANILA], FAMILIES, TODAY)
    assert found is not None
    assert (found.code, found.params["partner"], found.params["countries"]) == (
        "CONTRACT_OVERLAPS",
        "Manila Flow",
        ("PH",),
    )
    assert clash(replace(second, lines=frozenset({1}))) == "CONTRACT_OVERLAPS"
    assert clash(replace(second, status="offered")) == "CONTRACT_OVERLAPS"


@pytest.mark.parametrize(
    "change",
    [
        {"territory": frozenset({"VN"})},
        {"lines": frozenset({3})},
        {"lines": frozenset({4})},
        {"start": date(2028, 1, 1), "end": date(2028, 12, 31)},
        {"kind": "non_exclusive"},
        {"exporter_id": 8},
        {"id": 9},
    ],
)
def test_it_accepts_a_second_contract_that_does_not_overlap(change: dict[str, object]) -> None:
    assert clash(replace(replace(MANILA, id=0, partner_id=SOMEBODY), **change)) is None


def test_it_refuses_a_second_offer_while_the_first_binds() -> None:
    first = replace(MANILA, status="offered", reserved_until=date(2026, 11, 16))
    second = replace(MANILA, id=0, status="offered", partner_id=SOMEBODY)

    assert clash(second, first) == "CONTRACT_OVERLAPS"
    assert clash(second, replace(first, reserved_until=date(2026, 11, 15))) is None
    assert clash(replace(second, status="signed"), first) is None


def test_it_refuses_a_contract_that_says_nothing() -> None:
    assert clash(replace(MANILA, id=0, end=date(2025, 1, 1))) == "CONTRACT_ENDS_BEFORE_START"
    assert clash(replace(MANILA, id=0, territory=frozenset())) == "CONTRACT_WITHOUT_TERRITORY"
    assert clash(replace(MANILA, id=0, lines=frozenset())) == "CONTRACT_WITHOUT_LINES"


countries = st.frozensets(st.sampled_from(["PH", "SG", "VN"]), min_size=1)
contracts = st.builds(
    lambda number, territory, lines, start, length, status: replace(
        MANILA,
        id=number,
        territory=territory,
        lines=lines,
        start=TODAY + timedelta(days=start),
        end=TODAY + timedelta(days=start + length),
        status=status,
    ),
    st.integers(1, 1000),
    countries,
    st.frozensets(st.sampled_from([1, 2, 3, 4]), min_size=1),
    st.integers(-400, 400),
    st.integers(0, 400),
    st.sampled_from(["signed", "offered"]),
)


@given(contracts, contracts)
def test_it_refuses_an_overlap_whichever_of_two_signed_contracts_comes_second(
    one: ExclusiveContract, other: ExclusiveContract
) -> None:
    one, other = replace(one, status="signed"), replace(other, status="signed")

    assert clash(one, other) == clash(other, one)
