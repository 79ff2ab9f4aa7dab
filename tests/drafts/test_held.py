"""A letter whose facts are missing waits without a text, says what it lacks, and is written by itself."""

from datetime import timedelta

import pytest
from sqlmodel import select

from crm.accounts.models import Role
from crm.accounts.rules import Viewer
from crm.campaigns.models import Step
from crm.contacts import service as contacts
from crm.contacts.models import Contact, EmailAddress
from crm.core import events
from crm.core.errors import Refused, Stale
from crm.core.i18n import speaking
from crm.drafts import queries, service
from crm.drafts.held import lacking
from crm.drafts.language import LANGUAGES, VARIANTS
from crm.drafts.placeholders import SAMPLES, least
from crm.drafts.subjects import subject_of
from crm.drafts.templates import render
from crm.drafts.writing import write
from crm.pipeline.models import Task
from crm.review import service as review
from tests.drafts.world import ADVISOR, NOW, STAFF, build, draft, library, meet, start

LATER = NOW + timedelta(days=2)


@pytest.fixture
def world(session):
    return build(session)


@pytest.fixture
def held(session, settings, world):
    """The letter of an exporter whose mail address nobody has written down."""
    meet(session, world, "Ana Peña", country="MX")
    world.exporter.sender_email = ""
    start(session, settings, world)
    return draft(session, settings)[0]


def fill_in(session, world):
    world.exporter.sender_email = "sales@seolak.example"
    session.flush()


def test_a_letter_that_lacks_a_fact_is_held_without_a_text(session, held):
    assert (held.status, held.blocks, held.subject) == ("held", [], "")
    assert held.held_for == [{"placeholder": "sender_email", "where": "exporter"}]
    step = session.get_one(Step, held.step_id)
    assert step.status == "taken"
    assert held.planned_at == step.due_at
    assert session.exec(select(Task)).all() == []
    assert [line.verb for line in events.history(session, "draft", held.id)] == ["letter_held"]


def test_it_is_written_by_itself_once_the_fact_is_there(session, settings, world, held):
    assert service.write_held(session, settings, library(), now=LATER) == 0
    fill_in(session, world)
    assert service.write_held(session, settings, library(), now=LATER) == 1
    session.refresh(held)
    assert (held.status, held.held_for) == ("waiting", [])
    assert "sales@seolak.example" in "".join(block["text"] for block in held.blocks)
    assert held.subject
    assert [line.verb for line in events.history(session, "draft", held.id)] == ["letter_held", "letter_drafted"]
    assert service.write_held(session, settings, library(), now=LATER) == 0


def test_what_is_still_missing_changes_nothing_but_when_it_was_looked_for(session, settings, held):
    version = held.version
    assert service.write_held(session, settings, library(), now=LATER) == 0
    session.refresh(held)
    assert (held.version, held.looked_at) == (version, LATER)


def test_those_looked_at_longest_ago_are_looked_at_first(session, settings, world, held):
    meet(session, world, "Luis Mora", country="MX")
    from crm.campaigns import service as campaigns

    campaigns.enrol_leads(session, settings, now=NOW)
    other = next(one for one in draft(session, settings) if one.id != held.id)
    service.write_held(session, settings, library(), now=LATER, limit=1)
    fill_in(session, world)
    service.write_held(session, settings, library(), now=LATER, limit=1)
    session.refresh(held)
    session.refresh(other)
    assert (held.status, other.status) == ("held", "waiting")


def test_a_held_letter_follows_the_buyer_to_another_address(session, settings, world, held):
    lead_contact = held.contact_id
    session.add(EmailAddress(contact_id=lead_contact, address="new@buyer.example", position=1))
    contacts.mark_bounced(session, held.recipient, "no_such_address", now=NOW)
    fill_in(session, world)
    assert service.write_held(session, settings, library(), now=LATER) == 1
    session.refresh(held)
    assert held.recipient == "new@buyer.example"


def test_a_held_letter_to_somebody_who_refused_meanwhile_is_never_written(session, settings, world, held):
    contacts.suppress(
        session, held.recipient, exporter_id=None, reason="opt_out", source="mail", evidence={}, now=NOW, by=ADVISOR
    )
    fill_in(session, world)
    assert service.write_held(session, settings, library(), now=LATER) == 0
    session.refresh(held)
    assert (held.status, held.blocks) == ("cancelled", [])
    assert session.get_one(Step, held.step_id).status == "skipped"


def test_a_held_letter_is_cancelled_with_its_step(session, held):
    assert service.cancel_for_steps(session, [held.step_id], reason="replied", now=NOW) == [held.id]
    assert held.status == "cancelled"


def test_a_held_letter_whose_step_ended_is_cancelled(session, held):
    session.get_one(Step, held.step_id).status = "cancelled"
    session.flush()
    assert service.cancel_ended(session, now=NOW) == [held.id]


def test_a_held_letter_cannot_be_approved_or_edited_but_returned(session, settings, held):
    with speaking("en"), pytest.raises(Stale, match="held"):
        review.approve(session, settings, held, seen_version=held.version, viewer=STAFF, now=NOW)
    with pytest.raises(Stale):
        service.set_subject(session, held, "Subject", by=ADVISOR, now=NOW)
    review.give_back(session, settings, held, "facts", viewer=STAFF, now=NOW)
    assert held.status == "returned"
    assert session.get_one(Step, held.step_id).reason == "returned"


def test_held_letters_stand_in_a_list_of_their_own(session, settings, world, held):
    assert queries.queue(session, STAFF, settings, now=NOW) == []
    mine = Viewer(2, ADVISOR, "a", Role.ADVISOR, exporter_ids=frozenset({world.exporter.id}))
    strange = Viewer(3, "b@ieum.example", "b", Role.ADVISOR, exporter_ids=frozenset({999}))
    assert [found.id for found, _exporter in queries.held(session, mine)] == [held.id]
    assert queries.held(session, strange) == []


def test_a_waiting_letter_whose_fact_is_gone_when_it_is_written_anew_is_held(session, settings, world):
    lead = meet(session, world, "Ana Pena", country="MX")
    start(session, settings, world)
    (made,) = draft(session, settings)
    world.exporter.sender_email = ""
    contact = session.get_one(Contact, lead.contact_id)
    contacts.edit_contact(session, contact, {"language": "en"}, now=LATER, by="staff")
    assert service.keep_true(session, library(), now=LATER) == 1
    assert (made.status, made.blocks) == ("held", [])


def test_a_letter_is_held_for_what_its_letter_yaml_says_it_needs(session, world):
    lead = meet(session, world, "Stephen Fairbank")
    content = write(library().letter("invitation"), subject_of(session, lead.id), planned_at=NOW, now=NOW)
    assert {"placeholder": "next_exhibition", "where": "exhibition"} in content.held_for
    assert (content.status, content.blocks) == ("held", [])


def test_an_answer_to_somebody_for_whom_a_fact_is_missing_is_refused_with_its_name(session, world):
    lead = meet(session, world, "Stephen Fairbank")
    world.exporter.sender_email = ""
    session.flush()
    with speaking("en"), pytest.raises(Refused, match="e-mail address of who signs"):
        service.write_answer(
            session, library(), lead_id=lead.id, in_reply_to="", texts=["Yes."], subject="Re: x", now=NOW, by=ADVISOR
        )


@pytest.mark.parametrize("tag", [*LANGUAGES, *VARIANTS])
def test_what_a_text_prints_unasked_is_named_and_never_printed_blank(tag):
    """F39: with the refusal of unknown values taken out, the blank would be printed."""
    language, countries = VARIANTS.get(tag, (tag, frozenset()))
    country = min(countries, default=None)
    facts = least(SAMPLES[language])
    letter = library().letter("thank_you")
    for name in ("sender_name", "exporter", "sender_email"):
        for blank in ("", " ", "\u200b"):
            without = type(facts)(**{**facts.__dict__, name: blank})
            assert name in lacking(letter, without, language, country=country)
            with pytest.raises(Refused):
                render(letter, language, {language: without}, country=country)
    assert lacking(letter, facts, language, country=country) == []
