"""Importing a contact list, a page a step: file, columns, problems, confirm, done. Nothing is stored before confirm.

Each step has its own address and can be taken up again after the browser was closed; see ``crm.imports.uploads``.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crm import jobs
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import N_, _
from crm.delivery import service as delivery
from crm.exporters import queries as exporters
from crm.exporters.models import Exhibition, Exporter
from crm.imports import aliases, queries, service, texts, uploads
from crm.imports.countries import country_of
from crm.imports.models import ImportBatch, Upload
from crm.imports.report import OUTCOMES
from crm.pipeline import service as pipeline
from crm.web import staffwords, words
from crm.web.visits import Staff, Visit

router = APIRouter()
ROWS_SHOWN = 200
LINES_SHOWN = 30
ENCODINGS = ("", "utf-8", "cp949", "shift_jis", "gb18030", "big5", "windows-1252", "utf-16")
SHOWN_AS_COLUMNS = ("unknown_columns", "guessed_columns")
EMPTY = {"exhibition_id": "", "exporter_id": "", "home_country": ""}


async def posted(request: Request) -> AsyncIterator[FormData]:
    """Give the fields of a form whose names are not known beforehand; files are closed when the page is answered."""
    async with request.form() as form:
        yield form


Posted = Annotated[FormData, Depends(posted)]


@router.get("/import")
def start(visit: Staff) -> Response:
    return visit.page("imports/start.html", **_start(visit, EMPTY))


def _start(visit: Visit, typed: Mapping[str, str]) -> dict[str, Any]:
    return {
        "shows": exporters.list_exhibitions(visit.db, visit.viewer),
        "exporters": exporters.list_exporters(visit.db, visit.viewer),
        "unfinished": uploads.list_unfinished(visit.db, visit.viewer),
        "batches": queries.list_batches(visit.db, visit.viewer),
        "show_of": _shows(visit),
        "limit": visit.context.settings.web.max_upload_mb,
        "typed": typed,
    }


def _shows(visit: Visit) -> dict[int | None, Exhibition]:
    return {show.id: show for show in exporters.list_exhibitions(visit.db, visit.viewer)}


@router.post("/import")
def upload(visit: Staff, form: Posted) -> Response:
    typed = {name: str(form.get(name) or "") for name in EMPTY}
    try:
        name, data = _file(form, visit.context.settings.web.max_upload_mb)
        show, exporter = _whose(visit, typed)
        made = uploads.keep(
            visit.db,
            data,
            name,
            exhibition=show,
            exporter=exporter,
            home_country=_country(typed["home_country"]),
            now=visit.now,
            by=visit.viewer.email,
        )
    except BadInput as error:
        visit.db.rollback()
        return visit.again("imports/start.html", error, **_start(visit, typed))
    return visit.go(f"/import/{made.id}/columns")


def _file(form: FormData, limit_mb: int) -> tuple[str, bytes]:
    found = form.get("file")
    if not isinstance(found, UploadFile) or not found.filename:
        raise BadInput([Problem(_("Choose a file."), Place(field="file"))])
    data = found.file.read(limit_mb * 1024 * 1024 + 1)
    if len(data) > limit_mb * 1024 * 1024:
        raise BadInput([Problem(texts.sentence("too_large", megabytes=limit_mb), Place(field="file"))])
    return found.filename, data


def _whose(visit: Visit, typed: Mapping[str, str]) -> tuple[Exhibition, Exporter | None]:
    show = _shows(visit).get(_number(typed["exhibition_id"]))
    if show is None:
        raise BadInput([Problem(_("Choose the exhibition."), Place(field="exhibition_id"))])
    exporter_id = _number(typed["exporter_id"])
    return show, exporters.get_exporter(visit.db, visit.viewer, exporter_id) if exporter_id else None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0


def _country(text: str) -> str:
    code = country_of(text) if text.strip() else ""
    if text.strip() and not code:
        message = _("There is no country {name}.", name=text.strip())
        raise BadInput([Problem(message, Place(field="home_country"), _("Write a name or a two-letter code."))])
    return code


@router.get("/import/{upload_id}/columns")
def columns(visit: Staff, upload_id: int) -> Response:
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    return _done(found) or visit.page("imports/columns.html", **_columns(visit, found))


def _done(found: Upload) -> Response | None:
    return RedirectResponse(f"/import/{found.id}/done", status_code=303) if found.batch_id else None


def _step(visit: Visit, found: Upload) -> dict[str, Any]:
    exporter = visit.db.get(Exporter, found.exporter_id) if found.exporter_id else None
    preview = found.options["preview"]
    return {
        "upload": found,
        "show": visit.db.get_one(Exhibition, found.exhibition_id),
        "exporter": exporter,
        "preview": preview,
        "notes": [_note(note) for note in preview["notes"] if note["code"] not in SHOWN_AS_COLUMNS],
    }


def _note(note: dict[str, Any]) -> str:
    params = {**note, "country": words.country(note["country"])} if "country" in note else note
    return texts.say(note["code"], None, params)


def _columns(visit: Visit, found: Upload) -> dict[str, Any]:
    options = [(code, staffwords.field_name(code)) for code in aliases.fields() if code in staffwords.FIELDS]
    sheets = found.options["preview"]["profile"]["sheets"]
    return {
        **_step(visit, found),
        "columns": _headers(sheets),
        "fields": [("", N_("Not a field of ours")), *sorted(options, key=lambda one: one[1])],
        "encodings": ENCODINGS,
        "encoding": found.options.get("encoding", ""),
    }


def _headers(sheets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return every header of the file once, as sheets of one workbook mostly share them."""
    found: dict[str, dict[str, Any]] = {}
    for sheet in sheets:
        for column in sheet["columns"]:
            if column["header"]:
                found.setdefault(column["header"], column)
    return list(found.values())


@router.post("/import/{upload_id}/columns")
def choose(visit: Staff, upload_id: int, form: Posted) -> Response:
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    headers = _headers(found.options["preview"]["profile"]["sheets"])
    before = found.options.get("columns") or {}
    chosen = dict(before)
    for number, column in enumerate(headers):
        wanted = str(form.get(f"c{number}") or "")
        # What was recognised and left alone stays recognised: the same header may mean more beside other columns.
        if wanted != (column["field"] or ""):
            chosen[column["header"]] = wanted
    encoding = str(form.get("encoding") or "")
    try:
        uploads.choose(
            visit.db, found, columns=chosen, encoding=encoding if encoding in ENCODINGS else "", now=visit.now
        )
    except BadInput as error:
        visit.db.rollback()
        found = uploads.get_upload(visit.db, visit.viewer, upload_id)
        return visit.again("imports/columns.html", error, **_columns(visit, found))
    return visit.go(f"/import/{upload_id}/problems")


@router.get("/import/{upload_id}/problems")
def problems(visit: Staff, upload_id: int) -> Response:
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    values = _step(visit, found)
    groups = [_group(one) for one in values["preview"]["problems"]]
    grave = [group for group in groups if group["refused"]]
    page = {**values, "groups": [*grave, *(group for group in groups if not group["refused"])]}
    return _done(found) or visit.page("imports/problems.html", **page)


def _group(problem: dict[str, Any]) -> dict[str, Any]:
    code = problem["code"]
    lines = [
        {"where": f"{line['sheet']} {line['row']}".strip(), "name": line["name"], "text": _sentence(code, line)}
        for line in problem["lines"][:LINES_SHOWN]
    ]
    return {
        "code": code,
        "title": staffwords.finding_name(code),
        "count": problem["count"],
        "refused": code in texts.ROW_REFUSALS,
        "lines": lines,
        "more": problem["count"] - len(lines),
    }


def _sentence(code: str, line: dict[str, Any]) -> str:
    params = {**line, "field": staffwords.field_name(line["field"])} if "field" in line else line
    return texts.say(code, line["row"], params)


@router.get("/import/{upload_id}/confirm")
def confirm(visit: Staff, upload_id: int) -> Response:
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    changes = found.options["preview"]["changes"]
    page = {**_step(visit, found), "changes": changes[:LINES_SHOWN], "more": max(0, len(changes) - LINES_SHOWN)}
    return _done(found) or visit.page("imports/confirm.html", **page, field_name=staffwords.field_name)


@router.post("/import/{upload_id}/check")
def check(visit: Staff, upload_id: int) -> Response:
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    uploads.check(visit.db, found, now=visit.now)
    return visit.go(f"/import/{upload_id}/confirm", _("The file was looked at again."))


@router.post("/import/{upload_id}/confirm")
def take_in(visit: Staff, upload_id: int) -> Response:
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    uploads.take_in(visit.db, found, now=visit.now, by=visit.viewer.email)
    pipeline.open_deals(visit.db, now=visit.now)
    return visit.go(f"/import/{upload_id}/done")


@router.post("/import/{upload_id}/discard")
def discard(visit: Staff, upload_id: int) -> Response:
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    uploads.discard(visit.db, found, now=visit.now, by=visit.viewer.email)
    return visit.go("/import", _("The uploaded file was thrown away."))


@router.get("/import/{upload_id}/done")
def done(visit: Staff, upload_id: int) -> Response:
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    if found.batch_id is None:
        return RedirectResponse(f"/import/{upload_id}/columns", status_code=303)
    batch = queries.get_batch(visit.db, visit.viewer, found.batch_id)
    return visit.page("imports/done.html", upload=found, batch=batch, show=_shows(visit)[batch.exhibition_id])


@router.get("/import/batches/{batch_id}")
def batch(visit: Staff, batch_id: int, outcome: str = "", after: int = 0) -> Response:
    found = queries.get_batch(visit.db, visit.viewer, batch_id)
    rows = queries.rows_of(visit.db, visit.viewer, batch_id, outcome if outcome in OUTCOMES else None)
    return visit.page(
        "imports/batch.html",
        batch=found,
        show=_shows(visit)[found.exhibition_id],
        rows=[_row(row) for row in rows[after : after + ROWS_SHOWN]],
        after=after,
        shown=ROWS_SHOWN,
        total=len(rows),
        outcome=outcome,
        outcomes=[(code, _(name)) for code, name in OUTCOMES.items() if found.counts.get(code)],
    )


def _row(row: Any) -> dict[str, Any]:
    return {
        "where": f"{row.sheet} {row.number}".strip(),
        "outcome": _(OUTCOMES[row.outcome]),
        "contact_id": row.contact_id if row.outcome != "refused" else None,
        "messages": [_sentence(one["code"], {**one, "row": row.number}) for one in row.messages],
    }


@router.post("/import/batches/{batch_id}/undo")
def undo(visit: Staff, batch_id: int) -> Response:
    found: ImportBatch = queries.get_batch(visit.db, visit.viewer, batch_id)
    report = service.undo(
        visit.db,
        batch_id,
        now=visit.now,
        by=visit.viewer.email,
        mailed=delivery.sent_contact_ids,
        release=jobs.release_leads,
    )
    kept = len(report.reasons())
    text = report.summary().splitlines()[0]
    return visit.go(f"/import/batches/{found.id}", text, kind="warn" if kept else "ok")
