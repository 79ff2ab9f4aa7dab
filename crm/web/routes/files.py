"""Static files and the sign of life."""

from fastapi import APIRouter
from sqlmodel import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from crm.core.models import Instance
from crm.web.assets import CACHE, assets
from crm.web.visits import Anyone

router = APIRouter()


@router.get("/static/{path:path}")
def static_file(request: Request, path: str) -> Response:
    found = assets().get(path)
    if found is None:
        raise HTTPException(404)
    headers = {"Cache-Control": CACHE, "Vary": "Accept-Encoding"}
    if found.zipped and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.zipped, headers={**headers, "Content-Encoding": "gzip"}, media_type=found.media_type)
    return Response(found.body, headers=headers, media_type=found.media_type)


@router.get("/healthz")
def healthz(visit: Anyone) -> Response:
    """Answer 200 when the database answers."""
    visit.db.exec(select(Instance.id)).first()
    return PlainTextResponse("ok\n")
