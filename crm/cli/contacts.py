"""``crm contacts list|show`` and what belongs to one contact."""

from typing import Annotated

import typer

from crm.accounts.rules import system_viewer
from crm.cli import common
from crm.core.i18n import _

app = typer.Typer(help="바이어 · contacts", no_args_is_help=True)


@app.command("list")
def list_(
    text: Annotated[str, typer.Argument(help="part of a name, company or address")] = "",
    country: Annotated[str, typer.Option(help="country, e.g. JP")] = "",
    exhibition: Annotated[str, typer.Option(help="code of an exhibition")] = "",
    exporter: Annotated[str, typer.Option(help="code of an exporter")] = "",
    json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """List contacts by name. With --json the field names are those of the import documentation."""
    from crm.contacts import queries
    from crm.exporters import service as exporters

    context = common.open_house()
    with context.db.reading() as session:
        rows = queries.as_json(
            session,
            system_viewer(),
            text=text,
            country=country.upper() or None,
            exhibition_id=exporters.exhibition_by_code(session, exhibition).id if exhibition else None,
            exporter_id=exporters.exporter_by_code(session, exporter).id if exporter else None,
        )
        columns = [
            ("id", "#"), ("full_name", _("Name")), ("company", _("Company")), ("country", _("Country")),
            ("emails", _("E-mail")), ("language", _("Language")),
        ]  # fmt: skip
        common.emit(rows, columns, as_json=json)


@app.command()
def show(
    contact: Annotated[int, typer.Argument(help="number of the contact")],
    json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Show one contact with the file, row and day each value came from."""
    from crm.contacts import queries
    from crm.imports import queries as imports

    context = common.open_house()
    with context.db.reading() as session:
        queries.get_contact(session, system_viewer(), contact)
        record = next(iter(queries.as_json(session, system_viewer(), contact_id=contact)))
        sources = imports.provenance(session, system_viewer(), contact)
        if json:
            origin = {field: str(source) for field, source in sources.items()}
            common.emit([{**record, "provenance": origin}], [], as_json=True)
            return
        rows = ({"field": key, "value": value, "source": sources.get(key, "")} for key, value in record.items())
        columns = [("field", _("Field")), ("value", _("Value")), ("source", _("Source"))]
        common.emit(rows, columns, as_json=False)
