"""Buyers, users and the suppression list as staff change them."""

import re
from datetime import timedelta

import pytest
from sqlmodel import select

from crm.accounts.models import User
from crm.campaigns import service as campaigns
from crm.campaigns.models import Enrolment
from crm.contacts.models import Contact, Suppression
from crm.core.clock import FrozenClock
from crm.core.config import Settings
from crm.core.context import Context
from crm.drafts.models import Draft
from crm.exporters.models import Assignment, Exhibition, Member
from tests.web.conftest import Browser
from tests.web.world import World, letter

LONG_PASSWORD = "초겨울 일산 호수공원 산책"


def test_buyers_are_found_by_address_country_and_exhibition(hana: Browser, world: World) -> None:
    assert "佐藤健一" in hana.get("/contacts?q=sato@sakura").text
    spain = hana.get("/contacts?country=ES").text
    assert "Lucía" in spain
    assert "佐藤健一" not in spain
    assert "佐藤健一" in hana.get(f"/contacts?exhibition={world.exhibition_id}").text
    assert "찾지 못했습니다" in hana.get("/contacts?exhibition=999").text


def test_the_list_of_buyers_goes_on_where_it_ended(hana: Browser, site: Context, clock: FrozenClock) -> None:
    with site.db.writing() as session:
        session.add_all(Contact(full_name=f"Buyer {n:03}", created_at=clock.now()) for n in range(60))
    first = hana.get("/contacts").text
    assert "Buyer 049" in first
    assert "Buyer 050" not in first
    link = re.search(r'href="(/contacts\?[^"]*after=\d+)"', first)
    assert link
    assert "Buyer 059" in hana.get(link[1].replace("&amp;", "&")).text


def test_a_buyer_is_shown_with_talk_consent_and_history(hana: Browser, world: World) -> None:
    text = hana.get(f"/contacts/{world.contacts['ES']}").text
    for found in ("lucia@iberia.example", "12월까지 결정한다고 함.", "동의 기록", "거래 시작"):
        assert found in text


def test_an_imported_value_names_its_file_row_and_day(hana: Browser, world: World) -> None:
    data = "Name,Company,E-mail,Country\nKim Lee,Lee Trading,kim@lee.example,Canada\n"
    files = {"file": ("fair.csv", data.encode(), "text/csv")}
    begun = hana.post("/import", {"exhibition_id": str(world.exhibition_id)}, files=files).headers["location"]
    confirm = f"{begun.rpartition('/')[0]}/confirm"
    seen = re.search(r'name="seen" value="(\d+)"', hana.get(confirm).text)
    hana.post(confirm, {"seen": seen[1] if seen else ""})
    found = re.search(r'href="(/contacts/\d+)"', hana.get("/contacts?q=kim@lee").text)
    assert found
    assert "fair.csv, 2행, 2026-11-16" in hana.get(found[1]).text


def test_an_edited_value_is_kept_as_edited_by_a_person(hana: Browser, site: Context, world: World) -> None:
    page = f"/contacts/{world.contacts['ES']}"
    answer = hana.post(f"{page}/edit", {"full_name": "Lucía Fernández", "title": "Directora", "country": "스페인"})
    assert answer.status_code == 303
    text = hana.get(page).text
    assert "Directora" in text
    assert "사람이 고침, 2026-11-16" in text
    with site.db.reading() as session:
        contact = session.get_one(Contact, world.contacts["ES"])
        assert contact.country == "ES"
        assert contact.timezone == "Europe/Madrid"


def test_a_country_that_does_not_exist_is_said_at_its_field(hana: Browser, site: Context, world: World) -> None:
    answer = hana.post(f"/contacts/{world.contacts['ES']}/edit", {"country": "Atlantis", "title": "x" * 501})
    assert answer.status_code == 422
    assert 'href="#f-country"' in answer.text
    assert 'href="#f-title"' in answer.text


@pytest.fixture
def followed(site: Context, world: World, settings: Settings, clock: FrozenClock) -> None:
    """Every buyer is in a running campaign; a letter to the one from Spain waits for its advisor."""
    with site.db.writing() as session:
        show = session.get_one(Exhibition, world.exhibition_id)
        made = campaigns.create(
            session, settings, exhibition=show, workflow="overseas-buyer", now=clock.now(), by="hana@example.com"
        )
        campaigns.start(session, made, by="hana@example.com", now=clock.now())
        campaigns.enrol_leads(session, settings, now=clock.now())
        for step in campaigns.due_steps(session, now=clock.now(), ahead=timedelta(days=3), kind="mail", limit=9):
            enrolment = session.get_one(Enrolment, step.enrolment_id)
            if enrolment.lead_id == world.leads["ES"] and campaigns.take(session, step, now=clock.now()):
                letter(session, world, "ES", clock.now(), step_id=step.id)


def test_suppressing_a_buyer_ends_the_follow_up_and_takes_the_letter_back(
    hana: Browser, site: Context, world: World, followed: None
) -> None:
    page = f"/contacts/{world.contacts['ES']}"
    answer = hana.post(f"{page}/suppress", {"exporter_id": "0", "reason": "opt_out", "note": "11월 16일 전화"})
    assert answer.status_code == 303
    with site.db.reading() as session:
        row = session.exec(select(Suppression)).one()
        assert (row.address, row.exporter_key, row.evidence) == ("lucia@iberia.example", 0, {"note": "11월 16일 전화"})
        assert session.exec(select(Draft.status)).one() == "cancelled"
        left = session.exec(select(Enrolment.lead_id).where(Enrolment.status == "active")).all()
        assert world.leads["ES"] not in left
        assert world.leads["JP"] in left
    assert "11월 16일 전화" in hana.get(page).text


def test_an_address_is_added_by_hand_for_one_company(hana: Browser, site: Context) -> None:
    form = {"address": "Nobody@Example.com", "exporter_id": "1", "reason": "manual", "note": "명함에 적힘"}
    assert hana.post("/suppression", form).status_code == 303
    text = hana.get("/suppression?q=nobody").text
    assert "nobody@example.com" in text
    assert "가온코스메틱" in text
    assert "목록에 없습니다" in hana.get("/suppression?q=else").text


@pytest.mark.parametrize(("field", "value"), [("address", "no address"), ("reason", "whim"), ("note", " ")])
def test_nothing_is_suppressed_by_an_unclear_form(hana: Browser, site: Context, field: str, value: str) -> None:
    form = {"address": "a@example.com", "exporter_id": "0", "reason": "manual", "note": "전화", field: value}
    answer = hana.post("/suppression", form)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    with site.db.reading() as session:
        assert session.exec(select(Suppression)).all() == []


INVITED = {
    "email": "new@example.com",
    "name": "오새롬",
    "role": "advisor",
    "companies": ["1"],
    "languages": ["es", "xx"],
}


def invitation_in(text: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/invitation/[\w-]+)", text)
    assert found, "the page shows the invitation's address"
    return found[1]


def test_the_address_of_an_invitation_is_shown_once_and_works(hana: Browser, browser: Browser, site: Context) -> None:
    assert hana.post("/users", INVITED).status_code == 303
    path = invitation_in(hana.get("/users").text)
    assert "/invitation/" not in hana.get("/users").text
    accepted = browser.post(path, {"password": LONG_PASSWORD, "repeated": LONG_PASSWORD})
    assert accepted.status_code == 303
    with site.db.reading() as session:
        user = session.exec(select(User).where(User.email == "new@example.com")).one()
        assert (user.role, user.languages) == ("advisor", ["es"])
        assert session.exec(select(Assignment.exporter_id).where(Assignment.user_id == user.id)).all() == [1]


def test_inviting_anew_makes_the_old_address_void(hana: Browser, browser: Browser, site: Context) -> None:
    hana.post("/users", INVITED)
    old = invitation_in(hana.get("/users").text)
    with site.db.reading() as session:
        user_id = session.exec(select(User.id).where(User.email == "new@example.com")).one()
    hana.post(f"/users/{user_id}/invite")
    new = invitation_in(hana.get(f"/users/{user_id}").text)
    assert browser.get(old).status_code == 404
    assert browser.get(new).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "hana@example.com"}, "email"),
        ({"email": "nobody"}, "email"),
        ({"role": "sme", "companies": []}, "companies"),
        ({"role": "king"}, "role"),
    ],
)
def test_an_invitation_with_a_mistake_comes_back(
    hana: Browser, site: Context, change: dict[str, str], field: str
) -> None:
    answer = hana.post("/users", {**INVITED, **change})
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    with site.db.reading() as session:
        assert session.exec(select(User).where(User.name == "오새롬")).all() == []


def test_a_user_gets_another_company(hana: Browser, site: Context) -> None:
    with site.db.reading() as session:
        mina = session.exec(select(User.id).where(User.email == "mina@example.com")).one()
    assert hana.post(f"/users/{mina}/company", {"exporter_id": "2"}).status_code == 303
    with site.db.reading() as session:
        assert sorted(session.exec(select(Member.exporter_id).where(Member.user_id == mina)).all()) == [1, 2]


def test_removing_a_user_signs_them_out(hana: Browser, mina: Browser, site: Context) -> None:
    with site.db.reading() as session:
        user_id = session.exec(select(User.id).where(User.email == "mina@example.com")).one()
    assert mina.get("/").status_code == 200
    assert hana.post(f"/users/{user_id}/remove").status_code == 303
    assert mina.get("/").status_code == 303


def test_nobody_removes_themselves(hana: Browser, site: Context) -> None:
    with site.db.reading() as session:
        user_id = session.exec(select(User.id).where(User.email == "hana@example.com")).one()
    assert hana.post(f"/users/{user_id}/remove").status_code == 409
