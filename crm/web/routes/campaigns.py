"""Campaigns: which run, how far they are, the rehearsal, start, pause, resume and stop."""

from collections import Counter
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import Response

from crm.accounts.rules import Action, require
from crm.campaigns import queries, service, texts
from crm.campaigns.language import LANGUAGES
from crm.campaigns.models import Campaign
from crm.campaigns.rehearsal import PlannedLetter, Rehearsal
from crm.campaigns.workflows import definition_of
from crm.core.clock import KST
from crm.core.errors import BadInput, NotFound, Place, Problem, Refused
from crm.core.i18n import N_, _
from crm.drafts import service as drafts
from crm.exporters import queries as exporters
from crm.exporters.models import Exhibition, Exporter
from crm.web import staffwords
from crm.web.staffroom import step_counts
from crm.web.visits import Staff, Visit

router = APIRouter()
Text = Annotated[str, Form()]
PAGE = 50
EXCLUDED_SHOWN = 20
DONE = {
    "start": N_("The campaign runs. Letters are drafted a day before their time."),
    "pause": N_("The campaign is paused. Nothing is drafted or sent."),
    "resume": N_("The campaign goes on."),
    "stop": N_("The campaign is stopped for good."),
}


@router.get("/campaigns")
def listed(visit: Staff) -> Response:
    return visit.page("campaigns/list.html", **_listed(visit, {"workflow": "", "exhibition_id": 0, "exporter_id": 0}))


def _listed(visit: Visit, typed: dict[str, Any]) -> dict[str, Any]:
    workflows, faults = _workflows(visit)
    return {
        "rows": [_row(visit, one) for one in queries.list_campaigns(visit.db, visit.viewer)],
        "workflows": [(name, _title(found.definition)) for name, found in workflows.items()],
        "faults": faults,
        "shows": exporters.list_exhibitions(visit.db, visit.viewer),
        "exporters": exporters.list_exporters(visit.db, visit.viewer),
        "typed": typed,
    }


def _workflows(visit: Visit) -> tuple[dict[str, service.Workflow], list[str]]:
    """Return the workflow files, or what is wrong with them; campaigns that run are not touched by a broken file."""
    try:
        return service.load_workflows(visit.context.settings, visit.db), []
    except BadInput as error:
        return {}, [str(problem) for problem in error.problems]


def _title(definition: Any) -> dict[str, str]:
    return dict(definition.title)


def _row(visit: Visit, campaign: Campaign) -> dict[str, Any]:
    return {
        "campaign": campaign,
        "title": _title(definition_of(visit.db, campaign.workflow_sha256)),
        "state": _(texts.STATUSES[campaign.status]),
        "show": visit.db.get_one(Exhibition, campaign.exhibition_id),
        "exporter": visit.db.get(Exporter, campaign.exporter_id) if campaign.exporter_id else None,
        "progress": queries.progress(visit.db, campaign.id or 0),
    }


@router.post("/campaigns")
def create(
    visit: Staff,
    workflow: Text = "",
    exhibition_id: Annotated[int, Form()] = 0,
    exporter_id: Annotated[int, Form()] = 0,
) -> Response:
    require(visit.viewer, Action.RUN_CAMPAIGNS)
    try:
        made = service.create(
            visit.db,
            visit.context.settings,
            exhibition=exporters.get_exhibition(visit.db, visit.viewer, exhibition_id),
            workflow=workflow,
            exporter=exporters.get_exporter(visit.db, visit.viewer, exporter_id) if exporter_id else None,
            now=visit.now,
            by=visit.viewer.email,
        )
    except (BadInput, Refused, NotFound) as error:
        visit.db.rollback()
        bad = error if isinstance(error, BadInput) else BadInput([Problem(error.message, Place(field="workflow"))])
        typed = {"workflow": workflow, "exhibition_id": exhibition_id, "exporter_id": exporter_id}
        return visit.again("campaigns/list.html", bad, **_listed(visit, typed))
    notice = _("The campaign is made and does nothing yet. Look at the dry run, then start it.")
    return visit.go(f"/campaigns/{made.id}", notice)


@router.get("/campaigns/{campaign_id}")
def campaign(visit: Staff, campaign_id: int) -> Response:
    return visit.page("campaigns/campaign.html", **_shown(visit, campaign_id))


def _shown(visit: Visit, campaign_id: int) -> dict[str, Any]:
    found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
    definition = definition_of(visit.db, found.workflow_sha256)
    counts = step_counts(visit.db, campaign_id)
    return {
        **_row(visit, found),
        "definition": definition,
        "counts": counts,
        "states": [(code, _(name)) for code, name in staffwords.STEP_STATES.items()],
        "unit": lambda code: _(staffwords.UNITS[code]),
        "reason": "",
    }


@router.get("/campaigns/{campaign_id}/rehearsal")
def rehearsal(visit: Staff, campaign_id: int, week: str = "", after: int = 0) -> Response:
    found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
    if found.status == "stopped":
        raise Refused(_("This campaign is stopped; nothing more goes out."))
    plan = service.rehearse(visit.db, visit.context.settings, found, now=visit.now)
    sums = Counter(letter.language for letter in plan.letters)
    letters = [letter for letter in plan.letters if not week or _monday(letter).isoformat() == week]
    return visit.page(
        "campaigns/rehearsal.html",
        **_row(visit, found),
        plan=plan,
        blocked=sum(letter.level == "block" for letter in plan.letters),
        held=_held(plan.letters),
        left_out=_left_out(plan),
        shown=EXCLUDED_SHOWN,
        weeks=_weeks(plan),
        languages=[code for code in LANGUAGES if code in sums],
        sums=sums,
        letters=letters[after : after + PAGE],
        after=after,
        page=PAGE,
        total=len(letters),
        week=week,
    )


def _monday(letter: PlannedLetter) -> date:
    day = letter.due_at.astimezone(KST).date()
    return day - timedelta(days=day.weekday())


def _weeks(plan: Rehearsal) -> list[dict[str, Any]]:
    """Return the weeks with their bars: offset and width of each language, in per cent of the fullest week."""
    fullest = max((sum(week.languages.values()) for week in plan.weeks), default=1)
    found = []
    for week in plan.weeks:
        bars, offset = [], 0.0
        for code in LANGUAGES:
            width = 100 * week.languages.get(code, 0) / fullest
            if width:
                bars.append({"css": code[:2], "x": round(offset, 1), "width": round(max(width - 0.4, 0.2), 1)})
            offset += width
        moved = Counter(
            reason.name or _("a day off of ours")
            for letter in plan.letters
            if _monday(letter) == week.monday
            for reason in {reason for _day, reason in letter.moved if reason.kind != "weekend"}
        )
        found.append({"week": week, "bars": bars, "total": sum(week.languages.values()), "moved": moved})
    return found


def _held(letters: list[PlannedLetter]) -> list[tuple[str, list[PlannedLetter]]]:
    """Return the letters that could not leave by the reason, the most frequent first."""
    found: dict[str, list[PlannedLetter]] = {}
    for letter in letters:
        if letter.held_reason:
            found.setdefault(letter.held_reason, []).append(letter)
    return sorted(found.items(), key=lambda item: -len(item[1]))


def _left_out(plan: Rehearsal) -> list[tuple[str, list[Any]]]:
    found: dict[str, list[Any]] = {}
    for one in plan.excluded:
        found.setdefault(one.reason, []).append(one)
    return sorted(found.items(), key=lambda item: -len(item[1]))


@router.post("/campaigns/{campaign_id}/{action}")
def act(visit: Staff, campaign_id: int, action: str, reason: Text = "") -> Response:
    require(visit.viewer, Action.RUN_CAMPAIGNS)
    if action not in DONE:
        raise NotFound(_("There is no such page"))
    found = queries.get_campaign(visit.db, visit.viewer, campaign_id)
    if action == "stop" and not reason.strip():
        error = BadInput([Problem(_("Write down why the campaign is stopped."), Place(field="reason"))])
        return visit.again("campaigns/campaign.html", error, **_shown(visit, campaign_id))
    _do(visit, found, action, reason.strip())
    return visit.go(f"/campaigns/{campaign_id}", _(DONE[action]))


def _do(visit: Visit, found: Campaign, action: str, reason: str) -> None:
    by, now = visit.viewer.email, visit.now
    if action == "start":
        service.start(visit.db, found, by=by, now=now, reason=reason)
    elif action == "pause":
        service.pause(visit.db, found, by=by, now=now, reason=reason)
    elif action == "resume":
        service.resume(visit.db, found, by=by, now=now, reason=reason, settings=visit.context.settings)
    else:
        cancelled = service.stop(visit.db, found, by=by, now=now, reason=reason)
        drafts.cancel_for_steps(visit.db, cancelled, reason="campaign_stopped", now=now)
