"""``approvals.yaml`` of a letter's folder: who approved which text. Reads it and writes it, always in the same form."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from crm.campaigns.letters import APPROVALS_FILE, is_text
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _
from crm.drafts.readiness import APPROVED, ASKED, RETURNED, Decision, Readiness

SHIPPED = "shipped"
"""Who approved the letters that come with the program: whoever released it."""
MOST_CHARACTERS = 50_000
_HEAD = (
    "# Who approved which text of this letter, each text by the SHA-256 of its file. Written by the desk and, for the\n"
    "# letters of the program, by tools/letters.py. What is not listed as it stands has to be approved first.\n"
)
_HASH = re.compile(r"[0-9a-f]{64}")
_KEYS = ("kind", "text", "korean", "by", "at", "note")


def written(states: Mapping[str, Readiness]) -> str:
    """Return the file for the states of a letter: of each language the decision that its state comes from."""
    lines = [_line(states[tongue].decision) for tongue in sorted(states)]
    return _HEAD + "".join(lines)


def _line(decision: Decision | None) -> str:
    if decision is None:
        return ""
    values = {
        "kind": decision.kind,
        "text": decision.text,
        "korean": decision.korean,
        "by": decision.by,
        "at": decision.at.isoformat(),
        "note": decision.note,
    }
    shown = json.dumps({key: value for key, value in values.items() if value}, ensure_ascii=False)
    return f"{decision.tongue}: {shown}\n"


def read(text: str) -> list[Decision]:
    """Return the decisions of a file. Raises BadInput with every line that says something else than one."""
    if not text.strip():
        return []
    try:
        if len(text) > MOST_CHARACTERS:
            raise YAMLError
        data = YAML(typ="safe").load(text)
    except (YAMLError, ValueError):
        raise BadInput([_problem(_("The list of approvals cannot be read."))]) from None
    if data is None:
        return []
    if not isinstance(data, dict):
        raise BadInput([_problem(_("The list of approvals cannot be read."))])
    found = [(str(tongue), _decision(str(tongue), entry)) for tongue, entry in data.items()]
    wrong = [_problem(_("What is said of {tongue} is no approval.", tongue=tongue)) for tongue, one in found if not one]
    if wrong:
        raise BadInput(wrong)
    return [one for _tongue, one in found if one]


def _problem(message: str) -> Problem:
    hint = _("Export the letter again, or leave the file out: then each language has to be approved here.")
    return Problem(message, Place(APPROVALS_FILE), hint)


def _decision(tongue: str, entry: Any) -> Decision | None:
    if not isinstance(entry, dict) or not is_text(f"{tongue}.md") or not set(entry) <= set(_KEYS):
        return None
    said = {key: str(entry.get(key, "")) for key in _KEYS}
    at = _moment(said["at"])
    right = (
        said["kind"] in (ASKED, APPROVED, RETURNED)
        and _HASH.fullmatch(said["text"])
        and _HASH.fullmatch(said["korean"])
        and 0 < len(said["by"]) <= 254
    )
    if at is None or not right:
        return None
    return Decision(tongue, said["text"], said["korean"], said["kind"], said["by"], at, said["note"])


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def newest(decisions: Iterable[Decision]) -> list[Decision]:
    """Return decisions in order of time; those of one moment as they were given."""
    return sorted(decisions, key=lambda one: one.at)
