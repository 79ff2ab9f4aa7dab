"""Sending: claim, commit, act, record. The one room, beside inbox, that opens its own transactions.

A letter is committed as ``sending`` before a connection is used and as offered before its body leaves. So whatever
moment the machine dies, it is known afterwards whether the letter can safely go again, or only a person may decide.
"""

import asyncio
import os
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select, update

from crm.campaigns import service as campaigns
from crm.campaigns.leads import load
from crm.campaigns.models import Step
from crm.clearance import service as clearance
from crm.contacts import service as contacts
from crm.core import events, instance
from crm.core.config import Settings
from crm.core.context import Context, host_name
from crm.core.errors import Refused
from crm.core.i18n import _
from crm.delivery.claims import Claimed, back_to_queue, claim
from crm.delivery.models import Attempt, Outbox
from crm.delivery.rules import Result, Status, envelope_sender_domain, lease_until, result_of
from crm.drafts import service as drafts
from crm.drafts.models import Draft
from crm.mail import tokens
from crm.mail.outcome import NotOffered, Outcome
from crm.mail.smtp import SmtpPool
from crm.pipeline import paperwork
from crm.pipeline import service as pipeline
from crm.review.models import Approval, Message

log = structlog.get_logger()
QUOTATION = "quotation"
"""The letter that carries a quotation to the buyer."""
ON_THE_WAY = (Status.SENDING, Status.SENT, Status.BOUNCED, Status.UNCERTAIN)


def queue_approved(session: Session, *, now: datetime) -> int:
    """Give every standing approval its row in the outbox, and return how many were new. Twice changes nothing."""
    known = select(Outbox.id).where(col(Outbox.approval_id) == col(Approval.id)).exists()
    rows = (
        select(Approval, Draft, Message)
        .join(Draft, col(Draft.id) == col(Approval.draft_id))
        .join(Message, col(Message.approval_id) == col(Approval.id))
        .where(col(Approval.revoked_at).is_(None), Draft.status == "approved", ~known)
        .order_by(col(Approval.send_at))
    )
    return sum(_queue(session, *found) for found in session.exec(rows).all())


def _queue(session: Session, approval: Approval, draft: Draft, message: Message) -> bool:
    domain = envelope_sender_domain(message.message_id)
    row = Outbox(
        approval_id=message.approval_id,
        draft_id=approval.draft_id,
        exporter_id=draft.exporter_id,
        recipient=message.recipient,
        envelope_sender=tokens.address("bounce", message.token, domain),
        due_at=approval.send_at,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # another worker was faster: the approval is unique in the outbox
        return False
    return True


async def send_due(context: Context, pool: SmtpPool) -> int:
    """Send one batch of what is due, and return how many letters were looked at; 0 when nothing more can go now.

    Any number of workers may call this at once.
    """
    worker = f"{host_name()[:24]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
    letters, looked_at = await asyncio.to_thread(_claim, context, worker)
    round_ = Round(context, pool)
    results = await asyncio.gather(*(round_.send(letter) for letter in letters), return_exceptions=True)
    for failure in (result for result in results if isinstance(result, BaseException)):
        # Its row stays claimed; when the lease is over, ``recover`` settles it by what is committed.
        log.error("letter_not_recorded", error=repr(failure))
        round_.halted = True
    return 0 if round_.halted else looked_at


def _claim(context: Context, worker: str) -> tuple[list[Claimed], int]:
    now = context.clock.now()
    with context.db.writing() as session:
        if not instance.check_host(session, now=now):
            return [], 0
    _finish_sent(context)
    with context.db.writing() as session:
        return claim(session, context.settings, now=now, worker=worker)


class Round:
    """One batch on its way.

    ``halted`` when the relay takes nothing any more: the rest goes back to the queue, to leave after ``resume_at``.
    """

    def __init__(self, context: Context, pool: SmtpPool) -> None:
        self.context, self.pool = context, pool
        self.halted = False
        self.resume_at: datetime | None = None
        # A letter keeps its place until its answer is recorded, so a crash leaves at most one in doubt a connection.
        self._places = asyncio.Semaphore(pool.size)

    async def send(self, letter: Claimed) -> None:
        """Offer one letter and record what came of it."""
        async with self._places:
            outcome = await self._offer(letter)
            result = await asyncio.to_thread(_record, self.context, letter, outcome, self.resume_at)
            if result is not None and result.stops:
                self.halted = True
                self.resume_at = result.due_at if result.pause_all else self.resume_at

    async def _offer(self, letter: Claimed) -> Outcome:
        async def before_data() -> bool:
            return not self.halted and await asyncio.to_thread(_mark_offered, self.context, letter)

        if self.halted:
            return NotOffered("withdrawn")
        return await self.pool.deliver(
            sender=letter.sender, recipient=letter.recipient, raw=letter.raw, before_data=before_data
        )


def _mark_offered(context: Context, letter: Claimed) -> bool:
    """Commit that the body leaves now. False when the claim is not ours any more: then it must not leave."""
    now, settings = context.clock.now(), context.settings
    with context.db.writing() as session:
        if not instance.check_host(session, now=now) or not _still_wanted(session, letter, now):
            return False
        offered = (
            update(Outbox)
            .where(
                col(Outbox.id) == letter.outbox_id,
                col(Outbox.status) == Status.SENDING,
                col(Outbox.worker) == letter.worker,
                col(Outbox.offered_at).is_(None),
            )
            .values(
                offered_at=now, lease_until=lease_until(now, settings.delivery.lease_seconds, settings.smtp.timeout)
            )
        )
        return bool(session.exec(offered).rowcount == 1)


def _still_wanted(session: Session, letter: Claimed, now: datetime) -> bool:
    """A batch on a slow line takes minutes; what ended since the claim is stopped before the next letter."""
    row = session.get_one(Outbox, letter.outbox_id)
    draft = session.get_one(Draft, row.draft_id)
    return (
        draft.status == "approved"
        and not clearance.is_refused(session, draft.lead_id, row.recipient)
        and (draft.step_id is None or campaigns.hindrance(session, draft.step_id, now=now) is None)
    )


def _record(context: Context, letter: Claimed, outcome: Outcome, resume_at: datetime | None) -> Result | None:
    """Store what came of it. None when the claim was settled by somebody else meanwhile."""
    now = context.clock.now()
    with context.db.writing() as session:
        row = session.exec(
            select(Outbox)
            .where(
                Outbox.id == letter.outbox_id,
                Outbox.worker == letter.worker,
                col(Outbox.status).in_((Status.SENDING, Status.UNCERTAIN)),
            )
            .with_for_update()
        ).first()
        if row is None:
            return None
        pauses = context.settings.delivery.retry_minutes
        result = result_of(outcome, now=now, attempts=row.attempts, pauses=pauses)
        if result.due_at is not None and resume_at is not None:
            result = replace(result, due_at=max(result.due_at, resume_at))
        session.add(
            Attempt(
                outbox_id=letter.outbox_id,
                at=now,
                outcome=result.attempt,
                code=result.code,
                answer=result.answer[:2000],
            )
        )
        _apply(session, context.settings, row, result, now)
    if result.status == Status.SENT:
        _follow_up_safely(context, letter.outbox_id)
    return result


def _apply(session: Session, settings: Settings, row: Outbox, result: Result, now: datetime) -> None:
    row.attempts += result.counts
    if result.status == Status.SENT:
        _sent(session, row, sent_at=now, now=now)
    elif result.status == Status.QUEUED:
        back_to_queue(session, row, result.reason, result.due_at or now)
    elif result.status == Status.UNCERTAIN:
        _uncertain(session, row, result.reason, now)
    else:
        dead, answer = result.dead_address, result.answer
        bounced(session, settings, row, reason=result.reason, answer=answer, dead_address=dead, now=now)
    if result.pause_all is not None:
        later = now + result.pause_all
        session.exec(
            update(Outbox).where(col(Outbox.status) == Status.QUEUED, col(Outbox.due_at) < later).values(due_at=later)
        )
        log.error("sending_paused_by_relay", reason=result.reason, answer=result.answer)
    session.flush()


def _sent(session: Session, row: Outbox, *, sent_at: datetime, now: datetime, by: str = events.SYSTEM) -> None:
    row.status, row.reason, row.sent_at, row.lease_until = Status.SENT, "", sent_at, None
    session.get_one(Draft, row.draft_id).status = "sent"
    _log(session, "letter_sent", row, now, by=by)


def _uncertain(session: Session, row: Outbox, reason: str, now: datetime) -> None:
    """A person decides, with the evidence shown; the letter never goes again by itself."""
    row.status, row.reason, row.lease_until = Status.UNCERTAIN, reason, None
    _log(session, "letter_uncertain", row, now, reason=reason)
    title = _("Decide whether the letter to {address} arrived", address=row.recipient)
    _task(session, row, title, f"outbox:{row.id}", now)


def bounced(
    session: Session, settings: Settings, row: Outbox, *, reason: str, answer: str, dead_address: bool, now: datetime
) -> None:
    """Note that a letter did not arrive and will not.

    A dead address is never written to again, by anyone. Otherwise the follow-up goes on without this letter, and a
    person is asked to look. Used for a refusal while sending and for a report that came back later.
    """
    if row.status == Status.BOUNCED and not dead_address:
        return
    draft = session.get_one(Draft, row.draft_id)
    row.status, row.reason, row.lease_until = Status.BOUNCED, reason, None
    if draft.status == "approved" and draft.recipient == row.recipient:
        draft.status, draft.status_reason = "cancelled", reason
    _log(session, "letter_bounced", row, now, reason=reason, data={"answer": answer[:500]})
    if dead_address:
        _bury(session, settings, row, draft, reason, answer, now)
    else:
        if draft.step_id is not None:
            campaigns.step_skipped(session, draft.step_id, reason="refused", now=now, settings=settings)
        title = _("A letter to {address} was refused. See why.", address=row.recipient)
        _task(session, row, title, f"bounce:{row.id}", now)
    session.flush()


def _bury(
    session: Session, settings: Settings, row: Outbox, draft: Draft, reason: str, answer: str, now: datetime
) -> None:
    evidence = {"outbox": row.id, "answer": answer[:500]}
    contacts.mark_bounced(session, row.recipient, reason, now=now)
    contacts.suppress(
        session, row.recipient, exporter_id=None, reason="hard_bounce", source="delivery", evidence=evidence,
        now=now, by=events.SYSTEM,
    )  # fmt: skip
    other = load(session, [draft.lead_id])[draft.lead_id].address
    if other:
        _start_over(session, row, draft, other, reason, now)
        return
    cancelled = campaigns.end_enrolments(session, contact_id=draft.contact_id, reason="hard_bounced", now=now)
    drafts.cancel_for_steps(session, cancelled, reason="hard_bounced", now=now)
    campaigns.bounced(session, settings, lead_id=draft.lead_id, now=now)


def _start_over(session: Session, row: Outbox, draft: Draft, other: str, reason: str, now: datetime) -> None:
    """The buyer can still be reached: the advisor decides whether the same letter goes to the other address."""
    ended = draft.step_id is None or campaigns.hindrance(session, draft.step_id, now=now) in campaigns.ENDED
    if ended or draft.recipient != row.recipient:
        return
    approval = session.get_one(Approval, row.approval_id)
    approval.revoked_at, approval.revoked_by = now, events.SYSTEM
    drafts.start_over(session, draft, other, reason=reason, now=now)


def _follow_up_safely(context: Context, outbox_id: int) -> None:
    """Plan what follows a sent letter. If that fails, the letter stays sent, and the next round tries again."""
    try:
        with context.db.writing() as session:
            _follow_up(session, context.settings, session.get_one(Outbox, outbox_id))
    except Exception:
        log.exception("follow_up_failed", outbox=outbox_id)


def _follow_up(session: Session, settings: Settings, row: Outbox) -> None:
    draft = session.get_one(Draft, row.draft_id)
    sent_at = row.sent_at or row.due_at
    if draft.step_id is not None:
        campaigns.step_done(session, draft.step_id, at=sent_at, settings=settings)
    pipeline.note_sent(session, draft.lead_id, now=sent_at)
    if draft.letter == QUOTATION and draft.deal_id is not None:
        paperwork.quotation_left(session, draft.deal_id, at=sent_at)


def _finish_sent(context: Context) -> None:
    """Catch up with letters that were sent just before a worker died: their step is still open."""
    unfinished = (
        select(Outbox.id)
        .join(Draft, col(Draft.id) == col(Outbox.draft_id))
        .join(Step, col(Step.id) == col(Draft.step_id))
        .where(Outbox.status == Status.SENT, Step.status == "taken")
        .limit(100)
    )
    with context.db.reading() as session:
        ids = [found for found in session.exec(unfinished) if found is not None]
    for outbox_id in ids:
        _follow_up_safely(context, outbox_id)


def recover(session: Session, *, now: datetime) -> tuple[int, int]:
    """Settle what dead workers left behind. Returns (how many may go again, how many are uncertain)."""
    rows = session.exec(
        select(Outbox)
        .where(Outbox.status == Status.SENDING, col(Outbox.lease_until) < now)
        .order_by(col(Outbox.id))
        .with_for_update(skip_locked=True)
    ).all()
    offered = [row for row in rows if row.offered_at is not None]
    for row in rows:
        if row.offered_at is None:
            back_to_queue(session, row, "worker_stopped", row.due_at)
        else:
            _uncertain(session, row, "worker_stopped", now)
    session.flush()
    return len(rows) - len(offered), len(offered)


def settle(
    session: Session, settings: Settings, row: Outbox, *, was_sent: bool, by: str, now: datetime, reason: str
) -> None:
    """Take a person's decision about an uncertain letter: it arrived, or it goes back to the queue.

    Raises Refused when the letter is not uncertain.
    """
    if row.status != Status.UNCERTAIN:
        raise Refused(_("This letter is not uncertain; there is nothing to decide."))
    if was_sent:
        _sent(session, row, sent_at=row.offered_at or now, now=now, by=by)
        _follow_up(session, settings, row)
    else:
        back_to_queue(session, row, "settled_not_sent", now)
    _log(session, "letter_settled", row, now, reason=reason, by=by, data={"was_sent": was_sent})
    session.flush()


def arrived(session: Session, settings: Settings, row: Outbox, *, now: datetime) -> None:
    """Note that an answer or a bounce proves an uncertain letter to have been taken; others stay as they are."""
    if row.status == Status.UNCERTAIN:
        settle(session, settings, row, was_sent=True, by=events.SYSTEM, now=now, reason="answered")


def sent_contact_ids(session: Session, contact_ids: Iterable[int]) -> set[int]:
    """Return those of the contacts to whom a letter left, or may have left."""
    found: set[int] = set()
    for chunk in contacts.chunks(sorted(set(contact_ids))):
        rows = (
            select(Draft.contact_id)
            .join(Outbox, col(Outbox.draft_id) == col(Draft.id))
            .where(col(Draft.contact_id).in_(chunk), col(Outbox.status).in_(ON_THE_WAY))
        )
        found |= set(session.exec(rows))
    return found


def last_sent(session: Session, contact_id: int) -> Sequence[datetime]:
    """Return when letters left to a person, newest first."""
    rows = (
        select(Outbox.sent_at)
        .join(Draft, col(Draft.id) == col(Outbox.draft_id))
        .where(Draft.contact_id == contact_id, col(Outbox.sent_at).is_not(None))
        .order_by(col(Outbox.sent_at).desc())
    )
    return [at for at in session.exec(rows) if at is not None]


def _task(session: Session, row: Outbox, title: str, origin: str, now: datetime) -> None:
    draft = session.get_one(Draft, row.draft_id)
    pipeline.add_task(
        session, exporter_id=row.exporter_id, kind="check", title=title, due_at=now, deal_id=draft.deal_id,
        lead_id=draft.lead_id, origin=origin, now=now,
    )  # fmt: skip


def _log(
    session: Session,
    verb: str,
    row: Outbox,
    now: datetime,
    *,
    reason: str = "",
    by: str = events.SYSTEM,
    data: dict[str, object] | None = None,
) -> None:
    events.record(
        session, verb, "draft", row.draft_id, at=now, actor=by, exporter_id=row.exporter_id, reason=reason,
        data={"outbox": row.id, "recipient": row.recipient, **(data or {})},
    )  # fmt: skip
