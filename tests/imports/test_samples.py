"""Six lists as secretariats and card apps really make them, and what a careful person would read out of them."""

import importlib.util
import json
from datetime import date
from functools import cache
from typing import Any

import pytest

from crm.imports.contactlist import ContactList, open_list
from crm.imports.records import EventDates, ReadOptions, ReadRow
from tests.imports.conftest import SAMPLES

FILES = {
    "visitors-cp949.csv": "KR",
    "buyers.xlsx": "",
    "badge-scans.csv": "",
    "cards-sjis.csv": "JP",
    "outlook-zh.csv": "CN",
}
if importlib.util.find_spec("crm.imports.vcards"):
    FILES["cards.vcf"] = ""
EVENT = EventDates(date(2026, 4, 14), date(2026, 4, 17))
AS_SETS = ("interests", "tags", "warnings")
# What the expected files say, and of whom is judged elsewhere: who is the same person.
FIELDS = (
    *("full_name", "family_name", "given_name", "name_alt", "name_reading", "gender", "company", "company_alt"),
    *("department", "title", "emails", "mobile", "phone", "fax", "other_phones", "website", "country", "city"),
    *("address", "postal_code", "interests", "tags", "visit_purpose", "timeframe", "notes", "rating", "registered_at"),
    *("met_at", "captured_by", "external_id", "language", "messengers"),
    *("consent_privacy", "consent_third_party", "consent_marketing", "warnings"),
)


@cache
def _list(filename: str) -> ContactList:
    options = ReadOptions(home_country=FILES[filename])
    return open_list((SAMPLES / filename).read_bytes(), filename, options, EVENT)


@cache
def _rows(filename: str) -> list[ReadRow]:
    return list(_list(filename).lines())


@cache
def _expected(filename: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / filename).with_suffix(".json").read_text(encoding="utf-8"))
    return found


def _of(filename: str, outcome: str) -> list[ReadRow]:
    return [row for row in _rows(filename) if row.outcome == outcome]


def _stated(row: ReadRow) -> dict[str, Any]:
    return {**row.facts, "warnings": [issue.code for issue in row.issues]}


def _comparable(record: dict[str, Any], name: str) -> object:
    return set(record.get(name, ())) if name in AS_SETS else record.get(name)


@pytest.mark.parametrize("filename", FILES)
def test_every_line_is_accepted_refused_or_skipped_as_expected(filename: str) -> None:
    expected = _expected(filename)
    accepted = {(row.sheet, row.number) for row in _of(filename, "accepted")}
    assert accepted == {(contact.get("sheet"), contact["row"]) for contact in expected["contacts"]}
    refused = {(row.sheet, row.number, row.code) for row in _of(filename, "refused")}
    assert refused == {(bad["sheet"], bad["row"], bad["reason"]) for bad in expected["refused"]}
    skipped = {(row.sheet, row.number) for row in _of(filename, "skipped")}
    assert skipped == {(line["sheet"], line["row"]) for line in expected["skipped"]}


@pytest.mark.parametrize("filename", FILES)
def test_lines_come_in_the_order_of_the_file_and_each_once(filename: str) -> None:
    order = [(row.sheet, row.number) for row in _rows(filename)]
    sheets = [sheet.name for sheet in _list(filename).profile.sheets]
    assert order == sorted(set(order), key=lambda place: (sheets.index(place[0]), place[1]))


@pytest.mark.parametrize("filename", FILES)
@pytest.mark.parametrize("name", FIELDS)
def test_every_field_reads_as_expected(filename: str, name: str) -> None:
    got = {(row.sheet, row.number): _stated(row) for row in _of(filename, "accepted")}
    wrong = []
    for wanted in _expected(filename)["contacts"]:
        if name in wanted.get("uncompared", ()):
            continue
        read = _comparable(got[(wanted.get("sheet"), wanted["row"])], name)
        if read != _comparable(wanted, name):
            wrong.append((wanted["row"], read, _comparable(wanted, name)))
    assert wrong == []


@pytest.mark.parametrize(
    ("filename", "read_as"),
    [
        ("visitors-cp949.csv", ("cp949", ",", 5)),
        ("badge-scans.csv", ("utf-8-sig", ",", 3)),
        ("cards-sjis.csv", ("cp932", ",", 6)),
        ("outlook-zh.csv", ("gb18030", ",", 1)),
    ],
)
def test_the_profile_tells_encoding_delimiter_and_header_line(filename: str, read_as: tuple[str, str, int]) -> None:
    profile = _list(filename).profile
    assert (profile.encoding, profile.delimiter, profile.header_row) == read_as


def test_every_sheet_has_its_own_header_line() -> None:
    sheets = _list("buyers.xlsx").profile.sheets
    assert [(sheet.name, sheet.header_row) for sheet in sheets] == [("Overseas Buyers", 3), ("상담바이어(추가)", 4)]


@pytest.mark.parametrize("filename", FILES)
def test_what_a_row_states_is_ready_for_json_and_holds_nothing_empty(filename: str) -> None:
    for row in _rows(filename):
        assert json.loads(json.dumps(row.facts)) == row.facts
        assert not [name for name, value in row.facts.items() if value in ("", [], {}, None)]
