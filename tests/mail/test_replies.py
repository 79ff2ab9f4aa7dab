from datetime import date

import pytest

from crm.mail.absence import returns_on
from crm.mail.replies import newest, wants_no_more
from tests.mailkit import MAILS

SENT = date(2026, 11, 23)


@pytest.mark.parametrize(
    "quoted",
    [
        "On Mon, Nov 23, 2026 at 10:00 AM Hanbit <hanbit@ieum.example> wrote:\n> old",
        "On Mon, Nov 23, 2026 at 10:00 AM Hanbit Precision\n<hanbit@ieum.example> wrote:\n\nold",
        "-----Original Message-----\nFrom: Hanbit\nold",
        "________________________________\nFrom: Hanbit\nSent: Monday\nold",
        "From: Hanbit <hanbit@ieum.example>\nSent: Monday, November 23, 2026 10:00 AM\nTo: Buyer\nold",
        "-----원본 메시지-----\n보낸사람: 한빛\nold",
        "보낸 사람: 한빛 <hanbit@ieum.example>\n보낸 날짜: 2026년 11월 23일 월요일\nold",
        "2026년 11월 23일 (월) 오전 10:00, 한빛 <hanbit@ieum.example>님이 작성:\nold",
        "差出人: 한빛\n送信日時: 2026年11月23日\nold",
        "2026年11月23日(月) 10:00 한빛 <hanbit@ieum.example>:\nold",
        "------------------ 原始邮件 ------------------\n发件人: old",
        "发件人: 한빛\n发送时间: 2026年11月23日\nold",
        "한빛 <hanbit@ieum.example> 于2026年11月23日周一 10:00写道：\nold",
        "寄件者: 한빛\n寄件日期: 2026年11月23日\nold",
        "한빛 <hanbit@ieum.example> 於 2026年11月23日 週一 上午10:00寫道：\nold",
        "El lun, 23 nov 2026 a las 10:00, Hanbit (<hanbit@ieum.example>) escribió:\nold",
        "-----Mensaje original-----\nDe: Hanbit\nold",
        "> old\n>> older",
    ],
)
def test_quoted_mail_is_cut_off(quoted: str) -> None:
    assert newest(f"신제품 견적 부탁드립니다.\n\n{quoted}\n") == "신제품 견적 부탁드립니다."


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("reply_ja_quoted", "それでは 11:00 にお待ちしております。"),
        ("reply_da_outlook_separator", "Svar."),
        ("reply_en_gmail_indented", "Outlook with a reply above headers using unusual format"),
    ],
)
def test_real_answers_keep_the_new_words(name: str, wanted: str) -> None:
    found = newest((MAILS / f"{name}.txt").read_text("utf-8"))
    assert wanted in found
    assert ">" not in found


@pytest.mark.parametrize(
    "tail", ["--\nKim\n+82 2 0000 0000", "나의 iPhone에서 보냄", "Sent from my Galaxy", "Best regards,\nKim Minsu"]
)
def test_signatures_are_cut_off(tail: str) -> None:
    assert newest(f"견적 부탁드립니다.\n{tail}") == "견적 부탁드립니다."


@pytest.mark.parametrize(
    "text", ["From: 2026 our prices rise.\nWe order now.", "Quotation from: 10 units\n작성:\n내용"]
)
def test_ordinary_words_are_not_taken_for_quotations(text: str) -> None:
    assert newest(text) == text


def test_an_answer_between_the_lines_is_left_whole() -> None:
    assert newest("> do you need samples?") == "> do you need samples?"


@pytest.mark.parametrize(
    "text",
    [
        "Please unsubscribe.", "remove me from your list",
        "Don't email me again.", "수신거부합니다", "메일 보내지 마세요.",
        "더 이상 메일을 원하지 않습니다.", "配信停止をお願いします。",
        "今後のメールは不要です。", "退订", "请不要再发邮件。",
        "請不要再寄信給我，取消訂閱。", "Por favor, denme de baja.",
        "No deseo recibir más correos.", "No me envíe más correos.",
    ],
)  # fmt: skip
def test_the_wish_to_hear_no_more_is_understood(text: str) -> None:
    assert wants_no_more(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thank you, please send the price list.", "다음 주에 다시 연락 주세요. 샘플 보내 주시면 좋겠습니다.",
        "見積書を送ってください。", "请发报价单。", "請寄樣品給我們。", "Envíeme la lista de precios.", "",
        "We removed the old model from our range.",
        "안 보내셔도 됩니다. 카탈로그는 받았습니다.", "別の製品も見たいです。",
    ],
)  # fmt: skip
def test_interest_is_not_taken_for_refusal(text: str) -> None:
    assert not wants_no_more(text)


def test_a_long_letter_is_left_to_a_person() -> None:
    assert not wants_no_more("수신거부 " + "가" * 500)


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("I am out of the office and will be back on 7 December 2026.", date(2026, 12, 7)),
        ("I will be out of the office from December 1 to December 9.", date(2026, 12, 10)),
        ("I'm on leave until Friday, 4 December.", date(2026, 12, 5)),
        ("I'm away Nov 23 - Nov 27 and will return on November 30th.", date(2026, 11, 30)),
        ("Out of office until 2026-12-01", date(2026, 12, 2)),
        ("Out until January 4, 2027.", date(2027, 1, 5)),
        ("현재 출장 중으로 12월 3일까지 부재중입니다.", date(2026, 12, 4)),
        ("11월 23일부터 27일까지 휴가입니다. 11월 30일에 복귀합니다.", date(2026, 11, 30)),
        ("2026. 12. 1 ~ 2026. 12. 5 휴가입니다", date(2026, 12, 6)),
        ("11月23日から11月27日まで不在にしております。", date(2026, 11, 28)),
        ("11月30日(月)に出社いたします。", date(2026, 11, 30)),
        ("我将于12月1日至12月8日休假", date(2026, 12, 9)),
        ("我目前不在辦公室，12月10日回來。", date(2026, 12, 10)),
        ("Estaré fuera de la oficina hasta el 5 de diciembre de 2026.", date(2026, 12, 6)),
        ("Estoy de vacaciones del 1 al 15 de diciembre. Regreso el 16 de diciembre.", date(2026, 12, 16)),
        ("Regreso el 02/12/2026", date(2026, 12, 2)),
        ("Back on 2 January.", date(2027, 1, 2)),
    ],
)
def test_the_day_of_return_is_read(text: str, back: date) -> None:
    assert returns_on(text, SENT) == back


@pytest.mark.parametrize(
    "text",
    [
        "Out until 7/12", "I'll be back soon", "Thank you for your mail of 23 November. I am away.",
        "Back on 31 February.",
        "I was out until 1 November.", "back on 2029-01-01",
    ],
)  # fmt: skip
def test_a_day_that_is_not_certain_is_not_guessed(text: str) -> None:
    assert returns_on(text, SENT) is None
