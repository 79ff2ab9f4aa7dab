from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from crm.accounts import service
from crm.accounts.models import User
from crm.core.clock import FrozenClock
from crm.core.context import Context
from crm.web.app import create_app
from crm.web.routes.account import local_path
from tests.web.conftest import FROM_HERE, PASSWORD, Browser


def test_signing_in_leads_on_and_sets_a_cookie_scripts_cannot_read(browser: Browser) -> None:
    answer = browser.post("/login", {"username": "haewook@example.com", "password": PASSWORD, "next": "/me"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/me"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert "정해욱" in browser.get("/me").text


def test_the_cookie_stays_off_plain_http_where_https_is_there(site: Context) -> None:
    web = site.settings.web.model_copy(update={"public_url": "https://ieum.example"})
    site.settings = site.settings.model_copy(update={"web": web})
    with TestClient(create_app(site), follow_redirects=False) as client:
        answer = client.post(
            "/login", data={"username": "haewook@example.com", "password": PASSWORD}, headers=FROM_HERE
        )
        assert "Secure" in answer.headers["set-cookie"]


def test_a_wrong_password_keeps_the_address_and_says_one_sentence(browser: Browser) -> None:
    answer = browser.post("/login", {"username": "haewook@example.com", "password": "wrong"})
    assert answer.status_code == 422
    assert 'value="haewook@example.com"' in answer.text
    assert "오류:" in answer.text
    assert "set-cookie" not in answer.headers


def test_an_unknown_address_gets_the_same_answer_as_a_wrong_password(browser: Browser) -> None:
    known = browser.post("/login", {"username": "haewook@example.com", "password": "wrong"})
    unknown = browser.post("/login", {"username": "nobody@example.com", "password": "wrong"})
    assert unknown.status_code == known.status_code
    assert unknown.text.replace("nobody@", "haewook@") == known.text


def test_after_five_failures_it_waits_a_minute(browser: Browser, clock: FrozenClock) -> None:
    for _try in range(5):
        browser.post("/login", {"username": "haewook@example.com", "password": "wrong"})
    waiting = browser.post("/login", {"username": "haewook@example.com", "password": PASSWORD})
    assert waiting.status_code == 429
    assert "1분" in waiting.text
    clock.advance(timedelta(minutes=1))
    assert browser.post("/login", {"username": "haewook@example.com", "password": PASSWORD}).status_code == 303


def test_somebody_signed_in_needs_no_sign_in_page(haewook: Browser) -> None:
    assert haewook.get("/login").headers["location"] == "/review"


def test_signing_out_ends_the_session_not_only_the_cookie(haewook: Browser) -> None:
    cookies = dict(haewook.client.cookies)
    assert haewook.post("/logout").headers["location"] == "/login"
    haewook.client.cookies.update(cookies)
    assert haewook.get("/me").status_code == 303


def test_a_removed_user_is_out_with_the_next_page(haewook: Browser, site: Context) -> None:
    assert haewook.get("/me").status_code == 200
    with site.db.writing() as session:
        user = session.exec(select(User).where(User.email == "haewook@example.com")).one()
        assert user.id is not None
        service.deactivate_user(session, user.id, site.clock.now(), by="hana@example.com")
    assert haewook.get("/me").status_code == 303


@pytest.mark.parametrize(
    "path", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "", "/a\r\nb", "/\t/evil.example"]
)
def test_a_link_cannot_lead_a_sign_in_to_another_site(path: str) -> None:
    assert local_path(path) == "/"


def test_a_link_may_lead_a_sign_in_to_a_page_of_ours() -> None:
    assert local_path("/review/12?tab=html") == "/review/12?tab=html"


@pytest.fixture
def invitation(site: Context) -> str:
    with site.db.writing() as session:
        _user, token = service.invite(
            session, email="new@example.com", name="신입", role="sme", now=site.clock.now(), by="hana@example.com"
        )
    return f"/invitation/{token}"


def test_an_invited_person_chooses_a_password_and_is_in(browser: Browser, invitation: str) -> None:
    assert "신입" in browser.get(invitation).text
    answer = browser.post(invitation, {"password": PASSWORD, "repeated": PASSWORD})
    assert answer.status_code == 303
    assert "신입" in browser.get("/me").text


@pytest.mark.parametrize(("password", "repeated"), [("short", "short"), (PASSWORD, "늦가을 킨텍스 4홀")])
def test_a_bad_choice_shows_the_form_again(browser: Browser, invitation: str, password: str, repeated: str) -> None:
    answer = browser.post(invitation, {"password": password, "repeated": repeated})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert password not in answer.text
    assert browser.get(invitation).status_code == 200


def test_a_used_invitation_does_not_exist_any_more(browser: Browser, invitation: str) -> None:
    browser.post(invitation, {"password": PASSWORD, "repeated": PASSWORD})
    assert browser.get(invitation).status_code == 404
    assert browser.get("/invitation/never-was").status_code == 404


def test_text_size_and_colours_are_kept_on_the_server(
    mina: Browser, sign_in: Callable[[str], Browser], dasom: Browser
) -> None:
    answer = mina.post("/me/display", {"size": "xlarge", "mode": "contrast", "next": "/help"})
    assert answer.headers["location"] == "/help"
    for browser in (mina, sign_in("mina")):
        assert 'data-size="xlarge" data-mode="contrast"' in browser.get("/me").text
    assert 'data-size="normal" data-mode="light"' in dasom.get("/me").text


def test_it_refuses_a_size_it_does_not_have(mina: Browser) -> None:
    assert mina.post("/me/display", {"size": "tiny", "mode": "light"}).status_code == 422


def test_a_notice_is_shown_once(mina: Browser) -> None:
    mina.post("/me/keys", {"on": "true"})
    assert "저장했습니다" in mina.get("/me").text
    assert "저장했습니다" not in mina.get("/me").text


def test_a_notice_somebody_else_made_up_is_not_shown(mina: Browser) -> None:
    mina.client.cookies.set("ieum_notice", "WyJvayIsIlNlbmQgbW9uZXkiXQ.aaaa")
    assert "note ok" not in mina.get("/me").text


def test_one_letter_keys_are_off_until_switched_on(haewook: Browser) -> None:
    assert 'data-keys="off"' in haewook.get("/me").text
    haewook.post("/me/keys", {"on": "true"})
    assert 'data-keys="on"' in haewook.get("/me").text
    haewook.post("/me/keys", {"on": "false"})
    assert 'data-keys="off"' in haewook.get("/me").text


def test_a_new_password_works_and_keeps_this_browser(haewook: Browser, browser: Browser) -> None:
    new = "이른 봄 부산항 2부두"
    answer = haewook.post("/me/password", {"old": PASSWORD, "password": new, "repeated": new})
    assert answer.status_code == 303
    assert haewook.get("/me").status_code == 200
    assert browser.post("/login", {"username": "haewook@example.com", "password": PASSWORD}).status_code == 422
    assert browser.post("/login", {"username": "haewook@example.com", "password": new}).status_code == 303


def test_a_password_is_not_changed_without_the_old_one(haewook: Browser) -> None:
    new = "이른 봄 부산항 2부두"
    answer = haewook.post("/me/password", {"old": "wrong", "password": new, "repeated": new})
    assert answer.status_code == 422
    assert 'href="#f-old"' in answer.text


def test_it_refuses_a_language_it_does_not_speak(browser: Browser) -> None:
    assert browser.post("/language", {"language": "tlh"}).status_code == 422
