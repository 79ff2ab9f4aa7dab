"""Mails that came back: read one with what it answers, write the answer, or note that it was dealt with."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from sqlmodel import select
from starlette.responses import Response

from crm.accounts.rules import Action
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _
from crm.drafts import service as drafts
from crm.inbox import queries, service, texts
from crm.inbox.models import InboxMessage
from crm.pipeline import service as pipeline
from crm.pipeline.models import Task
from crm.web import reading
from crm.web.visits import Visit, allowed

router = APIRouter()
Answerer = Annotated[Visit, Depends(allowed(Action.ANSWER_REPLIES))]


@router.get("/replies")
def replies(visit: Answerer) -> Response:
    open_ones = queries.to_answer(visit.db, visit.viewer)
    known = {message.id for message in open_ones}
    return visit.page(
        "replies/list.html",
        open_ones=open_ones,
        unmatched=[mail for mail in queries.unmatched(visit.db, visit.viewer) if mail.id not in known],
        others=[mail for mail in queries.list_messages(visit.db, visit.viewer, limit=50) if mail.id not in known],
        kind_name=texts.kind,
    )


@router.get("/replies/{message_id}")
def reply(visit: Answerer, message_id: int) -> Response:
    return _page(visit, queries.get_message(visit.db, visit.viewer, message_id))


def _page(visit: Visit, message: InboxMessage, error: BadInput | None = None, typed: str = "") -> Response:
    lead_ids = [message.lead_id] if message.lead_id else []
    values: dict[str, Any] = {
        "message": message,
        "typed": typed,
        "deal": pipeline.deal_of_lead(visit.db, message.lead_id) if message.lead_id else None,
        "thread": [m for m in reading.thread(visit.db, visit.viewer, lead_ids) if m.message_id != message.id],
        "kind_name": texts.kind,
        "matched_by": texts.matched_by(message.matched_by),
    }
    return visit.again("replies/reply.html", error, **values) if error else visit.page("replies/reply.html", **values)


@router.post("/replies/{message_id}/answer")
def answer(visit: Answerer, message_id: int, text: Annotated[str, Form()] = "") -> Response:
    message = queries.get_message(visit.db, visit.viewer, message_id)
    if message.lead_id is None:
        raise BadInput(_("This mail belongs to no buyer, so it cannot be answered from here."))
    paragraphs = text.replace("\r\n", "\n").split("\n\n")
    try:
        draft = drafts.write_answer(
            visit.db,
            visit.letters,
            lead_id=message.lead_id,
            in_reply_to=message.message_id,
            texts=paragraphs,
            subject=_answered(message.subject),
            recipient=message.from_address,
            now=visit.now,
            by=visit.viewer.email,
        )
    except BadInput as error:
        return _page(visit, message, BadInput([Problem(error.message, Place(field="text"))]), text)
    _close(visit, message)
    return visit.go(f"/review/{draft.id}", _("The answer is written. Read it once more and approve it."))


def _answered(subject: str) -> str:
    plain = " ".join(subject.split())
    return plain if not plain or plain.lower().startswith("re:") else f"Re: {plain}"


@router.post("/replies/{message_id}/handled")
def handled(visit: Answerer, message_id: int) -> Response:
    message = queries.get_message(visit.db, visit.viewer, message_id)
    _close(visit, message)
    return visit.go("/replies", _("Noted as dealt with."))


def _close(visit: Visit, message: InboxMessage) -> None:
    """Note that the mail is dealt with, and with it the task that it made."""
    if message.handled_at is None:
        service.mark_handled(visit.db, message, by=visit.viewer.email, now=visit.now)
    task = visit.db.exec(select(Task).where(Task.origin == f"mail:{message.id}")).first()
    if task and task.done_at is None:
        pipeline.finish_task(visit.db, task, by=visit.viewer.email, now=visit.now)
