"""Making a campaign in five steps: each has an address, nothing happens before the last, and what was seen counts."""

import io
import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlmodel import select

from crm.campaigns import service as campaigns
from crm.campaigns.models import Campaign, CampaignPlan, Enrolment, Step
from crm.campaigns.workflows import sha256_of
from crm.contacts.models import Contact, Organisation
from crm.core.clock import FrozenClock
from crm.core.config import Settings
from crm.core.context import Context
from crm.exporters.models import Exhibition
from tests.web.conftest import Browser
from tests.web.test_staff_campaigns import make, start
from tests.web.test_workflows import LATER, TEXT
from tests.web.test_workflows import save as save_workflow
from tests.web.world import World

STEPS = ("audience", "flow", "letters", "rehearsal", "start")
DATED = """\
workflow: before-show
title: {ko: 다음 전시회 초대, en: Before the next show}
audience: contact.country != "KR"
dates: {next_show: {ko: 다음 전시회 첫날, en: first day of the next show}}
send_window: {days: [mon, tue, wed, thu, fri], hours: 09:30-11:30}
exit_when: [replied, opted_out, hard_bounced]
steps:
  - {id: thanks, after: {show_close: 1 business day}, mail: thank_you}
  - {id: invite, before: {next_show: 8 weeks}, mail: invitation}
"""


@pytest.fixture
def campaign(hana: Browser, world: World) -> str:
    """A campaign that is being put together; its address."""
    return str(make(hana, world).headers["location"]).removesuffix("/audience")


def stored(site: Context) -> Campaign:
    with site.db.reading() as session:
        return session.exec(select(Campaign).order_by(Campaign.id.desc())).first()  # type: ignore[union-attr,return-value]


def another_show(site: Context) -> int:
    with site.db.writing() as session:
        old = session.exec(select(Exhibition)).one()
        days = {"starts_on": old.starts_on + timedelta(days=200), "ends_on": old.ends_on + timedelta(days=200)}
        show = Exhibition(code="NEXT27", names={"ko": "다음 전시회", "en": "Next show"}, **days)
        session.add(show)
        session.flush()
        return show.id or 0


def test_each_step_leads_to_the_next_and_can_be_taken_up_again(hana: Browser, site: Context, campaign: str) -> None:
    for here, following in pairwise(STEPS):
        text = hana.get(f"{campaign}/{here}").text
        assert text.count('aria-current="step"') == 1
        assert f'class="btn go" href="{campaign}/{following}"' in text
    assert f'action="{campaign}/start"' in hana.get(f"{campaign}/start").text
    assert f'href="{campaign}/audience"' in hana.get("/campaigns").text
    with site.db.reading() as session:
        assert session.exec(select(Enrolment)).all() == session.exec(select(Step)).all() == []


def test_the_audience_counts_people_and_says_who_is_left_out_and_how_to_include_them(
    hana: Browser, site: Context, world: World, campaign: str
) -> None:
    with site.db.writing() as session:
        contact = session.get_one(Contact, world.contacts["PH"])
        contact.country = session.get_one(Organisation, contact.organisation_id).country = (
            ""  # a firm's country would do
        )
    text = hana.get(f"{campaign}/audience").text
    assert "3명" in text
    assert "나라 적기" in text
    assert f'href="/contacts/{world.contacts["PH"]}"' in text


def test_the_letters_show_each_language_with_how_many_go_out(hana: Browser, campaign: str) -> None:
    text = hana.get(f"{campaign}/letters").text
    assert text.count("준비됨") == 24
    assert "0통" in text
    assert "1통" in text


def test_another_workflow_can_be_taken_before_the_start_only(hana: Browser, site: Context, campaign: str) -> None:
    assert hana.post(f"{campaign}/flow", {"workflow": "domestic-buyer"}).status_code == 303
    assert stored(site).workflow == "domestic-buyer"
    assert hana.post(f"{campaign}/flow", {"workflow": "nothing"}).status_code == 422
    hana.post(f"{campaign}/flow", {"workflow": "overseas-buyer"})
    start(hana, campaign)
    assert hana.post(f"{campaign}/flow", {"workflow": "domestic-buyer"}).status_code == 409
    assert stored(site).workflow == "overseas-buyer"


def test_a_workflow_changed_meanwhile_is_offered(hana: Browser, site: Context, campaign: str) -> None:
    save_workflow(hana)
    assert "지금 판으로" in hana.get(f"{campaign}/flow").text
    hana.post(f"{campaign}/flow", {"workflow": "overseas-buyer"})
    assert stored(site).workflow_sha256 == sha256_of(LATER)


def test_the_start_keeps_the_plan_that_was_on_the_screen(hana: Browser, site: Context, campaign: str) -> None:
    assert start(hana, campaign).status_code == 303
    with site.db.reading() as session:
        plan = session.exec(select(CampaignPlan)).one()
        assert (plan.made_by, len(plan.content["letters"])) == ("hana@example.com", 16)
    assert stored(site).status == "running"


@pytest.mark.parametrize("seen", ["", "0" * 64])
def test_a_plan_that_nobody_saw_starts_nothing(hana: Browser, site: Context, campaign: str, seen: str) -> None:
    answer = hana.post(f"{campaign}/start", {"seen": seen})
    assert answer.status_code == 409
    assert 'name="seen" value="' in answer.text
    assert stored(site).status == "draft"


def test_a_plan_that_changed_since_it_was_seen_is_shown_again(
    hana: Browser, site: Context, world: World, campaign: str
) -> None:
    seen = re.search(r'name="seen" value="(\w+)"', hana.get(f"{campaign}/start").text)
    with site.db.writing() as session:
        session.get_one(Contact, world.contacts["PH"]).language = "es"
    assert seen
    assert hana.post(f"{campaign}/start", {"seen": seen[1]}).status_code == 409
    assert stored(site).status == "draft"


def test_a_campaign_without_anybody_cannot_be_started(hana: Browser, site: Context, world: World) -> None:
    here = make(hana, world, workflow="domestic-buyer").headers["location"].removesuffix("/audience")
    assert "보낼 사람이 없습니다" in hana.get(f"{here}/rehearsal").text
    assert f'href="{here}/start"' not in hana.get(f"{here}/rehearsal").text.partition("<main")[2].partition("</ol>")[2]
    assert hana.post(f"{here}/start", {"seen": ""}).status_code == 422
    assert stored(site).status == "draft"
    assert f'href="{here}/rehearsal#h-out"' in hana.get(f"{here}/start").text
    assert 'id="h-out"' in hana.get(f"{here}/rehearsal").text


@pytest.fixture
def dated(hana: Browser, world: World, site: Context) -> str:
    """A campaign whose workflow asks for a date; its address."""
    hana.post("/workflows/before-show/edit", {"text": DATED, "why": "새 흐름", "based_on": ""})
    return str(make(hana, world, workflow="before-show").headers["location"]).removesuffix("/audience")


def test_a_named_date_is_asked_for_before_the_start(hana: Browser, site: Context, dated: str) -> None:
    assert "다음 전시회 첫날" in hana.get(f"{dated}/flow").text
    assert f'href="{dated}/flow#f-date-next_show"' in hana.get(f"{dated}/rehearsal").text
    assert hana.post(f"{dated}/start", {"seen": ""}).status_code == 422
    answer = hana.post(f"{dated}/flow", {"date-next_show": "2027-05-06"})
    assert answer.headers["location"] == f"{dated}/letters"
    assert "2027년 5월 6일" in hana.get(f"{dated}/start").text
    assert start(hana, dated).status_code == 303
    assert stored(site).dates == {"next_show": "2027-05-06"}


def test_what_is_no_date_is_refused_at_its_field(hana: Browser, site: Context, dated: str) -> None:
    answer = hana.post(f"{dated}/flow", {"date-next_show": "다음 달"})
    assert answer.status_code == 422
    assert 'href="#f-date-next_show"' in answer.text
    assert 'value="다음 달"' in answer.text
    assert stored(site).dates == {}


def test_a_copied_campaign_has_no_dates_no_plan_and_does_nothing(
    hana: Browser, site: Context, dated: str, settings: Settings, clock: FrozenClock
) -> None:
    hana.post(f"{dated}/flow", {"date-next_show": "2027-05-06"})
    start(hana, dated)
    show = another_show(site)
    original = dated.rpartition("/")[2]
    assert "다른 전시회" in hana.get(f"/campaigns/new?copy_of={original}").text
    answer = hana.post("/campaigns", {"copy_of": original, "exhibition_id": str(show)})
    assert answer.status_code == 303
    made = stored(site)
    assert (made.exhibition_id, made.workflow, made.status) == (show, "before-show", "draft")
    assert (made.dates, made.started_at) == ({}, None)
    with site.db.writing() as session:
        assert session.get(CampaignPlan, made.id) is None
        campaigns.enrol_leads(session, settings, now=clock.now())
        assert session.exec(select(Enrolment).where(Enrolment.campaign_id == made.id)).all() == []


def test_a_campaign_is_not_copied_onto_itself(hana: Browser, world: World, campaign: str) -> None:
    answer = hana.post("/campaigns", {"copy_of": campaign[-1], "exhibition_id": str(world.exhibition_id)})
    assert answer.status_code == 422


def test_a_draft_is_thrown_away_and_one_that_runs_is_not(
    hana: Browser, site: Context, world: World, campaign: str
) -> None:
    assert hana.post(f"{campaign}/discard").status_code == 303
    assert hana.get(campaign).status_code == 404
    again = make(hana, world).headers["location"].removesuffix("/audience")
    start(hana, again)
    assert hana.post(f"{again}/discard").status_code == 409
    assert stored(site).status == "running"


def test_what_differs_from_the_agreed_plan_is_shown_with_names_until_somebody_agrees(
    hana: Browser, site: Context, world: World, campaign: str
) -> None:
    start(hana, campaign)
    assert "동의한 계획과" not in hana.get(campaign).text
    with site.db.writing() as session:
        session.get_one(Contact, world.contacts["PH"]).language = "es"
    text = hana.get(campaign).text
    assert "동의한 계획과" in text
    assert "Juan dela Cruz" in text
    assert "영어 → 스페인어" in text
    seen = re.search(r'agree">.*?name="seen" value="(\w+)"', text)
    assert seen
    hana.post(f"{campaign}/agree", {"seen": "old"})
    assert "동의한 계획과" in hana.get(campaign).text
    hana.post(f"{campaign}/agree", {"seen": seen[1]})
    assert "동의한 계획과" not in hana.get(campaign).text


def test_a_newer_version_moves_nobody_before_its_preview_was_seen(
    hana: Browser, site: Context, campaign: str, settings: Settings, clock: FrozenClock
) -> None:
    start(hana, campaign)
    with site.db.writing() as session:
        campaigns.enrol_leads(session, settings, now=clock.now())
    assert hana.get(f"{campaign}/version").status_code == 409
    save_workflow(hana)
    assert f'href="{campaign}/version"' in hana.get(campaign).text
    page = hana.get(f"{campaign}/version").text
    assert "6 business days" in page
    # No row stands yet for the letters that follow the slower one; of the twelve, one keeps its day for a holiday.
    assert "메일 11통이 다른 날 나갑니다" in page
    values = {name: re.search(rf'name="{name}" value="(\w+)"', page)[1] for name in ("sha256", "seen")}  # type: ignore[index]
    assert hana.post(f"{campaign}/version", values).status_code == 422
    assert hana.post(f"{campaign}/version", {**values, "seen": "x", "reason": "이유"}).status_code == 409
    assert stored(site).workflow_sha256 == sha256_of(TEXT)
    assert hana.post(f"{campaign}/version", {**values, "reason": "바이어가 바쁨"}).status_code == 303
    with site.db.reading() as session:
        assert set(session.exec(select(Enrolment.workflow_sha256))) == {sha256_of(LATER)}


def test_the_dry_run_shows_one_person_with_what_may_happen_instead(hana: Browser, world: World, campaign: str) -> None:
    text = hana.get(f"{campaign}/rehearsal?person={world.leads['JP']}").text
    assert f'value="{world.leads["JP"]}" selected' in text
    assert "답장이 오면 여기서 멈추고" in text


def test_the_dry_run_says_what_the_advisors_have_to_review(hana: Browser, campaign: str) -> None:
    text = hana.get(f"{campaign}/rehearsal").text
    assert "정해욱" in text
    assert "맡은 위원이 없습니다" in text  # Dasom has no advisor


def test_the_dry_run_as_a_file_has_one_row_per_letter(hana: Browser, campaign: str) -> None:
    answer = hana.get(f"{campaign}/rehearsal.xlsx")
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert len(rows) == 17
    assert rows[0][:4] == ["한국 시각", "현지 시각", "이름", "회사"]
    assert {row[5] for row in rows[1:]} == {"es", "ja", "en", "zh-Hans"}


@pytest.mark.parametrize("path", [*STEPS, "version", "rehearsal.xlsx"])
def test_only_staff_make_campaigns(haewook: Browser, mina: Browser, campaign: str, path: str) -> None:
    assert haewook.get(f"{campaign}/{path}").status_code == mina.get(f"{campaign}/{path}").status_code == 403


@pytest.mark.parametrize("path", ["flow", "start", "discard", "agree", "version", "stop"])
def test_only_staff_change_campaigns(haewook: Browser, site: Context, campaign: str, path: str) -> None:
    values: dict[str, Any] = {"workflow": "domestic-buyer", "reason": "x"}
    assert haewook.post(f"{campaign}/{path}", values).status_code == 403
    assert (stored(site).status, stored(site).workflow) == ("draft", "overseas-buyer")
