"""A staff member who never saw such a text changes a workflow in a real browser, and is led out of each mistake."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from crm.campaigns.models import Campaign, WorkflowSave
from crm.core.context import Context
from tests.web.conftest import CHROMIUM, NO_CHROMIUM, Browser
from tests.web.test_workflows import PAGE, TEXT
from tests.web.world import World

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM),
]

# What stands in the text, what is typed instead, the line, what is told of it, and what is to be typed.
DELAY, HOURS, FOLLOWED = "{thanks: 4 business days}", "hours: 09:30-11:30", "{sample: 12 business days}"
KOREAN = (
    (DELAY, "{thanks: 영업일 6일}", 12, "영업일 6일: 이렇게 적은 기간은 읽을 수 없습니다.", "6 business days"),
    (HOURS, "hour: 14:00-16:00", 5, "hour: 여기에서 쓰지 않는 항목입니다.", "hours"),
    (
        FOLLOWED,
        "{sample_offer: 12 business days}",
        16,
        "sample_offer: 이런 이름의 단계나 날짜, 사건이 없습니다.",
        "sample",
    ),
)
ENGLISH = (
    (DELAY, "{thanks: 6 busines days}", 12, "6 busines days cannot be read as a length of time.", "6 business days"),
    (HOURS, "hour: 14:00-16:00", 5, "hour is not known here.", "hours"),
    (FOLLOWED, "{sampel: 12 business days}", 16, "There is no step, date or event called sampel to follow.", "sample"),
)
RIGHT = {DELAY: "{thanks: 6 business days}", HOURS: "hours: 14:00-16:00", FOLLOWED: FOLLOWED}
WORDS = {
    "ko": {"line": "{}번째 줄", "one": "틀린 곳 1개", "meant": "이 뜻이면 이렇게 적으십시오: {}", "fine": "이상 없음"},
    "en": {"line": "Line {}", "one": "1 mistake", "meant": "Did you mean {}?", "fine": "No mistakes"},
}


def retype(page: Any, old: str, new: str) -> None:
    """Mark a piece of the text as with the mouse and type something else."""
    found = page.evaluate(
        """old => {
            const area = document.getElementById("f-text"), at = area.value.indexOf(old);
            area.focus();
            area.setSelectionRange(at, at + old.length);
            return at;
        }""",
        old,
    )
    assert found >= 0, old
    page.keyboard.insert_text(new)


def led_out(page: Any, mistakes: Any, words: dict[str, str]) -> None:
    """Make each mistake, read what the panel beside the text says about it, and type what it says."""
    panel = page.locator("#checks")
    for old, wrong, line, told, meant in mistakes:
        retype(page, old, wrong)
        expect(panel.locator("h2").first).to_contain_text(words["one"])
        expect(panel.locator("li")).to_have_count(1)
        expect(panel.locator("li a")).to_have_text(words["line"].format(line))
        expect(panel.locator("li p").nth(0)).to_have_text(told)
        expect(panel.locator("li p").nth(1)).to_have_text(words["meant"].format(meant))
        expect(panel.locator("li code")).to_contain_text(wrong)
        expect(page.locator(f"#L{line}")).to_have_class("bad")
        retype(page, wrong, RIGHT[old])
        expect(panel.locator("h2").first).to_contain_text(words["fine"])
        expect(page.locator(".numbers .bad")).to_have_count(0)


def saved(site: Context) -> list[WorkflowSave]:
    with site.db.reading() as session:
        return list(session.exec(select(WorkflowSave)))


def test_who_never_saw_such_a_text_changes_a_delay_and_a_window_and_is_led_out_of_each_mistake(
    look_as: Callable[..., Any], hana: Browser, site: Context
) -> None:
    page = look_as(hana, PAGE)
    page.click(f"main a[href='{PAGE}/edit']")
    led_out(page, KOREAN, WORDS["ko"])
    expect(page.locator("#checks")).to_contain_text("방문 감사부터 영업일 6일 뒤")
    expect(page.locator("#checks")).to_contain_text("14:00–16:00")

    page.click("main form button.go")
    expect(page.locator("#problems")).to_contain_text("바꾼 까닭을 적으십시오.")
    assert saved(site) == []
    page.fill("#f-why", "바이어가 답할 시간을 더 달라고 함")
    page.click("main form button.go")
    page.wait_for_url(f"**{PAGE}")
    [version] = saved(site)
    assert (version.saved_by, version.number) == ("hana@example.com", 1)

    page.click(f"main a[href='{PAGE}/versions']")
    row = page.locator("tbody tr").first
    for said in ("1판", "사용 중", "hana@example.com", "바이어가 답할 시간을 더 달라고 함"):
        expect(row).to_contain_text(said)
    row.locator("a").first.click()
    expect(page.locator("ins", has_text=RIGHT[DELAY])).to_have_count(1)
    expect(page.locator("del", has_text=HOURS)).to_have_count(1)


def test_the_same_mistakes_are_told_in_english(look_as: Callable[..., Any], hana: Browser) -> None:
    hana.post("/language", {"language": "en"})
    led_out(look_as(hana, f"{PAGE}/edit"), ENGLISH, WORDS["en"])


def test_a_line_in_the_panel_leads_to_that_line_of_the_text(look_as: Callable[..., Any], hana: Browser) -> None:
    page = look_as(hana, f"{PAGE}/edit")
    retype(page, "mail: reminder", "mail: remainder")
    page.locator("#checks li a").click()
    area = page.locator("#f-text")
    expect(area).to_be_focused()
    marked = area.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)")
    assert marked.strip().startswith("- {id: reminder")


def test_without_script_the_button_checks_and_what_was_typed_stays(
    look_as: Callable[..., Any], hana: Browser, site: Context
) -> None:
    page = look_as(hana, f"{PAGE}/edit", java_script_enabled=False)
    page.fill("#f-text", TEXT.replace(*KOREAN[0][:2]))
    page.fill("#f-why", "시험")
    page.click("main form button[formaction$='/check']")
    expect(page.locator("#checks li a")).to_have_text("12번째 줄")
    assert KOREAN[0][1] in page.input_value("#f-text")
    assert page.input_value("#f-why") == "시험"
    page.click("main form button.go")
    expect(page.locator("#problems a")).to_contain_text("영업일 6일: 이렇게 적은 기간은 읽을 수 없습니다.")
    page.fill("#f-text", TEXT.replace(DELAY, RIGHT[DELAY]))
    page.click("main form button.go")
    page.wait_for_url(f"**{PAGE}")
    assert [one.why for one in saved(site)] == ["시험"]


def test_a_campaign_is_made_and_started_without_script(
    look_as: Callable[..., Any], hana: Browser, site: Context, world: World
) -> None:
    page = look_as(hana, "/campaigns/new", java_script_enabled=False)
    page.check("[name=workflow][value=overseas-buyer]")
    page.click("main form button.go")
    for step in ("audience", "flow", "letters", "rehearsal"):
        page.wait_for_url(f"**/{step}")
        page.click("main a.btn.go")
    page.click("main form[action$='/start'] button")
    expect(page.locator("main .note.ok")).to_contain_text("캠페인이 시작되었습니다")
    with site.db.reading() as session:
        assert session.exec(select(Campaign.status)).all() == ["running"]
