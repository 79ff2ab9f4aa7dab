"""What holds for every page of the staff: who may come, what the start page says, the log, the figures."""

import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlmodel import select

from crm.core import events, instance
from crm.core.clock import FrozenClock
from crm.core.context import Context
from crm.exporters.models import Booth, Exhibition
from tests.web.conftest import Browser
from tests.web.world import World, letter

PAGES = (
    "/staff",
    "/exhibitions",
    "/import",
    "/contacts",
    "/campaigns",
    "/users",
    "/suppression",
    "/outbox",
    "/reports",
    "/reports?by=country",
    "/reports/funnel.xlsx",
    "/audit",
)
POSTS = (
    "/exhibitions",
    "/exhibitions/1/booths",
    "/import",
    "/import/1/columns",
    "/import/1/confirm",
    "/import/1/check",
    "/import/1/discard",
    "/import/batches/1/undo",
    "/contacts/1/edit",
    "/contacts/1/suppress",
    "/campaigns",
    "/campaigns/1/start",
    "/campaigns/1/stop",
    "/users",
    "/users/1/company",
    "/users/1/invite",
    "/users/1/remove",
    "/suppression",
    "/outbox/1/settle",
    "/outbox/confirm",
    "/outbox/pause",
)


def answers(browser: Browser, paths: Sequence[str]) -> dict[str, int]:
    return {path: browser.get(path).status_code for path in paths}


def test_every_page_answers_staff(hana: Browser, world: World) -> None:
    assert answers(hana, PAGES) == dict.fromkeys(PAGES, 200)


def test_every_page_answers_staff_of_an_empty_house(hana: Browser) -> None:
    assert answers(hana, PAGES) == dict.fromkeys(PAGES, 200)


def test_advisors_and_companies_are_refused(haewook: Browser, mina: Browser, world: World) -> None:
    pages = (*PAGES, "/exhibitions/1", "/import/1/columns", "/contacts/1", "/users/1")
    assert answers(haewook, pages) == dict.fromkeys(pages, 403)
    assert answers(mina, pages) == dict.fromkeys(pages, 403)


def test_the_forms_of_the_staff_take_nothing_from_others(haewook: Browser, world: World) -> None:
    assert {path: haewook.post(path).status_code for path in POSTS} == dict.fromkeys(POSTS, 403)


def test_the_forms_of_the_staff_want_their_token(hana: Browser, world: World) -> None:
    hana.csrf = "another"
    assert {path: hana.post(path).status_code for path in POSTS} == dict.fromkeys(POSTS, 403)


def test_what_does_not_exist_is_not_found(hana: Browser) -> None:
    paths = ("/exhibitions/999", "/contacts/999", "/campaigns/999", "/users/999", "/outbox/999", "/import/999/columns")
    assert answers(hana, paths) == dict.fromkeys(paths, 404)


def test_pages_speak_english_to_who_wants_it(hana: Browser, world: World) -> None:
    hana.post("/language", {"language": "en"})
    assert "Waiting for advisors" in hana.get("/staff").text


def test_the_start_page_counts_what_waits_for_advisors(
    hana: Browser, site: Context, world: World, clock: FrozenClock
) -> None:
    with site.db.writing() as session:
        letter(session, world, "ES", clock.now())
        letter(session, world, "JP", clock.now(), planned_at=clock.now() - timedelta(hours=1))
        letter(session, world, "PH", clock.now(), wait_until=clock.now() + timedelta(days=3))
    text = hana.get("/staff").text
    assert "<b>2통</b>" in text
    assert "위원을 기다리는 초안이 1건" in text


def test_paused_sending_stands_on_top_of_the_start_page(hana: Browser, site: Context) -> None:
    assert "발송이 멈춰 있습니다" not in hana.get("/staff").text
    with site.db.writing() as session:
        instance.pause(session, by="hana@example.com", now=site.clock.now(), reason="서버 점검")
    text = hana.get("/staff").text
    assert "발송이 멈춰 있습니다" in text
    assert "서버 점검" in text


SHOW = {
    "code": "hanbit2027",
    "ko": "한빛전",
    "en": "Hanbit",
    "venue": "KINTEX",
    "starts_on": "2027-03-02",
    "ends_on": "2027-03-05",
}


def test_an_exhibition_is_made_and_gets_a_booth(hana: Browser, site: Context) -> None:
    made = hana.post("/exhibitions", SHOW)
    assert made.status_code == 303
    page = made.headers["location"]
    assert "한빛전" in hana.get(page).text
    assert hana.post(f"{page}/booths", {"exporter_id": "1", "number": "7b - 101"}).status_code == 303
    assert "7B-101" in hana.get(page).text
    with site.db.reading() as session:
        assert session.exec(select(Exhibition.code)).all() == ["HANBIT2027"]


@pytest.mark.parametrize(
    ("field", "value"), [("ko", ""), ("code", "한빛"), ("starts_on", "3월"), ("ends_on", "2027-03-01")]
)
def test_an_exhibition_with_a_mistake_comes_back_with_what_was_typed(
    hana: Browser, site: Context, field: str, value: str
) -> None:
    answer = hana.post("/exhibitions", {**SHOW, field: value})
    assert answer.status_code == 422
    assert 'value="Hanbit"' in answer.text
    with site.db.reading() as session:
        assert session.exec(select(Exhibition)).all() == []


def test_a_booth_of_another_company_is_not_given_away(hana: Browser, site: Context, world: World) -> None:
    with site.db.reading() as session:
        taken = session.exec(select(Booth).where(Booth.exporter_id == 2)).one().number
    answer = hana.post(f"/exhibitions/{world.exhibition_id}/booths", {"exporter_id": "1", "number": taken})
    assert answer.status_code == 422
    assert taken in answer.text


def workbook(answer: Any) -> Any:
    return load_workbook(io.BytesIO(answer.content))


def test_the_figures_open_as_a_workbook(hana: Browser, world: World) -> None:
    answer = hana.get("/reports/funnel.xlsx")
    assert "attachment" in answer.headers["content-disposition"]
    assert workbook(answer).worksheets[0]["B2"].value == 4


def test_the_figures_show_each_company_and_their_sum(hana: Browser, world: World) -> None:
    text = hana.get(f"/reports?by=exporter&exhibition={world.exhibition_id}").text
    assert "가온코스메틱" in text
    assert "다솜푸드" in text


def test_the_log_is_filtered_by_what_was_done(hana: Browser, world: World) -> None:
    text = hana.get("/audit?verb=deal_opened").text
    assert "거래 시작" in text
    assert "<td>동의 기록</td>" not in text


def test_the_log_is_filtered_by_day(hana: Browser, world: World, clock: FrozenClock) -> None:
    assert "맞는 기록이 없습니다" in hana.get("/audit?since=2026-11-17").text
    assert "거래 시작" in hana.get("/audit?since=2026-11-14&until=2026-11-14").text


def test_the_log_names_stages_countries_letters_and_languages(hana: Browser, site: Context) -> None:
    with site.db.writing() as session:
        now = site.clock.now()
        moved = {"from": "negotiation", "to": "exclusive_contract"}
        events.record(session, "deal_moved", "deal", 1, at=now, actor="system", data=moved)
        signed = {"territory": ["PH", "VN"], "kind": "exclusive"}
        events.record(session, "contract_signed", "deal", 1, at=now, actor="system", data=signed)
        changed = {"language": ["es", None]}
        events.record(session, "contact_edited", "contact", 1, at=now, actor="system", data=changed)
    text = hana.get("/audit").text
    assert "앞: 조건 협의; 뒤: 독점 계약" in text
    assert "지역: 필리핀, 베트남; 종류: 독점 총판" in text
    assert "언어: 스페인어 → –" in text


def test_the_log_goes_on_from_page_to_page(hana: Browser, site: Context, world: World) -> None:
    first = hana.get("/audit").text
    with site.db.writing() as session:
        for _number in range(120):
            instance.pause(session, by="hana@example.com", now=site.clock.now(), reason="")
    assert "더 보기" not in first
    assert "더 보기" in hana.get("/audit").text
    assert "더 보기" not in hana.get("/audit?before=50").text
