"""Changing what letters say of a company and its product lines: names and units by language, terms, prices, papers.

Rules are plain: ``read_line`` and ``read_company`` turn typed texts into values, or say every mistake with its field.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlmodel import Session

from crm.accounts.rules import Action, Viewer, require
from crm.core import events
from crm.core.errors import BadInput, NotFound, Place, Problem
from crm.core.i18n import _
from crm.exporters.models import Exporter, ProductLine
from crm.exporters.rules import INCOTERMS

NEEDED = ("ko", "en")
"""A name stands in these two languages at least; English is what other languages fall back on."""
_HS = re.compile(r"\d{4}(\.?\d{2}(\.?\d{2,4})?)?")
_WEB = re.compile(r"https?://[^\s<>\"]{3,240}")


@dataclass(frozen=True)
class LineFacts:
    """What letters say of a product line. A price has its currency, and the last day on which it holds."""

    names: dict[str, str]
    hs_code: str = ""
    moq: int | None = None
    moq_units: dict[str, str] = field(default_factory=dict)
    lead_time_days: int | None = None
    incoterm: str = ""
    incoterm_place: str = ""
    price_from: Decimal | None = None
    currency: str = "USD"
    price_valid_until: date | None = None
    certificates: tuple[str, ...] = ()


@dataclass(frozen=True)
class CompanyFacts:
    """What letters say of a company and of who signs them."""

    names: dict[str, str]
    contact_name_ko: str = ""
    contact_name_latin: str = ""
    contact_titles: dict[str, str] = field(default_factory=dict)
    phone: str = ""
    website: str = ""
    privacy_url: str = ""
    address_ko: str = ""
    address_en: str = ""


# --- reading what a person typed -------------------------------------------------------------------------------------


def read_line(typed: Mapping[str, str], languages: Iterable[str]) -> LineFacts:
    """Read the form of a product line. Raises BadInput with every mistake."""
    faults: list[Problem] = []
    languages = list(languages)
    facts = LineFacts(
        names=_by_language(typed, "name", languages),
        hs_code=_text(typed, "hs_code"),
        moq=_whole(typed, "moq", faults),
        moq_units=_by_language(typed, "moq_unit", languages),
        lead_time_days=_whole(typed, "lead_time_days", faults),
        incoterm=_text(typed, "incoterm").upper(),
        incoterm_place=_text(typed, "incoterm_place"),
        price_from=_price(typed, faults),
        currency=_text(typed, "currency").upper(),
        price_valid_until=_day(typed, "price_valid_until", faults),
        certificates=tuple(part.strip() for part in _text(typed, "certificates").split(",") if part.strip()),
    )
    faults += _faults_of_line(facts)
    if faults:
        raise BadInput(faults)
    return facts


def _faults_of_line(facts: LineFacts) -> Iterable[Problem]:
    yield from _faults_of_names(facts.names)
    if facts.hs_code and not _HS.fullmatch(facts.hs_code):
        yield _fault("hs_code", _("Write the HS code as 8481.80."))
    if facts.incoterm and facts.incoterm not in INCOTERMS:
        yield _fault("incoterm", _("There is no such delivery term in Incoterms 2020."))
    if facts.incoterm and not facts.incoterm_place:
        yield _fault("incoterm_place", _("A delivery term needs its place, for example Busan, Korea."))
    if facts.moq is not None and not facts.moq_units:
        yield _fault("moq_unit_ko", _("Write the unit of the quantity, for example pcs."))
    if facts.price_from is not None and not re.fullmatch(r"[A-Z]{3}", facts.currency):
        yield _fault("currency", _("Write the currency as a code of three letters, for example USD."))
    if facts.price_from is not None and facts.price_valid_until is None:
        yield _fault("price_valid_until", _("A price needs the last day on which it holds."))


def read_company(typed: Mapping[str, str], languages: Iterable[str]) -> CompanyFacts:
    """Read the form of a company. Raises BadInput with every mistake."""
    languages = list(languages)
    plain = ("contact_name_ko", "contact_name_latin", "phone", "website", "privacy_url", "address_ko", "address_en")
    facts = CompanyFacts(
        names=_by_language(typed, "name", languages),
        contact_titles=_by_language(typed, "title", languages),
        **{name: _text(typed, name) for name in plain},
    )
    faults = list(_faults_of_names(facts.names))
    for name in ("website", "privacy_url"):
        if getattr(facts, name) and not _WEB.fullmatch(getattr(facts, name)):
            faults.append(_fault(name, _("Write the whole address, with https:// before it.")))
    if len(facts.phone) > 32 or not re.fullmatch(r"[+0-9() .-]*", facts.phone):
        faults.append(_fault("phone", _("Write the telephone number as it is dialled from abroad, with +82.")))
    for name in ("contact_name_ko", "contact_name_latin"):
        if len(getattr(facts, name)) > 100:
            faults.append(_fault(name, _("This is too long; {most} characters are the most.", most=100)))
    if faults:
        raise BadInput(faults)
    return facts


def _faults_of_names(names: Mapping[str, str]) -> Iterable[Problem]:
    for language in NEEDED:
        if not names.get(language):
            yield _fault(f"name_{language}", _("Write the name in this language."))
    for language, name in names.items():
        if len(name) > 100:
            yield _fault(f"name_{language}", _("This is too long; {most} characters are the most.", most=100))


def _by_language(typed: Mapping[str, str], prefix: str, languages: Iterable[str]) -> dict[str, str]:
    found = {language: _text(typed, f"{prefix}_{language}") for language in languages}
    return {language: text for language, text in found.items() if text}


def _text(typed: Mapping[str, str], name: str) -> str:
    return " ".join(typed.get(name, "").split())


def _whole(typed: Mapping[str, str], name: str, faults: list[Problem]) -> int | None:
    text = _text(typed, name).replace(",", "")
    if not text:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        faults.append(_fault(name, _("Write a whole number from 1.")))
        return None
    return int(text)


def _price(typed: Mapping[str, str], faults: list[Problem]) -> Decimal | None:
    text = _text(typed, "price_from")
    try:
        price = Decimal(text) if text else None
    except InvalidOperation:
        price = Decimal(0)
    if price is not None and not (
        price.is_finite() and 0 < price < 10**10 and price == price.quantize(Decimal("0.01"))
    ):
        faults.append(_fault("price_from", _("Write the price as 12.50.")))
        return None
    return price


def _day(typed: Mapping[str, str], name: str, faults: list[Problem]) -> date | None:
    text = _text(typed, name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        faults.append(Problem(_("This is not a date."), Place(field=name), _("Write it as 2026-11-24.")))
        return None


def _fault(name: str, message: str) -> Problem:
    return Problem(message, Place(field=name))


# --- verbs -----------------------------------------------------------------------------------------------------------


def change_line(session: Session, viewer: Viewer, line: ProductLine, facts: LineFacts, *, now: datetime) -> None:
    """Store what letters say of a product line. Raises NotFound for a line that is not the viewer's."""
    _require(viewer, line.exporter_id)
    values = {**asdict(facts), "certificates": list(facts.certificates)}
    before = _apply(line, values)
    session.flush()
    _tell(session, "product_line_changed", "product_line", line.id, line.exporter_id, before, viewer, now)


def change_company(session: Session, viewer: Viewer, exporter: Exporter, facts: CompanyFacts, *, now: datetime) -> None:
    """Store what letters say of a company. Raises NotFound for one that is not the viewer's."""
    assert exporter.id is not None
    _require(viewer, exporter.id)
    before = _apply(exporter, asdict(facts))
    session.flush()
    _tell(session, "exporter_changed", "exporter", exporter.id, exporter.id, before, viewer, now)


def _apply(row: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set what differs and return what stood there before."""
    before = {name: getattr(row, name) for name, value in values.items() if getattr(row, name) != value}
    for name in before:
        setattr(row, name, values[name])
    return before


def _require(viewer: Viewer, exporter_id: int) -> None:
    require(viewer, Action.EDIT_PRODUCTS)
    if not viewer.sees(exporter_id):
        raise NotFound(_("There is no such company."))


def _tell(
    session: Session,
    verb: str,
    subject: str,
    number: int | None,
    exporter_id: int,
    before: Mapping[str, Any],
    viewer: Viewer,
    now: datetime,
) -> None:
    if before:
        plain = {name: value if isinstance(value, dict | list) else str(value) for name, value in before.items()}
        data = {"before": plain}
        events.record(session, verb, subject, number, at=now, actor=viewer.email, exporter_id=exporter_id, data=data)
        session.flush()
