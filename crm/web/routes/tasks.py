"""What a person has to do: the list, one task, done."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from crm.accounts.rules import Action, require
from crm.core.i18n import _
from crm.pipeline import queries, service
from crm.web.navigation import HOME
from crm.web.visits import SignedIn

router = APIRouter()


@router.get("/tasks")
def tasks(visit: SignedIn) -> Response:
    return visit.page("tasks/list.html", tasks=queries.tasks_for(visit.db, visit.viewer, visit.now))


@router.get("/tasks/{task_id}")
def task(visit: SignedIn, task_id: int) -> Response:
    found = queries.get_task(visit.db, visit.viewer, task_id)
    deal = queries.get_deal(visit.db, visit.viewer, found.deal_id, now=visit.now) if found.deal_id else None
    return visit.page("tasks/task.html", task=found, deal=deal)


@router.post("/tasks/{task_id}/done")
def finish(visit: SignedIn, task_id: int, note: Annotated[str, Form()] = "") -> Response:
    require(visit.viewer, Action.FINISH_TASKS)
    found = queries.get_task(visit.db, visit.viewer, task_id)
    service.finish_task(visit.db, found, by=visit.viewer.email, now=visit.now, note=note.strip())
    path = HOME[visit.viewer.role] if visit.viewer.is_sme else "/tasks"
    return visit.go(path, _("Done: {title}", title=found.title))
