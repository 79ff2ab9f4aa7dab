"""One letter from the approval to the relay, over real SMTP and on real databases."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import select

from crm.accounts.models import Role
from crm.accounts.rules import system_viewer
from crm.campaigns import service as campaigns
from crm.campaigns.models import Campaign, Enrolment, Step
from crm.clearance import service as clearance
from crm.contacts import service as contacts
from crm.contacts.models import EmailAddress, Suppression
from crm.core import events, instance
from crm.core.errors import NotFound, Refused
from crm.delivery import claims, queries, service
from crm.delivery.models import Attempt, Outbox
from crm.drafts.models import Draft
from crm.exporters.models import Exporter
from crm.mail.incoming import parse
from crm.pipeline import service as pipeline
from crm.pipeline.models import Task
from crm.review import service as review
from crm.review.models import Approval, Message
from tests.delivery.conftest import BOTH, Desk
from tests.mailkit import Relay
from tests.pipeline.world import NOW, viewer
from tests.postroom import campaign_letter, drafted, in_outbox, met


@BOTH
async def test_it_sends_an_approved_letter_once(desk: Desk, relay: Relay) -> None:
    [post] = desk.post("Anna")
    desk.pass_time()
    await desk.send()
    await desk.send()
    assert relay.recipients == ["anna@buyer.example"]
    assert relay.taken[0].original_content == post.message.raw
    assert relay.taken[0].mail_from == f"bounce+{post.message.token}@ieum.example"
    assert (desk.row().status, desk.row().sent_at) == ("sent", desk.clock.now())


async def test_it_waits_for_the_hold(desk: Desk, relay: Relay) -> None:
    desk.post("Anna")
    desk.pass_time(timedelta(minutes=9))
    assert await desk.send() == 0
    assert relay.taken == []


@BOTH
async def test_a_letter_that_was_taken_back_stays(desk: Desk, relay: Relay) -> None:
    [post] = desk.post("Anna")
    with desk.change() as session:
        review.take_back(session, session.get_one(Draft, post.draft.id), viewer=system_viewer(), now=desk.clock.now())
    desk.pass_time()
    await desk.send()
    assert relay.taken == []
    assert (desk.row().status, desk.row().reason) == ("cancelled", "taken_back")


async def test_a_sent_letter_cannot_be_taken_back(desk: Desk) -> None:
    [post] = desk.post("Anna")
    desk.pass_time()
    await desk.send()
    with desk.change() as session, pytest.raises(Refused):
        review.take_back(session, session.get_one(Draft, post.draft.id), viewer=system_viewer(), now=desk.clock.now())


async def test_approving_again_makes_a_new_letter(desk: Desk, relay: Relay) -> None:
    [post] = desk.post("Anna")
    with desk.change() as session:
        draft = session.get_one(Draft, post.draft.id)
        review.take_back(session, draft, viewer=system_viewer(), now=desk.clock.now())
        session.flush()
        in_outbox(session, desk.house.settings, draft)
    desk.pass_time()
    await desk.send()
    assert len(relay.taken) == 1


def test_queueing_twice_changes_nothing(desk: Desk) -> None:
    desk.post("Anna")
    with desk.change() as session:
        assert service.queue_approved(session, now=NOW) == 0


async def test_what_changed_since_the_approval_wins(desk: Desk, relay: Relay) -> None:
    [post] = desk.post("Anna")
    with desk.change() as session:
        clearance.opt_out(
            session,
            "anna@buyer.example",
            exporter_id=None,
            source="phone",
            evidence={},
            now=NOW,
            by="staff@ieum.example",
        )
    desk.pass_time()
    await desk.send()
    assert relay.taken == []
    assert (desk.row().status, desk.row().reason) == ("withheld", "LAW_SUPPRESSED_EVERYWHERE")
    with desk.change() as session:
        assert session.get_one(Draft, post.draft.id).status == "waiting"
        assert session.get_one(Approval, post.approval.id).revoked_by == events.SYSTEM


@pytest.mark.parametrize("what", ["subject", "recipient", "sender", "bytes"])
async def test_a_letter_that_is_not_what_was_approved_stays(desk: Desk, relay: Relay, what: str) -> None:
    [post] = desk.post("Anna")
    with desk.change() as session:
        if what == "sender":
            session.get_one(Exporter, post.draft.exporter_id).sender_email = "other@valve.example"
        elif what == "bytes":
            session.get_one(Message, post.approval.id).raw = b"Subject: other\r\n\r\nother\r\n"
        else:
            setattr(session.get_one(Draft, post.draft.id), what, "other@buyer.example")
    desk.pass_time()
    await desk.send()
    assert relay.taken == []
    assert (desk.row().status, desk.row().reason) == ("withheld", "changed")


async def test_a_paused_house_sends_nothing(desk: Desk, relay: Relay) -> None:
    desk.post("Anna")
    desk.pass_time()
    with desk.change() as session:
        instance.pause(session, by="staff@ieum.example", now=NOW, reason="test")
    assert await desk.send() == 0
    with desk.change() as session:
        instance.confirm(session, by="staff@ieum.example", now=NOW)
    await desk.send()
    assert len(relay.taken) == 1


async def test_a_copy_on_another_machine_sends_nothing(desk: Desk, relay: Relay) -> None:
    desk.post("Anna")
    desk.pass_time()
    with desk.change() as session:
        instance.confirm(session, by="staff@ieum.example", now=NOW, host="the-other-machine")
    assert await desk.send() == 0
    assert relay.taken == []


async def test_a_stop_is_effective_before_the_next_letter(desk: Desk, relay: Relay) -> None:
    """The first recipient's answer makes a person stop everything; the other letters of the batch stay."""
    desk.post("Anna", "Bert", "Cleo")
    desk.pass_time()

    def stop(verb: str, _envelope: object) -> None:
        if verb == "DATA" and not relay.taken:
            with desk.change() as session:
                instance.pause(session, by="staff@ieum.example", now=NOW, reason="stop")

    relay.answer = stop  # type: ignore[assignment]
    await desk.send()
    assert len(relay.taken) == 1
    assert sorted(row.status for row in desk.rows().values()) == ["queued", "queued", "sent"]


async def test_an_opt_out_during_the_batch_still_counts(desk: Desk, relay: Relay) -> None:
    desk.post("Anna", "Bert")
    desk.pass_time()

    def opt_out(verb: str, envelope: object) -> None:
        if verb == "RCPT" and not relay.taken:
            with desk.change() as session:
                clearance.opt_out(
                    session, "bert@buyer.example", exporter_id=None, source="web", evidence={}, now=NOW, by="bert"
                )

    relay.answer = opt_out  # type: ignore[assignment]
    await desk.send()
    desk.pass_time()
    await desk.send()
    assert relay.recipients == ["anna@buyer.example"]
    assert desk.rows()["bert@buyer.example"].status == "withheld"


async def test_a_letter_leaves_after_a_new_opt_in_lifted_an_old_refusal(desk: Desk, relay: Relay) -> None:
    with desk.change() as session:
        lead = met(session, desk.world, "Anna")
        contacts.suppress(
            session, "anna@buyer.example", exporter_id=None, reason="opt_out", source="web", evidence={},
            now=NOW - timedelta(days=30), by="anna",
        )  # fmt: skip
        in_outbox(session, desk.house.settings, drafted(session, lead))
    desk.pass_time()
    await desk.send()
    assert relay.recipients == ["anna@buyer.example"]


@BOTH
async def test_a_dead_address_is_never_written_to_again(desk: Desk, relay: Relay) -> None:
    relay.answer = lambda verb, _envelope: "550 5.1.1 user unknown" if verb == "RCPT" else None
    desk.post("Anna")
    desk.pass_time()
    await desk.send()
    assert (desk.row().status, desk.row().reason) == ("bounced", "no_such_address")
    with desk.change() as session:
        [address] = session.exec(select(EmailAddress))
        [suppression] = session.exec(select(Suppression))
    assert (address.status, suppression.reason, suppression.exporter_key) == ("bounced", "hard_bounce", 0)


async def test_one_refusal_does_not_touch_the_others(desk: Desk, relay: Relay) -> None:
    relay.answer = lambda verb, envelope: (
        "550 5.1.1 user unknown" if verb == "RCPT" and envelope.rcpt_tos[0].startswith("cleo") else None
    )
    desk.post("Anna", "Bert", "Cleo", "Dora", "Emil")
    desk.pass_time()
    await desk.send()
    await desk.send()
    assert len(relay.taken) == 4
    assert sorted(row.status for row in desk.rows().values()) == ["bounced", "sent", "sent", "sent", "sent"]


async def test_a_letter_taken_for_spam_becomes_a_task_and_the_address_lives(desk: Desk, relay: Relay) -> None:
    relay.answer = lambda verb, _envelope: "554 5.7.1 message refused as spam" if verb == "DATA" else None
    desk.post("Anna")
    desk.pass_time()
    await desk.send()
    assert (desk.row().status, desk.row().reason) == ("bounced", "refused_blocked")
    with desk.change() as session:
        assert [address.status for address in session.exec(select(EmailAddress))] == ["ok"]
        assert [task.kind for task in session.exec(select(Task))] == ["check"]


async def test_a_refusal_for_now_is_tried_again_after_growing_pauses(desk: Desk, relay: Relay) -> None:
    answers = iter(["451 4.7.1 greylisted", "451 4.7.1 greylisted"])
    relay.answer = lambda verb, _envelope: next(answers, None) if verb == "RCPT" else None
    desk.post("Anna")
    desk.pass_time()
    await desk.send()
    assert desk.row().due_at == desk.clock.now() + timedelta(minutes=5)
    desk.pass_time(timedelta(minutes=6))
    await desk.send()
    assert (desk.row().attempts, desk.row().due_at) == (2, desk.clock.now() + timedelta(minutes=15))
    desk.pass_time(timedelta(minutes=16))
    await desk.send()
    assert desk.row().status == "sent"
    with desk.change() as session:
        assert [one.outcome for one in session.exec(select(Attempt))] == ["temporary", "temporary", "accepted"]


async def test_a_letter_that_waits_for_another_try_can_be_taken_back(desk: Desk, relay: Relay) -> None:
    relay.answer = lambda verb, _envelope: "451 4.7.1 greylisted" if verb == "RCPT" else None
    [post] = desk.post("Anna")
    desk.pass_time()
    await desk.send()
    with desk.change() as session:
        review.take_back(session, session.get_one(Draft, post.draft.id), viewer=system_viewer(), now=desk.clock.now())
    desk.pass_time()
    await desk.send()
    assert desk.row().status == "cancelled"


async def test_without_a_relay_nothing_becomes_sent(desk: Desk) -> None:
    desk.house.settings = desk.house.settings.model_copy(
        update={"smtp": desk.house.settings.smtp.model_copy(update={"port": 9})}
    )
    desk.post("Anna", "Bert")
    desk.pass_time()
    assert await desk.send() == 0
    assert [row.status for row in desk.rows().values()] == ["queued", "queued"]
    assert {row.due_at for row in desk.rows().values()} == {desk.clock.now() + timedelta(minutes=1)}


async def test_a_relay_that_refuses_us_makes_all_letters_wait(desk: Desk, relay: Relay) -> None:
    relay.answer = lambda verb, _envelope: "550 5.4.5 daily sending quota exceeded" if verb == "MAIL" else None
    desk.post("Anna", "Bert", "Cleo")
    desk.pass_time()
    assert await desk.send() == 0
    assert {row.status for row in desk.rows().values()} == {"queued"}
    assert {row.due_at for row in desk.rows().values()} == {desk.clock.now() + timedelta(hours=1)}
    assert relay.taken == []


@BOTH
async def test_silence_after_the_body_is_uncertain_and_never_sent_again(desk: Desk, relay: Relay) -> None:
    relay.answer = lambda verb, _envelope: "drop" if verb == "DATA" else None
    desk.post("Anna")
    desk.pass_time()
    await desk.send()
    for _tick in range(5):
        desk.pass_time(timedelta(days=1))
        with desk.change() as session:
            service.recover(session, now=desk.clock.now())
        await desk.send()
    assert len(relay.taken) == 1
    assert desk.row().status == "uncertain"
    with desk.change() as session:
        assert [task.origin for task in session.exec(select(Task))] == [f"outbox:{desk.row().id}"]


@pytest.mark.parametrize(("was_sent", "status", "arrivals"), [(True, "sent", 1), (False, "sent", 2)])
async def test_a_person_settles_what_is_uncertain(
    desk: Desk, relay: Relay, was_sent: bool, status: str, arrivals: int
) -> None:
    answers = iter(["drop"])
    relay.answer = lambda verb, _envelope: next(answers, None) if verb == "DATA" else None
    desk.post("Anna")
    desk.pass_time()
    await desk.send()
    with desk.change() as session:
        row = session.get_one(Outbox, desk.row().id)
        service.settle(
            session, desk.house.settings, row, was_sent=was_sent, by="staff@ieum.example", now=desk.clock.now(),
            reason="the buyer said so",
        )  # fmt: skip
    await desk.send()
    assert (desk.row().status, len(relay.taken)) == (status, arrivals)


async def test_what_is_certain_cannot_be_settled(desk: Desk) -> None:
    desk.post("Anna")
    desk.pass_time()
    await desk.send()
    with desk.change() as session, pytest.raises(Refused):
        service.settle(
            session, desk.house.settings, session.get_one(Outbox, desk.row().id), was_sent=False, by="x",
            now=desk.clock.now(), reason="",
        )  # fmt: skip


@BOTH
async def test_two_workers_share_the_work(desk: Desk, relay: Relay) -> None:
    desk.post(*(f"Buyer{number}" for number in range(12)))
    desk.pass_time()
    desk.house.settings = desk.house.settings.model_copy(
        update={"delivery": desk.house.settings.delivery.model_copy(update={"batch": 3})}
    )
    for _round in range(4):
        await asyncio.gather(*(desk.send() for _worker in range(4)))
    assert sorted(relay.recipients) == sorted(f"buyer{number}@buyer.example" for number in range(12))


@BOTH
def test_what_a_dead_worker_had_not_offered_goes_back(desk: Desk) -> None:
    desk.post("Anna")
    desk.pass_time()
    with desk.change() as session:
        claims.claim(session, desk.house.settings, now=desk.clock.now(), worker="dead")
    with desk.change() as session:
        assert service.recover(session, now=desk.clock.now()) == (0, 0)
    desk.pass_time(timedelta(minutes=6))
    with desk.change() as session:
        assert service.recover(session, now=desk.clock.now()) == (1, 0)
        assert session.exec(select(Approval.taken_at)).one() is None
    assert desk.row().status == "queued"


@BOTH
async def test_a_worker_whose_claim_was_settled_does_not_offer_the_letter(desk: Desk, relay: Relay) -> None:
    """It was so slow before DATA that its lease ended and another one sent the letter."""
    desk.post("Anna")
    desk.pass_time()

    def slow(verb: str, _envelope: object) -> None:
        if verb == "RCPT" and desk.row().status == "sending":
            with desk.change() as session:
                service.recover(session, now=desk.clock.now() + timedelta(hours=1))

    relay.answer = slow  # type: ignore[assignment]
    await desk.send()
    assert relay.taken == []
    assert desk.row().status == "queued"


@BOTH
async def test_a_letter_that_cannot_be_prepared_does_not_hold_up_the_others(desk: Desk, relay: Relay) -> None:
    [broken, _sound] = desk.post("Anna", "Bert")
    with desk.change() as session:
        session.get_one(Draft, broken.draft.id).blocks = [{"id": "greeting"}]
    desk.pass_time()
    await desk.send()
    assert relay.recipients == ["bert@buyer.example"]
    assert desk.rows()["anna@buyer.example"].reason == "internal_error"


# -------------------------------------------------------------------- letters of campaigns


def campaign_post(desk: Desk, name: str = "Anna") -> Draft:
    """A campaign's first letter, approved; the clock stands at the moment it may leave."""
    with desk.change() as session:
        lead = met(session, desk.world, name)
        draft = campaign_letter(session, desk.house.settings, desk.world, lead)
        approval = in_outbox(session, desk.house.settings, draft).approval
        desk.clock.set(approval.send_at)
    return draft


@BOTH
async def test_a_sent_letter_plans_the_next_step_and_moves_the_deal(desk: Desk, relay: Relay) -> None:
    draft = campaign_post(desk)
    await desk.send()
    assert relay.recipients == ["anna@buyer.example"]
    with desk.change() as session:
        steps = {step.step: step.status for step in session.exec(select(Step))}
        deal = pipeline.deal_of_lead(session, draft.lead_id)
        assert deal is not None
        assert (steps["thanks"], steps["catalogue"]) == ("done", "waiting")
        assert (deal.stage, deal.turn) == ("contacted", "buyer")
        assert session.get_one(Draft, draft.id).status == "sent"
        assert "letter_sent" in [line.verb for line in events.history(session, "draft", draft.id or 0)]


@BOTH
async def test_a_letter_of_a_paused_campaign_waits(desk: Desk, relay: Relay) -> None:
    campaign_post(desk)
    with desk.change() as session:
        campaigns.pause(session, session.exec(select(Campaign)).one(), by="staff@ieum.example", now=desk.clock.now())
    assert await desk.send() == 0
    assert (relay.taken, desk.row().status) == ([], "queued")


async def test_a_letter_of_a_buyer_who_answered_is_cancelled(desk: Desk, relay: Relay) -> None:
    draft = campaign_post(desk)
    with desk.change() as session:
        campaigns.end_enrolments(session, lead_id=draft.lead_id, reason="replied", now=desk.clock.now())
    await desk.send()
    assert (relay.taken, desk.row().status, desk.row().reason) == ([], "cancelled", "step_cancelled")


async def test_a_letter_to_somebody_away_waits_for_the_return(desk: Desk, relay: Relay) -> None:
    draft = campaign_post(desk)
    until = desk.clock.now() + timedelta(days=5)
    with desk.change() as session:
        campaigns.hold_enrolments(session, lead_id=draft.lead_id, until=until, now=desk.clock.now())
    await desk.send()
    assert (relay.taken, desk.row().status, desk.row().due_at) == ([], "queued", until)


async def test_a_letter_that_missed_its_window_takes_the_next_one(desk: Desk, relay: Relay) -> None:
    campaign_post(desk)
    desk.pass_time(timedelta(hours=12))
    await desk.send()
    assert (relay.taken, desk.row().status) == ([], "queued")
    desk.clock.set(desk.row().due_at)
    await desk.send()
    assert len(relay.taken) == 1


async def test_what_follows_a_sent_letter_is_caught_up_after_a_crash(desk: Desk, relay: Relay) -> None:
    campaign_post(desk)
    await desk.send()
    with desk.change() as session:
        [thanks] = session.exec(select(Step).where(Step.step == "thanks"))
        thanks.status, thanks.done_at = "taken", None
    await desk.send()
    with desk.change() as session:
        assert session.exec(select(Step.status).where(Step.step == "thanks")).one() == "done"
    assert len(relay.taken) == 1


async def test_a_dead_address_ends_the_follow_up(desk: Desk, relay: Relay) -> None:
    relay.answer = lambda verb, _envelope: "550 5.1.1 user unknown" if verb == "RCPT" else None
    draft = campaign_post(desk)
    await desk.send()
    with desk.change() as session:
        [enrolment] = session.exec(select(Enrolment))
        assert (enrolment.status, enrolment.exit_reason) == ("exited", "hard_bounced")
        assert session.get_one(Draft, draft.id).status == "cancelled"


@pytest.mark.parametrize("when", ["at once", "later"])
async def test_a_buyer_with_a_second_address_gets_the_letter_there(desk: Desk, relay: Relay, when: str) -> None:
    at_once = when == "at once"
    relay.answer = lambda verb, envelope: (
        "550 5.1.1 user unknown" if at_once and verb == "RCPT" and "anna@buyer" in envelope.rcpt_tos[0] else None
    )
    draft_id = campaign_post(desk).id
    with desk.change() as session:
        contact_id = session.get_one(Draft, draft_id).contact_id
        session.add(EmailAddress(contact_id=contact_id, address="anna@second.example", position=1))
    await desk.send()
    for _report in (1, 2):  # the same report may come twice
        with desk.change() as session:
            service.bounced(
                session, desk.house.settings, session.exec(select(Outbox)).one(), reason="no_such_address",
                answer="550", dead_address=True, now=desk.clock.now(),
            )  # fmt: skip
    with desk.change() as session:
        draft = session.get_one(Draft, draft_id)
        assert (draft.status, draft.recipient) == ("waiting", "anna@second.example")
        assert session.exec(select(Enrolment.status)).one() == "active"
        in_outbox(session, desk.house.settings, draft, now=desk.clock.now())
    desk.pass_time(timedelta(days=4))
    await desk.send()
    assert relay.recipients[-1:] == ["anna@second.example"]


async def test_an_exclusive_contract_signed_after_the_approval_holds_the_letter(desk: Desk, relay: Relay) -> None:
    draft_id = campaign_post(desk).id
    with desk.change() as session:
        rival = met(session, desk.world, "Rival")
        pipeline.open_deals(session, now=desk.clock.now())
        deal = pipeline.deal_of_lead(session, rival.id or 0)
        assert deal is not None
        today = desk.clock.now().date()
        pipeline.sign_exclusive(
            session, deal, territory=["DE"], product_line_id=deal.product_line_id, starts_on=today,
            ends_on=today + timedelta(days=365), by="advisor@ieum.example", now=desk.clock.now(),
        )  # fmt: skip
    await desk.send()
    assert (relay.taken, desk.row().status, desk.row().reason) == ([], "withheld", "EXCLUSIVITY_SIGNED")
    with desk.change() as session:
        assert session.get_one(Draft, draft_id).status == "waiting"


async def test_a_letter_to_an_address_that_was_taken_back_stays(desk: Desk, relay: Relay) -> None:
    desk.post("Anna")
    with desk.change() as session:
        session.delete(session.exec(select(EmailAddress)).one())
    desk.pass_time()
    await desk.send()
    assert (relay.taken, desk.row().status) == ([], "withheld")


# -------------------------------------------------------------------- reading


async def test_it_knows_to_whom_a_letter_left(desk: Desk) -> None:
    [anna, bert] = desk.post("Anna", "Bert")
    with desk.change() as session:
        row = session.exec(select(Outbox).where(Outbox.recipient == "bert@buyer.example")).one()
        row.due_at = NOW + timedelta(days=9)
    desk.pass_time()
    await desk.send()
    with desk.change() as session:
        wanted = [anna.lead.contact_id, bert.lead.contact_id, 10**6]
        assert service.sent_contact_ids(session, wanted) == {anna.lead.contact_id}
        assert service.last_sent(session, anna.lead.contact_id) == [desk.clock.now()]


async def test_each_viewer_sees_their_own_letters(desk: Desk) -> None:
    desk.post("Anna")
    with desk.house.db.reading() as session:
        [row] = queries.list_outbox(session, viewer(Role.STAFF))
        [own] = queries.list_outbox(session, viewer(Role.SME, desk.world.valves))
        assert queries.list_outbox(session, viewer(Role.SME, desk.world.toys)) == []
        assert queries.list_outbox(session, viewer(Role.STAFF), status="sent") == []
        letter = queries.get_letter(session, viewer(Role.ADVISOR, desk.world.valves), row.id)
        for stranger in (viewer(Role.SME, desk.world.valves), viewer(Role.ADVISOR, desk.world.toys)):
            with pytest.raises(NotFound):
                queries.get_letter(session, stranger, row.id)
    assert (row.recipient, own.recipient) == ("anna@buyer.example", "")
    assert parse(letter.message.raw).subject == row.subject
    assert row.as_json()["status"] == "queued"
