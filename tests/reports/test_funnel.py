"""The funnel counts what happened, for who may see it, and its file opens in Excel."""

import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlmodel import Session

from crm.accounts.models import Role
from crm.contacts.models import Contact, Lead, Organisation
from crm.core.errors import BadInput
from crm.core.i18n import speaking
from crm.delivery.models import Outbox
from crm.drafts.models import Draft
from crm.pipeline import service
from crm.reports import queries, workbook
from crm.review.models import Approval
from tests.pipeline.world import ADVISOR, NOW, World, build, buyer, deal_of, viewer

STAFF = viewer(Role.STAFF)


@pytest.fixture
def world(session: Session) -> World:
    """Valves: Anna met, Boris written to, Carla quoted and lost, Dora exclusive. Toys: Emil met."""
    made = build(session)
    for name, country, exporter_id in (
        ("Anna", "DE", made.valves),
        ("Boris", "DE", made.valves),
        ("Carla", "ES", made.valves),
        ("Dora", "PH", made.valves),
        ("Emil", "DE", made.toys),
    ):
        lead = buyer(session, made, name, country=country, exporter_id=exporter_id)
        deal = deal_of(session, lead)
        if name in ("Boris", "Carla", "Dora"):
            letter(session, lead, "sent")
        if name == "Anna":
            letter(session, lead, "queued")
        if name == "Carla":
            service.move(session, deal, "sample_or_quotation", by=ADVISOR, now=NOW, reason="quoted")
            service.move(session, deal, "lost", by=ADVISOR, now=NOW, lost_reason="price")
        if name == "Dora":
            service.move(session, deal, "exclusive_contract", by=ADVISOR, now=NOW, reason="signed")
    return made


def letter(session: Session, lead: Lead, status: str) -> None:
    draft = Draft(
        lead_id=lead.id or 0,
        contact_id=lead.contact_id,
        exporter_id=lead.exporter_id,
        exhibition_id=lead.exhibition_id,
        letter="thank_you",
        letter_version="1",
        language="en",
        recipient="buyer@buyer.example",
        subject="Thank you",
        planned_at=NOW,
        created_at=NOW,
    )
    session.add(draft)
    session.flush()
    approval = Approval(
        draft_id=draft.id or 0, content_hash="0", approved_by=ADVISOR, approved_at=NOW, send_at=NOW + timedelta(hours=1)
    )
    session.add(approval)
    session.flush()
    session.add(
        Outbox(
            approval_id=approval.id or 0,
            draft_id=draft.id or 0,
            exporter_id=lead.exporter_id,
            recipient="buyer@buyer.example",
            envelope_sender="bounce@ieum.example",
            status=status,
            due_at=NOW,
        )
    )
    session.flush()


def counts(row: queries.FunnelRow) -> tuple[int, ...]:
    return tuple(getattr(row, count) for count in queries.COUNTS)


def test_it_counts_each_step_a_deal_ever_reached(session: Session, world: World) -> None:
    rows = {row.key: counts(row) for row in queries.funnel(session, STAFF, by="exporter")}

    assert queries.COUNTS == ("listed", "sent", "replied", "quoted", "negotiating", "exclusive")
    assert rows == {"VALVE": (4, 3, 2, 2, 1, 1), "TOYS": (1, 0, 0, 0, 0, 0)}


def test_it_groups_by_country_and_exhibition_with_names(session: Session, world: World) -> None:
    session.add(Contact(full_name="Nobody", created_at=NOW))
    with speaking("ko"):
        countries = queries.funnel(session, STAFF, by="country")
        (show,) = queries.funnel(session, STAFF, by="exhibition")

    assert [(row.key, row.name, row.listed) for row in countries] == [
        ("DE", "독일", 3),
        ("ES", "스페인", 1),
        ("PH", "필리핀", 1),
    ]
    assert (show.name, counts(show)) == ("푸드엑스포 2026", (5, 3, 2, 2, 1, 1))


def test_it_takes_the_companys_country_for_a_person_without_one(session: Session, world: World) -> None:
    lead = buyer(session, world, "Fay", country=None)
    with speaking("en"):
        assert "Country unknown" in [row.name for row in queries.funnel(session, STAFF, by="country")]

    contact = session.get_one(Contact, lead.contact_id)
    session.get_one(Organisation, contact.organisation_id).country = "FR"
    session.flush()
    assert "FR" in [row.key for row in queries.funnel(session, STAFF, by="country")]


@pytest.mark.parametrize("by", ["exporter", "exhibition", "country"])
def test_it_counts_for_an_sme_only_its_own_buyers(session: Session, world: World, by: str) -> None:
    rows = queries.funnel(session, viewer(Role.SME, world.toys), by=by)

    assert queries.total(rows).listed == 1
    assert queries.funnel(session, viewer(Role.SME, world.toys), by=by, exporter_id=world.valves) == []


def test_it_adds_up_the_rows(session: Session, world: World) -> None:
    assert counts(queries.total(queries.funnel(session, STAFF))) == (5, 3, 2, 2, 1, 1)
    assert counts(queries.total([])) == (0, 0, 0, 0, 0, 0)


def test_it_narrows_to_one_exhibition(session: Session, world: World) -> None:
    assert queries.funnel(session, STAFF, exhibition_id=world.show + 1) == []
    assert len(queries.funnel(session, STAFF, exhibition_id=world.show)) == 2


def test_it_refuses_a_group_it_does_not_know(session: Session) -> None:
    with pytest.raises(BadInput, match="weather"):
        queries.funnel(session, STAFF, by="weather")


def test_it_gives_rows_as_plain_records(session: Session, world: World) -> None:
    (record,) = [row.as_json() for row in queries.funnel(session, STAFF, by="exporter") if row.key == "TOYS"]

    assert record["key"] == "TOYS"
    assert record["listed"] == 1


def test_it_writes_a_workbook_with_three_funnels_and_what_is_counted(session: Session, world: World) -> None:
    with speaking("ko"):
        book = load_workbook(io.BytesIO(workbook.funnel(session, STAFF)))

    assert book.sheetnames == ["전시회별", "기업별", "나라별", "숫자의 뜻"]
    assert [cell.value for cell in book["기업별"][2]] == ["한빛밸브", 4, 3, 2, 2, 1, 1]
    assert [cell.value for cell in book["기업별"][4]] == ["합계", 5, 3, 2, 2, 1, 1]
