"""Checks a workflow file before it can run, and says of every mistake where it stands and what was probably meant."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from crm.campaigns.condition_checks import check_conditions
from crm.campaigns.definition import EXIT_REASONS, REQUIRED_EXITS, Definition
from crm.campaigns.flow_checks import check_flow
from crm.campaigns.language import LANGUAGES
from crm.campaigns.outline import Outline, outline
from crm.campaigns.reading import YamlFile, near, validated
from crm.campaigns.timing_checks import check_timing, check_windows
from crm.core.errors import Problem


def check(text: str, filename: str, templates: Mapping[str, set[str]]) -> tuple[Definition | None, list[Problem]]:
    """Read a workflow file; return it with no problems, or None with every problem, in the order of the lines.

    ``filename`` is shown in places; ``templates`` are the letters there are, each with its languages.
    """
    file = YamlFile(filename, text)
    data = file.read()
    definition = validated(Definition, data, file) if data is not None else None
    if data is not None:
        steps = outline(data)
        _check_file_name(data, file)
        check_flow(steps, data, file)
        _check_letters(steps, file, templates)
        _check_exits(data, file)
        reach = check_conditions(steps, data, file)
        check_windows(data, steps, file)
        if definition is not None and not file.problems:
            check_timing(definition, steps, reach, file)
    problems = file.sorted_problems()
    return (None if problems else definition), problems


def read_stored(text: str) -> Definition | None:
    """Return the definition of a text that was checked when it was stored, or None if it cannot be read any more.

    A check that was added since must not stop campaigns on their way.
    """
    file = YamlFile("", text)
    data = file.read()
    return validated(Definition, data, file) if data is not None else None


def _check_file_name(data: Mapping[str, Any], file: YamlFile) -> None:
    stem, name = PurePath(file.name).stem, data.get("workflow")
    if isinstance(name, str) and stem and name != stem:
        file.say("file_name", ("workflow",), {"file": PurePath(file.name).name, "name": name})


def _check_letters(steps: Outline, file: YamlFile, templates: Mapping[str, set[str]]) -> None:
    for draft in steps.all:
        letter, path = draft.text("mail"), (*draft.path, "mail")
        if not letter:
            continue
        if letter not in templates:
            file.say("template_unknown", path, {"name": letter, **near(letter, sorted(templates))})
        elif missing := [language for language in LANGUAGES if language not in templates[letter]]:
            files = ", ".join(f"{letter}/{language}.md" for language in missing)
            file.say("template_languages", path, {"name": letter, "languages": ", ".join(missing), "files": files})


def _check_exits(data: Mapping[str, Any], file: YamlFile) -> None:
    exits = data.get("exit_when")
    if not isinstance(exits, list):
        return
    for name in REQUIRED_EXITS:
        if name not in exits and not any(near(str(other), EXIT_REASONS)["near"] == name for other in exits):
            file.say("exit_required", ("exit_when",), {"name": name})
