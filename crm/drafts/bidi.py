"""Keeps names written from right to left in their place inside a letter written from left to right. Pure.

``<bdi>`` is removed by Gmail and Outlook; ``dir`` on a span is kept by all (``mailhtml.toml``), and isolates too.
"""

import re

_RIGHT = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]"
_LETTER = re.compile(_RIGHT)
_NAME = re.compile(rf"{_RIGHT}(?:[^<>\n]{{0,30}}{_RIGHT})*[.)\]]*")  # with a Latin word in the middle, as firms have


def isolated(text: str) -> str:
    """Return HTML with each name from right to left in a span that says so; other text as it is."""
    if text.isascii() or not _LETTER.search(text):
        return text
    return _NAME.sub(_span, text)


def _span(found: re.Match[str]) -> str:
    """What closes at the end belongs to the name if the name has opened a bracket, else to the sentence around it."""
    name = found[0]
    end = len(name.rstrip(".)]"))
    closing = name[end:]
    own = closing if name.count("(") or name.count("[") else ""
    return f'<span dir="rtl">{name[:end]}{own}</span>{closing[len(own) :]}'
