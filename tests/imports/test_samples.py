"""Three lists as secretariats really make them, and what a careful person would read out of them."""

import json
from dataclasses import fields
from datetime import date
from functools import cache

import pytest

from crm.imports.contactlist import read_contacts
from crm.imports.records import CanonicalRow, EventDates, ReadResult
from tests.imports.conftest import SAMPLES

FILES = (("visitors-cp949.csv", "KR"), ("buyers.xlsx", ""), ("badge-scans.csv", ""))
EVENT = EventDates(date(2026, 4, 14), date(2026, 4, 17))
AS_SETS = ("interests", "tags", "warnings")
# What the expected files say nothing about: fields of our own, and how a row is kept.
OURS = {"row", "sheet", "opt_out", "booth", "exporter", "follow_up", "more", "extra", "consents", "issues", "raw"}
FIELDS = [*(field.name for field in fields(CanonicalRow) if field.name not in OURS), "warnings"]


@cache
def _read(filename: str, home: str) -> ReadResult:
    return read_contacts((SAMPLES / filename).read_bytes(), filename, home_country=home, event=EVENT)


@cache
def _expected(filename: str) -> dict:
    return json.loads((SAMPLES / filename).with_suffix(".json").read_text(encoding="utf-8"))


def _comparable(record: dict, name: str) -> object:
    return set(record.get(name, ())) if name in AS_SETS else record.get(name)


@pytest.mark.parametrize(("filename", "home"), FILES)
def test_every_line_is_accepted_refused_or_skipped_as_expected(filename: str, home: str) -> None:
    result, expected = _read(filename, home), _expected(filename)
    assert {(row.sheet, row.row) for row in result.rows} == {(c.get("sheet"), c["row"]) for c in expected["contacts"]}
    refused = {(bad.sheet, bad.row, bad.code) for bad in result.refused}
    assert refused == {(bad["sheet"], bad["row"], bad["reason"]) for bad in expected["refused"]}
    skipped = {(line.sheet, line.row) for line in result.skipped}
    assert skipped == {(line["sheet"], line["row"]) for line in expected["skipped"]}


@pytest.mark.parametrize(("filename", "home"), FILES)
@pytest.mark.parametrize("name", FIELDS)
def test_every_field_reads_as_expected(filename: str, home: str, name: str) -> None:
    result, expected = _read(filename, home), _expected(filename)
    got = {(row.sheet, row.row): row.as_json() for row in result.rows}
    wrong = [
        (wanted["row"], _comparable(got[(wanted.get("sheet"), wanted["row"])], name), _comparable(wanted, name))
        for wanted in expected["contacts"]
        if name not in wanted.get("uncompared", ())
        and _comparable(got[(wanted.get("sheet"), wanted["row"])], name) != _comparable(wanted, name)
    ]
    assert wrong == []


def test_the_profile_tells_encoding_delimiter_and_header_line() -> None:
    profile = _read("visitors-cp949.csv", "KR").profile
    assert (profile.encoding, profile.delimiter, profile.header_row) == ("cp949", ",", 5)
    sheets = _read("buyers.xlsx", "").profile.sheets
    assert [(sheet.name, sheet.header_row) for sheet in sheets] == [("Overseas Buyers", 3), ("상담바이어(추가)", 4)]
