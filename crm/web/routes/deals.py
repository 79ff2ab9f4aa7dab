"""A deal: its stage and history, moving it on, samples and quotations, signing the exclusive contract."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from crm.accounts.models import Role
from crm.accounts.rules import Action, require
from crm.core.clock import KST
from crm.core.errors import BadInput, CrmError, Place, Problem, Refused
from crm.core.i18n import _
from crm.exporters.service import lines_of
from crm.imports.countries import country_of
from crm.pipeline import queries, service, texts
from crm.pipeline.papering import Unreadable, read_minimum
from crm.pipeline.rules import LostReason, Stage
from crm.web import dealpapers, words
from crm.web.visits import Visit, only

router = APIRouter()
Text = Annotated[str, Form()]
AdvisorOrStaff = Annotated[Visit, Depends(only(Role.ADVISOR, Role.STAFF))]


@router.get("/deals/{deal_id}")
def deal(visit: AdvisorOrStaff, deal_id: int) -> Response:
    return visit.page("deals/deal.html", **_shown(visit, deal_id))


def _shown(visit: Visit, deal_id: int, **typed: Any) -> dict[str, Any]:
    page = queries.get_deal(visit.db, visit.viewer, deal_id, now=visit.now)
    today = visit.now.astimezone(KST).date()
    first = {
        "stage": "",
        "reason": "",
        "lost_reason": "",
        "territory": words.country(page.card.country),
        "line_id": page.deal.product_line_id,
        "starts_on": today.isoformat(),
        "ends_on": date(today.year + 2, today.month, min(today.day, 28)).isoformat(),
        "kind": "exclusive",
        "status": "signed",
        "minimum": "",
        "happening": next(iter(texts.HAPPENINGS)),
        "on": today.isoformat(),
        "valid_until": "",
        "note": "",
        **dealpapers.empty(),
    }
    return {
        **dealpapers.shown(visit.db, page.deal, visit.now),
        "page": page,
        "deal": page.deal,
        "card": page.card,
        "stages": [(stage.value, texts.stage_name(stage)) for stage in Stage],
        "lost_reasons": [("", ""), *((reason.value, _(texts.LOST_REASONS[reason])) for reason in LostReason)],
        "lines": lines_of(visit.db, page.deal.exporter_id),
        "kinds": [(code, _(name)) for code, name in texts.CONTRACT_KINDS.items()],
        "happening_names": {name: _(title) for name, title in texts.HAPPENINGS.items()},
        "happenings": [(name, _(title)) for name, title in texts.HAPPENINGS.items()],
        "typed": {**first, **typed},
    }


@router.post("/deals/{deal_id}/move")
def move(visit: AdvisorOrStaff, deal_id: int, stage: Text = "", reason: Text = "", lost_reason: Text = "") -> Response:
    require(visit.viewer, Action.MOVE_DEALS)
    page = queries.get_deal(visit.db, visit.viewer, deal_id)
    try:
        service.move(
            visit.db,
            page.deal,
            stage,
            by=visit.viewer.email,
            now=visit.now,
            reason=reason.strip(),
            lost_reason=lost_reason,
        )
    except Refused as refused:
        typed = {"stage": stage, "reason": reason, "lost_reason": lost_reason}
        return again(visit, deal_id, refused, "lost_reason" if stage == Stage.LOST else "reason", typed)
    return visit.go(f"/deals/{deal_id}", _("The deal is now at: {stage}", stage=texts.stage_name(stage)))


def again(visit: Visit, deal_id: int, error: CrmError, field: str, typed: Mapping[str, Any]) -> Response:
    """Answer with the deal's page and the form as typed; a mistake without a field of its own is at ``field``."""
    known = isinstance(error, BadInput) and error.problems[0].place.field
    bad = error if known else BadInput([Problem(error.message, Place(field=field))])
    visit.db.rollback()
    return visit.again("deals/deal.html", bad, **_shown(visit, deal_id, **typed))  # type: ignore[arg-type]


@router.post("/deals/{deal_id}/happening")
def happening(
    visit: AdvisorOrStaff, deal_id: int, happening: Text = "", on: Text = "", valid_until: Text = "", note: Text = ""
) -> Response:
    """Note that a sample or a quotation left or arrived; workflows go on from it."""
    require(visit.viewer, Action.MOVE_DEALS)
    page = queries.get_deal(visit.db, visit.viewer, deal_id)
    typed = {"happening": happening, "on": on, "valid_until": valid_until, "note": note}
    field = "happening"
    try:
        day = _day(on, "on")
        last = _day(valid_until, "valid_until") if valid_until.strip() else None
        field = "on" if day > visit.now.astimezone(KST).date() else "valid_until" if last else "happening"
        service.note_happening(
            visit.db,
            page.deal,
            happening,
            at=_moment_of(day, visit.now),
            expires_on=last + timedelta(days=1) if last else None,
            note=note.strip()[:500],
            by=visit.viewer.email,
            now=visit.now,
        )
    except BadInput as error:
        return again(visit, deal_id, error, field, typed)
    return visit.go(f"/deals/{deal_id}", _("Noted: {what}", what=_(texts.HAPPENINGS[happening])))


def _moment_of(day: date, now: datetime) -> datetime:
    """Return the moment that a day of Korea's calendar stands for: today is now, another day its noon."""
    return now if day == now.astimezone(KST).date() else datetime.combine(day, time(12), KST)


@router.post("/deals/{deal_id}/contract")
def sign(
    visit: AdvisorOrStaff,
    deal_id: int,
    territory: Text = "",
    line_id: Annotated[int, Form()] = 0,
    starts_on: Text = "",
    ends_on: Text = "",
    kind: Text = "exclusive",
    status: Text = "signed",
    minimum: Text = "",
    minimum_quantity: Text = "",
    minimum_unit: Text = "",
    minimum_amount: Text = "",
    minimum_currency: Text = "",
) -> Response:
    require(visit.viewer, Action.SIGN_CONTRACTS)
    page = queries.get_deal(visit.db, visit.viewer, deal_id)
    typed = {
        "territory": territory,
        "line_id": line_id,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "kind": kind,
        "status": status,
        "minimum": minimum,
        "minimum_quantity": minimum_quantity,
        "minimum_unit": minimum_unit,
        "minimum_amount": minimum_amount,
        "minimum_currency": minimum_currency,
    }
    try:
        service.sign_exclusive(
            visit.db,
            page.deal,
            territory=_countries(territory),
            product_line_id=line_id,
            starts_on=_day(starts_on, "starts_on"),
            ends_on=_day(ends_on, "ends_on"),
            kind=kind if kind in texts.CONTRACT_KINDS else "exclusive",
            status="offered" if status == "offered" else "signed",
            minimum=minimum.strip(),
            least=read_minimum(minimum_quantity, minimum_unit, minimum_amount, minimum_currency),
            by=visit.viewer.email,
            now=visit.now,
        )
    except Unreadable as error:
        return again(visit, deal_id, BadInput(error.problems), "minimum", typed)
    except (BadInput, Refused) as error:
        return again(visit, deal_id, error, "territory", typed)
    return visit.go(f"/deals/{deal_id}", _("The contract is stored."))


def _countries(text: str) -> list[str]:
    names = [name.strip() for name in text.replace("，", ",").replace("、", ",").split(",") if name.strip()]
    codes = {name: country_of(name) for name in names}
    unknown = [name for name, code in codes.items() if not code]
    if unknown:
        message = _("There is no country {name}.", name=", ".join(unknown))
        hint = _("Write names or two-letter codes with commas between them.")
        raise BadInput([Problem(message, Place(field="territory"), hint)])
    return list(codes.values())


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        hint = _("Write it as 2026-11-24.")
        raise BadInput([Problem(_("This is not a date."), Place(field=field), hint)]) from None
