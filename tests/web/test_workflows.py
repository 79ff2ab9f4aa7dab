"""The pages of workflows: seen as picture and list, changed with checks beside the text, versions, files."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from crm.campaigns.models import WorkflowSave
from crm.campaigns.workflows import sha256_of
from crm.core.context import Context
from tests.web.conftest import Browser
from tests.web.world import World

FILE = Path(__file__).resolve().parents[2] / "workflows" / "overseas-buyer.yaml"
TEXT = FILE.read_text("utf-8")
LATER = TEXT.replace("{thanks: 4 business days}", "{thanks: 6 business days}")
PAGE = "/workflows/overseas-buyer"


def save(browser: Browser, text: str = LATER, **fields: str) -> Any:
    return browser.post(f"{PAGE}/edit", {"text": text, "why": "바이어가 바쁨", "based_on": sha256_of(TEXT), **fields})


def saved(site: Context) -> list[WorkflowSave]:
    with site.db.reading() as session:
        return list(session.exec(select(WorkflowSave)))


def test_the_list_names_every_workflow_and_whether_it_is_in_order(hana: Browser) -> None:
    text = hana.get("/workflows").text
    assert PAGE in text
    assert "해외 바이어 사후마케팅" in text
    assert "문제 없음" in text


def test_a_workflow_is_shown_as_picture_and_as_list(hana: Browser) -> None:
    text = hana.get(PAGE).text
    assert '<svg role="img" aria-labelledby="g-title g-desc"' in text
    assert '<title id="g-title">' in text
    assert text.count('<g class="box mail') == 4
    assert text.count("<ol") >= 2
    assert "조건: 상담 평점: 4 이상" in text


@pytest.mark.parametrize("path", ["/workflows", PAGE, f"{PAGE}/edit", f"{PAGE}/versions", f"{PAGE}.yaml"])
def test_only_staff_see_and_change_workflows(haewook: Browser, mina: Browser, browser: Browser, path: str) -> None:
    assert haewook.get(path).status_code == mina.get(path).status_code == 403
    assert browser.get(path).headers["location"].startswith("/login")


@pytest.mark.parametrize("path", ["/workflows", f"{PAGE}/edit", f"{PAGE}/check"])
def test_nobody_else_can_post(haewook: Browser, site: Context, path: str) -> None:
    assert haewook.post(path, {"text": LATER, "why": "x", "based_on": sha256_of(TEXT)}).status_code == 403
    assert saved(site) == []


def test_a_post_without_the_token_is_turned_away(hana: Browser, site: Context) -> None:
    hana.csrf = "wrong"
    assert save(hana).status_code == 403
    assert saved(site) == []


def test_saving_makes_a_new_version_with_who_and_why(hana: Browser, site: Context) -> None:
    answer = save(hana)
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    [version] = saved(site)
    assert (version.saved_by, version.why, version.number) == ("hana@example.com", "바이어가 바쁨", 1)
    text = hana.get(PAGE).text
    assert "영업일 6일" in text
    assert "바이어가 바쁨" in text


def test_mistakes_come_back_with_the_text_and_lead_to_their_lines(hana: Browser, site: Context) -> None:
    wrong = LATER.replace("mail: reminder", "mail: remainder")
    answer = save(hana, wrong)
    line = wrong[: wrong.index("remainder")].count("\n") + 1
    assert answer.status_code == 422
    assert f'href="#L{line}"' in answer.text
    assert f'id="L{line}" class="bad"' in answer.text
    assert "remainder" in answer.text
    assert "reminder" in answer.text
    assert 'value="바이어가 바쁨"' in answer.text
    assert saved(site) == []


def test_a_version_without_a_reason_is_not_saved(hana: Browser) -> None:
    answer = save(hana, why=" ")
    assert answer.status_code == 422
    assert 'href="#f-why"' in answer.text
    assert "6 business days" in answer.text


def test_nothing_changed_is_said(hana: Browser) -> None:
    assert save(hana, TEXT).status_code == 422


def test_checking_stores_nothing_and_needs_no_script(hana: Browser, site: Context) -> None:
    answer = hana.post(f"{PAGE}/check", {"text": LATER, "why": "곧", "based_on": sha256_of(TEXT)})
    assert answer.status_code == 200
    assert "<textarea" in answer.text
    assert "영업일 6일" in answer.text
    assert 'value="곧"' in answer.text
    assert saved(site) == []


def test_with_script_only_the_panel_is_sent(hana: Browser) -> None:
    answer = hana.post(f"{PAGE}/check", {"text": LATER.replace("09:30-11:30", "11:30-09:30")}, hx_request="true")
    assert "<textarea" not in answer.text
    assert re.search(r'href="#L\d+" data-line="\d+"', answer.text)


def test_a_text_is_shown_as_text(hana: Browser) -> None:
    answer = hana.post(f"{PAGE}/check", {"text": "</textarea><script>alert(1)</script>", "based_on": ""})
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text


def test_a_text_that_is_too_long_is_told_so(hana: Browser, site: Context) -> None:
    answer = save(hana, TEXT + "#" * 100_001)
    assert answer.status_code == 422
    assert saved(site) == []


def test_of_two_who_edit_at_once_the_slower_loses_nothing(hana: Browser, site: Context) -> None:
    save(hana)
    mine = TEXT.replace("09:30-11:30", "14:00-16:00")
    answer = save(hana, mine)
    assert answer.status_code == 409
    assert "14:00-16:00" in answer.text
    assert "hana@example.com" in answer.text
    assert "6 business days" in answer.text
    assert f'name="based_on" value="{sha256_of(LATER)}"' in answer.text
    assert len(saved(site)) == 1
    assert save(hana, mine, based_on=sha256_of(LATER)).status_code == 303


def test_versions_are_listed_compared_and_used_again(hana: Browser, site: Context) -> None:
    save(hana)
    save(hana, LATER.replace("09:30-11:30", "14:00-16:00"), based_on=sha256_of(LATER), why="오후가 나음")
    text = hana.get(f"{PAGE}/versions").text
    assert text.index("오후가 나음") < text.index("바이어가 바쁨") < text.index("폴더의 파일")
    text = hana.get(f"{PAGE}/versions/2").text
    assert re.search("<del>.*09:30-11:30", text)
    assert re.search("<ins>.*14:00-16:00", text)
    editor = hana.get(f"{PAGE}/edit?version=1").text
    assert "09:30-11:30" in editor
    based_on = re.search(r'name="based_on" value="(\w+)"', editor)
    assert based_on
    assert save(hana, LATER, based_on=based_on[1], why="1판으로").status_code == 303
    assert [one.number for one in saved(site)] == [1, 2, 3]


def test_a_version_that_never_was_is_not_found(hana: Browser) -> None:
    for path in (f"{PAGE}/versions/9", f"{PAGE}/edit?version=9", "/workflows/nothing", "/workflows/nothing/edit"):
        assert hana.get(path).status_code == 404


def test_a_workflow_goes_out_as_a_file_and_comes_in_again(hana: Browser, site: Context, world: World) -> None:
    answer = hana.get(f"{PAGE}.yaml")
    assert answer.text == TEXT
    assert "overseas-buyer.yaml" in answer.headers["content-disposition"]
    changed = answer.text.replace("workflow: overseas-buyer", "workflow: far-buyer")
    shown = hana.post("/workflows", files={"file": ("x.yaml", changed.encode(), "text/plain")})
    assert shown.status_code == 200
    assert 'action="/workflows/far-buyer/edit"' in shown.text
    assert saved(site) == []
    assert (
        hana.post("/workflows/far-buyer/edit", {"text": changed, "why": "새 흐름", "based_on": ""}).headers["location"]
        == "/workflows/far-buyer"
    )
    assert "far-buyer" in hana.get("/campaigns/new").text


@pytest.mark.parametrize(
    "data", [b"", b"steps: []\n", "workflow: 흐름\n".encode("cp949"), b"workflow: a\n" + b"#" * 500_000]
)
def test_a_file_that_is_no_workflow_is_refused_at_its_field(hana: Browser, data: bytes) -> None:
    answer = hana.post("/workflows", files={"file": ("x.yaml", data, "text/plain")})
    assert answer.status_code == 422
    assert 'href="#f-file"' in answer.text


def test_a_copy_has_a_name_of_its_own_and_is_stored_only_when_saved(hana: Browser, site: Context) -> None:
    text = hana.get(f"{PAGE}/copy").text
    assert "workflow: overseas-buyer-2" in text
    assert 'action="/workflows/overseas-buyer-2/edit"' in text
    assert saved(site) == []


def test_a_workflow_with_mistakes_is_shown_and_can_be_mended(hana: Browser, site: Context, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("workflow: broken\nsteps: nothing\n", encoding="utf-8")
    site.settings = site.settings.model_copy(update={"workflows_dir": str(tmp_path)})
    assert "broken" in hana.get("/workflows").text
    assert hana.get("/workflows/broken").status_code == 200
    assert "steps: nothing" in hana.get("/workflows/broken/edit").text
