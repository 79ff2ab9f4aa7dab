"""Two exporters at one show, and people who met one of them."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlmodel import Session

from crm.accounts.models import Role
from crm.accounts.rules import Viewer
from crm.contacts import service
from crm.contacts.models import Contact, EmailAddress
from crm.exporters.models import Exhibition, Exporter
from tests.conftest import NOW
from tests.people import make_firm, make_lead

MakeContact = Callable[..., Contact]


@pytest.fixture
def exporters(session: Session) -> dict[str, int]:
    ids = {}
    for code in ("GAON", "SEOLAK"):
        exporter = Exporter(code=code, names={"en": code}, sender_email="a@b.example", created_at=NOW)
        session.add(exporter)
        session.flush()
        ids[code] = exporter.id or 0
    return ids


@pytest.fixture
def show(session: Session) -> Exhibition:
    show = Exhibition(code="H", names={"en": "H"}, starts_on=date(2026, 11, 11), ends_on=date(2026, 11, 14))
    session.add(show)
    session.flush()
    return show


@pytest.fixture
def make_contact(session: Session, exporters: dict[str, int], show: Exhibition) -> MakeContact:
    """Store a contact with an address and, when an exporter's code is given, a lead."""

    def maker(name: str, address: str = "", exporter: str = "", company: str = "", country: str = "ES") -> Contact:
        contact = service.new_contact(now=NOW)
        contact.full_name, contact.country = name, country
        if company:
            contact.organisation_id = make_firm(session, company, country, now=NOW).id
        session.add(contact)
        session.flush()
        assert contact.id is not None
        if address:
            session.add(EmailAddress(contact_id=contact.id, address=address))
        if exporter:
            make_lead(
                session, contact_id=contact.id, exporter_id=exporters[exporter], exhibition_id=show.id or 0, now=NOW
            )
        session.flush()
        return contact

    return maker


def viewer(role: Role, *exporter_ids: int) -> Viewer:
    """Return somebody who may see these companies; staff see all."""
    seen = None if role == Role.STAFF else frozenset(exporter_ids)
    return Viewer(1, "v@ieum.example", "V", role, exporter_ids=seen)
