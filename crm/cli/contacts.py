"""``crm contacts list|show|export|duplicates|merge|part``."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from crm.accounts.rules import system_viewer
from crm.cli import common
from crm.core.errors import BadInput
from crm.core.i18n import _, ngettext

if TYPE_CHECKING:
    from sqlmodel import Session

    from crm.contacts.export import Selection
    from crm.core.context import Context
    from crm.imports.duplicates import Question

PORTION = 500
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
        common.emit(_with_sources(session, rows) if json else rows, columns, as_json=json)


def _with_sources(session: "Session", rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Add to each contact the rows of the lists it is made of."""
    from crm.imports import queries

    remaining = iter(rows)
    while portion := list(islice(remaining, PORTION)):
        sources = queries.sources_of(session, [row["id"] for row in portion])
        for row in portion:
            yield {**row, "sources": sources.get(row["id"], [])}


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


@app.command()
def export(
    output: Annotated[str, typer.Option(help="file to write; - is stdout")],
    format: Annotated[str, typer.Option(help="csv, xlsx or vcf")] = "xlsx",
    kind: Annotated[str, typer.Option(help="contacts: a row a person; leads: a row a talk")] = "contacts",
    exhibition: Annotated[str, typer.Option(help="code of an exhibition")] = "",
    exporter: Annotated[str, typer.Option(help="code of an exporter")] = "",
    country: Annotated[str, typer.Option(help="country, e.g. JP")] = "",
    text: Annotated[str, typer.Option(help="part of a name, company or address")] = "",
    card_version: Annotated[str, typer.Option(help="version of vCards: 4.0, or 3.0 for older telephones")] = "4.0",
) -> None:
    """Write contacts or talks as a file that Excel opens without a question, or as vCards.

    Such a file, imported again, changes nothing. Every export is written into the event log.
    """
    from crm.contacts.export import Selection
    from crm.exporters import service as exporters

    context = common.open_house()
    with context.db.reading() as session:
        selection = Selection(
            kind,
            text,
            country.upper() or None,
            exporters.exporter_by_code(session, exporter).id if exporter else None,
            exporters.exhibition_by_code(session, exhibition).id if exhibition else None,
        )
    write_export(context, selection, format, output, card_version=card_version)


def write_export(
    context: "Context", selection: "Selection", form: str, output: str, *, card_version: str = "4.0"
) -> None:
    """Write an export to a file (all of it or nothing) or, for ``-``, to stdout, and record it."""
    from crm.contacts import export as contacts

    with context.db.reading() as session:
        rows = contacts.count_of(session, system_viewer(), selection, form)
        pieces = contacts.export(session, system_viewer(), selection, form, card_version=card_version)
        with _opened(output) as file:
            _record(context, selection, form, rows)  # before the first byte: what was begun has been seen
            for piece in pieces:
                file.write(piece)
    common.say(ngettext("{n} row written: {file}", "{n} rows written: {file}", rows, file=output))


def _record(context: "Context", selection: "Selection", form: str, rows: int) -> None:
    from crm.contacts.export import record

    with context.db.writing() as session:
        now = context.clock.now()
        record(session, system_viewer(), selection, form, rows=rows, now=now, by=common.operator())


@contextmanager
def _opened(output: str) -> Iterator[BinaryIO]:
    """Give the file to write to; it gets its name only when it is whole."""
    if output == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(output)
    part = target.with_name(f"{target.name}.part")
    try:
        if target.is_dir():
            raise IsADirectoryError(None, _("it is a folder"))
        with part.open("wb") as file:
            yield file
        part.replace(target)
    except OSError as error:
        raise BadInput(_("Cannot write {file}: {error}", file=output, error=error.strerror)) from None
    finally:
        part.unlink(missing_ok=True)


@app.command("duplicates")
def duplicates_(
    why: Annotated[str, typer.Option(help="name, mailbox, mobile or hand")] = "",
    exhibition: Annotated[str, typer.Option(help="code of an exhibition")] = "",
    json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """List the open questions: two entries that may be one person."""
    from crm.exporters import service as exporters
    from crm.imports import duplicates

    context = common.open_house()
    with context.db.reading() as session:
        show = exporters.exhibition_by_code(session, exhibition).id if exhibition else None
        rows = _questions(duplicates.each_pair(session, why=why, exhibition_id=show))
        columns = [
            ("pair", "#"), ("why", _("Reason")),
            ("one", _("No.")), ("one_name", _("Name")), ("one_emails", _("E-mail")),
            ("other", _("No.")), ("other_name", _("Name")), ("other_emails", _("E-mail")),
        ]  # fmt: skip
        common.emit(rows, columns, as_json=json)


def _questions(found: "Iterable[Question]") -> "Iterator[dict[str, Any]]":
    for question in found:
        row: dict[str, Any] = {"pair": question.id, "why": question.why, "status": question.status}
        for side, face in (("one", question.one), ("other", question.other)):
            row |= {side: face.id, f"{side}_name": face.name, f"{side}_company": face.company}
            row |= {f"{side}_emails": list(face.emails), f"{side}_files": list(face.files)}
        yield row


@app.command()
def merge(
    one: Annotated[int, typer.Argument(help="number of a contact (A)")],
    other: Annotated[int, typer.Argument(help="number of the other contact (B)")],
    keep: Annotated[str, typer.Option(help="which entry is kept: A or B")] = "",
    take: Annotated[list[str] | None, typer.Option(help="field=A or field=B, may be repeated")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Make one person of two entries. Without --keep the older number is kept; crm contacts part takes it back."""
    from crm import jobs
    from crm.imports import uniting

    sides = {"A": one, "B": other}
    kept = sides[_side(keep, keep)] if keep else min(one, other)
    choices = {}
    for text in take or []:
        name, _equals, side = text.partition("=")
        choices[name.strip()] = sides[_side(side, text)]
    context = common.open_house()
    with context.db.writing() as session:
        made = uniting.merge(
            session,
            kept,
            one + other - kept,
            choices,
            now=context.clock.now(),
            by=common.operator(),
            release=jobs.release_double,
        )
        done = {"merge": made.id, "kept": made.kept_id, "gone": made.gone_id}
    if json:
        common.emit([done], [], as_json=True)
    else:
        common.say(_("Contact {gone} is part of {kept} now. To take it back: crm contacts part {merge}", **done))


def _side(text: str, written: str) -> str:
    side = text.strip().upper()
    if side not in ("A", "B"):
        raise BadInput(_("{text}: write A for the first contact or B for the second.", text=written))
    return side


@app.command()
def part(
    merge: Annotated[int, typer.Argument(help="number of the merge")],
    json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Take a merge back: the two people are two again."""
    from crm.delivery import service as delivery
    from crm.imports import uniting

    context = common.open_house()
    with context.db.writing() as session:
        done = uniting.take_back(
            session, merge, now=context.clock.now(), by=common.operator(), mailed=delivery.sent_contact_ids
        )
    if json:
        row = {"kept": done.kept_id, "gone": done.gone_id, "mailed": done.mailed, "stops": done.stops}
        common.emit([row], [], as_json=True)
    else:
        common.say(done.summary())
