"""Documents of exporters: told by content, kept by version, seen by their own people only, found for a letter."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from crm.accounts.models import Role
from crm.core import events
from crm.core.errors import BadInput, NotFound, Refused
from crm.drafts.language import LANGUAGES
from crm.exporters import documents
from crm.exporters.documents import JPEG, PDF, PNG, XLSX, Paper, Shelf, file_name, sniffed
from crm.exporters.models import Document, Exporter, StoredFile
from tests.mailkit import calm
from tests.pipeline.world import World, build, viewer

NOW = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
A_PDF = b"%PDF-1.7\n%catalogue\n"
MEGA = 1024 * 1024


def packed(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in names:
            file.writestr(name, "<x/>")
    return buffer.getvalue()


WORKBOOK = packed("[Content_Types].xml", "xl/workbook.xml")


@pytest.fixture
def world(session: Session) -> World:
    return build(session)


def add(session: Session, world: World, paper: Paper, data: bytes = A_PDF, **changes: Any) -> Document:
    exporter = session.get_one(Exporter, changes.pop("exporter_id", world.valves))
    return documents.add(
        session, changes.pop("by", viewer(Role.SME, world.valves)), exporter, paper, data, changes.pop("name", "a.pdf"),
        languages=LANGUAGES, max_bytes=5 * MEGA, now=NOW,
    )  # fmt: skip


def catalogue(world: World, language: str = "en", line: int | None = None) -> Paper:
    return Paper("catalogue", "Actuators 2026", language, line or world.actuators)


# --- what a file is


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (A_PDF, PDF),
        (b"\n\n" + A_PDF, PDF),
        (b"\x89PNG\r\n\x1a\n....", PNG),
        (b"\xff\xd8\xff\xe0..JFIF", JPEG),
        (WORKBOOK, XLSX),
        (packed("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"), None),
        (packed("[Content_Types].xml", "word/document.xml"), None),
        (b"PK\x03\x04 and nothing", None),
        (b"MZ\x90\x00", None),
        (b"<html><script>", None),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_a_file_is_what_its_content_shows(data: bytes, kind: str | None) -> None:
    assert sniffed(data) == kind


@calm
@given(st.binary(max_size=300))
def test_no_content_makes_the_look_at_it_stumble(data: bytes) -> None:
    assert sniffed(b"PK\x03\x04" + data) in (None, XLSX)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("카탈로그 2026.PDF", "카탈로그 2026.pdf"),
        ("C:\\files\\catalogue.pdf", "catalogue.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("virus.exe", "virus.pdf"),
        ("a\u202efdp.exe", "a fdp.pdf"),
        ("  ..  ", "document.pdf"),
        ("x" * 300 + ".pdf", "x" * 80 + ".pdf"),
        ('カタログ"<1>".pdf', "カタログ 1.pdf"),
    ],
)
def test_a_file_goes_out_under_a_name_that_every_system_takes(name: str, kept: str) -> None:
    assert file_name(name, PDF) == kept


@calm
@given(st.text(max_size=200))
def test_any_name_becomes_one_that_a_mail_can_carry(name: str) -> None:
    from crm.mail.compose import Attachment, compose
    from tests.mailkit import letter

    assert compose(letter(attachments=(Attachment(file_name(name, PDF), PDF, b"x"),)))


@pytest.mark.parametrize(
    ("changes", "data", "fields"),
    [
        ({"kind": "song"}, A_PDF, {"kind"}),
        ({"title": " "}, A_PDF, {"title"}),
        ({"language": "fr"}, A_PDF, {"language"}),
        ({"language": ""}, A_PDF, {"language"}),
        ({"product_line_id": None}, A_PDF, {"line_id"}),
        ({}, b"", {"file"}),
        ({}, b"%PDF-" + bytes(5 * MEGA), {"file"}),
        ({"title": ""}, b"MZ", {"title", "file"}),
    ],
)
def test_what_is_wrong_with_an_upload_is_all_named(
    session: Session, world: World, changes: dict[str, Any], data: bytes, fields: set[str]
) -> None:
    paper = Paper(**{**vars(catalogue(world)), **changes})
    with pytest.raises(BadInput) as caught:
        add(session, world, paper, data)
    assert {problem.place.field for problem in caught.value.problems} == fields


# --- versions


def test_a_new_file_of_the_same_paper_is_its_next_version(session: Session, world: World) -> None:
    first, second = add(session, world, catalogue(world)), add(session, world, catalogue(world), A_PDF + b"2")
    session.refresh(first)
    assert (first.number, first.current, second.number, second.current) == (1, False, 2, True)
    assert documents.content(session, first.sha256) == A_PDF


def test_papers_of_another_language_line_or_kind_are_others(session: Session, world: World) -> None:
    rows = [
        add(session, world, catalogue(world)),
        add(session, world, catalogue(world, "ja")),
        add(session, world, catalogue(world, line=world.line)),
        add(session, world, Paper("price_list", "Prices", "en", world.actuators)),
        add(session, world, Paper("certificate", "CE", "", world.actuators)),
        add(session, world, Paper("certificate", "ISO 9001", "", world.actuators)),
    ]
    assert {(row.number, row.current) for row in rows} == {(1, True)}


def test_the_bytes_are_kept_once(session: Session, world: World) -> None:
    add(session, world, catalogue(world))
    add(session, world, catalogue(world, "ja"))
    assert len(session.exec(select(StoredFile.sha256)).all()) == 1


def test_the_very_file_that_is_current_is_no_new_version(session: Session, world: World) -> None:
    add(session, world, catalogue(world))
    with pytest.raises(Refused):
        add(session, world, catalogue(world))


def test_an_older_version_can_be_taken_again(session: Session, world: World) -> None:
    first, second = add(session, world, catalogue(world)), add(session, world, catalogue(world), A_PDF + b"2")
    documents.make_current(session, viewer(Role.SME, world.valves), first, now=NOW)
    session.refresh(second)
    assert (first.current, second.current) == (True, False)


def test_a_withdrawn_version_is_taken_by_no_letter(session: Session, world: World) -> None:
    row = add(session, world, catalogue(world))
    documents.withdraw(session, viewer(Role.SME, world.valves), row, now=NOW)
    assert Shelf(session, [world.valves]).find("catalogue", world.valves, world.actuators, "en") is None
    with pytest.raises(Refused):
        documents.withdraw(session, viewer(Role.SME, world.valves), row, now=NOW)


def test_who_stored_what_and_when_stands_in_the_log(session: Session, world: World) -> None:
    row = add(session, world, catalogue(world))
    documents.withdraw(session, viewer(Role.ADVISOR, world.valves), row, now=NOW)
    assert [(event.verb, event.actor) for event in events.history(session, "document", row.id or 0)] == [
        ("document_added", "sme@ieum.example"), ("document_withdrawn", "advisor@ieum.example"),
    ]  # fmt: skip


# --- who sees what


def test_a_company_stores_documents_of_its_own_only(session: Session, world: World) -> None:
    with pytest.raises(NotFound):
        add(session, world, catalogue(world), by=viewer(Role.SME, world.toys))
    with pytest.raises(BadInput):
        add(session, world, catalogue(world, line=world.blocks))


def test_another_companys_document_does_not_exist_for_a_viewer(session: Session, world: World) -> None:
    row = add(session, world, catalogue(world))
    stranger = viewer(Role.SME, world.toys)
    assert documents.list_documents(session, stranger, world.valves) == []
    with pytest.raises(NotFound):
        documents.get_document(session, stranger, row.id or 0)
    with pytest.raises(NotFound):
        documents.withdraw(session, stranger, row, now=NOW)
    assert documents.get_document(session, viewer(Role.STAFF), row.id or 0).id == row.id


# --- for a letter


@pytest.mark.parametrize(
    ("there", "language", "found"),
    [
        (("ja", "en", "ko"), "ja", "ja"),
        (("en", "ko"), "ja", "en"),
        (("ko",), "ja", None),
        (("zh-Hans", "en"), "zh-Hant", "en"),
        ((), "en", None),
    ],
)
def test_a_letter_takes_the_catalogue_in_its_language_else_in_english_else_none(
    session: Session, world: World, there: tuple[str, ...], language: str, found: str | None
) -> None:
    for code in there:
        add(session, world, catalogue(world, code))
    row = Shelf(session, [world.valves]).find("catalogue", world.valves, world.actuators, language)
    assert (row.language if row else None) == found


def test_the_lines_own_paper_comes_before_that_of_the_line_above(session: Session, world: World) -> None:
    above = add(session, world, catalogue(world, line=world.line))
    assert Shelf(session, [world.valves]).find("catalogue", world.valves, world.actuators, "en") == above
    own = add(session, world, catalogue(world))
    shelf = Shelf(session, [world.valves])
    assert shelf.find("catalogue", world.valves, world.actuators, "en") == own
    assert shelf.find("catalogue", world.valves, world.line, "en") == above


def test_the_readers_language_counts_more_than_the_nearer_line(session: Session, world: World) -> None:
    add(session, world, catalogue(world, "en"))
    japanese = add(session, world, catalogue(world, "ja", world.line))
    assert Shelf(session, [world.valves]).find("catalogue", world.valves, world.actuators, "ja") == japanese


def test_another_companys_paper_is_never_found(session: Session, world: World) -> None:
    add(session, world, catalogue(world))
    assert Shelf(session, [world.valves, world.toys]).find("catalogue", world.toys, world.actuators, "en") is None


def test_of_certificates_each_title_goes_along_once(session: Session, world: World) -> None:
    add(session, world, Paper("certificate", "CE", "", world.line))
    japanese = add(session, world, Paper("certificate", "ISO 9001", "ja", world.line))
    add(session, world, Paper("certificate", "ISO 9001", "en", world.line))
    add(session, world, Paper("certificate", "KC", "ko", world.line))
    found = Shelf(session, [world.valves]).find_all("certificate", world.valves, world.actuators, "ja")
    assert [row.title for row in found] == ["CE", "ISO 9001"]
    assert japanese in found
