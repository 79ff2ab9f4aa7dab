"""Filling in the papers of a deal: quotations, meetings, points, minimum purchases."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from crm.core.clock import KST
from crm.core.context import Context
from crm.core.models import Event
from crm.drafts.placeholders import PLACES
from crm.exporters.models import Document
from crm.pipeline.models import ExclusiveContract, MeetingProposal, NegotiationPoint, Quotation
from crm.pipeline.papers import papers_of
from crm.web.filling import where_to_fill
from tests.web.conftest import Browser
from tests.web.test_products import stored
from tests.web.world import World

QUOTATION = {
    "number": "Q-2026-031", "issued_on": "2026-11-16", "valid_until": "2026-12-16", "currency": "USD",
    "incoterm": "FOB", "incoterm_place": "Busan, Korea", "lead_time_days": "30", "payment": "tt_30_70",
    "packing_ko": "카톤당 20개", "packing_buyer": "20 unidades por caja",
    "item_1": "Cica cream 50 ml", "hs_code_1": "3304.99", "quantity_1": "1,200", "unit_1": "pcs",
    "unit_price_1": "2.505",
    "item_2": "", "hs_code_2": "", "quantity_2": "", "unit_2": "", "unit_price_2": "",
}  # fmt: skip


@pytest.fixture
def deal(world: World) -> str:
    """The address of the deal with a Spanish buyer."""
    return f"/deals/{world.deals['ES']}"


def one(site: Context, kind: Any) -> Any:
    with site.db.reading() as session:
        return session.exec(select(kind).order_by(col(kind.id).desc())).first()


def slot(site: Context, days: int) -> str:
    return (site.clock.now() + timedelta(days=days)).astimezone(KST).strftime("%Y-%m-%dT10:30")


def meeting(site: Context, **changes: str) -> dict[str, str]:
    return {"slot_1": slot(site, 3), "slot_2": slot(site, 4), "minutes": "40", "online": "1", "place": "", **changes}


# --- quotations


def test_a_quotation_is_stored_and_stands_on_the_deals_page(haewook: Browser, deal: str, site: Context) -> None:
    answer = haewook.post(f"{deal}/quotations/new", QUOTATION)
    assert answer.status_code == 303
    row = one(site, Quotation)
    assert row.lines == [
        {"item": "Cica cream 50 ml", "hs_code": "3304.99", "quantity": "1200", "unit": "pcs", "unit_price": "2.505"}
    ]
    assert row.packing == {"ko": "카톤당 20개", "es": "20 unidades por caja"}
    page = haewook.get(deal).text
    assert "Q-2026-031" in page
    assert "USD 3,006.00" in page


def test_mistakes_in_a_quotation_point_at_their_fields(haewook: Browser, deal: str, site: Context) -> None:
    wrong = {
        **QUOTATION,
        "incoterm_place": "",
        "item_3": "Toner",
        "quantity_3": "x",
        "unit_3": "pcs",
        "unit_price_3": "1,5",
    }
    answer = haewook.post(f"{deal}/quotations/new", wrong)
    assert answer.status_code == 422
    for name in ("incoterm_place", "quantity_3", "unit_price_3"):
        assert f'href="#f-{name}"' in answer.text
        assert f'id="f-{name}"' in answer.text
    assert 'value="1,5"' in answer.text
    assert one(site, Quotation) is None


def test_more_lines_can_be_had_without_losing_what_was_typed(haewook: Browser, deal: str, site: Context) -> None:
    answer = haewook.post(f"{deal}/quotations/new", {**QUOTATION, "more": "1"})
    assert answer.status_code == 200
    assert 'id="f-item_7"' in answer.text
    assert "Cica cream 50 ml" in answer.text
    assert one(site, Quotation) is None


def test_a_number_that_is_taken_is_told_at_its_field(haewook: Browser, deal: str, site: Context) -> None:
    haewook.post(f"{deal}/quotations/new", QUOTATION)
    answer = haewook.post(f"{deal}/quotations/new", QUOTATION)
    assert answer.status_code == 422
    assert 'href="#f-number"' in answer.text


def test_a_quotation_that_was_sent_is_shown_and_not_changed(haewook: Browser, deal: str, site: Context) -> None:
    haewook.post(f"{deal}/quotations/new", QUOTATION)
    path = f"{deal}/quotations/{one(site, Quotation).id}"
    assert haewook.post(f"{path}/sent").status_code == 303
    assert 'name="item_1"' not in haewook.get(path).text
    assert haewook.post(path, {**QUOTATION, "quantity_1": "5"}).status_code == 422
    assert one(site, Quotation).lines[0]["quantity"] == "1200"


def test_the_signed_paper_is_chosen_among_the_companys_own(haewook: Browser, deal: str, site: Context) -> None:
    haewook.post(f"{deal}/quotations/new", QUOTATION)
    path = f"{deal}/quotations/{one(site, Quotation).id}"
    own, foreign = stored(site), stored(site, "DASOM")
    assert haewook.post(f"{path}/paper", {"document_id": str(foreign.id)}).status_code == 404
    assert haewook.post(f"{path}/paper", {"document_id": str(own.id)}).status_code == 303
    assert one(site, Quotation).document_id == own.id
    assert one(site, Document).id == foreign.id


# --- meetings


def test_times_are_typed_on_koreas_clock_and_shown_on_the_buyers_too(
    haewook: Browser, deal: str, site: Context
) -> None:
    assert haewook.post(f"{deal}/meeting", meeting(site)).status_code == 303
    row = one(site, MeetingProposal)
    assert row.slots[0].endswith("T01:30:00+00:00")
    assert "02:30" in haewook.get(deal).text  # Madrid in November


def test_one_of_the_times_is_agreed(haewook: Browser, deal: str, site: Context, world: World) -> None:
    haewook.post(f"{deal}/meeting", meeting(site))
    row = one(site, MeetingProposal)
    assert haewook.post(f"{deal}/meeting/{row.id}/choose", {"chosen": row.slots[1]}).status_code == 303
    with site.db.reading() as session:
        found = papers_of(session, [world.deals["ES"]], now=site.clock.now())[world.deals["ES"]].meeting
    assert found is not None
    assert found.chosen is not None


@pytest.mark.parametrize("chosen", ["", "soon", "2026-11-30T01:30:00+00:00"])
def test_a_time_that_was_not_proposed_is_not_agreed(haewook: Browser, deal: str, site: Context, chosen: str) -> None:
    haewook.post(f"{deal}/meeting", meeting(site))
    row = one(site, MeetingProposal)
    assert haewook.post(f"{deal}/meeting/{row.id}/choose", {"chosen": chosen}).status_code == 422


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"slot_1": "tomorrow"}, "slot_1"), ({"minutes": "x"}, "minutes"), ({"online": ""}, "place"),
     ({"slot_1": "2020-01-01T10:30"}, "slot_1")],
)  # fmt: skip
def test_a_wrong_time_is_told_at_its_field(
    haewook: Browser, deal: str, site: Context, changes: dict[str, str], field: str
) -> None:
    answer = haewook.post(f"{deal}/meeting", meeting(site, **changes))
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text


# --- points


def test_a_point_is_noted_in_korean_and_in_the_buyers_language(haewook: Browser, deal: str, site: Context) -> None:
    typed = {
        "point_kind": "proposal",
        "text_ko": "1,000개",
        "text_buyer": "1.000 unidades",
        "point_until": "2026-12-01",
    }
    assert haewook.post(f"{deal}/points", typed).status_code == 303
    assert one(site, NegotiationPoint).texts == {"ko": "1,000개", "es": "1.000 unidades"}
    assert "1.000 unidades" in haewook.get(deal).text


def test_a_point_becomes_agreed_and_can_be_removed(haewook: Browser, deal: str, site: Context) -> None:
    haewook.post(f"{deal}/points", {"point_kind": "open", "text_ko": "포장", "text_buyer": ""})
    path = f"{deal}/points/{one(site, NegotiationPoint).id}"
    assert haewook.get(path).status_code == 200
    assert haewook.post(path, {"point_kind": "agreed", "text_ko": "포장 20개", "text_buyer": "x"}).status_code == 303
    assert one(site, NegotiationPoint).kind == "agreed"
    assert haewook.post(path, {"remove": "1"}).status_code == 303
    assert one(site, NegotiationPoint) is None
    with site.db.reading() as session:
        told = session.exec(select(Event).where(Event.verb == "point_removed")).one()
    assert told.actor == "haewook@example.com"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"text_ko": " "}, "text_ko"), ({"point_kind": "maybe"}, "point_kind"), ({"point_until": "soon"}, "point_until"),
     ({"text_buyer": "x" * 501}, "text_buyer")],
)  # fmt: skip
def test_a_wrong_point_is_told_at_its_field(
    haewook: Browser, deal: str, site: Context, changes: dict[str, str], field: str
) -> None:
    typed = {"point_kind": "agreed", "text_ko": "가", "text_buyer": "a", "point_until": "", **changes}
    answer = haewook.post(f"{deal}/points", typed)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text


# --- contracts


def test_a_minimum_purchase_is_stored_with_the_contract_and_changed_later(
    haewook: Browser, deal: str, site: Context, world: World
) -> None:
    with site.db.reading() as session:
        from crm.pipeline.models import Deal

        line_id = session.get_one(Deal, world.deals["ES"]).product_line_id
    contract = {
        "territory": "ES", "line_id": str(line_id), "starts_on": "2026-12-01", "ends_on": "2027-11-30",
        "kind": "exclusive", "status": "offered", "minimum": "연 5만 달러",
        "minimum_amount": "50,000", "minimum_currency": "usd",
    }  # fmt: skip
    assert haewook.post(f"{deal}/contract", contract).status_code == 303
    row = one(site, ExclusiveContract)
    assert (f"{row.minimum_amount:.2f}", row.minimum_currency, row.minimum) == ("50000.00", "USD", "연 5만 달러")
    path = f"{deal}/contracts/{row.id}"
    assert haewook.get(path).status_code == 200
    assert haewook.post(path, {"minimum_quantity": "500", "minimum_unit": ""}).status_code == 422
    assert haewook.post(path, {"minimum_quantity": "500", "minimum_unit": "pcs"}).status_code == 303
    assert one(site, ExclusiveContract).minimum_quantity == 500


# --- who may come near


@pytest.mark.parametrize(
    "path",
    ["quotations/new", "meeting", "points", "contracts/1", "quotations/1/sent", "points/1", "meeting/1/withdraw"],
)
def test_papers_are_for_the_deals_own_advisor(
    haewook: Browser, mina: Browser, dasom: Browser, world: World, path: str
) -> None:
    foreign = f"/deals/{world.deals['CN']}/{path}"  # Dasom's buyer, whom this advisor does not look after
    assert haewook.post(foreign, {}).status_code == 404
    own = f"/deals/{world.deals['ES']}/{path}"
    assert mina.post(own, {}).status_code == 403
    assert dasom.post(own, {}).status_code == 403


def test_a_paper_of_another_deal_is_not_reached_through_ones_own(
    hana: Browser, haewook: Browser, deal: str, world: World, site: Context
) -> None:
    hana.post(f"/deals/{world.deals['CN']}/quotations/new", QUOTATION)
    number = one(site, Quotation).id
    assert haewook.get(f"{deal}/quotations/{number}").status_code == 404
    assert haewook.post(f"{deal}/quotations/{number}/sent").status_code == 404


def test_a_form_without_its_token_changes_nothing(haewook: Browser, deal: str, site: Context) -> None:
    haewook.csrf = "wrong"
    assert haewook.post(f"{deal}/quotations/new", QUOTATION).status_code == 403
    assert one(site, Quotation) is None


# --- where facts are filled in


def test_every_place_of_a_placeholder_has_a_page(hana: Browser, world: World, site: Context) -> None:
    with site.db.reading() as session:
        from crm.pipeline.models import Deal

        deal = session.get_one(Deal, world.deals["ES"])
    for place in PLACES:
        path = where_to_fill(
            place, contact_id=world.contacts["ES"], exporter_id=deal.exporter_id, deal_id=deal.id,
            exhibition_id=world.exhibition_id, product_line_id=deal.product_line_id, staff=True,
        )  # fmt: skip
        page = hana.get(path)
        assert page.status_code == 200, path
        _path, _hash, anchor = path.partition("#")
        assert not anchor or f'id="{anchor}"' in page.text


def test_what_is_not_known_leads_to_the_nearest_page() -> None:
    assert where_to_fill("quotation", contact_id=7) == "/buyers/7"
    assert where_to_fill("exhibition") == "/exhibitions"
    assert where_to_fill("contact", contact_id=7, staff=True) == "/contacts/7/edit"
    with pytest.raises(ValueError, match="nowhere"):
        where_to_fill("nowhere")
