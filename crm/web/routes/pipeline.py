"""The SME's pages: where each buyer stands, what to do now, who was given which country."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from crm.accounts.models import Role
from crm.exporters import queries as exporters
from crm.exporters.service import advisors_of
from crm.pipeline import queries
from crm.web import reading
from crm.web.navigation import HOME
from crm.web.visits import SignedIn, Sme, Visit

router = APIRouter()


@router.get("/")
def start(visit: SignedIn) -> Response:
    if visit.viewer.role != Role.SME:
        return RedirectResponse(HOME[visit.viewer.role], status_code=303)
    return _pipeline(visit)


def _pipeline(visit: Visit) -> Response:
    companies = exporters.list_exporters(visit.db, visit.viewer)
    *columns, resting = queries.board(visit.db, visit.viewer, now=visit.now)
    shows = exporters.list_exhibitions(visit.db, visit.viewer)
    return visit.page(
        "pipeline/board.html",
        columns=columns,
        resting=resting.deals,
        count=sum(len(column.deals) for column in columns),
        tasks=queries.tasks_for(visit.db, visit.viewer, visit.now),
        show=shows[0] if shows else None,
        territories=[
            place
            for company in companies
            for place in queries.territories(visit.db, visit.viewer, company.id or 0, now=visit.now)
        ],
        advisors={a.id: a for company in companies for a in advisors_of(visit.db, company.id or 0)}.values(),
    )


@router.get("/contracts")
def contracts(visit: Sme) -> Response:
    return visit.page("pipeline/contracts.html", contracts=reading.contracts(visit.db, visit.viewer))
