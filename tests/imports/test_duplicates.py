"""Two contacts become one, and two again: what is kept, what is refused, and that nobody is mailed twice."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from crm import jobs
from crm.accounts.rules import system_viewer
from crm.campaigns import service as campaigns
from crm.campaigns.models import Enrolment, Step
from crm.clearance import service as clearance
from crm.contacts import queries
from crm.contacts import service as contacts
from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Organisation
from crm.core.config import Settings
from crm.core.errors import BadInput, NotFound, Refused
from crm.core.events import history
from crm.delivery import service as delivery
from crm.drafts.models import Draft
from crm.exporters.models import Exhibition, Exporter
from crm.imports import comparing, duplicates, service, uniting
from crm.imports.models import ContactMerge, DuplicatePair, IdentityKey, ImportRow
from crm.inbox.models import InboxMessage
from crm.pipeline import service as pipeline
from crm.pipeline.models import Deal, DealLead, Task
from tests.conftest import NOW
from tests.imports.conftest import Importer
from tests.postroom import approved, drafted

HEAD = "Name,Company,Email,Mobile,Country,Booth,Captured At,Follow Up,Marketing Opt-In,Job Title,Notes,Tags\n"
ANA = "Ana López,Flores SA,ana@flores.example,,Spain,7B-101,2026-11-12,catalogue,Yes,Buyer,Likes blue,vip\n"
ALSO = "Ana López,Flores S.A.,ana@gmail.example,+34600000001,Spain,9A-210,2026-11-13,,Yes,Director,Wants red,red\n"
SAME_TALK = ALSO.replace("9A-210", "7B-101")
STAFF = "hana@ieum.example"
LATER = NOW + timedelta(hours=1)
BESIDES = frozenset({"event", "contact_merge", "alembic_version"})
"""Tables that remember what was done; everything else has to look as if it had not been done."""


def picture(session: Session) -> dict[str, list[Any]]:
    """Return every row of every table; only the counters of the optimistic lock may have moved on."""
    session.flush()
    found = {}
    for table in SQLModel.metadata.sorted_tables:
        if table.name not in BESIDES:
            columns = [column for column in table.columns if column.name != "version"]
            found[table.name] = sorted(map(tuple, session.execute(sa.select(*columns)).all()), key=repr)
    return found


@pytest.fixture
def two(take: Importer) -> tuple[int, int]:
    """Ana, known twice: under two addresses, from two booths."""
    return _two(take, ALSO)


@pytest.fixture
def same_talk(take: Importer) -> tuple[int, int]:
    """Ana, known twice from one and the same booth."""
    return _two(take, SAME_TALK)


def _two(take: Importer, also: str) -> tuple[int, int]:
    first = take(HEAD + ANA, "scans.csv").rows[0].contact_id
    second = take(HEAD + also, "cards.csv", NOW + timedelta(minutes=1)).rows[0].contact_id
    assert first
    assert second
    assert first < second
    return first, second


def join(session: Session, keep: int, gone: int, **choices: int) -> ContactMerge:
    return uniting.merge(session, keep, gone, choices, now=LATER, by=STAFF, release=jobs.release_double)


def part(session: Session, merge: ContactMerge) -> uniting.Parting:
    return uniting.take_back(
        session, merge.id or 0, now=LATER + timedelta(hours=1), by=STAFF, mailed=delivery.sent_contact_ids
    )


def the_lead(session: Session, contact_id: int) -> Lead:
    return session.exec(select(Lead).where(Lead.contact_id == contact_id)).one()


# The questions


def test_a_likely_pair_is_asked_about_with_both_people(session: Session, two: tuple[int, int]) -> None:
    [question] = duplicates.list_pairs(session)
    assert (question.why, question.status, question.one.id, question.other.id) == ("name", "open", *two)
    assert question.one == duplicates.Face(
        two[0], "Ana López", "Flores SA", "ES", ("ana@flores.example",), 1, "2026-11-12", ("scans.csv",)
    )
    assert duplicates.open_questions(session) == 1


def test_questions_are_narrowed_and_paged(session: Session, two: tuple[int, int], show: Exhibition) -> None:
    [question] = duplicates.list_pairs(session, why="name", exhibition_id=show.id)
    assert duplicates.list_pairs(session, why="mobile") == []
    assert duplicates.list_pairs(session, exhibition_id=999) == []
    assert duplicates.list_pairs(session, statuses=("different",)) == []
    assert duplicates.list_pairs(session, after=question.id) == []
    assert len(duplicates.list_pairs(session, contact_id=two[1])) == 1


def test_an_answer_is_remembered_and_not_asked_again(session: Session, two: tuple[int, int], take: Importer) -> None:
    [question] = duplicates.list_pairs(session)
    duplicates.decide(session, question.id, "different", now=NOW, by=STAFF)
    take(HEAD + ALSO.replace("Director", "Owner"), "again.csv")
    assert duplicates.list_pairs(session) == []
    assert duplicates.open_questions(session) == 0
    pair = session.get_one(DuplicatePair, question.id)
    assert (pair.status, pair.decided_at, pair.decided_by) == ("different", NOW, STAFF)
    assert [event.verb for event in history(session, "contact", two[0])] == ["duplicate_decided"]


def test_who_waits_is_listed_and_not_counted(session: Session, two: tuple[int, int]) -> None:
    [question] = duplicates.list_pairs(session)
    duplicates.decide(session, question.id, "later", now=NOW, by=STAFF)
    assert [one.status for one in duplicates.list_pairs(session)] == ["later"]
    assert duplicates.open_questions(session) == 0


def test_only_known_answers_about_known_questions_are_taken(session: Session, two: tuple[int, int]) -> None:
    [question] = duplicates.list_pairs(session)
    with pytest.raises(BadInput):
        duplicates.decide(session, question.id, "perhaps", now=NOW, by=STAFF)
    with pytest.raises(NotFound):
        duplicates.decide(session, 999, "later", now=NOW, by=STAFF)


def test_staff_ask_about_two_people_themselves(session: Session, take: Importer) -> None:
    report = take(HEAD + ANA + "Bo Li,Lotus,bo@lotus.example,,China,,,,,,,\n")
    one, other = (row.contact_id or 0 for row in report.rows)
    pair = duplicates.ask(session, other, one, now=NOW, by=STAFF)
    assert (pair.one_id, pair.other_id, pair.why, pair.status) == (one, other, "hand", "open")
    assert duplicates.ask(session, one, other, now=NOW, by=STAFF).id == pair.id
    with pytest.raises(BadInput):
        duplicates.ask(session, one, one, now=NOW, by=STAFF)


def test_whom_a_person_told_apart_no_list_joins(session: Session, take: Importer) -> None:
    one, other = _two(take, "Ana López,Lotus,,+34600000001,Spain,,,,,,,\n")
    pair = duplicates.ask(session, one, other, now=NOW, by=STAFF)
    duplicates.decide(session, pair.id or 0, "different", now=NOW, by=STAFF)
    take(HEAD + "Ana López,Flores SA,ana@flores.example,+34600000001,Spain,,,,,,,\n", "bridge.csv")
    assert session.exec(select(Contact.merged_into_id)).all() == [None, None]


# Comparing


def test_fields_stand_side_by_side_with_their_sources(session: Session, two: tuple[int, int]) -> None:
    found = comparing.compare(session, system_viewer(), *two)
    fields = {one.name: one for one in found.fields}
    assert (fields["full_name"].state, fields["country"].state) == ("equal", "equal")
    title = fields["title"]
    assert (title.state, title.one.value, title.other.value, title.choosable) == (
        "different",
        "Buyer",
        "Director",
        True,
    )
    assert title.proposed == two[1]
    assert title.one.source is not None
    assert (title.one.source.file, title.one.source.row) == ("scans.csv", 2)
    assert (fields["mobile"].state, fields["mobile"].choosable) == ("missing", False)
    assert fields["tags"].state == "united"
    assert fields["emails"].proposed == two[1]
    assert (found.keep, found.talks) == (two[0], [])


def test_a_talk_that_both_had_is_named(session: Session, same_talk: tuple[int, int]) -> None:
    assert "GAON" in comparing.compare(session, system_viewer(), *same_talk).talks[0]


# What a merge makes


def test_one_person_is_what_both_peoples_records_add_up_to(session: Session, two: tuple[int, int]) -> None:
    join(session, *two)
    contact = session.get_one(Contact, two[0])
    assert (contact.title, contact.mobile, contact.tags) == ("Director", "+34600000001", ["red", "vip"])
    assert contact.extra["alternatives"]["title"] == ["Buyer"]
    assert contact.extra["notes"] == ["Likes blue", "Wants red"]
    assert contact.edited == {}
    addresses = session.exec(
        select(EmailAddress.address).where(EmailAddress.contact_id == two[0]).order_by(col(EmailAddress.position))
    )
    assert addresses.all() == ["ana@gmail.example", "ana@flores.example"]
    assert len(session.exec(select(Lead).where(Lead.contact_id == two[0])).all()) == 2
    assert set(session.exec(select(IdentityKey.contact_id))) == {two[0]}
    assert set(session.exec(select(ImportRow.contact_id))) == {two[0]}
    gone = session.get_one(Contact, two[1])
    assert gone.merged_into_id == two[0]


def test_the_other_one_can_be_kept(session: Session, two: tuple[int, int]) -> None:
    join(session, two[1], two[0])
    assert session.get_one(Contact, two[0]).merged_into_id == two[1]
    assert session.get_one(Contact, two[1]).extra["notes"] == ["Likes blue", "Wants red"]


def test_a_choice_the_rules_would_not_make_becomes_an_edit(
    session: Session, two: tuple[int, int], take: Importer
) -> None:
    join(session, *two, title=two[0], mobile=two[1], emails=two[0])
    contact = session.get_one(Contact, two[0])
    assert contact.title == "Buyer"
    assert set(contact.edited) == {"title", "emails"}
    take(HEAD + ALSO.replace("Director", "Owner").replace("11-13", "11-14"), "again.csv")
    session.expire_all()
    assert contact.title == "Buyer"
    primary = contacts.primary_email(session, two[0])
    assert primary is not None
    assert primary.address == "ana@flores.example"


def test_the_firm_can_be_chosen_and_stays(session: Session, two: tuple[int, int], take: Importer) -> None:
    join(session, *two, company=two[0])
    take(HEAD + ALSO.replace("Director", "Owner").replace("11-13", "11-14"), "again.csv")
    session.expire_all()
    contact = session.get_one(Contact, two[0])
    assert contact.extra["company"] == "Flores SA"
    assert session.get_one(Organisation, contact.organisation_id).name == "Flores SA"
    [record] = queries.as_json(session, system_viewer(), contact_id=two[0])
    assert record["company"] == "Flores SA"


def test_what_a_person_wrote_about_the_one_given_up_is_taken_over(session: Session, two: tuple[int, int]) -> None:
    for one, changes in ((two[0], {"city": "Madrid"}), (two[1], {"city": "Vigo", "department": "Sales"})):
        contacts.edit_contact(session, session.get_one(Contact, one), changes, now=NOW, by=STAFF)
    join(session, *two)
    contact = session.get_one(Contact, two[0])
    assert (contact.city, contact.department) == ("Madrid", "Sales")
    assert contact.edited == {"city": NOW.isoformat(), "department": NOW.isoformat()}


def test_a_merge_is_written_down_for_both(session: Session, two: tuple[int, int]) -> None:
    merge = join(session, *two, title=two[0])
    for one in two:
        [event] = [event for event in history(session, "contact", one) if event.verb == "contacts_merged"]
        assert (event.actor, event.data["merge"], event.data["chosen"]) == (STAFF, merge.id, {"title": two[0]})
    [shown] = duplicates.merges_of(session, two[0])
    assert (shown.id, shown.gone.id, shown.by, shown.from_list) == (merge.id, two[1], STAFF, "")
    assert duplicates.kept_instead(session, two[1]) == two[0]
    assert duplicates.kept_instead(session, two[0]) is None
    assert duplicates.list_pairs(session) == []
    assert session.exec(select(DuplicatePair.status)).one() == "merged"


def test_what_cannot_be_merged_is_said(session: Session, two: tuple[int, int]) -> None:
    with pytest.raises(BadInput):
        join(session, two[0], two[0])
    with pytest.raises(BadInput, match="shoe_size"):
        join(session, *two, shoe_size=two[0])
    with pytest.raises(BadInput):
        join(session, *two, title=999)
    with pytest.raises(NotFound):
        join(session, two[0], 999)
    join(session, *two)
    with pytest.raises(NotFound):
        join(session, *two)


def test_merged_away_people_stand_in_no_list(session: Session, two: tuple[int, int]) -> None:
    join(session, *two)
    staff = system_viewer()
    assert [row.id for row in queries.list_contacts(session, staff)] == [two[0]]
    assert [row.id for row in queries.list_contacts(session, staff, text="ana@gmail")] == [two[0]]
    assert [record["id"] for record in queries.as_json(session, staff)] == [two[0]]
    with pytest.raises(NotFound):
        queries.get_contact(session, staff, two[1])


def test_later_lists_find_the_kept_one_under_both_addresses(
    session: Session, two: tuple[int, int], take: Importer
) -> None:
    join(session, *two)
    report = take(HEAD + "Ana López,,ana@gmail.example,,,,,,,,,\nAna López,,ana@flores.example,,,,,,,,,\n", "more.csv")
    assert [row.contact_id for row in report.rows] == [two[0], two[0]]


def test_questions_about_the_one_given_up_are_asked_about_the_kept_one(
    session: Session, two: tuple[int, int], take: Importer
) -> None:
    report = take(HEAD + "Bo Li,Lotus,bo@lotus.example,,China,,,,,,,\n", "third.csv")
    third = report.rows[0].contact_id or 0
    duplicates.ask(session, two[1], third, now=NOW, by=STAFF)
    before = picture(session)
    merge = join(session, *two)
    [question] = duplicates.list_pairs(session)
    assert (question.one.id, question.other.id) == (two[0], third)
    part(session, merge)
    assert picture(session) == before


# Taking back


def test_taking_back_restores_both_exactly(session: Session, two: tuple[int, int]) -> None:
    before = picture(session)
    part(session, join(session, *two))
    assert picture(session) == before
    part(session, join(session, two[1], two[0]))
    assert picture(session) == before


def test_choices_and_edits_are_taken_back_too(session: Session, two: tuple[int, int]) -> None:
    contacts.edit_contact(session, session.get_one(Contact, two[0]), {"title": "Boss"}, now=NOW, by=STAFF)
    contacts.edit_contact(session, session.get_one(Contact, two[1]), {"city": "Vigo"}, now=NOW, by=STAFF)
    session.get_one(Contact, two[1]).timezone = "Europe/Madrid"
    before = picture(session)
    merge = join(session, *two, title=two[1], emails=two[0], company=two[0])
    contact = session.get_one(Contact, two[0])
    assert (contact.title, contact.city, contact.timezone) == ("Director", "Vigo", "Europe/Madrid")
    part(session, merge)
    assert picture(session) == before


def test_what_was_edited_since_stays_with_the_kept_one(session: Session, two: tuple[int, int]) -> None:
    merge = join(session, *two, title=two[0])
    contacts.edit_contact(
        session, session.get_one(Contact, two[0]), {"title": "Owner"}, now=LATER + timedelta(minutes=5), by=STAFF
    )
    part(session, merge)
    assert session.get_one(Contact, two[0]).title == "Owner"
    assert session.get_one(Contact, two[1]).title == "Director"


def test_a_list_that_came_since_stays_with_the_kept_one(session: Session, two: tuple[int, int], take: Importer) -> None:
    merge = join(session, *two)
    take(HEAD + "Ana López,,ana@gmail.example,,,,,,,Owner,,\n", "since.csv", LATER + timedelta(minutes=5))
    part(session, merge)
    rows = session.exec(select(ImportRow.contact_id).order_by(col(ImportRow.id))).all()
    assert rows == [two[0], two[1], two[0]]
    assert (
        session.exec(select(EmailAddress.contact_id).where(EmailAddress.address == "ana@gmail.example")).one() == two[1]
    )


def test_a_merge_is_taken_back_once_and_the_later_one_first(
    session: Session, two: tuple[int, int], take: Importer
) -> None:
    third = take(HEAD + "Bo Li,Lotus,bo@lotus.example,,China,,,,,,,\n", "third.csv").rows[0].contact_id or 0
    first = join(session, *two)
    second = join(session, two[0], third)
    with pytest.raises(Refused, match=f"{second.id}번"):
        part(session, first)
    part(session, second)
    part(session, first)
    with pytest.raises(Refused):
        part(session, first)
    with pytest.raises(NotFound):
        uniting.take_back(session, 999, now=NOW, by=STAFF)


def test_nobody_is_parted_whose_lists_were_taken_back(session: Session, two: tuple[int, int]) -> None:
    merge = join(session, *two)
    batch = session.exec(select(ImportRow.batch_id).order_by(col(ImportRow.id).desc())).first()
    service.undo(session, batch or 0, now=LATER, by=STAFF, mailed=delivery.sent_contact_ids, release=jobs.release_leads)
    assert session.get_one(Contact, two[0]).title == "Buyer"
    with pytest.raises(Refused, match="나눌 사람이 없습니다"):
        part(session, session.get_one(ContactMerge, merge.id))


def test_undoing_both_lists_after_a_merge_leaves_nobody(session: Session, two: tuple[int, int]) -> None:
    join(session, *two)
    for batch in sorted({one or 0 for one in session.exec(select(ImportRow.batch_id))}):
        service.undo(session, batch, now=LATER, by=STAFF, mailed=delivery.sent_contact_ids, release=jobs.release_leads)
    for table in (Contact, Organisation, EmailAddress, Lead, Consent, IdentityKey, ContactMerge, DuplicatePair):
        assert list(session.exec(select(table))) == []


def test_a_join_that_a_list_proved_is_taken_back_and_not_made_again(session: Session, take: Importer) -> None:
    one, other = _two(take, "Ana López,Lotus,,+34600000001,Spain,,,,,,,\n")
    bridge = HEAD + "Ana López,Flores SA,ana@flores.example,+34600000001,Spain,,,,,,,\n"
    take(bridge, "bridge.csv")
    merge = session.exec(select(ContactMerge)).one()
    assert (merge.kept_id, merge.gone_id) == (one, other)
    assert duplicates.merges_of(session, one)[0].from_list == "bridge.csv"
    part(session, merge)
    assert session.get_one(Contact, other).merged_into_id is None
    take(bridge.replace("ES", "ES ") + "\n,,\n", "bridge2.csv")
    assert session.get_one(Contact, other).merged_into_id is None


# Nobody is mailed twice


@pytest.fixture
def followed(session: Session, settings: Settings, show: Exhibition, same_talk: tuple[int, int]) -> tuple[int, int]:
    """Both Anas are in a running campaign of the one exporter, with their deals, and a letter to each is drafted."""
    _follow(session, settings, show)
    assert len(session.exec(select(Enrolment)).all()) == 2
    assert len(session.exec(select(Draft)).all()) == 2
    return same_talk


def _follow(session: Session, settings: Settings, show: Exhibition) -> None:
    for exporter in session.exec(select(Exporter)):
        exporter.address_en, exporter.address_ko = "12 Hanbit-ro, Goyang-si", "경기도 고양시 한빛로 12"
        exporter.contact_name_latin, exporter.contact_name_ko = "Kim Seo-yeon", "김서연"
        exporter.privacy_url = "https://gaon.example/privacy"
        exporter.phone, exporter.website = "+82310000101", "https://gaon.example"
    made = campaigns.create(session, settings, exhibition=show, workflow="overseas-buyer", now=NOW, by=STAFF)
    campaigns.start(session, made, by=STAFF, now=NOW)
    pipeline.open_deals(session, now=NOW)
    campaigns.enrol_leads(session, settings, now=NOW)
    for step in campaigns.due_steps(session, now=NOW, ahead=timedelta(days=3), kind="mail", limit=9):
        if campaigns.take(session, step, now=NOW):
            lead = session.get_one(Lead, session.get_one(Enrolment, step.enrolment_id).lead_id)
            drafted(session, lead).step_id = step.id
    session.flush()


def test_two_follow_ups_of_one_talk_become_one(session: Session, followed: tuple[int, int]) -> None:
    join(session, *followed)
    lead = the_lead(session, followed[0])
    assert (lead.notes, lead.requests) == ("Likes blue\nWants red", ["catalogue"])
    assert session.exec(select(Enrolment.lead_id)).all() == [lead.id]
    assert session.exec(select(Draft.lead_id)).all() == [lead.id]
    assert session.exec(select(DealLead.lead_id)).all() == [lead.id]
    assert session.exec(select(Deal.contact_id)).all() == [followed[0]]
    keys = [key for key in session.exec(select(Step.address_key)) if key]
    assert len(keys) == len(set(keys)) == 1


def test_the_worker_opens_nothing_twice_after_a_merge(
    session: Session, followed: tuple[int, int], settings: Settings
) -> None:
    join(session, *followed)
    assert campaigns.enrol_leads(session, settings, now=LATER) == 0
    assert pipeline.open_deals(session, now=LATER) == 0


def test_taking_back_a_merge_of_two_follow_ups_restores_both(session: Session, followed: tuple[int, int]) -> None:
    lead_id = the_lead(session, followed[1]).id
    pipeline.add_task(session, exporter_id=1, kind="call", title="x", lead_id=lead_id, origin="step:99", now=NOW)
    before = picture(session)
    part(session, join(session, *followed))
    assert picture(session) == before
    part(session, join(session, followed[1], followed[0]))
    assert picture(session) == before


def _write_to(session: Session, settings: Settings, contact_id: int) -> None:
    draft = session.exec(select(Draft).where(Draft.contact_id == contact_id)).one()
    approved(session, settings, draft)


def test_the_talk_that_somebody_worked_on_is_the_one_that_goes_on(
    session: Session, followed: tuple[int, int], settings: Settings
) -> None:
    _write_to(session, settings, followed[1])
    worked_on = the_lead(session, followed[1]).id
    before = picture(session)
    merge = join(session, *followed)
    assert the_lead(session, followed[0]).id == worked_on
    assert session.exec(select(Draft.status)).all() == ["approved"]
    assert session.exec(select(Enrolment.lead_id)).all() == [worked_on]
    part(session, merge)
    assert picture(session) == before


def test_two_talks_that_people_worked_on_are_not_made_one(
    session: Session, followed: tuple[int, int], settings: Settings
) -> None:
    for one in followed:
        _write_to(session, settings, one)
    before = picture(session)
    with pytest.raises(Refused, match="GAON"):
        join(session, *followed)
    assert picture(session) == before


def test_a_deal_of_both_that_a_person_moved_goes_on_with_the_kept_one(
    session: Session, followed: tuple[int, int]
) -> None:
    deal = session.exec(select(Deal)).first()
    assert deal is not None
    for lead in session.exec(select(Lead)):
        session.get_one(DealLead, lead.id).deal_id = deal.id or 0
    pipeline.move(session, deal, "contacted", by=STAFF, now=NOW, reason="telephone")
    before = picture(session)
    merge = join(session, *followed)
    assert session.get_one(Deal, deal.id).contact_id == followed[0]
    assert session.get_one(Deal, deal.id).stage == "contacted"
    part(session, merge)
    assert picture(session) == before


def test_deals_letters_tasks_and_mails_of_other_talks_move_and_come_back(
    session: Session, two: tuple[int, int], settings: Settings, show: Exhibition
) -> None:
    _follow(session, settings, show)
    lead = the_lead(session, two[1])
    pipeline.add_task(session, exporter_id=lead.exporter_id, kind="call", title="x", lead_id=lead.id, now=NOW)
    _mail_from(session, two[1], lead.id)
    before = picture(session)
    merge = join(session, *two)
    for table in (Deal, Draft, InboxMessage):
        assert set(session.exec(select(table.contact_id))) == {two[0]}  # type: ignore[attr-defined]
    assert len(session.exec(select(Enrolment)).all()) == 2
    assert len(session.exec(select(Task)).all()) == 1
    part(session, merge)
    assert picture(session) == before


def _mail_from(session: Session, contact_id: int, lead_id: int | None) -> None:
    session.add(
        InboxMessage(
            mailbox="INBOX", uidvalidity=1, uid=contact_id, digest=str(contact_id), received_at=NOW, kind="reply",
            contact_id=contact_id, lead_id=lead_id, raw=b"x",
        )
    )  # fmt: skip
    session.flush()


def test_letters_that_left_since_stay_with_their_talk(
    session: Session, two: tuple[int, int], settings: Settings, show: Exhibition
) -> None:
    pipeline.open_deals(session, now=NOW)
    talk = the_lead(session, two[1])
    merge = join(session, *two)
    draft = drafted(session, session.get_one(Lead, talk.id))
    own = drafted(session, session.exec(select(Lead).where(Lead.id != talk.id)).one())
    delivery_row(session, approved_by_hand(session, draft))
    result = part(session, merge)
    assert result.mailed
    assert "메일" in result.summary()
    session.expire_all()
    assert (session.get_one(Draft, draft.id).contact_id, session.get_one(Draft, own.id).contact_id) == (two[1], two[0])


def approved_by_hand(session: Session, draft: Draft) -> Any:
    from crm.review.models import Approval

    approval = Approval(draft_id=draft.id, content_hash="x", approved_by=STAFF, approved_at=NOW, send_at=NOW)
    session.add(approval)
    session.flush()
    return approval


def delivery_row(session: Session, approval: Any) -> None:
    from crm.delivery.models import Outbox

    row = Outbox(
        approval_id=approval.id, draft_id=approval.draft_id, exporter_id=1, recipient="ana@gmail.example",
        envelope_sender="a@b.example", status="sent", due_at=NOW, sent_at=NOW,
    )  # fmt: skip
    session.add(row)
    session.flush()


def test_what_can_no_longer_stand_is_opened_anew_and_the_talk_comes_back(
    session: Session, followed: tuple[int, int], settings: Settings
) -> None:
    merge = join(session, *followed)
    entry = next(
        one for one in merge.moved if isinstance(one, dict) and one["table"] == "step" and one["row"]["address_key"]
    )
    step = session.exec(select(Step).where(col(Step.address_key).is_not(None))).one()
    step.address_key = entry["row"]["address_key"]  # the same letter left to that address meanwhile
    session.flush()
    part(session, merge)
    lead = the_lead(session, followed[1])
    assert session.exec(select(Enrolment).where(Enrolment.lead_id == lead.id)).all() == []
    assert pipeline.open_deals(session, now=LATER) == 1


# Refusals


@pytest.mark.parametrize("kept", [0, 1])
@pytest.mark.parametrize("refuses", [0, 1])
def test_a_refusal_of_either_holds_for_the_joined_person(
    session: Session, two: tuple[int, int], kept: int, refuses: int
) -> None:
    address = ("ana@flores.example", "ana@gmail.example")[refuses]
    _stop(session, address)
    merge = join(session, two[kept], two[1 - kept])
    for lead in session.exec(select(Lead)).all():
        for mine in ("ana@flores.example", "ana@gmail.example"):
            assert clearance.is_refused(session, lead.id or 0, mine)
    part(session, merge)
    assert clearance.is_refused(session, the_lead(session, two[refuses]).id or 0, address)


def _stop(session: Session, address: str, after: timedelta = timedelta(0)) -> None:
    contacts.suppress(
        session, address, exporter_id=None, reason="opt_out", source="mail", evidence={}, now=NOW + after, by="x"
    )


def test_a_yes_of_the_one_does_not_lift_the_no_of_the_other(session: Session, two: tuple[int, int]) -> None:
    _stop(session, "ana@flores.example")
    lead = the_lead(session, two[1])
    contacts.record_consent(
        session, two[1], exporter_id=lead.exporter_id, basis="express_optin", given_at=NOW + timedelta(minutes=30),
        source="form", evidence={}, now=NOW + timedelta(minutes=30), by="x",
    )  # fmt: skip
    before = picture(session)
    merge = join(session, *two)
    assert clearance.is_refused(session, lead.id or 0, "ana@flores.example")
    assert clearance.is_refused(session, lead.id or 0, "ana@gmail.example")
    part(session, merge)
    assert picture(session) == before


def test_a_no_that_came_while_they_were_one_holds_for_both(session: Session, two: tuple[int, int]) -> None:
    merge = join(session, *two)
    _stop(session, "ana@gmail.example", timedelta(hours=2))
    result = part(session, merge)
    assert result.stops == 1
    for one, address in zip(two, ("ana@flores.example", "ana@gmail.example"), strict=True):
        assert clearance.is_refused(session, the_lead(session, one).id or 0, address)


def test_the_consent_that_both_gave_is_withdrawn_once_and_for_all(session: Session, take: Importer) -> None:
    same = ALSO.replace("9A-210", "7B-101").replace("11-13", "11-12").replace(",Yes,", ",Yes,")
    two = _two(take, same)
    join(session, *two)
    given = session.exec(select(Consent).where(Consent.basis == "express_optin")).all()
    assert len(given) == 1
    take(HEAD + ANA.replace("Yes", "No").replace("11-12", "11-14"), "no.csv", LATER)
    session.expire_all()
    assert all(one.withdrawn_at for one in session.exec(select(Consent).where(Consent.basis == "express_optin")))
