"""The decisions an advisor takes about a draft. Each is one transaction and one line in the event log."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Session, col, func, select, update

from crm.accounts.models import User
from crm.accounts.rules import Action, Viewer, may
from crm.campaigns import service as campaigns
from crm.clearance import rules as clearing
from crm.clearance import service as clearance
from crm.core import events
from crm.core.clock import KST
from crm.core.config import Settings
from crm.core.errors import BadInput, NotAllowed, NotFound, Refused, Stale
from crm.core.i18n import _
from crm.drafts import queries as draft_queries
from crm.drafts import service as drafts
from crm.drafts import texts as draft_texts
from crm.drafts.enclosed import Enclosures
from crm.drafts.models import Draft
from crm.exporters.models import Exporter
from crm.review import letters
from crm.review.models import Approval, Decision, Message
from crm.review.rules import ReturnReason, content_hash, earliest_send, unseen


def approve(
    session: Session,
    settings: Settings,
    draft: Draft,
    *,
    seen_version: int,
    acknowledged: Sequence[str] = (),
    viewer: Viewer,
    now: datetime,
) -> Approval:
    """Approve exactly the letter that was read, and compose its bytes.

    ``seen_version`` is the draft's version on the page; ``acknowledged`` the codes of 'check' verdicts shown there.
    Raises Stale when the draft changed or was decided since, Refused when a verdict blocks or is new.
    """
    _require(viewer, draft)
    _require_waiting(session, draft)
    if draft.version != seen_version:
        raise Stale(_("This draft changed after you opened it. Read it again, then decide."))
    found = verdicts_of(session, settings, draft, now=now)
    blocks = clearing.blocked(found)
    if blocks:
        title, sentence = draft_texts.say(blocks[0])
        raise Refused(f"{title}. {sentence}", code=blocks[0].code)
    checks = [verdict.code for verdict in found if verdict.level == "check"]
    if unseen(checks, acknowledged):
        raise Stale(_("There is something new to look at in this draft. Read the checks again, then decide."))
    approval = Approval(
        draft_id=_id(draft),
        content_hash=fingerprint(session, draft),
        approved_by=viewer.email,
        approved_at=now,
        send_at=send_moment(session, settings, draft, now=now),
        acknowledged=sorted(checks),
    )
    session.add(approval)
    draft.status = "approved"
    try:
        session.flush()
    except (IntegrityError, StaleDataError):  # somebody decided between our reading and now
        raise Stale(_("This draft has already been decided. Open the list again.")) from None
    letters.store_message(session, settings, draft, approval, now=approval.send_at)
    _log(
        session, draft, "letter_approved", viewer, now, data={"send_at": approval.send_at.isoformat(), "checks": checks}
    )
    return approval


def send_moment(session: Session, settings: Settings, draft: Draft, *, now: datetime) -> datetime:
    """Return when the letter would leave if it were approved ``now``: hold over, time come, window open."""
    earliest = earliest_send(now, settings.review.hold_minutes, draft.planned_at)
    if draft.step_id is None:
        return earliest
    return campaigns.next_slot_for(session, settings, draft.step_id, earliest)


def fingerprint(session: Session, draft: Draft) -> str:
    """Return the hash an approval of the draft as it is now would be bound to."""
    sender = session.get_one(Exporter, draft.exporter_id).sender_email
    return content_hash(letters.fingerprint_parts(draft, sender))


def verdicts_of(session: Session, settings: Settings, draft: Draft, *, now: datetime) -> list[clearing.Verdict]:
    """Ask clearance about the letter as it would leave if it were approved ``now``, label and footer included."""
    moment = send_moment(session, settings, draft, now=now)
    letter = letters.final_letter(session, settings, draft, moment=moment)
    return _verdicts(session, settings, draft, letter.subject, letter.text, moment)


def verdicts_at_sending(
    session: Session, settings: Settings, draft: Draft, message: Message, *, now: datetime
) -> list[clearing.Verdict]:
    """Ask clearance a last time, about the very bytes that were composed at approval. What changed since then wins."""
    return _verdicts(session, settings, draft, message.subject, message.text, now)


def _verdicts(
    session: Session, settings: Settings, draft: Draft, subject: str, text: str, moment: datetime
) -> list[clearing.Verdict]:
    asked = clearance.verdicts(
        session,
        settings,
        lead_id=draft.lead_id,
        recipient=draft.recipient,
        language=draft.language,
        product_line_id=draft.product_line_id,
        moment=moment,
        subject=subject,
        text=text,
        commercial=letters.is_commercial(draft),
        is_reply=bool(draft.in_reply_to),
        last_letters=letters_left(session, draft),
    )
    along = Enclosures(session, settings, [draft]).findings(draft, moment)
    return [*asked, *along, *draft_queries.findings(session, draft)]


def letters_left(session: Session, draft: Draft) -> list[datetime]:
    """Return when other letters left, or are going to leave, to the same person, for the contact cap."""
    rows = (
        select(Approval.send_at)
        .join(Draft, col(Draft.id) == col(Approval.draft_id))
        .where(
            Draft.contact_id == draft.contact_id,
            col(Draft.id) != draft.id,
            col(Approval.revoked_at).is_(None),
            col(Draft.status).in_(("approved", "sent")),
        )
    )
    return list(session.exec(rows))


def take_back(session: Session, draft: Draft, *, viewer: Viewer, now: datetime) -> None:
    """Take an approval back while the letter is still in the house. Refused once delivery has claimed it."""
    _require(viewer, draft)
    approval = standing_approval(session, draft)
    if approval is None:
        raise Refused(_("This letter is not approved."))
    changed = session.exec(
        update(Approval)
        .where(col(Approval.id) == approval.id, col(Approval.taken_at).is_(None), col(Approval.revoked_at).is_(None))
        .values(revoked_at=now, revoked_by=viewer.email)
    )
    if changed.rowcount != 1:
        raise Refused(_("The letter has already left. It cannot be taken back."))
    draft.status = "waiting"
    _decide(session, draft, "taken_back", viewer, now)


def edit(
    session: Session,
    draft: Draft,
    changes: Mapping[str, str],
    *,
    subject: str | None = None,
    ko_notes: Mapping[str, str] | None = None,
    seen_version: int,
    viewer: Viewer,
    now: datetime,
) -> None:
    """Change blocks (by id) and the subject of a waiting draft. Empty texts are refused, nothing is half-done."""
    _require(viewer, draft)
    _require_waiting(session, draft)
    if draft.version != seen_version:
        raise Stale(_("This draft changed after you opened it. Read it again, then decide."))
    new_subject = subject is not None and subject.strip() != draft.subject
    if subject is not None and new_subject:
        drafts.set_subject(session, draft, subject, by=viewer.email, now=now)
    texts = {str(block["id"]): str(block["text"]) for block in draft.blocks}
    notes = ko_notes or {}
    changed = [
        name for name, text in changes.items() if text.replace("\r\n", "\n").strip() != texts.get(name, "").strip()
    ]
    for name in changed:
        drafts.edit(session, draft, name, changes[name], ko_note=notes.get(name, ""), by=viewer.email, now=now)
    session.flush()
    if changed or new_subject:
        _decide(session, draft, "edited", viewer, now, data={"blocks": changed})


def postpone(session: Session, draft: Draft, until: datetime, *, viewer: Viewer, now: datetime) -> None:
    """Put a draft aside until a moment in the future; it comes back to the queue by itself."""
    _require(viewer, draft)
    _require_waiting(session, draft)
    if until <= now:
        raise BadInput(_("Choose a time in the future."))
    draft.wait_until = until
    _decide(session, draft, "postponed", viewer, now, until=until)


def give_back(
    session: Session, settings: Settings, draft: Draft, reason: str, *, note: str = "", viewer: Viewer, now: datetime
) -> None:
    """Return a draft, waiting or held, with a reason; its step is skipped, so that the workflow goes on without it."""
    _require(viewer, draft)
    if draft.status != drafts.HELD:
        _require_waiting(session, draft)
    if reason not in set(ReturnReason):
        raise BadInput(_("Choose why you return the draft."))
    draft.status = "returned"
    draft.status_reason = reason
    _decide(session, draft, "returned", viewer, now, reason=f"{reason}: {note}" if note else reason)
    if draft.step_id is not None:
        campaigns.step_skipped(session, draft.step_id, reason="returned", now=now, settings=settings)


def tomorrow_morning(now: datetime, days: int = 1) -> datetime:
    """Return 09:00 Korean time ``days`` days on: what 'later' means to a reviewer."""
    return (now.astimezone(KST) + timedelta(days=days)).replace(hour=9, minute=0, second=0, microsecond=0)


def standing_approval(session: Session, draft: Draft) -> Approval | None:
    """Return the approval that was not taken back, if any."""
    rows = select(Approval).where(Approval.draft_id == draft.id, col(Approval.revoked_at).is_(None))
    return session.exec(rows.order_by(col(Approval.id).desc())).first()


def message_of(session: Session, approval: Approval) -> Message:
    """Return the composed letter of an approval."""
    return session.get_one(Message, approval.id)


def approved_today(session: Session, viewer: Viewer, *, now: datetime) -> int:
    """Return how many letters the viewer approved since midnight in Korea."""
    midnight = now.astimezone(KST).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = select(func.count()).where(
        Approval.approved_by == viewer.email, Approval.approved_at >= midnight, col(Approval.revoked_at).is_(None)
    )
    return session.exec(rows).one()


def leads_decided(session: Session, lead_ids: Collection[int]) -> set[int]:
    """Return those of the leads about whose letters somebody has decided anything."""
    approved = select(Draft.lead_id).join(Approval, col(Approval.draft_id) == col(Draft.id))
    decided = select(Draft.lead_id).join(Decision, col(Decision.draft_id) == col(Draft.id))
    return {
        *session.exec(approved.where(col(Draft.lead_id).in_(lead_ids))),
        *session.exec(decided.where(col(Draft.lead_id).in_(lead_ids))),
    }


def _require(viewer: Viewer, draft: Draft) -> None:
    if not viewer.sees(draft.exporter_id):
        raise NotFound(_("There is no such draft."))
    if not may(viewer, Action.REVIEW):
        raise NotAllowed(_("Only an advisor or staff may decide about a letter."))


def _require_waiting(session: Session, draft: Draft) -> None:
    if draft.status == "waiting":
        return
    if draft.status == drafts.HELD:
        raise Stale(_("This letter is held: something that it needs is not known yet. There is nothing to decide."))
    approval = standing_approval(session, draft)
    if approval:
        at = approval.approved_at.astimezone(KST)
        name = session.exec(select(User.name).where(User.email == approval.approved_by)).first()
        raise Stale(_("{who} approved this draft at {time}.", who=name or approval.approved_by, time=f"{at:%H:%M}"))
    raise Stale(_("This draft has already been decided. Open the list again."))


def _id(draft: Draft) -> int:
    assert draft.id is not None
    return draft.id


def _decide(
    session: Session,
    draft: Draft,
    kind: str,
    viewer: Viewer,
    now: datetime,
    *,
    reason: str = "",
    until: datetime | None = None,
    data: dict[str, object] | None = None,
) -> None:
    session.add(
        Decision(draft_id=_id(draft), kind=kind, by=viewer.email, at=now, reason=reason, until=until, data=data or {})
    )
    _log(session, draft, f"letter_{kind}", viewer, now, reason=reason, data=data)
    session.flush()


def _log(
    session: Session,
    draft: Draft,
    verb: str,
    viewer: Viewer,
    now: datetime,
    *,
    reason: str = "",
    data: dict[str, object] | None = None,
) -> None:
    events.record(
        session,
        verb,
        "draft",
        draft.id,
        at=now,
        actor=viewer.email,
        exporter_id=draft.exporter_id,
        reason=reason,
        data=data,
    )
