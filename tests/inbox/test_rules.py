from datetime import UTC, date, datetime

import pytest

from crm.campaigns.rules import Calendar, Delay
from crm.inbox.rules import Kind, answer_due, back_at, kind_of
from crm.mail.bounces import Bounce
from crm.mail.incoming import Incoming
from crm.mail.tokens import Ticket

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)  # Friday
BOUNCE = Bounce("a@buyer.example", True, "other")


@pytest.mark.parametrize(
    ("mail", "ticket", "kind"),
    [
        (Incoming(), None, Kind.REPLY),
        (Incoming(is_auto_reply=True), None, Kind.AUTO_REPLY),
        (Incoming(is_auto_reply=True, is_out_of_office=True), None, Kind.OUT_OF_OFFICE),
        (Incoming(bounces=(BOUNCE,)), Ticket("bounce", "1-a"), Kind.BOUNCE),
        (Incoming(complaint="abuse"), None, Kind.COMPLAINT),
        (Incoming(wants_no_more=True), None, Kind.OPT_OUT),
        (Incoming(), Ticket("unsubscribe", "1-a"), Kind.OPT_OUT),
        (Incoming(is_auto_reply=True), Ticket("unsubscribe", "1-a"), Kind.OPT_OUT),
        (Incoming(), Ticket("bounce", "1-a"), Kind.REPLY),
    ],
)
def test_a_mail_is_of_one_kind(mail: Incoming, ticket: Ticket | None, kind: Kind) -> None:
    assert kind_of(mail, ticket, matched=True) == kind


def test_mail_of_strangers_is_other_mail_but_their_wishes_count() -> None:
    assert kind_of(Incoming(), None, matched=False) == Kind.OTHER
    assert kind_of(Incoming(wants_no_more=True), None, matched=False) == Kind.OPT_OUT


@pytest.mark.parametrize(("returns_on", "back"), [(date(2026, 12, 1), datetime(2026, 12, 1, tzinfo=UTC)), (None, None)])
def test_a_buyer_is_back_as_the_first_day_back_begins(returns_on: date | None, back: datetime | None) -> None:
    assert back_at(returns_on) == back


@pytest.mark.parametrize(
    ("within", "due"),
    [
        (None, datetime(2026, 11, 23, 5, 0, tzinfo=UTC)),
        (Delay(2, "business days"), datetime(2026, 11, 24, 5, 0, tzinfo=UTC)),
        (Delay(2, "days"), datetime(2026, 11, 22, 5, 0, tzinfo=UTC)),
        (Delay(4, "hours"), datetime(2026, 11, 20, 9, 0, tzinfo=UTC)),
    ],
)
def test_an_answer_is_due_when_the_workflow_says_or_on_the_next_business_day(
    within: Delay | None, due: datetime
) -> None:
    assert answer_due(within, NOW, Calendar("KR")) == due


def test_a_korean_holiday_is_no_day_to_answer() -> None:
    christmas_eve = datetime(2026, 12, 24, 1, 0, tzinfo=UTC)
    assert answer_due(None, christmas_eve, Calendar("KR")) == datetime(2026, 12, 28, 1, 0, tzinfo=UTC)
