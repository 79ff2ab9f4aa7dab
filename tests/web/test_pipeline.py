from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import select

from crm.core import events
from crm.core.clock import KST
from crm.core.context import Context
from crm.pipeline import service
from crm.pipeline.models import Deal, ExclusiveContract
from crm.pipeline.rules import HAPPENINGS
from tests.web.conftest import Browser
from tests.web.world import World, letter, move

ON = ("contacted", "replied", "qualified", "sample_or_quotation", "negotiation")


def test_an_sme_sees_where_each_buyer_stands(mina: Browser, world: World) -> None:
    text = mina.get("/").text
    assert "바이어 3곳과 진행하고 있습니다" in text
    assert "Iberia Belleza S.L." in text
    assert "さくら商事株式会社" in text


def test_an_sme_sees_nothing_of_another_company(dasom: Browser, world: World) -> None:
    text = dasom.get("/").text
    assert "上海锦禾贸易有限公司" in text
    assert "Iberia" not in text
    assert "Iberia" not in dasom.get("/buyers").text
    assert "Iberia" not in dasom.get("/contracts").text
    assert "샘플 5개" not in text


@pytest.mark.parametrize("kind", ["buyers", "tasks"])
def test_what_belongs_to_another_company_does_not_exist(dasom: Browser, world: World, kind: str) -> None:
    row = {"buyers": world.contacts["ES"], "tasks": world.task_id}[kind]
    unknown = dasom.get(f"/{kind}/99999")
    foreign = dasom.get(f"/{kind}/{row}")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.text.replace(f"/{kind}/{row}", f"/{kind}/99999") == unknown.text


def test_the_first_thing_on_the_page_is_what_to_do(mina: Browser, world: World) -> None:
    text = mina.get("/").text
    assert "지금 하실 일 1가지" in text
    assert text.index("샘플 5개를 보내") < text.index("상담함")
    assert f'href="/tasks/{world.task_id}"' in text


def test_an_sme_answers_a_task(mina: Browser, world: World) -> None:
    assert "샘플 5개를 보내" in mina.get(f"/tasks/{world.task_id}").text
    answer = mina.post(f"/tasks/{world.task_id}/done", {"note": "송장 번호 12-345"})
    assert answer.headers["location"] == "/"
    assert "지금 하실 일이 없습니다" in mina.get("/").text
    assert "송장 번호 12-345" in mina.get(f"/tasks/{world.task_id}").text


def test_a_task_is_done_once(mina: Browser, world: World) -> None:
    mina.post(f"/tasks/{world.task_id}/done")
    assert mina.post(f"/tasks/{world.task_id}/done").status_code == 409


def test_a_deal_that_rests_too_long_is_marked(mina: Browser, world: World, site: Context) -> None:
    assert "일째 그대로" not in mina.get("/").text
    with site.db.writing() as session:
        deal = session.get_one(Deal, world.deals["JP"])
        deal.turn, deal.stage_since = "buyer", site.clock.now() - timedelta(days=25)
    assert "25일째 그대로" in mina.get("/").text


def test_a_card_says_what_goes_on_and_whose_turn_it_is(mina: Browser, world: World, site: Context) -> None:
    with site.db.writing() as session:
        for country, stage in (("ES", "lead"), ("JP", "contacted"), ("PH", "negotiation")):
            session.get_one(Deal, world.deals[country]).stage = stage
    text = mina.get("/").text
    assert "감사 메일을 준비하고 있습니다." in text
    assert "위원이 하는 중" in text
    assert "감사 메일을 보냈습니다. 아직 답장이 없습니다." in text
    assert "바이어 차례" in text
    assert "거래 조건을 맞추고 있습니다." in text
    assert "우리가 할 차례" in text


def test_an_sme_reads_a_letter_in_korean_and_no_address(mina: Browser, world: World, site: Context) -> None:
    with site.db.writing() as session:
        letter(session, world, "ES", site.clock.now())
    text = mina.get(f"/buyers/{world.contacts['ES']}").text
    assert "방문해 주셔서 감사합니다" in text
    assert "페르난데스 님께" in text
    assert "Estimada" not in text
    assert "lucia@iberia.example" not in text


def test_an_advisor_sees_address_talk_and_consent(haewook: Browser, world: World) -> None:
    text = haewook.get(f"/buyers/{world.contacts['ES']}").text
    assert "lucia@iberia.example" in text
    assert "12월까지 결정한다고 함." in text
    assert "샘플, 가격표" in text
    assert "동의" in text


def test_the_list_names_the_company_that_met_a_buyer(haewook: Browser, hana: Browser, world: World) -> None:
    for text in (haewook.get("/buyers").text, hana.get("/contacts").text):
        assert "<td>가온코스메틱" in text
        assert "<td>GAON" not in text


def test_buyers_are_found_by_a_part_of_the_name_in_their_script(haewook: Browser, world: World) -> None:
    text = haewook.get("/buyers?q=さくら").text
    assert "さくら商事" in text
    assert "Iberia" not in text
    assert "찾지 못했습니다" in haewook.get("/buyers?q=nobody").text


def test_an_advisor_has_only_the_buyers_of_the_assigned_companies(haewook: Browser, world: World) -> None:
    assert "锦禾" not in haewook.get("/buyers").text
    assert haewook.get(f"/deals/{world.deals['CN']}").status_code == 404


def test_an_sme_does_not_open_the_advisors_page_of_a_deal(mina: Browser, world: World) -> None:
    assert mina.get(f"/deals/{world.deals['ES']}").status_code == 403
    assert mina.post(f"/deals/{world.deals['ES']}/move", {"stage": "lost"}).status_code == 403


def test_an_advisor_moves_a_deal_with_a_reason(haewook: Browser, mina: Browser, world: World) -> None:
    path = f"/deals/{world.deals['ES']}"
    answer = haewook.post(f"{path}/move", {"stage": "contacted", "reason": "감사 메일을 보냄"})
    assert answer.headers["location"] == path
    text = haewook.get(path).text
    assert "감사 메일을 보냄" in text
    assert "감사 메일을 보냄" in mina.get(f"/buyers/{world.contacts['ES']}").text


def test_a_move_without_proof_shows_the_form_again_with_what_was_typed(haewook: Browser, world: World) -> None:
    answer = haewook.post(f"/deals/{world.deals['ES']}/move", {"stage": "negotiation", "reason": ""})
    assert answer.status_code == 422
    assert 'href="#f-reason"' in answer.text
    assert '<option value="negotiation" selected' in answer.text
    assert "단계" in answer.text


def note(browser: Browser, deal: int, **fields: str) -> Any:
    return browser.post(f"/deals/{deal}/happening", {"happening": "quotation.sent", "on": "2026-11-13", **fields})


def happened(site: Context, deal: int) -> list[tuple[str, str, dict[str, Any]]]:
    verbs = HAPPENINGS.values()
    with site.db.reading() as session:
        return [(x.verb, x.reason, x.data) for x in events.history(session, "deal", deal) if x.verb in verbs]


def test_an_advisor_notes_a_quotation_with_the_last_day_of_its_prices(
    haewook: Browser, world: World, site: Context
) -> None:
    deal = world.deals["ES"]
    assert note(haewook, deal, valid_until="2026-12-31", note="견적 26-7").status_code == 303
    noon, end = "2026-11-13T03:00:00+00:00", "2026-12-31T15:00:00+00:00"
    assert happened(site, deal) == [("quotation_sent", "견적 26-7", {"at": noon, "expires_at": end})]
    text = haewook.get(f"/deals/{deal}").text
    assert "견적 26-7" in text
    assert "2026년 12월 31일" in text


def test_what_happens_today_happens_now(haewook: Browser, world: World, site: Context) -> None:
    today = site.clock.now().astimezone(KST).date().isoformat()
    note(haewook, world.deals["ES"], happening="sample.sent", on=today)
    [(verb, _note, data)] = happened(site, world.deals["ES"])
    assert (verb, data) == ("sample_sent", {"at": site.clock.now().isoformat()})


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("on", {"on": "어제"}),
        ("on", {"on": "2027-01-01"}),
        ("valid_until", {"valid_until": "연말"}),
        ("valid_until", {"valid_until": "2026-11-01"}),
        ("valid_until", {"valid_until": "2026-12-31", "happening": "sample.sent"}),
        ("happening", {"happening": "party"}),
    ],
)
def test_what_cannot_have_happened_is_refused_at_its_field(
    haewook: Browser, world: World, site: Context, field: str, fields: dict[str, str]
) -> None:
    answer = note(haewook, world.deals["ES"], note="소포 12", **fields)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert 'value="소포 12"' in answer.text
    assert happened(site, world.deals["ES"]) == []


def test_only_those_in_charge_note_what_happened_to_a_deal(
    haewook: Browser, mina: Browser, hana: Browser, world: World, site: Context
) -> None:
    assert note(mina, world.deals["ES"]).status_code == 403
    assert note(haewook, world.deals["CN"]).status_code == 404
    haewook.csrf = "wrong"
    assert note(haewook, world.deals["ES"]).status_code == 403
    assert happened(site, world.deals["ES"]) == happened(site, world.deals["CN"]) == []
    assert note(hana, world.deals["CN"]).status_code == 303


def contract(**changes: str) -> dict[str, str]:
    return {
        "territory": "필리핀, VN",
        "line_id": "1",
        "starts_on": "2026-12-01",
        "ends_on": "2028-11-30",
        "kind": "exclusive",
        "status": "signed",
        "minimum": "USD 50,000",
        **changes,
    }


def test_an_advisor_signs_an_exclusive_contract(haewook: Browser, mina: Browser, world: World, site: Context) -> None:
    with site.db.writing() as session:
        move(session, world.deals["PH"], *ON, now=site.clock.now())
        line = session.get_one(Deal, world.deals["PH"]).product_line_id
    answer = haewook.post(f"/deals/{world.deals['PH']}/contract", contract(line_id=str(line)))
    assert answer.status_code == 303
    with site.db.reading() as session:
        stored = session.exec(select(ExclusiveContract)).one()
        assert (stored.territory, stored.ends_on) == (["PH", "VN"], date(2028, 11, 30))
        assert session.get_one(Deal, world.deals["PH"]).stage == "exclusive_contract"
    for path in ("/", "/contracts"):
        text = mina.get(path).text
        assert "Manila Trade" in text
        assert "필리핀" in text
    assert "독점 계약 중" in mina.get("/").text


def test_a_second_contract_for_the_territory_is_refused_and_names_the_first(
    haewook: Browser, world: World, site: Context
) -> None:
    with site.db.writing() as session:
        deal = session.get_one(Deal, world.deals["PH"])
        line = deal.product_line_id
        service.sign_exclusive(
            session,
            deal,
            territory=["PH"],
            product_line_id=line,
            starts_on=date(2026, 12, 1),
            ends_on=date(2028, 12, 1),
            by="haewook@example.com",
            now=site.clock.now(),
        )
    answer = haewook.post(f"/deals/{world.deals['ES']}/contract", contract(line_id=str(line)))
    assert answer.status_code == 422
    assert "Manila Trade" in answer.text
    assert 'value="필리핀, VN"' in answer.text


@pytest.mark.parametrize(
    ("field", "value"), [("territory", "아틀란티스"), ("starts_on", "내일"), ("ends_on", ""), ("ends_on", "2025-01-01")]
)
def test_a_contract_with_a_mistake_names_the_field(
    haewook: Browser, world: World, site: Context, field: str, value: str
) -> None:
    with site.db.reading() as session:
        line = session.get_one(Deal, world.deals["ES"]).product_line_id
    answer = haewook.post(f"/deals/{world.deals['ES']}/contract", contract(line_id=str(line), **{field: value}))
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    with site.db.reading() as session:
        assert session.exec(select(ExclusiveContract)).first() is None


def test_an_advisor_sees_the_tasks_of_the_assigned_companies(haewook: Browser, dasom: Browser, world: World) -> None:
    assert "샘플 5개" in haewook.get("/tasks").text
    assert "샘플 5개" not in dasom.get("/tasks").text
