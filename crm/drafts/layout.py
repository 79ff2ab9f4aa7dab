"""One Markdown source, two parts: the plain text and the HTML of a letter. Pure.

The HTML has no image, script, colour or remote part, and reads the same with pictures off and in dark mode in Outlook,
Gmail, Naver, QQ and Apple Mail; ``mailhtml.py`` holds it to what these show. Markdown is read and styles are inlined
once for each form a block takes (``shapes``), not for each letter.
"""

import html
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple, Protocol

import css_inline

from crm.drafts import markdown, shapes
from crm.drafts.markdown import ADDRESS
from crm.drafts.templates import CLOSE, OPEN, unmarked


class Written(Protocol):
    """A block of a letter; where it has ``marked`` too, values are told from the template's own text by it."""

    @property
    def text(self) -> str: ...


class Footing(Protocol):
    """The lines a law wants under a letter."""

    @property
    def lines(self) -> Sequence[str]: ...


def to_text(blocks: Iterable[Written], *, footer: Footing | None = None) -> str:
    """Return the plain text part: no Markdown signs, each link as its label and its address."""
    parts = [_plain_of(block.text, getattr(block, "marked", "")) for block in blocks]
    if footer and footer.lines:
        parts.append("--\n" + "\n".join(footer.lines))
    return "\n\n".join(part for part in parts if part) + "\n"


def to_html(blocks: Iterable[Written], language: str, *, footer: Footing | None = None) -> str:
    """Return the HTML part as a whole page in ``language``, styles inlined."""
    shell = _shell(language)
    body = "\n".join([_html_of(block.text, getattr(block, "marked", ""), language) for block in blocks])
    lines = footer.lines if footer else ()
    foot = shell.foot + "\n".join(_line(line, shell) for line in lines) + shell.end_of_foot if lines else ""
    return f"{shell.before}{body}{shell.after_body}{foot}{shell.after}"


def block_html(marked: str) -> str:
    """Return one block for the review page: safe HTML with each filled-in value in ``<mark>``."""
    return markdown.to_html(marked).replace(OPEN, "<mark>").replace(CLOSE, "</mark>")


def plain(text: str) -> str:
    """Return one block as plain text."""
    return markdown.plain(unmarked(text))


def links(text: str) -> list[str]:
    """Return the addresses a block links to, in order."""
    return markdown.links(unmarked(text))


# Letters by the hundred have paragraphs in common; each is made once.
@lru_cache(maxsize=2048)
def _plain_of(text: str, marked: str) -> str:
    return shapes.plain(_own_marks(text, marked))


@lru_cache(maxsize=2048)
def _html_of(text: str, marked: str, language: str) -> str:
    return shapes.to_html(_own_marks(text, marked), _inlined, language)


def _own_marks(text: str, marked: str) -> str:
    """Return the text with its marks. What was approved is the text, so marks that do not belong to it go."""
    return marked if marked and unmarked(marked) == text else unmarked(text)


# --- the page --------------------------------------------------------------------------------------------------------

# A font of Windows, of Apple and of Android each; Word takes the first it has.
_FONTS = {
    "ko": "'Malgun Gothic', 'Apple SD Gothic Neo', 'Noto Sans KR', sans-serif",
    "ja": "Meiryo, 'Hiragino Sans', 'Noto Sans JP', sans-serif",
    "zh-Hans": "'Microsoft YaHei', 'PingFang SC', 'Noto Sans SC', sans-serif",
    "zh-Hant": "'Microsoft JhengHei', 'PingFang TC', 'Noto Sans TC', sans-serif",
}
# No colour is set: each program writes in its own, also in dark mode, and Word's "automatic" follows it. Font and
# margins stand on paragraphs and lists, since Outlook's telephones, Naver and QQ drop what is said of the body.
_CSS = (
    "body {{ margin: 0; padding: 16px }}"
    " .letter, .legal {{ max-width: 640px; overflow-wrap: anywhere }}"
    " html[lang=ko] .letter, html[lang=ko] .legal {{ word-break: keep-all }}"  # Korean breaks between words
    " p, ul, ol {{ margin: 0 0 16px 0; font-family: {font}; font-size: 16px; line-height: 1.6 }}"
    " ul, ol {{ margin: 0 0 16px 24px; padding: 0 }}"
    " li {{ margin: 0 0 4px 0 }}"
    " li p {{ margin: 0 }}"
    " .legal {{ margin: 24px 0 0 0; padding: 12px 0 0 0; border-top: 1px solid #8a949e }}"
    " .legal p {{ margin: 0 0 4px 0; font-size: 14px; line-height: 1.5 }}"
)
# Outlook for Windows knows no greatest width: for it alone the letter stands in a table.
_FOR_OUTLOOK = (
    '<!--[if mso]><table role="presentation" width="640" cellpadding="0" cellspacing="0" border="0"><tr><td>'
    "<![endif]-->",
    "<!--[if mso]></td></tr></table><![endif]-->",
)
_PAGE = (
    '<!DOCTYPE html>\n<html lang="{language}" dir="ltr">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="color-scheme" content="light dark">\n<meta name="supported-color-schemes" content="light dark">\n'
    "<style>{css}</style></head>\n<body>\n"
    + _FOR_OUTLOOK[0]
    + '\n<div class="letter">{body}</div>\n{foot}\n'
    + _FOR_OUTLOOK[1]
    + "\n</body>\n</html>\n"
)


@cache
def _css(language: str) -> str:
    return _CSS.format(font=_FONTS.get(language, "Arial, Helvetica, sans-serif"))


class _Shell(NamedTuple):
    """The page of a language around a letter, its styles inlined, and what stands around a line below it."""

    before: str
    after_body: str
    after: str
    foot: str
    end_of_foot: str
    line: str
    end_of_line: str
    address: str


_HERE = "\ue900"


@cache
def _shell(language: str) -> _Shell:
    before, after_body, after = _page(language, _HERE, _HERE).split(_HERE)
    link = f'<a href="{_HERE}">{_HERE}</a>'
    foot, address, end = _page(language, "", f'<div class="legal"><p>{link}</p></div>').split(_HERE)
    foot = foot.removeprefix(before + after_body)
    line = foot.index("<p ")
    start = foot.index("<a ")
    closing = end.removesuffix(after).removeprefix("</a>")
    return _Shell(
        before, after_body, after, foot[:line], closing.removeprefix("</p>"), foot[line:start], "</p>",
        f"{foot[start:]}{_HERE}{address}{_HERE}</a>",
    )  # fmt: skip


def _page(language: str, body: str, foot: str) -> str:
    page = _PAGE.format(language=language, css=_css(language), body=body, foot=foot)
    return str(_inliner().inline(page))


def _inlined(body: str, language: str) -> str:
    """Return the HTML of a block with its styles inlined."""
    shell = _shell(language)
    return _page(language, body, "").removeprefix(shell.before).removesuffix(shell.after_body + shell.after)


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False)


def _line(line: str, shell: _Shell) -> str:
    """Return a line of the footer as HTML with its addresses as links."""
    text = html.escape(line, quote=False).replace("\xa0", "&nbsp;")
    linked = ADDRESS.sub(lambda found: shell.address.replace(_HERE, found[0]), text)
    return f"{shell.line}{linked}{shell.end_of_line}"
