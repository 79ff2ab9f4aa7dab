"""The plan of a campaign as XLSX: one row per planned letter, and who is left out and why."""

from collections.abc import Callable, Sequence
from typing import Any

from crm.campaigns.rehearsal import LeftOut, PlannedLetter, Rehearsal
from crm.core.clock import KST
from crm.core.i18n import N_, _
from crm.reports import workbook

LEVELS = {"block": N_("held back"), "check": N_("to be looked at"), "pass": N_("in order")}


def plan_file(plan: Rehearsal, letter_name: Callable[[str], str], advisor_of: Callable[[int, str], str]) -> bytes:
    """Return the workbook of a rehearsal; ``advisor_of`` names who reviews an exporter's letters in a language."""
    heads = [
        _("Korean time"), _("Local time"), _("Name"), _("Company"), _("Country"), _("Language"), _("Exporter"),
        _("Advisor"), _("Step"), _("Letter"), _("State"), _("Held because"), _("Moved because of"),
    ]  # fmt: skip
    lines = [_letter(one, letter_name, advisor_of) for one in plan.letters]
    left = [_left_out(one) for one in plan.excluded]
    sheets: Sequence[tuple[str, list[str], list[list[Any]]]] = [
        (_("Letters"), heads, lines),
        (_("Left out"), [_("Name"), _("Company"), _("Country"), _("Reason")], left),
    ]
    return workbook.workbook(sheets)


def _letter(one: PlannedLetter, letter_name: Callable[[str], str], advisor_of: Callable[[int, str], str]) -> list[Any]:
    return [
        f"{one.due_at.astimezone(KST):%Y-%m-%d %H:%M}",
        f"{one.local_time:%Y-%m-%d %H:%M}",
        one.contact,
        one.company,
        one.country,
        one.language,
        one.exporter,
        advisor_of(one.exporter_id, one.language),
        one.step,
        letter_name(one.letter),
        _(LEVELS[one.level]),
        one.held_reason,
        ", ".join(dict.fromkeys(reason.name or reason.kind for _day, reason in one.moved)),
    ]


def _left_out(one: LeftOut) -> list[Any]:
    return [one.contact, one.company, one.country, one.reason]
