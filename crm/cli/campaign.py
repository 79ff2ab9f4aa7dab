"""``crm campaign check|test|rehearse|start|pause|resume|stop|list``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm.accounts.rules import system_viewer
from crm.cli import common
from crm.core.errors import BadInput, NotFound, Refused
from crm.core.i18n import _, ngettext

if TYPE_CHECKING:
    from sqlmodel import Session

    from crm.campaigns.rehearsal import Rehearsal
    from crm.core.config import Settings


app = typer.Typer(help="캠페인 · campaigns", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="one JSON object a line")]
Reason = Annotated[str, typer.Option(help="why, for the log")]


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="workflow files", exists=False)], json: Json = False
) -> None:
    """Check workflow files: every mistake with file, line, column and what was probably meant."""
    from crm.campaigns.checker import check as check_file
    from crm.jobs import library

    templates = library(common.load_settings().templates_dir).languages()
    problems = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(_("Cannot read {file}: {error}", file=path, error=error)) from None
        problems += check_file(text, str(path), templates)[1]
    if json:
        rows = [{"message": item.message, "hint": item.hint, **vars(item.place)} for item in problems]
        common.emit(rows, [], as_json=True)
    if problems:
        raise BadInput(problems)
    common.say(ngettext("{n} file is in order.", "{n} files are in order.", len(files)))


@app.command()
def test(
    files: Annotated[
        list[Path] | None, typer.Argument(help="files of tests; without any, all in tests/ beside the workflows")
    ] = None,
    json: Json = False,
) -> None:
    """Run the tests of workflow files: made-up buyers, what happens to them, and what must come of it."""
    from crm.campaigns import harness, workflows

    settings = common.load_settings()
    definitions = {name: found.definition for name, found in workflows.load_workflows(settings).items()}
    chosen = files or sorted((Path(settings.workflows_dir) / "tests").glob("*.yaml"))
    if not chosen:
        raise NotFound(_("There are no tests in {folder}.", folder=Path(settings.workflows_dir) / "tests"))
    reports = harness.run_files(chosen, definitions, workflows.own_holidays(settings))
    results = [(report, result) for report in reports for result in report.results]
    if json:
        common.emit([harness.as_json(report, result) for report, result in results], [], as_json=True)
    else:
        for line in (line for report in reports for line in harness.told(report)):
            common.say(line)
    if problems := [problem for report in reports for problem in report.problems]:
        raise BadInput(problems)
    failed = sum(not result.passed for _report, result in results)
    if failed:
        raise Refused(ngettext("{n} test failed.", "{n} tests failed.", failed))
    common.say(ngettext("{n} test passed.", "{n} tests passed.", len(results)))


@app.command("list")
def list_(json: Json = False) -> None:
    """List campaigns with their state and progress."""
    from crm.campaigns import queries

    context = common.open_house()
    with context.db.reading() as session:
        rows = [
            {
                "id": item.id, "workflow": item.workflow, "exhibition": item.exhibition_id, "status": item.status,
                **queries.progress(session, item.id or 0),
            }
            for item in queries.list_campaigns(session, system_viewer())
        ]  # fmt: skip
    heads = [(key, key) for key in (rows[0] if rows else {"id": "", "workflow": "", "status": ""})]
    common.emit(rows, heads, as_json=json)


@app.command()
def rehearse(
    campaign: Annotated[str, typer.Argument(help="number of a campaign, or name of a workflow")],
    exhibition: Annotated[
        str, typer.Option(help="code of the exhibition, for a workflow that no campaign runs yet")
    ] = "",
    xlsx: Annotated[Path | None, typer.Option(help="write the plan to this XLSX file: a row a letter")] = None,
    json: Json = False,
) -> None:
    """Play a campaign on a fake clock: who gets what, when, in which language, and what is held back and why."""
    from crm.campaigns import service

    context = common.open_house()
    with common.progress() as bar, context.db.reading() as session:
        bar.add_task(_("Rehearsing"))
        target = _campaign_or_workflow(session, campaign, exhibition)
        plan = service.rehearse(session, context.settings, target, now=context.clock.now())
        rows = [letter.as_json() for letter in plan.letters]
        if xlsx:
            _write_plan(session, context.settings, plan, xlsx)
    columns = [
        ("due_at", _("Korean time")), ("local_time", _("Local time")), ("contact", _("Name")),
        ("company", _("Company")),
        ("country", _("Country")), ("language", _("Language")), ("exporter", _("Exporter")), ("letter", _("Letter")),
        ("held_reason", _("Held because")),
    ]  # fmt: skip
    if json or not xlsx:
        common.emit(rows, columns, as_json=json)
    held = sum(bool(row["held_reason"]) for row in rows)
    common.say(ngettext("{n} letter would be drafted.", "{n} letters would be drafted.", len(rows)))
    if held:
        common.say(ngettext("{n} of them would be held back.", "{n} of them would be held back.", held))
    if plan.excluded:
        common.say(ngettext("{n} lead is left out.", "{n} leads are left out.", len(plan.excluded)))


def _write_plan(session: "Session", settings: "Settings", plan: "Rehearsal", path: Path) -> None:
    from crm.drafts.desk import letters_in_use
    from crm.exporters.service import advisor_namer
    from crm.reports.planfile import plan_file
    from crm.web.naming import letter_namer, titles_of

    data = plan_file(plan, letter_namer(titles_of(letters_in_use(session, settings))), advisor_namer(session))
    try:
        path.write_bytes(data)
    except OSError as error:
        raise BadInput(_("Cannot write {file}: {error}", file=path, error=error.strerror)) from None
    common.say(ngettext("{n} row written: {file}", "{n} rows written: {file}", len(plan.letters), file=path))


def _campaign_or_workflow(session: "Session", text: str, exhibition: str) -> Any:
    from crm.campaigns.models import Campaign
    from crm.exporters import service as exporters

    if text.isdecimal():
        found = session.get(Campaign, int(text))
        if found is None:
            raise NotFound(_("There is no campaign {id}. See: crm campaign list", id=text))
        return found
    if not exhibition:
        raise BadInput(_("Say which exhibition the contacts are from: --exhibition CODE"))
    return text, exporters.exhibition_by_code(session, exhibition)


@app.command()
def start(
    campaign: Annotated[str, typer.Argument(help="number of a campaign, or name of a workflow")],
    exhibition: Annotated[
        str, typer.Option(help="code of the exhibition, for a workflow that no campaign runs yet")
    ] = "",
    exporter: Annotated[str, typer.Option(help="code of an exporter: only its leads")] = "",
) -> None:
    """Start a campaign; from now on the worker drafts its letters."""
    from crm.campaigns import service
    from crm.campaigns.models import Campaign
    from crm.drafts import desk
    from crm.exporters import service as exporters

    context = common.open_house()
    with context.db.writing() as session:
        now = context.clock.now()
        target = _campaign_or_workflow(session, campaign, exhibition)
        if not isinstance(target, Campaign):
            workflow, show = target
            firm = exporters.exporter_by_code(session, exporter) if exporter else None
            target = service.create(
                session,
                context.settings,
                exhibition=show,
                workflow=workflow,
                exporter=firm,
                now=now,
                by=common.operator(),
            )
        service.start(session, target, by=common.operator(), now=now)
        desk.keep_for(session, context.settings, target, now=now)
        count = service.enrol_leads(session, context.settings, now=now)
        common.say(_("Campaign {id} runs.", id=target.id))
        common.say(ngettext("{n} lead is enrolled.", "{n} leads are enrolled.", count))


def _change(campaign: int, verb: str, reason: str) -> None:
    from crm.campaigns import service
    from crm.campaigns.models import Campaign

    context = common.open_house()
    with context.db.writing() as session:
        found = session.get(Campaign, campaign)
        if found is None:
            raise NotFound(_("There is no campaign {id}. See: crm campaign list", id=campaign))
        more = {"settings": context.settings} if verb == "resume" else {}
        getattr(service, verb)(session, found, by=common.operator(), now=context.clock.now(), reason=reason, **more)
        common.say(_("Campaign {id}: {status}", id=campaign, status=found.status))


Number = Annotated[int, typer.Argument(help="number of the campaign")]


@app.command()
def pause(campaign: Number, reason: Reason = "") -> None:
    """Pause a campaign; nothing of it is drafted or sent until it is resumed."""
    _change(campaign, "pause", reason)


@app.command()
def resume(campaign: Number, reason: Reason = "") -> None:
    """Resume a paused campaign; what was missed takes the next windows."""
    _change(campaign, "resume", reason)


@app.command()
def stop(campaign: Number, reason: Reason = "") -> None:
    """Stop a campaign for good; effective before the next letter."""
    _change(campaign, "stop", reason)
