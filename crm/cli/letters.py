"""``crm letters check``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm.cli import common
from crm.core.i18n import _

if TYPE_CHECKING:
    from crm.core.errors import Problem

app = typer.Typer(help="편지 · letters", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="one JSON object a line")]


@app.callback()
def _letters() -> None:
    """A group, also while it has one command."""


@app.command()
def check(
    letter: Annotated[str | None, typer.Option(help="one letter only, e.g. thank_you")] = None,
    language: Annotated[str | None, typer.Option(help="one language only, e.g. es, or a variant, e.g. es-ES")] = None,
    folder: Annotated[Path | None, typer.Option(help="folder of letters (default: that of the configuration)")] = None,
    spam: Annotated[bool, typer.Option("--spam", help="ask SpamAssassin too, where it is installed")] = False,
    json: Json = False,
) -> None:
    """Check letter files: words, blocks, every sample written, HTML for mail programs. Exit code 1 if one is wrong."""
    from crm.drafts import lint
    from crm.drafts.spam import program

    asked = spam and program() is not None
    report = lint.check(
        folder or common.load_settings().templates_dir, letter=letter, language=language, with_spam=asked
    )
    if json:
        common.emit([_row(problem) for problem in report.problems], [], as_json=True)
    else:
        for problem in report.problems:
            typer.echo(str(problem))
    if spam and not asked:
        common.say(_("SpamAssassin is not installed; nothing was scored."))
    for name, tag, points, rules in report.scores:
        common.say(f"SpamAssassin {points:5.1f}  {name}/{tag}  {', '.join(rules)}")
    common.say(
        _(
            "Letters: {letters}, files: {files}, findings: {findings}.",
            letters=len(report.letters), files=report.files, findings=len(report.problems),
        )
    )  # fmt: skip
    if report.problems:
        raise typer.Exit(1)


def _row(problem: "Problem") -> dict[str, Any]:
    place = problem.place
    return {
        "file": place.file, "line": place.line, "block": place.field, "code": problem.code or "letter",
        "message": problem.message, "todo": problem.hint,
    }  # fmt: skip
