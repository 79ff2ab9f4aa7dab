"""Which sentences of a letter two colleagues of one firm should not both read. Pure.

Facts, lists, salutations, closing formulas and signatures are the same for everybody and are left out; so are values:
the same sentence with another name in it is the same sentence.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from crm.drafts.templates import CLOSE, OPEN

FORMULAS = frozenset({"greeting", "closing", "signature"})
"""Blocks that say what every letter says."""
SHORTEST = {"words": 6, "characters": 14}
"""Shorter sentences are turns of phrase."""
_VALUE = re.compile(f"{OPEN}[^{CLOSE}]*{CLOSE}")
_LIST = re.compile(r"^\s*(?:[-*+•・]|\d+[.)])\s")
_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
_LETTERS = re.compile(r"[^\W\d_]")
_WIDE = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_GAP = "…"


def sentences_of(blocks: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the sentences of a draft's blocks, values left out of them."""
    found: set[str] = set()
    for block in blocks:
        if block["id"] not in FORMULAS:
            found |= _sentences(str(block.get("marked") or block["text"]))
    return frozenset(found)


@lru_cache(maxsize=4096)  # colleagues and their letters are looked at again each time the queue is opened
def _sentences(marked: str) -> frozenset[str]:
    lines = [line for line in marked.split("\n") if not _LIST.match(line)]
    parts = _END.split(_VALUE.sub(_GAP, "\n".join(lines)))
    return frozenset(part.strip() for part in parts if _says_something(part))


def _says_something(text: str) -> bool:
    """Tell prose from a line that only names a fact: ``Minimum order: …``."""
    own = text.replace(_GAP, " ").strip()
    if own.endswith((":", "：")) or re.match(r"^[^.。]{1,30}[:：]\s*$", own):
        return False
    wide = len(_WIDE.findall(own))
    return wide >= SHORTEST["characters"] or (not wide and len(_words(own)) >= SHORTEST["words"])


def _words(text: str) -> list[str]:
    return [word for word in text.split() if _LETTERS.search(word)]
