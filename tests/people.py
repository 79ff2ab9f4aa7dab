"""Short ways to store people for tests that need no list."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from crm.contacts.models import Lead, Organisation
from crm.contacts.service import new_organisation


def make_lead(
    session: Session, *, contact_id: int, exporter_id: int, exhibition_id: int, now: datetime, **values: Any
) -> Lead:
    """Store that somebody talked to an exporter at a show."""
    lead = Lead(contact_id=contact_id, exporter_id=exporter_id, exhibition_id=exhibition_id, created_at=now, **values)
    session.add(lead)
    session.flush()
    return lead


def make_firm(session: Session, name: str, country: str | None, *, now: datetime, **values: Any) -> Organisation:
    """Store a firm."""
    firm = new_organisation(name, country, now=now)
    for field, value in values.items():
        setattr(firm, field, value)
    session.add(firm)
    session.flush()
    return firm
