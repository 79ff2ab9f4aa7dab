"""What each viewer gets to see of contacts."""

import pytest
from sqlmodel import Session

from crm.accounts.models import Role
from crm.contacts import queries
from crm.core.errors import NotFound
from tests.contacts.conftest import MakeContact, viewer


@pytest.fixture
def two(make_contact: MakeContact) -> tuple[int, int]:
    ana = make_contact("Ana López", "ana@flores.example", "GAON", "Flores S.L.")
    bo = make_contact("Bo Li", "bo@lotus.example", "SEOLAK", "Lotus", "CN")
    return ana.id or 0, bo.id or 0


def test_staff_see_everybody_with_addresses(session: Session, two: tuple[int, int]) -> None:
    rows = queries.list_contacts(session, viewer(Role.STAFF))
    assert [(row.full_name, row.emails, row.exporters) for row in rows] == [
        ("Ana López", ("ana@flores.example",), ("GAON",)),
        ("Bo Li", ("bo@lotus.example",), ("SEOLAK",)),
    ]


def test_an_sme_sees_its_own_visitors_without_addresses(
    session: Session, two: tuple[int, int], exporters: dict[str, int]
) -> None:
    sme = viewer(Role.SME, exporters["GAON"])
    [row] = queries.list_contacts(session, sme)
    assert (row.full_name, row.company, row.country, row.emails) == ("Ana López", "Flores S.L.", "ES", ())
    assert queries.get_contact(session, sme, two[0]).addresses == []
    [record] = queries.as_json(session, sme)
    assert not {"emails", "mobile", "phone"} & set(record)


def test_an_sme_learns_nothing_of_others_visitors(
    session: Session, two: tuple[int, int], exporters: dict[str, int]
) -> None:
    sme = viewer(Role.SME, exporters["GAON"])
    with pytest.raises(NotFound):
        queries.get_contact(session, sme, two[1])
    assert queries.list_contacts(session, sme, text="bo@lotus.example") == []
    assert list(queries.as_json(session, sme, contact_id=two[1])) == []


def test_an_advisor_sees_addresses_of_assigned_companies_only(
    session: Session, two: tuple[int, int], exporters: dict[str, int]
) -> None:
    [row] = queries.list_contacts(session, viewer(Role.ADVISOR, exporters["SEOLAK"]))
    assert row.emails == ("bo@lotus.example",)


@pytest.mark.parametrize("text", ["ana", "LÓPEZ".lower(), "flores", "ana@flores"])
def test_a_contact_is_found_by_part_of_name_firm_or_address(session: Session, two: tuple[int, int], text: str) -> None:
    assert [row.full_name for row in queries.list_contacts(session, viewer(Role.STAFF), text=text)] == ["Ana López"]


def test_wildcards_in_a_search_are_letters(session: Session, two: tuple[int, int]) -> None:
    assert queries.list_contacts(session, viewer(Role.STAFF), text="%") == []


def test_the_json_record_uses_the_canonical_names(session: Session, two: tuple[int, int]) -> None:
    [record] = queries.as_json(session, viewer(Role.STAFF), country="CN")
    assert {key: record[key] for key in ("full_name", "company", "country", "emails")} == {
        "full_name": "Bo Li", "company": "Lotus", "country": "CN", "emails": ["bo@lotus.example"],
    }  # fmt: skip
    assert record["leads"][0]["exporter"] == "SEOLAK"
