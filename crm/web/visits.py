"""What a route is handed: one visit with its viewer, its database session and its answers.

A route says who may come by the type of its first argument: ``Anyone``, ``SignedIn``, ``Staff``, ``Advisor``, ``Sme``
or ``Annotated[Visit, Depends(allowed(Action.…))]``. One visit is one transaction: it is committed before the answer
leaves, and rolled back when the route raises. A GET cannot change anything: its session is never committed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from secrets import compare_digest
from typing import Annotated, Any

from fastapi import Depends
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from crm.accounts.models import Role, User
from crm.accounts.rules import Action, Viewer, require
from crm.core.context import Context
from crm.core.errors import BadInput, NotAllowed
from crm.core.i18n import _
from crm.drafts.desk import letters_in_use
from crm.drafts.library import Shelf
from crm.web import naming, pages
from crm.web.errors import FormTooOld, SignInNeeded
from crm.web.front import SAFE_METHODS
from crm.web.visitors import Visitor


@dataclass
class Visit:
    """One request of one person."""

    request: Request
    context: Context
    db: Session
    visitor: Visitor
    now: datetime

    @property
    def viewer(self) -> Viewer:
        """Return the signed-in viewer; raises SignInNeeded."""
        if self.visitor.viewer is None:
            raise SignInNeeded
        return self.visitor.viewer

    @property
    def user(self) -> User:
        """Return the signed-in user as the front door read it; not bound to this visit's session."""
        if self.visitor.user is None:
            raise SignInNeeded
        return self.visitor.user

    @property
    def letters(self) -> Shelf:
        """Return the letters in use; pages name letters by their titles from now on."""
        shelf = letters_in_use(self.db, self.context.settings)
        self.request.app.state.titles.update(naming.titles_of(shelf))
        return shelf

    def page(self, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Answer with a page."""
        shown: Pages = self.request.app.state.pages
        return shown.show(self.request, name, status=status, **values)

    def again(self, name: str, error: BadInput, **values: Any) -> HTMLResponse:
        """Answer a form that cannot be taken with the same form, its problems on top; nothing is stored."""
        self.db.rollback()
        return self.page(name, status=422, problems=error.problems, mark=_by_field(error), **values)

    def go(self, path: str, notice: str = "", kind: str = "ok") -> RedirectResponse:
        """Answer a post with the next page, which shows ``notice`` once."""
        response = RedirectResponse(path, status_code=303)
        value = pages.sign_notice(self.visitor, kind, notice) if notice else None
        if value:
            response.set_cookie(pages.NOTICE_COOKIE, value, max_age=60, httponly=True, samesite="lax")
        return response


Pages = pages.Pages


def _by_field(error: BadInput) -> dict[str, str]:
    return {problem.place.field: problem.message for problem in error.problems if problem.place.field}


def open_db(request: Request) -> Iterator[Session]:
    """Give the session of one request: reading for GET, writing for POST."""
    context: Context = request.app.state.context
    opened = context.db.reading() if request.method in SAFE_METHODS else context.db.writing()
    with opened as session:
        yield session


async def check_form(request: Request) -> None:
    """Compare a post's token with that of the session; raises FormTooOld."""
    visitor = pages.visitor_of(request)
    if request.method in SAFE_METHODS or visitor.session is None:
        return
    form = await request.form()
    if not compare_digest(str(form.get("csrf", "")).encode(), visitor.session.csrf_token.encode()):
        await form.close()  # no route takes its files any more
        raise FormTooOld(_("This form is out of date. Go back, load the page again and repeat."))


def public(request: Request, db: Annotated[Session, Depends(open_db, scope="function")]) -> Visit:
    """Give the visit of somebody who may post from anywhere; only for what a letter's own link proves."""
    context: Context = request.app.state.context
    return Visit(request, context, db, pages.visitor_of(request), context.clock.now())


Public = Annotated[Visit, Depends(public)]


def anyone(visit: Public, _form: Annotated[None, Depends(check_form)]) -> Visit:
    """Give the visit of somebody who need not be signed in."""
    return visit


Anyone = Annotated[Visit, Depends(anyone)]


def signed_in(visit: Anyone) -> Visit:
    """Give the visit of a signed-in user; raises SignInNeeded."""
    assert visit.viewer
    return visit


SignedIn = Annotated[Visit, Depends(signed_in)]


def only(*roles: Role) -> Callable[[Visit], Visit]:
    """Return the dependency that lets these roles in and answers others with 403."""

    def check(visit: SignedIn) -> Visit:
        if visit.viewer.role not in roles:
            raise NotAllowed(_("This page is not for your role."))
        return visit

    return check


def allowed(action: Action) -> Callable[[Visit], Visit]:
    """Return the dependency that lets in who may do ``action``."""

    def check(visit: SignedIn) -> Visit:
        require(visit.viewer, action)
        return visit

    return check


Staff = Annotated[Visit, Depends(only(Role.STAFF))]
Advisor = Annotated[Visit, Depends(only(Role.ADVISOR))]
Sme = Annotated[Visit, Depends(only(Role.SME))]
