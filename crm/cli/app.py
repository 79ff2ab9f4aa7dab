"""The root of the command line: global options, groups, and the one place where errors become exit codes."""

import os
from pathlib import Path
from typing import Annotated

import typer

from crm.cli import (
    campaign,
    common,
    contacts,
    drafts,
    exporters,
    imports,
    letters,
    outbox,
    pipeline,
    report,
    serve,
    users,
)
from crm.core.errors import BadInput, CrmError
from crm.core.i18n import _, speaking

app = typer.Typer(
    name="crm",
    help="이음(Ieum) 전시회 사후마케팅 · post-show follow-up.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def root(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="config.toml to read (default: ./config.toml)")
    ] = None,
) -> None:
    """Options that stand before every command."""
    if config is not None:
        common.options.config = config


serve.add_to(app)
imports.add_to(app)
report.add_to(app)
app.add_typer(contacts.app, name="contacts")
app.add_typer(campaign.app, name="campaign")
app.add_typer(drafts.app, name="drafts")
app.add_typer(letters.app, name="letters")
app.add_typer(outbox.app, name="outbox")
app.add_typer(pipeline.app, name="pipeline")
app.add_typer(users.app, name="users")
app.add_typer(exporters.app, name="exporters")


def ui_language() -> str:
    """Return the language of messages: English where the terminal's locale is English, else Korean."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "en" if locale.lower().startswith("en") else "ko"


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code: 0 done, 1 not possible, 2 wrong input."""
    with speaking(ui_language()):
        try:
            result = typer.main.get_command(app).main(args=arguments, prog_name="crm", standalone_mode=False)
        except CrmError as error:
            common.say(error.message)
            return 2 if isinstance(error, BadInput) else 1
        except typer.Exit as stop:
            return stop.exit_code
        except (typer.Abort, KeyboardInterrupt):
            common.say(_("Stopped."))
            return 1
        except BrokenPipeError:
            return 0
        except Exception as error:
            return _usage_error(error)
        finally:
            for context in common.options.opened:
                context.db.close()
            common.options.opened.clear()
    return result if isinstance(result, int) else 0


def _usage_error(error: Exception) -> int:
    """Print what typer says about wrong arguments; anything else is ours and is raised."""
    show = getattr(error, "format_message", None)
    if show is None:
        raise error
    usage = getattr(getattr(error, "ctx", None), "get_usage", lambda: "")()
    common.say("\n".join(part for part in (usage, show()) if part))
    return getattr(error, "exit_code", 2)
