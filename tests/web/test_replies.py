import pytest
from sqlmodel import select

from crm.core.context import Context
from crm.drafts.models import Draft
from crm.exporters.models import Exporter
from crm.inbox import service as inbox
from crm.inbox.models import InboxMessage
from crm.pipeline.models import Task
from tests.web.conftest import Browser
from tests.web.test_review import approve
from tests.web.world import World, letter


@pytest.fixture
def mail(site: Context, world: World) -> int:
    """Lucía's answer, read and acted on."""
    now = site.clock.now()
    with site.db.writing() as session:
        gaon = session.exec(select(Exporter.id).where(Exporter.code == "GAON")).one()
        message = InboxMessage(
            mailbox="INBOX",
            uidvalidity=1,
            uid=1,
            digest="d" * 64,
            message_id="<answer@iberia.example>",
            from_address="lucia@iberia.example",
            from_name="Lucía Fernández",
            subject="Gracias",
            received_at=now,
            kind="reply",
            text="¿Tienen ya el certificado CPNP?",
            lead_id=world.leads["ES"],
            contact_id=world.contacts["ES"],
            exporter_id=gaon,
            matched_by="address",
            raw=b"From: lucia@iberia.example\r\nSubject: Gracias\r\n\r\nHola\r\n",
        )
        session.add(message)
        session.flush()
        inbox.act(session, site.settings, message, now=now)
        assert message.id
        return message.id


def test_a_reply_waits_for_the_advisor(haewook: Browser, mail: int) -> None:
    text = haewook.get("/replies").text
    assert "답할 회신 1통" in text
    assert "CPNP" in haewook.get(f"/replies/{mail}").text


def test_an_sme_reads_no_mail(mina: Browser, mail: int) -> None:
    assert mina.get("/replies").status_code == 403
    assert mina.get(f"/replies/{mail}").status_code == 403


def test_the_answer_becomes_a_draft_to_be_read_again(haewook: Browser, mail: int, site: Context) -> None:
    answer = haewook.post(f"/replies/{mail}/answer", {"text": "Sí, lo tenemos.\r\n\r\nSe lo envío mañana."})
    assert answer.status_code == 303
    with site.db.reading() as session:
        draft = session.exec(select(Draft)).one()
        assert answer.headers["location"] == f"/review/{draft.id}"
        assert (draft.in_reply_to, draft.subject) == ("<answer@iberia.example>", "Re: Gracias")
        assert [block["text"] for block in draft.blocks][1:3] == ["Sí, lo tenemos.", "Se lo envío mañana."]
    assert "Sí, lo tenemos." in haewook.get(f"/review/{draft.id}").text


def test_an_answered_reply_leaves_list_and_tasks(haewook: Browser, mail: int, site: Context) -> None:
    assert "Lucía" in haewook.get("/tasks").text
    haewook.post(f"/replies/{mail}/answer", {"text": "Sí."})
    assert "새 회신이 없습니다" in haewook.get("/replies").text
    with site.db.reading() as session:
        assert session.exec(select(Task.done_at).where(Task.kind == "answer")).one() is not None


def test_an_empty_answer_is_refused(haewook: Browser, mail: int, site: Context) -> None:
    answer = haewook.post(f"/replies/{mail}/answer", {"text": "  "})
    assert answer.status_code == 422
    assert 'href="#f-text"' in answer.text
    assert "답할 회신 1통" in haewook.get("/replies").text


def test_a_reply_that_needs_no_answer_is_put_away(haewook: Browser, mail: int) -> None:
    assert haewook.post(f"/replies/{mail}/handled").status_code == 303
    assert "새 회신이 없습니다" in haewook.get("/replies").text


def test_the_sme_sees_that_the_buyer_answered_and_the_advisor_is_on_it(mina: Browser, mail: int) -> None:
    text = mina.get("/").text
    assert "바이어가 답장했습니다. 위원이 답장을 쓰고 있습니다." in text
    assert "위원이 하는 중" in text
    assert "우리가 할 차례" not in text


def test_a_scheduled_letter_can_be_taken_back_from_the_list(haewook: Browser, world: World, site: Context) -> None:
    with site.db.writing() as session:
        number = letter(session, world, "ES", site.clock.now()).id
    assert number
    approve(haewook, number)
    assert "Gracias por su visita" in haewook.get("/sent").text
    answer = haewook.post(f"/review/{number}/take-back", {"next": "/sent"})
    assert answer.headers["location"] == "/sent"
    assert "예약된 메일이 없습니다" in haewook.get("/sent").text


@pytest.mark.parametrize("show", ["scheduled", "sent", "back", "nonsense"])
def test_an_empty_list_says_so(haewook: Browser, show: str) -> None:
    assert haewook.get(f"/sent?show={show}").status_code == 200
