"""Files that go along with a letter come out as they were put in, under their own names."""

import email
import email.policy
import hashlib
from email.header import decode_header, make_header
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.mail.compose import Attachment, CannotCompose, compose, encoded_size, filled, marks
from tests.mailkit import calm, letter

PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SIGNS = "카탈로그한빛밸브2026 カタログ（株）產品型錄产品目录Catálogo_ñ;,'()[]%=&+-.ABCxyz🇰🇷"
NAMES = st.text(alphabet=SIGNS, min_size=1, max_size=60).filter(lambda n: n == n.strip(" .") and len(n.encode()) <= 240)


def files_of(raw: bytes) -> list[Any]:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert [part.defects for part in message.walk() if part.defects] == []
    return list(message.iter_attachments())


@calm
@given(name=NAMES, content=st.binary(max_size=2000))
def test_a_file_comes_back_under_its_own_name(name: str, content: bytes) -> None:
    [part] = files_of(compose(letter(attachments=(Attachment(name, PDF, content),))))
    assert (part.get_filename(), part.get_content_type(), part.get_content()) == (name, PDF, content)


@calm
@given(name=NAMES)
def test_programs_that_know_encoded_words_only_read_the_same_name(name: str) -> None:
    """Outlook of old, Naver and QQ look at the name of Content-Type, in encoded words."""
    raw = compose(letter(attachments=(Attachment(name, PDF, b"x"),)))
    [part] = [
        part
        for part in email.message_from_bytes(raw, policy=email.policy.compat32).walk()
        if part["Content-Disposition"]
    ]
    written = part["Content-Type"].replace("\r\n", "").partition("name=")[2]
    unquoted = email.utils.unquote(written)
    assert str(make_header(decode_header(unquoted))) == name


@calm
@given(name=NAMES, content=st.binary(max_size=500))
def test_a_letter_with_files_is_ascii_with_short_lines(name: str, content: bytes) -> None:
    raw = compose(letter(attachments=(Attachment(name, XLSX, content), Attachment(name, PDF, content))))
    assert raw.isascii()
    assert all(b"\n" not in line and b"\r" not in line for line in raw.split(b"\r\n"))
    assert max(len(line) for line in raw.split(b"\r\n")) <= 80  # the kind of a workbook takes 80 by itself


def test_what_is_read_stands_before_the_files() -> None:
    message = email.message_from_bytes(
        compose(letter(attachments=(Attachment("a.pdf", PDF, b"1"), Attachment("b.pdf", PDF, b"2")))),
        policy=email.policy.default,
    )
    assert message.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in message.iter_parts()] == ["multipart/alternative", PDF, PDF]
    assert message.get_body(("html",)).get_content().strip() == "<p>田中様</p>"


def test_a_letter_of_text_alone_can_carry_a_file() -> None:
    message = email.message_from_bytes(
        compose(letter(html="", attachments=(Attachment("a.pdf", PDF, b"1"),))), policy=email.policy.default
    )
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", PDF]


def test_a_calendar_says_its_method_and_is_text() -> None:
    [part] = files_of(
        compose(
            letter(attachments=(Attachment("meeting.ics", "text/calendar", b"BEGIN:VCALENDAR\r\n", method="PUBLISH"),))
        )
    )
    assert (part.get_content_type(), part.get_param("method"), part.get_content_charset()) == (
        "text/calendar", "PUBLISH", "utf-8",
    )  # fmt: skip


@calm
@given(contents=st.lists(st.binary(max_size=300), min_size=1, max_size=3))
def test_files_left_out_are_put_in_as_if_they_had_been_there(contents: list[bytes]) -> None:
    known = {hashlib.sha256(data).hexdigest(): data for data in contents}
    left_out = tuple(Attachment("a.pdf", PDF, None, hashlib.sha256(data).hexdigest()) for data in contents)
    there = tuple(Attachment("a.pdf", PDF, data) for data in contents)
    raw = compose(letter(attachments=left_out))
    assert marks(raw) == [item.sha256 for item in left_out]
    assert filled(raw, known.__getitem__) == compose(letter(attachments=there))


def test_another_file_than_the_approved_one_is_not_put_in() -> None:
    raw = compose(letter(attachments=(Attachment("a.pdf", PDF, None, "0" * 64),)))
    with pytest.raises(CannotCompose, match="approved"):
        filled(raw, lambda _hash: b"another")


@calm
@given(size=st.integers(min_value=0, max_value=5000))
def test_the_size_of_a_file_in_a_mail_is_known_before(size: int) -> None:
    with_file = compose(letter(attachments=(Attachment("a.pdf", PDF, bytes(size)),)))
    without = compose(letter(attachments=(Attachment("a.pdf", PDF, b""),)))
    assert len(with_file) - len(without) == encoded_size(size) - 2


@pytest.mark.parametrize(
    "name", ["", " a.pdf", "a.pdf.", "../a.pdf", "a/b.pdf", "a\\b.pdf", "a\r\nX: y.pdf", "a\u202efdp.exe", "x" * 241]
)
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(CannotCompose):
        compose(letter(attachments=(Attachment(name, PDF, b""),)))


@pytest.mark.parametrize("kind", ["", "pdf", "application/pdf\r\nX: y", "multipart/mixed", "message/rfc822"])
def test_a_kind_that_is_none_is_refused(kind: str) -> None:
    with pytest.raises(CannotCompose):
        compose(letter(attachments=(Attachment("a.pdf", kind, b""),)))


def test_a_letter_without_files_is_written_as_before() -> None:
    assert compose(letter(attachments=())) == compose(letter())
    assert b"multipart/mixed" not in compose(letter())
