"""A small world: one show, two exporters with product lines, and buyers who were met there."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlmodel import Session

from crm.accounts.models import Role
from crm.accounts.rules import Viewer
from crm.contacts.models import Contact, EmailAddress, Lead, Organisation
from crm.exporters.models import Exhibition, Exporter, ProductLine
from crm.pipeline import service
from crm.pipeline.models import Deal

NOW = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
ADVISOR = "advisor@ieum.example"


@dataclass(frozen=True)
class World:
    show: int
    valves: int  # exporter
    toys: int  # exporter
    line: int  # valves & actuators
    actuators: int  # below it
    blocks: int  # the other exporter's line


def build(session: Session) -> World:
    show = Exhibition(
        code="FOOD26",
        names={"ko": "푸드엑스포 2026", "en": "Food Expo 2026"},
        starts_on=date(2026, 11, 11),
        ends_on=date(2026, 11, 14),
    )
    valves, toys = _exporter("VALVE", "한빛밸브", "Hanbit Valve"), _exporter("TOYS", "아이좋아", "Aijoa Toys")
    session.add_all([show, valves, toys])
    session.flush()
    line = ProductLine(
        exporter_id=_id(valves.id), code="V", names={"ko": "밸브·액추에이터", "en": "Valves & actuators"}
    )
    blocks = ProductLine(exporter_id=_id(toys.id), code="B", names={"ko": "블록", "en": "Blocks"})
    session.add_all([line, blocks])
    session.flush()
    actuators = ProductLine(
        exporter_id=_id(valves.id), parent_id=line.id, code="A", names={"ko": "액추에이터", "en": "Actuators"}
    )
    session.add(actuators)
    session.flush()
    return World(_id(show.id), _id(valves.id), _id(toys.id), _id(line.id), _id(actuators.id), _id(blocks.id))


def _exporter(code: str, korean: str, english: str) -> Exporter:
    return Exporter(
        code=code,
        names={"ko": korean, "en": f"{english} Co., Ltd."},
        address_ko="경기도 고양시 한빛로 12",
        address_en="12 Hanbit-ro, Goyang-si, Republic of Korea",
        phone="+82 31 000 0000",
        privacy_url=f"https://{code.lower()}.example/privacy",
        sender_email=f"sales@{code.lower()}.example",
        created_at=NOW,
    )


def buyer(
    session: Session,
    world: World,
    name: str,
    *,
    country: str | None = "DE",
    company: str | None = "",
    exporter_id: int | None = None,
    line_id: int | None = None,
) -> Lead:
    """A person met at a booth; ``company`` None: none is known, "": one of their own."""
    organisation = None
    if company is not None:
        organisation = Organisation(
            name=company or f"{name} Trading", match_key=f"{company or name}", country=country, created_at=NOW
        )
        session.add(organisation)
        session.flush()
    contact = Contact(
        full_name=name,
        country=country,
        organisation_id=organisation.id if organisation else None,
        phone="+49 30 000000",
        created_at=NOW,
    )
    session.add(contact)
    session.flush()
    session.add(EmailAddress(contact_id=_id(contact.id), address=f"{name.lower()}@buyer.example"))
    lead = Lead(
        contact_id=_id(contact.id),
        exporter_id=exporter_id or world.valves,
        exhibition_id=world.show,
        product_line_id=line_id,
        met_at=datetime(2026, 11, 12, 2, 0, tzinfo=UTC),
        booth="B-12",
        created_at=NOW,
    )
    session.add(lead)
    session.flush()
    return lead


def deal_of(session: Session, lead: Lead) -> Deal:
    service.open_deals(session, now=NOW)
    deal = service.deal_of_lead(session, _id(lead.id))
    assert deal is not None
    return deal


def viewer(role: Role, *exporter_ids: int) -> Viewer:
    seen = None if role == Role.STAFF else frozenset(exporter_ids)
    return Viewer(1, f"{role}@ieum.example", role, role, exporter_ids=seen)


def _id(value: int | None) -> int:
    assert value is not None
    return value
