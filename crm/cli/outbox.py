"""``crm outbox list|settle|resume``: letters on their way, and the uncertain ones a person decides."""

from typing import Annotated

import typer

from crm.accounts.rules import system_viewer
from crm.cli import common
from crm.core.errors import NotFound
from crm.core.i18n import _

app = typer.Typer(help="발신함 · outbox", no_args_is_help=True)


@app.command("list")
def list_(
    status: Annotated[str, typer.Option(help="queued, sending, sent, bounced, withheld, uncertain or cancelled")] = "",
    json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """List letters and where they are."""
    from crm.delivery import queries

    context = common.open_house()
    with context.db.reading() as session:
        found = queries.list_outbox(session, system_viewer(), status=status or None)
        rows = [row.as_json() for row in found]
    heads = [
        ("id", "#"), ("status", _("State")), ("recipient", _("To")), ("subject", _("Subject")), ("due_at", _("Due")),
        ("sent_at", _("Sent")), ("reason", _("Reason")),
    ]  # fmt: skip
    common.emit(rows, heads, as_json=json)


@app.command()
def settle(
    letter: Annotated[int, typer.Argument(help="number in the outbox")],
    was_sent: Annotated[bool, typer.Option("--sent/--not-sent", help="did the receiver get it?")],
    reason: Annotated[str, typer.Option(help="what shows it")],
) -> None:
    """Decide an uncertain letter: it was sent, or it goes back to the queue."""
    from crm.delivery import service
    from crm.delivery.models import Outbox

    context = common.open_house()
    with context.db.writing() as session:
        row = session.get(Outbox, letter)
        if row is None:
            raise NotFound(_("There is no letter {id}. See: crm outbox list", id=letter))
        service.settle(
            session,
            context.settings,
            row,
            was_sent=was_sent,
            by=common.operator(),
            now=context.clock.now(),
            reason=reason,
        )
    common.say(_("Letter {id} is settled.", id=letter))


@app.command()
def resume() -> None:
    """Confirm that this copy of the database may send; needed after it was restored on another machine."""
    from crm.core import instance

    context = common.open_house()
    with context.db.writing() as session:
        instance.confirm(session, by=common.operator(), now=context.clock.now())
    common.say(_("Sending is on."))
