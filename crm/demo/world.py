"""Fills the demo's database: exporters from world.toml, people, contact lists through the real importer, campaigns."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from crm import migrations
from crm.accounts import service as accounts
from crm.accounts.models import Role
from crm.campaigns import service as campaigns
from crm.core import instance
from crm.core.clock import KST
from crm.core.context import Context
from crm.demo.make_samples import write_samples
from crm.exporters import loading
from crm.exporters import service as exporters
from crm.exporters.models import Exhibition
from crm.imports import service as imports
from crm.pipeline import service as pipeline

PASSWORD = "ieum-demo-2026"  # noqa: S105 - printed on the screen, works on loopback only
SHOW = "HANBIT2026"
SHOW_NAMES = {
    "ko": "2026 한빛 소비재·산업전",
    "en": "HANBIT EXPO 2026",
    "zh-Hans": "2026韩光消费品及工业展（HANBIT EXPO）",
    "zh-Hant": "2026韓光消費品暨工業展（HANBIT EXPO）",
    "ja": "HANBIT EXPO 2026（ハンビット消費財・産業展）",
    "es": "HANBIT EXPO 2026",
}
BOOTHS = {"7B-101": "GAON", "7B-115": "DASOM", "7B-123": "IEUMLIV", "9A-210": "SEOLAK", "9A-222": "HANURI"}
STAFF = "staff@ieum.example"
CAMPAIGNS = ("domestic-buyer", "overseas-buyer")
"""The workflows that begin right after a show; the others wait for what happens later."""


@dataclass(frozen=True)
class Person:
    """Somebody who signs in to the demo."""

    email: str
    name: str
    role: Role
    languages: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()


CAST = (
    Person(STAFF, "한지우", Role.STAFF),
    Person("haeuk.jung@ieum.example", "정해욱", Role.ADVISOR, ("en", "es", "ja"), ("GAON", "SEOLAK", "HANURI")),
    Person(
        "miran.song@ieum.example", "송미란", Role.ADVISOR, ("zh-Hans", "zh-Hant", "en"), ("GAON", "DASOM", "IEUMLIV")
    ),
    Person("gaon@ieum.example", "김서연", Role.SME, (), ("GAON",)),
    Person("seolak@ieum.example", "최도현", Role.SME, (), ("SEOLAK",)),
    Person("dasom@ieum.example", "박지훈", Role.SME, (), ("DASOM",)),
)


def show_close(now: datetime) -> date:
    """Return the last day of the invented show: two days before ``now`` in Korea."""
    return (now.astimezone(KST) - timedelta(days=2)).date()


def build(context: Context, folder: Path) -> dict[str, int]:
    """Make the database and everything in it; returns what was counted on the way."""
    migrations.upgrade(context.db)
    now = context.clock.now()
    closed = show_close(now)
    with context.db.writing() as session:
        instance.initialise(session, now=now, demo=True)
        show = _exporters_and_show(session, closed, now)
        _people(session, now)
        counts = _import_all(session, show, write_samples(folder / "lists", closed), now)
        counts["deals"] = pipeline.open_deals(session, now=now)
        counts["enrolled"] = _start_campaigns(session, context, show, now)
    return counts


def _exporters_and_show(session: Session, closed: date, now: datetime) -> Exhibition:
    path = Path(__file__).with_name("world.toml")
    loading.store(session, loading.read(path.read_text("utf-8"), path.name), now=now, by=STAFF)
    entry = loading.ExhibitionEntry(
        code=SHOW, names=SHOW_NAMES, starts_on=closed - timedelta(days=3), ends_on=closed, booths=BOOTHS
    )
    loading.store(session, loading.CastFile(exhibitions=[entry]), now=now, by=STAFF)
    return exporters.exhibition_by_code(session, SHOW)


def _people(session: Session, now: datetime) -> None:
    for person in CAST:
        user = accounts.add_user(
            session, email=person.email, name=person.name, role=person.role, password=PASSWORD,
            languages=person.languages, now=now, by=STAFF,
        )  # fmt: skip
        for code in person.companies:
            exporters.assign(session, user, exporters.exporter_by_code(session, code), now=now, by=STAFF)


def _import_all(session: Session, show: Exhibition, files: list[Path], now: datetime) -> dict[str, int]:
    total: dict[str, int] = {}
    for path in files:
        report = imports.import_file(session, path.read_bytes(), path.name, imports.Purpose(show), now=now, by=STAFF)
        for key, count in report.counts.items():
            total[key] = total.get(key, 0) + count
    return total


def _start_campaigns(session: Session, context: Context, show: Exhibition, now: datetime) -> int:
    for name in CAMPAIGNS:
        campaign = campaigns.create(session, context.settings, exhibition=show, workflow=name, now=now, by=STAFF)
        campaigns.start(session, campaign, by=STAFF, now=now)
    return campaigns.enrol_leads(session, context.settings, now=now)
