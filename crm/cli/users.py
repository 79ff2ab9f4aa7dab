"""``crm users add|list``."""

from typing import Annotated

import typer

from crm.accounts.rules import system_viewer
from crm.cli import common
from crm.core.i18n import _

app = typer.Typer(help="사용자 · users", no_args_is_help=True)


@app.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False) -> None:
    """List users."""
    from crm.accounts import queries

    context = common.open_house()
    with context.db.reading() as session:
        rows = [
            user.model_dump(mode="json", include={"id", "email", "name", "role", "languages", "active", "last_seen_at"})
            for user in queries.list_users(session, system_viewer())
        ]
    heads = [("id", "#"), ("email", _("E-mail")), ("name", _("Name")), ("role", _("Role")), ("active", _("Active"))]
    common.emit(rows, heads, as_json=json)


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="e-mail the person signs in with")],
    name: Annotated[str, typer.Option(help="name as colleagues write it")],
    role: Annotated[str, typer.Option(help="staff, advisor or sme")],
    exporter: Annotated[list[str] | None, typer.Option(help="code of a company; may be given several times")] = None,
    language: Annotated[list[str] | None, typer.Option(help="language an advisor reads, e.g. ja")] = None,
) -> None:
    """Invite a person; prints the address at which they choose a password."""
    from crm.accounts import service as accounts
    from crm.exporters import service as exporters

    context = common.open_house()
    with context.db.writing() as session:
        now = context.clock.now()
        user, token = accounts.invite(
            session, email=email, name=name, role=role, languages=tuple(language or ()), now=now, by=common.operator()
        )
        for code in exporter or []:
            exporters.assign(session, user, exporters.exporter_by_code(session, code), now=now, by=common.operator())
    common.say(_("Send this address to {name}; it works for 14 days:", name=name))
    typer.echo(f"{context.settings.web.public_url.rstrip('/')}/invitation/{token}")
