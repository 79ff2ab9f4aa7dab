"""Puts the site together."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.requests import Request

from crm.core.context import Context
from crm.drafts.desk import letters_in_use
from crm.web import errors
from crm.web.front import FrontDoor, body_limit
from crm.web.naming import titles_of
from crm.web.pages import Pages
from crm.web.routes import (
    account,
    audit,
    batches,
    builder,
    buyers,
    campaigns,
    contacts,
    deals,
    duplicates,
    exhibitions,
    exports,
    files,
    help,
    imports,
    letters,
    links,
    outbox,
    papers,
    pipeline,
    products,
    public,
    replies,
    reports,
    review,
    sent,
    staff,
    suppression,
    tasks,
    users,
    workflows,
)
from crm.web.runs import Runs

# exports, duplicates: before contacts, whose pages have a number where these have a word; batches before imports and
# builder before campaigns too.
ADVISORS_AND_SMES = (
    *(public, links, pipeline, review, replies, sent, buyers, deals, papers, tasks, exports, products),
    letters,
)
STAFF = (
    staff,
    exhibitions,
    batches,
    imports,
    duplicates,
    contacts,
    builder,
    campaigns,
    workflows,
    outbox,
    suppression,
    reports,
    users,
    audit,
)


def create_app(
    context: Context,
    *,
    routers: Sequence[APIRouter] = (),
    templates: Sequence[Path] = (),
    banner: Callable[[Request], str] | None = None,
) -> FastAPI:
    """Return the site as an ASGI application over ``context``.

    ``routers`` and ``templates`` add pages of others; ``banner`` returns markup that stands on top of every page
    (the demo moves its clock there).
    """
    app = FastAPI(
        title="Ieum",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.context = context
    app.state.titles = _titles(context)
    app.state.pages = Pages(app.state.titles, templates)
    app.state.banner = banner
    app.state.runs = Runs()
    app.add_middleware(FrontDoor, context=context)
    errors.install(app)
    own = (files, account, help, *ADVISORS_AND_SMES, *STAFF)
    for router in (*(area.router for area in own), *routers):
        app.include_router(router, max_body_size=body_limit(context.settings))
    return app


def _titles(context: Context) -> dict[str, Mapping[str, str]]:
    with context.db.reading() as session:
        return titles_of(letters_in_use(session, context.settings))
