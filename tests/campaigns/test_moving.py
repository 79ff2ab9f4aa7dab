"""Leads in flight go on with another version only after a preview, and exactly as it said."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from crm.campaigns import service
from crm.campaigns.models import Campaign, Enrolment, Step, WorkflowVersion
from crm.campaigns.moving import Move
from crm.campaigns.rehearsal import Instead, Rehearsal, rehearse
from crm.campaigns.workflows import definition_of
from crm.contacts.models import Contact, Lead
from crm.core import events
from crm.core.errors import BadInput, NotFound, Refused
from tests.campaigns.conftest import STAFF, WORKFLOW, World

DAY = timedelta(days=1)
SLOWER = ("{thanks: 4 business days}", "{thanks: 6 business days}")
OTHER_LETTER = ("mail: catalogue, attach: catalogue", "mail: reminder")
NO_CATALOGUE = (
    "  - {id: catalogue, after: {thanks: 4 business days},    mail: catalogue, attach: catalogue}\n"
    "  - {id: call,      after: {catalogue: 3 business days}, when: lead.rating >= 4, task: call}\n"
    "  - {id: sample,    after: {catalogue: 5 business days}, when: '\"sample\" in lead.requests', "
    "mail: sample_offer}\n",
    "  - {id: sample,    after: {thanks: 20 business days}, when: '\"sample\" in lead.requests', mail: sample_offer}\n",
)
EARLIER_STEP = (
    "  - {id: catalogue,",
    "  - {id: hello,     after: {show_close: 0 days}, mail: reminder}\n  - {id: catalogue,",
)
LATER_STEP = (
    "  - {id: catalogue,",
    "  - {id: season,    after: {show_close: 40 business days}, mail: reminder}\n  - {id: catalogue,",
)
WINDOW = ("hours: 09:30-11:30", "hours: 14:00-16:00")


def version(world: World, *changes: tuple[str, str]) -> str:
    """Store the workflow with some lines written differently, and return its version."""
    import hashlib

    text = WORKFLOW
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    world.session.add(WorkflowVersion(sha256=sha256, name="example", text=text, created_at=world.now))
    world.session.flush()
    definition_of(world.session, sha256)
    return sha256


def in_flight(world: World) -> tuple[Campaign, Lead]:
    """A buyer who got the thanks and waits for the catalogue."""
    lead = world.lead()
    campaign = world.campaign()
    world.enrol()
    world.done(world.steps(lead)["thanks"])
    return campaign, lead


def moved(world: World, campaign: Campaign, sha256: str, now: datetime | None = None) -> Move:
    return service.migrate(
        world.session, world.settings, campaign, sha256, by=STAFF, now=now or world.now, reason="too fast"
    )


def seen(world: World, campaign: Campaign, sha256: str, now: datetime | None = None) -> Move:
    return service.preview_migration(world.session, world.settings, campaign, sha256, now=now or world.now)


def summary(move: Move) -> list[tuple[str, str]]:
    return [(one.step, one.change) for lead in move.leads for one in lead.changes]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (SLOWER, [("catalogue", "moves")]),
        (OTHER_LETTER, [("catalogue", "changes")]),
        (NO_CATALOGUE, [("catalogue", "vanishes"), ("sample", "appears")]),
        (EARLIER_STEP, [("hello", "passed")]),
        (LATER_STEP, [("season", "appears")]),
        (WINDOW, [("catalogue", "moves")]),
        (("ko: 예시", "ko: 다른 이름"), []),
    ],
    ids=["slower", "other letter", "step out", "step in the past", "step to come", "window", "title"],
)
def test_the_preview_names_every_step_that_changes_and_the_move_does_it(
    world: World, change: tuple[str, str], expected: list[tuple[str, str]]
) -> None:
    campaign, lead = in_flight(world)
    sha256 = version(world, change)
    now = world.now + DAY
    preview = seen(world, campaign, sha256, now)
    assert summary(preview) == expected
    assert moved(world, campaign, sha256, now) == preview
    waiting = {name: row for name, row in world.steps(lead).items() if row.status == "waiting"}
    for one in preview.leads[0].changes:
        assert (one.step in waiting) == (one.after is not None and one.change != "passed")
        if one.step in waiting:
            assert (waiting[one.step].due_at, waiting[one.step].what) == (one.after, one.what_after)
    assert world.enrolment(lead).workflow_sha256 == campaign.workflow_sha256 == sha256


@pytest.mark.parametrize("change", [SLOWER, OTHER_LETTER, NO_CATALOGUE, EARLIER_STEP, LATER_STEP, WINDOW])
def test_what_is_foreseen_for_the_letters_to_come_is_what_the_rehearsal_shows_after_the_move(
    world: World, change: tuple[str, str]
) -> None:
    campaign, _lead = in_flight(world)
    sha256, now = version(world, change), world.now + DAY
    preview = seen(world, campaign, sha256, now)
    instead = Instead(definition_of(world.session, sha256), {one.enrolment_id: one.plan for one in preview.leads})
    before = rehearse(world.session, world.settings, campaign, now=now)
    foreseen = rehearse(world.session, world.settings, campaign, now=now, instead=instead)
    moved(world, campaign, sha256, now)
    after = rehearse(world.session, world.settings, campaign, now=now)
    assert rows(foreseen) == rows(after)
    assert (rows(after) == rows(before)) == (change is EARLIER_STEP)


def rows(plan: Rehearsal) -> list[tuple[int, str, str, datetime]]:
    return [(one.lead_id, one.step, one.letter, one.due_at) for one in plan.letters]


def test_a_preview_writes_nothing(world: World) -> None:
    campaign, lead = in_flight(world)
    sha256 = version(world, NO_CATALOGUE)
    before = {name: (row.id, row.due_at, row.status) for name, row in world.steps(lead).items()}
    lines = len(events.history(world.session, "campaign", campaign.id or 0))
    seen(world, campaign, sha256)
    assert not world.session.dirty
    assert not world.session.new
    assert {name: (row.id, row.due_at, row.status) for name, row in world.steps(lead).items()} == before
    assert len(events.history(world.session, "campaign", campaign.id or 0)) == lines
    assert world.enrolment(lead).workflow_sha256 != sha256


def test_leads_in_flight_keep_their_version_without_a_migration(world: World) -> None:
    """F20, B13: a change of the file reaches nobody who is in flight."""
    campaign, lead = in_flight(world)
    version(world, SLOWER)
    world.enrol(world.now + DAY)
    assert world.enrolment(lead).workflow_sha256 == campaign.workflow_sha256
    assert world.steps(lead)["catalogue"].due_at == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def test_nothing_goes_out_late_because_a_version_came_late(world: World) -> None:
    """B13, B14: a step that is new and lies in the past is passed over for those who are beyond it."""
    campaign, lead = in_flight(world)
    moved(world, campaign, version(world, EARLIER_STEP), world.now + 2 * DAY)
    step = world.steps(lead)["hello"]
    assert (step.status, step.reason) == ("skipped", "late")


def test_those_who_come_later_start_with_the_new_version(world: World) -> None:
    campaign, _lead = in_flight(world)
    sha256 = version(world, SLOWER)
    moved(world, campaign, sha256)
    new = world.lead("Ana Ruiz")
    world.enrol()
    assert world.enrolment(new).workflow_sha256 == sha256


def test_a_letter_that_is_with_its_advisor_stays_there(world: World) -> None:
    campaign, lead = in_flight(world)
    step = world.steps(lead)["catalogue"]
    service.take(world.session, step, now=world.now)
    assert summary(moved(world, campaign, version(world, NO_CATALOGUE))) == [("sample", "appears")]
    assert (world.steps(lead)["catalogue"].status, world.steps(lead)["catalogue"].id) == ("taken", step.id)


def test_a_letter_that_left_is_not_sent_again_by_a_new_version(world: World) -> None:
    """F10, F12, B14: what happened stays what it was."""
    campaign, lead = in_flight(world)
    done = world.steps(lead)["thanks"]
    moved(world, campaign, version(world, ("{show_close: 1 business day}", "{show_close: 9 business days}")))
    assert (world.steps(lead)["thanks"].status, world.steps(lead)["thanks"].id) == ("done", done.id)
    assert [step.step for step in world.session.exec(select(Step).where(Step.status == "waiting"))] == ["catalogue"]


def test_a_time_that_a_pause_gave_stays_where_both_versions_say_the_same(world: World) -> None:
    campaign, lead = in_flight(world)
    service.pause(world.session, campaign, by=STAFF, now=world.now)
    back = world.now + 30 * DAY
    service.resume(world.session, campaign, by=STAFF, now=back, settings=world.settings)
    due_at = world.steps(lead)["catalogue"].due_at
    assert summary(moved(world, campaign, version(world, LATER_STEP), back)) == [("season", "appears")]
    assert world.steps(lead)["catalogue"].due_at == due_at


def test_nothing_is_planned_into_an_absence(world: World) -> None:
    campaign, lead = in_flight(world)
    until = world.now + 40 * DAY
    service.hold_enrolments(world.session, lead_id=lead.id or 0, until=until, now=world.now, settings=world.settings)
    moved(world, campaign, version(world, SLOWER))
    assert world.steps(lead)["catalogue"].due_at >= until


def test_nobody_who_has_ended_is_moved(world: World) -> None:
    campaign, lead = in_flight(world)
    service.end_enrolments(world.session, lead_id=lead.id, reason="replied", now=world.now)
    sha256 = version(world, SLOWER)
    assert moved(world, campaign, sha256).leads == ()
    assert world.enrolment(lead).workflow_sha256 != sha256


def test_whose_country_is_not_known_any_more_is_left_alone_and_named(world: World) -> None:
    campaign, lead = in_flight(world)
    world.session.get_one(Contact, lead.contact_id).country = None
    world.session.flush()
    assert seen(world, campaign, version(world, SLOWER)).stays == (lead.id,)


def test_a_workflow_that_ends_earlier_finishes_those_who_are_through(world: World) -> None:
    campaign, lead = in_flight(world)
    head = WORKFLOW[: WORKFLOW.index("  - {id: catalogue")]
    moved(world, campaign, version(world, (WORKFLOW, head)))
    assert world.enrolment(lead).status == "finished"


def test_a_migration_is_in_the_log_with_who_and_why(world: World) -> None:
    campaign, _lead = in_flight(world)
    before, sha256 = campaign.workflow_sha256, version(world, SLOWER)
    moved(world, campaign, sha256)
    line = events.history(world.session, "campaign", campaign.id or 0)[-1]
    assert (line.verb, line.actor, line.reason) == ("campaign_migrated", STAFF, "too fast")
    assert line.data == {"from": before, "to": sha256, "leads": 1, "changed": 1}


def test_a_migration_wants_a_reason(world: World) -> None:
    campaign, _lead = in_flight(world)
    with pytest.raises(BadInput):
        service.migrate(
            world.session, world.settings, campaign, version(world, SLOWER), by=STAFF, now=world.now, reason=" "
        )


def test_a_version_that_runs_already_or_is_unknown_or_of_a_stopped_campaign_is_refused(world: World) -> None:
    campaign, _lead = in_flight(world)
    with pytest.raises(Refused):
        moved(world, campaign, campaign.workflow_sha256)
    with pytest.raises(NotFound):
        moved(world, campaign, "0" * 64)
    service.stop(world.session, campaign, by=STAFF, now=world.now)
    with pytest.raises(Refused):
        moved(world, campaign, version(world, SLOWER))


def test_every_lead_of_many_is_moved(world: World) -> None:
    for number in range(25):
        world.lead(f"Buyer{number} Test")
    campaign = world.campaign()
    world.enrol()
    sha256 = version(world, WINDOW)
    assert moved(world, campaign, sha256).count("moves") == 25
    assert set(world.session.exec(select(Enrolment.workflow_sha256))) == {sha256}
