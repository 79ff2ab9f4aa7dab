from dataclasses import dataclass

import pytest

from crm.drafts.layout import block_html, links, plain, to_html, to_text
from crm.drafts.mailhtml import check_page


@dataclass
class Block:
    text: str


@dataclass
class Footer:
    lines: list[str]


def test_text_has_no_markdown_signs():
    assert to_text([Block("**강조:**값"), Block("A [link](https://a.example/x)")]) == (
        "강조:값\n\nA link <https://a.example/x>\n"
    )


@pytest.mark.parametrize("text", ["**강조:**값", "값**강조**은", "**日本語、**です", "**中文：**您好", "a **b** c"])
def test_emphasis_beside_korean_chinese_and_japanese_letters_is_read(text):
    assert "<strong>" in block_html(text)
    assert "*" not in plain(text)


def test_line_breaks_and_paragraphs_are_kept():
    assert plain("一\n二\n\n三") == "一\n二\n\n三"
    assert block_html("一\n二").count("<br>") == 1


def test_lists_are_lists_in_both_parts():
    source = "Terms:\n\n- one\n- two\n\n1. first\n2. second"
    assert plain(source) == "Terms:\n\n- one\n- two\n\n1. first\n2. second"
    page = to_html([Block(source)], "en")
    assert "<ul" in page
    assert "<ol" in page


def test_a_bare_address_becomes_a_link_without_the_sign_after_it():
    assert links("见 https://a.example/x_y?b=1&c=2。") == ["https://a.example/x_y?b=1&c=2"]
    assert links("See https://a.example/x.") == ["https://a.example/x"]


@pytest.mark.parametrize("text", ["[x](javascript:alert(1))", "[x](data:text/html,a)", "![x](https://a.example/p.png)"])
def test_only_web_and_mail_links_are_made_and_no_pictures(text):
    assert "javascript:" not in "".join(links(text))
    assert "<img" not in block_html(text)


def test_html_from_outside_is_shown_not_run():
    page = to_html([Block("<img src=x onerror=alert(1)>")], "en", footer=Footer(["<b>x</b>"]))
    assert "<img" not in page
    assert "&lt;b&gt;" in page


def test_the_page_says_its_language_and_carries_its_styles_inline():
    page = to_html([Block("こんにちは")], "ja")
    assert '<html lang="ja" dir="ltr">' in page
    assert "<style" not in page
    assert '<p style="margin' in page
    assert "Meiryo" in page


def test_the_footer_stands_in_both_parts_with_its_link():
    footer = Footer(["Hanbit Valve, Seoul", "Stop: https://a.example/u/1?a=1&b=2"])
    text, page = to_text([Block("Hi")], footer=footer), to_html([Block("Hi")], "en", footer=footer)
    assert text == "Hi\n\n--\nHanbit Valve, Seoul\nStop: https://a.example/u/1?a=1&b=2\n"
    assert 'href="https://a.example/u/1?a=1&amp;b=2"' in page


def test_filled_in_values_are_marked_on_the_review_page_only():
    assert block_html("Dear \ue000Ms Cruz\ue001,") == "<p>Dear <mark>Ms Cruz</mark>,</p>\n"
    assert "mark" not in to_html([Block("Dear \ue000Ms Cruz\ue001,")], "en")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("شركة الواحة 귀중", '<span dir="rtl">شركة الواحة</span> 귀중'),
        ("an شركة ABC للتجارة, booth 7", 'an <span dir="rtl">شركة ABC للتجارة</span>, booth 7'),
        ("(שלום)", '(<span dir="rtl">שלום</span>)'),
        ("شركة (دبي).", '<span dir="rtl">شركة (دبي).</span>'),
        ("Müller & Söhne", "Müller &amp; Söhne"),
    ],
)
def test_a_name_from_right_to_left_is_kept_apart_with_what_all_programs_know(text, shown):
    assert shown in to_html([Block(text)], "ko")
    assert check_page(to_html([Block(text)], "ko")) == []


def test_a_filled_in_name_from_right_to_left_is_kept_apart_in_the_same_way():
    @dataclass
    class Marked:
        text: str
        marked: str

    marked = Marked("an شركة الواحة, Korea", "an \ue000شركة الواحة\ue001, Korea")
    assert to_html([marked], "ko") == to_html([Block(marked.text)], "ko")
    assert 'an <span dir="rtl">شركة الواحة</span>, Korea' in to_html([marked], "ko")
