import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from crm.core.i18n import catalogue
from crm.web import pages

WEB = pages.TEMPLATE_DIR.parent
TEMPLATES = sorted(pages.TEMPLATE_DIR.rglob("*.html"))
HTMX_ALLOWED = {"hx-get", "hx-post", "hx-target", "hx-swap", "hx-push-url", "hx-disable", "hx-trigger"}


def messages() -> set[str]:
    methods = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
    options = {"**.html": {"extensions": "jinja2.ext.loopcontrols", "silent": "false"}}
    found = extract_from_dir(WEB, methods, options, keywords={"_": None, "N_": None, "ngettext": (1, 2)})
    return {item[2] if isinstance(item[2], str) else item[2][0] for item in found}


def test_every_sentence_of_the_pages_is_there_in_korean() -> None:
    korean = catalogue("ko")
    untranslated = sorted(
        text for text in messages() if text and korean.gettext(text) == korean.ngettext(text, "", 1) == text
    )
    assert untranslated == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(pages.TEMPLATE_DIR).as_posix())
def test_a_template_holds_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(pages.TEMPLATE_DIR).as_posix())
def test_a_template_uses_only_the_allowed_attributes_of_htmx(path: Path) -> None:
    assert set(re.findall(r"\s(hx-[a-z-]+)", path.read_text("utf-8"))) <= HTMX_ALLOWED


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(pages.TEMPLATE_DIR).as_posix())
def test_a_template_filters_no_trigger_because_that_would_be_script(path: Path) -> None:
    assert not any("[" in value for value in re.findall(r'hx-trigger="([^"]*)"', path.read_text("utf-8")))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(pages.TEMPLATE_DIR).as_posix())
def test_every_form_of_a_template_carries_the_token(path: Path) -> None:
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", path.read_text("utf-8"), re.DOTALL):
        if 'action="/login"' not in form and 'action="/u/' not in form:
            assert "csrf_field()" in form


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(pages.TEMPLATE_DIR).as_posix())
def test_a_template_switches_escaping_off_nowhere(path: Path) -> None:
    assert not re.search(r"\|\s*safe|autoescape", path.read_text("utf-8"))
