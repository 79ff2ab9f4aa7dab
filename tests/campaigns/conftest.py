"""A small world for campaigns: one show, two exporters, buyers made one line each, letters and workflows on disk."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from crm.campaigns import service
from crm.campaigns.language import LANGUAGES
from crm.campaigns.models import Campaign, Enrolment, Step
from crm.contacts.models import Contact, EmailAddress, Lead, Organisation
from crm.core.config import Settings
from crm.core.db import Database
from crm.exporters.models import Exhibition, Exporter, ProductLine

STAFF = "staff@ieum.example"
WORKFLOW = """\
workflow: example
title: {ko: 예시, en: Example}
audience: contact.country != "KR"
send_window: {days: [mon, tue, wed, thu, fri], hours: 09:30-11:30}
exit_when: [replied, opted_out, hard_bounced, stage >= negotiation]
steps:
  - {id: thanks,    after: {show_close: 1 business day}, mail: thank_you}
  - {id: catalogue, after: {thanks: 4 business days},    mail: catalogue, attach: catalogue}
  - {id: call,      after: {catalogue: 3 business days}, when: lead.rating >= 4, task: call}
  - {id: sample,    after: {catalogue: 5 business days}, when: '"sample" in lead.requests', mail: sample_offer}
  - {id: reminder,  after: {sample: 12 business days},   mail: reminder}
"""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings whose letters and workflows are this test's own."""
    workflows, letters = tmp_path / "workflows", tmp_path / "letters"
    workflows.mkdir()
    (workflows / "example.yaml").write_text(WORKFLOW, encoding="utf-8")
    for letter in ("thank_you", "catalogue", "sample_offer", "reminder"):
        (letters / letter).mkdir(parents=True)
        for language in LANGUAGES:
            (letters / letter / f"{language}.md").touch()
    return settings.model_copy(update={"workflows_dir": str(workflows), "templates_dir": str(letters)})


@dataclass
class World:
    """Makes rows and asks about them; every part is the real one."""

    session: Session
    settings: Settings
    show: Exhibition
    exporter: Exporter
    other: Exporter
    now: datetime

    def lead(self, name: str = "Lena Vogt", country: str | None = "DE", **facts: Any) -> Lead:
        """Store a buyer with an address of their own, and a lead of the first exporter (or ``exporter``)."""
        exporter = facts.pop("exporter", self.exporter)
        firm = Organisation(name=f"{name} Trading", match_key=name.casefold(), created_at=self.now)
        self.session.add(firm)
        self.session.flush()
        contact = Contact(
            full_name=name,
            country=country,
            organisation_id=firm.id,
            created_at=self.now,
            city=facts.pop("city", ""),
            language=facts.pop("language", ""),
        )
        self.session.add(contact)
        self.session.flush()
        address = facts.pop("address", f"{name.split()[0].lower()}@buyer.example")
        if address:
            self.session.add(EmailAddress(contact_id=_id(contact.id), address=address))
        return self.lead_of(contact, exporter, **facts)

    def lead_of(self, contact: Contact, exporter: Exporter, **facts: Any) -> Lead:
        """Store a lead of a person who is known already."""
        lead = Lead(
            contact_id=_id(contact.id),
            exporter_id=_id(exporter.id),
            exhibition_id=_id(self.show.id),
            created_at=self.now,
            **facts,
        )
        self.session.add(lead)
        self.session.flush()
        return lead

    def campaign(self, **chosen: Any) -> Campaign:
        """Create and start a campaign."""
        campaign = service.create(
            self.session,
            self.settings,
            exhibition=self.show,
            workflow=chosen.pop("workflow", "example"),
            now=self.now,
            by=STAFF,
            **chosen,
        )
        service.start(self.session, campaign, by=STAFF, now=self.now)
        return campaign

    def enrol(self, now: datetime | None = None) -> int:
        """Do one tick of the engine."""
        return service.enrol_leads(self.session, self.settings, now=now or self.now)

    def steps(self, lead: Lead) -> dict[str, Step]:
        """Return the lead's steps by id, read afresh."""
        rows = select(Step).join(Enrolment).where(Enrolment.lead_id == lead.id)
        found = self.session.exec(rows).all()
        for row in found:
            self.session.refresh(row)
        return {row.step: row for row in found}

    def enrolment(self, lead: Lead) -> Enrolment:
        return self.session.exec(select(Enrolment).where(Enrolment.lead_id == lead.id)).one()

    def done(self, step: Step, at: datetime | None = None) -> None:
        """Take a step and let its letter leave, in its slot unless said otherwise."""
        at = at or step.due_at
        service.take(self.session, step, now=at)
        service.step_done(self.session, _id(step.id), at=at, settings=self.settings)

    def skipped(self, step: Step, reason: str = "returned", now: datetime | None = None) -> None:
        service.step_skipped(self.session, _id(step.id), reason=reason, now=now or step.due_at, settings=self.settings)


def _id(value: int | None) -> int:
    assert value is not None
    return value


MONDAY = datetime.fromisoformat("2026-11-16T10:00:00+09:00")


def make_world(session: Session, settings: Settings) -> World:
    show = Exhibition(
        code="HANBIT2026",
        names={"ko": "한빛", "en": "Hanbit"},
        starts_on=date(2026, 11, 11),
        ends_on=date(2026, 11, 14),
    )
    firms = [
        Exporter(
            code=code,
            names={"ko": code, "en": code},
            sender_email=f"{code.lower()}@exporter.example",
            address_ko="경기도 시흥시",
            address_en="Siheung, Gyeonggi-do",
            phone="+82310000000",
            privacy_url=f"https://{code.lower()}.example/privacy",
            created_at=MONDAY,
        )
        for code in ("GAON", "SEOLAK")
    ]
    session.add_all([show, *firms])
    session.flush()
    session.add_all(
        ProductLine(exporter_id=_id(firm.id), code="MAIN", names={"ko": "밸브", "en": "Valves"}) for firm in firms
    )
    session.flush()
    return World(session, settings, show, firms[0], firms[1], MONDAY)


@pytest.fixture
def world(session: Session, settings: Settings) -> World:
    return make_world(session, settings)


@pytest.fixture
def writing_world(db: Database, settings: Settings) -> Callable[[], Any]:
    """For tests in which several transactions meet: fill and commit first."""

    def fill(leads: int) -> None:
        with db.writing() as session:
            world = make_world(session, settings)
            for number in range(leads):
                world.lead(f"Buyer{number} Test")
            world.campaign()

    return fill
