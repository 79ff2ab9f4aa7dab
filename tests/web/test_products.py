"""The documents of a company on its page, the link in a letter, and who may come near either."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from crm.accounts.rules import system_viewer
from crm.core.context import Context
from crm.core.models import Event
from crm.drafts.language import LANGUAGES
from crm.exporters import documents
from crm.exporters.documents import Paper
from crm.exporters.models import Document, Exporter, ProductLine
from crm.mail import tokens
from crm.web.document_texts import TEXTS, language_of
from tests.web.conftest import Browser
from tests.web.world import World

A_PDF = b"%PDF-1.7\n%catalogue of Gaon\n"


def company(site: Context, code: str = "GAON") -> tuple[int, int]:
    """Return the ids of a company and of its product line."""
    with site.db.reading() as session:
        exporter = session.exec(select(Exporter).where(Exporter.code == code)).one()
        line = session.exec(select(ProductLine).where(ProductLine.exporter_id == exporter.id)).one()
        assert exporter.id
        assert line.id
        return exporter.id, line.id


def form(line_id: int, **changes: str) -> dict[str, str]:
    return {"kind": "catalogue", "title": "Cica 2026", "language": "ja", "line_id": str(line_id), **changes}


def upload(browser: Browser, site: Context, data: bytes = A_PDF, name: str = "カタログ.pdf", **changes: str) -> Any:
    exporter_id, line_id = company(site)
    return browser.post(
        f"/products/{exporter_id}/documents", form(line_id, **changes), files={"file": (name, data, "text/plain")}
    )


def stored(site: Context, code: str = "GAON", language: str = "ja") -> Document:
    exporter_id, line_id = company(site, code)
    with site.db.writing() as session:
        return documents.add(
            session, system_viewer(), session.get_one(Exporter, exporter_id),
            Paper("catalogue", "Cica 2026", language, line_id), A_PDF + code.encode(), "카탈로그.pdf",
            languages=LANGUAGES, max_bytes=10**6, now=site.clock.now(),
        )  # fmt: skip


def link(site: Context, document: Document, days: int = 60, language: str = "ja") -> str:
    last_day = (site.clock.now() + timedelta(days=days)).date()
    secret = site.settings.web.secret.get_secret_value()
    return f"/d/{tokens.sign_file(secret, tokens.FileLink(document.id or 0, last_day, language))}"


# --- the page


@pytest.mark.parametrize("who", ["hana", "haewook", "mina"])
def test_staff_advisor_and_the_company_itself_store_documents(
    who: str, request: pytest.FixtureRequest, world: World, site: Context
) -> None:
    browser: Browser = request.getfixturevalue(who)
    answer = upload(browser, site)
    assert answer.status_code == 303
    page = browser.get(answer.headers["location"])
    assert "カタログ.pdf" in page.text
    assert browser.get(f"/products/{company(site)[0]}").status_code == 200


def test_a_wrong_upload_is_shown_again_with_what_was_typed(mina: Browser, world: World, site: Context) -> None:
    answer = upload(mina, site, data=b"MZ\x90", title="  ")
    assert answer.status_code == 422
    assert 'href="#f-title"' in answer.text
    assert 'href="#f-file"' in answer.text
    assert '<option value="ja" selected>' in answer.text


def test_the_same_file_again_is_refused_on_the_page(mina: Browser, world: World, site: Context) -> None:
    upload(mina, site)
    assert upload(mina, site).status_code == 422


def test_another_company_sees_and_changes_nothing(dasom: Browser, world: World, site: Context) -> None:
    document = stored(site)
    exporter_id, line_id = company(site)
    base = f"/products/{exporter_id}"
    own = f"/products/{company(site, 'DASOM')[0]}"
    assert dasom.get(base).status_code == 404
    for path in (f"{base}/documents/{document.id}", f"{own}/documents/{document.id}"):
        assert dasom.get(path).status_code == dasom.get(f"{path}/file").status_code == 404
        assert dasom.post(f"{path}/withdraw").status_code == dasom.post(f"{path}/current").status_code == 404
    files = {"file": ("a.pdf", A_PDF, "application/pdf")}
    assert dasom.post(f"{base}/documents", form(line_id), files=files).status_code == 404


def test_the_file_comes_back_as_it_was_stored(mina: Browser, world: World, site: Context) -> None:
    document = stored(site)
    answer = mina.get(f"/products/{document.exporter_id}/documents/{document.id}/file")
    assert (answer.content, answer.headers["content-type"]) == (A_PDF + b"GAON", "application/pdf")
    assert "filename*=UTF-8''%EC%B9%B4" in answer.headers["content-disposition"]


def test_versions_are_withdrawn_and_taken_again(mina: Browser, world: World, site: Context) -> None:
    path = f"/products/{company(site)[0]}/documents/{stored(site).id}"
    assert mina.post(f"{path}/withdraw").status_code == 303
    assert mina.post(f"{path}/withdraw").status_code == 409
    assert mina.post(f"{path}/current").status_code == 303
    with site.db.reading() as session:
        assert session.exec(select(Document.current)).one()


def test_a_form_without_its_token_stores_nothing(mina: Browser, world: World, site: Context) -> None:
    mina.csrf = "wrong"
    assert upload(mina, site).status_code == 403
    with site.db.reading() as session:
        assert session.exec(select(Document)).all() == []


def test_who_looks_after_one_company_goes_straight_to_it(mina: Browser, world: World, site: Context) -> None:
    assert mina.get("/products").headers["location"] == f"/products/{company(site)[0]}"


# --- the link


def test_a_link_gives_its_file_to_whoever_has_it(browser: Browser, world: World, site: Context) -> None:
    answer = browser.get(link(site, stored(site)))
    assert (answer.status_code, answer.content) == (200, A_PDF + b"GAON")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"


def test_a_look_ahead_is_told_the_size_and_gets_nothing(browser: Browser, world: World, site: Context) -> None:
    answer = browser.client.head(link(site, stored(site)))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(A_PDF + b"GAON"))


def test_opening_a_link_changes_nothing(browser: Browser, world: World, site: Context) -> None:
    path = link(site, stored(site))
    with site.db.reading() as session:
        before = len(session.exec(select(Event)).all())
    browser.get(path)
    with site.db.reading() as session:
        assert len(session.exec(select(Event)).all()) == before
    assert browser.post(path).status_code in (403, 405)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_expired_link_says_so_in_the_readers_language(
    browser: Browser, world: World, site: Context, language: str
) -> None:
    answer = browser.get(link(site, stored(site), days=-1, language=language), accept_language="ko")
    assert answer.status_code == 410
    assert f'<html lang="{language}">' in answer.text
    assert TEXTS[language]["expired"] in answer.text
    assert "카탈로그" not in answer.text


def test_a_link_holds_through_its_last_day_in_korea(browser: Browser, world: World, site: Context) -> None:
    assert browser.get(link(site, stored(site), days=0)).status_code == 200


def test_a_withdrawn_document_is_given_to_nobody(browser: Browser, mina: Browser, world: World, site: Context) -> None:
    document = stored(site)
    mina.post(f"/products/{document.exporter_id}/documents/{document.id}/withdraw")
    answer = browser.get(link(site, document))
    assert answer.status_code == 410
    assert TEXTS["ja"]["withdrawn"] in answer.text


def test_nobody_walks_from_one_file_to_the_next(browser: Browser, world: World, site: Context) -> None:
    one, other = stored(site), stored(site, "DASOM")
    path = link(site, one)
    number, rest = path.removeprefix("/d/").split("-", 1)
    answer = browser.get(f"/d/{other.id}-{rest}", accept_language="es-MX,es;q=0.9")
    assert number == str(one.id)
    assert answer.status_code == 404
    assert TEXTS["es"]["invalid"] in answer.text


@pytest.mark.parametrize(
    "path", ["/d/x", "/d/1-1-en-aaaa", "/d/https:%2f%2fevil.example", "/d/%2f%2fevil.example", "/d/"]
)
def test_what_is_no_link_of_ours_leads_nowhere(browser: Browser, site: Context, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("ja", "ja"), ("zh-TW,zh;q=0.8", "zh-Hant"), ("zh-CN", "zh-Hans"), ("fr,es-MX", "es"), ("", "en"), ("de", "en")],
)
def test_a_page_without_a_letter_speaks_as_the_browser_asks(accepted: str, language: str) -> None:
    assert language_of(accepted) == language


def test_every_language_says_the_same_things() -> None:
    assert {frozenset(texts) for texts in TEXTS.values()} == {frozenset(TEXTS["en"])}
    assert set(TEXTS) == set(LANGUAGES)


# --- names and terms


def test_a_company_changes_what_letters_say_of_its_product(mina: Browser, world: World, site: Context) -> None:
    exporter_id, line_id = company(site)
    path = f"/products/{exporter_id}/lines/{line_id}"
    assert mina.get(path).status_code == 200
    wrong = mina.post(path, {"name_ko": "시카 크림", "name_en": "", "moq": "x"})
    assert wrong.status_code == 422
    assert 'href="#f-name_en"' in wrong.text
    assert 'value="x"' in wrong.text
    assert (
        mina.post(path, {"name_ko": "시카 크림", "name_en": "Cica cream", "name_es": "crema de cica"}).status_code
        == 303
    )
    with site.db.reading() as session:
        assert session.get_one(ProductLine, line_id).names["es"] == "crema de cica"


def test_a_company_changes_who_signs_its_letters(mina: Browser, world: World, site: Context) -> None:
    path = f"/products/{company(site)[0]}/company"
    page = mina.get(path).text
    assert "김서연" in page
    typed = {"name_ko": "가온코스메틱", "name_en": "Gaon", "title_es": "Directora de exportación", "phone": "+82 31"}
    assert mina.post(path, {**typed, "website": "gaon"}).status_code == 422
    assert mina.post(path, typed).status_code == 303
    with site.db.reading() as session:
        assert (
            session.exec(select(Exporter).where(Exporter.code == "GAON")).one().contact_titles["es"].startswith("Dir")
        )


def test_another_companys_facts_are_out_of_reach(dasom: Browser, world: World, site: Context) -> None:
    exporter_id, line_id = company(site)
    own = company(site, "DASOM")[0]
    for path in (
        f"/products/{exporter_id}/company",
        f"/products/{exporter_id}/lines/{line_id}",
        f"/products/{own}/lines/{line_id}",
    ):
        assert dasom.get(path).status_code == 404
        assert dasom.post(path, {}).status_code == 404
