"""Long lists are read by a second process; what comes of it must be what one process would have read."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest
import xlsxwriter

from crm.imports import ahead
from crm.imports.cleaning import TableCleaner
from crm.imports.contactlist import open_list

SHOW = 7
HEAD = ["성명", "회사명", "이메일", "휴대폰", "국가", "수신동의", "경로"]


def _cells(number: int) -> list[str]:
    if number % 50 == 0:
        return ["", "", "", "", "", "", "웹"]  # nobody: refused
    if number % 70 == 0:
        return [""] * 7  # blank: skipped
    phone = "010-12" if number % 9 == 0 else f"010-1234-{number:04d}"
    return [f"김{number}", f"㈜한빛{number % 40}", f"p{number}@hanbit.example", phone, "한국", "Y", "부스"]


@pytest.fixture(params=["csv", "xlsx"])
def cleaners(request: pytest.FixtureRequest, tmp_path: Path) -> list[TableCleaner]:
    rows = [HEAD, *map(_cells, range(1, ahead.LEAST_ROWS + 500))]
    path = tmp_path / f"list.{request.param}"
    if request.param == "csv":
        path.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    else:
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet("방문객")
            for line, row in enumerate(rows):
                sheet.write_row(line, 0, row)
    return [*open_list(path.read_bytes(), path.name).cleaners]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list["subprocess.Popen[bytes]"]:
    """The second processes that were begun."""
    found: list[subprocess.Popen[bytes]] = []
    begin = ahead._helper

    def remembered(file: IO[bytes]) -> "subprocess.Popen[bytes]":
        found.append(begin(file))
        return found[-1]

    monkeypatch.setattr(ahead, "_helper", remembered)
    return found


def _told(portions: Iterator[list[ahead.Prepared]]) -> list[object]:
    return [
        (replace(one.row, raw=[]), one.told.parts(), one.keys, one.facts, one.raw)
        for portion in portions
        for one in portion
    ]


def _here(cleaners: list[TableCleaner]) -> list[object]:
    return _told(iter([[ahead.prepare(row, SHOW) for row in cleaner.lines()] for cleaner in cleaners]))


def test_a_second_process_reads_what_this_one_would(
    cleaners: list[TableCleaner], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = _here(cleaners)
    monkeypatch.setattr(TableCleaner, "lines", None)  # here nothing is read any more
    assert _told(ahead.portions(cleaners, SHOW)) == wanted


def test_when_the_second_process_dies_the_rest_is_read_here(
    cleaners: list[TableCleaner], begun: list["subprocess.Popen[bytes]"]
) -> None:
    portions = ahead.portions(cleaners, SHOW)
    first = next(portions)
    begun[0].kill()
    begun[0].wait()
    assert _told(iter([first, *portions])) == _here(cleaners)


def test_where_no_second_process_can_be_begun_all_is_read_here(
    cleaners: list[TableCleaner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead.sys, "executable", "/there/is/no/python")
    assert _told(ahead.portions(cleaners, SHOW)) == _here(cleaners)


def test_a_second_process_does_not_outlive_an_import_that_ended_early(
    cleaners: list[TableCleaner], begun: list["subprocess.Popen[bytes]"]
) -> None:
    portions = ahead.portions(cleaners, SHOW)
    next(portions)
    portions.close()  # type: ignore[attr-defined]
    assert begun[0].poll() is not None


def test_a_short_list_is_read_without_a_second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_helper", None)
    listed = open_list("성명,이메일\n김하나,hana@hanbit.example\n".encode(), "list.csv")
    [[one]] = list(ahead.portions(listed.cleaners, SHOW))
    assert one.row.facts["full_name"] == "김하나"
