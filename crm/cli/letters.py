"""``crm letters list|check|export|import``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm.accounts.rules import system_viewer
from crm.cli import common
from crm.core.errors import BadInput, Refused
from crm.core.i18n import _, ngettext

if TYPE_CHECKING:
    from crm.core.errors import Problem

app = typer.Typer(help="템플릿 · letter templates", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="one JSON object a line")]


@app.command("list")
def list_(json: Json = False) -> None:
    """List the letters in use with how ready they are in each language."""
    from crm.drafts import desk

    context = common.open_house()
    with context.db.reading() as session:
        pages = desk.pages(session, context.settings)
        columns = list(dict.fromkeys(tongue for page in pages for tongue in page.states))
        rows = [
            {
                "letter": page.source.name,
                "version": page.source.sha256[:12],
                **{tongue: found.state.value for tongue, found in page.states.items()},
            }
            for page in pages
        ]
    common.emit(rows, [("letter", _("Letter")), *((tongue, tongue) for tongue in columns)], as_json=json)


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


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="name of the letter")],
    to: Annotated[Path, typer.Option("--to", help="folder in which the letter's folder is written")] = Path(),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace files that are there already")] = False,
) -> None:
    """Write a letter as it is in use, with its approvals, as a folder."""
    from crm.drafts import archive, desk

    context = common.open_house()
    with context.db.reading() as session:
        letter = desk.exported(session, context.settings, name)
    folder = to / name
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise Refused(_("{folder} holds files already. Say --overwrite to replace them.", folder=folder))
    files = archive.everything(letter.files, letter.approvals)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if old.name not in files and archive.belongs(old.name):
                old.unlink()
        for file, text in files.items():
            (folder / file).write_bytes(text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise BadInput(_("Cannot write {file}: {error}", file=folder, error=error.strerror)) from None
    common.say(ngettext("{n} file written: {folder}", "{n} files written: {folder}", len(files), folder=folder))


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="folder of a letter, or a zip of it")],
    why: Annotated[str, typer.Option(help="why, for the list of versions")],
    by: Annotated[str, typer.Option("--by", help="e-mail of the member of staff who takes it in")] = "",
) -> None:
    """Take a letter in as the version in use, with the approvals that come along."""
    from crm.drafts import archive, desk
    from crm.exporters.service import viewer_of

    letter = archive.from_folder(source) if source.is_dir() else archive.unzipped(_bytes(source))
    context = common.open_house()
    with context.db.writing() as session:
        viewer = viewer_of(session, common.acting(session, by)) if by else system_viewer()
        saved = desk.take_in(session, context.settings, letter, why=why, viewer=viewer, now=context.clock.now())
    if saved is None:
        common.say(_("{name} is in use as it is already; nothing was changed.", name=letter.name))
    else:
        common.say(_("Version {n} of {name} is in use from now on.", n=saved.number, name=letter.name))


def _bytes(path: Path) -> bytes:
    from crm.drafts.archive import MOST_BYTES

    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadInput(_("Cannot read {file}: {error}", file=path, error=error.strerror)) from None
