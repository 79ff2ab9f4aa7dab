"""Joining two entries, and taking it back, on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from crm.cli.app import run
from crm.core.db import Database
from crm.imports import service
from tests.conftest import NOW
from tests.imports.conftest import hold_a_show
from tests.imports.test_duplicates import ALSO, ANA, HEAD

Command = Callable[..., str]


@pytest.fixture
def crm(
    sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run a command over a house that knows Ana twice, and return what it printed."""
    monkeypatch.setenv("IEUM_DATABASE__URL", sqlite_db.url)
    monkeypatch.setenv("IEUM_WEB__SECRET", "s" * 40)
    monkeypatch.chdir(tmp_path)
    with sqlite_db.writing() as session:
        show = hold_a_show(session)
        for name, text in (("scans.csv", ANA), ("cards.csv", ALSO)):
            data = (HEAD + text).encode()
            service.import_file(session, data, name, service.Purpose(show), now=NOW, by="staff@ieum.example")

    def command(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        found = run(["contacts", *words])
        printed = capsys.readouterr()
        assert found == code, printed.out + printed.err
        return printed.out + printed.err

    return command


def test_the_questions_are_listed_as_json_and_as_a_table(crm: Command) -> None:
    row = json.loads(crm("duplicates", "--json"))
    assert (row["why"], row["one"], row["other"]) == ("name", 1, 2)
    assert (row["one_emails"], row["other_files"]) == (["ana@flores.example"], ["cards.csv"])
    assert "Ana López" in crm("duplicates", "--exhibition", "HANBIT2026")
    assert crm("duplicates", "--why", "mobile", "--json") == ""


def test_two_entries_are_joined_and_parted(crm: Command) -> None:
    done = json.loads(crm("merge", "1", "2", "--keep", "B", "--take", "title=A", "--json"))
    assert (done["kept"], done["gone"]) == (2, 1)
    shown = json.loads(crm("show", "2", "--json"))
    assert (shown["title"], shown["emails"]) == ("Buyer", ["ana@gmail.example", "ana@flores.example"])
    assert crm("duplicates", "--json") == ""
    assert json.loads(crm("part", str(done["merge"]), "--json"))["kept"] == 2
    assert json.loads(crm("show", "2", "--json"))["title"] == "Director"
    assert crm("duplicates", "--json") != ""


def test_mistakes_end_in_a_sentence(crm: Command) -> None:
    assert "title=C" in crm("merge", "1", "2", "--take", "title=C", code=2)
    assert "C" in crm("merge", "1", "2", "--keep", "C", code=2)
    assert "hat" in crm("merge", "1", "2", "--take", "hat=A", code=2)
    crm("merge", "1", "1", code=2)
    crm("merge", "1", "99", code=1)
    crm("part", "99", code=1)
