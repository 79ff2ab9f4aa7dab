"""Writes a person's name by the patterns of CLDR (Unicode Technical Standard 35, part 8). Pure.

A name is given as fields (``given``, ``surname``, ``surname2``, ``title`` …, with modifiers such as ``given-informal``,
``surname-prefix``) and the locale it comes from; the answer is the name as a reader of the formatting locale writes it.
What a letter puts around the name is not here but in names.py.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal

from crm.drafts.name_locales import (
    akin,
    covers,
    data_chain,
    language_of,
    lookup_chain,
    maximal,
    script_of,
    subtags,
    written_alike,
)

Order = Literal["givenFirst", "surnameFirst", "sorting"]
Length = Literal["long", "medium", "short"]
Usage = Literal["referring", "addressing", "monogram"]
Formality = Literal["formal", "informal"]

GIVEN_FIRST: Order = "givenFirst"
SURNAME_FIRST: Order = "surnameFirst"


@dataclass(frozen=True)
class PersonName:
    """The fields of a name as UTS 35 calls them. ``locale`` is where the name comes from ('' = read it off its script).

    At least ``given`` is expected, a person of one name has it there; a name with a surname only is written as that.
    """

    fields: Mapping[str, str]
    locale: str = ""
    preferred_order: Order | None = None


def format_name(
    name: PersonName,
    locale: str,
    *,
    order: Order | None = None,
    length: Length | None = None,
    usage: Usage = "referring",
    formality: Formality | None = None,
) -> str:
    """Return ``name`` as written in ``locale`` (``ko``, ``zh_Hant``, ``es-MX`` …).

    ``order`` is derived from the name unless given, as it must be for ``sorting``; ``length`` and ``formality`` default
    to what CLDR says is usual in the locale. A name in another script than the locale's is written by the rules of
    its own script. Locales without data of their own fall back to their parent, at last to CLDR's root.
    """
    fields = _whole_fields(name.fields)
    script = _name_script(fields)
    locale = _formatting_locale(name, script, locale)
    rules = _rules(locale)
    how = order or name_order(name, locale)
    use = "referring" if how == "sorting" else usage  # lists know no other use
    named = f"{how} {length or rules.length} {use} {formality or rules.formality}"
    values = _Values(fields, name.locale, rules)
    pattern = _best(rules.patterns[named], values)
    if not values.surname and not pattern.shows_given:
        values = _Values(_given_as_surname(fields), name.locale, rules)
    text = _fill(pattern, values) or fields.get("given") or fields.get("surname") or ""
    native = akin(language_of(locale), _name_language(name, script))
    return re.sub(r"\s+", lambda _: rules.native_space if native else rules.foreign_space, text)


def name_order(name: PersonName, locale: str) -> Order:
    """Return whether ``name`` stands family or given name first for a reader of ``locale``.

    The name's own wish goes first, then where it comes from: the longest locale that CLDR lists for the reader's
    language, for each its country alone as well (``und_JP``), else ``und``. A name without a locale is taken to come
    from the most likely place of its script.
    """
    if name.preferred_order:
        return name.preferred_order
    script = _name_script(_whole_fields(name.fields))
    if script and not written_alike(script, maximal(locale)[1]):
        locale = _formatting_locale(name, script, locale)
    origin = name.locale or "_".join(maximal(f"und_{script}" if script else "und"))
    rules = _rules(locale)
    for candidate in lookup_chain(origin):
        if candidate in rules.given_first:
            return GIVEN_FIRST
        if candidate in rules.surname_first:
            return SURNAME_FIRST
    return GIVEN_FIRST


# --- the data --------------------------------------------------------------------------------------------------------

_PLACEHOLDER = re.compile(r"\{([a-zA-Z0-9-]+)\}")


@dataclass(frozen=True)
class _Field:
    """One field of a pattern: ``given-informal-initial`` is ``given`` with two modifiers."""

    base: str
    modifiers: tuple[str, ...]


@dataclass(frozen=True)
class _Pattern:
    """``literals[i]`` stands before ``fields[i]``, the last one behind them all."""

    text: str
    literals: tuple[str, ...]
    fields: tuple[_Field, ...]

    @property
    def shows_given(self) -> bool:
        """Tell whether the given name stands in the pattern as more than an initial; a monogram counts as shown."""
        return any(one.base == "given" and "initial" not in one.modifiers for one in self.fields)


@dataclass(frozen=True)
class _Rules:
    """What CLDR says of one locale, patterns compiled."""

    given_first: frozenset[str]
    surname_first: frozenset[str]
    formality: Formality
    length: Length
    native_space: str
    foreign_space: str
    initial: str
    initial_sequence: str
    patterns: Mapping[str, tuple[_Pattern, ...]]


@cache
def _data() -> Mapping[str, Mapping[str, object]]:
    loaded: Mapping[str, Mapping[str, object]] = json.loads(
        files("crm.drafts").joinpath("cldr/person_names.json").read_text(encoding="utf-8")
    )["locales"]
    return loaded


def _inherited(locale: str) -> dict[str, object]:
    own = _data()[locale]
    parent = own.get("parent")
    return {**(_inherited(str(parent)) if parent else {}), **own}


@cache
def _rules(locale: str) -> _Rules:
    return _compiled(next(one for one in data_chain(locale) if one in _data()))


@cache
def _compiled(locale: str) -> _Rules:
    """Patterns are taken apart once for each locale, not for each name."""
    found = _inherited(locale)
    listed = {
        key: (value,) if isinstance(value, str) else tuple(value)
        for key, value in found.items()
        if " " in key and isinstance(value, str | list)
    }
    return _Rules(
        given_first=frozenset(str(found["givenFirst"]).split()),
        surname_first=frozenset(str(found["surnameFirst"]).split()),
        formality="formal" if found["formality"] == "formal" else "informal",
        length="long" if found["length"] == "long" else "short" if found["length"] == "short" else "medium",
        native_space=str(found["nativeSpaceReplacement"]),
        foreign_space=str(found["foreignSpaceReplacement"]),
        initial=str(found["initial"]),
        initial_sequence=str(found["initialSequence"]),
        patterns={key: tuple(map(_parsed, texts)) for key, texts in listed.items()},
    )


@cache
def _parsed(text: str) -> _Pattern:
    pieces = _PLACEHOLDER.split(text)
    fields = (piece.split("-") for piece in pieces[1::2])
    return _Pattern(text, tuple(pieces[::2]), tuple(_Field(base, tuple(rest)) for base, *rest in fields))


# --- the name's own locale ------------------------------------------------------------------------------------------


def _name_script(fields: Mapping[str, str]) -> str:
    letters = fields.get("surname", "") + fields.get("given", "")
    return next(filter(None, map(script_of, letters)), "")


def _formatting_locale(name: PersonName, script: str, locale: str) -> str:
    """Return ``locale``, or for a name in another script the locale whose rules that script follows."""
    if not script or written_alike(script, maximal(locale)[1]):
        return locale
    language, stated, region = subtags(name.locale or f"{_name_language(name, script)}_{script}")
    own = "_".join(filter(None, (language, stated if covers(stated, script) else script, region)))
    if next(one for one in data_chain(own) if one in _data()) != "und":
        return own
    return "_".join(maximal("_".join(filter(None, ("und", script, region)))))


def _name_language(name: PersonName, script: str) -> str:
    return subtags(name.locale)[0] if name.locale else maximal(f"und_{script}" if script else "und")[0]


# --- fields ----------------------------------------------------------------------------------------------------------


def _whole_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the filled fields with core, prefix and plain value agreeing (UTS 35, "Handle core and prefix")."""
    found = {key: value for key, value in fields.items() if value}
    for base in {key.split("-")[0] for key in found}:
        prefix, core, plain = (found.get(base + end, "") for end in ("-prefix", "-core", ""))
        if prefix and not core:
            del found[f"{base}-prefix"]
        elif core and not plain:
            found[base] = f"{prefix} {core}".strip()
        if plain and (not core or not prefix):
            found[f"{base}-core"] = plain
    return found


def _given_as_surname(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the name of a person without surname for a pattern without given name: the one stands for the other."""
    moved = {"surname" + key.removeprefix("given"): value for key, value in fields.items() if _base(key) == "given"}
    return {key: value for key, value in fields.items() if _base(key) not in ("given", "surname")} | moved


def _base(key: str) -> str:
    return key.partition("-")[0]


@dataclass
class _Values:
    """Answers what a field of a pattern says for one name."""

    fields: Mapping[str, str]
    locale: str
    rules: _Rules
    _seen: dict[_Field, str] = field(default_factory=dict)

    @property
    def surname(self) -> str:
        """Return the plain surname, '' without one."""
        return self.fields.get("surname", "")

    def of(self, asked: _Field) -> str:
        """Return the text of a field: as supplied with the most modifiers, the others applied to it."""
        if asked not in self._seen:
            self._seen[asked] = self._made(asked)
        return self._seen[asked]

    def _made(self, asked: _Field) -> str:
        for length in range(len(asked.modifiers), -1, -1):
            supplied = self.fields.get("-".join((asked.base, *asked.modifiers[:length])))
            if supplied:
                return self._modified(supplied, asked.modifiers[length:])
        return ""

    def _modified(self, text: str, modifiers: Sequence[str]) -> str:
        if "prefix" in modifiers:  # not supplied, and never guessed
            return ""
        if "initial" in modifiers:
            text = self._initials(text, retain="retain" in modifiers)
        if "monogram" in modifiers:
            text = _grapheme(text)
        if "allCaps" in modifiers:
            text = _upper(text, self.locale)
        if "initialCap" in modifiers:
            first = _grapheme(text)
            text = _upper(first, self.locale) + text[len(first) :]
        return text

    def _initials(self, text: str, *, retain: bool) -> str:
        made = ""
        end = 0
        for start, word in _words(text):
            one = self.rules.initial.replace("{0}", _grapheme(word))
            between = text[end:start].strip()
            if not made:
                made = one
            elif retain and between:
                made = f"{made}{between}{one}"
            else:
                made = self.rules.initial_sequence.replace("{0}", made).replace("{1}", one)
            end = start + len(word)
        return made


_DOTTED_I = frozenset({"tr", "az"})


def _upper(text: str, locale: str) -> str:
    return (text.replace("i", "İ") if subtags(locale)[0] in _DOTTED_I else text).upper()


def _grapheme(text: str) -> str:
    """Return the first character as a reader sees it: with its accents, its joined signs, its Korean letters."""
    end = 1
    while end < len(text) and _joins(text[end - 1], text[end]):
        end += 1
    return text[:end]


def _joins(before: str, char: str) -> bool:
    if unicodedata.category(char).startswith("M") or "\u200d" in (before, char):
        return True
    return "\u1100" <= before <= "\u11ff" and "\u1160" <= char <= "\u11ff"


_WORD = re.compile(r"[^\W_](?:[\w\u0300-\u036f]|['’.·](?=\w))*")


def _words(text: str) -> Iterable[tuple[int, str]]:
    """Yield (start, word). Han text is cut by character, except for words that readers of Chinese see as one."""
    for found in _WORD.finditer(text):
        start, end = found.span()
        while start < end:
            stop = _word_end(text, start, end)
            if text[start].isalnum():
                yield start, text[start:stop]
            start = stop


def _word_end(text: str, start: int, end: int) -> int:
    if script_of(text[start]) == "Hani":
        return start + 2 if text[start : start + 2] in _han_words() else start + 1
    return next((at for at in range(start + 1, end) if script_of(text[at]) == "Hani"), end)


@cache
def _han_words() -> frozenset[str]:
    return frozenset(files("crm.drafts").joinpath("cldr/han_words.txt").read_text(encoding="utf-8").split())


# --- patterns --------------------------------------------------------------------------------------------------------


def _best(patterns: Sequence[_Pattern], values: _Values) -> _Pattern:
    """Return the pattern that shows most of the name, of those the one with the fewest empty fields."""
    if len(patterns) == 1:
        return patterns[0]

    def rank(pattern: _Pattern) -> tuple[int, int, str]:
        filled = sum(1 for one in pattern.fields if values.of(one))
        return (-filled, len(pattern.fields) - filled, pattern.text)

    return min(patterns, key=rank)


def _fill(pattern: _Pattern, values: _Values) -> str:
    """Put the values in; an empty field takes the signs around it along."""
    text = ""
    before: str | None = None  # the literal in front of a gap
    for position, one in enumerate(pattern.fields):
        literal = pattern.literals[position]
        value = values.of(one)
        if not value:
            before = literal if before is None else before
            continue
        if not text:
            text = value if before is not None else literal + value
        else:
            text += (literal if before is None else _coalesced(before, literal)) + value
        before = None
    return text + (pattern.literals[-1] if text and before is None else "")


def _coalesced(one: str, other: str) -> str:
    """Return the signs that stay where a field is missing between ``one`` and ``other``.

    The space nearest to each neighbour stays with what lies before it, what touched the missing field goes with it.
    """
    if not one or not other or one.endswith(other):
        return one or other
    kept = re.match(r"\S*\s", one)
    left = kept[0] if kept else ""
    right = re.search(r"\s(\S*)$", other)
    if not right:
        return left
    return left + right[1] if left else right[0]
