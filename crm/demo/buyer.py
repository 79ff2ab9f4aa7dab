"""Answering a letter as its buyer would: the mails that real mail programs and servers send back.

In: a letter as it lies in a buyer's mailbox. Out: an answer, handed over SMTP to the demo's own server on this machine.
"""

import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Literal

from crm.core.config import LOOPBACK
from crm.mail.compose import Outgoing, compose

Kind = Literal["reply", "out_of_office", "unsubscribe", "bounce"]
AWAY_DAYS = 9
SERVER = "mx.buyer.example"

# What a buyer writes, by the language of the letter. {back} is the first day back.
_REPLY = {
    "ko": "안녕하세요,\n\n메일 잘 받았습니다. 견적서와 샘플 조건을 보내 주시면 검토하겠습니다.\n\n감사합니다.",
    "en": "Hello,\n\nThank you for your mail. Please send us your price list and sample conditions.\n\nBest regards,",
    "ja": "お世話になっております。\n\nお見積りとサンプルの条件をお送りください。\n\nよろしくお願いいたします。",
    "zh-Hans": "您好，\n\n邮件已收到，谢谢。请把报价单和样品条件发给我们。\n\n此致",
    "zh-Hant": "您好，\n\n郵件已收到，謝謝。請將報價單和樣品條件寄給我們。\n\n敬祝商祺",
    "es": "Buenos días:\n\nEnvíenos, por favor, la lista de precios y las condiciones de muestra.\n\nSaludos,",
}
_AWAY = {
    "ko": ("부재중 자동 응답", "현재 부재중이며 {back:%Y년 %m월 %d일}에 복귀합니다."),
    "en": ("Automatic reply", "I am out of the office and will be back on {back:%d %B %Y}."),
    "ja": ("自動応答", "ただいま不在にしております。{back:%Y年%m月%d日}に出社いたします。"),
    "zh-Hans": ("自动回复", "我目前不在办公室，{back:%Y年%m月%d日}回来。"),
    "zh-Hant": ("自動回覆", "我目前不在辦公室，{back:%Y年%m月%d日}回來。"),
    "es": ("Respuesta automática", "Estoy fuera de la oficina y regreso el {back:%d/%m/%Y}."),
}
_STOP = {
    "ko": "앞으로 메일을 보내지 말아 주세요. 수신거부합니다.",
    "en": "Please unsubscribe me. I do not wish to receive further mails.",
    "ja": "今後のメールは不要です。配信停止をお願いします。",
    "zh-Hans": "请退订，不要再发邮件给我们。",
    "zh-Hant": "請取消訂閱，不要再寄郵件給我們。",
    "es": "Por favor, denme de baja. No deseo recibir más correos.",
}
_WROTE = {
    "ko": "{when:%Y년 %m월 %d일 %H:%M}, {who}님이 작성:",
    "en": "On {when:%a, %d %b %Y at %H:%M}, {who} wrote:",
    "ja": "{when:%Y年%m月%d日} {who} <{address}>:",
    "zh-Hans": "{who} 于{when:%Y年%m月%d日} {when:%H:%M}写道：",
    "zh-Hant": "{who} 於 {when:%Y年%m月%d日} {when:%H:%M} 寫道：",
    "es": "El {when:%d/%m/%Y %H:%M}, {who} escribió:",
}


@dataclass(frozen=True)
class Answer:
    """A mail with its envelope, ready for SMTP. Bounces have the empty sender (RFC 5321 section 4.5.5)."""

    sender: str
    recipient: str
    raw: bytes


class CannotAnswer(ValueError):
    """The mail names nobody to answer to."""


def answer_as_buyer(raw: bytes, kind: Kind, *, now: datetime, text: str = "") -> Answer:
    """Make the answer of this kind to a received letter. ``text`` replaces the buyer's words in a reply.

    Raises CannotAnswer if the letter has no sender.
    """
    letter = message_from_bytes(raw, policy=policy.compat32)
    if kind == "bounce":
        return _bounce(letter, raw, now)
    language = _of_language(letter)
    if kind == "out_of_office":
        return _away(letter, language, now)
    words = text or (_STOP if kind == "unsubscribe" else _REPLY)[language]
    return _reply(letter, language, words, now)


def hand_in(answer: Answer, *, host: str, port: int) -> None:
    """Give an answer to the demo's SMTP server. Raises ValueError for a server that is not on this machine."""
    if host not in LOOPBACK:
        raise ValueError("the demo speaks to its own mail server only")
    with smtplib.SMTP(host, port, local_hostname="localhost", timeout=10) as client:
        client.sendmail(answer.sender, [answer.recipient], answer.raw)


def _reply(letter: Message, language: str, words: str, now: datetime) -> Answer:
    who, address = parseaddr(_decoded(letter, "From"))
    quoted = "\n".join(f"> {line}".rstrip() for line in _text(letter).splitlines())
    attribution = _WROTE[language].format(when=now, who=who or address, address=address)
    subject = _decoded(letter, "Subject")
    return _written(
        letter,
        subject=subject if subject.lower().startswith("re:") else f"Re: {subject}",
        text=f"{words}\n\n{attribution}\n\n{quoted}\n",
        now=now,
    )


def _away(letter: Message, language: str, now: datetime) -> Answer:
    title, words = _AWAY[language]
    return _written(
        letter,
        subject=f"{title}: {_decoded(letter, 'Subject')}",
        text=words.format(back=now + timedelta(days=AWAY_DAYS)) + "\n",
        now=now,
        headers={"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"},
        sender="",
        recipient=_return_path(letter),
    )


def _written(
    letter: Message,
    *,
    subject: str,
    text: str,
    now: datetime,
    headers: dict[str, str] | None = None,
    sender: str | None = None,
    recipient: str = "",
) -> Answer:
    name, own = parseaddr(_decoded(letter, "To"))
    _who, back = parseaddr(_decoded(letter, "Reply-To") or _decoded(letter, "From"))
    if not own or not back:
        raise CannotAnswer("the letter names no sender or no recipient")
    message_id = str(letter.get("Message-ID", "")).strip()
    raw = compose(
        Outgoing(
            from_name=name,
            from_address=own,
            to_name="",
            to_address=back,
            subject=subject,
            text=text,
            message_id=make_msgid(domain=own.rpartition("@")[2]),
            date=now,
            in_reply_to=message_id,
            references=(message_id,) if message_id else (),
            headers=headers or {},
        )
    )
    return Answer(own if sender is None else sender, recipient or back, raw)


def _bounce(letter: Message, raw: bytes, now: datetime) -> Answer:
    """A delivery status notification as Postfix writes it (RFC 3464), with the headers of the letter enclosed."""
    _name, own = parseaddr(_decoded(letter, "To"))
    back = _return_path(letter)
    reason = f"550 5.1.1 <{own}>: Recipient address rejected: User unknown in virtual mailbox table"
    boundary = "=_report"
    head = (
        f"From: Mail Delivery System <MAILER-DAEMON@{SERVER}>\r\nTo: {back}\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\nDate: {format_datetime(now)}\r\n"
        f"Message-ID: {make_msgid(domain=SERVER)}\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"\r\n\r\n'
    )
    notice = f"Your message could not be delivered.\r\n\r\n<{own}>: host {SERVER} said: {reason}\r\n"
    status = (
        f"Reporting-MTA: dns; {SERVER}\r\nArrival-Date: {format_datetime(now)}\r\n\r\n"
        f"Final-Recipient: rfc822; {own}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        f"Remote-MTA: dns; {SERVER}\r\nDiagnostic-Code: smtp; {reason}\r\n"
    )
    parts = {
        "text/plain; charset=us-ascii": notice,
        "message/delivery-status": status,
        "text/rfc822-headers": raw.partition(b"\r\n\r\n")[0].decode("ascii", "replace"),
    }
    body = "".join(f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n{text}\r\n" for kind, text in parts.items())
    return Answer("", back, f"{head}{body}--{boundary}--\r\n".encode("ascii", "replace"))


def _return_path(letter: Message) -> str:
    address = str(letter.get("Return-Path", "")).strip().strip("<>")
    if not address:
        raise CannotAnswer("the letter has no return path")
    return address


def _of_language(letter: Message) -> str:
    language = str(letter.get("Content-Language", "en")).strip()
    return language if language in _REPLY else "en"


def _decoded(letter: Message, name: str) -> str:
    return str(make_header(decode_header(str(letter.get(name, ""))))).replace("\r", "").replace("\n", "")


def _text(letter: Message) -> str:
    part = next((part for part in letter.walk() if part.get_content_type() == "text/plain"), None)
    payload = part.get_payload(decode=True) if part else b""
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
