"""``crm import FILE…``, ``crm import undo BATCH`` and ``crm import rows BATCH``."""

import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm.cli import common
from crm.core.errors import BadInput, Place, Problem
from crm.core.i18n import _, ngettext

if TYPE_CHECKING:
    from sqlmodel import Session

    from crm.core.context import Context
    from crm.imports.records import ReadOptions
    from crm.imports.report import ImportReport, RowReport

TAB_NAMES = ("tab", "\\t")


def add_to(app: typer.Typer) -> None:
    """Register ``import``; its first word may be ``undo`` or ``rows``, all others are files."""
    app.command("import", no_args_is_help=True)(import_)


@dataclass(frozen=True)
class Wanted:
    """What the files of one command are imported for, and how they are told about."""

    exhibition: str
    exporter: str
    kind: str
    options: "ReadOptions"
    dry_run: bool
    json: bool
    json_lines: bool


def import_(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE… | undo BATCH | rows BATCH",
            help="contact lists (XLSX, XLS, XLSB, ODS, CSV, VCF); or: undo BATCH; or: rows BATCH",
        ),
    ],
    exhibition: Annotated[str, typer.Option(help="code of the exhibition")] = "",
    exporter: Annotated[str, typer.Option(help="code of the exporter all rows belong to")] = "",
    country: Annotated[str, typer.Option(help="home country of the file, e.g. KR")] = "",
    kind: Annotated[str, typer.Option(help="registration, badge_scan, card or list (default: by the columns)")] = "",
    encoding: Annotated[str, typer.Option(help="text encoding of the file, e.g. cp949 (default: found out)")] = "",
    delimiter: Annotated[str, typer.Option(help="sign between the columns, or: tab (default: found out)")] = "",
    header_row: Annotated[
        list[str] | None, typer.Option(metavar="[SHEET=]N", help="line with the names of the columns; 0: there is none")
    ] = None,
    skip_sheet: Annotated[list[str] | None, typer.Option(metavar="SHEET", help="sheet that is not read")] = None,
    map_: Annotated[
        list[str] | None, typer.Option("--map", metavar="HEADER=FIELD", help="what a column is; no field: keep it only")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would happen, store nothing")] = False,
    json: Annotated[bool, typer.Option("--json", help="one JSON object a file, with all its rows")] = False,
    json_lines: Annotated[
        bool, typer.Option("--json-lines", help="one JSON object a row, as it is read, then one for the file")
    ] = False,
    refused: Annotated[bool, typer.Option("--refused", help="with rows: only those that were not imported")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.xlsx", help="with rows: write a workbook to be mended")
    ] = None,
) -> None:
    """Import contact lists of an exhibition, take a batch back, or show what became of its rows."""
    if files[0] == "undo":
        _undo(files[1:], as_json=json)
        return
    if files[0] == "rows":
        _rows(files[1:], refused=refused, output=output, as_json=json)
        return
    if not exhibition:
        raise BadInput(_("Say which exhibition the contacts are from: --exhibition CODE"))
    options = _options(country, encoding, delimiter, header_row or (), skip_sheet or (), map_ or ())
    wanted = Wanted(exhibition, exporter, _kind(kind), options, dry_run, json, json_lines)
    context = common.open_house()
    reports = [_import_one(context, Path(name), wanted) for name in files]
    count = sum(report.counts.get("refused", 0) for report in reports)
    if count and not (json or json_lines):
        common.say(
            ngettext(
                "{n} row was refused; see the reasons above.", "{n} rows were refused; see the reasons above.", count
            )
        )


def _options(
    country: str,
    encoding: str,
    delimiter: str,
    header_rows: Iterable[str],
    skipped: Iterable[str],
    mapped: Iterable[str],
) -> "ReadOptions":
    from crm.imports.records import ReadOptions

    return ReadOptions(
        encoding=encoding or None,
        delimiter="\t" if delimiter in TAB_NAMES else delimiter or None,
        home_country=country.upper() or None,
        columns=dict(_mapped(text) for text in mapped),
        header_rows=dict(_header_row(text) for text in header_rows),
        skipped_sheets=frozenset(skipped),
    )


def _mapped(text: str) -> tuple[str, str]:
    header, sign, field = text.rpartition("=")
    if not sign:
        raise BadInput(_("--map wants HEADER=FIELD, not “{text}”.", text=text))
    return header, field.strip()


def _header_row(text: str) -> tuple[str, int]:
    sheet, _sign, number = text.rpartition("=")
    if not (number.isascii() and number.isdecimal()):
        raise BadInput(_("--header-row wants a number, or SHEET=NUMBER, not “{text}”.", text=text))
    return sheet, int(number)


def _kind(text: str) -> str:
    from crm.imports.service import KINDS

    if text and text not in KINDS:
        raise BadInput(_("There is no kind “{text}”; the kinds are: {kinds}.", text=text, kinds=", ".join(KINDS)))
    return text


def _import_one(context: "Context", path: Path, wanted: Wanted) -> "ImportReport":
    from crm.exporters import service as exporters
    from crm.imports import service as imports
    from crm.imports import sources
    from crm.pipeline import service as pipeline

    data = _read(path, context.settings.web.max_upload_mb)
    rows: list[RowReport] = []
    with common.counting(_("Reading {file}", file=path.name)) as count:
        with context.db.reading() as session:
            show = exporters.exhibition_by_code(session, wanted.exhibition)
            firm = exporters.exporter_by_code(session, wanted.exporter) if wanted.exporter else None
            purpose = imports.Purpose(show, firm, wanted.options, wanted.kind)
            known = sources.open_known(session, data, path.name, purpose)
        now = context.clock.now()
        each = _each(wanted, path.name, rows)
        with context.db.writing() as session:
            if wanted.dry_run:
                report = imports.preview_opened(
                    session, known.opened, known.purpose, now=now, progress=count, each=each
                )
            else:
                report = imports.import_opened(
                    session, known.opened, known.purpose, now=now, by=common.operator(), progress=count, each=each
                )
                pipeline.open_deals(session, now=now)
    report.rows = rows
    _print_report(report, wanted, known.recalled)
    return report


def _each(wanted: Wanted, file: str, rows: "list[RowReport]") -> "Callable[[RowReport], None] | None":
    """Return what is done with every row: printed at once, kept for the file's object, or nothing."""
    if not (wanted.json or wanted.json_lines):
        return None

    def take(row: "RowReport") -> None:
        if wanted.dry_run and row.outcome == "added":
            row.contact_id = None
        if wanted.json_lines:
            common.emit([{"file": file, **row.as_json()}], [], as_json=True)
        else:
            rows.append(row)

    return take


def _read(path: Path, limit_mb: int) -> bytes:
    try:
        if path.is_dir():
            raise BadInput([Problem(_("This is a folder. Name the files in it."), Place(str(path)))])
        if path.stat().st_size > limit_mb * 1024 * 1024:
            message = _("The file is larger than {n} MB.", n=limit_mb)
            raise BadInput([Problem(message, Place(str(path)), _("Split it, or raise [web] max_upload_mb."))])
        return path.read_bytes()
    except OSError as error:
        raise BadInput([Problem(_("Cannot read the file: {error}", error=error.strerror), Place(str(path)))]) from None


def _print_report(report: Any, wanted: Wanted, recalled: Any) -> None:
    if wanted.json or wanted.json_lines:
        common.emit([report.as_json()], [], as_json=True)
        return
    if recalled:
        common.say(_("The columns are read as {who} settled them for lists of this source.", who=recalled.by))
    common.say(report.summary() + (" " + _("Nothing was stored (dry run).") if wanted.dry_run else ""))
    common.emit(
        report.messages_for_people(),
        [("row", _("Row")), ("outcome", _("Outcome")), ("message", _("Message"))],
        as_json=False,
    )


def _batch_number(words: list[str], usage: str) -> int:
    if len(words) != 1 or not (words[0].isascii() and words[0].isdecimal()):
        raise BadInput(_("Say which batch: {usage} (a number that the import printed).", usage=usage))
    return int(words[0])


def _undo(words: list[str], *, as_json: bool) -> None:
    from crm import jobs
    from crm.delivery import service as delivery
    from crm.imports import service as imports

    number = _batch_number(words, "crm import undo BATCH")
    context = common.open_house()
    with context.db.writing() as session:
        report = imports.undo(
            session,
            number,
            now=context.clock.now(),
            by=common.operator(),
            mailed=delivery.sent_contact_ids,
            release=jobs.release_leads,
        )
    if as_json:
        common.emit([report.as_json()], [], as_json=True)
    else:
        common.say(report.summary())


def _rows(words: list[str], *, refused: bool, output: Path | None, as_json: bool) -> None:
    from crm.accounts.rules import system_viewer
    from crm.imports import queries

    number = _batch_number(words, "crm import rows BATCH")
    context = common.open_house()
    with context.db.reading() as session:
        batch = queries.get_batch(session, system_viewer(), number)
        if output:
            _write_workbook(session, batch, output, everything=not refused)
            return
        columns = [("row", _("Row")), ("outcome", _("Outcome")), ("contact", "#"), ("message", _("Message"))]
        common.emit(_told(session, number, refused=refused, as_json=as_json), columns, as_json=as_json)


def _write_workbook(session: "Session", batch: Any, output: Path, *, everything: bool) -> None:
    from crm.imports import mending

    rows = mending.of_batch(session, batch, everything=everything)
    with tempfile.TemporaryDirectory(prefix="ieum-rows-") as folder:
        made = Path(folder) / "rows.xlsx"
        count = mending.write(made, rows, batch.profile)
        try:
            shutil.copyfile(made, output)
        except OSError as error:
            message = _("Cannot write the file: {error}", error=error.strerror)
            raise BadInput([Problem(message, Place(str(output)))]) from None
    common.say(ngettext("{n} row was written to {file}.", "{n} rows were written to {file}.", count, file=output))


def _told(session: "Session", batch_id: int, *, refused: bool, as_json: bool) -> Iterable[dict[str, Any]]:
    """Yield what became of every row, a page at a time."""
    from crm.accounts.rules import system_viewer
    from crm.imports import queries
    from crm.imports.report import OUTCOMES
    from crm.imports.texts import say

    after = 0
    while True:
        page = queries.rows_of(
            session, system_viewer(), batch_id, "refused" if refused else None, after=after, limit=1_000
        )
        for row in page.rows:
            messages = [say(one["code"], row.number, one) for one in row.messages]
            codes = [one["code"] for one in row.messages]
            told = {"sheet": row.sheet or None, "row": row.number, "contact": row.contact_id, "facts": row.facts}
            if as_json:
                yield {**told, "outcome": row.outcome, "codes": codes, "messages": messages}
            else:
                where = f"{row.sheet}:{row.number}" if row.sheet else str(row.number)
                yield {**told, "row": where, "outcome": _(OUTCOMES[row.outcome]), "message": " ".join(messages)}
        if not page.next:
            return
        after = page.next
        session.expunge_all()
