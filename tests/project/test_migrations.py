"""The schema is what the migrations make, on both databases, and an old database keeps its rows."""

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from crm import migrations
from crm.accounts.rules import system_viewer
from crm.campaigns.models import Campaign, WorkflowVersion
from crm.contacts.models import Consent, Contact, Lead
from crm.core.config import Settings
from crm.core.db import Database
from crm.drafts.enclosures import Enclosed
from crm.exporters import documents
from crm.exporters.documents import Paper
from crm.exporters.models import Exhibition, Exporter
from crm.imports import service as imports
from crm.imports.models import ImportRow
from crm.pipeline import service as pipeline
from crm.review import letters
from crm.review.models import Approval, Message
from crm.tables import metadata
from tests.conftest import NOW
from tests.pipeline.world import deal_of
from tests.postroom import approved, build, campaign_letter, drafted, met, posted


def test_the_migrated_schema_is_that_of_the_models(db: Database) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_all_migrations_can_be_undone_and_done_again(db: Database) -> None:
    migrations.downgrade(db, "base")
    migrations.upgrade(db)
    assert migrations.current(db) == migrations.newest()


def test_upgrading_twice_changes_nothing(sqlite_db: Database) -> None:
    migrations.upgrade(sqlite_db)
    assert migrations.current(sqlite_db) == migrations.newest()


def row_counts(db: Database) -> dict[str, int]:
    with db.engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        count = "SELECT COUNT(*) FROM {}"
        return {name: connection.execute(sa.text(count.format(name))).scalar_one() for name in tables}


def test_an_old_database_is_upgraded_with_its_rows(db: Database, session: Session) -> None:
    world = build(session)
    for name in ("Lucia", "Misaki"):
        draft = drafted(session, met(session, world, name))
        session.add(Approval(draft_id=draft.id, content_hash="x", approved_by="a", approved_at=NOW, send_at=NOW))
    session.commit()
    migrations.downgrade(db, "0001")
    before = row_counts(db)
    migrations.upgrade(db, "0002")
    assert row_counts(db) == before
    assert before["approval"] == 2


def test_campaigns_of_an_older_program_keep_their_rows(db: Database, session: Session) -> None:
    met(session, build(session), "Lucia")
    session.add(WorkflowVersion(sha256="x" * 64, name="example", text="workflow: example", created_at=NOW))
    session.flush()
    show = session.exec(select(Exhibition)).one()
    session.add(
        Campaign(exhibition_id=show.id, workflow="example", workflow_sha256="x" * 64, created_at=NOW, created_by="a")
    )
    session.commit()
    migrations.downgrade(db, "0003")
    before = row_counts(db)
    migrations.upgrade(db)
    assert row_counts(db).items() >= before.items()
    assert before["campaign"] == before["workflow_version"] == 1


def test_letters_of_an_older_program_keep_their_rows_and_say_which_file_wrote_them(
    db: Database, session: Session
) -> None:
    draft = drafted(session, met(session, build(session), "Lucia"))
    session.commit()
    migrations.downgrade(db, "0008")
    before = row_counts(db)
    migrations.upgrade(db)
    session.refresh(draft)
    assert row_counts(db).items() >= before.items()
    assert (draft.variant, draft.turn, draft.held_for, draft.status) == (draft.language, 0, [], "waiting")


def test_an_older_program_writes_what_this_one_holds(db: Database, session: Session, settings: Settings) -> None:
    world = build(session)
    held = campaign_letter(session, settings, world, met(session, world, "Lucia"), now=NOW + timedelta(hours=9))
    held.status = "held"
    step_id = held.step_id
    session.commit()
    migrations.downgrade(db, "0008")
    with db.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT COUNT(*) FROM draft")).scalar_one() == 0
        step = connection.execute(sa.text("SELECT status FROM step WHERE id = :id"), {"id": step_id}).scalar_one()
    assert step == "waiting"


def test_letters_of_an_older_program_go_on_as_the_files_they_are(db: Database, session: Session) -> None:
    draft = drafted(session, met(session, build(session), "Lucia"))
    session.commit()
    migrations.downgrade(db, "0007")
    before = row_counts(db)
    migrations.upgrade(db)
    after = row_counts(db)
    assert after.items() >= before.items()
    assert {after[name] for name in ("letter_version", "letter_save", "letter_decision", "campaign_letter")} == {0}
    assert before["draft"] == 1
    session.refresh(draft)


def test_two_standing_approvals_of_an_old_program_become_one(db: Database, session: Session) -> None:
    draft = drafted(session, met(session, build(session), "Lucia"))
    session.commit()
    migrations.downgrade(db, "0001")
    for _ in range(2):
        session.add(Approval(draft_id=draft.id, content_hash="x", approved_by="a", approved_at=NOW, send_at=NOW))
    session.commit()
    migrations.upgrade(db)
    rows = session.exec(select(Approval).order_by(col(Approval.id))).all()
    for row in rows:
        session.refresh(row)
    assert [row.revoked_at is None for row in rows] == [False, True]


def test_steps_of_an_old_program_learn_which_campaign_they_belong_to(
    db: Database, session: Session, settings: Settings
) -> None:
    world = build(session)
    for name in ("Lucia", "Misaki"):
        campaign_letter(session, settings, world, met(session, world, name), now=NOW + timedelta(hours=9))
    session.commit()
    migrations.downgrade(db, "0004")
    migrations.upgrade(db)
    with db.engine.connect() as connection:
        steps = connection.execute(sa.text("SELECT step, status, campaign_id FROM step ORDER BY id")).all()
        campaign = connection.execute(sa.text("SELECT id FROM campaign")).scalar_one()
    assert [tuple(step) for step in steps] == [("thanks", "taken", campaign)] * 2


def test_a_draft_cannot_be_approved_twice_at_once(session: Session) -> None:
    draft = drafted(session, met(session, build(session), "Lucia"))
    for _ in range(2):
        session.add(Approval(draft_id=draft.id, content_hash="x", approved_by="a", approved_at=NOW, send_at=NOW))
    with pytest.raises(IntegrityError):
        session.flush()
    session.rollback()


def test_rebuilding_a_parent_table_keeps_its_children(sqlite_db: Database) -> None:
    """SQLite's batch mode drops the old table; with foreign keys on, that empties whatever cascades from it."""
    with sqlite_db.writing() as session:
        met(session, build(session), "Lucia")
    before = row_counts(sqlite_db)["email_address"]

    def widen(connection: sa.Connection) -> None:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("contact", recreate="always") as table:
            table.alter_column("title", type_=sa.String(600))

    migrations.run(sqlite_db, widen)
    assert before == 1
    assert row_counts(sqlite_db)["email_address"] == before


def test_an_empty_database_is_at_no_version(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    assert migrations.current(db) is None
    db.close()


def test_foreign_keys_are_on_for_the_application(sqlite_db: Database) -> None:
    with sqlite_db.engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA foreign_keys")).scalar() == 1


# Lists imported by a program that kept a ledger of changes (revision 0002): two lists that name one buyer, a
# registration, an undone list, and a title edited by hand.
LISTS_OF_0002 = Path(__file__).with_name("data") / "lists_of_0002.sql"


@pytest.fixture
def old_lists(sqlite_db: Database) -> Database:
    migrations.downgrade(sqlite_db, "0002")
    sqlite_db.close()
    with closing(sqlite3.connect(sqlite_db.url.removeprefix("sqlite:///"))) as connection:  # keys are off by default
        connection.executescript("DELETE FROM instance;\n" + LISTS_OF_0002.read_text(encoding="utf-8"))
    migrations.upgrade(sqlite_db)
    return sqlite_db


def _people(session: Session) -> dict[str, Contact]:
    return {contact.full_name: contact for contact in session.exec(select(Contact))}


def test_people_imported_by_an_older_program_stand_as_they_stood(old_lists: Database) -> None:
    with old_lists.reading() as session:
        people = _people(session)
        ana = people["Ana López"]
        assert set(people) == {"Ana López", "Bo Li", "김하나"}
        assert (ana.title, ana.mobile, ana.tags, people["Bo Li"].title) == (
            "Director", "+34600000001", ["vip", "red"], "Owner",
        )  # fmt: skip
        assert len(session.exec(select(Lead)).all()) == 3
        assert {consent.derived for consent in session.exec(select(Consent))} == {True}


def test_a_list_of_an_older_program_can_still_be_taken_back(old_lists: Database) -> None:
    with old_lists.writing() as session:
        imports.undo(session, 2, now=NOW, by="staff@ieum.example", mailed=lambda _s, _ids: set())
        ana = _people(session)["Ana López"]
        [lead] = session.exec(select(Lead).where(Lead.contact_id == ana.id))
        assert (ana.title, ana.mobile, ana.tags, lead.notes, lead.requests) == (
            "Buyer", "", ["vip"], "Likes blue", ["catalogue"],
        )  # fmt: skip


def test_the_rows_of_an_older_program_come_again_without_a_change(old_lists: Database) -> None:
    text = (
        "Again\nName,Company,Email,Mobile,Country,Booth,Captured At,Follow Up,Marketing Opt-In,Job Title,Notes,Tags\n"
        "Ana López,Flores SA,ana@flores.example,+34600000001,Spain,7B-101;9A-210,2026-11-13,price list,Yes,Director,"
        "Wants red,red\n"
    )
    with old_lists.writing() as session:
        show = session.exec(select(Exhibition)).one()
        report = imports.import_file(
            session, text.encode(), "again.csv", imports.Purpose(show), now=NOW, by="staff@ieum.example"
        )
        assert (report.counts["added"], len(_people(session))) == (0, 3)
        assert len(session.exec(select(Lead)).all()) == 3


def test_raw_cells_of_an_older_program_stand_by_position(old_lists: Database) -> None:
    with old_lists.reading() as session:
        row = session.exec(select(ImportRow).order_by(col(ImportRow.id))).first()
        assert row is not None
        assert row.raw[:3] == ["Ana López", "Flores SA", "ana@flores.example"]


def test_contracts_and_letters_of_an_older_program_stand_as_they_stood(
    db: Database, session: Session, settings: Settings
) -> None:
    lead = met(session, build(session), "Lucia")
    deal = deal_of(session, lead)
    pipeline.sign_exclusive(
        session, deal, territory=["DE"], product_line_id=deal.product_line_id, starts_on=date(2026, 12, 1),
        ends_on=date(2027, 11, 30), minimum="USD 50,000 a year", by="a", now=NOW,
    )  # fmt: skip
    posted(session, settings, lead)
    session.commit()
    migrations.downgrade(db, "0009")
    before = row_counts(db)
    migrations.upgrade(db)
    assert row_counts(db).items() >= before.items()
    with db.engine.connect() as connection:
        contract = "SELECT minimum, minimum_quantity, minimum_unit, minimum_currency FROM exclusive_contract"
        assert tuple(connection.execute(sa.text(contract)).one()) == ("USD 50,000 a year", None, "", "")
        assert connection.execute(sa.text("SELECT size = LENGTH(raw) FROM message")).scalar_one()
        assert connection.execute(sa.text("SELECT enclosed FROM draft")).scalar_one() in ("[]", [])


def test_an_older_program_gets_its_letters_with_their_files(db: Database, session: Session, settings: Settings) -> None:
    draft = drafted(session, met(session, build(session), "Lucia"))
    document = documents.add(
        session, system_viewer(), session.get_one(Exporter, draft.exporter_id), Paper("certificate", "CE"),
        b"%PDF-1.7 " + bytes(5000), "ce.pdf", languages=["en"], max_bytes=10**6, now=NOW,
    )  # fmt: skip
    enclosed = Enclosed(
        "certificate", "file", document.sha256, document.filename, document.media_type, document.size,
        document_id=document.id,
    )  # fmt: skip
    draft.enclosed = [enclosed.as_json()]
    session.flush()
    approval = approved(session, settings, draft)
    whole = letters.bytes_of(session, session.get_one(Message, approval.id))
    session.commit()
    migrations.downgrade(db, "0009")
    with db.engine.connect() as connection:
        assert bytes(connection.execute(sa.text("SELECT raw FROM message")).scalar_one()) == whole
    migrations.upgrade(db)
