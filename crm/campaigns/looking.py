"""Which leads a campaign has to look at again: those that are new, and those about whom something has changed.

The event log tells: whatever a person or the engine does to a contact, a deal or a campaign leaves a line there. From
time to time everybody is looked at, so that nothing is missed for good.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, delete, func, select

from crm.campaigns.models import CampaignLook
from crm.contacts.models import Lead
from crm.core import bulk
from crm.core.models import Event
from crm.pipeline.models import DealLead

OVERLAP = 100
"""So many lines of the log and leads are looked at twice: on PostgreSQL a lower number may be committed later."""
TO_ALL = ("import_batch", "campaign", "exporter", "exhibition")
"""What such a line is about concerns more leads than it names."""


class Changes(NamedTuple):
    """The leads to look at, None for all of them, and the row to keep once they were."""

    lead_ids: frozenset[int] | None
    look: CampaignLook


def changes(session: Session, campaign_id: int, *, now: datetime, all_every: timedelta) -> Changes:
    """Return whom a campaign has to look at since it last looked. Writes nothing: see ``looked``."""
    session.flush()
    last = session.get(CampaignLook, campaign_id, populate_existing=True)
    highest = select(select(func.max(Event.id)).scalar_subquery(), select(func.max(Lead.id)).scalar_subquery())
    event_id, lead_id = session.exec(highest).one()
    newest = CampaignLook(campaign_id=campaign_id, event_id=event_id or 0, lead_id=lead_id or 0, all_seen_at=now)
    if last is None or not last.all_seen_at <= now < last.all_seen_at + all_every:
        return Changes(None, newest)
    touched = _touched(session, last)
    if touched is not None:
        newest.all_seen_at = last.all_seen_at
    return Changes(touched, newest)


def looked(session: Session, seen: Changes) -> None:
    """Keep up to where a campaign has looked."""
    session.merge(seen.look)
    session.flush()


def look_at_all(session: Session, campaign_id: int | None) -> None:
    """Make the next look of a campaign (None: of every campaign) one at all leads."""
    forget = delete(CampaignLook)
    session.exec(forget if campaign_id is None else forget.where(col(CampaignLook.campaign_id) == campaign_id))


def _touched(session: Session, last: CampaignLook) -> frozenset[int] | None:
    overlap = OVERLAP if session.get_bind().dialect.name == "postgresql" else 0
    lines = sa.select(col(Event.subject), col(Event.subject_id)).where(
        col(Event.id) > last.event_id - overlap,
        sa.or_(
            col(Event.subject).in_(("contact", "deal", *TO_ALL)),
            sa.and_(col(Event.subject) == "lead", col(Event.verb) == "follow_up_ended"),
        ),
    )
    about: dict[str, set[int]] = {}
    # Those of the overlap were heeded already, so they do not make everybody be looked at once more.
    to_all = sa.and_(col(Event.id) > last.event_id, col(Event.subject).in_(TO_ALL))
    for subject, subject_id, concerns_all in session.execute(lines.add_columns(to_all)):
        if concerns_all:
            return None
        about.setdefault(subject, set()).add(subject_id)
    found = set(session.exec(select(Lead.id).where(col(Lead.id) > last.lead_id - overlap)))
    found |= about.get("lead", set())
    for key, column, wanted in (
        (col(Lead.id), col(Lead.contact_id), about.get("contact", set())),
        (col(DealLead.lead_id), col(DealLead.deal_id), about.get("deal", set())),
    ):
        rows = bulk.find(session, sa.select(key), column, wanted)  # type: ignore[arg-type]
        found |= {lead_id for (lead_id,) in rows}
    return frozenset(one for one in found if one is not None)
