"""``crm report funnel`` and ``crm export``."""

from pathlib import Path
from typing import Annotated

import typer

from crm.accounts.rules import system_viewer
from crm.cli import common
from crm.cli.contacts import write_export
from crm.core.errors import BadInput
from crm.core.i18n import _

report = typer.Typer(help="보고서 · reports", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the group ``report`` and the command ``export``."""
    app.add_typer(report, name="report")
    app.command("export")(export)


@report.callback()
def _reports() -> None:
    """A group, although it has one command yet."""


@report.command()
def funnel(
    by: Annotated[str, typer.Option(help="exhibition, exporter or country")] = "exporter",
    exhibition: Annotated[str, typer.Option(help="code of an exhibition")] = "",
    json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Count leads from the list to the exclusive contract."""
    from crm.exporters import service as exporters
    from crm.reports import queries

    context = common.open_house()
    with context.db.reading() as session:
        show = exporters.exhibition_by_code(session, exhibition).id if exhibition else None
        rows = queries.funnel(session, system_viewer(), by=by, exhibition_id=show)
        records = [row.as_json() for row in rows]
    heads = [(key, key) for key in (records[0] if records else {"name": ""})]
    common.emit(records, heads, as_json=json)


def export(
    what: Annotated[str, typer.Argument(help="contacts or funnel")],
    to: Annotated[Path, typer.Option(help="XLSX file to write")],
) -> None:
    """Write a list as an XLSX file that every Excel opens right."""
    from crm.contacts.export import Selection
    from crm.reports import workbook

    if what not in ("contacts", "funnel"):
        raise BadInput(_("{what} cannot be exported. Known: {names}.", what=what, names="contacts, funnel"))
    context = common.open_house()
    if what == "contacts":
        write_export(context, Selection(), "xlsx", str(to))
        return
    with context.db.reading() as session:
        data = workbook.funnel(session, system_viewer())
    try:
        to.write_bytes(data)
    except OSError as error:
        raise BadInput(_("Cannot write {file}: {error}", file=to, error=error.strerror)) from None
    common.say(str(to))
