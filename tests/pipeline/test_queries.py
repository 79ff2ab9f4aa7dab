"""What each role sees of deals, tasks and territories."""

from datetime import date, timedelta

import pytest
from sqlmodel import Session

from crm.accounts.models import Role
from crm.core.errors import NotFound
from crm.core.i18n import speaking
from crm.pipeline import queries, service
from tests.pipeline.world import ADVISOR, NOW, World, build, buyer, deal_of, viewer


@pytest.fixture
def world(session: Session) -> World:
    made = build(session)
    buyer(session, made, "Anna", country="PH")
    buyer(session, made, "Boris", country="SG", exporter_id=made.toys)
    service.open_deals(session, now=NOW)
    return made


def test_it_shows_seven_columns_in_plain_korean(session: Session, world: World) -> None:
    with speaking("ko"):
        board = queries.board(session, viewer(Role.STAFF))

    assert [column.name for column in board] == [
        "상담함",
        "답장 받음",
        "견적·샘플",
        "조건 협의",
        "공급 계약",
        "독점 계약",
        "쉬는 중·끝남",
    ]
    assert [card.organisation for card in board[0].deals] == ["Anna Trading", "Boris Trading"]


def test_it_shows_an_sme_its_own_deals_only(session: Session, world: World) -> None:
    own = viewer(Role.SME, world.toys)

    assert [card.person for card in queries.list_deals(session, own)] == ["Boris"]
    assert [card.person for column in queries.board(session, own) for card in column.deals] == ["Boris"]
    assert queries.list_deals(session, own, exporter_id=world.valves) == []
    assert queries.territories(session, own, world.valves) == []


def test_it_does_not_tell_an_sme_that_anothers_deal_exists(session: Session, world: World) -> None:
    (other,) = queries.list_deals(session, viewer(Role.STAFF), exporter_id=world.valves)

    with pytest.raises(NotFound):
        queries.get_deal(session, viewer(Role.SME, world.toys), other.id)


def test_it_hides_addresses_and_numbers_from_an_sme(session: Session, world: World) -> None:
    (card,) = queries.list_deals(session, viewer(Role.STAFF), exporter_id=world.valves)
    (seen,) = queries.get_deal(session, viewer(Role.ADVISOR, world.valves), card.id).contacts
    (hidden,) = queries.get_deal(session, viewer(Role.SME, world.valves), card.id).contacts

    assert (seen.email, seen.phone) == ("anna@buyer.example", "+49 30 000000")
    assert (hidden.name, hidden.email, hidden.phone) == ("Anna", "", "")


def test_it_shows_a_deal_with_its_history_meetings_contracts_and_tasks(session: Session, world: World) -> None:
    (card,) = queries.list_deals(session, viewer(Role.STAFF), exporter_id=world.valves)
    deal = service.find_deal(session, card.id)
    service.move(session, deal, "contacted", by=ADVISOR, now=NOW, reason="called")
    service.add_task(session, exporter_id=world.valves, deal_id=deal.id, kind="call", title="전화", now=NOW)

    with speaking("ko"):
        page = queries.get_deal(session, viewer(Role.STAFF), card.id)
    assert [made.to_stage for made in page.moves] == ["contacted"]
    assert [meeting.exhibition for meeting in page.leads] == ["푸드엑스포 2026"]
    assert [task.title for task in page.tasks] == ["전화"]
    assert page.card.line == "밸브·액추에이터"


def test_it_filters_deals_by_stage_and_country(session: Session, world: World) -> None:
    staff = viewer(Role.STAFF)

    assert [card.person for card in queries.list_deals(session, staff, country="SG")] == ["Boris"]
    assert queries.list_deals(session, staff, stage="lost") == []


def test_it_marks_a_deal_that_waits_too_long(session: Session, world: World) -> None:
    staff = viewer(Role.STAFF)

    assert not any(card.quiet for card in queries.list_deals(session, staff, now=NOW + timedelta(days=21)))
    assert all(card.quiet for card in queries.list_deals(session, staff, now=NOW + timedelta(days=22)))


def test_it_shows_each_role_its_tasks_the_most_urgent_first(session: Session, world: World) -> None:
    for title, assignee, due in (
        ("later", "advisor", NOW + timedelta(days=2)),
        ("undated", "sme", None),
        ("soon", "advisor", NOW),
    ):
        service.add_task(
            session, exporter_id=world.valves, kind="other", title=title, assignee=assignee, due_at=due, now=NOW
        )
    done = service.add_task(session, exporter_id=world.valves, kind="other", title="done", now=NOW)
    service.finish_task(session, done, by=ADVISOR, now=NOW)

    def titles(role: Role, *ids: int) -> list[str]:
        return [task.title for task in queries.tasks_for(session, viewer(role, *ids), NOW)]

    assert titles(Role.STAFF) == ["soon", "later", "undated"]
    assert titles(Role.SME, world.valves) == ["undated"]
    assert titles(Role.SME, world.toys) == []
    with pytest.raises(NotFound):
        queries.get_task(session, viewer(Role.SME, world.valves), done.id or 0)


def test_it_lists_territories_free_wanted_offered_and_given(session: Session, world: World) -> None:
    leads = [buyer(session, world, name, country=country) for name, country in (("Kim", "VN"), ("Lee", "VN"))]
    for lead in leads:
        service.move(session, deal_of(session, lead), "negotiation", by=ADVISOR, now=NOW, reason="terms named")
    (anna,) = queries.list_deals(session, viewer(Role.STAFF), country="PH")
    service.sign_exclusive(
        session,
        service.find_deal(session, anna.id),
        territory=["MY"],
        product_line_id=world.line,
        starts_on=date(2026, 12, 1),
        ends_on=date(2027, 11, 30),
        by=ADVISOR,
        now=NOW,
    )

    found = {one.country: one for one in queries.territories(session, viewer(Role.SME, world.valves), world.valves)}
    assert {country: one.state for country, one in found.items()} == {
        "PH": "free",
        "VN": "contested",
        "MY": "exclusive",
    }
    assert (found["MY"].partners, found["MY"].until) == (("Anna Trading",), date(2027, 11, 30))
    assert found["VN"].partners == ("Kim Trading", "Lee Trading")
