import re
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from crm.core.clock import FrozenClock
from crm.core.context import Context
from crm.drafts.models import Draft
from crm.review.models import Approval, Decision, Message
from tests.web.conftest import Browser
from tests.web.world import World, letter


@pytest.fixture
def drafts(site: Context, world: World) -> dict[str, int]:
    """Three letters of Gaon wait for Haewook, and one of Dasom's that is not theirs."""
    with site.db.writing() as session:
        made = {country: letter(session, world, country, site.clock.now()).id for country in ("ES", "JP", "PH", "CN")}
    return {country: number for country, number in made.items() if number}


def form_of(browser: Browser, draft_id: int) -> dict[str, Any]:
    """Return the fields of the approve form as the page holds them."""
    text = browser.get(f"/review/{draft_id}").text
    form = re.search(r'action="/review/\d+/approve".*?</form>', text, re.DOTALL)
    assert form, "the page has an approve button"
    version = re.search(r'name="version" value="(\d+)"', form[0])
    assert version
    following = re.search(r'name="next" value="(\d*)"', form[0])
    assert following
    seen = re.findall(r'name="seen" value="([^"]+)"', form[0])
    return {"version": version[1], "seen": seen, "next": following[1]}


def approve(browser: Browser, draft_id: int) -> Any:
    return browser.post(f"/review/{draft_id}/approve", form_of(browser, draft_id))


def status(site: Context, draft_id: int) -> str:
    with site.db.reading() as session:
        return session.get_one(Draft, draft_id).status


def test_the_queue_lists_only_what_the_advisor_looks_after(haewook: Browser, drafts: dict[str, int]) -> None:
    text = haewook.get("/review").text
    assert "오늘 검토할 초안 3건" in text
    assert "Lucía Fernández" in text
    assert "锦禾" not in text


def test_without_drafts_the_queue_says_so(haewook: Browser) -> None:
    assert "오늘 검토할 초안이 없습니다" in haewook.get("/review").text


def test_a_draft_of_another_company_does_not_exist(haewook: Browser, drafts: dict[str, int]) -> None:
    foreign = drafts["CN"]
    for path in ("", "/edit", "/later", "/return", "/letter"):
        assert haewook.get(f"/review/{foreign}{path}").status_code == 404
    assert haewook.post(f"/review/{foreign}/approve", {"version": "1"}).status_code == 404


@pytest.mark.parametrize("path", ["/review", "/review/1", "/review/1/edit"])
def test_an_sme_does_not_review(mina: Browser, drafts: dict[str, int], path: str) -> None:
    assert mina.get(path).status_code == 403


def test_letter_and_korean_rendering_stand_side_by_side_with_marked_values(
    haewook: Browser, drafts: dict[str, int]
) -> None:
    text = haewook.get(f"/review/{drafts['ES']}").text
    assert "Estimada Sra. <mark>Fernández</mark>:" in text
    assert "<mark>페르난데스</mark> 님께" in text
    assert '<div lang="es">' in text


def test_a_korean_letter_stands_alone_without_a_rendering_of_itself(
    haewook: Browser, world: World, site: Context
) -> None:
    with site.db.writing() as session:
        number = letter(session, world, "ES", site.clock.now(), language="ko").id
    assert "한국어 대역" not in haewook.get(f"/review/{number}").text
    assert "한국어 대역" not in haewook.get(f"/review/{number}/edit").text


def test_the_page_shows_checks_talk_and_when_it_would_leave(haewook: Browser, drafts: dict[str, int]) -> None:
    text = haewook.get(f"/review/{drafts['ES']}").text
    assert "보내기 전 점검" in text
    assert "12월까지 결정한다고 함." in text
    assert "(현지" in text


def test_approving_leads_to_the_next_draft(haewook: Browser, drafts: dict[str, int], site: Context) -> None:
    answer = approve(haewook, drafts["ES"])
    assert answer.status_code == 303
    following = answer.headers["location"]
    assert following in {f"/review/{drafts['JP']}", f"/review/{drafts['PH']}"}
    assert status(site, drafts["ES"]) == "approved"
    assert "승인했습니다." in haewook.get(following).text


def test_the_last_approval_leads_back_to_the_queue(haewook: Browser, drafts: dict[str, int]) -> None:
    for country in ("ES", "JP"):
        approve(haewook, drafts[country])
    assert approve(haewook, drafts["PH"]).headers["location"] == "/review"
    text = haewook.get("/review").text
    assert "모두 끝났습니다" in text
    assert "오늘 3건 승인" in text


def test_htmx_gets_the_next_draft_in_place(haewook: Browser, drafts: dict[str, int]) -> None:
    haewook.client.follow_redirects = True
    answer = haewook.post(f"/review/{drafts['ES']}/approve", form_of(haewook, drafts["ES"]), hx_request="true")
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "<title>" in answer.text
    assert answer.headers["hx-push-url"].startswith("/review/")
    assert "autofocus" in answer.text


def test_what_changed_since_it_was_read_is_not_approved(
    haewook: Browser, drafts: dict[str, int], site: Context
) -> None:
    form = form_of(haewook, drafts["ES"])
    with site.db.writing() as session:
        session.get_one(Draft, drafts["ES"]).subject = "Otro asunto"
    answer = haewook.post(f"/review/{drafts['ES']}/approve", form)
    assert answer.status_code == 409
    assert status(site, drafts["ES"]) == "waiting"


def test_a_second_click_approves_nothing_twice(haewook: Browser, drafts: dict[str, int], site: Context) -> None:
    form = form_of(haewook, drafts["ES"])
    haewook.post(f"/review/{drafts['ES']}/approve", form)
    answer = haewook.post(f"/review/{drafts['ES']}/approve", form)
    assert answer.status_code == 409
    assert "정해욱 님이" in answer.text, "who was faster, by name"
    with site.db.reading() as session:
        assert len(session.exec(select(Approval)).all()) == len(session.exec(select(Message)).all()) == 1


def test_a_blocked_draft_has_no_approve_button(haewook: Browser, world: World, site: Context) -> None:
    with site.db.writing() as session:
        draft = letter(session, world, "ES", site.clock.now(), subject="{{ subject }}")
        number = draft.id
    text = haewook.get(f"/review/{number}").text
    assert "/approve" not in text
    assert "막음: 승인할 수 없습니다." in text
    assert "보낼 수 없음" in haewook.get("/review").text
    assert haewook.post(f"/review/{number}/approve", {"version": "1"}).status_code == 409


def test_an_approval_can_be_taken_back(haewook: Browser, drafts: dict[str, int], site: Context) -> None:
    approve(haewook, drafts["ES"])
    answer = haewook.post(f"/review/{drafts['ES']}/take-back")
    assert answer.headers["location"] == f"/review/{drafts['ES']}"
    assert status(site, drafts["ES"]) == "waiting"
    assert "승인을 취소했습니다" in haewook.get(f"/review/{drafts['ES']}").text
    assert approve(haewook, drafts["ES"]).status_code == 303


def test_a_letter_that_left_cannot_be_taken_back(haewook: Browser, drafts: dict[str, int], site: Context) -> None:
    approve(haewook, drafts["ES"])
    with site.db.writing() as session:
        session.exec(select(Approval)).one().taken_at = site.clock.now()
    assert haewook.post(f"/review/{drafts['ES']}/take-back").status_code == 409


def test_later_hides_the_draft_until_then(haewook: Browser, drafts: dict[str, int], clock: FrozenClock) -> None:
    path = f"/review/{drafts['ES']}/later"
    assert "내일 아침" in haewook.get(path).text
    assert haewook.post(path, {"when": "tomorrow"}).status_code == 303
    assert "오늘 검토할 초안 2건" in haewook.get("/review").text


def test_later_takes_only_what_it_offers(haewook: Browser, drafts: dict[str, int]) -> None:
    assert haewook.post(f"/review/{drafts['ES']}/later", {"when": "never"}).status_code == 422


def test_next_monday_is_a_monday_in_the_future(haewook: Browser, drafts: dict[str, int], site: Context) -> None:
    haewook.post(f"/review/{drafts['ES']}/later", {"when": "monday"})
    with site.db.reading() as session:
        until = session.get_one(Draft, drafts["ES"]).wait_until
    assert until
    assert until.weekday() == 0
    assert timedelta(0) < until - site.clock.now() <= timedelta(days=7)


def test_a_draft_is_returned_with_a_reason(haewook: Browser, drafts: dict[str, int], site: Context) -> None:
    path = f"/review/{drafts['ES']}/return"
    assert haewook.post(path, {"reason": ""}).status_code == 422
    assert haewook.post(path, {"reason": "tone", "note": "너무 딱딱함"}).status_code == 303
    assert status(site, drafts["ES"]) == "returned"
    with site.db.reading() as session:
        assert session.exec(select(Decision.reason)).one() == "tone: 너무 딱딱함"


def edited(browser: Browser, draft_id: int, **changes: str) -> dict[str, Any]:
    """Return the edit form as the page holds it, with some fields typed over."""
    text = browser.get(f"/review/{draft_id}/edit").text
    version = re.search(r'name="version" value="(\d+)"', text)
    assert version
    fields = dict(re.findall(r'<textarea[^>]*name="(text-\w+)"[^>]*>([^<]*)</textarea>', text))
    subject = re.search(r'name="subject"[^>]*value="([^"]*)"', text)
    assert subject
    seen = re.findall(r'name="seen" value="([^"]+)"', text)
    return {"version": version[1], "subject": subject[1], "seen": seen, **fields, **changes}


def test_editing_and_approving_in_one_go(haewook: Browser, drafts: dict[str, int], site: Context) -> None:
    form = edited(haewook, drafts["ES"], **{"text-thanks": "Fue un placer.", "note-thanks": "짧게 고침"})
    answer = haewook.post(f"/review/{drafts['ES']}/edit", form)
    assert answer.status_code == 303
    assert status(site, drafts["ES"]) == "approved"
    with site.db.reading() as session:
        assert "Fue un placer." in session.exec(select(Message.text)).one()
    text = haewook.get(f"/review/{drafts['ES']}").text
    assert "고친 문단입니다" in text
    assert "짧게 고침" in text


def test_an_edit_that_raises_a_new_question_is_kept_and_shown(
    haewook: Browser, drafts: dict[str, int], site: Context
) -> None:
    form = edited(haewook, drafts["ES"], **{"text-thanks": "¡Fue un placer! ¡Gracias!"})
    answer = haewook.post(f"/review/{drafts['ES']}/edit", form)
    assert answer.headers["location"] == f"/review/{drafts['ES']}"
    assert status(site, drafts["ES"]) == "waiting"
    text = haewook.get(f"/review/{drafts['ES']}").text
    assert "고친 내용을 저장했습니다" in text
    assert "<ins>" in text


def test_an_empty_paragraph_is_refused_and_what_was_typed_is_kept(
    haewook: Browser, drafts: dict[str, int], site: Context
) -> None:
    form = edited(haewook, drafts["ES"], **{"text-thanks": " ", "text-closing": "Hasta pronto,"})
    answer = haewook.post(f"/review/{drafts['ES']}/edit", form)
    assert answer.status_code == 422
    assert "Hasta pronto," in answer.text
    with site.db.reading() as session:
        texts = [block["text"] for block in session.get_one(Draft, drafts["ES"]).blocks]
    assert "Hasta pronto," not in texts


def test_an_edit_of_what_somebody_else_changed_is_refused(
    haewook: Browser, drafts: dict[str, int], site: Context
) -> None:
    form = edited(haewook, drafts["ES"])
    with site.db.writing() as session:
        session.get_one(Draft, drafts["ES"]).subject = "Otro asunto"
    assert haewook.post(f"/review/{drafts['ES']}/edit", form).status_code == 409


def test_the_template_is_compared_word_by_word(haewook: Browser, world: World, site: Context) -> None:
    with site.db.writing() as session:
        draft = letter(session, world, "ES", site.clock.now())
        changed = {**draft.blocks[1], "text": "Fue un gran placer conocerla.", "edited_by": "haewook@example.com"}
        draft.blocks = [draft.blocks[0], changed, draft.blocks[2]]
        number = draft.id
    text = haewook.get(f"/review/{number}?view=compare").text
    assert re.search(r"<ins>.*?gran.*?</ins>", text)
    assert "1곳 다름" in text


def test_the_receivers_view_shows_both_parts(haewook: Browser, drafts: dict[str, int]) -> None:
    text = haewook.get(f"/review/{drafts['ES']}?view=buyer").text
    assert f'src="/review/{drafts["ES"]}/letter"' in text
    assert "Estimada Sra. Fernández:" in text


def test_the_html_part_is_shown_where_nothing_can_run(haewook: Browser, drafts: dict[str, int]) -> None:
    answer = haewook.get(f"/review/{drafts['ES']}/letter")
    assert "Fernández" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy


def test_a_name_cannot_smuggle_markup_into_the_page(haewook: Browser, world: World, site: Context) -> None:
    with site.db.writing() as session:
        draft = letter(session, world, "ES", site.clock.now(), recipient_name="<script>alert(1)</script>")
        draft.blocks = [{**draft.blocks[0], "marked": "Estimada \ue000<img src=x onerror=alert(1)>\ue001:"}]
        number = draft.id
    text = haewook.get(f"/review/{number}").text
    assert "<script>alert" not in text
    assert "<img" not in text


def test_a_draft_that_does_not_go_out_names_no_time_of_sending(haewook: Browser, world: World, site: Context) -> None:
    with site.db.writing() as session:
        number = letter(session, world, "ES", site.clock.now(), status="cancelled").id
    text = haewook.get(f"/review/{number}").text
    assert "취소된 초안입니다" in text
    assert "승인하면" not in text
