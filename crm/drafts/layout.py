"""One Markdown source, two parts: the plain text and the HTML of a letter. Pure.

The HTML has no image, script, colour or remote part, and reads the same with pictures off and in dark mode in Outlook,
Gmail, Naver, QQ and Apple Mail; ``mailhtml.py`` holds it to what these show.
What came from outside is escaped; of Markdown only paragraphs, lists, emphasis, links and line breaks are read.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Protocol

import css_inline
from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token

from crm.drafts.templates import CLOSE, OPEN, unmarked


class Written(Protocol):
    """A block of a letter."""

    @property
    def text(self) -> str: ...


class Footing(Protocol):
    """The lines a law wants under a letter."""

    @property
    def lines(self) -> Sequence[str]: ...


def to_text(blocks: Iterable[Written], *, footer: Footing | None = None) -> str:
    """Return the plain text part: no Markdown signs, each link as its label and its address."""
    parts = [plain(block.text) for block in blocks]
    if footer and footer.lines:
        parts.append("--\n" + "\n".join(footer.lines))
    return "\n\n".join(part for part in parts if part) + "\n"


def to_html(blocks: Iterable[Written], language: str, *, footer: Footing | None = None) -> str:
    """Return the HTML part as a whole page in ``language``, styles inlined."""
    body = "\n".join(_markdown().render(unmarked(block.text)) for block in blocks)
    foot = "\n".join(f"<p>{_linked(line)}</p>" for line in footer.lines) if footer and footer.lines else ""
    page = _PAGE.format(
        language=language, css=_css(language), body=body, foot=f'<div class="legal">{foot}</div>' if foot else ""
    )
    return str(_inliner().inline(page))


def block_html(marked: str) -> str:
    """Return one block for the review page: safe HTML with each filled-in value in ``<mark>``."""
    return str(_markdown().render(marked)).replace(OPEN, "<mark>").replace(CLOSE, "</mark>")


def links(text: str) -> list[str]:
    """Return the addresses a block links to, in order."""
    return [str(token.attrs["href"]) for token in _inline_tokens(text) if token.type == "link_open"]


# --- plain text ------------------------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Return one block as plain text."""
    lines: list[str] = []
    marks: list[int | None] = []  # the numbers of the open lists; None is a list of points
    opened = ""
    for token in _markdown().parse(unmarked(text)):
        if token.type == "bullet_list_open":
            marks.append(None)
        elif token.type == "ordered_list_open":
            marks.append(int(token.attrs.get("start", 1)))
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            marks.pop()
            lines.append("")
        elif token.type == "list_item_open":
            number = marks[-1]
            opened = "- " if number is None else f"{number}. "
            marks[-1] = None if number is None else number + 1
        elif token.type == "inline":
            lines.append(opened + _plain_inline(token.children or []))
            opened = ""
        elif token.type == "paragraph_close" and not marks:
            lines.append("")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _plain_inline(tokens: Sequence[Token]) -> str:
    written, starts = "", []
    for token in tokens:
        if token.type == "link_open":
            starts.append((len(written), str(token.attrs["href"])))
        elif token.type == "link_close":
            start, address = starts.pop()
            label = written[start:]
            written += "" if label == address else f" <{address}>"
        elif token.type in ("softbreak", "hardbreak"):
            written += "\n"
        else:
            written += token.content
    return written


def _inline_tokens(text: str) -> list[Token]:
    parsed = _markdown().parse(unmarked(text))
    return [child for token in parsed if token.type == "inline" for child in token.children or []]


# --- Markdown --------------------------------------------------------------------------------------------------------


def _is_wide(char: str) -> bool:
    return bool(char) and (unicodedata.east_asian_width(char) in "WFH" or "\u1100" <= char <= "\u11ff")


class _CjkState(StateInline):
    """Emphasis beside Korean, Chinese and Japanese letters, which CommonMark's rule for spaces leaves unread."""

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 - the library's names
        found = super().scanDelims(start, canSplitWord)
        if not canSplitWord:
            return found
        end = start + found.length
        before = self.src[start - 1] if start > 0 else " "
        after = self.src[end] if end < len(self.src) else " "
        if not (_is_wide(before) or _is_wide(after)):
            return found
        return Scanned(found.can_open or not after.isspace(), found.can_close or not before.isspace(), found.length)


class _CjkParser(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: object, tokens: list[Token]) -> list[Token]:
        state = _CjkState(src, md, env, tokens)  # type: ignore[arg-type]
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _LetterMarkdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return url.startswith(("https://", "http://", "mailto:"))


@cache
def _markdown() -> MarkdownIt:
    markdown = _LetterMarkdown("zero", {"html": False, "breaks": True})
    markdown.enable(["list", "paragraph"])
    markdown.inline = _CjkParser()
    markdown.inline.ruler.enableOnly(["text", "newline", "escape", "link", "emphasis"])
    markdown.inline.ruler2.enableOnly(["balance_pairs", "emphasis", "fragments_join"])
    markdown.core.ruler.push("bare_links", _link_bare_addresses)
    return markdown


_ADDRESS = re.compile(r"https?://[!-;=?-~]*[/=&#\w-]", re.ASCII)


def _link_bare_addresses(state: StateCore) -> None:
    """Turn addresses that stand in the text into links, so that nobody has to know Markdown for it."""
    for token in state.tokens:
        if token.type == "inline" and token.children:
            token.children = _with_links(token.children)


def _with_links(tokens: Sequence[Token]) -> list[Token]:
    done: list[Token] = []
    depth = 0
    for token in tokens:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        done += [token] if depth or token.type != "text" else _cut_at_addresses(token.content)
    return done


def _cut_at_addresses(text: str) -> list[Token]:
    tokens, end = [], 0
    for found in _ADDRESS.finditer(text):
        tokens += [
            _text(text[end : found.start()]),
            Token("link_open", "a", 1, attrs={"href": found[0]}),
            _text(found[0]),
            Token("link_close", "a", -1),
        ]
        end = found.end()
    return [*tokens, _text(text[end:])]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


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


@cache
def _inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(load_remote_stylesheets=False)


def _linked(line: str) -> str:
    """Return a footer line as HTML with its addresses as links."""
    return _ADDRESS.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', html.escape(line, quote=False))
