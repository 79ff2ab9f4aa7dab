"""Whom a row is about: the rules for one person, for a question, and for nobody known, each on imported lists."""

from datetime import date

import pytest
from sqlmodel import Session, col, select

from crm.contacts.models import Contact
from crm.exporters.models import Exhibition
from crm.imports import service
from crm.imports.models import ContactMerge, DuplicatePair
from tests.conftest import NOW
from tests.imports.conftest import Importer

HEAD = "Name,Company,Email,Mobile,Phone,Country,Badge ID\n"
ANA = "Ana López,Flores Import SA,ana@flores.example,+34600000001,+34910000001,Spain,B1\n"


def people(session: Session) -> int:
    return len(session.exec(select(Contact.id).where(col(Contact.merged_into_id).is_(None))).all())


def questions(session: Session) -> list[str]:
    return list(session.exec(select(DuplicatePair.why).order_by(col(DuplicatePair.id))))


def after(session: Session, take: Importer, *rows: str) -> tuple[int, list[str]]:
    """Import Ana, then the rows, each from a list of its own; return how many people there are and what is asked."""
    for number, row in enumerate((ANA, *rows)):
        take(HEAD + row + "\n", f"list{number}.csv")
    return people(session), questions(session)


# One person


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("Ana López,,,,,,B1", id="the same badge of the show"),
        pytest.param(",,ana@flores.example,,,,", id="the same mailbox without a name"),
        pytest.param("A. López,,ANA@Flores.example,,,,", id="the same mailbox in capitals, the name shortened"),
        pytest.param("Ana López,,ana+expo@flores.example,,,,", id="the same mailbox with a plus tag"),
        pytest.param("LÓPEZ ANA,,,+34600000001,,,", id="the same mobile and the name turned round"),
        pytest.param("Ana Lopez,,,,+34910000001,,", id="the same land line and the name without accents"),
        pytest.param("安娜,,,+34600000001,,,", id="the same number and a name in another script"),
        pytest.param("Ana López,Flores Import S.A.,,,,Spain,", id="the same name and firm where one has no address"),
        pytest.param("Ana López,FLORES IMPORT,,,,,", id="the same name and firm without legal form and country"),
        pytest.param("Ana López,Flores Inport SA,,,,,", id="the same name and a firm with a slip of the pen"),
    ],
)
def test_a_row_is_about_who_is_known(session: Session, take: Importer, row: str) -> None:
    assert after(session, take, row) == (1, [])


def test_a_role_mailbox_joins_equal_names(session: Session, take: Importer) -> None:
    take(HEAD + "Bo Li,Lotus,info@lotus.example,,,,\n", "one.csv")
    take(HEAD + "LI BO,Lotus Trading,info@lotus.example,,,,\n", "two.csv")
    assert people(session) == 1


def test_a_role_mailbox_joins_two_rows_without_names(session: Session, take: Importer) -> None:
    take(HEAD + ",Lotus,info@lotus.example,,,,\n", "one.csv")
    take(HEAD + ",Lotus,info@lotus.example,,,China,\n", "two.csv")
    assert people(session) == 1


# Two people


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("Luis Gil,Lotus,luis@lotus.example,,,,B1", id="the same badge under a contradicting name"),
        pytest.param("Luis Gil,Flores Import SA,,,+34910000001,Spain,", id="the land line of a colleague"),
        pytest.param("Ana López,Lotus,,,,,", id="the same name at another firm"),
        pytest.param("Ana López,Flores Import SA,,,,Mexico,", id="the same name and firm in another country"),
        pytest.param("Luis Gil,Flores Import SA,luis@flores.example,,,Spain,", id="a colleague"),
    ],
)
def test_a_row_is_about_somebody_new(session: Session, take: Importer, row: str) -> None:
    found, _asked = after(session, take, row)
    assert found == 2


def test_a_number_alone_is_no_proof(session: Session, take: Importer) -> None:
    assert after(session, take, ",Lotus,hello@lotus.example,,+34910000001,,") == (2, [])


def test_a_role_mailbox_does_not_join_different_names(session: Session, take: Importer) -> None:
    take(HEAD + "Bo Li,Lotus,info@lotus.example,,,,\n", "one.csv")
    take(HEAD + "Mei Wang,Lotus,info@lotus.example,,,,\n", "two.csv")
    assert people(session) == 2


def test_a_badge_counts_inside_its_show_only(session: Session, take: Importer) -> None:
    take(HEAD + ",Lotus,one@lotus.example,,,,B7\n", "one.csv")
    take(HEAD + ",Lotus,two@lotus.example,,,,B7\n", "two.csv")
    assert people(session) == 1
    other = Exhibition(code="OTHER", names={"en": "O"}, starts_on=date(2026, 5, 1), ends_on=date(2026, 5, 2))
    session.add(other)
    session.flush()
    data = (HEAD + ",Rose,three@rose.example,,,,B7\n").encode()
    service.import_file(session, data, "three.csv", service.Purpose(other), now=NOW, by="staff@ieum.example")
    assert people(session) == 2


# Questions


@pytest.mark.parametrize(
    ("row", "why"),
    [
        pytest.param("Ana López,Flores Import SA,ana@gmail.example,,,Spain,", "name", id="two mailboxes"),
        pytest.param("Ana López,Flores Imports,ana@gmail.example,,,,", "name", id="firms that are nearly alike"),
        pytest.param("Luis Gil,Lotus,luis@lotus.example,+34600000001,,,", "mobile", id="one mobile, two names"),
        pytest.param("Luis Gil,Lotus,ana@flores.example,,,,", "mailbox", id="one mailbox, two names"),
        pytest.param("Ana López,Flores Import SA,,,,Mexico,", "name", id="the same name and firm in two countries"),
    ],
)
def test_what_is_only_likely_is_asked(session: Session, take: Importer, row: str, why: str) -> None:
    assert after(session, take, row) == (2, [why])


def test_a_question_is_asked_once(session: Session, take: Importer) -> None:
    row = "Ana López,Flores Import SA,ana@gmail.example,,,Spain,"
    assert after(session, take, row, row.replace("Spain", "Spain "), row + "B9") == (2, ["name"])


def test_a_common_mailbox_of_two_names_stays_with_its_first_owner(session: Session, take: Importer) -> None:
    after(session, take)
    report = take(HEAD + "Luis Gil,Lotus,ana@flores.example,,,,\n", "luis.csv")
    assert {issue.code for issue in report.rows[0].issues} >= {"email_of_other", "ambiguous_person"}


# Chains


def test_a_row_that_proves_two_to_be_one_joins_them(session: Session, take: Importer) -> None:
    found, _asked = after(
        session,
        take,
        "Ana López,Lotus,,+34699999999,,,",
        "Ana López,,ana@flores.example,+34699999999,,,",
    )
    assert found == 1
    assert len(session.exec(select(ContactMerge)).all()) == 1


def test_a_chain_over_contradicting_names_joins_nobody(session: Session, take: Importer) -> None:
    found, _asked = after(
        session,
        take,
        "Luis Gil,Lotus,luis@lotus.example,+34699999999,,,",
        ",,ana@flores.example,,,,",
        "安娜,,ana@flores.example,+34699999999,,,",
    )
    assert found == 2
    assert session.exec(select(ContactMerge)).all() == []


def test_a_person_known_by_two_names_is_still_nobody_with_a_third(session: Session, take: Importer) -> None:
    found, _asked = after(session, take, "안나,,ana@flores.example,,,,", "김민수,,ana@flores.example,,,,")
    assert found == 2


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_it_does_not_matter_which_list_comes_first(session: Session, take: Importer, order: tuple[int, ...]) -> None:
    rows = [ANA.strip(), "Ana López,Lotus,,+34699999999,,,", "Ana López,,ana@flores.example,+34699999999,,,"]
    for number, place in enumerate(order):
        take(HEAD + rows[place] + "\n", f"list{number}.csv", NOW)
    assert people(session) == 1


def test_rows_of_one_list_are_matched_with_each_other(session: Session, take: Importer) -> None:
    take(HEAD + ANA + "Ana López,Flores Import SA,,,,Spain,\nLuis Gil,Flores Import SA,,,+34910000001,Spain,\n")
    assert people(session) == 2
