"""Who may sign in: the list, inviting, giving companies, taking access away."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from sqlmodel import select
from starlette.responses import Response

from crm.accounts import queries, service
from crm.accounts.models import Role, User
from crm.accounts.rules import Action, require
from crm.campaigns.language import LANGUAGES
from crm.core.errors import BadInput, Place, Problem, Refused
from crm.core.i18n import _
from crm.exporters import queries as exporters
from crm.exporters.models import Assignment, Exporter, Member
from crm.exporters.service import assign
from crm.web import staffwords
from crm.web.visits import Staff, Visit

router = APIRouter()
Text = Annotated[str, Form()]
Texts = Annotated[list[str], Form()]
Numbers = Annotated[list[int], Form()]
EMPTY: dict[str, Any] = {"email": "", "name": "", "role": "advisor", "languages": [], "companies": []}


@router.get("/users")
def users(visit: Staff) -> Response:
    return visit.page("users/list.html", **_listed(visit, EMPTY))


def _listed(visit: Visit, typed: dict[str, Any]) -> dict[str, Any]:
    return {
        "users": queries.list_users(visit.db, visit.viewer),
        "companies_of": _companies(visit),
        "companies": exporters.list_exporters(visit.db, visit.viewer),
        "languages": LANGUAGES,
        "roles": [(role.value, staffwords.role_name(role)) for role in Role],
        "role_name": staffwords.role_name,
        "typed": typed,
    }


def _companies(visit: Visit) -> dict[int, list[Exporter]]:
    """Return user → the companies they look after or work for."""
    found: dict[int, list[Exporter]] = {}
    for link in (Assignment, Member):
        rows = select(link.user_id, Exporter).join(Exporter).order_by(Exporter.code)
        for user_id, exporter in visit.db.exec(rows):
            found.setdefault(user_id, []).append(exporter)
    return found


@router.post("/users")
def invite(
    visit: Staff,
    email: Text = "",
    name: Text = "",
    role: Text = "",
    languages: Texts = [],  # noqa: B006 - FastAPI copies it
    companies: Numbers = [],  # noqa: B006 - likewise
) -> Response:
    require(visit.viewer, Action.MANAGE_USERS)
    typed = {"email": email, "name": name, "role": role, "languages": languages, "companies": companies}
    try:
        user, token = service.invite(
            visit.db,
            email=email,
            name=name,
            role=role,
            languages=[code for code in languages if code in LANGUAGES],
            now=visit.now,
            by=visit.viewer.email,
        )
        _give(visit, user, companies)
    except (BadInput, Refused) as error:
        visit.db.rollback()
        bad = error if isinstance(error, BadInput) else BadInput([Problem(error.message, Place(field="email"))])
        return visit.again("users/list.html", bad, **_listed(visit, typed))
    return _with_address(visit, "/users", user, token)


def _give(visit: Visit, user: User, companies: list[int]) -> None:
    if user.role == Role.SME and not companies:
        raise BadInput([Problem(_("Choose the company this person works for."), Place(field="companies"))])
    for exporter_id in companies if user.role != Role.STAFF else ():
        exporter = exporters.get_exporter(visit.db, visit.viewer, exporter_id)
        assign(visit.db, user, exporter, now=visit.now, by=visit.viewer.email)


def _with_address(visit: Visit, path: str, user: User, token: str) -> Response:
    """Show the invitation's address once; it is stored nowhere."""
    address = f"{visit.context.settings.web.public_url.rstrip('/')}/invitation/{token}"
    text = _("Send {name} this address; it is shown only now and works for 14 days: {url}", name=user.name, url=address)
    return visit.go(path, text, kind="warn")


@router.get("/users/{user_id}")
def user(visit: Staff, user_id: int) -> Response:
    return visit.page("users/user.html", **_shown(visit, user_id))


def _shown(visit: Visit, user_id: int) -> dict[str, Any]:
    require(visit.viewer, Action.MANAGE_USERS)
    mine = _companies(visit).get(user_id, [])
    known = {company.id for company in mine}
    return {
        "person": queries.get_user(visit.db, user_id),
        "mine": mine,
        "others": [one for one in exporters.list_exporters(visit.db, visit.viewer) if one.id not in known],
        "role_name": staffwords.role_name,
    }


@router.post("/users/{user_id}/company")
def add_company(visit: Staff, user_id: int, exporter_id: Annotated[int, Form()] = 0) -> Response:
    require(visit.viewer, Action.MANAGE_USERS)
    exporter = exporters.get_exporter(visit.db, visit.viewer, exporter_id)
    assign(visit.db, queries.get_user(visit.db, user_id), exporter, now=visit.now, by=visit.viewer.email)
    return visit.go(f"/users/{user_id}", _("Saved."))


@router.post("/users/{user_id}/invite")
def invite_again(visit: Staff, user_id: int) -> Response:
    require(visit.viewer, Action.MANAGE_USERS)
    found = queries.get_user(visit.db, user_id)
    _user, token = service.invite(
        visit.db, email=found.email, name=found.name, role=found.role, now=visit.now, by=visit.viewer.email
    )
    return _with_address(visit, f"/users/{user_id}", found, token)


@router.post("/users/{user_id}/remove")
def remove(visit: Staff, user_id: int) -> Response:
    require(visit.viewer, Action.MANAGE_USERS)
    if user_id == visit.viewer.user_id:
        raise Refused(_("You cannot remove yourself. Ask a colleague."))
    found = service.deactivate_user(visit.db, user_id, visit.now, visit.viewer.email)
    return visit.go("/users", _("{name} can no longer sign in.", name=found.name))
