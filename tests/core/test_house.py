"""Database, clock, event log, identity of a copy, translation."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from crm.core import events, instance
from crm.core.clock import FrozenClock
from crm.core.context import Context, InstanceClock, host_name
from crm.core.db import Database
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _, language, ngettext, speaking
from crm.core.models import Event, Instance
from tests.conftest import NOW


def test_a_moment_comes_back_as_the_same_moment_in_utc(db: Database) -> None:
    korean = datetime(2026, 11, 23, 9, 0, tzinfo=timezone(timedelta(hours=9)))
    with db.writing() as session:
        session.add(Event(at=korean, actor="x", verb="v", subject="s", subject_id=1))
    with db.reading() as session:
        found = session.exec(select(Event).where(col(Event.at) == korean)).one()
    assert found.at == korean
    assert found.at.tzinfo == UTC


def test_a_failed_block_keeps_nothing(db: Database) -> None:
    with pytest.raises(RuntimeError), db.writing() as session:
        session.add(Event(at=NOW, actor="x", verb="v", subject="s", subject_id=1))
        session.flush()
        raise RuntimeError
    with db.reading() as session:
        assert session.exec(select(sa.func.count(col(Event.id)))).one() == 0


def test_reading_keeps_nothing(db: Database) -> None:
    with db.reading() as session:
        session.add(Event(at=NOW, actor="x", verb="v", subject="s", subject_id=1))
        session.flush()
    with db.reading() as session:
        assert session.exec(select(sa.func.count(col(Event.id)))).one() == 0


def test_the_history_of_a_row_is_told_in_order(session: Session) -> None:
    for verb in ("made", "changed", "closed"):
        events.record(session, verb, "thing", 7, at=NOW)
    events.record(session, "made", "thing", 8, at=NOW)
    assert [event.verb for event in events.history(session, "thing", 7)] == ["made", "changed", "closed"]


def test_an_event_needs_a_row_that_was_stored(session: Session) -> None:
    with pytest.raises(ValueError, match="flush"):
        events.record(session, "made", "thing", None, at=NOW)


def test_a_new_database_is_bound_to_the_machine_it_first_sends_from(session: Session) -> None:
    assert instance.check_host(session, now=NOW, host="one")
    assert session.get_one(Instance, 1).host == "one"


def test_a_database_restored_elsewhere_does_not_send_until_a_person_confirms(session: Session) -> None:
    instance.check_host(session, now=NOW, host="one")
    assert not instance.check_host(session, now=NOW, host="two")
    assert not instance.check_host(session, now=NOW, host="one"), "going back does not lift the pause by itself"
    instance.confirm(session, by="staff@ieum.example", now=NOW, host="two")
    assert instance.check_host(session, now=NOW, host="two")


def test_initialising_twice_keeps_the_identity(sqlite_db: Database) -> None:
    with sqlite_db.writing() as session:
        before = session.get_one(Instance, 1).uid
        assert instance.initialise(session, now=NOW).uid == before


def test_the_demo_clock_is_shifted_by_what_the_database_says(sqlite_db: Database) -> None:
    with sqlite_db.writing() as session:
        session.get_one(Instance, 1).clock_offset = 86400
    shifted = InstanceClock(sqlite_db).now() - datetime.now(UTC)
    assert timedelta(hours=23) < shifted < timedelta(hours=25)


def test_a_frozen_clock_refuses_a_time_without_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        FrozenClock(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_context_tells_the_frozen_time(context: Context) -> None:
    assert context.clock.now() == NOW


def test_this_machine_has_a_name() -> None:
    assert host_name()


def test_people_are_spoken_to_in_korean_first() -> None:
    assert language() == "ko"
    assert _("There is no such draft.") == "그런 초안이 없습니다."


def test_english_is_the_language_of_the_source() -> None:
    with speaking("en"):
        assert _("There is no such draft.") == "There is no such draft."
        assert ngettext("{n} letter", "{n} letters", 2) == "2 letters"


def test_an_unknown_language_falls_back_to_korean() -> None:
    with speaking("fr"):
        assert language() == "ko"


def test_an_empty_message_stays_empty() -> None:
    assert _("") == ""


def test_bad_input_tells_every_problem_with_its_place() -> None:
    error = BadInput([Problem("wrong", Place("a.csv", 3, 4), "mend it"), Problem("odd", Place(field="name"))])
    assert str(error) == "a.csv:3:4: wrong mend it\nname: odd"
