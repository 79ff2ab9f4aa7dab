from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from crm.accounts.models import Role
from crm.accounts.rules import Viewer
from crm.campaigns.leads import load
from crm.campaigns.models import Step
from crm.clearance import service as clearance
from crm.contacts import service as contacts
from crm.contacts.models import Consent, Contact, EmailAddress
from crm.core import events
from crm.core.errors import BadInput, NotFound, Stale
from crm.drafts import queries, service
from crm.drafts.models import Draft
from crm.exporters.models import Booth, Exhibition
from crm.pipeline.models import Task
from tests.drafts.world import ADVISOR, NOW, STAFF, build, draft, library, meet, start


@pytest.fixture
def world(session):
    return build(session)


def block(made, name):
    return next(block for block in made.blocks if block["id"] == name)


def texts(made, side="text"):
    return "\n\n".join(block[side] for block in made.blocks)


def test_it_drafts_what_is_due_in_the_buyers_language_beside_korean(session, settings, world):
    meet(session, world, "Ana Peña Rojas", country="MX", family_name="Peña Rojas", given_name="Ana", gender="f")
    start(session, settings, world)
    (made,) = draft(session, settings)
    assert (made.letter, made.language, made.status) == ("thank_you", "es", "waiting")
    assert made.letter_version == library().letter("thank_you").version
    assert block(made, "greeting")["text"] == "Estimada Sra. Peña:"
    assert block(made, "greeting")["ko"] == "Ana Peña Rojas 님께"
    assert "actuadores" in block(made, "recall")["text"]
    assert "액추에이터" in block(made, "recall")["ko"]
    assert made.subject == "Seguimiento HANBIT EXPO 2026: actuadores – Seolak Valve"
    assert made.recipient_name == "Ana Peña Rojas"
    assert made.planned_at == session.get_one(Step, made.step_id).due_at


def test_the_korean_rendering_has_the_values_of_the_letter(session, settings, world):
    meet(session, world, "Stephen Fairbank", country="MX", requests=["catalogue", "sample"])
    start(session, settings, world)
    (made,) = draft(session, settings)
    assert [made_block["id"] for made_block in made.blocks if not made_block["ko"]] == []
    for side in ("text", "ko"):
        assert "https://seolak.example/en.pdf" in texts(made, side)
    assert "(en inglés)" in texts(made)
    assert "영어판" in texts(made, "ko")
    assert "샘플" in texts(made, "ko")


def test_drafting_twice_makes_one_letter(session, settings, world):
    meet(session, world, "Stephen Fairbank")
    start(session, settings, world)
    assert len(draft(session, settings)) == 1
    assert len(draft(session, settings)) == 1


def test_a_letter_in_korean_is_its_own_rendering(session, settings, world):
    meet(session, world, "김민수", country="KR", title="부장", company="(주)한빛", rating=4)
    start(session, settings, world, workflow="domestic-buyer")
    (made,) = draft(session, settings)
    assert all(one["text"] == one["ko"] for one in made.blocks)
    assert block(made, "greeting")["text"] == "김민수 부장님께"
    assert "최도현 드림" in block(made, "signature")["text"]


@pytest.mark.parametrize("address", ["", "gone@buyer.example", "no@buyer.example"])
def test_it_skips_whom_it_cannot_or_must_not_write_to(session, settings, world, address):
    lead = meet(session, world, "Stephen Fairbank", address=address or "later@buyer.example")
    start(session, settings, world)
    if address == "":
        session.delete(session.exec(select(EmailAddress)).one())
    elif address.startswith("gone"):
        session.exec(select(EmailAddress)).one().status = "bounced"
    else:
        contacts.suppress(
            session, address, exporter_id=None, reason="opt_out", source="mail", evidence={}, now=NOW, by=ADVISOR
        )
    session.flush()
    assert draft(session, settings) == []
    step = session.exec(select(Step).where(Step.step == "thanks")).one()
    assert step.status == "skipped"
    assert step.reason in ("NO_ADDRESS", "PROTO_HARD_BOUNCED", "LAW_SUPPRESSED_EVERYWHERE")
    asked = clearance.Asked(lead.id, load(session, [lead.id])[lead.id].address, "en")
    known = clearance.Gathered(session, settings, [asked])
    assert known.hopeless(asked) == step.reason == known.verdicts(asked, NOW)[0].code
    assert any(line.verb == "step_skipped" for line in events.history(session, "lead", lead.id))


def test_a_buyer_without_consent_is_drafted_and_shown_as_blocked(session, settings, world):
    meet(session, world, "Uwe Grünwald", country="DE")
    session.delete(session.exec(select(Consent)).one())
    start(session, settings, world)
    assert len(draft(session, settings)) == 1
    (row,) = queries.queue(session, STAFF, settings, now=NOW)
    assert row.level == "block"
    assert row.findings[0].code == "LAW_NO_BASIS"


def test_a_letter_that_cannot_be_written_becomes_a_task(session, settings, world):
    lead = meet(session, world, "Bob {{ 7*7 }}")
    start(session, settings, world)
    assert draft(session, settings) == []
    assert draft(session, settings) == []
    task = session.exec(select(Task)).one()
    assert task.lead_id == lead.id
    assert task.kind == "check"
    assert session.exec(select(Step).where(Step.step == "thanks")).one().reason == "not_written"


def test_a_letter_over_which_the_program_stumbles_does_not_hold_up_the_others(session, settings, world):
    broken = meet(session, world, "Bob Broken")
    broken.interests = [None]
    meet(session, world, "Ann Whole")
    start(session, settings, world)
    (made,) = draft(session, settings)
    assert made.recipient_name == "Ann Whole"
    task = session.exec(select(Task)).one()
    assert (task.lead_id, "TypeError" in task.title) == (broken.id, True)


def test_a_waiting_letter_follows_the_buyers_language_and_name(session, settings, world):
    lead = meet(session, world, "Ana Pena", country="MX")
    start(session, settings, world)
    (made,) = draft(session, settings)
    later = NOW + timedelta(days=3)
    assert service.keep_true(session, library(), now=later) == 0
    contact = session.get_one(Contact, lead.contact_id)
    contacts.edit_contact(session, contact, {"language": "en", "full_name": "Ana Peña"}, now=later, by="staff")
    version = made.version
    assert service.keep_true(session, library(), now=later) == 1
    assert (made.language, made.recipient_name, made.version > version) == ("en", "Ana Peña", True)
    assert "Ana Peña" in block(made, "greeting")["text"]
    assert service.keep_true(session, library(), now=later + timedelta(days=1)) == 0


def test_what_an_advisor_wrote_outlives_a_new_name_but_not_a_wrong_language(session, settings, world):
    lead = meet(session, world, "Ana Pena", country="MX")
    start(session, settings, world)
    (made,) = draft(session, settings)
    service.edit(session, made, "recall", "Un texto propio.", by=ADVISOR, now=NOW)
    contact = session.get_one(Contact, lead.contact_id)
    later = NOW + timedelta(days=3)
    contacts.edit_contact(session, contact, {"full_name": "Ana Peña"}, now=later, by="staff")
    assert service.keep_true(session, library(), now=later) == 0
    contacts.edit_contact(session, contact, {"language": "en"}, now=later, by="staff")
    assert service.keep_true(session, library(), now=later) == 1
    assert "propio" not in texts(made)


def test_a_waiting_letter_follows_the_buyer_to_another_address(session, settings, world):
    lead = meet(session, world, "Ana Pena", country="MX", address="old@buyer.example")
    start(session, settings, world)
    (made,) = draft(session, settings)
    contacts.mark_bounced(session, "old@buyer.example", "no_such_address", now=NOW)
    assert service.keep_true(session, library(), now=NOW) == 0
    session.add(EmailAddress(contact_id=lead.contact_id, address="new@buyer.example", position=1))
    session.flush()
    assert service.keep_true(session, library(), now=NOW) == 1
    assert made.recipient == "new@buyer.example"


def test_an_interest_that_was_not_noted_is_not_claimed(session, settings, world):
    meet(session, world, "Stephen Fairbank", noted=False)
    start(session, settings, world)
    (made,) = draft(session, settings)
    assert "recall" not in [one["id"] for one in made.blocks]
    assert "What products are you looking for" in block(made, "question")["text"]
    assert made.product_line_id == world.line.id


def test_a_buyer_who_was_not_met_is_not_thanked_for_a_visit(session, settings, world):
    meet(session, world, "Stephen Fairbank", met=False)
    start(session, settings, world)
    (made,) = draft(session, settings)
    assert "visiting" not in texts(made)
    assert "찾아 주셔서" not in texts(made, "ko")


def test_a_price_that_runs_out_is_not_quoted(session, settings, world):
    lead = meet(session, world, "Stephen Fairbank")
    facts = service.facts_for(session, lead_id=lead.id, language="en", now=NOW)
    assert facts.price is not None
    world.line.price_valid_until = (NOW + timedelta(days=5)).date()
    session.flush()
    assert service.facts_for(session, lead_id=lead.id, language="en", now=NOW).price is None


def test_the_answer_is_asked_for_on_a_working_day_of_the_buyer(session, settings, world):
    lead = meet(session, world, "Stephen Fairbank", country="AE")
    facts = service.facts_for(session, lead_id=lead.id, language="en", now=NOW)
    assert facts.reply_by is not None
    assert facts.reply_by.weekday() < 5
    assert facts.reply_by > NOW.date()


def test_the_exporters_next_exhibition_is_the_first_to_come_at_which_it_has_a_booth(session, settings, world):
    lead = meet(session, world, "Stephen Fairbank")
    for code, starts, number in (("OLD", -90, "1A"), ("SOON", 60, "5A-210"), ("LATE", 200, "9"), ("OTHERS", 20, "")):
        day = (NOW + timedelta(days=starts)).date()
        show = Exhibition(code=code, names={"ko": f"{code} 전시회", "en": f"{code} FAIR"}, starts_on=day, ends_on=day)
        session.add(show)
        session.flush()
        if number:
            session.add(Booth(exhibition_id=show.id, exporter_id=world.exporter.id, number=number))
    session.flush()
    facts = service.facts_for(session, lead_id=lead.id, language="en", now=NOW)
    assert (facts.next_exhibition, facts.next_booth) == ("SOON FAIR", "5A-210")
    assert facts.next_from == (NOW + timedelta(days=60)).date()


def test_an_unknown_lead_is_not_found(session, world):
    with pytest.raises(NotFound):
        service.facts_for(session, lead_id=99, language="en", now=NOW)


@pytest.fixture
def made(session, settings, world) -> Draft:
    meet(session, world, "Stephen Fairbank")
    start(session, settings, world)
    return draft(session, settings)[0]


def test_an_edit_changes_one_block_and_the_version(session, made):
    before, version = list(made.blocks), made.version
    service.edit(session, made, "question", "Shall we talk?\r\n", ko_note="통화 제안", by=ADVISOR, now=NOW)
    session.refresh(made)
    changed = block(made, "question")
    assert (changed["text"], changed["ko"], changed["ko_note"]) == ("Shall we talk?", "", "통화 제안")
    assert (changed["edited_by"], changed["edited_at"]) == (ADVISOR, NOW.isoformat())
    assert "Which" not in changed["template_text"]
    assert made.version == version + 1
    assert [one for one in made.blocks if one["id"] != "question"] == [one for one in before if one["id"] != "question"]


def test_an_edit_needs_a_text_a_block_and_a_draft_that_waits(session, made):
    with pytest.raises(BadInput):
        service.edit(session, made, "question", "  \n", by=ADVISOR, now=NOW)
    with pytest.raises(NotFound):
        service.edit(session, made, "nothing", "x", by=ADVISOR, now=NOW)
    made.status = "approved"
    with pytest.raises(Stale):
        service.edit(session, made, "question", "x", by=ADVISOR, now=NOW)


def test_a_subject_is_one_line(session, made):
    service.set_subject(session, made, " New subject ", by=ADVISOR, now=NOW)
    assert (made.subject, made.subject_ko) == ("New subject", "")
    for wrong in ("", "A\nB"):
        with pytest.raises(BadInput):
            service.set_subject(session, made, wrong, by=ADVISOR, now=NOW)


@pytest.mark.parametrize(("status", "after"), [("waiting", "cancelled"), ("approved", "cancelled"), ("sent", "sent")])
def test_cancelling_a_step_cancels_its_letter_unless_it_left(session, made, status, after):
    made.status = status
    session.flush()
    cancelled = service.cancel_for_steps(session, [made.step_id], reason="replied", now=NOW)
    assert made.status == after
    assert cancelled == ([made.id] if after == "cancelled" else [])


def test_rendered_blocks_follow_edits(session, made):
    service.edit(session, made, "question", "Shall we talk?", by=ADVISOR, now=NOW)
    assert [one.text for one in service.rendered(made) if one.id == "question"] == ["Shall we talk?"]


def test_an_answer_keeps_the_subject_and_stands_between_salutation_and_signature(session, world, made):
    made.status = "sent"
    session.flush()
    answer = service.write_answer(
        session,
        library(),
        lead_id=made.lead_id,
        in_reply_to="<1@buyer.example>",
        texts=["The sample leaves today.", ""],
        now=NOW,
        by=ADVISOR,
    )
    assert [one["id"] for one in answer.blocks] == ["greeting", "text_1", "closing", "signature"]
    assert (answer.letter, answer.in_reply_to, answer.status) == ("answer", "<1@buyer.example>", "waiting")
    assert answer.subject == f"Re: {made.subject}"
    assert answer.recipient == made.recipient


def test_an_empty_answer_is_refused(session, made):
    with pytest.raises(BadInput):
        service.write_answer(
            session, library(), lead_id=made.lead_id, in_reply_to="", texts=[" "], subject="x", now=NOW, by=ADVISOR
        )


def test_the_queue_puts_what_needs_a_look_first(session, settings, world):
    meet(session, world, "Stephen Fairbank")
    meet(session, world, "Nathan Eastwick", company="Other Inc.", country="DE")
    session.delete(session.exec(select(Consent).order_by(Consent.id.desc())).first())
    start(session, settings, world)
    draft(session, settings)
    rows = queries.queue(session, STAFF, settings, now=NOW)
    assert [row.name for row in rows] == ["Nathan Eastwick", "Stephen Fairbank"]
    assert [row.level for row in rows] == ["block", "pass"]
    assert (rows[0].company, rows[0].country, rows[0].exporter.code) == ("Other Inc.", "DE", "SEOLAK")


def test_an_answer_is_judged_as_an_answer_in_the_queue(session, settings, world):
    lead = meet(session, world, "Ann Whole")
    for consent in session.exec(select(Consent)):
        consent.withdrawn_at = NOW
    service.write_answer(
        session, library(), lead_id=lead.id, in_reply_to="<x@buyer.example>", texts=["Yes, we do."], subject="Re: MOQ",
        recipient="colleague@buyer.example", now=NOW, by=ADVISOR,
    )  # fmt: skip
    (row,) = queries.queue(session, STAFF, settings, now=NOW)
    assert [found.code for found in row.findings if found.level == "block"] == []


def test_drafts_that_are_blocked_do_not_hide_those_that_can_go(session, settings, world):
    for number in range(3):
        lead = meet(session, world, f"Bob Blocked{number}")
        for consent in session.exec(select(Consent).where(Consent.contact_id == lead.contact_id)):
            consent.basis = "badge_scanned"
        session.get_one(Contact, lead.contact_id).country = "DE"
    meet(session, world, "Ann Whole")
    start(session, settings, world)
    made = draft(session, settings)
    for waiting in made:
        waiting.planned_at = NOW + timedelta(days=2 if waiting.recipient_name == "Ann Whole" else 1)
    session.flush()
    rows = queries.queue(session, STAFF, settings, now=NOW, limit=2)
    assert "Ann Whole" in {row.name for row in rows}


def test_a_draft_put_off_comes_back_by_itself(session, settings, made):
    made.wait_until = NOW + timedelta(days=1)
    session.flush()
    assert queries.queue(session, STAFF, settings, now=NOW) == []
    assert len(queries.queue(session, STAFF, settings, now=NOW + timedelta(days=1))) == 1


def test_drafts_of_another_exporter_do_not_exist_for_a_viewer(session, settings, world, made):
    mine = Viewer(2, "a@ieum.example", "a", Role.ADVISOR, exporter_ids=frozenset({world.exporter.id}))
    other = replace(mine, exporter_ids=frozenset({999}))
    assert queries.get_draft(session, mine, made.id).id == made.id
    assert len(queries.queue(session, mine, settings, now=NOW)) == 1
    assert queries.queue(session, other, settings, now=NOW) == []
    with pytest.raises(NotFound):
        queries.get_draft(session, other, made.id)


def test_the_name_on_the_envelope_is_never_a_form_of_address(session, settings, world):
    lead = meet(session, world, "", company="上海锦禾", country="US")
    start(session, settings, world)
    (made,) = draft(session, settings)
    assert made.recipient_name == "上海锦禾"
    assert block(made, "greeting")["text"] == "Dear Sir or Madam,"
    assert session.get_one(Contact, lead.contact_id).full_name == ""
