"""The advisor's review: the queue, one draft at a time, approve, edit, later, return, take back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Form
from starlette.responses import HTMLResponse, RedirectResponse, Response

from crm.accounts.rules import Action
from crm.core.clock import KST
from crm.core.errors import BadInput, Place, Problem, Refused, Stale
from crm.core.i18n import N_, _
from crm.drafts import queries as drafts
from crm.drafts import service as writing
from crm.drafts.models import Draft
from crm.review import letters, service
from crm.review import queries as reviews
from crm.review.rules import ReturnReason
from crm.web import reading, words
from crm.web.heldletters import gaps_of, held_letters
from crm.web.sheets import sheet
from crm.web.visits import Visit, allowed

router = APIRouter()
Text = Annotated[str, Form()]
Reviewer = Annotated[Visit, Depends(allowed(Action.REVIEW))]
VIEWS = ("pairs", "compare", "buyer")
LATER = {"tomorrow": N_("Tomorrow morning"), "three_days": N_("In 3 days"), "monday": N_("Next Monday")}
RETURN_REASONS = {
    ReturnReason.FACTS: N_("The content is not true"),
    ReturnReason.TONE: N_("Tone or courtesy"),
    ReturnReason.RECIPIENT: N_("Not the right receiver"),
    ReturnReason.TIMING: N_("Not the right time"),
    ReturnReason.OTHER: N_("Another reason"),
}
LETTER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


SHOWN = 40
"""So many drafts are checked and listed at once: a morning's work. The rest moves up as they are decided."""


@dataclass(frozen=True)
class Queue:
    """The next drafts in order, where one of them stands, and how many wait altogether."""

    rows: Sequence[drafts.DraftRow]
    waiting: int
    here: int | None = None

    @property
    def first_look(self) -> list[drafts.DraftRow]:
        return [row for row in self.rows if row.level != "pass"]

    @property
    def passed(self) -> list[drafts.DraftRow]:
        return [row for row in self.rows if row.level == "pass"]

    @property
    def position(self) -> int:
        """Return the place in the queue, from 1; 0 for a draft that is not in it."""
        return next((n for n, row in enumerate(self.rows, 1) if row.draft.id == self.here), 0)

    def beside(self, step: int) -> int | None:
        """Return the id of the draft before (-1) or after (1) this one."""
        place = self.position - 1 + step
        return self.rows[place].draft.id if self.position and 0 <= place < len(self.rows) else None

    def following(self) -> int | None:
        """Return the draft to go on with once this one is decided: the next, else the first that is left."""
        left = [row.draft.id for row in self.rows if row.draft.id != self.here]
        return self.beside(1) or (left[0] if left else None)


def _queue(visit: Visit, here: int | None = None) -> Queue:
    rows = drafts.queue(visit.db, visit.viewer, visit.context.settings, now=visit.now, limit=SHOWN)
    return Queue(rows, reading.waiting_drafts(visit.db, visit.viewer, visit.now), here)


@router.get("/review")
def queue(visit: Reviewer) -> Response:
    return visit.page("review/queue.html", queue=_queue(visit), held=held_letters(visit), **_today(visit))


def _today(visit: Visit) -> dict[str, Any]:
    midnight = datetime.combine(visit.now.astimezone(KST).date(), time(), KST)
    last = reviews.last_approval(visit.db, visit.viewer)
    return {
        "last": last if last and last.approval.approved_at >= midnight else None,
        "approved_today": service.approved_today(visit.db, visit.viewer, now=visit.now),
    }


@router.get("/review/{draft_id}")
def draft(visit: Reviewer, draft_id: int, view: str = "pairs") -> Response:
    return _page(visit, drafts.get_draft(visit.db, visit.viewer, draft_id), view)


def _page(visit: Visit, found: Draft, view: str) -> Response:
    return visit.page(
        "review/draft.html",
        sheet=sheet(visit, found),
        gaps=gaps_of(found, visit.viewer) if found.status == "held" else (),
        queue=_queue(visit, found.id),
        view=view if view in VIEWS else "pairs",
        approval=service.standing_approval(visit.db, found) if found.status in ("approved", "sent") else None,
        **_today(visit),
    )


@router.get("/review/{draft_id}/letter")
def letter(visit: Reviewer, draft_id: int) -> Response:
    """Show the HTML part alone, without scripts, pictures or anything from outside, as mail programs do."""
    found = drafts.get_draft(visit.db, visit.viewer, draft_id)
    settings = visit.context.settings
    moment = service.send_moment(visit.db, settings, found, now=visit.now)
    shown = letters.final_letter(visit.db, settings, found, moment=moment)
    return HTMLResponse(shown.html, headers={"Content-Security-Policy": LETTER_POLICY, "X-Frame-Options": "SAMEORIGIN"})


@router.post("/review/{draft_id}/approve")
def approve(
    visit: Reviewer,
    draft_id: int,
    version: Annotated[int, Form()],
    seen: Annotated[tuple[str, ...], Form()] = (),
    next: Text = "",
) -> Response:
    found = drafts.get_draft(visit.db, visit.viewer, draft_id)
    settings = visit.context.settings
    service.approve(
        visit.db, settings, found, seen_version=version, acknowledged=seen, viewer=visit.viewer, now=visit.now
    )
    return RedirectResponse(_on(next), status_code=303)


def _on(following: str) -> str:
    """Return where to go on: the draft that the page named as the next one, else the queue."""
    return f"/review/{following}" if following.isdecimal() else "/review"


@router.post("/review/{draft_id}/anew")
def anew(visit: Reviewer, draft_id: int) -> Response:
    """Write the letter again from what is known by now: another catalogue, a changed quotation, other times."""
    found = drafts.get_draft(visit.db, visit.viewer, draft_id)
    writing.write_again(visit.db, visit.context.settings, visit.letters, found, by=visit.viewer.email, now=visit.now)
    return visit.go(f"/review/{draft_id}", _("The letter was written anew. Read it again."))


@router.post("/review/{draft_id}/take-back")
def take_back(visit: Reviewer, draft_id: int, next: Text = "") -> Response:
    found = drafts.get_draft(visit.db, visit.viewer, draft_id)
    service.take_back(visit.db, found, viewer=visit.viewer, now=visit.now)
    path = "/sent" if next == "/sent" else f"/review/{draft_id}"
    return visit.go(path, _("The approval was taken back. The letter does not go out."))


@router.get("/review/{draft_id}/later")
def later_form(visit: Reviewer, draft_id: int, next: str = "") -> Response:
    found = drafts.get_draft(visit.db, visit.viewer, draft_id)
    times = [(code, _(name), _later(code, visit.now)) for code, name in LATER.items()]
    return visit.page("review/later.html", draft=found, times=times, next=next)


def _later(code: str, now: datetime) -> datetime:
    to_monday = 7 - now.astimezone(KST).weekday()
    days = {"tomorrow": 1, "three_days": 3, "monday": to_monday}
    if code not in days:
        raise BadInput(_("Choose one of the listed values."))
    return service.tomorrow_morning(now, days[code])


@router.post("/review/{draft_id}/later")
def later(visit: Reviewer, draft_id: int, when: Text = "", next: Text = "") -> Response:
    found = drafts.get_draft(visit.db, visit.viewer, draft_id)
    until = _later(when, visit.now)
    service.postpone(visit.db, found, until, viewer=visit.viewer, now=visit.now)
    return visit.go(_on(next), _("Put aside until {time}.", time=words.moment(until, now=visit.now)))


@router.get("/review/{draft_id}/return")
def return_form(visit: Reviewer, draft_id: int, next: str = "") -> Response:
    return visit.page("review/return.html", **_return_values(visit, draft_id, next))


def _return_values(visit: Visit, draft_id: int, following: str) -> dict[str, Any]:
    reasons = [(code.value, _(name)) for code, name in RETURN_REASONS.items()]
    return {"draft": drafts.get_draft(visit.db, visit.viewer, draft_id), "reasons": reasons, "next": following}


@router.post("/review/{draft_id}/return")
def give_back(visit: Reviewer, draft_id: int, reason: Text = "", note: Text = "", next: Text = "") -> Response:
    values = _return_values(visit, draft_id, next)
    if reason not in set(ReturnReason):
        missing = BadInput([Problem(_("Choose why you return the draft."), Place(field="reason"))])
        return visit.again("review/return.html", missing, **values)
    settings = visit.context.settings
    service.give_back(
        visit.db, settings, values["draft"], reason, note=note.strip(), viewer=visit.viewer, now=visit.now
    )
    return visit.go(_on(next), _("The draft was returned. It does not go out."))


@router.get("/review/{draft_id}/edit")
def edit_form(visit: Reviewer, draft_id: int, next: str = "") -> Response:
    found = drafts.get_draft(visit.db, visit.viewer, draft_id)
    return visit.page("review/edit.html", sheet=sheet(visit, found), typed={"next": next}, subject=found.subject)


@router.post("/review/{draft_id}/edit")
async def edit(visit: Reviewer, draft_id: int) -> Response:
    form = await visit.request.form()
    typed = {name: str(value) for name, value in form.items() if isinstance(value, str)}
    seen = [str(value) for value in form.getlist("seen")]
    return await to_thread.run_sync(_edit, visit, draft_id, typed, seen)


def _edit(visit: Visit, draft_id: int, typed: dict[str, str], seen: list[str]) -> Response:
    found = drafts.get_draft(visit.db, visit.viewer, draft_id)
    try:
        service.edit(
            visit.db,
            found,
            _fields(typed, "text-"),
            subject=typed.get("subject", found.subject),
            ko_notes=_fields(typed, "note-"),
            seen_version=_number(typed.get("version", "")),
            viewer=visit.viewer,
            now=visit.now,
        )
    except BadInput as error:
        visit.db.rollback()
        values = {"sheet": sheet(visit, found), "typed": typed, "subject": typed.get("subject", "")}
        return visit.again("review/edit.html", error, **values)
    return _approve_edited(visit, found, seen, typed.get("next", ""))


def _fields(typed: dict[str, str], prefix: str) -> dict[str, str]:
    return {name.removeprefix(prefix): text for name, text in typed.items() if name.startswith(prefix)}


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else -1


def _approve_edited(visit: Visit, found: Draft, seen: list[str], following: str) -> Response:
    """Approve what was just edited; where the new text raises a new question, show it instead, with the edit kept."""
    settings = visit.context.settings
    try:
        service.approve(
            visit.db,
            settings,
            found,
            seen_version=found.version or 0,
            acknowledged=seen,
            viewer=visit.viewer,
            now=visit.now,
        )
    except (Stale, Refused):
        return visit.go(
            f"/review/{found.id}", _("Your changes are kept. Look at the checks once more, then approve."), "warn"
        )
    return RedirectResponse(_on(following), status_code=303)
