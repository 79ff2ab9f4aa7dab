"""A list from its header to its rows: what columns are, which lines are data, what is stated and what is said."""

import json
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.core.errors import BadInput
from crm.core.i18n import speaking
from crm.imports import mapping
from crm.imports.contactlist import ContactList, open_list
from crm.imports.records import Cell, EventDates, ReadOptions, ReadRow, Source, Table
from crm.imports.texts import SENTENCES, say

EVENT = EventDates(date(2026, 11, 11), date(2026, 11, 14))
NO_HOME = ReadOptions(home_country="")


def _list(text: str, options: ReadOptions = NO_HOME) -> ContactList:
    return open_list(text.encode(), "list.csv", options, EVENT)


def _rows(text: str, options: ReadOptions = NO_HOME) -> list[ReadRow]:
    return list(_list(text, options).lines())


def _only(text: str, options: ReadOptions = NO_HOME) -> ReadRow:
    [row] = _rows(text, options)
    return row


def _held(rows: list[list[Cell]], **more: Any) -> Table:
    return Table(lambda: iter([[*row] for row in rows]), **more)


def _sheet(rows: list[list[Cell]], kind: str = "xlsx", options: ReadOptions = NO_HOME, **more: Any) -> ContactList:
    return open_list(Source(kind, [_held(rows, **more)]), "list", options, EVENT)


def _fields(found: ContactList) -> list[str | None]:
    return [column.field for column in found.profile.sheets[0].columns]


def _codes(row: ReadRow) -> set[str]:
    return {issue.code for issue in row.issues}


def _notes(found: ContactList) -> set[str]:
    return {note.code for note in found.profile.notes}


def _table(**columns: str) -> str:
    """A list of one row, given as header = cell, beside a name, a company and an address."""
    base = {"Full Name": "Ana Gil", "Company": "Flores", "Email": "ana@flores.example"}
    return _csv([{**base, **columns}])


def _csv(rows: list[dict[str, str]]) -> str:
    headers = list(rows[0])
    lines = [headers, *[[row[header] for header in headers] for row in rows]]
    return "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines) + "\n"


# ---- headers


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        (["성명", "회사명", "전자우편", "핸드폰"], ["full_name", "company", "email", "mobile"]),
        (["1. 성명 *", "② 회사명(필수)", "E-mail\n(required)"], ["full_name", "company", "email"]),
        (["업체명(Company)", "성(Last Name)", "이름(First Name)"], ["company", "family_name", "given_name"]),
        (["성", "이름", "회사"], ["family_name", "given_name", "company"]),
        (["이름", "회사", "이메일"], ["full_name", "company", "email"]),
        (["Nombre", "Apellidos", "Empresa"], ["given_name", "family_name", "company"]),
        (["Nombre", "Empresa", "Correo electrónico"], ["full_name", "company", "email"]),
        (["Name", "Given Name", "Family Name"], ["full_name", "given_name", "family_name"]),
        (["Title", "First Name", "Last Name", "Job Title"], ["prefix", "given_name", "family_name", "title"]),
        (["Name", "Title", "Company"], ["full_name", "title", "company"]),
        (["肩書き", "役職", "氏名", "会社名"], ["prefix", "title", "full_name", "company"]),
        (["肩書き", "氏名", "会社名"], ["title", "full_name", "company"]),
        (["氏名", "会社名", "メール", "HP"], ["full_name", "company", "email", "website"]),
        (["Name", "Company", "Email", "HP"], ["full_name", "company", "email", "mobile"]),
        (["姓名", "公司", "手机", "微信号"], ["full_name", "company", "mobile", "wechat"]),
        (["姓氏", "名字", "公司", "行動電話"], ["family_name", "given_name", "company", "mobile"]),
        (["氏名[姓]", "氏名[名]", "会社名"], ["family_name", "given_name", "company"]),
        (["Name", "Company1", "Mobile1", "Tel1", "Email1"], ["full_name", "company", "mobile", "phone", "email"]),
        (["이름", "회사", "이메일", "담당자"], ["full_name", "company", "email", "captured_by"]),
        (["담당자", "회사", "이메일"], ["full_name", "company", "email"]),
        (["참관객성함", "회사", "이메일"], ["full_name", "company", "email"]),
        (["Name", "Company", "Priority", "Sensitivity"], ["full_name", "company", "ignored", "ignored"]),
        (["Name", "Company", "Email", "Priority"], ["full_name", "company", "email", "rating"]),
        (["First Name", "Last Name", "Company", "Home City"], ["given_name", "family_name", "company", "sensitive"]),
        (["Name", "Company", "Lead ID", "Badge ID"], ["full_name", "company", "seq", "external_id"]),
        (["Name", "Company", "Email", "Email Opt Out"], ["full_name", "company", "email", "opt_out"]),
    ],
)  # fmt: skip
def test_headers_are_read_as_people_write_them(headers: list[str], fields: list[str]) -> None:
    found = _sheet([[*headers], ["x"] * len(headers)], "csv")
    assert _fields(found) == fields


def test_a_guess_by_the_end_of_a_header_is_said() -> None:
    found = _list("참관객성함,회사,이메일\n김하나,한빛,a@b.example\n")
    assert found.profile.sheets[0].columns[0].certainty == "guessed"
    assert "guessed_columns" in _notes(found)


def test_a_header_of_two_lines_is_put_together() -> None:
    found = _list("Company,Contact,E-mail,Phone\nName,Person,Address,Number\nFlores,Ana Gil,ana@flores.example,\n")
    assert _fields(found) == ["company", "full_name", "email", "phone"]
    rows = list(found.lines())
    assert [(row.outcome, row.code) for row in rows] == [("skipped", "group_header_row"), ("accepted", "")]


def test_a_header_in_two_languages_is_no_contact() -> None:
    rows = _rows("성명,회사명,이메일\nName,Company,Email\n김하나,한빛,a@b.example\n")
    assert [row.outcome for row in rows] == ["skipped", "accepted"]


def test_a_group_above_completes_a_header() -> None:
    found = _list(",,,동의,,\n성명,회사명,이메일,개인정보,제3자 제공,마케팅 수신\n김하나,한빛,a@b.example,Y,N,Y\n")
    assert _fields(found)[3:] == ["consent_privacy", "consent_third_party", "consent_marketing"]


def test_a_merged_group_above_completes_a_header() -> None:
    rows: list[list[Cell]] = [["", "", "", "개인정보", ""], ["성명", "회사명", "이메일", "동의", "비고"]]
    found = _sheet([*rows, ["김하나", "한빛", "a@b.example", "Y", ""]], across={(0, 4): "개인정보"})
    assert _fields(found)[3:] == ["consent_privacy", "notes"]


def test_a_blank_header_takes_the_name_above_it() -> None:
    found = _list(",,이메일\n성명,회사명,\n김하나,한빛,a@b.example\n", NO_HOME)
    assert _fields(found) == ["full_name", "company", "email"]


def test_the_user_may_point_at_the_header_line() -> None:
    text = "Name,Company,Email\nAna Gil,Flores,ana@flores.example\nNombre,Empresa,Correo\nEva Gil,Luz,eva@luz.example\n"
    found = _list(text, ReadOptions(home_country="", header_rows={"": 3}))
    assert found.profile.header_row == 3
    assert [row.outcome for row in found.lines()] == ["skipped", "skipped", "accepted"]


def test_a_fingerprint_does_not_see_case_and_spaces_but_order() -> None:
    assert mapping.fingerprint(["Full Name", "E-mail"]) == mapping.fingerprint(["full name ", "Email"])
    assert mapping.fingerprint(["Full Name", "E-mail"]) != mapping.fingerprint(["E-mail", "Full Name"])


# ---- what the values say


def test_addresses_without_a_header_are_found() -> None:
    found = _list("Name,Company,Country,\nA B,C,KR,a@b.example\nD E,F,KR,d@f.example\n")
    column = found.profile.sheets[0].columns[3]
    assert (column.field, column.certainty, column.by_value) == ("email", "guessed", True)
    assert "columns_by_value" in _notes(found)
    assert next(found.lines()).facts["emails"] == ["a@b.example"]


def test_a_header_that_promises_addresses_gives_way_to_a_column_that_has_them() -> None:
    found = _list("Name,Company,Email,Contact info\nA B,C,yes,a@b.example\nD E,F,no,d@f.example\n")
    assert _fields(found) == ["full_name", "company", None, "email"]
    assert next(found.lines()).facts["extra"] == {"Email": "yes"}
    assert {"columns_by_value", "columns_not_as_named"} <= _notes(found)


def test_addresses_under_a_phone_header_are_addresses() -> None:
    found = _list("Name,Company,Phone\nA B,C,a@b.example\nD E,F,d@f.example\n")
    assert _fields(found)[2] == "email"


def test_swapped_addresses_and_numbers_are_told_apart() -> None:
    text = "Name,Company,Email,Phone\nA B,C,+82 10-0000-0001,a@b.example\nD E,F,+82 10-0000-0002,d@f.example\n"
    assert _fields(_list(text))[2:] == ["mobile", "email"]


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        (["010-0000-0001", "010-0000-0002"], "mobile"),
        (["+49 30 23125001", "+49 30 23125002"], "phone"),
        (["https://a.example", "www.b.example/x"], "website"),
        (["베트남", "Japan"], "country"),
        (["2026-11-12", "2026.11.13"], "met_at"),
        (["2026-09-12", "2026.10.01"], "registered_at"),
        (["900101-1234567", "850312-2345678"], "sensitive"),
        (["110105194912310021", "440524198001010019"], None),
        (["11010519491231002X", "34052419800101001X"], "sensitive"),
        (["850101-1******", "memo", "memo"], "sensitive"),
        (["2604141000123", "2604141000124"], None),
        (["12345", "23456"], None),
        (["2025-11-12", "2027.11.13"], None),
        (["yes please", "no thanks"], None),
    ],
)
def test_an_unknown_header_is_read_by_what_stands_below(cells: list[str], field: str | None) -> None:
    people = [("A B", "a@b.example"), ("D E", "d@f.example"), ("G H", "g@h.example")][: len(cells)]
    rows = [f"{name},{mail},C,{cell}" for (name, mail), cell in zip(people, cells, strict=True)]
    assert _fields(_list("\n".join(["Name,Email,Company,Feld 7", *rows])))[3] == field


def test_the_addresses_of_our_own_people_are_not_those_of_the_buyers() -> None:
    rows = [f"Person {n},Firm {n},p{n}@firm.example,rep@ours.example" for n in range(8)]
    found = _list("\n".join(["Name,Company,Email,Rep Email", *rows]))
    assert [row.facts["emails"] for row in found.lines()] == [[f"p{n}@firm.example"] for n in range(8)]


def test_swapped_names_and_firms_are_not_guessed() -> None:
    found = _list("Name,Company,Email\nFlores GmbH,Ana Gil,a@b.example\nLuz Inc.,Eva Gil,d@f.example\n")
    assert _fields(found) == ["full_name", "company", "email"]


def test_a_list_without_header_line_is_read_by_its_values() -> None:
    found = _list(
        "김하나,(주)한빛,010-0000-0001,hana@hanbit.example\n이두리,새빛 주식회사,010-0000-0002,duri@saebit.example\n"
    )
    assert found.profile.header_row == 0
    assert _fields(found) == ["full_name", "company", "mobile", "email"]
    assert {"header_missing", "columns_by_value"} <= _notes(found)
    assert [(row.number, row.facts["emails"]) for row in found.lines()] == [
        (1, ["hana@hanbit.example"]),
        (2, ["duri@saebit.example"]),
    ]


def test_columns_without_header_line_can_be_chosen_by_their_numbers() -> None:
    text = "Ana Gil,Flores,+34 600 000 001,ana@flores.example\n"
    row = _only(text, ReadOptions(home_country="", columns={"#1": "full_name", "#2": "company"}))
    assert (row.facts["full_name"], row.facts["company"]) == ("Ana Gil", "Flores")


def test_a_list_of_names_and_addresses_only_is_a_list() -> None:
    assert _only("성명,이메일\n김하나,hana@hanbit.example\n").facts["full_name"] == "김하나"


def test_a_text_that_is_no_list_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        _list("Dear all,\nplease find the list enclosed.\n")
    assert caught.value.code == "no_header"


def test_a_list_whose_header_is_not_found_is_read_as_it_stands_when_somebody_can_be_asked() -> None:
    text = "Contacts of the fair\n\nWho,Which house,How\nAna,Flores,by post\nBo,Lotus,by ship\n"
    found = _list(text, ReadOptions(home_country="", asks=True))
    assert _notes(found) >= {"header_asked"}
    assert not _notes(found) & {"header_missing", "sheet_skipped"}
    assert (found.profile.header_row, _fields(found)) == (0, [None, None, None])
    assert found.head(2) == [(1, ["Contacts of the fair"]), (3, ["Who", "Which house", "How"])]
    with pytest.raises(BadInput):
        _list(text)


@pytest.mark.parametrize("text", ["ana,flores by post\n", "Dear all\nana@flores.example\n"])
def test_somebody_is_asked_about_columns_or_addresses(text: str) -> None:
    assert "header_asked" in _notes(_list(text, ReadOptions(home_country="", asks=True)))


def test_nobody_is_asked_about_a_text_without_columns() -> None:
    with pytest.raises(BadInput):
        _list("Dear all\nwrite to ana@flores.example\n", ReadOptions(home_country="", asks=True))


def test_of_several_sheets_without_header_the_longest_is_read() -> None:
    tables = [_held([["a", "b"]], sheet="Notes"), _held([["c", "d"]] * 3, sheet="List")]
    found = open_list(Source("xlsx", tables), "list.xlsx", ReadOptions(home_country="", asks=True))
    assert [sheet.name for sheet in found.profile.sheets] == ["List"]
    assert [note.params for note in found.profile.notes if note.code == "sheet_skipped"] == [{"sheet": "Notes"}]


def test_private_values_are_not_among_the_lines_to_point_at() -> None:
    rows = "\n".join(f"P{n},9001{n:02d}-1234567" for n in range(1, 9))
    found = _list(f"x,y\n{rows}\n", ReadOptions(home_country="", header_rows={"": 0}, columns={"#2": "sensitive"}))
    assert "1234567" not in str(found.head(20))
    assert found.head(20)[1] == (2, ["P1"])


def test_three_samples_are_shown_of_a_column_and_none_of_what_is_private() -> None:
    rows = [f"P {n},Firm {n % 5},p{n}@x.example,90010{n}-1234567" for n in range(6)]
    columns = _list("\n".join(["Name,Company,Email,주민등록번호", *rows])).profile.sheets[0].columns
    assert columns[1].samples == ("Firm 0", "Firm 1", "Firm 2")
    assert columns[3].samples == ()


def test_private_columns_cannot_be_chosen_to_be_something_else() -> None:
    options = ReadOptions(home_country="", columns={"주민등록번호": "notes", "Home Street": ""})
    row = _only(_table(**{"주민등록번호": "800101-1234567", "Home Street": "Main St 1"}), options)
    assert "800101" not in repr(row)
    assert "Main St" not in repr(row)


# ---- lines


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (",,", "blank_row"),
        ("  , ,", "blank_row"),
        ("Name,Company,Email", "repeated_header"),
        ("합계,2명,", "totals_row"),
        ("총 2명,,", "totals_row"),
        ("Total,,2", "totals_row"),
        ("Subtotal: 2,,", "totals_row"),
        ("合計,2,", "totals_row"),
        ("小計,2,", "totals_row"),
        ("总计,2,", "totals_row"),
        ("计,2,", "totals_row"),
        ("※ For exhibitors only and nobody else,,", "note_row"),
        ("■ ASIA,,", "section_row"),
        ("● Europe,,", "section_row"),
        ("▶ Day 2,,", "section_row"),
        ("# Day 3,,", "section_row"),
    ],
)
def test_lines_that_are_no_data_are_skipped_and_counted(line: str, code: str) -> None:
    rows = _rows(f"Name,Company,Email\nA B,C,a@b.example\n{line}\n")
    assert (rows[1].outcome, rows[1].code) == ("skipped", code)


@pytest.mark.parametrize(
    "line", ["Total Energy,Total SA,t@total.example", "Sum Ting,Sum Ltd,s@sum.example", "계은숙,계,k@k.example"]
)
def test_people_whose_names_look_like_totals_are_people(line: str) -> None:
    assert _only(f"Name,Company,Email\n{line}\n").outcome == "accepted"


def test_a_long_remark_in_no_column_of_a_person_is_skipped() -> None:
    rows = _rows("Name,Company,Email,Notes\nA B,C,a@b.example,\n,,,This remark has more than twenty characters\n")
    assert rows[1].code == "note_row"


def test_lines_padded_with_blanks_are_still_told_apart() -> None:
    pad = ", , , , "
    rows = _rows(f"Name,Company,Email,A,B,C,D\nA B,C,a@b.example{pad}\n ,{' '},{' '}{pad}\n합계,1, {pad}\n")
    assert [row.code for row in rows] == ["", "blank_row", "totals_row"]


def test_a_short_row_is_read() -> None:
    assert _only("Name,Company,Email,Notes\nA B,C,a@b.example\n").outcome == "accepted"


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"Full Name": "Ana Gil", "Company": "", "Email": ""}, "no_identity"),
        ({"Full Name": "Ana Gil", "Company": "-", "Email": "없음"}, "no_identity"),
        ({"Full Name": "", "Company": "Flores", "Email": ""}, "no_identity"),
        ({"Full Name": "테스트", "Company": "Flores", "Email": "a@b.example"}, "test_row"),
        ({"Full Name": "Ana", "Company": "TEST", "Email": "a@b.example"}, "test_row"),
        ({"Full Name": "測試", "Company": "x", "Email": "a@b.example"}, "test_row"),
        ({"Full Name": "prueba", "Company": "x", "Email": "a@b.example"}, "test_row"),
        ({"Full Name": "テスト", "Company": "x", "Email": "a@b.example"}, "test_row"),
    ],
)
def test_rows_nobody_can_use_are_refused_with_their_cells(cells: dict[str, str], code: str) -> None:
    row = _only(_csv([{**cells, "Notes": "kept"}]))
    assert (row.outcome, row.code, row.facts) == ("refused", code, {})
    assert row.raw[-1] == "kept"


@pytest.mark.parametrize(
    "columns", [{"Email": "a@b.example"}, {"Phone": "+82 2 000 0001"}, {"Full Name": "A", "Company": "B"}]
)
def test_an_address_a_number_or_a_name_with_a_firm_is_enough(columns: dict[str, str]) -> None:
    empty = {"Full Name": "", "Company": "", "Email": "", "Phone": ""}
    assert _only(_csv([{**empty, **columns}])).outcome == "accepted"


def test_raw_cells_are_aligned_with_the_columns() -> None:
    row = _only("Name,여권번호,Company,Email,Notes\nA B,M123,,a@b.example,\n")
    assert row.raw == ["A B", "", "", "a@b.example"]


# ---- corrections


def test_a_correction_replaces_the_cell_but_not_the_raw_row() -> None:
    options = ReadOptions(home_country="", corrections={("", 2): {2: "ana@flores.example"}})
    row = _only("Name,Company,Email\nAna Gil,Flores,ana@flores,\n".replace(",\n", "\n"), options)
    assert row.facts["emails"] == ["ana@flores.example"]
    assert row.raw[2] == "ana@flores"
    [issue] = row.issues
    with speaking("en"):
        said = say(issue.code, row.number, issue.params)
    assert said == "Row 2, column “Email”: “ana@flores” was corrected by hand to “ana@flores.example”."


def test_a_correction_may_fill_a_cell_a_short_row_lacks() -> None:
    options = ReadOptions(home_country="", corrections={("", 2): {2: "ana@flores.example"}})
    assert _only("Name,Company,Email\nAna Gil,Flores\n", options).facts["emails"] == ["ana@flores.example"]


def test_a_consent_is_not_made_by_correcting_it() -> None:
    options = ReadOptions(home_country="", corrections={("", 2): {3: "Y"}})
    row = _only(_table(**{"마케팅 수신 동의": "N"}), options)
    assert row.facts["consent_marketing"] is False
    assert "consent_not_corrected" in _codes(row)


def test_private_columns_stay_private_when_corrected() -> None:
    options = ReadOptions(home_country="", corrections={("", 2): {3: "800101-1234567"}})
    row = _only(_table(**{"주민등록번호": ""}), options)
    assert "800101" not in str(row)


def test_what_is_left_out_by_hand_is_refused() -> None:
    options = ReadOptions(home_country="", left_out={("", 2)})
    row = _only(_table(), options)
    assert (row.outcome, row.code, row.facts) == ("refused", "left_out", {})


def test_corrections_of_one_sheet_leave_the_others_alone() -> None:
    rows: list[list[Cell]] = [["Name", "Company", "Email"], ["A B", "C", "a@b.example"]]
    source = Source("xlsx", [_held(rows, sheet="1"), _held(rows, sheet="2")])
    options = ReadOptions(home_country="", corrections={("2", 2): {1: "D"}}, left_out={("1", 2)})
    read = list(open_list(source, "book.xlsx", options, EVENT).lines())
    assert [(row.sheet, row.outcome, row.facts.get("company")) for row in read] == [
        ("1", "refused", None),
        ("2", "accepted", "D"),
    ]


def test_a_sheet_can_be_skipped() -> None:
    rows: list[list[Cell]] = [["Name", "Company", "Email"], ["A B", "C", "a@b.example"]]
    source = Source("xlsx", [_held(rows, sheet="1"), _held(rows, sheet="2")])
    found = open_list(source, "book.xlsx", ReadOptions(home_country="", skipped_sheets={"1"}), EVENT)
    assert [row.sheet for row in found.lines()] == ["2"]


# ---- consent


@pytest.mark.parametrize(
    ("header", "cell", "field", "kept", "code"),
    [
        ("개인정보 수집·이용 동의", "Y", "consent_privacy", True, ""),
        ("개인정보 수집·이용 동의", "", "consent_privacy", None, "consent_privacy_missing"),
        ("개인정보 수집·이용 동의", "-", "consent_privacy", None, "consent_privacy_missing"),
        ("개인정보 수집·이용 동의", "?", "consent_privacy", None, "consent_unreadable"),
        ("마케팅 수신 동의(Y/N)", "", "consent_marketing", None, ""),
        ("마케팅 수신 동의(Y/N)", "Y(이메일)", "consent_marketing", True, ""),
        ("마케팅 수신 동의(Y/N)", "X", "consent_marketing", False, ""),
        ("마케팅 수신 동의(Y/N)", "추후결정", "consent_marketing", None, "consent_unreadable"),
        ("第三者提供同意", "同意しない", "consent_third_party", False, ""),
        ("Email Opt Out", "TRUE", "opt_out", True, ""),
        ("수신거부", "Y", "opt_out", True, ""),
    ],
)
def test_a_consent_is_what_the_cell_says_and_no_more(
    header: str, cell: str, field: str, kept: bool | None, code: str
) -> None:
    row = _only(_table(**{header: cell}))
    assert row.facts.get(field) is kept
    assert not code or code in _codes(row)
    evidence = [{key: one[key] for key in ("wording", "cell")} for one in row.facts.get("consents", [])]
    assert evidence == ([{"wording": header, "cell": cell}] if cell else [])


def test_one_consent_does_not_imply_another() -> None:
    row = _only(_table(**{"개인정보 동의": "Y"}))
    assert not {"consent_marketing", "consent_third_party"} & set(row.facts)


def test_a_list_without_consent_columns_states_none() -> None:
    assert "consents" not in _only(_table()).facts


def test_of_who_refused_the_processing_nothing_is_kept() -> None:
    row = _only(_table(**{"개인정보 동의": "N", "Notes": "=secret"}))
    assert (row.code, row.facts, row.raw, row.issues) == ("consent_privacy_refused", {}, [], [])


def test_crosses_in_a_western_list_are_not_understood() -> None:
    found = _list(_table(**{"Marketing Opt-In": "X"}))
    assert "consent_crosses" in _notes(found)
    row = next(found.lines())
    assert "consent_marketing" not in row.facts
    assert "consent_unreadable" in _codes(row)


def test_a_no_among_two_columns_of_one_consent_wins() -> None:
    row = _only(_table(**{"이메일 수신동의": "Y", "뉴스레터 수신": "N"}))
    assert row.facts["consent_marketing"] is False


# ---- single cells in their rows


@pytest.mark.parametrize(
    ("columns", "facts", "codes"),
    [
        ({"Company": "㈜한빛"}, {"company": "(주)한빛"}, set()),
        ({"Company": "\u3000Flores  SA "}, {"company": "Flores SA"}, set()),
        ({"Company": "Flo\u200bres"}, {"company": "Flores"}, {"control_chars_removed"}),
        ({"Company": "한빛 / 부장"}, {"company": "한빛", "title": "부장"}, {"title_from_company"}),
        ({"Company": "한빛 / 상사"}, {"company": "한빛 / 상사"}, set()),
        ({"Company": "line\nbreak"}, {"company": "line break"}, set()),
        ({"Company": "=cmd|'x'!A0"}, {"company": "=cmd|'x'!A0"}, {"formula_like"}),
        ({"Company": "한빛\ufffd"}, {"company": "한빛"}, {"undecodable_text"}),
        ({"Department": "R&amp;D팀"}, {"department": "R&D팀"}, set()),
        ({"Department": "ﾏｰｹﾃｨﾝｸﾞ"}, {"department": "マーケティング"}, set()),
        ({"Department": "x" * 600}, {"department": "x" * 500}, {"cell_truncated"}),
        ({"Notes": "y" * 12000}, {"notes": "y" * 10000}, {"cell_truncated"}),
        ({"Notes": "a\r\nb\rc"}, {"notes": "a\nb\nc"}, set()),
        ({"Notes": "-2+3+cmd|x"}, {"notes": "-2+3+cmd|x"}, {"formula_like"}),
        ({"Notes": "one", "Remarks": "two"}, {"notes": "one\ntwo"}, set()),
        ({"Full Name": "김\x00하나\x07"}, {"full_name": "김하나"}, {"control_chars_removed"}),
        ({"Full Name": "髙橋 ＊一"}, {"full_name": "髙橋 *一"}, {"placeholder_char"}),
        ({"Full Name": "김하나 부장"}, {"full_name": "김하나", "title": "부장"}, {"title_from_name"}),
        ({"Full Name": "김하나 부장", "직위": "이사"}, {"full_name": "김하나", "title": "이사"}, set()),
        ({"Full Name": "김하나 외 2명"}, {"full_name": "김하나"}, {"name_extra_removed"}),
        ({"Full Name": "김하나"}, {"full_name": "김하나", "family_name": "김"}, set()),
        ({"Full Name": ""}, {}, {"no_person_name"}),
        ({"Full Name": "", "English Name": "Ana"}, {"full_name": "Ana"}, set()),
        ({"Full Name": "王小明", "English Name": "Wang"}, {"name_alt": "Wang"}, set()),
        ({"Full Name": "田中 健一", "フリガナ": "タナカ ケンイチ"}, {"name_reading": "たなか けんいち"}, set()),
        ({"名フリガナ": "ケンイチ", "姓フリガナ": "タナカ"}, {"name_reading": "たなか けんいち"}, set()),
        ({"성별": "여"}, {"gender": "f"}, set()),
        ({"호칭": "Mr."}, {"gender": "m"}, set()),
        ({"Email": "info@flores.example"}, {}, {"role_mailbox"}),
        ({"Email": "a@x.example,com"}, {}, {"email_invalid", "not_mailable"}),
        ({"Email": "a@x.example; b@x.example"}, {"emails": ["a@x.example", "b@x.example"]}, {"email_multiple"}),
        ({"Email": "a@x.example", "Email 2": "b@x.example"}, {"emails": ["a@x.example", "b@x.example"]}, set()),
        ({"Email": "/O=A/CN=B", "Email 2": "b@x.example"}, {"emails": ["b@x.example"]}, {"email_legacy_exchange"}),
        ({"Country": "Dubai"}, {"country": "AE"}, {"country_from_city"}),
        ({"Country": "Wakanda", "Phone": "+82 2 000 0001"}, {"phone": "+8220000001"}, {"country_unknown"}),
        ({"Country": "", "City": "台北"}, {"country": "TW"}, set()),
        ({"Country": "n/a", "Phone": "+84 90 000 0001"}, {"country": "VN"}, set()),
        ({"Country": "KR", "Phone": "1000000001"}, {"mobile": "+821000000001"}, {"phone_zero_restored"}),
        ({"Country": "KR", "Phone": "010-0000-0001 / 02-000-0002"},
         {"mobile": "+821000000001", "phone": "+8220000002"}, {"phone_multiple"}),
        ({"Country": "KR", "Mobile": "010-0000-0001", "Phone": "010-0000-0002"},
         {"mobile": "+821000000001", "phone": "+821000000002"}, set()),
        ({"Country": "KR", "Phone": "02-000-0001", "Business Phone 2": "02-000-0002"},
         {"phone": "+8220000001", "other_phones": ["+8220000002"]}, set()),
        ({"Country": "KR", "Phone": "8.21E+11"}, {}, {"phone_unreadable"}),
        ({"Country": "JP", "郵便番号": "〒1050001"}, {"postal_code": "105-0001"}, set()),
        ({"Country": "JP", "郵便番号": "600001"}, {"postal_code": "060-0001"}, set()),
        ({"Website": "flores.example"}, {"website": "https://flores.example"}, set()),
        ({"Address 1": "Main St 1", "Address 2": "Floor 2"}, {"address": "Main St 1 Floor 2"}, set()),
        ({"Interests": "Valves; Pumps | Seals\nO-Rings、Taps"},
         {"interests": ["Valves", "Pumps", "Seals", "O-Rings", "Taps"]}, set()),
        ({"Group Membership": "* myContacts ::: Buyers"}, {"tags": ["myContacts", "Buyers"]}, set()),
        ({"Lead Rating": "★★★☆☆"}, {"rating": "warm"}, set()),
        ({"Lead Rating": "87"}, {"more": {"rating": "87"}}, {"rating_unreadable"}),
        ({"통역": "영어"}, {"language": "en"}, set()),
        ({"Scan Date": "11월 12일"}, {"met_at": "2026-11-12"}, {"date_year_assumed"}),
        ({"Scan Date": "someday"}, {}, {"date_unreadable"}),
        ({"Scan Date": "0/0/00"}, {}, set()),
        ({"생일": "1990-01-01"}, {}, {"sensitive_dropped"}),
        ({"생일": "00/0/0"}, {}, set()),
        ({"WeChat ID": "ana_wx", "Kakao ID": "ana"}, {"messengers": {"wechat": "ana_wx", "kakao": "ana"}}, set()),
        ({"Annual Volume": "100"}, {"more": {"quantity": "100"}}, set()),
        ({"Do you buy abroad?": "Yes, often"}, {"extra": {"Do you buy abroad?": "Yes, often"}}, set()),
        ({"Have you a budget?": "Yes"}, {"extra": {"Have you a budget?": "Yes"}}, set()),
        ({"Job Title": "CEO", "Position": "Owner"}, {"title": "CEO", "extra": {"Position": "Owner"}}, set()),
        ({"직위": "미정"}, {}, set()),
    ],
)  # fmt: skip
def test_a_cell_is_cleaned_and_what_was_changed_is_said(
    columns: dict[str, str], facts: dict[str, Any], codes: set[str]
) -> None:
    row = _only(_table(**columns))
    assert row.outcome == "accepted"
    assert {name: row.facts.get(name) for name in facts} == facts
    assert _codes(row) - {"not_mailable"} == codes - {"not_mailable"}
    assert "not_mailable" not in codes or "not_mailable" in _codes(row)


def test_hidden_and_merged_rows_of_a_workbook_say_so() -> None:
    rows: list[list[Cell]] = [["Company", "Name", "Email"], ["Flores", "A B", "a@b.example"], ["Flores", "C D", ""]]
    found = _sheet(rows, filled={(2, 0)}, hidden_rows={2}, links={(2, 2): "c@d.example?subject=Hi"})
    read = list(found.lines())
    assert read[0].issues == []
    assert _codes(read[1]) == {"merged_cell_filled", "hidden_row", "email_from_hyperlink"}
    assert read[1].facts["emails"] == ["c@d.example"]


def test_a_line_that_only_repeats_a_merged_cell_is_blank() -> None:
    rows: list[list[Cell]] = [["Company", "Name", "Email"], ["Flores", "A B", "a@b.example"], ["Flores", "", ""]]
    assert [row.code for row in _sheet(rows, filled={(2, 0)}).lines()] == ["", "blank_row"]


def test_cells_of_a_workbook_are_read_by_their_kind() -> None:
    rows: list[list[Cell]] = [["Name", "Company", "Mobile", "Meeting Date", "Consent", "Country"]]
    rows.append(["A B", "C", 84900000046.0, datetime.fromisoformat("2026-11-12T09:30"), True, "Vietnam"])
    row = next(_sheet(rows).lines())
    assert (row.facts["mobile"], row.facts["met_at"]) == ("+84900000046", "2026-11-12T09:30")
    assert (row.facts["consent_marketing"], row.facts["country"]) == (True, "VN")


def test_cells_right_of_the_last_header_of_a_workbook_are_kept() -> None:
    rows: list[list[Cell]] = [["Name", "Company", "Email"], ["A B", "C", "a@b.example", "aside"]]
    assert next(_sheet(rows).lines()).facts["extra"] == {"#4": "aside"}


# ---- address cards


CARD_FIELDS = ["full_name", "family_name", "given_name", "email", "email", "mobile", "card_state", "sensitive"]


def test_cards_name_their_fields_themselves_and_are_counted_from_one() -> None:
    rows: list[list[Cell]] = [[*CARD_FIELDS], ["Đặng Tuấn", "Đặng", "Tuấn", "a@b.example", "c@d.example", "", "", "x"]]
    found = _sheet(rows, "vcf")
    assert {column.certainty for column in found.profile.sheets[0].columns} == {"exact"}
    [row] = found.lines()
    assert (row.number, row.facts["full_name"], row.facts["family_name"]) == (1, "Đặng Tuấn", "Đặng")
    assert row.facts["emails"] == ["a@b.example", "c@d.example"]
    assert _codes(row) == {"sensitive_dropped"}


@pytest.mark.parametrize(("state", "outcome"), [("malformed_card", "refused"), ("group_card", "skipped")])
def test_cards_that_are_no_contact_are_told_by_their_state(state: str, outcome: str) -> None:
    rows: list[list[Cell]] = [[*CARD_FIELDS], ["Ana", "", "", "a@b.example", "", "", state, ""]]
    [row] = _sheet(rows, "vcf").lines()
    assert (row.outcome, row.code, row.facts) == (outcome, state, {})


def test_a_national_number_on_a_korean_card_is_korean() -> None:
    rows: list[list[Cell]] = [["full_name", "mobile"], ["김하나", "010-0000-0001"], ["Ana Gil", "010-0000-0001"]]
    read = list(_sheet(rows, "vcf").lines())
    assert (read[0].facts["mobile"], read[0].facts["country"]) == ("+821000000001", "KR")
    assert "mobile" not in read[1].facts


# ---- whatever comes


def test_every_code_of_a_finding_has_its_sentence_with_row_column_and_value() -> None:
    columns = {"Email": "a@x.example,com", "Country": "Wakanda", "Scan Date": "someday", "Lead Rating": "87"}
    for issue in _only(_table(**columns)).issues:
        for language, start in (("en", "Row 2"), ("ko", "2행")):
            with speaking(language):
                text = say(issue.code, 2, issue.params)
            assert text.startswith(start)
            assert "?" not in text
        assert issue.code in SENTENCES


CELLS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=14) | st.sampled_from(
    [
        "010-0000-0001",
        "a@b.example",
        "Y",
        "N",
        "2026-11-12",
        "김하나",
        "+82",
        "합계",
        "※",
        "=1+1",
        "test",
        "1.0E+9",
        "\ufffd",
    ]
)
HEADERS = CELLS | st.sampled_from(
    ["성명", "회사명", "이메일", "휴대폰", "국가", "개인정보 동의", "마케팅 동의", "주민등록번호", "방문일", "Name"]
)  # fmt: skip
ANY_CELL = CELLS | st.none() | st.booleans() | st.floats() | st.dates() | st.datetimes() | st.times()


@given(
    st.lists(HEADERS, min_size=1, max_size=6),
    st.lists(st.lists(ANY_CELL, max_size=7), max_size=6),
    st.sampled_from(["xlsx", "html"]),
)
def test_no_table_breaks_the_reading(headers: list[str], rows: list[list[Cell]], kind: str) -> None:
    headers = [header for header in headers if "@" not in header]
    table = _held([["성명", "회사명", "이메일", *headers], *rows])
    read = list(open_list(Source(kind, [table]), "list", ReadOptions(), EVENT).lines())
    assert [row.number for row in read] == list(range(2, len(rows) + 2))
    assert {row.outcome for row in read} <= {"accepted", "refused", "skipped"}
    for row in read:
        assert bool(row.code) == (row.outcome != "accepted")
        assert bool(row.facts) == (row.outcome == "accepted")
        json.dumps(row.facts)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=6), min_size=1, max_size=8))
def test_what_is_no_list_is_refused_and_nothing_else_happens(rows: list[list[str]]) -> None:
    source = Source("csv", [_held([[*row] for row in rows])])
    try:
        read = list(open_list(source, "list.csv", ReadOptions(), EVENT).lines())
    except BadInput:
        return
    assert len(read) in (len(rows), len(rows) - 1)


@given(
    st.sampled_from(["주민등록번호", "身份证号码", "マイナンバー", "DNI", "Passport No.", "생년월일", "Home Street"]),
    st.from_regex(r"[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])-?[1-4][0-9]{6}", fullmatch=True),
)
def test_no_private_number_is_ever_kept(header: str, secret: str) -> None:
    found = _list(_csv([{"성명": "김하나", "회사명": "한빛", "이메일": "a@b.example", header: secret}]))
    for row in found.lines():
        assert secret not in repr(row)
    assert secret not in repr(found.profile)


@given(st.from_regex(r"[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])-[1-4][0-9]{6}", fullmatch=True))
def test_an_identity_number_is_known_under_any_header(secret: str) -> None:
    found = _list(_csv([{"성명": "김하나", "회사명": "한빛", "이메일": "a@b.example", "메모지": secret}]))
    assert secret not in repr(list(found.lines()))
    assert secret not in repr(found.profile)
