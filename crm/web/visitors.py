"""Who asks for a page, and in which language they are answered."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from crm.accounts import queries
from crm.accounts.models import User, WebSession
from crm.accounts.rules import Viewer
from crm.core.context import Context
from crm.core.i18n import UI_LANGUAGES
from crm.exporters.service import viewer_of

SESSION_COOKIE = "ieum_session"
LANGUAGE_COOKIE = "ieum_language"


@dataclass(frozen=True)
class Visitor:
    """A signed-in user with their session, or nobody; and the language of the pages."""

    language: str = "ko"
    user: User | None = None
    session: WebSession | None = None
    viewer: Viewer | None = None


def find_visitor(context: Context, connection: HTTPConnection) -> Visitor:
    """Look the browser's session up and choose the language: the user's, else the cookie's, else the browser's."""
    token = connection.cookies.get(SESSION_COOKIE)
    if token:
        with context.db.reading() as session:
            found = queries.open_session(session, token, context.clock.now())
            if found:
                user, row = found
                viewer = viewer_of(session, user)
                session.expunge_all()  # or the rollback at the end would empty them
                return Visitor(user.ui_language, user, row, viewer)
    return Visitor(guess_language(connection.cookies, connection.headers))


def guess_language(cookies: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return ``ko`` or ``en`` for somebody who is not signed in: the browser's first of them, else Korean."""
    chosen = cookies.get(LANGUAGE_COOKIE, "")
    if chosen in UI_LANGUAGES:
        return chosen
    wanted = [part.strip().lower()[:2] for part in headers.get("accept-language", "").split(",")]
    return next((tag for tag in wanted if tag in UI_LANGUAGES), "ko")
