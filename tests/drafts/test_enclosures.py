"""What goes along with a letter: the right file, attached or as a link, of which the text and the approval know."""

import email
import email.policy
import hashlib
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session, col, select

from crm.accounts.rules import system_viewer
from crm.campaigns.models import Step
from crm.clearance.question import Verdict
from crm.contacts.models import Lead
from crm.core.config import Settings
from crm.core.errors import Refused, Stale
from crm.delivery import claims
from crm.delivery import service as delivery
from crm.delivery.models import Outbox
from crm.drafts import service
from crm.drafts.enclosures import Posting, read
from crm.drafts.language import LANGUAGES
from crm.drafts.models import Draft
from crm.drafts.subjects import subject_of
from crm.drafts.writing import Content, write
from crm.exporters import documents
from crm.exporters.documents import Paper
from crm.exporters.models import Document, Exporter
from crm.mail import tokens
from crm.mail.compose import marks
from crm.pipeline import paperwork
from crm.pipeline import service as pipeline
from crm.pipeline.models import Deal, ExclusiveContract, Quotation
from crm.pipeline.papering import Minimum, Offer, QuotedLine, Slots
from crm.review import letters, queries
from crm.review import service as review
from crm.review.models import LetterDocument, Message
from tests.drafts.world import ADVISOR, NOW, World, build, draft, library, meet, start
from tests.postroom import approved

STAFF = system_viewer()
MEGA = 1024 * 1024


@pytest.fixture
def world(session: Session) -> World:
    return build(session)


def stored(
    session: Session, world: World, kind: str = "catalogue", language: str = "es", data: bytes = b"", **changes: Any
) -> Document:
    exporter = changes.pop("exporter", world.exporter)
    line_id = changes.pop("line_id", world.line.id)
    return documents.add(
        session, STAFF, exporter, Paper(kind, changes.pop("title", f"{kind} {language}"), language, line_id),
        b"%PDF-1.7\n" + (data or kind.encode() + language.encode()), changes.pop("name", "Catálogo ñ.pdf"),
        languages=LANGUAGES, max_bytes=20 * MEGA, now=NOW,
    )  # fmt: skip


def mexican(session: Session, world: World, **known: Any) -> Lead:
    return meet(session, world, "Ana Peña", country="MX", gender="f", family_name="Peña", given_name="Ana", **known)


def about(session: Session, settings: Settings, lead: Lead) -> Any:
    pipeline.open_deals(session, now=NOW)
    return subject_of(session, lead.id or 0, posting=Posting.of(settings))


def written(session: Session, settings: Settings, lead: Lead, letter: str, *, attach: str = "") -> Content:
    return write(library().letter(letter), about(session, settings, lead), planned_at=NOW, now=NOW, attach=attach)


def kept(session: Session, settings: Settings, lead: Lead, letter: str) -> Draft:
    """A draft as the service would store it."""
    subject, content = about(session, settings, lead), written(session, settings, lead, letter)
    assert content.held_for == []
    row = Draft(
        **content._asdict(), lead_id=lead.id, contact_id=lead.contact_id, exporter_id=lead.exporter_id,
        exhibition_id=lead.exhibition_id, deal_id=subject.lead.deal_id, recipient=subject.card.address,
        planned_at=NOW, created_at=NOW,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def text_of(content: Content, side: str = "text") -> str:
    return "\n".join(block[side] for block in content.blocks)


def findings(session: Session, settings: Settings, row: Draft) -> list[Verdict]:
    return review.verdicts_of(session, settings, row, now=NOW)


def codes(session: Session, settings: Settings, row: Draft) -> set[str]:
    mine = ("enclosure_", "meeting_", "papers_")
    return {found.code for found in findings(session, settings, row) if found.code.startswith(mine)}


def mail_of(session: Session, approval: Any) -> Any:
    message = session.get_one(Message, approval.id)
    return email.message_from_bytes(letters.bytes_of(session, message), policy=email.policy.default)


# --- the choice


def test_the_catalogue_in_the_buyers_language_is_attached_and_the_text_says_so(
    session: Session, settings: Settings, world: World
) -> None:
    document = stored(session, world)
    content = written(session, settings, mexican(session, world), "catalogue")
    [item] = read(content.enclosed)
    assert (item.kind, item.how, item.document_id, item.sha256) == ("catalogue", "file", document.id, document.sha256)
    assert "seolak.example/es.pdf" not in text_of(content)


def test_a_catalogue_that_is_too_large_becomes_a_link_with_a_last_day(
    session: Session, settings: Settings, world: World
) -> None:
    document = stored(session, world, data=bytes(6 * MEGA))
    content = written(session, settings, mexican(session, world), "catalogue")
    [item] = read(content.enclosed)
    assert (item.how, item.last_day) == ("link", "2027-01-15")
    address = next(word for word in text_of(content).split() if "/d/" in word)
    link = tokens.read_file(settings.web.secret.get_secret_value(), address.rpartition("/")[2])
    assert link == tokens.FileLink(document.id or 0, date(2027, 1, 15), "es")
    assert address in text_of(content, "ko")


def test_the_limit_holds_for_all_files_together_and_the_catalogue_gives_way(
    session: Session, settings: Settings, world: World
) -> None:
    stored(session, world, data=bytes(3 * MEGA))
    stored(session, world, "price_list", data=bytes(3 * MEGA))
    items = read(written(session, settings, mexican(session, world), "catalogue").enclosed)
    assert {item.kind: item.how for item in items} == {"price_list": "file", "catalogue": "link"}


def test_another_limit_is_a_setting(session: Session, settings: Settings, world: World) -> None:
    none = settings.model_copy(update={"documents": settings.documents.model_copy(update={"attach_mb": 0})})
    stored(session, world)
    [item] = read(written(session, none, mexican(session, world), "catalogue").enclosed)
    assert item.how == "link"


def test_an_english_catalogue_is_said_to_be_english(session: Session, settings: Settings, world: World) -> None:
    stored(session, world, language="en")
    content = written(session, settings, mexican(session, world), "catalogue")
    assert "inglés" in text_of(content)


def test_a_web_catalogue_in_the_readers_language_comes_before_an_english_file(
    session: Session, settings: Settings, world: World
) -> None:
    stored(session, world, language="en")
    japanese = meet(session, world, "田中", country="JP")
    content = written(session, settings, japanese, "catalogue")
    assert content.enclosed == []
    assert "https://seolak.example/ja.pdf" in text_of(content)


def test_without_any_document_the_web_catalogue_stays(session: Session, settings: Settings, world: World) -> None:
    content = written(session, settings, mexican(session, world), "catalogue")
    assert content.enclosed == []
    assert "https://seolak.example/en.pdf" in text_of(content)


def test_the_step_of_a_workflow_can_want_the_catalogue_attached(
    session: Session, settings: Settings, world: World
) -> None:
    stored(session, world)
    lead = mexican(session, world)
    assert read(written(session, settings, lead, "close").enclosed) == []
    assert [item.how for item in read(written(session, settings, lead, "close", attach="catalogue").enclosed)] == [
        "file"
    ]


def test_the_same_letter_is_packed_the_same(session: Session, settings: Settings, world: World) -> None:
    stored(session, world)
    lead = mexican(session, world)
    assert written(session, settings, lead, "catalogue") == written(session, settings, lead, "catalogue")


def test_drafting_a_campaign_packs_what_letter_and_step_want(
    session: Session, settings: Settings, world: World
) -> None:
    document = stored(session, world)
    mexican(session, world)
    start(session, settings, world)
    (made,) = draft(session, settings)
    assert [item.document_id for item in read(made.enclosed)] == [document.id]
    assert session.get_one(Step, made.step_id).data["attach"] in ("", "catalogue")


# --- papers of the deal


OFFER = Offer(
    number="Q-2026-031", issued_on=date(2026, 11, 16), valid_until=date(2026, 12, 16), currency="USD",
    lines=(QuotedLine("Actuator A-10", 1200, "pcs", Decimal("12.50")),), incoterm="FOB", incoterm_place="Busan, Korea",
    lead_time_days=30, payment="tt_30_70",
)  # fmt: skip


def deal_of(session: Session, lead: Lead) -> Deal:
    pipeline.open_deals(session, now=NOW)
    found = pipeline.deal_of_lead(session, lead.id or 0)
    assert found is not None
    return found


def quoted(session: Session, world: World, lead: Lead, number: str = "Q-2026-031") -> tuple[Quotation, Document]:
    paper = stored(session, world, "quotation", "", title=number, data=number.encode(), name=f"{number}.pdf")
    row = paperwork.add_quotation(session, deal_of(session, lead), replace(OFFER, number=number), by=ADVISOR, now=NOW)
    paperwork.attach_paper(session, row, paper, by=ADVISOR, now=NOW)
    return row, paper


def test_a_quotation_letter_says_the_figures_and_carries_the_signed_paper(
    session: Session, settings: Settings, world: World
) -> None:
    lead = mexican(session, world)
    quoted(session, world, lead)
    content = written(session, settings, lead, "quotation")
    assert "Q-2026-031" in content.subject + text_of(content)
    assert "15,000.00" in text_of(content)
    assert [item.filename for item in read(content.enclosed)] == ["Q-2026-031.pdf"]
    assert "adjunta en PDF" in text_of(content)


def test_a_quotation_without_its_paper_is_not_said_to_be_enclosed(
    session: Session, settings: Settings, world: World
) -> None:
    lead = mexican(session, world)
    paperwork.add_quotation(session, deal_of(session, lead), OFFER, by=ADVISOR, now=NOW)
    content = written(session, settings, lead, "quotation")
    assert content.enclosed == []
    assert "adjunta" not in text_of(content)


def test_without_a_quotation_the_letter_is_held_and_says_where_to_fill_it_in(
    session: Session, settings: Settings, world: World
) -> None:
    content = written(session, settings, mexican(session, world), "quotation")
    assert content.status == "held"
    assert {one["where"] for one in content.held_for} == {"quotation"}


def test_a_quotation_whose_items_the_reader_cannot_read_is_held(
    session: Session, settings: Settings, world: World
) -> None:
    lead = mexican(session, world)
    korean = replace(OFFER, lines=(QuotedLine("액추에이터", 1, "pcs", Decimal(1)),))
    paperwork.add_quotation(session, deal_of(session, lead), korean, by=ADVISOR, now=NOW)
    content = written(session, settings, lead, "quotation")
    assert "quotation_lines" in {one["placeholder"] for one in content.held_for}


def test_an_expired_quotation_is_not_quoted(session: Session, settings: Settings, world: World) -> None:
    lead = mexican(session, world)
    quoted(session, world, lead)
    later = NOW + timedelta(days=31)
    content = write(library().letter("quotation"), about(session, settings, lead), planned_at=later, now=NOW)
    assert content.status == "held"


def test_a_meeting_letter_carries_a_calendar_of_its_times(session: Session, settings: Settings, world: World) -> None:
    lead = mexican(session, world)
    slots = Slots((NOW + timedelta(days=3), NOW + timedelta(days=4)), 40, online=True)
    paperwork.propose_meeting(session, slots, deal=deal_of(session, lead), by=ADVISOR, now=NOW)
    approval = approved(session, settings, kept(session, settings, lead, "meeting"))
    [part] = mail_of(session, approval).iter_attachments()
    assert (part.get_content_type(), part.get_filename(), part.get_param("method")) == (
        "text/calendar", "meeting.ics", "PUBLISH",
    )  # fmt: skip
    assert part.get_content().count("BEGIN:VEVENT") == 2
    assert "ORGANIZER" in part.get_content()


def test_points_and_contract_reach_their_letters(session: Session, settings: Settings, world: World) -> None:
    lead = mexican(session, world)
    deal = deal_of(session, lead)
    for kind, spanish, korean in (("agreed", "Plazo de 30 días", "납기 30일"), ("open", "El embalaje", "포장")):
        paperwork.add_point(session, deal, kind, {"es": spanish, "ko": korean}, by=ADVISOR, now=NOW)
    content = written(session, settings, lead, "negotiation")
    assert "Plazo de 30 días" in text_of(content)
    assert "납기 30일" in text_of(content, "ko")
    pipeline.sign_exclusive(
        session, deal, territory=["MX"], product_line_id=world.line.id or 0, starts_on=date(2026, 12, 1),
        ends_on=date(2027, 11, 30), status="offered", least=Minimum(amount=Decimal("50000.00"), currency="USD"),
        by=ADVISOR, now=NOW,
    )  # fmt: skip
    proposal = written(session, settings, lead, "distributor_proposal")
    assert "México" in text_of(proposal)
    assert "50,000.00" in text_of(proposal)
    assert session.exec(select(ExclusiveContract)).one().status == "offered"


# --- approval and sending


def test_the_bytes_are_kept_without_the_file_and_leave_with_it(
    session: Session, settings: Settings, world: World
) -> None:
    document = stored(session, world, data=bytes(range(256)) * 400)
    approval = approved(session, settings, kept(session, settings, mexican(session, world), "catalogue"))
    message = session.get_one(Message, approval.id)
    whole = letters.bytes_of(session, message)
    assert marks(message.raw) == [document.sha256]
    assert (len(whole), hashlib.sha256(whole).hexdigest()) == (message.size, message.sha256)
    assert len(message.raw) < len(whole) / 4
    [part] = mail_of(session, approval).iter_attachments()
    assert (part.get_filename(), hashlib.sha256(part.get_content()).hexdigest()) == ("Catálogo ñ.pdf", document.sha256)


def test_what_leaves_is_what_was_approved(session: Session, settings: Settings, world: World) -> None:
    stored(session, world)
    row = kept(session, settings, mexican(session, world), "catalogue")
    approval = approved(session, settings, row)
    delivery.queue_approved(session, now=NOW)
    later = NOW + timedelta(days=1)
    [claimed], _looked = claims.claim(session, settings, now=later, worker="test")
    assert claimed.raw == letters.bytes_of(session, session.get_one(Message, approval.id))


def test_a_newer_version_does_not_change_what_was_approved(session: Session, settings: Settings, world: World) -> None:
    first = stored(session, world)
    row = kept(session, settings, mexican(session, world), "catalogue")
    approval = approved(session, settings, row)
    stored(session, world, data=b"newer")
    assert mail_of(session, approval).as_bytes()
    [part] = mail_of(session, approval).iter_attachments()
    assert hashlib.sha256(part.get_content()).hexdigest() == first.sha256
    assert review.fingerprint(session, row) == approval.content_hash


def test_an_approval_does_not_hold_for_other_files(session: Session, settings: Settings, world: World) -> None:
    stored(session, world)
    row = kept(session, settings, mexican(session, world), "catalogue")
    before = review.fingerprint(session, row)
    [item] = row.enclosed
    for change in ({"sha256": "0" * 64}, {"how": "link"}, {"filename": "other.pdf"}):
        row.enclosed = [{**item, **change}]
        assert review.fingerprint(session, row) != before
    row.enclosed = []
    assert review.fingerprint(session, row) != before


def test_files_changed_after_the_approval_are_withheld(session: Session, settings: Settings, world: World) -> None:
    stored(session, world)
    row = kept(session, settings, mexican(session, world), "catalogue")
    approved(session, settings, row)
    delivery.queue_approved(session, now=NOW)
    row.enclosed = []
    claimed, _looked = claims.claim(session, settings, now=NOW + timedelta(days=1), worker="test")
    assert claimed == []
    assert session.exec(select(Outbox.status)).one() == "withheld"


def test_a_document_withdrawn_after_the_approval_holds_the_letter_back(
    session: Session, settings: Settings, world: World
) -> None:
    document = stored(session, world)
    approved(session, settings, kept(session, settings, mexican(session, world), "catalogue"))
    delivery.queue_approved(session, now=NOW)
    documents.withdraw(session, STAFF, document, now=NOW)
    claimed, _looked = claims.claim(session, settings, now=NOW + timedelta(days=1), worker="test")
    assert claimed == []
    assert session.exec(select(Outbox.reason)).one() == "enclosure_withdrawn"


def test_where_a_document_is_used_is_known(session: Session, settings: Settings, world: World) -> None:
    document = stored(session, world)
    approval = approved(session, settings, kept(session, settings, mexican(session, world), "catalogue"))
    [use] = session.exec(select(LetterDocument)).all()
    assert (use.approval_id, use.document_id, use.how) == (approval.id, document.id, "file")
    assert queries.uses_of(session, STAFF, [document.id or 0])[document.id or 0].letters == 1
    review.take_back(session, session.get_one(Draft, approval.draft_id), viewer=STAFF, now=NOW)
    assert queries.uses_of(session, STAFF, [document.id or 0]) == {}


# --- hard checks


def test_a_letter_that_can_go_has_no_finding_of_ours(session: Session, settings: Settings, world: World) -> None:
    stored(session, world)
    assert codes(session, settings, kept(session, settings, mexican(session, world), "catalogue")) == set()


def test_another_companys_file_cannot_go_along(session: Session, settings: Settings, world: World) -> None:
    other = Exporter(code="OTHER", names={"ko": "다른", "en": "Other"}, sender_email="a@other.example", created_at=NOW)
    session.add(other)
    session.flush()
    foreign = stored(session, world, "certificate", "", exporter=other, line_id=None)
    stored(session, world)
    row = kept(session, settings, mexican(session, world), "catalogue")
    row.enclosed = [{**row.enclosed[0], "document_id": foreign.id, "sha256": foreign.sha256}]
    assert codes(session, settings, row) == {"enclosure_foreign"}
    with pytest.raises(Refused):
        approved(session, settings, row)


def test_another_buyers_quotation_cannot_go_along(session: Session, settings: Settings, world: World) -> None:
    lead, other = mexican(session, world), meet(session, world, "Bob Hill", country="US", company="Hill Inc.")
    quoted(session, world, lead)
    _row, paper = quoted(session, world, other, "Q-2026-032")
    row = kept(session, settings, lead, "quotation")
    row.enclosed = [{**row.enclosed[0], "document_id": paper.id, "sha256": paper.sha256}]
    assert codes(session, settings, row) == {"enclosure_other_buyer"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sha256": "0" * 64}, "enclosure_changed"),
        ({"document_id": 99_999}, "enclosure_foreign"),
        ({"size": 30 * MEGA}, "enclosure_large"),
        ({"how": "out"}, "enclosure_out"),
        ({"how": "link", "last_day": "2026-11-15"}, "enclosure_link_over"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    session: Session, settings: Settings, world: World, change: dict[str, Any], code: str
) -> None:
    stored(session, world)
    row = kept(session, settings, mexican(session, world), "catalogue")
    row.enclosed = [{**row.enclosed[0], **change}]
    assert codes(session, settings, row) == {code}


def test_a_newer_version_is_pointed_out_and_the_letter_can_be_written_anew(
    session: Session, settings: Settings, world: World
) -> None:
    stored(session, world)
    row = kept(session, settings, mexican(session, world), "catalogue")
    newer = stored(session, world, data=b"newer")
    assert codes(session, settings, row) == {"enclosure_older"}
    service.write_again(session, settings, library(), row, by=ADVISOR, now=NOW)
    assert [item.sha256 for item in read(row.enclosed)] == [newer.sha256]
    assert codes(session, settings, row) == set()


def test_a_meeting_that_was_changed_stops_the_letter_that_tells_of_it(
    session: Session, settings: Settings, world: World
) -> None:
    lead = mexican(session, world)
    slots = Slots((NOW + timedelta(days=3),), 40, online=True)
    paperwork.propose_meeting(session, slots, deal=deal_of(session, lead), by=ADVISOR, now=NOW)
    row = kept(session, settings, lead, "meeting")
    later = NOW + timedelta(minutes=5)
    moved = Slots((NOW + timedelta(days=5),), 40, online=True)
    paperwork.propose_meeting(session, moved, deal=deal_of(session, lead), by=ADVISOR, now=later)
    assert codes(session, settings, row) == {"meeting_changed", "papers_changed"}
    over = review.verdicts_of(session, settings, row, now=NOW + timedelta(days=9))
    assert "meeting_over" in {found.code for found in over}


def test_a_quotation_changed_after_its_letter_was_written_is_pointed_out(
    session: Session, settings: Settings, world: World
) -> None:
    lead = mexican(session, world)
    quotation, _paper = quoted(session, world, lead)
    row = kept(session, settings, lead, "quotation")
    assert codes(session, settings, row) == set()
    dearer = replace(OFFER, lines=(QuotedLine("Actuator A-10", 1200, "pcs", Decimal(13)),))
    paperwork.change_quotation(session, quotation, dearer, by=ADVISOR, now=NOW + timedelta(minutes=1))
    assert codes(session, settings, row) == {"papers_changed"}


def test_a_decided_letter_or_one_by_hand_is_not_written_anew(
    session: Session, settings: Settings, world: World
) -> None:
    stored(session, world)
    row = kept(session, settings, mexican(session, world), "catalogue")
    row.letter = service.ANSWER
    with pytest.raises(Refused):
        service.write_again(session, settings, library(), row, by=ADVISOR, now=NOW)
    row.letter, row.status = "catalogue", "approved"
    with pytest.raises(Stale):
        service.write_again(session, settings, library(), row, by=ADVISOR, now=NOW)


# --- the thread


def test_the_second_and_third_letter_stand_in_the_thread_of_the_first(
    session: Session, settings: Settings, world: World
) -> None:
    stored(session, world)
    lead = mexican(session, world)
    sent = []
    for days, letter in enumerate(("thank_you", "catalogue", "reminder")):
        at = NOW + timedelta(days=7 * days)
        row = kept(session, settings, lead, letter)
        approval = approved(session, settings, row, now=at)
        approval.taken_at, row.status = at, "sent"
        session.flush()
        sent.append(mail_of(session, approval))
    first, second, third = sent
    assert first["In-Reply-To"] is None
    assert second["In-Reply-To"] == first["Message-ID"]
    assert third["In-Reply-To"] == second["Message-ID"]
    assert third["References"].split() == [first["Message-ID"], second["Message-ID"]]
    assert [row.subject for row in session.exec(select(Draft).order_by(col(Draft.id)))] == [
        part["Subject"] for part in sent
    ]
