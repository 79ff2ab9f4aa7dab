"""Looks at what goes along with drafts: may it, is it still what the text speaks of. Hard checks stop an approval."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from crm.clearance.question import Level, Verdict
from crm.core.clock import KST
from crm.core.config import Settings
from crm.core.models import Event
from crm.drafts.enclosures import FILE, LINK, OUT, Enclosed, Posting, calendar_of, read
from crm.drafts.models import Draft
from crm.exporters.models import Document, Exporter, ProductLine
from crm.exporters.rules import in_language
from crm.pipeline.models import MeetingProposal, Quotation
from crm.pipeline.papers import meeting_paper
from crm.pipeline.paperwork import CHANGES

SPEAK_OF_PAPERS = frozenset({"quotation", "quotation_check", "meeting", "negotiation", "distributor_proposal"})
"""Letters whose text is written from the papers of a deal."""


class Enclosures:
    """The documents and papers behind some drafts, read once."""

    def __init__(self, session: Session, settings: Settings, drafts: Collection[Draft]) -> None:
        self._session, self._posting = session, Posting.of(settings)
        items = [item for draft in drafts for item in read(draft.enclosed)]
        self._documents = _by_id(session, Document, {item.document_id for item in items if item.document_id})
        self._meetings = _by_id(session, MeetingProposal, {item.meeting_id for item in items if item.meeting_id})
        self._quoted = _quoted(session, {item.document_id for item in items if item.document_id})
        speaking = [draft for draft in drafts if draft.letter in SPEAK_OF_PAPERS and draft.deal_id]
        self._changes = _changes(session, {draft.deal_id for draft in speaking if draft.deal_id})

    def findings(self, draft: Draft, moment: datetime) -> list[Verdict]:
        """Return what stands against sending the draft at ``moment`` with what goes along with it."""
        items = read(draft.enclosed)
        found = [verdict for item in items if (verdict := self._finding(draft, item, moment))]
        size = sum(item.size for item in items if item.how == FILE)
        if size > self._posting.limit:
            most = f"{self._posting.limit / 1024 / 1024:g}"
            found.append(_block("enclosure_large", size=f"{size / 1024 / 1024:.1f}", most=most))
        changed = self._changes.get(draft.deal_id or 0)
        if draft.letter in SPEAK_OF_PAPERS and changed is not None and changed > draft.created_at:
            found.append(Verdict(Level.CHECK, "papers_changed"))
        return found

    def calendar(self, draft: Draft, item: Enclosed) -> bytes | None:
        """Return the calendar of a meeting that goes along, as it would be made now; None when there is no time left.

        The times that have passed since the letter was written are in it all the same: the text names them.
        """
        row = self._meetings.get(item.meeting_id or 0)
        written_for = max(draft.planned_at, draft.created_at)
        meeting = meeting_paper(row, written_for) if row else None
        if meeting is None:
            return None
        line = self._session.get(ProductLine, draft.product_line_id) if draft.product_line_id else None
        product = in_language(line.names, draft.language) if line else ""
        exporter = self._session.get_one(Exporter, draft.exporter_id)
        return calendar_of(meeting, exporter, product, draft.language, self._posting.domain)

    def _finding(self, draft: Draft, item: Enclosed, moment: datetime) -> Verdict | None:
        if item.meeting_id is not None:
            return self._finding_of_meeting(draft, item, moment)
        document = self._documents.get(item.document_id or 0)
        name = item.filename
        if document is None or document.exporter_id != draft.exporter_id:
            return _block("enclosure_foreign", file=name)
        if document.kind == "quotation" and draft.deal_id not in self._quoted.get(document.id or 0, ()):
            return _block("enclosure_other_buyer", file=name)
        if document.sha256 != item.sha256:
            return _block("enclosure_changed", file=name)
        if item.how == OUT:
            return Verdict(Level.CHECK, "enclosure_out", {"file": name})
        if document.withdrawn_at is not None:
            return _block("enclosure_withdrawn", file=name)
        if item.how == LINK and moment.astimezone(KST).date() > date.fromisoformat(item.last_day):
            return _block("enclosure_link_over", file=name)
        return None if document.current else Verdict(Level.CHECK, "enclosure_older", {"file": name})

    def _finding_of_meeting(self, draft: Draft, item: Enclosed, moment: datetime) -> Verdict | None:
        row = self._meetings.get(item.meeting_id or 0)
        if row is None or row.exporter_id != draft.exporter_id:
            return _block("enclosure_foreign", file=item.filename)
        if row.deal_id != draft.deal_id and row.lead_id != draft.lead_id:
            return _block("enclosure_other_buyer", file=item.filename)
        if meeting_paper(row, moment) is None:
            return _block("meeting_over")
        return _block("meeting_changed") if _hash(self.calendar(draft, item)) != item.sha256 else None


def _hash(data: bytes | None) -> str:
    return hashlib.sha256(data or b"").hexdigest()


def _block(code: str, **params: object) -> Verdict:
    return Verdict(Level.BLOCK, code, params)


def _by_id(session: Session, table: Any, ids: Collection[int]) -> dict[int, Any]:
    rows: Iterable[Any] = session.exec(select(table).where(col(table.id).in_(sorted(ids)))) if ids else ()
    return {row.id: row for row in rows}


def _quoted(session: Session, document_ids: Collection[int]) -> Mapping[int, set[int]]:
    """Return for each document the deals whose quotation it is."""
    found: dict[int, set[int]] = {}
    if document_ids:
        rows = select(Quotation.document_id, Quotation.deal_id).where(
            col(Quotation.document_id).in_(sorted(document_ids))
        )
        for document_id, deal_id in session.exec(rows):
            found.setdefault(document_id or 0, set()).add(deal_id)
    return found


def _changes(session: Session, deal_ids: Collection[int]) -> Mapping[int, datetime]:
    """Return when the papers of each deal last changed."""
    if not deal_ids:
        return {}
    rows = select(Event.subject_id, Event.at).where(
        Event.subject == "deal", col(Event.subject_id).in_(sorted(deal_ids)), col(Event.verb).in_(CHANGES)
    )
    return dict(sorted(session.exec(rows), key=lambda row: row[1]))
