"""Campaigns: which run, how far they are, what differs from what was agreed to, pause, resume and stop."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form
from sqlmodel import col, select
from starlette.responses import Response

from crm.accounts.rules import Action, require
from crm.campaigns import letters as kept
from crm.campaigns import plans, queries, service, texts, workflows
from crm.campaigns.definition import Definition
from crm.campaigns.language import LANGUAGES
from crm.campaigns.leads import chunks
from crm.campaigns.letters import wordings_of
from crm.campaigns.models import Campaign, CampaignPlan, WorkflowVersion
from crm.campaigns.rehearsal import Instead
from crm.campaigns.states import PAUSED, RUNNING
from crm.campaigns.workflows import Source, definition_of
from crm.contacts.models import Contact, Lead
from crm.core.errors import BadInput, NotFound, Place, Problem, Refused, Stale
from crm.core.i18n import N_, _, ngettext
from crm.drafts import service as drafts
from crm.exporters.models import Exhibition, Exporter
from crm.web import diffs, flowwords, staffwords
from crm.web.flowwords import FlowWords
from crm.web.routes.imports import Posted
from crm.web.routes.letters import changes
from crm.web.routes.workflows import flow
from crm.web.staffroom import step_counts
from crm.web.visits import Staff, Visit

router = APIRouter()
Text = Annotated[str, Form()]
PEOPLE_SHOWN = 10
MOVES_SHOWN = 200
CHANGES = {
    "appears": N_("comes in"),
    "vanishes": N_("goes out"),
    "moves": N_("another time"),
    "changes": N_("becomes something else"),
    "passed": N_("its time has passed, it is not made up for"),
}
DONE = {
    "pause": N_("The campaign is paused. Nothing is drafted or sent."),
    "resume": N_("The campaign goes on."),
    "stop": N_("The campaign is stopped for good."),
}
WHY = {
    "pause": N_("Write down why the campaign is paused."),
    "stop": N_("Write down why the campaign is stopped."),
}


@router.get("/campaigns")
def listed(visit: Staff) -> Response:
    return visit.page(
        "campaigns/list.html",
        rows=[campaign_row(visit, one) for one in queries.list_campaigns(visit.db, visit.viewer)],
        faults=workflows_in_use(visit)[1],
    )


def workflows_in_use(visit: Visit) -> tuple[dict[str, service.Workflow], list[str]]:
    """Return the workflows, or what is wrong with them; campaigns that run are not touched by a broken one."""
    try:
        return service.load_workflows(visit.context.settings, visit.db), []
    except BadInput as error:
        return {}, [str(problem) for problem in error.problems]


def campaign_row(visit: Visit, campaign: Campaign) -> dict[str, Any]:
    """Return what every page of a campaign shows of it."""
    return {
        "campaign": campaign,
        "title": dict(definition_of(visit.db, campaign.workflow_sha256).title),
        "state": _(texts.STATUSES[campaign.status]),
        "show": visit.db.get_one(Exhibition, campaign.exhibition_id),
        "exporter": visit.db.get(Exporter, campaign.exporter_id) if campaign.exporter_id else None,
        "progress": queries.progress(visit.db, campaign.id or 0),
    }


@router.get("/campaigns/{campaign_id}")
def campaign(visit: Staff, campaign_id: int) -> Response:
    return visit.page("campaigns/campaign.html", **_shown(visit, campaign_id))


def _shown(visit: Visit, campaign_id: int) -> dict[str, Any]:
    found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
    definition = definition_of(visit.db, found.workflow_sha256)
    here = queries.people_at(visit.db, visit.viewer, campaign_id=campaign_id)
    return {
        **campaign_row(visit, found),
        **flow(visit, definition, here),
        "definition": definition,
        "done": step_counts(visit.db, campaign_id),
        "states": [(code, _(name)) for code, name in staffwords.STEP_STATES.items()],
        "agreed": visit.db.get(CampaignPlan, campaign_id),
        "newer": _newer(visit, found) is not None,
        "newer_letters": sorted(kept.newer_letters(visit.db, visit.context.settings, found)),
        "version_name": _version_namer(visit, found.workflow),
        "day_text": flowwords.day_text,
        "versions": queries.versions_of(visit.db, visit.viewer, campaign_id),
        "reason": "",
        **_differs(visit, found),
    }


def _newer(visit: Visit, found: Campaign) -> Source | None:
    """Return the workflow as it is in use if the campaign runs another version of it, and it is in order."""
    source = workflows.sources(visit.db, visit.context.settings).get(found.workflow)
    if source is None or source.sha256 == found.workflow_sha256:
        return None
    definition, _problems = workflows.check_text(visit.context.settings, source.name, source.text, visit.db)
    return source if definition else None


def _version_namer(visit: Visit, workflow: str) -> Callable[[str], str]:
    """Return what names a version of a workflow by its hash."""
    numbers = {save.sha256: save.number for save, _text in reversed(workflows.saves_of(visit.db, workflow))}

    def name(sha256: str) -> str:
        known = numbers.get(sha256)
        return _("Version {n}", n=known) if known else f"{_('The file of the folder')} ({sha256[:8]})"

    return name


def _differs(visit: Visit, found: Campaign) -> dict[str, Any]:
    """Return what differs from the plan that was agreed to, with the names of those whom it touches."""
    if found.status not in (RUNNING, PAUSED) or visit.db.get(CampaignPlan, found.id) is None:
        return {"differs": None}
    settings = visit.context.settings
    plan = service.rehearse(visit.db, settings, found, now=visit.now)
    differs = plans.difference(visit.db, settings, found, plan)
    if differs is None:
        return {"differs": None}
    wordings = wordings_of(visit.db, settings, found)
    return {
        "differs": differs[1],
        "names": _names(visit, differs[1].people),
        "seen": plans.plan_hash(plans.plan_of(plan, wordings)),
        "shown": PEOPLE_SHOWN,
    }


def _names(visit: Visit, lead_ids: list[int]) -> dict[int, tuple[int, str]]:
    """Return lead → the number of the person's page and the name."""
    found: dict[int, tuple[int, str]] = {}
    for ids in chunks(lead_ids):
        rows = (
            select(Lead.id, Contact.id, Contact.full_name)
            .join(Contact, col(Contact.id) == Lead.contact_id)
            .where(col(Lead.id).in_(ids))
        )
        found |= {lead: (contact, name) for lead, contact, name in visit.db.exec(rows) if lead and contact}
    return found


# ---- moving to a newer version


@router.get("/campaigns/{campaign_id}/version")
def newer(visit: Staff, campaign_id: int) -> Response:
    """Show what moving the leads in flight to the present version of the workflow would change; nothing is written."""
    found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
    return visit.page("campaigns/version.html", **_migration(visit, found))


def _migration(visit: Visit, found: Campaign) -> dict[str, Any]:
    source = _newer(visit, found)
    if source is None:
        raise Refused(_("The campaign runs the present version already."))
    sha256 = workflows.keep(visit.db, source.name, source.text, visit.now)
    move = service.preview_migration(visit.db, visit.context.settings, found, sha256, now=visit.now)
    definition = definition_of(visit.db, sha256)
    differs = _foreseen(visit, found, move, definition)
    touched = sorted({*differs.people, *(lead.lead_id for lead in move.changed)})
    earlier = definition_of(visit.db, found.workflow_sha256)
    named = {step.id: step for step in (*earlier.steps, *definition.steps)}
    said = FlowWords(definition, visit.request.app.state.pages.environment.globals["letter_name"])
    return {
        **campaign_row(visit, found),
        "move": move,
        "differs": differs,
        "touched": touched,
        "names": _names(visit, touched),
        "people_shown": PEOPLE_SHOWN,
        "day_text": flowwords.day_text,
        "seen": _digest(move, differs),
        "lines": diffs.line_changes(visit.db.get_one(WorkflowVersion, found.workflow_sha256).text, source.text),
        "step_title": lambda step: said.title(named[step]) if step in named else step,
        "change_name": lambda change: _(CHANGES[change]),
        "shown": MOVES_SHOWN,
        "reason": "",
        "changed": False,
    }


def _foreseen(visit: Visit, found: Campaign, move: service.Move, definition: Definition) -> plans.Difference:
    """Return what becomes of the letters that are still to come, also of those that no row stands for yet."""
    instead = Instead(definition, {lead.enrolment_id: lead.plan for lead in move.leads})
    before = service.rehearse(visit.db, visit.context.settings, found, now=visit.now)
    after = service.rehearse(visit.db, visit.context.settings, found, now=visit.now, instead=instead)
    return plans.compare(plans.plan_of(before, {}), plans.plan_of(after, {}))


def _digest(move: service.Move, differs: plans.Difference) -> str:
    """Return what tells two previews apart: who, which steps, on which days; the minute does not matter."""
    rows = [
        (lead.lead_id, one.step, one.change, one.before and one.before.date(), one.after and one.after.date())
        for lead in move.leads
        for one in lead.changes
    ]
    return hashlib.sha256(repr((move.sha256, move.stays, rows, differs)).encode()).hexdigest()


@router.post("/campaigns/{campaign_id}/version")
def migrate(visit: Staff, campaign_id: int, sha256: Text = "", seen: Text = "", reason: Text = "") -> Response:
    require(visit.viewer, Action.RUN_CAMPAIGNS)
    found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
    values = {**_migration(visit, found), "reason": reason}
    if not reason.strip():
        error = BadInput([Problem(_("Write down why the buyers are moved."), Place(field="reason"))])
        return visit.again("campaigns/version.html", error, **values)
    if seen != values["seen"] or sha256 != values["move"].sha256:
        visit.db.rollback()
        return visit.page("campaigns/version.html", status=409, **{**values, "changed": True})
    done = service.migrate(
        visit.db,
        visit.context.settings,
        found,
        sha256,
        by=visit.viewer.email,
        now=visit.now,
        reason=reason.strip()[:500],
    )
    notice = ngettext(
        "{n} person was moved to the newer version.", "{n} persons were moved to the newer version.", len(done.leads)
    )
    return visit.go(f"/campaigns/{campaign_id}", notice)


# ---- moving to newer letters


@router.get("/campaigns/{campaign_id}/wordings")
def newer_letters(visit: Staff, campaign_id: int) -> Response:
    """Show what the letters in use say otherwise than those that the campaign keeps."""
    found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
    return visit.page("campaigns/wordings.html", **_wordings(visit, found))


def _wordings(visit: Visit, found: Campaign) -> dict[str, Any]:
    newer = kept.newer_letters(visit.db, visit.context.settings, found)
    shelf = visit.letters
    waiting = {name: [tongue for tongue in LANGUAGES if not shelf.ready_in_use(name, tongue)] for name in newer}
    return {
        **campaign_row(visit, found),
        "letters": {name: changes(before, source.files) for name, (before, source) in newer.items()},
        "waiting": waiting,
        "seen": {name: source.sha256 for name, (_before, source) in newer.items()},
        "reason": "",
        "changed": False,
    }


@router.post("/campaigns/{campaign_id}/wordings")
def move_letters(visit: Staff, campaign_id: int, form: Posted) -> Response:
    require(visit.viewer, Action.RUN_CAMPAIGNS)
    found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
    reason = str(form.get("reason") or "").strip()[:500]
    values = {**_wordings(visit, found), "reason": reason}
    if not reason:
        error = BadInput([Problem(_("Write down why the campaign goes on with newer letters."), Place(field="reason"))])
        return visit.again("campaigns/wordings.html", error, **values)
    seen = {name.removeprefix("seen-"): str(value) for name, value in form.multi_items() if name.startswith("seen-")}
    try:
        moved = kept.move_to_newest(
            visit.db, visit.context.settings, found, seen, reason=reason, by=visit.viewer.email, now=visit.now
        )
    except Stale:
        visit.db.rollback()
        return visit.page("campaigns/wordings.html", status=409, **{**values, "changed": True})
    notice = ngettext(
        "The campaign writes {n} letter in its newest version from now on.",
        "The campaign writes {n} letters in their newest versions from now on.",
        len(moved),
    )
    return visit.go(f"/campaigns/{campaign_id}", notice)


# ---- pause, resume, stop


@router.post("/campaigns/{campaign_id}/{action}")
def act(
    visit: Staff,
    campaign_id: int,
    action: str,
    pause_reason: Annotated[str, Form(alias="pause-reason")] = "",
    stop_reason: Annotated[str, Form(alias="stop-reason")] = "",
) -> Response:
    reason = stop_reason if action == "stop" else pause_reason
    require(visit.viewer, Action.RUN_CAMPAIGNS)
    if action not in DONE:
        raise NotFound(_("There is no such page"))
    found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
    if action in WHY and not reason.strip():
        error = BadInput([Problem(_(WHY[action]), Place(field=f"{action}-reason"))])
        return visit.again("campaigns/campaign.html", error, **_shown(visit, campaign_id))
    _do(visit, found, action, reason.strip()[:500])
    return visit.go(f"/campaigns/{campaign_id}", _(DONE[action]))


def _do(visit: Visit, found: Campaign, action: str, reason: str) -> None:
    by, now = visit.viewer.email, visit.now
    if action == "pause":
        service.pause(visit.db, found, by=by, now=now, reason=reason)
    elif action == "resume":
        service.resume(visit.db, found, by=by, now=now, reason=reason, settings=visit.context.settings)
    else:
        cancelled = service.stop(visit.db, found, by=by, now=now, reason=reason)
        drafts.cancel_for_steps(visit.db, cancelled, reason="campaign_stopped", now=now)
