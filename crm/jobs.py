"""The timetable. APScheduler only ticks; what is due stands in the tables, so a crash loses and repeats nothing.

Each job is one transaction (delivery and inbox open their own, and say why). ``run_once`` does all of them in the order
of the data's way, which is also what ``crm worker --once`` and the demo's clock do.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from datetime import UTC
from functools import cache, partial

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlmodel import Session

from crm.campaigns import service as campaigns
from crm.campaigns.forgetting import forget_leads as forget_enrolments
from crm.core.context import Context
from crm.delivery import service as delivery
from crm.drafts import desk
from crm.drafts import service as drafts
from crm.drafts.forgetting import forget_leads as forget_drafts
from crm.drafts.library import Shelf
from crm.drafts.templates import Library
from crm.inbox import service as inbox
from crm.mail.smtp import SmtpPool
from crm.pipeline import paperwork
from crm.pipeline import service as pipeline
from crm.pipeline.forgetting import forget_leads as forget_deals
from crm.pipeline.forgetting import in_human_hands
from crm.review import service as review

log = structlog.get_logger()
BATCH, BATCHES = 200, 5
"""Letters drafted in one transaction, and such transactions a tick."""


@cache
def library(folder: str) -> Library:
    """Return the letters of a folder, compiled once per process; any mistake in one of them is told."""
    return Library(folder)


def letters_in_use(context: Context) -> Shelf:
    """Return the letters in use. Read apart from any writing: the first time a process compiles all of them."""
    with context.db.reading() as session:
        return desk.letters_in_use(session, context.settings)


def open_deals(context: Context) -> int:
    """Give every new lead its deal."""
    with context.db.writing() as session:
        return pipeline.open_deals(session, now=context.clock.now())


def enrol_leads(context: Context) -> int:
    """Enrol the leads of running campaigns, late imports included."""
    with context.db.writing() as session:
        return campaigns.enrol_leads(session, context.settings, now=context.clock.now())


def cancel_ended(context: Context) -> int:
    """Take letters whose follow-up ended out of the review queue."""
    with context.db.writing() as session:
        return len(drafts.cancel_ended(session, now=context.clock.now()))


def take_steps(context: Context) -> int:
    """Do the steps that are due and no letters: tasks, branches, waits, moves, notices."""
    with context.db.writing() as session:
        return campaigns.act_due(session, context.settings, now=context.clock.now())


def keep_drafts_true(context: Context) -> int:
    """Write waiting letters anew whose buyer's address, language or name changed."""
    letters = letters_in_use(context)
    with context.db.writing() as session:
        return drafts.keep_true(session, letters, now=context.clock.now(), settings=context.settings)


def keep_letters(context: Context) -> int:
    """Let running campaigns keep the versions of their letters, where they keep none yet."""
    with context.db.writing() as session:
        return desk.keep_letters(session, context.settings, now=context.clock.now())


def write_held(context: Context) -> int:
    """Write letters that were held because a fact was missing, once it is there."""
    letters = letters_in_use(context)
    with context.db.writing() as session:
        return drafts.write_held(session, context.settings, letters, now=context.clock.now())


def make_drafts(context: Context) -> int:
    """Draft the letters whose time is near, some at a time, so that nobody waits long for the database."""
    total = 0
    for _batch in range(BATCHES):
        letters = letters_in_use(context)
        with context.db.writing() as session:
            done = drafts.draft_some(session, context.settings, letters, now=context.clock.now(), limit=BATCH)
        total += done.drafted
        if done.taken < BATCH:
            break
    return total


def expire_quotations(context: Context) -> int:
    """Mark quotations whose last day is over."""
    with context.db.writing() as session:
        return paperwork.expire(session, now=context.clock.now())


def queue_approved(context: Context) -> int:
    """Put approved letters into the outbox."""
    with context.db.writing() as session:
        return delivery.queue_approved(session, now=context.clock.now())


def recover(context: Context) -> None:
    """Settle what a dead worker left behind: back to the queue, or uncertain."""
    with context.db.writing() as session:
        requeued, uncertain = delivery.recover(session, now=context.clock.now())
    if requeued or uncertain:
        log.warning("recovered", requeued=requeued, uncertain=uncertain)


async def send_due(context: Context, pool: SmtpPool) -> int:
    """Send what is approved and due, batch by batch, until nothing is left."""
    total = 0
    while sent := await delivery.send_due(context, pool):
        total += sent
    return total


def read_inbox(context: Context) -> int:
    """Read new mail and act on it."""
    return inbox.read_mailbox(context) if context.settings.imap.host else 0


ENGINE: tuple[Callable[[Context], object], ...] = (
    recover, open_deals, expire_quotations, enrol_leads, take_steps, cancel_ended, keep_letters,
    keep_drafts_true, write_held, make_drafts, queue_approved,
)  # fmt: skip


def release_leads(session: Session, lead_ids: list[int]) -> set[int]:
    """Let go of leads whose import is taken back; return those that stay because somebody has worked on them."""
    return _release(session, lead_ids, in_human_hands(session, lead_ids))


def release_double(session: Session, lead_ids: list[int]) -> set[int]:
    """Let go of a lead whose person turned out to be another one with the same talk; return it if it has to stay.

    A deal that both leads belong to goes on with the other one, so it does not hold this one.
    """
    return _release(session, lead_ids, in_human_hands(session, lead_ids, shared=False))


def _release(session: Session, lead_ids: list[int], in_hands: set[int]) -> set[int]:
    held = in_hands | review.leads_decided(session, lead_ids) | inbox.leads_heard_of(session, lead_ids)
    free = sorted(set(lead_ids) - held)
    for forget in (forget_drafts, forget_enrolments, forget_deals):
        forget(session, free)
    return held


async def run_once(context: Context) -> dict[str, object]:
    """Do everything that is due now, once, and return what each job did. A job that fails does not stop the others."""
    return {**await run_inbox(context), **await run_engine(context)}


async def run_inbox(context: Context) -> dict[str, object]:
    """Read the mailbox once."""
    return {"read_inbox": await _guarded("read_inbox", asyncio.to_thread(read_inbox, context))}


async def run_engine(context: Context) -> dict[str, object]:
    """Do all that is due, from the leads to the letters that leave."""
    done = {step.__name__: await _guarded(step.__name__, asyncio.to_thread(step, context)) for step in ENGINE}
    pool = SmtpPool(context.settings.smtp)
    try:
        done["send_due"] = await _guarded("send_due", send_due(context, pool))
    finally:
        await pool.close()
    return done


async def _guarded(name: str, work: Awaitable[object]) -> object:
    try:
        return await work
    except Exception as error:
        # One poisoned row must not hold up the others; it is logged and tried again with the next tick.
        log.exception("job_failed", job=name, error=type(error).__name__)
        return f"failed: {type(error).__name__}: {error}"


async def work_forever(
    context: Context, stop: asyncio.Event, tick: Callable[[], Awaitable[object]] | None = None
) -> None:
    """Tick until ``stop`` is set. A slow relay does not keep the mailbox from being read: each has its own interval.

    ``tick`` stands in for both where ticks have to wait for something else. One at a time: a tick that takes long
    delays the next, it does not double it.
    """
    # What lives as long as the worker (the letters, the mapper, the law) is not looked through for garbage again.
    library(context.settings.templates_dir)
    gc.collect()
    gc.freeze()
    worker = context.settings.worker
    if tick is not None:
        timetable: list[tuple[Callable[[], Awaitable[object]], float]] = [(tick, worker.tick_seconds)]
    else:
        engine, mailbox = partial(run_engine, context), partial(run_inbox, context)
        timetable = [(engine, worker.tick_seconds), (mailbox, worker.inbox_seconds)]
    scheduler = AsyncIOScheduler(timezone=UTC)
    for work, seconds in timetable:
        scheduler.add_job(work, "interval", seconds=seconds, coalesce=True, max_instances=1, misfire_grace_time=None)
        await work()
    scheduler.start()
    try:
        await stop.wait()
    finally:
        scheduler.shutdown(wait=True)
