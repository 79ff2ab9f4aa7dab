"""Claiming: letters that are due become ``sending`` in one committed transaction, before anything is sent.

Here everything is asked a last time; what changed since the approval wins.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlmodel import Session, col, select, update

from crm.campaigns import service as campaigns
from crm.campaigns.models import Campaign, Enrolment, Step
from crm.clearance import rules as clearing
from crm.core import events
from crm.core.config import Settings
from crm.core.errors import NotFound
from crm.delivery.models import Outbox
from crm.delivery.rules import Status, lease_until
from crm.drafts.models import Draft
from crm.mail.compose import CannotCompose
from crm.review import letters
from crm.review import service as review
from crm.review.models import Approval, Message

log = structlog.get_logger()
ERROR_PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Claimed:
    """A letter that belongs to one worker until its lease ends."""

    outbox_id: int
    worker: str
    sender: str
    recipient: str
    raw: bytes


def claim(session: Session, settings: Settings, *, now: datetime, worker: str) -> tuple[list[Claimed], int]:
    """Claim what is due. Returns the letters to send, and how many were looked at.

    ``worker`` must be unique to this call. The caller commits before it sends.
    """
    rows = _take(session, settings, now, worker)
    ready = [letter for row in rows if (letter := _examine_safely(session, settings, row, now)) is not None]
    return ready, len(rows)


def _take(session: Session, settings: Settings, now: datetime, worker: str) -> list[Outbox]:
    """One statement finds and marks them, so that two workers never get the same row (SKIP LOCKED on PostgreSQL)."""
    due = (
        select(Outbox.id)
        .where(Outbox.status == Status.QUEUED, Outbox.due_at <= now, ~_of_a_paused_campaign())
        .order_by(col(Outbox.due_at), col(Outbox.id))
        .limit(settings.delivery.batch)
        .with_for_update(skip_locked=True)
    )
    marked = (
        update(Outbox)
        .where(col(Outbox.id).in_(due.scalar_subquery()), col(Outbox.status) == Status.QUEUED)
        .values(
            status=Status.SENDING,
            worker=worker,
            lease_until=lease_until(now, settings.delivery.lease_seconds, settings.smtp.timeout),
            offered_at=None,
        )
        .returning(col(Outbox.id))
        .execution_options(synchronize_session=False)
    )
    ids = list(session.exec(marked).scalars())
    found = select(Outbox).where(col(Outbox.id).in_(ids)).order_by(col(Outbox.due_at), col(Outbox.id))
    return list(session.exec(found.execution_options(populate_existing=True)))


def _of_a_paused_campaign() -> Any:
    return (
        sa.select(1)
        .select_from(sa.join(Draft, Step, col(Step.id) == col(Draft.step_id)))
        .join(Enrolment, col(Enrolment.id) == col(Step.enrolment_id))
        .join(Campaign, col(Campaign.id) == col(Enrolment.campaign_id))
        .where(col(Draft.id) == col(Outbox.draft_id), col(Campaign.status) == "paused")
        .correlate(Outbox)
        .exists()
    )


def _examine_safely(session: Session, settings: Settings, row: Outbox, now: datetime) -> Claimed | None:
    """A letter over which the program stumbles waits an hour; it must not hold up the others."""
    try:
        with session.begin_nested():
            return _examine(session, settings, row, now)
    except Exception:
        log.exception("letter_not_prepared", outbox=row.id)
        session.refresh(row)
        back_to_queue(session, row, "internal_error", now + ERROR_PAUSE)
        session.flush()
        return None


def _examine(session: Session, settings: Settings, row: Outbox, now: datetime) -> Claimed | None:
    draft = session.get_one(Draft, row.draft_id)
    message = session.get_one(Message, row.approval_id)
    if not _take_approval(session, row, now):
        _end(session, row, Status.CANCELLED, "taken_back")
    elif draft.status != "approved":
        _end(session, row, Status.CANCELLED, "draft_cancelled")
    elif not _hindered(session, row, draft, now):
        raw = _whole(session, message)
        altered = _altered(session, row, draft, message, raw, now)
        if not altered and _may_leave(session, settings, row, draft, message, now):
            return Claimed(row.id or 0, row.worker, row.envelope_sender, row.recipient, raw)
    session.flush()
    return None


def _take_approval(session: Session, row: Outbox, now: datetime) -> bool:
    """From here on the approval cannot be taken back; the row count tells whether it was a moment ago."""
    taken = (
        update(Approval)
        .where(
            col(Approval.id) == row.approval_id, col(Approval.revoked_at).is_(None), col(Approval.taken_at).is_(None)
        )
        .values(taken_at=now)
    )
    return bool(session.exec(taken).rowcount == 1)


def _hindered(session: Session, row: Outbox, draft: Draft, now: datetime) -> bool:
    """Ask the campaign. A pause or an absence only delays; an end is an end."""
    if draft.step_id is None:
        return False
    reason = campaigns.hindrance(session, draft.step_id, now=now)
    if reason in ("out_of_office", "campaign_paused"):
        step = session.get_one(Step, draft.step_id)
        until = session.get_one(Enrolment, step.enrolment_id).hold_until
        back_to_queue(session, row, reason, until if reason == "out_of_office" and until else now)
    elif reason:
        _end(session, row, Status.CANCELLED, reason)
    return bool(reason)


def _whole(session: Session, message: Message) -> bytes:
    """Return the mail with its files; where one of them is not what was approved, nothing, which is altered too."""
    try:
        return letters.bytes_of(session, message)
    except (CannotCompose, NotFound):
        return b""


def _altered(session: Session, row: Outbox, draft: Draft, message: Message, raw: bytes, now: datetime) -> bool:
    """Approval is bound to the exact letter: text, recipient, sender, files, bytes."""
    approval = session.get_one(Approval, row.approval_id)
    same = (
        review.fingerprint(session, draft) == approval.content_hash
        and hashlib.sha256(raw).hexdigest() == message.sha256
        and message.recipient == row.recipient == draft.recipient
    )
    if not same:
        _withhold(session, row, draft, approval, "changed", [], now)
    return not same


def _may_leave(
    session: Session, settings: Settings, row: Outbox, draft: Draft, message: Message, now: datetime
) -> bool:
    if draft.step_id is not None:
        slot = campaigns.next_slot_for(session, settings, draft.step_id, now)
        if slot > now:
            back_to_queue(session, row, "window", slot)
            return False
    verdicts = review.verdicts_at_sending(session, settings, draft, message, now=now)
    blocks = clearing.blocked(verdicts)
    if not blocks:
        return True
    free_at = clearing.may_go_at(verdicts)
    if free_at is not None and free_at > now:
        back_to_queue(session, row, blocks[0].code, free_at)
    else:
        approval = session.get_one(Approval, row.approval_id)
        _withhold(session, row, draft, approval, blocks[0].code, [block.code for block in blocks], now)
    return False


def _withhold(
    session: Session, row: Outbox, draft: Draft, approval: Approval, reason: str, codes: list[str], now: datetime
) -> None:
    """Hold the letter back and give the draft to the advisor again, who sees what stands in its way."""
    _end(session, row, Status.WITHHELD, reason)
    approval.revoked_at, approval.revoked_by = now, events.SYSTEM
    draft.status = "waiting"
    events.record(
        session, "letter_withheld", "draft", draft.id, at=now, exporter_id=row.exporter_id, reason=reason,
        data={"outbox": row.id, "verdicts": codes},
    )  # fmt: skip


def back_to_queue(session: Session, row: Outbox, reason: str, due_at: datetime) -> None:
    """Put a letter that was not offered back; until it is claimed again, its approval can be taken back."""
    row.status, row.reason, row.due_at = Status.QUEUED, reason, due_at
    _release(row)
    free = update(Approval).where(col(Approval.id) == row.approval_id).values(taken_at=None)
    session.exec(free)


def _end(session: Session, row: Outbox, status: Status, reason: str) -> None:
    row.status, row.reason = status, reason
    _release(row)
    session.add(row)


def _release(row: Outbox) -> None:
    row.worker, row.lease_until, row.offered_at = "", None, None
