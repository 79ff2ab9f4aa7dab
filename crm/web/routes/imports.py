"""Importing a contact list, a page a step: file, columns, problems, confirm, done. Nothing is stored before confirm.

Each step has its own address and can be taken up again after the browser was closed; see ``crm.imports.uploads``. A
small file is looked at and imported while the person waits, a large one beside (``crm.web.runs``).
"""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from crm.core.context import Context
from crm.core.errors import BadInput, CrmError, Place, Problem, Refused
from crm.core.i18n import _, ngettext
from crm.exporters import queries as exporters
from crm.exporters.models import Exhibition, Exporter
from crm.imports import mending, queries, texts, uploads
from crm.imports.countries import country_of
from crm.imports.models import Upload
from crm.pipeline import service as pipeline
from crm.web import importpages
from crm.web.downloads import XLSX, download
from crm.web.runs import Run, Runs, Work
from crm.web.visits import Staff, Visit

router = APIRouter()
EMPTY = {"exhibition_id": "", "exporter_id": "", "home_country": ""}
MOST_HEADER_ROW = 60


async def posted(request: Request) -> AsyncIterator[FormData]:
    """Give the fields of a form whose names are not known beforehand; files are closed when the page is answered."""
    async with request.form() as form:
        yield form


Posted = Annotated[FormData, Depends(posted)]


# ---- 1. the file


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
        return _look(visit, made, before=None)
    except BadInput as error:
        visit.db.rollback()
        return visit.again("imports/start.html", error, **_start(visit, typed))


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


# ---- looking at the file, at once or beside


def _runs(visit: Visit) -> Runs:
    runs: Runs = visit.request.app.state.runs
    return runs


def _look(visit: Visit, found: Upload, *, before: dict[str, Any] | None, then: str = "", notice: str = "") -> Response:
    """Look at the file as it is chosen now and go to the step ``then``, else to the one where a person is needed.

    ``before``: the choices to go back to when the file cannot be read so; None: then it is not kept at all.
    """
    if uploads.is_small(found):
        uploads.check(visit.db, found, now=visit.now)
        return visit.go(f"/import/{found.id}/{then or uploads.next_step(found)}", notice)
    visit.db.add(found)
    visit.db.flush()
    return _beside(visit, f"/import/{found.id}", _looking(visit.context, found.id or 0, before, then))


def _beside(visit: Visit, address: str, work: Work) -> Response:
    """Begin work and answer with the page that shows its progress."""
    visit.db.commit()  # the work reads what this request has stored, in a transaction of its own
    _runs(visit).begin(address, work)
    return visit.go(f"{address}/progress")


def _looking(context: Context, upload_id: int, before: dict[str, Any] | None, then: str) -> Work:
    def work(run: Run) -> str:
        try:
            with context.db.reading() as session:
                run.phase = "reading"
                prepared = uploads.prepare(session, session.get_one(Upload, upload_id))
            with run.writing(context, "checking") as session:
                found = session.get_one(Upload, upload_id)
                uploads.check(session, found, now=context.clock.now(), prepared=prepared, progress=run.tell)
                return f"/import/{upload_id}/{then or uploads.next_step(found)}"
        except CrmError:
            _go_back(context, run, upload_id, before)
            raise

    return work


def _go_back(context: Context, run: Run, upload_id: int, before: dict[str, Any] | None) -> None:
    with run.writing(context, "waiting") as session:
        found = session.get_one(Upload, upload_id)
        if before is None:
            session.delete(found)
        else:
            found.options = before
            session.add(found)


@router.get("/import/{upload_id}")
def go_on(visit: Staff, upload_id: int) -> Response:
    """Lead to the step at which a person is needed."""
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    return _elsewhere(visit, found) or RedirectResponse(f"/import/{upload_id}/{uploads.next_step(found)}", 303)


@router.get("/import/{upload_id}/progress")
def progress(visit: Staff, upload_id: int) -> Response:
    """Show how far a look or an import is, or why it failed; with nothing going on, the way to look again."""
    address = f"/import/{upload_id}"
    run = _runs(visit).of(address)
    if run and not (run.ended and run.to):
        return visit.page("imports/progress.html", run=run, address=address, upload=None)
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    if found.batch_id or "preview" in found.options:
        return RedirectResponse(run.to if run else address, status_code=303)
    return visit.page("imports/progress.html", run=None, address=address, upload=found)


@router.get("/import/{upload_id}/events")
def events(visit: Staff, upload_id: int) -> Response:
    address = f"/import/{upload_id}"
    return StreamingResponse(_runs(visit).events(address, f"{address}/progress"), media_type="text/event-stream")


def _elsewhere(visit: Visit, found: Upload) -> Response | None:
    """Return the way to the page that fits the state of an upload, None when its steps can be shown."""
    if found.batch_id is not None:
        return RedirectResponse(f"/import/{found.id}/done", status_code=303)
    if _runs(visit).going_on(f"/import/{found.id}") or "preview" not in found.options:
        return RedirectResponse(f"/import/{found.id}/progress", status_code=303)
    return None


def _to_change(visit: Visit, upload_id: int, form: Mapping[str, Any]) -> Upload:
    """Return an upload that may be changed by a page that shows its present state. Raises Refused and Stale."""
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    if _runs(visit).going_on(f"/import/{upload_id}"):
        raise Refused(_("The file is being worked on. Wait until that is done."), code="busy")
    if found.batch_id is not None:
        raise Refused(_("This file has been imported already."), code="already_imported")
    uploads.refuse_stale(found, str(form.get("seen") or ""))
    return found


@router.post("/import/{upload_id}/check")
def check(visit: Staff, upload_id: int, form: Posted) -> Response:
    found = _to_change(visit, upload_id, form)
    _runs(visit).forget(f"/import/{upload_id}")
    then = "confirm" if "preview" in found.options else ""
    return _look(visit, found, before=found.options, then=then, notice=_("The file was looked at again."))


# ---- 2. the columns


@router.get("/import/{upload_id}/columns")
def columns(visit: Staff, upload_id: int, change: int = -1) -> Response:
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    return _elsewhere(visit, found) or visit.page("imports/columns.html", **importpages.columns(visit, found, change))


@router.post("/import/{upload_id}/reading")
def reading(visit: Staff, upload_id: int, form: Posted) -> Response:
    found = _to_change(visit, upload_id, form)
    before = found.options
    try:
        uploads.choose(found, **_reading(found, form))
        return _look(visit, found, before=before, then="columns", notice=_("The file was read again."))
    except BadInput as error:
        return _columns_again(visit, upload_id, error)


def _columns_again(visit: Visit, upload_id: int, error: BadInput) -> Response:
    visit.db.rollback()
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    return visit.again("imports/columns.html", error, **importpages.columns(visit, found))


def _reading(found: Upload, form: Mapping[str, Any]) -> dict[str, Any]:
    """Return the choices of the form about how the file is read; what was recognised and left alone is no choice."""
    profile = found.options["preview"]["profile"]
    choices: dict[str, Any] = {"header_rows": dict(found.options.get("header_rows") or {})}
    encoding, delimiter = str(form.get("encoding") or ""), str(form.get("delimiter") or "")
    if encoding in importpages.encodings(found) and encoding != profile["encoding"]:
        choices["encoding"] = encoding
    if delimiter in importpages.DELIMITERS and delimiter != profile["delimiter"]:
        choices["delimiter"] = delimiter
    sheets = importpages.sheets(found)
    if len(sheets) > 1:
        left = [sheet["name"] for number, sheet in enumerate(sheets) if f"sheet{number}" not in form]
        if len(left) == len(sheets):
            raise BadInput([Problem(_("At least one sheet has to be read."), Place(field="sheet0"))])
        choices["skipped_sheets"] = left
    for number, sheet in enumerate(sheets):
        row = _header_row(str(form.get(f"head{number}") or ""), f"head{number}")
        if row is not None and row != sheet["header_row"]:
            choices["header_rows"][sheet["name"]] = row
    return choices


def _header_row(text: str, field: str) -> int | None:
    if not text.strip():
        return None
    if not text.isascii() or not text.isdecimal() or int(text) > MOST_HEADER_ROW:
        message = _("The header line is a number from 0 to {n}; 0 says that there is none.", n=MOST_HEADER_ROW)
        raise BadInput([Problem(message, Place(field=field))])
    return int(text)


@router.post("/import/{upload_id}/header")
def header(visit: Staff, upload_id: int, form: Posted) -> Response:
    """Take the line that was pointed at for the header line, or none."""
    found = _to_change(visit, upload_id, form)
    before = found.options
    try:
        row = _header_row(str(form.get("row") or ""), "row")
        if row is None:
            raise BadInput([Problem(_("Choose a line."), Place(field="row"))])
        uploads.choose_header(found, row)
        return _look(visit, found, before=before, then="columns", notice=_("The file was read again."))
    except BadInput as error:
        return _columns_again(visit, upload_id, error)


@router.post("/import/{upload_id}/columns")
def choose(visit: Staff, upload_id: int, form: Posted) -> Response:
    found = _to_change(visit, upload_id, form)
    before = found.options
    chosen, changed = _chosen(found, form)
    try:
        if uploads.asks_for_header(found) and not any(chosen.values()):
            message = _("Say at least of one column what it is, or which line names the columns.")
            raise BadInput([Problem(message, Place(field="c0"))])
        uploads.choose_columns(found, chosen)
        if not changed:  # nothing is read otherwise than it was looked at
            found.options = {**before, "settled": True}
            visit.db.add(found)
            return visit.go(f"/import/{upload_id}/problems")
        return _look(visit, found, before=before, then="problems")
    except BadInput as error:
        return _columns_again(visit, upload_id, error)


def _chosen(found: Upload, form: Mapping[str, Any]) -> tuple[dict[str, str], bool]:
    """Return what columns were chosen to be, and whether that is news.

    What was recognised and left alone stays recognised: the same header may mean more beside other columns.
    """
    chosen = dict(found.options.get("columns") or {})
    changed = False
    for number, column in enumerate(importpages.headers(found.options["preview"]["profile"]["sheets"])):
        wanted = form.get(f"c{number}")
        if wanted is not None and wanted != (column["field"] or ""):
            chosen[column["header"]] = str(wanted)
            changed = True
    return chosen, changed


@router.post("/import/{upload_id}/forget")
def forget(visit: Staff, upload_id: int, form: Posted) -> Response:
    found = _to_change(visit, upload_id, form)
    before = found.options
    uploads.forget_mapping(visit.db, found)
    return _look(visit, found, before=before, then="columns", notice=_("The mapping of this source was forgotten."))


# ---- 3. the problems


@router.get("/import/{upload_id}/problems")
def problems(visit: Staff, upload_id: int, code: str = "", after: int = 0) -> Response:
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    return _elsewhere(visit, found) or visit.page(
        "imports/problems.html", **importpages.problems(visit, found, code, max(0, after))
    )


@router.post("/import/{upload_id}/problems")
def mend(visit: Staff, upload_id: int, form: Posted) -> Response:
    """Put corrected cells in place and leave rows out, as the page of one kind of finding asks."""
    found = _to_change(visit, upload_id, form)
    before, code = found.options, str(form.get("code") or "")
    if form.get("do") == "all":
        gone = uploads.rows_with(visit.db, found, code, now=visit.now)
        texts_put: list[tuple[uploads.Place, int, str]] = []
    else:
        gone, texts_put = _left_out(found, form), _corrections(found, code, form)
    if not gone and not texts_put:
        return visit.go(f"/import/{upload_id}/problems?code={code}", _("Nothing was changed."), kind="warn")
    uploads.correct(found, texts_put)
    uploads.leave_out(found, gone)
    return _look(visit, found, before=before, then=f"problems?code={code}", notice=_mended(len(texts_put), len(gone)))


def _mended(corrected: int, gone: int) -> str:
    parts = [
        ngettext("{n} value was corrected.", "{n} values were corrected.", corrected) if corrected else "",
        ngettext("{n} row was left out.", "{n} rows were left out.", gone) if gone else "",
    ]
    return " ".join(part for part in parts if part)


def _left_out(found: Upload, form: FormData) -> list[uploads.Place]:
    names = [sheet["name"] for sheet in found.options["preview"]["sheets"]]
    places = []
    for key in form.getlist("out"):
        number, _dot, row = str(key).partition(".")
        if _number(number) < len(names):
            places.append((names[_number(number)], _number(row)))
    return places


def _corrections(found: Upload, code: str, form: Mapping[str, Any]) -> list[tuple[uploads.Place, int, str]]:
    """Return the cells whose text was changed; of the others nothing is to be stored."""
    preview = found.options["preview"]
    names = [sheet["name"] for sheet in preview["sheets"]]
    lines = next((one["lines"] for one in preview["problems"] if one["code"] == code), ())
    changed = []
    for line in lines:
        place = (line["sheet"], line["row"])
        for column, text in line["cells"]:
            put = uploads.corrected(found, place, column)
            typed = form.get(f"t{names.index(line['sheet'])}.{line['row']}.{column}")
            if typed is not None and typed != (text if put is None else put):
                changed.append((place, column, str(typed)))
    return changed


@router.post("/import/{upload_id}/return")
def take_back_in(visit: Staff, upload_id: int, form: Posted) -> Response:
    found = _to_change(visit, upload_id, form)
    before = found.options
    uploads.take_back_in(found)
    return _look(visit, found, before=before, then="problems", notice=_("The rows are in again."))


# ---- 4. confirm


@router.get("/import/{upload_id}/confirm")
def confirm(visit: Staff, upload_id: int) -> Response:
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    return _elsewhere(visit, found) or visit.page("imports/confirm.html", **importpages.confirm(visit, found))


@router.post("/import/{upload_id}/confirm")
def take_in(visit: Staff, upload_id: int, form: Posted) -> Response:
    found = _to_change(visit, upload_id, form)
    if not uploads.is_small(found):
        return _beside(visit, f"/import/{upload_id}", _taking_in(visit.context, upload_id, visit.viewer.email))
    uploads.take_in(visit.db, found, now=visit.now, by=visit.viewer.email)
    pipeline.open_deals(visit.db, now=visit.now)
    return visit.go(f"/import/{upload_id}/done")


def _taking_in(context: Context, upload_id: int, by: str) -> Work:
    """The import and the note that it was done are one transaction, so that it cannot be done twice."""

    def work(run: Run) -> str:
        with context.db.reading() as session:
            run.phase = "reading"
            prepared = uploads.prepare(session, session.get_one(Upload, upload_id))
        with run.writing(context, "importing") as session:
            now = context.clock.now()
            found = session.get_one(Upload, upload_id)
            uploads.take_in(session, found, now=now, by=by, prepared=prepared, progress=run.tell)
            pipeline.open_deals(session, now=now)
        return f"/import/{upload_id}/done"

    return work


@router.post("/import/{upload_id}/discard")
def discard(visit: Staff, upload_id: int) -> Response:
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    if _runs(visit).going_on(f"/import/{upload_id}"):
        raise Refused(_("The file is being worked on. Wait until that is done."), code="busy")
    uploads.discard(visit.db, found, now=visit.now, by=visit.viewer.email)
    return visit.go("/import", _("The uploaded file was thrown away."))


# ---- 5. done, and what can be taken home


@router.get("/import/{upload_id}/done")
def done(visit: Staff, upload_id: int) -> Response:
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    if found.batch_id is None:
        return RedirectResponse(f"/import/{upload_id}", status_code=303)
    batch = queries.get_batch(visit.db, visit.viewer, found.batch_id)
    show = _shows(visit)[batch.exhibition_id]
    return visit.page("imports/done.html", upload=found, batch=batch, show=show, **importpages.way_back(batch))


@router.get("/import/{upload_id}/refused.xlsx")
def refused(visit: Staff, upload_id: int, everything: bool = False) -> Response:
    """Give the rows that are not imported, ``everything`` also those with something to mend, as a workbook."""
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    if found.batch_id:
        batch = queries.get_batch(visit.db, visit.viewer, found.batch_id)
        rows, profile = mending.of_batch(visit.db, batch, everything=everything), batch.profile
    else:
        listed = uploads.prepare(visit.db, found).known.opened.listed
        rows, profile = mending.of_list(listed, everything=everything), found.options["preview"]["profile"]
    with mending.workbook(rows, profile) as path:
        return download(path.read_bytes(), mending.name_for(found.filename), XLSX)


@router.post("/import/{upload_id}/original")
def original(visit: Staff, upload_id: int) -> Response:
    """Hand the file out as it was uploaded; who took it is recorded."""
    found = uploads.get_upload(visit.db, visit.viewer, upload_id)
    data = uploads.hand_out(visit.db, found, now=visit.now, by=visit.viewer.email)
    return download(data, found.filename, "application/octet-stream")
