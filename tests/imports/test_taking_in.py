"""Importing lists into a real database: who is merged, what wins, what is recorded."""

from datetime import UTC, date, datetime

import pytest
from sqlmodel import Session, select

from crm.contacts import service as contacts
from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Suppression
from crm.exporters.models import Booth, Exhibition
from crm.imports import service
from crm.imports.models import DuplicatePair, ImportBatch, ImportRow
from tests.conftest import NOW
from tests.imports.conftest import SAMPLES, Importer

HEAD = "Name,Company,Email,Mobile,Country,Booth,Captured At,Follow Up,Marketing Opt-In,Job Title\n"
ANA = "Ana López,Flores SA,ana@flores.example,,Spain,7B-101,2026-11-12 14:00,catalogue,Yes,Buyer\n"


def _contacts(session: Session) -> list[Contact]:
    return list(session.exec(select(Contact)))


def test_a_row_becomes_a_contact_a_lead_and_its_consents(session: Session, take: Importer) -> None:
    report = take(HEAD + ANA)
    assert report.counts == {
        "found": 1, "added": 1, "merged": 0, "unchanged": 0, "refused": 0, "skipped": 0, "leads": 1, "consents": 2,
    }  # fmt: skip
    [lead] = session.exec(select(Lead))
    assert (lead.booth, lead.requests, lead.met_time_known) == ("7B-101", ["catalogue"], True)
    assert lead.met_at == datetime(2026, 11, 12, 5, 0, tzinfo=UTC)
    bases = {consent.basis: consent for consent in session.exec(select(Consent))}
    assert set(bases) == {"express_optin", "requested_info"}
    assert bases["express_optin"].exporter_id == lead.exporter_id
    assert bases["express_optin"].evidence["statements"] == [{"column": "Marketing Opt-In", "cell": "Yes"}]


def test_the_same_file_again_changes_nothing(session: Session, take: Importer) -> None:
    first = take(HEAD + ANA)
    second = take(HEAD + ANA)
    assert second.already_imported
    assert second.batch_id == first.batch_id
    assert len(list(session.exec(select(ImportBatch)))) == 1


def test_the_same_rows_in_another_file_change_nothing(session: Session, take: Importer) -> None:
    take(HEAD + ANA)
    report = take("List of today\n" + HEAD + ANA, "again.csv")
    assert (report.counts["added"], report.counts["merged"], report.counts["unchanged"]) == (0, 0, 1)
    assert len(list(session.exec(select(Consent)))) == 2


def test_blank_cells_never_overwrite(session: Session, take: Importer) -> None:
    take(HEAD + ANA)
    take("Name,Company,Email,Job Title,Captured At\nAna López,,ana@flores.example,,2026-11-13\n", "later.csv")
    [contact] = _contacts(session)
    assert contact.title == "Buyer"


def test_a_later_meeting_wins_and_the_older_value_is_remembered(session: Session, take: Importer) -> None:
    take(HEAD + ANA)
    take(HEAD + ANA.replace("2026-11-12", "2026-11-13").replace("Buyer", "Director"), "later.csv")
    [contact] = _contacts(session)
    assert contact.title == "Director"
    assert contact.extra["alternatives"] == {"title": ["Buyer"]}


def test_an_older_list_only_fills_gaps(session: Session, take: Importer) -> None:
    take(HEAD + ANA)
    older = (
        ANA.replace("2026-11-12", "2026-11-11").replace("Buyer", "Director").replace(",,Spain", ",+34600000001,Spain")
    )
    take(HEAD + older, "older.csv")
    [contact] = _contacts(session)
    assert (contact.title, contact.mobile) == ("Buyer", "+34600000001")


def test_what_a_person_edited_beats_every_file(session: Session, take: Importer) -> None:
    take(HEAD + ANA)
    [contact] = _contacts(session)
    contacts.edit_contact(session, contact, {"title": "Head of Buying"}, now=NOW, by="staff@ieum.example")
    report = take(HEAD + ANA.replace("2026-11-12", "2026-11-14"), "later.csv")
    assert contact.title == "Head of Buying"
    assert "kept_human_edit" in report.warnings_by_code()


def test_an_import_never_lifts_an_opt_out(session: Session, take: Importer) -> None:
    contacts.suppress(
        session, "ana@flores.example", exporter_id=None, reason="opt_out", source="mail", evidence={}, now=NOW, by="x"
    )
    report = take(HEAD + ANA.replace("2026-11-12", "2026-11-20"))
    assert "suppressed" in report.warnings_by_code()
    assert {consent.derived for consent in session.exec(select(Consent))} == {True}  # which lifts nothing
    assert contacts.is_suppressed(session, "ana@flores.example", None) is not None


def test_an_opt_out_column_stops_the_address_for_everyone(session: Session, take: Importer) -> None:
    take("Name,Company,Email,Email Opt Out\nBo Li,Lotus,bo@lotus.example,Yes\n")
    [stop] = session.exec(select(Suppression))
    assert (stop.address, stop.exporter_key, stop.reason) == ("bo@lotus.example", 0, "opt_out")


def test_an_opt_out_of_all_is_not_lost_behind_a_stop_for_one_company(session: Session, take: Importer) -> None:
    contacts.suppress(
        session, "bo@lotus.example", exporter_id=1, reason="opt_out", source="mail", evidence={}, now=NOW, by="x"
    )
    take("Name,Company,Email,Email Opt Out\nBo Li,Lotus,bo@lotus.example,Yes\n")
    assert contacts.is_suppressed(session, "bo@lotus.example", None) is not None


def test_a_later_no_withdraws_an_earlier_yes(session: Session, take: Importer) -> None:
    take(HEAD + ANA)
    take(HEAD + ANA.replace("2026-11-12", "2026-11-13").replace("Yes", "No"), "later.csv")
    [optin] = session.exec(select(Consent).where(Consent.basis == "express_optin"))
    assert optin.withdrawn_at == NOW


def test_a_scan_is_recorded_as_a_scan_not_as_a_consent(session: Session, take: Importer) -> None:
    take(
        "Badge ID,Name,Company,Email,Captured By,Captured At,Booth\n"
        "B1,Uwe Kohl,Kohl GmbH,u@kohl.example,Kim,2026-11-12,9A-210\n"
    )
    assert [consent.basis for consent in session.exec(select(Consent))] == ["badge_scanned"]


def test_two_booths_make_two_leads(session: Session, take: Importer) -> None:
    take(HEAD + ANA.replace("7B-101", '"7B-101, 9A-210"'))
    assert {lead.booth for lead in session.exec(select(Lead))} == {"7B-101", "9A-210"}


def test_an_unknown_booth_is_told_and_makes_no_lead(session: Session, take: Importer) -> None:
    report = take(HEAD + ANA.replace("7B-101", "1A-001"))
    assert "exporter_unknown" in report.warnings_by_code()
    assert list(session.exec(select(Lead))) == []


def test_an_exporter_may_be_named_by_code_or_firm(session: Session, take: Importer) -> None:
    take("Name,Company,Email,Exporter\nA B,C,a@c.example,gaon\nD E,F,d@f.example,Seolak\n")
    assert {lead.booth for lead in session.exec(select(Lead))} == {"7B-101", "9A-210"}


def test_a_blank_privacy_consent_makes_a_contact_without_lead_or_consent(session: Session, take: Importer) -> None:
    report = take(
        "성명,회사명,이메일,방문부스,개인정보 수집·이용 동의,마케팅 수신 동의,등록일시\n"
        "김하나,하나상사,h@hana.example,7B-101,,Y,2026-10-01\n"
    )
    assert "consent_privacy_missing" in report.warnings_by_code()
    assert (report.counts["added"], report.counts.get("leads", 0)) == (1, 0)
    assert list(session.exec(select(Consent))) == []


def test_refused_privacy_keeps_nothing_but_the_row_number(session: Session, take: Importer) -> None:
    take("성명,회사명,이메일,개인정보 수집·이용 동의\n김하나,하나상사,h@hana.example,N\n")
    [row] = session.exec(select(ImportRow))
    assert (row.outcome, row.raw, row.number) == ("refused", [], 2)
    assert _contacts(session) == []


def test_a_native_name_wins_over_its_latin_spelling_and_keeps_it_beside(session: Session, take: Importer) -> None:
    take("Name,Company,Email\nChulsoo Kim,Hana,c@hana.example\n")
    take("성명,회사명,이메일\n김철수,하나,c@hana.example\n", "ko.csv")
    [contact] = _contacts(session)
    assert (contact.full_name, contact.family_name, contact.name_alt) == ("김철수", "김", "Chulsoo Kim")


def test_one_mailbox_with_two_names_stays_two_people(session: Session, take: Importer) -> None:
    report = take("성명,회사명,이메일\n김하나,하나,info@hana.example\n박둘,하나,info@hana.example\n")
    assert len(_contacts(session)) == 2
    assert report.warnings_by_code()["ambiguous_person"] == 1
    assert len(list(session.exec(select(EmailAddress)))) == 1


def test_a_preview_stores_nothing(session: Session, show: Exhibition) -> None:
    report = service.preview(session, (HEAD + ANA).encode(), "list.csv", service.Purpose(show), now=NOW)
    assert (report.batch_id, report.counts["added"], report.counts["leads"]) == (None, 1, 1)
    for table in (Contact, Lead, Consent, ImportBatch, ImportRow, EmailAddress):
        assert list(session.exec(select(table))) == []


@pytest.mark.parametrize("filename", ["visitors-cp949.csv", "buyers.xlsx", "badge-scans.csv"])
def test_the_samples_go_in_whole_and_come_out_whole(session: Session, show: Exhibition, filename: str) -> None:
    data = (SAMPLES / filename).read_bytes()
    report = service.import_file(session, data, filename, service.Purpose(show), now=NOW, by="staff@ieum.example")
    parts = ("added", "merged", "unchanged", "refused", "skipped")
    assert report.counts["found"] == sum(report.counts[part] for part in parts)
    service.undo(session, report.batch_id or 0, now=NOW, by="staff@ieum.example", mailed=lambda _s, _ids: set())
    for table in (Contact, Lead, Consent, EmailAddress):
        assert list(session.exec(select(table))) == []


def test_colleagues_share_a_firm_in_spite_of_its_legal_form_but_not_across_countries(
    session: Session, take: Importer
) -> None:
    take(
        "Name,Company,Email,Country\nAna López,Flores S.L.,ana@flores.example,Spain\n"
        "Bea Ruiz,FLORES,bea@flores.example,Spain\nCarla Díaz,Flores,carla@flores.example,Mexico\n"
    )
    ana, bea, carla = (contact.organisation_id for contact in _contacts(session))
    assert ana is not None
    assert ana == bea
    assert carla not in (ana, None)


@pytest.mark.parametrize("number", ["Mobile,+34600000001", "Phone,+34910000123"], ids=["mobile", "land line"])
def test_somebody_without_a_name_is_found_again_when_the_same_row_comes_in_another_list(
    session: Session, take: Importer, number: str
) -> None:
    column, value = number.split(",")
    row = f",Flores SA,{value},Spain,Buyer\n"
    take(f"Name,Company,{column},Country,Job Title\n{row}")
    again = take(f"List of today\nName,Company,{column},Country,Job Title\n{row}", "again.csv")
    assert (again.counts["added"], again.counts["unchanged"], len(_contacts(session))) == (0, 1, 1)
    assert list(session.exec(select(DuplicatePair))) == []


def test_the_same_rows_from_another_show_are_other_meetings_of_the_same_people(
    session: Session, show: Exhibition, take: Importer
) -> None:
    take(HEAD + ANA)
    later = Exhibition(code="LATER", names={"en": "LATER"}, starts_on=date(2026, 11, 25), ends_on=date(2026, 11, 27))
    session.add(later)
    session.flush()
    booth = session.exec(select(Booth).where(Booth.number == "7B-101")).one()
    session.add(Booth(exhibition_id=later.id, exporter_id=booth.exporter_id, number="7B-101"))
    session.flush()
    purpose = service.Purpose(later)
    service.import_file(session, (HEAD + ANA).encode(), "later.csv", purpose, now=NOW, by="staff@ieum.example")
    assert len(_contacts(session)) == 1
    assert {lead.exhibition_id for lead in session.exec(select(Lead))} == {show.id, later.id}
