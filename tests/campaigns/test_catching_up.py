"""What was missed takes the next windows, so many an hour: after a pause, and when nothing ran for days."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from crm.campaigns import service
from crm.campaigns.catching_up import Pace
from crm.campaigns.models import Step
from crm.core.clock import KST
from tests.campaigns.conftest import STAFF, World

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MONDAY = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)


def at_once(at: datetime) -> datetime:
    return at


def spread(world: World, per_hour: int) -> None:
    campaigns = world.settings.campaigns.model_copy(update={"spread_per_hour": per_hour})
    world.settings = world.settings.model_copy(update={"campaigns": campaigns})


def due_times(world: World) -> list[datetime]:
    return sorted(step.due_at for step in world.session.exec(select(Step).where(Step.status == "waiting")))


# ---- the pace


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 600)), min_size=1, max_size=80),
    st.integers(1, 7),
)
def test_no_hour_holds_more_letters_of_an_exporter_than_the_pace_allows(
    wishes: list[tuple[int, int]], per_hour: int
) -> None:
    pace = Pace(per_hour)
    got = [(who, MONDAY + wanted * timedelta(minutes=1)) for who, wanted in wishes]
    booked = [(who, pace.book(who, wanted, at_once), wanted) for who, wanted in got]
    hours = Counter((who, at.replace(minute=0, second=0)) for who, at, _wanted in booked)
    assert max(hours.values()) <= per_hour
    assert all(at >= wanted for _who, at, wanted in booked)


def test_letters_of_one_hour_do_not_leave_together() -> None:
    pace = Pace(6)
    times = [pace.book(1, MONDAY, at_once) for _ in range(6)]
    assert times == [MONDAY + number * timedelta(minutes=10) for number in range(6)]


def test_one_exporters_letters_do_not_hold_up_anothers() -> None:
    pace = Pace(1)
    assert [pace.book(who, MONDAY, at_once) for who in (1, 2, 1)] == [MONDAY, MONDAY, MONDAY + HOUR]


def test_a_full_window_leads_into_the_next_one() -> None:
    """Open from 1 to 3: of two an hour, the third letter waits for the second hour, and the fifth for the next day."""

    def window(at: datetime) -> datetime:
        opens = at.replace(hour=1, minute=0, second=0)
        return max(at, opens) if at < opens + 2 * HOUR else opens + DAY

    pace = Pace(2)
    assert [pace.book(1, MONDAY, window) for _ in range(5)] == [
        MONDAY, MONDAY + HOUR / 2, MONDAY + HOUR, MONDAY + 1.5 * HOUR, MONDAY + DAY,
    ]  # fmt: skip


# ---- after a pause


def test_a_resumed_campaign_never_sends_in_a_burst(world: World) -> None:
    """F20, B12: whoever pauses and resumes does not set off everything at once."""
    spread(world, 2)
    for number in range(10):
        world.lead(f"Buyer{number} Test")
    campaign = world.campaign()
    world.enrol()
    service.pause(world.session, campaign, by=STAFF, now=world.now)
    back = world.now + 9 * DAY + HOUR
    service.resume(world.session, campaign, by=STAFF, now=back, settings=world.settings)
    times = due_times(world)
    hours = Counter(at.replace(minute=0, second=0) for at in times)
    assert len(times) == 10
    assert min(times) >= back
    assert max(hours.values()) <= 2
    assert service.due_steps(world.session, now=back, ahead=timedelta(0), kind="mail", limit=100) == []


def test_what_was_due_first_leaves_first_after_a_pause(world: World) -> None:
    spread(world, 1)
    first, second = world.lead("Ana Ruiz", country="JP"), world.lead("Bo Lind", country="DE")
    campaign = world.campaign()
    world.enrol()
    before = world.steps(first)["thanks"].due_at < world.steps(second)["thanks"].due_at
    service.pause(world.session, campaign, by=STAFF, now=world.now)
    service.resume(world.session, campaign, by=STAFF, now=world.now + 9 * DAY, settings=world.settings)
    assert before
    assert world.steps(first)["thanks"].due_at < world.steps(second)["thanks"].due_at


def test_a_moved_step_says_why_and_from_when(world: World) -> None:
    lead = world.lead()
    campaign = world.campaign()
    world.enrol()
    was = world.steps(lead)["thanks"].due_at
    service.pause(world.session, campaign, by=STAFF, now=world.now)
    service.resume(world.session, campaign, by=STAFF, now=world.now + 9 * DAY, settings=world.settings)
    step = world.steps(lead)["thanks"]
    assert (step.reason, step.data["missed"]) == ("after_pause", was.isoformat())


def test_steps_of_one_buyer_keep_their_distance_after_a_pause(world: World) -> None:
    lead = world.lead(rating=5)
    campaign = world.campaign()
    world.enrol()
    for step in ("thanks", "catalogue"):
        world.done(world.steps(lead)[step])
    call, sample = (world.steps(lead)[name].due_at for name in ("call", "sample"))
    service.pause(world.session, campaign, by=STAFF, now=call - HOUR)
    service.resume(world.session, campaign, by=STAFF, now=call + HOUR, settings=world.settings)
    moved = world.steps(lead)
    assert moved["call"].due_at >= call + HOUR
    assert moved["sample"].due_at >= sample + (moved["call"].due_at - call)


def test_an_approved_letter_waits_for_its_own_moment_after_a_pause(world: World) -> None:
    """F49: approved letters that piled up in a pause leave one after the other too."""
    spread(world, 1)
    leads = [world.lead(f"Buyer{number} Test") for number in range(3)]
    campaign = world.campaign()
    world.enrol()
    for lead in leads:
        assert service.take(world.session, world.steps(lead)["thanks"], now=world.now)
    service.pause(world.session, campaign, by=STAFF, now=world.now)
    back = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
    service.resume(world.session, campaign, by=STAFF, now=back, settings=world.settings)
    slots = [
        service.next_slot_for(world.session, world.settings, world.steps(lead)["thanks"].id, back) for lead in leads
    ]
    assert len({slot.replace(minute=0) for slot in slots}) == 3


def test_a_country_nobody_knows_any_more_does_not_hold_up_the_others(world: World) -> None:
    lost, other = world.lead("Ana Ruiz"), world.lead("Bo Lind")
    campaign = world.campaign()
    world.enrol()
    service.pause(world.session, campaign, by=STAFF, now=world.now)
    from crm.contacts.models import Contact

    world.session.get_one(Contact, lost.contact_id).country = None
    world.session.flush()
    back = world.now + 9 * DAY
    service.resume(world.session, campaign, by=STAFF, now=back, settings=world.settings)
    assert world.steps(other)["thanks"].due_at >= back


# ---- after a standstill


@pytest.mark.parametrize("days", [2, 5, 30])
def test_days_without_a_worker_end_in_no_burst(world: World, days: int) -> None:
    """F1, F2, F7: a restart looks at what was missed, and gives it new times before anything is drafted."""
    spread(world, 2)
    for number in range(8):
        world.lead(f"Buyer{number} Test")
    world.campaign()
    world.enrol()
    back = world.now + days * DAY
    service.advance(world.session, world.settings, now=back)
    times = due_times(world)
    hours = Counter(at.replace(minute=0, second=0) for at in times)
    assert min(times) >= back
    assert max(hours.values()) <= 2
    assert {step.reason for step in world.session.exec(select(Step))} == {"after_standstill"}


def test_a_worker_that_was_away_for_an_hour_moves_nothing(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    before = world.steps(lead)["thanks"].due_at
    service.advance(world.session, world.settings, now=before + HOUR)
    assert world.steps(lead)["thanks"].due_at == before


def test_a_letter_that_waits_for_its_advisor_is_no_standstill(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    step = world.steps(lead)["thanks"]
    before = step.due_at
    service.take(world.session, step, now=world.now)
    service.advance(world.session, world.settings, now=before + 9 * DAY)
    assert world.steps(lead)["thanks"].due_at == before


def test_a_second_look_after_a_standstill_moves_nothing_more(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    back = world.now + 5 * DAY
    service.advance(world.session, world.settings, now=back)
    moved = world.steps(lead)["thanks"].due_at
    service.advance(world.session, world.settings, now=back + HOUR)
    assert world.steps(lead)["thanks"].due_at == moved


def test_a_condition_that_is_false_by_now_is_not_made_up_for(world: World) -> None:
    lead = world.lead(rating=1)
    world.campaign()
    world.enrol()
    for step in ("thanks", "catalogue"):
        world.done(world.steps(lead)[step])
    service.advance(world.session, world.settings, now=world.steps(lead)["sample"].due_at + 9 * DAY)
    assert world.steps(lead)["sample"].reason == "condition"


def test_what_moved_is_in_the_campaigns_log(world: World) -> None:
    from crm.core import events

    world.lead()
    campaign = world.campaign()
    world.enrol()
    service.advance(world.session, world.settings, now=world.now.astimezone(KST) + 5 * DAY)
    line = events.history(world.session, "campaign", campaign.id or 0)[-1]
    assert (line.verb, line.reason, line.data) == ("steps_moved", "after_standstill", {"leads": 1})
