"""The demo's own lists, read the way every list is read."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from crm.demo.make_samples import write_samples
from crm.imports.records import EventDates
from tests.imports.readkit import Row, read

CLOSED = date(2026, 11, 14)
EVENT = EventDates(CLOSED - timedelta(days=3), CLOSED)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    paths = write_samples(tmp_path_factory.mktemp("lists"), CLOSED)
    return [row for path in paths for row in read(path.read_bytes(), path.name, event=EVENT).rows]


def test_the_same_day_gives_the_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_samples(tmp_path / "a", CLOSED)]
    assert first == [path.read_bytes() for path in write_samples(tmp_path / "b", CLOSED)]


def test_about_two_hundred_people_come_from_many_countries(rows: list[Row]) -> None:
    assert 180 <= len(rows) <= 220
    assert len({row.country for row in rows}) >= 18
    assert all(row.country for row in rows)


def test_everybody_was_met_on_a_show_day(rows: list[Row]) -> None:
    days = {date.fromisoformat(row.met_at[:10]) for row in rows}
    assert EVENT.first_day <= min(days) <= max(days) <= EVENT.last_day


def test_no_address_leads_anywhere(rows: list[Row]) -> None:
    assert all(address.endswith((".example", "@example.com")) for row in rows for address in row.emails)


def test_every_language_has_a_visitor_of_gaon_who_asked_and_agreed(rows: list[Row]) -> None:
    asked = [row for row in rows if row.booth == "7B-101" and row.follow_up and row.consent_marketing and row.emails]
    assert {row.country for row in asked} >= {"ES", "JP", "CN", "TW", "US", "KR"}


def test_two_filipino_buyers_want_the_same_actuators(rows: list[Row]) -> None:
    wanted = {row.company for row in rows if row.country == "PH" and row.booth == "9A-210" and "xclusive" in row.notes}
    assert len(wanted) == 2


def test_the_lists_are_as_untidy_as_real_ones(rows: list[Row]) -> None:
    codes = Counter(code for row in rows for code in row.warnings)
    assert codes["not_mailable"] >= 5
    assert {"email_invalid", "phone_zero_restored", "name_extra_removed", "consent_privacy_missing"} <= set(codes)
    assert any(row.opt_out for row in rows)
    german = next(row for row in rows if row.full_name == "Anneliese Kohlberg")
    assert german.consent_marketing is None
