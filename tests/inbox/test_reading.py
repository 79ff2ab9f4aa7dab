"""What buyers answer, over a real mail server, and what the engine makes of it."""

from datetime import timedelta
from pathlib import Path

import pytest
from imapclient import IMAPClient
from sqlmodel import select

from crm.accounts.models import Role
from crm.campaigns.models import Enrolment, Step
from crm.contacts import service as contacts
from crm.contacts.models import Contact, EmailAddress, Suppression
from crm.core.errors import NotFound, Refused
from crm.delivery.models import Outbox
from crm.demo.mailserver import ENGINE
from crm.drafts.models import Draft
from crm.inbox import queries, service
from crm.inbox.models import Mailbox
from crm.mail.errors import Unreachable
from crm.mail.incoming import parse
from crm.pipeline import service as pipeline
from crm.pipeline.models import Task
from crm.review.models import Message
from tests.inbox.conftest import BOTH, Office
from tests.mailkit import mail
from tests.people import make_lead
from tests.pipeline.world import NOW, viewer
from tests.postroom import posted

DAMAGED = (
    b"",
    b"\x00\xff\xfe",
    b"Subject: \x00\x01\r\n\r\n\x00",
    b"From: \xed\xa0\x80@x\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-",
    b"Subject: " + b"x" * 900 + b"\r\nMessage-ID: <" + b"m" * 980 + b"@x>\r\n\r\n",
)


@BOTH
async def test_a_reply_stops_the_sequence_and_moves_the_deal(office: Office) -> None:
    lead_id = await office.write_to("Anna", campaign=True)
    office.answer("Anna", "reply", "Please send a quotation for 200 pieces.")
    assert office.read() == 1
    message = office.message()
    assert (message.kind, message.lead_id, message.matched_by) == ("reply", lead_id, "message_id")
    assert message.text == "Please send a quotation for 200 pieces."
    assert message.handled_at is None
    with office.context.db.reading() as session:
        deal = pipeline.deal_of_lead(session, lead_id)
        assert deal is not None
        assert (deal.stage, deal.turn) == ("replied", "us")
        [enrolment] = session.exec(select(Enrolment))
        assert (enrolment.status, enrolment.exit_reason) == ("exited", "replied")
        assert {step.status for step in session.exec(select(Step).where(Step.step != "thanks"))} == {"cancelled"}
        [task] = session.exec(select(Task))
        assert (task.kind, task.assignee, task.origin) == ("answer", "advisor", f"mail:{message.id}")


async def test_the_task_of_an_answer_is_what_the_workflow_says(office: Office, tmp_path: Path) -> None:
    settings = office.context.settings
    folder = tmp_path / "workflows"
    folder.mkdir()
    text = (Path(settings.workflows_dir) / "overseas-buyer.yaml").read_text("utf-8")
    asked = text.replace("task: answer, within: 1 business day", "task: call, within: 4 hours")
    assert asked != text
    (folder / "overseas-buyer.yaml").write_text(asked, "utf-8")
    office.context.settings = settings.model_copy(update={"workflows_dir": str(folder)})
    await office.write_to("Anna", campaign=True)
    office.answer("Anna", "reply")
    office.read()
    with office.context.db.reading() as session:
        [task] = session.exec(select(Task))
        assert (task.kind, task.due_at) == ("call", office.clock.now() + timedelta(hours=4))


@BOTH
async def test_reading_twice_changes_nothing(office: Office) -> None:
    await office.write_to("Anna")
    office.answer("Anna", "reply")
    assert (office.read(), office.read()) == (1, 0)
    with office.context.db.writing() as session:
        session.delete(session.exec(select(Mailbox)).one())
    assert office.read() == 0
    with office.context.db.reading() as session:
        assert len(session.exec(select(Task)).all()) == 1
        assert session.exec(select(Mailbox.last_uid)).one() == 1


async def test_a_mail_is_seen_only_after_its_row_is_committed(office: Office) -> None:
    office.hand_in(b"Subject: hello\r\n\r\nhello\r\n")
    office.read()
    imap = IMAPClient("127.0.0.1", port=office.ports.imap, ssl=False)
    imap.login(ENGINE, "any")
    imap.select_folder("INBOX")
    assert imap.search("UNSEEN") == []
    imap.logout()
    assert len(office.messages()) == 1


async def test_a_mailbox_that_is_down_says_so(office: Office) -> None:
    office.server.stop()
    with pytest.raises(Unreachable):
        office.read()


@BOTH
async def test_a_bounce_ends_all_mail_to_the_address(office: Office) -> None:
    lead_id = await office.write_to("Anna", campaign=True)
    office.answer("Anna", "bounce")
    office.read()
    message = office.message()
    assert (message.kind, message.matched_by, message.lead_id) == ("bounce", "token", lead_id)
    assert message.handled_by == "system"
    with office.context.db.reading() as session:
        [address] = session.exec(select(EmailAddress).where(EmailAddress.address == "anna@buyer.example"))
        [suppression] = session.exec(select(Suppression))
        [row] = session.exec(select(Outbox))
        [enrolment] = session.exec(select(Enrolment))
        deal = pipeline.deal_of_lead(session, lead_id)
    assert (address.status, suppression.reason, row.status) == ("bounced", "hard_bounce", "bounced")
    assert (enrolment.exit_reason, deal.stage if deal else "") == ("hard_bounced", "contacted")


async def test_a_full_mailbox_is_not_a_dead_address(office: Office) -> None:
    await office.write_to("Anna")
    office.answer("Anna", "bounce")
    raw = office.server.rack.mails(ENGINE)[-1].read()
    full = raw.replace(b"5.1.1", b"5.2.2").replace(
        b"Recipient address rejected: User unknown in virtual mailbox table", b"Mailbox full"
    )
    office.hand_in(full.partition(b"\r\n")[2], parse(raw).to_addresses[0])
    for mail_file in office.server.rack.mails(ENGINE)[:1]:
        mail_file.path.unlink()
    office.read()
    with office.context.db.reading() as session:
        assert session.exec(select(Outbox.status)).one() == "bounced"
        assert (
            session.exec(select(EmailAddress.status).where(EmailAddress.address == "anna@buyer.example")).one() == "ok"
        )
        assert session.exec(select(Suppression)).all() == []


async def test_a_delayed_letter_is_only_noted(office: Office) -> None:
    await office.write_to("Anna")
    office.answer("Anna", "bounce")
    [stored] = office.server.rack.mails(ENGINE)
    raw = stored.read().replace(b"Action: failed", b"Action: delayed").replace(b"5.1.1", b"4.4.1")
    stored.path.write_bytes(raw)
    office.read()
    with office.context.db.reading() as session:
        assert session.exec(select(Outbox.status)).one() == "sent"


async def test_an_absence_holds_the_sequence_until_the_return(office: Office) -> None:
    await office.write_to("Anna", campaign=True)
    office.answer("Anna", "out_of_office")
    office.read()
    message = office.message()
    assert (message.kind, message.handled_by) == ("out_of_office", "system")
    with office.context.db.reading() as session:
        [enrolment] = session.exec(select(Enrolment))
        assert (enrolment.status, str(enrolment.hold_until)[:10]) == ("active", message.evidence["returns_on"])
        assert session.exec(select(Suppression)).all() == []
        assert all(
            step.due_at >= enrolment.hold_until for step in session.exec(select(Step).where(Step.status == "waiting"))
        )  # type: ignore[operator]


@BOTH
async def test_who_asks_to_stop_is_not_written_to_by_anyone(office: Office) -> None:
    lead_id = await office.write_to("Anna", campaign=True)
    office.answer("Anna", "unsubscribe")
    office.read()
    message = office.message()
    assert (message.kind, message.lead_id) == ("opt_out", lead_id)
    with office.context.db.reading() as session:
        [suppression] = session.exec(select(Suppression))
        assert (suppression.address, suppression.exporter_key) == ("anna@buyer.example", 0)
        assert suppression.evidence == {"inbox_message": message.id}
        assert session.exec(select(Enrolment.exit_reason)).one() == "opted_out"


async def test_a_mail_to_the_unsubscribe_address_is_enough(office: Office) -> None:
    await office.write_to("Anna")
    with office.context.db.reading() as session:
        token = session.exec(select(Message.token)).one()
    office.hand_in(
        b"From: secretary@other.example\r\nSubject: unsubscribe\r\n\r\n", f"UNSUBSCRIBE+{token}@ieum.example"
    )
    office.read()
    with office.context.db.reading() as session:
        addresses = sorted(row.address for row in session.exec(select(Suppression)))
    assert (office.message().kind, office.message().matched_by) == ("opt_out", "token")
    assert addresses == ["anna@buyer.example", "secretary@other.example"]


async def test_a_complaint_ends_all_mail(office: Office) -> None:
    await office.write_to("Anna")
    with office.context.db.reading() as session:
        message_id = session.exec(select(Message.message_id)).one()
    raw = mail("own_complaint_arf").replace(b"<letter-7@ieum.example>", message_id.encode())
    office.hand_in(raw.replace(b"buyer@provider.example", b"anna@buyer.example"), "desk@ieum.example")
    office.read()
    with office.context.db.reading() as session:
        [suppression] = session.exec(select(Suppression))
    assert (office.message().kind, suppression.address) == ("complaint", "anna@buyer.example")


async def test_a_colleague_who_answers_is_matched_by_the_thread(office: Office) -> None:
    lead_id = await office.write_to("Anna")
    with office.context.db.reading() as session:
        message_id = session.exec(select(Message.message_id)).one()
    office.hand_in(
        b"From: Carl <carl@another.example>\r\nSubject: WG: hello\r\nReferences: <x@y.example> "
        + message_id.encode() + b"\r\n\r\nI take care of this.\r\n"
    )  # fmt: skip
    office.read()
    assert (office.message().lead_id, office.message().matched_by) == (lead_id, "message_id")
    assert office.message().from_address == "carl@another.example"


async def test_an_answer_without_any_header_is_matched_by_its_sender(office: Office) -> None:
    lead_id = await office.write_to("Anna")
    office.hand_in(b"From: ANNA@buyer.example\r\nSubject: question\r\n\r\nWhat is the price?\r\n")
    office.read()
    assert (office.message().lead_id, office.message().matched_by, office.message().kind) == (
        lead_id,
        "address",
        "reply",
    )


async def test_a_buyer_of_two_exporters_is_matched_to_the_one_written_to(office: Office) -> None:
    valve_lead = await office.write_to("Anna")
    with office.context.db.writing() as session:
        contact = contacts.contact_by_address(session, "anna@buyer.example")
        assert contact is not None
        toy_lead = make_lead(
            session, contact_id=contact.id or 0, exporter_id=office.world.toys, exhibition_id=office.world.show, now=NOW
        )
        contacts.record_consent(
            session, contact.id or 0, exporter_id=office.world.toys, basis="express_optin", given_at=NOW,
            source="badge", evidence={}, now=NOW, by="staff@ieum.example",
        )  # fmt: skip
        office.clock.advance(timedelta(days=5))
        posted(session, office.context.settings, toy_lead, now=office.clock.now())
    office.clock.advance(timedelta(minutes=11))
    await office.send()
    assert len(office.server.rack.mails("anna@buyer.example")) == 2
    office.hand_in(b"From: anna@buyer.example\r\nTo: valve@ieum.example\r\nSubject: a\r\n\r\nfirst\r\n")
    office.hand_in(
        b"From: anna@buyer.example\r\nTo: toys@ieum.example\r\nSubject: b\r\n\r\nsecond\r\n", "toys@ieum.example"
    )
    office.read()
    assert [message.lead_id for message in office.messages()] == [valve_lead, toy_lead.id]


async def test_mail_of_strangers_waits_for_a_person_and_makes_no_contact(office: Office) -> None:
    office.hand_in(b"From: stranger@elsewhere.example\r\nSubject: hello\r\n\r\nhello\r\n")
    office.read()
    with office.context.db.writing() as session:
        assert session.exec(select(Contact)).all() == []
        [message] = queries.unmatched(session, viewer(Role.STAFF))
        assert (message.kind, message.matched_by) == ("other", "")
        service.mark_handled(session, message, by="staff@ieum.example", now=office.clock.now())
        assert queries.unmatched(session, viewer(Role.STAFF)) == []
        with pytest.raises(Refused):
            service.mark_handled(session, message, by="staff@ieum.example", now=office.clock.now())


async def test_an_automatic_answer_changes_nothing(office: Office) -> None:
    await office.write_to("Anna", campaign=True)
    office.hand_in(
        b"From: anna@buyer.example\r\nSubject: Ticket 4711 received\r\n"
        b"Auto-Submitted: auto-replied\r\n\r\nWe got your mail.\r\n"
    )
    office.read()
    assert (office.message().kind, office.message().handled_by) == ("auto_reply", "system")
    with office.context.db.reading() as session:
        [enrolment] = session.exec(select(Enrolment))
        assert (enrolment.status, enrolment.hold_until) == ("active", None)


async def test_a_forged_return_ticket_is_not_believed(office: Office) -> None:
    await office.write_to("Anna")
    office.hand_in(
        b"From: x@evil.example\r\nSubject: unsubscribe me\r\n\r\n\r\n", "unsubscribe+1-aaaaaaaaaaaaaaaa@ieum.example"
    )
    office.read()
    assert office.message().matched_by == ""
    with office.context.db.reading() as session:
        assert [row.address for row in session.exec(select(Suppression))] == ["x@evil.example"]


async def test_an_answer_settles_an_uncertain_letter(office: Office) -> None:
    await office.write_to("Anna")
    with office.context.db.writing() as session:
        row = session.exec(select(Outbox)).one()
        row.status, row.sent_at = "uncertain", None
        session.get_one(Draft, row.draft_id).status = "approved"
    office.answer("Anna", "reply")
    office.read()
    with office.context.db.reading() as session:
        row = session.exec(select(Outbox)).one()
        assert (row.status, row.sent_at) == ("sent", row.offered_at)


@pytest.mark.parametrize("db", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
async def test_a_mail_that_cannot_be_acted_on_is_stored_all_the_same(office: Office) -> None:
    """PostgreSQL refuses the suppression of an address that is longer than any address may be."""
    office.hand_in(b"From: " + b"a" * 290 + b"@x.example\r\nSubject: unsubscribe\r\n\r\nplease\r\n")
    office.hand_in(b"From: other@elsewhere.example\r\nSubject: later\r\n\r\nlater\r\n")
    assert office.read() == 2
    [stumbled, later] = office.messages()
    assert (stumbled.kind, stumbled.handled_at, later.subject) == ("opt_out", None, "later")
    assert "DataError" in stumbled.evidence["error"]


async def test_what_was_stumbled_over_is_acted_on_with_the_next_tick(office: Office) -> None:
    await office.write_to("Anna", campaign=True)
    with office.context.db.writing() as session:  # a row that makes the acting fail, as another writer might
        clash = session.exec(select(Task)).first()
        assert clash is None
        session.connection().exec_driver_sql("ALTER TABLE task RENAME TO task_away")
    office.answer("Anna", "reply")
    office.read()
    with office.context.db.writing() as session:
        assert session.exec(select(Enrolment.status)).one() == "active"
        session.connection().exec_driver_sql("ALTER TABLE task_away RENAME TO task")
    assert office.read() == 0
    with office.context.db.reading() as session:
        assert session.exec(select(Enrolment.exit_reason)).one() == "replied"
        assert len(session.exec(select(Task)).all()) == 1
    assert "error" not in office.message().evidence


async def test_a_dead_address_behind_a_forwarded_mailbox_does_not_bury_the_buyer(office: Office) -> None:
    await office.write_to("Anna", campaign=True)
    office.answer("Anna", "bounce")
    [stored] = office.server.rack.mails(ENGINE)
    raw = stored.read()
    assert b"rfc822; anna@buyer.example" in raw
    stored.path.write_bytes(raw.replace(b"rfc822; anna@buyer.example", b"rfc822; old@elsewhere.example"))
    office.read()
    with office.context.db.reading() as session:
        assert session.exec(select(Suppression)).all() == []
        assert session.exec(select(EmailAddress.status)).one() == "ok"
        assert session.exec(select(Enrolment.status)).one() == "active"
        assert session.exec(select(Task.kind)).one() == "check"


@BOTH
async def test_damaged_mails_are_stored(office: Office) -> None:
    for raw in DAMAGED:
        office.hand_in(raw)
    assert office.read() == 5
    assert {message.kind for message in office.messages()} == {"other"}


async def test_each_viewer_sees_their_own_mail(office: Office) -> None:
    await office.write_to("Anna")
    office.answer("Anna", "reply")
    office.read()
    world = office.world
    with office.context.db.reading() as session:
        [message] = queries.list_messages(session, viewer(Role.ADVISOR, world.valves), kind="reply")
        assert queries.to_answer(session, viewer(Role.ADVISOR, world.valves)) == [message]
        assert queries.get_message(session, viewer(Role.STAFF), message.id or 0) == message
        for stranger in (viewer(Role.ADVISOR, world.toys), viewer(Role.SME, world.valves)):
            assert queries.list_messages(session, stranger) == []
            with pytest.raises(NotFound):
                queries.get_message(session, stranger, message.id or 0)
