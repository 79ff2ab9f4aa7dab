"""From a letter and what it is about to the texts of a draft, in the buyer's language and in Korean. Asks nobody.

The language is chosen once, with the lead's card, and handed to every part. Where a fact is missing there is no text
at all, but the list of what is missing.
"""

from datetime import datetime
from html import escape
from typing import Any, NamedTuple

from crm.core.errors import Refused
from crm.core.i18n import _
from crm.drafts import layout
from crm.drafts.enclosures import Parcel
from crm.drafts.facts import facts_of, korean_rendering
from crm.drafts.held import lacking, where
from crm.drafts.language import KOREAN
from crm.drafts.library import NotReady
from crm.drafts.markdown import ADDRESS
from crm.drafts.packing import parcel_of
from crm.drafts.placeholders import Facts
from crm.drafts.rules import check_content
from crm.drafts.subjects import Subject
from crm.drafts.templates import Letter, Library, RenderedBlock, RenderedLetter, missing, render


class Content(NamedTuple):
    """What a letter puts into a draft, by the names of its columns; with ``held_for`` nothing could be written."""

    letter: str
    letter_version: str
    language: str
    variant: str
    turn: int
    recipient_name: str
    product_line_id: int | None
    subject: str
    subject_ko: str
    subject_template: str
    blocks: list[dict[str, Any]]
    held_for: list[dict[str, str]]
    enclosed: list[dict[str, Any]]
    status: str


class Pair(NamedTuple):
    """A letter as its buyer reads it, and its Korean rendering; or what is missing for them."""

    target: RenderedLetter | None
    korean: RenderedLetter | None
    held_for: list[dict[str, str]]
    parcel: Parcel


def write(letter: Letter, about: Subject, *, planned_at: datetime, now: datetime, attach: str = "") -> Content:
    """Write a letter that is to leave at ``planned_at``, not before ``now``. Raises Refused for a faulty template.

    ``attach``: what the workflow's step wants attached, besides what the letter does.
    """
    pair = both(letter, about, max(planned_at, now), attach)
    if pair.target is not None:
        proof(letter.name, pair.target, about.card.language)
    written = pair.target is not None and pair.korean is not None
    return Content(
        letter=letter.name,
        letter_version=letter.version,
        language=about.card.language,
        variant=letter.variant(about.card.language, about.card.country or None),
        turn=about.turn,
        recipient_name=about.recipient_name,
        product_line_id=about.line.id if about.line else None,
        subject=pair.target.subject if pair.target else "",
        subject_ko=pair.korean.subject if pair.korean else "",
        subject_template=pair.target.subject if pair.target else "",
        blocks=pairs(pair.target, pair.korean) if pair.target and pair.korean else [],
        held_for=pair.held_for,
        enclosed=[item.as_json() for item in pair.parcel.items] if written else [],
        status="waiting" if written else "held",
    )


def write_in_use(
    library: Library,
    name: str,
    about: Subject,
    *,
    planned_at: datetime,
    now: datetime,
    campaign_id: int | None = None,
    version: str = "",
    attach: str = "",
) -> Content:
    """Write a letter in ``version``, or in the one that the campaign keeps; held while its text is not approved."""
    card = about.card
    try:
        letter = library.to_write(name, card.language, card.country, campaign_id=campaign_id, version=version)
    except NotReady as error:
        return _held(name, about, error)
    return write(letter, about, planned_at=planned_at, now=now, attach=attach)


def _held(name: str, about: Subject, error: NotReady) -> Content:
    return Content(
        letter=name,
        letter_version=error.version,
        language=about.card.language,
        variant=about.card.language,
        turn=about.turn,
        recipient_name=about.recipient_name,
        product_line_id=about.line.id if about.line else None,
        subject="",
        subject_ko="",
        subject_template="",
        blocks=[],
        held_for=[error.held_for],
        enclosed=[],
        status="held",
    )


def proof(name: str, written: RenderedLetter, language: str) -> None:
    """Make both parts of a letter's mail once. Raises Refused when a link is in one of them only."""
    text = layout.to_text(written.blocks)
    html = layout.to_html(written.blocks, language)
    lost = [address for address in ADDRESS.findall(text) if f'href="{escape(address)}"' not in html]
    if lost:
        raise Refused(
            _("In the letter {letter} the link {address} is not in the HTML part.", letter=name, address=lost[0])
        )


def noticed(content: Content, about: Subject) -> tuple[str, ...]:
    """Return the codes of what an advisor will be shown of a letter just written (``check_content``)."""
    if content.held_for:
        return ()
    texts = [str(block["text"]) for block in content.blocks]
    found = check_content(content.language, content.subject, texts, addressee=about.addressee, names=about.names)
    return tuple(one.code for one in found)


def both(letter: Letter, about: Subject, moment: datetime, attach: str = "") -> Pair:
    """Write the letter in the buyer's language, and in Korean by the same template version with the same values."""
    language, country = about.card.language, about.card.country or None
    parcel = parcel_of(about, {*letter.attach, *filter(None, (attach,))}, letter.placeholders, moment)
    facts = facts_of(about, language, now=moment, parcel=parcel)
    target, lacks = _render(letter, language, facts, about.turn, country)
    if language == KOREAN:
        return Pair(target, target, lacks, parcel)
    in_korean = korean_rendering(about, facts, now=moment)
    korean, also = _render(letter, KOREAN, in_korean, about.turn, None)
    return Pair(target, korean, [*lacks, *(one for one in also if one not in lacks)], parcel)


def _render(
    letter: Letter, language: str, facts: Facts, turn: int, country: str | None
) -> tuple[RenderedLetter | None, list[dict[str, str]]]:
    """Return the letter, or what it lacks. What, is only asked where something is amiss."""
    fault: Refused | None = None
    if not missing(letter, facts, language, country):
        try:
            return render(letter, language, {language: facts}, country=country, turn=turn), []
        except Refused as error:
            fault = error
    names = lacking(letter, facts, language, country=country, turn=turn)
    if fault is not None and not names:
        raise fault
    return None, [{"placeholder": name, "where": where(name)} for name in names]


def pairs(target: RenderedLetter, korean: RenderedLetter) -> list[dict[str, Any]]:
    """Return the blocks of a draft, each with its Korean rendering."""
    beside = {block.id: block for block in korean.blocks}
    return [pair_of(block, beside.get(block.id)) for block in target.blocks]


def pair_of(block: RenderedBlock, korean: RenderedBlock | None) -> dict[str, Any]:
    """Return one block as a draft keeps it; what the template said is kept beside it once somebody changes it."""
    return {
        "id": block.id,
        "text": block.text,
        "marked": block.marked,
        "ko": korean.text if korean else "",
        "ko_marked": korean.marked if korean else "",
        "edited_by": "",
        "edited_at": "",
        "ko_note": "",
    }
