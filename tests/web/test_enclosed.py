"""The review shows what goes along with a letter, and which letters wait for a fact."""

import pytest
from sqlmodel import select

from crm.core.context import Context
from crm.drafts.models import Draft
from crm.exporters.models import Document
from crm.review.models import LetterDocument
from tests.web.conftest import Browser
from tests.web.test_products import stored
from tests.web.test_review import approve
from tests.web.world import World, letter


def with_catalogue(site: Context, world: World, document: Document, **changes: object) -> int:
    item = {
        "kind": "catalogue", "how": "file", "sha256": document.sha256, "filename": document.filename,
        "media_type": document.media_type, "size": document.size, "language": "es", "document_id": document.id,
        "meeting_id": None, "last_day": "", **changes,
    }  # fmt: skip
    with site.db.writing() as session:
        number = letter(session, world, "ES", site.clock.now(), enclosed=[item]).id
    assert number
    return number


def test_the_advisor_sees_what_goes_along(haewook: Browser, world: World, site: Context) -> None:
    document = stored(site, language="es")
    page = haewook.get(f"/review/{with_catalogue(site, world, document)}").text
    assert "카탈로그.pdf" in page
    assert f"/products/{document.exporter_id}/documents/{document.id}" in page


def test_another_companys_file_blocks_the_approval(haewook: Browser, world: World, site: Context) -> None:
    foreign = stored(site, "DASOM", "es")
    number = with_catalogue(site, world, foreign)
    assert 'id="approve"' not in haewook.get(f"/review/{number}").text
    with site.db.reading() as session:
        version = session.get_one(Draft, number).version
    assert haewook.post(f"/review/{number}/approve", {"version": str(version)}).status_code == 409


def test_a_document_says_in_which_letters_it_is(haewook: Browser, mina: Browser, world: World, site: Context) -> None:
    document = stored(site, language="es")
    number = with_catalogue(site, world, document)
    approve(haewook, number)
    path = f"/products/{document.exporter_id}/documents/{document.id}"
    assert f'href="/review/{number}"' in haewook.get(path).text
    assert "lucia@iberia.example" in haewook.get(path).text
    assert "lucia@iberia.example" not in mina.get(path).text  # a company is not shown its buyers' addresses
    with site.db.reading() as session:
        assert session.exec(select(LetterDocument)).one().document_id == document.id


@pytest.fixture
def held(world: World, site: Context) -> int:
    """A quotation letter that waits for its quotation."""
    lacks = [{"placeholder": name, "where": "quotation"} for name in ("quotation_number", "quotation_total")]
    with site.db.writing() as session:
        number = letter(
            session,
            world,
            "ES",
            site.clock.now(),
            status="held",
            letter="quotation",
            held_for=lacks,
            blocks=[],
            subject="",
        ).id
    assert number
    return number


def test_a_held_letter_says_what_it_lacks_and_where_that_is_filled_in(
    haewook: Browser, world: World, held: int
) -> None:
    for path in ("/review", f"/review/{held}"):
        page = haewook.get(path).text
        assert f'href="/deals/{world.deals["ES"]}#quotation"' in page
    assert 'id="approve"' not in haewook.get(f"/review/{held}").text


def test_a_held_letter_of_another_company_is_not_told_of(
    hana: Browser, dasom: Browser, haewook: Browser, held: int
) -> None:
    assert f"/review/{held}" in hana.get("/review").text
    assert dasom.get(f"/review/{held}").status_code == 403


def test_a_letter_without_a_template_is_not_written_anew(haewook: Browser, world: World, site: Context) -> None:
    with site.db.writing() as session:
        number = letter(session, world, "ES", site.clock.now(), letter="answer").id
    assert haewook.post(f"/review/{number}/anew").status_code == 409


def test_a_letter_is_written_anew_from_what_is_known_now(haewook: Browser, world: World, site: Context) -> None:
    document = stored(site, language="es")
    number = with_catalogue(site, world, document, sha256="0" * 64)
    assert f'action="/review/{number}/anew"' in haewook.get(f"/review/{number}").text
    assert haewook.post(f"/review/{number}/anew").status_code == 303
    with site.db.reading() as session:
        row = session.get_one(Draft, number)
    assert [item["sha256"] for item in row.enclosed] == [document.sha256]
