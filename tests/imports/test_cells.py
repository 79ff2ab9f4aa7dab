"""Reading single cells: addresses, numbers, names, dates, countries, answers."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.imports import answers, countries, emails, facts, names, phones
from crm.imports.dates import DateColumn
from crm.imports.records import EventDates
from crm.imports.text import cell_text, is_empty_word, looks_like_formula, name_line, one_line

EVENT = EventDates(date(2026, 11, 11), date(2026, 11, 14))


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("Kim@Firm.Example", ("kim@firm.example",)),
        ("ｋｉｍ＠ｆｉｒｍ．ｅｘａｍｐｌｅ", ("kim@firm.example",)),
        (" kim @ firm.example ", ("kim@firm.example",)),
        ("kim(at)firm.example", ("kim@firm.example",)),
        ("Kim Chulsoo <kim@firm.example>", ("kim@firm.example",)),
        ("mailto:kim@firm.example?subject=Hi", ("kim@firm.example",)),
        ("a@x.test; b@y.test / c@z.test", ("a@x.test", "b@y.test", "c@z.test")),
        ("kim+expo@firm.example.", ("kim+expo@firm.example",)),
        ("kim@firm.example,com", ()),
        ("kim@firm", ()),
        ("kim", ()),
        ("/O=FIRM/OU=X/CN=KIM", ()),
        ("a@@b.example", ()),
        (".a@b.example", ()),
        ("a..b@c.example", ()),
    ],
)
def test_an_address_is_read_but_never_repaired(cell: str, addresses: tuple[str, ...]) -> None:
    assert emails.read(cell).addresses == addresses


@given(st.text(max_size=60))
def test_whatever_stands_in_a_cell_only_addresses_come_out(cell: str) -> None:
    assert all(emails.is_address(address) for address in emails.read(cell).addresses)


@pytest.mark.parametrize(
    ("cell", "country", "numbers"),
    [
        ("010-0000-0001", "KR", ["+821000000001"]),
        ("휴대폰 010 0000 0001", "KR", ["+821000000001"]),
        (1000000001.0, "KR", ["+821000000001"]),
        ("+82 (0)10-0000-0001", "KR", ["+821000000001"]),
        ("0082-10-0000-0001", "DE", ["+821000000001"]),
        (84900000046.0, "VN", ["+84900000046"]),
        ("02-0000-0131(내선 586)", "KR", ["+82200000131;ext=586"]),
        ("+1 202 555 0141 x12", "US", ["+12025550141;ext=12"]),
        ("010-0000-0001, 02-0000-0002", "KR", ["+821000000001", "+82200000002"]),
        ("8.21000000001E+11", "KR", ["+821000000001"]),
        ("8.21E+11", "KR", [""]),
        ("call me", "KR", [""]),
        ("010-0000-0001", "", [""]),
    ],
)
def test_a_number_becomes_e164_or_stays_empty(cell: object, country: str, numbers: list[str]) -> None:
    assert [phone.number for phone in phones.read(cell, country=country, home="")] == numbers  # type: ignore[arg-type]


@given(st.text(max_size=30), st.sampled_from(["KR", "US", "ES", ""]))
def test_a_number_is_never_half_read(cell: str, country: str) -> None:
    for phone in phones.read(cell, country=country, home=""):
        assert phone.number == "" or phone.number.partition(";")[0][1:].isdigit()
        assert phone.number or phone.code


@pytest.mark.parametrize(
    ("cell", "country", "full", "family", "given_name"),
    [
        ("김철수님", "KR", "김철수", "김", "철수"),
        ("김 철 수", "KR", "김철수", "김", "철수"),
        ("남궁 민", "KR", "남궁민", "남궁", "민"),
        ("황보서윤", "KR", "황보서윤", "황보", "서윤"),
        ("김철수 부장님", "KR", "김철수", "김", "철수"),
        ("김철수(부장)", "KR", "김철수", "김", "철수"),
        ("홍길동대표", "KR", "홍길동", "홍", "길동"),
        ("조세훈 외 2명", "KR", "조세훈", "조", "세훈"),
        ("王晓东先生", "CN", "王晓东", "王", "晓东"),
        ("欧阳先生", "CN", "欧阳", "欧阳", ""),
        ("田中 健一 様", "JP", "田中 健一", "田中", "健一"),
        ("田中健一", "JP", "田中健一", "", ""),
        ("Mr. John Smith", "US", "John Smith", "", ""),
        ("Smith, John", "US", "John Smith", "Smith", "John"),
        ("Faizal bin Yusof", "MY", "Faizal bin Yusof", "", ""),
        ("Sr. Ana", "ES", "Ana", "", ""),
        ("Robert (Bob) Smith", "US", "Robert (Bob) Smith", "", ""),
        ("씨", "KR", "씨", "씨", ""),
    ],
)
def test_a_name_is_split_only_where_that_is_certain(
    cell: str, country: str, full: str, family: str, given_name: str
) -> None:
    name = names.from_one_cell(cell, country=country)
    assert (name.full, name.family, name.given) == (full, family, given_name)


@pytest.mark.parametrize(
    ("cell", "full", "alt"),
    [
        ("王小明 (Wang Xiaoming)", "王小明", "Wang Xiaoming"),
        ("김철수 / Chulsoo Kim", "김철수", "Chulsoo Kim"),
        ("Wang Xiaoming 王小明", "王小明", "Wang Xiaoming"),
    ],
)
def test_a_second_writing_of_a_name_is_kept_beside_it(cell: str, full: str, alt: str) -> None:
    name = names.from_one_cell(cell, country="CN")
    assert (name.full, name.alt) == (full, alt)


@pytest.mark.parametrize(
    ("family", "given_name", "country", "full"),
    [
        ("김", "철수", "KR", "김철수"),
        ("袁", "志明", "CN", "袁志明"),
        ("加藤", "修", "JP", "加藤 修"),
        ("Ortega Benítez", "Hernán", "MX", "Hernán Ortega Benítez"),
        ("Phan", "Ngọc Dung", "VN", "Phan Ngọc Dung"),
        ("王小明", "", "CN", "王小明"),
    ],
)
def test_two_columns_are_joined_as_the_language_does(family: str, given_name: str, country: str, full: str) -> None:
    assert names.from_two_cells(family, given_name, country=country).full == full


@given(st.text(max_size=30))
def test_no_name_is_lost_on_the_way(cell: str) -> None:
    name = names.from_one_cell(cell, country="KR")
    if any(c.isalpha() for c in name_line(cell)):
        assert name.full or name.alt or name.title or name.codes


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("2026-11-14", "2026-11-14"),
        ("2026.11.4 09:05", "2026-11-04T09:05"),
        ("2026년 11월 14일(토)", "2026-11-14"),
        ("26.11.14", "2026-11-14"),
        ("令和8年11月14日", "2026-11-14"),
        ("R8.11.14", "2026-11-14"),
        ("14 April 2026", "2026-04-14"),
        ("14-Apr-2026", "2026-04-14"),
        ("Apr 14, 2026", "2026-04-14"),
        ("14 de noviembre de 2026", "2026-11-14"),
        ("11월 12일", "2026-11-12"),
        ("2026-11-14 오후 3:20", "2026-11-14T15:20"),
        ("04/15/2026 02:38 PM", "2026-04-15T14:38"),
        ("2026-11-14T05:20:00Z", "2026-11-14T14:20"),
        ("46103.68264", "2026-03-22T16:23"),
        ("20261114", "2026-11-14"),
        (date(2026, 11, 14), "2026-11-14"),
        ("2026-02-30", ""),
        ("soon", ""),
    ],
)
def test_a_date_is_read_in_the_forms_lists_use(cell: object, read: str) -> None:
    assert DateColumn([cell], EVENT).read(cell).text == read  # type: ignore[arg-type, list-item]


@pytest.mark.parametrize(
    ("cells", "first", "guessed"),
    [
        (["13/11/2026", "11/12/2026"], "2026-12-11", False),
        (["11/13/2026", "11/12/2026"], "2026-11-12", False),
        (["12/11/2026", "11/11/2026"], "2026-11-11", True),
    ],
)
def test_the_order_of_day_and_month_is_one_for_the_column(cells: list[str], first: str, guessed: bool) -> None:
    column = DateColumn(cells, EVENT)
    assert (column.read(cells[1]).text, column.guessed) == (first, guessed)


@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_every_day_survives_every_unambiguous_form(day: date) -> None:
    for text in (day.isoformat(), f"{day:%Y.%m.%d}", f"{day.year}년 {day.month}월 {day.day}일", f"{day:%d %B %Y}"):
        assert DateColumn([text], EVENT).read(text).text == day.isoformat()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("대한민국", "KR"), ("ROK", ""), ("Korea, Republic of", "KR"), ("USA", "US"), ("U.S.A.", "US"),
        ("아랍에미리트", "AE"),
        ("臺灣", "TW"), ("Filipinas", "PH"), ("ベトナム", "VN"), ("VNM", "VN"), ("España", "ES"), ("Mexico", "MX"),
        ("Georgia", "GE"), ("중국 (China)", "CN"), ("Wakanda", ""),
    ],
)  # fmt: skip
def test_a_country_is_known_in_many_languages(text: str, code: str) -> None:
    assert countries.country_of(text) == code


def test_a_city_tells_its_country_only_where_it_is_well_known() -> None:
    assert (countries.country_of_city("서울"), countries.country_of_city("São Paulo")) == ("KR", "BR")
    assert countries.country_of_city("Springfield") == ""


@pytest.mark.parametrize(
    ("text", "given_consent"),
    [("Y", True), ("○", True), ("동의함", True), ("Y(이메일)", True), ("sí", True), ("미동의", False), ("X", False),
     ("0", False),
     ("不同意", False), ("maybe", None), ("문의", None)],
)  # fmt: skip
def test_a_consent_is_a_clear_word_or_nothing(text: str, given_consent: bool | None) -> None:
    assert answers.consent(text) is given_consent


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("★★★★☆", "hot"),
        ("★★★", "warm"),
        ("5", "hot"),
        ("3.0", "warm"),
        ("2", "cold"),
        ("A", "hot"),
        ("중", "warm"),
        ("87", ""),
    ],
)
def test_ratings_have_many_spellings(text: str, rating: str) -> None:
    assert answers.rating(text) == rating


@pytest.mark.parametrize(
    ("text", "kinds", "unknown"),
    [
        ("catalogue, price list", ["catalogue", "price_list"], []),
        ("샘플 3종 요청 / FOB 견적", ["sample", "quotation"], []),
        ("Muestra y catálogo", ["catalogue", "sample"], []),
        ("call in March", [], ["call in March"]),
        ("", [], []),
    ],
)
def test_only_known_words_become_requests(text: str, kinds: list[str], unknown: list[str]) -> None:
    found = facts.requests_in(text)
    assert (sorted(found.kinds), found.unknown) == (sorted(kinds), unknown)


def test_cells_of_spreadsheets_become_the_text_a_person_reads() -> None:
    assert [cell_text(cell) for cell in (1.0, 1.5, True, None, date(2026, 1, 2))] == [
        "1",
        "1.5",
        "TRUE",
        "",
        "2026-01-02",
    ]
    assert one_line('="01000000001"') == "01000000001"
    assert one_line("R&amp;D　팀\u200b") == "R&D 팀"


@pytest.mark.parametrize(
    ("text", "is_formula"), [("=1+1", True), ("@SUM(1)", True), ("-2+cmd|x", True), ("-5.2", False), ("+82 10", False)]
)
def test_formulas_are_recognised(text: str, is_formula: bool) -> None:
    assert looks_like_formula(text) is is_formula


NOTHING = "- -- — － ー . n/a na none null nil 없음 해당없음 무 미기재 미정 TBA TBD 無 なし 无 暂无 ninguno s/d x"
YES = "Y yes true 1 O ○ ◯ ● √ ✓ ✔ ☑ V 예 네 동의 동의함 동의합니다 수신 수신동의 체크 agree agreed accepted opt-in"
MORE_YES = "subscribed 同意 同意する はい 有 可 是 允许 sí si acepto"
NO = "N no false 0 X × ✗ ☐ 아니오 아니요 미동의 비동의 동의안함 거부 수신거부 수신안함 선택안함 disagree declined"
MORE_NO = "opt-out 同意しない いいえ 不同意 否 不可"


def test_words_for_nothing_are_nothing() -> None:
    assert [word for word in [*NOTHING.split(), "no aplica", " - "] if not is_empty_word(one_line(word))] == []


@pytest.mark.parametrize(("words", "given_consent"), [(YES, True), (MORE_YES, True), (NO, False), (MORE_NO, False)])
def test_consent_words_of_six_languages_are_a_clear_yes_or_no(words: str, given_consent: bool) -> None:
    assert [word for word in words.split() if answers.consent(one_line(word)) is not given_consent] == []
    assert (answers.consent("de acuerdo"), answers.consent("no acepto")) == (True, False)
    assert answers.consent("동의하지 않음") is False


@pytest.mark.parametrize(
    ("rating", "words"),
    [
        ("hot", "5 4 ★★★★ ★★★★★ A S Hot High 상 高 Alta"),
        ("warm", "3 ★★★ B Warm Medium 중 中 Media"),
        ("cold", "2 1 ★ ★★ C D Cold Low 하 低 Baja"),
    ],
)
def test_every_spelling_of_a_rating_is_known(rating: str, words: str) -> None:
    assert [word for word in words.split() if answers.rating(word) != rating] == []


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("KR", "Korea,한국,KOR,Republic of Korea,南韓,South Korea,대한민국,韩国,韓国,Corea del Sur"),
        ("US", "USA,U.S.A.,アメリカ,미합중국,米国,EE.UU."), ("GB", "UK,England,Great Britain,영국,GBR"),
        ("AE", "UAE,U.A.E.,阿联酋,阿聯酋"),
        ("CN", "PRC,P.R. China,中国大陆,中華人民共和國"),
        ("TW", "臺灣,台湾,Taiwan R.O.C.,타이완,Taiwan"), ("HK", "Hong Kong,香港,홍콩"), ("TR", "Turkey,터키,튀르키예"),
        ("SA", "KSA,沙特"), ("NL", "Holland,The Netherlands"), ("SG", "S'pore,SGP"), ("PH", "Phillipines"),
        ("VN", "Viet Nam,VNM"), ("ZA", "남아프리카공화국,남아공"), ("ID", "인니,INDONESIA"), ("MY", "말련"),
        ("AU", "호주,豪州,Australia"), ("ES", "Espana,España"), ("MX", "MÉXICO"),
    ],
)  # fmt: skip
def test_countries_are_known_by_what_lists_call_them(code: str, names: str) -> None:
    assert [name for name in names.split(",") if countries.country_of(name) != code] == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("en", "영어 English 英語 inglés"), ("zh", "중국어 Chinese 中国語 chino"),
        ("ja", "일본어 Japanese 日本語 japonés"),
        ("es", "스페인어 Spanish español"), ("ko", "한국어 Korean coreano"), ("vi", "베트남어"),
    ],
)  # fmt: skip
def test_languages_are_known_in_the_languages_of_lists(code: str, words: str) -> None:
    assert [word for word in words.split() if answers.language(word) != code] == []


@pytest.mark.parametrize(
    ("plain", "titles"),
    [
        (
            "김철수",
            "대표이사 부사장 회장 대표 전무이사 상무 본부장 과장 대리 주임 팀장 실장 센터장 연구원 책임 교수",
        ),
        ("王小明", "总经理 副总经理 董事长 经理 总监 主任 主管 工程师 總經理 副總經理 董事長 經理"),
        ("田中 健一", "社長 会長 専務 常務 取締役 部長 次長 課長 係長 主任"),
    ],
)
def test_a_title_behind_a_name_is_no_part_of_it(plain: str, titles: str) -> None:
    country = "JP" if " " in plain else ""
    read = [(names.from_one_cell(f"{plain} {title}", country=country), title) for title in titles.split()]
    assert [title for name, title in read if (name.full, name.title) != (plain, title)] == []


@pytest.mark.parametrize(
    ("columns", "near"),
    [(["26.04.14", "25.12.30"], "2026-04-14"), (["14/04/26", "15/04/26"], "2026-04-14"), (["04/14/26"], "2026-04-14")],
)
def test_two_digits_of_a_year_stand_where_the_column_has_them(columns: list[str], near: str) -> None:
    event = EventDates(date(2026, 4, 14), date(2026, 4, 17))
    assert DateColumn(columns, event).read(columns[0]).text == near


def test_a_number_without_its_area_code_is_no_number_to_call() -> None:
    assert [phone.number for phone in phones.read("123-4567", country="US", home="")] == [""]


def test_a_name_keeps_its_own_variant_character() -> None:
    assert name_line("髙\uf9e4") == "髙\uf9e4"
