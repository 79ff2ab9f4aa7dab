from datetime import timedelta

import pytest
from sqlmodel import select

from crm.core import instance
from crm.core.clock import FrozenClock
from crm.core.context import Context
from crm.core.models import Event, Instance
from crm.delivery.models import Attempt, Outbox
from crm.review.models import Approval, Message
from tests.web.conftest import Browser
from tests.web.world import World, letter


@pytest.fixture
def uncertain(site: Context, world: World, clock: FrozenClock) -> int:
    """A letter whose body was handed over and never answered for; its number in the outbox."""
    now = clock.now()
    with site.db.writing() as session:
        draft = letter(session, world, "ES", now, status="approved")
        approval = Approval(
            draft_id=draft.id, content_hash="x", approved_by="haewook@example.com", approved_at=now, send_at=now
        )
        session.add(approval)
        session.flush()
        message = Message(
            approval_id=approval.id, message_id="<1@ieum.example>", token="t1", from_address="gaon@example.com",
            recipient=draft.recipient, subject=draft.subject, text="Estimada Sra. Fernández", html="", raw=b"",
            sha256="x",
        )  # fmt: skip
        row = Outbox(
            approval_id=approval.id, draft_id=draft.id, exporter_id=draft.exporter_id, recipient=draft.recipient,
            envelope_sender="b@ieum.example", status="uncertain", reason="no_answer", due_at=now,
            offered_at=now - timedelta(minutes=5),
        )  # fmt: skip
        session.add_all([message, row])
        session.flush()
        session.add(Attempt(outbox_id=row.id, at=now, outcome="uncertain", answer="connection lost after DATA"))
        assert row.id
        return row.id


def status(site: Context) -> str:
    with site.db.reading() as session:
        return session.exec(select(Outbox.status)).one()


def test_uncertain_letters_stand_first_with_their_evidence(hana: Browser, uncertain: int) -> None:
    text = hana.get("/outbox").text
    assert text.index("도착했는지 모르는 메일이 1통") < text.index("모든 메일")
    evidence = hana.get(f"/outbox/{uncertain}").text
    assert "connection lost after DATA" in evidence
    assert "1@ieum.example" in evidence
    assert "Estimada Sra." in evidence


@pytest.mark.parametrize(("decision", "expected"), [("yes", "sent"), ("no", "queued")])
def test_a_person_decides_once_what_became_of_a_letter(
    hana: Browser, site: Context, uncertain: int, decision: str, expected: str
) -> None:
    form = {"was_sent": decision, "reason": "서버 기록을 봄"}
    assert hana.post(f"/outbox/{uncertain}/settle", form).status_code == 303
    assert status(site) == expected
    with site.db.reading() as session:
        line = session.exec(select(Event).where(Event.verb == "letter_settled")).one()
        assert (line.actor, line.reason) == ("hana@example.com", "서버 기록을 봄")
    assert hana.post(f"/outbox/{uncertain}/settle", form).status_code == 409


@pytest.mark.parametrize(
    ("form", "field"), [({"was_sent": "", "reason": "전화"}, "was_sent"), ({"was_sent": "yes", "reason": ""}, "reason")]
)
def test_a_letter_is_not_settled_without_decision_and_reason(
    hana: Browser, site: Context, uncertain: int, form: dict[str, str], field: str
) -> None:
    answer = hana.post(f"/outbox/{uncertain}/settle", form)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert status(site) == "uncertain"


def test_the_outbox_shows_one_state(hana: Browser, uncertain: int) -> None:
    assert "그런 메일이 없습니다" in hana.get("/outbox?status=sent").text
    assert "Gracias por su visita" in hana.get("/outbox?status=uncertain").text


def test_sending_is_paused_with_a_reason_and_confirmed_by_a_tick(hana: Browser, site: Context) -> None:
    assert hana.post("/outbox/pause", {"reason": ""}).status_code == 422
    assert hana.post("/outbox/pause", {"reason": "점검"}).status_code == 303
    assert "점검" in hana.get("/outbox").text
    assert hana.post("/outbox/confirm").status_code == 422
    assert _paused(site)
    assert hana.post("/outbox/confirm", {"sure": "yes"}).status_code == 303
    assert not _paused(site)


def test_a_database_that_woke_up_elsewhere_says_so(hana: Browser, site: Context) -> None:
    with site.db.writing() as session:
        session.get_one(Instance, 1).host = "old-machine"
        assert not instance.check_host(session, now=site.clock.now(), host="new-machine")
    assert "old-machine" in hana.get("/outbox").text


def _paused(site: Context) -> bool:
    with site.db.reading() as session:
        return session.get_one(Instance, 1).sending_paused
