"""Files made to hurt: each ends with a clear sentence or is read right, soon, in little memory, and leaves nothing.

"Soon" is processor time. What a file costs is the same on any day; how long it takes on the clock depends on who else
uses the machine, and an honest list must not be refused (nor a test fail) for that.
"""

import io
import json
import os
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from crm.core.errors import BadInput
from crm.imports import workbooks
from crm.imports.limits import CHILD_CPU_SECONDS, CHILD_SECONDS, MAX_BYTES
from crm.imports.reading import open_source
from crm.imports.records import FileUnreadable
from tests.imports.workbookkit import MAIN, cell, ods, xlsx, zipped

CPU_SECONDS, MEGABYTES = 10.0, 1000.0
HEADER = b"Name,Company,Email\n"
LAUGHS = "<!DOCTYPE l [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{('&' + chr(97 + n) + ';') * 10}'>" for n in range(10)
)
LAUGHS += "]>"
SECRET = '<!DOCTYPE x [<!ENTITY k SYSTEM "file:///etc/passwd">]>'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place for temporary files, to see that none stays."""
    found = tmp_path / "temporary"
    found.mkdir()
    monkeypatch.setenv("TMPDIR", str(found))
    monkeypatch.setattr("tempfile.tempdir", None)
    return found


def _ends_with(data: bytes, code: str, folder: Path, filename: str = "list.xlsx") -> str:
    with pytest.raises(BadInput) as caught:
        open_source(data, filename)
    assert caught.value.code == code
    assert caught.value.problems[0].place.file == filename
    assert list(folder.iterdir()) == []
    return str(caught.value)


def _measured(data: bytes, tmp_path: Path, folder: Path) -> dict[str, Any]:
    """Read a file in a process of its own and hold it to the limits of processor time and memory."""
    path = tmp_path / "list"
    path.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-m", "tests.imports.probe", str(path)], capture_output=True, text=True, check=True,
        env=os.environ | {"TMPDIR": str(folder)},
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["seconds"] < CPU_SECONDS
    assert told["megabytes"] < MEGABYTES
    assert list(folder.iterdir()) == []
    return told


def _rows(count: int, row: str) -> str:
    return f"<row>{row}</row>" * count


def _huge_member(name: str, megabytes: int) -> bytes:
    """Return a zip whose one member unpacks to that much; made of one compressed block over and over."""
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = press.compress(b" " * (1 << 20)) + press.flush(zlib.Z_FULL_FLUSH)
    packed = block * megabytes + zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    size = megabytes << 20
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 33, 0, len(packed), size, len(name), 0)
    member = local + name.encode() + packed
    entry = struct.pack(
        "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, 0, len(packed), size, len(name), 0, 0, 0, 0, 0, 0
    )
    central = entry + name.encode()
    return member + central + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(member), 0)


@pytest.mark.parametrize("name", ["xl/worksheets/sheet1.xml", "content.xml"])
def test_a_sheet_of_two_gigabytes_is_refused_before_it_is_unpacked(name: str, folder: Path) -> None:
    _ends_with(_huge_member(name, 2047), "workbook_too_heavy", folder)


def test_a_bomb_just_below_the_limit_stays_within_time_and_memory(tmp_path: Path, folder: Path) -> None:
    told = _measured(xlsx(_rows(190_000, cell("", "x") * 50)), tmp_path, folder)
    assert told["code"] == "workbook_too_heavy"


@pytest.mark.parametrize(
    "rows",
    [
        f'<row r="1">{cell("A1", "x")}</row><row r="1048576">{cell("XFD1048576", "y")}</row>',
        f'<row r="1">{"".join(cell("", str(n)) for n in range(1_000_000))}</row>',
        "".join(f'<row r="{n}">{cell(f"XFD{n}", "y")}</row>' for n in range(1, 150_001)),
    ],
    ids=["two corners", "a million columns", "the last column only"],
)
def test_a_sheet_far_wider_than_a_list_ends_in_time(rows: str, tmp_path: Path, folder: Path) -> None:
    told = _measured(xlsx(rows), tmp_path, folder)
    assert told["code"] in ("workbook_too_heavy", "too_many_columns", "workbook_unreadable")


def test_a_merged_range_over_everything_is_refused(folder: Path) -> None:
    rows = "".join(f'<row r="{n}">{cell(f"A{n}", "v")}</row>' for n in range(1, 101))
    merges = "".join(f'<mergeCell ref="A{n}:XFD{n}"/>' for n in range(1, 101))
    _ends_with(xlsx(rows, after=f"<mergeCells>{merges}</mergeCells>"), "workbook_too_heavy", folder)


def test_a_workbook_cut_off_in_transfer_is_refused(folder: Path) -> None:
    whole = xlsx(_rows(1000, cell("", "Kim")))
    sentence = _ends_with(whole[: len(whole) // 2], "workbook_unreadable", folder)
    assert sentence.startswith("list.xlsx: ")


@pytest.mark.parametrize("doctype", [LAUGHS, SECRET], ids=["billion laughs", "external entity"])
@pytest.mark.parametrize("where", ["book", "sheet", "strings", "ods"])
def test_entities_of_the_xml_are_never_resolved(doctype: str, where: str, folder: Path) -> None:
    rows = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    if where == "ods":
        data = zipped({"content.xml": doctype + "<x>&k;</x>"})
    elif where == "strings":
        strings = f'{doctype}<sst xmlns="{MAIN}"><si><t>&k;</t></si></sst>'
        with zipfile.ZipFile(io.BytesIO(xlsx(rows))) as archive:
            parts: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
        data = zipped(parts | {"xl/sharedStrings.xml": strings})
    else:
        before = {"before" if where == "sheet" else "book_before": doctype}
        data = xlsx(f'<row r="1">{cell("A1", "&k;")}</row>', name="&k;" if where == "book" else "S", **before)
    _ends_with(data, "workbook_unreadable", folder)


def test_a_link_inside_the_archive_is_not_followed(folder: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx(""))) as model, zipfile.ZipFile(buffer, "w") as archive:
        for name in model.namelist():
            entry = zipfile.ZipInfo(name)
            if name.endswith("sheet1.xml"):
                entry.external_attr = (stat.S_IFLNK | 0o777) << 16
                archive.writestr(entry, "/etc/passwd")
            else:
                archive.writestr(entry, model.read(name))
    _ends_with(buffer.getvalue(), "workbook_unreadable", folder)


def test_an_archive_that_is_no_workbook_says_so(folder: Path) -> None:
    assert "압축 파일" in _ends_with(zipped({"a.csv": "Name,Company,Email"}), "no_workbook", folder, "lists.zip")


def test_a_workbook_with_a_password_says_which_kind_it_is(folder: Path) -> None:
    new = b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    _ends_with(new, "encrypted_workbook", folder)
    begin, password = bytes.fromhex("0908100000060500bb0dcc070000000006000000"), bytes.fromhex("2f000600")
    old = b"\xd0\xcf\x11\xe0" + bytes(508) + begin + password + bytes(90)
    _ends_with(old, "encrypted_old_workbook", folder, "list.xls")


def test_rows_repeated_a_million_times_are_refused(tmp_path: Path, folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(ods({"S": [["x"]]}))) as archive:
        content = archive.read("content.xml").decode()
    content = content.replace("<table:table-cell", '<table:table-cell table:number-columns-repeated="16384"', 1)
    content = content.replace("<table:table-row", '<table:table-row table:number-rows-repeated="1048576"', 1)
    told = _measured(zipped({"content.xml": content, "mimetype": "x"}), tmp_path, folder)
    assert told["code"] in ("workbook_too_heavy", "too_many_rows", "workbook_unreadable")


def test_a_child_that_takes_too_long_on_the_clock_is_stopped(folder: Path) -> None:
    with pytest.raises(FileUnreadable, match="workbook_slow"):
        workbooks.read(xlsx(_rows(1000, cell("", "x"))), "zip", seconds=0.001)
    assert list(folder.iterdir()) == []


def test_formulas_are_never_computed(folder: Path) -> None:
    data = xlsx('<row r="1"><c r="A1"><f>1+1</f><v>7</v></c><c r="B1" t="str"><f>HYPERLINK("x")</f></c></row>')
    [table] = open_source(data, "list.xlsx").tables
    assert [*table.records()] == [[7]]
    [table] = open_source(HEADER + b"=cmd|'/c calc'!A0,B,c@d.example\n", "list.csv").tables
    assert table.head[1][0] == "=cmd|'/c calc'!A0"


def test_zero_bytes_stay_in_their_cells() -> None:
    [table] = open_source(HEADER + b"A\x00,B\x00\x00,a@b.example\n", "list.csv").tables
    assert table.head[1] == ["A\x00", "B\x00\x00", "a@b.example"]


@pytest.mark.parametrize(
    ("data", "code", "records"),
    [
        (HEADER + b'A,B,"' + b"x" * 10_000_000 + b'"\n', "", 2),
        (HEADER + b"," * 1_000_000 + b"\n", "too_many_columns", 0),
        (b"," * (60 << 20), "too_many_columns", 0),
        (HEADER + b'"A' + b",b,c\n" * (12 << 20), "open_quote", 0),
        (b"x" * (60 << 20), "", 1),
        (HEADER + b"\n" * (50 << 20), "too_many_rows", 0),
    ],
    ids=["10 MB cell", "million columns", "only commas", "open quote", "one line", "blank lines"],
)
def test_a_monstrous_csv_ends_in_time(data: bytes, code: str, records: int, tmp_path: Path, folder: Path) -> None:
    told = _measured(data, tmp_path, folder)
    assert (told["code"], told["records"]) == (code, records)


@pytest.mark.parametrize("folded", [True, False], ids=["folded", "in one line"])
def test_a_picture_of_fifty_megabytes_costs_a_card_nothing(folded: bool, tmp_path: Path, folder: Path) -> None:
    photo = b"\r\n ".join([b"/9j/" * 18] * 700_000) if folded else b"A" * (50 << 20)
    card = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Kim\r\nPHOTO;ENCODING=b:%b\r\nEMAIL:a@b.example\r\nEND:VCARD\r\n" % photo
    told = _measured(card, tmp_path, folder)
    assert (told["code"], told["records"]) == ("", 2)
    [table] = open_source(card[:1000] + card[-60:], "cards.vcf").tables
    assert table.head == [["card_state", "full_name", "email"], ["", "Kim", "a@b.example"]]


@pytest.mark.parametrize(
    "line",
    [b"NOTE:" + b"\\," * (20 << 20), b"TEL:1\r\n" * 1_000_000, b'N;A="x' * 3_000_000, b"NOTE:" + b"\r\n x" * 5_000_000],
    ids=["escapes", "numbers", "parameters", "folds"],
)
def test_a_monstrous_card_ends_in_time(line: bytes, tmp_path: Path, folder: Path) -> None:
    told = _measured(b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Kim\r\n" + line + b"\r\nEND:VCARD\r\n", tmp_path, folder)
    assert (told["code"], told["records"]) == ("", 2)


@pytest.mark.parametrize(
    "page",
    [
        b"<table><tr><td>" * 300_000,
        b"<table><tr>" + b"<td rowspan=65534>x" * 1000 + b"</tr>" + b"<tr><td>1" * 60_000,
        b"<table><tr><td>" + b"<a " * (5 << 20),
        b"<table><tr><td>" + b"<!--" * (5 << 20),
    ],
    ids=["nested", "spans", "tags", "comments"],
)
def test_a_monstrous_page_ends_in_time(page: bytes, tmp_path: Path, folder: Path) -> None:
    _measured(page, tmp_path, folder)


def test_more_than_the_limit_is_refused_with_the_limit() -> None:
    with pytest.raises(BadInput, match=str(MAX_BYTES >> 20)):
        open_source(bytes(MAX_BYTES + 1), "list.csv")


def test_the_limit_on_the_clock_leaves_a_busy_machine_time_for_an_honest_file() -> None:
    assert CHILD_CPU_SECONDS < CPU_SECONDS
    assert CHILD_SECONDS > 5 * CHILD_CPU_SECONDS
