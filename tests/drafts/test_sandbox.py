"""Templates that try to get out of their sandbox, or to take the machine's time or memory, are refused with a sentence.

A template is refused when it is saved: the library reads and tries out every letter before it may be used.
"""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.core.errors import BadInput, Refused
from crm.core.i18n import speaking
from crm.drafts import guard
from crm.drafts.language import LANGUAGES
from crm.drafts.layout import to_html, to_text
from crm.drafts.placeholders import SAMPLES
from crm.drafts.templates import Library, read_letter, render

SETTINGS = (
    "title: {ko: 인사, en: Hello}\ncommercial: true\nblocks: [greeting, body]\n"
    "placeholders: [greeting, product, requested]\n"
)
FINE = (
    "[[subject]]\nHello\n\n[[greeting]]\n{{ greeting }}\n\n[[body]]\n"
    "{% if product %}\nAbout {{ product }}.\n{% endif %}\n{% for item in requested %}\n- {{ item }}\n{% endfor %}\n"
)
BELOW = 14  # the line of what is put below FINE


@pytest.fixture(autouse=True)
def _english():
    with speaking("en"):
        yield


@pytest.fixture
def folder(tmp_path):
    """A folder with one small letter that is right."""
    letter = tmp_path / "hello"
    letter.mkdir()
    (letter / "letter.yaml").write_text(SETTINGS, "utf-8")
    for language in LANGUAGES:
        (letter / f"{language}.md").write_text(FINE, "utf-8")
    (letter / "ko-KR.md").write_text("[[body]]\nHello at home.\n", "utf-8")
    return tmp_path


def refused(folder, *, english=None, settings=None):
    """Save a changed letter and return what is said about it: with file, in a second, and of a known kind."""
    if english is not None:
        (folder / "hello" / "en.md").write_text(english, "utf-8")
    if settings is not None:
        (folder / "hello" / "letter.yaml").write_text(settings, "utf-8")
    start = time.process_time()
    with pytest.raises(BadInput) as caught:
        Library(folder)
    assert time.process_time() - start < 1
    name = "en.md" if settings is None else "letter.yaml"
    assert all(str(problem.place.file).endswith(name) for problem in caught.value.problems)
    assert "Traceback" not in caught.value.message
    return caught.value.problems


ESCAPES = {
    "class": "{{ greeting.__class__ }}",
    "mro": "{{ greeting.__class__.__mro__[1].__subclasses__() }}",
    "subclasses of a constant": "{{ ''.__class__.__base__.__subclasses__() }}",
    "item instead of attribute": "{{ greeting['__class__'] }}",
    "attr filter": "{{ greeting|attr('__class__') }}",
    "attr filter with hex": "{{ ()|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "globals of a function": "{{ greeting.format.__globals__ }}",
    "cycler": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "joiner": "{{ joiner() }}",
    "namespace": "{% set ns = namespace(x=1) %}{{ ns.x }}",
    "lipsum": "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "lipsum alone": "{% if lipsum %}x{% endif %}",
    "self": "{{ self.__init__ }}",
    "self alone": "{{ self }}",
    "loop": "{% for item in requested %}{{ loop.index }}{% endfor %}",
    "config": "{{ config }}",
    "request": "{{ request.application.__globals__ }}",
    "url_for": "{{ url_for.__globals__ }}",
    "dict": "{{ dict(a=1) }}",
    "format method": "{{ '{0.__class__}'.format(greeting) }}",
    "format_map method": "{{ '{a.__class__}'.format_map({'a': greeting}) }}",
    "format filter": "{{ '%s'|format(greeting) }}",
    "percent": "{{ '%999999999s' % greeting }}",
    "include": "{% include 'ko.md' %}",
    "import": "{% import 'ko.md' as x %}",
    "from import": "{% from 'ko.md' import x %}",
    "extends": "{% extends 'ko.md' %}",
    "macro": "{% macro x() %}a{% endmacro %}{{ x() }}",
    "call": "{% call greeting() %}a{% endcall %}",
    "set": "{% set x = 1 %}",
    "do": "{% do greeting.append(1) %}",
    "with": "{% with x = 1 %}a{% endwith %}",
    "filter block": "{% filter upper %}a{% endfilter %}",
    "autoescape": "{% autoescape false %}a{% endautoescape %}",
    "block": "{% block x %}a{% endblock %}",
    "raw": "{% raw %}{{ greeting }}{% endraw %}",
    "debug": "{% debug %}",
    "trans": "{% trans %}a{% endtrans %}",
    "break": "{% for item in requested %}{% break %}{% endfor %}",
    "filter": "{{ greeting|upper }}",
    "map filter": "{{ requested|map('attr', '__class__')|list }}",
    "test": "{% if greeting is string %}a{% endif %}",
    "arithmetic": "{{ 1 + 1 }}",
    "comparison": "{% if product == 'x' %}a{% endif %}",
    "call of a value": "{{ greeting() }}",
    "join": "{{ greeting ~ product }}",
    "slice": "{{ greeting[0:1] }}",
    "inline if": "{{ greeting if product else product }}",
    "list": "{{ [greeting, product] }}",
    "list to loop over": "{% for a in [1, 2, 3] %}x{% endfor %}",
    "loop over a call": "{% for a in greeting.split() %}x{% endfor %}",
    "unpacking": "{% for a, b in requested %}x{% endfor %}",
    "name of a global for an item": "{% for cycler in requested %}x{% endfor %}{{ cycler }}",
    "item outside its list": "{{ item }}",
    "item asked for outside its list": "{% if item %}x{% endif %}{% for item in requested %}{{ item }}{% endfor %}",
    "dunder for an item": "{% for __class__ in requested %}x{% endfor %}",
    "line statement": "# for item in requested",
    "line statement with percent": "% set x = 1",
    "other name": "{{ settings }}",
    "full-width letters": "{{ ｐroduct }}",
    "Cyrillic letter": "{{ prоduct }}",
    "zero-width space": "{{ pro\u200bduct }}",
    "right-to-left override": "About \u202etcudorp.",
    "end of a block": "a\x1eb",
    "mark of a value": "a\ue000b\ue001",
    "NUL": "a\x00b",
    "number": "{{ 1 }}",
    "unclosed tag": "{{ product",
}
BOMBS = {
    "text times a number": "{{ 'x' * 1000000000 }}",
    "list times a number": "{{ [1] * 1000000000 }}",
    "power": "{{ 9 ** 9 ** 9 ** 9 }}",
    "center filter": "{{ greeting|center(1000000000) }}",
    "huge range": "{% for a in range(999999999) %}x{% endfor %}",
    "range as a list": "{{ range(999999999)|list }}",
    "nested loops": "{% for a in requested %}{% for b in requested %}x{% endfor %}{% endfor %}",
    "recursion": "{% for a in requested recursive %}{{ loop(requested) }}{% endfor %}",
    "silent recursion": "{% for a in requested recursive %}x{% endfor %}",
    "macro of itself": "{% macro x() %}{{ x() }}{% endmacro %}{{ x() }}",
    "very long text": "x" * 200 + "\n" + "word " * 20_000,
    "very long line": "x" * 5_000,
    "very long file": "a line\n" * 1_000_000,
    "deep conditions": "{% if product %}" * 500 + "x" + "{% endif %}" * 500,
    "conditions without end": "{% if product %}" * 1_000,
    "many conditions": "{% if product %}\nx\n{% endif %}\n" * 800,
    "many values": "{{ product }}\n" * 2_000,
    "long condition": "{% if " + " and ".join(["product"] * 5_000) + " %}x{% endif %}",
    "condition on many lines": "{% if " + " and\n".join(["product"] * 3_000) + " %}x{% endif %}",
    "many not": "{% if " + "not " * 2_000 + "product %}x{% endif %}",
    "deep brackets": "{{ " + "(" * 140 + "product" + ")" * 140 + " }}",
    "deep lists": "{{ " + "[" * 140 + "]" * 140 + " }}",
    "many openers": "{%" * 10_000,
    "many half tags": "{{" * 900 + "\n" + "{%" * 900,
    "huge number": "{{ " + "9" * 10_000 + " }}",
    "signs": "{{ " + "-" * 250 + "1 }}",
}


@pytest.mark.parametrize("trick", ESCAPES.values(), ids=ESCAPES)
def test_a_way_out_of_the_sandbox_is_refused_with_file_and_line(folder, trick):
    found = refused(folder, english=FINE + trick + "\n")
    assert BELOW in {problem.place.line for problem in found}


@pytest.mark.parametrize("trick", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_within_a_second(folder, trick):
    assert refused(folder, english=FINE + trick + "\n")


YAML_BOMBS = {
    "laughs": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "blocks: *i\n",
    "alias": SETTINGS.replace("[greeting, body]", "&x [greeting, body]"),
    "tag": SETTINGS + "needs: !!python/object/apply:os.system ['id']\n",
    "deep lists": "blocks: " + "[" * 1_900,
    "deep list of lines": "blocks:\n" + "- " * 900,
    "long": SETTINGS + "# x\n" * 20_000,
    "many blocks": SETTINGS.replace("[greeting, body]", "[" + ", ".join(f"b{n}" for n in range(60)) + "]"),
    "control character": SETTINGS + "\x07",
    "broken": "title: {ko: 인사\n",
    "a list": "- a\n",
    "key twice": SETTINGS + "commercial: false\n",
}


@pytest.mark.parametrize("settings", YAML_BOMBS.values(), ids=YAML_BOMBS)
def test_a_bad_letter_yaml_is_refused_within_a_second(folder, settings):
    assert refused(folder, settings=settings)


def test_the_line_of_what_is_refused_is_told(folder):
    (problem,) = refused(folder, english=FINE.replace("About", "{% if product %}" * 7 + "About"))
    assert (problem.place.line, problem.message) == (
        9,
        "More than 6 conditions and lists stand within one another.",
    )


def test_a_file_of_ten_lines_too_many_says_how_long_it_may_be(folder):
    (problem,) = refused(folder, english=FINE + "a word\n" * 5_000)
    assert problem.message == f"The file has {len(FINE) + 35_000} characters; 32000 are the most."


# --- what a template that is right cannot be made to do by values ----------------------------------------------------


def written(folder, **facts):
    letter = Library(folder).letter("hello")
    return render(letter, "en", {"en": replace(SAMPLES["en"], **facts)})


@pytest.mark.parametrize("loop", ["- {{ item }}", "- {{ item }}\n{{ item }}"])
def test_a_list_of_ten_thousand_items_is_refused(folder, monkeypatch, loop):
    (folder / "hello" / "en.md").write_text(FINE.replace("- {{ item }}", loop), "utf-8")
    letter = Library(folder).letter("hello")
    known = {"greeting": "Dear", "product": "", "requested": ("x",) * 10_000}
    monkeypatch.setattr("crm.drafts.templates.values", lambda *args, **kwargs: known)
    with pytest.raises(Refused, match="requested has 10000 items; 200 are the most"):
        render(letter, "en", SAMPLES)


def test_a_value_without_end_is_refused(folder):
    with pytest.raises(Refused, match="product has 2000000 characters"):
        written(folder, product="x" * 2_000_000)


def test_a_letter_that_repeats_long_values_is_refused(folder):
    (folder / "hello" / "en.md").write_text(FINE.replace("About {{ product }}", "{{ product }} " * 100), "utf-8")
    with pytest.raises(Refused, match="40000 are the most"):
        written(folder, product="x" * 9_000)


@pytest.mark.parametrize(
    "value",
    [
        "[" * 3_000,
        "](" * 1_500,
        "*" * 3_000,
        "**a" * 1_000,
        "_a" * 1_500,
        "\\" * 3_000,
        "`" * 3_000,
        "<" * 3_000,
        "&#x41;" * 600,
        "https://" * 400,
        "a@" * 1_500,
        "1. " * 1_000,
        "- " * 1_500,
        "a\n" * 1_500,
        "가" * 3_000,
        "\u202e" * 3_000 + "x",
    ],
)
def test_no_value_takes_long_to_write_or_to_lay_out(folder, value):
    letter = Library(folder).letter("hello")
    known = {"greeting": "Dear", "product": value or "x", "requested": (value[:1_000],) * 9}
    start = time.process_time()
    filled = render(letter, "en", {"en": replace(SAMPLES["en"], product=known["product"])})
    to_text(filled.blocks)
    to_html(filled.blocks, "en")
    assert time.process_time() - start < 1


def test_the_letters_of_the_house_are_well_within_the_limits():
    for letter in Library("templates/mail").letters():
        assert len(letter.blocks) <= guard.MAX_BLOCKS / 2, letter.name


# --- what nobody thought of ------------------------------------------------------------------------------------------

PIECES = (
    *("{{", "}}", "{%", "%}", "{#", "#}", "{%-", "-%}", "{%+", "+%}", "[[", "]]", "[[body]]", "[[body 2]]"),
    *("{% if product %}", "{% endif %}", "{% for item in requested %}", "{% endfor %}", "{{ item }}", "{{ product }}"),
    *("if", "elif", "else", "endif", "for", "in", "endfor", "not", "and", "or", "is", "recursive", "raw", "endraw"),
    *("greeting", "product", "requested", "item", "loop", "self", "__class__", "range", "lipsum", "true", "none", "1"),
    *("(", ")", "[", "]", "{", "}", ".", "|", "~", "*", "+", "-", ",", ":", "=", "==", "'", '"', "\\", "%", "#", "`"),
    *(" ", "\n", "\n\n", "\t", "\r", "\x1e", "\ue000", "\u202e", "가", "é", "- ", "1. ", "**", "<b>", "&amp;", "http://a"),
)  # fmt: skip
OF_YAML = (*PIECES, "blocks", "placeholders:", "&a", "*a", "!!x", "? ", "|\n", ">\n", "---")
FILES = {"letter.yaml": SETTINGS.encode(), "ko-KR.md": b"[[body]]\nHello at home.\n"} | {
    f"{language}.md": FINE.encode() for language in LANGUAGES
}


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_whatever_stands_in_a_file_is_read_or_refused_with_a_sentence(text):
    start = time.process_time()
    try:
        read_letter("hello", FILES | {"en.md": FINE.encode() + text.encode()}, Path("hello"))
    except BadInput as error:
        assert all(str(problem.place.file).startswith("hello/") for problem in error.problems)
    assert time.process_time() - start < 1


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(OF_YAML), max_size=20).map("".join))
def test_whatever_stands_in_letter_yaml_is_read_or_refused_with_a_sentence(text):
    try:
        read_letter("hello", FILES | {"letter.yaml": SETTINGS.encode() + text.encode()}, Path("hello"))
    except BadInput as error:
        assert all(str(problem.place.file).startswith("hello/") for problem in error.problems)
