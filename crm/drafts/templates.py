"""Letters as folders of ordered blocks: reading them, refusing what is wrong in them, filling them in.

``<letter>/letter.yaml`` names the title, the blocks in order and the placeholders; ``<letter>/<language>.md`` holds
``[[subject]]`` and each ``[[block]]`` in Markdown with a small part of Jinja: ``{{ name }}``, ``{% if %}`` and
``{% for item in list %}``. The subject may have several lines, the fullest first: the first that is short enough is
taken. A block whose text comes out empty is left out of the letter.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from crm.core.errors import BadInput, NotFound, Place, Problem, Refused
from crm.core.i18n import _
from crm.drafts.language import LANGUAGES
from crm.drafts.placeholders import PLACEHOLDERS, SAMPLES, Facts, Lines, Url, least, values
from crm.drafts.rules import SUBJECT_LIMITS

OPEN, CLOSE = "\ue000", "\ue001"
"""Private-use characters around every filled-in value, for the page that underlines them."""
SUBJECT = "subject"
_BREAK = "\x1e"
_SECTION = re.compile(r"^\[\[([a-z][a-z0-9_]*)\]\]\s*$")
_ONLY_TAGS = re.compile(r"^\s*(\{%.*?%\}\s*)+$")
_LEFTOVER = re.compile(r"\{\{|\}\}|\{%|%\}|\[\[|\]\]|\bNone\b|" + _BREAK)
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
    """A letter in one language: one line of subject, and the blocks that have something to say, in order."""

    subject: str
    blocks: list[RenderedBlock]


@dataclass(frozen=True)
class Letter:
    """A checked letter, each language compiled once. ``version`` is the SHA-256 over its files."""

    name: str
    title: Mapping[str, str]
    commercial: bool
    blocks: tuple[str, ...]
    placeholders: frozenset[str]
    version: str
    compiled: Mapping[str, jinja2.Template]


class Library:
    """All letters of a folder, read and checked once. Raises BadInput with every problem, each with file and line."""

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        if not self.directory.is_dir():
            raise BadInput([Problem(_("There is no such folder."), Place(str(directory)))])
        found, problems = {}, []
        for folder in sorted(path for path in self.directory.iterdir() if path.is_dir()):
            try:
                found[folder.name] = _read_letter(folder, _version(folder))
            except BadInput as error:
                problems += error.problems
        if problems:
            raise BadInput(problems)
        self._letters = found

    def letters(self) -> list[Letter]:
        """Return every letter, by name."""
        return list(self._letters.values())

    def letter(self, name: str) -> Letter:
        """Return one letter. Raises NotFound naming those there are."""
        if name not in self._letters:
            known = ", ".join(self._letters)
            raise NotFound(_("There is no letter called {name}. Known: {known}.", name=name, known=known))
        return self._letters[name]

    def languages(self) -> dict[str, set[str]]:
        """Return which languages each letter is written in: all of them, or it would not have been read."""
        return {name: set(letter.compiled) for name, letter in self._letters.items()}


# --- filling in ------------------------------------------------------------------------------------------------------


def render(letter: Letter, language: str, facts_by_language: Mapping[str, Facts]) -> RenderedLetter:
    """Fill ``letter`` in ``language`` with the facts of that language.

    Raises Refused when a fact the text prints is missing, or anything of the template would reach the reader.
    """
    try:
        filled = letter.compiled[language].render(values(facts_by_language[language], language))
    except jinja2.TemplateRuntimeError as error:
        raise Refused(
            _("The letter {letter} cannot be written: {reason}", letter=letter.name, reason=str(error))
        ) from None
    head, *texts = filled.split(_BREAK)[1:]
    if len(texts) != len(letter.blocks):
        raise Refused(_("In the letter {letter} a condition reaches over several blocks.", letter=letter.name))
    blocks = [_block(name, text) for name, text in zip(letter.blocks, texts, strict=True)]
    subject = _subject(head, language)
    _refuse_leftovers(letter, subject, blocks)
    return RenderedLetter(unmarked(subject), [block for block in blocks if block.text])


def unmarked(text: str) -> str:
    """Return a text without the sentinels around filled-in values."""
    return text.replace(OPEN, "").replace(CLOSE, "")


def _block(name: str, text: str) -> RenderedBlock:
    marked = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()
    marked = marked.replace(f".{CLOSE}.", f".{CLOSE}")  # a sentence that ends in "Co., Ltd." has its full stop
    return RenderedBlock(name, unmarked(marked), marked)


def _subject(text: str, language: str) -> str:
    """Return the first line that is short enough, else the last; a subject is no Markdown, so escapes are undone."""
    lines = [_ESCAPED.sub(r"\1", line.strip()) for line in text.split("\n") if line.strip()]
    limit = SUBJECT_LIMITS[language]
    return next((line for line in lines if len(unmarked(line)) <= limit), lines[-1] if lines else "")


def _refuse_leftovers(letter: Letter, subject: str, blocks: list[RenderedBlock]) -> None:
    if not unmarked(subject).strip():
        raise Refused(_("The letter {letter} has no subject.", letter=letter.name))
    for text in (subject, *(block.marked for block in blocks)):
        own = re.sub(f"{OPEN}[^{CLOSE}]*{CLOSE}", "", text)
        found = _LEFTOVER.search(own) or re.search(r"\{\{|\{%", text)
        if found:
            raise Refused(
                _("Something of the template is left in the letter {letter}: {text}", letter=letter.name, text=found[0])
            )


def _fill(value: object) -> str:
    """Return a value as Markdown between sentinels. What is not known, or not a text, is refused, never printed."""
    if not isinstance(value, str) or not value.strip():
        raise jinja2.TemplateRuntimeError(_("a value it needs is not known."))
    if isinstance(value, Url):
        return f"{OPEN}{value}{CLOSE}"
    lines = value.split("\n") if isinstance(value, Lines) else [value]
    return OPEN + "\n".join(escape(line) for line in lines) + CLOSE


_MARKUP = re.compile(r"[\\*\[\]<`]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")
_ESCAPED = re.compile(r"\\([\\*\[\]<`_&.)+-])")
_LIST_MARK = re.compile(r"^(\d{1,9})([.)])(?=\s|$)|^([-+])(?=\s|$)")


def escape(text: str) -> str:
    """Return an untrusted value on one line, so that Markdown shows it letter by letter. Ordinary names stay as is."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    line = _MARKUP.sub(lambda found: "\\" + found[0], unmarked(line))
    return _LIST_MARK.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else "\\" + found[3], line)


_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined,
    finalize=_fill,
    autoescape=False,  # what comes out is Markdown; layout.py escapes for HTML
    trim_blocks=True,
    lstrip_blocks=True,
)


# --- reading and checking --------------------------------------------------------------------------------------------

_KEYS = ("title", "commercial", "blocks", "placeholders")


@lru_cache(maxsize=64)  # what was found good is compiled once a process; what is wrong is told every time
def _read_letter(folder: Path, version: str) -> Letter:
    data, problems = _read_settings(folder / "letter.yaml")
    if problems:
        raise BadInput(problems)
    blocks = tuple(str(name) for name in data["blocks"])
    allowed = frozenset(str(name) for name in data["placeholders"])
    compiled: dict[str, jinja2.Template] = {}
    used: set[str] = set()
    for language in LANGUAGES:
        try:
            source = _source(folder / f"{language}.md", blocks)
            used |= _names(source, folder / f"{language}.md", allowed)
            compiled[language] = _ENVIRONMENT.from_string(source)
        except BadInput as error:
            problems += error.problems
    problems += _unused(folder / "letter.yaml", data, allowed - used) if not problems else []
    if problems:
        raise BadInput(problems)
    title = {str(key): str(value) for key, value in data["title"].items()}
    letter = Letter(folder.name, title, bool(data["commercial"]), blocks, allowed, version, compiled)
    _try_out(letter, folder)
    return letter


def _version(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in [folder / "letter.yaml", *(folder / f"{language}.md" for language in LANGUAGES)]:
        written = path.read_bytes() if path.is_file() else b""  # reading says what is missing
        digest.update(path.name.encode() + b"\0" + written + b"\0")
    return digest.hexdigest()


def _read_settings(path: Path) -> tuple[Any, list[Problem]]:
    try:
        data = YAML().load(_text(path))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise BadInput([Problem(_("This is not valid YAML."), Place(str(path), line))]) from None
    if not isinstance(data, dict):
        raise BadInput([Problem(_("The file must say title, commercial, blocks and placeholders."), Place(str(path)))])
    problems = [
        Problem(_("Unknown key {key}.", key=key), Place(str(path), data.lc.key(key)[0] + 1), _near(str(key), _KEYS))  # type: ignore[attr-defined]
        for key in data
        if key not in _KEYS
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
    for key in ("blocks", "placeholders"):
        names = data[key]
        if not isinstance(names, list) or not names or len(set(map(str, names))) != len(names):
            problems.append(at(key, _("Write a list of different names.")))
    if not problems:
        problems = [
            Problem(
                _("There is no placeholder {name}.", name=name),
                Place(str(path), data["placeholders"].lc.item(index)[0] + 1),
                _near(str(name), tuple(PLACEHOLDERS)),
            )
            for index, name in enumerate(data["placeholders"])
            if name not in PLACEHOLDERS
        ]
    return problems


def _unused(path: Path, data: Any, names: frozenset[str]) -> list[Problem]:
    line = data.lc.key("placeholders")[0] + 1
    return [
        Problem(_("No language uses the placeholder {name}.", name=name), Place(str(path), line))
        for name in sorted(names)
    ]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput([Problem(_("This file is missing."), Place(str(path)), _("Write it."))]) from None
    except UnicodeDecodeError:
        raise BadInput([Problem(_("The file is not UTF-8 text."), Place(str(path)), _("Save it as UTF-8."))]) from None


def _source(path: Path, blocks: tuple[str, ...]) -> str:
    """Return the file as one template, each section opened by a separator on its own line, so that lines stay true."""
    lines, found = [], []
    for number, line in enumerate(_text(path).replace("\r\n", "\n").split("\n"), 1):
        section = _SECTION.match(line)
        if section:
            found.append((section[1], number))
        elif not found and line.strip() and not line.startswith("{#"):
            raise BadInput([Problem(_("Text stands before the first section."), Place(str(path), number))])
        lines.append(_BREAK if section else _keep_break(line))
    problems = _wrong_sections(path, found, (SUBJECT, *blocks))
    if problems:
        raise BadInput(problems)
    return "\n".join(lines)


def _keep_break(line: str) -> str:
    """A line of tags only leaves no line behind; a tag at the end of a written line must not swallow the break."""
    end = line.rstrip()
    return f"{end[:-2]}+%}}" if end.endswith("%}") and not _ONLY_TAGS.match(line) else line


def _wrong_sections(path: Path, found: list[tuple[str, int]], wanted: tuple[str, ...]) -> list[Problem]:
    names = [name for name, _line in found]
    problems = [
        Problem(_("There is no block {name} in letter.yaml.", name=name), Place(str(path), line), _near(name, wanted))
        for name, line in found
        if name not in wanted
    ]
    problems += [
        Problem(_("The block {name} is missing.", name=name), Place(str(path))) for name in wanted if name not in names
    ]
    if not problems and names != list(wanted):
        wrong = next(line for (name, line), right in zip(found, [*wanted, ""], strict=False) if name != right)
        order = ", ".join(wanted)
        problems.append(
            Problem(_("The blocks must stand once each, in this order: {order}.", order=order), Place(str(path), wrong))
        )
    return problems


def _names(source: str, path: Path, allowed: frozenset[str]) -> set[str]:
    """Return the placeholders a template uses. Raises BadInput for anything but printing, asking and listing them."""
    try:
        tree = _ENVIRONMENT.parse(source)
    except jinja2.TemplateSyntaxError as error:
        raise BadInput([Problem(str(error.message), Place(str(path), error.lineno))]) from None
    problems = list(_forbidden(tree, path))
    used = set()
    own = {loop.target.name for loop in tree.find_all(nodes.For) if isinstance(loop.target, nodes.Name)}
    for name in tree.find_all(nodes.Name):
        if name.name in own:
            continue
        used.add(name.name)
        if name.name not in allowed:
            hint = _near(name.name, tuple(allowed)) or _(
                "Add it to placeholders in letter.yaml, if there is such a one."
            )
            problems.append(
                Problem(
                    _("{name} is not a placeholder of this letter.", name=name.name),
                    Place(str(path), name.lineno),
                    hint,
                )
            )
    if problems:
        raise BadInput(problems)
    return used


def _forbidden(tree: nodes.Node, path: Path) -> Iterator[Problem]:
    for node in tree.find_all(nodes.Node):
        loop_over_more = isinstance(node, nodes.For) and (
            not isinstance(node.iter, nodes.Name) or any(node.find_all(nodes.For))
        )
        if not isinstance(node, _ALLOWED) or loop_over_more:
            yield Problem(
                _("Only {{ name }}, if and for over one list are allowed in a letter."), Place(str(path), node.lineno)
            )


def _try_out(letter: Letter, folder: Path) -> None:
    """Write the letter with all facts and with as few as there can be, so that a missing question shows now."""
    problems = []
    for language in LANGUAGES:
        for facts in (SAMPLES[language], least(SAMPLES[language])):
            try:
                render(letter, language, {language: facts})
            except Refused as error:
                problems.append(Problem(error.message, Place(str(folder / f"{language}.md"))))
    if problems:
        raise BadInput(problems)


def _near(name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name, known, n=1)
    return _("Did you mean {name}?", name=near[0]) if near else ""
