"""What must not stand in a letter, by language, with the reason and a better wording: ``phrases.toml``. Pure.

Templates and edited letters are held against the same list. A text is searched for plain words first; the slower
patterns are asked only where one of their words stands.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from crm.core.i18n import language

ANY, SUBJECT, GREETING = "", "subject", "greeting"
PHRASE = "phrase"
_LINK = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Phrase:
    """One entry of the list. ``code`` is ``phrase`` unless texts.py has a sentence of its own for it."""

    number: int
    languages: frozenset[str]
    words: tuple[str, ...]
    why: Mapping[str, str]
    better: str
    example: str
    code: str = PHRASE
    part: str = ANY
    countries: frozenset[str] = frozenset()
    not_countries: frozenset[str] = frozenset()
    letters: frozenset[str] = frozenset()
    template: bool = False
    pattern: re.Pattern[str] | None = None

    def concerns(self, country: str) -> bool:
        """Tell whether it matters to a reader in ``country``; where that is not known, only what matters everywhere."""
        return country not in self.not_countries and (not self.countries or country in self.countries)

    def reason(self) -> str:
        """Return why, in the viewer's language."""
        return self.why[language()]

    def found(self, text: str) -> str:
        """Return the words of ``text`` that are wrong, '' if there are none."""
        lowered = text.lower()
        word = next((word for word in self.words if word in lowered), "")
        if word and self.pattern:
            match = self.pattern.search(text)
            return match[0].strip() if match else ""
        at = lowered.find(word)
        return text[at : at + len(word)] if len(lowered) == len(text) else word


@cache
def all_phrases() -> tuple[Phrase, ...]:
    """Return every entry of phrases.toml in order. ``number`` finds it again (``phrase``)."""
    listed = tomllib.loads(files("crm.drafts").joinpath("phrases.toml").read_text(encoding="utf-8"))["phrase"]
    return tuple(_phrase(number, entry) for number, entry in enumerate(listed))


def _phrase(number: int, entry: dict[str, object]) -> Phrase:
    known: dict[str, object] = dict(entry)
    for name in ("languages", "countries", "not_countries", "letters"):
        known[name] = frozenset(str(item) for item in _list(entry, name))
    known["words"] = tuple(str(item) for item in _list(entry, "words"))
    if "pattern" in entry:
        known["pattern"] = re.compile(str(entry["pattern"]), re.IGNORECASE | re.MULTILINE)
    return Phrase(number=number, **known)  # type: ignore[arg-type]


def _list(entry: dict[str, object], name: str) -> list[object]:
    value = entry.get(name, [])
    assert isinstance(value, list)
    return value


@cache
def _held_against(language: str, country: str) -> tuple[tuple[str, Phrase], ...]:
    held = (phrase for phrase in all_phrases() if language in phrase.languages and phrase.concerns(country))
    return tuple((word, phrase) for phrase in held for word in phrase.words)


def suspected(language: str, text: str) -> bool:
    """Tell whether something of the list, for whichever country, stands in a paragraph: then ``find`` is asked."""
    lowered = text.lower()
    held = {phrase.number: phrase for word, phrase in _held_anywhere(language) if word in lowered}
    return any(phrase.found(text) for phrase in held.values())


@cache
def _held_anywhere(language: str) -> tuple[tuple[str, Phrase], ...]:
    """What is only looked for in files of templates is left out."""
    held = (phrase for phrase in all_phrases() if language in phrase.languages and not phrase.template)
    return tuple((word, phrase) for phrase in held for word in phrase.words)


def find(
    language: str, parts: Sequence[tuple[str, str]], *, country: str = "", template: str = ""
) -> Iterator[tuple[Phrase, str]]:
    """Yield what of the list stands in a letter in ``language``, with the words found.

    ``parts`` are pairs of a part (``subject``, ``greeting`` or '' for the body) and its text; ``country`` is the
    reader's; ``template`` the name of the letter when its file is read, '' for what a person wrote. Addresses of links
    are left out.
    """
    plain = [(part, _LINK.sub("", text) if "://" in text else text) for part, text in parts]
    whole = "\n".join(text for _part, text in plain).lower()
    seen = {phrase.number: phrase for word, phrase in _held_against(language, country) if word in whole}
    for phrase in seen.values():  # nearly always none: what follows need not be fast
        if (phrase.template and not template) or (phrase.letters and template and template not in phrase.letters):
            continue
        texts = [text for part, text in plain if phrase.part in (ANY, part)]
        yield from ((phrase, words) for text in texts if (words := phrase.found(text)))
