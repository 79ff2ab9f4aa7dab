"""Refuses template files that would take a machine's time or memory, before anything parses them. Pure.

What a template may say is decided in ``templates.py``, on the parsed tree. Here only what is dangerous to parse, to
compile or to repeat: length, depth, number, characters that mean something to us, and the shape of YAML.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.tokens import (
    AliasToken,
    AnchorToken,
    BlockEndToken,
    BlockMappingStartToken,
    BlockSequenceStartToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
    TagToken,
)

from crm.core.errors import BadInput, Place, Problem, Refused
from crm.core.i18n import _

MAX_FILE = 32_000  # characters; the longest letter of the house has 4,000
MAX_LINE = 2_000
MAX_TAG = 300  # characters between {% and %}
MAX_TAGS = 400
MAX_BRACKETS = 8  # of all kinds in one tag: the parser goes deeper with each
MAX_DEPTH = 6  # if and for within one another
MAX_BLOCKS = 40
MAX_ITEMS = 200  # of a list that a letter repeats
MAX_VALUE = 10_000  # characters of one value, all items of a list together
MAX_WRITTEN = 40_000  # characters of a finished letter
MAX_YAML_DEPTH = 4

_OPENERS = {"{%": "%}", "{{": "}}", "{#": "#}"}
_OPENER = re.compile(r"\{[%{#]")
_WORDS = frozenset({"if", "elif", "else", "endif", "for", "endfor"})
_LINE_STATEMENT = re.compile(
    r"^[ \t]*[#%]+[ \t]*(?:if|elif|else|endif|for|endfor|set|include|import|from|extends|macro|call|block|do|with)\b"
)
_LOOP = re.compile(r"\s*for\s+(\S+)\s+in\s+(\S+)(.*)", re.DOTALL)
_LOOP_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = frozenset(
    ("range", "dict", "lipsum", "cycler", "joiner", "namespace", "self", "loop", "caller", "super", "true", "none")
)


def check(name: str, text: str) -> None:
    """Raise BadInput, naming file and line, if ``text`` of the file ``name`` must not even be parsed."""
    look = _yaml if name.endswith((".yaml", ".yml")) else _template
    problems = list(_length(name, text)) or [*_characters(name, text), *look(name, text)]
    if problems:
        raise BadInput(problems[:10])


def check_values(letter: str, values: Mapping[str, object]) -> None:
    """Raise Refused if a value would make a letter endless: a list too long, or a text."""
    long = [
        (name, value)
        for name, value in values.items()
        if isinstance(value, tuple) or (isinstance(value, str) and len(value) > MAX_VALUE)
    ]
    for name, value in long:
        if isinstance(value, tuple):
            if len(value) > MAX_ITEMS:
                raise Refused(
                    _(
                        "The letter {letter} cannot be written: {name} has {count} items; {limit} are the most.",
                        letter=letter,
                        name=name,
                        count=len(value),
                        limit=MAX_ITEMS,
                    )
                )
            length = sum(map(len, value))
        else:
            length = len(value) if isinstance(value, str) else 0
        if length > MAX_VALUE:
            raise Refused(
                _(
                    "The letter {letter} cannot be written: {name} has {count} characters; {limit} are the most.",
                    letter=letter,
                    name=name,
                    count=length,
                    limit=MAX_VALUE,
                )
            )


def check_written(letter: str, text: str) -> None:
    """Raise Refused if a finished letter is longer than any letter."""
    if len(text) > MAX_WRITTEN:
        raise Refused(
            _(
                "The letter {letter} has {count} characters; {limit} are the most.",
                letter=letter,
                count=len(text),
                limit=MAX_WRITTEN,
            )
        )


def _length(name: str, text: str) -> Iterator[Problem]:
    if len(text) > MAX_FILE:
        yield Problem(
            _("The file has {count} characters; {limit} are the most.", count=len(text), limit=MAX_FILE),
            Place(str(name)),
            _("A letter fits on a screen and a half."),
        )
        return
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE:
            yield Problem(
                _("The line has {count} characters; {limit} are the most.", count=len(line), limit=MAX_LINE),
                Place(str(name), number),
            )


def _characters(name: str, text: str) -> Iterator[Problem]:
    """Control, private and invisible characters: they end blocks, mark values or turn the writing around."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.isprintable() or not (odd := next((char for char in line if _hidden(char)), "")):
            continue
        yield Problem(
            _("The invisible character {code} stands here.", code=f"U+{ord(odd):04X}"),
            Place(str(name), number),
            _("Delete it and write the words again."),
        )


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp") and char != "\t"


# --- templates -------------------------------------------------------------------------------------------------------


def _template(name: str, text: str) -> Iterator[Problem]:
    def at(place: int, message: str, hint: str = "") -> Problem:
        return Problem(message, Place(name, text.count("\n", 0, place) + 1), hint)

    depth, count = 0, 0
    for start, tag in _tags(text):
        count += 1
        if len(tag) > MAX_TAG:
            yield at(start, _("The tag has {count} characters; {limit} are the most.", count=len(tag), limit=MAX_TAG))
            return
        if sum(map(tag.count, "([{")) > MAX_BRACKETS:
            yield at(start, _("The tag has more than {limit} brackets.", limit=MAX_BRACKETS))
            return
        if not text.startswith("{%", start):
            continue
        word = _first_word(tag)
        if word not in _WORDS:
            yield at(
                start,
                _("{word} is no tag of a letter.", word=word or "{%"),
                _("Only if, elif, else, endif, for and endfor are."),
            )
        yield from (at(start, message) for message in _loop_faults(tag) if word == "for")
        depth += {"if": 1, "for": 1, "endif": -1, "endfor": -1}.get(word, 0)
        if depth > MAX_DEPTH:
            yield at(start, _("More than {limit} conditions and lists stand within one another.", limit=MAX_DEPTH))
            return
    if count > MAX_TAGS:
        yield Problem(_("The file has {count} tags; {limit} are the most.", count=count, limit=MAX_TAGS), Place(name))
    for number, line in enumerate(text.split("\n"), 1):
        if _LINE_STATEMENT.match(line):
            yield Problem(_("A tag is written {% … %}, not as a line."), Place(name, number))


def _tags(text: str) -> Iterator[tuple[int, str]]:
    """Yield place and content of each tag, in one pass; of a tag without an end the rest of the file."""
    at = 0
    while found := _OPENER.search(text, at):
        end = text.find(_OPENERS[found[0]], found.end())
        end = len(text) if end < 0 else end
        if found[0] != "{#":
            yield found.start(), text[found.end() : end]
        at = end + 2


def _first_word(tag: str) -> str:
    found = re.match(r"[-+]?\s*(\w*)", tag)
    return found[1] if found else ""


def _loop_faults(tag: str) -> Iterator[str]:
    loop = _LOOP.match(tag.lstrip("-+"))
    if not loop:
        return  # the parser says what is wrong with it
    if not _LOOP_NAME.fullmatch(loop[1]) or loop[1] in _RESERVED:
        yield _("{name} cannot name the items of a list. Write item.", name=loop[1][:40])
    if re.search(r"\brecursive\b", loop[3]):
        yield _("A list cannot be recursive.")


# --- letter.yaml -----------------------------------------------------------------------------------------------------

_OPEN = (FlowSequenceStartToken, FlowMappingStartToken, BlockSequenceStartToken, BlockMappingStartToken)
_CLOSE = (FlowSequenceEndToken, FlowMappingEndToken, BlockEndToken)


def _yaml(name: str, text: str) -> Iterator[Problem]:
    """Anchors and tags, with which a short file becomes endless or makes objects, and nesting without measure."""
    depth = 0
    try:
        for token in YAML().scan(text):
            line = token.start_mark.line + 1
            if isinstance(token, AnchorToken | AliasToken | TagToken):
                yield Problem(_("Anchors, aliases and tags (& * !) have no place here."), Place(name, line))
                return
            depth += isinstance(token, _OPEN) - isinstance(token, _CLOSE)
            if depth > MAX_YAML_DEPTH:
                yield Problem(_("Lists stand too deep within one another."), Place(name, line))
                return
    except YAMLError:
        return  # reading it says what is wrong


def check_blocks(name: str, blocks: Sequence[object], line: int) -> list[Problem]:
    """Return a problem if a letter has more blocks than a page can show."""
    if len(blocks) <= MAX_BLOCKS:
        return []
    message = _("The letter has {count} blocks; {limit} are the most.", count=len(blocks), limit=MAX_BLOCKS)
    return [Problem(message, Place(name, line, field="blocks"))]
