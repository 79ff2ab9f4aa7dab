"""The funnel: listed → sent → replied → quotation and sample → negotiation → exclusive contract."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from babel import Locale
from sqlmodel import Session, col, func, select

from crm.accounts.rules import Viewer
from crm.accounts.scope import only_visible
from crm.contacts.models import Contact, Lead, Organisation
from crm.core.errors import BadInput
from crm.core.i18n import _, language
from crm.delivery.models import Outbox
from crm.drafts.models import Draft
from crm.exporters.models import Exhibition, Exporter
from crm.exporters.rules import in_language
from crm.pipeline.models import Deal, DealLead, StageMove
from crm.pipeline.rules import WAY, Stage
from crm.reports.texts import GROUPS

REACHED = {
    "replied": Stage.REPLIED,
    "quoted": Stage.SAMPLE_OR_QUOTATION,
    "negotiating": Stage.NEGOTIATION,
    "exclusive": Stage.EXCLUSIVE_CONTRACT,
}


@dataclass(frozen=True)
class FunnelRow:
    """Counts of buyers (leads) for one exhibition, exporter or country. ``texts.STEPS`` says what each counts."""

    key: str
    name: str
    listed: int = 0
    sent: int = 0
    replied: int = 0
    quoted: int = 0
    negotiating: int = 0
    exclusive: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


COUNTS = tuple(one.name for one in fields(FunnelRow) if one.type in (int, "int"))


@dataclass(frozen=True)
class _Line:
    exhibition: str
    exporter: str
    country: str
    counts: dict[str, int]


def funnel(
    session: Session,
    viewer: Viewer,
    *,
    by: str = "exporter",
    exhibition_id: int | None = None,
    exporter_id: int | None = None,
) -> list[FunnelRow]:
    """Return one row for each exhibition, exporter or country that the viewer sees, the longest list first.

    A buyer counts for every step its deal ever reached, also when it was lost afterwards. Raises BadInput for an
    unknown ``by``.
    """
    if by not in GROUPS:
        raise BadInput(_("There is no funnel by {by}. Known: {names}.", by=by, names=", ".join(GROUPS)))
    names = _names(session, by)
    sums: dict[str, dict[str, int]] = {}
    for line in _lines(session, viewer, exhibition_id, exporter_id):
        known = sums.setdefault(getattr(line, by), dict.fromkeys(COUNTS, 0))
        for count in COUNTS:
            known[count] += line.counts[count]
    rows = [FunnelRow(key=key, name=names(key), **counts) for key, counts in sums.items()]
    return sorted(rows, key=lambda row: (-row.listed, row.name))


def total(rows: Iterable[FunnelRow]) -> FunnelRow:
    """Return the sum of rows that do not overlap."""
    listed = list(rows)
    sums = {count: sum(getattr(row, count) for row in listed) for count in COUNTS}
    return FunnelRow(key="", name=_("All"), **sums)


def _lines(session: Session, viewer: Viewer, exhibition_id: int | None, exporter_id: int | None) -> list[_Line]:
    rows: Any = (
        select(Lead.id, Exhibition.code, Exporter.code, func.coalesce(Contact.country, Organisation.country, ""))
        .join(Exhibition, col(Exhibition.id) == col(Lead.exhibition_id))
        .join(Exporter, col(Exporter.id) == col(Lead.exporter_id))
        .join(Contact, col(Contact.id) == col(Lead.contact_id))
        .join(Organisation, col(Organisation.id) == col(Contact.organisation_id), isouter=True)
    )
    for column, wanted in ((Lead.exhibition_id, exhibition_id), (Lead.exporter_id, exporter_id)):
        if wanted is not None:
            rows = rows.where(column == wanted)
    sent, furthest = _sent(session), _furthest(session)
    return [
        _Line(show, exporter, country, _counts(lead_id in sent, furthest.get(lead_id, 0)))
        for lead_id, show, exporter, country in session.exec(only_visible(rows, viewer, col(Lead.exporter_id)))
    ]


def _counts(was_sent: bool, rank: int) -> dict[str, int]:
    reached = {name: int(rank >= WAY.index(stage)) for name, stage in REACHED.items()}
    return {"listed": 1, "sent": int(was_sent), **reached}


def _sent(session: Session) -> set[int]:
    rows = select(Draft.lead_id).join(Outbox, col(Outbox.draft_id) == col(Draft.id)).where(Outbox.status == "sent")
    return set(session.exec(rows.distinct()))


def _furthest(session: Session) -> dict[int, int]:
    """Return how far along the way each lead's deal ever came, by its present stage and its history."""
    ranks = {stage.value: place for place, stage in enumerate(WAY)}
    of_deal: dict[int, int] = {}
    stages = [*session.exec(select(Deal.id, Deal.stage)), *session.exec(select(StageMove.deal_id, StageMove.to_stage))]
    for deal_id, stage in stages:
        of_deal[deal_id or 0] = max(of_deal.get(deal_id or 0, 0), ranks.get(stage, 0))
    links = session.exec(select(DealLead.lead_id, DealLead.deal_id))
    return {lead_id: of_deal.get(deal_id, 0) for lead_id, deal_id in links}


def _names(session: Session, by: str) -> Callable[[str], str]:
    if by == "country":
        territories = Locale(language()).territories
        return lambda code: str(territories.get(code, code)) if code else _("Country unknown")
    rows: Any = (
        select(Exhibition.code, Exhibition.names) if by == "exhibition" else select(Exporter.code, Exporter.names)
    )
    names = {code: in_language(in_languages, language()) for code, in_languages in session.exec(rows)}
    return lambda code: names[code]
