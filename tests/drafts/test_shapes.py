"""A block made from its form reads as the block read anew, whatever its values are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.drafts import markdown, shapes
from crm.drafts.layout import to_html, to_text
from crm.drafts.placeholders import Lines, Url
from crm.drafts.templates import CLOSE, OPEN, RenderedBlock, _fill, escape, unmarked

FORMS = (
    "Hello {text}, and {text}.",
    "{lines}\nMore.",
    "- {text}\n- {text}",
    "1. {text}\n2. own",
    "**Bold** words, {text}\n\n{url}",
    "See [our page]({url}) or ({url}).",
    "网址：{url}。{text}",
    "{text}\n{url}\n{text}",
)
WORDS = st.text(min_size=1, max_size=30).filter(str.strip)
URLS = st.sampled_from(["https://a.example/x?a=1&b=2", "http://b.example/", "https://c.example/ko_1.pdf#p=2"])


def plainly(html, _language):
    return html


@st.composite
def blocks(draw):
    """A block as a template makes it, with values of any kind."""
    kinds = {
        "text": WORDS,
        "url": URLS.map(Url),
        "lines": st.lists(WORDS, min_size=1, max_size=3).map("\n".join).map(Lines),
    }
    form = draw(st.sampled_from(FORMS))
    marked = re.sub(r"\{(\w+)\}", lambda found: _fill(draw(kinds[found[1]].filter(_says_something))), form)
    return "\n".join(line.rstrip() for line in marked.split("\n")).strip()


def _says_something(value):
    return all(escape(part) for part in str(value).split("\n"))


@given(blocks())
def test_a_form_filled_in_reads_as_the_block_itself(marked):
    assert shapes.plain(marked) == markdown.plain(unmarked(marked))
    assert shapes.to_html(marked, plainly, "en") == markdown.to_html(unmarked(marked)).replace("&quot;", '"')


@given(WORDS.filter(_says_something))
def test_a_value_between_marks_of_markdown_stays_a_value(value):
    """``**{{ name }}**``: whatever the name begins with, it is bold, and no sign of it is read."""
    shown = re.sub("[\ue000\ue001]", "", re.sub(r"\\(.)", r"\1", _fill(value)))
    if "://" not in shown:
        assert shapes.plain(f"**{_fill(value)}**") == shown


def test_a_value_that_looks_like_a_sign_of_ours_is_no_slot():
    marked = f"Own \ue100 {OPEN}value{CLOSE} https://v.invalid/0/"
    assert shapes.plain(marked) == markdown.plain(unmarked(marked))


@pytest.mark.parametrize("value", ["see https://a.example/x now", "a\n\nb"])
def test_a_value_of_an_unknown_kind_takes_the_ordinary_way(value):
    marked = f"Text {OPEN}{value}{CLOSE} end."
    assert shapes.to_html(marked, plainly, "en") == markdown.to_html(unmarked(marked))


def test_marks_that_do_not_belong_to_the_approved_text_are_not_read():
    block = RenderedBlock("x", "What was approved.", f"What was {OPEN}swapped{CLOSE}.")
    assert "swapped" not in to_text([block]) + to_html([block], "en")
    assert "What was approved." in to_html([block], "en")
