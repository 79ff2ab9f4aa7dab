"""The file behind a link in a letter: no sign-in, one document, until its last day.

The token names the document and is signed, so nobody can walk from one file to the next. Opening changes nothing, since
mail filters open links too, and nobody is counted.
"""

from fastapi import APIRouter
from starlette.responses import Response

from crm.core.clock import KST
from crm.core.errors import NotFound
from crm.exporters import documents
from crm.exporters.models import Document
from crm.mail import tokens
from crm.web.document_texts import TEXTS, language_of
from crm.web.downloads import download
from crm.web.visits import Public, Visit

router = APIRouter()
GONE, MISSING = 410, 404
NOT_FOR_SEARCH = {"X-Robots-Tag": "noindex, nofollow"}


@router.api_route("/d/{token}", methods=["GET", "HEAD"])
def hand_out(visit: Public, token: str) -> Response:
    link = tokens.read_file(visit.context.settings.web.secret.get_secret_value(), token)
    if link is None:
        return _page(visit, "invalid", language_of(visit.request.headers.get("accept-language", "")), MISSING)
    if visit.now.astimezone(KST).date() > link.last_day:
        return _page(visit, "expired", link.language, GONE)
    document = visit.db.get(Document, link.document_id)
    if document is None or document.withdrawn_at is not None:
        return _page(visit, "withdrawn", link.language, GONE)
    try:
        data = documents.content(visit.db, document.sha256)
    except NotFound:
        return _page(visit, "withdrawn", link.language, GONE)
    answer = download(data, document.filename, document.media_type)
    answer.headers.update(NOT_FOR_SEARCH)
    return _without_body(visit, answer)


def _page(visit: Visit, what: str, language: str, status: int) -> Response:
    language = language if language in TEXTS else "en"
    answer = visit.page(
        "public/document.html",
        status=status,
        language=language,
        text=TEXTS[language],
        what=what,
        mail=visit.context.settings.mail,
    )
    answer.headers.update(NOT_FOR_SEARCH)
    return _without_body(visit, answer)


def _without_body(visit: Visit, answer: Response) -> Response:
    """A HEAD is told all that a GET is, its length too, and gets nothing."""
    if visit.request.method == "HEAD":
        answer.body = b""
    return answer
