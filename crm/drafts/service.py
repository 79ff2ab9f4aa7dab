"""The verbs of drafts: write what is due, write an answer, edit, cancel. What a letter says is in ``facts``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy import String, and_, cast, exists
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlmodel import Session, col, or_, select, update

from crm.campaigns import service as campaigns
from crm.campaigns.leads import LeadCard, load
from crm.campaigns.models import Step
from crm.campaigns.service import DueStep
from crm.clearance import service as clearance
from crm.contacts.models import Contact, EmailAddress
from crm.core import bulk, events
from crm.core.config import Settings
from crm.core.db import one_of_many
from crm.core.errors import BadInput, CrmError, NotFound, Refused, Stale
from crm.core.i18n import _
from crm.drafts.enclosures import Posting
from crm.drafts.facts import facts_of
from crm.drafts.models import Draft
from crm.drafts.placeholders import PLACEHOLDERS, Facts
from crm.drafts.subjects import Sources, Subject, subject_of
from crm.drafts.templates import Library, RenderedBlock, unmarked
from crm.drafts.writing import Content, both, noticed, pair_of, pairs, write_in_use
from crm.pipeline import service as pipeline

log = structlog.get_logger()
DRAFTS: sa.Table = Draft.__table__  # type: ignore[attr-defined]
HELD, WAITING, APPROVED, SENT, CANCELLED = "held", "waiting", "approved", "sent", "cancelled"
OPEN = (HELD, WAITING, APPROVED)
ANSWER = "answer"


def facts_for(
    session: Session, *, lead_id: int, language: str, product_line_id: int | None = None, now: datetime
) -> Facts:
    """Return what a letter to a lead in ``language`` is written from. Raises NotFound for an unknown lead."""
    return facts_of(subject_of(session, lead_id, language, product_line_id), language, now=now)


# --- letters of campaigns --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """What came of some due steps: how many were taken, and how many letters were written or are held."""

    taken: int
    drafted: int
    held: int = 0


def draft_due(session: Session, settings: Settings, library: Library, *, now: datetime, limit: int = 200) -> int:
    """Write the letters whose time is near and return how many were written (``draft_some``)."""
    return draft_some(session, settings, library, now=now, limit=limit).drafted


def draft_some(session: Session, settings: Settings, library: Library, *, now: datetime, limit: int) -> Batch:
    """Write the letters of at most ``limit`` steps whose time is near. Each step is taken by one worker, once.

    A step whose buyer cannot or must not be written to is skipped with that reason. A letter for which a fact is
    missing is held (``write_held``). One over which the program stumbles becomes a task of the advisor and its step is
    skipped, so that it is not forgotten; the others go on.
    """
    ahead = timedelta(hours=settings.campaigns.draft_ahead_hours)
    due, cards = campaigns.claim_with_cards(session, settings, now=now, ahead=ahead, kind="mail", limit=limit)
    pen = _pen(session, settings, library, cards, now)
    pages = [page for step in due if (page := _page(session, pen, step)) is not None]
    kept = _keep(session, pen, pages)
    held = sum(page.content.status == HELD for page in kept)
    return Batch(len(due), len(kept) - held, held)


class _Pen(NamedTuple):
    """What it takes to write the letters of a batch."""

    settings: Settings
    library: Library
    cards: Mapping[int, LeadCard]
    sources: Sources
    known: clearance.Gathered
    now: datetime


class _Page(NamedTuple):
    """A letter that was written and is not stored yet."""

    step: DueStep
    about: Subject
    content: Content
    noticed: tuple[str, ...]


def _pen(session: Session, settings: Settings, library: Library, cards: Mapping[int, LeadCard], now: datetime) -> _Pen:
    known = clearance.Gathered(session, settings, [_asked(card) for card in cards.values()])
    return _Pen(settings, library, cards, Sources(session, cards.keys(), cards, Posting.of(settings)), known, now)


def _asked(card: LeadCard) -> clearance.Asked:
    return clearance.Asked(card.lead_id, card.address, card.language, card.product_line_id)


def _page(session: Session, pen: _Pen, step: DueStep) -> _Page | None:
    """Write one letter, or do what has to be done where none is written."""
    try:
        never = pen.known.hopeless(_asked(pen.cards[step.lead_id]))
        if never is None:
            about = pen.sources.subject(step.lead_id)
            content = write_in_use(
                pen.library,
                step.what,
                about,
                campaign_id=step.campaign_id,
                attach=step.attach,
                planned_at=step.due_at,
                now=pen.now,
            )
            return _Page(step, about, content, noticed(content, about))
        with session.begin_nested():
            campaigns.step_skipped(session, step.id, reason=never, now=pen.now, settings=pen.settings)
    except Exception as error:
        if isinstance(error, SQLAlchemyError) and not isinstance(error, DataError):
            raise  # the database's trouble, not the letter's; the next tick tries again
        _stumble(session, pen, step, error)
    return None


def _keep(session: Session, pen: _Pen, pages: Sequence[_Page]) -> list[_Page]:
    """Store letters all at once; where the database refuses one of them, one after the other without that one."""
    if not pages:
        return []
    try:
        with session.begin_nested():
            _store(session, pages, pen.now)
        return list(pages)
    except (DataError, IntegrityError):
        return [page for page in pages if _keep_one(session, pen, page)]


def _keep_one(session: Session, pen: _Pen, page: _Page) -> bool:
    try:
        with session.begin_nested():
            _store(session, [page], pen.now)
        return True
    except (DataError, IntegrityError) as error:
        _stumble(session, pen, page.step, error)
        return False


def _stumble(session: Session, pen: _Pen, step: DueStep, error: Exception) -> None:
    """Hand a letter over which the program stumbles to the advisor; where not even that can be done, it waits again."""
    if not isinstance(error, CrmError):
        log.error("letter_not_drafted", step=step.id, exc_info=error)
    told = error if isinstance(error, CrmError) else CrmError(type(error).__name__)
    handed = False
    with one_of_many(session, "letter_not_handed_over", step=step.id):
        _hand_to_advisor(session, pen, pen.cards[step.lead_id], step, told)
        handed = True
    if not handed:
        campaigns.give_back(session, step)


# --- letters that are held -------------------------------------------------------------------------------------------


def write_held(session: Session, settings: Settings, library: Library, *, now: datetime, limit: int = 200) -> int:
    """Write held letters whose facts are there by now, and return how many; those looked at longest ago first.

    One whose buyer must not be written to any more is cancelled and its step skipped, as when it is drafted.
    """
    rows = (
        select(Draft)
        .where(Draft.status == HELD)
        .order_by(col(Draft.looked_at).nulls_first(), col(Draft.id))
        .limit(limit)
    )
    held = session.exec(rows.with_for_update(skip_locked=True)).all()
    if not held:
        return 0
    pen = _pen(session, settings, library, load(session, {draft.lead_id for draft in held}), now)
    written = 0
    for draft in held:
        with one_of_many(session, "held_letter_not_written", draft=draft.id):
            written += _write_held(session, pen, draft)
    _looked(session, [_id(draft.id) for draft in held if draft.status == HELD], now)
    return written


def _write_held(session: Session, pen: _Pen, draft: Draft) -> bool:
    never = pen.known.hopeless(_asked(pen.cards[draft.lead_id]))
    if never is not None:
        _cancel(session, draft, never, pen.now)
        if draft.step_id is not None:
            campaigns.step_skipped(session, draft.step_id, reason=never, now=pen.now, settings=pen.settings)
        return False
    about = pen.sources.subject(draft.lead_id)
    at = session.get_one(Step, draft.step_id) if draft.step_id is not None else None
    content = write_in_use(
        pen.library,
        draft.letter,
        about,
        campaign_id=at.campaign_id if at else None,
        attach=_attach(session, draft),
        planned_at=draft.planned_at,
        now=pen.now,
    )
    if content.status == HELD and content.held_for == draft.held_for:
        return False
    _take_over(draft, content, about)
    session.flush()
    if draft.status == HELD:
        return False
    draft.created_at = pen.now
    _log_written(session, draft, pen.now)
    return True


def _looked(session: Session, ids: Collection[int], now: datetime) -> None:
    # Past the version, which is for what people read and decide.
    looked = update(Draft).where(col(Draft.id).in_(ids)).values(looked_at=now)
    session.exec(looked.execution_options(synchronize_session=False))


# --- letters that wait and change ------------------------------------------------------------------------------------


def keep_true(session: Session, library: Library, *, now: datetime, settings: Settings | None = None) -> int:
    """Write waiting letters anew whose buyer's address, language or name changed since; return how many.

    Without ``settings`` nothing goes along with a letter that is written anew.

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
    posting = Posting.of(settings) if settings else None
    return sum(
        _keep_true(session, library, draft, contact, now, posting) for draft, contact in session.exec(rows).all()
    )


def _keep_true(
    session: Session, library: Library, draft: Draft, contact: Contact, now: datetime, posting: Posting | None
) -> bool:
    about = subject_of(session, draft.lead_id, posting=posting)
    known = select(EmailAddress).where(EmailAddress.address == draft.recipient)
    owner = session.exec(known.where(EmailAddress.contact_id == draft.contact_id, EmailAddress.status == "ok")).first()
    moved = owner is None and about.card.address != ""
    edited_at = max(map(datetime.fromisoformat, contact.edited.values()), default=draft.created_at)
    by_hand = any(block["edited_by"] for block in draft.blocks)
    foreign = about.card.language != draft.language
    if foreign or (edited_at > draft.created_at and not by_hand):
        recipient = about.card.address if moved else draft.recipient
        _write_anew(draft, library, about, now, _attach(session, draft))
        draft.recipient = recipient
    elif not moved:
        return False
    else:
        draft.recipient = about.card.address
    session.flush()
    _log_written(session, draft, now)
    return True


def _write_anew(draft: Draft, library: Library, about: Subject, now: datetime, attach: str) -> None:
    version, at = draft.letter_version, draft.planned_at
    content = write_in_use(library, draft.letter, about, version=version, attach=attach, planned_at=at, now=now)
    _take_over(draft, content, about)
    draft.created_at = now


def _attach(session: Session, draft: Draft) -> str:
    """Return what the step of a draft wants attached."""
    step = session.get(Step, draft.step_id) if draft.step_id is not None else None
    return str(step.data.get("attach", "")) if step else ""


def _take_over(draft: Draft, content: Content, about: Subject) -> None:
    """Put what was written anew into a draft, with the state that follows from it."""
    for name, value in content._asdict().items():
        setattr(draft, name, value)
    draft.recipient = about.card.address


def write_again(
    session: Session, settings: Settings, library: Library, draft: Draft, *, by: str, now: datetime
) -> None:
    """Write a waiting letter of a template anew from what is known now; what was changed by hand goes.

    Raises Stale when it was decided, Refused for a letter that a person wrote.
    """
    _require_waiting(draft)
    if draft.letter == ANSWER:
        raise Refused(_("This letter was written by hand. Edit it instead."))
    about = subject_of(session, draft.lead_id, posting=Posting.of(settings))
    recipient = draft.recipient
    _write_anew(draft, library, about, now, _attach(session, draft))
    draft.recipient = recipient
    session.flush()
    _log_written(session, draft, now, by)


def start_over(session: Session, draft: Draft, recipient: str, *, reason: str, now: datetime) -> None:
    """Let a letter that did not arrive wait for its advisor again, to another address of the same person."""
    draft.recipient, draft.status, draft.status_reason = recipient, WAITING, ""
    session.flush()
    _log(session, draft, "letter_drafted", now, events.SYSTEM, reason=reason)


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


def _store(session: Session, pages: Sequence[_Page], now: datetime) -> None:
    """Write new drafts past the mapper, with their lines of the log."""
    next_id, as_moment = bulk.ids_for(session, DRAFTS), bulk.moment_of(session, DRAFTS.c.created_at)
    moment = as_moment(now)
    ids = [next_id() for _page in pages]
    rows = [_row(number, page, as_moment(page.step.due_at), moment) for number, page in zip(ids, pages, strict=True)]
    bulk.insert(session, DRAFTS, _COLUMNS, rows)
    groups: dict[tuple[str, str, str, tuple[str, ...]], list[tuple[int, int | None]]] = {}
    for number, page in zip(ids, pages, strict=True):
        verb = "letter_held" if page.content.status == HELD else "letter_drafted"
        key = (verb, page.content.letter, page.content.language, page.noticed)
        groups.setdefault(key, []).append((number, page.about.lead.exporter_id))
    for (verb, letter, language, codes), about in groups.items():
        data = {"letter": letter, "language": language, **({"noticed": list(codes)} if codes else {})}
        events.record_many(session, verb, "draft", about, at=now, data=data)


_COLUMNS = (
    *Content._fields, "id", "step_id", "lead_id", "contact_id", "exporter_id", "exhibition_id", "deal_id", "recipient",
    "in_reply_to", "status_reason", "planned_at", "created_at", "version",
)  # fmt: skip
_JSON = tuple(Content._fields.index(name) for name in ("blocks", "held_for", "enclosed"))


def _row(number: int, page: _Page, planned_at: Any, moment: Any) -> tuple[Any, ...]:
    content: list[Any] = list(page.content)
    for place in _JSON:
        content[place] = bulk.as_json(content[place])
    card = page.about.card
    return (
        *content, number, page.step.id, card.lead_id, card.contact_id, card.exporter_id, card.exhibition_id,
        page.about.lead.deal_id, card.address, "", "", planned_at, moment, 1,
    )  # fmt: skip


def _empty(about: Subject, *, planned_at: datetime, now: datetime) -> Draft:
    return Draft(
        lead_id=about.card.lead_id,
        contact_id=about.card.contact_id,
        exporter_id=about.card.exporter_id,
        exhibition_id=about.card.exhibition_id,
        deal_id=about.lead.deal_id,
        product_line_id=about.line.id if about.line else None,
        letter=ANSWER,
        letter_version="",
        language=about.card.language,
        variant=about.card.language,
        turn=about.turn,
        recipient=about.card.address,
        recipient_name=about.recipient_name,
        subject="",
        planned_at=planned_at,
        created_at=now,
    )


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
    frame = {pair["id"]: pair for pair in _frame(library, about, now)}
    draft = _empty(about, planned_at=now, now=now)
    draft.recipient = recipient or about.card.address
    draft.subject = _one_line(subject or _answered_subject(session, lead_id))
    own = [_by_hand(f"text_{number}", text, by, now) for number, text in enumerate(texts, 1)]
    draft.blocks = [frame["greeting"], *own, frame["closing"], frame["signature"]]
    draft.in_reply_to = in_reply_to
    session.add(draft)
    session.flush()
    _log_written(session, draft, now, by)
    return draft


def _frame(library: Library, about: Subject, now: datetime) -> list[dict[str, Any]]:
    """Return the thank-you letter, of which an answer keeps the outermost. Raises Refused when facts are missing."""
    frame = both(library.letter("thank_you"), about, now)
    if frame.target is None or frame.korean is None:
        lacking = [PLACEHOLDERS[one["placeholder"]] for one in frame.held_for]
        names = ", ".join(_(placeholder.about) for placeholder in lacking)
        raise Refused(_("Before anything can be written to this buyer, fill in: {names}.", names=names))
    return pairs(frame.target, frame.korean)


def _answered_subject(session: Session, lead_id: int) -> str:
    rows = select(Draft.subject).where(Draft.lead_id == lead_id, Draft.status == SENT).order_by(col(Draft.id).desc())
    last = session.exec(rows).first() or ""
    return last if last.lower().startswith("re:") or not last else f"Re: {last}"


def _by_hand(name: str, text: str, by: str, now: datetime) -> dict[str, Any]:
    return {**pair_of(RenderedBlock(name, text, text), None), "template_text": "", **_edit_mark(by, now)}


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
    draft.blocks = [
        {"template_text": block["text"], **block, **change} if block["id"] == block_id else block
        for block in draft.blocks
    ]
    session.flush()


def set_subject(session: Session, draft: Draft, subject: str, *, by: str, now: datetime) -> None:
    """Change the subject of a waiting draft. Raises Stale when it was decided, BadInput for no or several lines."""
    _require_waiting(draft)
    draft.subject, draft.subject_ko = _one_line(subject), ""
    session.flush()


def cancel_for_steps(session: Session, step_ids: Collection[int], *, reason: str, now: datetime) -> list[int]:
    """Cancel the drafts of steps that were cancelled, approved ones too; return their ids. Sent ones stay."""
    rows = select(Draft).where(col(Draft.step_id).in_(step_ids), col(Draft.status).in_(OPEN))
    locked = rows.with_for_update().execution_options(populate_existing=True)
    return [_cancel(session, draft, reason, now) for draft in session.exec(locked).all()]


def cancel_ended(session: Session, *, now: datetime) -> list[int]:
    """Cancel open drafts whose step was cancelled or skipped, by whomever; return their ids. Twice changes nothing.

    Delivery asks the campaign before each letter anyway; this keeps the review queue free of letters that cannot leave.
    """
    ended = (
        select(Draft, Step.reason)
        .join(Step, col(Step.id) == col(Draft.step_id))
        .where(col(Draft.status).in_(OPEN), col(Step.status).in_(("cancelled", "skipped")))
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


def _log_written(session: Session, draft: Draft, now: datetime, by: str = events.SYSTEM) -> None:
    verb = "letter_held" if draft.status == HELD else "letter_drafted"
    _log(session, draft, verb, now, by, data={"letter": draft.letter, "language": draft.language})


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
