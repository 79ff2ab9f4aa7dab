"""Quotations, proposed meetings, negotiation points, minimum purchases: what they must say, what letters learn."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from crm.core import events
from crm.core.errors import BadInput, NotFound, Refused
from crm.exporters.models import Document, StoredFile
from crm.pipeline import papering, paperwork, queries, service
from crm.pipeline.forgetting import in_human_hands
from crm.pipeline.models import Deal, MeetingProposal, Quotation
from crm.pipeline.papering import Minimum, Offer, QuotedLine, Slots, Unreadable
from crm.pipeline.papers import meetings_of_leads, papers_of
from tests.mailkit import calm
from tests.pipeline.world import ADVISOR, NOW, World, build, buyer, deal_of

TODAY = date(2026, 11, 16)
LINE = QuotedLine("Actuator A-10", 1200, "pcs", Decimal("12.505"), "8501.10")
OFFER = Offer(
    number="Q-2026-031", issued_on=TODAY, valid_until=date(2026, 12, 16), currency="USD", lines=(LINE,),
    incoterm="FOB", incoterm_place="Busan, Korea", lead_time_days=30, payment="tt_30_70",
    packing={"en": "20 pcs per carton", "ko": "카톤당 20개"},
)  # fmt: skip
SLOTS = Slots((NOW + timedelta(days=2), NOW + timedelta(days=3)), 40, online=True)


@pytest.fixture
def world(session: Session) -> World:
    return build(session)


@pytest.fixture
def deal(session: Session, world: World) -> Deal:
    return deal_of(session, buyer(session, world, "Anna"))


def offer(**changes: Any) -> Offer:
    return Offer(**{**vars(OFFER), **changes})


def fields(faults: list[Any]) -> list[tuple[str | None, int | None]]:
    return [(fault.place.field, fault.place.line) for fault in faults]


# --- what a quotation must say


def test_a_total_is_as_exact_as_its_prices() -> None:
    two = offer(lines=(LINE, QuotedLine("Valve", 3, "set", Decimal("0.1"))))
    assert two.total == Decimal("15006.300")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"number": ""}, ("number", None)),
        ({"number": "Q 1"}, ("number", None)),
        ({"valid_until": TODAY}, ("valid_until", None)),
        ({"valid_until": date(2028, 1, 1)}, ("valid_until", None)),
        ({"currency": "USX"}, ("currency", None)),
        ({"currency": "$"}, ("currency", None)),
        ({"incoterm": "FOX"}, ("incoterm", None)),
        ({"incoterm_place": ""}, ("incoterm_place", None)),
        ({"incoterm": ""}, ("incoterm", None)),
        ({"lead_time_days": 0}, ("lead_time_days", None)),
        ({"payment": "cash"}, ("payment", None)),
        ({"lines": ()}, ("item", 1)),
        ({"lines": (LINE, QuotedLine("", 1, "pcs", Decimal(1)))}, ("item", 2)),
        ({"lines": (LINE, QuotedLine("x", 0, "pcs", Decimal(1)))}, ("quantity", 2)),
        ({"lines": (LINE, QuotedLine("x", 1, "", Decimal(1)))}, ("unit", 2)),
        ({"lines": (LINE, QuotedLine("x", 1, "pcs", Decimal(0)))}, ("unit_price", 2)),
        ({"lines": (LINE, QuotedLine("x", 1, "pcs", Decimal("NaN")))}, ("unit_price", 2)),
        ({"lines": (LINE, QuotedLine("x", 1, "pcs", Decimal("0.0000001")))}, ("unit_price", 2)),
        ({"lines": (LINE, QuotedLine("x", 1, "pcs", Decimal(1), "84"))}, ("hs_code", 2)),
    ],
)
def test_what_is_wrong_with_a_quotation_is_named_by_field_and_line(
    changes: dict[str, Any], where: tuple[str, int | None]
) -> None:
    assert fields(papering.faults_of_offer(offer(**changes))) == [where]


def test_a_domestic_quotation_needs_no_delivery_term() -> None:
    assert papering.faults_of_offer(offer(incoterm="", incoterm_place="", currency="KRW")) == []


TYPED = {
    "number": "Q-1", "issued_on": "2026-11-16", "valid_until": "2026-12-16", "currency": "usd", "incoterm": "fob",
    "incoterm_place": "Busan, Korea", "lead_time_days": "30", "payment": "lc_sight",
}  # fmt: skip
ITEM = {"item": "A-10", "hs_code": "", "quantity": "1,200", "unit": "pcs", "unit_price": "12.505"}
BLANK = dict.fromkeys(ITEM, " ")


def test_a_typed_quotation_is_read_with_its_figures_exact() -> None:
    read = papering.read_offer(TYPED, [ITEM, BLANK], {"ko": " 카톤당 20개 ", "en": ""})
    assert (read.lines, read.currency, read.packing) == (
        (QuotedLine("A-10", 1200, "pcs", Decimal("12.505")),), "USD", {"ko": "카톤당 20개"},
    )  # fmt: skip


def test_a_mistake_is_named_at_the_line_as_it_stands_on_the_page() -> None:
    with pytest.raises(Unreadable) as caught:
        papering.read_offer(TYPED, [ITEM, BLANK, {**ITEM, "unit": "", "quantity": "many"}], {})
    assert fields(caught.value.problems) == [("quantity", 3), ("unit", 3)]


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(Unreadable) as caught:
        papering.read_offer({**TYPED, "issued_on": "soon", "currency": "x", "lead_time_days": "a"}, [], {})
    assert {name for name, _line in fields(caught.value.problems)} == {
        "issued_on", "currency", "lead_time_days", "item",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["12,50", "1.234,50", "1e5", "-3", "12.", "twelve", "１２"])
def test_a_price_that_can_be_read_two_ways_is_asked_about(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        papering.read_offer(TYPED, [{**ITEM, "unit_price": text}], {})
    assert ("unit_price", 1) in fields(caught.value.problems)


@calm
@given(st.decimals(min_value="0.000001", max_value="99999999", places=6))
def test_any_price_survives_being_stored(price: Decimal) -> None:
    row = Quotation(**paperwork._columns(offer(lines=(QuotedLine("x", 3, "pcs", price),))), deal_id=1, exporter_id=1)  # type: ignore[arg-type]
    assert paperwork.offer_of(row).lines[0].unit_price == price


# --- quotations in the house


def test_a_stored_quotation_says_what_was_put_in(session: Session, deal: Deal) -> None:
    row = paperwork.add_quotation(session, deal, OFFER, by=ADVISOR, now=NOW)
    session.expire_all()
    assert paperwork.offer_of(session.get_one(Quotation, row.id)) == OFFER


def test_a_number_is_given_once_by_an_exporter(session: Session, world: World, deal: Deal) -> None:
    paperwork.add_quotation(session, deal, OFFER, by=ADVISOR, now=NOW)
    other = deal_of(session, buyer(session, world, "Bo", exporter_id=world.toys))
    paperwork.add_quotation(session, other, OFFER, by=ADVISOR, now=NOW)
    with pytest.raises(BadInput) as caught:
        paperwork.add_quotation(session, deal, OFFER, by=ADVISOR, now=NOW)
    assert fields(caught.value.problems) == [("number", None)]


def test_a_quotation_that_left_is_not_changed_any_more(session: Session, deal: Deal) -> None:
    row = paperwork.add_quotation(session, deal, OFFER, by=ADVISOR, now=NOW)
    paperwork.change_quotation(session, row, offer(lead_time_days=45), by=ADVISOR, now=NOW)
    paperwork.mark_sent(session, row, at=NOW, by=ADVISOR, now=NOW)
    with pytest.raises(Refused):
        paperwork.change_quotation(session, row, OFFER, by=ADVISOR, now=NOW)
    assert row.lead_time_days == 45


def test_a_sent_quotation_is_what_workflows_go_on_from(session: Session, deal: Deal) -> None:
    row = paperwork.add_quotation(session, deal, OFFER, by=ADVISOR, now=NOW)
    paperwork.mark_sent(session, row, at=NOW, by=ADVISOR, now=NOW)
    [happened] = queries.get_deal(session, service_viewer(), deal.id or 0).happened
    assert (happened.name, happened.valid_until) == ("quotation.sent", OFFER.valid_until)


def service_viewer() -> Any:
    from crm.accounts.rules import system_viewer

    return system_viewer()


def test_a_quotation_expires_after_its_last_day_in_korea(session: Session, deal: Deal) -> None:
    row = paperwork.add_quotation(session, deal, OFFER, by=ADVISOR, now=NOW)
    paperwork.mark_sent(session, row, at=NOW, by=ADVISOR, now=NOW)
    assert paperwork.expire(session, now=datetime(2026, 12, 16, 14, 59, tzinfo=UTC)) == 0
    assert paperwork.expire(session, now=datetime(2026, 12, 16, 15, 0, tzinfo=UTC)) == 1
    assert row.state == "expired"


def test_another_exporters_document_is_no_paper_of_a_quotation(session: Session, world: World, deal: Deal) -> None:
    row = paperwork.add_quotation(session, deal, OFFER, by=ADVISOR, now=NOW)
    session.add(StoredFile(sha256="0" * 64, size=1, content=b"x"))
    session.flush()
    foreign = Document(
        exporter_id=world.toys, kind="quotation", title="Q", filename="q.pdf", media_type="application/pdf", size=1,
        sha256="0" * 64, series="quotation", created_at=NOW, created_by=ADVISOR,
    )  # fmt: skip
    session.add(foreign)
    session.flush()
    with pytest.raises(Refused):
        paperwork.attach_paper(session, row, foreign, by=ADVISOR, now=NOW)


# --- meetings


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        (Slots((), 40, online=True), ("slot", 1)),
        (Slots((NOW - timedelta(hours=1),), 40, online=True), ("slot", 1)),
        (Slots((NOW + timedelta(days=400),), 40, online=True), ("slot", 1)),
        (Slots((datetime(2026, 12, 1),), 40, online=True), ("slot", 1)),  # noqa: DTZ001 - that it is naive is the point
        (Slots((NOW + timedelta(days=1), NOW + timedelta(days=1, minutes=30)), 40, online=True), ("slot", 2)),
        (Slots((NOW + timedelta(days=1),), 3, online=True), ("minutes", None)),
        (Slots((NOW + timedelta(days=1),), 40), ("place", None)),
    ],
)
def test_times_that_cannot_be_proposed_are_named(wanted: Slots, where: tuple[str, int | None]) -> None:
    assert where in fields(papering.faults_of_slots(wanted, NOW))


def test_new_times_replace_the_old_ones_under_the_same_name(session: Session, deal: Deal) -> None:
    first = paperwork.propose_meeting(session, SLOTS, deal=deal, by=ADVISOR, now=NOW)
    later = Slots((NOW + timedelta(days=9),), 60, place="KINTEX")
    again = paperwork.propose_meeting(session, later, deal=deal, by=ADVISOR, now=NOW)
    assert (again.id, again.sequence, paperwork.slots_of(again)) == (first.id, 1, later.moments)


def test_only_a_proposed_time_can_be_agreed(session: Session, deal: Deal) -> None:
    row = paperwork.propose_meeting(session, SLOTS, deal=deal, by=ADVISOR, now=NOW)
    with pytest.raises(BadInput):
        paperwork.choose_slot(session, row, NOW + timedelta(days=5), by=ADVISOR, now=NOW)
    paperwork.choose_slot(session, row, SLOTS.moments[1], by=ADVISOR, now=NOW)
    assert papers_of(session, [deal.id or 0], now=NOW)[deal.id or 0].meeting.slots == (SLOTS.moments[1],)  # type: ignore[union-attr]


def test_times_that_have_passed_are_not_named(session: Session, deal: Deal) -> None:
    paperwork.propose_meeting(session, SLOTS, deal=deal, by=ADVISOR, now=NOW)
    after_first = papers_of(session, [deal.id or 0], now=NOW + timedelta(days=2, hours=1))
    assert after_first[deal.id or 0].meeting.slots == (SLOTS.moments[1],)  # type: ignore[union-attr]
    assert papers_of(session, [deal.id or 0], now=NOW + timedelta(days=4)) == {}


def test_a_withdrawn_meeting_is_not_named(session: Session, deal: Deal) -> None:
    row = paperwork.propose_meeting(session, SLOTS, deal=deal, by=ADVISOR, now=NOW)
    paperwork.withdraw_meeting(session, row, by=ADVISOR, now=NOW)
    assert papers_of(session, [deal.id or 0], now=NOW) == {}


def test_a_lead_without_a_deal_can_be_met_too(session: Session, world: World) -> None:
    lead = buyer(session, world, "Eve")
    row = paperwork.propose_meeting(session, SLOTS, lead=lead, by=ADVISOR, now=NOW)
    assert meetings_of_leads(session, [lead.id or 0], now=NOW)[lead.id or 0].id == row.id
    assert in_human_hands(session, [lead.id or 0]) == {lead.id}


# --- negotiation


@pytest.mark.parametrize(
    ("kind", "texts", "until", "field"),
    [
        ("maybe", {"ko": "가"}, None, "kind"),
        ("agreed", {"en": "FOB"}, None, "text_ko"),
        ("agreed", {"ko": "가", "en": "x" * 501}, None, "text_en"),
        ("open", {"ko": "가"}, TODAY, "until"),
        ("proposal", {"ko": "가"}, TODAY - timedelta(days=1), "until"),
    ],
)
def test_a_point_says_its_kind_in_korean_and_until_when(
    kind: str, texts: dict[str, str], until: date | None, field: str
) -> None:
    assert (field, None) in fields(papering.faults_of_point(kind, texts, until, TODAY))


def test_letters_learn_the_points_in_their_language(session: Session, deal: Deal) -> None:
    for kind, texts, until in (
        ("agreed", {"ko": "FOB 부산", "ja": "FOB釜山"}, None),
        ("proposal", {"ko": "500개", "ja": "500個"}, date(2026, 12, 1)),
        ("proposal", {"ko": "결제", "ja": "支払い"}, date(2026, 11, 20)),
        ("open", {"ko": "포장"}, None),
    ):
        paperwork.add_point(session, deal, kind, texts, until=until, by=ADVISOR, now=NOW)
    papers = papers_of(session, [deal.id or 0], now=NOW)[deal.id or 0]
    assert papers.texts("agreed", "ja") == ("FOB釜山",)
    assert papers.until() == date(2026, 11, 20)
    assert papers.texts("open", "ja") == ()  # half a list would say that the rest was dropped
    assert papers.texts("open", "ko") == ("포장",)


def test_an_open_point_can_become_agreed_and_the_log_knows_what_it_was(session: Session, deal: Deal) -> None:
    row = paperwork.add_point(session, deal, "open", {"ko": "  포장\n방법 "}, by=ADVISOR, now=NOW)
    paperwork.change_point(session, row, "agreed", {"ko": "포장 20개"}, by=ADVISOR, now=NOW)
    paperwork.remove_point(session, row, by=ADVISOR, now=NOW)
    told = [event for event in events.history(session, "deal", deal.id or 0) if event.verb.startswith("point_")]
    assert [(event.verb, event.actor) for event in told] == [
        ("point_added", ADVISOR), ("point_changed", ADVISOR), ("point_removed", ADVISOR),
    ]  # fmt: skip
    assert told[1].data["before"] == {"kind": "open", "texts": {"ko": "포장 방법"}, "until": None}


# --- contracts


@pytest.mark.parametrize(
    ("minimum", "field"),
    [
        (Minimum(0, "pcs"), "minimum_quantity"),
        (Minimum(100), "minimum_unit"),
        (Minimum(unit="pcs"), "minimum_quantity"),
        (Minimum(amount=Decimal(-1), currency="USD"), "minimum_amount"),
        (Minimum(amount=Decimal("1.005"), currency="USD"), "minimum_amount"),
        (Minimum(amount=Decimal(5)), "minimum_currency"),
        (Minimum(currency="USD"), "minimum_amount"),
    ],
)
def test_a_minimum_is_complete_or_empty(minimum: Minimum, field: str) -> None:
    assert (field, None) in fields(papering.faults_of_minimum(minimum))


def test_letters_learn_the_minimum_in_figures_and_its_words_stay(session: Session, deal: Deal, world: World) -> None:
    contract = service.sign_exclusive(
        session, deal, territory=["SG", "MY"], product_line_id=world.line, starts_on=TODAY, ends_on=date(2027, 11, 15),
        status="offered", minimum="연 5만 달러", by=ADVISOR, now=NOW,
    )  # fmt: skip
    paperwork.set_minimum(session, contract, Minimum(500, "pcs", Decimal("50000.00"), "USD"), by=ADVISOR, now=NOW)
    session.expire_all()
    paper = papers_of(session, [deal.id or 0], now=NOW)[deal.id or 0].contract
    assert paper is not None
    assert (paper.territory, paper.minimum_quantity, paper.minimum_amount, paper.currency, paper.words) == (
        ("MY", "SG"), 500, Decimal("50000.00"), "USD", "연 5만 달러",
    )  # fmt: skip


# --- all together


def test_the_papers_of_many_deals_are_read_in_a_few_queries(session: Session, world: World) -> None:
    deals = [deal_of(session, buyer(session, world, name)) for name in ("Ann", "Ben", "Cho", "Dan")]
    for number, one in enumerate(deals):
        paperwork.add_quotation(session, one, offer(number=f"Q-{number}"), by=ADVISOR, now=NOW)
        paperwork.propose_meeting(session, SLOTS, deal=one, by=ADVISOR, now=NOW)
    session.flush()
    asked = []
    bind = session.get_bind()
    sa.event.listen(bind, "before_cursor_execute", lambda *args: asked.append(args[2]))
    found = papers_of(session, [one.id or 0 for one in deals], now=NOW)
    assert len(asked) <= 5
    assert [found[one.id or 0].quotation.offer.number for one in deals] == ["Q-0", "Q-1", "Q-2", "Q-3"]  # type: ignore[union-attr]


def test_the_newest_quotation_that_holds_is_the_one_that_counts(session: Session, deal: Deal) -> None:
    paperwork.add_quotation(session, deal, offer(number="Q-1"), by=ADVISOR, now=NOW)
    paperwork.add_quotation(session, deal, offer(number="Q-2", valid_until=date(2026, 11, 20)), by=ADVISOR, now=NOW)
    assert papers_of(session, [deal.id or 0], now=NOW)[deal.id or 0].quotation.offer.number == "Q-2"  # type: ignore[union-attr]
    later = papers_of(session, [deal.id or 0], now=NOW + timedelta(days=10))
    assert later[deal.id or 0].quotation.offer.number == "Q-1"  # type: ignore[union-attr]


def test_a_paper_of_another_deal_is_not_found(session: Session, world: World, deal: Deal) -> None:
    other = deal_of(session, buyer(session, world, "Bo"))
    row = paperwork.propose_meeting(session, SLOTS, deal=other, by=ADVISOR, now=NOW)
    with pytest.raises(NotFound):
        paperwork.of_deal(session, MeetingProposal, deal.id or 0, row.id or 0)


def test_a_deal_with_papers_is_in_human_hands(session: Session, world: World) -> None:
    lead = buyer(session, world, "Fay")
    paperwork.add_quotation(session, deal_of(session, lead), OFFER, by=ADVISOR, now=NOW)
    assert in_human_hands(session, [lead.id or 0]) == {lead.id}
