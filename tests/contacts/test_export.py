"""Exports of contacts and talks: what is in them for whom, and that Excel opens them unharmed."""

import csv
import io
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from sqlmodel import Session, select

from crm.accounts.models import Role
from crm.accounts.rules import Viewer
from crm.contacts import export, service
from crm.contacts.cells import holdable
from crm.contacts.export import Selection
from crm.contacts.models import Contact, EmailAddress, Lead, Organisation
from crm.core.db import Database
from crm.core.errors import BadInput, NotAllowed
from crm.core.i18n import speaking
from crm.core.models import Event
from crm.exporters.models import Exhibition
from tests.conftest import NOW
from tests.contacts.conftest import MakeContact, viewer

STAFF = viewer(Role.STAFF)
LEADS = Selection("leads")
FORMS = ("csv", "xlsx", "vcf")


def taken(session: Session, who: Viewer, wanted: Selection, form: str, language: str = "en") -> bytes:
    return b"".join(export.export(session, who, wanted, form, language=language))


def lines_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def cells_of(data: bytes) -> list[dict[str, Any]]:
    head, *lines = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    return [dict(zip(head, line, strict=True)) for line in lines]


def text_of(data: bytes, form: str) -> str:
    """Return everything a file says, for finding what it must not say."""
    return repr(cells_of(data)) if form == "xlsx" else data.decode().replace("\r\n ", "")


@pytest.fixture
def two(session: Session, make_contact: MakeContact) -> None:
    ana = make_contact("Ana López", "ana@flores.example", "GAON", "Flores S.L.")
    ana.mobile, ana.phone, ana.other_phones = "+34600000001", "+34910000001;ext=12", ["+34910000002"]
    bo = make_contact("Bo Li", "bo@lotus.example", "SEOLAK", "Lotus", "CN")
    bo.mobile = "+8613800000001"
    lead = session.exec(select(Lead).where(Lead.contact_id == ana.id)).one()
    lead.met_at, lead.met_time_known = datetime(2026, 11, 12, 15, 30, tzinfo=UTC), True
    lead.rating, lead.interests, lead.requests = 5, ["valves", "펌프"], ["sample"]
    lead.notes = "first\n- second"
    session.flush()


def test_the_csv_opens_in_excel_by_its_first_bytes_and_line_ends(session: Session, two: None) -> None:
    data = taken(session, STAFF, Selection(), "csv", "ko")
    assert data.startswith("\ufeff번호,성명,".encode())
    assert data.endswith(b"\r\n")
    assert data.count(b"\n") == data.count(b"\r\n") == 3


def test_a_telephone_number_keeps_its_plus_and_its_extension(session: Session, two: None) -> None:
    ana = lines_of(taken(session, STAFF, Selection(), "csv"))[0]
    assert (ana["Mobile"], ana["Phone"], ana["Phone 2"]) == ("'+34600000001", "'+34910000001 ext. 12", "'+34910000002")
    assert cells_of(taken(session, STAFF, Selection(), "xlsx"))[0]["Mobile"] == "+34600000001"


def test_a_talk_is_a_row_with_its_time_in_korea(session: Session, two: None) -> None:
    ana, bo = lines_of(taken(session, STAFF, LEADS, "csv"))
    assert ana["Meeting Date (KST)"] == "2026-11-13 00:30"
    assert (ana["Rating"], ana["Interests"], ana["Requests (for reference)"]) == ("Hot", "valves; 펌프", "sample")
    assert (ana["Notes"], ana["Exporter Code"]) == ("'first\n- second", "GAON")
    assert (bo["Full Name"], bo["Meeting Date (KST)"]) == ("Bo Li", "")


def test_every_cell_of_the_workbook_is_text_and_its_header_stays_in_sight(session: Session, two: None) -> None:
    session.exec(select(Contact)).first().title = '=HYPERLINK("http://evil.example")'  # type: ignore[union-attr]
    session.flush()
    sheet = openpyxl.load_workbook(io.BytesIO(taken(session, STAFF, Selection(), "xlsx", "ko"))).worksheets[0]
    assert sheet.title == "바이어"
    assert sheet.freeze_panes == "C2"
    assert {cell.data_type for row in sheet.iter_rows(min_row=2, min_col=2) for cell in row if cell.value} <= {
        "s",
        "inlineStr",
    }
    assert '=HYPERLINK("http://evil.example")' in [cell.value for cell in sheet[2]]


def test_headers_follow_the_viewers_language(session: Session, two: None) -> None:
    with speaking("en"):
        assert b"Full Name" in b"".join(export.csv_of(session, STAFF, Selection()))
    with speaking("ko"):
        assert "성명".encode() in b"".join(export.csv_of(session, STAFF, Selection()))


@pytest.mark.parametrize("form", FORMS)
def test_an_sme_gets_its_own_talks_without_addresses_and_numbers(
    session: Session, two: None, exporters: dict[str, int], form: str
) -> None:
    text = text_of(taken(session, viewer(Role.SME, exporters["GAON"]), LEADS, form), form)
    assert "Ana López" in text
    assert not [
        secret for secret in ("Bo Li", "Lotus", "@flores.example", "bo@lotus", "3460000", "3491000") if secret in text
    ]


@pytest.mark.parametrize("form", FORMS)
def test_an_sme_gets_no_list_of_people(session: Session, two: None, exporters: dict[str, int], form: str) -> None:
    with pytest.raises(NotAllowed):
        export.export(session, viewer(Role.SME, exporters["GAON"]), Selection(), form)
    with pytest.raises(NotAllowed):
        export.count_of(session, viewer(Role.SME, exporters["GAON"]), Selection(), form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["contacts", "leads"])
def test_an_advisor_gets_those_of_the_assigned_companies_with_addresses(
    session: Session, two: None, exporters: dict[str, int], kind: str, form: str
) -> None:
    advisor = viewer(Role.ADVISOR, exporters["SEOLAK"])
    text = text_of(taken(session, advisor, Selection(kind), form), form)
    assert "bo@lotus.example" in text
    assert "Ana" not in text
    assert export.count_of(session, advisor, Selection(kind), form) == 1
    asked = Selection(kind, exporter_id=exporters["GAON"])
    assert export.count_of(session, advisor, asked, form) == 0


def test_a_selection_is_narrowed_as_the_list_of_buyers_is(session: Session, two: None, show: Exhibition) -> None:
    for wanted in (Selection(text="lotus"), Selection(country="CN"), Selection(text="Bo", exhibition_id=show.id)):
        assert [line["Full Name"] for line in lines_of(taken(session, STAFF, wanted, "csv"))] == ["Bo Li"]
        assert export.count_of(session, STAFF, wanted, "csv") == 1
    assert export.count_of(session, STAFF, Selection(exhibition_id=99), "csv") == 0


@pytest.mark.parametrize(
    ("kind", "form", "version"), [("deals", "csv", "4.0"), ("leads", "pdf", "4.0"), ("leads", "vcf", "2")]
)
def test_what_cannot_be_exported_is_said_before_the_first_byte(
    session: Session, kind: str, form: str, version: str
) -> None:
    with pytest.raises(BadInput):
        export.export(session, STAFF, Selection(kind), form, card_version=version)


def stop(session: Session, address: str, exporter_id: int | None, reason: str = "opt_out") -> None:
    service.suppress(
        session, address, exporter_id=exporter_id, reason=reason, source="mail", evidence={}, now=NOW, by="x"
    )


@pytest.mark.parametrize(
    ("company", "reason", "said"),
    [(None, "opt_out", "Y"), (None, "hard_bounce", "bounced"), ("GAON", "opt_out", "this company"),
     ("SEOLAK", "opt_out", "some companies")],
)  # fmt: skip
def test_where_mail_is_stopped_is_said(
    session: Session, two: None, exporters: dict[str, int], company: str | None, reason: str, said: str
) -> None:
    stop(session, "ana@flores.example", exporters[company] if company else None, reason)
    ana, bo = lines_of(taken(session, STAFF, LEADS, "csv"))
    assert (ana["Email Opt Out"], bo["Email Opt Out"]) == (said, "")


def test_a_refusal_of_one_of_two_addresses_is_no_refusal_of_all(session: Session, two: None) -> None:
    ana = session.exec(select(Contact).order_by(Contact.id)).first()  # type: ignore[arg-type]
    session.add(EmailAddress(contact_id=ana.id, address="ana@home.example", position=1))  # type: ignore[union-attr]
    stop(session, "ana@home.example", None)
    assert lines_of(taken(session, STAFF, Selection(), "csv"))[0]["Email Opt Out"] == "some addresses"


def test_a_stop_for_another_company_is_not_told_to_an_sme(
    session: Session, two: None, exporters: dict[str, int]
) -> None:
    stop(session, "ana@flores.example", exporters["SEOLAK"])
    [ana] = lines_of(taken(session, viewer(Role.SME, exporters["GAON"]), LEADS, "csv"))
    assert ana["Email Opt Out"] == ""


def test_who_exported_how_many_of_what_is_in_the_log(session: Session, two: None) -> None:
    wanted = Selection("leads", country="ES")
    export.record(session, STAFF, wanted, "xlsx", rows=export.count_of(session, STAFF, wanted, "xlsx"), now=NOW)
    event = session.exec(select(Event).where(Event.verb == "contacts_exported")).one()
    assert event.actor == "v@ieum.example"
    assert event.data == {"kind": "leads", "format": "xlsx", "rows": 1, "country": "ES"}


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60)
FREE = ("full_name", "name_alt", "department", "title", "city", "address", "website", "postal_code", "mobile", "fax")
HEADERS = (
    "Full Name", "English Name", "Department", "Job Title", "City", "Address", "Website", "Postal Code", "Mobile",
    "Fax",
)  # fmt: skip


@pytest.fixture
def one(sqlite_db: Database) -> Iterator[Session]:
    with sqlite_db.writing() as session:
        session.add(service.new_contact(now=NOW))
        session.flush()
        yield session


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.tuples(*[TEXTS] * len(FREE)))
def test_any_text_in_any_field_survives(one: Session, values: tuple[str, ...]) -> None:
    contact = one.exec(select(Contact)).one()
    for name, value in zip(FREE, values, strict=True):
        setattr(contact, name, value)
    one.flush()
    wanted = [holdable(value).replace(";ext=", " ext. ") for value in values]
    [line] = lines_of(taken(one, STAFF, Selection(), "csv"))
    assert [line[name].removeprefix("'") for name in HEADERS] == wanted
    assert not [cell for cell in line.values() if cell.strip(" \n\u00a0").startswith(("=", "+", "-", "@", "\t"))]
    data = taken(one, STAFF, Selection(), "xlsx")
    [cells] = cells_of(data)
    assert [cells[name] for name in HEADERS] == wanted
    row = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0][2]
    assert "f" not in {cell.data_type for cell in row}


def many(session: Session, number: int) -> None:
    """Put people with firms and addresses straight into the tables."""
    tables: list[Any] = [one.__table__ for one in (Organisation, Contact, EmailAddress)]  # type: ignore[attr-defined]
    firms, people, addresses = tables
    for start in range(1, number + 1, 1000):
        ids = range(start, min(start + 1000, number + 1))
        session.execute(
            sa.insert(firms),
            [{"id": n, "name": f"Firm {n}", "name_alt": "", "match_key": f"firm{n}|", "country": "ES", "city": "",
              "website": "", "business": "", "created_at": NOW, "version": 1} for n in ids],
        )  # fmt: skip
        session.execute(
            sa.insert(people),
            [{"id": n, "organisation_id": n, **dict.fromkeys(BLANK, ""), "full_name": f"김철수 {n}", "country": "KR",
              "mobile": f"+8210{n:08}", "address": "경기도 고양시 일산서구 킨텍스로 217-60 " * 3, "other_phones": [],
              "messengers": {}, "tags": ["VIP"], "extra": {}, "edited": {}, "created_at": NOW, "version": 1}
             for n in ids],
        )  # fmt: skip
        session.execute(
            sa.insert(addresses),
            [{"contact_id": n, "address": f"p{n}@firm.example", "position": 0, "status": "ok", "status_reason": ""}
             for n in ids],
        )  # fmt: skip


BLANK = (
    "family_name", "given_name", "name_alt", "name_reading", "gender", "department", "title", "phone", "fax",
    "website", "city", "postal_code", "language", "timezone",
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_memory_of_an_export_does_not_grow_with_the_rows(sqlite_db: Database, form: str) -> None:
    with sqlite_db.writing() as session:
        many(session, 20_000)
    with sqlite_db.reading() as session:
        list(export.export(session, STAFF, Selection(text="Firm 19"), form))  # fills what is cached for good
        tracemalloc.start()
        try:
            size = sum(len(piece) for piece in export.export(session, STAFF, Selection(), form))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert size > (1 << 19 if form == "xlsx" else 5 << 20)
    assert peak < 4 << 20, f"{peak:,} bytes"
