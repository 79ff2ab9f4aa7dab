"""Files on their way in. Each keeps the choices made so far and what an import would do, so that the wizard can be
left and taken up again. Nothing of an upload is a contact before ``take_in``.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from crm.accounts.rules import Action, Viewer, require
from crm.core import events
from crm.core.errors import NotFound, Refused
from crm.core.i18n import _
from crm.exporters.models import Exhibition, Exporter
from crm.imports import service
from crm.imports.models import Upload
from crm.imports.records import ReadOptions
from crm.imports.report import LINES_KEPT, Findings, ImportReport, issue_json, profile_json
from crm.imports.service import Purpose


def keep(
    session: Session,
    data: bytes,
    filename: str,
    *,
    exhibition: Exhibition,
    exporter: Exporter | None,
    home_country: str,
    now: datetime,
    by: str,
) -> Upload:
    """Store a file with what an import of it would do. Raises BadInput when it cannot be read."""
    upload = Upload(
        filename=filename[:255],
        sha256=hashlib.sha256(data).hexdigest(),
        content=data,
        exhibition_id=exhibition.id,
        exporter_id=exporter.id if exporter else None,
        home_country=home_country,
        created_at=now,
        created_by=by,
    )
    session.add(upload)
    session.flush()
    check(session, upload, now=now)
    return upload


def choose(session: Session, upload: Upload, *, columns: Mapping[str, str], encoding: str, now: datetime) -> None:
    """Keep what the columns (header → field, "" for none) and the text encoding were chosen to be, and check again."""
    upload.options = {**upload.options, "columns": dict(columns), "encoding": encoding}
    check(session, upload, now=now)


def check(session: Session, upload: Upload, *, now: datetime) -> None:
    """Find out and keep what an import would do now. Raises BadInput (unreadable) and Refused (imported before)."""
    _refuse_done(upload)
    report = service.preview(session, upload.content, upload.filename, _purpose(session, upload), now=now)
    upload.options = {**upload.options, "preview": _preview(report, now)}
    session.add(upload)
    session.flush()


def take_in(session: Session, upload: Upload, *, now: datetime, by: str) -> ImportReport:
    """Import the file for good. Raises Refused when that was done before, with this upload or with the same file."""
    _refuse_done(upload)
    report = service.import_file(session, upload.content, upload.filename, _purpose(session, upload), now=now, by=by)
    if report.already_imported:
        raise Refused(" ".join(report.note_sentences()), code="already_imported")
    upload.batch_id = report.batch_id
    session.add(upload)
    session.flush()
    return report


def discard(session: Session, upload: Upload, *, now: datetime, by: str) -> None:
    """Throw a file away that was not imported; nothing of it stays."""
    _refuse_done(upload)
    events.record(session, "upload_discarded", "upload", upload.id, at=now, actor=by, data={"file": upload.filename})
    session.delete(upload)


def get_upload(session: Session, viewer: Viewer, upload_id: int) -> Upload:
    """Return one upload. Raises NotFound, and NotAllowed for who may not import."""
    require(viewer, Action.IMPORT)
    upload = session.get(Upload, upload_id)
    if upload is None:
        raise NotFound(_("There is no such upload."))
    return upload


def list_unfinished(session: Session, viewer: Viewer) -> list[Upload]:
    """Return the uploads that were not imported yet, the newest first."""
    require(viewer, Action.IMPORT)
    return list(session.exec(select(Upload).where(col(Upload.batch_id).is_(None)).order_by(col(Upload.id).desc())))


def _refuse_done(upload: Upload) -> None:
    if upload.batch_id is not None:
        raise Refused(_("This file has been imported already."), code="already_imported")


def _purpose(session: Session, upload: Upload) -> Purpose:
    options = ReadOptions(
        encoding=upload.options.get("encoding") or None,
        home_country=upload.home_country or None,
        columns=upload.options.get("columns") or {},
    )
    exporter = session.get_one(Exporter, upload.exporter_id) if upload.exporter_id else None
    return Purpose(session.get_one(Exhibition, upload.exhibition_id), exporter, options)


def _preview(report: ImportReport, now: datetime) -> dict[str, Any]:
    return {
        "at": now.isoformat(),
        "counts": report.counts,
        "same_as": report.batch_id if report.already_imported else None,
        "notes": [issue_json(note) for note in report.notes],
        "profile": profile_json(report.profile),
        "problems": _problems(report.findings),
        "changes": _changes(report.findings),
    }


def _problems(findings: Findings) -> list[dict[str, Any]]:
    """Return the findings by code, the most frequent first, each with its first rows."""
    return [
        {
            "code": code,
            "count": count,
            "lines": [
                {"row": row.row, "sheet": row.sheet or "", "name": row.name, **issue_json(issue)}
                for row, issue in findings.lines[code]
            ],
        }
        for code, count in findings.codes().items()
    ]


def _changes(findings: Findings) -> list[dict[str, Any]]:
    """Return which values of known people would change, field by field."""
    found = [
        {"row": row.row, "name": row.name, "field": name, "before": _text(before), "after": _text(after)}
        for row in findings.changes
        for name, (before, after) in row.diff.items()
    ]
    return found[:LINES_KEPT]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)
