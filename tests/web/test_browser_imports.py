"""The import wizard in a real browser: how many clicks and how long 500 contacts take, with and without script."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import func, select

from crm.contacts.models import Contact
from crm.core.context import Context
from crm.web.runs import Run
from tests.web.conftest import CHROMIUM, NO_CHROMIUM, Browser
from tests.web.world import World

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)]

HEADS = "성명,회사명,직책,이메일,휴대폰,국가,부스번호,관심품목,당사 담당,상담일\n"
MOST_CLICKS, MOST_SECONDS = 6, 10


def listed(count: int, start: int = 0) -> str:
    """Return a list as the same booth's scanner yields it; its column 당사 담당 is none that we know."""
    rows = (
        f"사람{n},회사 {n},구매부장,p{n}@firm{n}.example,010-2000-{n:04},대한민국,7B-101,시카,김,2026-11-12\n"
        for n in range(start, start + count)
    )
    return HEADS + "".join(rows)


class Hand:
    """Somebody at the mouse, whose clicks are counted."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.clicks = 0

    def click(self, selector: str) -> None:
        self.page.click(selector)
        self.page.wait_for_load_state()
        self.clicks += 1

    def choose_file(self, path: Path) -> None:
        self.page.set_input_files("#f-file", path)
        self.clicks += 1


def people(site: Context) -> int:
    with site.db.reading() as session:
        return session.exec(select(func.count()).select_from(Contact)).one()


@pytest.fixture
def known_source(hana: Browser, world: World) -> None:
    """One list of the source was imported before, and somebody settled its columns."""
    files = {"file": ("first.csv", listed(3, start=9_000).encode(), "text/csv")}
    answer = hana.post("/import", {"exhibition_id": str(world.exhibition_id)}, files=files)
    assert answer.headers["location"] == "/import/1/columns"
    hana.post("/import/1/columns", {"seen": "1"})
    assert hana.post("/import/1/confirm", {"seen": "1"}).headers["location"] == "/import/1/done"


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_500_contacts_of_a_known_source_take_six_clicks_and_ten_seconds_and_two_to_undo(
    script: bool, look_as: Callable[..., Any], hana: Browser, known_source: None, site: Context, tmp_path: Path
) -> None:
    path = tmp_path / "second.csv"
    path.write_text(listed(500), "utf-8")
    before = people(site)
    page = look_as(hana, "/staff", java_script_enabled=script)
    hand, start = Hand(page), time.monotonic()
    hand.click('nav a[href="/import"]')
    hand.choose_file(path)
    hand.click('form[action="/import"] button.go')
    assert page.url.endswith("/confirm")
    hand.click('form[action$="/confirm"] button.go')
    taken = time.monotonic() - start
    assert page.url.endswith("/done")
    assert people(site) == before + 500
    assert hand.clicks <= MOST_CLICKS
    assert taken <= MOST_SECONDS
    hand.clicks = 0
    hand.click("details.ask > summary")
    hand.click('form[action$="/undo"] button')
    assert hand.clicks <= 2
    assert people(site) == before


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_long_list_shows_its_progress_and_goes_on_by_itself(
    script: bool, look_as: Callable[..., Any], hana: Browser, world: World, site: Context, tmp_path: Path
) -> None:
    path = tmp_path / "long.csv"
    path.write_text(listed(2_500), "utf-8")
    page = look_as(hana, "/import", java_script_enabled=script)
    page.set_input_files("#f-file", path)
    page.click('form[action="/import"] button.go')
    page.wait_for_url("**/columns")
    page.click('form[action$="/columns"] button.go')
    page.click('a.go[href$="/confirm"]')
    page.click('form[action$="/confirm"] button.go')
    page.wait_for_url("**/done")
    assert people(site) == 4 + 2_500


def test_the_page_of_the_progress_moves_while_the_work_goes_on(
    look_as: Callable[..., Any], hana: Browser, world: World, app: FastAPI
) -> None:
    steps = [threading.Event() for _step in range(2)]

    def work(run: Run) -> str:
        run.phase = "importing"
        run.tell(1_000, 4_000)
        steps[0].wait(30)
        run.tell(3_000, 4_000)
        steps[1].wait(30)
        return "/import"

    files = {"file": ("first.csv", listed(3).encode(), "text/csv")}
    hana.post("/import", {"exhibition_id": str(world.exhibition_id)}, files=files)
    app.state.runs.begin("/import/1", work)
    page = look_as(hana, "/import/1/progress")
    try:
        page.wait_for_selector("text=1,000 / 4,000")
        steps[0].set()
        page.wait_for_selector("text=3,000 / 4,000")
        assert page.get_attribute("progress", "value") == "3000"
    finally:
        for step in steps:
            step.set()
    page.wait_for_url("**/import")
