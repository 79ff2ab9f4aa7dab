"""What only a real browser can tell: keys, swaps in place, the focus, the content policy, and life without script."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlmodel import select

from crm.core.context import Context
from crm.drafts.models import Draft
from crm.review.models import Approval
from tests.web.conftest import CHROMIUM, NO_CHROMIUM, Browser
from tests.web.world import World, letter

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
]


@pytest.fixture
def drafts(site: Context, world: World) -> list[int]:
    with site.db.writing() as session:
        return [letter(session, world, country, site.clock.now()).id or 0 for country in ("ES", "JP", "PH")]


@pytest.fixture
def open_page(look_as: Callable[..., Any], haewook: Browser) -> Callable[..., Any]:
    """Open a page as Haewook."""
    return partial(look_as, haewook)


def approved(site: Context) -> list[int]:
    with site.db.reading() as session:
        return list(session.exec(select(Draft.id).where(Draft.status == "approved")))  # type: ignore[arg-type]


def test_ctrl_enter_approves_and_shows_the_next_without_loading_a_page(
    open_page: Callable[..., Any], drafts: list[int], site: Context
) -> None:
    page = open_page(f"/review/{drafts[0]}")
    page.evaluate("window.stillHere = true")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: not url.endswith(f"/review/{drafts[0]}"))
    page.wait_for_selector(".note.ok")
    assert approved(site) == [drafts[0]]
    assert page.evaluate("window.stillHere") is True
    assert page.evaluate("document.activeElement.tagName") == "H1"
    assert page.title().startswith("검토 1/2")


def test_each_ready_draft_needs_one_key_press(open_page: Callable[..., Any], drafts: list[int], site: Context) -> None:
    page = open_page("/review")
    page.click("main a.btn.go")
    for _press in drafts:
        page.wait_for_selector("#approve")
        before = page.url
        page.keyboard.press("Control+Enter")
        page.wait_for_url(lambda url, before=before: url != before)
    page.wait_for_url("**/review")
    page.wait_for_selector("text=모두 끝났습니다")
    assert sorted(approved(site)) == drafts


def test_ctrl_z_takes_the_last_approval_back(open_page: Callable[..., Any], drafts: list[int], site: Context) -> None:
    page = open_page(f"/review/{drafts[0]}")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector('button[data-key="Mod+KeyZ"]')
    page.keyboard.press("Control+z")
    page.wait_for_url(f"**/review/{drafts[0]}")
    page.wait_for_selector("#approve")
    assert approved(site) == []


def test_ctrl_z_in_a_text_field_is_the_text_fields(open_page: Callable[..., Any], drafts: list[int]) -> None:
    page = open_page(f"/review/{drafts[0]}/edit")
    area = page.locator("textarea").first
    before = area.input_value()
    area.press("End")
    area.type("x")
    area.press("Control+z")
    assert area.input_value() == before
    assert page.url.endswith("/edit")


def test_a_second_press_of_enter_approves_nothing_unread(
    open_page: Callable[..., Any], drafts: list[int], site: Context
) -> None:
    page = open_page(f"/review/{drafts[0]}")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".note.ok")
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    assert approved(site) == [drafts[0]]


def test_three_quick_clicks_approve_one_draft(open_page: Callable[..., Any], drafts: list[int], site: Context) -> None:
    page = open_page(f"/review/{drafts[0]}")
    page.evaluate("for (let i = 0; i < 3; i++) document.getElementById('approve').click()")
    page.wait_for_selector(".note.ok")
    with site.db.reading() as session:
        assert len(session.exec(select(Approval)).all()) == 1


def test_one_letter_keys_work_only_when_switched_on(open_page: Callable[..., Any], drafts: list[int]) -> None:
    page = open_page(f"/review/{drafts[0]}")
    page.keyboard.press("j")
    page.wait_for_timeout(200)
    assert page.url.endswith(f"/review/{drafts[0]}")
    page.evaluate("document.documentElement.dataset.keys = 'on'")
    before = page.url
    page.keyboard.press("j")
    page.wait_for_url(lambda url: url != before)


def test_the_back_button_shows_the_draft_before(open_page: Callable[..., Any], drafts: list[int]) -> None:
    page = open_page(f"/review/{drafts[0]}")
    title = page.title()
    page.click('a[data-key="KeyJ"], a[data-key="KeyK"]')
    page.wait_for_url(lambda url: not url.endswith(f"/review/{drafts[0]}"))
    page.go_back()
    page.wait_for_url(f"**/review/{drafts[0]}")
    page.wait_for_function("title => document.title === title", arg=title)


def test_without_script_everything_is_a_form_or_a_link(
    open_page: Callable[..., Any], drafts: list[int], site: Context
) -> None:
    page = open_page(f"/review/{drafts[0]}", java_script_enabled=False)
    page.click("#approve")
    page.wait_for_selector(".note.ok")
    assert approved(site) == [drafts[0]]
    page.click('button[data-key="Mod+KeyZ"]')
    page.wait_for_url(f"**/review/{drafts[0]}")
    assert approved(site) == []


def test_the_server_that_fails_leaves_the_page_and_says_so(
    open_page: Callable[..., Any], drafts: list[int], site: Context
) -> None:
    page = open_page(f"/review/{drafts[0]}")
    page.route("**/approve", lambda route: route.fulfill(status=500, body="<title>x</title>broken"))
    page.click("#approve")
    page.wait_for_selector("#failed:not([hidden])")
    assert "broken" not in page.content()
    assert page.url.endswith(f"/review/{drafts[0]}")
    assert approved(site) == []


def test_text_size_is_shown_at_once_and_kept(open_page: Callable[..., Any], drafts: list[int]) -> None:
    page = open_page("/help")
    page.click("details.menu >> nth=0")
    page.check('input[value="xlarge"]')
    assert page.evaluate("document.documentElement.dataset.size") == "xlarge"
    page.click(".drop button >> nth=0")
    page.wait_for_selector(".note.ok")
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "22px"
