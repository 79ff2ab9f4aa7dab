"""The papers of a deal: quotations, proposed meetings, negotiation points, the minimum purchase of a contract."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from crm.accounts.rules import Action, require
from crm.core.errors import BadInput, Place, Problem, Refused
from crm.core.i18n import _
from crm.exporters import documents
from crm.exporters.rules import INCOTERMS
from crm.pipeline import papering, paperwork, queries
from crm.pipeline.models import Deal, ExclusiveContract, MeetingProposal, NegotiationPoint, Quotation
from crm.pipeline.papering import Unreadable
from crm.web import dealpapers
from crm.web.dealpapers import at_fields, buyer_of
from crm.web.routes.deals import AdvisorOrStaff, again
from crm.web.visits import Visit

router = APIRouter()
QUOTATION = "papers/quotation.html"
POINT = "papers/point.html"
MINIMUM = "papers/minimum.html"


def _deal(visit: Visit, deal_id: int, action: Action = Action.MOVE_DEALS) -> Deal:
    require(visit.viewer, action)
    return queries.get_deal(visit.db, visit.viewer, deal_id).deal


async def _typed(request: Request) -> dict[str, str]:
    form = await request.form()
    return {key: value for key, value in form.items() if isinstance(value, str)}


Typed = Annotated[dict[str, str], Depends(_typed)]


# --- quotations ------------------------------------------------------------------------------------------------------


@router.get("/deals/{deal_id}/quotations/new")
def new_quotation(visit: AdvisorOrStaff, deal_id: int) -> Response:
    return visit.page(QUOTATION, **_quotation(visit, _deal(visit, deal_id), None))


@router.get("/deals/{deal_id}/quotations/{number}")
def quotation(visit: AdvisorOrStaff, deal_id: int, number: int) -> Response:
    deal = _deal(visit, deal_id)
    return visit.page(QUOTATION, **_quotation(visit, deal, _row(visit, Quotation, deal_id, number)))


def _row(visit: Visit, kind: type[Any], deal_id: int, number: int) -> Any:
    return paperwork.of_deal(visit.db, kind, deal_id, number)


def _quotation(
    visit: Visit,
    deal: Deal,
    row: Quotation | None,
    typed: Mapping[str, str] | None = None,
    lines: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    offer = paperwork.offer_of(row) if row else None
    buyer = buyer_of(visit.db, deal)
    papers = documents.list_documents(visit.db, visit.viewer, deal.exporter_id)
    own = [one for one in papers if one.kind == "quotation" and one.withdrawn_at is None]
    return {
        "deal": deal,
        "card": queries.get_deal(visit.db, visit.viewer, deal.id or 0).card,
        "shown": dealpapers.quotation_shown(row, visit.now) if row else None,
        "buyer": buyer,
        "typed": {**dealpapers.offer_typed(offer, buyer.language, visit.now), **(typed or {})},
        "rows": lines if lines is not None else dealpapers.lines_shown(offer),
        "money": dealpapers.money,
        "incoterms": [("", _("none")), *((one, one) for one in INCOTERMS)],
        "payments": [(code, _(name)) for code, name in papering.PAYMENTS.items()],
        "states": {code: _(name) for code, name in papering.STATES.items()},
        "papers": [("", _("none")), *((one.id, f"{one.title} ({one.filename})") for one in own)],
    }


@router.post("/deals/{deal_id}/quotations/new")
def add_quotation(visit: AdvisorOrStaff, deal_id: int, *, typed: Typed) -> Response:
    return _save_quotation(visit, deal_id, None, typed)


@router.post("/deals/{deal_id}/quotations/{number}")
def change_quotation(visit: AdvisorOrStaff, deal_id: int, number: int, *, typed: Typed) -> Response:
    return _save_quotation(visit, deal_id, number, typed)


def _save_quotation(visit: Visit, deal_id: int, number: int | None, typed: dict[str, str]) -> Response:
    deal = _deal(visit, deal_id)
    row = _row(visit, Quotation, deal_id, number) if number else None
    lines = dealpapers.lines_typed(typed)
    if "more" in typed:
        lines += [dict.fromkeys(dealpapers.LINE_FIELDS, "") for _n in range(dealpapers.FIRST_LINES)]
        return visit.page(QUOTATION, **_quotation(visit, deal, row, typed, lines[: papering.MAX_LINES]))
    try:
        stored = _stored_quotation(visit, deal, row, typed, lines)
    except (Unreadable, BadInput, Refused) as error:
        bad = at_fields(_problems(error, "number"))
        visit.db.rollback()
        return visit.again(QUOTATION, bad, **_quotation(visit, _deal(visit, deal_id), row, typed, lines))
    return visit.go(f"/deals/{deal_id}/quotations/{stored.id}", _("The quotation is stored."))


def _stored_quotation(
    visit: Visit, deal: Deal, row: Quotation | None, typed: Mapping[str, str], lines: list[dict[str, str]]
) -> Quotation:
    language = buyer_of(visit.db, deal).language
    packing = dealpapers.texts_typed(typed.get("packing_ko", ""), typed.get("packing_buyer", ""), language)
    offer = papering.read_offer(typed, lines, packing)
    if row is None:
        return paperwork.add_quotation(visit.db, deal, offer, by=visit.viewer.email, now=visit.now)
    paperwork.change_quotation(visit.db, row, offer, by=visit.viewer.email, now=visit.now)
    return row


def _problems(error: Unreadable | BadInput | Refused, field: str) -> list[Problem]:
    return [Problem(error.message, Place(field=field))] if isinstance(error, Refused) else error.problems


@router.post("/deals/{deal_id}/quotations/{number}/sent")
def sent(visit: AdvisorOrStaff, deal_id: int, number: int) -> Response:
    """Note that a quotation was sent by hand; one that a letter carries is noted when the letter leaves."""
    _deal(visit, deal_id)
    row = _row(visit, Quotation, deal_id, number)
    paperwork.mark_sent(visit.db, row, at=visit.now, by=visit.viewer.email, now=visit.now)
    return visit.go(f"/deals/{deal_id}#quotation", _("Noted: the quotation was sent."))


@router.post("/deals/{deal_id}/quotations/{number}/paper")
def paper(visit: AdvisorOrStaff, deal_id: int, number: int, document_id: Annotated[str, Form()] = "") -> Response:
    """Say which PDF is the quotation's signed paper."""
    _deal(visit, deal_id)
    row = _row(visit, Quotation, deal_id, number)
    chosen = documents.get_document(visit.db, visit.viewer, int(document_id)) if document_id.isdecimal() else None
    paperwork.attach_paper(visit.db, row, chosen, by=visit.viewer.email, now=visit.now)
    return visit.go(f"/deals/{deal_id}/quotations/{number}", _("Stored."))


# --- meetings --------------------------------------------------------------------------------------------------------


@router.post("/deals/{deal_id}/meeting")
def propose(visit: AdvisorOrStaff, deal_id: int, *, typed: Typed) -> Response:
    return _propose(visit, deal_id, typed)


def _propose(visit: Visit, deal_id: int, typed: dict[str, str]) -> Response:
    deal = _deal(visit, deal_id)
    try:
        wanted = dealpapers.slots_typed(typed)
        paperwork.propose_meeting(visit.db, wanted, deal=deal, by=visit.viewer.email, now=visit.now)
    except BadInput as error:
        return again(visit, deal_id, at_fields(error.problems), "slot_1", typed)
    return visit.go(f"/deals/{deal_id}#meeting", _("The times are stored. The next letter can propose them."))


@router.post("/deals/{deal_id}/meeting/{number}/choose")
def choose(visit: AdvisorOrStaff, deal_id: int, number: int, chosen: Annotated[str, Form()] = "") -> Response:
    _deal(visit, deal_id)
    row = _row(visit, MeetingProposal, deal_id, number)
    try:
        moment = datetime.fromisoformat(chosen)
    except ValueError:
        return again(
            visit, deal_id, BadInput([Problem(_("Choose one of the times."), Place(field="chosen"))]), "chosen", {}
        )
    try:
        paperwork.choose_slot(visit.db, row, moment, by=visit.viewer.email, now=visit.now)
    except BadInput as error:
        return again(visit, deal_id, error, "chosen", {})
    return visit.go(f"/deals/{deal_id}#meeting", _("Noted: the time is agreed."))


@router.post("/deals/{deal_id}/meeting/{number}/withdraw")
def withdraw(visit: AdvisorOrStaff, deal_id: int, number: int) -> Response:
    _deal(visit, deal_id)
    row = _row(visit, MeetingProposal, deal_id, number)
    paperwork.withdraw_meeting(visit.db, row, by=visit.viewer.email, now=visit.now)
    return visit.go(f"/deals/{deal_id}#meeting", _("The times were taken back."))


# --- negotiation -----------------------------------------------------------------------------------------------------


@router.post("/deals/{deal_id}/points")
def add_point(visit: AdvisorOrStaff, deal_id: int, *, typed: Typed) -> Response:
    return _add_point(visit, deal_id, typed)


def _add_point(visit: Visit, deal_id: int, typed: dict[str, str]) -> Response:
    deal = _deal(visit, deal_id)
    language = buyer_of(visit.db, deal).language
    try:
        kind, texts, until = _point_typed(typed, language)
        paperwork.add_point(visit.db, deal, kind, texts, until=until, by=visit.viewer.email, now=visit.now)
    except BadInput as error:
        return again(visit, deal_id, _point_fields(error, language), "text_ko", typed)
    return visit.go(f"/deals/{deal_id}#points", _("The point is stored."))


def _point_typed(typed: Mapping[str, str], language: str) -> tuple[str, dict[str, str], date | None]:
    text = typed.get("point_until", "").strip()
    try:
        until = date.fromisoformat(text) if text else None
    except ValueError:
        hint = _("Write it as 2026-11-24.")
        raise BadInput([Problem(_("This is not a date."), Place(field="until"), hint)]) from None
    texts = dealpapers.texts_typed(typed.get("text_ko", ""), typed.get("text_buyer", ""), language)
    return typed.get("point_kind", ""), texts, until


def _point_fields(error: BadInput, language: str) -> BadInput:
    names = {"kind": "point_kind", "until": "point_until", f"text_{language}": "text_buyer", "text_ko": "text_ko"}
    return BadInput(
        [
            Problem(one.message, Place(field=names.get(one.place.field or "", "text_ko")), one.hint)
            for one in error.problems
        ]
    )


@router.get("/deals/{deal_id}/points/{number}")
def point(visit: AdvisorOrStaff, deal_id: int, number: int) -> Response:
    return visit.page(POINT, **_point(visit, deal_id, number, None))


def _point(visit: Visit, deal_id: int, number: int, typed: Mapping[str, str] | None) -> dict[str, Any]:
    deal = _deal(visit, deal_id)
    row = _row(visit, NegotiationPoint, deal_id, number)
    buyer = buyer_of(visit.db, deal)
    first = {
        "point_kind": row.kind,
        "text_ko": row.texts.get("ko", ""),
        "text_buyer": row.texts.get(buyer.language, ""),
        "point_until": row.until.isoformat() if row.until else "",
    }
    return {
        "deal": deal,
        "card": queries.get_deal(visit.db, visit.viewer, deal_id).card,
        "point": row,
        "buyer": buyer,
        "point_kinds": [(code, _(name)) for code, name in papering.POINTS.items()],
        "typed": {**first, **(typed or {})},
    }


@router.post("/deals/{deal_id}/points/{number}")
def change_point(visit: AdvisorOrStaff, deal_id: int, number: int, *, typed: Typed) -> Response:
    return _change_point(visit, deal_id, number, typed)


def _change_point(visit: Visit, deal_id: int, number: int, typed: dict[str, str]) -> Response:
    deal = _deal(visit, deal_id)
    row = _row(visit, NegotiationPoint, deal_id, number)
    if "remove" in typed:
        paperwork.remove_point(visit.db, row, by=visit.viewer.email, now=visit.now)
        return visit.go(f"/deals/{deal_id}#points", _("The point was removed."))
    language = buyer_of(visit.db, deal).language
    try:
        kind, texts, until = _point_typed(typed, language)
        kept = {code: text for code, text in row.texts.items() if code not in texts}
        paperwork.change_point(
            visit.db, row, kind, {**kept, **texts}, until=until, by=visit.viewer.email, now=visit.now
        )
    except BadInput as error:
        visit.db.rollback()
        return visit.again(POINT, _point_fields(error, language), **_point(visit, deal_id, number, typed))
    return visit.go(f"/deals/{deal_id}#points", _("The point is stored."))


# --- the minimum of a contract ---------------------------------------------------------------------------------------


@router.get("/deals/{deal_id}/contracts/{number}")
def minimum(visit: AdvisorOrStaff, deal_id: int, number: int) -> Response:
    return visit.page(MINIMUM, **_minimum(visit, deal_id, number, None))


def _minimum(visit: Visit, deal_id: int, number: int, typed: Mapping[str, str] | None) -> dict[str, Any]:
    deal = _deal(visit, deal_id, Action.SIGN_CONTRACTS)
    row: ExclusiveContract = _row(visit, ExclusiveContract, deal_id, number)
    first = {
        "minimum_quantity": str(row.minimum_quantity or ""),
        "minimum_unit": row.minimum_unit,
        "minimum_amount": f"{row.minimum_amount:f}" if row.minimum_amount else "",
        "minimum_currency": row.minimum_currency,
    }
    card = queries.get_deal(visit.db, visit.viewer, deal_id).card
    return {"deal": deal, "card": card, "contract": row, "typed": {**first, **(typed or {})}}


@router.post("/deals/{deal_id}/contracts/{number}")
def set_minimum(visit: AdvisorOrStaff, deal_id: int, number: int, *, typed: Typed) -> Response:
    return _set_minimum(visit, deal_id, number, typed)


def _set_minimum(visit: Visit, deal_id: int, number: int, typed: dict[str, str]) -> Response:
    _deal(visit, deal_id, Action.SIGN_CONTRACTS)
    row = _row(visit, ExclusiveContract, deal_id, number)
    try:
        least = papering.read_minimum(*(typed.get(name, "") for name in dealpapers.empty_minimum()))
        paperwork.set_minimum(visit.db, row, least, by=visit.viewer.email, now=visit.now)
    except (Unreadable, BadInput) as error:
        visit.db.rollback()
        return visit.again(MINIMUM, BadInput(error.problems), **_minimum(visit, deal_id, number, typed))
    return visit.go(f"/deals/{deal_id}#contract", _("The minimum purchase is stored."))
