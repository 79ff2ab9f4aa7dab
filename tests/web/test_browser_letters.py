"""A letter on the desk in a real browser: Korean changes, the others wait, a second person approves, out and in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crm.core.context import Context
from tests.web.conftest import CHROMIUM, NO_CHROMIUM, Browser
from tests.web.test_letters import PAGE, saves, spanish, states

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
]
__all__ = ["spanish"]


def typed(page: Any, block: str, text: str) -> None:
    """Put another text into a block, as a person who marks all and types."""
    page.locator(f"#f-b-{block}").fill(text)


def test_korean_changes_the_others_wait_and_a_second_person_approves(
    look_as: Callable[..., Any], hana: Browser, haewook: Browser, site: Context, spanish: None, tmp_path: Path
) -> None:
    page = look_as(hana, f"{PAGE}?language=ko")
    looks = page.locator("#looks")
    typed(page, "closing", "늘 평안하시기를 빕니다.")
    expect(looks).to_contain_text("늘 평안하시기를 빕니다.")
    typed(page, "closing", "{{ exportr }}")
    expect(page.locator("#n-b-closing")).to_contain_text("exporter")
    typed(page, "closing", "늘 평안하시기를 빕니다.")
    expect(page.locator("#n-b-closing p")).to_have_count(0)
    page.fill("#f-why", "맺음말을 바꿈")
    page.click("text=새 판으로 저장")
    expect(page.locator(".tabs")).to_contain_text("다시 확인")
    assert {states(site)[language] for language in ("en", "es", "ja")} == {"again"}
    page.click("text=승인 요청")
    expect(page.locator("#h-state + p")).to_contain_text("검토 중")

    advisor = look_as(haewook, "/letters")
    advisor.click(f"#h-mine + ul a[href='{PAGE}?language=es']")
    advisor.click("text=글 승인")
    expect(advisor.locator("#h-state + p")).to_contain_text("승인됨")
    assert states(site)["es"] == "approved"
    assert states(site)["ja"] == "again"

    page.goto(PAGE)
    with page.expect_download() as left:
        page.click("text=zip으로 내보내기")
    path = tmp_path / "reminder.zip"
    left.value.save_as(path)
    page.goto(f"{PAGE}/versions/0")
    page.fill("#f-why", "처음 것으로")
    page.click("text=새 판으로 저장하기")
    assert states(site)["ja"] == "approved"
    page.goto("/letters")
    page.set_input_files("#f-file", path)
    page.fill("#f-why", "다시 가져옴")
    page.click("section[aria-labelledby=h-file] button")
    expect(page.locator("h1")).to_contain_text("3판")
    assert (states(site)["es"], states(site)["ja"]) == ("approved", "again")
    assert [one.number for one in saves(site)] == [1, 2, 3]


def test_the_desk_works_without_script(look_as: Callable[..., Any], hana: Browser, site: Context) -> None:
    page = look_as(hana, f"{PAGE}?language=es", java_script_enabled=False)
    typed(page, "closing", "Hasta pronto,")
    page.select_option("#f-sample", "longest")
    page.click("text=미리 보기")
    expect(page.locator("#looks")).to_contain_text("Hasta pronto,")
    expect(page.locator("#looks")).to_contain_text("Wolfeschlegelsteinhausenbergerdorff")
    assert page.locator("#f-b-closing").input_value() == "Hasta pronto,"
    page.fill("#f-why", "x")
    page.click("text=새 판으로 저장")
    assert [one.number for one in saves(site)] == [1]


def test_unsaved_text_is_asked_for_before_the_page_is_left(look_as: Callable[..., Any], hana: Browser) -> None:
    page = look_as(hana, f"{PAGE}?language=es")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.locator("#f-b-closing").press_sequentially(" Hola")
    page.click("h1 + .row a >> nth=0")
    expect(page.locator("h1")).to_have_text("템플릿")
    assert asked == ["beforeunload"]
