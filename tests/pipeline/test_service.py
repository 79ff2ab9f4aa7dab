"""The verbs on real databases: deals, moves, contracts, tasks."""

from datetime import date, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import Session, func, select

from crm.contacts.models import Contact, Lead
from crm.core import events
from crm.core.db import Database
from crm.core.errors import BadInput, NotFound, Refused
from crm.core.i18n import speaking
from crm.pipeline import service
from crm.pipeline.models import Deal, ExclusiveContract, StageMove, Task
from tests.pipeline.world import ADVISOR, NOW, build, buyer, deal_of

YEAR = (date(2026, 12, 1), date(2027, 11, 30))


def count(session: Session, table: type) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


# Deals


def test_it_opens_one_deal_for_colleagues_of_one_company(session: Session) -> None:
    world = build(session)
    first = buyer(session, world, "Anna")
    second = buyer(session, world, "Boris", company=None)
    session.get_one(Contact, second.contact_id).organisation_id = session.get_one(
        Contact, first.contact_id
    ).organisation_id
    session.flush()

    assert service.open_deals(session, now=NOW) == 2
    assert count(session, Deal) == 1
    assert service.deal_of_lead(session, first.id or 0) is service.deal_of_lead(session, second.id or 0)


def test_it_opens_deals_only_once(session: Session) -> None:
    world = build(session)
    buyer(session, world, "Anna")

    assert [service.open_deals(session, now=NOW) for _ in range(3)] == [1, 0, 0]
    assert count(session, Deal) == 1


def test_many_leads_take_no_more_statements_than_few(session: Session) -> None:
    world = build(session)
    said: list[str] = []
    event.listen(session.connection(), "before_cursor_execute", lambda *call: said.append(call[2]))

    def statements(leads: int) -> int:
        for number in range(leads):
            buyer(session, world, f"Buyer {leads} {number}")
        said.clear()
        assert service.open_deals(session, now=NOW) == leads
        return len(said)

    few = statements(2)
    assert statements(40) <= few
    newest = session.exec(select(func.max(Deal.id))).one()
    assert [line.verb for line in events.history(session, "deal", newest or 0)] == ["deal_opened"]


def test_it_takes_the_line_of_the_lead_and_else_the_first_of_the_exporter(session: Session) -> None:
    world = build(session)
    plain, special = buyer(session, world, "Anna"), buyer(session, world, "Boris", line_id=world.actuators)

    assert deal_of(session, plain).product_line_id == world.line
    assert deal_of(session, special).product_line_id == world.actuators


def test_it_lets_a_person_without_a_company_stand_for_one(session: Session) -> None:
    world = build(session)
    lead = buyer(session, world, "Carla", company=None, country="ES")

    deal = deal_of(session, lead)
    assert session.get_one(Contact, lead.contact_id).organisation_id == deal.organisation_id


# Moves


def test_it_writes_down_who_moved_a_deal_when_why_and_on_what_evidence(session: Session) -> None:
    deal = deal_of(session, buyer(session, build(session), "Anna"))
    service.move(session, deal, "contacted", by=ADVISOR, now=NOW, evidence={"mail": "<1@ieum.example>"})

    (made,) = session.exec(select(StageMove)).all()
    assert (made.from_stage, made.to_stage, made.by, made.evidence) == (
        "lead",
        "contacted",
        ADVISOR,
        {"mail": "<1@ieum.example>"},
    )
    assert [event.verb for event in events.history(session, "deal", deal.id or 0)] == ["deal_opened", "deal_moved"]


def test_it_refuses_a_move_in_plain_korean_and_changes_nothing(session: Session) -> None:
    deal = deal_of(session, buyer(session, build(session), "Anna"))

    with speaking("ko"), pytest.raises(Refused, match="거래가 답장 받음 단계에 왔다는 근거를 적어 주십시오"):
        service.move(session, deal, "replied", by=ADVISOR, now=NOW)
    assert deal.stage == "lead"
    assert count(session, StageMove) == 0


def test_it_takes_what_a_person_writes_as_evidence_but_not_what_the_engine_says(session: Session) -> None:
    deal = deal_of(session, buyer(session, build(session), "Anna"))

    with pytest.raises(Refused):
        service.move(session, deal, "contacted", by=events.SYSTEM, now=NOW, reason="it felt right")
    made = service.move(session, deal, "contacted", by=ADVISOR, now=NOW, reason="called them")
    assert made.evidence == {"note": "called them"}


def test_it_ends_a_deal_with_a_reason_and_forgets_it_when_taken_up_again(session: Session) -> None:
    deal = deal_of(session, buyer(session, build(session), "Anna"))
    service.move(session, deal, "lost", by=ADVISOR, now=NOW, lost_reason="price")
    assert deal.lost_reason == "price"

    service.move(session, deal, "negotiation", by=ADVISOR, now=NOW, reason="came back")
    assert deal.lost_reason == ""


def test_it_moves_a_lead_to_contacted_when_the_first_letter_left(session: Session) -> None:
    lead = buyer(session, build(session), "Anna")
    deal = deal_of(session, lead)
    for day in range(2):
        service.note_sent(session, lead.id or 0, now=NOW + timedelta(days=day))

    assert (deal.stage, deal.turn, count(session, StageMove)) == ("contacted", "buyer", 1)


@pytest.mark.parametrize("stage", ["lead", "contacted", "dormant"])
def test_it_moves_an_early_or_resting_deal_to_replied(session: Session, stage: str) -> None:
    lead = buyer(session, build(session), "Anna")
    deal = deal_of(session, lead)
    if stage != "lead":
        service.move(session, deal, stage, by=ADVISOR, now=NOW, reason="so it is")

    service.note_reply(session, lead.id or 0, now=NOW, evidence={"message_id": "<a@buyer.example>"})
    assert (deal.stage, deal.turn) == ("replied", "us")


@pytest.mark.parametrize("stage", ["negotiation", "lost"])
def test_it_keeps_a_later_or_ended_deal_where_it_is_when_a_reply_comes(session: Session, stage: str) -> None:
    lead = buyer(session, build(session), "Anna")
    deal = deal_of(session, lead)
    service.move(session, deal, stage, by=ADVISOR, now=NOW, reason="so it is", lost_reason="price")

    service.note_reply(session, lead.id or 0, now=NOW, evidence={"message_id": "<a@buyer.example>"})
    assert (deal.stage, deal.turn) == (stage, "us")


def test_it_takes_no_harm_from_a_lead_without_a_deal(session: Session) -> None:
    lead = buyer(session, build(session), "Anna")
    service.note_sent(session, lead.id or 0, now=NOW)
    service.note_reply(session, lead.id or 0, now=NOW, evidence={})

    assert count(session, Deal) == 0
    with pytest.raises(NotFound):
        service.find_deal(session, 1)


# Contracts


def sign(session: Session, deal: Deal, *territory: str, **facts: object) -> ExclusiveContract:
    return service.sign_exclusive(
        session,
        deal,
        territory=territory or ["PH"],
        **{  # type: ignore[arg-type]
            "product_line_id": deal.product_line_id,
            "starts_on": YEAR[0],
            "ends_on": YEAR[1],
            "by": ADVISOR,
            "now": NOW,
            **facts,
        },
    )


def test_it_moves_the_deal_when_an_exclusivity_is_signed(session: Session) -> None:
    deal = deal_of(session, buyer(session, build(session), "Anna", country="PH"))
    contract = sign(session, deal, "ph", " sg ")

    assert contract.territory == ["PH", "SG"]
    assert (deal.stage, contract.signed_on) == ("exclusive_contract", date(2026, 11, 16))
    (made,) = session.exec(select(StageMove)).all()
    assert made.evidence == {"contract_id": contract.id}


def test_it_refuses_a_second_exclusivity_and_names_the_first_partner(session: Session) -> None:
    world = build(session)
    first, second = buyer(session, world, "Anna"), buyer(session, world, "Boris", line_id=world.actuators)
    sign(session, deal_of(session, first))

    with speaking("ko"), pytest.raises(Refused, match="필리핀에서 Anna Trading"):
        sign(session, deal_of(session, second))
    assert count(session, ExclusiveContract) == 1
    assert deal_of(session, second).stage == "lead"


def test_it_keeps_an_offer_apart_from_a_signature_and_closes_it_when_signed(session: Session) -> None:
    deal = deal_of(session, buyer(session, build(session), "Anna"))
    offer = sign(session, deal, status="offered", reserved_until=date(2026, 12, 31))
    assert (deal.stage, offer.signed_on) == ("lead", None)

    sign(session, deal)
    assert offer.status == "ended"


@pytest.mark.parametrize("code", ["XXX", "Q9", "한국"])
def test_it_refuses_a_country_that_does_not_exist(session: Session, code: str) -> None:
    deal = deal_of(session, buyer(session, build(session), "Anna"))

    with pytest.raises(BadInput):
        sign(session, deal, code)


def test_it_refuses_a_line_of_another_exporter(session: Session) -> None:
    world = build(session)
    deal = deal_of(session, buyer(session, world, "Anna"))

    with pytest.raises(BadInput):
        sign(session, deal, product_line_id=world.blocks)


def test_it_claims_the_territory_against_a_second_buyer_but_not_against_the_partner(session: Session) -> None:
    world = build(session)
    first, second = buyer(session, world, "Anna", country="PH"), buyer(session, world, "Boris", country="PH")
    mine = deal_of(session, first)
    sign(session, mine)

    def claims(lead: Lead, line_id: int | None = world.actuators) -> list[str]:
        found = service.exclusive_claims(
            session,
            exporter_id=world.valves,
            product_line_id=line_id,
            country="PH",
            organisation_id=session.get_one(Contact, lead.contact_id).organisation_id,
            now=NOW,
        )
        return [f"{claim.code} {claim.partner} {claim.line}" for claim in found]

    assert claims(second) == ["EXCLUSIVITY_SIGNED Anna Trading 밸브·액추에이터"]
    assert claims(first) == []
    assert claims(second, None) == []


# Tasks


def test_it_adds_a_task_of_one_origin_only_once(session: Session) -> None:
    world = build(session)
    tasks = [
        service.add_task(session, exporter_id=world.valves, kind="call", title="전화", origin="step:1", now=NOW)
        for _ in range(2)
    ]
    service.add_task(session, exporter_id=world.valves, kind="call", title="전화", now=NOW)

    assert tasks[0] is tasks[1]
    assert count(session, Task) == 2


def test_it_finishes_a_task_once(session: Session) -> None:
    task = service.add_task(session, exporter_id=build(session).valves, kind="call", title="전화", now=NOW)
    service.finish_task(session, task, by=ADVISOR, now=NOW, note="내년에 다시")

    assert (task.done_at, task.done_by, task.note) == (NOW, ADVISOR, "내년에 다시")
    with pytest.raises(Refused):
        service.finish_task(session, task, by=ADVISOR, now=NOW)


def test_it_gives_a_territory_to_one_of_two_who_sign_at_the_same_moment(postgres_db: Database) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with postgres_db.writing() as session:
        world = build(session)
        ids = [deal_of(session, buyer(session, world, name)).id for name in ("Anna", "Boris")]

    def try_to_sign(deal_id: int | None) -> bool:
        try:
            with postgres_db.writing() as session:
                sign(session, session.get_one(Deal, deal_id))
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(try_to_sign, ids)) == [False, True]
