"""The staff's start page: today's figures, what is wrong on top."""

from fastapi import APIRouter
from starlette.responses import Response

from crm.campaigns import queries as campaigns
from crm.web.staffroom import BOUNCE_DAYS, today
from crm.web.visits import Staff

router = APIRouter()


@router.get("/staff")
def home(visit: Staff) -> Response:
    running = [one for one in campaigns.list_campaigns(visit.db, visit.viewer) if one.status == "running"]
    next_due = [campaigns.progress(visit.db, one.id or 0)["next_due_at"] for one in running]
    return visit.page(
        "staff/home.html",
        today=today(visit.db, visit.now),
        days=BOUNCE_DAYS,
        running=len(running),
        next_due=min((due for due in next_due if due), default=None),
    )
