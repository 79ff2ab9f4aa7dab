"""What a company sells and the documents that go along with its letters: by language and version, and where used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from crm.accounts.rules import Action, may, require
from crm.core import i18n
from crm.core.errors import BadInput, NotFound, Place, Problem, Refused
from crm.core.i18n import _, ngettext
from crm.drafts.language import LANGUAGES
from crm.exporters import documents, facts, queries
from crm.exporters.documents import KINDS, Paper
from crm.exporters.models import Document, Exporter, ProductLine
from crm.exporters.rules import INCOTERMS, in_language
from crm.exporters.service import lines_of
from crm.review import queries as reviews
from crm.web import words
from crm.web.downloads import download
from crm.web.routes.imports import Posted
from crm.web.visits import SignedIn, Visit

router = APIRouter()
MEGA = 1024 * 1024
EMPTY = {"kind": "catalogue", "title": "", "language": "en", "line_id": ""}


@dataclass(frozen=True)
class Shelf:
    """The documents of one product line, or (without one) those of the whole company."""

    line: ProductLine | None
    documents: list[Document]
    missing: list[str]

    @property
    def missing_names(self) -> str:
        """Return the languages in which the line has no catalogue of its own."""
        return ", ".join(words.tongue(code) for code in self.missing)


@router.get("/products")
def products(visit: SignedIn) -> Response:
    companies = queries.list_exporters(visit.db, visit.viewer)
    if len(companies) == 1:
        return RedirectResponse(f"/products/{companies[0].id}", status_code=303)
    return visit.page("products/list.html", companies=companies)


@router.get("/products/{exporter_id}")
def company(visit: SignedIn, exporter_id: int) -> Response:
    queries.get_exporter(visit.db, visit.viewer, exporter_id)
    first = next((str(line.id) for line in lines_of(visit.db, exporter_id)), "")
    return visit.page("products/exporter.html", **_shown(visit, exporter_id, {**EMPTY, "line_id": first}))


def _shown(visit: Visit, exporter_id: int, typed: dict[str, str]) -> dict[str, Any]:
    found = queries.get_exporter(visit.db, visit.viewer, exporter_id)
    lines = lines_of(visit.db, exporter_id)
    papers = _newest(documents.list_documents(visit.db, visit.viewer, exporter_id))
    settings = visit.context.settings
    return {
        "company": found,
        "places": _shelves(lines, papers),
        "uses": reviews.uses_of(visit.db, visit.viewer, [one.id for one in papers if one.id]),
        "kinds": [(kind.value, _(name)) for kind, name in KINDS.items()],
        "lines": [("", _("all products")), *((line.id, in_language(line.names, i18n.language())) for line in lines)],
        "languages": [("", _("none")), *((code, words.tongue(code)) for code in LANGUAGES)],
        "limit": f"{settings.documents.attach_mb:g}",
        "link_days": settings.documents.link_days,
        "upload_limit": settings.web.max_upload_mb,
        "typed": typed,
        "may_edit": may(visit.viewer, Action.EDIT_PRODUCTS),
        **_words(),
    }


def _words() -> dict[str, Any]:
    return {"kind_names": {kind.value: _(name) for kind, name in KINDS.items()}, "size": _size, "used_text": _used}


def _newest(papers: Sequence[Document]) -> list[Document]:
    """Return of each paper the version that letters take, else the last one."""
    found: dict[str, Document] = {}
    for one in papers:
        if one.series not in found or one.current:
            found[one.series] = one
    return list(found.values())


def _shelves(lines: Sequence[ProductLine], papers: Sequence[Document]) -> list[Shelf]:
    shelves = []
    for line in (*lines, None):
        own = [one for one in papers if one.product_line_id == (line.id if line else None)]
        there = {one.language for one in own if one.kind == "catalogue" and one.current}
        shelves.append(Shelf(line, own, [code for code in LANGUAGES if code not in there]))
    return shelves


def _size(count: int) -> str:
    return f"{count / MEGA:.1f} MB" if count >= MEGA / 10 else f"{max(1, round(count / 1024))} KB"


def _used(use: reviews.Use | None) -> str:
    if use is None:
        return _("in no letter yet")
    return ngettext("in {n} letter", "in {n} letters", use.letters)


@router.get("/products/{exporter_id}/company")
def company_form(visit: SignedIn, exporter_id: int) -> Response:
    return visit.page("products/company.html", **_company(visit, exporter_id, None))


def _company(visit: Visit, exporter_id: int, typed: Mapping[str, str] | None) -> dict[str, Any]:
    require(visit.viewer, Action.EDIT_PRODUCTS)
    found = queries.get_exporter(visit.db, visit.viewer, exporter_id)
    plain = ("contact_name_ko", "contact_name_latin", "phone", "website", "privacy_url", "address_ko", "address_en")
    first = {name: getattr(found, name) for name in plain}
    first |= {f"name_{code}": found.names.get(code, "") for code in LANGUAGES}
    first |= {f"title_{code}": found.contact_titles.get(code, "") for code in LANGUAGES}
    return {"company": found, "languages": LANGUAGES, "typed": {**first, **(typed or {})}}


@router.post("/products/{exporter_id}/company")
def change_company(visit: SignedIn, exporter_id: int, form: Posted) -> Response:
    typed = _texts(form)
    require(visit.viewer, Action.EDIT_PRODUCTS)
    found = queries.get_exporter(visit.db, visit.viewer, exporter_id)
    try:
        facts.change_company(visit.db, visit.viewer, found, facts.read_company(typed, LANGUAGES), now=visit.now)
    except BadInput as error:
        visit.db.rollback()
        return visit.again("products/company.html", error, **_company(visit, exporter_id, typed))
    return visit.go(f"/products/{exporter_id}", _("Stored. Letters that are written from now on say it."))


def _texts(form: FormData) -> dict[str, str]:
    return {key: value for key, value in form.items() if isinstance(value, str)}


@router.get("/products/{exporter_id}/lines/{line_id}")
def line_form(visit: SignedIn, exporter_id: int, line_id: int) -> Response:
    return visit.page("products/line.html", **_line(visit, exporter_id, line_id, None))


def _line_of(visit: Visit, exporter_id: int, line_id: int) -> ProductLine:
    require(visit.viewer, Action.EDIT_PRODUCTS)
    queries.get_exporter(visit.db, visit.viewer, exporter_id)
    line = visit.db.get(ProductLine, line_id)
    if line is None or line.exporter_id != exporter_id:
        raise NotFound(_("There is no such product line."))
    return line


def _line(visit: Visit, exporter_id: int, line_id: int, typed: Mapping[str, str] | None) -> dict[str, Any]:
    line = _line_of(visit, exporter_id, line_id)
    first = {
        "hs_code": line.hs_code,
        "moq": str(line.moq or ""),
        "lead_time_days": str(line.lead_time_days or ""),
        "incoterm": line.incoterm,
        "incoterm_place": line.incoterm_place,
        "price_from": f"{line.price_from:f}" if line.price_from else "",
        "currency": line.currency,
        "price_valid_until": line.price_valid_until.isoformat() if line.price_valid_until else "",
        "certificates": ", ".join(line.certificates),
    }
    first |= {f"name_{code}": line.names.get(code, "") for code in LANGUAGES}
    first |= {f"moq_unit_{code}": line.moq_units.get(code, "") for code in LANGUAGES}
    return {
        "company": queries.get_exporter(visit.db, visit.viewer, exporter_id),
        "line": line,
        "languages": LANGUAGES,
        "incoterms": [("", _("none")), *((one, one) for one in INCOTERMS)],
        "typed": {**first, **(typed or {})},
    }


@router.post("/products/{exporter_id}/lines/{line_id}")
def change_line(visit: SignedIn, exporter_id: int, line_id: int, form: Posted) -> Response:
    typed = _texts(form)
    line = _line_of(visit, exporter_id, line_id)
    try:
        facts.change_line(visit.db, visit.viewer, line, facts.read_line(typed, LANGUAGES), now=visit.now)
    except BadInput as error:
        visit.db.rollback()
        return visit.again("products/line.html", error, **_line(visit, exporter_id, line_id, typed))
    return visit.go(
        f"/products/{exporter_id}#line-{line_id}", _("Stored. Letters that are written from now on say it.")
    )


@router.post("/products/{exporter_id}/documents")
def store(visit: SignedIn, exporter_id: int, form: Posted) -> Response:
    require(visit.viewer, Action.EDIT_PRODUCTS)
    return _store(visit, queries.get_exporter(visit.db, visit.viewer, exporter_id), form)


def _store(visit: Visit, found: Exporter, form: FormData) -> Response:
    typed = {name: str(form.get(name) or "") for name in EMPTY}
    limit = visit.context.settings.web.max_upload_mb * MEGA
    try:
        row = documents.add(
            visit.db,
            visit.viewer,
            found,
            _paper(typed),
            *_file(form, limit),
            languages=LANGUAGES,
            max_bytes=limit,
            now=visit.now,
        )
    except (BadInput, Refused) as error:
        bad = error if isinstance(error, BadInput) else BadInput([Problem(error.message, Place(field="file"))])
        visit.db.rollback()
        return visit.again("products/exporter.html", bad, **_shown(visit, found.id or 0, typed))
    notice = _("{title}: version {n} is stored. Letters take it from now on.", title=row.title, n=row.number)
    return visit.go(f"/products/{found.id}/documents/{row.id}", notice)


def _paper(typed: dict[str, str]) -> Paper:
    line_id = int(typed["line_id"]) if typed["line_id"].isdecimal() else None
    return Paper(typed["kind"], typed["title"].strip(), typed["language"], line_id)


def _file(form: FormData, limit: int) -> tuple[bytes, str]:
    found = form.get("file")
    if not isinstance(found, UploadFile) or not found.filename:
        return b"", ""
    return found.file.read(limit + 1), found.filename


@router.get("/products/{exporter_id}/documents/{document_id}")
def document(visit: SignedIn, exporter_id: int, document_id: int) -> Response:
    row = _document(visit, exporter_id, document_id)
    every = documents.list_documents(visit.db, visit.viewer, exporter_id)
    versions = [one for one in every if one.series == row.series]
    ids = [one.id for one in versions if one.id]
    return visit.page(
        "products/document.html",
        company=queries.get_exporter(visit.db, visit.viewer, exporter_id),
        document=row,
        versions=versions,
        line=visit.db.get(ProductLine, row.product_line_id) if row.product_line_id else None,
        uses=reviews.uses_of(visit.db, visit.viewer, ids),
        letters=reviews.letters_with(visit.db, visit.viewer, ids),
        may_edit=may(visit.viewer, Action.EDIT_PRODUCTS),
        **_words(),
    )


def _document(visit: Visit, exporter_id: int, document_id: int) -> Document:
    row = documents.get_document(visit.db, visit.viewer, document_id)
    if row.exporter_id != exporter_id:
        raise NotFound(_("There is no such document."))
    return row


@router.get("/products/{exporter_id}/documents/{document_id}/file")
def file(visit: SignedIn, exporter_id: int, document_id: int) -> Response:
    row = _document(visit, exporter_id, document_id)
    return download(documents.content(visit.db, row.sha256), row.filename, row.media_type)


@router.post("/products/{exporter_id}/documents/{document_id}/current")
def make_current(visit: SignedIn, exporter_id: int, document_id: int) -> Response:
    row = _document(visit, exporter_id, document_id)
    documents.make_current(visit.db, visit.viewer, row, now=visit.now)
    return visit.go(
        f"/products/{exporter_id}/documents/{document_id}", _("Letters take version {n} from now on.", n=row.number)
    )


@router.post("/products/{exporter_id}/documents/{document_id}/withdraw")
def withdraw(visit: SignedIn, exporter_id: int, document_id: int) -> Response:
    row = _document(visit, exporter_id, document_id)
    documents.withdraw(visit.db, visit.viewer, row, now=visit.now)
    return visit.go(
        f"/products/{exporter_id}/documents/{document_id}", _("Version {n} was withdrawn.", n=row.number), kind="warn"
    )
