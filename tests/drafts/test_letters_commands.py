"""``crm letters``: a letter out to a folder and in again, from the folder or from a zip of it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from crm.cli.app import run
from crm.core.config import ROOT
from crm.core.db import Database
from crm.drafts import archive

SHIPPED = ROOT / "templates" / "mail" / "reminder"
Command = Callable[..., int]


@pytest.fixture
def crm(sqlite_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command on a database of its own and letters of its own."""
    shutil.copytree(ROOT / "templates" / "mail", tmp_path / "mail")
    config = tmp_path / "config.toml"
    config.write_text(f'templates_dir = "{tmp_path / "mail"}"\n[database]\nurl = "{sqlite_db.url}"\n', encoding="utf-8")
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    return lambda *words: run(["--config", str(config), "letters", *map(str, words)])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_exported_letter_is_the_folder_byte_for_byte(crm: Command, tmp_path: Path) -> None:
    assert crm("export", "reminder", "--to", tmp_path / "out") == 0
    assert contents(tmp_path / "out" / "reminder") == contents(SHIPPED)


def test_files_that_are_there_are_replaced_only_when_asked(
    crm: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crm("export", "reminder", "--to", tmp_path)
    assert crm("export", "reminder", "--to", tmp_path) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert crm("export", "reminder", "--to", tmp_path, "--overwrite") == 0


def test_a_changed_folder_comes_in_as_a_version_and_goes_out_again(crm: Command, tmp_path: Path) -> None:
    crm("export", "reminder", "--to", tmp_path)
    path = tmp_path / "reminder" / "en.md"
    path.write_text(path.read_text("utf-8") + "\nPS\n", encoding="utf-8")
    assert crm("import", tmp_path / "reminder", "--why", "by hand") == 0
    assert crm("export", "reminder", "--to", tmp_path / "out") == 0
    after = contents(tmp_path / "out" / "reminder")
    assert after["en.md"] == path.read_bytes()
    assert b"en:" not in after["approvals.yaml"]
    assert b"es:" in after["approvals.yaml"]


def test_a_zip_comes_in_too(crm: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "reminder.zip"
    path.write_bytes(archive.zipped(*archive.from_folder(SHIPPED)._replace(name="nudge")))
    assert crm("import", path, "--why", "another") == 0
    capsys.readouterr()
    assert crm("list", "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [nudge] = [row for row in rows if row["letter"] == "nudge"]
    assert {nudge[language] for language in ("ko", "en", "zh-Hans", "zh-Hant", "ja", "es")} == {"approved"}


def test_what_is_no_letter_is_refused_with_a_sentence(
    crm: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"nothing")
    assert crm("import", path, "--why", "x") == 2
    assert crm("import", tmp_path / "missing", "--why", "x") == 2
    assert crm("export", "nothing") == 1
    assert "Traceback" not in capsys.readouterr().err


def test_the_same_letter_again_changes_nothing(crm: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert crm("import", SHIPPED, "--why", "x") == 0
    assert "nothing was changed" in capsys.readouterr().err
