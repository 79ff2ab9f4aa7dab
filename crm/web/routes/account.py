"""Signing in and out, accepting an invitation, one's own settings."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from crm.accounts import queries, service
from crm.accounts.models import User
from crm.core.errors import BadInput, Place, Problem, Refused
from crm.core.i18n import UI_LANGUAGES, _
from crm.web.navigation import HOME
from crm.web.visitors import LANGUAGE_COOKIE, SESSION_COOKIE
from crm.web.visits import Anyone, SignedIn, Visit

router = APIRouter()
Text = Annotated[str, Form()]
YEAR = 365 * 24 * 3600


def local_path(path: str) -> str:
    """Return the path if it stays on this site, else the home page: a link must not lead a sign-in elsewhere."""
    outside = not path.startswith("/") or path[:2] in ("//", "/\\") or any(ord(sign) < 32 for sign in path)
    return "/" if outside else path


@router.get("/login")
def login_form(visit: Anyone, next: str = "/") -> Response:
    if visit.visitor.viewer:
        return RedirectResponse(HOME[visit.viewer.role], status_code=303)
    return visit.page("account/login.html", next=local_path(next), email="", wrong="")


@router.post("/login")
def login(visit: Anyone, username: Text = "", password: Text = "", next: Text = "/") -> Response:
    try:
        user = service.sign_in(visit.db, username, password, visit.now)
    except Refused as refused:
        return visit.page(
            "account/login.html", status=429, next=local_path(next), email=username, wrong=refused.message
        )
    if user is None:
        wrong = _("The e-mail address or the password is wrong.")
        return visit.page("account/login.html", status=422, next=local_path(next), email=username, wrong=wrong)
    return _enter(visit, user, local_path(next))


def _enter(visit: Visit, user: User, path: str) -> Response:
    token = service.start_session(visit.db, user, visit.now, visit.context.settings.web.session_hours)
    return _with_session(visit, path, token)


def _with_session(visit: Visit, path: str, token: str) -> Response:
    web = visit.context.settings.web
    response = RedirectResponse(path, status_code=303)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=web.session_hours * 3600,
        httponly=True,
        samesite="lax",
        secure=web.public_url.startswith("https://"),
    )
    return response


@router.post("/logout")
def logout(visit: SignedIn) -> Response:
    assert visit.visitor.session
    service.end_session(visit.db, visit.visitor.session.token_hash)
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(SESSION_COOKIE)
    return response


@router.get("/invitation/{token}")
def invitation(visit: Anyone, token: str) -> Response:
    _invitation, user = queries.open_invitation(visit.db, token, visit.now)
    return visit.page("account/invitation.html", token=token, invited=user)


@router.post("/invitation/{token}")
def accept(visit: Anyone, token: str, password: Text = "", repeated: Text = "") -> Response:
    try:
        _refuse_typo(password, repeated)
        user = service.accept_invitation(visit.db, token, password, visit.now)
    except BadInput as error:
        _invitation, invited = queries.open_invitation(visit.db, token, visit.now)
        return visit.again("account/invitation.html", error, token=token, invited=invited)
    return _enter(visit, user, "/")


def _refuse_typo(password: str, repeated: str) -> None:
    if password != repeated:
        raise BadInput([Problem(_("The two passwords are not the same."), Place(field="repeated"))])


@router.get("/me")
def settings(visit: SignedIn) -> Response:
    return visit.page("account/me.html")


@router.post("/me/display")
def set_display(visit: SignedIn, size: Text = "normal", mode: Text = "light", next: Text = "/me") -> Response:
    service.set_display(visit.db, visit.viewer.user_id, text_size=size, display_mode=mode)
    return visit.go(local_path(next), _("Saved."))


@router.post("/me/keys")
def set_keys(visit: SignedIn, on: Annotated[bool, Form()] = False, next: Text = "/me") -> Response:
    service.set_letter_keys(visit.db, visit.viewer.user_id, on)
    return visit.go(local_path(next), _("Saved."))


@router.post("/me/password")
def set_password(visit: SignedIn, old: Text = "", password: Text = "", repeated: Text = "") -> Response:
    assert visit.visitor.session
    keep = visit.visitor.session.token_hash
    try:
        _refuse_typo(password, repeated)
        service.change_password(visit.db, visit.viewer.user_id, old, password, visit.now, keep=keep)
    except BadInput as error:
        return visit.again("account/me.html", error)
    return visit.go("/me", _("The password was changed. Other browsers are signed out."))


@router.post("/me/session")
def extend(visit: SignedIn, next: Text = "/") -> Response:
    assert visit.visitor.session
    hours = visit.context.settings.web.session_hours
    service.extend_session(visit.db, visit.visitor.session.token_hash, visit.now, hours)
    return _with_session(visit, local_path(next), visit.request.cookies[SESSION_COOKIE])


@router.post("/language")
def set_language(visit: Anyone, language: Text = "ko", next: Text = "/") -> Response:
    if visit.visitor.viewer:
        service.set_language(visit.db, visit.viewer.user_id, language)
    if language not in UI_LANGUAGES:
        raise BadInput(_("Choose one of the listed values."))
    response = RedirectResponse(local_path(next), status_code=303)
    response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR, httponly=True, samesite="lax")
    return response
