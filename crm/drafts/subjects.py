"""What letters are about: the leads of a batch with their people, firms, exporters and what is offered, in few queries.

In: ids of leads. Out: a ``Sources`` that tells a ``Subject`` for each, without another query.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from crm.campaigns.leads import LeadCard, load
from crm.campaigns.rules import recipient_zone
from crm.contacts.models import Contact, Lead, Organisation
from crm.core import bulk
from crm.core.errors import NotFound
from crm.core.i18n import _
from crm.drafts.enclosures import Posting
from crm.drafts.names import NameParts, clean
from crm.drafts.scripts import native
from crm.exporters.documents import Shelf
from crm.exporters.models import Booth, Catalogue, Document, Exhibition, Exporter, ProductLine
from crm.pipeline.models import DealLead
from crm.pipeline.papers import NOTHING, MeetingPaper, Papers, Stack, meetings_of_leads, stacks_of, with_meeting

LEADS: sa.Table = Lead.__table__  # type: ignore[attr-defined]
CONTACTS: sa.Table = Contact.__table__  # type: ignore[attr-defined]
FIRMS: sa.Table = Organisation.__table__  # type: ignore[attr-defined]
BOOTHS: sa.Table = Booth.__table__  # type: ignore[attr-defined]
SHOWS: sa.Table = Exhibition.__table__  # type: ignore[attr-defined]
DEAL_LEADS: sa.Table = DealLead.__table__  # type: ignore[attr-defined]


class Talk(NamedTuple):
    """A lead with what a letter asks of its person and firm."""

    id: int
    exporter_id: int
    exhibition_id: int
    product_line_id: int | None
    met_at: datetime | None
    booth: str
    rating: int | None
    interests: list[str]
    requests: list[str]
    full_name: str
    family_name: str
    given_name: str
    name_alt: str
    gender: str
    title: str
    department: str
    organisation_id: int | None
    firm_name: str | None
    firm_alt: str | None
    deal_id: int | None


class NextShow(NamedTuple):
    """A booth of an exporter at an exhibition."""

    starts_on: date
    names: Mapping[str, str]
    booth: str


class OnPaper(NamedTuple):
    """A catalogue: its language and where it is read."""

    language: str
    url: str


@dataclass(frozen=True)
class Subject:
    """Everything that one letter is about: the lead, whom it is to, who writes, what is offered.

    ``turn`` is the buyer's place among the people of the same firm to whom the exporter writes after the exhibition;
    it stays, whoever comes later.
    """

    lead: Talk
    card: LeadCard
    addressee: NameParts
    exporter: Exporter
    exhibition: Exhibition
    line: ProductLine | None
    names: tuple[str, ...]
    turn: int
    sources: "Sources"

    @property
    def recipient_name(self) -> str:
        """Return the name for the To field: the person, else the firm, as they write it; never a form of address."""
        return clean(self.addressee.full_name) or clean(self.addressee.name_alt) or clean(self.addressee.company)

    @property
    def zone(self) -> str | None:
        """Return the buyer's time zone (IANA): the contact's own, else that of city and country, as far as known."""
        local = recipient_zone(self.card.country, self.card.facts.contact.city)
        return self.card.timezone or (str(local.zone) if local else None)


class Sources:
    """What some letters are written from. Good for as long as the rows do not change."""

    def __init__(
        self,
        session: Session,
        lead_ids: Collection[int],
        cards: Mapping[int, LeadCard] | None = None,
        posting: Posting | None = None,
    ) -> None:
        """Read what letters to these leads need; ``cards`` spares a look-up to who has them.

        Without ``posting`` nothing can go along with a letter, and no document is known.
        """
        self._session = session
        self.posting = posting
        self._cards = load(session, lead_ids) if cards is None else cards
        self._talks = {row[0]: Talk(*row) for row in _TALKS(session, lead_ids)}
        talks = self._talks.values()
        self._exporters = _by_id(session, Exporter, {talk.exporter_id for talk in talks})
        self._shows = _by_id(session, Exhibition, {talk.exhibition_id for talk in talks})
        lines = {self._cards[talk.id].product_line_id for talk in talks if talk.id in self._cards}
        self._lines = _by_id(session, ProductLine, {number for number in lines if number})
        self._turns = _turns(session, talks)
        self._to_come: dict[int, list[NextShow]] | None = None
        self._catalogues: dict[int, dict[str, OnPaper]] = {}
        self._shelf: Shelf | None = None
        self._stacks: dict[int, Stack] | None = None
        self._meetings: dict[int, MeetingPaper] = {}
        self._known: dict[tuple[object, ...], dict[str, Any]] = {}

    def once(self, key: tuple[object, ...], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what ``make`` makes, made once for a key while these sources live."""
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    def subject(self, lead_id: int, language: str | None = None, product_line_id: int | None = None) -> Subject:
        """Return what a letter to a lead is about, in the buyer's language unless another is given.

        Without ``product_line_id`` the lead's line is taken, else its deal's. Raises NotFound for an unknown lead.
        """
        talk, card = self._talks.get(lead_id), self._cards.get(lead_id)
        if talk is None or card is None:
            raise NotFound(_("There is no such contact at this exhibition."))
        return Subject(
            lead=talk,
            card=card,
            addressee=_addressee(talk, card.country, language or card.language),
            exporter=self._exporters[talk.exporter_id],
            exhibition=self._shows[talk.exhibition_id],
            line=self._line(product_line_id or card.product_line_id),
            names=tuple(filter(None, (talk.full_name, talk.name_alt, talk.firm_name, talk.firm_alt))),
            turn=self._turns.get(lead_id, 0),
            sources=self,
        )

    def next_show(self, exporter_id: int, today: date) -> NextShow | None:
        """Return the exporter's booth at the first exhibition that starts after ``today``, or None."""
        if self._to_come is None:
            self._to_come = _booths(self._session, self._exporters)
        return next((show for show in self._to_come.get(exporter_id, ()) if show.starts_on > today), None)

    def catalogue(self, line_id: int, language: str) -> OnPaper | None:
        """Return the line's catalogue in ``language``, else in English, else None."""
        if line_id not in self._catalogues:
            wanted = {line_id, *self._lines} - self._catalogues.keys()
            self._catalogues |= _catalogues(self._session, wanted)
        found = self._catalogues[line_id]
        return found.get(language) or found.get("en")

    def papers(self, talk: Talk, now: datetime) -> Papers | None:
        """Return the papers of a lead's deal that a letter which leaves at ``now`` may speak of, None where none is."""
        if self._stacks is None:
            talks = self._talks.values()
            self._stacks = stacks_of(self._session, {one.deal_id for one in talks if one.deal_id})
            self._meetings = meetings_of_leads(self._session, self._talks.keys(), now=now)
        stack, meeting = self._stacks.get(talk.deal_id or 0), self._meetings.get(talk.id)
        if stack is None and meeting is None:
            return None
        return with_meeting(stack.at(now) if stack else NOTHING, meeting)

    def shelf(self) -> Shelf:
        """Return the documents of the exporters who write."""
        if self._shelf is None:
            self._shelf = Shelf(self._session, self._exporters.keys())
        return self._shelf

    def document(self, document_id: int) -> Document | None:
        """Return one document by its id, one that was withdrawn too."""
        return self._session.get(Document, document_id)

    def _line(self, line_id: int | None) -> ProductLine | None:
        if line_id is None:
            return None
        return self._lines.get(line_id) or self._session.get(ProductLine, line_id)


def subject_of(
    session: Session,
    lead_id: int,
    language: str | None = None,
    product_line_id: int | None = None,
    *,
    card: LeadCard | None = None,
    posting: Posting | None = None,
) -> Subject:
    """Load what one letter is about (``Sources.subject``). Raises NotFound for an unknown lead."""
    sources = Sources(session, [lead_id], {lead_id: card} if card else None, posting)
    return sources.subject(lead_id, language, product_line_id)


def _addressee(talk: Talk, country: str, language: str) -> NameParts:
    company = talk.firm_name or ""
    if talk.firm_alt and native(talk.firm_alt, language) and not native(company, language):
        company = talk.firm_alt
    return NameParts(
        full_name=talk.full_name,
        family_name=talk.family_name,
        given_name=talk.given_name,
        name_alt=talk.name_alt,
        gender=talk.gender,
        title=talk.title,
        department=talk.department,
        company=company,
        country=country,
    )


def _by_id(session: Session, table: Any, ids: Collection[int]) -> dict[int, Any]:
    rows = session.exec(select(table).where(table.id.in_(ids))) if ids else ()
    return {row.id: row for row in rows}


def _booths(session: Session, exporter_ids: Iterable[int]) -> dict[int, list[NextShow]]:
    rows = (
        sa.select(BOOTHS.c.exporter_id, SHOWS.c.starts_on, SHOWS.c.names, BOOTHS.c.number)
        .join(SHOWS, SHOWS.c.id == BOOTHS.c.exhibition_id)
        .where(BOOTHS.c.exporter_id.in_(list(exporter_ids)))
        .order_by(SHOWS.c.starts_on, BOOTHS.c.id)
    )
    found: dict[int, list[NextShow]] = {}
    for exporter_id, *show in session.execute(rows):
        found.setdefault(exporter_id, []).append(NextShow(*show))
    return found


def _catalogues(session: Session, line_ids: Collection[int]) -> dict[int, dict[str, OnPaper]]:
    rows = select(Catalogue.product_line_id, Catalogue.language, Catalogue.url)
    found: dict[int, dict[str, OnPaper]] = {line_id: {} for line_id in line_ids}
    for line_id, language, url in session.execute(rows.where(col(Catalogue.product_line_id).in_(line_ids))):
        found[line_id][language] = OnPaper(language, url)
    return found


def _turns(session: Session, talks: Collection[Talk]) -> dict[int, int]:
    """Count, for each lead, the colleagues of the same firm whom this exporter met earlier at the same exhibition."""
    firms = {talk.organisation_id for talk in talks if talk.organisation_id}
    counted: dict[tuple[int, ...], int] = {}
    turns: dict[int, int] = {}
    for lead_id, *group in sorted(_COLLEAGUES(session, firms)):
        key = tuple(group)
        turns[lead_id] = counted.get(key, 0)
        counted[key] = turns[lead_id] + 1
    return turns


_TALKS = bulk.LookUp(
    sa.select(
        LEADS.c.id, LEADS.c.exporter_id, LEADS.c.exhibition_id, LEADS.c.product_line_id, LEADS.c.met_at, LEADS.c.booth,
        LEADS.c.rating, LEADS.c.interests, LEADS.c.requests,
        CONTACTS.c.full_name, CONTACTS.c.family_name, CONTACTS.c.given_name, CONTACTS.c.name_alt, CONTACTS.c.gender,
        CONTACTS.c.title, CONTACTS.c.department, CONTACTS.c.organisation_id,
        FIRMS.c.name, FIRMS.c.name_alt.label("firm_alt"), DEAL_LEADS.c.deal_id,
    )
    .join(CONTACTS, CONTACTS.c.id == LEADS.c.contact_id)
    .outerjoin(FIRMS, FIRMS.c.id == CONTACTS.c.organisation_id)
    .outerjoin(DEAL_LEADS, DEAL_LEADS.c.lead_id == LEADS.c.id),
    LEADS.c.id,
)  # fmt: skip
_COLLEAGUES = bulk.LookUp(
    sa.select(LEADS.c.id, LEADS.c.exporter_id, LEADS.c.exhibition_id, CONTACTS.c.organisation_id).join(
        CONTACTS, CONTACTS.c.id == LEADS.c.contact_id
    ),
    CONTACTS.c.organisation_id,
)
