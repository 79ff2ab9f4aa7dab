"""What staff read across the rooms: today's figures, the suppression list, the event log, one buyer's history."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlmodel import Session, col, func, or_, select

from crm.accounts.rules import Action, Viewer, require
from crm.campaigns.models import Campaign, Enrolment, Step
from crm.contacts.models import Contact, EmailAddress, Lead, Suppression
from crm.contacts.queries import ContactCard
from crm.core.clock import KST
from crm.core.models import Event, Instance
from crm.delivery.models import Outbox
from crm.drafts.models import Draft
from crm.exporters.models import Exporter
from crm.exporters.rules import in_language
from crm.inbox.models import InboxMessage
from crm.inbox.rules import Kind
from crm.pipeline.models import DealLead
from crm.review.models import Approval

BOUNCE_DAYS = 7
PAGE = 100


@dataclass(frozen=True)
class Today:
    """The figures of the staff's start page. ``bounced`` and ``held`` are those of the last seven days."""

    paused: bool
    paused_reason: str
    uncertain: int
    late: int
    waiting: int
    replies: int
    unmatched: int
    bounced: int
    withheld: int
    planned: int
    approved: int
    sent: int


def today(session: Session, now: datetime) -> Today:
    """Count what stands on the staff's start page. Days are Korean."""
    begins = datetime.combine(now.astimezone(KST).date(), time(), KST)
    ends, week = begins + timedelta(days=1), now - timedelta(days=BOUNCE_DAYS)
    instance = session.get(Instance, 1)
    # A draft put aside by an advisor waits for its day, not for the advisor.
    waiting = [Draft.status == "waiting", or_(col(Draft.wait_until).is_(None), col(Draft.wait_until) <= now)]
    unhandled = col(InboxMessage.handled_at).is_(None)
    return Today(
        paused=bool(instance and instance.sending_paused),
        paused_reason=instance.paused_reason if instance else "",
        uncertain=_count(session, Outbox, Outbox.status == "uncertain"),
        late=_count(session, Draft, *waiting, Draft.planned_at < now),
        waiting=_count(session, Draft, *waiting),
        replies=_count(session, InboxMessage, InboxMessage.kind == Kind.REPLY, unhandled),
        unmatched=_count(session, InboxMessage, col(InboxMessage.lead_id).is_(None), unhandled),
        bounced=_count(session, Event, Event.verb == "letter_bounced", Event.at >= week),
        withheld=_count(session, Outbox, Outbox.status == "withheld", Outbox.due_at >= week),
        planned=_planned(session, now, ends),
        approved=_approved(session, ends),
        sent=_count(session, Outbox, Outbox.status == "sent", col(Outbox.sent_at) >= begins),
    )


def _count(session: Session, table: Any, *conditions: Any) -> int:
    return int(session.exec(select(func.count()).select_from(table).where(*conditions)).one())


def _planned(session: Session, now: datetime, until: datetime) -> int:
    """Count letters of running campaigns that are due by the end of the day and not drafted yet."""
    rows = (
        select(func.count())
        .select_from(Step)
        .join(Enrolment, col(Enrolment.id) == Step.enrolment_id)
        .join(Campaign, col(Campaign.id) == Enrolment.campaign_id)
        .where(Step.kind == "mail", Step.status == "waiting", Step.due_at < until, Enrolment.status == "active")
        .where(Campaign.status == "running", or_(col(Enrolment.hold_until).is_(None), col(Enrolment.hold_until) <= now))
    )
    return int(session.exec(rows).one())


def _approved(session: Session, until: datetime) -> int:
    rows = (
        select(func.count())
        .select_from(Approval)
        .join(Draft, col(Draft.id) == col(Approval.draft_id))
        .where(col(Approval.revoked_at).is_(None), Draft.status == "approved", Approval.send_at < until)
    )
    return int(session.exec(rows).one())


@dataclass(frozen=True)
class Suppressed:
    """An address that must not be written to, by whom, and whose it is."""

    row: Suppression
    exporter: str
    contact_id: int | None


def suppressions(
    session: Session, viewer: Viewer, *, text: str = "", before: int = 0, limit: int = PAGE
) -> list[Suppressed]:
    """Return suppressed addresses, the latest first, that contain ``text``; ``before`` is the id to go on from."""
    require(viewer, Action.SUPPRESS)
    rows = (
        select(Suppression, Exporter.names, EmailAddress.contact_id)
        .join(Exporter, col(Exporter.id) == Suppression.exporter_key, isouter=True)
        .join(EmailAddress, col(EmailAddress.address) == Suppression.address, isouter=True)
        .order_by(col(Suppression.id).desc())
        .limit(limit)
    )
    if text:
        rows = rows.where(col(Suppression.address).contains(text.strip().casefold(), autoescape=True))
    if before:
        rows = rows.where(col(Suppression.id) < before)
    return [
        Suppressed(row, in_language(names, "ko") if names else "", contact_id)
        for row, names, contact_id in session.exec(rows)
    ]


@dataclass(frozen=True)
class LogFilter:
    """What of the event log is wanted; empty fields want everything. ``before`` is the id to go on from."""

    verb: str = ""
    actor: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int = 0


def log_lines(session: Session, viewer: Viewer, wanted: LogFilter, *, limit: int = PAGE) -> Sequence[Event]:
    """Return lines of the event log, the latest first."""
    require(viewer, Action.SEE_AUDIT)
    rows = select(Event).order_by(col(Event.id).desc()).limit(limit)
    conditions: list[Any] = [
        column == value for column, value in ((Event.verb, wanted.verb), (Event.subject, wanted.subject)) if value
    ]
    if wanted.actor:
        conditions.append(col(Event.actor).contains(wanted.actor.strip().lower(), autoescape=True))
    if wanted.since:
        conditions.append(Event.at >= wanted.since)
    if wanted.until:
        conditions.append(Event.at < wanted.until)
    if wanted.before:
        conditions.append(col(Event.id) < wanted.before)
    return session.exec(rows.where(*conditions)).all()


def known_verbs(session: Session) -> list[str]:
    """Return the verbs that stand in the event log."""
    return sorted(session.exec(select(Event.verb).distinct()))


def history_of(session: Session, card: ContactCard, *, limit: int = 200) -> Sequence[Event]:
    """Return what the event log says about a buyer, their talks, deals, letters and mails, the latest first."""
    lead_ids = [lead.id for lead in card.leads]
    joined = session.exec(select(Contact.id).where(Contact.merged_into_id == card.contact.id)).all()
    about: dict[str, Iterable[int | None]] = {
        "contact": [card.contact.id, *joined],
        "lead": lead_ids,
        "deal": session.exec(select(DealLead.deal_id).where(col(DealLead.lead_id).in_(lead_ids))).all(),
        "draft": session.exec(select(Draft.id).where(Draft.contact_id == card.contact.id)).all(),
        "inbox_message": session.exec(select(InboxMessage.id).where(InboxMessage.contact_id == card.contact.id)).all(),
        "suppression": [row.id for row in card.suppressions],
    }
    conditions = [
        (col(Event.subject) == subject) & col(Event.subject_id).in_(list(ids)) for subject, ids in about.items()
    ]
    # A merge stands in the log of both people; here it is told once.
    told_twice = col(Event.verb).in_(("contacts_merged", "contacts_parted", "duplicate_decided"))
    twice = told_twice & (col(Event.subject) == "contact") & col(Event.subject_id).in_(list(joined))
    rows = select(Event).where(or_(*conditions), ~twice).order_by(col(Event.id).desc()).limit(limit)
    return session.exec(rows).all()


def countries_of_contacts(session: Session) -> list[str]:
    """Return the countries that buyers are known to come from."""
    rows = select(Contact.country).where(col(Contact.merged_into_id).is_(None)).distinct().order_by(Contact.country)
    return [code for code in session.exec(rows) if code]


def leads_by_exhibition(session: Session) -> dict[int, int]:
    """Return exhibition → how many talks were imported for it."""
    rows = select(Lead.exhibition_id, func.count()).group_by(col(Lead.exhibition_id))
    return {show: int(count) for show, count in session.exec(rows)}


def step_counts(session: Session, campaign_id: int) -> dict[tuple[str, str], int]:
    """Return (step, state) → how many buyers of a campaign are there."""
    rows = (
        select(Step.step, Step.status, func.count())
        .join(Enrolment, col(Enrolment.id) == Step.enrolment_id)
        .where(Enrolment.campaign_id == campaign_id)
        .group_by(Step.step, Step.status)
    )
    return {(step, status): int(count) for step, status, count in session.exec(rows)}
