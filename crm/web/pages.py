"""Turns a template and values into a page. What templates may use is listed in ``_environment``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context as TemplateContext
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from crm.clearance import texts as clearance_texts
from crm.core import i18n
from crm.core.context import Context
from crm.drafts import texts as draft_texts
from crm.exporters.rules import in_language
from crm.imports import duplicates
from crm.pipeline import texts as stages
from crm.web import letterdesk, naming, navigation, words
from crm.web.assets import assets
from crm.web.conditionwords import condition_text
from crm.web.visitors import Visitor

TEMPLATE_DIR = Path(__file__).parent / "templates"
NOTICE_COOKIE = "ieum_notice"
DUPLICATES = "/contacts/duplicates"
HTMX_CONFIG = json.dumps({"includeIndicatorCSS": False, "noSwap": [204, 304, "5xx"]})


class Pages:
    """The templates, ready to be shown. ``folders`` are searched after the project's own; ``titles`` names letters."""

    def __init__(self, titles: naming.Titles, folders: Sequence[Path] = ()) -> None:
        self.environment = _environment([TEMPLATE_DIR, *folders])
        letter_name = naming.letter_namer(titles)
        self.environment.globals.update(letter_name=letter_name, step_name=naming.step_namer(letter_name))

    def show(self, request: Request, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Render a page for a request; with ``HX-Request`` only what changes inside ``body``."""
        fragment = request.headers.get("hx-request") == "true"
        # After a swap the focus must go somewhere, or it falls back to the body; a whole page starts at its top.
        focus = Markup(' tabindex="-1" autofocus') if fragment else ""
        everything = {**_frame(request), "fragment": fragment, "focus": focus, **values}
        headers = {"Vary": "HX-Request"}
        if fragment and request.method == "GET":
            headers["HX-Push-Url"] = _address(request)
        text = self.environment.get_template(name).render(everything)
        response = HTMLResponse(text, status_code=status, headers=headers)
        if everything["notice"] is not None:
            response.delete_cookie(NOTICE_COOKIE)
        return response


def visitor_of(request: Request) -> Visitor:
    """Return who asks, as the front door found out."""
    visitor: Visitor = request.state.visitor
    return visitor


def sign_notice(visitor: Visitor, kind: str, text: str) -> str | None:
    """Return the cookie value that shows ``text`` on the next page, or None for somebody not signed in."""
    return _signer(visitor).dumps([kind, text]) if visitor.session else None


def _signer(visitor: Visitor) -> URLSafeSerializer:
    assert visitor.session is not None
    return URLSafeSerializer(visitor.session.csrf_token, salt="notice")


def _notice(request: Request, visitor: Visitor) -> dict[str, str] | None:
    value = request.cookies.get(NOTICE_COOKIE)
    if not value or not visitor.session:
        return None
    try:
        kind, text = _signer(visitor).loads(value)
    except (BadSignature, ValueError):
        return None
    return {"kind": kind, "text": text}


def _frame(request: Request) -> dict[str, Any]:
    """Return what the layout needs on every page, also on that of an error."""
    visitor = visitor_of(request)
    context = request.app.state.context
    now = context.clock.now()
    menu = navigation.MENUS[visitor.viewer.role] if visitor.viewer else ()
    return {
        "request": request,
        "visitor": visitor,
        "viewer": visitor.viewer,
        "user": visitor.user,
        "csrf": visitor.session.csrf_token if visitor.session else "",
        "lang": visitor.language,
        "now": now,
        "menu": menu,
        "menu_counts": _menu_counts(context, menu),
        "here": navigation.current(menu, request.url.path),
        "address": _address(request) if request.method == "GET" else "/",
        "notice": _notice(request, visitor),
        "ends_soon": visitor.session is not None and (visitor.session.expires_at - now).total_seconds() < 15 * 60,
        "banner": request.app.state.banner(request) if request.app.state.banner else "",
        "htmx_config": HTMX_CONFIG,
        "problems": (),
        "mark": {},
    }


def _menu_counts(context: Context, menu: Sequence[navigation.Item]) -> dict[str, str]:
    """Return path → how many questions wait behind that entry of the menu; what is many needs no figure."""
    if not any(item.path == DUPLICATES for item in menu):
        return {}
    with context.db.reading() as session:
        count = duplicates.open_questions(session)
    return {DUPLICATES: f"{duplicates.MANY}+" if count > duplicates.MANY else str(count)} if count else {}


def _address(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def _environment(folders: Sequence[Path]) -> Environment:
    # Autoescape for every file, whatever its name: a template called x.html.j2 would go unescaped by suffix rules.
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols"],
    )
    environment.globals.update(
        _=i18n._,
        ngettext=i18n.ngettext,
        asset=assets().url,
        icon=icon,
        csrf_field=csrf_field,
        named=lambda names: in_language(dict(names), i18n.language()),
        moment=words.moment,
        day=words.day,
        clock_time=words.clock_time,
        days_between=words.days_between,
        long_day=words.long_day,
        country=words.country,
        tongue=words.tongue,
        tongue_name=words.tongue,
        block_label=letterdesk.block_label,
        stage_name=stages.stage_name,
        turn_name=naming.turn_name,
        turn_of=naming.turn_of,
        happening=naming.happening,
        next_stage=naming.next_stage,
        reason_name=naming.move_reason,
        request_name=naming.request_name,
        condition_text=condition_text,
        basis_name=naming.basis_name,
        evidence=clearance_texts.evidence,
        remedy=clearance_texts.remedy,
        say=draft_texts.say,
    )
    return environment


def icon(name: str, css: str = "") -> Markup:
    """Return an icon of icons.svg; it is decoration, the words beside it carry the meaning."""
    address = assets().url("icons.svg")
    return Markup('<svg class="i {}" aria-hidden="true"><use href="{}#{}"/></svg>').format(css, address, name)


@pass_context
def csrf_field(context: TemplateContext) -> Markup:
    """Return the hidden field that every form of a signed-in user carries."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(escape(context["csrf"]))
