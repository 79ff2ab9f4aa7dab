"""The start page: where each role's work begins."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from crm.web.navigation import HOME
from crm.web.visits import SignedIn

router = APIRouter()


@router.get("/")
def start(visit: SignedIn) -> Response:
    return RedirectResponse(HOME[visit.viewer.role], status_code=303)
