"""Plays a whole campaign on a fake clock: who would get what, when, in which language, and what stands in the way.

It asks the same ``enrolling``, ``engine`` and clearance as the worker does, starts from the rows there are, and writes
nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from crm.campaigns import engine
from crm.campaigns.asking import letters_sent
from crm.campaigns.definition import Definition
from crm.campaigns.engine import BuyerTime, PlannedStep
from crm.campaigns.enrolling import Exclusion, candidates, decide
from crm.campaigns.happenings import past_events
from crm.campaigns.leads import LeadCard, chunks, load
from crm.campaigns.models import Campaign, Enrolment, Step
from crm.campaigns.rules import DayOff, days_off_between, show_close
from crm.campaigns.states import ACTIVE, OPEN, TAKEN, WAITING
from crm.campaigns.stepping import as_planned, events_of
from crm.campaigns.texts import EXCLUSIONS
from crm.campaigns.workflows import dates_of, definition_of, load_workflows, own_holidays
from crm.clearance import rules as clearance_rules
from crm.clearance import service as clearance
from crm.clearance import texts as clearance_texts
from crm.clearance.question import Verdict
from crm.core.clock import KST
from crm.core.config import Settings
from crm.core.errors import NotFound
from crm.core.i18n import _, language
from crm.exporters.models import Exhibition, Exporter
from crm.exporters.rules import in_language

Target = Campaign | tuple[str, Exhibition] | tuple[str, Exhibition, Exporter | None]


@dataclass(frozen=True)
class PlannedLetter:
    """One letter of the plan. ``moved`` are the holidays that moved it; ``drafted`` one that waits for review already.

    ``held_reason`` is empty, or the title of the first verdict that would hold it back at that moment.
    """

    lead_id: int
    contact_id: int
    exporter_id: int
    contact: str
    company: str
    exporter: str
    country: str
    language: str
    letter: str
    step: str
    due_at: datetime
    local_time: datetime
    zone_assumed: bool
    moved: tuple[tuple[date, DayOff], ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    drafted: bool = False

    @property
    def level(self) -> str:
        """Return ``block``, ``check`` or ``pass``."""
        return str(clearance_rules.level(self.verdicts))

    @property
    def held_reason(self) -> str:
        blocks = clearance_rules.blocked(self.verdicts)
        return clearance_texts.say(blocks[0])[0] if blocks else ""

    def as_json(self) -> dict[str, Any]:
        """Return one row of the plan with plain values; ``due_at`` is Korean time."""
        names = ("lead_id", "contact", "company", "exporter", "country", "language", "letter", "step", "level")
        return {
            **{name: getattr(self, name) for name in names},
            "due_at": self.due_at.astimezone(KST).isoformat(timespec="minutes"),
            "local_time": self.local_time.isoformat(timespec="minutes"),
            "zone_assumed": self.zone_assumed,
            "moved_by": [reason.name or reason.kind for _day, reason in self.moved],
            "held_reason": self.held_reason,
            "drafted": self.drafted,
        }


@dataclass(frozen=True)
class PlannedTask:
    """A task that the campaign would make."""

    lead_id: int
    contact: str
    company: str
    task: str
    step: str
    due_at: datetime


@dataclass(frozen=True)
class LeftOut:
    """A lead that is not followed up, and why (``code`` and the sentence)."""

    lead_id: int
    contact: str
    company: str
    country: str
    code: str

    @property
    def reason(self) -> str:
        return _(EXCLUSIONS[self.code])


class Week(NamedTuple):
    """How many letters go out in the week that starts on ``monday``, by language."""

    monday: date
    languages: dict[str, int]


@dataclass
class Rehearsal:
    """The plan: letters and tasks in order of time, and who is left out."""

    letters: list[PlannedLetter] = field(default_factory=list)
    tasks: list[PlannedTask] = field(default_factory=list)
    excluded: list[LeftOut] = field(default_factory=list)
    followed: int = 0

    @property
    def weeks(self) -> list[Week]:
        """Return the letters a week and language, by Korean dates."""
        counts: dict[date, Counter[str]] = {}
        for letter in self.letters:
            day = letter.due_at.astimezone(KST).date()
            counts.setdefault(day - timedelta(days=day.weekday()), Counter())[letter.language] += 1
        return [Week(monday, dict(counts[monday])) for monday in sorted(counts)]


@dataclass(frozen=True)
class Instead:
    """Another version to rehearse, and what each lead in flight (by enrolment) would have waiting under it."""

    definition: Definition
    waiting: Mapping[int, Sequence[PlannedStep]]


@dataclass(frozen=True)
class _Played:
    """One lead with the steps it would still go through."""

    card: LeadCard
    buyer: BuyerTime
    steps: list[PlannedStep]
    definition: Definition
    drafted: frozenset[str] = frozenset()


def rehearse(
    session: Session, settings: Settings, target: Target, *, now: datetime, instead: Instead | None = None
) -> Rehearsal:
    """Play a campaign, or a workflow for an exhibition that no campaign runs yet, from ``now`` to its end.

    With ``instead`` it is played as if its leads had been moved to another version; those it does not name stay.
    Every letter is taken as approved and sent in its slot, every task as done at once, and nobody answers. Raises
    NotFound for an unknown workflow and BadInput when a workflow file has mistakes.
    """
    campaign, definition = _campaign(session, settings, target, now)
    definition = instead.definition if instead else definition
    plan = Rehearsal()
    played = [*_in_flight(session, settings, campaign, now, instead)]
    for ids in chunks(candidates(session, campaign)):
        played += _newcomers(session, settings, campaign, definition, ids, now, plan)
    plan.followed = len(played)
    names = _exporter_names(session, {lead.card.exporter_id for lead in played})
    for lead in played:
        _list_steps(plan, lead, names)
    plan.letters = list(_cleared(session, settings, plan.letters, {lead.card.lead_id: lead.card for lead in played}))
    plan.tasks.sort(key=lambda task: (task.due_at, task.lead_id))
    return plan


def _campaign(session: Session, settings: Settings, target: Target, now: datetime) -> tuple[Campaign, Definition]:
    if isinstance(target, Campaign):
        return target, definition_of(session, target.workflow_sha256)
    name, exhibition, exporter = (*target, None)[:3]
    found = load_workflows(settings, session)
    if name not in found:
        raise NotFound(_("There is no workflow {name}. Known: {known}.", name=name, known=", ".join(found)))
    assert exhibition.id is not None
    campaign = Campaign(
        exhibition_id=exhibition.id,
        exporter_id=exporter.id if exporter else None,
        workflow=name,
        workflow_sha256=found[name].sha256,
        created_at=now,
        created_by="",
    )
    return campaign, found[name].definition


def _newcomers(
    session: Session,
    settings: Settings,
    campaign: Campaign,
    definition: Definition,
    ids: Iterable[int],
    now: datetime,
    plan: Rehearsal,
) -> Iterator[_Played]:
    closed = show_close(session.get_one(Exhibition, campaign.exhibition_id).ends_on)
    ids = list(ids)
    cards = load(session, ids).values()
    past = past_events(session, definition, ids)
    sent = letters_sent(session, {card.contact_id for card in cards}) if definition.cap else {}
    for card, verdict in decide(session, campaign, definition, own_holidays(settings), cards):
        if isinstance(verdict, Exclusion):
            company = card.facts.contact.company
            plan.excluded.append(LeftOut(card.lead_id, card.name, company, card.country, verdict.code))
        else:
            steps = engine.play(
                definition,
                verdict,
                card.facts,
                closed,
                now,
                happenings=engine.remembered(past.get(card.lead_id, {}), now),
                dates=dates_of(campaign),
                letters=sent.get((card.exporter_id, card.contact_id), ()),
                tasks_done=True,
            )
            yield _Played(card, verdict, steps, definition)


def _in_flight(
    session: Session, settings: Settings, campaign: Campaign, now: datetime, instead: Instead | None
) -> Iterator[_Played]:
    """Play on from the rows of those enrolled; each keeps the version of the workflow it started with."""
    if campaign.id is None:
        return
    rows = select(Enrolment).where(Enrolment.campaign_id == campaign.id, Enrolment.status == ACTIVE)
    enrolments = session.exec(rows.order_by(col(Enrolment.id))).all()
    cards = load(session, [enrolment.lead_id for enrolment in enrolments])
    numbers = [enrolment.id or 0 for enrolment in enrolments]
    steps, come = _rows_of(session, numbers), events_of(session, numbers)
    sent = letters_sent(session, {card.contact_id for card in cards.values()})
    own = own_holidays(settings)
    for enrolment in enrolments:
        card, rows_ = cards[enrolment.lead_id], steps.get(enrolment.id or 0, [])
        definition = definition_of(session, enrolment.workflow_sha256)
        planned: Sequence[PlannedStep] = ()
        if instead and (enrolment.id or 0) in instead.waiting:
            definition, planned = instead.definition, instead.waiting[enrolment.id or 0]
            rows_ = [row for row in rows_ if row.status != WAITING]
        buyer = card.time(definition, own)
        if buyer is not None:
            made = [row for row in rows_ if row.status == TAKEN and row.kind == "task"]
            standing = engine.Standing(
                known={row.step for row in rows_} | {row.step for row in planned},
                events=come.get(enrolment.id or 0, {}),
                letters=sent.get((card.exporter_id, card.contact_id), ()),
                made=[as_planned(row) for row in made],
                hold_until=enrolment.hold_until,
                ends_at=enrolment.ends_at,
                now=now,
            )
            waiting = [as_planned(row) for row in rows_ if row.status in OPEN and row not in made]
            waiting += [row for row in planned if not row.skip]
            drafted = frozenset(row.step for row in rows_ if row.status == TAKEN)
            played = engine.play_on(definition, buyer, card.facts, waiting, standing, tasks_done=True)
            yield _Played(card, buyer, played, definition, drafted)


def _rows_of(session: Session, enrolment_ids: Iterable[int]) -> dict[int, list[Step]]:
    found: dict[int, list[Step]] = {}
    for ids in chunks(enrolment_ids):
        for row in session.exec(select(Step).where(col(Step.enrolment_id).in_(ids))):
            found.setdefault(row.enrolment_id, []).append(row)
    return found


def _list_steps(plan: Rehearsal, lead: _Played, exporters: dict[int, str]) -> None:
    card, company = lead.card, lead.card.facts.contact.company
    for row in lead.steps:
        if row.skip or row.kind not in ("mail", "task"):
            continue
        if row.kind == "task":
            plan.tasks.append(PlannedTask(card.lead_id, card.name, company, row.what, row.step, row.due_at))
            continue
        moved = _moved(lead, row)
        plan.letters.append(
            PlannedLetter(
                lead_id=card.lead_id,
                contact_id=card.contact_id,
                exporter_id=card.exporter_id,
                contact=card.name,
                company=company,
                exporter=exporters[card.exporter_id],
                country=card.country,
                language=card.language,
                letter=row.what,
                step=row.step,
                due_at=row.due_at,
                local_time=row.due_at.astimezone(lead.buyer.zone),
                zone_assumed=lead.buyer.assumed,
                moved=tuple(moved),
                drafted=row.step in lead.drafted,
            )
        )


def _moved(lead: _Played, row: PlannedStep) -> list[tuple[date, DayOff]]:
    window = engine.own_window(lead.definition, row.step) or lead.definition.send_window.window()
    buyer = lead.buyer
    return days_off_between(row.wanted_at, row.due_at, buyer.zone, buyer.calendar, language(), window, buyer.korea)


def _exporter_names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    rows = select(Exporter).where(col(Exporter.id).in_(list(ids)))
    return {row.id or 0: in_language(row.names, language()) for row in session.exec(rows)}


def _cleared(
    session: Session, settings: Settings, letters: Sequence[PlannedLetter], cards: dict[int, LeadCard]
) -> Iterator[PlannedLetter]:
    """Yield the letters in order of time, each with what clearance says of it at that moment.

    The letters planned earlier for the same person, from whichever exporter, count as sent.
    """
    ordered = sorted(letters, key=lambda letter: (letter.due_at, letter.lead_id))
    asked = [_asked(letter, cards[letter.lead_id]) for letter in ordered]
    known = clearance.Gathered(session, settings, asked)
    earlier: dict[int, list[datetime]] = {}
    for letter, question in zip(ordered, asked, strict=True):
        before = earlier.setdefault(letter.contact_id, [])
        verdicts = known.verdicts(question, letter.due_at, last_letters=before)
        before.append(letter.due_at)
        yield replace(letter, verdicts=tuple(verdicts))


def _asked(letter: PlannedLetter, card: LeadCard) -> clearance.Asked:
    return clearance.Asked(
        letter.lead_id, card.address, letter.language, card.product_line_id, timezone=str(letter.local_time.tzinfo)
    )
