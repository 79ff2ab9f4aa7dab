"""A tick costs what is due and what changed: whom it looks at, and what a row that fails does to the others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from crm.campaigns import due, engine, enrolling, looking, service, ticking
from crm.campaigns.models import CampaignLook, Enrolment, Step
from crm.contacts import service as contacts
from crm.contacts.models import Contact, EmailAddress
from crm.core import events
from crm.pipeline import service as pipeline
from tests.campaigns.conftest import STAFF, World

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    """Collect the SQL of a block."""
    found: list[str] = []
    engine_ = session.get_bind()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found.append(statement)

    sa.event.listen(engine_, "before_cursor_execute", note)
    try:
        yield found
    finally:  # the engine serves the next test too
        sa.event.remove(engine_, "before_cursor_execute", note)


@pytest.fixture(autouse=True)
def no_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    """One transaction after the other: nothing with a lower number is committed later."""
    monkeypatch.setattr(looking, "OVERLAP", 0)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The leads that ticks decide about."""
    found: list[int] = []
    decide = enrolling.decide

    def noting(session: Any, campaign: Any, definition: Any, own: Any, cards: Any) -> Any:
        cards = list(cards)
        found.extend(card.lead_id for card in cards)
        return decide(session, campaign, definition, own, cards)

    monkeypatch.setattr(ticking, "decide", noting)
    return found


def outside(world: World, count: int) -> list[int]:
    """Leads that no campaign takes."""
    return [world.lead(f"Outsider{number} Kim", country="KR").id or 0 for number in range(count)]


# ---- whom a tick looks at


def test_the_first_tick_looks_at_everybody_and_the_second_at_nobody(world: World, looked_at: list[int]) -> None:
    leads = outside(world, 5)
    world.campaign()
    world.enrol()
    assert sorted(set(looked_at)) == leads
    looked_at.clear()
    world.enrol(world.now + MINUTE)
    assert looked_at == []


def test_a_new_lead_is_looked_at_alone(world: World, looked_at: list[int]) -> None:
    outside(world, 5)
    world.campaign()
    world.enrol()
    looked_at.clear()
    new = world.lead()
    assert world.enrol(world.now + MINUTE) == 1
    assert looked_at == [new.id]


def record(world: World, contact_id: int, at: datetime) -> None:
    contacts.record_consent(
        world.session, contact_id, exporter_id=world.exporter.id, basis="express_optin", given_at=at, source="form",
        evidence={"note": "x"}, now=at, by=STAFF,
    )  # fmt: skip


def change_country(world: World, contact: Contact) -> None:
    contacts.edit_contact(world.session, contact, {"country": "DE"}, now=world.now, by=STAFF)


def open_deal(world: World, contact: Contact) -> None:
    pipeline.open_deals(world.session, now=world.now)


def consent(world: World, contact: Contact) -> None:
    record(world, contact.id or 0, world.now)


@pytest.mark.parametrize("change", [change_country, open_deal, consent])
def test_a_lead_about_whom_something_changed_is_looked_at_again(
    world: World, looked_at: list[int], change: Callable[[World, Contact], None]
) -> None:
    lead = world.lead("Ana Kim", country="KR")
    world.campaign()
    world.enrol()
    looked_at.clear()
    change(world, world.session.get_one(Contact, lead.contact_id))
    world.enrol(world.now + MINUTE)
    assert lead.id in looked_at


def test_a_refusal_that_a_new_consent_lifts_lets_the_lead_in(world: World) -> None:
    lead = world.lead()
    contacts.suppress(
        world.session, "lena@buyer.example", exporter_id=None, reason="opt_out", source="link", evidence={},
        now=world.now, by="system",
    )  # fmt: skip
    world.campaign()
    assert world.enrol() == 0
    record(world, lead.contact_id, world.now + MINUTE)
    assert world.enrol(world.now + 2 * MINUTE) == 1


def test_a_deal_that_comes_back_from_negotiation_lets_the_lead_in(world: World) -> None:
    lead = world.lead()
    pipeline.open_deals(world.session, now=world.now)
    deal = pipeline.deal_of_lead(world.session, lead.id or 0)
    assert deal is not None
    deal.stage = "negotiation"
    world.session.flush()
    world.campaign()
    assert world.enrol() == 0
    pipeline.move(world.session, deal, "contacted", by=STAFF, now=world.now, reason="a mistake")
    assert world.enrol(world.now + MINUTE) == 1


def test_the_end_of_another_campaign_lets_its_leads_in(world: World) -> None:
    world.lead()
    first = world.campaign()
    world.enrol()
    world.campaign(exporter=world.exporter)
    assert world.enrol(world.now + MINUTE) == 0
    service.stop(world.session, first, by=STAFF, now=world.now)
    assert world.enrol(world.now + 2 * MINUTE) == 1


def test_what_nobody_logged_is_seen_when_everybody_is_looked_at_again(world: World) -> None:
    lead = world.lead(country=None)
    world.campaign()
    world.enrol()
    world.session.get_one(Contact, lead.contact_id).country = "JP"
    world.session.flush()
    hour = timedelta(minutes=world.settings.campaigns.look_at_all_minutes)
    assert world.enrol(world.now + hour - MINUTE) == 0
    assert world.enrol(world.now + hour) == 1


def test_an_import_makes_everybody_be_looked_at(world: World, looked_at: list[int]) -> None:
    leads = outside(world, 4)
    world.campaign()
    world.enrol()
    looked_at.clear()
    events.record(world.session, "list_imported", "import_batch", 1, at=world.now)
    world.session.flush()
    world.enrol(world.now + MINUTE)
    assert sorted(set(looked_at)) == leads


def test_who_came_in_a_pause_enters_after_it(world: World) -> None:
    campaign = world.campaign()
    world.enrol()
    service.pause(world.session, campaign, by=STAFF, now=world.now)
    world.lead()
    assert world.enrol(world.now + MINUTE) == 0
    service.resume(world.session, campaign, by=STAFF, now=world.now + 2 * MINUTE, settings=world.settings)
    assert world.enrol(world.now + 3 * MINUTE) == 1


def test_a_clock_that_went_back_makes_everybody_be_looked_at(world: World, looked_at: list[int]) -> None:
    leads = outside(world, 3)
    world.campaign()
    world.enrol()
    looked_at.clear()
    world.enrol(world.now - DAY)
    assert sorted(set(looked_at)) == leads


def test_a_campaign_remembers_its_look_only_once(world: World) -> None:
    world.campaign()
    world.enrol()
    world.enrol(world.now + MINUTE)
    assert len(world.session.exec(select(CampaignLook)).all()) == 1


@pytest.mark.parametrize("leads", [3, 30])
def test_enrolling_takes_as_many_statements_for_thirty_as_for_three(world: World, leads: int) -> None:
    for number in range(leads):
        world.lead(f"Buyer{number} Test")
    world.campaign()
    with statements(world.session) as found:
        assert world.enrol() == leads
    assert len([one for one in found if not one.startswith(("SAVEPOINT", "RELEASE"))]) < 50


# ---- what is due


def test_nothing_of_a_paused_campaign_is_even_looked_at(world: World) -> None:
    world.lead()
    campaign = world.campaign()
    world.enrol()
    service.pause(world.session, campaign, by=STAFF, now=world.now)
    world.session.flush()
    with statements(world.session) as found:
        assert due.find(world.session, now=world.now + 9 * DAY, limit=100) == []
    assert len(found) == 1


def test_the_index_of_what_waits_is_used(world: World) -> None:
    if world.session.get_bind().dialect.name != "sqlite":
        pytest.skip("PostgreSQL reads so small a table whole; bench/campaigns.py measures a large one")
    world.lead()
    world.campaign()
    world.enrol()
    with statements(world.session) as found:
        due.find(world.session, now=world.now + 9 * DAY, limit=100)
    for statement in found:
        plan = world.session.connection().exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement}", (world.now,) * statement.count("?")
        )
        shown = " ".join(str(row[3]) for row in plan)
        assert "ix_step_due" in shown
        assert "SCAN step" not in shown


def test_the_oldest_are_claimed_first(world: World) -> None:
    for name, country in (("Ana Ruiz", "MX"), ("Bo Lind", "DE"), ("Kenji Sato", "JP")):
        world.lead(name, country=country)
    world.campaign()
    world.enrol()
    at = world.now + 3 * DAY
    claimed = service.claim(world.session, world.settings, now=at, ahead=DAY, kind="mail", limit=2)
    waiting = world.session.exec(select(Step.due_at).where(Step.status == "waiting")).all()
    assert len(claimed) == 2
    assert max(step.due_at for step in claimed) <= min(waiting)


def test_a_claimed_step_is_not_claimed_again_and_can_be_given_back(world: World) -> None:
    world.lead()
    world.campaign()
    world.enrol()
    at = world.now + DAY

    def claim() -> list[Any]:
        return service.claim(world.session, world.settings, now=at, ahead=DAY, kind="mail", limit=9)

    (step,) = claim()
    assert claim() == []
    service.give_back(world.session, step)
    assert claim() == [step]


def test_a_claim_skips_the_step_whose_condition_is_false(world: World) -> None:
    lead = world.lead(rating=1)
    world.campaign()
    world.enrol()
    for step in ("thanks", "catalogue"):
        world.done(world.steps(lead)[step])
    at = world.steps(lead)["sample"].due_at
    assert service.claim(world.session, world.settings, now=at, ahead=DAY, kind="mail", limit=9) == []
    assert (world.steps(lead)["sample"].status, world.steps(lead)["sample"].reason) == ("skipped", "condition")
    assert "reminder" in world.steps(lead)


# ---- a row that fails


def test_a_lead_over_which_planning_stumbles_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = world.lead("Ana Ruiz", country="MX"), world.lead("Bo Lind")
    first_steps = engine.first_steps

    def stumbling(definition: Any, buyer: Any, *rest: Any, **more: Any) -> Any:
        if str(buyer.zone) == "America/Mexico_City":
            raise ZeroDivisionError
        return first_steps(definition, buyer, *rest, **more)

    monkeypatch.setattr(engine, "first_steps", stumbling)
    world.campaign()
    assert world.enrol() == 1
    assert (len(world.steps(bad)), len(world.steps(good))) == (0, 1)


def test_a_lead_about_whom_nothing_can_be_decided_is_listed_and_the_others_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.lead("Ana Ruiz", country="MX")
    world.lead("Bo Lind")
    holds = enrolling.holds

    def stumbling(text: Any, facts: Any) -> bool:
        if facts.contact.country == "MX":
            raise ZeroDivisionError
        return holds(text, facts)

    monkeypatch.setattr(enrolling, "holds", stumbling)
    campaign = world.campaign()
    plan = service.rehearse(world.session, world.settings, campaign, now=world.now)
    assert [(lead.contact, lead.code) for lead in plan.excluded] == [("Ana Ruiz", "stumbled")]
    assert world.enrol() == 1


def test_a_lead_that_the_database_refuses_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = world.lead("Ana Ruiz")
    good = [world.lead(f"Buyer{number} Test") for number in range(3)]
    world.campaign()
    write_many = ticking.write_many

    def twice(session: Any, plans: Any) -> Any:
        kept = [plan for plan in plans if plan.address == "ana@buyer.example"]
        return write_many(session, [*plans, *kept])

    monkeypatch.setattr(ticking, "write_many", twice)
    assert world.enrol() == 3
    assert world.steps(bad) == {}
    assert [len(world.steps(lead)) for lead in good] == [1, 1, 1]
    assert len(world.session.exec(select(Enrolment)).all()) == 3


def test_a_step_over_which_the_program_stumbles_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = world.lead("Ana Ruiz", rating=1), world.lead("Bo Lind", rating=1)
    world.campaign()
    world.enrol()
    for lead in (bad, good):
        for step in ("thanks", "catalogue"):
            world.done(world.steps(lead)[step])
    skip, stuck = ticking.skip, world.steps(bad)["sample"].id

    def stumbling(session: Any, settings: Any, step: Step, *rest: Any) -> None:
        skip(session, settings, step, *rest)
        if step.id == stuck:
            raise ZeroDivisionError

    monkeypatch.setattr(ticking, "skip", stumbling)
    service.advance(world.session, world.settings, now=world.steps(bad)["sample"].due_at)
    assert world.steps(bad)["sample"].status == "waiting"
    assert "reminder" not in world.steps(bad)
    assert world.steps(good)["sample"].status == "skipped"


# ---- one letter an address


def test_who_leaves_and_comes_again_gets_each_letter_once(world: World) -> None:
    """F10, F12: removed and added again three times, and still one letter."""
    lead = world.lead()
    world.campaign()
    world.enrol()
    world.done(world.steps(lead)["thanks"])
    for _round in range(3):
        service.end_enrolments(world.session, lead_id=lead.id, reason="manual", now=world.now)
        world.enrol(world.now + DAY)
    assert len(world.session.exec(select(Step).where(Step.step == "thanks")).all()) == 1
    assert world.enrolment(lead).status == "exited"


def test_one_person_under_two_leads_of_an_exporter_gets_one_letter_even_in_one_tick(world: World) -> None:
    """F11: the guard stands at the address, also among those who come in together."""
    first, second = world.lead("Ana Ruiz"), world.lead("Ana Ruiz-Gil", address="")
    world.campaign()
    monday = world.now
    row = world.session.exec(select(EmailAddress).where(EmailAddress.contact_id == first.contact_id)).one()
    world.enrol(monday)
    row.contact_id = second.contact_id
    world.session.flush()
    world.enrol(monday + timedelta(hours=2))
    reasons = {world.steps(first)["thanks"].reason, world.steps(second)["thanks"].reason}
    assert reasons == {"", "same_address"}


def test_only_the_missed_get_what_was_missed(world: World) -> None:
    """B14, F20: who came too late for the first tick is made up for, and nobody else gets anything twice."""
    early = [world.lead(f"Buyer{number} Test") for number in range(3)]
    world.campaign()
    world.enrol()
    ids = [world.steps(lead)["thanks"].id for lead in early]
    late = [world.lead(f"Late{number} Test") for number in range(2)]
    assert world.enrol(world.now + MINUTE) == 2
    assert [world.steps(lead)["thanks"].id for lead in early] == ids
    assert all(set(world.steps(lead)) == {"thanks"} for lead in [*early, *late])


def test_a_step_is_due_by_its_time_alone_however_often_that_is_changed(world: World) -> None:
    """F23: no job turns a state over once a day, so a date that is changed needs nothing else to be changed."""
    lead, other = world.lead(), world.lead("Ana Ruiz")
    world.campaign()
    world.enrol()
    step = world.steps(lead)["thanks"]
    was = step.due_at
    world.steps(other)["thanks"].due_at = was - 9 * DAY

    def due(at: datetime) -> bool:
        return step in service.due_steps(world.session, now=at, ahead=timedelta(0), kind="mail", limit=9)

    for moved in (was + 3 * DAY, was - 2 * DAY, was):
        step.due_at = moved
        world.session.flush()
        assert [due(moved - MINUTE), due(moved), due(moved + MINUTE)] == [False, True, True]
