"""What columns meant in the lists of one source: a mapping that a person settled is remembered by the header line.

The next list with the same header line is read the same way, and says whose decision that was.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from crm.imports.mending import is_ours
from crm.imports.models import SavedMapping
from crm.imports.records import Profile, SheetProfile
from crm.imports.service import OpenedFile, Purpose, open_file
from crm.imports.text import folded, one_line

NAMED_BY_US = frozenset({"vcf"})
"""Formats whose columns we name ourselves; there is nothing to be settled."""


@dataclass(frozen=True)
class Recalled:
    """A remembered mapping: header as written → field ("" for none), and who settled it last."""

    columns: dict[str, str]
    by: str
    at: datetime

    def differing(self, profile: Profile) -> dict[str, str]:
        """Return the part that was recognised as something else. What is recognised anyway may stand in context."""
        present = {column.header: column.field or "" for sheet in profile.sheets for column in sheet.columns}
        return {header: name for header, name in self.columns.items() if present.get(header, name) != name}


def fingerprint(sheet: SheetProfile) -> str:
    """Return the mark of a sheet's header line: equal for the same columns in the same order; empty without one.

    The columns that we put before the rows of a file to be mended do not count.
    """
    headers = [folded(one_line(column.header)) for column in sheet.columns if not is_ours(column.header)]
    text = "\x1f".join(headers).strip("\x1f")
    return hashlib.sha256(text.encode()).hexdigest()[:32] if text and sheet.header_row else ""


@dataclass(frozen=True)
class KnownFile:
    """A file that was looked over as is remembered of its source; ``purpose`` includes what that adds."""

    purpose: Purpose
    opened: OpenedFile
    recalled: Recalled | None


def open_known(session: Session, data: bytes, filename: str, purpose: Purpose) -> KnownFile:
    """Look a file over, its columns read as is remembered of its source. What is chosen now goes before that.

    Writes nothing. Raises BadInput when the file cannot be read.
    """
    opened = open_file(data, filename, purpose)
    recalled = recall(session, opened.listed.profile)
    differing = recalled.differing(opened.listed.profile) if recalled else {}
    wanted = {header: name for header, name in differing.items() if header not in purpose.options.columns}
    if wanted:
        options = replace(purpose.options, columns={**wanted, **purpose.options.columns})
        purpose = replace(purpose, options=options)
        opened = open_file(data, filename, purpose)
    return KnownFile(purpose, opened, recalled)


def recall(session: Session, profile: Profile) -> Recalled | None:
    """Return what is remembered of a file's header lines, or None."""
    saved = [row for row in (_saved(session, sheet) for sheet in profile.sheets) if row]
    if not saved or profile.format in NAMED_BY_US:
        return None
    newest = max(saved, key=lambda row: row.used_at)
    return Recalled(
        {header: name for row in saved for header, name in row.columns.items()}, newest.used_by, newest.used_at
    )


def _saved(session: Session, sheet: SheetProfile) -> SavedMapping | None:
    mark = fingerprint(sheet)
    return session.get(SavedMapping, mark) if mark else None


def remember(session: Session, profile: Profile, *, now: datetime, by: str) -> None:
    """Keep what the columns of every sheet were taken for."""
    if profile.format in NAMED_BY_US:
        return
    for sheet in profile.sheets:
        mark = fingerprint(sheet)
        if mark:
            columns = {c.header: c.field or "" for c in sheet.columns if c.header and not is_ours(c.header)}
            session.merge(SavedMapping(fingerprint=mark, columns=columns, used_at=now, used_by=by))
    session.flush()


def forget(session: Session, fingerprints: list[str]) -> None:
    """Forget mappings; lists of that source are read as recognised again."""
    for mark in fingerprints:
        row = session.get(SavedMapping, mark)
        if row:
            session.delete(row)
    session.flush()


def is_known(profile: Profile, recalled: Recalled | None) -> bool:
    """Tell whether nobody needs to look at the columns: each is recognised for sure, chosen or remembered."""
    settled = recalled.columns if recalled else {}
    return all(
        column.certainty in ("exact", "chosen") or column.header in settled
        for sheet in profile.sheets
        for column in sheet.columns
        if column.samples  # an empty column can be taken for nothing wrong
    )


def as_json(recalled: Recalled) -> dict[str, Any]:
    """Return what a page needs to say about a remembered mapping."""
    return {"by": recalled.by, "at": recalled.at.isoformat(), "headers": sorted(recalled.columns)}
