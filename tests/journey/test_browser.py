"""The three roles in a real browser, on the running demo, with letters in real mailboxes."""

import io
from datetime import timedelta
from email.message import EmailMessage

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect
from sqlmodel import Session, col, select

from crm.accounts.models import User
from crm.contacts.models import Contact
from crm.core.clock import KST
from crm.core.context import InstanceClock
from crm.drafts.models import Draft
from crm.drafts.queries import queue
from crm.exporters.models import Exporter
from crm.exporters.service import viewer_of
from crm.review.models import Approval
from tests.journey.conftest import SignIn
from tests.journey.house import ADVISOR, CHINESE_ADVISOR, OTHER_SME, SME, STAFF, House

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
LANGUAGES = {
    "ko": ADVISOR,
    "en": ADVISOR,
    "es": ADVISOR,
    "ja": ADVISOR,
    "zh-Hans": CHINESE_ADVISOR,
    "zh-Hant": CHINESE_ADVISOR,
}


def passing_drafts(house: House, email: str, language: str) -> list[int]:
    """Return the drafts of a language that stand in the reviewer's list among those that passed."""
    db = house.database()
    with db.reading() as session:
        viewer = viewer_of(session, session.exec(select(User).where(User.email == email)).one())
        rows = queue(session, viewer, house.settings(), now=InstanceClock(db).now())
    db.close()
    return [row.draft.id or 0 for row in rows if row.level == "pass" and row.draft.language == language]


def draft(house: House, number: int) -> Draft:
    db = house.database()
    with db.reading() as session:
        found = session.get_one(Draft, number)
    db.close()
    return found


def move_clock_until_sent(page: Page, house: House, numbers: list[int]) -> None:
    for _ in range(40):
        if all(draft(house, number).status == "sent" for number in numbers):
            return
        page.goto(f"{house.url}/demo/mail")
        page.click("section.demo button[value=next]")
        page.wait_for_load_state()
    states = {number: draft(house, number).status for number in numbers}
    raise AssertionError(f"not sent: {states}")


def check_letter(letter: EmailMessage, written: Draft) -> None:
    """The right name, language, subject, both parts, and the way to say no."""
    assert letter["Subject"].endswith(written.subject)
    assert letter["Content-Language"] == written.language
    assert written.recipient in letter["To"]
    text = letter.get_body(("plain",))
    html = letter.get_body(("html",))
    assert text is not None
    assert html is not None
    greeting = str(written.blocks[0]["text"]).splitlines()[0].strip("* ")
    assert greeting in text.get_content()
    assert f'lang="{written.language}"' in html.get_content()
    assert "List-Unsubscribe=One-Click" in letter["List-Unsubscribe-Post"]
    assert "/u/" in letter["List-Unsubscribe"]
    assert "{{" not in text.get_content()


def test_an_advisor_reviews_letters_in_six_languages_and_each_leaves_once(sign_in: SignIn, house: House) -> None:
    approved: list[int] = []
    desks = {email: sign_in(email) for email in dict.fromkeys(LANGUAGES.values())}
    for language, email in LANGUAGES.items():
        page = desks[email]
        number = passing_drafts(house, email, language)[0]
        page.goto(f"{house.url}/review/{number}")
        expect(page.locator(f".pair [lang='{language}']").first).to_be_visible()
        expect(page.locator(".pair [lang=ko]").first).to_be_visible()
        page.keyboard.press("Control+Enter")
        expect(page).not_to_have_url(f"{house.url}/review/{number}")
        page.click("#mail .note form button[data-key='Mod+KeyZ']")
        expect(page).to_have_url(f"{house.url}/review/{number}")
        assert draft(house, number).status == "waiting", "taken back"
        page.goto(f"{house.url}/review/{number}")
        page.keyboard.press("Control+Enter")
        expect(page).not_to_have_url(f"{house.url}/review/{number}")
        assert draft(house, number).status == "approved"
        approved.append(number)

    move_clock_until_sent(desks[ADVISOR], house, approved)
    for number in approved:
        written = draft(house, number)
        letters = [item for item in house.letters_to(written.recipient) if item["Subject"].endswith(written.subject)]
        assert len(letters) == 1, "once, and only once"
        check_letter(letters[0], written)


def philippine_drafts(house: House, session: Session) -> list[Draft]:
    rows = (
        select(Draft)
        .join(Contact, col(Contact.id) == col(Draft.contact_id))
        .join(Exporter, col(Exporter.id) == col(Draft.exporter_id))
        .where(Contact.country == "PH", Exporter.code == "SEOLAK", Draft.status == "waiting")
        .order_by(col(Draft.id))
    )
    return list(session.exec(rows))


def test_one_buyer_goes_from_answer_to_exclusive_contract_and_the_next_is_held(sign_in: SignIn, house: House) -> None:
    db = house.database()
    with db.reading() as session:
        first, second, *_ = philippine_drafts(house, session)
    desk = sign_in(ADVISOR)
    desk.goto(f"{house.url}/review/{first.id}")
    desk.click("#approve")
    desk.wait_for_load_state()
    move_clock_until_sent(desk, house, [first.id or 0])

    desk.goto(f"{house.url}/demo/mail/{first.recipient}")
    desk.locator("button[value=reply]").first.click()
    desk.wait_for_load_state()
    desk.goto(f"{house.url}/deals/{first.deal_id}")
    expect(desk.locator("main")).to_contain_text("답장 받음")
    with db.reading() as session:
        later = session.exec(select(Draft).where(Draft.lead_id == first.lead_id, Draft.status == "waiting")).all()
    assert later == [], "an answer stops the sequence"

    phone = sign_in(SME, width=390, height=844)
    answered = phone.locator("section.stage").filter(has=phone.locator("h2", has_text="답장 받음"))
    expect(answered.locator(f"a[href='/buyers/{first.contact_id}']")).to_be_visible()
    stranger = sign_in(OTHER_SME, width=390, height=844)
    assert stranger.request.get(f"{house.url}/buyers/{first.contact_id}").status == 404
    assert stranger.request.get(f"{house.url}/deals/{first.deal_id}").status == 403, "deals are the advisors' pages"

    for stage in ("negotiation", "supply_contract"):
        desk.goto(f"{house.url}/deals/{first.deal_id}")
        desk.select_option("[name=stage]", stage)
        desk.fill("[name=reason]", "발주서를 받고 조건을 정했습니다")
        desk.click("form[action$='/move'] button.go")
        desk.wait_for_load_state()
    desk.goto(f"{house.url}/deals/{first.deal_id}")
    desk.fill("[name=territory]", "PH")
    desk.fill("[name=starts_on]", "2026-11-01")
    desk.fill("[name=ends_on]", "2029-12-31")
    desk.click("form[action$='/contract'] button.go")
    desk.wait_for_load_state()
    expect(desk.locator("main")).to_contain_text("독점 계약")
    with db.reading() as session:
        assert session.exec(select(Approval).where(Approval.draft_id == first.id)).one().taken_at is not None

    desk.goto(f"{house.url}/review/{second.id}")
    expect(desk.locator("#checks")).to_contain_text("독점")
    expect(desk.locator("#approve")).to_have_count(0)
    phone.goto(f"{house.url}/contracts")
    expect(phone.locator("main")).to_contain_text("필리핀")
    db.close()


def bring_in(page: Page, house: House, *, exhibition: str = "", exporter: str = "") -> None:
    """Import a list of one buyer, through every step of the wizard."""
    page.goto(f"{house.url}/import")
    rows = (
        "성명,회사명,이메일,국가,부스번호,마케팅 수신 동의\nAna Torres,Lima Hogar,ana@limahogar.example,Peru,7B-123,Y\n"
    )
    page.set_input_files(
        "input[type=file]", {"name": "추가명단.csv", "mimeType": "text/csv", "buffer": rows.encode("cp949")}
    )
    if exhibition:
        page.select_option("[name=exhibition_id]", label=exhibition)
        page.select_option("[name=exporter_id]", label=exporter)
    page.click("main form button.go")
    for _ in range(5):
        page.wait_for_load_state()
        if page.url.endswith("/done"):
            break
        page.locator("main form button.go, main a.btn.go").last.click()
    expect(page.locator("main")).to_contain_text("1명")


def make_exhibition(page: Page, house: House) -> str:
    """Enter an exhibition that closed yesterday; return its name."""
    db = house.database()
    today = InstanceClock(db).now().astimezone(KST).date()
    db.close()
    page.goto(f"{house.url}/exhibitions")
    name = "가을 수출상담회"
    typed = {"code": "AUTUMN26", "ko": name, "en": "Autumn export fair", "venue": "KINTEX"}
    days = {"starts_on": today - timedelta(days=3), "ends_on": today - timedelta(days=1)}
    for field, text in {**typed, **{key: day.isoformat() for key, day in days.items()}}.items():
        page.fill(f"[name={field}]", text)
    page.click("form[action='/exhibitions'] button.go")
    page.wait_for_load_state()
    return name


def test_staff_import_a_list_take_it_back_and_rehearse_a_campaign(sign_in: SignIn, house: House) -> None:
    page = sign_in(STAFF)
    bring_in(page, house)
    page.click("details.ask > summary")
    page.click("form[action$='/undo'] button")
    page.wait_for_load_state()
    page.goto(f"{house.url}/contacts?text=limahogar")
    expect(page.locator("main")).not_to_contain_text("Ana Torres")

    show = make_exhibition(page, house)
    bring_in(page, house, exhibition=show, exporter="가온코스메틱(주) (GAON)")

    page.goto(f"{house.url}/campaigns")
    page.click("main a[href='/campaigns/new']")
    page.select_option("[name=exhibition_id]", label=show)
    page.check("[name=workflow][value=overseas-buyer]")
    page.click("main form button.go")
    steps = ("대상", "흐름", "메일", "모의 실행", "시작")
    for step in steps[:4]:
        expect(page.locator("main h1")).to_contain_text(step)
        expect(page.locator("[aria-current=step]")).to_contain_text(step)
        if step == "대상":
            expect(page.locator("main .tiles")).to_contain_text("1명")
        if step == "모의 실행":
            letters = page.locator("main table", has_text="상태").last.locator("tbody tr")
            expect(letters).to_have_count(4)
            expect(letters.first).to_contain_text("Ana Torres")
        page.click("main a.btn.go")
    expect(page.locator("main h1")).to_contain_text("시작")
    expect(page.locator("main")).to_contain_text("메일 최대 4통")
    page.click("form[action$='/start'] button.go")
    expect(page.locator("main .note.ok")).to_contain_text("캠페인이 시작되었습니다")
    expect(page.locator("main .head")).to_contain_text("진행 중")

    with page.expect_download() as download:
        page.goto(page.url + "/rehearsal")
        page.click("main a[href$='rehearsal.xlsx']")
    rows = list(
        load_workbook(io.BytesIO(download.value.path().read_bytes()))
        .worksheets[0]
        .iter_rows(min_row=2, values_only=True)
    )
    assert [row[2] for row in rows] == ["Ana Torres"] * 4


def test_the_main_flows_work_without_script(sign_in: SignIn, house: House) -> None:
    page = sign_in(ADVISOR, script=False)
    number = passing_drafts(house, ADVISOR, "en")[0]
    page.goto(f"{house.url}/review/{number}")
    page.click("#approve")
    assert draft(house, number).status == "approved"
    page.goto(f"{house.url}/sent")
    page.locator(f"form[action='/review/{number}/take-back'] button").first.click()
    assert draft(house, number).status == "waiting"
