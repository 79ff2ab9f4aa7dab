"""Comparing two entries in the browser, joining them, and taking it back."""

import re
from typing import Any

import pytest
from sqlmodel import select

from crm.contacts.models import Contact
from crm.core.context import Context
from crm.imports import service
from crm.imports.duplicates import MANY
from crm.imports.models import ContactMerge, DuplicatePair
from tests.conftest import NOW
from tests.web.conftest import Browser
from tests.web.world import World

HEAD = "Name,Company,Email,Mobile,Country,Booth,Captured At,Job Title,Notes\n"
ANA = "Ana López,Flores SA,ana@flores.example,,Spain,7B-101,2026-11-12,Buyer,Likes blue\n"
ALSO = "Ana López,Flores S.A.,ana@gmail.example,+34600000001,Spain,7B-101,2026-11-13,Director,Wants red\n"


@pytest.fixture
def pair(site: Context, world: World) -> tuple[int, int, int]:
    """Ana, known twice from two lists: the question's number and both people's."""
    with site.db.writing() as session:
        show = session.get_one(service.Exhibition, world.exhibition_id)
        for name, text in (("scans.csv", ANA), ("cards.csv", ALSO)):
            data = (HEAD + text).encode()
            service.import_file(session, data, name, service.Purpose(show), now=NOW, by="hana@example.com")
        found = session.exec(select(DuplicatePair)).one()
        return found.id or 0, found.one_id, found.other_id


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def test_open_questions_are_listed_and_counted_in_the_menu(hana: Browser, pair: tuple[int, int, int]) -> None:
    text = text_of(hana.get("/contacts/duplicates"))
    for found in ("ana@flores.example", "ana@gmail.example", "scans.csv", "cards.csv"):
        assert found in text
    assert f'href="/contacts/duplicates/{pair[0]}"' in text
    assert '<span class="tag">1</span>' in text
    assert "ana@flores.example" not in text_of(hana.get("/contacts/duplicates?status=different"))
    assert "ana@flores.example" not in text_of(hana.get("/contacts/duplicates?why=mobile"))
    assert "ana@flores.example" not in text_of(hana.get("/contacts/duplicates?exhibition=999"))


def test_many_questions_have_no_figure(hana: Browser, site: Context, world: World) -> None:
    with site.db.writing() as session:
        people = [Contact(full_name=f"P{n}", created_at=NOW) for n in range(MANY + 3)]
        session.add_all(people)
        session.flush()
        first = people[0].id or 0
        session.add_all(DuplicatePair(one_id=first, other_id=one.id or 0, why="name") for one in people[1:])
    assert f'<span class="tag">{MANY}+</span>' in hana.get("/staff").text


def test_a_page_without_questions_says_so(hana: Browser, world: World) -> None:
    assert 'class="tag"' not in text_of(hana.get("/contacts/duplicates")).split("<main", 1)[0]


def test_the_two_stand_side_by_side_with_file_row_and_day(hana: Browser, pair: tuple[int, int, int]) -> None:
    number, one, other = pair
    text = text_of(hana.get(f"/contacts/duplicates/{number}"))
    assert "scans.csv, 2행, 2026-11-16" in text
    assert "cards.csv, 2행, 2026-11-16" in text
    assert f'name="take-title" value="{one}">' in text
    assert f'name="take-title" value="{other}" checked>' in text
    assert 'name="take-country"' not in text


def test_joining_with_a_choice_and_taking_it_back(hana: Browser, site: Context, pair: tuple[int, int, int]) -> None:
    number, one, other = pair
    page = f"/contacts/duplicates/{number}"
    answer = hana.post(page, {"answer": "merge", "keep": str(one), "take-title": str(one)})
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    back = re.search(r'action="(/contacts/merges/\d+/back)"', hana.get(page).text)
    assert back
    shown = text_of(hana.get(f"/contacts/{one}"))
    assert "Buyer" in shown
    assert "+34600000001" in shown
    assert back[1] in shown
    gone = hana.get(f"/contacts/{other}")
    assert (gone.status_code, gone.headers["location"]) == (303, f"/contacts/{one}")
    assert f'href="/contacts/{other}"' not in hana.get("/contacts?q=ana").text
    answer = hana.post(back[1])
    assert (answer.status_code, answer.headers["location"]) == (303, f"/contacts/{one}")
    assert hana.get(f"/contacts/{other}").status_code == 200
    assert hana.post(back[1]).status_code == 409
    with site.db.reading() as session:
        assert session.get_one(Contact, one).edited == {}


def test_the_address_of_who_was_joined_leads_each_to_the_buyer_they_may_see(
    hana: Browser, haewook: Browser, mina: Browser, dasom: Browser, pair: tuple[int, int, int]
) -> None:
    number, one, other = pair
    assert [who.get(f"/buyers/{other}").status_code for who in (hana, haewook, mina, dasom)] == [200, 200, 200, 404]
    hana.post(f"/contacts/duplicates/{number}", {"answer": "merge", "keep": str(one)})
    for who in (hana, haewook, mina):
        answer = who.get(f"/buyers/{other}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/buyers/{one}")
        assert "Ana López" in text_of(who.get(answer.headers["location"]))
    assert dasom.get(f"/buyers/{other}").status_code == 404


@pytest.mark.parametrize("given", ["different", "later"])
def test_an_answer_leads_on_and_is_kept(hana: Browser, site: Context, pair: tuple[int, int, int], given: str) -> None:
    answer = hana.post(f"/contacts/duplicates/{pair[0]}", {"answer": given})
    assert (answer.status_code, answer.headers["location"]) == (303, "/contacts/duplicates")
    with site.db.reading() as session:
        row = session.get_one(DuplicatePair, pair[0])
        assert (row.status, row.decided_by) == (given, "hana@example.com")
    assert "ana@flores.example" in text_of(hana.get(f"/contacts/duplicates?status={given}"))


def test_an_answer_that_is_none_of_ours_is_refused(hana: Browser, site: Context, pair: tuple[int, int, int]) -> None:
    assert hana.post(f"/contacts/duplicates/{pair[0]}", {"answer": "burn"}).status_code == 422
    assert hana.post(f"/contacts/duplicates/{pair[0]}", {"answer": "merge", "keep": "999"}).status_code in (
        303,
        404,
        422,
    )
    with site.db.reading() as session:
        assert session.get_one(DuplicatePair, pair[0]).status == "open"
        assert session.exec(select(ContactMerge)).all() == []


def test_staff_compare_any_two(hana: Browser, world: World, pair: tuple[int, int, int]) -> None:
    spain, japan = world.contacts["ES"], world.contacts["JP"]
    assert f'href="/contacts/{spain}/compare"' in hana.get(f"/contacts/{spain}").text
    found = text_of(hana.get(f"/contacts/{spain}/compare?q=sato@sakura"))
    assert f'name="other" value="{japan}"' in found
    assert f'name="other" value="{spain}"' not in text_of(hana.get(f"/contacts/{spain}/compare?q=lucia"))
    answer = hana.post("/contacts/duplicates", {"one": str(spain), "other": str(japan)})
    page = text_of(hana.get(answer.headers["location"]))
    assert "佐藤健一" in page
    assert "Lucía" in page
    answer = hana.post(answer.headers["location"], {"answer": "merge"})
    assert text_of(hana.get(f"/contacts/{spain}")).count("佐藤健一") >= 1


def test_a_buyer_page_shows_what_the_lists_said(hana: Browser, pair: tuple[int, int, int]) -> None:
    hana.post(f"/contacts/duplicates/{pair[0]}", {"answer": "merge"})
    text = text_of(hana.get(f"/contacts/{pair[1]}"))
    for found in ("Likes blue", "Wants red", "명단 행 2개로 이루어짐"):
        assert found in text
    assert re.search(r'Buyer · <a href="/import/batches/\d+">scans.csv, 2행', text)


def test_a_likely_double_is_said_on_the_buyers_page(hana: Browser, pair: tuple[int, int, int]) -> None:
    assert f'href="/contacts/duplicates/{pair[0]}"' in hana.get(f"/contacts/{pair[1]}").text


@pytest.mark.parametrize("path", ["/contacts/duplicates", "/contacts/duplicates/1", "/contacts/1/compare"])
def test_only_staff_compare(haewook: Browser, mina: Browser, pair: tuple[int, int, int], path: str) -> None:
    assert (haewook.get(path).status_code, mina.get(path).status_code) == (403, 403)


@pytest.mark.parametrize("path", ["/contacts/duplicates", "/contacts/duplicates/1", "/contacts/merges/1/back"])
def test_others_join_nobody_and_the_forms_want_their_token(
    haewook: Browser, hana: Browser, pair: tuple[int, int, int], path: str
) -> None:
    form = {"answer": "merge", "one": str(pair[1]), "other": str(pair[2])}
    assert haewook.post(path, form).status_code == 403
    assert hana.post(path, {**form, "csrf": "stolen"}).status_code in (403, 409, 422)


def test_the_pages_speak_english_too(hana: Browser, pair: tuple[int, int, int]) -> None:
    hana.post("/language", {"language": "en", "next": "/"})
    text = text_of(hana.get(f"/contacts/duplicates/{pair[0]}"))
    assert "Are these one person?" in text
    assert "These are two people" in text


def test_there_is_no_such_question(hana: Browser, world: World) -> None:
    assert hana.get("/contacts/duplicates/999").status_code == 404
