"""A small exhibition with buyers, deals, letters and tasks, for pages to show. All of it is invented."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel import Session, select

from crm.contacts import service as contacts
from crm.contacts.models import Contact, EmailAddress
from crm.drafts.models import Draft
from crm.exporters.models import Booth, Exhibition, Exporter, ProductLine
from crm.pipeline import service as pipeline
from crm.pipeline.models import Deal, Task
from tests.people import make_firm, make_lead

SHOW_DAY = datetime(2026, 11, 13, 5, 20, tzinfo=UTC)
BUYERS: tuple[tuple[str, ...], ...] = (
    # exporter, name, title, company, country, language, zone, address
    (
        "GAON",
        "Lucía Fernández Ortega",
        "구매부장",
        "Iberia Belleza S.L.",
        "ES",
        "es",
        "Europe/Madrid",
        "lucia@iberia.example",
    ),
    ("GAON", "佐藤健一", "課長", "さくら商事株式会社", "JP", "ja", "Asia/Tokyo", "sato@sakura.example"),
    ("GAON", "Juan dela Cruz", "Owner", "Manila Trade", "PH", "en", "Asia/Manila", "juan@manila.example"),
    ("DASOM", "王磊", "经理", "上海锦禾贸易有限公司", "CN", "zh-Hans", "Asia/Shanghai", "wang@jinhe.example"),
)


@dataclass
class World:
    """The ids of what was made, by the buyer's company or name."""

    exhibition_id: int
    contacts: dict[str, int]
    leads: dict[str, int]
    deals: dict[str, int]
    drafts: dict[str, int]
    task_id: int


def furnish(session: Session, now: datetime) -> World:
    """Fill a database that knows the cast; return what was made, keyed by country."""
    show = Exhibition(
        code="KBEAUTY26",
        names={"ko": "코리아 뷰티·리빙 엑스포 2026", "en": "Korea Beauty & Living Expo 2026"},
        starts_on=date(2026, 11, 11),
        ends_on=date(2026, 11, 14),
    )
    session.add(show)
    session.flush()
    assert show.id
    companies = {company.code: company for company in session.exec(select(Exporter))}
    for number, company in enumerate(companies.values(), 1):
        assert company.id
        line = ProductLine(exporter_id=company.id, code=f"L{number}", names={"ko": "시카 크림", "en": "Cica cream"})
        session.add(Booth(exhibition_id=show.id, exporter_id=company.id, number=f"7B-{100 + number}"))
        session.add(line)
    session.flush()
    made = World(show.id, {}, {}, {}, {}, 0)
    for code, *buyer in BUYERS:
        _buyer(session, made, companies[code], show, now, *buyer)
    pipeline.open_deals(session, now=now - timedelta(days=2))
    session.flush()
    for country, lead_id in made.leads.items():
        deal = pipeline.deal_of_lead(session, lead_id)
        assert deal
        assert deal.id
        made.deals[country] = deal.id
    made.task_id = _task(session, made, companies["GAON"], now)
    return made


def _buyer(session: Session, made: World, company: Exporter, show: Exhibition, now: datetime, *facts: str) -> None:
    name, title, firm, country, language, zone, address = facts
    organisation = make_firm(session, firm, country, now=now, business="도매")
    contact = Contact(
        organisation_id=organisation.id,
        full_name=name,
        title=title,
        country=country,
        language=language,
        timezone=zone,
        created_at=now,
    )
    session.add(contact)
    session.flush()
    assert contact.id
    assert company.id
    assert show.id
    session.add(EmailAddress(contact_id=contact.id, address=address))
    lead = make_lead(
        session,
        contact_id=contact.id,
        exporter_id=company.id,
        exhibition_id=show.id,
        now=now,
        met_at=SHOW_DAY,
        met_time_known=True,
        booth="7B-101",
        interests=["시카 크림"],
        requests=["sample", "price_list"],
        notes="샘플 5개 요청.\n12월까지 결정한다고 함.",
        captured_by="김서연",
        rating=5,
        source="booth",
    )
    contacts.record_consent(
        session,
        contact.id,
        exporter_id=company.id,
        basis="express_optin",
        given_at=SHOW_DAY,
        source="booth_qr",
        evidence={"wording": "Yes, send me mail"},
        now=now,
        by="system",
    )
    assert lead.id
    made.contacts[country] = contact.id
    made.leads[country] = lead.id


def _task(session: Session, made: World, company: Exporter, now: datetime) -> int:
    assert company.id
    task: Task = pipeline.add_task(
        session,
        exporter_id=company.id,
        kind="sample",
        title="Iberia Belleza에 샘플 5개를 보내 주십시오",
        assignee="sme",
        due_at=now + timedelta(days=2),
        deal_id=made.deals["ES"],
        now=now,
    )
    assert task.id
    return task.id


def move(session: Session, deal_id: int, *stages: str, now: datetime) -> None:
    """Walk a deal through stages with a person's note."""
    deal = session.get_one(Deal, deal_id)
    for stage in stages:
        pipeline.move(session, deal, stage, by="haewook@example.com", now=now, reason="메일로 확인함")


def letter(session: Session, made: World, country: str, now: datetime, **changes: Any) -> Draft:
    """Store a waiting letter to the buyer of a country, as ``drafts`` would make it."""
    contact = session.get_one(Contact, made.contacts[country])
    company = session.exec(select(Exporter).where(Exporter.code == ("DASOM" if country == "CN" else "GAON"))).one()
    line = session.exec(select(ProductLine).where(ProductLine.exporter_id == company.id)).first()
    address = session.exec(select(EmailAddress.address).where(EmailAddress.contact_id == contact.id)).one()
    assert company.id
    assert line
    values: dict[str, Any] = {
        "lead_id": made.leads[country],
        "contact_id": contact.id,
        "exporter_id": company.id,
        "exhibition_id": made.exhibition_id,
        "deal_id": made.deals[country],
        "product_line_id": line.id,
        "letter": "thank_you",
        "letter_version": "v1",
        "language": contact.language,
        "recipient": address,
        "recipient_name": contact.full_name,
        "subject": SUBJECTS[contact.language],
        "subject_ko": "방문해 주셔서 감사합니다",
        "subject_template": SUBJECTS[contact.language],
        "blocks": [block(name, *texts) for name, texts in BLOCKS[contact.language].items()],
        "planned_at": now + timedelta(hours=5),
        "created_at": now,
    }
    draft = Draft(**{**values, **changes})
    session.add(draft)
    session.flush()
    return draft


def block(name: str, marked: str, ko_marked: str) -> dict[str, Any]:
    """Return a block as a draft stores it; ``[…]`` marks what was filled in."""
    return {
        "id": name,
        "text": _plain(marked),
        "marked": _marked(marked),
        "ko": _plain(ko_marked),
        "ko_marked": _marked(ko_marked),
        "template_text": _plain(marked),
        "edited_by": "",
        "edited_at": "",
        "ko_note": "",
    }


def _plain(text: str) -> str:
    return text.replace("[", "").replace("]", "")


def _marked(text: str) -> str:
    return text.replace("[", "\ue000").replace("]", "\ue001")


SUBJECTS = {
    "es": "Gracias por su visita en KINTEX",
    "ja": "ご来場のお礼",
    "en": "Thank you for visiting us at KINTEX",
    "zh-Hans": "感谢莅临展位",
}
BLOCKS = {
    "es": {
        "greeting": ("Estimada Sra. [Fernández]:", "[페르난데스] 님께"),
        "thanks": ("Fue un placer conocerla el [13 de noviembre].", "[11월 13일]에 뵙게 되어 반가웠습니다."),
        "closing": ("Un cordial saludo,", "감사합니다."),
    },
    "ja": {
        "greeting": ("[佐藤]様", "[사토] 님께"),
        "thanks": ("[11月13日]はご来場いただきありがとうございました。", "[11월 13일]에 찾아 주셔서 감사합니다."),
    },
    "en": {
        "greeting": ("Dear Mr. [dela Cruz],", "[델라 크루스] 님께"),
        "thanks": ("Thank you for visiting us on [13 November].", "[11월 13일]에 찾아 주셔서 감사합니다."),
    },
    "zh-Hans": {
        "greeting": ("尊敬的[王]先生：", "[왕] 님께"),
        "thanks": ("感谢您[11月13日]莅临。", "[11월 13일]에 찾아 주셔서 감사합니다."),
    },
}
