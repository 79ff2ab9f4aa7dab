"""Cards of three versions and many programs: what is read, what is only told, and what never stops the file."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.imports.reading import open_source
from crm.imports.records import Source
from tests.imports.conftest import SAMPLES

Values = dict[str, list[str]]


def _cards(data: bytes, **options: str) -> list[Values]:
    [table] = open_source(data, "cards.vcf", **options).tables
    header, *records = table.records()
    found = []
    for record in records:
        values: Values = {}
        for name, value in zip(header, record, strict=True):
            if value:
                values.setdefault(str(name), []).append(str(value))
        found.append(values)
    return found


def _card(*lines: str | bytes, version: str = "3.0") -> Values:
    body = [line if isinstance(line, bytes) else line.encode() for line in lines]
    [found] = _cards(b"\r\n".join([b"BEGIN:VCARD", b"VERSION:" + version.encode(), *body, b"END:VCARD", b""]))
    return found


def _source(data: bytes) -> Source:
    return open_source(data, "cards.vcf")


@pytest.fixture(scope="module")
def expected() -> dict[int, dict[str, object]]:
    told = json.loads((SAMPLES / "cards.json").read_text(encoding="utf-8"))
    return {contact["row"]: contact for contact in told["contacts"]}


FIELDS = ("family_name", "given_name", "name_alt", "title", "department", "city", "address", "company")


@pytest.mark.parametrize("name", FIELDS)
def test_the_sample_cards_state_what_they_are_expected_to(name: str, expected: dict[int, dict[str, object]]) -> None:
    cards = _cards((SAMPLES / "cards.vcf").read_bytes())
    got = {number: cards[number - 1].get(name, [None])[0] for number in expected}
    wanted = {number: contact.get(name) for number, contact in expected.items()}
    got = {number: value.replace("㈜", "(주)") if value else value for number, value in got.items()}
    assert got == wanted


def test_the_sample_cards_have_their_addresses_and_notes(expected: dict[int, dict[str, object]]) -> None:
    cards = _cards((SAMPLES / "cards.vcf").read_bytes())
    for number, contact in expected.items():
        assert [text.lower() for text in cards[number - 1].get("email", [])] == contact.get("emails", [])
        assert "\n".join(cards[number - 1].get("notes", [])).replace("\r", "") == contact.get("notes", "")


def test_a_card_that_is_not_closed_and_one_of_a_group_are_marked() -> None:
    cards = _cards((SAMPLES / "cards.vcf").read_bytes())
    marked = {number: card["card_state"] for number, card in enumerate(cards, 1) if "card_state" in card}
    assert marked == {18: ["malformed_card"], 40: ["group_card"]}


def test_birthdays_are_told_and_not_kept() -> None:
    card = _card("FN:Kim", "BDAY:1980-01-01", "ANNIVERSARY:2001-02-03")
    assert card == {"full_name": ["Kim"], "sensitive": ["BDAY"]}


def test_pictures_are_not_kept_however_they_are_folded() -> None:
    photo = ["PHOTO;ENCODING=BASE64;TYPE=JPEG:", " /9j/4AAQ", " SkZJ=", ""]
    loose = ["PHOTO;BASE64:", "/9j/4AAQ", "SkZJ=", ""]
    for lines in (photo, loose, ["PHOTO:data:image/jpeg;base64,/9j/4"]):
        assert _card(*lines, "FN:Kim", version="2.1") == {"full_name": ["Kim"]}


def test_a_private_address_is_never_kept() -> None:
    card = _card("FN:Kim", "ADR;TYPE=HOME:;;1 Home Road;Seoul;;;Korea", "ADR;TYPE=WORK:;;2 Work Road;Busan;;612;Korea")
    assert (card["address"], card["city"], card["postal_code"]) == (["2 Work Road"], ["Busan"], ["612"])
    assert "Home Road" not in str(card)
    assert _card("FN:Kim", "item1.ADR:;;1 Home Road;;;;", "item1.X-ABLabel:_$!<Home>!$_") == {"full_name": ["Kim"]}


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("EUC-KR", "cp949"), ("SHIFT_JIS", "cp932"), ("GB2312", "gb18030"), ("BIG5", "cp950"), ("UTF-8", "utf-8")],
)
def test_a_property_is_decoded_by_the_charset_it_names(charset: str, codec: str) -> None:
    text = {"cp949": "김하나", "cp932": "表能 ソ一", "gb18030": "王晓东", "cp950": "許功蓋", "utf-8": "Đỗ"}[codec]
    assert _card(f"FN;CHARSET={charset}:".encode() + text.encode(codec), version="2.1")["full_name"] == [text]
    quoted = "".join(f"={byte:02X}" for byte in text.encode(codec))
    line = f"FN;CHARSET={charset};ENCODING=QUOTED-PRINTABLE:{quoted}"
    assert _card(line, version="2.1")["full_name"] == [text]


def test_a_backslash_that_is_half_a_character_is_none() -> None:
    card = _card(b"N;CHARSET=SHIFT_JIS:" + "表;ソ一".encode("cp932") + b";;;", version="2.1")
    assert (card["family_name"], card["given_name"]) == (["表"], ["ソ一"])


def test_quoted_printable_goes_on_after_a_soft_break() -> None:
    card = _card(
        "ORG;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=ED=95=9C=EB=B9=\r\n=9B;=EA=B5=AC=EB=A7=A4", version="2.1"
    )
    assert (card["company"], card["department"]) == (["한빛"], ["구매"])


def test_text_without_a_charset_that_is_no_utf8_is_guessed_and_told() -> None:
    data = "BEGIN:VCARD\nVERSION:3.0\nFN:김하나\nORG:한빛상사\nEND:VCARD\n".encode("cp949")
    source = _source(data)
    assert (source.encoding, [note.code for note in source.notes]) == ("cp949", ["encoding_guessed"])
    assert _cards(data)[0]["full_name"] == ["김하나"]
    assert _cards(data, encoding="euc-kr")[0]["company"] == ["한빛상사"]
    assert _cards(data.decode("cp949").encode("utf-16"))[0]["company"] == ["한빛상사"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(end: str) -> None:
    text = end.join(["BEGIN:VCARD", "VERSION:3.0", "FN:Kim", " Hana", "", "END:VCARD"])
    assert _cards(text.encode())[0]["full_name"] == ["KimHana"]


def test_one_name_in_two_languages_is_a_name_and_its_other_form() -> None:
    card = _card(
        "N;ALTID=1;LANGUAGE=ko:강;시우;;;", "N;ALTID=1;LANGUAGE=en:Kang;Siwoo;;;", "FN;ALTID=1:강시우", version="4.0"
    )
    assert (card["full_name"], card["family_name"], card["name_alt"]) == (["강시우"], ["강"], ["Siwoo Kang"])


def test_how_a_name_is_spoken_is_read_family_name_first() -> None:
    assert _card("FN:田中 健一", "X-PHONETIC-FIRST-NAME:ケンイチ", "X-PHONETIC-LAST-NAME:タナカ")["name_reading"] == [
        "タナカ ケンイチ"
    ]
    assert _card("FN:田中 健一", 'N;SORT-AS="たなか,けんいち":田中;健一;;;', version="4.0")["name_reading"] == [
        "たなか けんいち"
    ]
    assert "name_reading" not in _card("FN:Rene van der Harten", "SORT-STRING:Harten")


def test_numbers_go_by_their_kind_and_the_preferred_comes_first() -> None:
    card = _card(
        "FN:Kim", "TEL;TYPE=WORK:02-1", "TEL;TYPE=CELL:010-1", "TEL;TYPE=CELL,PREF:010-2", "TEL;TYPE=WORK,FAX:02-9",
        'TEL;VALUE=uri;TYPE="voice,work":tel:+82-2-3;ext=4',
    )  # fmt: skip
    assert (card["mobile"], card["phone"], card["fax"]) == (["010-2", "010-1"], ["02-1", "+82-2-3 ext. 4"], ["02-9"])


def test_messengers_are_found_under_all_their_names() -> None:
    card = _card(
        "FN:Kim", "X-WECHAT:kim_wx", "X-KAKAOTALK:kim_k", "IMPP;X-SERVICE-TYPE=WhatsApp:x-apple:8210", "X-SKYPE:k"
    )
    assert (card["wechat"], card["kakao"], card["whatsapp"]) == (["kim_wx"], ["kim_k"], ["8210"])
    assert card["X-SKYPE"] == ["k"]


@pytest.mark.parametrize("sign", ["KIND:org", "X-ABShowAs:COMPANY"])
def test_a_firm_is_no_person(sign: str) -> None:
    assert _card("FN:Brisamar GmbH", "ORG:Brisamar GmbH", sign, version="4.0") == {"company": ["Brisamar GmbH"]}


def test_escaped_signs_do_not_part_a_value() -> None:
    card = _card(r"ORG:Co.\, Ltd.\;X;Sales", r"NOTE:one\ntwo\\n", r"URL:https\://a.example")
    assert card["company"] == ["Co., Ltd.;X"]
    assert (card["notes"], card["website"]) == (["one\ntwo\\n"], ["https://a.example"])


def test_broken_properties_stop_neither_card_nor_file() -> None:
    card = _card(
        "FN:Kim", "TITLE;ENCODING=B:!!!!!", "NOTE;CHARSET=KLINGON:hello", "no colon", ';;"', "EMAIL:a@b.example"
    )
    assert (card["full_name"], card["email"], card["notes"]) == (["Kim"], ["a@b.example"], ["hello"])


def test_a_card_inside_a_card_is_not_one_of_the_file() -> None:
    inner = ["AGENT:", "BEGIN:VCARD", "FN:Secretary", "END:VCARD"]
    assert _card("FN:Kim", *inner, "EMAIL:a@b.example", version="2.1") == {
        "full_name": ["Kim"],
        "email": ["a@b.example"],
    }


def test_the_next_card_is_read_after_one_without_an_end() -> None:
    cards = _cards(b"BEGIN:VCARD\nFN:A\nBEGIN:VCARD\nFN:B\nEND:VCARD\nBEGIN:VCARD\nFN:C\n")
    assert [card.get("card_state") for card in cards] == [["malformed_card"], None, ["malformed_card"]]


def test_every_pass_over_the_cards_gives_the_same() -> None:
    [table] = _source((SAMPLES / "cards.vcf").read_bytes()).tables
    assert [*table.records()] == [*table.records()]
    assert len(table.head) == 41


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_no_bytes_inside_a_card_can_stop_the_file(lines: list[bytes]) -> None:
    data = b"BEGIN:VCARD\nFN:A\n" + b"\n".join(lines) + b"\nEND:VCARD\nBEGIN:VCARD\nFN:Last\nEND:VCARD\n"
    assert _cards(data)[-1]["full_name"] == ["Last"]
