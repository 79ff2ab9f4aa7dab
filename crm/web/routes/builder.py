"""Making a campaign, a page a step: audience, workflow, letters, dry run, start. It does nothing before the last one.

Each step has its own address and can be taken up again after the browser was closed; till then it is a draft.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from crm.accounts.rules import Action, require
from crm.campaigns import building, load, plans, queries, service
from crm.campaigns.language import LANGUAGES
from crm.campaigns.letters import wordings_of
from crm.campaigns.models import Campaign
from crm.campaigns.rehearsal import Rehearsal
from crm.campaigns.states import DRAFT, STOPPED
from crm.campaigns.workflows import definition_of
from crm.core.errors import BadInput, CrmError, NotFound, Place, Problem, Refused
from crm.core.i18n import _, ngettext
from crm.drafts import desk
from crm.exporters import queries as exporters
from crm.exporters.service import advisor_namer
from crm.reports.planfile import plan_file
from crm.web import dryrun, flowwords
from crm.web.downloads import XLSX, download
from crm.web.routes.campaigns import campaign_row, workflows_in_use
from crm.web.routes.imports import Posted
from crm.web.routes.workflows import flow
from crm.web.visits import Staff, Visit

router = APIRouter()
Text = Annotated[str, Form()]
PAGE = 50
PEOPLE_SHOWN = 20


# ---- 1. the audience


@router.get("/campaigns/new")
def new(visit: Staff, copy_of: int = 0) -> Response:
    original = queries.get_campaign(visit.db, visit.viewer, copy_of) if copy_of else None
    typed = {
        "workflow": original.workflow if original else "",
        "exhibition_id": 0,
        "exporter_id": (original.exporter_id or 0) if original else 0,
        "copy_of": copy_of,
    }
    return visit.page("campaigns/new.html", **_new(visit, typed))


def _new(visit: Visit, typed: dict[str, Any]) -> dict[str, Any]:
    found, faults = workflows_in_use(visit)
    return {
        "workflows": [(name, one.definition) for name, one in found.items()],
        "faults": faults,
        "shows": exporters.list_exhibitions(visit.db, visit.viewer),
        "exporters": exporters.list_exporters(visit.db, visit.viewer),
        "typed": typed,
        "original": campaign_row(visit, queries.get_campaign(visit.db, visit.viewer, typed["copy_of"]))
        if typed["copy_of"]
        else None,
        "window_text": flowwords.window_text,
    }


@router.post("/campaigns")
def create(
    visit: Staff,
    workflow: Text = "",
    exhibition_id: Annotated[int, Form()] = 0,
    exporter_id: Annotated[int, Form()] = 0,
    copy_of: Annotated[int, Form()] = 0,
) -> Response:
    require(visit.viewer, Action.RUN_CAMPAIGNS)
    typed = {"workflow": workflow, "exhibition_id": exhibition_id, "exporter_id": exporter_id, "copy_of": copy_of}
    try:
        made = _made(visit, typed)
    except (BadInput, Refused, NotFound) as error:
        visit.db.rollback()
        return visit.again("campaigns/new.html", _at(error, "workflow"), **_new(visit, {**typed, "copy_of": 0}))
    return visit.go(f"/campaigns/{made.id}/audience", _("The campaign is made and does nothing yet."))


def _made(visit: Visit, typed: dict[str, Any]) -> Campaign:
    settings, by, now = visit.context.settings, visit.viewer.email, visit.now
    show = exporters.get_exhibition(visit.db, visit.viewer, typed["exhibition_id"])
    if typed["copy_of"]:
        original = queries.get_campaign(visit.db, visit.viewer, typed["copy_of"])
        return building.copy(visit.db, settings, original, exhibition=show, by=by, now=now)
    exporter_id = typed["exporter_id"]
    exporter = exporters.get_exporter(visit.db, visit.viewer, exporter_id) if exporter_id else None
    return service.create(
        visit.db, settings, exhibition=show, workflow=typed["workflow"], exporter=exporter, now=now, by=by
    )


def _at(error: CrmError, field: str) -> BadInput:
    if isinstance(error, BadInput) and error.problems[0].place.field:
        return error
    return BadInput([Problem(error.message, Place(field=field))])


def _draft(visit: Visit, campaign_id: int) -> Campaign:
    """Return a campaign that is being put together."""
    found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
    if found.status == STOPPED:
        raise Refused(_("This campaign is stopped; nothing more goes out."))
    return found


def _elsewhere(found: Campaign) -> Response | None:
    """Return the way to the campaign's own page when it has been started."""
    return None if found.status == DRAFT else RedirectResponse(f"/campaigns/{found.id}", status_code=303)


def _rehearsed(visit: Visit, found: Campaign) -> Rehearsal:
    return service.rehearse(visit.db, visit.context.settings, found, now=visit.now)


@router.get("/campaigns/{campaign_id}/audience")
def audience(visit: Staff, campaign_id: int) -> Response:
    found = _draft(visit, campaign_id)
    if (elsewhere := _elsewhere(found)) is not None:
        return elsewhere
    plan = _rehearsed(visit, found)
    countries: dict[str, int] = {}
    for one in {letter.lead_id: letter for letter in plan.letters}.values():
        countries[one.country] = countries.get(one.country, 0) + 1
    return visit.page(
        "campaigns/audience.html",
        **campaign_row(visit, found),
        definition=definition_of(visit.db, found.workflow_sha256),
        plan=plan,
        countries=sorted(countries.items(), key=lambda row: -row[1]),
        left_out=dryrun.left_out(visit, found, plan),
        shown=PEOPLE_SHOWN,
    )


@router.post("/campaigns/{campaign_id}/discard")
def discard(visit: Staff, campaign_id: int) -> Response:
    require(visit.viewer, Action.RUN_CAMPAIGNS)
    found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
    building.discard(visit.db, found, by=visit.viewer.email, now=visit.now)
    return visit.go("/campaigns", _("The campaign was thrown away. Nothing was sent."))


# ---- 2. the workflow


@router.get("/campaigns/{campaign_id}/flow")
def steps(visit: Staff, campaign_id: int) -> Response:
    found = _draft(visit, campaign_id)
    return _elsewhere(found) or visit.page("campaigns/flow.html", **_flow(visit, found, found.dates))


def _flow(visit: Visit, found: Campaign, typed: dict[str, str]) -> dict[str, Any]:
    definition = definition_of(visit.db, found.workflow_sha256)
    in_use, faults = workflows_in_use(visit)
    present = in_use.get(found.workflow)
    return {
        **campaign_row(visit, found),
        **flow(visit, definition, {}),
        "definition": definition,
        "workflows": [(name, flowwords.title_of(one.definition)) for name, one in in_use.items()],
        "faults": faults,
        "newer": present is not None and present.sha256 != found.workflow_sha256,
        "dates": {name: dict(title) for name, title in definition.dates.items()},
        "typed": typed,
    }


@router.post("/campaigns/{campaign_id}/flow")
def choose(visit: Staff, campaign_id: int, form: Posted) -> Response:
    """Take another workflow, or the dates that the workflow asks for."""
    require(visit.viewer, Action.RUN_CAMPAIGNS)
    found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
    by, now, name = visit.viewer.email, visit.now, str(form.get("workflow") or "")
    typed = {key.removeprefix("date-"): str(value) for key, value in form.items() if key.startswith("date-")}
    try:
        if name:
            building.choose_workflow(visit.db, visit.context.settings, found, name, by=by, now=now)
            return visit.go(f"/campaigns/{campaign_id}/flow", _("The workflow was chosen."))
        building.set_dates(visit.db, found, typed, by=by, now=now)
    except (BadInput, NotFound, Refused) as error:
        if found.status != DRAFT:
            raise
        visit.db.rollback()
        found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
        return visit.again("campaigns/flow.html", _at(error, "workflow"), **_flow(visit, found, typed))
    return visit.go(f"/campaigns/{campaign_id}/letters")


# ---- 3. the letters


@router.get("/campaigns/{campaign_id}/letters")
def letters(visit: Staff, campaign_id: int) -> Response:
    found = _draft(visit, campaign_id)
    if (elsewhere := _elsewhere(found)) is not None:
        return elsewhere
    plan, known = _rehearsed(visit, found), visit.letters.ready_languages()
    counts: dict[tuple[str, str], int] = {}
    for one in plan.letters:
        counts[one.letter, one.language] = counts.get((one.letter, one.language), 0) + 1
    definition = definition_of(visit.db, found.workflow_sha256)
    return visit.page(
        "campaigns/letters.html",
        **campaign_row(visit, found),
        letters=list(dict.fromkeys(step.what for step in definition.steps if step.kind == "mail")),
        languages=LANGUAGES,
        known=known,
        counts=counts,
        missing=dryrun.missing_letters(visit, plan),
    )


# ---- 4. the dry run


@router.get("/campaigns/{campaign_id}/rehearsal")
def rehearsal(visit: Staff, campaign_id: int, week: str = "", after: int = 0, person: int = 0) -> Response:
    found = _draft(visit, campaign_id)
    plan = _rehearsed(visit, found)
    definition = definition_of(visit.db, found.workflow_sha256)
    listed = [one for one in plan.letters if not week or load.monday_of(one.due_at).isoformat() == week]
    people = dryrun.people(plan)
    chosen = person if any(one.lead_id == person for one in plan.letters) else people[0].lead_id if people else 0
    letter_name = visit.request.app.state.pages.environment.globals["letter_name"]
    return visit.page(
        "campaigns/rehearsal.html",
        **campaign_row(visit, found),
        plan=plan,
        fixes=dryrun.to_fix(visit, found, definition, plan),
        held=dryrun.held_by_reason(plan.letters),
        left_out=dryrun.left_out(visit, found, plan),
        shown=PEOPLE_SHOWN,
        weeks=dryrun.weeks(plan),
        moved=dryrun.moved(plan),
        people=people,
        person=chosen,
        timeline=dryrun.timeline(plan, chosen, letter_name),
        shares=dryrun.shares(visit, plan),
        most=load.REVIEWS_A_WEEK,
        languages=[code for code in LANGUAGES if any(one.language == code for one in plan.letters)],
        sums={code: sum(one.language == code for one in plan.letters) for code in LANGUAGES},
        letters=listed[after : after + PAGE],
        after=after,
        page=PAGE,
        total=len(listed),
        week=week,
    )


@router.get("/campaigns/{campaign_id}/rehearsal.xlsx")
def as_file(visit: Staff, campaign_id: int) -> Response:
    found = _draft(visit, campaign_id)
    letter_name = visit.request.app.state.pages.environment.globals["letter_name"]
    data = plan_file(_rehearsed(visit, found), letter_name, advisor_namer(visit.db))
    return download(data, f"{found.workflow}-{campaign_id}.xlsx", XLSX)


# ---- 5. the start


@router.get("/campaigns/{campaign_id}/start")
def last_look(visit: Staff, campaign_id: int) -> Response:
    found = _draft(visit, campaign_id)
    return _elsewhere(found) or visit.page("campaigns/start.html", **_last_look(visit, found))


def _last_look(visit: Visit, found: Campaign) -> dict[str, Any]:
    plan = _rehearsed(visit, found)
    definition = definition_of(visit.db, found.workflow_sha256)
    fixes = dryrun.to_fix(visit, found, definition, plan)
    return {
        **campaign_row(visit, found),
        "plan": plan,
        "definition": definition,
        "fixes": fixes,
        "stops": [fix for fix in fixes if fix.stops],
        "held": sum(one.level == "block" for one in plan.letters),
        "seen": _hash(visit, found, plan),
        "dates": [(title, found.dates.get(name)) for name, title in definition.dates.items()],
        "day_text": flowwords.day_text,
        "changed": False,
    }


def _hash(visit: Visit, found: Campaign, plan: Rehearsal) -> str:
    return plans.plan_hash(plans.plan_of(plan, wordings_of(visit.db, visit.context.settings, found)))


@router.post("/campaigns/{campaign_id}/start")
def start(visit: Staff, campaign_id: int, seen: Text = "") -> Response:
    """Start a campaign with the plan that was on the screen; another plan is shown first."""
    require(visit.viewer, Action.RUN_CAMPAIGNS)
    found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
    if found.status != DRAFT:
        service.start(visit.db, found, by=visit.viewer.email, now=visit.now)  # refuses, and says why
    plan = _rehearsed(visit, found)
    values = _last_look(visit, found)
    if values["stops"]:
        problems = [Problem(fix.text) for fix in values["stops"]]
        return visit.again("campaigns/start.html", BadInput(problems), **values)
    if seen != values["seen"]:
        return visit.page("campaigns/start.html", status=409, **{**values, "changed": True})
    plans.agree(visit.db, visit.context.settings, found, plan, by=visit.viewer.email, now=visit.now)
    service.start(visit.db, found, by=visit.viewer.email, now=visit.now)
    desk.keep_for(visit.db, visit.context.settings, found, now=visit.now)
    notice = ngettext(
        "The campaign runs. {n} letter will be drafted a day before its time.",
        "The campaign runs. {n} letters will be drafted, each a day before its time.",
        len(plan.letters),
    )
    return visit.go(f"/campaigns/{campaign_id}", notice)


@router.post("/campaigns/{campaign_id}/agree")
def agree(visit: Staff, campaign_id: int, seen: Text = "") -> Response:
    """Take the plan as it is now as the one agreed to, if it is the one that was on the screen."""
    require(visit.viewer, Action.RUN_CAMPAIGNS)
    found = _draft(visit, campaign_id)
    plan = _rehearsed(visit, found)
    if seen != _hash(visit, found, plan):
        return visit.go(f"/campaigns/{campaign_id}", _("The plan changed again. Look at it once more."), kind="warn")
    plans.agree(visit.db, visit.context.settings, found, plan, by=visit.viewer.email, now=visit.now)
    return visit.go(f"/campaigns/{campaign_id}", _("The plan as it is now is agreed to."))
