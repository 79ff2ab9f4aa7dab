"""Rehearsal, the pure engine and the worker agree on every letter, whatever the workflow, the buyer and the events."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import count
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, example, given, note
from hypothesis import strategies as st
from sqlmodel import col, select

from crm.campaigns import engine, looking, service, workflows
from crm.campaigns.conditions import ContactFacts, Facts, TalkFacts
from crm.campaigns.engine import Happening
from crm.campaigns.leads import load
from crm.campaigns.models import Campaign, Enrolment, Step, WorkflowVersion
from crm.campaigns.rules import show_close
from crm.contacts.models import Lead
from crm.core.config import Settings
from crm.core.db import Database
from crm.core.errors import Refused
from crm.core.models import Event
from crm.pipeline import service as pipeline
from crm.pipeline.models import Task
from tests.campaigns.conftest import STAFF, World, make_world
from tests.campaigns.random_workflows import EVENTS, Buyer, Case, Wish, random_case, smallest

NUMBERS = count()
EXAMPLES = 300
Row = tuple[str, str, str, datetime]
"""What became of a step: its id, kind, the outcome or why it was skipped, and when."""


@dataclass
class _Lead:
    lead: Lead
    buyer: Buyer
    happened: list[Happening] = field(default_factory=list)

    @cached_property
    def id(self) -> int:
        assert self.lead.id is not None
        return self.lead.id


class _House:
    """The real house on a clock of our own: the jobs that drive campaigns, and a world outside that answers."""

    def __init__(self, world: World, settings: Settings, case: Case) -> None:
        session = world.session
        self.session, self.settings, self.case = session, settings, case
        self.world, self.quiet, self.now = world, False, case.start
        self.world.show.ends_on, self.world.now = case.closes_on, case.start - timedelta(days=60)
        self.deals: dict[int, pipeline.Deal] = {}
        self.leads = [_Lead(self._lead(number, buyer), buyer) for number, buyer in enumerate(case.buyers)]
        pipeline.open_deals(session, now=self.world.now)
        self.campaign = self._campaign()

    def _lead(self, number: int, buyer: Buyer) -> Lead:
        return self.world.lead(
            f"Buyer{number} Test", country=buyer.country, city=buyer.city, rating=buyer.rating,
            requests=list(buyer.requests),
        )  # fmt: skip

    def _campaign(self) -> Campaign:
        # The definition is put where a stored text is read to, since its text is not what is looked at here.
        sha256 = f"random-{next(NUMBERS)}"
        workflows._known[sha256] = self.case.definition
        self.session.add(WorkflowVersion(sha256=sha256, name="example", text="", created_at=self.world.now))
        self.session.flush()
        campaign = Campaign(
            exhibition_id=self.world.show.id or 0, workflow="example", workflow_sha256=sha256,
            dates={"next_show": self.case.next_show.isoformat()}, created_at=self.world.now, created_by=STAFF,
        )  # fmt: skip
        self.session.add(campaign)
        self.session.flush()
        return campaign

    # ---- what comes from outside

    def let_happen(self, lead: _Lead, wish: Wish) -> bool:
        """Let something happen now, if it can, by the verbs that mailbox, pages and delivery use."""
        now = self.case.start + wish.after
        until = now + wish.lasts if wish.lasts is not None else None
        try:
            with self.session.begin_nested():
                until = self._tell(lead, wish, now, until)
        except Refused:
            return False
        lead.happened.append(Happening(wish.name, now, until))
        return True

    def _tell(self, lead: _Lead, wish: Wish, now: datetime, until: datetime | None) -> datetime | None:
        session, name = self.session, wish.name
        deal = self._deal(lead)
        if name == "reply":
            service.replied(session, self.settings, lead_id=lead.id, now=now)
            pipeline.note_reply(session, lead.id, now=now, evidence={"mail": 1})
        elif name == "out_of_office":
            service.away(session, self.settings, lead_id=lead.id, returns_at=until, now=now)
        elif name.startswith("stage."):
            stage = name.removeprefix("stage.")
            lost = "other" if stage == "lost" else ""
            pipeline.move(session, deal, stage, by=STAFF, now=now, reason="so it is", lost_reason=lost)
        elif name.startswith("task_done:"):
            self._finish(lead, name.removeprefix("task_done:"), now)
        elif name in ("hard_bounce", "opt_out"):
            reason = {"hard_bounce": "hard_bounced", "opt_out": "opted_out"}[name]
            service.end_enrolments(session, lead_id=lead.id, reason=reason, now=now)
            if name == "hard_bounce":
                service.bounced(session, self.settings, lead_id=lead.id, now=now)
        else:
            return self._note(deal, name, now, until)
        return until

    def _deal(self, lead: _Lead) -> pipeline.Deal:
        if lead.id not in self.deals:
            deal = pipeline.deal_of_lead(self.session, lead.id)
            assert deal is not None
            self.deals[lead.id] = deal
        return self.deals[lead.id]

    def _note(self, deal: pipeline.Deal, name: str, now: datetime, until: datetime | None) -> datetime | None:
        expires_on = until.astimezone(pipeline.KST).date() if until and until > now + timedelta(days=2) else None
        pipeline.note_happening(self.session, deal, name, at=now, by=STAFF, now=now, expires_on=expires_on)
        if expires_on is None:
            return None
        return datetime.combine(expires_on, datetime.min.time(), pipeline.KST).astimezone(UTC)

    def _finish(self, lead: _Lead, step: str | None, now: datetime) -> int:
        """Do the tasks of a step of a lead (None: of all steps that wait for one); return how many there were."""
        rows = select(Task).join(Step, col(Task.origin) == sa.literal("step:").concat(sa.cast(col(Step.id), sa.String)))
        mine = rows.join(Enrolment).where(Enrolment.lead_id == lead.id, Step.kind == "task")
        mine = mine.where(Step.status == "taken") if step is None else mine.where(Step.step == step)
        tasks = self.session.exec(mine.where(col(Task.done_at).is_(None))).all()
        for task in tasks:
            pipeline.finish_task(self.session, task, by=STAFF, now=now)
        return len(tasks)

    # ---- what the house does

    def come_in(self) -> None:
        """Let happen what comes before the leads come in."""
        for _after, lead, wish in self._wishes():
            if wish.after < timedelta(0) and wish.name.startswith(("stage.", "sample.", "quotation.")):
                self.let_happen(lead, wish)

    def begin(self) -> None:
        """Let the leads come in."""
        service.start(self.session, self.campaign, by=STAFF, now=self.case.start)
        service.enrol_leads(self.session, self.settings, now=self.case.start)
        self._tick(self.case.start)

    def live(self) -> None:
        """Live through everything that happens, to the end."""
        self._go_through([one for one in self._wishes() if one[0] > timedelta(0)])
        self._live_until(None)

    def _go_through(self, wishes: list[tuple[timedelta, _Lead, Wish]]) -> None:
        for after, lead, wish in wishes:
            self._live_until(self.case.start + after)
            if self.let_happen(lead, wish):
                self._tick(self.case.start + after)

    def live_with_a_pause(self, pause: timedelta, resume: timedelta) -> None:
        """Live until a pause is over."""
        session, start = self.session, self.case.start
        wishes = [one for one in self._wishes() if timedelta(0) < one[0] < resume]
        self._go_through([one for one in wishes if one[0] < pause])
        self._live_until(start + pause)
        service.pause(session, self.campaign, by=STAFF, now=start + pause)
        self._go_through([one for one in wishes if one[0] >= pause])
        self._live_until(start + resume)
        service.resume(session, self.campaign, by=STAFF, now=start + resume, settings=self.settings)
        service.enrol_leads(session, self.settings, now=start + resume)
        self._tick(start + resume)

    def live_on_quietly(self) -> None:
        """Live to the end while every task is done at once and nothing comes from outside."""
        self.quiet = True
        self._tick(self.now)
        self._live_until(None)

    def _wishes(self) -> list[tuple[timedelta, _Lead, Wish]]:
        wishes = [(wish.after, number, wish) for number, lead in enumerate(self.leads) for wish in lead.buyer.wishes]
        return [(after, self.leads[number], wish) for after, number, wish in sorted(wishes, key=lambda one: one[:2])]

    def _live_until(self, moment: datetime | None) -> None:
        while (due := self._next()) is not None and (moment is None or due < moment):
            self._tick(due)
        self.now = max(self.now, moment or self.now)

    def _next(self) -> datetime | None:
        waiting = select(sa.func.min(Step.due_at)).join(Enrolment).where(
            Step.status == "waiting", Enrolment.status == "active", Step.due_at > self.now
        )  # fmt: skip
        return self.session.exec(waiting).one()

    def _tick(self, now: datetime) -> None:
        """Do what is due now, until nothing is left; every letter leaves, as if it had been approved before."""
        session, settings = self.session, self.settings
        self.now, (known, due_now) = now, self._news(now)
        for _round in range(60):
            service.advance(session, settings, now=now)
            service.act_due(session, settings, now=now)
            due = service.claim(session, settings, now=now, ahead=timedelta(0), kind="mail", limit=100)
            for letter in due:
                service.step_done(session, letter.id, at=now, settings=settings)
                pipeline.note_sent(session, letter.lead_id, now=now)
            done = [self._finish(lead, None, now) for lead in self.leads] if self.quiet else []
            # What was done may have moved a deal, and the next look at the log notices that.
            seen, (known, due_now) = known, self._news(now)
            if not due_now and not any(done) and seen == known:
                return
        raise AssertionError(f"{due_now} steps are due for ever")

    def _news(self, now: datetime) -> tuple[int | None, int]:
        """Return what another round would see: the newest line about a deal, and how many steps are due now."""
        newest = select(sa.func.max(Event.id)).where(Event.subject == "deal").scalar_subquery()
        waiting = (
            select(sa.func.count())
            .select_from(Step)
            .join(Enrolment)
            .join(Campaign)
            .where(
                Step.status == "waiting", Step.due_at <= now, Enrolment.status == "active",
                Campaign.status == "running",
                sa.or_(col(Enrolment.hold_until).is_(None), col(Enrolment.hold_until) <= now),
            )
        )  # fmt: skip
        line, due = self.session.exec(select(newest, waiting.scalar_subquery())).one()
        return line, due

    def became(self, lead: _Lead) -> set[Row]:
        """Return what became of the steps of a lead, and the tasks that answered events."""
        session = self.session
        session.expire_all()
        steps = session.exec(select(Step).join(Enrolment).where(Enrolment.lead_id == lead.id)).all()
        tasks = {task.origin: task for task in session.exec(select(Task).where(Task.lead_id == lead.id))}
        rows: set[Row] = set()
        for step in steps:
            task = tasks.get(f"step:{step.id}") if step.kind == "task" else None
            if step.status == "skipped":
                rows.add((step.step, step.kind, step.reason, step.due_at))
            elif task is not None:
                rows.add((step.step, "task", "", task.created_at))
            elif step.status == "done":
                rows.add((step.step, step.kind, step.data.get("outcome", ""), step.done_at or step.due_at))
        answers = [task for origin, task in tasks.items() if origin and origin.startswith("on_")]
        return rows | {(_answer(task), "task", task.kind, task.due_at or task.created_at) for task in answers}

    def rehearsed(self) -> dict[int, list[tuple[str, datetime]]]:
        """Return the letters that the rehearsal expects from now on, by lead."""
        plan = service.rehearse(self.session, self.settings, self.campaign, now=self.now)
        letters: dict[int, list[tuple[str, datetime]]] = {lead.id: [] for lead in self.leads}
        for letter in plan.letters:
            letters[letter.lead_id].append((letter.step, letter.due_at))
        return {lead_id: sorted(found) for lead_id, found in letters.items()}

    def left(self) -> dict[int, set[tuple[str, datetime]]]:
        """Return the letters that have left, by lead."""
        rows = select(Enrolment.lead_id, Step.step, Step.done_at).join(Enrolment)
        letters: dict[int, set[tuple[str, datetime]]] = {lead.id: set() for lead in self.leads}
        for lead_id, step, at in self.session.exec(rows.where(Step.kind == "mail", Step.status == "done")):
            assert at is not None
            letters[lead_id].add((step, at))
        return letters


def _answer(task: Task) -> str:
    name, _number, *stage = (task.origin or "").split(":")
    return ".".join([name, *stage])


def played(rows: list[engine.PlannedStep]) -> set[Row]:
    """Return what the engine says becomes of the steps of a lead; answers to mail are made by the mailbox."""
    found: set[Row] = set()
    for row in rows:
        if row.step.startswith("on_"):
            found |= {(row.step, "task", row.what, row.due_at)} if row.step != "on_reply" else set()
        else:
            found.add((row.step, row.kind, row.skip or (row.outcome if row.kind != "mail" else ""), row.due_at))
    return found


def agree(house: _House) -> None:
    """Live through a case, and see that rehearsal, engine and worker tell the same of it."""
    case = house.case
    house.come_in()
    cards, rehearsed = load(house.session, [lead.id for lead in house.leads]), house.rehearsed()
    house.begin()
    if case.pause is not None:
        house.live_with_a_pause(*case.pause)
        before, expected = house.left(), house.rehearsed()
        house.live_on_quietly()
        after = house.left()
        assert {lead_id: sorted(after[lead_id] - before[lead_id]) for lead_id in after} == expected
        return
    house.live()
    for lead in house.leads:
        card = cards[lead.id]
        enrolled = house.session.exec(select(Enrolment).where(Enrolment.lead_id == lead.id)).first() is not None
        buyer = card.time(case.definition, {})
        assert buyer is not None
        known: dict[str, Any] = {
            "show_close": show_close(case.closes_on),
            "start": case.start,
            "dates": {"next_show": case.next_show},
        }
        if not enrolled:
            assert engine.exit_reason(case.definition, card.facts) is not None
            assert rehearsed[lead.id] == []
            continue
        rows = engine.play(case.definition, buyer, card.facts, happenings=lead.happened, **known)
        assert house.became(lead) == played(rows)
        past = [one for one in lead.happened if one.at < case.start]
        quiet = engine.play(case.definition, buyer, card.facts, happenings=past, tasks_done=True, **known)
        letters = [(row.step, row.due_at) for row in quiet if row.kind == "mail" and not row.skip]
        assert rehearsed[lead.id] == sorted(letters)


def _letters_of_one_moment() -> Case:
    """Two letters leave at one moment, and the first would make the condition of the second true: too late for it."""
    steps = [
        {"id": "s0", "after": {"show_close": "0 business days"}, "mail": "thank_you"},
        {"id": "s1", "after": {"show_close": "0 days"}, "when": 'deal.stage == "contacted"', "mail": "catalogue"},
        {"id": "s2", "after": {"s0": "0 days"}, "when": 'deal.stage == "contacted"', "mail": "reminder"},
    ]
    return _case(steps, Buyer("DE", "Berlin", 0, (), ()))


def _deeds_of_one_moment() -> Case:
    """A move and a line on a desk are due at one moment: the first makes the condition of the second true."""
    steps = [
        {"id": "s0", "after": {"show_close": "1 hours"}, "move": "dormant"},
        {"id": "s1", "after": {"show_close": "1 hours"}, "when": 'deal.stage == "dormant"', "notify": "advisor"},
    ]
    return _case(steps, Buyer("DE", "Berlin", 0, (), ()))


def _returned_twice() -> Case:
    """A letter comes back twice in a minute: the first time counts, and asks for one task."""
    steps = [{"id": "s0", "after": {"show_close": "0 business days"}, "mail": "thank_you"}]
    wishes = tuple(Wish(timedelta(minutes=minute), "hard_bounce") for minute in (1, 2))
    return _case(steps, Buyer("DE", "Berlin", 0, (), wishes), on_bounce={"task": "check", "within": "0 business days"})


def _case(steps: list[dict[str, Any]], buyer: Buyer, **parts: Any) -> Case:
    title = {"ko": "예시", "en": "Example"}
    workflow = {
        "workflow": "example", "title": title, "audience": 'contact.country != ""', "dates": {"next_show": title},
        "send_window": {"days": ["mon", "fri"], "hours": "09:30-11:30"}, "exit_when": ["opted_out", "hard_bounced"],
        "steps": steps, **parts,
    }  # fmt: skip
    day, start = date(2026, 3, 6), datetime(2026, 3, 6, 9, tzinfo=UTC)
    return Case(workflow, day, date(2026, 3, 16), start, (buyer,))


@pytest.mark.timeout(600)
def test_rehearsal_engine_and_worker_agree_on_every_letter(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody else works on this database, so nothing needs to be looked at twice.
    monkeypatch.setattr(looking, "OVERLAP", 0)
    ours = settings.model_copy(update={"campaigns": settings.campaigns.model_copy(update={"draft_ahead_hours": 0})})

    def agreed(case: Case) -> None:
        # A transaction each: in one that lasts, PostgreSQL gets slower with every case that is taken back.
        with db.reading() as session:
            agree(_House(make_world(session, ours), ours, case))

    def disagreed(case: Case) -> bool:
        try:
            agreed(case)
        except AssertionError:
            return True
        return False

    @hypothesis.settings(
        max_examples=EXAMPLES,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
        deadline=None,
    )
    @given(st.integers(0, 2**63).map(random_case))
    @example(_returned_twice())
    @example(_letters_of_one_moment())
    @example(_deeds_of_one_moment())
    def all_agree(case: Case) -> None:
        if disagreed(case):
            case = smallest(case, disagreed)
            note(f"The smallest case like it: {case}")
            agreed(case)

    all_agree()


# ---------------------------------------------------------------- what the cases are worth


def _until(case: Case, wish: Wish) -> datetime | None:
    return case.start + wish.after + wish.lasts if wish.lasts is not None else None


def _met(case: Case, buyer: Buyer) -> Iterator[str]:
    """Yield what a buyer meets: which steps, which events, and which edges of the calendar letters cross."""
    clock = engine.buyer_time(case.definition, buyer.country, buyer.city, "", {})
    assert clock is not None
    happened = [Happening(one.name, case.start + one.after, _until(case, one)) for one in buyer.wishes]
    facts = Facts(ContactFacts(buyer.country), TalkFacts(rating=buyer.rating, requests=buyer.requests))
    rows = engine.play(
        case.definition, clock, facts, show_close(case.closes_on), case.start, happenings=happened,
        dates={"next_show": case.next_show},
    )  # fmt: skip
    yield "pause" if case.pause else ""
    zone = clock.zone
    for one in happened:
        back = "" if one.name != "out_of_office" else " until a day" if one.until else " without a day"
        yield one.name.partition(":")[0] + back
    start, year = case.start.astimezone(zone), {datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in (1, 7)}
    for row in rows:
        step = case.definition.step(row.step)
        if row.skip or step is None:
            yield f"skipped: {row.skip}" if row.skip else row.step.partition(".")[0]
            continue
        yield f"wait {row.outcome}" if row.kind == "wait" else row.kind
        yield "task waited for" if step.wait else "window of its own" if step.window else ""
        yield "on a day" if step.on else "before a day" if step.before else ""
        due = row.due_at.astimezone(zone)
        if row.kind == "mail":
            yield f"clock changed in {zone.key.partition('/')[0]}" if due.utcoffset() != start.utcoffset() else ""
            yield "zone without summer time" if len(year) == 1 else "zone with summer time"
            yield "year ended" if due.year > start.year else ""
            yield "lunar new year" if start.date() < date(2027, 2, 6) <= due.date() <= date(2027, 2, 28) else ""


HAS_TO_MEET = {
    "mail", "task", "task waited for", "branch", "wait happened", "wait timeout", "move", "notify", "on a day",
    "before a day", "window of its own", "on_stage", "on_bounce", "on_reply", "pause",
    *(f"skipped: {reason}" for reason in ("late", "condition", "cap", "date_passed", "no_window")),
    *(name for name in EVENTS if name != "quotation.expires"), "task_done", "hard_bounce", "opt_out", "stage.lost",
    "out_of_office until a day", "out_of_office without a day", "clock changed in Europe", "clock changed in America",
    "clock changed in Australia", "clock changed in Pacific", "clock changed in Africa", "zone without summer time",
    "zone with summer time", "year ended", "lunar new year",
}  # fmt: skip
"""What three hundred cases have to meet, or their agreement would prove little."""


def test_three_hundred_cases_meet_every_step_every_event_and_every_edge_of_the_calendar() -> None:
    seen = Counter(
        name for case in map(random_case, range(EXAMPLES)) for buyer in case.buyers for name in _met(case, buyer)
    )
    assert {name: seen[name] for name in HAS_TO_MEET if seen[name] < 5} == {}
