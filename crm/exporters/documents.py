"""Papers of exporters: catalogues, price lists, certificates, quotations. Kept by version, bytes once by their hash.

What a file is, is told by its content (``sniffed``); its name and what the browser says are not believed.
"""

import hashlib
import io
import re
import unicodedata
import zipfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from crm.accounts.rules import Action, Viewer, require
from crm.accounts.scope import only_visible
from crm.core import events
from crm.core.db import alone
from crm.core.errors import BadInput, NotFound, Place, Problem, Refused
from crm.core.i18n import N_, _
from crm.exporters.models import Document, Exporter, ProductLine, StoredFile

PDF = "application/pdf"
PNG = "image/png"
JPEG = "image/jpeg"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ENDINGS = {PDF: ".pdf", XLSX: ".xlsx", PNG: ".png", JPEG: ".jpg"}
MAX_NAME = 80


class Kind(StrEnum):
    """What a document is for. Letters ask for one of the first four by this name."""

    CATALOGUE = "catalogue"
    PRICE_LIST = "price_list"
    CERTIFICATE = "certificate"
    QUOTATION = "quotation"
    OTHER = "other"


KINDS = {
    Kind.CATALOGUE: N_("Catalogue"),
    Kind.PRICE_LIST: N_("Price list"),
    Kind.CERTIFICATE: N_("Certificate"),
    Kind.QUOTATION: N_("Quotation"),
    Kind.OTHER: N_("Other document"),
}
_ONE_A_LANGUAGE = frozenset({Kind.CATALOGUE, Kind.PRICE_LIST})
"""Of these a product line has one in each language; of others as many as have different titles."""


@dataclass(frozen=True)
class Paper:
    """What is said about a file when it is uploaded. ``language`` "" for a paper that has none."""

    kind: str
    title: str
    language: str = ""
    product_line_id: int | None = None


# --- rules -----------------------------------------------------------------------------------------------------------


def sniffed(data: bytes) -> str | None:
    """Return the media type that the bytes show, or None when it is none that letters carry."""
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return PDF
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    return XLSX if data.startswith(b"PK\x03\x04") and _is_workbook(data) else None


def _is_workbook(data: bytes) -> bool:
    """A workbook without macros; only the table of contents is read, so a bomb of zeros costs nothing."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = set(packed.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False
    return {"[Content_Types].xml", "xl/workbook.xml"} <= names and not any("vbaProject" in name for name in names)


def file_name(name: str, media_type: str) -> str:
    """Return the name a file goes out under: without folders and signs that no system takes, its ending by content."""
    base = re.split(r"[/\\]", name)[-1]
    stem = base[: base.rfind(".")] if re.search(r"\.[A-Za-z0-9]{1,5}$", base) else base
    kept = "".join(" " if char in ':*?"<>|' or unicodedata.category(char)[0] in "CZ" else char for char in stem)
    kept = " ".join(unicodedata.normalize("NFC", kept).split()).strip(" .")[:MAX_NAME]
    while len(kept.encode()) > 230:  # an emoji or Hangul takes several bytes, and systems count those
        kept = kept[:-1]
    return f"{kept.strip(' .') or 'document'}{ENDINGS[media_type]}"


def series_of(paper: Paper) -> str:
    """Return the name of the paper of which an upload is a version."""
    parts = [paper.kind, str(paper.product_line_id or ""), paper.language]
    if paper.kind not in _ONE_A_LANGUAGE:
        parts.append(" ".join(paper.title.casefold().split()))
    return "|".join(parts)


def faults_of(paper: Paper, data: bytes, languages: Collection[str], max_bytes: int) -> list[Problem]:
    """Return what is wrong with an upload, all of it."""
    found = []
    if paper.kind not in set(Kind):
        found.append(_fault("kind", _("Choose what kind of document it is.")))
    if not 0 < len(paper.title.strip()) <= 200:
        found.append(_fault("title", _("Write a title of at most 200 characters.")))
    if paper.language and paper.language not in languages:
        found.append(_fault("language", _("Choose the language of the document.")))
    if paper.kind in _ONE_A_LANGUAGE and not paper.language:
        found.append(_fault("language", _("Choose the language of the document.")))
    if paper.kind in _ONE_A_LANGUAGE and paper.product_line_id is None:
        found.append(_fault("line_id", _("Choose the product line that it shows.")))
    return [*found, *_faults_of_file(data, max_bytes)]


def _faults_of_file(data: bytes, max_bytes: int) -> Iterable[Problem]:
    if not data:
        yield _fault("file", _("Choose a file."))
    elif len(data) > max_bytes:
        most = max_bytes // (1024 * 1024)
        yield _fault("file", _("The file is too large; {most} MB are the most.", most=most))
    elif sniffed(data) is None:
        yield _fault("file", _("Only PDF, XLSX without macros, PNG and JPG can be sent. This file is none of them."))


def _fault(name: str, message: str) -> Problem:
    return Problem(message, Place(field=name))


# --- verbs -----------------------------------------------------------------------------------------------------------


def add(
    session: Session,
    viewer: Viewer,
    exporter: Exporter,
    paper: Paper,
    data: bytes,
    name: str,
    *,
    languages: Collection[str],
    max_bytes: int,
    now: datetime,
) -> Document:
    """Store a file as the newest version of its paper, which letters take from now on; older versions stay.

    Raises BadInput naming the field, NotFound for a company or line that is not the viewer's, Refused when it is the
    very file that is current already.
    """
    exporter_id = _own(viewer, exporter)
    faults = faults_of(paper, data, languages, max_bytes)
    if faults:
        raise BadInput(faults)
    _require_line(session, exporter_id, paper.product_line_id)
    media_type = sniffed(data)
    assert media_type is not None
    alone(session, f"documents of {exporter_id}")
    versions = _versions(session, exporter_id, series_of(paper))
    sha256 = _keep(session, data)
    _retire(session, versions, sha256)
    row = Document(
        exporter_id=exporter_id,
        product_line_id=paper.product_line_id,
        kind=paper.kind,
        language=paper.language,
        title=" ".join(paper.title.split()),
        filename=file_name(name, media_type),
        media_type=media_type,
        size=len(data),
        sha256=sha256,
        series=series_of(paper),
        number=len(versions) + 1,
        created_at=now,
        created_by=viewer.email,
    )
    session.add(row)
    session.flush()
    _tell(session, "document_added", row, viewer, now)
    return row


def make_current(session: Session, viewer: Viewer, row: Document, *, now: datetime) -> None:
    """Let letters take this version of a paper again, an older one or one that was withdrawn."""
    _require_own(viewer, row)
    alone(session, f"documents of {row.exporter_id}")
    for other in _versions(session, row.exporter_id, row.series):
        other.current = False
    session.flush()  # the database lets only one be current at a time
    row.current, row.withdrawn_at = True, None
    session.flush()
    _tell(session, "document_made_current", row, viewer, now)


def withdraw(session: Session, viewer: Viewer, row: Document, *, now: datetime) -> None:
    """Take a version back: no letter takes it, and links to it give nothing any more. The bytes stay for the record."""
    _require_own(viewer, row)
    if row.withdrawn_at is not None:
        raise Refused(_("This document was withdrawn already."))
    row.current, row.withdrawn_at = False, now
    session.flush()
    _tell(session, "document_withdrawn", row, viewer, now)


def _keep(session: Session, data: bytes) -> str:
    """Store bytes under their hash unless they are there; two at once with the same file are no trouble."""
    sha256 = hashlib.sha256(data).hexdigest()
    if session.exec(select(StoredFile.sha256).where(StoredFile.sha256 == sha256)).first() is None:
        try:
            with session.begin_nested():
                session.add(StoredFile(sha256=sha256, size=len(data), content=data))
        except IntegrityError:  # the other one was faster, with the same bytes
            pass
    return sha256


def _versions(session: Session, exporter_id: int, series: str) -> Sequence[Document]:
    rows = select(Document).where(Document.exporter_id == exporter_id, Document.series == series)
    return session.exec(rows.order_by(col(Document.number))).all()


def _retire(session: Session, versions: Sequence[Document], sha256: str) -> None:
    for row in versions:
        if row.current and row.sha256 == sha256:
            raise Refused(_("This very file is the current version already."), code="same_file")
        row.current = False
    session.flush()


def _own(viewer: Viewer, exporter: Exporter) -> int:
    require(viewer, Action.EDIT_PRODUCTS)
    assert exporter.id is not None
    if not viewer.sees(exporter.id):
        raise NotFound(_("There is no such company."))
    return exporter.id


def _require_own(viewer: Viewer, row: Document) -> None:
    require(viewer, Action.EDIT_PRODUCTS)
    if not viewer.sees(row.exporter_id):
        raise NotFound(_("There is no such document."))


def _require_line(session: Session, exporter_id: int, line_id: int | None) -> None:
    line = session.get(ProductLine, line_id) if line_id is not None else None
    if line_id is not None and (line is None or line.exporter_id != exporter_id):
        raise BadInput([_fault("line_id", _("There is no such product line."))])


def _tell(session: Session, verb: str, row: Document, viewer: Viewer, now: datetime) -> None:
    data = {"series": row.series, "number": row.number, "sha256": row.sha256, "file": row.filename}
    events.record(session, verb, "document", row.id, at=now, actor=viewer.email, exporter_id=row.exporter_id, data=data)
    session.flush()


# --- reading ---------------------------------------------------------------------------------------------------------


def list_documents(session: Session, viewer: Viewer, exporter_id: int) -> Sequence[Document]:
    """Return all versions of all papers of a company, the newest of each first; nothing of one not the viewer's."""
    rows = select(Document).where(Document.exporter_id == exporter_id)
    rows = rows.order_by(col(Document.series), col(Document.number).desc())
    return session.exec(only_visible(rows, viewer, col(Document.exporter_id))).all()


def get_document(session: Session, viewer: Viewer, document_id: int) -> Document:
    """Return one version that the viewer may see, else NotFound."""
    rows = select(Document).where(Document.id == document_id)
    found = session.exec(only_visible(rows, viewer, col(Document.exporter_id))).first()
    if found is None:
        raise NotFound(_("There is no such document."))
    return found


def content(session: Session, sha256: str) -> bytes:
    """Return the bytes of a stored file. Raises NotFound."""
    found = session.exec(select(StoredFile.content).where(StoredFile.sha256 == sha256)).first()
    if found is None:
        raise NotFound(_("There is no such document."))
    return found


class Shelf:
    """The current documents of some exporters, read once, to be asked for many letters."""

    def __init__(self, session: Session, exporter_ids: Collection[int]) -> None:
        ids = sorted(set(exporter_ids))
        rows = select(Document).where(col(Document.exporter_id).in_(ids), col(Document.current))
        self._rows: dict[tuple[int, str], list[Document]] = {}
        for row in session.exec(rows.order_by(col(Document.id))):
            self._rows.setdefault((row.exporter_id, row.kind), []).append(row)
        lines = select(ProductLine.id, ProductLine.parent_id).where(col(ProductLine.exporter_id).in_(ids))
        self._above: dict[int | None, int | None] = dict(session.exec(lines).all()) if self._rows else {}

    def find(self, kind: str, exporter_id: int, line_id: int | None, language: str) -> Document | None:
        """Return the document of a kind that a letter in ``language`` takes: in that language, else English, else none.

        In each of the two the line's own comes before that of a line above it, and that before one of the whole firm.
        A paper that has no language fits every letter.
        """
        rows = self._rows.get((exporter_id, kind))
        if not rows:
            return None
        fitting = [
            (order, place, -(row.id or 0), row)
            for row in rows
            if (order := _order(row, language)) is not None and (place := self._place(row, line_id)) is not None
        ]
        return min(fitting)[-1] if fitting else None

    def find_all(self, kind: str, exporter_id: int, line_id: int | None, language: str) -> list[Document]:
        """Return all documents of a kind that fit, one of each title: certificates, of which a line has several."""
        best: dict[str, tuple[int, Document]] = {}
        for row in self._rows.get((exporter_id, kind), ()):
            order, title = _order(row, language), row.title.casefold()
            if order is None or self._place(row, line_id) is None:
                continue
            if title not in best or order < best[title][0]:
                best[title] = (order, row)
        return [row for _order_, row in best.values()]

    def _place(self, row: Document, line_id: int | None) -> int | None:
        """How far above the line the document stands; None where it belongs to another line."""
        chain = [line_id]
        while chain[-1] is not None and len(chain) < 20:  # a tree is not as deep as that; a ring would be
            chain.append(self._above.get(chain[-1]))
        if row.product_line_id in chain:
            return chain.index(row.product_line_id)
        return len(chain) if row.product_line_id is None else None


def _order(row: Document, language: str) -> int | None:
    wanted = (language, "en")
    return 0 if not row.language else wanted.index(row.language) if row.language in wanted else None
