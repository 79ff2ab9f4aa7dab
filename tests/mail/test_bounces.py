import pytest

from crm.mail.incoming import parse
from tests.mailkit import mail


@pytest.mark.parametrize(
    ("name", "recipients", "given_up", "dead"),
    [
        ("bounce_exim_unknown_user", ["userx@its.example.nl"], True, True),
        ("bounce_exchange_unknown_user", ["userx@example.com"], True, True),
        ("bounce_dsn_unknown_user", ["anne.person@dom.ain"], True, True),
        ("bounce_dsn_action_error", ["email@replaced.net"], True, True),
        ("bounce_dsn_expired", ["zzzzz@example.uk"], True, False),
        ("bounce_dsn_delayed", ["userx@example.cz"], False, False),
        ("bounce_kundenserver_delayed", ["user@example.com"], False, False),
        ("bounce_yahoo_two_full_mailboxes", ["userx@example.es", "usery@example.uk"], True, False),
        ("bounce_hotpop_full_mailbox", ["userx@example.com"], True, False),
        ("bounce_sina_gb2312", ["userx@sina.com", "usery@sina.com"], True, False),
        ("bounce_gmail_taken_for_spam", ["david...@gmail.com"], True, False),
        ("own_bounce_rfc6533_global", ["구매@buyer.example"], True, True),
        ("own_bounce_naver_html", ["buyer@naver.example"], True, True),
    ],
)
def test_a_bounce_names_its_recipients(name: str, recipients: list[str], given_up: bool, dead: bool) -> None:
    found = parse(mail(name)).bounces
    assert sorted(bounce.recipient for bounce in found) == recipients
    assert {bounce.given_up for bounce in found} == {given_up}
    assert {bounce.dead_address for bounce in found} == {dead}


def test_a_full_mailbox_is_not_hard_although_its_status_begins_with_five() -> None:
    [bounce] = parse(mail("bounce_hotpop_full_mailbox")).bounces
    assert (bounce.status, bounce.cause, bounce.hard) == ("5.2.2", "mailbox_full", False)


def test_a_report_returns_the_message_id_of_the_letter() -> None:
    assert parse(mail("own_bounce_rfc6533_global")).returned_message_id == "<letter-12@ieum.example>"


def test_a_report_keeps_what_the_server_said() -> None:
    [bounce] = parse(mail("own_bounce_rfc6533_global")).bounces
    assert "사용자가 없습니다" in bounce.diagnostic


def test_a_report_of_success_is_no_bounce() -> None:
    raw = mail("own_bounce_rfc6533_global").replace(b"Action: failed", b"Action: delivered")
    assert not parse(raw).is_bounce


def test_an_encoded_report_is_read() -> None:
    status = (
        b"Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; a@buyer.example\nAction: failed\nStatus: 5.1.1\n"
    )
    import base64

    raw = (
        b"From: MAILER-DAEMON@mx.example\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n'
        b"Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(status)
        + b"\r\n--b--\r\n"
    )
    assert [bounce.recipient for bounce in parse(raw).bounces] == ["a@buyer.example"]


def test_a_complaint_is_told_from_a_bounce() -> None:
    found = parse(mail("own_complaint_arf"))
    assert (found.complaint, found.complained_recipient) == ("abuse", "buyer@provider.example")
    assert found.returned_message_id == "<letter-7@ieum.example>"
    assert not found.is_bounce


def test_not_spam_is_no_complaint() -> None:
    assert not parse(mail("own_complaint_arf").replace(b": abuse", b": not-spam")).is_complaint


@pytest.mark.parametrize("name", ["own_out_of_office_ja", "own_reply_ko_naver_cp949", "own_reply_zh_outlook_html"])
def test_an_answer_is_no_bounce(name: str) -> None:
    assert not parse(mail(name)).is_bounce
