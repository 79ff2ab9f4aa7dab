"""Files on their way in. Each keeps the choices made so far and what an import would do, so that the wizard can be
left and taken up again. Nothing of an upload is a contact before ``take_in``.

``Upload.options`` holds the choices (``CHOICES``), ``version`` (how often it was looked at, so that a page knows
whether it is out of date) and ``preview``: what an import would do. Without a preview the file has to be looked at
(``check``) before anything else; that is so after a choice, and after a machine stopped half-way.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from crm.accounts.rules import Action, Viewer, require
from crm.core import events
from crm.core.db import alone
from crm.core.errors import NotFound, Refused, Stale
from crm.core.i18n import _
from crm.exporters.models import Exhibition, Exporter
from crm.imports import service, sources
from crm.imports.contactlist import ContactList
from crm.imports.models import Upload
from crm.imports.records import Issue, ReadOptions
from crm.imports.report import (
    LINES_KEPT,
    TO_MEND,
    Findings,
    ImportReport,
    RowReport,
    issue_json,
    profile_json,
)
from crm.imports.service import Progress, Purpose
from crm.imports.texts import ROW_REFUSALS

CHOICES = ("encoding", "delimiter", "columns", "header_rows", "skipped_sheets", "corrections", "left_out", "settled")
SMALL = 2_000
"""Lines of a file that is looked at while the person waits."""
FIRST_ROWS = 5
LINES_TO_POINT_AT = 15
# What of a row tells about a finding that names no column.
_TELLING = {
    "no_identity": ("full_name", "family_name", "given_name", "company", "email", "mobile", "phone"),
    "not_mailable": ("email",),
    "no_person_name": ("full_name", "family_name", "given_name"),
    "test_row": ("full_name", "company", "email"),
    "exporter_unknown": ("exporter", "booth"),
    "exporter_missing": ("exporter", "booth"),
    "ambiguous_person": ("full_name", "family_name", "given_name", "company", "email"),
    "email_of_other": ("email",),
    "suppressed": ("email",),
}
_SETTLED = frozenset({"left_out", "consent_privacy_refused"})
"""Refusals that somebody decided; there is nothing to be mended."""
Place = tuple[str, int]
"""Sheet ("" in a file without sheets) and row number."""


@dataclass(frozen=True)
class Prepared:
    """An upload that was read as it was chosen at its ``version``."""

    known: sources.KnownFile
    version: int


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
    """Store a file; it has to be looked at (``check``) next."""
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
    return upload


def is_small(upload: Upload) -> bool:
    """Tell whether a file can be looked at while the person waits. Workbooks are packed and so judged by their size."""
    lines = lines_known(upload)
    if lines:
        return lines <= SMALL
    data = upload.content
    if data[:2] in (b"PK", b"\xd0\xcf"):
        return len(data) <= 100 * SMALL
    return len(data) <= 2_000 * SMALL and max(data.count(b"\n"), data.count(b"\r")) <= SMALL


def lines_known(upload: Upload) -> int:
    """Return how many lines the file has, 0 as long as nobody looked."""
    return int(upload.options.get("lines", 0))


# ---- choices; each takes the preview away, and the file has to be looked at again


def choose(upload: Upload, **choices: Any) -> None:
    """Change choices (see ``CHOICES``)."""
    _refuse_done(upload)
    kept = {name: value for name, value in upload.options.items() if name != "preview"}
    upload.options = {**kept, **choices, "version": version(upload) + 1}


def choose_columns(upload: Upload, columns: Mapping[str, str]) -> None:
    """Keep what the columns were chosen to be: header as written → field, "" for none. They count as settled."""
    choose(upload, columns=dict(columns), settled=True, header_rows=_settled_header(upload))


def _settled_header(upload: Upload) -> dict[str, int]:
    """Who says what the columns of a list without a known header line are says that it has none."""
    rows = dict(upload.options.get("header_rows") or {})
    return {**rows, first_sheet(upload): 0} if asks_for_header(upload) else rows


def asks_for_header(upload: Upload) -> bool:
    """Tell whether nobody has said yet where the list begins, and it could not be found out."""
    return any(note["code"] == "header_asked" for note in upload.options["preview"]["notes"])


def first_sheet(upload: Upload) -> str:
    """Return the name of the first sheet that is read, "" in a file without sheets."""
    return str(upload.options["preview"]["sheets"][0]["name"])


def choose_header(upload: Upload, row: int) -> None:
    """Say which line of the first sheet names its columns; 0: none does."""
    choose(upload, header_rows={**(upload.options.get("header_rows") or {}), first_sheet(upload): row})


def correct(upload: Upload, texts: Iterable[tuple[Place, int, str]]) -> None:
    """Put other texts in cells, given by place and column from 0."""
    found = {sheet: {row: dict(cells) for row, cells in rows.items()} for sheet, rows in _corrections(upload).items()}
    for (sheet, row), column, text in texts:
        found.setdefault(sheet, {}).setdefault(str(row), {})[str(column)] = text
    choose(upload, corrections=found)


def leave_out(upload: Upload, places: Iterable[Place]) -> None:
    """Leave rows out of the import."""
    choose(upload, left_out=[list(place) for place in sorted({*left_out(upload), *places})])


def take_back_in(upload: Upload, places: Iterable[Place] | None = None) -> None:
    """Take rows in again that were left out, all of them when none are named."""
    gone = left_out(upload)
    choose(upload, left_out=[list(place) for place in sorted(gone - (gone if places is None else set(places)))])


def left_out(upload: Upload) -> set[Place]:
    """Return the rows that are left out."""
    return {(sheet, row) for sheet, row in upload.options.get("left_out", ())}


def _corrections(upload: Upload) -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = upload.options.get("corrections") or {}
    return found


def corrected(upload: Upload, place: Place, column: int) -> str | None:
    """Return the text that was put in a cell, None where there is none."""
    return _corrections(upload).get(place[0], {}).get(str(place[1]), {}).get(str(column))


def forget_mapping(session: Session, upload: Upload) -> None:
    """Forget what is remembered of the file's source, and what was chosen in this file."""
    marks = [sheet["fingerprint"] for sheet in upload.options["preview"]["sheets"]]
    sources.forget(session, [mark for mark in marks if mark])
    choose(upload, columns={}, settled=False)


# ---- looking at the file


def prepare(session: Session, upload: Upload) -> Prepared:
    """Read the file as chosen, or as is remembered of its source; writes nothing. Raises BadInput (unreadable)."""
    known = sources.open_known(session, upload.content, upload.filename, _purpose(session, upload))
    return Prepared(known, version(upload))


def check(
    session: Session,
    upload: Upload,
    *,
    now: datetime,
    prepared: Prepared | None = None,
    progress: Progress | None = None,
) -> None:
    """Find out and keep what an import would do now.

    Raises BadInput (unreadable), Refused (imported before), Stale (chosen otherwise since it was prepared).
    """
    _refuse_done(upload)
    prepared = prepared or prepare(session, upload)
    _refuse_stale(upload, prepared.version)
    report = service.preview_opened(session, prepared.known.opened, prepared.known.purpose, now=now, progress=progress)
    found = _preview(report, prepared, now)
    seen = {"preview": found, "version": version(upload) + 1, "lines": prepared.known.opened.lines}
    upload.options = {**upload.options, **seen}
    session.add(upload)
    session.flush()


def version(upload: Upload) -> int:
    """Return how often the file was looked at."""
    return int(upload.options.get("version", 0))


def refuse_stale(upload: Upload, seen: str) -> None:
    """Raise Stale when a page shows an earlier look at the file than the last."""
    _refuse_stale(upload, int(seen) if seen.isdecimal() else -1)


def _refuse_stale(upload: Upload, seen: int) -> None:
    if seen != version(upload):
        raise Stale(_("Somebody changed this while you were reading. Load it again."))


def next_step(upload: Upload) -> str:
    """Return the step at which a person is needed next: columns, problems or confirm."""
    preview = upload.options["preview"]
    if not (preview["known"] or upload.options.get("settled")):
        return "columns"
    return "problems" if any(mends(problem["code"]) for problem in preview["problems"]) else "confirm"


def mends(code: str) -> bool:
    """Tell whether a finding wants a person's eye: the row is refused, or something of it is lost."""
    return code in TO_MEND or (code in ROW_REFUSALS and code not in _SETTLED)


def rows_with(session: Session, upload: Upload, code: str, *, now: datetime) -> list[Place]:
    """Return the places of all rows with a finding, also those that are not shown."""
    problem = next((one for one in upload.options["preview"]["problems"] if one["code"] == code), None)
    if problem is None:
        return []
    if problem["count"] <= len(problem["lines"]):
        return [(line["sheet"], line["row"]) for line in problem["lines"]]
    found: list[Place] = []

    def see(row: RowReport) -> None:
        if any(issue.code == code for issue in row.issues):
            found.append((row.sheet or "", row.row))

    prepared = prepare(session, upload)
    service.preview_opened(session, prepared.known.opened, prepared.known.purpose, now=now, each=see)
    return found


# ---- the end


def take_in(
    session: Session,
    upload: Upload,
    *,
    now: datetime,
    by: str,
    prepared: Prepared | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import the file for good. Raises Refused when that was done before, with this upload or with the same file."""
    alone(session, "imports")
    session.refresh(upload, ["batch_id", "options"])
    _refuse_done(upload)
    prepared = prepared or prepare(session, upload)
    _refuse_stale(upload, prepared.version)
    report = service.import_opened(
        session, prepared.known.opened, prepared.known.purpose, now=now, by=by, progress=progress
    )
    if any(note.code == "header_asked" for note in report.notes):
        raise Refused(_("Say first what the columns of the file are."), code="header_asked")
    if report.already_imported:
        raise Refused(" ".join(report.note_sentences()), code="already_imported")
    if upload.options.get("settled"):
        sources.remember(session, report.profile, now=now, by=by)
    upload.batch_id = report.batch_id
    session.add(upload)
    session.flush()
    return report


def discard(session: Session, upload: Upload, *, now: datetime, by: str) -> None:
    """Throw a file away that was not imported; nothing of it stays."""
    _refuse_done(upload)
    events.record(session, "upload_discarded", "upload", upload.id, at=now, actor=by, data={"file": upload.filename})
    session.delete(upload)


def hand_out(session: Session, upload: Upload, *, now: datetime, by: str) -> bytes:
    """Return the file as it was uploaded, and record who took it."""
    told = {"file": upload.filename, "sha256": upload.sha256}
    events.record(session, "original_downloaded", "upload", upload.id, at=now, actor=by, data=told)
    return upload.content


def get_upload(session: Session, viewer: Viewer, upload_id: int) -> Upload:
    """Return one upload. Raises NotFound, and NotAllowed for who may not import."""
    require(viewer, Action.IMPORT)
    upload = session.get(Upload, upload_id)
    if upload is None:
        raise NotFound(_("There is no such upload."))
    return upload


def upload_of(session: Session, viewer: Viewer, batch_id: int) -> Upload | None:
    """Return the upload that an import came from; there is none for files imported on the command line."""
    require(viewer, Action.IMPORT)
    return session.exec(select(Upload).where(Upload.batch_id == batch_id)).first()


def list_unfinished(session: Session, viewer: Viewer) -> list[Upload]:
    """Return the uploads that were not imported yet, the newest first; their contents are not loaded."""
    require(viewer, Action.IMPORT)
    rows = select(Upload).where(col(Upload.batch_id).is_(None)).options(defer(Upload.content))  # type: ignore[arg-type]
    return list(session.exec(rows.order_by(col(Upload.id).desc())))


def _refuse_done(upload: Upload) -> None:
    if upload.batch_id is not None:
        raise Refused(_("This file has been imported already."), code="already_imported")


def _purpose(session: Session, upload: Upload) -> Purpose:
    chosen = upload.options
    corrections = {
        (sheet, int(row)): {int(column): text for column, text in cells.items()}
        for sheet, rows in _corrections(upload).items()
        for row, cells in rows.items()
    }
    options = ReadOptions(
        encoding=chosen.get("encoding") or None,
        delimiter=chosen.get("delimiter") or None,
        home_country=upload.home_country or None,
        columns=chosen.get("columns") or {},
        header_rows=chosen.get("header_rows") or {},
        skipped_sheets=frozenset(chosen.get("skipped_sheets") or ()),
        corrections=corrections,
        left_out=frozenset(left_out(upload)),
        asks=True,
    )
    exporter = session.get_one(Exporter, upload.exporter_id) if upload.exporter_id else None
    return Purpose(session.get_one(Exhibition, upload.exhibition_id), exporter, options)


# ---- what is kept of a look at a file


def _preview(report: ImportReport, prepared: Prepared, now: datetime) -> dict[str, Any]:
    profile, recalled, listed = report.profile, prepared.known.recalled, prepared.known.opened.listed
    asked = any(note.code == "header_asked" for note in profile.notes)
    pointed = profile.sheets[0].header_row == 0 or prepared.known.purpose.options.header_rows
    return {
        "at": now.isoformat(),
        "counts": report.counts,
        "same_as": report.batch_id if report.already_imported else None,
        "notes": [issue_json(note) for note in report.notes],
        "profile": profile_json(profile),
        "sheets": [{"name": sheet.name or "", "fingerprint": sources.fingerprint(sheet)} for sheet in profile.sheets],
        "first": _first_rows(listed),
        "head": _head(listed) if pointed else [],
        "known": not asked and sources.is_known(profile, recalled),
        "recalled": sources.as_json(recalled) if recalled else None,
        "problems": _problems(report),
        "changes": _changes(report.findings),
    }


def _first_rows(listed: ContactList) -> list[dict[str, Any]]:
    """Return the first rows as read, the proof that the encoding is right; what must not be stored is not in them."""
    told = (row for row in listed.lines() if row.raw)
    return [
        {"row": row.number, "sheet": row.sheet or "", "cells": [text[:60] for text in row.raw]}
        for row in islice(told, FIRST_ROWS)
    ]


def _head(listed: ContactList) -> list[dict[str, Any]]:
    """Return the lines among which a person finds the header line."""
    return [{"row": number, "cells": [text[:60] for text in texts]} for number, texts in listed.head(LINES_TO_POINT_AT)]


def _problems(report: ImportReport) -> list[dict[str, Any]]:
    """Return the findings by code, the worst first, each with its first rows and the cells that it is about."""
    columns = {sheet.name or "": _Columns(sheet.columns) for sheet in report.profile.sheets}
    found = [
        {
            "code": code,
            "count": count,
            "lines": [_line(row, issue, columns.get(row.sheet or "")) for row, issue in report.findings.lines[code]],
        }
        for code, count in report.findings.codes().items()
    ]
    return sorted(found, key=lambda problem: _gravity(str(problem["code"])))


def _gravity(code: str) -> int:
    return 2 - mends(code) - (mends(code) and code in ROW_REFUSALS)


class _Columns:
    """Finds the columns that a finding is about: the one it names, else those of the fields that matter to it."""

    def __init__(self, columns: Iterable[Any]) -> None:
        self.of_label: dict[str, int] = {}
        self.of_field: dict[str, list[int]] = {}
        seen: Counter[str] = Counter()
        for column in columns:
            label = " ".join(column.header.split())
            seen[label] += 1
            if not label or seen[label] > 1:
                label = f"{label} #{column.index + 1}".strip()
            self.of_label[label] = column.index
            if column.field:
                self.of_field.setdefault(column.field, []).append(column.index)

    def about(self, issue: Issue) -> list[int]:
        named = self.of_label.get(str(issue.params.get("column", "")))
        if named is not None:
            return [named]
        return [place for name in _TELLING.get(issue.code, ()) for place in self.of_field.get(name, ())]


def _line(row: RowReport, issue: Issue, columns: _Columns | None) -> dict[str, Any]:
    cells = columns.about(issue) if columns and (row.raw or row.outcome != "refused") else []
    texts = [[place, row.raw[place] if place < len(row.raw) else ""] for place in cells]
    return {**issue_json(issue), "row": row.row, "sheet": row.sheet or "", "name": row.name, "cells": texts}


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
