"""The workflows in use, files of their folder and versions saved over them, and the texts that leads in flight keep."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from crm.campaigns.checker import check, read_stored
from crm.campaigns.definition import Definition
from crm.campaigns.letters import languages_in_use
from crm.campaigns.models import Campaign, WorkflowSave, WorkflowVersion
from crm.campaigns.reading import MOST_CHARACTERS
from crm.campaigns.rules import OwnDays, OwnHolidays
from crm.core import events
from crm.core.config import Settings
from crm.core.db import alone
from crm.core.errors import BadInput, NotFound, Place, Problem, Refused, Stale
from crm.core.i18n import _

_NAME_LINE = re.compile(r"^workflow:[ \t]*[\"']?([a-z][a-z0-9-]{0,63})[\"']?[ \t]*(?:#.*)?\r?$", re.MULTILINE)


class Workflow(NamedTuple):
    """A checked workflow file; its version is the SHA-256 of its text."""

    definition: Definition
    text: str
    sha256: str


@dataclass(frozen=True)
class Source:
    """The text of a workflow in use, unchecked. ``save``: the saving it comes from, None for the folder's file.

    What was saved in the browser wins over the file; ``file_text`` is what the file says (None: there is no file).
    """

    name: str
    text: str
    save: WorkflowSave | None
    file_text: str | None

    @property
    def sha256(self) -> str:
        return sha256_of(self.text)

    @property
    def differs(self) -> bool:
        """Tell whether the file says something else than the version in use."""
        return self.file_text is not None and self.file_text != self.text

    @property
    def file_is_newer(self) -> bool:
        """Tell whether the file was changed after the version in use was saved."""
        return self.differs and self.save is not None and self.save.file_sha256 != sha256_of(self.file_text or "")


def sha256_of(text: str) -> str:
    """Return the content hash by which a text is a version."""
    return hashlib.sha256(text.encode()).hexdigest()


def load_workflows(settings: Settings, session: Session | None = None) -> dict[str, Workflow]:
    """Read and check every workflow in use, by name: the files of the configured folder and what was saved.

    With a ``session``, what was saved in the browser stands instead of the file of the same name (``sources``).
    Raises BadInput with all problems of all workflows.
    """
    letters = languages_in_use(session, settings)
    found: dict[str, Workflow] = {}
    problems: list[Problem] = []
    for place, text, unreadable in _texts(settings, session):
        definition, faults = _checked(text, place, letters) if not unreadable else (None, unreadable)
        problems += faults
        if definition is not None:
            found[definition.workflow] = Workflow(definition, text, sha256_of(text))
    if problems:
        raise BadInput(problems)
    return found


def _texts(settings: Settings, session: Session | None) -> Iterator[tuple[str, str, list[Problem]]]:
    """Yield what stands in use: where it stands, its text, and why it cannot be read."""
    saved = _latest(session) if session is not None else {}
    paths = {path.stem: path for path in _files(settings)}
    for name in sorted({*paths, *saved}):
        if name in saved:
            yield f"{name}.yaml", saved[name][1], []
        else:
            yield str(paths[name]), *_read(paths[name])


def sources(session: Session, settings: Settings) -> dict[str, Source]:
    """Return the workflows in use by name, whether they are in order or not."""
    saved = _latest(session)
    files = {path.stem: _read(path)[0] for path in _files(settings)}
    return {
        name: Source(
            name, saved[name][1] if name in saved else files[name], saved.get(name, (None,))[0], files.get(name)
        )
        for name in sorted({*files, *saved})
    }


def source_of(session: Session, settings: Settings, name: str) -> Source:
    """Return one workflow in use. Raises NotFound."""
    found = sources(session, settings).get(name)
    if found is None:
        raise NotFound(_("There is no such workflow."))
    return found


def _files(settings: Settings) -> list[Path]:
    return sorted(Path(settings.workflows_dir).glob("*.yaml"))


def _latest(session: Session) -> dict[str, tuple[WorkflowSave, str]]:
    newest = select(func.max(WorkflowSave.id)).group_by(WorkflowSave.name)
    rows = (
        select(WorkflowSave, WorkflowVersion.text)
        .join(WorkflowVersion, col(WorkflowVersion.sha256) == WorkflowSave.sha256)
        .where(col(WorkflowSave.id).in_(newest))
    )
    return {save.name: (save, text) for save, text in session.exec(rows)}


def _read(path: Path) -> tuple[str, list[Problem]]:
    try:
        return path.read_text(encoding="utf-8"), []
    except (OSError, UnicodeDecodeError):
        return "", [Problem(_("The file cannot be read."), Place(str(path)), _("Save it as UTF-8 text."))]


# ---------------------------------------------------------------- versions


def saves_of(session: Session, name: str) -> Sequence[tuple[WorkflowSave, str]]:
    """Return every saving of a workflow with its text, the latest first."""
    rows = (
        select(WorkflowSave, WorkflowVersion.text)
        .join(WorkflowVersion, col(WorkflowVersion.sha256) == WorkflowSave.sha256)
        .where(WorkflowSave.name == name)
        .order_by(col(WorkflowSave.number).desc())
    )
    return [(save, text) for save, text in session.exec(rows)]


def check_text(
    settings: Settings, name: str, text: str, session: Session | None = None
) -> tuple[Definition | None, list[Problem]]:
    """Check a text as the workflow ``name``; the problems' places name no folder.

    With a ``session``, letters that were saved on the desk only are known too.
    """
    return _checked(tidied(text), f"{name}.yaml", languages_in_use(session, settings))


def _checked(text: str, place: str, letters: dict[str, set[str]]) -> tuple[Definition | None, list[Problem]]:
    """Check a text; one that was found good under the same letters is not checked again in this process."""
    try:
        return _sound(text, place, frozenset((name, frozenset(languages)) for name, languages in letters.items())), []
    except BadInput as error:
        return None, error.problems


@lru_cache(maxsize=64)  # an exception is not kept: problems are told in the language of whoever asks
def _sound(text: str, place: str, letters: frozenset[tuple[str, frozenset[str]]]) -> Definition:
    definition, problems = check(text, place, {name: set(languages) for name, languages in letters})
    if definition is None:
        raise BadInput(problems)
    return definition


def tidied(text: str) -> str:
    """Return a text as it is stored: the line ends of a form or a file from elsewhere are made those of here."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff").rstrip()
    return f"{text}\n" if text else ""


def name_in(text: str) -> str:
    """Return the name that a text gives its workflow, or an empty text; the text may have mistakes."""
    found = _NAME_LINE.search(text[:MOST_CHARACTERS])
    return found[1] if found else ""


def save_workflow(
    session: Session, settings: Settings, name: str, text: str, *, based_on: str, why: str, by: str, now: datetime
) -> WorkflowSave:
    """Store a text as the version in use. Campaigns that run keep theirs.

    ``based_on`` is the hash of the version that was changed, empty for a new workflow. Raises BadInput with every
    mistake, Stale when somebody else saved meanwhile, Refused when nothing was changed.
    """
    _definition, problems = check_text(settings, name, text, session)
    if not why.strip():
        problems = [*problems, Problem(_("Write down why it was changed."), Place(field="why"))]
    if problems:
        raise BadInput(problems)
    text = tidied(text)
    alone(session, f"workflow {name}")  # who saves at the same moment looks only when the other one has stored
    present = sources(session, settings).get(name)
    if (present.sha256 if present else "") != based_on:
        raise Stale(_("Somebody else changed this workflow while you were writing."))
    if present is not None and present.text == text:
        raise Refused(_("Nothing was changed."))
    return _save(session, present, name, text, why.strip(), by, now)


def _save(
    session: Session, present: Source | None, name: str, text: str, why: str, by: str, now: datetime
) -> WorkflowSave:
    keep(session, name, text, now)
    file_text = present.file_text if present else None
    saved = WorkflowSave(
        name=name,
        number=(session.exec(select(func.max(WorkflowSave.number)).where(WorkflowSave.name == name)).one() or 0) + 1,
        sha256=sha256_of(text),
        file_sha256=sha256_of(file_text) if file_text is not None else "",
        saved_at=now,
        saved_by=by,
        why=why,
    )
    try:
        with session.begin_nested():
            session.add(saved)
            session.flush()
    except IntegrityError:  # of two who save at the same moment, one has the number
        raise Stale(_("Somebody else changed this workflow while you were writing.")) from None
    events.record(
        session, "workflow_saved", "workflow_save", saved.id, at=now, actor=by, reason=why, data={"workflow": name}
    )
    return saved


def keep(session: Session, name: str, text: str, now: datetime) -> str:
    """Store a text as a version, once, and return its hash."""
    sha256 = sha256_of(text)
    if session.get(WorkflowVersion, sha256) is None:
        session.add(WorkflowVersion(sha256=sha256, name=name, text=text, created_at=now))
        session.flush()
    return sha256


# ---------------------------------------------------------------- stored versions


def definition_of(session: Session, sha256: str) -> Definition:
    """Return the definition of a stored version; its text is read once a process, since it never changes."""
    if sha256 not in _known:
        _known[sha256] = _parsed(session.get_one(WorkflowVersion, sha256).text)
    return _known[sha256]


_known: dict[str, Definition] = {}


@lru_cache(maxsize=64)
def _parsed(text: str) -> Definition:
    definition = read_stored(text)
    if definition is None:
        raise BadInput(_("The stored workflow cannot be read any more."))
    return definition


def dates_of(campaign: Campaign) -> dict[str, date]:
    """Return the days that a campaign's workflow asks for, as far as they are known."""
    return {name: date.fromisoformat(day) for name, day in campaign.dates.items()}


def own_holidays(settings: Settings) -> OwnHolidays:
    """Return the centre's own days a country: days off it adds, and days on which people work all the same."""
    off, working = settings.campaigns.holidays, settings.campaigns.working_days
    return {
        country: OwnDays(frozenset(off.get(country, ())), frozenset(working.get(country, ())))
        for country in off.keys() | working.keys()
    }
