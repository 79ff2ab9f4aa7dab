"""Letters read from stored files as far as they are in order, and the shelf of those in use: who may be written what.

A folder of letters is refused whole when anything in it is wrong. What people are writing on the desk is wrong most of
the time; so here a language with mistakes is left out, and the others can be written.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePath

from crm.campaigns.letters import Files, base_of, sha256_of
from crm.core.errors import BadInput, Problem, Refused
from crm.core.i18n import N_, _
from crm.drafts.language import KOREAN, LANGUAGES, chain
from crm.drafts.readiness import Readiness, State
from crm.drafts.templates import Letter, Library, read_letter


@dataclass(frozen=True)
class Checked:
    """What came of reading a letter. ``problems``: of the letter as such; ``faulty``: of each language that has any.

    ``letter`` holds the languages that are in order; None: it cannot be read at all.
    """

    letter: Letter | None
    problems: tuple[Problem, ...] = ()
    faulty: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)


def checked(name: str, files: Files) -> Checked:
    """Read a letter from its files, as far as it can be read. The places of problems name the file, no folder."""
    try:
        return _sound(name, tuple(sorted(files.items())))
    except BadInput as error:  # not kept: problems are told in the language of whoever asks
        return _in_part(name, files, error.problems)


@lru_cache(maxsize=256)
def _sound(name: str, files: tuple[tuple[str, str], ...]) -> Checked:
    return Checked(_read(name, dict(files)))


def _read(name: str, files: Files, *, in_part: bool = False) -> Letter:
    contents = {file: text.encode("utf-8", "surrogateescape") for file, text in files.items()}
    return read_letter(name, contents, Path(), in_part=in_part)


def _in_part(name: str, files: Files, problems: Collection[Problem]) -> Checked:
    """Read the letter without the languages in which something is wrong; Korean must be right."""
    found: dict[str, list[Problem]] = {}
    for one in problems:
        found.setdefault(PurePath(one.place.file or "").stem, []).append(one)
    faulty = {tongue: tuple(told) for tongue, told in found.items() if base_of(tongue) in LANGUAGES}
    others = tuple(one for tongue, told in found.items() if tongue not in faulty for one in told)
    if others or KOREAN in faulty:
        return Checked(None, others, faulty)
    out = {tongue for tongue in (*_written(files), *LANGUAGES) if {tongue, base_of(tongue)} & set(faulty)}
    # Korean stands in for what is left out, so that the reader finds every language; then it is taken out again.
    rest = {file: text for file, text in files.items() if PurePath(file).stem not in out}
    rest |= {f"{tongue}.md": files[f"{KOREAN}.md"] for tongue in out if tongue in LANGUAGES}
    try:
        letter = _read(name, rest, in_part=True)
    except BadInput as error:
        return Checked(None, tuple(error.problems), faulty)
    compiled = {tongue: text for tongue, text in letter.compiled.items() if tongue not in out}
    return Checked(replace(letter, compiled=compiled, version=sha256_of(files)), (), faulty)


def _written(files: Files) -> list[str]:
    return [PurePath(file).stem for file in files if file.endswith(".md")]


WHY = {
    State.NONE: N_("The letter {letter} is not written in {language} yet."),
    State.WRITING: N_("The letter {letter} is still being written in {language}."),
    State.REVIEW: N_("The letter {letter} waits for its approval in {language}."),
    State.AGAIN: N_("The Korean text of the letter {letter} was changed; somebody has to look at {language} again."),
}


LETTERS = "letters"
"""Where it is mended that a text is not approved: the letter desk."""


class NotReady(Refused):
    """A letter may not be written in a language yet: its text waits for a person."""

    def __init__(self, letter: str, tongue: str, state: State, version: str = "") -> None:
        super().__init__(not_ready(letter, tongue, state), code="letter_not_ready")
        self.letter, self.tongue, self.state, self.version = letter, tongue, state, version

    @property
    def held_for(self) -> dict[str, str]:
        """Return what a held draft keeps of it: ``where`` is the desk, ``placeholder`` none."""
        told = {"letter": self.letter, "tongue": self.tongue, "state": self.state.value}
        return {"placeholder": "", "where": LETTERS, **told}


def not_ready(letter: str, tongue: str, state: str) -> str:
    """Return why a letter may not be written in a language, as a sentence."""
    return _(WHY[State(state)], letter=letter, language=tongue)


def desk_page(letter: str, tongue: str) -> str:
    """Return the address of the page on which it is mended that a letter may not be written."""
    return f"/letters/{letter}?language={tongue}"


@dataclass(frozen=True)
class Ready:
    """Whether a letter may be written in a language. If not, ``tongue`` is the text that waits, and for what."""

    tongue: str
    state: State

    def __bool__(self) -> bool:
        return self.state == State.APPROVED


class Shelf(Library):
    """The letters in use, the versions that campaigns keep, and how ready each language of each version is.

    ``present`` names the version of each letter, ``of_campaigns`` that of each campaign; the others go by version.
    """

    def __init__(
        self,
        present: Mapping[str, str],
        versions: Mapping[str, Checked],
        states: Mapping[str, Mapping[str, Readiness]],
        of_campaigns: Mapping[int, Mapping[str, str]],
    ) -> None:
        self.directory = Path()
        self._present, self._versions, self._states, self._of_campaigns = present, versions, states, of_campaigns
        found = {name: versions[sha256].letter for name, sha256 in present.items()}
        self._letters = {name: letter for name, letter in found.items() if letter is not None}

    def letter(self, name: str, version: str = "") -> Letter:
        """Return a letter in a version, the one in use where none is named or it is kept by nobody any more.

        Raises NotFound naming those there are, BadInput with the mistakes of one that cannot be read.
        """
        found = self._versions.get(version or self._present.get(name, ""))
        if found is None:
            return super().letter(name)
        if found.letter is None:
            raise BadInput([*found.problems, *(one for told in found.faulty.values() for one in told)])
        return found.letter

    def version_for(self, name: str, campaign_id: int | None) -> str:
        """Return the version of a letter that a campaign keeps, or an empty text for the one in use."""
        return self._of_campaigns.get(campaign_id or 0, {}).get(name, "")

    def ready(self, letter: Letter, language: str, country: str | None = None) -> Ready:
        """Tell whether a letter may be written in ``language`` to a reader in ``country``: each text it draws on."""
        states = self._states[letter.version]
        for tongue in reversed(chain(language, country)):
            found = states.get(tongue)
            if tongue == language or (found is not None and found.state != State.NONE):
                state = found.state if found is not None else State.NONE
                if state != State.APPROVED:
                    return Ready(tongue, state)
        return Ready(language, State.APPROVED)

    def ready_in_use(self, name: str, language: str, country: str | None = None) -> Ready:
        """Tell whether the letter in use may be written in ``language`` to a reader in ``country``."""
        found = self._versions.get(self._present.get(name, ""))
        if found is None or found.letter is None:
            return Ready(language if found is None else KOREAN, State.NONE if found is None else State.WRITING)
        return self.ready(found.letter, language, country)

    def to_write(
        self, name: str, language: str, country: str | None = None, *, campaign_id: int | None = None, version: str = ""
    ) -> Letter:
        """Return a letter to write now, in ``version`` or the one that the campaign keeps.

        Raises NotReady while a text it is written from is not approved, and as ``letter``.
        """
        version = version or self.version_for(name, campaign_id)
        try:
            letter = self.letter(name, version)
        except BadInput:
            raise NotReady(name, KOREAN, State.WRITING, version) from None
        if not (found := self.ready(letter, language, country)):
            raise NotReady(name, found.tongue, found.state, letter.version)
        return letter

    def ready_languages(self) -> dict[str, set[str]]:
        """Return in which languages and variants each letter in use may be written."""
        return {
            name: {tongue for tongue, found in self._states[sha256].items() if found.approved}
            for name, sha256 in self._present.items()
        }
