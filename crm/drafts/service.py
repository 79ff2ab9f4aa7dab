"""The verbs of drafts: write what is due, write an answer, edit, cancel. What a letter says is in ``facts``."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from sqlalchemy import String, and_, cast, exists
from sqlalchemy.exc import DataError, SQLAlchemyError
from sqlmodel import Session, col, or_, select

from crm.campaigns import service as campaigns
from crm.campaigns.leads import LeadCard, load
from crm.campaigns.models import Step
from crm.campaigns.service import DueStep
from crm.clearance import rules as clearing
from crm.clearance import service as clearance
from crm.contacts.models import Contact, EmailAddress
from crm.core import events
from crm.core.config import Settings
from crm.core.db import one_of_many
from crm.core.errors import BadInput, CrmError, NotFound, Stale
from crm.core.i18n import _
from crm.drafts.facts import Subject, facts_of, korean_rendering, subject_of
from crm.drafts.language import KOREAN
from crm.drafts.models import Draft
from crm.drafts.placeholders import Facts
from crm.drafts.templates import Letter, Library, RenderedBlock, RenderedLetter, render, unmarked
from crm.pipeline import service as pipeline

log = structlog.get_logger()
WAITING, APPROVED, SENT, CANCELLED = "waiting", "approved", "sent", "cancelled"
ANSWER = "answer"
NEVER = frozenset({"NO_ADDRESS", "PROTO_HARD_BOUNCED", "LAW_SUPPRESSED", "LAW_SUPPRESSED_EVERYWHERE"})
"""Verdicts that no advisor can resolve: there is nothing to draft. Others make a draft that says what is missing."""


def facts_for(
    session: Session, *, lead_id: int, language: str, product_line_id: int | None = None, now: datetime
) -> Facts:
    """Return what a letter to a lead in ``language`` is written from. Raises NotFound for an unknown lead."""
    return facts_of(session, subject_of(session, lead_id, language, product_line_id), language, now=now)


# --- letters of campaigns --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """What came of some due steps: how many were taken, and how many drafts that made."""

    taken: int
    drafted: int


def draft_due(session: Session, settings: Settings, library: Library, *, now: datetime, limit: int = 200) -> int:
    """Write the letters whose time is near and return how many drafts were made (``draft_some``)."""
    return draft_some(session, settings, library, now=now, limit=limit).drafted


def draft_some(session: Session, settings: Settings, library: Library, *, now: datetime, limit: int) -> Batch:
    """Write the letters of at most ``limit`` steps whose time is near. Each step is taken by one worker, once.

    A step whose buyer cannot or must not be written to is skipped with that reason. A letter that cannot be written is
    skipped too, and becomes a task of the advisor, so that it is not forgotten.
    """
    ahead = timedelta(hours=settings.campaigns.draft_ahead_hours)
    due = campaigns.claim(session, settings, now=now, ahead=ahead, kind="mail", limit=limit)
    cards = load(session, {step.lead_id for step in due})
    known = clearance.Gathered(session, settings, [_asked(card) for card in cards.values()])
    pen = _Pen(settings, library, known, now)
    return Batch(len(due), sum(_draft_safely(session, pen, step, cards[step.lead_id]) for step in due))


class _Pen(NamedTuple):
    """What it takes to write the letters of a batch."""

    settings: Settings
    library: Library
    known: clearance.Gathered
    now: datetime


def _asked(card: LeadCard) -> clearance.Asked:
    return clearance.Asked(card.lead_id, card.address, card.language, card.product_line_id)


def _draft_safely(session: Session, pen: _Pen, step: DueStep, card: LeadCard) -> bool:
    """A letter over which the program stumbles becomes a task like one that cannot be written; the others go on."""
    try:
        with session.begin_nested():
            return _draft_step(session, pen, step, card)
    except Exception as error:
        if isinstance(error, SQLAlchemyError) and not isinstance(error, DataError):
            raise  # the database's trouble, not the letter's; the next tick tries again
        log.exception("letter_not_drafted", step=step.id)
        handed = False
        with one_of_many(session, "letter_not_handed_over", step=step.id):
            _hand_to_advisor(session, pen, card, step, CrmError(type(error).__name__))
            handed = True
        if not handed:
            campaigns.give_back(session, step)
        return False


def _draft_step(session: Session, pen: _Pen, step: DueStep, card: LeadCard) -> bool:
    never = _never(pen, card, step.due_at)
    if never:
        campaigns.step_skipped(session, step.id, reason=never, now=pen.now, settings=pen.settings)
        return False
    about = subject_of(session, step.lead_id, card=card)
    try:
        draft = _written(session, pen.library.letter(step.what), about, planned_at=step.due_at, now=pen.now)
    except CrmError as error:
        _hand_to_advisor(session, pen, card, step, error)
        return False
    draft.step_id = step.id
    _store(session, draft, pen.now)
    return True


def keep_true(session: Session, library: Library, *, now: datetime) -> int:
    """Write waiting letters anew whose buyer's address, language or name changed since; return how many.

    What an advisor wrote into a letter is kept, unless the letter is in the wrong language. Who has the old one open
    is told so, because the version changes.
    """
    usable = exists().where(
        col(EmailAddress.contact_id) == Draft.contact_id,
        col(EmailAddress.address) == Draft.recipient,
        col(EmailAddress.status) == "ok",
    )
    other_language = and_(col(Contact.language) != "", col(Contact.language) != Draft.language)
    rows = (
        select(Draft, Contact)
        .join(Contact, col(Contact.id) == col(Draft.contact_id))
        .where(
            Draft.status == WAITING,
            col(Draft.step_id).is_not(None),
            or_(~usable, other_language, cast(col(Contact.edited), String) != "{}"),
        )
    )
    return sum(_keep_true(session, library, draft, contact, now) for draft, contact in session.exec(rows).all())


def _keep_true(session: Session, library: Library, draft: Draft, contact: Contact, now: datetime) -> bool:
    about = subject_of(session, draft.lead_id)
    known = select(EmailAddress).where(EmailAddress.address == draft.recipient)
    owner = session.exec(known.where(EmailAddress.contact_id == draft.contact_id, EmailAddress.status == "ok")).first()
    moved = owner is None and about.card.address != ""
    edited_at = max(map(datetime.fromisoformat, contact.edited.values()), default=draft.created_at)
    by_hand = any(block["edited_by"] for block in draft.blocks)
    foreign = about.card.language != draft.language
    if foreign or (edited_at > draft.created_at and not by_hand):
        _write_anew(session, library, draft, about, now)
    elif not moved:
        return False
    if moved:
        draft.recipient = about.card.address
    session.flush()
    _log(
        session, draft, "letter_drafted", now, events.SYSTEM, data={"letter": draft.letter, "language": draft.language}
    )
    return True


def _write_anew(session: Session, library: Library, draft: Draft, about: Subject, now: datetime) -> None:
    with session.no_autoflush:
        fresh = _written(session, library.letter(draft.letter), about, planned_at=draft.planned_at, now=now)
    for name in ("letter_version", "language", "recipient_name", "subject", "subject_ko", "subject_template", "blocks"):
        setattr(draft, name, getattr(fresh, name))
    draft.created_at = now


def start_over(session: Session, draft: Draft, recipient: str, *, reason: str, now: datetime) -> None:
    """Let a letter that did not arrive wait for its advisor again, to another address of the same person."""
    draft.recipient, draft.status, draft.status_reason = recipient, WAITING, ""
    session.flush()
    _log(session, draft, "letter_drafted", now, events.SYSTEM, reason=reason)


def _never(pen: _Pen, card: LeadCard, moment: datetime) -> str | None:
    """Return the code of a verdict that makes a letter pointless, or None."""
    found = pen.known.verdicts(_asked(card), moment)
    return next((verdict.code for verdict in clearing.blocked(found) if verdict.code in NEVER), None)


def _hand_to_advisor(session: Session, pen: _Pen, card: LeadCard, step: DueStep, error: CrmError) -> None:
    deal = pipeline.deal_of_lead(session, card.lead_id)
    pipeline.add_task(
        session,
        exporter_id=card.exporter_id,
        kind="check",
        title=_("Letter to {who} could not be written: {reason}", who=card.who, reason=error.message),
        due_at=step.due_at,
        deal_id=deal.id if deal else None,
        lead_id=card.lead_id,
        origin=f"letter:{step.id}",
        now=pen.now,
    )
    campaigns.step_skipped(session, step.id, reason="not_written", now=pen.now, settings=pen.settings)


def _written(session: Session, letter: Letter, about: Subject, *, planned_at: datetime, now: datetime) -> Draft:
    target, korean = _both(session, letter, about, max(planned_at, now))
    draft = _empty(session, about, planned_at=planned_at, now=now)
    draft.letter, draft.letter_version = letter.name, letter.version
    draft.subject = draft.subject_template = target.subject
    draft.subject_ko = korean.subject
    draft.blocks = _pairs(target, korean)
    return draft


def _both(session: Session, letter: Letter, about: Subject, moment: datetime) -> tuple[RenderedLetter, RenderedLetter]:
    """Write the letter in the buyer's language, and in Korean with the same values."""
    language = about.card.language
    facts = facts_of(session, about, language, now=moment)
    target = render(letter, language, {language: facts})
    if language == KOREAN:
        return target, target
    return target, render(letter, KOREAN, {KOREAN: korean_rendering(session, about, facts, now=moment)})


def _pairs(target: RenderedLetter, korean: RenderedLetter) -> list[dict[str, Any]]:
    beside = {block.id: block for block in korean.blocks}
    return [_pair(block, beside.get(block.id)) for block in target.blocks]


def _pair(block: RenderedBlock, korean: RenderedBlock | None) -> dict[str, Any]:
    return {
        "id": block.id,
        "text": block.text,
        "marked": block.marked,
        "ko": korean.text if korean else "",
        "ko_marked": korean.marked if korean else "",
        "template_text": block.text,
        "edited_by": "",
        "edited_at": "",
        "ko_note": "",
    }


def _empty(session: Session, about: Subject, *, planned_at: datetime, now: datetime) -> Draft:
    deal = pipeline.deal_of_lead(session, about.card.lead_id)
    return Draft(
        lead_id=about.card.lead_id,
        contact_id=about.card.contact_id,
        exporter_id=about.card.exporter_id,
        exhibition_id=about.card.exhibition_id,
        deal_id=deal.id if deal else None,
        product_line_id=about.line.id if about.line else None,
        letter=ANSWER,
        letter_version="",
        language=about.card.language,
        recipient=about.card.address,
        recipient_name=about.recipient_name,
        subject="",
        planned_at=planned_at,
        created_at=now,
    )


def _store(session: Session, draft: Draft, now: datetime, by: str = events.SYSTEM) -> None:
    session.add(draft)
    session.flush()
    _log(session, draft, "letter_drafted", now, by, data={"letter": draft.letter, "language": draft.language})


# --- letters written by hand -----------------------------------------------------------------------------------------


def write_answer(
    session: Session,
    library: Library,
    *,
    lead_id: int,
    in_reply_to: str,
    texts: Sequence[str],
    subject: str = "",
    recipient: str = "",
    now: datetime,
    by: str,
) -> Draft:
    """Make a draft of what a person wrote, between the salutation and the signature of the thank-you letter.

    ``texts`` are paragraphs in the buyer's language; ``subject`` empty keeps that of the last letter, with ``Re:``;
    ``recipient`` is the address that is answered, else the buyer's own. Raises BadInput when nothing was written.
    """
    texts = [text.strip() for text in texts if text.strip()]
    if not texts:
        raise BadInput(_("Write something first."))
    about = subject_of(session, lead_id)
    if not (recipient or about.card.address):
        raise BadInput(_("This buyer has no e-mail address that can be written to."))
    frame = {pair["id"]: pair for pair in _pairs(*_both(session, library.letter("thank_you"), about, now))}
    draft = _empty(session, about, planned_at=now, now=now)
    draft.recipient = recipient or about.card.address
    draft.subject = _one_line(subject or _answered_subject(session, lead_id))
    own = [_by_hand(f"text_{number}", text, by, now) for number, text in enumerate(texts, 1)]
    draft.blocks = [frame["greeting"], *own, frame["closing"], frame["signature"]]
    draft.in_reply_to = in_reply_to
    _store(session, draft, now, by)
    return draft


def _answered_subject(session: Session, lead_id: int) -> str:
    rows = select(Draft.subject).where(Draft.lead_id == lead_id, Draft.status == SENT).order_by(col(Draft.id).desc())
    last = session.exec(rows).first() or ""
    return last if last.lower().startswith("re:") or not last else f"Re: {last}"


def _by_hand(name: str, text: str, by: str, now: datetime) -> dict[str, Any]:
    return {**_pair(RenderedBlock(name, text, text), None), "template_text": "", **_edit_mark(by, now)}


def _edit_mark(by: str, now: datetime) -> dict[str, str]:
    return {"edited_by": by, "edited_at": now.isoformat()}


# --- changing and cancelling -----------------------------------------------------------------------------------------


def edit(
    session: Session, draft: Draft, block_id: str, text: str, *, ko_note: str = "", by: str, now: datetime
) -> None:
    """Change the text of one block of a waiting draft. Its Korean rendering no longer holds and goes.

    ``ko_note`` says in Korean what was changed. Raises Stale when the draft was decided, NotFound for an unknown block,
    BadInput for an empty text.
    """
    _require_waiting(draft)
    text = unmarked(text.replace("\r\n", "\n")).strip()
    if not text:
        raise BadInput(_("A paragraph must not be empty."))
    if block_id not in {block["id"] for block in draft.blocks}:
        raise NotFound(_("There is no such paragraph."))
    change = {"text": text, "marked": text, "ko": "", "ko_marked": "", "ko_note": ko_note, **_edit_mark(by, now)}
    draft.blocks = [{**block, **change} if block["id"] == block_id else block for block in draft.blocks]
    session.flush()


def set_subject(session: Session, draft: Draft, subject: str, *, by: str, now: datetime) -> None:
    """Change the subject of a waiting draft. Raises Stale when it was decided, BadInput for no or several lines."""
    _require_waiting(draft)
    draft.subject, draft.subject_ko = _one_line(subject), ""
    session.flush()


def cancel_for_steps(session: Session, step_ids: Collection[int], *, reason: str, now: datetime) -> list[int]:
    """Cancel the drafts of steps that were cancelled, approved ones too; return their ids. Sent ones stay."""
    rows = select(Draft).where(col(Draft.step_id).in_(step_ids), col(Draft.status).in_((WAITING, APPROVED)))
    locked = rows.with_for_update().execution_options(populate_existing=True)
    return [_cancel(session, draft, reason, now) for draft in session.exec(locked).all()]


def cancel_ended(session: Session, *, now: datetime) -> list[int]:
    """Cancel open drafts whose step was cancelled or skipped, by whomever; return their ids. Twice changes nothing.

    Delivery asks the campaign before each letter anyway; this keeps the review queue free of letters that cannot leave.
    """
    ended = (
        select(Draft, Step.reason)
        .join(Step, col(Step.id) == col(Draft.step_id))
        .where(col(Draft.status).in_((WAITING, APPROVED)), col(Step.status).in_(("cancelled", "skipped")))
    )
    return [_cancel(session, draft, reason, now) for draft, reason in session.exec(ended).all()]


def _cancel(session: Session, draft: Draft, reason: str, now: datetime) -> int:
    draft.status, draft.status_reason = CANCELLED, reason
    session.flush()
    _log(session, draft, "letter_cancelled", now, events.SYSTEM, reason=reason)
    return _id(draft.id)


def rendered(draft: Draft) -> list[RenderedBlock]:
    """Return the blocks of a draft as they are now."""
    return [RenderedBlock(block["id"], block["text"], block["marked"]) for block in draft.blocks]


def _require_waiting(draft: Draft) -> None:
    if draft.status != WAITING:
        raise Stale(_("This draft has already been decided. Open the list again."))


def _one_line(subject: str) -> str:
    subject = subject.strip()
    if not subject:
        raise BadInput(_("Write a subject."))
    if len(subject.splitlines()) > 1:
        raise BadInput(_("Write the subject on one line."))
    return subject


def _id(value: int | None) -> int:
    assert value is not None
    return value


def _log(
    session: Session,
    draft: Draft,
    verb: str,
    now: datetime,
    by: str,
    *,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    events.record(
        session, verb, "draft", draft.id, at=now, actor=by, exporter_id=draft.exporter_id, reason=reason, data=data
    )
