"""Takes the pictures of the documents from a running demo: ``make shots``. Needs Chromium and Korean fonts."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sqlmodel import col, select  # noqa: E402

from crm.demo.world import PASSWORD  # noqa: E402
from crm.drafts.models import Draft  # noqa: E402
from tests.journey.house import ADVISOR, SME, STAFF, House, running_demo  # noqa: E402

SHOTS = ROOT / "docs" / "shots"
DESKTOP, PHONE = (1440, 900), (390, 844)
WORKFLOW, CAMPAIGN = "overseas-buyer", "/campaigns/2"
DELAY, LONGER, MISTYPED = "{thanks: 4 business days}", "{thanks: 6 business days}", "{thanks: 6 busines days}"
WHY = "바이어가 답할 시간을 더 달라고 함"


class Desk:
    """One person at one screen; every picture is a file of ``SHOTS``."""

    def __init__(self, browser: Browser, house: House, email: str, size: tuple[int, int]) -> None:
        self._house = house
        viewport = {"width": size[0], "height": size[1]}
        self.page: Page = browser.new_context(viewport=viewport, locale="ko-KR").new_page()
        self.go("/login")
        self.page.fill("[name=username]", email)
        self.page.fill("[name=password]", PASSWORD)
        self.next()

    def go(self, path: str) -> None:
        self.page.goto(self._house.url + path)

    def next(self) -> None:
        """Press the button that leads on."""
        self.page.click("main .go")
        self.page.wait_for_load_state()

    def take(self, name: str) -> None:
        """Take a picture of the top of the page."""
        self.page.evaluate("scrollTo(0, 0)")
        target = SHOTS / f"{name}.png"
        self.page.screenshot(path=target)
        sys.stdout.write(f"{target.relative_to(ROOT)}\n")

    def retype(self, old: str, new: str) -> None:
        """Change a piece of the text of a workflow as a person would."""
        area = self.page.locator("#f-text")
        text = area.input_value()
        assert old in text, old
        area.fill(text.replace(old, new))


def spanish_draft(house: House) -> str:
    """Return the path of a Spanish letter that waits for review and has a request in it."""
    with closing(house.database()) as db, db.reading() as session:
        rows = select(Draft.id).where(Draft.language == "es", Draft.status == "waiting", Draft.letter == "thank_you")
        number = session.exec(rows.order_by(col(Draft.id))).first()
    return f"/review/{number}"


def advisors_and_exporters(desk_of: Callable[..., Desk], house: House) -> None:
    """Take the pages of those who review and of those whose buyers they are."""
    for name, email, size, path in (
        ("review", ADVISOR, DESKTOP, spanish_draft(house)),
        ("pipeline", SME, DESKTOP, "/"),
        ("pipeline-phone", SME, PHONE, "/"),
    ):
        desk = desk_of(email, size)
        desk.go(path)
        desk.take(name)


def workflow_changed(staff: Desk) -> None:
    """Change a workflow with a mistake on the way, and look at what it means for the buyers in the campaign."""
    staff.go(f"/workflows/{WORKFLOW}")
    staff.take("workflow")
    staff.go(f"/workflows/{WORKFLOW}/edit")
    staff.retype(DELAY, MISTYPED)
    staff.page.wait_for_selector("#checks ol.faults")
    staff.take("workflow-editor")
    staff.retype(MISTYPED, LONGER)
    staff.page.fill("#f-why", WHY)
    staff.page.click("main form button.go")
    staff.page.wait_for_url(f"**/workflows/{WORKFLOW}")
    staff.go(f"{CAMPAIGN}/version")
    staff.take("campaign-version")


def campaign_steps(staff: Desk) -> None:
    """Make a campaign in its five steps, up to the button that would start it, in place of the one that runs."""
    staff.go(CAMPAIGN)
    staff.page.click("details:has([action$='/stop']) summary")
    staff.page.fill("#f-stop-reason", WHY)
    staff.page.click("[action$='/stop'] button")
    staff.go("/campaigns/new")
    staff.page.check(f"[name=workflow][value={WORKFLOW}]")
    staff.next()
    for step in ("audience", "flow", "letters", "rehearsal"):
        staff.page.wait_for_url(f"**/{step}")
        if step in ("audience", "letters"):
            staff.take(f"campaign-{step}")
        staff.next()
    staff.page.wait_for_url("**/start")
    staff.take("campaign-start")


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("No Chromium here: apt-get install chromium fonts-noto-cjk\n")
        return 2
    SHOTS.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo(Path(folder) / "demo") as house,
        sync_playwright() as play,
        closing(play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])) as browser,
    ):

        def desk_of(email: str, size: tuple[int, int] = DESKTOP) -> Desk:
            return Desk(browser, house, email, size)

        advisors_and_exporters(desk_of, house)
        staff = desk_of(STAFF)
        for name, path in (
            ("import", "/import"),
            ("rehearsal", "/campaigns/2/rehearsal"),
            ("campaign", "/campaigns/2"),
        ):
            staff.go(path)
            staff.take(name)
        workflow_changed(staff)
        campaign_steps(staff)
    return 0


if __name__ == "__main__":
    sys.exit(main())
