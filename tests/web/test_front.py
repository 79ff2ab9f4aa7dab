from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from crm.core.clock import FrozenClock
from crm.core.context import Context
from crm.web.app import create_app
from crm.web.front import is_from_here
from tests.web.conftest import Browser

PAGES = ["/login", "/nowhere", "/healthz"]


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_carries_the_security_headers(browser: Browser, path: str) -> None:
    headers = browser.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_kept_by_nobody(browser: Browser, path: str) -> None:
    assert browser.get(path).headers["cache-control"] == "no-store"


def test_it_asks_for_https_only_where_it_is_reached_by_it(site: Context, browser: Browser) -> None:
    assert "strict-transport-security" not in browser.get("/login").headers
    web = site.settings.web.model_copy(update={"public_url": "https://ieum.example"})
    site.settings = site.settings.model_copy(update={"web": web})
    with TestClient(create_app(site)) as client:
        assert "strict-transport-security" in client.get("/login").headers


@pytest.mark.parametrize("place", ["cross-site", "same-site", "none"])
def test_it_turns_away_a_post_from_another_site(hana: Browser, place: str) -> None:
    answer = hana.post("/me/keys", {"on": "true"}, sec_fetch_site=place)
    assert answer.status_code == 403
    assert 'data-keys="off"' in hana.get("/me").text


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://ieum.example", "host": "ieum.example"}, False),
        ({"origin": "http://ieum.example", "host": "ieum.example"}, True),
        ({"origin": "https://ieum.example", "host": "inner:8000"}, True),
        ({"origin": "http://evil.example", "host": "ieum.example"}, False),
        ({"origin": "null", "host": "ieum.example"}, False),
        ({"host": "ieum.example"}, False),
        ({"origin": "", "host": ""}, False),
    ],
)
def test_it_knows_its_own_pages_by_what_browsers_say(headers: dict[str, str], allowed: bool) -> None:
    assert is_from_here(headers, "https://ieum.example") is allowed


@pytest.mark.parametrize("token", ["", "a" * 43, "한글"])
def test_it_refuses_a_form_without_the_sessions_token(hana: Browser, token: str) -> None:
    answer = hana.post("/me/keys", {"on": "true", "csrf": token})
    assert answer.status_code == 403
    assert 'data-keys="off"' in hana.get("/me").text


def test_a_token_of_another_session_does_not_fit(hana: Browser, mina: Browser) -> None:
    assert hana.post("/me/keys", {"on": "true", "csrf": mina.csrf}).status_code == 403


def test_it_refuses_a_body_that_is_too_large(hana: Browser) -> None:
    answer = hana.post("/me/keys", {"on": "true", "ballast": "x" * 22_100_000})
    assert answer.status_code == 413
    assert "파일이 너무 큽니다" in answer.text


def test_an_unforeseen_error_shows_a_number_and_no_trace(app: FastAPI, browser: Browser) -> None:
    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("secret detail")

    answer = browser.get("/broken")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "번호" in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_get_cannot_change_anything(app: FastAPI, hana: Browser) -> None:
    from crm.accounts import service
    from crm.web.visits import SignedIn

    @app.get("/sly")
    def sly(visit: SignedIn) -> None:
        service.set_letter_keys(visit.db, visit.viewer.user_id, True)

    hana.get("/sly")
    assert 'data-keys="off"' in hana.get("/me").text


def test_what_a_failing_page_began_is_undone(app: FastAPI, hana: Browser) -> None:
    from crm.accounts import service
    from crm.core.errors import Refused
    from crm.web.visits import SignedIn

    @app.post("/half")
    def half(visit: SignedIn) -> None:
        service.set_letter_keys(visit.db, visit.viewer.user_id, True)
        visit.db.flush()
        raise Refused("지금은 안 됩니다.")

    answer = hana.post("/half")
    assert answer.status_code == 409
    assert "지금은 안 됩니다." in answer.text
    assert 'data-keys="off"' in hana.get("/me").text


def test_a_stale_write_is_told_as_such(app: FastAPI, site: Context, hana: Browser) -> None:
    from crm.accounts.models import User
    from crm.web.visits import SignedIn

    @app.post("/stale")
    def stale(visit: SignedIn) -> None:
        user = visit.db.get(User, visit.viewer.user_id)
        assert user
        visit.db.connection().exec_driver_sql("UPDATE user_account SET version = version + 1")
        user.name = "다른 이름"
        visit.db.add(user)

    answer = hana.post("/stale")
    assert answer.status_code == 409
    assert "이하나" in hana.get("/me").text


@pytest.mark.parametrize("path", ["/me", "/help", "/"])
def test_a_page_for_users_leads_to_the_sign_in_and_back(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next={path}"


def test_a_fragment_for_users_tells_htmx_to_go_to_the_sign_in(browser: Browser) -> None:
    answer = browser.get("/me", hx_request="true")
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/login?next=/me"


def test_htmx_gets_the_body_with_a_title_and_the_address(hana: Browser) -> None:
    whole, fragment = hana.get("/me"), hana.get("/me?x=1", hx_request="true")
    assert whole.headers["vary"] == fragment.headers["vary"] == "HX-Request"
    assert "<html" in whole.text
    assert "<html" not in fragment.text
    assert "<title>내 설정" in fragment.text
    assert fragment.headers["hx-push-url"] == "/me?x=1"


def test_a_session_that_is_over_is_nobodys(hana: Browser, clock: FrozenClock) -> None:
    clock.advance(timedelta(hours=13))
    assert hana.get("/me").status_code == 303


def test_before_its_end_a_session_can_be_extended(hana: Browser, clock: FrozenClock) -> None:
    clock.advance(timedelta(hours=11, minutes=50))
    assert "계속 쓰기" in hana.get("/me").text
    assert hana.post("/me/session", {"next": "/me"}).headers["location"] == "/me"
    clock.advance(timedelta(hours=1))
    assert "계속 쓰기" not in hana.get("/me").text


@pytest.mark.parametrize(
    ("cookie", "accepts", "shown"),
    [
        ("", "", "ko"),
        ("", "en-US,en;q=0.9", "en"),
        ("", "de-DE,de;q=0.9,en;q=0.5", "en"),
        ("", "fr-FR", "ko"),
        ("", "ko-KR,en;q=0.5", "ko"),
        ("ko", "en-US", "ko"),
        ("tlh", "en-US", "en"),
    ],
)
def test_a_stranger_is_spoken_to_in_their_language(browser: Browser, cookie: str, accepts: str, shown: str) -> None:
    if cookie:
        browser.client.cookies.set("ieum_language", cookie)
    answer = browser.get("/login", accept_language=accepts)
    assert f'<html lang="{shown}"' in answer.text
    assert ("로그인" in answer.text) == (shown == "ko")


def test_a_user_is_spoken_to_in_the_language_they_chose(sign_in: Callable[[str], Browser]) -> None:
    hana = sign_in("hana")
    hana.post("/language", {"language": "en", "next": "/me"})
    assert "My settings" in sign_in("hana").get("/me", accept_language="ko").text


def test_it_is_alive(browser: Browser) -> None:
    assert browser.get("/healthz").text == "ok\n"


def test_there_is_no_machine_description_of_the_site(browser: Browser) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert browser.get(path).status_code == 404
