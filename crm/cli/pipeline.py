"""``crm pipeline show|move``."""

from typing import Annotated

import typer

from crm.accounts.rules import system_viewer
from crm.cli import common
from crm.core.errors import NotFound
from crm.core.i18n import _

app = typer.Typer(help="진행 현황 · pipeline", no_args_is_help=True)


@app.command()
def show(
    exporter: Annotated[str, typer.Option(help="code of an exporter")] = "",
    json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Show deals by stage."""
    from crm.exporters import service as exporters
    from crm.pipeline import queries

    context = common.open_house()
    with context.db.reading() as session:
        exporter_id = exporters.exporter_by_code(session, exporter).id if exporter else None
        rows = queries.list_deals(session, system_viewer(), exporter_id=exporter_id)
        records = [row.as_json() for row in rows]
    heads = [
        ("id", "#"), ("stage", _("Stage")), ("exporter", _("Exporter")), ("company", _("Company")),
        ("country", _("Country")), ("product_line", _("Product line")), ("turn", _("Whose turn")),
    ]  # fmt: skip
    common.emit(records, heads, as_json=json)


@app.command()
def move(
    deal: Annotated[int, typer.Argument(help="number of the deal")],
    stage: Annotated[str, typer.Argument(help="stage to move to, e.g. negotiation")],
    by: Annotated[str, typer.Option("--by", help="e-mail of the person who decides")],
    reason: Annotated[str, typer.Option(help="why; needed to skip stages or to go back")] = "",
) -> None:
    """Move a deal to another stage."""
    from crm.pipeline import service
    from crm.pipeline.models import Deal

    context = common.open_house()
    with context.db.writing() as session:
        found = session.get(Deal, deal)
        if found is None:
            raise NotFound(_("There is no deal {id}. See: crm pipeline show", id=deal))
        person = common.acting(session, by)
        service.move(session, found, stage, by=person.email, now=context.clock.now(), reason=reason)
    common.say(_("Deal {id}: {stage}", id=deal, stage=stage))
