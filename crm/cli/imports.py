"""``crm import FILE…`` and ``crm import undo BATCH``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm.cli import common
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _, ngettext

if TYPE_CHECKING:
    from crm.core.context import Context


def add_to(app: typer.Typer) -> None:
    """Register ``import``; its first word may be ``undo``, all others are files."""
    app.command("import", no_args_is_help=True)(import_)


def import_(
    files: Annotated[list[str], typer.Argument(metavar="FILE… | undo BATCH", help="CSV or XLSX files, or: undo BATCH")],
    exhibition: Annotated[str, typer.Option(help="code of the exhibition")] = "",
    exporter: Annotated[str, typer.Option(help="code of the exporter all rows belong to")] = "",
    country: Annotated[str, typer.Option(help="home country of the file, e.g. KR")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would happen, store nothing")] = False,
    json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Import contact lists of an exhibition, or take a batch back."""
    if files[0] == "undo":
        _undo(files[1:], as_json=json)
        return
    if not exhibition:
        raise BadInput(_("Say which exhibition the contacts are from: --exhibition CODE"))
    context = common.open_house()
    refused = 0
    for name in files:
        report = _import_one(context, Path(name), exhibition, exporter, country.upper() or None, dry_run=dry_run)
        refused += report.counts.get("refused", 0)
        _print_report(report, as_json=json, dry_run=dry_run)
    if refused:
        common.say(
            ngettext(
                "{n} row was refused; see the reasons above.", "{n} rows were refused; see the reasons above.", refused
            )
        )


def _import_one(
    context: "Context", path: Path, exhibition: str, exporter: str, country: str | None, *, dry_run: bool
) -> Any:
    from crm.exporters import service as exporters
    from crm.imports import service as imports
    from crm.imports.records import ReadOptions
    from crm.pipeline import service as pipeline

    data = _read(path, context.settings.web.max_upload_mb)
    with common.progress() as bar, context.db.writing() as session:
        bar.add_task(_("Reading {file}", file=path.name))
        now = context.clock.now()
        show = exporters.exhibition_by_code(session, exhibition)
        firm = exporters.exporter_by_code(session, exporter) if exporter else None
        purpose = imports.Purpose(show, firm, ReadOptions(home_country=country))
        if dry_run:
            return imports.preview(session, data, path.name, purpose, now=now)
        report = imports.import_file(session, data, path.name, purpose, now=now, by=common.operator())
        pipeline.open_deals(session, now=now)
    return report


def _read(path: Path, limit_mb: int) -> bytes:
    try:
        if path.stat().st_size > limit_mb * 1024 * 1024:
            message = _("The file is larger than {n} MB.", n=limit_mb)
            raise BadInput([Problem(message, Place(str(path)), _("Split it, or raise [web] max_upload_mb."))])
        return path.read_bytes()
    except OSError as error:
        raise BadInput([Problem(_("Cannot read the file: {error}", error=error.strerror), Place(str(path)))]) from None


def _print_report(report: Any, *, as_json: bool, dry_run: bool) -> None:
    if as_json:
        common.emit([report.as_json()], [], as_json=True)
        return
    common.say(report.summary() + (" " + _("Nothing was stored (dry run).") if dry_run else ""))
    common.emit(
        report.messages_for_people(),
        [("row", _("Row")), ("outcome", _("Outcome")), ("message", _("Message"))],
        as_json=False,
    )


def _undo(words: list[str], *, as_json: bool) -> None:
    from crm import jobs
    from crm.delivery import service as delivery
    from crm.imports import service as imports

    if len(words) != 1 or not words[0].isdecimal():
        raise BadInput(_("Say which batch: crm import undo BATCH (a number that the import printed)."))
    context = common.open_house()
    with context.db.writing() as session:
        report = imports.undo(
            session,
            int(words[0]),
            now=context.clock.now(),
            by=common.operator(),
            mailed=delivery.sent_contact_ids,
            release=jobs.release_leads,
        )
    if as_json:
        common.emit([report.as_json()], [], as_json=True)
    else:
        common.say(report.summary())
