"""Who sees which campaigns and steps, and how progress is counted."""

import pytest

from crm.accounts.models import Role
from crm.accounts.rules import Viewer, system_viewer
from crm.campaigns import queries, service
from crm.core.errors import NotFound
from tests.campaigns.conftest import World


def sme(world: World, other: bool = False) -> Viewer:
    company = (world.other if other else world.exporter).id or 0
    return Viewer(user_id=7, email="sme@ieum.example", name="SME", role=Role.SME, exporter_ids=frozenset({company}))


def test_an_sme_sees_campaigns_that_follow_up_its_own_leads_only(world: World) -> None:
    world.lead()
    campaign = world.campaign()
    world.enrol()
    assert [item.id for item in queries.list_campaigns(world.session, sme(world))] == [campaign.id]
    assert queries.list_campaigns(world.session, sme(world, other=True)) == []
    with pytest.raises(NotFound):
        queries.get_campaign(world.session, sme(world, other=True), campaign.id or 0)


def test_staff_see_every_campaign(world: World) -> None:
    campaign = world.campaign(exporter=world.other)
    assert queries.get_campaign(world.session, system_viewer(), campaign.id or 0) is campaign


def test_an_sme_sees_the_steps_of_its_own_leads_only(world: World) -> None:
    lead = world.lead()
    world.campaign()
    world.enrol()
    rows = queries.steps_of_lead(world.session, sme(world), lead.id or 0)
    assert [(row.step, row.status, row.workflow) for row in rows] == [("thanks", "waiting", "example")]
    assert queries.steps_of_lead(world.session, sme(world, other=True), lead.id or 0) == []


def test_progress_counts_leads_and_letters(world: World) -> None:
    first, second = world.lead("Lena Vogt"), world.lead("Ana Ruiz", exporter=world.other)
    campaign = world.campaign()
    world.enrol()
    world.done(world.steps(first)["thanks"])
    service.end_enrolments(world.session, lead_id=second.id, reason="replied", now=world.now)
    assert queries.progress(world.session, campaign.id or 0) == {
        "enrolled": 2,
        "active": 1,
        "exited": 1,
        "finished": 0,
        "waiting": 1,
        "taken": 0,
        "done": 1,
        "skipped": 0,
        "cancelled": 1,
        "next_due_at": world.steps(first)["catalogue"].due_at,
    }


def test_progress_for_an_sme_counts_its_own_leads_only(world: World) -> None:
    world.lead("Lena Vogt")
    world.lead("Ana Ruiz", exporter=world.other)
    campaign = world.campaign()
    world.enrol()
    seen = queries.progress(world.session, campaign.id or 0, sme(world))
    assert (seen["enrolled"], seen["waiting"]) == (1, 1)
