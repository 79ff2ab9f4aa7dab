"""Exhibitions: which there are, who stands at which booth, what came of them."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import Response

from crm.accounts.rules import Action, require
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _
from crm.exporters import queries, service
from crm.exporters.booths import set_booth
from crm.imports import queries as imports
from crm.reports import queries as reports
from crm.reports.texts import STEPS
from crm.web.staffroom import leads_by_exhibition
from crm.web.visits import Staff, Visit

router = APIRouter()
Text = Annotated[str, Form()]
EMPTY = {"code": "", "ko": "", "en": "", "venue": "KINTEX", "starts_on": "", "ends_on": ""}


@router.get("/exhibitions")
def exhibitions(visit: Staff) -> Response:
    return visit.page("exhibitions/list.html", **_listed(visit, EMPTY))


def _listed(visit: Visit, typed: dict[str, str]) -> dict[str, Any]:
    return {
        "shows": queries.list_exhibitions(visit.db, visit.viewer),
        "leads": leads_by_exhibition(visit.db),
        "typed": typed,
    }


@router.post("/exhibitions")
def create(
    visit: Staff,
    code: Text = "",
    ko: Text = "",
    en: Text = "",
    venue: Text = "",
    starts_on: Text = "",
    ends_on: Text = "",
) -> Response:
    require(visit.viewer, Action.IMPORT)
    typed = {"code": code, "ko": ko, "en": en, "venue": venue, "starts_on": starts_on, "ends_on": ends_on}
    try:
        first, last = _checked(typed)
        show = service.add_exhibition(
            visit.db,
            code=code,
            names={"ko": ko.strip(), "en": en.strip()},
            venue=venue.strip() or "KINTEX",
            starts_on=first,
            ends_on=last,
            now=visit.now,
            by=visit.viewer.email,
        )
    except BadInput as error:
        visit.db.rollback()
        return visit.again("exhibitions/list.html", error, **_listed(visit, typed))
    return visit.go(f"/exhibitions/{show.id}", _("The exhibition was made. Now enter the booths."))


def _checked(typed: dict[str, str]) -> tuple[date, date]:
    """Return the two days. Raises BadInput naming every field that is missing or wrong."""
    problems = [
        Problem(_("This field is empty."), Place(field=name)) for name in ("ko", "en") if not typed[name].strip()
    ]
    code = typed["code"].strip()
    if not (code.isascii() and code.isalnum() and len(code) <= 32):
        hint = _("For example HANBIT2026.")
        problems.append(Problem(_("Use letters and digits without spaces."), Place(field="code"), hint))
    days = [_day(typed[name], name, problems) for name in ("starts_on", "ends_on")]
    if problems or not (days[0] and days[1]):
        raise BadInput(problems)
    return days[0], days[1]


def _day(text: str, field: str, problems: list[Problem]) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        problems.append(Problem(_("This is not a date."), Place(field=field), _("Write it as 2026-11-24.")))
        return None


@router.get("/exhibitions/{exhibition_id}")
def exhibition(visit: Staff, exhibition_id: int) -> Response:
    return visit.page("exhibitions/exhibition.html", **_shown(visit, exhibition_id))


def _shown(visit: Visit, exhibition_id: int, number: str = "", exporter_id: int = 0) -> dict[str, Any]:
    show = queries.get_exhibition(visit.db, visit.viewer, exhibition_id)
    rows = reports.funnel(visit.db, visit.viewer, by="exporter", exhibition_id=exhibition_id)
    return {
        "show": show,
        "booths": queries.booths_of(visit.db, visit.viewer, exhibition_id),
        "exporters": queries.list_exporters(visit.db, visit.viewer),
        "batches": [one for one in imports.list_batches(visit.db, visit.viewer) if one.exhibition_id == exhibition_id],
        "rows": rows,
        "total": reports.total(rows),
        "steps": [(key, _(name)) for key, (name, _meaning) in STEPS.items()],
        "number": number,
        "exporter_id": exporter_id,
    }


@router.post("/exhibitions/{exhibition_id}/booths")
def booth(visit: Staff, exhibition_id: int, number: Text = "", exporter_id: Annotated[int, Form()] = 0) -> Response:
    require(visit.viewer, Action.IMPORT)
    show = queries.get_exhibition(visit.db, visit.viewer, exhibition_id)
    exporter = queries.get_exporter(visit.db, visit.viewer, exporter_id)
    try:
        set_booth(visit.db, show, exporter, number, now=visit.now, by=visit.viewer.email)
    except BadInput as error:
        visit.db.rollback()
        typed = _shown(visit, exhibition_id, number, exporter_id)
        return visit.again("exhibitions/exhibition.html", error, **typed)
    return visit.go(f"/exhibitions/{exhibition_id}", _("The booth is stored."))
