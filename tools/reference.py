"""Writes docs/configuration.md, docs/cli.md and docs/placeholders.md from the code: ``make docs``. A test compares."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel, SecretStr

from crm.cli.app import app
from crm.core.config import PREFIX, Settings
from crm.drafts.placeholders import PLACEHOLDERS, Placeholder

DOCS = Path(__file__).resolve().parent.parent / "docs"

CONFIGURATION_HEAD = """# Configuration

`config.toml` is read into one typed object. Unknown keys are refused with file and line. The environment is stronger
than the file: `IEUM_SMTP__HOST=mail.example.com` sets `[smtp] host`. Secrets stand in the environment only, or in a
file named by `..._FILE` (`IEUM_SMTP__PASSWORD_FILE=/run/secrets/smtp`). `crm doctor` checks all of it and names the
cure.

Commands look for the file named by `--config`, then `IEUM_CONFIG`, then `./config.toml`.

This page is written by `make docs` from `crm/core/config.py`.
"""

CLI_HEAD = """# Command line

Exit codes: 0 done, 1 not possible, 2 wrong input. Data goes to stdout (one JSON object a line with `--json`), messages
to stderr. Messages are Korean unless the terminal's locale is English.

This page is written by `make docs` from `crm/cli/`.
"""


def configuration() -> str:
    """Return docs/configuration.md."""
    parts = [CONFIGURATION_HEAD]
    plain = [name for name, field in Settings.model_fields.items() if not _section(field.annotation)]
    for name, field in Settings.model_fields.items():
        model = _section(field.annotation)
        if model is not None:
            parts += [f"## `[{name}]`\n\n{(model.__doc__ or '').strip()}\n", _table(name, model)]
    parts += ["## Top level\n", "| key | what it is |\n|---|---|"]
    parts += [f"| `{name}` | {Settings.model_fields[name].description} |" for name in plain]
    return "\n".join(parts) + "\n"


def _section(annotation: Any) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _table(section: str, model: type[BaseModel]) -> str:
    rows = ["| key | default | what it is |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        secret = field.annotation is SecretStr
        default = "" if secret else f"`{field.get_default(call_default_factory=True)!r}`".replace("`''`", "")
        about = (field.description or "").removeprefix("secret").strip()
        variable = f"{PREFIX}{section}__{name}".upper()
        note = f"secret, only as `{variable}` or `{variable}_FILE`; {about}" if secret else about
        rows.append(f"| `{name}` | {default} | {note.strip('; ')} |")
    return "\n".join(rows) + "\n"


def command_line() -> str:
    """Return docs/cli.md."""
    root = typer.main.get_command(app)
    return CLI_HEAD + "\n" + "\n".join(_commands(root, "crm"))


def _commands(command: Any, name: str) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is not None:
        for child in sorted(inner):
            yield from _commands(inner[child], f"{name} {child}")
        return
    yield f"## `{name}`\n"
    yield f"{(command.help or '').strip()}\n"
    for parameter in command.params:
        if parameter.name == "help":
            continue
        is_option = parameter.param_type_name == "option"
        names = parameter.opts if is_option else [parameter.metavar or str(parameter.name).upper()]
        shown = ", ".join(f"`{item}`" for item in names)
        yield f"- {shown}: {getattr(parameter, 'help', None) or ''}".rstrip(": ")
    yield ""


PLACEHOLDERS_HEAD = """# Placeholders of letters

What a letter file may print or ask for: `{{ name }}`, `{% if name %}`, `{% for item in name %}` for a list. A letter
uses those its `letter.yaml` lists. What is not known is empty: ask before printing, or name it in `needs`, and a letter
without it is held with a link to where it is filled in. The samples are those of the preview. "At home" tells what is
other in a letter between Koreans.

This page is written by `make docs` from `crm/drafts/placeholders.py`.
"""


def placeholders() -> str:
    """Return docs/placeholders.md."""
    rows = [
        "| name | kind | what it is | filled in at | at home | sample: English | sample: Korean |",
        "|---|---|---|---|---|---|---|",
        *(_placeholder(one) for one in PLACEHOLDERS.values()),
    ]
    return PLACEHOLDERS_HEAD + "\n" + "\n".join(rows) + "\n"


def _placeholder(one: Placeholder) -> str:
    home = "never said" if one.abroad else "other" if one.home else ""
    cells = (f"`{one.name}`", one.kind, one.about, one.where, home, _sample(one, "en"), _sample(one, "ko"))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _sample(one: Placeholder, language: str) -> str:
    """Return a sample short enough for a table: of a list the first item."""
    value = one.sample(language)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return f"{value[0]} …" if len(value) > 1 else "".join(value)
    return (value or "").replace("\n", " / ")


PAGES = {"configuration.md": configuration, "cli.md": command_line, "placeholders.md": placeholders}


def main() -> int:
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
