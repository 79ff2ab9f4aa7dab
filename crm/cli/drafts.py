"""``crm drafts list|show|approve|edit|return``."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm.accounts.rules import system_viewer
from crm.cli import common
from crm.core.clock import KST
from crm.core.errors import BadInput, NotFound
from crm.core.i18n import _

if TYPE_CHECKING:
    from sqlmodel import Session

    from crm.drafts.models import Draft

app = typer.Typer(help="초안 · drafts", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="one JSON object a line")]
Number = Annotated[int, typer.Argument(help="number of the draft")]
By = Annotated[str, typer.Option("--by", help="e-mail of the person who decides")]


@app.command("list")
def list_(json: Json = False) -> None:
    """List drafts that wait for a decision, what needs a look first."""
    from crm.drafts import queries

    context = common.open_house()
    with context.db.reading() as session:
        rows = [
            {
                "id": row.draft.id, "planned_at": _kst(row.draft.planned_at), "language": row.draft.language,
                "letter": row.draft.letter, "country": row.country,
                "to": row.draft.recipient_name or row.draft.recipient,
                "exporter": row.exporter.code, "level": row.level, "subject": row.draft.subject,
                "version": row.draft.version,
            }
            for row in queries.queue(session, system_viewer(), context.settings, now=context.clock.now())
        ]  # fmt: skip
    heads = [
        ("id", "#"), ("planned_at", _("Planned")), ("to", _("To")), ("country", _("Country")),
        ("language", _("Language")),
        ("exporter", _("Exporter")), ("letter", _("Letter")), ("level", _("Check")),
    ]  # fmt: skip
    common.emit(rows, heads, as_json=json)


def _kst(moment: datetime) -> str:
    return f"{moment.astimezone(KST):%Y-%m-%d %H:%M}"


def _draft(session: "Session", number: int) -> "Draft":
    from crm.drafts.models import Draft

    found = session.get(Draft, number)
    if found is None:
        raise NotFound(_("There is no draft {id}. See: crm drafts list", id=number))
    return found


@app.command()
def show(draft: Number, json: Json = False) -> None:
    """Show a draft beside its Korean rendering, with the checks."""
    from crm.drafts import texts
    from crm.review import service as review

    context = common.open_house()
    with context.db.reading() as session:
        found = _draft(session, draft)
        verdicts = review.verdicts_of(session, context.settings, found, now=context.clock.now())
        checks = [{"level": item.level, "code": item.code, "text": " ".join(texts.say(item))} for item in verdicts]
        if json:
            common.emit([{**found.model_dump(mode="json"), "checks": checks}], [], as_json=True)
            return
        common.say(f"{found.subject}\n{found.subject_ko}\n")
        common.emit(found.blocks, [("text", found.language), ("ko", "ko")], as_json=False)
        common.say("")
        common.emit(checks, [("level", _("Check")), ("text", "")], as_json=False)


@app.command()
def approve(drafts: Annotated[list[int], typer.Argument(help="numbers of drafts")], by: By) -> None:
    """Approve drafts as they are now. What a check asks to be looked at counts as seen."""
    from crm.exporters.service import viewer_of
    from crm.review import service as review

    context = common.open_house()
    for number in drafts:
        with context.db.writing() as session:
            now = context.clock.now()
            found = _draft(session, number)
            verdicts = review.verdicts_of(session, context.settings, found, now=now)
            approval = review.approve(
                session, context.settings, found, seen_version=found.version or 0,
                acknowledged=[item.code for item in verdicts if item.level == "check"],
                viewer=viewer_of(session, common.acting(session, by)), now=now,
            )  # fmt: skip
            common.say(_("Draft {id} leaves at {time} (Korean time).", id=number, time=_kst(approval.send_at)))


@app.command("take-back")
def take_back(draft: Number, by: By) -> None:
    """Take an approval back while the letter is still in the house."""
    from crm.exporters.service import viewer_of
    from crm.review import service as review

    context = common.open_house()
    with context.db.writing() as session:
        viewer = viewer_of(session, common.acting(session, by))
        review.take_back(session, _draft(session, draft), viewer=viewer, now=context.clock.now())
    common.say(_("Draft {id} waits again.", id=draft))


@app.command()
def edit(
    draft: Number,
    by: By,
    block: Annotated[list[str] | None, typer.Option(help="BLOCK=TEXT, may be given several times")] = None,
    subject: Annotated[str | None, typer.Option(help="new subject")] = None,
) -> None:
    """Change blocks or the subject of a draft."""
    from crm.exporters.service import viewer_of
    from crm.review import service as review

    changes = dict(_pair(item) for item in block or [])
    if not changes and subject is None:
        raise BadInput(_("Say what to change: --block ID=TEXT or --subject TEXT"))
    context = common.open_house()
    with context.db.writing() as session:
        found = _draft(session, draft)
        viewer = viewer_of(session, common.acting(session, by))
        review.edit(
            session,
            found,
            changes,
            subject=subject,
            seen_version=found.version or 0,
            viewer=viewer,
            now=context.clock.now(),
        )
    common.say(_("Draft {id} is changed.", id=draft))


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise BadInput(_("{text}: write it as BLOCK=TEXT.", text=text))
    return name, value


@app.command("return")
def return_(
    draft: Number,
    by: By,
    reason: Annotated[str, typer.Option(help="facts, tone, recipient, timing or other")],
    note: Annotated[str, typer.Option(help="in your words")] = "",
) -> None:
    """Return a draft with a reason; the workflow goes on without this letter."""
    from crm.exporters.service import viewer_of
    from crm.review import service as review

    context = common.open_house()
    with context.db.writing() as session:
        found: Any = _draft(session, draft)
        viewer = viewer_of(session, common.acting(session, by))
        review.give_back(session, context.settings, found, reason, note=note, viewer=viewer, now=context.clock.now())
    common.say(_("Draft {id} is returned.", id=draft))
