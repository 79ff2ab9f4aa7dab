"""The outbox: letters whose fate a person must decide on top, then all of them; sending paused and confirmed."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import Response

from crm.accounts.rules import Action, require
from crm.core import instance
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _
from crm.core.models import Instance
from crm.delivery import queries, service, texts
from crm.delivery.models import Outbox
from crm.web import staffwords
from crm.web.visits import Staff, Visit

router = APIRouter()
Text = Annotated[str, Form()]
SHOWN = 100


@router.get("/outbox")
def outbox(visit: Staff, status: str = "") -> Response:
    return visit.page("outbox/list.html", **_listed(visit, status))


def _listed(visit: Visit, status: str) -> dict[str, Any]:
    chosen = status if status in texts.STATUSES else ""
    uncertain = queries.list_outbox(visit.db, visit.viewer, status="uncertain")
    rows = queries.list_outbox(visit.db, visit.viewer, status=chosen or None, limit=SHOWN)
    return {
        "instance": visit.db.get_one(Instance, 1),
        "uncertain": uncertain,
        "rows": rows,
        "shown": SHOWN,
        "chosen": chosen,
        "statuses": [("", _("Any")), *((code, texts.status(code)) for code in texts.STATUSES)],
        "reason": "",
    }


@router.get("/outbox/{outbox_id}")
def letter(visit: Staff, outbox_id: int) -> Response:
    return visit.page("outbox/letter.html", **_letter(visit, outbox_id, "", ""))


def _letter(visit: Visit, outbox_id: int, was_sent: str, reason: str) -> dict[str, Any]:
    return {
        "letter": queries.get_letter(visit.db, visit.viewer, outbox_id),
        "offered_at": visit.db.get_one(Outbox, outbox_id).offered_at,
        "attempt_name": staffwords.attempt_name,
        "was_sent": was_sent,
        "reason": reason,
    }


@router.post("/outbox/{outbox_id}/settle")
def settle(visit: Staff, outbox_id: int, was_sent: Text = "", reason: Text = "") -> Response:
    require(visit.viewer, Action.SETTLE_UNCERTAIN)
    queries.get_letter(visit.db, visit.viewer, outbox_id)
    try:
        _refuse_unclear(was_sent, reason)
    except BadInput as error:
        return visit.again("outbox/letter.html", error, **_letter(visit, outbox_id, was_sent, reason))
    service.settle(
        visit.db,
        visit.context.settings,
        visit.db.get_one(Outbox, outbox_id),
        was_sent=was_sent == "yes",
        by=visit.viewer.email,
        now=visit.now,
        reason=reason.strip(),
    )
    done = _("The letter counts as sent.") if was_sent == "yes" else _("The letter goes out again.")
    return visit.go("/outbox", done)


def _refuse_unclear(was_sent: str, reason: str) -> None:
    problems = []
    if was_sent not in ("yes", "no"):
        problems.append(Problem(_("Choose whether it arrived."), Place(field="was_sent")))
    if not reason.strip():
        problems.append(Problem(_("Write down how you know."), Place(field="reason")))
    if problems:
        raise BadInput(problems)


@router.post("/outbox/confirm")
def confirm(visit: Staff, sure: Text = "") -> Response:
    require(visit.viewer, Action.SETTLE_UNCERTAIN)
    if sure != "yes":
        message = _("Tick that no other copy of this program sends letters.")
        error = BadInput([Problem(message, Place(field="sure"))])
        return visit.again("outbox/list.html", error, **_listed(visit, ""))
    instance.confirm(visit.db, by=visit.viewer.email, now=visit.now)
    return visit.go("/outbox", _("Letters go out again."))


@router.post("/outbox/pause")
def pause(visit: Staff, reason: Text = "") -> Response:
    require(visit.viewer, Action.SETTLE_UNCERTAIN)
    if not reason.strip():
        error = BadInput([Problem(_("Write down why nothing may go out."), Place(field="reason"))])
        return visit.again("outbox/list.html", error, **_listed(visit, ""))
    instance.pause(visit.db, by=visit.viewer.email, now=visit.now, reason=reason.strip())
    return visit.go("/outbox", _("Nothing goes out until somebody confirms."), kind="warn")
