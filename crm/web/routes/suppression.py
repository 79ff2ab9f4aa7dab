"""Addresses that must not be written to: who, why, since when. Lines are added by hand, never taken out."""

from typing import Annotated, Any

from email_validator import EmailNotValidError, validate_email
from fastapi import APIRouter, Form
from starlette.responses import Response

from crm.accounts.rules import Action, require
from crm.campaigns import service as campaigns
from crm.contacts import service as contacts
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _
from crm.drafts import service as drafts
from crm.exporters import queries as exporters
from crm.web import staffwords
from crm.web.staffroom import PAGE, suppressions
from crm.web.visits import Staff, Visit

router = APIRouter()
Text = Annotated[str, Form()]
BY_HAND = ("opt_out", "complaint", "manual")
ENDINGS = {"opt_out": "opted_out", "complaint": "complaint", "manual": "manual"}
EMPTY = {"address": "", "exporter_id": 0, "reason": "opt_out", "note": ""}


@router.get("/suppression")
def listed(visit: Staff, q: str = "", before: int = 0) -> Response:
    return visit.page("suppression/list.html", **_listed(visit, q, before, EMPTY))


def _listed(visit: Visit, q: str, before: int, typed: dict[str, Any]) -> dict[str, Any]:
    rows = suppressions(visit.db, visit.viewer, text=q, before=before, limit=PAGE + 1)
    return {
        "rows": rows[:PAGE],
        "more": len(rows) > PAGE,
        "q": q,
        "typed": typed,
        **form_choices(visit),
        "reason_name": staffwords.suppression_reason,
        "source_name": staffwords.source_name,
    }


def form_choices(visit: Visit) -> dict[str, Any]:
    """Return what the form offers: the reasons a person can give, and the companies."""
    return {
        "reasons": [(code, staffwords.suppression_reason(code)) for code in BY_HAND],
        "companies": exporters.list_exporters(visit.db, visit.viewer),
    }


@router.post("/suppression")
def add(
    visit: Staff,
    address: Text = "",
    exporter_id: Annotated[int, Form()] = 0,
    reason: Text = "",
    note: Text = "",
) -> Response:
    typed = {"address": address, "exporter_id": exporter_id, "reason": reason, "note": note}
    try:
        stop_mail(visit, address, exporter_id, reason, note)
    except BadInput as error:
        visit.db.rollback()
        return visit.again("suppression/list.html", error, **_listed(visit, "", 0, typed))
    return visit.go("/suppression", _("{address} is not written to any more.", address=address.strip()))


def stop_mail(visit: Visit, address: str, exporter_id: int, reason: str, note: str) -> None:
    """Suppress an address for one company (0: for all), end its follow-up and take its letters back.

    Raises BadInput naming the field that is missing or wrong.
    """
    require(visit.viewer, Action.SUPPRESS)
    _refuse_unclear(address, reason, note)
    company = exporters.get_exporter(visit.db, visit.viewer, exporter_id).id if exporter_id else None
    contacts.suppress(
        visit.db,
        address,
        exporter_id=company,
        reason=reason,
        source="staff",
        evidence={"note": note.strip()},
        now=visit.now,
        by=visit.viewer.email,
    )
    known = contacts.contact_by_address(visit.db, address)
    if known:
        why = ENDINGS[reason]
        ended = campaigns.end_enrolments(visit.db, contact_id=known.id, exporter_id=company, reason=why, now=visit.now)
        drafts.cancel_for_steps(visit.db, ended, reason=why, now=visit.now)


def _refuse_unclear(address: str, reason: str, note: str) -> None:
    problems = []
    try:
        validate_email(address.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        message = _("{text} is not an e-mail address.", text=address.strip() or "''")
        problems.append(Problem(message, Place(field="address"), _("Write it as name@example.com.")))
    if reason not in BY_HAND:
        problems.append(Problem(_("Choose one of the listed values."), Place(field="reason")))
    if not note.strip():
        message = _("Write down how we know, for example: telephone call of 20 November.")
        problems.append(Problem(message, Place(field="note")))
    if problems:
        raise BadInput(problems)
