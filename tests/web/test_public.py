import re

import pytest
from sqlmodel import select

from crm.contacts.models import Suppression
from crm.core.context import Context
from crm.drafts.models import Draft
from crm.mail import tokens
from crm.review.models import Message
from crm.web.unsubscribe_texts import TEXTS
from tests.web.conftest import Browser
from tests.web.test_review import approve
from tests.web.world import World, letter


@pytest.fixture
def link(haewook: Browser, world: World, site: Context) -> str:
    """The unsubscribe link of an approved letter to Lucía."""
    with site.db.writing() as session:
        number = letter(session, world, "ES", site.clock.now()).id
    assert number
    approve(haewook, number)
    with site.db.reading() as session:
        return f"/u/{session.exec(select(Message.token)).one()}"


def suppressed(site: Context) -> list[tuple[str, int]]:
    with site.db.reading() as session:
        return list(session.exec(select(Suppression.address, Suppression.exporter_key)))


def test_opening_the_link_changes_nothing(browser: Browser, link: str, site: Context) -> None:
    answer = browser.get(link)
    assert answer.status_code == 200
    assert suppressed(site) == []


def test_the_page_speaks_the_letters_language_and_hides_the_address(browser: Browser, link: str) -> None:
    text = browser.get(link, accept_language="ko").text
    assert '<html lang="es">' in text
    assert TEXTS["es"]["all"] in text
    assert "l***@iberia.example" in text
    assert "lucia@" not in text


def test_one_press_stops_everything(browser: Browser, link: str, site: Context) -> None:
    answer = browser.post(link, {"scope": "all"})
    assert answer.status_code == 200
    assert TEXTS["es"]["done_all"] in answer.text
    assert suppressed(site) == [("lucia@iberia.example", 0)]


def test_the_link_stops_the_address_it_was_sent_to(browser: Browser, link: str, site: Context) -> None:
    with site.db.writing() as session:
        session.exec(select(Draft).where(Draft.status == "approved")).one().recipient = "other@iberia.example"
    browser.post(link, {"scope": "all"})
    assert suppressed(site) == [("lucia@iberia.example", 0)]


def test_one_company_can_be_stopped_alone(browser: Browser, link: str, site: Context) -> None:
    assert "Gaon" in browser.post(link, {"scope": "company"}).text
    [(address, exporter_key)] = suppressed(site)
    assert address == "lucia@iberia.example"
    assert exporter_key > 0


def test_a_mail_provider_presses_without_cookie_or_page(browser: Browser, link: str, site: Context) -> None:
    answer = browser.client.post(link, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert suppressed(site) == [("lucia@iberia.example", 0)]


def test_pressing_twice_is_no_mistake(browser: Browser, link: str, site: Context) -> None:
    browser.post(link)
    assert browser.post(link).status_code == 200
    assert len(suppressed(site)) == 1


def test_somebody_signed_in_can_press_too(haewook: Browser, link: str) -> None:
    assert haewook.client.post(link, headers={"sec-fetch-site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("damage", ["x", "1-aaaaaaaaaaaaaaaa", "999999-aaaaaaaaaaaaaaaa"])
def test_a_made_up_link_stops_nobody(browser: Browser, link: str, site: Context, damage: str) -> None:
    assert browser.get(f"/u/{damage}").status_code == 404
    assert browser.post(f"/u/{damage}").status_code == 404
    assert suppressed(site) == []


def test_a_link_to_a_letter_that_never_was_is_not_valid(browser: Browser, site: Context) -> None:
    token = tokens.sign(site.settings.web.secret.get_secret_value(), 4711)
    assert browser.post(f"/u/{token}").status_code == 404


def test_letters_that_wait_are_blocked_at_once(haewook: Browser, browser: Browser, link: str, site: Context) -> None:
    browser.post(link)
    with site.db.reading() as session:
        number = session.exec(select(Draft.id)).one()
    haewook.post(f"/review/{number}/take-back")
    assert "/approve" not in haewook.get(f"/review/{number}").text


@pytest.mark.parametrize("language", ["ko", "en", "zh-Hans", "zh-Hant", "ja", "es"])
def test_every_language_says_the_same_things(language: str) -> None:
    assert TEXTS[language].keys() == TEXTS["en"].keys()
    for key, text in TEXTS[language].items():
        assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", TEXTS["en"][key])
        assert text.format(company="X", address="y")
