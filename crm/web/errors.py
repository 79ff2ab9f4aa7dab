"""From errors to pages: the one place where the house's errors meet HTTP."""

from urllib.parse import quote

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from crm.core.errors import BadInput, CrmError, NotAllowed, NotFound, Refused, Stale
from crm.core.i18n import N_, _

log = structlog.get_logger()

STATUS: dict[type[CrmError], int] = {BadInput: 422, NotFound: 404, NotAllowed: 403, Refused: 409, Stale: 409}

TITLES = {
    400: N_("The request could not be understood"),
    403: N_("You may not do this"),
    404: N_("There is no such page"),
    405: N_("There is no such page"),
    409: N_("This cannot be done now"),
    413: N_("The file is too large"),
    422: N_("Something is missing or wrong"),
    429: N_("Too many tries"),
    500: N_("Something went wrong here"),
    503: N_("Something else is being stored just now"),
}
MESSAGES = {
    404: N_("The address may be mistyped, or the page was removed."),
    413: N_("Upload a smaller file, or split it."),
    503: N_("A long list may be on its way in. Nothing of yours was stored; go back and press again in a minute."),
}


class SignInNeeded(Exception):
    """The page is for signed-in users."""


class FormTooOld(CrmError):
    """The form's token does not belong to this session."""


def install(app: FastAPI) -> None:
    """Register the table above with an application."""
    app.add_exception_handler(CrmError, _crm_error)
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(StaleDataError, _stale)
    app.add_exception_handler(OperationalError, _busy)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def status_of(error: CrmError) -> int:
    """Return the HTTP status of an error: that of its nearest listed class."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 403)


def error_page(request: Request, status: int, message: str = "", **values: object) -> Response:
    """Return the page that says what is wrong and shows a way on."""
    title = _(TITLES.get(status, TITLES[500]))
    text = message or _(MESSAGES.get(status, ""))
    page: Response = request.app.state.pages.show(
        request, "errors/error.html", status=status, title=title, message=text, **{"number": "", **values}
    )
    return page


def unforeseen(request: Request, number: str) -> Response:
    """Return the page of an error nobody foresaw; the number stands beside it in the log."""
    return error_page(request, 500, _("The staff can find out what happened by this number."), number=number)


async def foreign_post(scope: Scope, receive: Receive, send: Send) -> None:
    """Turn away a post that does not come from our own pages."""
    response = error_page(Request(scope), 403, _("This request did not come from a page of this site."))
    await response(scope, receive, send)


async def large_post(scope: Scope, receive: Receive, send: Send) -> None:
    """Turn away a body that is larger than any file may be, before it is read."""
    await error_page(Request(scope), 413)(scope, receive, send)


def _crm_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CrmError)
    problems = error.problems if isinstance(error, BadInput) else ()
    return error_page(request, status_of(error), "" if problems else error.message, problems=problems)


def _sign_in(request: Request, _error: Exception) -> Response:
    target = f"/login?next={quote(request.url.path)}" if request.method == "GET" else "/login"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)


def _stale(request: Request, _error: Exception) -> Response:
    return error_page(request, 409, _("Somebody changed this while you were reading. Load it again."))


def _busy(request: Request, error: Exception) -> Response:
    """One long writer keeps the others waiting on SQLite; who has waited too long is told so."""
    assert isinstance(error, OperationalError)
    if "locked" not in str(error.orig):
        raise error
    return error_page(request, 503)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # An address with a word where a number belongs is an address that does not exist.
    status = 404 if any(item["loc"][0] == "path" for item in error.errors()) else 422
    return error_page(request, status)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = error_page(request, error.status_code)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response
