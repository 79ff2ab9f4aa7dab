"""What goes along with one letter, from what its sources have read: the bridge from ``subjects`` to ``enclosures``."""

from collections.abc import Collection, Iterator
from datetime import datetime

from crm.drafts.enclosures import CATALOGUE, MEETING, QUOTATION, Parcel, Posting, calendar_of, pack
from crm.drafts.subjects import Subject
from crm.exporters.models import Document
from crm.exporters.rules import in_language
from crm.pipeline.papers import NOTHING as NO_PAPERS
from crm.pipeline.papers import Papers

SPEAKS_OF_CATALOGUE = frozenset({"catalogue_url", "attached", "catalogue_expires"})
SEVERAL = frozenset({"certificate"})
NOTHING = Parcel()


def parcel_of(about: Subject, attach: Collection[str], placeholders: Collection[str], now: datetime) -> Parcel:
    """Return what goes along with a letter about ``about`` that leaves about ``now``.

    ``attach`` is what letter and step want attached, ``placeholders`` what the text speaks of. A quotation is the
    signed paper of this deal's quotation, never one found by its kind: another buyer's prices must not go out.
    """
    posting = about.sources.posting
    spoken = {CATALOGUE} if SPEAKS_OF_CATALOGUE & set(placeholders) else set()
    kinds = {*attach, *spoken}
    if posting is None or not kinds:
        return NOTHING
    papers = about.sources.papers(about.lead, now) or NO_PAPERS
    found = _on_the_shelf(about, kinds) if papers is NO_PAPERS else list(_found(about, kinds, papers))
    calendar = _calendar(about, attach, papers, posting)
    return pack(found, attach, posting, about.card.language, now, calendar) if found or calendar else NOTHING


def _on_the_shelf(about: Subject, kinds: Collection[str]) -> list[tuple[str, Document]]:
    """Return what any buyer of the exporter's line gets in a language; looked up once for many letters."""
    line_id = about.line.id if about.line else None
    key = ("shelf", about.lead.exporter_id, line_id, about.card.language, frozenset(kinds))
    return list(about.sources.once(key, lambda: {"found": list(_found(about, kinds, NO_PAPERS))})["found"])


def _found(about: Subject, kinds: Collection[str], papers: Papers) -> Iterator[tuple[str, Document]]:
    shelf, language, exporter_id = about.sources.shelf(), about.card.language, about.lead.exporter_id
    line_id = about.line.id if about.line else None
    for kind in sorted(kinds):
        if kind in SEVERAL:
            yield from ((kind, document) for document in shelf.find_all(kind, exporter_id, line_id, language))
        elif kind == QUOTATION:
            number = papers.quotation.document_id if papers.quotation else None
            document = about.sources.document(number) if number else None
            if document is not None and document.withdrawn_at is None and document.exporter_id == exporter_id:
                yield kind, document
        elif kind != MEETING:
            one = shelf.find(kind, exporter_id, line_id, language)
            if one is not None and not (kind == CATALOGUE and _nearer_elsewhere(about, one)):
                yield kind, one


def _nearer_elsewhere(about: Subject, document: Document) -> bool:
    """A catalogue on the web in the reader's language is better than a file in English."""
    language = about.card.language
    if document.language == language or about.line is None or about.line.id is None:
        return False
    known = about.sources.catalogue(about.line.id, language)
    return known is not None and known.language == language


def _calendar(about: Subject, attach: Collection[str], papers: Papers, posting: Posting) -> tuple[int, bytes] | None:
    if MEETING not in attach or papers.meeting is None:
        return None
    language = about.card.language
    product = in_language(about.line.names, language) if about.line else ""
    return papers.meeting.id, calendar_of(papers.meeting, about.exporter, product, language, posting.domain)
