"""The demo's own pages: the buyers' mailboxes, answering as a buyer, moving the clock. They exist in a demo only."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from crm import jobs
from crm.core.context import Context
from crm.core.errors import NotFound
from crm.core.i18n import N_, _
from crm.demo import clock, mailbox
from crm.demo.buyer import Kind, answer_as_buyer, hand_in
from crm.demo.maildir import Stored
from crm.demo.mailserver import ENGINE, Rack
from crm.web.visits import Anyone

TEMPLATES = Path(__file__).parent / "templates"
STEPS: dict[str, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
ANSWERS: dict[str, tuple[Kind, str]] = {
    "reply": ("reply", N_("Reply")),
    "out_of_office": ("out_of_office", N_("Out of office")),
    "unsubscribe": ("unsubscribe", N_("No more mail, please")),
    "bounce": ("bounce", N_("Bounce: no such mailbox")),
}


@dataclass
class Demo:
    """What the pages need: the house, the mailboxes, the server's ports, and one lock so that ticks do not pile up."""

    context: Context
    rack: Rack
    smtp_port: int
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def tick(self) -> None:
        """Let the worker do all that is due now."""
        async with self.lock:
            await jobs.run_once(self.context)


def router(demo: Demo) -> APIRouter:
    """Return the pages over ``demo``."""
    pages = APIRouter(prefix="/demo")

    @pages.get("/mail", response_class=HTMLResponse)
    def boxes(visit: Anyone) -> Response:
        found = [(address, len(demo.rack.mails(address))) for address in demo.rack.buyers()]
        engine = [mailbox.read(mail) for mail in reversed(demo.rack.mails(ENGINE))]
        return visit.page("demo/boxes.html", boxes=found, engine=engine[:50])

    @pages.get("/mail/{address}", response_class=HTMLResponse)
    def box(visit: Anyone, address: str) -> Response:
        mails = [mailbox.read(mail) for mail in reversed(demo.rack.mails(address))]
        if not mails:
            raise NotFound(_("Nothing has arrived at {address} yet.", address=address))
        return visit.page("demo/box.html", owner=address, mails=mails, answers=ANSWERS)

    @pages.get("/mail/{address}/{key}/html", response_class=HTMLResponse)
    def html_part(address: str, key: str) -> Response:
        """Show the HTML part alone, without scripts, pictures or anything from outside, as mail programs do."""
        policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        return HTMLResponse(mailbox.read(_mail(demo, address, key)).html, headers={"Content-Security-Policy": policy})

    @pages.post("/mail/{address}/{key}")
    async def answer(
        visit: Anyone, address: str, key: str, kind: Annotated[str, Form()], text: Annotated[str, Form()] = ""
    ) -> RedirectResponse:
        made, label = ANSWERS[kind] if kind in ANSWERS else ANSWERS["reply"]
        mail = _mail(demo, address, key)
        reply = answer_as_buyer(mail.read(), made, now=visit.now, text=text.strip())
        visit.db.commit()
        await asyncio.to_thread(hand_in, reply, host="127.0.0.1", port=demo.smtp_port)
        await demo.tick()
        return visit.go(f"/demo/mail/{address}", _("Answered: {what}", what=_(label)))

    @pages.post("/clock")
    async def move(visit: Anyone, step: Annotated[str, Form()], to: Annotated[str, Form()] = "/") -> RedirectResponse:
        due = clock.next_due(visit.db, demo.context.settings, visit.now)
        by = STEPS.get(step) or (due - visit.now if due else STEPS["day"])
        clock.move(visit.db, by)
        visit.db.commit()
        await demo.tick()
        return visit.go(to if to.startswith("/") and not to.startswith("//") else "/", _("The clock was moved."))

    return pages


def _mail(demo: Demo, address: str, key: str) -> Stored:
    for mail in demo.rack.mails(address):
        if mail.key == key:
            return mail
    raise NotFound(_("There is no such mail."))


def banner(demo: Demo) -> Callable[[Request], Markup]:
    """Return what draws the demo bar on top of every page: the time, three buttons, the way to the mailboxes."""

    def draw(request: Request) -> Markup:
        pages = request.app.state.pages
        session = request.state.visitor.session
        return Markup(  # noqa: S704 - a template of ours, autoescaped
            pages.environment.get_template("demo/bar.html").render(
                now=demo.context.clock.now(), csrf=session.csrf_token if session else "", address=request.url.path
            )
        )

    return draw
