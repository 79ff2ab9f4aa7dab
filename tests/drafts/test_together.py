"""Many letters at once, in many languages: nothing of one in another, and every part in the buyer's language."""

import re
import threading
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from sqlmodel import select

from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Organisation
from crm.core.i18n import speaking
from crm.drafts import queries, service
from crm.drafts.models import Draft
from crm.drafts.rules import foreign_han, foreign_letters
from crm.drafts.templates import render
from crm.review import letters
from crm.review import service as review
from tests.drafts.world import ADVISOR, MET, NOW, STAFF, build, draft, library, meet, start

LATER = NOW + timedelta(days=2)
MANY = 500
HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")


def name_of(number):
    """A name that nobody else has, of letters only."""
    word = "".join(chr(ord("a") + int(digit)) for digit in f"{number:03d}")
    return f"Given{word} Family{word}"


def crowd(session, world, count):
    """Buyers who have nothing in common but the exporter: name, firm, booth and interest are each one's own."""
    for number in range(count):
        firm = Organisation(name=f"Firm {number}", match_key=f"f{number}", country="US", created_at=NOW)
        session.add(firm)
        session.flush()
        contact = Contact(full_name=name_of(number), country="US", organisation_id=firm.id, created_at=NOW)
        session.add(contact)
        session.flush()
        session.add_all(
            [
                EmailAddress(contact_id=contact.id, address=f"b{number}@buyer.example"),
                Consent(
                    contact_id=contact.id, exporter_id=world.exporter.id, basis="express_optin", given_at=MET,
                    source="booth", evidence={"note": "QR"}, recorded_at=MET, recorded_by=ADVISOR,
                ),
                Lead(
                    contact_id=contact.id, exporter_id=world.exporter.id, exhibition_id=world.show.id,
                    met_at=MET, booth=f"9A-{number:03d}", interests=[f"field {name_of(number)}"], created_at=NOW,
                ),
            ]
        )  # fmt: skip
    session.flush()


def assert_each_is_its_own(session, count):
    drafts = session.exec(select(Draft)).all()
    assert len({one.step_id for one in drafts}) == len(drafts) == count
    for made in drafts:
        contact, lead = session.get_one(Contact, made.contact_id), session.get_one(Lead, made.lead_id)
        text = "\n".join(block["text"] for block in made.blocks)
        assert lead.contact_id == contact.id
        assert made.recipient_name == contact.full_name
        assert made.blocks[0]["text"] == f"Dear {contact.full_name},"
        assert made.blocks[0]["ko"] == f"{contact.full_name} 님께"
        assert set(re.findall(r"Given\w+ Family\w+", text)) == {contact.full_name}
        assert set(re.findall(r"9A-\d{3}", text)) == {lead.booth}
        assert (
            made.recipient
            == session.exec(select(EmailAddress.address).where(EmailAddress.contact_id == contact.id)).one()
        )


def test_of_five_hundred_letters_written_at_once_each_has_its_own_name(session, settings):
    """F24: with the values taken out of the key of a written part, the first name stands in all letters."""
    world = build(session)
    crowd(session, world, MANY)
    start(session, settings, world)
    service.draft_some(session, settings, library(), now=LATER, limit=MANY)
    assert_each_is_its_own(session, MANY)


def test_two_workers_write_each_letter_once_and_with_its_own_name(db, settings):
    """F24, F9: the parts that are kept for all letters are kept for both threads."""
    with db.writing() as session:
        world = build(session)
        crowd(session, world, 120)
        start(session, settings, world)
    failed: list[BaseException] = []

    def work():
        try:
            taken = 1
            while taken:
                with db.writing() as own:
                    taken = service.draft_some(own, settings, library(), now=LATER, limit=20).taken
        except BaseException as error:
            failed.append(error)

    workers = [threading.Thread(target=work) for _worker in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failed == []
    with db.reading() as session:
        assert_each_is_its_own(session, 120)


READERS = [
    ("US", "en", "en-US"),
    ("GB", "en", "en"),
    ("CN", "zh-Hans", "zh-Hans"),
    ("TW", "zh-Hant", "zh-Hant"),
    ("HK", "zh-Hant", "zh-Hant-HK"),
    ("JP", "ja", "ja"),
    ("MX", "es", "es"),
    ("ES", "es", "es-ES"),
    ("KR", "ko", "ko-KR"),
]


def mail(session, settings, made):
    """Return the draft as the mail that would leave: subject, text and HTML."""
    found = letters.final_letter(session, settings, made, moment=LATER)
    return found.subject, found.text, found.html


@pytest.mark.parametrize(("country", "language", "variant"), READERS)
def test_every_part_of_a_mail_is_in_the_buyers_language(session, settings, country, language, variant):
    """F37: subject, body, page and footer follow the one language that was chosen with the buyer."""
    world = build(session)
    meet(session, world, "Ana Wong", country=country, rating=5, requests=["catalogue"])
    start(session, settings, world, workflow="domestic-buyer" if country == "KR" else "overseas-buyer")
    with speaking("ko"):
        (made,) = draft(session, settings)
        subject, text, html = mail(session, settings, made)
    assert (made.language, made.variant) == (language, variant)
    assert re.findall(r'<html[^>]* lang="([^"]+)"', html) == [language]
    own = [word for names in (world.exporter.names, world.show.names) for word in names.values()]
    for part in (subject, text, re.sub("<[^>]+>", " ", html)):
        for name in sorted(own, key=len, reverse=True):
            part = part.replace(name, " ")
        assert foreign_letters(language, part) == ""
        assert foreign_han(language, part) == ""
    written = render(
        library().letter(made.letter), language, {language: service.facts_for(
            session, lead_id=made.lead_id, language=language, now=max(made.planned_at, LATER)
        )}, country=country, turn=made.turn,
    )  # fmt: skip
    assert made.subject == written.subject


def test_nothing_of_the_operators_korean_stands_in_a_mail_to_a_spaniard(session, settings):
    """F38: the page is Korean, the worker's language is Korean, and the exporter wrote some facts in Korean only."""
    world = build(session)
    meet(session, world, "Ana Peña", country="MX", requests=["catalogue", "sample"])
    world.exporter.contact_titles = {"ko": "수출부장"}
    world.exporter.contact_name_latin = ""
    world.line.names = {"ko": "액추에이터"}
    world.line.moq_units = {"ko": "롤"}
    world.show.venue = "킨텍스"
    session.flush()
    start(session, settings, world)
    with speaking("ko"):
        (made,) = draft(session, settings)
        assert made.status == "waiting"
        seen = review.verdicts_of(session, settings, made, now=LATER)
        approval = review.approve(
            session, settings, made, seen_version=made.version, viewer=STAFF, now=LATER,
            acknowledged=[found.code for found in seen if found.level == "check"],
        )  # fmt: skip
    raw = message_from_bytes(review.message_of(session, approval).raw, policy=default)
    parts = [str(value) for value in raw.values()]
    parts += [part.get_content() for part in raw.walk() if part.get_content_maintype() == "text"]
    assert len(parts) > 5
    assert [part for part in parts if HANGUL.search(part)] == []
    assert any(block["ko"] and HANGUL.search(block["ko"]) for block in made.blocks)


def colleagues(session, world, count):
    """People of one firm whom the exporter met."""
    leads = [meet(session, world, name_of(number), rating=4, requests=["catalogue"]) for number in range(count)]
    firm = session.get_one(Contact, leads[0].contact_id).organisation_id
    for lead in leads[1:]:
        session.get_one(Contact, lead.contact_id).organisation_id = firm
    session.flush()
    return leads


def body(made, side="text"):
    return {block["id"]: block[side] for block in made.blocks}


def test_colleagues_take_turns_and_no_two_read_the_same_sentence(session, settings):
    world = build(session)
    colleagues(session, world, 3)
    start(session, settings, world)
    drafts = draft(session, settings)
    assert [made.turn for made in drafts] == [0, 1, 2]
    assert len({body(made)["thanks"] for made in drafts}) == 3
    assert len({body(made, "ko")["thanks"] for made in drafts}) == 3
    assert queries.repetitions(session, drafts) == {}


def test_a_turn_stays_when_a_colleague_comes_later(session, settings):
    world = build(session)
    first, second = colleagues(session, world, 2)
    start(session, settings, world)
    drafts = draft(session, settings)
    newcomer = meet(session, world, name_of(9))
    organisation = session.get_one(Contact, first.contact_id).organisation_id
    session.get_one(Contact, newcomer.contact_id).organisation_id = organisation
    session.flush()
    from crm.drafts.subjects import Sources

    sources = Sources(session, [first.id, second.id, newcomer.id])
    assert [sources.subject(one.id).turn for one in (first, second, newcomer)] == [0, 1, 2]
    assert [made.turn for made in drafts] == [0, 1]


def test_the_same_sentence_to_a_colleague_is_shown_in_the_queue_and_on_the_page(session, settings):
    world = build(session)
    colleagues(session, world, 2)
    start(session, settings, world)
    mine, other = draft(session, settings)
    sentence = "We would like to visit your new factory in Austin with two of our engineers."
    for made in (mine, other):
        service.edit(session, made, "question", sentence, by=ADVISOR, now=NOW)
    rows = queries.queue(session, STAFF, settings, now=NOW)
    assert all("same_sentence" in [found.code for found in row.findings] for row in rows)
    (found,) = [one for one in review.verdicts_of(session, settings, mine, now=NOW) if one.code == "same_sentence"]
    assert (found.level, found.params["who"]) == ("check", other.recipient_name)
    assert sentence.startswith(str(found.params["text"]).rstrip("…"))


@pytest.mark.parametrize("apart", ["firm", "exporter", "cancelled"])
def test_who_is_no_colleague_of_the_same_correspondence_may_read_the_same(session, settings, apart):
    world = build(session)
    colleagues(session, world, 2)
    start(session, settings, world)
    mine, other = draft(session, settings)
    for made in (mine, other):
        service.edit(session, made, "question", "We would like to visit your new factory soon.", by=ADVISOR, now=NOW)
    if apart == "firm":
        session.get_one(Contact, other.contact_id).organisation_id = None
    elif apart == "exporter":
        strange = type(world.exporter)(
            **{**world.exporter.model_dump(exclude={"id", "code", "version"}), "code": "OTHER"}
        )
        session.add(strange)
        session.flush()
        other.exporter_id = strange.id
    else:
        other.status = "cancelled"
    session.flush()
    assert queries.repetitions(session, [mine]) == {}
