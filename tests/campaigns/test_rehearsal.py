"""The rehearsal lists exactly what the worker then does, writes nothing, and says who is left out and why."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import func, select

from crm.campaigns import service
from crm.campaigns.models import Enrolment, Step
from crm.contacts import service as contacts
from crm.contacts.models import Contact, Lead
from crm.core.errors import NotFound
from crm.core.i18n import speaking
from tests.campaigns.conftest import World

BUYERS: list[dict[str, Any]] = [
    {"name": "Lena Vogt", "country": "DE", "rating": 5, "requests": ["sample"]},
    {"name": "Yuki Tanaka", "country": "JP", "requests": ["catalogue"]},
    {"name": "Ana Ruiz", "country": "MX", "city": "Tijuana"},
    {"name": "Chen Wei", "country": "CN", "language": "zh-TW"},
    {"name": "Omar Haddad", "country": "SA", "rating": 3},
    {"name": "Pat Doe", "country": "US", "requests": ["sample", "quotation"]},
]
LEFT_OUT: list[tuple[dict[str, Any], str]] = [
    ({"name": "Kim Minsu", "country": "KR"}, "not_in_audience"),
    ({"name": "Nobody Where", "country": None}, "country_unknown"),
    ({"name": "No Mail", "country": "FR", "address": ""}, "no_address"),
]


def live(world: World, days: int) -> list[tuple[int, str, datetime]]:
    """Let the worker tick once a day, draft what is due and send each letter in its slot; return what it drafted."""
    drafted: list[tuple[int, str, datetime]] = []
    on_the_way: list[Step] = []
    ahead = timedelta(hours=world.settings.campaigns.draft_ahead_hours)
    for tick in range(days):
        now = world.now + timedelta(days=tick)
        for step in [step for step in on_the_way if step.due_at <= now]:
            on_the_way.remove(step)
            service.step_done(world.session, step.id or 0, at=step.due_at, settings=world.settings)
        world.enrol(now)
        for step in service.due_steps(world.session, now=now, ahead=timedelta(0), kind="task", limit=100):
            service.make_task(world.session, world.settings, step.id or 0, now=now)
        for step in service.due_steps(world.session, now=now, ahead=ahead, kind="mail", limit=100):
            assert service.take(world.session, step, now=now)
            on_the_way.append(step)
            lead_id = world.session.get_one(Enrolment, step.enrolment_id).lead_id
            drafted.append((lead_id, step.what, step.due_at))
    return drafted


@pytest.mark.parametrize(
    ("late", "days_late"),
    [
        ("start_at_first_open_step", 0),
        ("start_at_first_open_step", 3),
        ("start_at_first_open_step", 8),
        ("skip_missed", 8),
        ("start_from_beginning", 8),
    ],
)
def test_the_worker_then_drafts_exactly_what_was_rehearsed(world: World, late: str, days_late: int) -> None:
    with_rule(world, late)
    world.now += timedelta(days=days_late)
    for buyer in BUYERS:
        world.lead(**buyer)
    campaign = world.campaign()
    plan = service.rehearse(world.session, world.settings, campaign, now=world.now)
    rehearsed = sorted((letter.lead_id, letter.letter, letter.due_at) for letter in plan.letters)
    assert sorted(live(world, 75)) == rehearsed
    assert len(rehearsed) > len(BUYERS)


def with_rule(world: World, late: str) -> None:
    path = Path(world.settings.workflows_dir) / "example.yaml"
    path.write_text(path.read_text("utf-8") + f"late_import: {late}\n", encoding="utf-8")


def test_a_running_campaign_is_rehearsed_from_where_it_is(world: World) -> None:
    lead = world.lead(**BUYERS[0])
    campaign = world.campaign()
    whole = service.rehearse(world.session, world.settings, campaign, now=world.now)
    world.enrol()
    world.done(world.steps(lead)["thanks"])
    service.take(world.session, world.steps(lead)["catalogue"], now=world.now)
    rest = service.rehearse(world.session, world.settings, campaign, now=world.now + timedelta(days=1))
    assert [(letter.letter, letter.due_at) for letter in rest.letters] == [
        (letter.letter, letter.due_at) for letter in whole.letters[1:]
    ]
    assert [letter.drafted for letter in rest.letters] == [True, False, False]


def test_it_writes_nothing(world: World) -> None:
    world.lead(**BUYERS[0])
    campaign = world.campaign()
    service.rehearse(world.session, world.settings, campaign, now=world.now)
    assert not world.session.new
    assert not world.session.dirty
    assert world.session.exec(select(func.count()).select_from(Enrolment)).one() == 0


def test_a_workflow_can_be_rehearsed_before_there_is_a_campaign(world: World) -> None:
    world.lead(**BUYERS[0])
    plan = service.rehearse(world.session, world.settings, ("example", world.show), now=world.now)
    assert [letter.letter for letter in plan.letters] == ["thank_you", "catalogue", "sample_offer", "reminder"]
    assert [task.task for task in plan.tasks] == ["call"]


def test_it_refuses_an_unknown_workflow(world: World) -> None:
    with pytest.raises(NotFound):
        service.rehearse(world.session, world.settings, ("exampel", world.show), now=world.now)


def test_each_letter_says_language_and_local_time(world: World) -> None:
    for buyer in BUYERS:
        world.lead(**buyer)
    plan = service.rehearse(world.session, world.settings, ("example", world.show), now=world.now)
    thanks = {letter.contact: letter for letter in plan.letters if letter.step == "thanks"}
    assert {name: letter.language for name, letter in thanks.items()} == {
        "Lena Vogt": "en",
        "Yuki Tanaka": "ja",
        "Ana Ruiz": "es",
        "Chen Wei": "zh-Hant",
        "Omar Haddad": "en",
        "Pat Doe": "en",
    }
    assert all((9, 30) <= (at.hour, at.minute) < (11, 30) for at in (item.local_time for item in plan.letters))
    assert str(thanks["Ana Ruiz"].local_time.tzinfo) == "America/Tijuana"
    assert (thanks["Ana Ruiz"].zone_assumed, thanks["Pat Doe"].zone_assumed) == (False, True)


def test_who_is_left_out_is_listed_with_the_reason(world: World) -> None:
    for buyer, _code in LEFT_OUT:
        world.lead(**buyer)
    plan = service.rehearse(world.session, world.settings, ("example", world.show), now=world.now)
    assert plan.letters == []
    assert [(item.contact, item.code) for item in plan.excluded] == [(buyer["name"], code) for buyer, code in LEFT_OUT]
    with speaking("ko"):
        assert all("니다." in item.reason or "십시오." in item.reason for item in plan.excluded)


def test_a_letter_moved_by_holidays_names_them(world: World) -> None:
    world.lead(name="Yuki Tanaka", country="JP")
    plan = service.rehearse(
        world.session, world.settings, ("example", world.show), now=datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
    )
    thanks = plan.letters[0]
    assert thanks.local_time.date() == date(2026, 11, 24)
    assert thanks.as_json()["moved_by"] == ["근로감사의 날"]


def test_what_the_law_forbids_is_shown_as_held_back(world: World) -> None:
    lead = world.lead(name="Lena Vogt", country="DE")
    plan = service.rehearse(world.session, world.settings, ("example", world.show), now=world.now)
    assert {letter.level for letter in plan.letters} == {"block"}
    assert all(letter.held_reason for letter in plan.letters)
    consent(world, lead)
    cleared = service.rehearse(world.session, world.settings, ("example", world.show), now=world.now)
    assert [letter.held_reason for letter in cleared.letters] == [""] * len(plan.letters)


def consent(world: World, lead: Lead) -> None:
    contacts.record_consent(
        world.session,
        lead.contact_id,
        exporter_id=world.exporter.id,
        basis="express_optin",
        given_at=world.now - timedelta(days=3),
        source="booth_form",
        evidence={"form": "tablet"},
        now=world.now,
        by="system",
    )


def test_letters_of_two_exporters_to_one_person_count_against_each_other(world: World) -> None:
    lead = world.lead(name="Lena Vogt", country="DE")
    second = world.lead_of(world.session.get_one(Contact, lead.contact_id), world.other)
    plan = service.rehearse(world.session, world.settings, ("example", world.show), now=world.now)
    thanks = {letter.lead_id: letter for letter in plan.letters if letter.step == "thanks"}
    codes = {lead_id: {verdict.code for verdict in letter.verdicts} for lead_id, letter in thanks.items()}
    assert codes[second.id or 0] - codes[lead.id or 0]


def test_weeks_count_letters_by_language(world: World) -> None:
    for buyer in BUYERS[:2]:
        world.lead(**buyer)
    plan = service.rehearse(world.session, world.settings, ("example", world.show), now=world.now)
    first = plan.weeks[0]
    assert (first.monday, first.languages) == (date(2026, 11, 16), {"en": 2, "ja": 2})
    assert sum(sum(week.languages.values()) for week in plan.weeks) == len(plan.letters)


def test_a_long_list_costs_a_few_statements_a_letter(world: World) -> None:
    for number in range(60):
        world.lead(f"Buyer{number} Test", ["DE", "US", "JP", "MX", "CN"][number % 5], requests=["sample"])
    asked: list[str] = []
    connection = world.session.connection()
    event.listen(connection, "before_cursor_execute", lambda _c, _cursor, statement, *_rest: asked.append(statement))
    plan = service.rehearse(world.session, world.settings, ("example", world.show), now=world.now)
    assert len(plan.letters) == 240
    assert len(asked) < 6 * len(plan.letters) + 30
