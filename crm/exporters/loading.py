"""Reads exporters, product lines, exhibitions and booths from a TOML file, checked before anything is stored."""

import tomllib
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlmodel import Session, SQLModel, select

from crm.core import events
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _
from crm.exporters.models import Booth, Catalogue, Exhibition, Exporter, ProductLine

Names = Annotated[dict[str, str], Field(min_length=1)]


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CatalogueEntry(Entry):
    language: str
    title: str
    url: str


class LineEntry(Entry):
    """A product line; ``parent`` is the code of the line above it, which stands earlier in the file."""

    code: str
    parent: str = ""
    names: Names
    keywords: list[str] = []
    hs_code: str = ""
    moq: int | None = None
    moq_units: dict[str, str] = {}
    lead_time_days: int | None = None
    incoterm: str = ""
    incoterm_place: str = ""
    price_from: Decimal | None = None
    currency: str = "USD"
    price_valid_until: date | None = None
    certificates: list[str] = []
    catalogues: list[CatalogueEntry] = []


class ExporterEntry(Entry):
    code: str
    names: Names
    sector: str = ""
    address_ko: str = ""
    address_en: str = ""
    phone: str = ""
    website: str = ""
    privacy_url: str = ""
    contact_name_ko: str = ""
    contact_name_latin: str = ""
    contact_titles: dict[str, str] = {}
    sender_email: str
    lines: list[LineEntry] = Field(min_length=1)


class ExhibitionEntry(Entry):
    """A show; ``booths`` maps booth number to exporter code."""

    code: str
    names: Names
    venue: str = "KINTEX"
    starts_on: date
    ends_on: date
    booths: dict[str, str] = {}


class CastFile(Entry):
    exporters: list[ExporterEntry] = []
    exhibitions: list[ExhibitionEntry] = []


def read(text: str, filename: str) -> CastFile:
    """Return the checked contents; BadInput names every wrong field."""
    try:
        return CastFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadInput([Problem(_("This is not valid TOML: {error}", error=str(error)), Place(filename))]) from None
    except ValidationError as error:
        raise BadInput([_problem(item, filename) for item in error.errors()]) from None


def _problem(item: Any, filename: str) -> Problem:
    field = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in item["loc"])
    return Problem(f"{item['msg']}.", Place(filename, field=field))


def store(session: Session, file: CastFile, *, now: datetime, by: str) -> dict[str, int]:
    """Add or change what the file names (by code) and return the counts. What it does not name stays as it is."""
    for entry in file.exporters:
        _store_exporter(session, entry, now=now, by=by)
    for show in file.exhibitions:
        _store_exhibition(session, show, now=now, by=by)
    return {"exporters": len(file.exporters), "exhibitions": len(file.exhibitions)}


def _store_exporter(session: Session, entry: ExporterEntry, *, now: datetime, by: str) -> None:
    found = session.exec(select(Exporter).where(Exporter.code == entry.code)).first()
    exporter = found or Exporter(code=entry.code, sender_email=entry.sender_email, created_at=now)
    _fill(exporter, entry.model_dump(exclude={"lines", "code"}))
    session.add(exporter)
    session.flush()
    for line in entry.lines:
        _store_line(session, _id(exporter), line)
    verb = "exporter_changed" if found else "exporter_added"
    events.record(session, verb, "exporter", exporter.id, at=now, actor=by, exporter_id=exporter.id)


def _store_line(session: Session, exporter_id: int, entry: LineEntry) -> None:
    line = _line(session, exporter_id, entry.code) or ProductLine(exporter_id=exporter_id, code=entry.code)
    _fill(line, entry.model_dump(exclude={"catalogues", "parent", "code"}))
    if entry.parent:
        above = _line(session, exporter_id, entry.parent)
        if above is None:
            raise BadInput(
                _("{line}: there is no product line {parent} before it.", line=entry.code, parent=entry.parent)
            )
        line.parent_id = above.id
    session.add(line)
    session.flush()
    for item in entry.catalogues:
        rows = select(Catalogue).where(Catalogue.product_line_id == line.id, Catalogue.language == item.language)
        catalogue = session.exec(rows).first() or Catalogue(
            exporter_id=exporter_id, product_line_id=_id(line), language=item.language, title="", url=""
        )
        _fill(catalogue, item.model_dump())
        session.add(catalogue)


def _line(session: Session, exporter_id: int, code: str) -> ProductLine | None:
    rows = select(ProductLine).where(ProductLine.exporter_id == exporter_id, ProductLine.code == code)
    return session.exec(rows).first()


def _store_exhibition(session: Session, entry: ExhibitionEntry, *, now: datetime, by: str) -> None:
    if entry.ends_on < entry.starts_on:
        raise BadInput(_("The exhibition ends before it starts. Correct the two dates."))
    found = session.exec(select(Exhibition).where(Exhibition.code == entry.code)).first()
    show = found or Exhibition(code=entry.code, starts_on=entry.starts_on, ends_on=entry.ends_on)
    _fill(show, entry.model_dump(exclude={"booths", "code"}))
    session.add(show)
    session.flush()
    for number, code in entry.booths.items():
        exporter = session.exec(select(Exporter).where(Exporter.code == code)).first()
        if exporter is None:
            raise BadInput(_("Booth {number}: there is no exporter {code}.", number=number, code=code))
        _store_booth(session, _id(show), _id(exporter), number)
    events.record(
        session, "exhibition_added" if not found else "exhibition_changed", "exhibition", show.id, at=now, actor=by
    )


def _store_booth(session: Session, exhibition_id: int, exporter_id: int, number: str) -> None:
    rows = select(Booth).where(Booth.exhibition_id == exhibition_id, Booth.exporter_id == exporter_id)
    booth = session.exec(rows).first() or Booth(exhibition_id=exhibition_id, exporter_id=exporter_id, number=number)
    booth.number = "".join(number.split()).upper()
    session.add(booth)


def _fill(row: SQLModel, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def _id(row: Any) -> int:
    assert isinstance(row.id, int)
    return row.id
