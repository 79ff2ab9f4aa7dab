"""What the page of the dry run shows: brought together from the rehearsal, in the viewer's language. Writes nothing."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import col, select

from crm.campaigns import building, load
from crm.campaigns.definition import Definition
from crm.campaigns.language import LANGUAGES
from crm.campaigns.leads import chunks
from crm.campaigns.letters import base_of
from crm.campaigns.models import Campaign
from crm.campaigns.rehearsal import PlannedLetter, Rehearsal
from crm.clearance import rules as clearance_rules
from crm.clearance import texts as clearance_texts
from crm.contacts.models import Lead
from crm.core.i18n import N_, _, language, ngettext
from crm.drafts.library import desk_page
from crm.exporters.rules import in_language
from crm.exporters.service import advisor_namer
from crm.pipeline import texts as pipeline_texts
from crm.web import words
from crm.web.visits import Visit

PEOPLE = 200
"""So many people can be chosen to look at one timeline."""

WAYS_IN = {
    "country_unknown": N_("Fill in the country"),
    "no_address": N_("Fill in an address"),
    "address_bounced": N_("Find another address"),
    "suppressed": N_("Look at the suppression list"),
    "other_campaign": N_("Look at the campaigns"),
    "not_in_audience": N_("Look at the workflow"),
    "deal_moved_on": N_("Nothing to do"),
}
"""What includes people who are left out, by the reason."""


@dataclass(frozen=True)
class Fix:
    """Something that has to be settled. ``stops``: the campaign cannot be started before."""

    text: str
    href: str
    label: str
    stops: bool = False


def to_fix(visit: Visit, campaign: Campaign, definition: Definition, plan: Rehearsal) -> list[Fix]:
    """Return what is to be settled, that which stops the start first."""
    here, found = f"/campaigns/{campaign.id}", []
    for name in building.dates_missing(visit.db, campaign):
        title = in_language(dict(definition.dates[name]), language())
        text = _("The date is missing: {name}.", name=title)
        found.append(Fix(text, f"{here}/flow#f-date-{name}", _("Fill in the date"), stops=True))
    found += [_missing(letter, tongue, plan) for letter, tongue in missing_letters(visit, plan)]
    if not plan.letters and not plan.tasks:
        found.append(
            Fix(_("There is nobody to write to."), f"{here}/rehearsal#h-out", _("Who is left out"), stops=True)
        )
    return [*found, *_held_fixes(here, plan)]


def _missing(letter: str, tongue: str, plan: Rehearsal) -> Fix:
    count = sum((one.letter, one.language) == (letter, base_of(tongue)) for one in plan.letters)
    text = ngettext(
        "{n} letter cannot be written: {letter} is not approved in {language} yet.",
        "{n} letters cannot be written: {letter} is not approved in {language} yet.",
        count,
        letter=letter,
        language=words.tongue(tongue),
    )
    return Fix(text, desk_page(letter, tongue), _("Look at the letter"), stops=True)


def missing_letters(visit: Visit, plan: Rehearsal) -> list[tuple[str, str]]:
    """Return the letters and languages that the plan needs and that nobody has written or approved."""
    shelf = visit.letters
    needed = {(one.letter, one.language, one.country) for one in plan.letters}
    found = ((letter, shelf.ready_in_use(letter, tongue, land)) for letter, tongue, land in needed)
    return sorted({(letter, ready.tongue) for letter, ready in found if not ready})


def _held_fixes(here: str, plan: Rehearsal) -> list[Fix]:
    return [
        Fix(
            ngettext(
                "{n} letter cannot leave: {reason}.", "{n} letters cannot leave: {reason}.", len(held), reason=reason
            )
            + f" {remedy}",
            f"/contacts/{held[0].contact_id}" if len(held) == 1 else f"{here}/rehearsal#h-held",
            _("Look at it"),
        )
        for reason, remedy, held in held_by_reason(plan.letters)
    ]


def held_by_reason(letters: Iterable[PlannedLetter]) -> list[tuple[str, str, list[PlannedLetter]]]:
    """Return the letters that could not leave, by the reason with its remedy, the most frequent first."""
    found: dict[tuple[str, str], list[PlannedLetter]] = {}
    for letter in letters:
        blocks = clearance_rules.blocked(letter.verdicts)
        if blocks:
            found.setdefault((letter.held_reason, clearance_texts.remedy(blocks[0])), []).append(letter)
    return sorted(((reason, remedy, held) for (reason, remedy), held in found.items()), key=lambda row: -len(row[2]))


def weeks(plan: Rehearsal) -> list[dict[str, Any]]:
    """Return the weeks with their bars: offset and width of each language, in per cent of the fullest week."""
    fullest = max((sum(week.languages.values()) for week in plan.weeks), default=1)
    steps: dict[date, Counter[str]] = {}
    for letter in plan.letters:
        steps.setdefault(load.monday_of(letter.due_at), Counter())[letter.letter] += 1
    found = []
    for week in plan.weeks:
        bars, offset = [], 0.0
        for code in LANGUAGES:
            width = 100 * week.languages.get(code, 0) / fullest
            if width:
                bars.append({"css": code[:2], "x": round(offset, 1), "width": round(max(width - 0.4, 0.2), 1)})
            offset += width
        found.append({"week": week, "bars": bars, "total": sum(week.languages.values()), "letters": steps[week.monday]})
    return found


@dataclass(frozen=True)
class Moved:
    """So many letters to a country that a day off moved. ``kind`` is that of ``rules.DayOff``."""

    day: date
    name: str
    country: str
    count: int
    first: datetime


def moved(plan: Rehearsal) -> list[Moved]:
    """Return what holidays moved, by day and country, with the first day on which those letters leave instead."""
    found: dict[tuple[date, str, str], list[PlannedLetter]] = {}
    for letter in plan.letters:
        named = {(reason.name or _("a day off of ours")): day for day, reason in reversed(letter.moved)}
        for name, day in named.items():
            found.setdefault((day, name, letter.country), []).append(letter)
    return [
        Moved(day, name, country, len(letters), min(letter.due_at for letter in letters))
        for (day, name, country), letters in sorted(found.items())
    ]


@dataclass(frozen=True)
class LeftOutGroup:
    """People left out for one reason, with the page that can include them."""

    code: str
    reason: str
    way: str
    href: str
    people: list[tuple[Any, int]]


def left_out(visit: Visit, campaign: Campaign, plan: Rehearsal) -> list[LeftOutGroup]:
    """Return who is left out by the reason, the most frequent first; each person with the number of their page."""
    contact_of = _contacts(visit, [one.lead_id for one in plan.excluded])
    found: dict[str, list[Any]] = {}
    for one in plan.excluded:
        found.setdefault(one.code, []).append(one)
    pages = {
        "suppressed": "/suppression",
        "other_campaign": "/campaigns",
        "not_in_audience": f"/workflows/{campaign.workflow}",
    }
    groups = []
    for code, people in sorted(found.items(), key=lambda item: -len(item[1])):
        rows = [(one, contact_of.get(one.lead_id, 0)) for one in people]
        href = pages.get(code, "" if code == "deal_moved_on" else f"/contacts/{rows[0][1]}")
        groups.append(LeftOutGroup(code, people[0].reason, _(WAYS_IN.get(code, N_("Look at it"))), href, rows))
    return groups


def _contacts(visit: Visit, lead_ids: list[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for ids in chunks(lead_ids):
        rows = visit.db.exec(select(Lead.id, Lead.contact_id).where(col(Lead.id).in_(ids)))
        found |= {lead: contact for lead, contact in rows if lead is not None}
    return found


# ---- one person


@dataclass(frozen=True)
class Moment:
    """A point of one person's timeline: a letter, a task with its time, or (``kind`` if) what may happen instead."""

    kind: str
    text: str
    at: datetime | None = None
    label: str = ""
    letter: PlannedLetter | None = None


def people(plan: Rehearsal) -> list[PlannedLetter]:
    """Return one letter of each person, in the order of their first letters."""
    found: dict[int, PlannedLetter] = {}
    for letter in plan.letters:
        found.setdefault(letter.lead_id, letter)
    return list(found.values())[:PEOPLE]


def timeline(plan: Rehearsal, lead_id: int, letter_name: Callable[[str], str]) -> list[Moment]:
    """Return what one person goes through if they do not answer, and at each turn what else may happen."""
    rows: list[tuple[datetime, Moment]] = [
        (letter.due_at, Moment("mail", letter_name(letter.letter), letter.due_at, letter=letter))
        for letter in plan.letters
        if letter.lead_id == lead_id
    ]
    rows += [
        (task.due_at, Moment("task", _(pipeline_texts.TASK_KINDS.get(task.task, task.task)), task.due_at, _("task")))
        for task in plan.tasks
        if task.lead_id == lead_id
    ]
    ifs = [
        _("If an answer comes, it stops here and becomes a task of the advisor."),
        _("If the buyer unsubscribes, it ends here."),
        _("If the letter comes back, it ends here and the address is to be checked."),
    ]
    found: list[Moment] = []
    for _at, moment in sorted(rows, key=lambda row: row[0]):
        found.append(moment)
        if moment.kind == "mail" and ifs:
            found.append(Moment("if", ifs.pop(0)))
    return found


# ---- the advisors


@dataclass(frozen=True)
class Share:
    """What one advisor has to review: companies, letters, the busiest week and what to do about it."""

    advisor: str
    companies: int
    letters: int
    busiest: date
    most: int
    proposals: list[load.Proposal]
    weeks: dict[date, int]


def shares(visit: Visit, plan: Rehearsal) -> list[Share]:
    """Return the load by advisor, the fullest first; an empty name stands for letters that nobody reviews."""
    advisor = advisor_namer(visit.db)
    companies: dict[str, set[int]] = {}
    for letter in plan.letters:
        companies.setdefault(advisor(letter.exporter_id, letter.language), set()).add(letter.exporter_id)
    loads = load.weekly((advisor(one.exporter_id, one.language), one.due_at) for one in plan.letters)
    proposed = load.proposals(loads)
    rows = [
        Share(
            name,
            len(companies[name]),
            sum(counts.values()),
            max(counts, key=lambda day, counts=counts: counts[day]),  # type: ignore[misc]
            max(counts.values()),
            [one for one in proposed if one.advisor == name],
            dict(counts),
        )
        for name, counts in loads.items()
    ]
    return sorted(rows, key=lambda row: (-row.most, row.advisor))
