"""Reading workflow files from their folder, and the stored text that leads in flight keep."""

import hashlib
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from sqlmodel import Session

from crm.campaigns.checker import check, read_stored
from crm.campaigns.definition import Definition
from crm.campaigns.models import Campaign, WorkflowVersion
from crm.campaigns.rules import OwnDays, OwnHolidays
from crm.core.config import Settings
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _


class Workflow(NamedTuple):
    """A checked workflow file; its version is the SHA-256 of its text."""

    definition: Definition
    text: str
    sha256: str


def load_workflows(settings: Settings) -> dict[str, Workflow]:
    """Read and check every workflow file of the configured folder, by name.

    Raises BadInput with all problems of all files.
    """
    letters = letters_in(Path(settings.templates_dir))
    found: dict[str, Workflow] = {}
    problems: list[Problem] = []
    for path in sorted(Path(settings.workflows_dir).glob("*.yaml")):
        text, unreadable = _read(path)
        definition, faults = check(text, str(path), letters) if not unreadable else (None, unreadable)
        problems += faults
        if definition is not None:
            found[definition.workflow] = Workflow(definition, text, hashlib.sha256(text.encode()).hexdigest())
    if problems:
        raise BadInput(problems)
    return found


def _read(path: Path) -> tuple[str, list[Problem]]:
    try:
        return path.read_text(encoding="utf-8"), []
    except (OSError, UnicodeDecodeError):
        return "", [Problem(_("The file cannot be read."), Place(str(path)), _("Save it as UTF-8 text."))]


def letters_in(folder: Path) -> dict[str, set[str]]:
    """Return the letters of a templates folder, each with the languages it is written in."""
    letters = (item for item in folder.iterdir() if item.is_dir()) if folder.is_dir() else ()
    return {letter.name: {path.stem for path in letter.glob("*.md")} for letter in letters if letter.name[0] != "_"}


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
