"""What a person agreed to, and what differs from it: who came, who is gone, what moved, what reads otherwise."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crm.campaigns import plans, service
from crm.campaigns.models import Campaign
from crm.campaigns.plans import Difference, Letter, Plan, compare, plan_hash
from crm.contacts.models import Contact
from crm.core import events
from tests.campaigns.conftest import STAFF, World

ONE = Letter(1, "thanks", "thank_you", "en", "2026-11-16", False)
LATER = ONE._replace(day="2026-11-17")
TWO = Letter(2, "thanks", "thank_you", "ja", "2026-11-16", False)
PLAN = Plan((ONE, TWO), {"thank_you/en": "a", "thank_you/ja": "b"})


def test_equal_plans_have_equal_hashes_and_no_difference() -> None:
    again = Plan.from_json(PLAN.as_json())
    assert plan_hash(again) == plan_hash(PLAN)
    assert not compare(PLAN, again)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (Plan((*PLAN.letters, ONE._replace(lead_id=3)), PLAN.wordings), {"new_people": (3,)}),
        (Plan((ONE,), PLAN.wordings), {"gone_people": (2,)}),
        (Plan((ONE, TWO, ONE._replace(step="more")), PLAN.wordings), {"new_letters": (ONE._replace(step="more"),)}),
        (Plan((LATER, TWO), PLAN.wordings), {"moved": ((ONE, LATER),)}),
        (Plan((ONE._replace(language="es"), TWO), PLAN.wordings), {"languages": ((ONE, ONE._replace(language="es")),)}),
        (Plan((ONE._replace(held=True), TWO), PLAN.wordings), {"held": (ONE._replace(held=True),)}),
        (replace(PLAN, wordings={**PLAN.wordings, "thank_you/ja": "c"}), {"reworded": ("thank_you/ja",)}),
    ],
)  # fmt: skip
def test_each_kind_of_change_is_told_as_what_it_is(after: Plan, expected: dict[str, Any]) -> None:
    assert plan_hash(after) != plan_hash(PLAN)
    assert compare(PLAN, after) == Difference(**expected)


def test_a_letter_that_is_gone_of_somebody_who_stays_is_told() -> None:
    before = Plan((ONE, ONE._replace(step="more")), PLAN.wordings)
    assert compare(before, Plan((ONE,), PLAN.wordings)).gone_letters == (ONE._replace(step="more"),)


def test_letters_that_left_and_people_who_answered_are_no_difference() -> None:
    assert not compare(PLAN, Plan((), {}), done={(1, "thanks")}, ended={2})


def rehearsed(world: World, campaign: Campaign) -> Any:
    return service.rehearse(world.session, world.settings, campaign, now=world.now)


@pytest.fixture
def agreed(world: World) -> Campaign:
    """A campaign of two buyers that was started with its plan agreed to."""
    world.lead("Lena Vogt", "DE")
    world.lead("Misaki Ono", "JP")
    campaign = world.campaign()
    plans.agree(world.session, world.settings, campaign, rehearsed(world, campaign), by=STAFF, now=world.now)
    return campaign


def differs(world: World, campaign: Campaign) -> Difference | None:
    found = plans.difference(world.session, world.settings, campaign, rehearsed(world, campaign))
    return found[1] if found else None


def test_nothing_differs_right_after_the_start_nor_after_the_leads_are_enrolled(world: World, agreed: Campaign) -> None:
    assert differs(world, agreed) is None
    world.enrol()
    assert differs(world, agreed) is None


def test_a_buyer_who_came_later_is_told(world: World, agreed: Campaign) -> None:
    late = world.lead("Ana Silva", "ES")
    found = differs(world, agreed)
    assert found is not None
    assert found.new_people == (late.id,) == tuple(found.people)


def test_a_letter_that_reads_otherwise_is_told(world: World, agreed: Campaign) -> None:
    (Path(world.settings.templates_dir) / "catalogue" / "ja.md").write_text("other", encoding="utf-8")
    found = differs(world, agreed)
    assert found is not None
    assert found.reworded == ("catalogue/ja",)


def test_a_buyer_whose_language_changed_is_told(world: World, agreed: Campaign) -> None:
    contact = world.session.get_one(Contact, world.lead("Tom Ray", "US").contact_id)
    plans.agree(world.session, world.settings, agreed, rehearsed(world, agreed), by=STAFF, now=world.now)
    contact.language = "es"
    world.session.flush()
    found = differs(world, agreed)
    assert found is not None
    assert {(old.language, new.language) for old, new in found.languages} == {("en", "es")}


def test_what_happened_as_planned_is_no_difference(world: World, agreed: Campaign) -> None:
    lead = world.lead("Joe Poe", "US")
    plans.agree(world.session, world.settings, agreed, rehearsed(world, agreed), by=STAFF, now=world.now)
    world.enrol()
    step = world.steps(lead)["thanks"]
    world.done(step, step.due_at)
    assert differs(world, agreed) is None
    service.end_enrolments(world.session, lead_id=lead.id, reason="replied", now=world.now + timedelta(days=1))
    assert differs(world, agreed) is None


def test_agreeing_is_noted_with_the_hash(world: World, agreed: Campaign) -> None:
    [line] = [line for line in events.history(world.session, "campaign", agreed.id or 0) if line.verb == "plan_agreed"]
    assert (line.actor, len(line.data["sha256"])) == (STAFF, 64)
