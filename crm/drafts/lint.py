"""``crm letters check``: everything that can be said about letter files before anybody reads them.

Files are looked at line by line (``lint_files``), then written from samples and looked at as they are received
(``lint_letters``). Each finding is a Problem: file, line, block, what is wrong and what to do.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from crm.core.errors import BadInput, NotFound, Place, Problem
from crm.core.i18n import _
from crm.drafts import spam
from crm.drafts.language import LANGUAGES, VARIANTS
from crm.drafts.lint_files import Part, check_files, phrase_problem, read_parts
from crm.drafts.lint_letters import Found, check_letter, languages_of, receive, samples
from crm.drafts.phrases import all_phrases
from crm.drafts.templates import Letter, Library


@dataclass(frozen=True)
class Report:
    """What was looked at and what was found. ``scores`` are (letter, file, points, rules) of SpamAssassin."""

    letters: tuple[str, ...]
    files: int
    problems: tuple[Problem, ...]
    scores: tuple[tuple[str, str, float, tuple[str, ...]], ...] = ()


def check(
    directory: str | Path, *, letter: str | None = None, language: str | None = None, with_spam: bool = False
) -> Report:
    """Check all letters of a folder, or one, in all languages or one (``es`` with its variants, or ``es-ES`` alone).

    Raises NotFound for a letter or language that is not there, Refused when SpamAssassin is asked for and missing.
    """
    folders = _folders(Path(directory), letter)
    tags = _tags(language)
    problems: list[Problem] = []
    scores: list[tuple[str, str, float, tuple[str, ...]]] = []
    count = 0
    for folder in folders:
        parts = read_parts(folder)
        count += len({part.file for part in parts if part.tag in tags})
        found = [*check_files(folder.name, parts)]
        written, refused = _read(Path(directory), folder)
        problems += _wanted([*refused, *found, *_written(written, tags, parts, found)], tags)
        if with_spam and written:
            scores += _scores(written, tags)
    problems += _too_many_points(Path(directory), scores)
    return Report(tuple(folder.name for folder in folders), count, tuple(dict.fromkeys(problems)), tuple(scores))


def _folders(directory: Path, letter: str | None) -> list[Path]:
    if not directory.is_dir():
        raise BadInput([Problem(_("There is no such folder."), Place(str(directory)))])
    folders = sorted(path for path in directory.iterdir() if path.is_dir())
    if letter is None:
        return folders
    if letter not in [folder.name for folder in folders]:
        known = ", ".join(folder.name for folder in folders)
        raise NotFound(_("There is no letter called {name}. Known: {known}.", name=letter, known=known))
    return [directory / letter]


def _tags(language: str | None) -> frozenset[str]:
    known = (*LANGUAGES, *VARIANTS)
    if language is None:
        return frozenset(known)
    if language not in known:
        raise NotFound(
            _("No letter is written in {language}. Known: {known}.", language=language, known=", ".join(known))
        )
    return frozenset({language, *(tag for tag, (base, _lands) in VARIANTS.items() if base == language)})


def _read(directory: Path, folder: Path) -> tuple[Letter | None, list[Problem]]:
    try:
        return Library(directory, only=folder.name).letter(folder.name), []
    except BadInput as error:
        return None, error.problems


def _wanted(problems: Sequence[Problem], tags: Collection[str]) -> list[Problem]:
    """Keep what concerns the languages asked for, and letter.yaml, in the order of the files."""
    kept = [problem for problem in problems if _tag(problem) in tags or not _tag(problem)]
    return sorted(kept, key=lambda problem: (problem.place.file or "", problem.place.line or 0))


def _tag(problem: Problem) -> str:
    name = Path(problem.place.file or "").name
    return name.removesuffix(".md") if name.endswith(".md") else ""


def _written(
    letter: Letter | None, tags: Collection[str], parts: Sequence[Part], told: Sequence[Problem]
) -> Iterator[Problem]:
    """Write the letter in each language and yield what shows only then, once per file and block."""
    if letter is None:
        return
    seen = {key for problem in told for key in (_key(problem), _key(problem, block=""))}
    for tag in (tag for tag in languages_of(letter) if tag in tags):
        for found in check_letter(letter, tag):
            problem = _problem(found, parts)
            key = _key(problem, block=found.block, more=found.message if found.code == "html" else "")
            if found.rule is not None and _told_before(problem, parts, found, seen):
                continue
            if key not in seen:  # else told before, by its line or with another sample
                seen.add(key)
                yield problem


def _told_before(problem: Problem, parts: Sequence[Part], found: Found, seen: Collection[tuple[str, ...]]) -> bool:
    """A phrase that stands in the file of the language is not told of its variants again."""
    files = {part.file for part in parts if part.tag == found.sample.language}
    return any((file, problem.code, "", "") in seen for file in files)


def _key(problem: Problem, *, block: str | None = None, more: str = "") -> tuple[str, ...]:
    where = problem.place.field if block is None else block
    return (problem.place.file or "", problem.code, where or "", more)


def _problem(found: Found, parts: Sequence[Part]) -> Problem:
    part = _part_of(found, parts)
    place = Place(part.file, part.line if found.block else None, field=found.block or None)
    if found.rule is not None:
        return phrase_problem(all_phrases()[found.rule], found.message, place)
    message = _("{message} ({sample})", message=found.message, sample=found.sample.told)
    return Problem(message, place, found.hint, found.code)


def _part_of(found: Found, parts: Sequence[Part]) -> Part:
    """Return the part that wrote the block: the variant's own, else that of its language."""
    own = [part for part in parts if part.tag == found.sample.tag]
    base = [part for part in parts if part.tag == found.sample.language]
    block = [part for part in (*own, *base) if part.block == found.block]
    return next(iter(block or own or base))


# --- SpamAssassin ----------------------------------------------------------------------------------------------------


def _scores(letter: Letter, tags: Collection[str]) -> list[tuple[str, str, float, tuple[str, ...]]]:
    asked = [tag for tag in languages_of(letter) if tag in tags]
    mails = [receive(letter, next(samples(letter, tag))).mail for tag in asked]
    found = spam.scores(mails)
    return [(letter.name, tag, score.points, score.rules) for tag, score in zip(asked, found, strict=True)]


def _too_many_points(directory: Path, scores: Sequence[tuple[str, str, float, tuple[str, ...]]]) -> Iterator[Problem]:
    for name, tag, points, rules in scores:
        if points >= spam.LIMIT:
            yield Problem(
                _("SpamAssassin gives {points} points: {rules}.", points=points, rules=", ".join(rules)),
                Place(str(directory / name / f"{tag}.md")),
                _("Write what the rules name in another way; below {limit} is good.", limit=spam.LIMIT),
                "spam",
            )
