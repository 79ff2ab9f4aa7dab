"""Downloads of buyers and talks: who gets what, under which name, and that it is written into the log."""

import csv
import io
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlmodel import select

from crm.core.context import Context
from crm.core.models import Event
from tests.web.conftest import Browser
from tests.web.world import World


def lines(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_staff_download_what_the_list_shows(hana: Browser, world: World) -> None:
    found = lines(hana.get("/contacts/export.csv?country=ES"))
    assert [(line["성명"], line["이메일"], line["국가"]) for line in found] == [
        ("Lucía Fernández Ortega", "lucia@iberia.example", "스페인")
    ]
    assert len(lines(hana.get(f"/contacts/export.csv?kind=leads&exhibition={world.exhibition_id}"))) == 4


def test_the_file_has_a_korean_name_and_one_in_ascii(hana: Browser, world: World) -> None:
    headers = hana.get("/contacts/export.xlsx").headers
    assert headers["content-disposition"] == (
        "attachment; filename=\"ieum-buyers-20261116.xlsx\"; filename*=UTF-8''%EB%B0%94%EC%9D%B4%EC%96%B4_20261116.xlsx"
    )
    assert headers["content-type"].endswith("spreadsheetml.sheet")
    assert headers["cache-control"] == "no-store"


def test_the_workbook_opens(hana: Browser, world: World) -> None:
    sheet = load_workbook(io.BytesIO(hana.get("/contacts/export.xlsx?kind=leads").content)).worksheets[0]
    assert (sheet.title, sheet.max_row) == ("상담", 5)


def test_cards_come_in_two_versions(hana: Browser, world: World) -> None:
    assert hana.get("/contacts/export.vcf").text.count("VERSION:4.0") == 4
    assert hana.get("/contacts/export.vcf?version=3.0").text.count("VERSION:3.0") == 4


@pytest.mark.parametrize("form", ["csv", "xlsx", "vcf"])
def test_a_company_gets_its_own_talks_without_addresses(mina: Browser, dasom: Browser, world: World, form: str) -> None:
    for who, own, other in ((mina, "佐藤健一", "王磊"), (dasom, "王磊", "佐藤健一")):
        answer = who.get(f"/contacts/export.{form}?kind=leads")
        assert answer.status_code == 200
        text = answer.text if form != "xlsx" else cells(answer)
        assert own in text
        assert other not in text
        assert ".example" not in text


def cells(answer: Any) -> str:
    return repr(list(load_workbook(io.BytesIO(answer.content)).worksheets[0].values))


@pytest.mark.parametrize("form", ["csv", "xlsx", "vcf"])
def test_a_company_gets_no_list_of_people(mina: Browser, world: World, form: str) -> None:
    assert mina.get(f"/contacts/export.{form}").status_code == 403


def test_an_advisor_gets_addresses_of_assigned_companies_only(haewook: Browser, world: World) -> None:
    text = haewook.get("/contacts/export.csv").text
    assert "sato@sakura.example" in text
    assert "wang@jinhe" not in text


def test_nobody_downloads_without_signing_in(browser: Browser, world: World) -> None:
    assert browser.get("/contacts/export.csv").status_code == 303


@pytest.mark.parametrize(
    ("address", "status"),
    [("export.pdf", 404), ("export.csv?kind=deals", 422), ("export.vcf?version=9", 422)],
)
def test_what_there_is_not_is_said(hana: Browser, site: Context, address: str, status: int) -> None:
    assert hana.get(f"/contacts/{address}").status_code == status
    with site.db.reading() as session:
        assert session.exec(select(Event).where(Event.verb == "contacts_exported")).all() == []


def test_every_download_is_in_the_log(hana: Browser, mina: Browser, site: Context, world: World) -> None:
    hana.get("/contacts/export.csv?q=manila")
    mina.get("/contacts/export.xlsx?kind=leads")
    with site.db.reading() as session:
        events = session.exec(select(Event).where(Event.verb == "contacts_exported")).all()
    assert [(event.actor, event.data) for event in events] == [
        ("hana@example.com", {"kind": "contacts", "format": "csv", "rows": 1, "text": "manila"}),
        ("mina@example.com", {"kind": "leads", "format": "xlsx", "rows": 3}),
    ]
    assert "바이어를 내려받음" in hana.get("/audit").text


def test_the_lists_link_to_what_they_show(hana: Browser, haewook: Browser, mina: Browser, world: World) -> None:
    staff = hana.get("/contacts?q=manila&country=PH").text
    assert 'href="/contacts/export.xlsx?kind=contacts&amp;q=manila&amp;country=PH&amp;exhibition=0"' in staff
    assert 'href="/contacts/export.vcf?kind=contacts&amp;q="' in haewook.get("/buyers").text
    company = mina.get("/buyers").text
    assert 'href="/contacts/export.csv?kind=leads&amp;q="' in company
    assert "kind=contacts" not in company
