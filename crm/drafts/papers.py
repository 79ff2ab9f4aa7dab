"""From the papers of a deal to the facts of a letter, in the letter's language."""

from crm.drafts.placeholders import Meeting, Negotiation, Promise, Quoted, QuotedLine
from crm.drafts.rules import in_writing_of
from crm.pipeline.papering import AGREED, OPEN, PROPOSAL, Offer
from crm.pipeline.papers import ContractPaper, MeetingPaper, Papers


def paper_facts(papers: Papers, language: str, *, zone: str | None) -> dict[str, object]:
    """Return the fields of ``Facts`` that tell of quotation, meeting, negotiation and contract; None for what is not.

    ``zone`` is the buyer's (IANA). Of points and packing only what is written in ``language`` is told; items and places
    that its reader cannot read (Hangul in a Spanish letter) count as not known: a letter which needs them is held.
    """
    return {
        "quotation": _quoted(papers.quotation.offer, language) if papers.quotation else None,
        "meeting": _meeting(papers.meeting, zone, language) if papers.meeting else None,
        "negotiation": _negotiation(papers, language) if papers.points else None,
        "contract": _promise(papers.contract) if papers.contract else None,
    }


def _quoted(offer: Offer, language: str) -> Quoted:
    return Quoted(
        number=offer.number,
        issued_on=offer.issued_on,
        valid_until=offer.valid_until,
        currency=offer.currency,
        incoterm=offer.incoterm or None,
        incoterm_place=_readable(offer.incoterm_place, language),
        lead_time_days=offer.lead_time_days,
        payment=offer.payment,
        packing=offer.packing.get(language) or None,
        lines=_lines(offer, language),
    )


def _lines(offer: Offer, language: str) -> tuple[QuotedLine, ...]:
    """All lines or none: a quotation with an item left out is another one."""
    if not all(in_writing_of(f"{line.item} {line.unit}", language) for line in offer.lines):
        return ()
    return tuple(QuotedLine(line.item, line.quantity, line.unit, line.unit_price) for line in offer.lines)


def _readable(text: str, language: str) -> str | None:
    return text if text and in_writing_of(text, language) else None


def _meeting(paper: MeetingPaper, zone: str | None, language: str) -> Meeting:
    return Meeting(
        slots=paper.slots,
        minutes=paper.minutes,
        place=_readable(paper.place, language),
        online=paper.online,
        zone=zone,
    )


def _negotiation(papers: Papers, language: str) -> Negotiation:
    return Negotiation(
        agreed=papers.texts(AGREED, language),
        open_points=papers.texts(OPEN, language),
        proposals=papers.texts(PROPOSAL, language),
        until=papers.until(),
    )


def _promise(paper: ContractPaper) -> Promise:
    return Promise(
        territory=paper.territory,
        starts_on=paper.starts_on,
        ends_on=paper.ends_on,
        minimum_quantity=paper.minimum_quantity,
        minimum_unit=paper.minimum_unit or None,
        minimum_amount=paper.minimum_amount,
        currency=paper.currency or None,
        kind=paper.kind,
    )
