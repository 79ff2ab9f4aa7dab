"""Two entries that may be one person: the questions, comparing field by field, joining, and taking it back."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import Response

from crm import jobs
from crm.accounts.rules import Action, require
from crm.contacts import queries as contacts
from crm.core.errors import BadInput, Refused
from crm.core.i18n import _
from crm.delivery import service as delivery
from crm.exporters import queries as exporters
from crm.imports import comparing, duplicates, uniting
from crm.imports.models import DuplicatePair
from crm.web import staffwords
from crm.web.routes.imports import Posted
from crm.web.visits import Staff, Visit

router = APIRouter()
PAGE = 25
FOUND = 20
LISTED = {"open": ("open",), "later": ("later",), "different": ("different",), "merged": ("merged",)}
REASONS = ("name", "mailbox", "mobile", "hand")


@router.get("/contacts/duplicates")
def listed(visit: Staff, status: str = "open", why: str = "", exhibition: int = 0, after: int = 0) -> Response:
    status = status if status in LISTED else "open"
    rows = duplicates.list_pairs(
        visit.db,
        statuses=LISTED[status],
        why=why if why in REASONS else "",
        exhibition_id=exhibition or None,
        after=after,
        limit=PAGE + 1,
    )
    return visit.page(
        "contacts/duplicates.html",
        rows=rows[:PAGE],
        more=len(rows) > PAGE,
        chosen=status,
        why=why,
        exhibition=exhibition,
        states=[(code, staffwords.pair_state(code)) for code in LISTED],
        reasons=[("", _("Any")), *((code, staffwords.why_name(code)) for code in REASONS)],
        shows=exporters.list_exhibitions(visit.db, visit.viewer),
        why_name=staffwords.why_name,
    )


@router.post("/contacts/duplicates")
def ask(visit: Staff, one: Annotated[int, Form()], other: Annotated[int, Form()]) -> Response:
    require(visit.viewer, Action.EDIT_CONTACTS)
    pair = duplicates.ask(visit.db, one, other, now=visit.now, by=visit.viewer.email)
    return visit.go(f"/contacts/duplicates/{pair.id}")


@router.get("/contacts/duplicates/{pair_id}")
def compared(visit: Staff, pair_id: int) -> Response:
    pair = duplicates.get_pair(visit.db, pair_id)
    if pair.status == duplicates.MERGED:
        return visit.page("contacts/merged.html", **_merged(visit, pair))
    kept = [duplicates.kept_instead(visit.db, one) for one in (pair.one_id, pair.other_id)]
    if any(kept):
        message = _("One of the two was joined with another entry meanwhile.")
        return visit.go("/contacts/duplicates", message, "warn")
    found = comparing.compare(visit.db, visit.viewer, pair.one_id, pair.other_id)
    return visit.page(
        "contacts/compare.html",
        pair=pair,
        found=found,
        by_state={
            state: [one for one in found.fields if one.state == state]
            for state in ("different", "missing", "united", "equal")
        },
        field_name=staffwords.field_name,
        value_text=staffwords.value_text,
        why_name=staffwords.why_name,
        state_name=staffwords.pair_state,
    )


def _merged(visit: Visit, pair: DuplicatePair) -> dict[str, Any]:
    kept = duplicates.kept_instead(visit.db, pair.one_id) or duplicates.kept_instead(visit.db, pair.other_id)
    mine = {pair.one_id, pair.other_id}
    merges = duplicates.merges_of(visit.db, min(mine)) + duplicates.merges_of(visit.db, max(mine))
    merge = next((one for one in merges if one.gone.id in mine), None)
    upcoming = duplicates.list_pairs(visit.db, statuses=("open",), limit=1)
    return {
        "pair": pair,
        "card": contacts.get_contact(visit.db, visit.viewer, kept or pair.one_id),
        "merge": merge,
        "next_pair": upcoming[0] if upcoming else None,
    }


@router.post("/contacts/duplicates/{pair_id}")
def answer(visit: Staff, pair_id: int, form: Posted) -> Response:
    require(visit.viewer, Action.EDIT_CONTACTS)
    given = str(form.get("answer", ""))
    pair = duplicates.get_pair(visit.db, pair_id)
    if given != "merge":
        duplicates.decide(visit.db, pair_id, given, now=visit.now, by=visit.viewer.email)
        said = {"different": _("Noted: two different people."), "later": _("Put off. The question stays in the list.")}
        return visit.go(_next_question(visit, pair_id), said[given])
    keep = _number(form.get("keep"), pair.one_id)
    gone = pair.one_id + pair.other_id - keep
    choices = {name: _number(form[f"take-{name}"], 0) for name in comparing.CHOOSABLE if form.get(f"take-{name}")}
    try:
        uniting.merge(visit.db, keep, gone, choices, now=visit.now, by=visit.viewer.email, release=jobs.release_double)
    except (Refused, BadInput) as error:
        visit.db.rollback()
        return visit.go(f"/contacts/duplicates/{pair_id}", error.message, "bad")
    return visit.go(f"/contacts/duplicates/{pair_id}", _("The two entries are one person now."))


def _number(text: Any, otherwise: int) -> int:
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 10 else otherwise


def _next_question(visit: Visit, answered: int) -> str:
    for start in (answered, 0):
        rows = duplicates.list_pairs(visit.db, statuses=("open",), after=start, limit=1)
        if rows:
            return f"/contacts/duplicates/{rows[0].id}"
    return "/contacts/duplicates"


@router.post("/contacts/merges/{merge_id}/back")
def take_back(visit: Staff, merge_id: int) -> Response:
    require(visit.viewer, Action.EDIT_CONTACTS)
    done = uniting.take_back(visit.db, merge_id, now=visit.now, by=visit.viewer.email, mailed=delivery.sent_contact_ids)
    return visit.go(f"/contacts/{done.kept_id}", done.summary())


@router.get("/contacts/{contact_id}/compare")
def search(visit: Staff, contact_id: int, q: str = "") -> Response:
    card = contacts.get_contact(visit.db, visit.viewer, contact_id)
    text = q.strip()
    rows = contacts.list_contacts(visit.db, visit.viewer, text=text, limit=FOUND + 1) if text else []
    return visit.page(
        "contacts/compare_with.html",
        card=card,
        q=q,
        rows=[row for row in rows if row.id != contact_id][:FOUND],
        many=len(rows) > FOUND,
    )
