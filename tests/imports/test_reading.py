"""Opening files: container, encoding, delimiter, header line, and what is refused with a reason."""

import io
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from crm.core.errors import BadInput
from crm.imports import encodings, spool
from crm.imports.reading import container, open_source
from crm.imports.records import Cell
from tests.imports.conftest import SAMPLES
from tests.imports.readkit import Read, Row, read
from tests.imports.workbookkit import ods, xlsb

KOREAN = "성명,회사명,이메일,휴대폰\n김하나,㈜한빛상사,hana@hanbit.example,010-0000-0001\n"


def _read(text: str | bytes, filename: str = "list.csv", **options: object) -> Read:
    return read(text, filename, **options)  # type: ignore[arg-type]


def _only(text: str | bytes, **options: object) -> Row:
    [row] = _read(text, **options).rows
    return row


def _workbook(fill: Callable[[xlsxwriter.Workbook], None], **options: object) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, options) as book:
        fill(book)
    return buffer.getvalue()


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp949", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_encoding_gives_the_same_row(codec: str) -> None:
    row = _only(KOREAN.encode(codec))
    assert (row.full_name, row.company, row.mobile) == ("김하나", "(주)한빛상사", "+821000000001")


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("氏名,会社名,メール\n髙橋 健一,株式会社ハナ,t@hana.example\n", "cp932"),
        ("氏名,会社名,メール\n田中 健一,株式会社ハナ,t@hana.example\n", "euc_jp"),
        ("姓名,公司,邮箱\n王小明,上海沐禾有限公司,w@muhe.example\n", "gb18030"),
        ("姓名,公司,電子郵件\n林佳穎,采悅生技股份有限公司,l@tsai.example\n", "cp950"),
        ("Nombre,Empresa,Correo electrónico\nAna Peña,Compañía Ñu,a@nu.example\n", "cp1252"),
    ],
)
def test_a_legacy_encoding_is_recognised_and_said_to_be_a_guess(text: str, codec: str) -> None:
    result = _read(text.encode(codec))
    assert result.profile.encoding == codec
    assert "encoding_guessed" in [note.code for note in result.profile.notes]
    assert result.rows[0].full_name == text.splitlines()[1].split(",")[0].replace(" ", " ")


def test_damaged_korean_is_still_read_as_korean() -> None:
    damaged = KOREAN.encode("cp949").replace("상사".encode("cp949"), "상사".encode("cp949")[:-1])
    result = _read(damaged)
    assert result.profile.encoding == "cp949"
    assert result.rows[0].warnings == ["undecodable_text"]
    assert {note.code for note in result.profile.notes} >= {"encoding_damaged", "encoding_guessed"}


def test_the_user_may_name_the_encoding() -> None:
    assert _read(KOREAN.encode("cp949"), encoding="cp949").profile.notes[0].code != "encoding_guessed"
    with pytest.raises(BadInput, match="klingon"):
        _read(KOREAN, encoding="klingon")


@given(st.binary(max_size=200))
def test_decoding_never_fails(data: bytes) -> None:
    assert isinstance(encodings.decode(data).text, str)


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    assert _only(KOREAN.replace(",", delimiter)).emails == ["hana@hanbit.example"]


def test_title_lines_above_the_header_are_skipped_and_counted() -> None:
    result = _read("2026 명단\n출력일 2026-11-14,,담당\n\n" + KOREAN)
    assert [line.code for line in result.skipped] == ["title_row", "title_row", "blank_row"]
    assert result.profile.header_row == 4


def test_a_quoted_cell_with_line_breaks_is_one_record() -> None:
    row = _only('Name,Company,Email,Notes\nA B,C,a@c.example,"one\ntwo ""three"""\n')
    assert row.notes == 'one\ntwo "three"'


def test_a_quote_that_is_never_closed_is_refused_with_its_line() -> None:
    with pytest.raises(BadInput) as caught:
        _read('Name,Company,Email\nA,B,a@b.example\nC,"D,c@d.example\nE,F,e@f.example\n')
    [problem] = caught.value.problems
    assert (problem.code, problem.place.line) == ("open_quote", 3)


def test_more_cells_than_the_header_are_refused_not_shifted() -> None:
    result = _read("Name,Company,Email\nA,B, Inc.,a@b.example\nC D,E,c@e.example\n")
    assert [(bad.row, bad.code) for bad in result.refused] == [(2, "row_shape")]
    assert result.rows[0].full_name == "C D"


def test_a_delimiter_at_the_end_of_every_line_is_no_extra_cell() -> None:
    result = _read("Name,Company,Email\nA B,C,a@b.example,\nD E,F,d@f.example,\n")
    assert (len(result.rows), result.refused) == (2, [])


def test_unknown_columns_are_kept_with_their_rows() -> None:
    result = _read("Name,Company,Email,Do you own a dog?\nA B,C,a@b.example,two\n")
    assert result.rows[0].extra == {"Do you own a dog?": "two"}
    assert "unknown_columns" in [note.code for note in result.profile.notes]


def test_a_column_may_be_chosen_by_hand() -> None:
    row = _only("Name,Company,Email,Rank\nA B,C,a@b.example,Boss\n", columns={"Rank": "title", "Company": ""})
    assert (row.title, row.company, row.extra) == ("Boss", "", {"Company": "C"})
    with pytest.raises(BadInput, match="shoe_size"):
        _read(KOREAN, columns={"성명": "shoe_size"})


def test_identity_numbers_are_never_kept_not_even_raw() -> None:
    row = _only("성명,회사명,이메일,주민등록번호\n김하나,한빛,a@b.example,900101-2000000\n")
    assert row.warnings == ["sensitive_dropped"]
    assert "900101" not in str(row)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"  \n ", "empty_file"),
        (b"one\ntwo\nthree\n", "no_header"),
        (b"PK\x03\x04 not a workbook", "workbook_unreadable"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "workbook_unreadable"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "encrypted_workbook"),
        (b"<html><body><p>Name</p></body></html>", "html_not_read"),
        (b"%PDF-1.7\nName,Company,Email\n", "foreign_file"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_file_and_a_reason(data: bytes, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        _read(data, "some.file")
    assert caught.value.code == code
    assert caught.value.problems[0].place.file == "some.file"


def test_a_workbook_that_explodes_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            for _megabyte in range(450):
                part.write(bytes(1 << 20))
    with pytest.raises(BadInput) as caught:
        _read(buffer.getvalue(), "bomb.xlsx")
    assert caught.value.code == "workbook_too_heavy"


def test_a_workbook_with_a_document_type_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook>&a;</workbook>')
    with pytest.raises(BadInput):
        _read(buffer.getvalue(), "evil.xlsx")


def test_numbers_of_a_workbook_lose_neither_digits_nor_zeros() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("명단")
        sheet.write_row(0, 0, ["성명", "회사명", "휴대폰", "우편번호", "국가"])
        sheet.write_row(1, 0, ["김하나", "한빛", 1000000001, 4524, "KR"])

    row = _only(_workbook(fill), filename="list.xlsx")
    assert (row.mobile, row.postal_code) == ("+821000000001", "04524")
    assert "phone_zero_restored" in row.warnings


def test_merged_hidden_and_linked_cells_of_a_workbook_are_read() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("Buyers")
        sheet.write_row(0, 0, ["Company", "Name", "Email"])
        sheet.merge_range("A2:A3", "Flores SA")
        sheet.write_row(1, 1, ["Ana López", "ana@flores.example"])
        sheet.write_string(2, 1, "Luis Gil")
        sheet.write_url(2, 2, "mailto:luis@flores.example?subject=Hi", string="E-mail ▶")
        sheet.set_row(2, None, None, {"hidden": True})
        book.add_worksheet("Empty")

    result = _read(_workbook(fill), "list.xlsx")
    assert [(row.company, row.emails) for row in result.rows] == [
        ("Flores SA", ["ana@flores.example"]),
        ("Flores SA", ["luis@flores.example"]),
    ]
    assert set(result.rows[1].warnings) == {"merged_cell_filled", "hidden_row", "email_from_hyperlink"}
    assert {"hidden_rows", "sheet_skipped"} <= {note.code for note in result.profile.notes}


def test_a_workbook_that_counts_from_1904_gives_the_same_day() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Name", "Company", "Meeting Date"])
        sheet.write_row(1, 0, ["A B", "C", 44878])

    result = _read(_workbook(fill, date_1904=True), "list.xlsx")
    assert result.rows[0].met_at == "2026-11-14"
    assert "date_1904" in [note.code for note in result.profile.notes]


def test_the_home_country_follows_the_headers_and_is_said() -> None:
    result = _read(KOREAN)
    assert (result.profile.suggested_home, result.rows[0].country) == ("KR", "KR")
    assert "home_guessed" in [note.code for note in result.profile.notes]
    assert _read(KOREAN, home_country="").rows[0].warnings == ["phone_invalid"]


cells = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)


@given(st.lists(st.lists(cells, min_size=1, max_size=5), max_size=8))
def test_every_line_ends_up_in_exactly_one_heap(lines: list[list[str]]) -> None:
    quoted = ["Name,Company,Email,Phone"]
    quoted += [",".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines]
    result = _read("\n".join(quoted))
    heaps = [*(row.row for row in result.rows), *(bad.row for bad in result.refused)]
    heaps += [line.row for line in result.skipped]
    assert sorted(heaps) == list(range(2, result.profile.sheets[0].records + 1))


TABLE = [["성명", "회사명", "휴대폰"], ["김하나", "한빛", 1000000001.0], ["이두리", "", 2.5]]
READ = [["성명", "회사명", "휴대폰"], ["김하나", "한빛", 1000000001], ["이두리", "", 2.5]]


def test_an_open_document_is_read_sheet_by_sheet() -> None:
    source = open_source(ods({"명단": TABLE, "둘": TABLE[:1]}), "list.csv")
    assert (source.format, [table.sheet for table in source.tables]) == ("ods", ["명단", "둘"])
    assert [*source.tables[0].records()] == READ


def test_a_binary_workbook_is_read() -> None:
    source = open_source(xlsb("명단", TABLE), "list.xlsb")
    assert (source.format, [*source.tables[0].records()]) == ("xlsb", READ)


def test_an_old_workbook_is_read_with_its_dates_and_merged_cells() -> None:
    """samples/visitors.xls was made once with xlwt 1.3: a title line, a header, a company cell merged over two rows."""
    [table] = open_source((SAMPLES / "visitors.xls").read_bytes(), "visitors.xls").tables
    assert table.head[2] == ["김하나", "(주)한빛상사", 1000000001, "hana@hanbit.example", date(2026, 11, 14)]
    assert (table.head[3][1], table.filled) == ("(주)한빛상사", {(3, 1)})


def test_an_old_workbook_with_a_password_is_told_apart() -> None:
    data = bytearray((SAMPLES / "visitors.xls").read_bytes())
    place = data.index(b"\x42\x00\x02\x00\xb0\x04")
    data[place] = 0x2F  # the record that says so, in place of the code page
    with pytest.raises(BadInput) as caught:
        open_source(bytes(data), "visitors.xls")
    assert caught.value.code == "encrypted_old_workbook"


PAGE = """<html><head><meta charset="euc-kr"><style>td {color: red}</style></head><body><table border=1>
<tr><th>성명<th>회사명<th colspan="2">연락처</tr>
<tr><td>김하나</td><td rowspan="2">한빛&amp;상사</td><td>010-0000-0001<td>
<a href="mailto:hana@hanbit.example">메일</a></tr>
<tr style="display:none"><td>이<br>두리</td><td>010-0000-0002</td><td>duri@hanbit.example</td></tr>
</table></body></html>"""


@pytest.mark.parametrize("codec", ["cp949", "utf-8", "utf-16"])
def test_a_web_page_with_a_table_is_read_like_a_workbook(codec: str) -> None:
    source = open_source(PAGE.encode(codec), "list.xls")
    [table] = source.tables
    assert source.format == "html"
    assert [*table.records()] == [
        ["성명", "회사명", "연락처", ""],
        ["김하나", "한빛&상사", "010-0000-0001", "메일"],
        ["이\n두리", "한빛&상사", "010-0000-0002", "duri@hanbit.example"],
    ]
    assert (table.filled, table.across[(0, 3)], table.hidden_rows) == ({(2, 1)}, "연락처", {2})
    assert table.links == {(1, 3): "hana@hanbit.example"}


def test_a_page_of_two_tables_is_a_workbook_of_two_sheets() -> None:
    page = b"<table><tr><td>Title</td></tr></table><table><tr><td>Name</td><td>Email</td></tr></table>"
    assert [(table.sheet, table.head) for table in open_source(page, "list.xls").tables] == [
        ("1", [["Title"]]),
        ("2", [["Name", "Email"]]),
    ]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"PK\x03\x04", "zip"),
        (b"PK,Name\n", "csv"),
        (b"\xd0\xcf\x11\xe0", "ole"),
        (b"\xef\xbb\xbfbegin:vcard\n", "vcard"),
        ("BEGIN:VCARD\n".encode("utf-16"), "vcard"),
        (b" \n<TABLE>", "html"),
        (b"Name,Company\n", "csv"),
    ],
)
def test_the_content_says_what_a_file_is(data: bytes, found: str) -> None:
    assert container(data) == found


def test_every_pass_over_a_table_begins_anew() -> None:
    for data in (KOREAN.encode(), ods({"S": TABLE})):
        [table] = open_source(data, "list").tables
        first, second = table.records(), table.records()
        assert next(first) == next(second)
        assert [*first] == [*second]
        assert table.head == [*table.records()]


def test_a_delimiter_may_be_chosen() -> None:
    [table] = open_source(b"a:b,c\n1:2,3\n", "list.csv", delimiter=":").tables
    assert [*table.records()] == [["a", "b,c"], ["1", "2,3"]]
    for sign in ("::", '"', "\n"):
        with pytest.raises(BadInput) as caught:
            open_source(b"a,b\n", "list.csv", delimiter=sign)
        assert caught.value.code == "unknown_delimiter"


def test_the_delimiter_of_unknown_columns_is_the_one_of_even_rows() -> None:
    source = open_source(b"Foo;Bar\na, b, c;1\nd;2\n", "list.csv")
    assert source.delimiter == ";"


def test_an_open_quote_is_found_behind_sloppy_ones() -> None:
    with pytest.raises(BadInput) as caught:
        open_source(b'Name,Size\n"5"inch,1\nA,"2\nB,3\n', "list.csv")
    assert caught.value.problems[0].place.line == 3


def test_more_rows_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.imports.delimited.MAX_ROWS", 10)
    assert len([*open_source(b"a,b\n" * 35, "list.csv").tables[0].records()]) == 35
    with pytest.raises(BadInput) as caught:
        open_source(b"a,b\n" * 37, "list.csv")
    assert caught.value.code == "too_many_rows"


values = st.one_of(
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=8),
    st.booleans(),
    st.integers(-(10**14), 10**14).map(float),
    st.datetimes().map(lambda moment: moment.replace(microsecond=0)),
    st.dates(),
    st.times(),
)


@given(st.lists(st.lists(values, max_size=5), max_size=30))
def test_what_goes_through_the_spool_comes_back_the_same(rows: list[list[Cell]]) -> None:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the spool closes it
    writer = spool.SheetWriter(file, "S", [], [], [])
    for row in rows:
        writer.write(list(row))
    spool.finish(file, {"sheets": [writer.close()]})
    [table] = spool.Spool(file).tables()
    wanted = [list(row) for row in rows]
    for row in wanted:
        while row and row[-1] == "":
            row.pop()
    while wanted and not wanted[-1]:
        wanted.pop()
    assert [*table.records()] == wanted
