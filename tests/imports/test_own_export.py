"""Our own export, imported again: nothing is added, changed, consented to or lifted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from babel import Locale
from sqlmodel import Session, col, select

from crm.accounts.rules import system_viewer
from crm.contacts import export
from crm.contacts import service as contacts
from crm.contacts.export import COLUMNS, WORDS, Selection
from crm.contacts.models import Consent, Contact, EmailAddress, Lead, Organisation, Suppression
from crm.core.db import Database
from crm.exporters.models import Exhibition, Exporter
from crm.imports import answers, mapping, service
from crm.imports.countries import country_of, country_of_city
from crm.imports.records import ReadOptions
from crm.imports.report import ImportReport
from tests.conftest import NOW
from tests.imports.conftest import SAMPLES, hold_a_show

TABLES = (Contact, EmailAddress, Organisation, Lead, Consent, Suppression)
LANGUAGES = ("ko", "en")
SURNAME_ONLY = "성명,회사명,이메일,방문부스,상담일시\n欧阳先生,上海锦禾,o@jinhe.example,7B-101,2026-11-12 09:05\n"
ODD = (
    "Name,Company,E-mail,Mobile,Phone,Zip,Country,Booth,Captured At,Rating,Follow Up,Notes,Tags,Interests,City\n"
    '"Ana López","Flores, S.A.",ana@flores.example; a2@flores.example,+34 600 000 001 / +34 600 000 002,'
    '+34910000001 ext. 12,08001,Spain,"7B-101, 9A-210",2026-11-12,A,catalogue,"- one\n=two",VIP; 2026,valve; pump,\n'
    "John Doe,Doe Inc,john@doe.example,,,,,7B-101,2026-11-13 14:00,3,,\"'quoted'\",,,\n"
    "No Country,Nowhere Ltd,n@nowhere.example,,,,,,,,,,,,\n"
    "총 3명,Totals SA,total@sum.example,,,,,,,,,,,,\n"
    ",Shared Mailbox Ltd,info@shared.example,,,,,,,,,,,,\n"
)


@pytest.fixture(scope="module")
def people(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People out of real lists, some of whom refused mail; each test copies the file."""
    path = tmp_path_factory.mktemp("people") / "ieum.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    db = Database(f"sqlite:///{path}")
    with db.writing() as session:
        _take_lists(session, hold_a_show(session))
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return path


def _take_lists(session: Session, show: Exhibition) -> None:
    exporter = session.exec(select(Exporter)).first()
    odd = (("odd.csv", ODD.encode(), None, ""), ("surname.csv", SURNAME_ONLY.encode(), None, None))
    real = (("badge-scans.csv", exporter), ("visitors-cp949.csv", None), ("buyers.xlsx", exporter))
    listed = [(name, (SAMPLES / name).read_bytes(), owner, None) for name, owner in real]
    for name, data, owner, home in (*listed, *odd):
        purpose = service.Purpose(show, owner, ReadOptions(home_country=home))
        service.import_file(session, data, name, purpose, now=NOW, by="staff@ieum.example")
    addresses = list(session.exec(select(EmailAddress).order_by(col(EmailAddress.id)).limit(4)))
    for address, scope, reason in zip(
        addresses,
        (None, None, exporter.id if exporter else 0, None),
        ("opt_out", "hard_bounce", "opt_out", "manual"),
        strict=True,
    ):
        contacts.suppress(
            session, address.address, exporter_id=scope, reason=reason, source="mail", evidence={}, now=NOW, by="x"
        )


@pytest.fixture
def session(people: Path, tmp_path: Path) -> Iterator[Session]:
    path = tmp_path / "ieum.sqlite3"
    path.write_bytes(people.read_bytes())
    db = Database(f"sqlite:///{path}")
    with db.writing() as session:
        yield session
    db.close()


@pytest.fixture
def show(session: Session) -> Exhibition:
    return session.exec(select(Exhibition)).one()


def edited(session: Session) -> None:
    """A person corrects what lists said; their values are those that are exported."""
    changes = ({"title": "Head of Buying", "city": "Goyang"}, {"mobile": "010-1234-5678"}, {"department": ""})
    changes += ({"full_name": "Kim Lee"}, {"address": "=1+1", "website": "'t.example"})  # type: ignore[assignment]
    people = session.exec(select(Contact).where(Contact.department != "").order_by(col(Contact.id)))
    for contact, change in zip(people, changes, strict=False):
        contacts.edit_contact(session, contact, change, now=NOW, by="staff@ieum.example")


def tables(session: Session) -> dict[str, list[Any]]:
    return {one.__name__: list(session.execute(sa.select(one.__table__))) for one in TABLES}  # type: ignore[attr-defined]


def taken_back(session: Session, show: Exhibition, kind: str, form: str, language: str) -> ImportReport:
    """Export everything and import the file into the same exhibition."""
    wanted = Selection(kind, exhibition_id=show.id if kind == "leads" else None)
    pieces = export.export(session, system_viewer(), wanted, form, language=language)
    data, purpose = b"".join(pieces), service.Purpose(show)
    return service.import_file(
        session, data, f"export.{form}", purpose, now=NOW, by="staff@ieum.example", keep_rows=True
    )


def told(report: ImportReport) -> list[Any]:
    return [(row.row, row.outcome, row.name, row.diff) for row in report.rows if row.outcome != "unchanged"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", ["contacts", "leads"])
def test_our_own_export_changes_nothing(
    session: Session, show: Exhibition, kind: str, form: str, language: str
) -> None:
    before = tables(session)
    report = taken_back(session, show, kind, form, language)
    rows = len(before["Contact" if kind == "contacts" else "Lead"])
    assert told(report) == []
    assert report.counts == {"found": rows, "added": 0, "merged": 0, "unchanged": rows, "refused": 0, "skipped": 0}
    session.expire_all()
    assert tables(session) == before


@pytest.mark.parametrize("kind", ["contacts", "leads"])
def test_what_a_person_edited_comes_back_as_no_change(session: Session, show: Exhibition, kind: str) -> None:
    edited(session)
    before = tables(session)
    assert told(taken_back(session, show, kind, "csv", "ko")) == []
    session.expire_all()
    assert tables(session) == before


def test_our_own_cards_change_nothing(session: Session, show: Exhibition) -> None:
    before = tables(session)
    assert told(taken_back(session, show, "contacts", "vcf", "ko")) == []
    session.expire_all()
    assert tables(session) == before


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_importer_surely_knows_every_header(language: str) -> None:
    found = mapping.columns([column.header(language) for column in COLUMNS])
    wanted = {"number": "seq", "email_more": "email_other", "phone_more": "phone", "exhibition": "ignored"}
    wanted["requests"] = "ignored"
    assert {column.certainty for column in found} == {"exact"}
    assert [column.field for column in found] == [wanted.get(column.name, column.name) for column in COLUMNS]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_list_of_ours_looks_like_one_that_proves_a_consent(
    session: Session, show: Exhibition, language: str
) -> None:
    for kind in ("contacts", "leads"):
        assert service.kind_of(taken_back(session, show, kind, "csv", language).profile) == "list"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_read_as_the_value_it_stands_for(language: str) -> None:
    assert {code: answers.language(word) for code, word in WORDS["language"][language].items()} == {
        code: code for code in WORDS["language"][language]
    }
    assert [answers.gender(WORDS["gender"][language][code]) for code in "mf"] == ["m", "f"]
    ratings = {"5": "hot", "3": "warm", "1": "cold"}
    assert {code: answers.rating(word) for code, word in WORDS["rating"][language].items()} == ratings
    nowhere = WORDS["no_country"][language][""]
    assert country_of(nowhere) == country_of_city(nowhere) == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_a_refusal_of_everything_is_read_as_one(language: str) -> None:
    read = {said: answers.consent(word) for said, word in WORDS["opt_out"][language].items()}
    assert read == {"all": True, "addresses": None, "company": None, "companies": None, "bounced": None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_country_is_read_back(language: str) -> None:
    names = {code: name for code, name in Locale.parse(language).territories.items() if len(code) == 2}
    made_up = {"ZZ", "EU", "UN", "EZ", "XA", "XB", "QO"}
    assert {code: country_of(name) for code, name in names.items() if code not in made_up} == {
        code: code for code in names if code not in made_up
    }
