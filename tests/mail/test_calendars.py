"""A calendar file reads back as the times that were proposed."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.mail.calendars import Appointment, calendar, event_uid
from crm.mail.compose import CannotCompose
from tests.mailkit import calm

SLOTS = (datetime(2026, 12, 1, 1, 30, tzinfo=UTC), datetime(2026, 12, 2, 7, 0, tzinfo=UTC))
MEETING = Appointment(
    uid="meeting-7@ieum.example", slots=SLOTS, minutes=40, summary="한빛밸브 상담, 액추에이터",
    organiser="sales@valve.example", organiser_name="한빛밸브(주)", place="https://meet.example/7; room \\2",
    description="첫째 줄\n둘째 줄", changed_at=datetime(2026, 11, 20, tzinfo=UTC),
)  # fmt: skip


def read(raw: bytes) -> list[dict[str, str]]:
    """Read the events of a file with an unfolding of our own, as RFC 5545 3.1 says."""
    events: list[dict[str, str]] = []
    for line in raw.decode().replace("\r\n ", "").split("\r\n"):
        key, _colon, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            events.append({})
        elif events and line not in ("END:VEVENT", "END:VCALENDAR", ""):
            events[-1][key.partition(";")[0]] = re.sub(
                r"\\(.)", lambda sign: "\n" if sign[1] in "nN" else sign[1], value
            )
    return events


def changed(**changes: Any) -> Appointment:
    return replace(MEETING, **changes)


def test_each_proposed_time_is_a_tentative_event_in_utc() -> None:
    events = read(calendar(MEETING))
    assert [(event["DTSTART"], event["DTEND"], event["STATUS"]) for event in events] == [
        ("20261201T013000Z", "20261201T021000Z", "TENTATIVE"),
        ("20261202T070000Z", "20261202T074000Z", "TENTATIVE"),
    ]


def test_the_agreed_time_replaces_its_proposal() -> None:
    [event] = read(calendar(changed(chosen=SLOTS[1], sequence=1)))
    assert (event["UID"], event["STATUS"], event["SEQUENCE"]) == (
        event_uid(MEETING.uid, SLOTS[1]), "CONFIRMED", "1",
    )  # fmt: skip
    assert event["UID"] in [one["UID"] for one in read(calendar(MEETING))]


def test_a_published_event_names_its_organiser_and_nobody_who_must_answer() -> None:
    raw = calendar(MEETING)
    assert b"METHOD:PUBLISH\r\n" in raw
    assert b"ATTENDEE" not in raw
    assert read(raw)[0]["ORGANIZER"] == "mailto:sales@valve.example"


@calm
@given(st.text(max_size=300), st.text(max_size=100), st.text(max_size=100))
def test_no_text_breaks_out_of_its_line_and_none_is_longer_than_75_octets(text: str, place: str, name: str) -> None:
    raw = calendar(changed(summary=text, place=place, organiser_name=name, description=text))
    lines = raw.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert raw.count(b"BEGIN:VEVENT\r\n") == raw.count(b"END:VEVENT\r\n") == 2
    assert all(b"\n" not in line and b"\r" not in line for line in lines)


@calm
@given(st.text(alphabet="한빛 밸브;,\\ñカタ\n", min_size=1, max_size=200).filter(lambda text: text == text.strip()))
def test_a_text_reads_back_as_it_was_written(text: str) -> None:
    assert read(calendar(changed(description=text)))[0]["DESCRIPTION"] == text


@calm
@given(st.lists(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)), min_size=1, max_size=5, unique=True))  # noqa: DTZ001
def test_a_time_of_any_zone_is_written_in_utc(slots: list[datetime]) -> None:
    zone = timezone(timedelta(hours=9))
    aware = [slot.replace(tzinfo=zone, microsecond=0) for slot in slots]
    starts = [event["DTSTART"] for event in read(calendar(changed(slots=aware)))]
    assert starts == list(dict.fromkeys((slot - timedelta(hours=9)).strftime("%Y%m%dT%H%M%SZ") for slot in aware))


def test_the_same_meeting_gives_the_same_bytes() -> None:
    assert calendar(MEETING) == calendar(changed())


@pytest.mark.parametrize(
    "changes",
    [
        {"slots": ()},
        {"slots": (datetime(2026, 12, 1),)},  # noqa: DTZ001 - that it is naive is the point
        {"minutes": 0},
        {"organiser": "sales@valve.example\r\nX: y"},
        {"uid": "a b"},
    ],
)
def test_what_cannot_stand_in_a_calendar_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(CannotCompose):
        calendar(changed(**changes))
