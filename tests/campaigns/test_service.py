"""Campaigns on real databases: enrolment, due steps, what follows what, pausing, stopping, ending and holding."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from crm.campaigns import service
from crm.campaigns.forgetting import forget_leads
from crm.campaigns.models import Enrolment, Step
from crm.campaigns.texts import reason_text
from crm.contacts import service as contacts
from crm.contacts.models import Contact, EmailAddress, Lead
from crm.core import events
from crm.core.config import Settings
from crm.core.db import Database
from crm.core.errors import BadInput, NotFound, Refused
from crm.core.i18n import speaking
from crm.exporters.models import Exhibition
from crm.pipeline import service as pipeline
from crm.pipeline.models import Deal, Task
from tests.campaigns.conftest import STAFF, World, make_world

DAY = timedelta(days=1)
SPRING = date(2027, 4, 9)


def due(world: World, at: datetime, kind: str = "mail", ahead: timedelta = timedelta(0)) -> list[str]:
    return [step.step for step in service.due_steps(world.session, now=at, ahead=ahead, kind=kind, limit=100)]


def deal(world: World, lead: Lead, stage: str) -> Deal:
    pipeline.open_deals(world.session, now=world.now)
    found = pipeline.deal_of_lead(world.session, lead.id or 0)
    assert found is not None
    found.stage = stage
    world.session.flush()
    return found


# ---- creating and starting


def test_a_campaign_keeps_the_text_of_its_workflow_when_the_file_changes(world: World) -> None:
    lead = world.lead()
    world.campaign()
    path = Path(world.settings.workflows_dir) / "example.yaml"
    path.write_text(path.read_text("utf-8").replace("mail: thank_you", "mail: reminder"), encoding="utf-8")
    world.enrol()
    assert world.steps(lead)["thanks"].what == "thank_you"


def test_it_refuses_a_workflow_that_does_not_exist(world: World) -> None:
    with pytest.raises(NotFound, match="example"):
        world.campaign(workflow="exampel")


def test_it_refuses_a_file_with_mistakes_and_names_the_place(world: World) -> None:
    path = Path(world.settings.workflows_dir) / "example.yaml"
    path.write_text(path.read_text("utf-8").replace("thank_you", "thanks_you"), encoding="utf-8")
    with pytest.raises(BadInput, match=r"example\.yaml:7:64"):
        world.campaign()


def test_it_refuses_a_second_campaign_for_the_same_leads(world: World) -> None:
    world.campaign()
    with pytest.raises(Refused):
        world.campaign()


def test_a_campaign_that_was_not_started_enrols_nobody(world: World) -> None:
    lead = world.lead()
    service.create(world.session, world.settings, exhibition=world.show, workflow="example", now=world.now, by=STAFF)
    assert world.enrol() == 0
    assert world.steps(lead) == {}


def test_a_running_campaign_cannot_be_started_again(world: World) -> None:
    campaign = world.campaign()
    with pytest.raises(Refused):
        service.start(world.session, campaign, by=STAFF, now=world.now)


def test_every_change_of_state_is_in_the_log(world: World) -> None:
    campaign = world.campaign()
    service.pause(world.session, campaign, by=STAFF, now=world.now, reason="wrong price")
    service.resume(world.session, campaign, by=STAFF, now=world.now)
    service.stop(world.session, campaign, by=STAFF, now=world.now)
    lines = events.history(world.session, "campaign", campaign.id or 0)
    assert [line.verb.removeprefix("campaign_") for line in lines] == [
        "created",
        "started",
        "paused",
        "resumed",
        "stopped",
    ]
    assert lines[2].reason == "wrong price"
    assert {line.actor for line in lines} == {STAFF}


# ---- enrolling


def test_a_lead_of_the_audience_gets_its_first_step_in_the_buyers_morning(world: World) -> None:
    lead = world.lead()
    world.campaign()
    assert world.enrol() == 1
    step = world.steps(lead)["thanks"]
    assert (step.status, step.what, step.due_at) == ("waiting", "thank_you", datetime(2026, 11, 16, 8, 30, tzinfo=UTC))


def test_a_second_tick_changes_nothing(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    before = world.steps(lead)["thanks"].id
    assert world.enrol() == 0
    assert [step.id for step in world.steps(lead).values()] == [before]


def test_a_lead_imported_later_is_enrolled_by_the_late_import_rule(world: World) -> None:
    world.campaign()
    world.enrol()
    lead = world.lead()
    later = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    assert world.enrol(later) == 1
    steps = world.steps(lead)
    assert (steps["thanks"].status, steps["thanks"].reason) == ("skipped", "late")
    assert (steps["catalogue"].status, steps["catalogue"].due_at) == (
        "waiting",
        datetime(2026, 11, 24, 8, 30, tzinfo=UTC),
    )


def test_a_lead_that_comes_after_everything_is_over_is_finished_at_once(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol(world.now + 90 * DAY)
    assert world.enrolment(lead).status == "finished"


@pytest.mark.parametrize(
    ("country", "address"), [("KR", "a@buyer.example"), (None, "a@buyer.example"), ("DE", "")]
)  # fmt: skip
def test_a_lead_outside_the_audience_or_without_country_or_address_waits_outside(
    world: World, country: str | None, address: str
) -> None:
    lead = world.lead(country=country, address=address)
    world.campaign()
    assert world.enrol() == 0
    assert world.steps(lead) == {}


def test_a_lead_whose_country_is_filled_in_is_enrolled_with_the_next_tick(world: World) -> None:
    lead = world.lead(country=None)
    world.campaign()
    world.enrol()
    contact = world.session.get_one(Contact, lead.contact_id)
    contacts.edit_contact(world.session, contact, {"country": "JP"}, now=world.now, by=STAFF)
    assert world.enrol() == 1


def test_a_lead_whose_address_opted_out_is_not_enrolled(world: World) -> None:
    world.lead()
    contacts.suppress(
        world.session,
        "lena@buyer.example",
        exporter_id=None,
        reason="opt_out",
        source="link",
        evidence={},
        now=world.now,
        by="system",
    )
    world.campaign()
    assert world.enrol() == 0


def test_a_lead_that_has_answered_already_is_not_enrolled(world: World) -> None:
    lead = world.lead()
    deal(world, lead, "replied")
    world.campaign()
    assert world.enrol() == 0


def test_a_campaign_of_one_exporter_leaves_the_others_alone(world: World) -> None:
    mine, other = world.lead("Ana Ruiz"), world.lead("Bo Lind", exporter=world.other)
    world.campaign(exporter=world.exporter)
    world.enrol()
    assert (len(world.steps(mine)), len(world.steps(other))) == (1, 0)


def test_a_lead_is_never_in_two_campaigns_at_once(world: World) -> None:
    world.lead()
    world.campaign()
    world.enrol()
    world.campaign(exporter=world.exporter)
    assert world.enrol() == 0


def test_a_stopped_campaign_that_wrote_nothing_leaves_its_leads_to_the_next(world: World) -> None:
    world.lead()
    first = world.campaign()
    world.enrol()
    service.stop(world.session, first, by=STAFF, now=world.now)
    world.campaign()
    assert world.enrol() == 1


def test_who_got_a_letter_from_a_stopped_campaign_does_not_get_it_again(world: World) -> None:
    lead = world.lead()
    first = world.campaign()
    world.enrol()
    world.done(world.steps(lead)["thanks"])
    service.stop(world.session, first, by=STAFF, now=world.now)
    world.campaign()
    assert world.enrol() == 0


def test_a_buyer_of_two_exporters_hears_from_both(world: World) -> None:
    lead = world.lead()
    second = world.lead_of(world.session.get_one(Contact, lead.contact_id), world.other)
    world.campaign()
    assert world.enrol() == 2
    assert world.steps(lead)["thanks"].status == world.steps(second)["thanks"].status == "waiting"


def test_an_address_that_moved_to_another_contact_gets_each_letter_once(world: World) -> None:
    first = world.lead("Ana Ruiz")
    world.campaign()
    world.enrol()
    row = world.session.exec(select(EmailAddress).where(EmailAddress.contact_id == first.contact_id)).one()
    second = world.lead("Ana Ruiz-Gil", address="")
    row.contact_id = second.contact_id
    world.session.flush()
    world.enrol()
    step = world.steps(second)["thanks"]
    assert (step.status, step.reason) == ("skipped", "same_address")


def test_the_database_refuses_a_second_row_of_a_step(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    step = world.steps(lead)["thanks"]
    twin = Step(
        campaign_id=step.campaign_id,
        enrolment_id=step.enrolment_id,
        step="thanks",
        kind="mail",
        what="thank_you",
        due_at=step.due_at,
    )
    with pytest.raises(IntegrityError), world.session.begin_nested():
        world.session.add(twin)
        world.session.flush()


def test_two_workers_at_once_enrol_everybody_once(
    db: Database, settings: Settings, writing_world: Callable[[int], None]
) -> None:
    writing_world(20)
    now = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
    counts: list[int] = []
    together = threading.Barrier(2)

    def tick() -> None:
        together.wait()
        with db.writing() as session:
            counts.append(service.enrol_leads(session, settings, now=now))

    workers = [threading.Thread(target=tick) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with db.reading() as session:
        leads = list(session.exec(select(Enrolment.lead_id)))
    assert sorted(counts) == [0, 20]
    assert len(set(leads)) == len(leads) == 20


# ---- steps


def test_a_letter_is_due_a_day_ahead_so_that_it_can_be_drafted(world: World) -> None:
    world.lead()
    world.campaign()
    world.enrol()
    at = datetime(2026, 11, 15, 9, 0, tzinfo=UTC)
    assert due(world, at) == []
    assert due(world, at, ahead=DAY) == ["thanks"]


def test_only_one_of_two_takes_a_step(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    step = world.steps(lead)["thanks"]
    assert service.take(world.session, step, now=world.now)
    assert not service.take(world.session, step, now=world.now)
    assert due(world, step.due_at) == []


def test_two_workers_take_each_step_once(
    db: Database, settings: Settings, writing_world: Callable[[int], None]
) -> None:
    writing_world(10)
    now = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
    with db.writing() as session:
        service.enrol_leads(session, settings, now=now - DAY)
    taken: list[int] = []

    def work() -> None:
        with db.reading() as session:
            ids = [step.id for step in service.due_steps(session, now=now, ahead=DAY, kind="mail", limit=50)]
        for step_id in ids:
            with db.writing() as session:
                if service.take(session, session.get_one(Step, step_id), now=now):
                    taken.append(step_id or 0)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(taken) == len(set(taken)) == 10


def test_the_next_step_counts_from_when_the_letter_left(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    world.done(world.steps(lead)["thanks"], at=datetime(2026, 11, 19, 9, 0, tzinfo=UTC))
    steps = world.steps(lead)
    assert (steps["thanks"].status, steps["thanks"].done_at) == ("done", datetime(2026, 11, 19, 9, 0, tzinfo=UTC))
    assert steps["catalogue"].due_at == datetime(2026, 11, 25, 8, 30, tzinfo=UTC)


def test_nothing_is_planned_after_a_letter_that_waits_for_its_advisor(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    service.take(world.session, world.steps(lead)["thanks"], now=world.now)
    world.enrol(world.now + 30 * DAY)
    assert set(world.steps(lead)) == {"thanks"}


def test_noting_a_letter_as_sent_twice_plans_once(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    step = world.steps(lead)["thanks"]
    world.done(step)
    world.done(step, at=step.due_at + DAY)
    assert set(world.steps(lead)) == {"thanks", "catalogue"}
    assert world.steps(lead)["thanks"].done_at == step.due_at


def test_what_follows_a_returned_letter_counts_from_when_that_was_due(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    step = world.steps(lead)["thanks"]
    service.take(world.session, step, now=world.now)
    world.skipped(step)
    steps = world.steps(lead)
    assert (steps["thanks"].status, steps["thanks"].reason) == ("skipped", "returned")
    assert steps["catalogue"].due_at == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def test_a_step_that_is_done_cannot_be_skipped(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    world.done(world.steps(lead)["thanks"])
    world.skipped(world.steps(lead)["thanks"])
    assert world.steps(lead)["thanks"].status == "done"


def test_a_step_whose_condition_is_false_is_skipped_when_it_is_due_and_the_next_follows(world: World) -> None:
    lead = world.lead(rating=1)
    world.campaign()
    world.enrol()
    for step in ("thanks", "catalogue"):
        world.done(world.steps(lead)[step])
    sample = world.steps(lead)["sample"]
    assert "sample" not in due(world, sample.due_at, ahead=DAY)
    world.enrol(sample.due_at)
    steps = world.steps(lead)
    assert {name: (row.status, row.reason) for name, row in steps.items() if row.reason} == {
        "call": ("skipped", "condition"),
        "sample": ("skipped", "condition"),
    }
    assert steps["reminder"].due_at == datetime(2026, 12, 15, 8, 30, tzinfo=UTC)


def test_a_condition_is_asked_when_the_step_is_due_not_before(world: World) -> None:
    lead = world.lead(rating=1)
    world.campaign()
    world.enrol()
    for step in ("thanks", "catalogue"):
        world.done(world.steps(lead)[step])
    lead.requests = ["sample"]
    world.session.flush()
    assert "sample" in due(world, world.steps(lead)["sample"].due_at)


def test_a_due_task_step_becomes_one_task_of_the_advisor(world: World) -> None:
    lead = world.lead(rating=5)
    world.campaign()
    world.enrol()
    for step in ("thanks", "catalogue"):
        world.done(world.steps(lead)[step])
    call = world.steps(lead)["call"]
    assert due(world, call.due_at, kind="task") == ["call"]
    assert service.make_task(world.session, world.settings, call.id or 0, now=call.due_at)
    assert not service.make_task(world.session, world.settings, call.id or 0, now=call.due_at)
    task = world.session.exec(select(Task)).one()
    assert (task.kind, task.lead_id, task.assignee, task.due_at) == ("call", lead.id, "advisor", call.due_at)
    assert "Lena Vogt" in task.title
    assert world.steps(lead)["call"].status == "done"


def test_a_task_is_not_made_a_day_ahead(world: World) -> None:
    lead = world.lead(rating=5)
    world.campaign()
    world.enrol()
    for step in ("thanks", "catalogue"):
        world.done(world.steps(lead)[step])
    assert due(world, world.steps(lead)["call"].due_at - timedelta(hours=1), kind="task", ahead=DAY) == []


def test_a_lead_that_went_through_all_steps_is_finished(world: World) -> None:
    lead = world.lead(rating=1, requests=["sample"])
    world.campaign()
    world.enrol()
    for step in ("thanks", "catalogue", "sample", "reminder"):
        world.enrol(world.steps(lead)[step].due_at)
        world.done(world.steps(lead)[step])
    assert world.enrolment(lead).status == "finished"


def test_a_late_approval_takes_the_next_allowed_window(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    step = world.steps(lead)["thanks"]
    friday_noon = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    slot = service.next_slot_for(world.session, world.settings, step.id, friday_noon)
    assert slot == datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


def test_a_letter_of_no_workflow_goes_out_in_the_buyers_office_hours(world: World) -> None:
    lead = world.lead(country="JP")
    night = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    slot = service.next_slot_for(world.session, world.settings, None, night, lead_id=lead.id)
    assert slot == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)  # Monday the 23rd is Labour Thanksgiving Day


# ---- pausing and stopping


def test_a_paused_campaign_gives_nothing_to_do(world: World) -> None:
    lead = world.lead()
    campaign = world.campaign()
    world.enrol()
    service.pause(world.session, campaign, by=STAFF, now=world.now)
    step = world.steps(lead)["thanks"]
    assert due(world, step.due_at, ahead=DAY) == []
    assert not service.take(world.session, step, now=world.now)
    assert service.hindrance(world.session, step.id or 0, now=world.now) == "campaign_paused"


def test_a_paused_campaign_enrols_nobody(world: World) -> None:
    campaign = world.campaign()
    service.pause(world.session, campaign, by=STAFF, now=world.now)
    world.lead()
    assert world.enrol() == 0


def test_after_a_pause_what_was_missed_takes_the_next_windows(world: World) -> None:
    germany, mexico = world.lead("Lena Vogt"), world.lead("Ana Ruiz", country="MX")
    campaign = world.campaign()
    world.enrol()
    world.done(world.steps(mexico)["thanks"])
    service.pause(world.session, campaign, by=STAFF, now=world.now)
    back = world.now + 9 * DAY
    service.resume(world.session, campaign, by=STAFF, now=back, settings=world.settings)
    first, second = world.steps(germany)["thanks"].due_at, world.steps(mexico)["catalogue"].due_at
    assert first == datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
    assert second == datetime(2026, 11, 25, 15, 30, tzinfo=UTC)
    assert due(world, back) == []


def test_a_short_pause_that_missed_nothing_moves_nothing(world: World) -> None:
    lead = world.lead()
    campaign = world.campaign()
    world.enrol()
    before = world.steps(lead)["thanks"].due_at
    service.pause(world.session, campaign, by=STAFF, now=world.now)
    service.resume(world.session, campaign, by=STAFF, now=world.now + timedelta(hours=1), settings=world.settings)
    assert world.steps(lead)["thanks"].due_at == before


def test_a_stop_cancels_what_waits_and_what_is_drafted(world: World) -> None:
    first, second = world.lead("Lena Vogt"), world.lead("Ana Ruiz")
    campaign = world.campaign()
    world.enrol()
    drafted = world.steps(first)["thanks"]
    service.take(world.session, drafted, now=world.now)
    cancelled = service.stop(world.session, campaign, by=STAFF, now=world.now)
    assert set(cancelled) == {drafted.id, world.steps(second)["thanks"].id}
    assert world.steps(first)["thanks"].status == world.steps(second)["thanks"].status == "cancelled"
    assert service.hindrance(world.session, drafted.id or 0, now=world.now) == "campaign_stopped"
    assert due(world, world.now + 30 * DAY) == []
    assert world.enrol(world.now + 30 * DAY) == 0


def test_a_stopped_campaign_cannot_be_resumed(world: World) -> None:
    campaign = world.campaign()
    service.stop(world.session, campaign, by=STAFF, now=world.now)
    with pytest.raises(Refused):
        service.resume(world.session, campaign, by=STAFF, now=world.now)


# ---- ending and holding


def test_an_answer_ends_the_follow_up_of_that_lead_only(world: World) -> None:
    answered, other = world.lead("Lena Vogt"), world.lead("Ana Ruiz")
    world.campaign()
    world.enrol()
    cancelled = service.end_enrolments(world.session, lead_id=answered.id, reason="replied", now=world.now)
    assert cancelled == [world.steps(answered)["thanks"].id]
    assert (world.enrolment(answered).status, world.enrolment(answered).exit_reason) == ("exited", "replied")
    assert world.steps(answered)["thanks"].status == "cancelled"
    assert world.steps(other)["thanks"].status == "waiting"
    assert world.enrol() == 0


def test_an_opt_out_for_everyone_ends_the_follow_up_of_every_exporter(world: World) -> None:
    lead = world.lead()
    second = world.lead_of(world.session.get_one(Contact, lead.contact_id), world.other)
    world.campaign()
    world.enrol()
    service.end_enrolments(world.session, contact_id=lead.contact_id, reason="opted_out", now=world.now)
    assert world.enrolment(lead).status == world.enrolment(second).status == "exited"


def test_an_opt_out_for_one_exporter_leaves_the_other(world: World) -> None:
    lead = world.lead()
    second = world.lead_of(world.session.get_one(Contact, lead.contact_id), world.other)
    world.campaign()
    world.enrol()
    service.end_enrolments(
        world.session, contact_id=lead.contact_id, exporter_id=world.exporter.id, reason="opted_out", now=world.now
    )
    assert (world.enrolment(lead).status, world.enrolment(second).status) == ("exited", "active")


def test_ending_nobody_in_particular_is_a_mistake(world: World) -> None:
    with pytest.raises(ValueError, match="lead_id"):
        service.end_enrolments(world.session, reason="replied", now=world.now)


def test_nothing_follows_a_letter_that_left_while_the_follow_up_ended(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    step = world.steps(lead)["thanks"]
    service.take(world.session, step, now=world.now)
    service.end_enrolments(world.session, lead_id=lead.id, reason="replied", now=world.now)
    world.done(step)
    assert {name: row.status for name, row in world.steps(lead).items()} == {"thanks": "done"}


def test_a_deal_that_moves_on_ends_the_follow_up_with_the_next_tick(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    deal(world, lead, "negotiation")
    changed = service.advance(world.session, world.settings, now=world.now)
    assert changed.cancelled == [world.steps(lead)["thanks"].id]
    assert world.enrolment(lead).exit_reason == "replied"


def test_an_out_of_office_reply_holds_the_lead_until_the_return_and_does_not_end_it(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    until = datetime(2026, 11, 30, 0, 0, tzinfo=UTC)
    service.hold_enrolments(world.session, lead_id=lead.id or 0, until=until, now=world.now, settings=world.settings)
    step = world.steps(lead)["thanks"]
    assert step.due_at == datetime(2026, 11, 30, 8, 30, tzinfo=UTC)
    assert world.enrolment(lead).status == "active"
    assert due(world, until - 2 * DAY, ahead=DAY) == []
    assert service.hindrance(world.session, step.id or 0, now=world.now) == "out_of_office"
    assert service.hindrance(world.session, step.id or 0, now=until) is None


def test_a_hold_keeps_what_is_planned_later(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    world.done(world.steps(lead)["thanks"])
    before = world.steps(lead)["catalogue"].due_at
    service.hold_enrolments(
        world.session, lead_id=lead.id or 0, until=before - 2 * DAY, now=world.now, settings=world.settings
    )
    assert world.steps(lead)["catalogue"].due_at == before


def test_a_step_planned_during_a_hold_waits_for_its_end(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    step = world.steps(lead)["thanks"]
    service.take(world.session, step, now=world.now)
    until = datetime(2027, 1, 11, 0, 0, tzinfo=UTC)
    service.hold_enrolments(world.session, lead_id=lead.id or 0, until=until, now=world.now, settings=world.settings)
    world.done(step, at=step.due_at)
    assert world.steps(lead)["catalogue"].due_at == datetime(2027, 1, 11, 8, 30, tzinfo=UTC)


def test_a_lead_whose_country_was_taken_away_ends_visibly(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    world.session.get_one(Contact, lead.contact_id).country = None
    world.session.flush()
    world.done(world.steps(lead)["thanks"])
    assert (world.enrolment(lead).status, world.enrolment(lead).exit_reason) == ("exited", "country_unknown")


@pytest.mark.parametrize(
    ("code", "text"), [("replied", "바이어가 답장했습니다."), ("NO_ADDRESS", "주소"), ("unknown", "unknown")]
)  # fmt: skip
def test_a_reason_reads_as_a_sentence_or_as_the_title_of_a_verdict(code: str, text: str) -> None:
    with speaking("ko"):
        assert text in reason_text(code)


def test_why_a_lead_was_or_was_not_written_to_is_in_its_log(world: World) -> None:
    lead = world.lead(rating=1)
    world.campaign()
    world.enrol()
    world.skipped(world.steps(lead)["thanks"])
    service.end_enrolments(world.session, lead_id=lead.id, reason="opted_out", now=world.now)
    lines = events.history(world.session, "lead", lead.id or 0)
    assert [(line.verb, line.reason) for line in lines] == [
        ("lead_enrolled", ""),
        ("step_skipped", "returned"),
        ("follow_up_ended", "opted_out"),
    ]
    assert {line.exporter_id for line in lines} == {world.exporter.id}


def test_leads_of_an_import_that_is_taken_back_leave_no_steps(world: World) -> None:
    gone, kept = world.lead("Lena Vogt"), world.lead("Ana Ruiz")
    world.campaign()
    world.enrol()
    forget_leads(world.session, [gone.id or 0])
    assert world.steps(gone) == {}
    assert set(world.steps(kept)) == {"thanks"}


@pytest.mark.postgres
def test_who_refuses_is_heard_while_a_tick_changes_the_same_follow_up(
    postgres_db: Database, settings: Settings
) -> None:
    with postgres_db.writing() as session:
        world = make_world(session, settings)
        lead = world.lead()
        world.campaign()
        world.enrol()
        lead_id, contact_id = lead.id or 0, lead.contact_id
    ended: list[list[int]] = []

    def refuse() -> None:
        with postgres_db.writing() as session:
            ended.append(service.end_enrolments(session, contact_id=contact_id, reason="opted_out", now=world.now))

    other = threading.Thread(target=refuse)
    with postgres_db.writing() as tick:
        service.hold_enrolments(tick, lead_id=lead_id, until=world.now + 30 * DAY, now=world.now, settings=settings)
        other.start()
        other.join(1)
        assert other.is_alive()
    other.join(10)
    assert [len(steps) for steps in ended] == [1]


# ---- copies


def test_a_copy_of_a_campaign_has_no_dates_no_leads_and_sends_nothing(world: World) -> None:
    """F14: a copy that kept the dates and the start of the old one would write to people at once."""
    path = Path(world.settings.workflows_dir) / "example.yaml"
    dated = path.read_text("utf-8").replace("steps:\n", "dates: {next_show: {ko: 다음, en: next}}\nsteps:\n")
    path.write_text(dated + "  - {id: invite, before: {next_show: 2 weeks}, mail: reminder}\n", encoding="utf-8")
    world.lead()
    old = world.campaign(dates={"next_show": date(2027, 3, 2)})
    world.enrol()
    after = Exhibition(code="NEXT2027", names={"ko": "다음", "en": "Next"}, starts_on=SPRING, ends_on=SPRING)
    world.session.add(after)
    world.session.flush()
    copied = service.copy(world.session, world.settings, old, exhibition=after, now=world.now, by=STAFF)
    kept = (copied.status, copied.started_at, copied.dates, service.missing_dates(world.session, copied))
    assert kept == ("draft", None, {}, ["next_show"])
    assert world.enrol(world.now + timedelta(minutes=1)) == 0
    assert {step.campaign_id for step in world.session.exec(select(Step))} == {old.id}
    with pytest.raises(Refused):
        service.start(world.session, copied, by=STAFF, now=world.now)
