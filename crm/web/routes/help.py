"""The help page."""

from fastapi import APIRouter
from starlette.responses import Response

from crm.web.visits import SignedIn

router = APIRouter()


@router.get("/help")
def show_help(visit: SignedIn) -> Response:
    return visit.page("help/help.html", mail=visit.context.settings.mail)
