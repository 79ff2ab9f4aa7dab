import json
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import func, select

from crm.contacts.models import Contact, EmailAddress, Lead
from crm.core.clock import FrozenClock
from crm.core.context import Context
from crm.core.models import Event
from crm.delivery.models import Outbox
from crm.imports.models import ImportBatch, Upload
from crm.pipeline.models import Deal
from crm.web.runs import Run
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
    page = {
        "check": "confirm",
        "reading": "columns",
        "header": "columns",
        "forget": "columns",
        "return": "problems",
    }.get(name, name)
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


def test_after_seven_days_the_page_says_how_an_import_is_taken_back_and_does_not_do_it(
    hana: Browser, site: Context, begun: str, clock: FrozenClock, sign_in: Any
) -> None:
    step(hana, begun, "confirm")
    pages = (f"{begun}/done", "/import/batches/1")
    for page in pages:
        text = hana.get(page).text
        assert 'action="/import/batches/1/undo"' in text
        assert "11월 23일(월) 10:00" in text
    clock.advance(timedelta(days=7, minutes=1))
    later = sign_in("hana")
    for page in pages:
        text = later.get(page).text
        assert 'action="/import/batches/1/undo"' not in text
        assert "crm import undo 1" in text
    assert later.post("/import/batches/1/undo").status_code == 409
    assert contacts(site) == 6


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


# ---- how the file is read


def test_the_encoding_can_be_changed_and_is_proven_by_the_first_rows(hana: Browser, world: World) -> None:
    japanese = "Name,Company,Email,Memo\n佐藤,さくら商事,sato@sakura.example,東京\n".encode("cp932")
    files = {"file": ("cards.csv", japanese, "text/csv")}
    begun = address(hana.post("/import", {"exhibition_id": str(world.exhibition_id)}, files=files))
    assert step(hana, begun, "reading", encoding="gb18030").status_code == 303
    assert "佐藤" not in hana.get(f"{begun}/columns").text
    assert step(hana, begun, "reading", encoding="shift_jis").status_code == 303
    text = hana.get(f"{begun}/columns").text
    assert "<td>佐藤</td>" in text
    assert "<td>東京</td>" in text


def test_the_header_line_can_be_named_by_its_number(hana: Browser, begun: str) -> None:
    assert step(hana, begun, "reading", head0="2").status_code == 303
    assert "Chenguang Trading" in re.findall(r'<th scope="row" id="h1">([^<]*)', hana.get(f"{begun}/columns").text)
    assert step(hana, begun, "reading", head0="1").status_code == 303
    assert choices(hana, begun)["c1"] == "company"


def test_a_header_line_that_is_no_number_is_said_at_its_field(hana: Browser, begun: str) -> None:
    answer = step(hana, begun, "reading", head0="first")
    assert answer.status_code == 422
    assert 'href="#f-head0"' in answer.text


def workbook(*sheets: tuple[str, list[list[str]]]) -> bytes:
    import io

    import xlsxwriter  # type: ignore[import-untyped]

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return buffer.getvalue()


def test_a_sheet_can_be_left_out_and_taken_in_again(hana: Browser, world: World) -> None:
    heads = ["Name", "Company", "E-mail"]
    data = workbook(
        ("Day 1", [heads, ["Ana", "Flores", "ana@flores.example"]]),
        ("Day 2", [heads, ["Bo", "Borg", "bo@borg.example"]]),
    )
    files = {"file": ("days.xlsx", data, "application/octet-stream")}
    begun = address(hana.post("/import", {"exhibition_id": str(world.exhibition_id)}, files=files))
    assert step(hana, begun, "reading", sheet0="1", head0="1", head1="1").status_code == 303
    assert tile(hana, begun, "새 바이어") == 1
    assert step(hana, begun, "reading", sheet0="1", sheet1="1").status_code == 303
    assert tile(hana, begun, "새 바이어") == 2
    nothing = step(hana, begun, "reading")
    assert nothing.status_code == 422
    assert 'href="#f-sheet0"' in nothing.text


def tile(browser: Browser, begun: str, name: str) -> int:
    """Return the number of a tile of the page before the import."""
    found = re.search(rf'<span class="muted">{name}</span><b>(\d+)', browser.get(f"{begun}/confirm").text)
    assert found
    return int(found[1])


def test_a_page_that_shows_an_earlier_state_changes_nothing(hana: Browser, begun: str) -> None:
    old = {**choices(hana, begun), "seen": "1"}
    step(hana, begun, "columns", **{**choices(hana, begun), "c5": "interests"})
    assert hana.post(f"{begun}/columns", {**old, "c1": "notes"}).status_code == 409
    assert hana.post(f"{begun}/confirm", {"seen": "1"}).status_code == 409
    assert choices(hana, begun)["c1"] == "company"


# ---- mappings are remembered by source


def test_what_was_settled_is_remembered_for_the_next_list_of_the_source(
    hana: Browser, site: Context, world: World, begun: str
) -> None:
    step(hana, begun, "columns", **{**choices(hana, begun), "c5": "interests"})
    step(hana, begun, "confirm")
    answer = upload(hana, world, LIST.replace("wang@", "li@").replace("王小明", "李小龙"))
    second = address(answer)
    assert not answer.headers["location"].endswith("/columns")
    text = hana.get(f"{second}/columns").text
    assert "hana@example.com님이 정해 둔 대로" in text
    assert "지난번과 같음" in text
    assert choices(hana, second)["c5"] == "interests"
    assert step(hana, second, "forget").status_code == 303
    assert choices(hana, second)["c5"] == ""
    third = address(upload(hana, world, LIST.replace("wang@", "zhao@").replace("王小明", "赵云")))
    assert "정해 둔 대로" not in hana.get(f"{third}/columns").text


def test_a_file_that_is_thrown_away_teaches_nothing(hana: Browser, world: World, begun: str) -> None:
    step(hana, begun, "columns", **{**choices(hana, begun), "c5": "interests"})
    hana.post(f"{begun}/discard")
    assert choices(hana, address(upload(hana, world)))["c5"] == ""


PLAIN = "이름,회사,이메일,부스\n김서연,가온,seoyeon@gaon.example,7B-101\n이도윤,나래,doyun@narae.example,7B-101\n"


def test_a_list_with_nothing_to_ask_goes_straight_to_the_confirmation(hana: Browser, world: World) -> None:
    answer = upload(hana, world, PLAIN)
    assert answer.headers["location"].endswith("/confirm")
    text = hana.get(answer.headers["location"]).text
    assert f'href="{address(answer)}/columns"' in text
    assert f'href="{address(answer)}/problems"' in text


# ---- mending in place


def rows_to_mend(browser: Browser, begun: str, code: str) -> str:
    return str(browser.get(f"{begun}/problems?code={code}").text)


def to_mend(browser: Browser, begun: str) -> int:
    found = re.search(r"살펴볼 것 (\d+)건", browser.get(f"{begun}/problems").text)
    return int(found[1]) if found else 0


def test_a_corrected_cell_is_what_is_imported_and_the_count_falls(hana: Browser, site: Context, begun: str) -> None:
    before = to_mend(hana, begun)
    assert 'value="maria@@flores"' in rows_to_mend(hana, begun, "email_invalid")
    answer = step(hana, begun, "problems", code="email_invalid", do="save", **{"t0.3.2": "maria@flores.example"})
    assert answer.status_code == 303
    assert to_mend(hana, begun) < before
    assert "이메일 형식 틀림" not in hana.get(f"{begun}/problems").text
    step(hana, begun, "confirm")
    with site.db.reading() as session:
        assert session.exec(select(EmailAddress).where(EmailAddress.address == "maria@flores.example")).first()


def test_rows_are_left_out_one_by_one_or_all_of_a_kind_and_taken_in_again(hana: Browser, begun: str) -> None:
    step(hana, begun, "problems", code="email_invalid", do="save", out="0.3")
    assert "1행을 빼 두셨습니다" in hana.get(f"{begun}/problems").text
    assert "이메일 형식 틀림" not in hana.get(f"{begun}/problems").text
    assert tile(hana, begun, "새 바이어") == 1
    step(hana, begun, "problems", code="test_row", do="all")
    assert "2행을 빼 두셨습니다" in hana.get(f"{begun}/problems").text
    assert "시험용 입력" not in hana.get(f"{begun}/problems").text
    step(hana, begun, "return")
    assert tile(hana, begun, "새 바이어") == 2


def test_saving_nothing_looks_at_nothing_again(hana: Browser, site: Context, begun: str) -> None:
    step(hana, begun, "problems", code="email_invalid", do="save", **{"t0.3.2": "maria@@flores"})
    with site.db.reading() as session:
        assert session.exec(select(Upload)).one().options["version"] == 1


def test_what_a_visitor_consented_to_cannot_be_typed_over(hana: Browser, world: World) -> None:
    text = "이름,회사,이메일,개인정보 수집·이용 동의\n김서연,가온,seoyeon@gaon.example,\n"
    begun = address(upload(hana, world, text))
    page = rows_to_mend(hana, begun, "consent_privacy_missing")
    assert "개인정보 수집·이용 동의" in page
    assert 'name="t0.2.3"' not in page


# ---- the workbook of rows to mend


def cells(data: bytes) -> list[list[str]]:
    import io

    import openpyxl  # type: ignore[import-untyped]

    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    return [[str(cell.value or "") for cell in row] for row in sheet.iter_rows()]


def test_rows_not_imported_come_as_a_workbook_under_their_headers(hana: Browser, begun: str) -> None:
    before = cells(hana.get(f"{begun}/refused.xlsx").content)
    step(hana, begun, "confirm")
    after = cells(hana.get("/import/batches/1/refused.xlsx").content)
    assert before == after
    assert before[0][:4] == ["이유 (이음)", "원본 행 (이음)", "이름", "회사"]
    assert before[1][1:3] == ["4", "테스트"]
    assert "시험용" in before[1][0]
    everything = cells(hana.get("/import/batches/1/refused.xlsx?everything=1").content)
    assert [row[1] for row in everything[1:]] == ["3", "4"]
    assert "900101" not in str(everything)


def test_a_mended_workbook_is_read_like_the_list_it_came_from(
    hana: Browser, site: Context, world: World, begun: str
) -> None:
    step(hana, begun, "columns", **{**choices(hana, begun), "c5": "interests"})
    step(hana, begun, "confirm")
    rows = cells(hana.get("/import/batches/1/refused.xlsx?everything=1").content)
    rows[1] = [cell.replace("maria@@flores", "maria@flores.example") for cell in rows[1]]
    files = {"file": ("mended.xlsx", workbook(("Sheet1", rows[:2])), "application/octet-stream")}
    again = address(hana.post("/import", {"exhibition_id": str(world.exhibition_id)}, files=files))
    assert "hana@example.com님이 정해 둔 대로" in hana.get(f"{again}/columns").text
    assert step(hana, again, "confirm").status_code == 303
    with site.db.reading() as session:
        maria = session.exec(select(Contact).where(Contact.full_name == "Maria Gomez")).all()
        assert len(maria) == 1
        assert maria[0].extra.get("interests") == ["blue"]
        assert "이유 (이음)" not in str(maria[0].extra)


def test_a_formula_comes_back_as_text(hana: Browser, world: World) -> None:
    import io

    import openpyxl

    begun = address(upload(hana, world, "이름,회사,이메일\n=1+1,,\n"))
    data = hana.get(f"{begun}/refused.xlsx").content
    cell = openpyxl.load_workbook(io.BytesIO(data)).active.cell(2, 3)
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_who_refused_the_storing_is_a_number_and_a_reason_only(hana: Browser, world: World) -> None:
    text = "이름,회사,이메일,개인정보 수집·이용 동의\n김서연,가온,seoyeon@gaon.example,아니오\n"
    begun = address(upload(hana, world, text))
    row = cells(hana.get(f"{begun}/refused.xlsx").content)[1]
    assert row[1] == "2"
    assert "seoyeon" not in str(row)


# ---- after the import


def test_rows_of_a_batch_are_listed_by_finding(hana: Browser, begun: str) -> None:
    step(hana, begun, "confirm")
    assert "maria@@flores" in hana.get("/import/batches/1?code=email_invalid").text
    assert "maria@@flores" not in hana.get("/import/batches/1?code=test_row").text


def test_a_long_batch_is_shown_a_page_at_a_time(hana: Browser, world: World) -> None:
    lines = "".join(f"사람 {n},회사 {n},p{n}@firm{n}.example,7B-101\n" for n in range(130))
    begun = address(upload(hana, world, "이름,회사,이메일,부스\n" + lines))
    step(hana, begun, "confirm")
    first = hana.get("/import/batches/1").text
    following = re.search(r'href="(/import/batches/1\?[^"]*after=\d+)"', first)
    assert following
    second = hana.get(following[1].replace("&amp;", "&")).text
    shown = [int(n) for page in (first, second) for n in re.findall(r">(\d+)행</a></th>", page)]
    assert shown == list(range(2, 132))


def test_the_original_is_handed_out_to_staff_and_that_is_logged(
    hana: Browser, haewook: Browser, site: Context, begun: str
) -> None:
    step(hana, begun, "confirm")
    answer = hana.post("/import/batches/1/original")
    assert answer.content == LIST.encode()
    assert "buyers.csv" in answer.headers["content-disposition"]
    assert haewook.post("/import/batches/1/original").status_code == 403
    with site.db.reading() as session:
        events = session.exec(select(Event).where(Event.verb == "original_downloaded")).all()
        assert [event.actor for event in events] == ["hana@example.com"]


def test_the_batch_tells_what_an_undo_kept_and_why(hana: Browser, site: Context, begun: str) -> None:
    step(hana, begun, "confirm")
    with site.db.writing() as session:
        address = session.exec(select(EmailAddress).where(EmailAddress.address == "wang@chenguang.example")).one()
        _sent(session, address.contact_id)
    hana.post("/import/batches/1/undo")
    text = hana.get("/import/batches/1").text
    assert "王小明: " in text
    assert "1건은 그대로 두었습니다" in text


# ---- a long list, worked off beside the request


LONG = "이름,회사,이메일,부스\n" + "".join(f"사람 {n},회사 {n},p{n}@firm{n}.example,7B-101\n" for n in range(2_100))


def wait(app: FastAPI, begun: str) -> None:
    run = app.state.runs.of(begun)
    assert run
    assert run.thread
    run.thread.join(60)
    assert run.ended


def told(text: str) -> list[tuple[str, Any]]:
    """Return the events of a stream."""
    found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)
    return [(name, json.loads(data)) for name, data in found]


def test_a_long_list_is_looked_at_and_imported_beside_the_request(
    hana: Browser, app: FastAPI, site: Context, world: World
) -> None:
    answer = upload(hana, world, LONG)
    assert answer.headers["location"] == "/import/1/progress"
    wait(app, "/import/1")
    assert told(hana.get("/import/1/events").text)[-1] == ("finished", {"to": "/import/1/confirm"})
    assert hana.get("/import/1/progress").headers["location"] == "/import/1/confirm"
    assert step(hana, "/import/1", "confirm").headers["location"] == "/import/1/progress"
    wait(app, "/import/1")
    assert "2100명을 가져왔습니다" in hana.get("/import/1/done").text.replace(",", "")
    assert contacts(site) == 4 + 2_100
    assert hana.post("/import/batches/1/undo").headers["location"] == "/import/batches/1/progress"
    wait(app, "/import/batches/1")
    assert contacts(site) == 4


def test_while_a_list_is_worked_on_its_steps_lead_to_the_progress(
    hana: Browser, app: FastAPI, world: World, begun: str
) -> None:
    go, seen = threading.Event(), threading.Event()

    def work(run: Run) -> str:
        run.phase = "checking"
        run.tell(1_000, 2_100)
        seen.set()
        go.wait(30)
        return f"{begun}/confirm"

    app.state.runs.begin(begun, work)
    seen.wait(30)
    try:
        assert hana.get(f"{begun}/columns").headers["location"] == f"{begun}/progress"
        page = hana.get(f"{begun}/progress").text
        assert 'max="2100" value="1000"' in page
        assert '<noscript><meta http-equiv="refresh"' in page
        assert hana.post(f"{begun}/confirm", {"seen": "1"}).status_code == 409
        assert hana.post(f"{begun}/discard").status_code == 409
    finally:
        go.set()
        wait(app, begun)
    assert hana.get(f"{begun}/columns").status_code == 200


def test_a_long_list_that_cannot_be_read_says_why_and_is_not_kept(
    hana: Browser, app: FastAPI, site: Context, world: World
) -> None:
    upload(hana, world, "no header at all\n" * 2_100)
    wait(app, "/import/1")
    text = hana.get("/import/1/progress").text
    assert "할 수 없었습니다" in text
    assert "buyers.csv" in text
    with site.db.reading() as session:
        assert session.exec(select(Upload)).all() == []


def test_a_choice_with_which_a_long_list_cannot_be_read_is_taken_back(
    hana: Browser, app: FastAPI, site: Context, world: World
) -> None:
    upload(hana, world, LONG)
    wait(app, "/import/1")
    step(hana, "/import/1", "reading", delimiter="|")
    wait(app, "/import/1")
    with site.db.reading() as session:
        assert "preview" in session.exec(select(Upload)).one().options
    assert tile(hana, "/import/1", "새 바이어") == 2_100


def test_after_a_stop_half_way_the_file_can_be_looked_at_again(
    hana: Browser, site: Context, world: World, begun: str
) -> None:
    with site.db.writing() as session:  # as a machine that stops between the choice and the look leaves it
        found = session.exec(select(Upload)).one()
        found.options = {"version": 7}
        session.add(found)
    assert hana.get(f"{begun}/confirm").headers["location"] == f"{begun}/progress"
    page = hana.get(f"{begun}/progress").text
    assert "중단되었습니다" in page
    assert hana.post(f"{begun}/check", {"seen": "7"}).status_code == 303
    assert hana.get(f"{begun}/confirm").status_code == 200


def test_an_import_that_fails_half_way_leaves_nothing_and_can_be_repeated(
    hana: Browser, app: FastAPI, site: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(hana, world, LONG)
    wait(app, "/import/1")
    with monkeypatch.context() as broken:
        broken.setattr("crm.pipeline.service.open_deals", lambda *_args, **_named: 1 / 0)
        step(hana, "/import/1", "confirm")
        wait(app, "/import/1")
    assert contacts(site) == 4
    assert "저장된 것은 없습니다" in hana.get("/import/1/progress").text
    step(hana, "/import/1", "confirm")
    wait(app, "/import/1")
    assert contacts(site) == 2_104


def test_pages_are_read_while_a_long_list_is_being_stored(hana: Browser, site: Context, world: World) -> None:
    with site.db.writing() as session:
        session.connection()  # holds the lock as an import does
        assert hana.get("/contacts").status_code == 200
        assert hana.get("/import").status_code == 200


def test_who_writes_meanwhile_and_waits_too_long_is_told_to_come_back(
    hana: Browser, site: Context, world: World, begun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.core.db.SQLITE_PRAGMAS", ("foreign_keys=ON", "busy_timeout=10"))
    site.db.engine.dispose()
    with site.db.writing() as session:
        session.connection()
        answer = hana.post(f"{begun}/discard")
    assert answer.status_code == 503
    assert "1분 뒤에 다시" in answer.text
    assert hana.get(f"{begun}/confirm").status_code == 200


UNKNOWN = """Guests of the fair
Wer,Womit,Wohin
Ana Gil,Flores SL,ana (at) flores.example
Eva Luz,Luz SL,+34 600 000 002
"""


def test_a_list_whose_header_is_not_found_asks_for_it_and_takes_the_line_that_is_pointed_at(
    hana: Browser, world: World
) -> None:
    answer = upload(hana, world, UNKNOWN)
    begun = address(answer)
    assert answer.headers["location"] == f"{begun}/columns"
    text = hana.get(f"{begun}/columns").text
    assert "머리글을 찾지 못했습니다" in text
    assert "2번째 줄: Wer · Womit · Wohin" in text
    assert step(hana, begun, "header", row="2").headers["location"] == f"{begun}/columns"
    text = hana.get(f"{begun}/columns").text
    assert "Womit</th>" in text
    assert "머리글을 찾지 못했습니다" not in text
    answer = step(hana, begun, "columns", c0="full_name", c1="company", c2="notes")
    assert answer.headers["location"] == f"{begun}/problems"
    step(hana, begun, "confirm")
    assert "2명을 가져왔습니다" in hana.get(f"{begun}/done").text
    assert "Eva Luz" in hana.get("/contacts?q=luz").text


def test_the_columns_of_a_list_without_header_are_mapped_by_hand(hana: Browser, site: Context, world: World) -> None:
    text = "\n".join(UNKNOWN.splitlines()[2:])
    begun = address(upload(hana, world, text))
    assert step(hana, begun, "columns", c0="full_name", c1="company", c2="notes").status_code == 303
    assert choices(hana, begun)["c1"] == "company"
    with site.db.reading() as session:
        assert session.exec(select(Upload)).one().options["header_rows"] == {"": 0}
    step(hana, begun, "confirm")
    assert "2명을 가져왔습니다" in hana.get(f"{begun}/done").text


def test_that_a_list_has_no_header_can_be_said_and_taken_back(hana: Browser, world: World) -> None:
    begun = address(upload(hana, world, UNKNOWN))
    step(hana, begun, "header", row="0")
    text = hana.get(f"{begun}/columns").text
    assert "Point" not in text
    assert "Guests of the fair" in text
    assert step(hana, begun, "header", row="2").status_code == 303
    assert "Womit</th>" in hana.get(f"{begun}/columns").text


def test_a_list_of_which_nobody_said_what_it_is_is_not_taken_in(hana: Browser, site: Context, world: World) -> None:
    before = contacts(site)
    begun = address(upload(hana, world, UNKNOWN))
    nothing = step(hana, begun, "columns", c0="", c1="", c2="")
    assert nothing.status_code == 422
    assert 'href="#f-c0"' in nothing.text
    assert 'href="#f-row"' in step(hana, begun, "header").text
    assert step(hana, begun, "header", row="x").status_code == 422
    assert step(hana, begun, "confirm").status_code == 409
    assert contacts(site) == before


def test_the_header_of_a_workbook_is_pointed_at_on_its_longest_sheet(hana: Browser, world: World) -> None:
    rows = [line.split(",") for line in UNKNOWN.splitlines()]
    data = workbook(("Cover", [["Guests", "2026"]]), ("People", rows))
    files = {"file": ("guests.xlsx", data, "application/octet-stream")}
    begun = address(hana.post("/import", {"exhibition_id": str(world.exhibition_id)}, files=files))
    text = hana.get(f"{begun}/columns").text
    assert "Wer · Womit · Wohin" in text
    step(hana, begun, "header", row="2")
    assert "Womit</th>" in hana.get(f"{begun}/columns").text
