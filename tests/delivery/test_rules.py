from datetime import UTC, datetime, timedelta

import pytest

from crm.delivery.rules import Status, envelope_sender_domain, lease_until, result_of
from crm.mail.outcome import Accepted, NotOffered, Outcome, Refused, Uncertain

NOW = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcome", "status", "attempt", "minutes"),
    [
        (Accepted(250, "ok"), Status.SENT, "accepted", None),
        (Uncertain("timeout"), Status.UNCERTAIN, "uncertain", None),
        (NotOffered("connection refused"), Status.QUEUED, "not_offered", 1),
        (Refused(451, "4.7.1 greylisted", "rcpt"), Status.QUEUED, "temporary", 5),
        (Refused(550, "5.1.1 user unknown", "rcpt"), Status.BOUNCED, "permanent", None),
        (Refused(554, "5.7.1 spam", "data"), Status.BOUNCED, "permanent", None),
        (Refused(535, "5.7.8 bad password", "sign_in"), Status.QUEUED, "temporary", 15),
        (Refused(550, "5.4.5 daily sending quota exceeded", "rcpt"), Status.QUEUED, "temporary", 60),
    ],
)
def test_each_outcome_has_one_consequence(outcome: Outcome, status: Status, attempt: str, minutes: int | None) -> None:
    result = result_of(outcome, now=NOW, attempts=0, pauses=[5, 15])
    assert (result.status, result.attempt) == (status, attempt)
    assert result.due_at == (NOW + timedelta(minutes=minutes) if minutes else None)


def test_only_an_address_that_does_not_exist_is_dead() -> None:
    assert result_of(Refused(550, "5.1.1 user unknown", "rcpt"), now=NOW, attempts=0, pauses=[]).dead_address
    assert not result_of(Refused(554, "5.7.1 spam", "data"), now=NOW, attempts=0, pauses=[]).dead_address


def test_it_gives_up_when_all_pauses_are_used() -> None:
    result = result_of(Refused(451, "later", "rcpt"), now=NOW, attempts=2, pauses=[5, 15])
    assert (result.status, result.reason) == (Status.BOUNCED, "given_up")


def test_only_refusals_count_as_attempts() -> None:
    assert result_of(Refused(451, "later", "rcpt"), now=NOW, attempts=0, pauses=[5]).counts
    assert not result_of(NotOffered("down"), now=NOW, attempts=0, pauses=[5]).counts


def test_a_withdrawn_letter_does_not_stop_the_others() -> None:
    assert not result_of(NotOffered("withdrawn"), now=NOW, attempts=0, pauses=[]).stops


def test_a_claim_outlives_a_slow_dialogue() -> None:
    assert lease_until(NOW, 300, 60) == NOW + timedelta(seconds=300)
    assert lease_until(NOW, 1, 600) == NOW + timedelta(seconds=2400)


def test_bounces_come_back_to_the_domain_of_the_message_id() -> None:
    assert envelope_sender_domain("<abc@ieum.example>") == "ieum.example"
