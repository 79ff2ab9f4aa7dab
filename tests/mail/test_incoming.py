from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.mail.incoming import Incoming, parse
from tests.mailkit import MAILS, calm, mail

HEADERS = st.sampled_from(
    [
        b"From: ", b"To: ", b"Subject: =?utf-8?b?", b"Subject: =?cp949?q?=B0=A1?=", b"Content-Type: multipart/report; ",
        b"Content-Type: message/delivery-status", b"Content-Type: text/html; charset=utf-7", b"Date: ", b"\r\n\r\n",
        b"Content-Transfer-Encoding: base64", b"boundary=b\r\n\r\n--b\r\n",
        b"Final-Recipient: rfc822;", b"Action: failed",
        b"Content-Type: text/plain; charset=unicode_escape", b"References: <", b"Message-ID: <a@b>", b"\r\n", b"--b--",
        b"Content-Type: message/rfc822\r\n\r\n", b"Content-Disposition: attachment; filename*=x''%",
    ]
)  # fmt: skip
PIECES = st.lists(HEADERS | st.binary(max_size=40), max_size=30).map(b"".join)


@calm
@given(PIECES)
def test_no_bytes_can_stop_the_reading(raw: bytes) -> None:
    found = parse(raw)
    assert "\0" not in found.subject + found.text + found.from_name
    (found.subject + found.text + found.from_name + found.from_address).encode("utf-8")


@calm
@given(st.sampled_from(sorted(MAILS.glob("*.eml"))), st.integers(0, 4000), st.binary(max_size=30))
def test_damaged_mails_are_still_read(path: object, at: int, noise: bytes) -> None:
    raw = MAILS.joinpath(str(path)).read_bytes()
    assert isinstance(parse(raw[:at] + noise + raw[at:]), Incoming)


def test_a_korean_answer_in_cp949_is_read() -> None:
    found = parse(mail("own_reply_ko_naver_cp949"))
    assert (found.from_name, found.from_address, found.subject) == ("김민수", "kim@buyer.example", "RE: 감사")
    assert found.reply_text == "카탈로그 잘 받았습니다. 똠방각하"
    assert found.in_reply_to == "<letter-1@ieum.example>"


def test_a_chinese_answer_from_outlook_is_read() -> None:
    found = parse(mail("own_reply_zh_outlook_html"))
    assert (found.from_name, found.subject) == ("李雷", "答复: 样品")
    assert found.reply_text == "请寄样品。\n\n谢谢！"
    assert found.references == ("<letter-1@ieum.example>", "<letter-2@ieum.example>")


def test_an_absence_in_japanese_says_when_it_ends() -> None:
    found = parse(mail("own_out_of_office_ja"))
    assert (found.is_auto_reply, found.is_out_of_office, found.returns_on) == (True, True, date(2026, 11, 30))
    assert not found.wants_no_more


def answer(headers: str = "", text: str = "Thank you.", subject: str = "Re: hello") -> Incoming:
    head = f"From: a@buyer.example\r\nSubject: {subject}\r\nDate: Mon, 23 Nov 2026 10:00:00 +0900\r\n{headers}"
    return parse(f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}".encode())


@pytest.mark.parametrize(
    "headers",
    [
        "Auto-Submitted: auto-replied\r\n",
        "Auto-Submitted: auto-generated (vacation)\r\n",
        "X-Auto-Response-Suppress: All\r\n",
        "X-Autoreply: yes\r\n",
        "Precedence: auto_reply\r\n",
    ],
)
def test_a_machine_says_that_it_is_one(headers: str) -> None:
    assert answer(headers).is_auto_reply


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: hello", "Out of Office: hello",
        "[자동응답] hello", "부재중 자동응답: hello", "自動応答: hello",
        "自動返信：hello", "自动回复: hello", "自動回覆: hello",
        "Respuesta automática: hello", "Fuera de la oficina: hello",
    ],
)  # fmt: skip
def test_an_automatic_subject_is_known_in_six_languages(subject: str) -> None:
    assert answer(subject=subject).is_auto_reply


@pytest.mark.parametrize("headers", ["", "Auto-Submitted: no\r\n", "Precedence: normal\r\n", "List-Id: <x>\r\n"])
def test_a_person_is_not_a_machine(headers: str) -> None:
    assert not answer(headers).is_auto_reply


def test_a_person_who_writes_about_offices_is_not_absent() -> None:
    assert not answer(subject="Re: Out of office furniture", text="We need 20 desks.").is_auto_reply


def test_an_absence_without_any_mark_is_known_by_its_first_words() -> None:
    found = answer(subject="Thank you", text="I am out of office and will be back on 2026-12-01.")
    assert (found.is_out_of_office, found.returns_on) == (True, date(2026, 12, 1))


def test_it_lists_the_addresses_it_was_really_delivered_to_first() -> None:
    found = answer("To: sales@ieum.example\r\nDelivered-To: bounce+7-x@ieum.example\r\n")
    assert found.to_addresses == ("bounce+7-x@ieum.example", "sales@ieum.example")


def test_a_mail_program_that_followed_our_mailto_link_asks_to_stop() -> None:
    assert answer(subject="unsubscribe", text="").wants_no_more


def test_a_date_that_is_none_is_left_out() -> None:
    assert parse(b"From: a@b.example\r\nDate: yesterday\r\n\r\nx").sent_at is None


def test_a_mail_in_raw_eight_bit_is_read() -> None:
    raw = "From: 김민수 <kim@buyer.example>\r\nSubject: 안녕하세요\r\n\r\n본문입니다.".encode("cp949")
    found = parse(raw)
    assert (found.from_name, found.subject, found.text) == ("김민수", "안녕하세요", "본문입니다.")
