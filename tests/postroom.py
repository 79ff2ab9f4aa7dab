"""Approved letters on real rows, for the tests of delivery and inbox: the whole way from a booth to an approval."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from crm.accounts.rules import system_viewer
from crm.campaigns import service as campaigns
from crm.campaigns.models import Campaign
from crm.contacts import service as contacts
from crm.contacts.models import Lead
from crm.core.config import Settings
from crm.delivery import service as delivery
from crm.delivery.models import Outbox
from crm.drafts import service as drafting
from crm.drafts.models import Draft
from crm.drafts.templates import Library
from crm.exporters.models import Exhibition
from crm.pipeline import service as pipeline
from crm.review import service as review
from crm.review.models import Approval, Message
from tests.pipeline.world import NOW, World, build, buyer

BLOCKS = ("greeting", "Hello,"), ("body", "Thank you for your visit.\nOur catalogue is attached.")


@dataclass(frozen=True)
class Post:
    """A letter in the outbox with everything that belongs to it."""

    lead: Lead
    draft: Draft
    approval: Approval
    message: Message
    row: Outbox


def met(session: Session, world: World, name: str, *, country: str = "DE", exporter_id: int | None = None) -> Lead:
    """A buyer who opted in at the booth."""
    lead = buyer(session, world, name, country=country, exporter_id=exporter_id)
    contacts.record_consent(
        session, lead.contact_id, exporter_id=lead.exporter_id, basis="express_optin", given_at=NOW - timedelta(days=4),
        source="badge", evidence={"form": "booth"}, now=NOW, by="staff@ieum.example",
    )  # fmt: skip
    return lead


def drafted(session: Session, lead: Lead, *, at: datetime = NOW) -> Draft:
    """A letter of no campaign that waits for its advisor."""
    address = contacts.primary_email(session, lead.contact_id)
    assert address is not None
    blocks = [
        {"id": name, "text": text, "marked": text, "ko": "", "ko_marked": "", "template_text": text,
         "edited_by": "", "edited_at": "", "ko_note": ""}
        for name, text in BLOCKS
    ]  # fmt: skip
    draft = Draft(
        lead_id=lead.id, contact_id=lead.contact_id, exporter_id=lead.exporter_id, exhibition_id=lead.exhibition_id,
        letter="thank_you", letter_version="1", language="en", recipient=address.address, recipient_name="",
        subject="Nice to meet you", blocks=blocks, planned_at=at, created_at=at,
    )  # fmt: skip
    session.add(draft)
    session.flush()
    return draft


def approved(session: Session, settings: Settings, draft: Draft, *, now: datetime = NOW) -> Approval:
    """The advisor's yes, with every check seen."""
    found = review.verdicts_of(session, settings, draft, now=now)
    checks = [verdict.code for verdict in found if verdict.level == "check"]
    return review.approve(
        session, settings, draft, seen_version=draft.version or 0, acknowledged=checks, viewer=system_viewer(), now=now
    )


def posted(session: Session, settings: Settings, lead: Lead, *, now: datetime = NOW) -> Post:
    """An approved letter in the outbox, due when its hold is over."""
    return in_outbox(session, settings, drafted(session, lead, at=now), now=now)


def in_outbox(session: Session, settings: Settings, draft: Draft, *, now: datetime = NOW) -> Post:
    approval = approved(session, settings, draft, now=now)
    delivery.queue_approved(session, now=now)
    row = session.exec(select(Outbox).where(Outbox.approval_id == approval.id)).one()
    lead = session.get_one(Lead, draft.lead_id)
    return Post(lead, draft, approval, session.get_one(Message, approval.id), row)


def campaign_letter(session: Session, settings: Settings, world: World, lead: Lead, *, now: datetime = NOW) -> Draft:
    """The first letter of a real workflow to this lead, drafted by the engine; ``now`` may be moved to its time."""
    show = session.get_one(Exhibition, world.show)
    pipeline.open_deals(session, now=now)
    campaign = session.exec(select(Campaign)).first()
    if campaign is None:
        campaign = campaigns.create(
            session, settings, exhibition=show, workflow="overseas-buyer", now=now, by="staff@ieum.example"
        )
        campaigns.start(session, campaign, by="staff@ieum.example", now=now)
    campaigns.enrol_leads(session, settings, now=now)
    drafting.draft_due(session, settings, Library(settings.templates_dir), now=now)
    return session.exec(select(Draft).where(Draft.lead_id == lead.id).order_by(col(Draft.id))).one()


__all__ = ["World", "approved", "build", "campaign_letter", "drafted", "in_outbox", "met", "posted"]
