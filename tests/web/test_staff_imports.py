import re
from typing import Any

import pytest
from sqlmodel import func, select

from crm.contacts.models import Contact, EmailAddress, Lead
from crm.core.context import Context
from crm.delivery.models import Outbox
from crm.imports.models import ImportBatch, Upload
from crm.pipeline.models import Deal
from tests.web.conftest import Browser
from tests.web.world import World

LIST = """이름,회사,이메일,국가,부스,관심 색,주민등록번호
王小明,Chenguang Trading,wang@chenguang.example,중국,7B-101,red,900101-1234567
Maria Gomez,Flores SL,maria@@flores,스페인,9Z-999,blue,
테스트,테스트,test@test.test,,,,
"""


def upload(browser: Browser, world: World, text: str = LIST, name: str = "buyers.csv", **fields: str) -> Any:
    files = {"file": (name, text.encode(), "text/csv")}
    return browser.post("/import", {"exhibition_id": str(world.exhibition_id), **fields}, files=files)


def step(browser: Browser, begun: str, name: str, **fields: Any) -> Any:
    """Post a form of the wizard as the page that shows it would, with what was seen."""
    page = {"check": "confirm", "reading": "columns", "forget": "columns", "return": "problems"}.get(name, name)
    found = re.search(r'name="seen" value="(\d+)"', browser.get(f"{begun}/{page}").text)
    return browser.post(f"{begun}/{name}", {"seen": found[1] if found else "", **fields})


def address(answer: Any) -> str:
    """Return the address of an upload from the answer that leads to its next step."""
    return str(answer.headers["location"]).rpartition("/")[0]


@pytest.fixture
def begun(hana: Browser, world: World) -> str:
    """A list that was uploaded and not confirmed; its address."""
    answer = upload(hana, world)
    assert answer.status_code == 303
    return address(answer)


def contacts(site: Context) -> int:
    with site.db.reading() as session:
        return session.exec(select(func.count()).select_from(Contact)).one()


def choices(browser: Browser, begun: str) -> dict[str, str]:
    """Return the form of the columns as the page holds it."""
    text = browser.get(f"{begun}/columns").text
    return {
        name: (re.findall(r'value="([^"]*)" selected', options) or [""])[0]
        for name, options in re.findall(r'<select class="pick" name="(c\d+)"[^>]*>(.*?)</select>', text, re.DOTALL)
    }


def test_a_file_is_shown_with_its_columns_and_first_values(hana: Browser, begun: str) -> None:
    text = hana.get(f"{begun}/columns").text
    assert "wang@chenguang.example" in text
    assert choices(hana, begun) == {
        "c0": "full_name",
        "c1": "company",
        "c2": "email",
        "c3": "country",
        "c4": "booth",
        "c5": "",
        "c6": "sensitive",
    }


def test_private_values_are_not_even_shown(hana: Browser, begun: str) -> None:
    for step in ("columns", "problems", "confirm"):
        assert "900101" not in hana.get(f"{begun}/{step}").text


def test_nothing_is_a_buyer_before_the_confirmation(hana: Browser, site: Context, begun: str) -> None:
    before = contacts(site)
    step(hana, begun, "columns", **choices(hana, begun))
    assert hana.get(f"{begun}/problems").status_code == 200
    assert hana.get(f"{begun}/confirm").status_code == 200
    assert contacts(site) == before == 4


def test_problems_stand_by_kind_with_their_rows(hana: Browser, begun: str) -> None:
    text = hana.get(f"{begun}/problems").text
    assert "이메일 형식 틀림" in text
    assert text.index("시험용 입력") < text.index("이메일 형식 틀림")
    assert "maria@@flores" in hana.get(f"{begun}/problems?code=email_invalid").text
    assert text.index("시험용 입력") < text.index("이메일 형식 틀림")


def test_a_column_can_be_chosen_to_be_something_else(hana: Browser, begun: str) -> None:
    assert step(hana, begun, "columns", **{**choices(hana, begun), "c5": "interests"}).status_code == 303
    assert choices(hana, begun)["c5"] == "interests"
    step(hana, begun, "columns", **{**choices(hana, begun), "c2": ""})
    assert choices(hana, begun)["c2"] == ""
    assert "이메일 없음" in hana.get(f"{begun}/problems").text


def test_a_field_that_does_not_exist_is_refused(hana: Browser, begun: str) -> None:
    answer = step(hana, begun, "columns", **{**choices(hana, begun), "c5": "shoe_size"})
    assert answer.status_code == 422
    assert choices(hana, begun)["c5"] == ""


def test_the_wizard_is_taken_up_again_in_another_browser(hana: Browser, begun: str, sign_in: Any) -> None:
    step(hana, begun, "columns", **{**choices(hana, begun), "c5": "interests"})
    again = sign_in("hana")
    assert begun in again.get("/import").text
    assert choices(again, begun)["c5"] == "interests"


def test_confirming_imports_the_rows_and_opens_their_deals(hana: Browser, site: Context, begun: str) -> None:
    answer = step(hana, begun, "confirm")
    assert answer.headers["location"] == f"{begun}/done"
    assert "2명을 가져왔습니다" in hana.get(f"{begun}/done").text
    with site.db.reading() as session:
        address = session.exec(select(EmailAddress).where(EmailAddress.address == "wang@chenguang.example")).one()
        assert session.exec(select(Lead).where(Lead.contact_id == address.contact_id)).one().exporter_id == 1
        assert len(session.exec(select(Deal)).all()) == 5


def test_a_finished_wizard_leads_to_its_end_and_imports_nothing_twice(hana: Browser, site: Context, begun: str) -> None:
    step(hana, begun, "confirm")
    assert hana.get(f"{begun}/columns").headers["location"] == f"{begun}/done"
    assert step(hana, begun, "confirm").status_code == 409
    assert contacts(site) == 6


def test_the_end_of_a_wizard_cannot_be_reached_before_the_confirmation(hana: Browser, begun: str) -> None:
    assert hana.get(f"{begun}/done").headers["location"] == begun
    assert hana.get(begun).headers["location"] == f"{begun}/columns"


def test_the_same_file_again_says_so_and_offers_no_import(hana: Browser, world: World, begun: str) -> None:
    step(hana, begun, "confirm")
    second = address(upload(hana, world))
    text = hana.get(f"{second}/confirm").text
    assert "다시 가져와도 바뀌는 것이 없습니다" in text
    assert f'action="{second}/confirm"' not in text


def test_a_changed_value_is_shown_before_it_is_written(hana: Browser, world: World, begun: str) -> None:
    step(hana, begun, "confirm")
    newer = LIST.replace("관심 색", "직위").replace("red", "经理")
    text = hana.get(f"{address(upload(hana, world, newer))}/confirm").text
    assert "바뀔 값" in text
    assert "经理" in text


def test_undo_takes_the_buyers_back(hana: Browser, site: Context, begun: str) -> None:
    step(hana, begun, "confirm")
    with site.db.reading() as session:
        batch_id = session.exec(select(ImportBatch.id)).one()
    assert "王小明" in hana.get("/contacts?q=chenguang").text
    answer = hana.post(f"/import/batches/{batch_id}/undo")
    assert answer.status_code == 303
    assert contacts(site) == 4
    assert "되돌렸습니다" in hana.get(f"/import/batches/{batch_id}").text
    assert hana.post(f"/import/batches/{batch_id}/undo").status_code == 409


def test_a_batch_lists_its_rows_by_outcome(hana: Browser, begun: str) -> None:
    step(hana, begun, "confirm")
    text = hana.get("/import/batches/1?outcome=refused").text
    assert "시험" in text
    assert "maria@@flores" not in text


def test_a_file_can_be_thrown_away(hana: Browser, site: Context, begun: str) -> None:
    assert hana.post(f"{begun}/discard").status_code == 303
    assert hana.get(f"{begun}/columns").status_code == 404
    with site.db.reading() as session:
        assert session.exec(select(Upload)).all() == []


def test_a_file_that_is_no_list_is_refused_and_not_kept(hana: Browser, site: Context, world: World) -> None:
    answer = upload(hana, world, "just a sentence\n")
    assert answer.status_code == 422
    assert "buyers.csv" in answer.text
    with site.db.reading() as session:
        assert session.exec(select(Upload)).all() == []


def test_no_file_no_exhibition_and_no_such_country_are_said_at_their_fields(hana: Browser, world: World) -> None:
    nothing = hana.post("/import", {"exhibition_id": str(world.exhibition_id)}, files={"file": ("", b"")})
    assert 'href="#f-file"' in nothing.text
    assert 'href="#f-exhibition_id"' in upload(hana, world, exhibition_id="").text
    assert 'href="#f-home_country"' in upload(hana, world, home_country="Atlantis").text


@pytest.fixture
def small_limit(site: Context) -> None:
    web = site.settings.web.model_copy(update={"max_upload_mb": 1})
    site.settings = site.settings.model_copy(update={"web": web})


def test_a_file_up_to_the_limit_is_taken(hana: Browser, world: World) -> None:
    big = LIST.replace("red", "x" * 2_000_000)
    assert upload(hana, world, big).status_code == 303


def test_a_file_over_the_limit_is_refused_at_its_field(small_limit: None, hana: Browser, world: World) -> None:
    answer = upload(hana, world, LIST + "x" * 1_100_000)
    assert answer.status_code == 422
    assert 'href="#f-file"' in answer.text


def test_a_body_far_over_the_limit_is_not_even_read(small_limit: None, hana: Browser, world: World) -> None:
    assert upload(hana, world, "x" * 2_200_000).status_code == 413


def test_who_was_mailed_stays_when_a_list_is_taken_back(hana: Browser, site: Context, begun: str) -> None:
    step(hana, begun, "confirm")
    with site.db.writing() as session:
        address = session.exec(select(EmailAddress).where(EmailAddress.address == "wang@chenguang.example")).one()
        _sent(session, address.contact_id)
    answer = hana.post("/import/batches/1/undo")
    assert answer.status_code == 303
    assert contacts(site) == 5
    assert "일부 되돌림" in hana.get("/import").text


def _sent(session: Any, contact_id: int) -> None:
    from datetime import UTC, datetime

    from crm.drafts.models import Draft
    from crm.review.models import Approval

    now = datetime(2026, 11, 16, 1, tzinfo=UTC)
    lead = session.exec(select(Lead).where(Lead.contact_id == contact_id)).one()
    draft = Draft(
        lead_id=lead.id, contact_id=contact_id, exporter_id=lead.exporter_id, exhibition_id=lead.exhibition_id,
        letter="thank_you", letter_version="v1", language="en", recipient="wang@chenguang.example", subject="Thanks",
        status="sent", planned_at=now, created_at=now,
    )  # fmt: skip
    session.add(draft)
    session.flush()
    approval = Approval(draft_id=draft.id, content_hash="x", approved_by="a", approved_at=now, send_at=now)
    session.add(approval)
    session.flush()
    letter = Outbox(
        approval_id=approval.id, draft_id=draft.id, exporter_id=lead.exporter_id, recipient=draft.recipient,
        envelope_sender="b@ieum.example", status="sent", due_at=now, sent_at=now,
    )  # fmt: skip
    session.add(letter)
