"""Looks for what is wrong in the words of letter files, line by line, without writing a letter. Pure.

What makes a letter unreadable (a missing block, an unknown placeholder) is refused by ``templates.py``; here is what
reads badly: remains of another language, words that must not be said, facts that one language tells and another not.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crm.core.errors import Place, Problem
from crm.core.i18n import _
from crm.drafts import phrases
from crm.drafts.language import LANGUAGES, VARIANTS
from crm.drafts.rules import foreign_han, foreign_letters
from crm.drafts.templates import SUBJECT

KOREAN = "ko"
GREETING = "greeting"
READERS = {"ko": "", "en": "SG", "zh-Hans": "CN", "zh-Hant": "TW", "ja": "JP", "es": "MX"}
"""A country whose readers a language's own file is written for; a variant is held against its own countries."""

_HEAD = re.compile(r"\[\[([a-z][a-z0-9_]*?)(?:\s+(\d))?\]\]\s*")
_TAG = re.compile(r"\{%.*?%\}|\{#.*?#\}")
_VALUE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_NAMES_IN_TAGS = re.compile(
    r"\{%[-+]?\s*(?:el)?if\s(.*?)%\}|\{%[-+]?\s*for\s+(\w+)\s+in\s+(\w+)\s*[-+]?%\}|\{\{\s*(\w+)"
)
_WORD_IN_CONDITION = re.compile(r"\b(?!and\b|or\b|not\b)[a-z_]\w*")


@dataclass(frozen=True)
class Part:
    """One wording of a block in one file: its lines with their numbers."""

    file: str
    tag: str
    block: str
    number: int
    lines: tuple[tuple[int, str], ...]

    @property
    def language(self) -> str:
        return VARIANTS[self.tag][0] if self.tag in VARIANTS else self.tag

    @property
    def line(self) -> int:
        return self.lines[0][0]

    @property
    def paragraphs(self) -> Iterator[tuple[int, str]]:
        """Yield the own words of each paragraph with the number of its first line."""
        gathered: list[tuple[int, str]] = []
        for number, line in (*self.lines[1:], (0, "")):
            if line.strip():
                gathered += [(number, words)] if (words := own_words(line)) else []
            elif gathered:
                yield gathered[0][0], "\n".join(words for _number, words in gathered)
                gathered = []


def own_words(line: str) -> str:
    """Return what the file itself says in a line: without tags, and with a sign in the place of each value."""
    words = _VALUE.sub("\N{WHITE SQUARE}", _TAG.sub("", line)).strip().lstrip("-").strip()
    return words if any(char.isalpha() for char in words) else ""


def read_parts(folder: Path) -> list[Part]:
    """Return every part of a letter's files that are UTF-8; what cannot be read ``templates.py`` names."""
    found: list[Part] = []
    for tag in (*LANGUAGES, *VARIANTS):
        path = folder / f"{tag}.md"
        if path.is_file():
            found += _parts(str(path), path.read_text("utf-8", errors="replace"), tag)
    return found


def parts_of(files: Mapping[str, str]) -> list[Part]:
    """Return every part of a letter that is in no folder, from its files by name."""
    tags = [tag for tag in (*LANGUAGES, *VARIANTS) if f"{tag}.md" in files]
    return [part for tag in tags for part in _parts(f"{tag}.md", files[f"{tag}.md"], tag)]


def _parts(file: str, text: str, tag: str) -> Iterator[Part]:
    head, lines = None, []
    for number, line in enumerate(text.splitlines(), 1):
        if found := _HEAD.fullmatch(line):
            if head:
                yield Part(file, tag, head[1], int(head[2] or 1), tuple(lines))
            head, lines = found, [(number, line)]
        elif head:
            lines.append((number, line))
    if head:
        yield Part(file, tag, head[1], int(head[2] or 1), tuple(lines))


def check_files(letter: str, parts: Sequence[Part]) -> Iterator[Problem]:
    """Yield what is wrong in the files of one letter."""
    tags = {part.tag for part in parts}
    for part in parts:
        countries = _readers(part, tags)
        for number, line in part.lines[1:]:
            words = own_words(line)
            for look in _LINE_CHECKS:
                yield from (_at(part, number, *found) for found in look(part, line, words))
            yield from _phrases(letter, part, number, words, countries)
    yield from _same_facts(parts)
    yield from _same_paragraphs(parts)
    yield from _idle_variants(parts)


Found = tuple[str, str, str]
"""Code, message, hint."""


def _at(part: Part, line: int, code: str, message: str, hint: str = "") -> Problem:
    return Problem(message, Place(part.file, line, field=part.block), hint, code)


# --- one line --------------------------------------------------------------------------------------------------------


def _foreign(part: Part, _line: str, words: str) -> Iterator[Found]:
    if strays := foreign_letters(part.language, words):
        yield (
            "untranslated",
            _("“{text}” is not written in the language of the letter.", text=strays),
            _("Translate it, or write it as a placeholder."),
        )
    if odd := foreign_han(part.language, words):
        yield (
            "wrong_han",
            _("“{text}” is not written so where the reader lives.", text=odd),
            _("Write the characters of {language}.", language=part.language),
        )


_COMMON_WORDS = {
    "en": "the and you your our we are is was have has been would could please thank for with from this that will "
    "which when about they their it not as at by on to of",
    "es": "el la los las un una de del que en con por para su sus nuestro nuestra usted le les se y es son como más "
    "muchas gracias este esta si al lo",
}
_COMMON = {language: frozenset(words.split()) for language, words in _COMMON_WORDS.items()}
"""The commonest words of the two languages in Latin letters: three different ones in a line are a sentence."""


def _other_language(part: Part, _line: str, words: str) -> Iterator[Found]:
    said = set(re.findall(r"[^\W\d_]+", words.lower()))
    for language, common in _COMMON.items():
        own = said & _COMMON.get(part.language, frozenset())
        if language != part.language and len(said & common) >= 3 and len(said & common) > len(own):
            found = " ".join(sorted(said & common)[:5])
            yield (
                "untranslated",
                _("The line reads as {language}: {text}", language=language, text=found),
                _("Translate it."),
            )


def _spaces(part: Part, line: str, words: str) -> Iterator[Found]:
    if re.search(r"\S {2,}\S", line):
        yield "double_space", _("Two spaces stand one after the other."), _("Leave one.")
    if "\t" in line:
        yield "double_space", _("A tabulator stands here."), _("Write a space.")
    if part.language in ("ko", "en", "es") and re.search(r"[^\W\d_] +[,.;:!?](?:\s|$)", words):
        yield "space_before_sign", _("A space stands before a punctuation mark."), _("Delete it.")
    if part.language in ("zh-Hans", "zh-Hant", "ja") and (
        half := re.search(r"[\u3041-\u30fe\u4e00-\u9fff][,;:!?]|[\u3041-\u30fe\u4e00-\u9fff]\.(?:\s|$)", words)
    ):
        yield (
            "half_width",
            _("“{text}” has a narrow punctuation mark.", text=half[0]),
            _("Write the wide one: ，。；：！？ (in Japanese 、。)."),
        )


def _signs(_part: Part, line: str, words: str) -> Iterator[Found]:
    if found := re.search(r"^#{1,6}\s|^\s*\|.*\||^---+\s*$|^>\s|`|!\[|</?[a-zA-Z]", line):
        yield (
            "markup",
            _("“{text}” would be printed as it stands.", text=found[0].strip()),
            _("Only paragraphs, lists, **emphasis** and links are read."),
        )
    if re.search(r"https?://|\b[\w.+-]+@[\w-]+\.\w", words):
        yield (
            "fixed_address",
            _("An address is written into the file."),
            _("Use a placeholder, such as website or sender_email."),
        )


def _subject(part: Part, line: str, _words: str) -> Iterator[Found]:
    prices = {"price", "quotation_total", "minimum_purchase"} & set(_VALUE.findall(line))
    if part.block == SUBJECT and prices:
        yield "price_in_subject", _("{name} stands in the subject.", name=min(prices)), _("Prices stay in the letter.")


_LINE_CHECKS: tuple[Callable[[Part, str, str], Iterator[Found]], ...] = (
    _foreign,
    _other_language,
    _spaces,
    _signs,
    _subject,
)


def _readers(part: Part, tags: Collection[str]) -> tuple[str, ...]:
    """Return countries a file writes to: the variant's, else the language's and those whose variant there is not."""
    if part.tag in VARIANTS:
        return (max(VARIANTS[part.tag][1]),)
    missing = [max(lands) for tag, (base, lands) in VARIANTS.items() if base == part.tag and tag not in tags]
    return (READERS[part.tag], *missing)


def _phrases(letter: str, part: Part, number: int, words: str, countries: Sequence[str]) -> Iterator[Problem]:
    kind = {SUBJECT: phrases.SUBJECT, GREETING: phrases.GREETING}.get(part.block, phrases.ANY)
    told: dict[int, Problem] = {}
    for country in countries:
        for phrase, found in phrases.find(part.language, [(kind, words)], country=country, template=letter):
            told[phrase.number] = phrase_problem(phrase, found, Place(part.file, number, field=part.block))
    yield from told.values()


def phrase_problem(phrase: phrases.Phrase, words: str, place: Place) -> Problem:
    """Return a phrase of the list as a problem of a file, in the viewer's language."""
    message = _("“{text}”: {why}", text=words, why=phrase.reason())
    return Problem(message, place, _("Better: {better}", better=phrase.better), f"phrase_{phrase.number}")


# --- several files ---------------------------------------------------------------------------------------------------


def _same_facts(parts: Sequence[Part]) -> Iterator[Problem]:
    """A fact told in Korean and not in another language, or the reverse. Two writings of one fact count as one."""
    told = {tag: _facts([part for part in parts if part.tag == tag]) for tag in LANGUAGES}
    for tag in LANGUAGES:
        if tag == KOREAN or not told[tag] or not told[KOREAN]:
            continue
        place = Place(next(part.file for part in parts if part.tag == tag))
        for name in sorted(told[KOREAN].keys() - told[tag].keys()):
            yield Problem(
                _("{name} is told in Korean and not here.", name=told[KOREAN][name]),
                place, _("Tell it here too, or leave it out in ko.md."), "other_facts",
            )  # fmt: skip
        for name in sorted(told[tag].keys() - told[KOREAN].keys()):
            yield Problem(
                _("{name} is told here and not in Korean.", name=told[tag][name]),
                place, _("Tell it in ko.md too, or leave it out here."), "other_facts",
            )  # fmt: skip


def _facts(parts: Sequence[Part]) -> dict[str, str]:
    """Return the placeholders that are printed or asked for, by the fact they tell."""
    found: dict[str, str] = {}
    for part in parts:
        loops: set[str] = set()
        for condition, item, items, value in _NAMES_IN_TAGS.findall("\n".join(line for _number, line in part.lines)):
            loops |= {item} if item else set()
            names = [*_WORD_IN_CONDITION.findall(condition), items, value]
            found.update({_fact(name): name for name in names if name and name not in loops})
    return found


def _fact(name: str) -> str:
    """``exhibition`` and ``exhibition_short``, ``requested`` and ``requested_list`` are two writings of one fact."""
    return (
        name.removesuffix("_short").removesuffix("_list").replace("interests", "interest").replace("mention", GREETING)
    )


LONG = {"ko": 8, "zh-Hans": 10, "zh-Hant": 10, "ja": 10}
LONG_LATIN = 20
"""From how many letters on two languages do not say the same by chance (``Tel.``, ``電話：``)."""


def _same_paragraphs(parts: Sequence[Part]) -> Iterator[Problem]:
    seen: dict[str, Part] = {}
    for part in (part for part in parts if part.tag in LANGUAGES):
        for number, words in part.paragraphs:
            text = " ".join(words.split())
            if sum(map(str.isalpha, text)) < LONG.get(part.language, LONG_LATIN):
                continue
            first = seen.setdefault(text, part)
            if first.language != part.language:
                yield _at(
                    part,
                    number,
                    "untranslated",
                    _("The paragraph is the same in {language}.md.", language=first.language),
                    _("Translate it."),
                )


def _idle_variants(parts: Sequence[Part]) -> Iterator[Problem]:
    base: Mapping[tuple[str, str, int], Part] = {(part.tag, part.block, part.number): part for part in parts}
    for part in parts:
        if part.tag not in VARIANTS or part.number > 1:
            continue
        wordings = [one for one in parts if (one.tag, one.block) == (part.tag, part.block)]
        others = [base.get((part.language, one.block, one.number)) for one in wordings]
        if [_said(one) for one in wordings] == [_said(other) for other in others if other]:
            yield _at(
                part,
                part.line,
                "idle_variant",
                _("The block is the same in {language}.md.", language=part.language),
                _("Leave it out: a variant holds only what differs."),
            )


def _said(part: Part) -> str:
    return "\n".join(line.strip() for _number, line in part.lines[1:] if line.strip())
