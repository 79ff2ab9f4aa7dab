"""A draft as the reviewer reads it: pairs of paragraphs, checks, context. Asks the rooms, decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from markupsafe import Markup
from sqlmodel import select

from crm.accounts.models import Role, User
from crm.campaigns.rules import recipient_zone
from crm.clearance import service as clearance
from crm.clearance.question import Verdict
from crm.contacts import queries as contacts
from crm.contacts.models import Contact, Lead
from crm.core.i18n import language
from crm.drafts import enclosures
from crm.drafts.layout import block_html
from crm.drafts.models import Draft
from crm.exporters.models import Exporter, ProductLine
from crm.review import letters
from crm.review import service as review
from crm.web import diffs, reading
from crm.web.visits import Visit


@dataclass(frozen=True)
class Pair:
    """One paragraph group in both languages. ``changes``: against the template, empty when nothing was edited."""

    id: str
    text: str
    html: Markup
    korean: Markup
    note: str
    edited_by: str
    edited_at: str
    changes: Sequence[diffs.Piece]


@dataclass(frozen=True)
class Sheet:
    """Everything the review page of one draft shows. ``names`` are those of the people who decide, by address.

    ``enclosed``: the files and links that go along.
    """

    draft: Draft
    exporter: Exporter
    pairs: list[Pair]
    letter: letters.Letter
    legal: list[str]
    legal_ko: list[str]
    verdicts: Sequence[Verdict]
    send_at: datetime
    zone: str | tzinfo | None
    card: contacts.ContactCard
    lead: Lead
    thread: list[reading.Mail]
    line: ProductLine | None
    names: dict[str, str]
    enclosed: list[enclosures.Enclosed]

    @property
    def changed(self) -> int:
        """Return how many paragraphs differ from the template."""
        return sum(bool(pair.changes) for pair in self.pairs) + (self.draft.subject != self.draft.subject_template)

    def of_level(self, level: str) -> list[Verdict]:
        """Return the verdicts of one level: block, check or pass."""
        return [verdict for verdict in self.verdicts if verdict.level == level]


def _zone(contact: Contact) -> str | tzinfo | None:
    """Return the buyer's clock as the campaign reckons with it."""
    local = recipient_zone(contact.country or "", contact.city)
    return contact.timezone or (local.zone if local else None)


def sheet(visit: Visit, draft: Draft) -> Sheet:
    """Put the page of a draft together."""
    settings = visit.context.settings
    card = contacts.get_contact(visit.db, visit.viewer, draft.contact_id)
    exporter = visit.db.get_one(Exporter, draft.exporter_id)
    send_at = review.send_moment(visit.db, settings, draft, now=visit.now)
    return Sheet(
        draft=draft,
        exporter=exporter,
        pairs=pairs_of(draft),
        letter=letters.final_letter(visit.db, settings, draft, moment=send_at),
        legal=_legal(visit, draft, draft.language, send_at),
        legal_ko=_legal(visit, draft, language(), send_at),
        verdicts=review.verdicts_of(visit.db, settings, draft, now=visit.now),
        send_at=send_at,
        zone=_zone(card.contact),
        card=card,
        lead=visit.db.get_one(Lead, draft.lead_id),
        thread=[mail for mail in reading.thread(visit.db, visit.viewer, [draft.lead_id]) if mail.draft_id != draft.id],
        line=visit.db.get(ProductLine, draft.product_line_id) if draft.product_line_id else None,
        enclosed=enclosures.read(draft.enclosed),
        names=dict(visit.db.exec(select(User.email, User.name).where(User.role != Role.SME)).all()),
    )


def pairs_of(draft: Draft) -> list[Pair]:
    """Return the paragraphs of a draft with their Korean rendering and what was changed by hand."""
    return [_pair(block) for block in draft.blocks]


def _pair(block: dict[str, Any]) -> Pair:
    text, template = str(block["text"]), str(block.get("template_text") or "")  # none: it stands as written
    return Pair(
        id=str(block["id"]),
        text=text,
        html=Markup(block_html(str(block.get("marked") or text))),  # noqa: S704 - Markdown without raw HTML
        korean=Markup(block_html(str(block.get("ko_marked") or block.get("ko") or ""))),  # noqa: S704 - likewise
        note=str(block.get("ko_note") or ""),
        edited_by=str(block.get("edited_by") or ""),
        edited_at=str(block.get("edited_at") or ""),
        changes=diffs.changes(template, text) if template and template != text else (),
    )


def _legal(visit: Visit, draft: Draft, tongue: str, moment: datetime) -> list[str]:
    legal = clearance.compose_legal(
        visit.db,
        visit.context.settings,
        lead_id=draft.lead_id,
        language=tongue,
        product_line_id=draft.product_line_id,
        unsubscribe_url="…",
        unsubscribe_email="…",
        moment=moment,
        commercial=letters.is_commercial(draft),
        is_reply=bool(draft.in_reply_to),
    )
    return list(legal.footer.lines)
