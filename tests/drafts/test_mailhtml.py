"""What the mail programs a letter is read in would not show is found on the finished page."""

from dataclasses import dataclass

import pytest

from crm.core.i18n import speaking
from crm.drafts.language import LANGUAGES
from crm.drafts.layout import to_html
from crm.drafts.mailhtml import check_page, contrast, supported


@pytest.fixture(autouse=True)
def _english():
    with speaking("en"):
        yield


@dataclass
class Block:
    text: str


@dataclass
class Footer:
    lines: list[str]


RICH = [Block("Dear **Ms** *Cruz*,\nhello"), Block("- one\n- two\n\n1. first\n\n[x](https://a.example/x)")]
FOOTER = Footer(["Hanbit Valve, Seoul", "Stop: https://ieum.example/u/1"])
PAGE = to_html([Block("Hi")], "en")


def faults(page):
    return [fault.message for fault in check_page(page)]


def inside(fragment):
    """Return our page with ``fragment`` in it: the faults are those of the fragment alone."""
    return PAGE.replace("Hi</p>", f"Hi</p>{fragment}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_page_has_no_fault(language):
    assert faults(to_html(RICH, language, footer=FOOTER)) == []


@pytest.mark.parametrize(
    ("fragment", "message"),
    [
        ('<img src="https://a.example/x.png" alt="x">', "<img> has no place in a letter."),
        ("<script>alert(1)</script>", "<script> has no place in a letter."),
        ("<style>p{}</style>", "<style> has no place in a letter."),
        ('<form action="https://a.example"></form>', "<form> has no place in a letter."),
        ("<bdi>x</bdi>", "<bdi> has no place in a letter."),
        ('<p onclick="x()">a</p>', "<p> carries onclick, which mail programs remove."),
        ('<p id="a">a</p>', "<p> carries id, which mail programs remove."),
        ('<a href="javascript:x()">a</a>', "A link leads to “javascript:x()”."),
        ("<a>a</a>", "A link leads to “”."),
        ('<p style="position: absolute">a</p>', "<p> is styled by position, which not every mail program knows."),
        ('<p style="display:flex">a</p>', "<p> is styled by display, which not every mail program knows."),
        ('<p style="margin: -4px">a</p>', "<p> is styled by margin: -4px, which not every mail program reads."),
        ('<p style="margin: 0 auto">a</p>', "<p> is styled by margin: 0 auto, which not every mail program reads."),
        ('<p style="font-size: 1rem">a</p>', "<p> is styled by font-size: 1rem, which not every mail program reads."),
        (
            '<p style="line-height: 20px">a</p>',
            "<p> is styled by line-height: 20px, which not every mail program reads.",
        ),
        ("<!-- todo: logo -->", "A comment stands in the page:  todo: logo "),
        ("<p>a", "<p> is not closed."),
        ("a</p>", "</p> closes nothing that is open."),
        ("<!--[if mso]><img><![endif]-->", "<img> has no place in a letter."),
    ],
)
def test_what_a_program_would_not_show_is_named(fragment, message):
    assert message in faults(inside(fragment))


@pytest.mark.parametrize(
    ("style", "message"),
    [
        ("color: #000000", "In <p> color is set and background-color is not: in dark mode the program sets the "
         "other."),
        ("background-color: #ffffff", "In <p> background-color is set and color is not: in dark mode the program sets "
         "the other."),
        ("color: #999999; background-color: #ffffff", "In <p> the text can hardly be read in light mode: contrast "
         "2.8."),
        ("color: red; background-color: #ffffff", "The colour red is not written as #rrggbb."),
    ],
)  # fmt: skip
def test_colours_that_dark_mode_makes_unreadable_are_named(style, message):
    assert message in faults(inside(f'<p style="{style}">a</p>'))


def test_a_pair_that_is_good_in_the_light_can_be_bad_in_the_dark():
    found = faults(inside('<p style="color: #767676; background-color: #ffffff">a</p>'))
    assert found == []
    found = faults(inside('<p style="color: #0000ff; background-color: #ffffff">a</p>'))
    assert found == ["In <p> the text can hardly be read in dark mode: contrast 2.4."]


def test_a_colour_inside_a_coloured_part_needs_no_background_of_its_own():
    part = '<div style="color: #000000; background-color: #ffffff"><p style="color: #222222">a</p></div>'
    assert faults(inside(part)) == []


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ('<meta charset="utf-8">', "The page does not say that it is UTF-8."),
        (' lang="en"', "The page does not say its language."),
        ('<meta name="color-scheme" content="light dark">', "The meta color-scheme is missing."),
        ('<meta name="supported-color-schemes" content="light dark">', "The meta supported-color-schemes is missing."),
    ],
)
def test_what_a_page_must_say_in_its_head_is_missed(left_out, message):
    assert left_out in PAGE
    assert faults(PAGE.replace(left_out, "")) == [message]


def test_a_page_that_gmail_would_cut_off_is_named():
    assert any("Gmail cuts it off" in message for message in faults(inside("<p>a</p>\n" * 12_000)))


def test_a_line_too_long_for_a_mail_is_named():
    assert any("999 octets" in message for message in faults(inside("\n<p>" + "x" * 992 + "</p>\n")))
    assert faults(inside("\n<p>" + "x" * 991 + "</p>\n")) == []


def test_every_property_says_where_it_is_missing_and_why_that_does_no_harm():
    for name, facts in supported()["properties"].items():
        assert bool(facts["because"]) >= bool(facts["without"]) or name.startswith("mso-"), name
