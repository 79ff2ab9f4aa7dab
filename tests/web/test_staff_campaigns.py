import re
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from crm.accounts.models import Role
from crm.accounts.rules import Viewer
from crm.campaigns import letters
from crm.campaigns import service as campaigns
from crm.campaigns.models import Campaign, Step
from crm.contacts.models import Contact
from crm.core.clock import FrozenClock
from crm.core.config import Settings
from crm.core.context import Context
from crm.drafts import desk
from crm.drafts.blocks import rewritten, split
from crm.drafts.models import Draft
from tests.web.conftest import Browser
from tests.web.world import World, letter


def make(browser: Browser, world: World, **fields: str) -> Any:
    return browser.post(
        "/campaigns", {"workflow": "overseas-buyer", "exhibition_id": str(world.exhibition_id), **fields}
    )


@pytest.fixture
def campaign(hana: Browser, world: World) -> str:
    """A campaign that was made and not started; its address."""
    answer = make(hana, world)
    assert answer.status_code == 303
    return str(answer.headers["location"]).removesuffix("/audience")


def start(browser: Browser, campaign: str) -> Any:
    """Start a campaign from its last page, with the plan that is on the screen."""
    seen = re.search(r'name="seen" value="(\w+)"', browser.get(f"{campaign}/start").text)
    assert seen
    return browser.post(f"{campaign}/start", {"seen": seen[1]})


def change(browser: Browser, campaign: str, action: str, reason: str) -> Any:
    """Pause, resume or stop as the page does: with the reason in the field that stands in the form, if it has one."""
    form = re.search(rf'<form[^>]*action="{campaign}/{action}".*?</form>', browser.get(campaign).text, re.DOTALL)
    assert form
    field = re.search(r'<input id="f-[^"]*" name="([^"]*)"', form[0])
    return browser.post(f"{campaign}/{action}", {field[1]: reason} if field else {})


def state(site: Context) -> str:
    with site.db.reading() as session:
        return session.exec(select(Campaign.status)).one()


def test_a_campaign_is_made_without_doing_anything(hana: Browser, site: Context, campaign: str) -> None:
    assert state(site) == "draft"
    text = hana.get(campaign).text
    assert f'href="{campaign}/audience"' in text
    assert f'action="{campaign}/start"' in hana.get(f"{campaign}/start").text


def test_a_second_campaign_for_the_same_buyers_is_refused_at_its_field(
    hana: Browser, world: World, campaign: str
) -> None:
    answer = make(hana, world)
    assert answer.status_code == 422
    assert 'href="#f-workflow"' in answer.text


def test_an_unknown_workflow_is_refused(hana: Browser, world: World) -> None:
    assert make(hana, world, workflow="nothing").status_code == 422


def test_the_dry_run_shows_weeks_languages_and_letters_and_writes_nothing(
    hana: Browser, site: Context, campaign: str
) -> None:
    text = hana.get(f"{campaign}/rehearsal").text
    assert "모의 실행" in text
    for found in ("스페인어", "일본어", "중국어(간체)", "Juan dela Cruz", "(현지"):
        assert found in text
    with site.db.reading() as session:
        assert session.exec(select(Step)).all() == []


def test_the_dry_run_names_who_is_left_out_and_why(hana: Browser, site: Context, world: World, campaign: str) -> None:
    with site.db.writing() as session:
        session.get_one(Contact, world.contacts["PH"]).country = "KR"
    text = hana.get(f"{campaign}/rehearsal").text
    assert "이 흐름의 대상이 아닌 바이어입니다" in text
    assert "Manila Trade" in text


def test_the_dry_run_counts_what_could_not_leave_by_reason(hana: Browser, site: Context, campaign: str) -> None:
    from crm.contacts.models import Consent

    with site.db.writing() as session:
        for consent in session.exec(select(Consent)).all():
            session.delete(consent)
    text = hana.get(f"{campaign}/rehearsal").text
    assert "나가지 못합니다" in text
    assert "동의 근거" in text


def test_the_dry_run_shows_one_week_alone(hana: Browser, campaign: str) -> None:
    weeks = re.findall(r"week=(\d{4}-\d\d-\d\d)#", hana.get(f"{campaign}/rehearsal").text)
    assert len(weeks) > 1
    text = hana.get(f"{campaign}/rehearsal?week={weeks[-1]}").text
    assert f"{weeks[-1]} 주의 메일" in text
    assert len(re.findall('<th scope="row">', text)) < len(
        re.findall('<th scope="row">', hana.get(f"{campaign}/rehearsal").text)
    )


def test_start_pause_resume_and_stop_follow_each_other(hana: Browser, site: Context, campaign: str) -> None:
    assert start(hana, campaign).status_code == 303
    for action, expected in (("pause", "paused"), ("resume", "running")):
        assert change(hana, campaign, action, "휴가").status_code == 303
        assert state(site) == expected
    assert change(hana, campaign, "stop", "전시회 취소").status_code == 303
    assert state(site) == "stopped"
    assert "전시회 취소" in hana.get(campaign).text
    assert hana.get(f"{campaign}/rehearsal").status_code == 409


def test_a_campaign_is_not_paused_or_stopped_without_a_reason(hana: Browser, site: Context, campaign: str) -> None:
    start(hana, campaign)
    for action in ("pause", "stop"):
        answer = change(hana, campaign, action, " ")
        assert answer.status_code == 422
        assert f'href="#f-{action}-reason"' in answer.text
    assert state(site) == "running"


def test_what_cannot_be_done_in_a_state_is_refused(hana: Browser, site: Context, campaign: str) -> None:
    assert hana.post(f"{campaign}/resume").status_code == 409
    assert hana.post(f"{campaign}/explode").status_code == 404
    assert state(site) == "draft"


def test_stopping_takes_the_letters_out_of_the_queue(
    hana: Browser, site: Context, world: World, campaign: str, settings: Settings, clock: FrozenClock
) -> None:
    start(hana, campaign)
    with site.db.writing() as session:
        campaigns.enrol_leads(session, settings, now=clock.now())
        step = campaigns.due_steps(session, now=clock.now(), ahead=timedelta(days=3), kind="mail", limit=1)[0]
        assert campaigns.take(session, step, now=clock.now())
        letter(session, world, "ES", clock.now(), step_id=step.id)
    change(hana, campaign, "stop", "잘못 만듦")
    with site.db.reading() as session:
        assert session.exec(select(Draft.status)).one() == "cancelled"


def test_the_list_shows_progress_and_the_next_letter(
    hana: Browser, site: Context, campaign: str, settings: Settings, clock: FrozenClock
) -> None:
    start(hana, campaign)
    with site.db.writing() as session:
        campaigns.enrol_leads(session, settings, now=clock.now())
    assert "진행 중" in hana.get("/campaigns").text
    assert "4명" in hana.get(campaign).text
    assert "다음 메일 11월" in hana.get(campaign).text


def test_a_broken_workflow_file_does_not_hide_the_campaigns_that_run(
    hana: Browser, site: Context, campaign: str, tmp_path: Any
) -> None:
    (tmp_path / "broken.yaml").write_text("workflow: broken\nsteps: nothing\n", encoding="utf-8")
    site.settings = site.settings.model_copy(update={"workflows_dir": str(tmp_path)})
    text = hana.get("/campaigns").text
    assert "broken.yaml" in text
    assert campaign in text
    assert hana.get(campaign).status_code == 200


def change_letter(site: Context, by: str = "hana@example.com") -> None:
    """Save another closing of the English thank-you letter on the desk."""
    staff = Viewer(1, by, "Hana", Role.STAFF, exporter_ids=None)
    with site.db.writing() as session:
        source = letters.source_of(session, site.settings, "thank_you")
        text = split(source.files["en.md"])
        keys = [block.key for block in text.blocks]
        files = {
            **source.files,
            "en.md": rewritten(
                source.files["en.md"], keys, {**text.texts, "closing": f"Until soon, {source.sha256[:4]}"}
            ),
        }
        desk.save(
            session, site.settings, "thank_you", files,
            based_on=source.sha256, why="x", viewer=staff, now=site.clock.now(),
        )  # fmt: skip


def test_a_campaign_keeps_its_letters_until_it_is_moved_with_a_reason(
    hana: Browser, site: Context, campaign: str
) -> None:
    start(hana, campaign)
    assert f"{campaign}/wordings" not in hana.get(campaign).text
    change_letter(site)
    assert f"{campaign}/wordings" in hana.get(campaign).text
    page = hana.get(f"{campaign}/wordings").text
    assert "Until" in page
    seen = dict(re.findall(r'name="(seen-\w+)" value="(\w+)"', page))
    assert list(seen) == ["seen-thank_you"]
    assert hana.post(f"{campaign}/wordings", {**seen, "reason": " "}).status_code == 422
    assert hana.post(f"{campaign}/wordings", {**seen, "reason": "새 인사"}).status_code == 303
    assert f"{campaign}/wordings" not in hana.get(campaign).text


def test_letters_that_changed_while_they_were_looked_at_are_shown_again(
    hana: Browser, site: Context, campaign: str
) -> None:
    start(hana, campaign)
    change_letter(site)
    seen = dict(re.findall(r'name="(seen-\w+)" value="(\w+)"', hana.get(f"{campaign}/wordings").text))
    change_letter(site)
    answer = hana.post(f"{campaign}/wordings", {**seen, "reason": "새 인사"})
    assert answer.status_code == 409
    assert f"{campaign}/wordings" in hana.get(campaign).text


def test_a_campaign_cannot_start_with_a_text_that_nobody_approved(hana: Browser, site: Context, campaign: str) -> None:
    change_letter(site)
    page = hana.get(f"{campaign}/start").text
    assert "/letters/thank_you?language=en" in page
    assert hana.post(f"{campaign}/start", {"seen": "x"}).status_code == 422
    assert state(site) == "draft"
