"""Reading drafts; every answer holds only what the viewer may see."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, or_, select

from crm.accounts.rules import Viewer
from crm.accounts.scope import only_visible
from crm.campaigns.leads import LeadCard, hold_rows, load
from crm.clearance import service as clearance
from crm.clearance.question import Level, Verdict
from crm.core.config import Settings
from crm.core.errors import NotFound
from crm.core.i18n import _
from crm.drafts.models import Draft
from crm.drafts.rules import check_content
from crm.drafts.service import ANSWER
from crm.drafts.subjects import subject_of
from crm.exporters.models import Exporter, ProductLine

SEARCHED = 5
"""So many times ``limit`` are looked through for drafts that are not blocked; each costs the time of its checks."""
ORDER = (Level.BLOCK, Level.CHECK, Level.PASS)


@dataclass(frozen=True)
class DraftRow:
    """A line of the review queue. ``findings`` are what blocks the draft or has to be looked at, the gravest first."""

    draft: Draft
    exporter: Exporter
    country: str
    name: str
    company: str
    findings: tuple[Verdict, ...]

    @property
    def level(self) -> Level:
        return min((found.level for found in self.findings), key=ORDER.index, default=Level.PASS)


class _Left(NamedTuple):
    draft_id: int | None
    at: datetime


def queue(session: Session, viewer: Viewer, settings: Settings, *, now: datetime, limit: int = 500) -> list[DraftRow]:
    """Return the drafts that wait for a decision: what needs a look first, then by the time they are to leave.

    ``limit`` of them, and a few times as many where blocked ones would hide those that can be approved.
    """
    rows = (
        select(Draft, Exporter)
        .join(Exporter, col(Exporter.id) == col(Draft.exporter_id))
        .where(Draft.status == "waiting", or_(col(Draft.wait_until).is_(None), col(Draft.wait_until) <= now))
        .order_by(col(Draft.planned_at), col(Draft.id))
    )
    rows = only_visible(rows, viewer, col(Draft.exporter_id))
    lines: list[DraftRow] = []
    for start in range(0, SEARCHED * limit, limit):
        part = session.exec(rows.offset(start).limit(limit)).all()
        lines += _lines(session, settings, part, now)
        if len(part) < limit or sum(line.level != Level.BLOCK for line in lines) >= limit:
            break
    return sorted(lines, key=lambda line: (ORDER.index(line.level), line.draft.planned_at))


def _lines(
    session: Session, settings: Settings, found: Sequence[tuple[Draft, Exporter]], now: datetime
) -> list[DraftRow]:
    lead_ids = {draft.lead_id for draft, _exporter in found}
    cards = load(session, lead_ids)
    # What is held here is not asked for again by each draft.
    held = [*hold_rows(session, lead_ids), *session.exec(select(ProductLine))]
    left = _letters_of(session, {draft.contact_id for draft, _exporter in found})
    asked = [_asked(draft) for draft, _exporter in found]
    known = clearance.Gathered(session, settings, asked)
    lines = []
    for (draft, exporter), question in zip(found, asked, strict=True):
        others = [one.at for one in left.get(draft.contact_id, ()) if one.draft_id != draft.id]
        verdicts = known.verdicts(question, max(draft.planned_at, now), last_letters=others)
        lines.append(_row(session, draft, exporter, cards[draft.lead_id], verdicts))
    held.clear()
    return lines


def _asked(draft: Draft) -> clearance.Asked:
    return clearance.Asked(
        draft.lead_id,
        draft.recipient,
        draft.language,
        draft.product_line_id,
        commercial=draft.letter != ANSWER,
        is_reply=bool(draft.in_reply_to),
    )


def _row(session: Session, draft: Draft, exporter: Exporter, card: LeadCard, asked: Sequence[Verdict]) -> DraftRow:
    about = subject_of(session, draft.lead_id, card=card)
    texts = [str(block["text"]) for block in draft.blocks]
    own = check_content(draft.language, draft.subject, texts, addressee=about.addressee, names=about.names)
    grave = [verdict for verdict in asked if verdict.level != Level.PASS]
    grave += [Verdict(found.level, found.code, found.params) for found in own]
    grave.sort(key=lambda verdict: ORDER.index(verdict.level))
    return DraftRow(draft, exporter, card.country, card.name, card.facts.contact.company, tuple(grave))


def _letters_of(session: Session, contact_ids: Collection[int]) -> dict[int, list[_Left]]:
    """Return when other letters to these people left or are going to leave."""
    rows = select(Draft.contact_id, Draft.id, Draft.planned_at).where(
        col(Draft.contact_id).in_(contact_ids), col(Draft.status).in_(("approved", "sent"))
    )
    found: dict[int, list[_Left]] = {}
    for contact_id, draft_id, at in session.exec(rows):
        found.setdefault(contact_id, []).append(_Left(draft_id, at))
    return found


def get_draft(session: Session, viewer: Viewer, draft_id: int) -> Draft:
    """Return one draft. Raises NotFound, also when the viewer must not know of it."""
    draft = session.get(Draft, draft_id)
    if draft is None or not viewer.sees(draft.exporter_id):
        raise NotFound(_("There is no such draft."))
    return draft
