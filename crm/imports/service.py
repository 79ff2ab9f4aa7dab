"""The verbs of the import room: preview a file, import it as one batch, undo a batch."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from crm.core import events
from crm.core.errors import NotFound, Refused
from crm.core.i18n import _
from crm.exporters.models import Exhibition, Exporter
from crm.imports import undoing
from crm.imports.contactlist import read_contacts
from crm.imports.intake import Intake
from crm.imports.models import ImportBatch
from crm.imports.records import EventDates, Issue, Profile, ReadResult
from crm.imports.report import ImportReport, UndoReport, profile_json


def preview(
    session: Session,
    data: bytes,
    filename: str,
    *,
    exhibition: Exhibition,
    exporter: Exporter | None = None,
    home_country: str | None = None,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    now: datetime,
) -> ImportReport:
    """Say what an import would do. It runs the same code inside a savepoint and takes everything back.

    Raises BadInput when the file cannot be read.
    """
    savepoint = session.begin_nested()
    try:
        report = import_file(
            session,
            data,
            filename,
            exhibition=exhibition,
            exporter=exporter,
            home_country=home_country,
            mapping=mapping,
            encoding=encoding,
            now=now,
            by=events.SYSTEM,
        )
    finally:
        savepoint.rollback()
    if report.already_imported:
        return report
    for row in report.rows:
        row.contact_id = None if row.outcome == "added" else row.contact_id
    return ImportReport(filename, None, report.profile, report.counts, report.rows, report.notes)


def import_file(
    session: Session,
    data: bytes,
    filename: str,
    *,
    exhibition: Exhibition,
    exporter: Exporter | None = None,
    home_country: str | None = None,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    now: datetime,
    by: str,
) -> ImportReport:
    """Take a contact list in as one batch that can be undone; the very same file again changes nothing.

    ``exporter``: all rows are this exporter's. ``home_country``: see ``read_contacts``. ``mapping``: header as written
    → canonical field, overruling what we recognise. Raises BadInput when the file cannot be read.
    """
    digest = hashlib.sha256(data).hexdigest()
    dates = EventDates(exhibition.starts_on, exhibition.ends_on)
    result = read_contacts(data, filename, home_country=home_country, event=dates, columns=mapping, encoding=encoding)
    known = _same_file(session, digest, exhibition, exporter)
    if known:
        return _already(known, filename, result)
    intake = Intake(session, result, exhibition, exporter, filename, kind_of(result.profile), now, by)
    rows = intake.run()
    batch = ImportBatch(
        filename=filename[:255],
        sha256=digest,
        exhibition_id=exhibition.id or 0,
        exporter_id=exporter.id if exporter else None,
        home_country=home_country or "",
        profile=profile_json(result.profile),
        created_at=now,
        created_by=by,
    )
    batch.counts = {**_counts(result, [row.outcome for row in rows]), **intake.counts}
    session.add(batch)
    session.flush()
    assert batch.id is not None
    intake.write_ledger(batch.id)
    events.record(
        session,
        "list_imported",
        "import_batch",
        batch.id,
        at=now,
        actor=by,
        exporter_id=batch.exporter_id,
        data={"file": filename, **batch.counts},
    )
    session.flush()
    return ImportReport(filename, batch.id, result.profile, dict(batch.counts), rows, list(result.profile.notes))


def undo(
    session: Session,
    batch_id: int,
    *,
    now: datetime,
    by: str,
    mailed: undoing.Mailed,
    release: undoing.Release | None = None,
) -> UndoReport:
    """Take a batch back: restore every changed value, remove what it made, keep what people edited since.

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
    report = undoing.Undoing(session, batch, mailed, release).run()
    batch.status, batch.undone_at, batch.undone_by = report.status, now, by
    session.add(batch)
    events.record(
        session,
        "import_undone",
        "import_batch",
        batch_id,
        at=now,
        actor=by,
        exporter_id=batch.exporter_id,
        data={"removed": report.removed, "restored": report.restored, "kept": len(report.kept)},
    )
    session.flush()
    return report


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


def _already(batch: ImportBatch, filename: str, result: ReadResult) -> ImportReport:
    note = Issue("already_imported", {"day": batch.created_at.date().isoformat()})
    lines = len(result.rows) + len(result.refused) + len(result.skipped)
    counts = {"found": lines, "added": 0, "merged": 0, "unchanged": len(result.rows)}
    counts |= {"refused": len(result.refused), "skipped": len(result.skipped)}
    return ImportReport(filename, batch.id, result.profile, counts, [], [note])


def _counts(result: ReadResult, outcomes: list[str]) -> dict[str, int]:
    counts = {name: outcomes.count(name) for name in ("added", "merged", "unchanged", "refused")}
    skipped = len(result.skipped)
    return {"found": len(outcomes) + skipped, **counts, "skipped": skipped}
