from datetime import UTC, datetime, timedelta

import pytest

from crm.mail.outcome import Refused
from crm.mail.rules import AddressIsBad, LetterRefused, StopAll, TryAgain, meaning, retry_at, status_in

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (550, "5.1.1 <a@b.example>: Recipient address rejected: User unknown in virtual mailbox table", AddressIsBad()),
        (550, "5.1.1 The email account that you tried to reach does not exist. NoSuchUser", AddressIsBad()),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", AddressIsBad()),
        (550, "Requested action not taken: mailbox unavailable", AddressIsBad()),
        (550, "5.7.1 No such user here", AddressIsBad()),
        (553, "sorry, that domain isn't in my list", AddressIsBad()),
        (554, "5.4.4 Host or domain name not found", AddressIsBad()),
        (556, "5.1.10 Domain does not accept mail", AddressIsBad()),
        (550, "5.2.1 메일 주소가 존재하지 않는 사용자입니다", AddressIsBad()),
        (450, "4.2.1 mailbox unavailable", TryAgain()),
        (451, "4.7.1 Greylisted, try again later", TryAgain()),
        (452, "4.2.2 Over quota", TryAgain()),
        (552, "5.2.2 The recipient's inbox is out of storage space", TryAgain()),
        (421, "4.3.2 Service shutting down", TryAgain()),
        (550, "5.7.1 Message rejected as spam by Content Filtering", LetterRefused("blocked")),
        (554, "5.7.26 DMARC policy of the domain", LetterRefused("blocked")),
        (552, "5.3.4 Message size exceeds fixed limit", LetterRefused("too_large")),
        (554, "Transaction failed", LetterRefused("other")),
        (550, "5.4.5 Daily user sending quota exceeded", StopAll("quota")),
        (535, "5.7.8 Username and Password not accepted", StopAll("sign_in")),
        (530, "Must issue a STARTTLS command first", StopAll("sign_in")),
        (554, "5.7.1 <a@b.example>: Relay access denied", StopAll("relaying")),
    ],
)
def test_an_answer_to_the_recipient_is_understood(code: int, text: str, expected: object) -> None:
    assert meaning(Refused(code, text, "rcpt")) == expected


def test_a_refused_sender_stops_everything() -> None:
    assert meaning(Refused(550, "5.7.60 client does not have permissions to send as this sender", "mail")) == StopAll(
        "other"
    )


def test_a_sender_refused_for_now_is_tried_again() -> None:
    assert meaning(Refused(451, "4.3.0 try later", "mail")) == TryAgain()


@pytest.mark.parametrize(
    ("text", "status"),
    [("550 5.1.1 no", "5.1.1"), ("host 10.5.1.1 said no", ""), ("4.4.7", "4.4.7"), ("version 5.2.10.3", "")],
)
def test_an_enhanced_status_is_told_from_other_numbers(text: str, status: str) -> None:
    assert status_in(text) == status


def test_pauses_grow_and_end() -> None:
    pauses = [5, 15]
    assert retry_at(NOW, 1, pauses) == NOW + timedelta(minutes=5)
    assert retry_at(NOW, 2, pauses) == NOW + timedelta(minutes=15)
    assert retry_at(NOW, 3, pauses) is None
