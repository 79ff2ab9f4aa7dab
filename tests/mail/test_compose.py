import email
import email.policy
from datetime import datetime
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.mail import mime
from crm.mail.compose import CannotCompose, compose
from tests.mailkit import calm, letter

KO = "확인부탁드립니다김민수 (주)한빛정밀님께·가각힣"
JA = "展示会のご案内　株式会社東京商事ァヴー「」様"
ZH = "關於展覽会的樣品报价单先生女士，《》—龘"
ES = "Feria Señor Muñoz: ¿cuándo? ¡Adiós! «ñandú» "
ASCII = 'Re: Follow-up "KINTEX" \\ <a@b.example>, =?utf-8?b?x?= '
TEXTS = st.text(alphabet=KO + JA + ZH + ES + ASCII + "🇰🇷👩‍💼", min_size=1, max_size=200).filter(str.strip)


def read(raw: bytes) -> email.message.Message:
    return email.message_from_bytes(raw, policy=email.policy.compat32)


@calm
@given(subject=TEXTS)
def test_any_subject_survives_the_wire(subject: str) -> None:
    message = read(compose(letter(subject=subject)))
    assert str(make_header(decode_header(message["Subject"].replace("\r\n", "")))) == subject
    assert mime.header(message, "Subject") == subject.strip()


@calm
@given(name=TEXTS)
def test_any_display_name_survives_the_wire(name: str) -> None:
    message = read(compose(letter(from_name=name)))
    [(found, address)] = getaddresses([message["From"].replace("\r\n", "")])
    assert (str(make_header(decode_header(found))), address) == (name, "hanbit@ieum.example")


@calm
@given(subject=TEXTS, name=TEXTS, text=st.text(alphabet=KO + JA + ZH + ES + "\n", max_size=2000))
def test_it_is_ascii_with_crlf_and_short_lines(subject: str, name: str, text: str) -> None:
    raw = compose(letter(subject=subject, to_name=name, text=text))
    lines = raw.split(b"\r\n")
    assert raw.isascii()
    assert all(b"\n" not in line and b"\r" not in line for line in lines)
    assert max(map(len, lines)) <= 78


def test_text_and_html_come_back_as_written() -> None:
    message = email.message_from_bytes(
        compose(letter(text="첫째 줄\n둘째 줄", html="<p>안녕하세요</p>")), policy=email.policy.default
    )
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content().replace("\r\n", "\n") for part in message.iter_parts()] == [
        "첫째 줄\n둘째 줄",
        "<p>안녕하세요</p>",
    ]
    assert message.defects == []


def test_a_letter_without_html_is_plain_text() -> None:
    assert read(compose(letter(html=""))).get_content_type() == "text/plain"


def test_it_carries_one_click_unsubscribe() -> None:
    message = read(compose(letter()))
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Unsubscribe"].split() == [
        "<https://ieum.example/u/1-abc>,",
        "<mailto:unsubscribe+1-abc@ieum.example?subject=unsubscribe>",
    ]


def test_a_follow_up_names_the_whole_thread() -> None:
    message = read(compose(letter(in_reply_to="<b@x.example>", references=("<a@x.example>", "<b@x.example>"))))
    assert message["In-Reply-To"] == "<b@x.example>"
    assert message["References"].split() == ["<a@x.example>", "<b@x.example>"]
    assert message["Content-Language"] == "ja"


def test_the_same_letter_gives_the_same_bytes() -> None:
    assert compose(letter()) == compose(letter())


@pytest.mark.parametrize("field", ["subject", "from_name", "to_name", "language"])
@pytest.mark.parametrize("attack", ["x\r\nBcc: all@other.example", "x\nX-Y: z", "x\ry", "x\0y"])
def test_it_refuses_line_breaks_in_headers(field: str, attack: str) -> None:
    with pytest.raises(CannotCompose):
        compose(letter(**{field: attack}))


@pytest.mark.parametrize(
    "changes",
    [
        {"to_address": "a@b.example>\r\nBcc: c@d.example"},
        {"to_address": "a@b.example, c@d.example"},
        {"to_address": "no-at-sign"},
        {"to_address": "한빛@b.example"},
        {"reply_to": "a b@c.example"},
        {"message_id": "letter-1@ieum.example"},
        {"in_reply_to": "<a@b>\r\nX: y"},
        {"references": ("<a@b.example> <c@d.example>",)},
        {"list_unsubscribe_url": "http://ieum.example/u/1"},
        {"list_unsubscribe_url": "https://ieum.example/ u>"},
        {"list_unsubscribe_url": "javascript:alert(1)"},
        {"headers": {"Bcc": "all@other.example"}},
        {"headers": {"X-A: b\r\nBcc": "c"}},
        {"headers": {"X-A": "b\r\nBcc: c"}},
        {"headers": {"X-A": "한글"}},
        {"headers": {"X-A": "x" * 999}},
        {"subject": "half \ud83d character"},
        {"text": "half \ud83d character"},
        {"date": datetime(2026, 11, 23)},  # noqa: DTZ001 - that it is naive is the point
    ],
)
def test_it_refuses_what_cannot_stand_in_a_mail(changes: dict[str, object]) -> None:
    with pytest.raises(CannotCompose):
        compose(letter(**changes))


def test_a_demo_may_unsubscribe_over_plain_http_on_this_machine() -> None:
    assert b"<http://127.0.0.1:8000/u/1>" in compose(letter(list_unsubscribe_url="http://127.0.0.1:8000/u/1"))
