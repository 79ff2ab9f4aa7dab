"""``crm import`` as a person or a program uses it."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from sqlmodel import select

from crm.cli.app import run
from crm.core.db import Database
from crm.exporters.models import Booth, Exhibition, Exporter
from crm.imports.models import ImportBatch, ImportRow, SavedMapping
from tests.conftest import NOW

HEAD = "Name,Company,Email,Phone,Country,Booth,I agree to the privacy policy,Favourite colour\n"
ANA = "Ana López,Flores SA,ana@flores.example,+34 91 123 45 67,Spain,7B-101,Yes,red\n"
BAD = "Bo Borg,Borg AB,bo@@borg,,Sweden,7B-101,Yes,\n"
TEST = "test,test,test@test.example,,,,,\n"
NOT_ME = "Cara Cold,Cold Ltd,cara@cold.example,,Ireland,7B-101,No,\n"
LIST = HEAD + ANA + BAD + TEST + NOT_ME + ANA
Crm = Callable[..., str]


@pytest.fixture
def crm(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Crm:
    """Run a command in a folder with one list, on a show with one exporter; return what it prints."""
    with db.writing() as session:
        show = Exhibition(code="SHOW", names={"en": "Show"}, starts_on=date(2026, 11, 11), ends_on=date(2026, 11, 14))
        firm = Exporter(code="GAON", names={"en": "Gaon"}, sender_email="a@b.example", created_at=NOW)
        session.add_all([show, firm])
        session.flush()
        session.add(Booth(exhibition_id=show.id, exporter_id=firm.id, number="7B-101"))
    monkeypatch.setenv("IEUM_DATABASE__URL", db.url)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.csv").write_text(LIST, "utf-8")

    def command(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        found = run(list(words))
        printed = capsys.readouterr()
        assert found == code, printed.out + printed.err
        return printed.out if "--json" in words or "--json-lines" in words else printed.out + printed.err

    return command


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_has_one_object_a_file_with_every_row(crm: Crm) -> None:
    (report,) = objects(crm("import", "list.csv", "--exhibition", "SHOW", "--json"))
    assert report["file"] == "list.csv"
    assert report["counts"]["refused"] == 2
    ana, bad, test, cold, again = report["rows"]
    assert (ana["row"], ana["sheet"], ana["outcome"]) == (2, None, "added")
    assert ana["facts"]["emails"] == ["ana@flores.example"]
    assert ana["facts"]["consent_privacy"] is True
    assert ana["facts"]["extra"] == {"Favourite colour": "red"}
    assert "exporter_ids" not in ana["facts"]
    assert "mobile" not in ana["facts"]
    assert "email_invalid" in bad["warnings"]
    assert "bo@@borg" in " ".join(bad["messages"])
    assert (test["outcome"], test["reason"]) == ("refused", "test_row")
    assert cold["reason"] == "consent_privacy_refused"
    assert cold.keys() == {"row", "sheet", "outcome", "reason", "messages"}
    assert again["duplicate_of"] == {"row": 2, "sheet": None}
    assert again["contact"] == ana["contact"]


def test_json_lines_print_the_rows_as_they_come_and_the_file_last(crm: Crm) -> None:
    *rows, report = objects(crm("import", "list.csv", "--exhibition", "SHOW", "--json-lines"))
    assert [row["row"] for row in rows] == [2, 3, 4, 5, 6]
    assert {row["file"] for row in rows} == {"list.csv"}
    assert "rows" not in report
    assert report["counts"]["found"] == 5


def test_a_dry_run_tells_the_same_and_stores_nothing(crm: Crm) -> None:
    (planned,) = objects(crm("import", "list.csv", "--exhibition", "SHOW", "--dry-run", "--json"))
    assert planned["batch"] is None
    assert "contact" not in planned["rows"][0]
    assert objects(crm("contacts", "list", "--json")) == []
    (done,) = objects(crm("import", "list.csv", "--exhibition", "SHOW", "--json"))
    assert done["counts"] == planned["counts"]


def test_contacts_name_the_rows_they_are_made_of(crm: Crm) -> None:
    crm("import", "list.csv", "--exhibition", "SHOW")
    ana, _bo = objects(crm("contacts", "list", "--json"))
    assert ana["sources"] == [
        {"file": "list.csv", "sheet": None, "row": 2},
        {"file": "list.csv", "sheet": None, "row": 6},
    ]


def test_a_column_can_be_mapped_and_left_alone(crm: Crm) -> None:
    mapped = ("--map", "Favourite colour=interests", "--map", "Country=")
    (report,) = objects(crm("import", "list.csv", "--exhibition", "SHOW", "--dry-run", "--json", *mapped))
    facts = report["rows"][0]["facts"]
    assert facts["interests"] == ["red"]
    assert facts["extra"] == {"Country": "Spain"}


def test_encoding_delimiter_and_header_line_can_be_named(crm: Crm, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_bytes(("a|b|c\n" + LIST.replace(",", "|")).encode("utf-16"))
    named = ("--encoding", "utf-16", "--delimiter", "|", "--header-row", "2", "--kind", "card", "--country", "es")
    (report,) = objects(crm("import", "odd.csv", "--exhibition", "SHOW", "--dry-run", "--json", *named))
    assert report["profile"]["delimiter"] == "|"
    assert report["profile"]["sheets"][0]["header_row"] == 2
    assert report["counts"]["added"] == 2


def test_a_sheet_can_be_skipped(crm: Crm, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for name, person in (("Day 1", "ana"), ("Day 2", "bo")):
        sheet = book.create_sheet(name)
        sheet.append(["Name", "Company", "Email"])
        sheet.append([person, "Firm", f"{person}@firm.example"])
    book.save(tmp_path / "days.xlsx")
    found = crm("import", "days.xlsx", "--exhibition", "SHOW", "--dry-run", "--json", "--skip-sheet", "Day 1")
    assert [row["sheet"] for row in objects(found)[0]["rows"]] == ["Day 2"]


def test_a_remembered_mapping_is_used_and_said(crm: Crm, db: Database, tmp_path: Path) -> None:
    from crm.imports import contactlist, sources

    with db.writing() as session:
        listed = contactlist.open_list(LIST.encode(), "list.csv")
        sources.remember(session, listed.profile, now=NOW, by="hana@example.com")
        saved = session.exec(select(SavedMapping)).one()
        saved.columns = {**saved.columns, "Favourite colour": "interests"}
    assert "hana@example.com" in crm("import", "list.csv", "--exhibition", "SHOW")
    assert objects(crm("contacts", "list", "--json"))[0]["interests"] == ["red"]


def test_rows_that_were_refused_are_written_to_a_workbook_that_can_be_mended(crm: Crm, tmp_path: Path) -> None:
    crm("import", "list.csv", "--exhibition", "SHOW")
    said = crm("import", "rows", "1", "--refused", "--output", "bad.xlsx")
    assert "2 rows were written to bad.xlsx" in said
    rows = [list(row) for row in openpyxl.load_workbook(tmp_path / "bad.xlsx").active.values]
    assert rows[0][:4] == ["Reason (Ieum)", "Original row (Ieum)", "Name", "Company"]
    assert [row[1] for row in rows[1:]] == ["4", "5"]
    assert rows[2][2:] == [None] * 8
    crm("import", "rows", "1", "--output", "all.xlsx")
    book = openpyxl.load_workbook(tmp_path / "all.xlsx")
    assert [row[1] for row in list(book.active.values)[1:]] == ["3", "4", "5"]
    book.active["E2"] = "bo@borg.example"
    book.save(tmp_path / "all.xlsx")
    (report,) = objects(crm("import", "all.xlsx", "--exhibition", "SHOW", "--json"))
    assert (report["rows"][0]["outcome"], report["rows"][0]["facts"]["emails"]) == ("merged", ["bo@borg.example"])
    assert "extra" not in report["rows"][0]["facts"]


def test_rows_of_a_batch_are_printed_in_file_order(crm: Crm, db: Database) -> None:
    crm("import", "list.csv", "--exhibition", "SHOW")
    assert [row["row"] for row in objects(crm("import", "rows", "1", "--json"))] == [2, 3, 4, 5, 6]
    assert [row["row"] for row in objects(crm("import", "rows", "1", "--refused", "--json"))] == [4, 5]
    with db.reading() as session:
        ids = session.exec(select(ImportRow.number).order_by(ImportRow.id)).all()  # type: ignore[arg-type]
        assert list(ids) == [2, 3, 4, 5, 6]


def test_a_list_of_long_ago_can_still_be_taken_back_here(crm: Crm, db: Database) -> None:
    crm("import", "list.csv", "--exhibition", "SHOW")
    with db.writing() as session:
        session.exec(select(ImportBatch)).one().created_at = NOW - timedelta(days=400)
    crm("import", "undo", "1")
    with db.reading() as session:
        assert session.exec(select(ImportBatch.status)).one() == "undone"


def test_undo_takes_a_batch_back(crm: Crm) -> None:
    crm("import", "list.csv", "--exhibition", "SHOW")
    crm("import", "undo", "1")
    assert objects(crm("contacts", "list", "--json")) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import", "nowhere.csv", "--exhibition", "SHOW"], "nowhere.csv"),
        (["import", ".", "--exhibition", "SHOW"], "folder"),
        (["import", "list.csv"], "--exhibition"),
        (["import", "list.csv", "--exhibition", "NONE"], "NONE"),
        (["import", "list.csv", "--exhibition", "SHOW", "--exporter", "NOBODY"], "NOBODY"),
        (["import", "list.csv", "--exhibition", "SHOW", "--map", "Name"], "HEADER=FIELD"),
        (["import", "list.csv", "--exhibition", "SHOW", "--map", "Name=shoe_size"], "shoe_size"),
        (["import", "list.csv", "--exhibition", "SHOW", "--header-row", "two"], "two"),
        (["import", "list.csv", "--exhibition", "SHOW", "--kind", "letters"], "letters"),
        (["import", "list.csv", "--exhibition", "SHOW", "--encoding", "klingon"], "klingon"),
        (["import", "picture.csv", "--exhibition", "SHOW"], "picture.csv"),
        (["import", "rows", "x"], "crm import rows BATCH"),
        (["import", "rows", "99"], "99"),
        (["import", "undo"], "crm import undo BATCH"),
    ],
)
def test_a_mistake_ends_in_one_sentence_that_names_it(crm: Crm, tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(2_000))
    code = 1 if words[-1] == "99" or words[-1] in ("NONE", "NOBODY") else 2
    printed = crm(*words, code=code)
    assert said in printed
    assert "Traceback" not in printed
    assert len(printed.strip().splitlines()) <= 2


def test_a_workbook_cannot_be_written_where_there_is_no_folder(crm: Crm) -> None:
    crm("import", "list.csv", "--exhibition", "SHOW")
    assert "nowhere" in crm("import", "rows", "1", "--output", "nowhere/bad.xlsx", code=2)
