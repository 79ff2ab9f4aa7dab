"""Letters as folders of ordered blocks: reading them, refusing what is wrong in them, filling them in.

``<letter>/letter.yaml`` names the title, the blocks in order and the placeholders; ``<letter>/<language>.md`` holds
``[[subject]]`` and each ``[[block]]`` in Markdown with a small part of Jinja: ``{{ name }}``, ``{% if %}`` and
``{% for item in list %}``. The subject may have several lines, the fullest first: the first that is short enough is
taken. A block whose text comes out empty is left out of the letter.

A block may stand in several wordings, ``[[opening]]``, ``[[opening 2]]``; which one is written follows the turn of the
buyer among those of one firm. A variant (``ko-KR.md``, ``es-ES.md``) holds only what it says in another way; the rest
is that of its language.
"""

import hashlib
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from crm.campaigns.letters import APPROVALS_FILE
from crm.core.errors import BadInput, NotFound, Place, Problem, Refused
from crm.core.i18n import N_, _
from crm.drafts import guard
from crm.drafts.language import AT_HOME, LANGUAGES, VARIANTS, chain
from crm.drafts.placeholders import HOME_SAMPLE, PLACEHOLDERS, SAMPLES, Facts, Lines, Url, Value, least, values
from crm.drafts.rules import SUBJECT_LIMITS
from crm.drafts.seasons import SEASONS

OPEN, CLOSE = "\ue000", "\ue001"
"""Private-use characters around every filled-in value, for the page that underlines them."""
SUBJECT = "subject"
_BREAK = "\x1e"
SETTINGS = "letter.yaml"
ATTACHMENTS = ("catalogue", "price_list", "certificate", "quotation", "meeting")
"""What a letter may ask to go along with it; ``meeting`` is a calendar entry."""
_SECTION = re.compile(r"^\[\[([a-z][a-z0-9_]*?)(?:\s+(\d))?\]\]\s*$")
_ONLY_TAGS = re.compile(r"\s*(?:\{%(?:(?!%\}).)*%\}\s*)+")
_MANY_BREAKS = re.compile(r"\n{3,}")
_VALUE = re.compile(f"{OPEN}[^{CLOSE}]*{CLOSE}")
_TAG = re.compile(r"\{\{|\{%")
_LEFTOVER = re.compile(r"\{\{|\}\}|\{%|%\}|\[\[|\]\]|\bNone\b|" + _BREAK)
_LEFTOVER_MARKS = ("{{", "}}", "{%", "%}", "[[", "]]", "None", _BREAK)
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.For,
    nodes.And,
    nodes.Or,
    nodes.Not,
)


@dataclass(frozen=True)
class RenderedBlock:
    """One paragraph group: ``text`` is Markdown; ``marked`` the same with each filled-in value between sentinels."""

    id: str
    text: str
    marked: str


@dataclass(frozen=True)
class RenderedLetter:
    """A letter in one language: one line of subject, and the blocks that have something to say, in order.

    ``variant`` is the file that wrote it, without ``.md``: ``es-ES``, or the language itself.
    """

    subject: str
    blocks: list[RenderedBlock]
    variant: str = ""


class Part(NamedTuple):
    """One wording of a block of a letter, or its subject, in one language."""

    block: str
    source: str
    letter: str


Text = tuple[tuple[Part, ...], ...]
"""The subject and each block in order, each with its wordings."""


@dataclass(frozen=True)
class Letter:
    """A checked letter, each language and variant compiled once. ``version`` is the SHA-256 over its files.

    ``needs`` are the placeholders without which it must not be written, ``attach`` what goes along where it is known,
    ``wordings`` how many there are of each block that has several.
    """

    name: str
    title: Mapping[str, str]
    commercial: bool
    blocks: tuple[str, ...]
    placeholders: frozenset[str]
    needs: tuple[str, ...]
    attach: tuple[str, ...]
    wordings: Mapping[str, int]
    version: str
    compiled: Mapping[str, Text]

    def variant(self, language: str, country: str | None = None) -> str:
        """Return which file writes to a reader in ``country``: the first of ``chain`` that there is."""
        return next(tag for tag in chain(language, country) if tag in self.compiled)


class Library:
    """All letters of a folder, read and checked once. Raises BadInput with every problem, each with file and line.

    ``only`` reads a single letter of the folder.
    """

    def __init__(self, directory: str | Path, *, only: str | None = None) -> None:
        self.directory = Path(directory)
        if not self.directory.is_dir():
            raise BadInput([Problem(_("There is no such folder."), Place(str(directory)))])
        found, problems = {}, []
        for folder in sorted(path for path in self.directory.iterdir() if path.is_dir() and only in (None, path.name)):
            try:
                found[folder.name] = read_letter(folder.name, _files(folder), folder)
            except BadInput as error:
                problems += error.problems
        if problems:
            raise BadInput(problems)
        self._letters = found

    def letters(self) -> list[Letter]:
        """Return every letter, by name."""
        return list(self._letters.values())

    def letter(self, name: str, version: str = "") -> Letter:
        """Return one letter; a folder has one ``version`` of it. Raises NotFound naming those there are."""
        if name not in self._letters:
            known = ", ".join(self._letters)
            raise NotFound(_("There is no letter called {name}. Known: {known}.", name=name, known=known))
        return self._letters[name]

    def to_write(
        self, name: str, language: str, country: str | None = None, *, campaign_id: int | None = None, version: str = ""
    ) -> Letter:
        """Return a letter to write now. Of a folder nobody asks who approved it; ``library.Shelf`` does."""
        return self.letter(name, version)

    def languages(self) -> dict[str, set[str]]:
        """Return which languages each letter is written in: all of them, or it would not have been read."""
        return {name: set(letter.compiled) & set(LANGUAGES) for name, letter in self._letters.items()}


# --- filling in ------------------------------------------------------------------------------------------------------


def render(
    letter: Letter, language: str, facts_by_language: Mapping[str, Facts], *, country: str | None = None, turn: int = 0
) -> RenderedLetter:
    """Fill ``letter`` in ``language`` with the facts of that language.

    ``country`` is the reader's and chooses the variant; the Korean rendering beside a letter is given none. ``turn`` is
    the buyer's place among those of one firm, from 0: it chooses between wordings. Raises Refused when a fact the text
    prints is missing, or anything of the template would reach the reader.
    """
    variant = letter.variant(language, country)
    known = values(facts_by_language[language], language, letter.placeholders, home=_at_home(language, country))
    head, *parts = _in_turn(letter.compiled[variant], turn)
    try:
        subject = _subject_of(head, language, _used(head, known))
        blocks = [_block_of(part, _used(part, known)) for part in parts]
    except jinja2.TemplateRuntimeError as error:
        raise Refused(
            _("The letter {letter} cannot be written: {reason}", letter=letter.name, reason=str(error))
        ) from None
    except _LeftoverFound as error:
        raise Refused(
            _("Something of the template is left in the letter {letter}: {text}", letter=letter.name, text=str(error))
        ) from None
    if not subject:
        raise Refused(_("The letter {letter} has no subject.", letter=letter.name))
    if sum([len(block.marked) for block in blocks]) > guard.MAX_WRITTEN:
        guard.check_written(letter.name, "\n".join(block.marked for block in blocks))
    return RenderedLetter(subject, [block for block in blocks if block.text], variant)


def filled(
    letter: Letter, language: str, facts: Facts, *, country: str | None, turn: int, instead: Mapping[str, str]
) -> str:
    """Return all that a letter's template makes in one text, with ``instead`` standing in for values not known."""
    known = values(facts, language, letter.placeholders, home=_at_home(language, country))
    known = {name: instead.get(name, value) if _says_nothing(value) else value for name, value in known.items()}
    parts = _in_turn(letter.compiled[letter.variant(language, country)], turn)
    return "\n".join(_ready(part.source).template.render(known) for part in parts)


def _says_nothing(value: Value) -> bool:
    return not escape(value) if isinstance(value, str) else not value


def missing(letter: Letter, facts: Facts, language: str, country: str | None = None) -> list[str]:
    """Return the placeholders that ``letter`` needs and that ``facts`` do not give, in the order of letter.yaml.

    A letter between Koreans needs nothing that is only said abroad, such as an Incoterm.
    """
    home = _at_home(language, country)
    known = values(facts, language, letter.needs, home=home)
    return [name for name, value in known.items() if _says_nothing(value) and not (home and PLACEHOLDERS[name].abroad)]


def _at_home(language: str, country: str | None) -> bool:
    return AT_HOME in chain(language, country)


def unmarked(text: str) -> str:
    """Return a text without the sentinels around filled-in values."""
    return text.replace(OPEN, "").replace(CLOSE, "")


def _in_turn(text: Text, turn: int) -> list[Part]:
    """Return the subject and each block in the wording whose turn it is."""
    return [wordings[turn % len(wordings)] for wordings in text]


class _Ready(NamedTuple):
    """A part compiled, the placeholders it uses, and what picks their values out of all."""

    template: jinja2.Template
    names: tuple[str, ...]
    of: Callable[[Mapping[str, Value]], tuple[Value, ...]]


@lru_cache(maxsize=8192)
def _ready(source: str) -> _Ready:
    """Return a part compiled, with the placeholders it uses. Once a process: compiling costs a hundred renderings."""
    tree = _parsed(source)
    names = tuple(sorted(name.name for name in _asked_names(tree)))
    code = _ENVIRONMENT.compile(tree)
    template = jinja2.Template.from_code(_ENVIRONMENT, code, {})  # no globals, which Jinja would copy for each letter
    names = tuple(dict.fromkeys(names))
    return _Ready(template, names, itemgetter(*names) if len(names) > 1 else lambda known: tuple(map(known.get, names)))


@lru_cache(maxsize=16)  # what was checked just now is compiled next
def _parsed(source: str) -> nodes.Template:
    return _ENVIRONMENT.parse(source)


def _asked_names(node: nodes.Node, own: frozenset[str] = frozenset()) -> list[nodes.Name]:
    """Return where a part names placeholders; not the names that it gives to the items of a list, inside that list."""
    if isinstance(node, nodes.Name):
        return [] if node.name in own else [node]
    if not isinstance(node, nodes.For) or not isinstance(node.target, nodes.Name):
        return [name for child in node.iter_child_nodes() for name in _asked_names(child, own)]
    within = own | {node.target.name}
    inside = [name for child in (*node.body, *filter(None, [node.test])) for name in _asked_names(child, within)]
    return [
        *_asked_names(node.iter, own),
        *inside,
        *(name for child in node.else_ for name in _asked_names(child, own)),
    ]


def _used(part: Part, known: Mapping[str, Value]) -> tuple[Value, ...]:
    return _ready(part.source).of(known)


class _LeftoverFound(Exception):
    """Something of the template would reach the reader; the text of it."""


# Of a block that does not name its reader, letters by the hundred say the same: it is written once for the same values.
@lru_cache(maxsize=4096)
def _block_of(part: Part, used: tuple[Value, ...]) -> RenderedBlock:
    marked = _MANY_BREAKS.sub("\n\n", "\n".join(map(str.rstrip, _fill_in(part, used).split("\n"))).strip())
    marked = marked.replace(f".{CLOSE}.", f".{CLOSE}")  # a sentence that ends in "Co., Ltd." has its full stop
    _refuse_leftovers(marked)
    return RenderedBlock(part.block, unmarked(marked), marked)


@lru_cache(maxsize=4096)
def _subject_of(part: Part, language: str, used: tuple[Value, ...]) -> str:
    """Return the first line that is short enough, else the last; a subject is no Markdown, so escapes are undone."""
    lines = [_ESCAPED.sub(r"\1", line.strip()) for line in _fill_in(part, used).split("\n") if line.strip()]
    limit = SUBJECT_LIMITS[language]
    line = next((line for line in lines if len(unmarked(line)) <= limit), lines[-1] if lines else "")
    _refuse_leftovers(line)
    return unmarked(line).strip()


def _fill_in(part: Part, used: tuple[Value, ...]) -> str:
    template, names, _of = _ready(part.source)
    known = dict(zip(names, used, strict=True))
    guard.check_values(part.letter, known)
    return template.render(known)


def _refuse_leftovers(text: str) -> None:
    if not any(mark in text for mark in _LEFTOVER_MARKS):
        return
    found = _TAG.search(text) or _LEFTOVER.search(_VALUE.sub("", text))
    if found:
        raise _LeftoverFound(found[0])


def _fill(value: object) -> str:
    """Return a value as Markdown between sentinels. What is not known, or not a text, is refused, never printed."""
    if isinstance(value, Url) and value:
        return f"{OPEN}{value}{CLOSE}"
    lines = value.split("\n") if isinstance(value, Lines) else [value] if isinstance(value, str) else []
    written = [line for line in map(escape, lines) if line]  # of invisible characters nothing is left
    if not written:
        raise jinja2.TemplateRuntimeError(_("a value it needs is not known."))
    return OPEN + "\n".join(written) + CLOSE


_MARKUP = re.compile(r"[\\*\[\]<`]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")
_ESCAPED = re.compile(r"\\([\\*\[\]<`_&.)+-])")
_LIST_MARK = re.compile(r"^(\d{1,9})([.)])(?=\s|$)|^([-+])(?=\s|$)")


@lru_cache(maxsize=8192)  # firms, products and terms come again in letter after letter
def escape(text: str) -> str:
    """Return an untrusted value on one line, so that Markdown shows it letter by letter. Ordinary names stay as is."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(text.split())
    line = _MARKUP.sub(lambda found: "\\" + found[0], unmarked(line))
    return _LIST_MARK.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else "\\" + found[3], line)


_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined,
    finalize=_fill,
    autoescape=False,  # what comes out is Markdown; layout.py escapes for HTML
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals.clear()  # no range, lipsum or cycler: only what a letter is given


# --- reading and checking --------------------------------------------------------------------------------------------

_KEYS = ("title", "commercial", "blocks", "placeholders")
_OPTIONAL = ("needs", "attach")
_UNKNOWN = {
    "placeholders": N_("There is no placeholder {name}."),
    "needs": N_("{name} is needed, but not among the placeholders of the letter."),
    "attach": N_("{name} is nothing that can go along with a letter."),
}
REQUIRED = (AT_HOME,)
"""Variants that every letter must have."""
_TAGS = (*LANGUAGES, *VARIANTS)


@dataclass(frozen=True)
class _Section:
    """One wording of one block as it stands in a file; ``line`` is that of its ``[[name]]``."""

    block: str
    number: int
    file: str
    line: int
    text: str

    @property
    def padded(self) -> str:
        """Return the text under so many empty lines that its lines have their numbers in the file."""
        return "\n" * self.line + self.text


def read_letter(name: str, contents: Mapping[str, bytes], folder: Path, *, in_part: bool = False) -> Letter:
    """Return the letter that ``contents`` are, by file name: ``letter.yaml``, ``ko.md`` and so on.

    ``folder`` is only said in problems. ``in_part``: a placeholder may be used by no language, because not all that
    the letter has are here. Raises BadInput with every problem.
    """
    return _read_letter(name, tuple(sorted(contents.items())), folder, in_part)


def _files(folder: Path) -> dict[str, bytes]:
    """Return what lies in a letter's folder; what is hidden, and the list of approvals, is no part of the letter."""
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.is_file() and path.name != APPROVALS_FILE and not path.name.startswith(".")
    }


@lru_cache(maxsize=64)  # what was found good is compiled once a process; what is wrong is told every time
def _read_letter(name: str, contents: tuple[tuple[str, bytes], ...], folder: Path, in_part: bool) -> Letter:
    files = dict(contents)
    if problems := _stray(files, folder):
        raise BadInput(problems)
    data, problems = _read_settings(files, folder / SETTINGS)
    if problems:
        raise BadInput(problems)
    blocks = tuple(str(block) for block in data["blocks"])
    allowed = frozenset(str(placeholder) for placeholder in data["placeholders"])
    needs = tuple(str(need) for need in data.get("needs", ()))
    sections, used = _all_sections(files, folder, blocks, allowed)
    if not in_part and (unused := sorted(allowed - used - set(needs))):
        raise BadInput(_unused(folder / SETTINGS, data, unused))
    counts = _counts(sections[LANGUAGES[0]])
    letter = Letter(
        name=name,
        title={str(key): str(value) for key, value in data["title"].items()},
        commercial=bool(data["commercial"]),
        blocks=blocks,
        placeholders=allowed,
        needs=needs,
        attach=tuple(str(one) for one in data.get("attach", ())),
        wordings={block: count for block, count in counts.items() if count > 1},
        version=_version(files),
        compiled={tag: _parts(name, sections, tag, blocks) for tag in sections},
    )
    _try_out(letter, sections)
    return letter


def _version(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, written in sorted(files.items()):
        digest.update(name.encode() + b"\0" + written + b"\0")
    return digest.hexdigest()


def _stray(files: Mapping[str, bytes], folder: Path) -> list[Problem]:
    known = (SETTINGS, *(f"{tag}.md" for tag in _TAGS))
    return [
        Problem(
            _("This file is no part of a letter."),
            Place(str(folder / name)),
            _("A letter has these files: {names}.", names=", ".join(known)),
        )
        for name in files
        if name not in known
    ]


def _read_settings(files: Mapping[str, bytes], path: Path) -> tuple[Any, list[Problem]]:
    try:
        data = YAML().load(_text(files, path))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise BadInput([Problem(_("This is not valid YAML."), Place(str(path), line))]) from None
    if not isinstance(data, dict):
        raise BadInput([Problem(_("The file must say title, commercial, blocks and placeholders."), Place(str(path)))])
    known = (*_KEYS, *_OPTIONAL)
    problems = [
        Problem(_("Unknown key {key}.", key=key), Place(str(path), data.lc.key(key)[0] + 1), _near(str(key), known))  # type: ignore[attr-defined]
        for key in data
        if key not in known
    ]
    problems += [Problem(_("{key} is missing.", key=key), Place(str(path))) for key in _KEYS if key not in data]
    return data, problems or _bad_settings(path, data)


def _bad_settings(path: Path, data: Any) -> list[Problem]:
    def at(key: str, message: str) -> Problem:
        return Problem(message, Place(str(path), data.lc.key(key)[0] + 1, field=key))

    problems = []
    if not isinstance(data["title"], dict) or not {"ko", "en"} <= set(data["title"]):
        problems.append(at("title", _("Give the title in Korean (ko) and English (en).")))
    if not isinstance(data["commercial"], bool):
        problems.append(at("commercial", _("Write true or false.")))
    for key in ("blocks", "placeholders", *(key for key in _OPTIONAL if key in data)):
        names = data[key]
        if not isinstance(names, list) or not names or len(set(map(str, names))) != len(names):
            problems.append(at(key, _("Write a list of different names.")))
    problems = problems or guard.check_blocks(str(path), data["blocks"], data.lc.key("blocks")[0] + 1)
    return problems or _unknown_names(path, data)


def _unknown_names(path: Path, data: Any) -> list[Problem]:
    declared = tuple(map(str, data["placeholders"]))
    known = {"placeholders": tuple(PLACEHOLDERS), "needs": declared, "attach": ATTACHMENTS}
    return [
        Problem(
            _(_UNKNOWN[key], name=name),
            Place(str(path), data[key].lc.item(index)[0] + 1, field=key),
            _near(name, names),
        )
        for key, names in known.items()
        for index, name in enumerate(map(str, data.get(key, ())))
        if name not in names
    ]


def _unused(path: Path, data: Any, names: list[str]) -> list[Problem]:
    line = data.lc.key("placeholders")[0] + 1
    return [Problem(_("No language uses the placeholder {name}.", name=name), Place(str(path), line)) for name in names]


def _text(files: Mapping[str, bytes], path: Path) -> str:
    if path.name not in files:
        raise BadInput([Problem(_("This file is missing."), Place(str(path)), _("Write it."))])
    try:
        text = files[path.name].decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise BadInput([Problem(_("The file is not UTF-8 text."), Place(str(path)), _("Save it as UTF-8."))]) from None
    guard.check(str(path), text)
    return text


# --- sections --------------------------------------------------------------------------------------------------------

_Sections = Mapping[str, Mapping[str, tuple[_Section, ...]]]
"""By language or variant, then by block: its wordings."""


def _all_sections(
    files: Mapping[str, bytes], folder: Path, blocks: tuple[str, ...], allowed: frozenset[str]
) -> tuple[_Sections, set[str]]:
    """Return every file's sections, checked, and the placeholders they use. Raises BadInput with every problem."""
    found: dict[str, Mapping[str, tuple[_Section, ...]]] = {}
    used: set[str] = set()
    problems: list[Problem] = []
    for tag in (tag for tag in _TAGS if tag in LANGUAGES or tag in REQUIRED or f"{tag}.md" in files):
        path = folder / f"{tag}.md"
        try:
            sections = _sections(_text(files, path), path)
            _refuse_wrong_sections(path, sections, (SUBJECT, *blocks), whole=tag in LANGUAGES)
            for section in sections:
                used |= _names(section, _sayable(allowed, tag))
            found[tag] = _by_block(sections)
        except BadInput as error:
            problems += error.problems
    problems = problems or list(_other_counts(found))
    if problems:
        raise BadInput(problems)
    return found, used


def _sayable(allowed: frozenset[str], tag: str) -> frozenset[str]:
    return frozenset(name for name in allowed if not PLACEHOLDERS[name].abroad) if tag == AT_HOME else allowed


def _sections(text: str, path: Path) -> list[_Section]:
    """Cut a file at its ``[[name]]`` lines."""
    found: list[_Section] = []
    lines: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        head = _SECTION.match(line)
        if head:
            found = _filled(found, lines)
            found.append(_Section(head[1], int(head[2] or 1), str(path), number, ""))
            lines = []
        elif not found and line.strip() and not line.startswith("{#"):
            raise BadInput([Problem(_("Text stands before the first section."), Place(str(path), number))])
        else:
            lines.append(_keep_break(line))
    return _filled(found, lines)


def _filled(sections: list[_Section], lines: list[str]) -> list[_Section]:
    return [*sections[:-1], replace(sections[-1], text="\n".join(lines))] if sections else []


def _keep_break(line: str) -> str:
    """A line of tags only leaves no line behind; a tag at the end of a written line must not swallow the break."""
    end = line.rstrip()
    return f"{end[:-2]}+%}}" if end.endswith("%}") and not _ONLY_TAGS.fullmatch(line) else line


def _by_block(sections: list[_Section]) -> Mapping[str, tuple[_Section, ...]]:
    names = dict.fromkeys(section.block for section in sections)
    return {name: tuple(section for section in sections if section.block == name) for name in names}


def _refuse_wrong_sections(path: Path, sections: list[_Section], wanted: tuple[str, ...], *, whole: bool) -> None:
    """A language has every block, a variant some; both in the order of letter.yaml, wordings one after another."""
    names = list(dict.fromkeys(section.block for section in sections))
    problems = [
        Problem(
            _("There is no block {name} in letter.yaml.", name=section.block),
            Place(section.file, section.line),
            _near(section.block, wanted),
        )
        for section in sections
        if section.block not in wanted
    ]
    if whole:
        problems += [
            Problem(_("The block {name} is missing.", name=name), Place(str(path)))
            for name in wanted
            if name not in names
        ]
    elif not names:
        problems.append(Problem(_("A variant must hold at least one block."), Place(str(path)), _("Delete the file.")))
    problems = problems or list(_wrong_order(sections, wanted, whole=whole))
    if problems:
        raise BadInput(problems)


def _wrong_order(sections: list[_Section], wanted: tuple[str, ...], *, whole: bool) -> Iterator[Problem]:
    before: tuple[int, int] = (-1, 0)
    for section in sections:
        place = (wanted.index(section.block), section.number)
        another = place == (before[0], before[1] + 1)
        following = place[0] == before[0] + 1 if whole else place[0] > before[0]
        if not (another or (following and place[1] == 1)):
            order = ", ".join(wanted)
            yield Problem(
                _(
                    "The blocks must stand in this order: {order}; other wordings right behind, as in [[{name} 2]].",
                    order=order,
                    name=section.block,
                ),
                Place(section.file, section.line),
            )
            return
        if section.block == SUBJECT and section.number > 1:
            yield Problem(
                _("There is one subject; write shorter ones on lines below it."), Place(section.file, section.line)
            )
            return
        before = place


def _counts(sections: Mapping[str, tuple[_Section, ...]]) -> dict[str, int]:
    return {block: len(wordings) for block, wordings in sections.items()}


def _other_counts(found: _Sections) -> Iterator[Problem]:
    """Colleagues of one firm must get different wordings in every language, and the Korean one beside their letter."""
    counts = _counts(found.get(LANGUAGES[0], {}))
    for sections in found.values():
        for block, wordings in sections.items():
            if block in counts and len(wordings) != counts[block]:
                yield Problem(
                    _(
                        "The block {name} has {count} wordings here and {wanted} in {language}.md.",
                        name=block,
                        count=len(wordings),
                        wanted=counts[block],
                        language=LANGUAGES[0],
                    ),
                    Place(wordings[-1].file, wordings[-1].line),
                )


def _parts(name: str, sections: _Sections, tag: str, blocks: tuple[str, ...]) -> Text:
    """Return a language or variant as its parts, the subject first; each is compiled when it is first written."""
    return tuple(
        tuple(Part(block, section.text, name) for section in _chosen(sections, tag, block))
        for block in (SUBJECT, *blocks)
    )


def _chosen(sections: _Sections, tag: str, block: str) -> tuple[_Section, ...]:
    """Return a block's wordings as the variant says them, else as its language does."""
    base = VARIANTS[tag][0] if tag in VARIANTS else tag
    return sections[tag].get(block) or sections[base][block]


def _names(section: _Section, allowed: frozenset[str]) -> set[str]:
    """Return the placeholders a section uses, and compile it.

    Raises BadInput for anything but printing, asking and listing placeholders; that is never compiled, since compiling
    already works out what is constant.
    """
    try:
        tree = _parsed(section.text)
    except jinja2.TemplateSyntaxError as error:
        raise BadInput([_syntax(section, error)]) from None
    problems = list(_forbidden(tree, section))
    names = _asked_names(tree)
    problems += [_not_allowed(name, section, allowed) for name in names if name.name not in allowed]
    if problems:
        raise BadInput(problems)
    _ready(section.text)
    return {name.name for name in names}


def _syntax(section: _Section, error: jinja2.TemplateSyntaxError) -> Problem:
    message = str(error.message)
    if message.startswith("Unexpected end of template"):
        message = _("A condition or a list is not closed in the block {name}.", name=section.block)
    return Problem(message, Place(section.file, section.line + error.lineno))


def _not_allowed(name: nodes.Name, section: _Section, allowed: frozenset[str]) -> Problem:
    place = Place(section.file, section.line + name.lineno)
    if name.name in PLACEHOLDERS and PLACEHOLDERS[name.name].abroad and section.file.endswith(f"{AT_HOME}.md"):
        return Problem(_("A letter between Koreans does not say {name}.", name=name.name), place)
    hint = _near(name.name, tuple(allowed)) or _("Add it to placeholders in letter.yaml, if there is such a one.")
    return Problem(_("{name} is not a placeholder of this letter.", name=name.name), place, hint)


def _forbidden(tree: nodes.Node, section: _Section) -> Iterator[Problem]:
    for node in tree.find_all(nodes.Node):
        loop_over_more = isinstance(node, nodes.For) and (
            not isinstance(node.iter, nodes.Name) or any(node.find_all(nodes.For))
        )
        if not isinstance(node, _ALLOWED) or loop_over_more:
            yield Problem(
                _("Only {{ name }}, if and for over one list are allowed in a letter."),
                Place(section.file, section.line + (node.lineno or 0)),
            )


# --- trying out ------------------------------------------------------------------------------------------------------


def _try_out(letter: Letter, sections: _Sections) -> None:
    """Write the letter with all facts and with as few as there can be, so that a missing question shows now."""
    problems: dict[Problem, None] = {}
    for tag in sections:
        language, country = _reader(tag)
        for facts in _samples(letter, HOME_SAMPLE if tag == AT_HOME else SAMPLES[language]):
            for turn in range(max(letter.wordings.values(), default=1)):
                try:
                    render(letter, language, {language: facts}, country=country, turn=turn)
                except Refused as error:
                    found = _where(letter, sections, tag, facts)
                    problems.update(dict.fromkeys(found or [Problem(error.message, Place(_file(sections, tag)))]))
    if problems:
        raise BadInput(list(problems))


def _reader(tag: str) -> tuple[str, str | None]:
    """Return the language and a country for which ``tag`` writes."""
    if tag not in VARIANTS:
        return tag, None
    language, countries = VARIANTS[tag]
    return language, max(countries)


def _samples(letter: Letter, facts: Facts) -> Iterator[Facts]:
    """Yield what to try a letter with; one with a file also with it attached, one of the season with each."""
    few = least(facts, letter.needs)
    yield facts
    yield few
    if "attached" in letter.placeholders:
        yield from (replace(each, attached=True) for each in (facts, few))
    if "quotation_attached" in letter.placeholders:
        yield from (replace(each, quotation_attached=not each.quotation_attached) for each in (facts, few))
    if any(name.startswith("season") for name in letter.placeholders):
        yield from (replace(each, season=season) for each in (facts, few) for season in SEASONS)


def _file(sections: _Sections, tag: str) -> str:
    return next(iter(sections[tag].values()))[0].file


def _where(letter: Letter, sections: _Sections, tag: str, facts: Facts) -> list[Problem]:
    """Return what cannot be printed, each with its line: every section is tried alone."""
    language, country = _reader(tag)
    known = values(facts, language, letter.placeholders, home=_at_home(language, country))
    problems = []
    for block in (SUBJECT, *letter.blocks):
        for section in _chosen(sections, tag, block):
            try:
                _ENVIRONMENT.from_string(section.padded).render(known)
            except jinja2.TemplateRuntimeError as error:
                problems.append(_unasked(section, error, known))
    return problems


def _unasked(section: _Section, error: jinja2.TemplateRuntimeError, known: Mapping[str, object]) -> Problem:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<template>"]
    line = lines[-1] if lines and lines[-1] else section.line
    printed = re.findall(r"\{\{\s*(\w+)", section.padded.split("\n")[line - 1])
    name = next((name for name in printed if not known.get(name, True)), "")
    hint = (
        _("Ask for it first, as in {{% if {name} %}}, or write it into needs of letter.yaml.", name=name)
        if name
        else ""
    )
    return Problem(
        str(error) if not name else _("{name} is printed where it is not known.", name=name),
        Place(section.file, line),
        hint,
    )


def _near(name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name, known, n=1)
    return _("Did you mean {name}?", name=near[0]) if near else ""
