"""The letter desk: who sees and changes what, the preview, asking and approving, versions, zips in and out."""

import re
from collections.abc import Callable
from html import unescape
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from sqlmodel import select

from crm.accounts.models import User
from crm.campaigns import letters as kept
from crm.campaigns.models import LetterDecision, LetterSave
from crm.core.config import ROOT
from crm.core.context import Context
from crm.core.models import Event
from crm.drafts import desk
from crm.drafts.blocks import split
from crm.drafts.language import LANGUAGES, VARIANTS
from crm.drafts.sample_buyers import SAMPLES_OF_BUYERS
from tests.web.conftest import Browser

PAGE = "/letters/reminder"
FOLDER = ROOT / "templates" / "mail" / "reminder"


@pytest.fixture
def spanish(site: Context) -> None:
    """Haewook reads Spanish and Japanese."""
    with site.db.writing() as session:
        user = session.exec(select(User).where(User.email == "haewook@example.com")).one()
        user.languages = ["es", "ja"]


def form_of(text: str) -> dict[str, str]:
    """Return what the editor's form would post."""
    form = text[text.index('id="editor"') :]
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    areas = re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?([^<]*)</textarea>', form)
    return {**hidden, **{name: unescape(value) for name, value in areas}}


def opened(browser: Browser, language: str = "ko", page: str = PAGE) -> dict[str, str]:
    answer = browser.get(f"{page}?language={language}")
    assert answer.status_code == 200, answer.text
    return form_of(answer.text)


def save(
    browser: Browser, language: str = "ko", block: str = "closing", text: str = "건승을 빕니다.", **fields: str
) -> Any:
    return browser.post(PAGE, {**opened(browser, language), f"b-{block}": text, "why": "말투를 고침", **fields})


def saves(site: Context) -> list[LetterSave]:
    with site.db.reading() as session:
        return list(session.exec(select(LetterSave).order_by(LetterSave.id)))  # type: ignore[arg-type]


def states(site: Context) -> dict[str, str]:
    with site.db.reading() as session:
        return {
            tongue: found.state.value for tongue, found in desk.page(session, site.settings, "reminder").states.items()
        }


def seen(site: Context, language: str) -> str:
    with site.db.reading() as session:
        return desk.seen_of(kept.source_of(session, site.settings, "reminder").files, language)


def decide(browser: Browser, site: Context, verb: str, language: str, **fields: str) -> Any:
    return browser.post(f"{PAGE}/{verb}", {"language": language, "seen": seen(site, language), **fields})


# ---- seeing


def test_the_list_shows_every_letter_in_every_language(hana: Browser) -> None:
    text = hana.get("/letters").text
    for letter in (ROOT / "templates" / "mail").iterdir():
        for language in LANGUAGES:
            assert f"/letters/{letter.name}?language={language}" in text


def test_a_letter_is_shown_block_by_block_beside_the_korean(hana: Browser) -> None:
    text = hana.get(f"{PAGE}?language=es").text
    assert '<p class="pre mono" lang="ko">{{ greeting }}</p>' in text
    assert '<textarea class="mono" id="f-b-closing" name="b-closing" lang="es"' in text
    assert "<mark>" in text


@pytest.mark.parametrize("path", ["/letters", PAGE, f"{PAGE}/versions", f"{PAGE}/versions/0", f"{PAGE}.zip"])
def test_companies_do_not_see_the_desk(haewook: Browser, mina: Browser, browser: Browser, path: str) -> None:
    assert (haewook.get(path).status_code, mina.get(path).status_code) == (200, 403)
    assert browser.get(path).headers["location"].startswith("/login")


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/check", f"{PAGE}/ask", f"{PAGE}/approve", "/letters"])
def test_companies_cannot_post(mina: Browser, site: Context, path: str) -> None:
    assert mina.post(path, {"language": "ko", "why": "x", "b-closing": "x"}).status_code == 403
    assert saves(site) == []


def test_a_language_that_does_not_exist_is_not_found(hana: Browser) -> None:
    assert hana.get(f"{PAGE}?language=xx").status_code == 404
    assert hana.get("/letters/nothing").status_code == 404


# ---- writing


def test_posting_the_form_unchanged_changes_nothing(hana: Browser, site: Context) -> None:
    for language in ("ko", "es"):
        answer = hana.post(PAGE, {**opened(hana, language), "why": "x"})
        assert answer.status_code == 422
    assert saves(site) == []


def test_saving_makes_a_new_version_with_who_and_why(hana: Browser, site: Context) -> None:
    answer = save(hana)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}?language=ko")
    [version] = saves(site)
    assert (version.saved_by, version.why, version.number) == ("hana@example.com", "말투를 고침", 1)
    assert "건승을 빕니다." in opened(hana)["b-closing"]


def test_only_the_changed_block_of_the_file_changes(hana: Browser, site: Context) -> None:
    save(hana, "es", "closing", "Saludos cordiales,")
    with site.db.reading() as session:
        files = kept.source_of(session, site.settings, "reminder").files
    before = split((FOLDER / "es.md").read_text("utf-8"))
    after = split(files["es.md"])
    assert [a for a, b in zip(before.blocks, after.blocks, strict=True) if a.body != b.body] == [
        block for block in before.blocks if block.key == "closing"
    ]
    assert files["ko.md"] == (FOLDER / "ko.md").read_text("utf-8")


def test_an_advisor_changes_only_the_languages_he_reads(haewook: Browser, site: Context, spanish: None) -> None:
    assert "<textarea" not in haewook.get(f"{PAGE}?language=en").text
    assert "<textarea" not in haewook.get(f"{PAGE}?language=ko").text
    assert haewook.post(PAGE, {"language": "en", "b-closing": "x", "why": "x"}).status_code == 403
    assert save(haewook, "es", "closing", "Saludos cordiales,").status_code == 303
    assert [one.saved_by for one in saves(site)] == ["haewook@example.com"]


def test_an_advisor_does_not_change_the_settings(haewook: Browser, hana: Browser, site: Context, spanish: None) -> None:
    answer = save(haewook, "es", "closing", "Saludos cordiales,", settings="blocks: []")
    assert answer.status_code == 303
    with site.db.reading() as session:
        files = kept.source_of(session, site.settings, "reminder").files
    assert files["letter.yaml"] == (FOLDER / "letter.yaml").read_text("utf-8")


def test_a_wrong_tag_is_told_at_its_block_with_the_line(hana: Browser, site: Context) -> None:
    answer = save(hana, "es", "closing", "Saludos,\n{{ exporterr }}")
    assert answer.status_code == 422
    assert 'href="#f-b-closing"' in answer.text
    assert "exporterr" in opened_again(answer)["b-closing"]
    note = answer.text[answer.text.index('id="n-b-closing"') :]
    assert "exporterr" in note[: note.index("</div>")]
    assert saves(site) == []


def opened_again(answer: Any) -> dict[str, str]:
    return form_of(answer.text)


def test_a_version_without_a_reason_is_not_saved(hana: Browser, site: Context) -> None:
    answer = save(hana, why=" ")
    assert answer.status_code == 422
    assert 'href="#f-why"' in answer.text
    assert "건승을 빕니다." in answer.text
    assert saves(site) == []


def test_who_saves_second_is_told_who_was_faster_and_loses_nothing(
    hana: Browser, sign_in: Callable[[str], Browser], haewook: Browser, site: Context, spanish: None
) -> None:
    first = opened(hana, "es")
    save(haewook, "es", "closing", "Saludos cordiales,")
    answer = hana.post(PAGE, {**first, "b-closing": "Un saludo,", "why": "x"})
    assert answer.status_code == 409
    assert "haewook@example.com" in answer.text
    assert "Saludos cordiales," in answer.text
    assert opened_again(answer)["b-closing"] == "Un saludo,"
    again = hana.post(PAGE, {**opened_again(answer), "why": "둘을 합침"})
    assert again.status_code == 303
    assert [one.saved_by for one in saves(site)] == ["haewook@example.com", "hana@example.com"]


def test_two_people_write_two_languages_at_once(hana: Browser, haewook: Browser, site: Context, spanish: None) -> None:
    mine = opened(hana, "en")
    save(haewook, "es", "closing", "Saludos cordiales,")
    assert hana.post(PAGE, {**mine, "b-closing": "Regards,", "why": "x"}).status_code == 303
    assert opened(hana, "es")["b-closing"] == "Saludos cordiales,"


def test_a_block_is_added_with_its_place_in_the_settings(hana: Browser, site: Context) -> None:
    form = opened(hana)
    form["settings"] = form["settings"].replace("closing, signature]", "closing, postscript, signature]")
    shown = form_of(hana.post(f"{PAGE}/check", form).text)
    assert shown["b-postscript"] == ""
    assert hana.post(PAGE, {**shown, "b-postscript": "추신입니다.", "why": "추신"}).status_code == 303
    assert states(site)["ko"] == states(site)["es"] == "writing"
    assert "b-postscript" in opened(hana, "es")


def test_one_more_wording_is_asked_for_in_every_language(hana: Browser, site: Context) -> None:
    form = form_of(hana.post(f"{PAGE}/check", {**opened(hana), "more": "signature"}).text)
    assert form["b-signature-2"] == ""
    assert hana.post(PAGE, {**form, "b-signature-2": "어떻게 생각하십니까?", "why": "표현"}).status_code == 303
    assert "b-signature-2" in opened(hana, "ja")


def test_a_variant_says_only_what_is_said_in_another_way(hana: Browser, site: Context) -> None:
    variant = next(tag for tag in VARIANTS if not (FOLDER / f"{tag}.md").exists())
    assert f"{PAGE}?language={variant}" in hana.get(PAGE).text
    form = opened(hana, variant)
    assert {value for name, value in form.items() if name.startswith("b-")} == {""}
    assert hana.post(PAGE, {**form, "b-signature": "{{ sender_name }}", "why": "지역"}).status_code == 303
    with site.db.reading() as session:
        files = kept.source_of(session, site.settings, "reminder").files
    assert files[f"{variant}.md"] == "[[signature]]\n{{ sender_name }}\n"
    assert states(site)[variant] == "writing"


# ---- how it reads


def test_checking_stores_nothing_and_needs_no_script(hana: Browser, site: Context) -> None:
    answer = hana.post(f"{PAGE}/check", {**opened(hana, "es"), "b-closing": "Hasta pronto,", "why": "곧"})
    assert answer.status_code == 200
    assert opened_again(answer)["b-closing"] == "Hasta pronto,"
    assert answer.text.count("Hasta pronto,") >= 3
    assert 'value="곧"' in answer.text
    assert saves(site) == []


def test_with_script_only_the_preview_and_the_notes_are_sent(hana: Browser) -> None:
    answer = hana.post(f"{PAGE}/check", {**opened(hana, "es"), "b-closing": "{{ nobody }}"}, hx_request="true")
    assert "<textarea" not in answer.text
    assert 'data-notes="n-b-closing"' in answer.text
    assert "nobody" in answer.text


@pytest.mark.parametrize("code", [one.code for one in SAMPLES_OF_BUYERS])
def test_every_sample_buyer_gets_the_letter_in_all_languages(hana: Browser, code: str) -> None:
    answer = hana.get(f"{PAGE}?language=ko&sample={code}&beside=all")
    assert answer.status_code == 200
    assert answer.text.count('<div class="buyer-view"') == len([*FOLDER.glob("*.md")])


def test_what_the_rules_find_stands_beside_its_block(hana: Browser) -> None:
    answer = hana.post(f"{PAGE}/check", {**opened(hana, "es"), "b-closing": "안녕히 계십시오."}, hx_request="true")
    note = answer.text[answer.text.index('data-notes="n-b-closing"') :]
    assert "<svg" in note[: note.index("</div>")]


def test_what_the_check_of_files_finds_stands_beside_its_block(hana: Browser) -> None:
    form = opened(hana, "en")
    answer = hana.post(f"{PAGE}/check", {**form, "b-signature": form["b-signature"] + "\nBest ,"}, hx_request="true")
    note = answer.text[answer.text.index('data-notes="n-b-signature"') :]
    assert "<svg" in note[: note.index("</div>")]


def test_a_text_is_shown_as_text(hana: Browser) -> None:
    answer = hana.post(f"{PAGE}/check", {**opened(hana, "es"), "b-closing": "</textarea><script>alert(1)</script>"})
    assert "<script>alert" not in answer.text


def test_the_html_part_can_do_nothing(hana: Browser) -> None:
    answer = hana.post(f"{PAGE}/html", {**opened(hana, "es"), "of": "es"})
    assert answer.text.startswith("<!DOCTYPE html>")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]


# ---- approving


def test_a_changed_korean_text_makes_the_other_languages_look_again(hana: Browser, site: Context) -> None:
    save(hana)
    found = states(site)
    assert found.pop("ko") == "writing"
    assert {found[language] for language in LANGUAGES if language != "ko"} == {"again"}


def test_a_text_is_approved_by_a_second_person_who_reads_it(
    hana: Browser, haewook: Browser, site: Context, spanish: None
) -> None:
    save(hana, "es", "closing", "Saludos cordiales,")
    assert states(site)["es"] == "writing"
    decide(hana, site, "ask", "es")
    assert states(site)["es"] == "review"
    assert decide(hana, site, "approve", "es").status_code == 403
    assert f"{PAGE}?language=es" in haewook.get("/letters").text
    assert decide(haewook, site, "approve", "es").status_code == 303
    assert states(site)["es"] == "approved"


def test_nobody_approves_what_he_wrote_himself(haewook: Browser, site: Context, spanish: None) -> None:
    save(haewook, "es", "closing", "Saludos cordiales,")
    decide(haewook, site, "ask", "es")
    assert decide(haewook, site, "approve", "es").status_code == 403
    assert states(site)["es"] == "review"


def test_who_reads_the_language_confirms_it_beside_the_new_korean(
    hana: Browser, haewook: Browser, site: Context, spanish: None
) -> None:
    save(hana)
    assert decide(haewook, site, "approve", "es").status_code == 303
    assert states(site)["es"] == "approved"
    assert decide(haewook, site, "approve", "en").status_code == 403


def test_a_text_that_changed_meanwhile_is_not_approved(
    hana: Browser, haewook: Browser, site: Context, spanish: None
) -> None:
    save(hana, "es", "closing", "Saludos cordiales,")
    decide(hana, site, "ask", "es")
    old = seen(site, "es")
    save(hana, "es", "closing", "Un saludo,")
    answer = haewook.post(f"{PAGE}/approve", {"language": "es", "seen": old})
    assert answer.status_code == 303
    assert states(site)["es"] == "writing"


def test_a_text_goes_back_with_a_reason(hana: Browser, haewook: Browser, site: Context, spanish: None) -> None:
    save(hana, "es", "closing", "Saludos cordiales,")
    decide(hana, site, "ask", "es")
    assert decide(haewook, site, "return", "es", note=" ").status_code == 422
    assert decide(haewook, site, "return", "es", note="Falta la coma").status_code == 303
    assert states(site)["es"] == "writing"
    assert "Falta la coma" in hana.get(f"{PAGE}?language=es").text


def test_nothing_is_approved_that_nobody_asked_for(
    hana: Browser, haewook: Browser, site: Context, spanish: None
) -> None:
    save(hana, "es", "closing", "Saludos cordiales,")
    decide(haewook, site, "approve", "es")
    assert states(site)["es"] == "writing"


# ---- versions


def test_an_older_version_is_shown_word_by_word_and_used_again(hana: Browser, site: Context) -> None:
    save(hana, "en", "closing", "Regards,")
    save(hana, "en", "closing", "Kind regards,")
    text = hana.get(f"{PAGE}/versions/2").text
    assert "<ins>" in text
    assert "<del>" in text
    assert hana.post(f"{PAGE}/versions/1", {"why": ""}).status_code == 422
    assert hana.post(f"{PAGE}/versions/1", {"why": "앞의 것이 나음"}).status_code == 303
    assert [one.number for one in saves(site)] == [1, 2, 3]
    assert saves(site)[0].sha256 == saves(site)[2].sha256


def test_only_staff_use_an_older_version_again(hana: Browser, haewook: Browser, site: Context) -> None:
    save(hana)
    assert haewook.post(f"{PAGE}/versions/0", {"why": "x"}).status_code == 403
    assert len(saves(site)) == 1


# ---- out and in


def uploaded(browser: Browser, data: bytes, why: str = "다른 센터에서") -> Any:
    return browser.post("/letters", {"why": why}, files={"file": ("reminder.zip", data, "application/zip")})


def test_the_zip_is_the_folder_byte_for_byte(hana: Browser) -> None:
    with ZipFile(BytesIO(hana.get(f"{PAGE}.zip").content)) as archive:
        files = {name.removeprefix("reminder/"): archive.read(name) for name in archive.namelist()}
    assert files == {path.name: path.read_bytes() for path in FOLDER.iterdir()}


def test_a_zip_comes_back_as_it_left(hana: Browser, haewook: Browser, site: Context, spanish: None) -> None:
    save(hana)
    decide(haewook, site, "approve", "es")
    left, states_then = hana.get(f"{PAGE}.zip").content, states(site)
    save(hana, "en", "closing", "Regards,")
    assert uploaded(hana, left).status_code == 303
    assert states(site) == states_then
    assert hana.get(f"{PAGE}.zip").content == left


def test_taking_in_what_is_in_use_changes_nothing(hana: Browser, site: Context) -> None:
    assert uploaded(hana, hana.get(f"{PAGE}.zip").content).headers["location"] == PAGE
    assert saves(site) == []


def test_a_bad_zip_is_told_with_the_reason_kept(hana: Browser, site: Context) -> None:
    answer = uploaded(hana, b"no zip at all")
    assert answer.status_code == 422
    assert 'href="#f-file"' in answer.text
    assert 'value="다른 센터에서"' in answer.text
    assert uploaded(hana, hana.get(f"{PAGE}.zip").content[:-30]).status_code == 422
    assert saves(site) == []


def test_only_staff_take_letters_in(haewook: Browser, site: Context, spanish: None) -> None:
    assert haewook.post("/letters", {"why": "x"}).status_code == 403
    assert 'name="file"' not in haewook.get("/letters").text


def test_decisions_are_in_the_log(hana: Browser, haewook: Browser, site: Context, spanish: None) -> None:
    save(hana)
    decide(haewook, site, "approve", "es")
    with site.db.reading() as session:
        [row] = session.exec(select(LetterDecision)).all()
        verbs = {event.verb for event in session.exec(select(Event))}
    assert (row.language, row.decided_by, row.kind) == ("es", "haewook@example.com", "approved")
    assert {"letter_saved", "letter_text_approved"} <= verbs
    assert hana.get("/audit").status_code == 200
