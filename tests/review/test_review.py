"""An advisor's yes is bound to what was read, can be taken back until the letter leaves, and is given once."""

from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from crm.accounts.models import Role
from crm.accounts.rules import Viewer, system_viewer
from crm.campaigns.models import Step
from crm.contacts import service as contacts
from crm.contacts.models import Lead
from crm.core import events
from crm.core.config import Settings
from crm.core.db import Database
from crm.core.errors import BadInput, NotAllowed, NotFound, Refused, Stale
from crm.drafts.models import Draft
from crm.mail import tokens
from crm.review import letters, queries, service
from crm.review.models import Approval, Decision, Message
from crm.review.rules import content_hash, earliest_send, unseen
from tests.conftest import NOW
from tests.postroom import approved, build, campaign_letter, drafted, met

STAFF = system_viewer()


@pytest.fixture
def draft(session: Session) -> Draft:
    return drafted(session, met(session, build(session), "Lucia"))


def advisor(*exporters: int) -> Viewer:
    return Viewer(7, "advisor@ieum.example", "정해욱", Role.ADVISOR, ("en",), frozenset(exporters))


def test_an_approved_letter_waits_until_its_hold_is_over(session: Session, settings: Settings, draft: Draft) -> None:
    approval = approved(session, settings, draft)
    assert approval.send_at >= NOW + timedelta(minutes=settings.review.hold_minutes)
    assert draft.status == "approved"


def test_the_letter_is_composed_once_with_all_it_needs(session: Session, settings: Settings, draft: Draft) -> None:
    message = service.message_of(session, approved(session, settings, draft))
    parsed = message_from_bytes(message.raw, policy=policy.default)
    assert parsed["Message-ID"] == message.message_id
    assert parsed["To"].addresses[0].addr_spec == draft.recipient
    assert parsed["Subject"].endswith(draft.subject)
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert {part.get_content_type() for part in parsed.walk()} >= {"text/plain", "text/html"}


def test_a_later_letter_stands_in_the_thread_of_the_first(session: Session, settings: Settings, draft: Draft) -> None:
    first = approved(session, settings, draft)
    first.taken_at, draft.status = NOW, "sent"
    session.flush()
    later = drafted(session, session.get_one(Lead, draft.lead_id), at=NOW + timedelta(days=6))
    second = approved(session, settings, later, now=NOW + timedelta(days=6))
    parsed = message_from_bytes(service.message_of(session, second).raw, policy=policy.default)
    assert parsed["In-Reply-To"] == service.message_of(session, first).message_id


def test_what_changed_since_it_was_read_is_not_approved(session: Session, settings: Settings, draft: Draft) -> None:
    seen = draft.version or 0
    service.edit(session, draft, {"body": "Other words."}, seen_version=seen, viewer=STAFF, now=NOW)
    with pytest.raises(Stale):
        service.approve(session, settings, draft, seen_version=seen, viewer=STAFF, now=NOW)


def test_a_letter_to_someone_who_opted_out_cannot_be_approved(
    session: Session, settings: Settings, draft: Draft
) -> None:
    contacts.suppress(
        session, draft.recipient, exporter_id=None, reason="opt_out", source="mail", evidence={}, now=NOW, by="x"
    )
    with pytest.raises(Refused):
        approved(session, settings, draft)
    assert draft.status == "waiting"


def test_a_check_that_nobody_has_seen_stops_the_approval(session: Session, settings: Settings, draft: Draft) -> None:
    service.edit(session, draft, {"body": "Buy now!!!"}, seen_version=draft.version or 0, viewer=STAFF, now=NOW)
    found = service.verdicts_of(session, settings, draft, now=NOW)
    assert [verdict for verdict in found if verdict.level == "check"]
    with pytest.raises(Stale):
        service.approve(session, settings, draft, seen_version=draft.version or 0, viewer=STAFF, now=NOW)


def test_a_decided_draft_is_not_decided_again(session: Session, settings: Settings, draft: Draft) -> None:
    approved(session, settings, draft)
    with pytest.raises(Stale, match="system"):
        approved(session, settings, draft)


@pytest.mark.postgres
def test_of_two_advisors_at_the_same_moment_one_wins(postgres_db: Database, settings: Settings) -> None:
    """On PostgreSQL two pages can hold the draft as waiting at once; SQLite lets them in one after the other."""
    with postgres_db.writing() as session:
        number = drafted(session, met(session, build(session), "Lucia")).id
    with pytest.raises(Stale), postgres_db.writing() as slow:
        theirs = slow.get_one(Draft, number)
        with postgres_db.writing() as fast:
            approved(fast, settings, fast.get_one(Draft, number))
        approved(slow, settings, theirs)
    with postgres_db.reading() as session:
        assert len(session.exec(select(Approval)).all()) == 1


def test_an_approval_can_be_taken_back_and_given_again(session: Session, settings: Settings, draft: Draft) -> None:
    approved(session, settings, draft)
    service.take_back(session, draft, viewer=STAFF, now=NOW)
    assert draft.status == "waiting"
    approved(session, settings, draft)
    assert len(session.exec(select(Message)).all()) == 2
    assert [event.verb for event in events.history(session, "draft", draft.id or 0)][-3:] == [
        "letter_approved", "letter_taken_back", "letter_approved",
    ]  # fmt: skip


def test_a_letter_that_delivery_has_taken_cannot_be_taken_back(
    session: Session, settings: Settings, draft: Draft
) -> None:
    approved(session, settings, draft).taken_at = NOW
    session.flush()
    with pytest.raises(Refused):
        service.take_back(session, draft, viewer=STAFF, now=NOW)
    assert draft.status == "approved"


def test_only_an_approved_letter_can_be_taken_back(session: Session, draft: Draft) -> None:
    with pytest.raises(Refused):
        service.take_back(session, draft, viewer=STAFF, now=NOW)


def test_a_later_moment_must_lie_in_the_future(session: Session, draft: Draft) -> None:
    with pytest.raises(BadInput):
        service.postpone(session, draft, NOW, viewer=STAFF, now=NOW)
    service.postpone(session, draft, NOW + timedelta(days=1), viewer=STAFF, now=NOW)
    assert draft.wait_until == NOW + timedelta(days=1)


def test_a_returned_letter_does_not_stop_the_workflow(session: Session, settings: Settings) -> None:
    world = build(session)
    letter = campaign_letter(session, settings, world, met(session, world, "Lucia"), now=NOW)
    service.give_back(session, settings, letter, "tone", note="너무 짧습니다", viewer=STAFF, now=NOW)
    steps = session.exec(select(Step).order_by(col(Step.id))).all()
    assert steps[0].status == "skipped"
    assert any(step.status == "waiting" for step in steps[1:]), "the next letter is planned"
    assert session.exec(select(Decision.reason)).one() == "tone: 너무 짧습니다"


def test_a_return_needs_one_of_the_reasons(session: Session, settings: Settings, draft: Draft) -> None:
    with pytest.raises(BadInput):
        service.give_back(session, settings, draft, "because", viewer=STAFF, now=NOW)


def test_the_advisor_of_another_company_does_not_know_the_draft(
    session: Session, settings: Settings, draft: Draft
) -> None:
    stranger = advisor(draft.exporter_id + 100)
    with pytest.raises(NotFound):
        service.approve(session, settings, draft, seen_version=draft.version or 0, viewer=stranger, now=NOW)


def test_an_sme_may_not_decide_about_its_own_letter(session: Session, settings: Settings, draft: Draft) -> None:
    owner = replace(advisor(draft.exporter_id), role=Role.SME)
    with pytest.raises(NotAllowed):
        service.approve(session, settings, draft, seen_version=draft.version or 0, viewer=owner, now=NOW)


def test_held_letters_are_listed_for_those_who_look_after_the_company(
    session: Session, settings: Settings, draft: Draft
) -> None:
    approved(session, settings, draft)
    assert [held.draft.id for held in queries.approvals_held(session, advisor(draft.exporter_id), now=NOW)] == [
        draft.id
    ]
    assert queries.approvals_held(session, advisor(draft.exporter_id + 100), now=NOW) == []


def test_an_edit_is_remembered_with_its_author(session: Session, draft: Draft) -> None:
    service.edit(session, draft, {"body": "New."}, seen_version=draft.version or 0, viewer=STAFF, now=NOW)
    body = next(block for block in draft.blocks if block["id"] == "body")
    assert (body["text"], body["edited_by"]) == ("New.", "system")
    assert session.exec(select(Decision.kind)).one() == "edited"


def test_nothing_is_noted_when_nothing_changed(session: Session, draft: Draft) -> None:
    texts = {str(block["id"]): str(block["text"]) for block in draft.blocks}
    service.edit(session, draft, texts, subject=draft.subject, seen_version=draft.version or 0, viewer=STAFF, now=NOW)
    assert session.exec(select(Decision)).all() == []


def test_the_unsubscribe_link_of_a_preview_belongs_to_nobody(
    session: Session, settings: Settings, draft: Draft
) -> None:
    preview = letters.final_letter(session, settings, draft, moment=NOW)
    number = tokens.read(settings.web.secret.get_secret_value(), preview.unsubscribe_url.rpartition("/")[2])
    assert number is not None
    assert session.get(Approval, number) is None


@given(st.lists(st.text(max_size=20), max_size=6), st.lists(st.text(max_size=20), max_size=6))
def test_different_letters_have_different_hashes(one: list[str], other: list[str]) -> None:
    assert (content_hash(one) == content_hash(other)) == (one == other)


@given(st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1)), st.integers(0, 1440))  # noqa: DTZ001
def test_no_letter_leaves_before_its_hold_is_over(planned: datetime, hold: int) -> None:
    at = planned.replace(tzinfo=NOW.tzinfo)
    assert earliest_send(NOW, hold, at) >= max(at, NOW + timedelta(minutes=hold))


def test_only_new_checks_count_as_unseen() -> None:
    assert unseen(["a", "b"], ["a"]) == ["b"]
    assert unseen(["a"], ["a", "b"]) == []
