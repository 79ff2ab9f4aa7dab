"""A small world for drafts: a valve maker at a show, buyers in six languages, a campaign that runs."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

from sqlmodel import Session, select

from crm.accounts.models import Role
from crm.accounts.rules import Viewer
from crm.campaigns import service as campaigns
from crm.campaigns.models import Campaign
from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Organisation
from crm.core.config import ROOT, Settings
from crm.drafts import service
from crm.drafts.models import Draft
from crm.drafts.templates import Library
from crm.exporters.models import Catalogue, Exhibition, Exporter, ProductLine
from crm.pipeline import service as pipeline

NOW = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
MET = datetime(2026, 11, 12, 2, 0, tzinfo=UTC)
ADVISOR = "advisor@ieum.example"
STAFF = Viewer(1, "staff@ieum.example", "staff", Role.STAFF, exporter_ids=None)


@cache
def library() -> Library:
    return Library(ROOT / "templates" / "mail")


@dataclass(frozen=True)
class World:
    show: Exhibition
    exporter: Exporter
    line: ProductLine


def build(session: Session) -> World:
    show = Exhibition(
        code="HANBIT2026",
        names={"ko": "2026 한빛산업전", "en": "HANBIT EXPO 2026", "ja": "ハンビッ産業展2026", "es": "HANBIT EXPO 2026"},
        starts_on=date(2026, 11, 11),
        ends_on=date(2026, 11, 14),
    )
    exporter = Exporter(
        code="SEOLAK",
        names={
            "ko": "설악밸브(주)",
            "en": "Seolak Valve Co., Ltd.",
            "zh-Hant": "雪岳閥門有限公司",
            "ja": "ソラクバルブ株式会社",
        },
        address_ko="경기도 시흥시 공단1대로 77",
        address_en="77 Gongdan 1-daero, Siheung-si, Republic of Korea",
        phone="+82310000210",
        website="https://seolak.example",
        privacy_url="https://seolak.example/privacy",
        contact_name_ko="최도현",
        contact_name_latin="Choi Do-hyun",
        contact_titles={"ko": "수출부장", "en": "Export Director", "ja": "輸出部長"},
        sender_email="sales@seolak.example",
        created_at=NOW,
    )
    session.add_all([show, exporter])
    session.flush()
    assert exporter.id is not None
    line = ProductLine(
        exporter_id=exporter.id,
        code="ACT",
        names={"ko": "액추에이터", "en": "actuators", "zh-Hant": "致動器", "ja": "アクチュエータ", "es": "actuadores"},
        hs_code="8481.80",
        moq=50,
        moq_units={"ko": "개", "en": "pcs", "es": "unidades"},
        lead_time_days=45,
        incoterm="FOB",
        incoterm_place="Busan, Korea",
        price_from=Decimal("120.00"),
        price_valid_until=date(2027, 3, 31),
        certificates=["CE"],
    )
    session.add(line)
    session.flush()
    assert line.id is not None
    for language in ("en", "ko", "ja"):
        url = f"https://seolak.example/{language}.pdf"
        session.add(
            Catalogue(exporter_id=exporter.id, product_line_id=line.id, language=language, title="Catalogue", url=url)
        )
    session.flush()
    return World(show, exporter, line)


def meet(
    session: Session,
    world: World,
    name: str,
    *,
    country: str = "US",
    company: str = "Buyer Inc.",
    address: str | None = None,
    noted: bool = True,
    met: bool = True,
    **known: object,
) -> Lead:
    """A buyer who agreed to be written to; ``known`` are further fields of the contact."""
    firm = Organisation(name=company, match_key=company, country=country, created_at=NOW)
    session.add(firm)
    session.flush()
    requests, rating = known.pop("requests", []), known.pop("rating", None)
    contact = Contact(full_name=name, country=country, organisation_id=firm.id, created_at=NOW, **known)
    session.add(contact)
    session.flush()
    assert contact.id is not None
    if address != "":
        count = len(session.exec(select(EmailAddress.id)).all())
        session.add(EmailAddress(contact_id=contact.id, address=address or f"buyer{count}@buyer.example"))
    session.add(
        Consent(
            contact_id=contact.id,
            exporter_id=world.exporter.id,
            basis="express_optin",
            given_at=MET,
            source="booth",
            evidence={"note": "QR"},
            recorded_at=MET,
            recorded_by=ADVISOR,
        )
    )
    lead = Lead(
        contact_id=contact.id,
        exporter_id=world.exporter.id or 0,
        exhibition_id=world.show.id or 0,
        product_line_id=world.line.id if noted else None,
        met_at=MET if met else None,
        booth="9A-210",
        requests=requests,
        rating=rating,
        created_at=NOW,
    )
    session.add(lead)
    session.flush()
    return lead


def start(session: Session, settings: Settings, world: World, *, workflow: str = "overseas-buyer") -> Campaign:
    """Start the campaign, give every lead its deal and enrol it."""
    campaign = campaigns.create(session, settings, exhibition=world.show, workflow=workflow, now=NOW, by=ADVISOR)
    campaigns.start(session, campaign, by=ADVISOR, now=NOW)
    pipeline.open_deals(session, now=NOW)
    campaigns.enrol_leads(session, settings, now=NOW)
    return campaign


def draft(session: Session, settings: Settings, *, now: datetime = NOW + timedelta(days=2)) -> list[Draft]:
    """Draft what is due and return all drafts there are."""
    service.draft_due(session, settings, library(), now=now)
    return list(session.exec(select(Draft).order_by(Draft.id)))  # type: ignore[arg-type]
