"""One evaluator for all countries: each finding has its test."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.clearance.lawbook import RULES_FILE, parse_lawbook, rule_for
from crm.clearance.question import LetterKind, Policy, Recipient, Suppression
from crm.clearance.rules import after_period, basis_of, blocked, evaluate, level, may_go_at, next_allowed, zone_of
from crm.pipeline.rules import Claim
from tests.clearance.cases import (
    EXPORTER,
    NOW,
    OTHER,
    SENDER,
    basis,
    blocks,
    codes,
    one,
    question,
    with_subject,
    written,
)


def test_it_blocks_a_buyer_without_a_country() -> None:
    assert one(question(None, basis()), "LAW_JURISDICTION_UNKNOWN").resolves == "SET_COUNTRY"


def test_it_has_the_advisor_look_at_a_mailbox_of_another_label_country() -> None:
    asked = question("US", recipient=Recipient("kim@buyer.example.kr", "US", "America/New_York"))

    assert one(asked, "LAW_JURISDICTION_CONFLICT").params["other_country"] == "KR"


# Basis


@pytest.mark.parametrize("country", ["KR", "CN", "ES", "DE", "IT", "KE"])
def test_it_blocks_a_card_alone_where_the_law_asks_for_more(country: str) -> None:
    verdict = one(question(country, basis("card_handed")), "LAW_BASIS_NOT_ENOUGH")

    assert verdict.level == "block"
    assert verdict.resolves == "RECORD_OPT_IN"
    assert verdict.params["had"] == ("card_handed",)


@pytest.mark.parametrize(("country", "code"), [("JP", "card_handed"), ("SG", "badge_scanned"), ("HK", "badge_scanned")])
def test_it_accepts_what_was_given_at_the_booth_where_the_law_does(country: str, code: str) -> None:
    assert one(question(country, basis(code)), "BASIS_FOUND").params["source"] == "leads.xlsx, row 12"


def test_it_does_not_take_a_scanned_badge_for_a_card_in_japan() -> None:
    assert "LAW_BASIS_NOT_ENOUGH" in blocks(question("JP", basis("badge_scanned")))


def test_it_names_what_is_missing_when_nothing_is_on_record() -> None:
    verdict = one(question("DE"), "LAW_NO_BASIS")

    assert verdict.params["accepted"] == ("express_optin", "sale_soft_optin")
    assert "UWG" in verdict.article


def test_it_lets_an_american_letter_go_without_consent() -> None:
    assert basis_of(question("US")) == "opt_out_regime"
    assert not blocks(written(question("US")))


def test_it_blocks_a_bought_address_even_where_no_consent_is_needed() -> None:
    assert "LAW_SOURCE_FORBIDDEN" in blocks(question("US", basis("bought")))


def test_it_does_not_take_consent_given_to_another_exporter() -> None:
    assert "LAW_BASIS_WRONG_SENDER" in blocks(question("DE", basis(exporter_id=OTHER)))
    assert not blocks(question("DE", basis(exporter_id=None)))


def test_it_takes_no_record_without_evidence() -> None:
    assert "LAW_NO_BASIS" in blocks(question("DE", replace(basis(), source="")))


@pytest.mark.parametrize(
    ("country", "code", "days", "blocked_by"),
    [
        ("KR", "transaction", 179, None),
        ("KR", "transaction", 180, None),
        ("KR", "transaction", 181, "LAW_BASIS_EXPIRED"),
        ("CA", "inquiry", 179, None),
        ("CA", "inquiry", 181, "LAW_BASIS_EXPIRED"),
        ("CA", "card_handed", 729, None),
        ("CA", "card_handed", 731, "LAW_BASIS_EXPIRED"),
        ("KR", "express_optin", 729, None),
        ("KR", "express_optin", 731, "LAW_BASIS_EXPIRED"),
        ("DE", "express_optin", 4000, None),
    ],
)
def test_it_lets_a_basis_count_only_for_its_time(country: str, code: str, days: int, blocked_by: str | None) -> None:
    assert blocks(question(country, basis(code, days_ago=days))) == ({blocked_by} if blocked_by else set())


def test_it_lets_an_expiry_on_record_shorten_the_time() -> None:
    short = replace(basis(), expires_at=NOW - timedelta(days=1))

    assert "LAW_BASIS_EXPIRED" in blocks(question("DE", short))


def test_it_lets_a_request_carry_its_answer_but_no_advertising() -> None:
    asked = question("DE", basis("requested_info", days_ago=30))
    answer = replace(asked, letter=replace(asked.letter, kind=LetterKind.REQUESTED))

    assert not blocks(written(answer))
    assert blocks(asked) == {"LAW_BASIS_NOT_ENOUGH"}
    assert "LAW_BASIS_EXPIRED" in blocks(replace(answer, basis=(basis("requested_info", days_ago=31),)))


def test_it_lets_an_answer_to_the_buyers_own_mail_go_without_a_record() -> None:
    asked = question("DE")
    answer = replace(asked, letter=replace(asked.letter, kind=LetterKind.REQUESTED, is_reply=True))

    assert not blocks(written(answer, subject="Re: prices"))


def test_it_rests_on_an_opt_in_rather_than_on_a_card() -> None:
    assert basis_of(question("SG", basis("card_handed"), basis())) == "express_optin"


@given(st.sampled_from(["P30D", "P6M", "P1Y", "P2Y", "P1D"]), st.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_it_ends_a_period_after_its_start_and_never_later_than_its_longest_reading(period: str, start: date) -> None:
    longest = {"D": 1, "M": 31, "Y": 366}[period[-1]] * int(period[1:-1])

    assert start < after_period(start, period) <= start + timedelta(days=longest)


def test_it_ends_six_months_on_the_last_day_of_a_shorter_month() -> None:
    assert after_period(date(2026, 8, 31), "P6M") == date(2027, 2, 28)
    assert after_period(date(2026, 6, 15), "P6M") == date(2026, 12, 15)
    assert after_period(date(2024, 2, 29), "P1Y") == date(2025, 2, 28)


# Refusals


@pytest.mark.parametrize(
    ("exporter_id", "code"),
    [(EXPORTER, "LAW_SUPPRESSED"), (None, "LAW_SUPPRESSED_EVERYWHERE"), (OTHER, None)],
)
def test_it_keeps_to_a_refusal_of_this_exporter_or_of_all(exporter_id: int | None, code: str | None) -> None:
    refusal = Suppression(NOW - timedelta(days=1), "opt_out", exporter_id)

    assert blocks(question("DE", basis(), suppressions=(refusal,))) == ({code} if code else set())


def test_it_lets_only_a_later_opt_in_lift_a_refusal() -> None:
    refusal = Suppression(NOW - timedelta(days=10), "opt_out", EXPORTER)

    assert "LAW_SUPPRESSED" in blocks(question("DE", basis(days_ago=11), suppressions=(refusal,)))
    assert "LAW_SUPPRESSED" in blocks(question("JP", basis("card_handed", days_ago=9), suppressions=(refusal,)))
    assert not blocks(question("DE", basis(days_ago=9), suppressions=(refusal,)))


def test_it_lets_no_imported_opt_in_lift_a_refusal() -> None:
    refusal = Suppression(NOW - timedelta(days=10), "opt_out", EXPORTER)
    listed = replace(basis(days_ago=9), from_list=True)

    assert "LAW_SUPPRESSED" in blocks(question("DE", listed, suppressions=(refusal,)))


def test_it_lets_no_opt_in_mend_a_dead_mailbox() -> None:
    dead = Suppression(NOW - timedelta(days=10), "hard_bounce", None)

    assert "LAW_SUPPRESSED_EVERYWHERE" in blocks(question("DE", basis(days_ago=1), suppressions=(dead,)))


def test_it_lets_the_receipt_of_a_refusal_go_to_who_refused() -> None:
    refusal = Suppression(NOW - timedelta(hours=1), "opt_out", EXPORTER)
    asked = question("KR", suppressions=(refusal,))
    notice = replace(asked, letter=replace(asked.letter, kind=LetterKind.NOTICE))

    assert not blocks(written(notice))


def test_it_blocks_an_address_from_which_mail_came_back() -> None:
    asked = question("US", recipient=Recipient("gone@buyer.example", "US", "UTC", hard_bounced=True))

    assert blocks(asked) == {"PROTO_HARD_BOUNCED"}


def test_it_blocks_a_letter_to_nobody() -> None:
    assert "NO_ADDRESS" in blocks(question("US", recipient=Recipient("", "US")))


# Korean overlay


def test_it_holds_letters_from_korea_until_the_overlay_is_decided() -> None:
    undecided = Policy(korean_overlay="undecided")

    assert blocks(question("US", policy=undecided)) == {"LAW_SENDER_OVERLAY_UNDECIDED"}
    assert not blocks(question("KR", basis(), policy=undecided))
    assert not blocks(question("US", policy=undecided, sender=replace(SENDER, country="JP")))


def test_it_asks_for_korean_consent_abroad_when_the_overlay_is_on() -> None:
    asked = question("US", basis("card_handed"), policy=Policy(korean_overlay="on"))

    assert "LAW_BASIS_NOT_ENOUGH" in blocks(asked)


# Hours, distance


@pytest.mark.parametrize(
    ("local", "next_local"),
    [
        ("2026-11-20T19:00", None),  # Friday, the last allowed minute
        ("2026-11-20T19:01", "2026-11-21T08:00"),
        ("2026-11-21T15:01", "2026-11-23T07:00"),  # Saturday afternoon, Monday morning
        ("2026-11-22T12:00", "2026-11-23T07:00"),  # Sunday
        ("2026-12-08T10:00", "2026-12-09T07:00"),  # Immaculate Conception
    ],
)
def test_it_keeps_to_the_hours_of_colombia(local: str, next_local: str | None) -> None:
    zone = zone_of("America/Bogota")
    moment = datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC)
    asked = question("CO", basis(), moment=moment)

    if next_local is None:
        assert not blocks(asked)
    else:
        wanted = datetime.fromisoformat(next_local).replace(tzinfo=zone).astimezone(UTC)
        assert one(asked, "LAW_QUIET_HOURS").until == wanted
        assert may_go_at(evaluate(asked)) == wanted


def test_it_defers_a_vietnamese_letter_from_late_evening_to_morning() -> None:
    asked = question("VN", basis(), moment=datetime(2026, 11, 18, 16, 10, tzinfo=UTC))

    assert one(asked, "LAW_QUIET_HOURS").until == datetime(2026, 11, 19, 0, 0, tzinfo=UTC)


def test_it_sends_korean_mail_at_night_because_the_decree_exempts_it() -> None:
    assert not blocks(question("KR", basis(), moment=datetime(2026, 11, 18, 14, 0, tzinfo=UTC)))


@pytest.mark.parametrize("zone", [None, "", "Nowhere/Town"])
def test_it_blocks_when_hours_matter_and_the_local_time_is_unknown(zone: str | None) -> None:
    asked = question("CO", basis(), recipient=Recipient("buyer@buyer.example", "CO", zone))

    assert "LAW_TIMEZONE_UNKNOWN" in blocks(asked)


@given(st.integers(0, 700 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)))
def test_it_finds_a_next_moment_that_is_allowed_itself(moment: datetime) -> None:
    hours, zone = rule_for("CO").quiet_hours, zone_of("America/Bogota")
    assert hours is not None
    assert zone is not None
    free = next_allowed(hours, "CO", zone, moment)

    assert free >= moment
    assert next_allowed(hours, "CO", zone, free) == free


def test_it_keeps_days_between_two_letters_whoever_sent_the_first() -> None:
    last = NOW - timedelta(days=2)
    verdict = one(question("US", last_letters=(last,)), "CONTACT_CAP")

    assert verdict.until == last + timedelta(days=3)
    assert not blocks(question("US", last_letters=(NOW - timedelta(days=3),)))


def test_it_does_not_count_a_letter_that_has_not_left() -> None:
    assert not blocks(question("US", last_letters=(NOW + timedelta(hours=1),)))


def test_it_defers_the_fourth_vietnamese_letter_of_a_day() -> None:
    past = tuple(NOW - timedelta(hours=hours) for hours in (20, 10, 5))
    asked = question("VN", basis(), last_letters=past, policy=Policy("off", contact_cap_days=0))

    assert one(asked, "LAW_FREQUENCY_CAP").until == past[0] + timedelta(hours=24)
    assert not blocks(replace(asked, last_letters=past[1:]))


def test_it_says_no_moment_when_waiting_alone_does_not_help() -> None:
    asked = question("DE", last_letters=(NOW,))

    assert {"CONTACT_CAP", "LAW_NO_BASIS"} <= blocks(asked)
    assert may_go_at(evaluate(asked)) is None


# Exclusivity


def test_it_passes_on_what_the_pipeline_knows_about_exclusive_territories() -> None:
    signed = Claim(
        "block", "EXCLUSIVITY_SIGNED", 3, "Manila Flow", "Actuators", ("PH",), date(2026, 1, 1), date(2027, 1, 1)
    )
    offered = replace(signed, level="check", code="EXCLUSIVITY_OFFERED")

    assert one(question("US", claims=(signed,)), "EXCLUSIVITY_SIGNED").params["partner"] == "Manila Flow"
    assert level(evaluate(question("US", claims=(offered,)))) == "check"
    assert "EXCLUSIVITY_NONE" in codes(question("US"))


# Subject


@pytest.mark.parametrize(
    ("country", "subject", "code"),
    [
        ("KR", "안내드립니다", "LAW_LABEL_MISSING"),
        ("KR", "(광 고) 안내", "LAW_LABEL_ALTERED"),
        ("KR", "(광.고) 안내", "LAW_LABEL_ALTERED"),
        ("KR", "[광고] 안내", "LAW_LABEL_ALTERED"),
        ("KR", "（광고） 안내", "LAW_LABEL_ALTERED"),
        ("KR", "( 광고) 안내", "LAW_LABEL_ALTERED"),
        ("KR", "(광\u200b고) 안내", "LAW_LABEL_ALTERED"),
        ("KR", "(광고) \u200b안내", "LAW_LABEL_ALTERED"),
        ("KR", "(광고)안내", "LAW_LABEL_ALTERED"),
        ("KR", "Re: (광고) 안내", "LAW_LABEL_POSITION"),
        ("KR", "[회사] (광고) 안내", "LAW_LABEL_POSITION"),
        ("CN", "产品目录", "LAW_LABEL_MISSING"),
        ("CN", "廣告 产品目录", "LAW_LABEL_MISSING"),
        ("CN", "广 告 产品目录", "LAW_LABEL_ALTERED"),
        ("CN", "Roadmap and load tables", "LAW_LABEL_MISSING"),
        ("PE", "Catálogo", "LAW_LABEL_MISSING"),
        ("IL", "Catalogue", "LAW_LABEL_MISSING"),
        ("VN", "[ QC ] Catalogue", "LAW_LABEL_ALTERED"),
        ("JP", "未承諾広告※ ご案内", "LAW_LABEL_FORBIDDEN"),
        ("DE", "(광고) Katalog", "LAW_LABEL_FORBIDDEN"),
    ],
)
def test_it_blocks_a_subject_whose_label_is_wrong(country: str, subject: str, code: str) -> None:
    faults = blocks(with_subject(question(country, basis(), moment=NOW.replace(hour=14)), subject))

    assert code in faults


@pytest.mark.parametrize(
    ("country", "subject"),
    [
        ("KR", "(광고) 안내"),
        ("CN", "广告 产品目录"),
        ("CN", "AD catalogue"),
        ("VN", "[AD] Catalogue"),
        ("SG", "Catalogue"),
    ],
)
def test_it_accepts_a_subject_whose_label_is_right(country: str, subject: str) -> None:
    assert not blocks(with_subject(question(country, basis()), subject))


def test_it_accepts_a_label_written_in_decomposed_jamo_once_normalised() -> None:
    import unicodedata

    assert not blocks(with_subject(question("KR", basis()), unicodedata.normalize("NFD", "(광고) 안내")))


def test_it_asks_for_the_singaporean_label_when_a_card_is_the_basis() -> None:
    asked = question("SG", basis("card_handed"))

    assert blocks(with_subject(asked, "Catalogue")) == {"LAW_LABEL_MISSING"}
    assert not blocks(with_subject(asked, "<ADV> Catalogue"))


@pytest.mark.parametrize("subject", ["Re: prices", "FWD: prices", "RV: precios", "답장: 가격", "回复：价格"])
def test_it_blocks_a_subject_that_pretends_to_be_an_answer(subject: str) -> None:
    assert blocks(with_subject(question("US"), subject)) == {"LAW_SUBJECT_MISLEADING"}


def test_it_allows_an_answer_behind_the_label() -> None:
    asked = with_subject(question("KR", basis()), "(광고) Re: 가격")

    assert blocks(asked) == {"LAW_SUBJECT_MISLEADING"}
    assert not blocks(replace(asked, letter=replace(asked.letter, is_reply=True)))


def test_it_blocks_an_empty_subject() -> None:
    assert "SUBJECT_EMPTY" in blocks(with_subject(question("US"), "  "))


# The whole


def test_it_finds_the_footer_in_a_text_whose_lines_were_folded() -> None:
    asked = written(question("ES", basis()))
    folded = (asked.letter.text or "").replace(" ", "\n")

    assert not blocks(replace(asked, letter=replace(asked.letter, text=folded)))


def test_it_reports_every_fault_at_once() -> None:
    refusal = Suppression(NOW - timedelta(days=1), "complaint", None)
    asked = with_subject(question("KR", suppressions=(refusal,), last_letters=(NOW,)), "안내")

    assert {"LAW_SUPPRESSED_EVERYWHERE", "LAW_NO_BASIS", "CONTACT_CAP", "LAW_LABEL_MISSING"} <= blocks(asked)


def test_it_shows_blocks_before_checks_before_what_passed() -> None:
    levels = [verdict.level for verdict in evaluate(question("CZ"))]

    assert levels == sorted(levels, key=["block", "check", "pass"].index)
    assert set(levels) == {"block", "check", "pass"}


def test_it_has_a_person_look_where_the_rule_is_weak() -> None:
    assert level(evaluate(question("KE", basis()))) == "check"
    assert "LAW_DEFAULT_RULE" in codes(question("KE", basis()))
    assert "LAW_HUMAN_REVIEW_REQUIRED" in codes(question("CZ", basis()))
    assert level(evaluate(question("DE", basis()))) == "pass"


def test_it_takes_no_verdict_at_all_for_a_block() -> None:
    assert level([]) == "block"
    assert blocked([]) == []


def test_it_follows_a_change_of_the_table_without_a_change_of_code() -> None:
    text = RULES_FILE.read_text(encoding="utf-8")
    start = text.index('  "DE":')
    changed = text[:start] + text[start:].replace(
        "{code: sale_soft_optin, expires_days: null, expires_iso: null, anchor: transaction_end, conditions: []}",
        "{code: card_handed, expires_days: null, expires_iso: null, anchor: collection_date, conditions: []}",
        1,
    )
    asked = question("DE", basis("card_handed"))

    assert blocks(asked)
    assert not [one for one in evaluate(asked, parse_lawbook(changed)) if one.level == "block"]


@given(
    country=st.sampled_from([None, "KR", "JP", "US", "SG", "CN", "ES", "DE", "CO", "KE"]),
    subject=st.one_of(st.none(), st.text(max_size=40)),
    text=st.one_of(st.none(), st.text(max_size=80)),
    kind=st.sampled_from(LetterKind),
    overlay=st.sampled_from(["undecided", "on", "off"]),
)
def test_it_answers_every_question_with_at_least_one_verdict(
    country: str | None, subject: str | None, text: str | None, kind: LetterKind, overlay: str
) -> None:
    asked = question(country, basis("card_handed"), policy=Policy(overlay))
    found = evaluate(replace(asked, letter=replace(asked.letter, kind=kind, subject=subject, text=text)))

    assert found
    if country is None:
        assert level(found) == "block"
