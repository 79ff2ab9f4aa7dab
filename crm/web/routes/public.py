"""The page behind the unsubscribe link of a letter: no sign-in, in the receiver's language.

Opening it changes nothing, because mail filters open links. One press opts out. Mail providers press for their users
by posting ``List-Unsubscribe=One-Click`` (RFC 8058) without cookies, which opts out of everything at once.
"""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from crm.campaigns import service as campaigns
from crm.clearance import service as clearance
from crm.core import events
from crm.core.errors import NotFound
from crm.core.i18n import _
from crm.drafts import service as drafts
from crm.drafts.models import Draft
from crm.exporters.models import Exporter
from crm.exporters.rules import in_language
from crm.mail import tokens
from crm.review.models import Approval, Message
from crm.web.unsubscribe_texts import TEXTS
from crm.web.visits import Public, Visit

router = APIRouter()


@router.get("/u/{token}")
def ask(visit: Public, token: str) -> Response:
    draft, address = _letter(visit, token)
    return _page(visit, token, draft, address, done="")


@router.post("/u/{token}")
def opt_out(visit: Public, token: str, scope: Annotated[str, Form()] = "all") -> Response:
    draft, address = _letter(visit, token)
    exporter_id = draft.exporter_id if scope == "company" else None
    clearance.opt_out(
        visit.db,
        address,
        exporter_id=exporter_id,
        source="link",
        evidence={"draft": draft.id, "token": token},
        now=visit.now,
        by=events.SYSTEM,
    )
    cancelled = campaigns.end_enrolments(
        visit.db, contact_id=draft.contact_id, exporter_id=exporter_id, reason="opted_out", now=visit.now
    )
    drafts.cancel_for_steps(visit.db, cancelled, reason="opted_out", now=visit.now)
    return _page(visit, token, draft, address, done="company" if exporter_id else "all")


def _letter(visit: Visit, token: str) -> tuple[Draft, str]:
    """Return the draft and the address its letter went to; the draft's own may have changed since."""
    number = tokens.read(visit.context.settings.web.secret.get_secret_value(), token)
    approval = visit.db.get(Approval, number) if number else None
    draft = visit.db.get(Draft, approval.draft_id) if approval else None
    message = visit.db.get(Message, number) if number else None
    if draft is None or message is None:
        raise NotFound(_("This link is not valid. Answer the letter instead, and we take you off the list."))
    return draft, message.recipient


def _page(visit: Visit, token: str, draft: Draft, address: str, done: str) -> Response:
    exporter = visit.db.get_one(Exporter, draft.exporter_id)
    return visit.page(
        "public/unsubscribe.html",
        token=token,
        language=draft.language,
        text=TEXTS[draft.language],
        company=in_language(exporter.names, draft.language),
        address=_masked(address),
        mail=visit.context.settings.mail,
        done=done,
    )


def _masked(address: str) -> str:
    """Return the address as its owner recognises it and nobody else can use it."""
    local, _at, domain = address.partition("@")
    return f"{local[:1]}***@{domain}"
