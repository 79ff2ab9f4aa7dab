"""Putting a campaign together before it runs: another workflow, the named dates, a copy, or throwing it away.

All of it is for campaigns that have not been started; one that runs keeps what it was started with.
"""

from collections.abc import Mapping
from datetime import date, datetime

from sqlmodel import Session, col, delete

from crm.campaigns import service
from crm.campaigns.models import Campaign, CampaignLook, CampaignPlan
from crm.campaigns.states import DRAFT
from crm.campaigns.workflows import definition_of, keep, load_workflows
from crm.core import events
from crm.core.config import Settings
from crm.core.errors import BadInput, NotFound, Place, Problem, Refused
from crm.core.i18n import _
from crm.exporters.models import Exhibition, Exporter


def choose_workflow(
    session: Session, settings: Settings, campaign: Campaign, name: str, *, by: str, now: datetime
) -> None:
    """Let a campaign that was not started run another workflow, or the present version of its own.

    Raises NotFound for an unknown workflow, Refused when the campaign was started or one like it goes on.
    """
    _refuse_started(campaign)
    found = load_workflows(settings, session)
    if name not in found:
        raise NotFound(_("There is no workflow {name}. Known: {known}.", name=name, known=", ".join(found)))
    if name != campaign.workflow:
        exporter = session.get(Exporter, campaign.exporter_id) if campaign.exporter_id else None
        service.refuse_twin(session, campaign.exhibition_id, name, exporter)
    campaign.workflow = name
    campaign.workflow_sha256 = keep(session, name, found[name].text, now)
    _forget_plan(session, campaign)
    session.flush()
    events.record(
        session, "campaign_workflow_chosen", "campaign", campaign.id, at=now, actor=by, data={"workflow": name}
    )


def copy(
    session: Session, settings: Settings, original: Campaign, *, exhibition: Exhibition, by: str, now: datetime
) -> Campaign:
    """Make a campaign like another one, for another exhibition, with the present version of its workflow.

    The copy does nothing: dates, the plan that was agreed to and the start are asked for anew, and nobody is enrolled.
    Raises as ``service.create`` does.
    """
    exporter = session.get(Exporter, original.exporter_id) if original.exporter_id else None
    made = service.create(
        session, settings, exhibition=exhibition, workflow=original.workflow, exporter=exporter, now=now, by=by
    )
    events.record(session, "campaign_copied", "campaign", made.id, at=now, actor=by, data={"from": original.id})
    return made


def discard(session: Session, campaign: Campaign, *, by: str, now: datetime) -> None:
    """Throw away a campaign that was never started. Raises Refused for any other."""
    _refuse_started(campaign)
    events.record(session, "campaign_discarded", "campaign", campaign.id, at=now, actor=by)
    _forget_plan(session, campaign)
    session.exec(delete(CampaignLook).where(col(CampaignLook.campaign_id) == campaign.id))
    session.delete(campaign)
    session.flush()


def _refuse_started(campaign: Campaign) -> None:
    if campaign.status != DRAFT:
        raise Refused(_("This campaign was started. What it runs can only be changed by stopping it."))


def _forget_plan(session: Session, campaign: Campaign) -> None:
    stored = session.get(CampaignPlan, campaign.id)
    if stored is not None:
        session.delete(stored)
        session.flush()


# ---------------------------------------------------------------- named dates


def dates_missing(session: Session, campaign: Campaign) -> list[str]:
    """Return the dates that a campaign's workflow asks for and that are not set."""
    wanted = definition_of(session, campaign.workflow_sha256).dates
    return [name for name in wanted if name not in campaign.dates]


def set_dates(session: Session, campaign: Campaign, texts: Mapping[str, str], *, by: str, now: datetime) -> None:
    """Set the named dates of a campaign that was not started. Raises BadInput for what is no date, by its field."""
    _refuse_started(campaign)
    wanted = definition_of(session, campaign.workflow_sha256).dates
    given = {name: texts.get(name, "").strip() for name in wanted}
    problems = [
        Problem(_("This is not a date."), Place(field=f"date-{name}"), _("Write it as 2026-11-24."))
        for name, text in given.items()
        if text and not _is_date(text)
    ]
    if problems:
        raise BadInput(problems)
    campaign.dates = {name: text for name, text in given.items() if text}
    _forget_plan(session, campaign)
    session.add(campaign)
    session.flush()
    events.record(session, "campaign_dates_set", "campaign", campaign.id, at=now, actor=by, data=dict(campaign.dates))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
