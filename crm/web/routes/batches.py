"""One import after the fact: its rows and what became of them, its files, and the way back."""

from typing import Any

from fastapi import APIRouter
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response, StreamingResponse

from crm import jobs
from crm.core.context import Context
from crm.core.errors import NotFound, Refused
from crm.core.i18n import _
from crm.delivery import service as delivery
from crm.exporters.models import Exhibition
from crm.imports import mending, queries, service, texts, undoing, uploads
from crm.imports.models import ImportBatch, ImportRow
from crm.imports.report import KEPT_REASONS, OUTCOMES, UndoReport
from crm.web import importpages, staffwords
from crm.web.downloads import XLSX, download
from crm.web.runs import Run, Work
from crm.web.visits import Staff

router = APIRouter()
ROWS_SHOWN = 100
KEPT_SHOWN = 50


@router.get("/import/batches/{batch_id}")
def batch(visit: Staff, batch_id: int, outcome: str = "", code: str = "", after: int = 0) -> Response:
    found = queries.get_batch(visit.db, visit.viewer, batch_id)
    outcome, code = outcome if outcome in OUTCOMES else "", code if code in texts.SENTENCES else ""
    page = queries.rows_of(visit.db, visit.viewer, batch_id, outcome or None, code=code, after=after, limit=ROWS_SHOWN)
    findings = found.profile.get("findings") or {}
    return visit.page(
        "imports/batch.html",
        batch=found,
        show=visit.db.get_one(Exhibition, found.exhibition_id),
        rows=[_row(row) for row in page.rows],
        next=page.next,
        after=after,
        outcome=outcome,
        code=code,
        outcomes=[(one, _(name)) for one, name in OUTCOMES.items() if found.counts.get(one) and one != "skipped"],
        findings=[(one, staffwords.finding_name(one), count) for one, count in findings.items()],
        undo=_undo_report(found),
        **importpages.way_back(found),
        original=uploads.upload_of(visit.db, visit.viewer, batch_id) is not None,
    )


def _row(row: ImportRow) -> dict[str, Any]:
    return {
        "where": f"{row.sheet} {row.number}".strip(),
        "outcome": _(OUTCOMES[row.outcome]),
        "contact_id": row.contact_id if row.outcome != "refused" else None,
        "name": row.facts.get("full_name") or row.facts.get("company") or "",
        "messages": [importpages.sentence(one["code"], {**one, "row": row.number}) for one in row.messages],
    }


def _undo_report(found: ImportBatch) -> dict[str, Any] | None:
    told = found.profile.get("undo")
    if not told:
        return None
    kept = told["kept"][:KEPT_SHOWN]
    return {
        "contacts": told["removed"].get("contact", 0),
        "leads": told["removed"].get("lead", 0),
        "restored": told["restored"],
        "kept": [_(KEPT_REASONS[one["reason"]], name=one["name"]) for one in kept],
        "kept_count": told["kept_count"],
        "more": told["kept_count"] - len(kept),
    }


@router.post("/import/batches/{batch_id}/undo")
def undo(visit: Staff, batch_id: int) -> Response:
    found = queries.get_batch(visit.db, visit.viewer, batch_id)
    address, runs = f"/import/batches/{batch_id}", visit.request.app.state.runs
    if runs.going_on(address):
        raise Refused(_("The import is being taken back already."), code="busy")
    undoing.refuse_late(found, now=visit.now)
    if found.counts.get("found", 0) > uploads.SMALL and found.status != "undone":
        visit.db.commit()  # gives the lock back, which the work needs
        runs.begin(address, _taking_back(visit.context, batch_id, visit.viewer.email))
        return visit.go(f"{address}/progress")
    report = _take_back(visit.db, visit.context, batch_id, visit.viewer.email)
    return visit.go(address, report.summary().splitlines()[0], kind="warn" if report.kept else "ok")


def _take_back(session: Session, context: Context, batch_id: int, by: str) -> UndoReport:
    return service.undo(
        session,
        batch_id,
        now=context.clock.now(),
        by=by,
        mailed=delivery.sent_contact_ids,
        release=jobs.release_leads,
    )


def _taking_back(context: Context, batch_id: int, by: str) -> Work:
    def work(run: Run) -> str:
        with run.writing(context, "undoing") as session:
            _take_back(session, context, batch_id, by)
        return f"/import/batches/{batch_id}"

    return work


@router.get("/import/batches/{batch_id}/progress")
def progress(visit: Staff, batch_id: int) -> Response:
    queries.get_batch(visit.db, visit.viewer, batch_id)
    address = f"/import/batches/{batch_id}"
    run = visit.request.app.state.runs.of(address)
    if run and not (run.ended and run.to):
        return visit.page("imports/progress.html", run=run, address=address, upload=None)
    return RedirectResponse(address, status_code=303)


@router.get("/import/batches/{batch_id}/events")
def events(visit: Staff, batch_id: int) -> Response:
    address = f"/import/batches/{batch_id}"
    told = visit.request.app.state.runs.events(address, f"{address}/progress")
    return StreamingResponse(told, media_type="text/event-stream")


@router.get("/import/batches/{batch_id}/refused.xlsx")
def refused(visit: Staff, batch_id: int, everything: bool = False) -> Response:
    found = queries.get_batch(visit.db, visit.viewer, batch_id)
    rows = mending.of_batch(visit.db, found, everything=everything)
    with mending.workbook(rows, found.profile) as path:
        return download(path.read_bytes(), mending.name_for(found.filename), XLSX)


@router.post("/import/batches/{batch_id}/original")
def original(visit: Staff, batch_id: int) -> Response:
    """Hand out the file that was uploaded; who took it is recorded."""
    queries.get_batch(visit.db, visit.viewer, batch_id)
    found = uploads.upload_of(visit.db, visit.viewer, batch_id)
    if found is None:
        raise NotFound(_("The file was imported on the command line and is not kept here."))
    data = uploads.hand_out(visit.db, found, now=visit.now, by=visit.viewer.email)
    return download(data, found.filename, "application/octet-stream")
