"""``crm exporters load|list``: companies, products, exhibitions and booths."""

from pathlib import Path
from typing import Annotated

import typer

from crm.accounts.rules import system_viewer
from crm.cli import common
from crm.core.errors import BadInput
from crm.core.i18n import _

app = typer.Typer(help="기업 · exporters", no_args_is_help=True)


@app.command()
def load(file: Annotated[Path, typer.Argument(help="TOML file, see docs/exporters.md")]) -> None:
    """Add or change exporters, product lines, exhibitions and booths from a file."""
    from crm.exporters import loading

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(_("Cannot read {file}: {error}", file=file, error=error)) from None
    contents = loading.read(text, str(file))
    context = common.open_house()
    with context.db.writing() as session:
        counts = loading.store(session, contents, now=context.clock.now(), by=common.operator())
    common.say(_("{exporters} exporters and {exhibitions} exhibitions are stored.", **counts))


@app.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False) -> None:
    """List exporters."""
    from crm.exporters import queries

    context = common.open_house()
    with context.db.reading() as session:
        rows = [
            {"id": item.id, "code": item.code, "name": item.names.get("ko", ""), "sender": item.sender_email}
            for item in queries.list_exporters(session, system_viewer())
        ]
    heads = [("id", "#"), ("code", _("Code")), ("name", _("Name")), ("sender", _("Sender"))]
    common.emit(rows, heads, as_json=json)
