"""Workflows: the list, one as picture and list, editing with checks beside the text, versions, files in and out."""

import re
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Form
from sqlalchemy.exc import IntegrityError
from starlette.datastructures import UploadFile
from starlette.responses import Response

from crm.accounts.rules import Action, require
from crm.campaigns import queries, workflows
from crm.campaigns.definition import Definition
from crm.campaigns.reading import MOST_CHARACTERS
from crm.campaigns.workflows import Source
from crm.core.errors import BadInput, NotFound, Place, Problem, Refused, Stale
from crm.core.i18n import _
from crm.web import diffs, flowwords
from crm.web.downloads import download
from crm.web.flowwords import FlowWords
from crm.web.routes.imports import Posted
from crm.web.visits import Staff, Visit

router = APIRouter()
Text = Annotated[str, Form()]
NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
MOST_BYTES = 4 * MOST_CHARACTERS
SPARE_LINES = 40
"""Numbers beside the text for lines that are still to be written."""


@router.get("/workflows")
def listed(visit: Staff) -> Response:
    return visit.page("workflows/list.html", **_listed(visit))


def _listed(visit: Visit) -> dict[str, Any]:
    found = workflows.sources(visit.db, visit.context.settings).values()
    return {"rows": [_row(visit, source) for source in found]}


def _row(visit: Visit, source: Source) -> dict[str, Any]:
    definition, problems = workflows.check_text(visit.context.settings, source.name, source.text, visit.db)
    return {
        "source": source,
        "title": flowwords.title_of(definition) if definition else source.name,
        "definition": definition,
        "problems": problems,
        "people": sum(queries.people_at(visit.db, visit.viewer, workflow=source.name).values()),
        "campaigns": [
            one
            for one in queries.list_campaigns(visit.db, visit.viewer)
            if one.workflow == source.name and one.status in ("running", "paused")
        ],
    }


@router.post("/workflows")
def upload(visit: Staff, form: Posted) -> Response:
    """Show an uploaded file in the editor; nothing is stored before a person saves it."""
    require(visit.viewer, Action.RUN_CAMPAIGNS)
    try:
        text = _uploaded(form.get("file"))
        name = workflows.name_in(text)
        if not name:
            hint = _("Write a line workflow: with a name of small letters, for example workflow: overseas-buyer.")
            raise BadInput([Problem(_("The file does not say which workflow it is."), Place(field="file"), hint)])
    except BadInput as error:
        return visit.again("workflows/list.html", error, **_listed(visit))
    return visit.page("workflows/edit.html", **_editor(visit, name, text, uploaded=True))


def _uploaded(found: Any) -> str:
    if not isinstance(found, UploadFile) or not found.filename:
        raise BadInput([Problem(_("Choose a file."), Place(field="file"))])
    data = found.file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        message = _("The file is too large for a workflow.")
        raise BadInput([Problem(message, Place(field="file"), _("A workflow file has a few kilobytes."))])
    try:
        return workflows.tidied(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        message = _("The file cannot be read.")
        raise BadInput([Problem(message, Place(field="file"), _("Save it as UTF-8 text."))]) from None


@router.get("/workflows/{name}.yaml")
def as_file(visit: Staff, name: str) -> Response:
    source = workflows.source_of(visit.db, visit.context.settings, name)
    return download(source.text.encode(), f"{source.name}.yaml", "application/yaml")


@router.get("/workflows/{name}")
def shown(visit: Staff, name: str) -> Response:
    source = workflows.source_of(visit.db, visit.context.settings, name)
    counts = queries.people_at(visit.db, visit.viewer, workflow=name)
    row = _row(visit, source)
    return visit.page("workflows/workflow.html", **row, **flow(visit, row["definition"], counts))


def flow(visit: Visit, definition: Definition | None, counts: dict[str, int]) -> dict[str, Any]:
    """Return what the picture and the list of a workflow need."""
    if definition is None:
        return {"drawing": None, "outline": [], "counts": counts, "said": None, **_words()}
    said = FlowWords(definition, visit.request.app.state.pages.environment.globals["letter_name"])
    return {
        "said": said,
        "drawing": flowwords.picture(said, counts),
        "outline": flowwords.outline(said),
        "counts": counts,
        **_words(),
    }


def _words() -> dict[str, Any]:
    return {
        "kinds": flowwords.KINDS,
        "named_kinds": flowwords.NAMED_KINDS,
        "window_text": flowwords.window_text,
        "exit_name": flowwords.exit_name,
        "length": flowwords.length,
    }


# ---- editing


@router.get("/workflows/{name}/edit")
def edit(visit: Staff, name: str, version: int = 0, file: int = 0) -> Response:
    """Show the editor with the text in use, that of an older version, or that of the folder's file."""
    source = workflows.source_of(visit.db, visit.context.settings, name)
    text, why = source.text, ""
    if version:
        text, why = _saved_text(visit, name, version), _("Back to version {n}", n=version)
    elif file and source.file_text is not None:
        text, why = source.file_text, _("Back to the file")
    return visit.page("workflows/edit.html", **_editor(visit, name, text, why=why))


def _saved_text(visit: Visit, name: str, number: int) -> str:
    for save, text in workflows.saves_of(visit.db, name):
        if save.number == number:
            return text
    raise NotFound(_("There is no such version."))


@router.get("/workflows/{name}/copy")
def copy(visit: Staff, name: str) -> Response:
    """Show the editor with a copy under a new name; nothing is stored before a person saves it."""
    found = workflows.sources(visit.db, visit.context.settings)
    if name not in found:
        raise NotFound(_("There is no such workflow."))
    number = 2
    while (fresh := f"{name[:60]}-{number}") in found:
        number += 1
    text = re.sub(rf"(?m)^(workflow:[ \t]*){re.escape(name)}\b", rf"\g<1>{fresh}", found[name].text, count=1)
    return visit.page("workflows/edit.html", **_editor(visit, fresh, text))


def _editor(
    visit: Visit,
    name: str,
    text: str,
    *,
    why: str = "",
    based_on: str | None = None,
    uploaded: bool = False,
    problems: Iterable[Problem] | None = None,
) -> dict[str, Any]:
    source = workflows.sources(visit.db, visit.context.settings).get(name)
    return {
        "slug": name,
        "text": text,
        "why": why,
        "source": source,
        "based_on": based_on if based_on is not None else source.sha256 if source else "",
        "uploaded": uploaded,
        "rows": text.count("\n") + 2,
        "numbers": text.count("\n") + SPARE_LINES,
        "conflict": None,
        **_checked(visit, name, text),
    }


def _checked(visit: Visit, name: str, text: str) -> dict[str, Any]:
    """Return what the panel beside the text shows: the mistakes, or the workflow as it reads now."""
    definition, faults = workflows.check_text(visit.context.settings, name, text, visit.db)
    lines = workflows.tidied(text).splitlines()
    source = workflows.sources(visit.db, visit.context.settings).get(name)
    return {
        **flow(visit, definition, {}),
        "definition": definition,
        "faults": [(fault, _line_of(lines, fault)) for fault in faults],
        "bad_lines": {fault.place.line for fault in faults},
        "changes": diffs.line_changes(source.text, workflows.tidied(text), around=0) if source else [],
    }


def _line_of(lines: list[str], fault: Problem) -> str:
    number = fault.place.line or 0
    return lines[number - 1].strip()[:120] if 0 < number <= len(lines) else ""


@router.post("/workflows/{name}/check")
def check(visit: Staff, name: str, text: Text = "", why: Text = "", based_on: Text = "") -> Response:
    """Check the text as it stands: with script only the panel beside it, else the whole page. Nothing is stored."""
    require(visit.viewer, Action.RUN_CAMPAIGNS)
    _known_name(name)
    if visit.request.headers.get("hx-request") == "true":
        return visit.page("workflows/_checks.html", slug=name, **_checked(visit, name, text))
    return visit.page("workflows/edit.html", **_editor(visit, name, text, why=why, based_on=based_on))


def _known_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise NotFound(_("There is no such workflow."))


@router.post("/workflows/{name}/edit")
def save(visit: Staff, name: str, text: Text = "", why: Text = "", based_on: Text = "") -> Response:
    require(visit.viewer, Action.RUN_CAMPAIGNS)
    _known_name(name)
    try:
        made = workflows.save_workflow(
            visit.db,
            visit.context.settings,
            name,
            text,
            based_on=based_on,
            why=why[:500],
            by=visit.viewer.email,
            now=visit.now,
        )
    except (Stale, IntegrityError):
        visit.db.rollback()
        return _conflict(visit, name, text, why)
    except Refused as refused:
        error = BadInput([Problem(refused.message, Place(field="text"))])
        return visit.again("workflows/edit.html", error, **_editor(visit, name, text, why=why, based_on=based_on))
    except BadInput as error:
        return visit.again(
            "workflows/edit.html", _in_text(error), **_editor(visit, name, text, why=why, based_on=based_on)
        )
    return visit.go(
        f"/workflows/{name}", _("Version {n} is in use from now on. Campaigns that run keep theirs.", n=made.number)
    )


def _in_text(error: BadInput) -> BadInput:
    """Lead from the summary to the lines of the text."""
    return BadInput(
        [
            one if one.place.line is None else Problem(one.message, Place(line=one.place.line, field="text"), one.hint)
            for one in error.problems
        ]
    )


def _conflict(visit: Visit, name: str, text: str, why: str) -> Response:
    """Answer who was slower: both texts are there, and saving again is a decision."""
    source = workflows.source_of(visit.db, visit.context.settings, name)
    mine = workflows.tidied(text)
    values = _editor(visit, name, mine, why=why)
    values["conflict"] = {"save": source.save, "lines": diffs.line_changes(source.text, mine)}
    return visit.page("workflows/edit.html", status=409, **values)


# ---- versions


@router.get("/workflows/{name}/versions")
def versions(visit: Staff, name: str) -> Response:
    source = workflows.source_of(visit.db, visit.context.settings, name)
    return visit.page(
        "workflows/versions.html",
        source=source,
        saves=[save for save, _text in workflows.saves_of(visit.db, name)],
    )


@router.get("/workflows/{name}/versions/{number}")
def version(visit: Staff, name: str, number: int, other: int = -1) -> Response:
    """Show what a version changed against the one before it (or ``other``); 0 is the folder's file."""
    source = workflows.source_of(visit.db, visit.context.settings, name)
    texts = {save.number: text for save, text in workflows.saves_of(visit.db, name)}
    saves = {save.number: save for save, _text in workflows.saves_of(visit.db, name)}
    if source.file_text is not None:
        texts[0] = source.file_text
    if number not in texts:
        raise NotFound(_("There is no such version."))
    before = other if other in texts else max((one for one in texts if one < number), default=-1)
    return visit.page(
        "workflows/version.html",
        source=source,
        number=number,
        save=saves.get(number),
        before=before,
        others=sorted(one for one in texts if one != number),
        lines=diffs.line_changes(texts.get(before, ""), texts[number]),
        text=texts[number],
    )
