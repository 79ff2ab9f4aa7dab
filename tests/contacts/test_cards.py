"""vCards as a telephone reads them."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.contacts.cards import SINGLE, Holder, card
from crm.contacts.cells import holdable

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def properties(data: bytes) -> list[tuple[str, list[str]]]:
    """Read a card as RFC 6350 says: unfold, split at the first colon, split at bare separators, unescape."""
    lines = data.decode().replace("\r\n ", "").removesuffix("\r\n").split("\r\n")
    pairs = [line.partition(":") for line in lines]
    return [(name, split(value, "," if name == "CATEGORIES" else ";")) for name, _colon, value in pairs]


def split(value: str, by: str) -> list[str]:
    parts, escaped = [""], False
    for letter in value:
        if escaped:
            parts[-1] += "\n" if letter == "n" else letter
        elif letter == by:
            parts.append("")
        elif letter != "\\":
            parts[-1] += letter
        escaped = letter == "\\" and not escaped
    return parts


def test_a_card_says_who_it_is_and_how_to_reach_them() -> None:
    holder = Holder(
        {"full_name": "田中 健一", "family_name": "田中", "given_name": "健一", "name_alt": "Tanaka Kenichi",
         "name_reading": "たなか けんいち", "company": "さくら, 商事", "department": "Sales; East", "title": "課長",
         "city": "東京", "postal_code": "105-0001", "country": "Japan", "website": "https://sakura.example/a;b"},
        ["VIP", "a,b"], ["t@sakura.example", "k@sakura.example"], [("cell", "+819012345678")], {"wechat": "tanaka"},
    )  # fmt: skip
    assert card(holder).decode().split("\r\n") == [
        "BEGIN:VCARD",
        "VERSION:4.0",
        "FN;ALTID=1:田中 健一",
        "FN;ALTID=1:Tanaka Kenichi",
        "N:田中;健一;;;",
        "X-PHONETIC-LAST-NAME:たなか",
        "X-PHONETIC-FIRST-NAME:けんいち",
        "ORG:さくら\\, 商事;Sales\\; East",
        "TITLE:課長",
        "EMAIL;PREF=1:t@sakura.example",
        "EMAIL;PREF=2:k@sakura.example",
        "TEL;TYPE=cell:+819012345678",
        "ADR;TYPE=work:;;;東京;;105-0001;Japan",
        "URL:https://sakura.example/a;b",
        "CATEGORIES:VIP,a\\,b",
        "X-WECHAT:tanaka",
        "END:VCARD",
        "",
    ]


def test_a_firm_without_a_person_is_an_organisation() -> None:
    found = dict(properties(card(Holder({"company": "Flores S.L."}))))
    assert (found["KIND"], found["FN"], found["ORG"]) == (["org"], ["Flores S.L."], ["Flores S.L."])
    assert "N" not in found


def test_older_telephones_get_both_names_and_no_property_they_do_not_know() -> None:
    text = card(Holder({"full_name": "Ana López", "name_alt": "아나"}, [], ["a@b.example"]), "3.0").decode()
    assert "VERSION:3.0\r\nFN:Ana López\r\nN:;Ana López;;;\r\nEMAIL;TYPE=INTERNET:a@b.example\r\n" in text
    assert not re.search("KIND|ALTID|PREF", text)


@settings(max_examples=50)
@given(
    st.fixed_dictionaries(dict.fromkeys([*SINGLE, "country"], TEXTS)), st.lists(TEXTS.filter(bool), min_size=1), TEXTS
)
@pytest.mark.parametrize("version", ["4.0", "3.0"])
def test_any_text_survives_and_no_line_is_too_long(
    version: str, texts: dict[str, str], tags: list[str], number: str
) -> None:
    data = card(Holder(texts, tags, phones=[("cell", number)]), version)
    lines = data.split(b"\r\n")
    assert max(len(line) for line in lines) <= 75
    assert all(line.decode() or line == b"" for line in lines)
    found = properties(data)
    assert found[0] == ("BEGIN", ["VCARD"])
    assert found[-1] == ("END", ["VCARD"])
    values = dict(reversed(found))
    held = {name: holdable(text) for name, text in texts.items()}
    full = values["FN;ALTID=1" if "FN;ALTID=1" in values else "FN"]
    assert full == [held["full_name"] or held["company"]]
    assert values.get("TITLE", [""]) == [held["title"]]
    assert values.get("TEL;TYPE=cell", values.get("TEL;TYPE=CELL")) == [holdable(number)]
    assert values["CATEGORIES"] == [holdable(tag) for tag in tags]
    place = ["", "", *(held[name] for name in ("address", "city", "region", "postal_code", "country"))]
    assert values.get("ADR;TYPE=work", [""] * 7) == place
