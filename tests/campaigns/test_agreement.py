"""Rehearsal, the pure engine and the worker agree on every letter, whatever the workflow, the buyer and the events."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, example, given
from sqlmodel import Session, col, select

from crm.campaigns import engine, service, workflows
from crm.campaigns.definition import Definition
from crm.campaigns.engine import Happening
from crm.campaigns.leads import LeadCard, load
from crm.campaigns.models import Campaign, Enrolment, Step, WorkflowVersion
from crm.campaigns.rules import show_close
from crm.contacts.models import Lead
from crm.core.config import Settings
from crm.core.db import Database
from crm.core.errors import Refused
from crm.pipeline import service as pipeline
from crm.pipeline.models import Task
from tests.campaigns.conftest import STAFF, World, make_world
from tests.campaigns.random_workflows import Buyer, Case, Wish, cases

NUMBERS = count()
EXAMPLES = 300
Row = tuple[str, str, str, datetime]
"""What became of a step: its id, kind, the outcome or why it was skipped, and when."""


@dataclass
class _Lead:
    lead: Lead
    buyer: Buyer
    happened: list[Happening] = field(default_factory=list)

    @property
    def id(self) -> int:
        assert self.lead.id is not None
        return self.lead.id


class _House:
    """The real house on a clock of our own: the jobs that drive campaigns, and a world outside that answers."""

    def __init__(self, session: Session, settings: Settings, case: Case) -> None:
        self.session, self.settings, self.case = session, settings, case
        self.world: World = make_world(session, settings)
        self.world.show.ends_on, self.world.now = case.closes_on, case.start - timedelta(days=60)
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

    def let_happen(self, lead: _Lead, wish: Wish) -> None:
        """Let something happen now, if it can, by the verbs that mailbox, pages and delivery use."""
        now = self.case.start + wish.after
        until = now + wish.lasts if wish.lasts is not None else None
        try:
            with self.session.begin_nested():
                until = self._tell(lead, wish, now, until)
        except Refused:
            return
        lead.happened.append(Happening(wish.name, now, until))

    def _tell(self, lead: _Lead, wish: Wish, now: datetime, until: datetime | None) -> datetime | None:
        session, name = self.session, wish.name
        deal = pipeline.deal_of_lead(session, lead.id)
        assert deal is not None
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

    def _note(self, deal: pipeline.Deal, name: str, now: datetime, until: datetime | None) -> datetime | None:
        expires_on = until.astimezone(pipeline.KST).date() if until and until > now + timedelta(days=2) else None
        pipeline.note_happening(self.session, deal, name, at=now, by=STAFF, now=now, expires_on=expires_on)
        if expires_on is None:
            return None
        return datetime.combine(expires_on, datetime.min.time(), pipeline.KST).astimezone(UTC)

    def _finish(self, lead: _Lead, step: str, now: datetime) -> None:
        rows = select(Task).join(Step, col(Task.origin) == sa.literal("step:").concat(sa.cast(col(Step.id), sa.String)))
        mine = rows.join(Enrolment).where(Enrolment.lead_id == lead.id, Step.step == step, Step.kind == "task")
        for task in self.session.exec(mine.where(col(Task.done_at).is_(None))):
            pipeline.finish_task(self.session, task, by=STAFF, now=now)

    # ---- what the house does

    def run(self) -> Iterator[dict[str, LeadCard]]:
        """Live through everything. Yields once, when the leads are about to come in."""
        wishes = [(wish.after, number, wish) for number, lead in enumerate(self.leads) for wish in lead.buyer.wishes]
        wishes.sort(key=lambda one: one[:2])
        for _after, number, wish in [one for one in wishes if one[0] < timedelta(0)]:
            if wish.name.startswith(("stage.", "sample.", "quotation.")):
                self.let_happen(self.leads[number], wish)
        yield {}
        service.start(self.session, self.campaign, by=STAFF, now=self.case.start)
        service.enrol_leads(self.session, self.settings, now=self.case.start)
        self._tick(self.case.start)
        for after, number, wish in [one for one in wishes if one[0] > timedelta(0)]:
            self._live_until(self.case.start + after)
            self.let_happen(self.leads[number], wish)
            self._tick(self.case.start + after)
        self._live_until(None)

    def _live_until(self, moment: datetime | None) -> None:
        now = self.case.start
        while (due := self._next(now)) is not None and (moment is None or due < moment):
            now = due
            self._tick(now)

    def _next(self, after: datetime) -> datetime | None:
        waiting = select(sa.func.min(Step.due_at)).join(Enrolment).where(
            Step.status == "waiting", Enrolment.status == "active", Step.due_at > after
        )  # fmt: skip
        return self.session.exec(waiting).one()

    def _tick(self, now: datetime) -> None:
        """Do what is due now; letters leave one by one, as if each had been approved before."""
        session, settings = self.session, self.settings
        while True:
            service.advance(session, settings, now=now)
            service.act_due(session, settings, now=now)
            due = service.claim(session, settings, now=now, ahead=timedelta(0), kind="mail", limit=1)
            for letter in due:
                service.step_done(session, letter.id, at=now, settings=settings)
                pipeline.note_sent(session, letter.lead_id, now=now)
            if not due and not self._waits(now):
                return

    def _waits(self, now: datetime) -> bool:
        return bool(service.due_steps(self.session, now=now, ahead=timedelta(0), kind="mail", limit=1))

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

    def rehearsed(self, lead: _Lead) -> list[tuple[str, datetime]]:
        plan = service.rehearse(self.session, self.settings, self.campaign, now=self.case.start)
        return [(letter.step, letter.due_at) for letter in plan.letters if letter.lead_id == lead.id]


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


def agree(session: Session, settings: Settings, case: Case) -> None:
    house = _House(session, settings, case)
    life = house.run()
    next(life)
    cards = load(session, [lead.id for lead in house.leads])
    rehearsed = {lead.id: house.rehearsed(lead) for lead in house.leads}
    for _rest in life:
        pass
    for lead in house.leads:
        card = cards[lead.id]
        enrolled = session.exec(select(Enrolment).where(Enrolment.lead_id == lead.id)).first() is not None
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
        assert sorted(rehearsed[lead.id]) == sorted(letters)


def _returned_twice() -> Case:
    """A letter comes back twice in a minute: the first time counts, and asks for one task."""
    title = {"ko": "예시", "en": "Example"}
    workflow = {
        "workflow": "example", "title": title, "audience": 'contact.country != ""', "dates": {"next_show": title},
        "send_window": {"days": ["mon"], "hours": "09:30-11:30"}, "exit_when": ["opted_out", "hard_bounced"],
        "steps": [{"id": "s0", "after": {"show_close": "0 business days"}, "mail": "thank_you"}],
        "on_bounce": {"task": "check", "within": "0 business days"},
    }  # fmt: skip
    wishes = tuple(Wish(timedelta(minutes=minute), "hard_bounce") for minute in (1, 2))
    buyer = Buyer("DE", "Berlin", 0, (), wishes)
    day, start = date(2026, 3, 6), datetime(2026, 3, 6, 9, tzinfo=UTC)
    return Case(Definition.model_validate(workflow), day, date(2026, 3, 16), start, (buyer,))


@pytest.mark.timeout(300)
def test_rehearsal_engine_and_worker_agree_on_every_letter(db: Database, settings: Settings) -> None:
    ours = settings.model_copy(update={"campaigns": settings.campaigns.model_copy(update={"draft_ahead_hours": 0})})

    @hypothesis.settings(
        max_examples=EXAMPLES,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        database=None,
        deadline=None,
    )
    @given(cases())
    @example(_returned_twice())
    def agreed(case: Case) -> None:
        with db.reading() as session:
            agree(session, ours, case)

    agreed()
