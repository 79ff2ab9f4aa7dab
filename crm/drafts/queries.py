"""Reading drafts; every answer holds only what the viewer may see."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, or_, select

from crm.accounts.rules import Viewer
from crm.accounts.scope import only_visible
from crm.campaigns.leads import LeadCard, load
from crm.clearance import service as clearance
from crm.clearance.question import Level, Verdict
from crm.contacts.models import Contact
from crm.core import bulk
from crm.core.config import Settings
from crm.core.errors import NotFound
from crm.core.i18n import _
from crm.drafts.enclosed import Enclosures
from crm.drafts.models import Draft
from crm.drafts.rules import check_content
from crm.drafts.sentences import sentences_of
from crm.drafts.service import ANSWER, HELD
from crm.drafts.subjects import Sources, Subject, subject_of
from crm.exporters.models import Exporter

SEARCHED = 5
"""So many times ``limit`` are looked through for drafts that are not blocked; each costs the time of its checks."""
QUOTED = 60
"""So much of a sentence is quoted in a finding."""
CONTACTS: sa.Table = Contact.__table__  # type: ignore[attr-defined]
DRAFTS: sa.Table = Draft.__table__  # type: ignore[attr-defined]
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


def held(session: Session, viewer: Viewer, *, limit: int = 100) -> list[tuple[Draft, Exporter]]:
    """Return the letters that could not be written yet because a fact is missing, the next to leave first."""
    rows = (
        select(Draft, Exporter)
        .join(Exporter, col(Exporter.id) == col(Draft.exporter_id))
        .where(Draft.status == HELD)
        .order_by(col(Draft.planned_at), col(Draft.id))
        .limit(limit)
    )
    return list(session.exec(only_visible(rows, viewer, col(Draft.exporter_id))))


def _lines(
    session: Session, settings: Settings, found: Sequence[tuple[Draft, Exporter]], now: datetime
) -> list[DraftRow]:
    lead_ids = {draft.lead_id for draft, _exporter in found}
    cards = load(session, lead_ids)
    sources = Sources(session, lead_ids, cards)
    left = _letters_of(session, {draft.contact_id for draft, _exporter in found})
    repeated = repetitions(session, [draft for draft, _exporter in found])
    asked = [_asked(draft) for draft, _exporter in found]
    known = clearance.Gathered(session, settings, asked)
    enclosures = Enclosures(session, settings, [draft for draft, _exporter in found])
    lines = []
    for (draft, exporter), question in zip(found, asked, strict=True):
        others = [one.at for one in left.get(draft.contact_id, ()) if one.draft_id != draft.id]
        moment = max(draft.planned_at, now)
        verdicts = [
            *known.verdicts(question, moment, last_letters=others),
            *enclosures.findings(draft, moment),
            *content_of(draft, sources.subject(draft.lead_id)),
            *repeated.get(draft.id or 0, ()),
        ]
        lines.append(_row(draft, exporter, cards[draft.lead_id], verdicts))
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


def _row(draft: Draft, exporter: Exporter, card: LeadCard, verdicts: Sequence[Verdict]) -> DraftRow:
    grave = [verdict for verdict in verdicts if verdict.level != Level.PASS]
    grave.sort(key=lambda verdict: ORDER.index(verdict.level))
    return DraftRow(draft, exporter, card.country, card.name, card.facts.contact.company, tuple(grave))


def findings(session: Session, draft: Draft) -> list[Verdict]:
    """Return what is wrong or odd in the text of one draft, and in it beside those to colleagues of the same firm."""
    repeated = repetitions(session, [draft])
    return [*content_of(draft, subject_of(session, draft.lead_id)), *repeated.get(draft.id or 0, ())]


def content_of(draft: Draft, about: Subject) -> list[Verdict]:
    """Return what is wrong or odd in the text of a draft (``check_content``)."""
    texts = [str(block["text"]) for block in draft.blocks]
    found = check_content(draft.language, draft.subject, texts, addressee=about.addressee, names=about.names)
    return [Verdict(one.level, one.code, one.params) for one in found]


def repetitions(session: Session, drafts: Sequence[Draft]) -> dict[int, list[Verdict]]:
    """Return, by draft, that a colleague of the same firm got the same sentence from this exporter, or is about to."""
    firms: dict[int, int | None] = dict(_FIRMS(session, {draft.contact_id for draft in drafts}))
    letters: dict[tuple[int, int], list[Any]] = {}
    for letter in _LETTERS(session, {firm for firm in firms.values() if firm is not None}):
        letters.setdefault((letter.organisation_id, letter.exporter_id), []).append(letter)
    found: dict[int, list[Verdict]] = {}
    for draft in drafts:
        firm = firms.get(draft.contact_id)
        others = [one for one in letters.get((firm or 0, draft.exporter_id), ()) if one.contact_id != draft.contact_id]
        said = _said_to_colleague(draft, others) if others else None
        if said is not None:
            found[draft.id or 0] = [said]
    return found


def _said_to_colleague(draft: Draft, others: Sequence[Any]) -> Verdict | None:
    mine = sentences_of(draft.blocks)
    for other in others:
        if shared := mine & sentences_of(other.blocks):
            text = min(shared)
            short = text if len(text) <= QUOTED else f"{text[:QUOTED]}…"
            return Verdict(Level.CHECK, "same_sentence", {"text": short, "who": other.recipient_name})
    return None


def _letters_of(session: Session, contact_ids: Collection[int]) -> dict[int, list[_Left]]:
    """Return when other letters to these people left or are going to leave."""
    rows = select(Draft.contact_id, Draft.id, Draft.planned_at).where(
        col(Draft.contact_id).in_(contact_ids), col(Draft.status).in_(("approved", "sent"))
    )
    found: dict[int, list[_Left]] = {}
    for contact_id, draft_id, at in session.exec(rows):
        found.setdefault(contact_id, []).append(_Left(draft_id, at))
    return found


_FIRMS = bulk.LookUp(sa.select(CONTACTS.c.id, CONTACTS.c.organisation_id), CONTACTS.c.id)
_LETTERS = bulk.LookUp(
    sa.select(
        CONTACTS.c.organisation_id, DRAFTS.c.exporter_id, DRAFTS.c.contact_id, DRAFTS.c.recipient_name, DRAFTS.c.blocks
    )
    .join(DRAFTS, DRAFTS.c.contact_id == CONTACTS.c.id)
    .where(DRAFTS.c.status.in_([sa.literal_column(f"'{status}'") for status in ("waiting", "approved", "sent")]))
    .order_by(DRAFTS.c.id),
    CONTACTS.c.organisation_id,
    named=True,
)  # fmt: skip


def get_draft(session: Session, viewer: Viewer, draft_id: int) -> Draft:
    """Return one draft. Raises NotFound, also when the viewer must not know of it."""
    draft = session.get(Draft, draft_id)
    if draft is None or not viewer.sees(draft.exporter_id):
        raise NotFound(_("There is no such draft."))
    return draft
