"""Subjects and names of 1 to 200 characters in every letter language come back as written (F43).

Read twice: by Python's parser, and by a reader of our own that is as strict as RFC 2047 allows a reader to be.
"""

import base64
import email
import email.policy
import re
from email.header import decode_header, make_header

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.mail.compose import compose
from tests.mailkit import calm, letter

ALPHABETS = {
    "ko": "확인부탁드립니다김민수한빛정밀님께각가힣뷁ㄱㅏ(주)[]·0123 ABCxyz",
    "en": 'Follow-up: HIFEX 2026 – actuators (Hanbit) & more, "quoted" it\'s =?utf-8?q?no?= <x@y> ',
    "zh-Hans": "确认展会样品报价单先生女士总经理【】，《》—龙汉字 0123ABC",
    "zh-Hant": "關於展覽會的樣品報價單先生女士總經理【】，《》—龘臺灣 0123ABC",
    "ja": "展示会のご案内ァヴー「」【】様　株式会社東京商事ｶﾅ々〆 0123ABC",
    "es": "Feria Señor Muñoz: ¿cuándo? ¡Adiós! «ñandú» áéíóúü – 0123ABC ",
}
BEYOND = "𠮷𩸽🇰🇷👩‍💼e\u0301\u0327क्षิ\u0e33شركة"
"""Four bytes, marks that join, letters from right to left: in names that come from outside."""
LANGUAGES = sorted(ALPHABETS)
few = settings(calm, max_examples=40)


def texts(language: str, extra: str = "") -> st.SearchStrategy[str]:
    """Texts of 1 to 200 characters, with runs of spaces inside but none around, as a subject is stored."""
    letters = st.text(ALPHABETS[language] + extra, min_size=1, max_size=200)
    return letters.map(str.strip).filter(bool)


def header(raw: bytes, name: str) -> bytes:
    """Return the raw lines of one header, folded as they are."""
    head = raw.partition(b"\r\n\r\n")[0]
    found = re.search(rb"(?:\A|\r\n)" + name.encode() + rb":((?:.|\r\n[ \t])*)(?=\r\n|\Z)", head)
    assert found, name
    return name.encode() + b":" + found[1]


WORD = re.compile(r"=\?([!-<>@-~]+)\?([bBqQ])\?([!->@-~]*)\?=")


def strictly_read(raw: bytes) -> str:
    """Read an unstructured header by RFC 2047 and 5322, and refuse what they do not allow."""
    lines = raw.split(b"\r\n")
    assert raw.isascii()
    assert all(not line.endswith((b" ", b"\t")) for line in lines), (
        "RFC 5322: a folded line of white space alone is lost"
    )
    for line in lines:
        assert b"\r" not in line
        assert b"\n" not in line
        assert len(line) <= (76 if b"=?" in line else 998), "RFC 2047, section 2"
    assert all(line[:1] in b" \t" and line.strip() for line in lines[1:])
    text = b"".join(lines).decode("ascii").partition(":")[2][1:]
    tokens = re.split(r"( +)", text)
    read, gap, before = "", "", False
    for token in tokens:
        if not token.strip():
            gap += token
            continue
        encoded = WORD.fullmatch(token)
        read += "" if encoded and before else gap  # white space between two encoded words is no text
        read += decoded(encoded) if encoded else token
        gap, before = "", bool(encoded)
    return read + gap


def decoded(word: re.Match[str]) -> str:
    assert len(word[0]) <= 75, "RFC 2047, section 2"
    assert (word[1].lower(), word[2].lower()) == ("utf-8", "b")
    octets = base64.b64decode(word[3], validate=True)
    assert octets, "an encoded word that says nothing"
    return octets.decode("utf-8", errors="strict")  # section 5: no character is split over two words


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_subject_comes_back_by_the_letter_of_the_standard(language):
    @few
    @given(texts(language) | texts(language, BEYOND))
    def comes_back(subject):
        assert strictly_read(header(compose(letter(subject=subject)), "Subject")) == subject

    comes_back()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_subject_comes_back_through_both_of_pythons_readers(language):
    @few
    @given(texts(language))
    def comes_back(subject):
        raw = compose(letter(subject=subject))
        old = email.message_from_bytes(raw, policy=email.policy.compat32)["Subject"].replace("\r\n", "")
        assert str(make_header(decode_header(old))) == subject
        assert email.message_from_bytes(raw, policy=email.policy.default)["Subject"] == subject

    comes_back()


@pytest.mark.parametrize("length", [1, 2, 12, 13, 14, 39, 40, 52, 60, 75, 76, 77, 150, 199, 200])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_subject_of_every_length_near_the_ends_of_words_and_lines_comes_back(language, length):
    own = re.sub(r"\s", "", ALPHABETS[language])
    for start in range(4):  # bytes of one, two and three a character meet the ends in all positions
        subject = ("x" * start + own * 20)[:length]
        assert strictly_read(header(compose(letter(subject=subject)), "Subject")) == subject


@pytest.mark.parametrize("every", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_space_of_a_subject_is_lost(language, every):
    own = re.sub(r"\s", "", ALPHABETS[language])
    subject = " ".join(own[at : at + every] for at in range(0, len(own), every))
    raw = compose(letter(subject=subject))
    assert strictly_read(header(raw, "Subject")) == subject
    assert email.message_from_bytes(raw, policy=email.policy.default)["Subject"] == subject


@pytest.mark.parametrize("field", ["From", "To"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_comes_back_with_its_address(language, field):
    part, address = {"From": ("from_name", "hanbit@ieum.example"), "To": ("to_name", "tanaka@buyer.example")}[field]

    @few
    @given(texts(language) | texts(language, BEYOND))
    def comes_back(name):
        raw = header(compose(letter(**{part: name})), field)
        shown, _space, found = strictly_read(raw).rpartition(" ")
        assert found == f"<{address}>"
        if re.search(rb"=\?utf-8\?b\?", raw) or not shown.startswith('"'):
            assert shown == name
        else:
            assert re.sub(r"\\(.)", r"\1", shown[1:-1]) == name

    comes_back()


@pytest.mark.parametrize(
    "broken",
    [
        b"Subject: =?utf-8?b?7ZmV7Q==?= =?utf-8?b?nbg=?=",
        b"Subject: =?utf-8?b?" + base64.b64encode("확".encode() * 20) + b"?=",
        b"Subject: =?utf-8?b??=",
        b"Subject: " + b"a" * 70 + b" =?utf-8?b?7ZmV?=",
    ],
    ids=["split character", "word of 99", "empty word", "line of 90"],
)  # fmt: skip
def test_the_strict_reader_refuses_what_the_standard_forbids(broken):
    with pytest.raises((AssertionError, UnicodeDecodeError)):
        strictly_read(broken)
