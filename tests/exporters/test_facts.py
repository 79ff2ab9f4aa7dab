"""What letters say of a company and its product lines can be changed by its own people, with every mistake named."""

from datetime import date
from decimal import Decimal

import pytest
from sqlmodel import Session

from crm.accounts.models import Role
from crm.core import events
from crm.core.errors import BadInput, NotFound
from crm.drafts.language import LANGUAGES
from crm.exporters import facts
from crm.exporters.models import Exporter, ProductLine
from tests.pipeline.world import NOW, World, build, viewer

LINE = {
    "name_ko": "액추에이터", "name_en": " Actuators ", "name_es": "actuadores", "hs_code": "8481.80",
    "moq": "1,000",
    "moq_unit_ko": "개", "moq_unit_en": "pcs", "lead_time_days": "45", "incoterm": "fob",
    "incoterm_place": "Busan, Korea",
    "price_from": "120.50", "currency": "usd", "price_valid_until": "2027-03-31", "certificates": "CE, ISO 9001,",
}  # fmt: skip
COMPANY = {
    "name_ko": "한빛밸브", "name_en": "Hanbit Valve Co., Ltd.", "title_ja": "輸出部長", "phone": "+82 31 000 0101",
    "website": "https://hanbit.example",
}  # fmt: skip


@pytest.fixture
def world(session: Session) -> World:
    return build(session)


def test_a_line_is_read_with_its_figures() -> None:
    read = facts.read_line(LINE, LANGUAGES)
    assert (read.names, read.moq, read.price_from, read.price_valid_until, read.certificates, read.currency) == (
        {"ko": "액추에이터", "en": "Actuators", "es": "actuadores"}, 1000, Decimal("120.50"), date(2027, 3, 31),
        ("CE", "ISO 9001"), "USD",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name_ko": ""}, {"name_ko"}),
        ({"name_en": " "}, {"name_en"}),
        ({"name_es": "x" * 101}, {"name_es"}),
        ({"hs_code": "84"}, {"hs_code"}),
        ({"moq": "some"}, {"moq"}),
        ({"moq_unit_ko": "", "moq_unit_en": ""}, {"moq_unit_ko"}),
        ({"incoterm": "FOX"}, {"incoterm"}),
        ({"incoterm_place": ""}, {"incoterm_place"}),
        ({"price_from": "12,50"}, {"price_from"}),
        ({"price_from": "NaN"}, {"price_from"}),
        ({"price_from": "1.005"}, {"price_from"}),
        ({"currency": "$"}, {"currency"}),
        ({"price_valid_until": ""}, {"price_valid_until"}),
        ({"price_valid_until": "soon"}, {"price_valid_until"}),
        ({"name_ko": "", "hs_code": "x", "moq": "x"}, {"name_ko", "hs_code", "moq"}),
    ],
)
def test_what_is_wrong_with_a_line_is_all_named(changes: dict[str, str], fields: set[str]) -> None:
    with pytest.raises(BadInput) as caught:
        facts.read_line({**LINE, **changes}, LANGUAGES)
    assert {problem.place.field for problem in caught.value.problems} == fields


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name_en": ""}, {"name_en"}),
        ({"website": "hanbit.example"}, {"website"}),
        ({"privacy_url": "javascript:alert(1)"}, {"privacy_url"}),
        ({"phone": "call me"}, {"phone"}),
        ({"contact_name_ko": "가" * 101}, {"contact_name_ko"}),
    ],
)
def test_what_is_wrong_with_a_company_is_all_named(changes: dict[str, str], fields: set[str]) -> None:
    with pytest.raises(BadInput) as caught:
        facts.read_company({**COMPANY, **changes}, LANGUAGES)
    assert {problem.place.field for problem in caught.value.problems} == fields


def test_a_change_is_stored_and_the_log_knows_what_stood_there(session: Session, world: World) -> None:
    line = session.get_one(ProductLine, world.actuators)
    own = viewer(Role.SME, world.valves)
    facts.change_line(session, own, line, facts.read_line(LINE, LANGUAGES), now=NOW)
    session.expire_all()
    assert (line.price_from, line.moq_units, line.certificates) == (
        Decimal("120.50"), {"ko": "개", "en": "pcs"}, ["CE", "ISO 9001"],
    )  # fmt: skip
    [told] = events.history(session, "product_line", world.actuators)
    assert (told.actor, told.data["before"]["names"]) == (own.email, {"ko": "액추에이터", "en": "Actuators"})


def test_storing_the_same_again_tells_nothing(session: Session, world: World) -> None:
    line, own = session.get_one(ProductLine, world.actuators), viewer(Role.SME, world.valves)
    for _again in range(2):
        facts.change_line(session, own, line, facts.read_line(LINE, LANGUAGES), now=NOW)
    assert len(events.history(session, "product_line", world.actuators)) == 1


def test_what_the_form_does_not_show_stays(session: Session, world: World) -> None:
    company = session.get_one(Exporter, world.valves)
    before = (company.sender_email, company.code)
    own = viewer(Role.SME, world.valves)
    facts.change_company(session, own, company, facts.read_company(COMPANY, LANGUAGES), now=NOW)
    assert (company.sender_email, company.code) == before
    assert company.contact_titles == {"ja": "輸出部長"}


def test_another_companys_facts_are_not_changed(session: Session, world: World) -> None:
    stranger = viewer(Role.SME, world.toys)
    with pytest.raises(NotFound):
        facts.change_line(
            session, stranger, session.get_one(ProductLine, world.actuators), facts.read_line(LINE, LANGUAGES), now=NOW
        )
    with pytest.raises(NotFound):
        facts.change_company(
            session, stranger, session.get_one(Exporter, world.valves), facts.read_company(COMPANY, LANGUAGES), now=NOW
        )
