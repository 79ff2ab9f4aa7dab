"""Letters that are held: what each lacks, and where that is filled in."""

from dataclasses import dataclass

from crm.accounts.rules import Viewer
from crm.core.i18n import _
from crm.drafts import queries
from crm.drafts.library import LETTERS, desk_page
from crm.drafts.models import Draft
from crm.drafts.placeholders import PLACEHOLDERS
from crm.drafts.readiness import State
from crm.exporters.models import Exporter
from crm.web import letterdesk, words
from crm.web.filling import where_to_fill
from crm.web.visits import Visit


@dataclass(frozen=True)
class Gap:
    """A fact that is missing: what it is, and the page on which it is filled in."""

    about: str
    path: str


@dataclass(frozen=True)
class HeldLetter:
    """A letter that could not be written yet."""

    draft: Draft
    exporter: Exporter
    gaps: list[Gap]


def held_letters(visit: Visit) -> list[HeldLetter]:
    """Return the viewer's held letters, the next to leave first."""
    found = queries.held(visit.db, visit.viewer)
    return [HeldLetter(draft, exporter, gaps_of(draft, visit.viewer)) for draft, exporter in found]


def gaps_of(draft: Draft, viewer: Viewer) -> list[Gap]:
    """Return what a held draft lacks, each with its page; what is filled in at one place stands together.

    A text that nobody approved yet is lacking too; its page is the letter desk.
    """
    if texts := [_unapproved(one) for one in draft.held_for if one.get("where") == LETTERS]:
        return texts
    lacks = [one for one in draft.held_for if one.get("placeholder") in PLACEHOLDERS]
    gaps = [Gap(_(PLACEHOLDERS[one["placeholder"]].about), _path(draft, one["where"], viewer)) for one in lacks]
    return sorted(gaps, key=lambda gap: [one.path for one in gaps].index(gap.path))


def _unapproved(one: dict[str, str]) -> Gap:
    state, _colour, _sign = letterdesk.STATES[State(one["state"])]
    about = _("text of the template in {language}: {state}", language=words.tongue(one["tongue"]), state=_(state))
    return Gap(about, desk_page(one["letter"], one["tongue"]))


def _path(draft: Draft, where: str, viewer: Viewer) -> str:
    return where_to_fill(
        where,
        contact_id=draft.contact_id,
        exporter_id=draft.exporter_id,
        deal_id=draft.deal_id,
        exhibition_id=draft.exhibition_id,
        product_line_id=draft.product_line_id,
        staff=viewer.is_staff,
    )
