"""Chromium and a running demo. Tests that need a browser are skipped, with the reason, where there is none."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.journey.house import PASSWORD, House, running_demo

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
NO_BROWSER = "no Chromium on this machine: apt-get install chromium fonts-noto-cjk"
SignIn = Callable[..., Page]


@pytest.fixture(scope="session")
def made_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo whose exhibition has been made; each test runs a copy of it."""
    folder = tmp_path_factory.mktemp("demo") / "made"
    with running_demo(folder):
        pass
    return folder


@pytest.fixture
def house(made_demo: Path, tmp_path: Path) -> Iterator[House]:
    shutil.copytree(made_demo, tmp_path / "demo")
    with running_demo(tmp_path / "demo") as found:
        yield found


# Not for the whole session: Playwright keeps an event loop running, and other tests start their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def sign_in(browser: Browser, house: House) -> Iterator[SignIn]:
    """Open a fresh browser profile and sign in; errors of any page fail the test."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def enter(
        email: str, *, width: int = 1440, height: int = 900, language: str = "ko-KR", script: bool = True
    ) -> Page:
        profile = browser.new_context(
            viewport={"width": width, "height": height}, locale=language, java_script_enabled=script
        )
        opened.append(profile)
        page = profile.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.goto(f"{house.url}/login")
        page.fill("[name=username]", email)
        page.fill("[name=password]", PASSWORD)
        page.click("main button.go")
        page.wait_for_load_state()
        return page

    yield enter
    for profile in opened:
        profile.close()
    assert complaints == []
