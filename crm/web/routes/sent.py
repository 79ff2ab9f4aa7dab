"""Letters after their approval: scheduled (can be taken back), sent, came back or not certain."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from crm.accounts.rules import Action
from crm.delivery import queries as delivery
from crm.review import queries as reviews
from crm.web.visits import Visit, allowed

router = APIRouter()
GROUPS = {
    "scheduled": ("queued", "sending"),
    "sent": ("sent",),
    "back": ("uncertain", "bounced", "withheld", "cancelled"),
}


@router.get("/sent")
def sent(visit: Annotated[Visit, Depends(allowed(Action.REVIEW))], show: str = "scheduled") -> Response:
    chosen = show if show in GROUPS else "scheduled"
    rows = [row for status in GROUPS[chosen] for row in delivery.list_outbox(visit.db, visit.viewer, status=status)]
    return visit.page(
        "sent/list.html",
        show=chosen,
        held=reviews.approvals_held(visit.db, visit.viewer, now=visit.now),
        rows=rows,
        uncertain=len(delivery.list_outbox(visit.db, visit.viewer, status="uncertain")),
    )
