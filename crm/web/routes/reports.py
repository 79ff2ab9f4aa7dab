"""Figures: the funnel by exhibition, company or country, as a table with bars and as XLSX."""

from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from crm.accounts.rules import Action, require
from crm.core.clock import KST
from crm.core.i18n import _
from crm.exporters import queries as exporters
from crm.reports import queries, workbook
from crm.reports.texts import GROUPS, STEPS
from crm.web.visits import Staff

router = APIRouter()
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/reports")
def reports(visit: Staff, by: str = "exporter", exhibition: int = 0) -> Response:
    require(visit.viewer, Action.SEE_REPORTS)
    chosen = by if by in GROUPS else "exporter"
    rows = queries.funnel(visit.db, visit.viewer, by=chosen, exhibition_id=exhibition or None)
    return visit.page(
        "reports/funnel.html",
        rows=rows,
        total=queries.total(rows),
        by=chosen,
        groups=[(code, _(name)) for code, name in GROUPS.items()],
        steps=[(code, _(name), _(meaning)) for code, (name, meaning) in STEPS.items()],
        shows=exporters.list_exhibitions(visit.db, visit.viewer),
        exhibition=exhibition,
    )


@router.get("/reports/funnel.xlsx")
def funnel(visit: Staff) -> Response:
    require(visit.viewer, Action.SEE_REPORTS)
    return _download(workbook.funnel(visit.db, visit.viewer), "funnel", visit.now)


def _download(data: bytes, name: str, now: datetime) -> Response:
    filename = f"ieum-{name}-{now.astimezone(KST):%Y%m%d}.xlsx"
    return Response(data, media_type=XLSX, headers={"Content-Disposition": f'attachment; filename="{filename}"'})
