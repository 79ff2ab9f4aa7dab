"""Taking a batch back: what goes, what stays, and why."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from crm.contacts import service as contacts
from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Organisation
from crm.core.errors import NotFound, Refused
from crm.imports import service, undoing
from crm.imports.models import ImportBatch
from crm.imports.report import UndoReport
from tests.conftest import NOW
from tests.imports.conftest import Importer

HEAD = "Name,Company,Email,Mobile,Country,Booth,Captured At,Follow Up,Marketing Opt-In,Job Title,Notes,Tags\n"
ANA = "Ana López,Flores SA,ana@flores.example,,Spain,7B-101,2026-11-12,catalogue,Yes,Buyer,Likes blue,vip\n"
BO = "Bo Li,Lotus,bo@lotus.example,,China,7B-101,2026-11-12,,Yes,Chief,,\n"
LATER = (
    ANA.replace("11-12", "11-13")
    .replace("Buyer", "Director")
    .replace("Likes blue", "Wants red")
    .replace("vip", '"vip, red"')
)


def _undo(session: Session, batch_id: int | None, mailed: set[int] | None = None) -> UndoReport:
    return service.undo(
        session, batch_id or 0, now=NOW, by="staff@ieum.example", mailed=lambda _s, ids: set(ids) & (mailed or set())
    )


def _contact(session: Session) -> Contact:
    return session.exec(select(Contact)).one()


def test_undo_removes_all_that_the_batch_made(session: Session, take: Importer) -> None:
    report = _undo(session, take(HEAD + ANA).batch_id)
    assert report.status == "undone"
    for table in (Contact, Organisation, EmailAddress, Lead, Consent):
        assert list(session.exec(select(table))) == []


def test_an_undone_file_can_be_imported_again(session: Session, take: Importer) -> None:
    _undo(session, take(HEAD + ANA).batch_id)
    assert take(HEAD + ANA).counts["added"] == 1


def test_undo_puts_back_what_the_batch_changed(session: Session, take: Importer) -> None:
    take(HEAD + ANA)
    batch = take(HEAD + LATER, "later.csv").batch_id
    assert _contact(session).title == "Director"
    _undo(session, batch)
    contact, lead = _contact(session), session.exec(select(Lead)).one()
    assert (contact.title, contact.tags, lead.notes) == ("Buyer", ["vip"], "Likes blue")
    assert "alternatives" not in contact.extra


def test_undo_of_the_first_batch_leaves_the_later_one_whole(session: Session, take: Importer) -> None:
    first = take(HEAD + ANA).batch_id
    take(HEAD + LATER, "later.csv")
    _undo(session, first)
    contact, lead = _contact(session), session.exec(select(Lead)).one()
    assert (contact.full_name, contact.title, contact.country) == ("Ana López", "Director", "ES")
    assert (sorted(contact.tags), lead.notes) == (["red", "vip"], "Wants red")
    assert session.exec(select(EmailAddress)).one().address == "ana@flores.example"


def test_undoing_both_in_either_order_leaves_nothing(session: Session, take: Importer) -> None:
    first = take(HEAD + ANA).batch_id
    second = take(HEAD + LATER, "later.csv").batch_id
    _undo(session, first)
    _undo(session, second)
    for table in (Contact, Organisation, EmailAddress, Lead, Consent):
        assert list(session.exec(select(table))) == []


def test_a_firm_that_only_an_undone_list_named_goes_in_either_order(session: Session, take: Importer) -> None:
    first = take(HEAD + ANA).batch_id
    second = take(HEAD + LATER.replace("Flores SA", "Lotus"), "later.csv").batch_id
    _undo(session, first)
    assert session.exec(select(Organisation.name)).all() == ["Lotus"]
    _undo(session, second)
    assert session.exec(select(Organisation.name)).all() == []


def test_what_a_person_edited_since_is_kept(session: Session, take: Importer) -> None:
    take(HEAD + ANA)
    batch = take(HEAD + LATER, "later.csv").batch_id
    contacts.edit_contact(session, _contact(session), {"title": "Owner"}, now=NOW, by="staff@ieum.example")
    report = _undo(session, batch)
    assert _contact(session).title == "Owner"
    assert [kept.reason for kept in report.kept] == ["edited"]


def test_a_contact_that_was_mailed_stays_whole_and_the_rest_goes(session: Session, take: Importer) -> None:
    batch = take(HEAD + ANA + BO).batch_id
    ana = session.exec(select(Contact).where(Contact.full_name == "Ana López")).one()
    report = _undo(session, batch, {ana.id or 0})
    assert [(kept.reason, kept.name) for kept in report.kept] == [("mailed", "Ana López")]
    assert report.status == "partly_undone"
    assert session.exec(select(Contact.full_name)).all() == ["Ana López"]
    assert session.exec(select(Lead)).one().contact_id == ana.id
    assert "Ana López" in report.summary()


def test_leads_that_another_room_holds_stay(session: Session, take: Importer) -> None:
    batch = take(HEAD + ANA).batch_id
    report = service.undo(
        session, batch or 0, now=NOW, by="x", mailed=lambda _s, _ids: set(), release=lambda _s, leads: set(leads)
    )
    assert [kept.reason for kept in report.kept] == ["in_use"]
    assert session.exec(select(Lead)).one()
    assert _contact(session).title == "Buyer"


def test_an_opt_out_survives_the_undo(session: Session, take: Importer) -> None:
    batch = take("Name,Company,Email,Email Opt Out\nBo Li,Lotus,bo@lotus.example,Yes\n").batch_id
    _undo(session, batch)
    assert contacts.is_suppressed(session, "bo@lotus.example", None) is not None


def test_a_withdrawn_consent_stands_again_when_the_no_is_undone(session: Session, take: Importer) -> None:
    take(HEAD + ANA)
    batch = take(HEAD + LATER.replace("Yes", "No"), "later.csv", NOW + timedelta(hours=1)).batch_id
    _undo(session, batch)
    optin = session.exec(select(Consent).where(Consent.basis == "express_optin")).one()
    assert optin.withdrawn_at is None


def test_a_batch_is_undone_once(session: Session, take: Importer) -> None:
    batch = take(HEAD + ANA).batch_id
    _undo(session, batch)
    with pytest.raises(Refused):
        _undo(session, batch)
    with pytest.raises(NotFound):
        _undo(session, 999)


def test_the_batch_remembers_who_undid_it(session: Session, take: Importer) -> None:
    batch_id = take(HEAD + ANA).batch_id
    _undo(session, batch_id)
    batch = session.get(ImportBatch, batch_id)
    assert batch is not None
    assert (batch.status, batch.undone_by, batch.undone_at) == ("undone", "staff@ieum.example", NOW)


def test_a_page_may_take_a_list_back_for_seven_days_to_the_second(session: Session, take: Importer) -> None:
    batch = session.get_one(ImportBatch, take(HEAD + ANA).batch_id)
    undoing.refuse_late(batch, now=NOW + timedelta(days=7))
    with pytest.raises(Refused, match=f"crm import undo {batch.id}") as caught:
        undoing.refuse_late(batch, now=NOW + timedelta(days=7, seconds=1))
    assert caught.value.code == "too_late"


def test_whom_a_later_list_joined_goes_too_when_both_lists_are_taken_back(session: Session, take: Importer) -> None:
    """The first list knew two people; of one of them nothing is left when the list that had joined them goes."""
    ana = "Ana López,Flores SA,ana@flores.example,+34600000001,Spain,,2026-11-11,,,,,\n"
    other = "Ana López,Flores SA,kim@hanbit.example,+821000000001,Spain,,2026-11-11,,,,,\n"
    bridge = "Ana López,Flores SA,ana@flores.example,+821000000001,Spain,,2026-11-11,,,,,\n"
    first = take(HEAD + ana + other).batch_id
    second = take(HEAD + bridge, "later.csv").batch_id
    for batch in (first, second):
        _undo(session, batch)
    for table in (Contact, Organisation, EmailAddress):
        assert list(session.exec(select(table))) == []
