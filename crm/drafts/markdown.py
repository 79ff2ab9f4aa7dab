"""The Markdown of letters: paragraphs, lists, emphasis, links and line breaks, as HTML and as plain text. Pure.

What came from outside is escaped, and no HTML is read.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token

ADDRESS = re.compile(r"https?://[!-;=?-~]*[/=&#\w-]", re.ASCII)
"""An address that stands in a text."""


def to_html(text: str) -> str:
    """Return a block as HTML, without styles."""
    return str(_markdown().render(text))


def links(text: str) -> list[str]:
    """Return the addresses a block links to, in order."""
    return [str(token.attrs["href"]) for token in _inline_tokens(text) if token.type == "link_open"]


# --- plain text ------------------------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Return one block as plain text."""
    lines: list[str] = []
    marks: list[int | None] = []  # the numbers of the open lists; None is a list of points
    opened = ""
    for token in _markdown().parse(text):
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
    parsed = _markdown().parse(text)
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
    for found in ADDRESS.finditer(text):
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
