"""The letter desk: who sees and changes what, the preview, asking and approving, versions, zips in and out."""

import re
from html import unescape
from typing import Any

import pytest
from sqlmodel import select

from crm.accounts.models import User
from crm.campaigns.models import LetterSave
from crm.core.config import ROOT
from crm.core.context import Context
from tests.web.conftest import Browser

PAGE = "/letters/reminder"
FOLDER = ROOT / "templates" / "mail" / "reminder"


@pytest.fixture
def spanish(site: Context) -> None:
    """Haewook reads Spanish and Japanese."""
    with site.db.writing() as session:
        user = session.exec(select(User).where(User.email == "haewook@example.com")).one()
        user.languages = ["es", "ja"]


def form_of(text: str) -> dict[str, str]:
    """Return what the editor's form would post."""
    found = {name: value for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text)}
    areas = re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?([^<]*)</textarea>', text)
    main = text[text.index('id="editor"') :]
    found |= dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', main[: main.index("<section")]))
    return {**found, **{name: unescape(value) for name, value in areas}}


def opened(browser: Browser, language: str = "ko") -> dict[str, str]:
    answer = browser.get(f"{PAGE}?language={language}")
    assert answer.status_code == 200, answer.text
    return form_of(answer.text)


def changed(
    browser: Browser, language: str = "ko", block: str = "closing", text: str = "건승을 빕니다.", **more: str
) -> Any:
    return browser.post(PAGE, {**opened(browser, language), f"b-{block}": text, "why": "말투를 고침", **more})


def saves(site: Context) -> list[LetterSave]:
    with site.db.reading() as session:
        return list(session.exec(select(LetterSave).order_by(LetterSave.id)))  # type: ignore[arg-type]


def test_the_list_shows_every_letter_with_how_ready_it_is(hana: Browser) -> None:
    text = hana.get("/letters").text
    assert f"{PAGE}?language=es" in text
    assert "승인됨" in text


def test_a_letter_is_shown_block_by_block_beside_the_korean(hana: Browser) -> None:
    text = hana.get(f"{PAGE}?language=es").text
    assert 'lang="ko"' in text
    assert '<textarea class="mono" id="f-b-closing" name="b-closing" lang="es"' in text
    assert "<mark>" in text


def test_posting_the_form_unchanged_changes_nothing(hana: Browser, site: Context) -> None:
    answer = hana.post(PAGE, {**opened(hana, "es"), "why": "x"})
    assert answer.status_code == 422
    assert saves(site) == []
