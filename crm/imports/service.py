"""The verbs of the import room: preview a file, import it as one batch, undo a batch."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlmodel import Session, col, select

from crm.core import events
from crm.core.db import alone
from crm.core.errors import NotFound, Refused
from crm.core.i18n import _
from crm.exporters.models import Exhibition, Exporter
from crm.imports import undoing
from crm.imports.ahead import portions
from crm.imports.contactlist import ContactList, open_list
from crm.imports.intake import Intake
from crm.imports.matching import adopt_strays, batch_of
from crm.imports.models import ImportBatch
from crm.imports.records import EventDates, Issue, Profile, ReadOptions
from crm.imports.report import LINES_KEPT, Findings, ImportReport, RowReport, UndoReport, profile_json

Progress = Callable[[int, int], None]
"""Is told how many lines of how many are done; the second is about right, as blank lines may be counted or not."""
Each = Callable[[RowReport], None]
KINDS = ("registration", "badge_scan", "card", "list")


@dataclass(frozen=True)
class Purpose:
    """What a list is imported for: its show, whose talks the rows are (None: the rows say), and how it is read.

    ``kind`` (one of ``KINDS``) overrules what the columns say.
    """

    exhibition: Exhibition
    exporter: Exporter | None = None
    options: ReadOptions = field(default_factory=ReadOptions)
    kind: str = ""


@dataclass(frozen=True)
class OpenedFile:
    """A file that was looked over and can be imported; made by ``open_file`` without any database."""

    filename: str
    sha256: str
    listed: ContactList

    @property
    def lines(self) -> int:
        """Return how many lines the file has, about."""
        return sum(sheet.records for sheet in self.listed.profile.sheets)


def open_file(data: bytes, filename: str, purpose: Purpose) -> OpenedFile:
    """Look a file over for a purpose. Raises BadInput when it cannot be read."""
    show = purpose.exhibition
    listed = open_list(data, filename, purpose.options, EventDates(show.starts_on, show.ends_on))
    return OpenedFile(filename, hashlib.sha256(data).hexdigest(), listed)


def preview(
    session: Session,
    data: bytes,
    filename: str,
    purpose: Purpose,
    *,
    now: datetime,
    progress: Progress | None = None,
    keep_rows: bool = False,
) -> ImportReport:
    """Say what an import would do; nothing is stored. Raises BadInput when the file cannot be read."""
    rows: list[RowReport] = []
    opened = open_file(data, filename, purpose)
    report = preview_opened(
        session, opened, purpose, now=now, progress=progress, each=rows.append if keep_rows else None
    )
    report.rows = rows
    for row in rows:
        row.contact_id = None if row.outcome == "added" else row.contact_id
    return report


def preview_opened(
    session: Session,
    opened: OpenedFile,
    purpose: Purpose,
    *,
    now: datetime,
    progress: Progress | None = None,
    each: Each | None = None,
) -> ImportReport:
    """Do as ``preview`` with a file that was opened before. It imports inside a savepoint and takes everything back.

    ``each`` is told of every row; ids of contacts that would be new mean nothing.
    """
    savepoint = session.begin_nested()
    try:
        report = import_opened(session, opened, purpose, now=now, by=events.SYSTEM, progress=progress, each=each)
    finally:
        savepoint.rollback()
        session.expire_all()
    if not report.already_imported:
        report.batch_id = None
    return report


def import_file(
    session: Session,
    data: bytes,
    filename: str,
    purpose: Purpose,
    *,
    now: datetime,
    by: str,
    progress: Progress | None = None,
    keep_rows: bool = False,
) -> ImportReport:
    """Take a contact list in as one batch that can be undone; the very same file again changes nothing.

    ``keep_rows`` asks for a report of every row. Raises BadInput when the file cannot be read.
    """
    rows: list[RowReport] = []
    opened = open_file(data, filename, purpose)
    del data  # a long list is read from a file
    report = import_opened(
        session, opened, purpose, now=now, by=by, progress=progress, each=rows.append if keep_rows else None
    )
    report.rows = rows
    return report


def import_opened(
    session: Session,
    opened: OpenedFile,
    purpose: Purpose,
    *,
    now: datetime,
    by: str,
    progress: Progress | None = None,
    each: Each | None = None,
) -> ImportReport:
    """Do as ``import_file`` with a file that was opened before. ``each`` is told of every row."""
    known = _same_file(session, opened.sha256, purpose.exhibition, purpose.exporter)
    if known:
        return _already(known, opened)
    alone(session, "imports")
    session.flush()
    adopt_strays(session)
    batch = _new_batch(session, opened, purpose, now, by)
    told = partial(_tell, progress, opened.lines) if progress else None
    intake = Intake(session, batch_of(batch, purpose.exhibition), purpose.exporter, now, by, told, each)
    with session.no_autoflush:
        findings = intake.run(portions(opened.listed.cleaners, batch.exhibition_id))
    batch.counts = findings.counts
    batch.profile = {**batch.profile, "findings": findings.codes()}
    _record(session, "list_imported", batch, {"file": opened.filename, **batch.counts}, now, by)
    session.flush()
    session.expire_all()  # the rows were written past the mapper
    profile = opened.listed.profile
    return ImportReport(opened.filename, batch.id, profile, findings, list(profile.notes))


def _tell(progress: Progress, lines: int, done: int) -> None:
    progress(done, max(lines, done))


def _new_batch(session: Session, opened: OpenedFile, purpose: Purpose, now: datetime, by: str) -> ImportBatch:
    profile = opened.listed.profile
    batch = ImportBatch(
        filename=opened.filename[:255],
        sha256=opened.sha256,
        exhibition_id=purpose.exhibition.id or 0,
        exporter_id=purpose.exporter.id if purpose.exporter else None,
        home_country=purpose.options.home_country or "",
        kind=purpose.kind or kind_of(profile),
        profile=profile_json(profile),
        created_at=now,
        created_by=by,
    )
    session.add(batch)
    session.flush()
    return batch


def _record(session: Session, verb: str, batch: ImportBatch, data: dict[str, Any], now: datetime, by: str) -> None:
    events.record(session, verb, "import_batch", batch.id, at=now, actor=by, exporter_id=batch.exporter_id, data=data)


def undo(
    session: Session,
    batch_id: int,
    *,
    now: datetime,
    by: str,
    mailed: undoing.Mailed,
    release: undoing.Release | None = None,
) -> UndoReport:
    """Take a batch back: everybody it touched becomes what the other lists and people's edits say.

    ``mailed`` tells which of the contact ids have been written to; those stay, with the reason, and the rest goes.
    ``release`` is handed the lead ids that are about to go, removes what other rooms opened for them by themselves
    (a deal nobody moved, an enrolment nobody was mailed from), and returns those that must stay.
    Raises NotFound, and Refused when the batch was undone before.
    """
    batch = session.get(ImportBatch, batch_id)
    if batch is None:
        raise NotFound(_("There is no import batch {n}.", n=batch_id))
    if batch.status == "undone":
        raise Refused(_("Batch {n} was undone before.", n=batch_id), code="already_undone")
    alone(session, "imports")
    session.flush()
    with session.no_autoflush:
        report = undoing.Undoing(session, batch, mailed, release, now, by).run()
    batch.status, batch.undone_at, batch.undone_by = report.status, now, by
    batch.profile = {**batch.profile, "undo": _shown_undo(report)}
    session.add(batch)
    kept = {"removed": report.removed, "restored": report.restored, "kept": len(report.kept)}
    _record(session, "import_undone", batch, kept, now, by)
    session.flush()
    session.expire_all()
    return report


def _shown_undo(report: UndoReport) -> dict[str, Any]:
    """Return what is kept of an undo's report; of the reasons only the first, as there may be one for every row."""
    return {**report.as_json(), "kept": report.as_json()["kept"][:LINES_KEPT], "kept_count": len(report.kept)}


def kind_of(profile: Profile) -> str:
    """Return what kind of list a file is by its columns: registration, badge_scan, card or list."""
    fields = {column.field for sheet in profile.sheets for column in sheet.columns}
    headers = " ".join(column.header for sheet in profile.sheets for column in sheet.columns).casefold()
    if "registered_at" in fields or "consent_privacy" in fields:
        return "registration"
    if "scan" in headers or "스캔" in headers or {"external_id", "captured_by", "met_at"} <= fields:
        return "badge_scan"
    return "card" if "명함" in headers or "名刺" in headers else "list"


def _same_file(session: Session, digest: str, exhibition: Exhibition, exporter: Exporter | None) -> ImportBatch | None:
    rows = select(ImportBatch).where(
        ImportBatch.sha256 == digest,
        ImportBatch.exhibition_id == exhibition.id,
        ImportBatch.exporter_id == (exporter.id if exporter else None),
        ImportBatch.status == "done",
    )
    return session.exec(rows.order_by(col(ImportBatch.id))).first()


def _already(batch: ImportBatch, opened: OpenedFile) -> ImportReport:
    """Every line is counted, none changes anything."""
    note = Issue("already_imported", {"day": batch.created_at.date().isoformat()})
    findings = Findings()
    for row in opened.listed.lines():
        findings.count("unchanged" if row.outcome == "accepted" else row.outcome)
    return ImportReport(opened.filename, batch.id, opened.listed.profile, findings, [note])
