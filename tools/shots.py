"""Takes the pictures of the documents from a running demo: ``make shots``. Needs Chromium and Korean fonts."""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sqlmodel import col, select  # noqa: E402

from crm.demo.world import PASSWORD  # noqa: E402
from crm.drafts.models import Draft  # noqa: E402
from tests.journey.house import ADVISOR, SME, STAFF, House, running_demo  # noqa: E402

SHOTS = ROOT / "docs" / "shots"
DESKTOP, PHONE = (1440, 900), (390, 844)


def enter(page: Page, house: House, email: str) -> None:
    page.goto(f"{house.url}/login")
    page.fill("[name=username]", email)
    page.fill("[name=password]", PASSWORD)
    page.click("main button.go")
    page.wait_for_load_state()


def spanish_draft(house: House) -> str:
    """Return the path of a Spanish letter that waits for review and has a request in it."""
    db = house.database()
    with db.reading() as session:
        rows = select(Draft.id).where(Draft.language == "es", Draft.status == "waiting", Draft.letter == "thank_you")
        number = session.exec(rows.order_by(col(Draft.id))).first()
    db.close()
    return f"/review/{number}"


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
    ):
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])

        def picture(name: str, email: str, size: tuple[int, int], path: str) -> None:
            profile = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="ko-KR")
            page = profile.new_page()
            enter(page, house, email)
            page.goto(house.url + path)
            target = SHOTS / f"{name}.png"
            page.screenshot(path=target)
            sys.stdout.write(f"{target.relative_to(ROOT)}\n")
            profile.close()

        picture("review", ADVISOR, DESKTOP, spanish_draft(house))
        picture("pipeline", SME, DESKTOP, "/")
        picture("pipeline-phone", SME, PHONE, "/")
        picture("rehearsal", STAFF, DESKTOP, "/campaigns/2/rehearsal")
        picture("import", STAFF, DESKTOP, "/import")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
