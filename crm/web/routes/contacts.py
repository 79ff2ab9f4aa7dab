"""Buyers as staff see them: the list, one with everything known and where it came from, editing, suppressing."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import Response

from crm.accounts.rules import Action, require
from crm.campaigns import queries as campaigns
from crm.contacts import queries, service
from crm.contacts.models import CONTACT_FIELDS, Lead
from crm.contacts.queries import ContactCard
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _
from crm.exporters import queries as exporters
from crm.exporters.models import Exhibition, Exporter
from crm.imports import duplicates
from crm.imports.countries import country_of
from crm.imports.queries import origins, provenance
from crm.pipeline.service import deal_of_lead
from crm.web import staffwords
from crm.web.routes.imports import Posted
from crm.web.routes.suppression import form_choices, stop_mail
from crm.web.staffroom import countries_of_contacts, history_of
from crm.web.visits import Staff, Visit

router = APIRouter()
Text = Annotated[str, Form()]
PAGE = 50
SHOWN = (*CONTACT_FIELDS, "timezone")
EDITED = tuple(name for name in SHOWN if name in service.EDITABLE)
GENDERS = ("", "f", "m")


@router.get("/contacts")
def listed(visit: Staff, q: str = "", country: str = "", exhibition: int = 0, after: int = 0) -> Response:
    rows = queries.list_contacts(
        visit.db,
        visit.viewer,
        text=q.strip(),
        country=country or None,
        exhibition_id=exhibition or None,
        limit=PAGE + 1,
        after_id=after,
    )
    return visit.page(
        "contacts/list.html",
        rows=rows[:PAGE],
        more=len(rows) > PAGE,
        q=q,
        chosen=country,
        exhibition=exhibition,
        countries=countries_of_contacts(visit.db),
        shows=exporters.list_exhibitions(visit.db, visit.viewer),
        firms={firm.code: firm.names for firm in exporters.list_exporters(visit.db, visit.viewer)},
    )


@router.get("/contacts/{contact_id}")
def contact(visit: Staff, contact_id: int) -> Response:
    kept = duplicates.kept_instead(visit.db, contact_id)
    if kept is not None:
        return visit.go(
            f"/contacts/{kept}", _("This person was joined with another entry. Here is the one that is kept.")
        )
    return visit.page("contacts/contact.html", **_shown(visit, contact_id))


def _shown(visit: Visit, contact_id: int) -> dict[str, Any]:
    card = queries.get_contact(visit.db, visit.viewer, contact_id)
    return {
        "card": card,
        "values": _values(visit, card),
        "origins": origins(visit.db, visit.viewer, contact_id),
        "merges": duplicates.merges_of(visit.db, contact_id),
        "questions": duplicates.list_pairs(visit.db, contact_id=contact_id),
        "field_name": staffwords.field_name,
        "talks": [_talk(visit, lead) for lead in card.leads],
        "firms": {firm.id: firm for firm in exporters.list_exporters(visit.db, visit.viewer)},
        "events": history_of(visit.db, card),
        "steps": [
            step for lead in card.leads if lead.id for step in campaigns.steps_of_lead(visit.db, visit.viewer, lead.id)
        ],
        **form_choices(visit),
        "typed": {"exporter_id": 0, "reason": "opt_out", "note": ""},
        "verb_name": staffwords.verb_name,
        "reason_name": staffwords.reason_name,
        "reason_of": staffwords.suppression_reason,
        "source_of": staffwords.source_name,
        "step_state": staffwords.step_state,
    }


def _values(visit: Visit, card: ContactCard) -> list[dict[str, Any]]:
    """Return every known value with where it came from."""
    sources = provenance(visit.db, visit.viewer, card.contact.id or 0)
    said = card.contact.extra  # the firm as the lists wrote it; one firm may be written in several ways
    known: dict[str, Any] = {
        "company": said.get("company") or (card.organisation.name if card.organisation else ""),
        "company_alt": said.get("company_alt") or (card.organisation.name_alt if card.organisation else ""),
        "emails": [address.address for address in card.addresses],
        **{name: getattr(card.contact, name) for name in SHOWN},
        **card.contact.extra.get("more", {}),
        **card.contact.extra.get("extra", {}),
    }
    return [
        {
            "code": name,
            "name": staffwords.field_name(name),
            "value": staffwords.value_text(value),
            "source": str(sources[name]) if name in sources else "",
            "edited": card.contact.edited.get(name, "")[:10],
        }
        for name, value in known.items()
        if value
    ]


def _talk(visit: Visit, lead: Lead) -> dict[str, Any]:
    deal = deal_of_lead(visit.db, lead.id) if lead.id else None
    return {
        "lead": lead,
        "exporter": visit.db.get_one(Exporter, lead.exporter_id),
        "show": visit.db.get_one(Exhibition, lead.exhibition_id),
        "deal": deal,
    }


@router.get("/contacts/{contact_id}/edit")
def edit_form(visit: Staff, contact_id: int) -> Response:
    card = queries.get_contact(visit.db, visit.viewer, contact_id)
    typed = {name: str(getattr(card.contact, name) or "") for name in EDITED}
    return visit.page("contacts/edit.html", **_edited(card, typed))


def _edited(card: ContactCard, typed: dict[str, str]) -> dict[str, Any]:
    return {"card": card, "typed": typed, "fields": [(name, staffwords.field_name(name)) for name in EDITED]}


@router.post("/contacts/{contact_id}/edit")
def edit(visit: Staff, contact_id: int, form: Posted) -> Response:
    require(visit.viewer, Action.EDIT_CONTACTS)
    card = queries.get_contact(visit.db, visit.viewer, contact_id)
    typed = {name: str(form.get(name, "")).strip() for name in EDITED if name in form}
    try:
        service.edit_contact(visit.db, card.contact, _checked(typed), now=visit.now, by=visit.viewer.email)
    except BadInput as error:
        return visit.again("contacts/edit.html", error, **_edited(card, {**dict.fromkeys(EDITED, ""), **typed}))
    return visit.go(f"/contacts/{contact_id}", _("Saved."))


def _checked(typed: dict[str, str]) -> dict[str, str]:
    """Return the changes with the country as a code. Raises BadInput for what cannot be stored."""
    changes, problems = dict(typed), []
    for name, text in typed.items():
        limit = None if name == "country" else _limit(name)
        if limit and len(text) > limit:
            message = _("At most {n} characters.", n=limit)
            problems.append(Problem(message, Place(field=name)))
    if typed.get("country"):
        changes["country"] = country_of(typed["country"])
        if not changes["country"]:
            message = _("There is no country {name}.", name=typed["country"])
            hint = _("Write a name or a two-letter code.")
            problems.append(Problem(message, Place(field="country"), hint))
    if problems:
        raise BadInput(problems)
    return changes


def _limit(name: str) -> int | None:
    kind = queries.Contact.__table__.c[name].type  # type: ignore[attr-defined]
    return getattr(kind, "length", None)


@router.post("/contacts/{contact_id}/suppress")
def suppress(
    visit: Staff,
    contact_id: int,
    exporter_id: Annotated[int, Form()] = 0,
    reason: Text = "",
    note: Text = "",
) -> Response:
    card = queries.get_contact(visit.db, visit.viewer, contact_id)
    try:
        if not card.addresses:
            raise BadInput(_("This buyer has no e-mail address."))
        for address in card.addresses:
            stop_mail(visit, address.address, exporter_id, reason, note)
    except BadInput as error:
        visit.db.rollback()
        typed = {"exporter_id": exporter_id, "reason": reason, "note": note}
        return visit.again("contacts/contact.html", error, **{**_shown(visit, contact_id), "typed": typed})
    return visit.go(f"/contacts/{contact_id}", _("This buyer is not written to any more."))
