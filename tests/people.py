"""Short ways to store people for tests that need no list."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from crm.contacts.models import Lead


def make_lead(
    session: Session, *, contact_id: int, exporter_id: int, exhibition_id: int, now: datetime, **values: Any
) -> Lead:
    """Store that somebody talked to an exporter at a show."""
    lead = Lead(contact_id=contact_id, exporter_id=exporter_id, exhibition_id=exhibition_id, created_at=now, **values)
    session.add(lead)
    session.flush()
    return lead
