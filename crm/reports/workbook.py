"""XLSX files of figures. Every cell of text is text: nothing anybody wrote becomes a formula or a link."""

import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]
from sqlmodel import Session

from crm.accounts.rules import Viewer
from crm.core.i18n import _
from crm.reports import queries
from crm.reports.texts import GROUPS, STEPS

WIDTHS = (12, 48)


def funnel(session: Session, viewer: Viewer) -> bytes:
    """Return the funnel by exhibition, company and country, a sheet each, and what each number counts."""
    sheets: list[tuple[str, list[str], list[list[Any]]]] = []
    heads = [_("Name"), *(_(STEPS[count][0]) for count in queries.COUNTS)]
    for by, title in GROUPS.items():
        rows = queries.funnel(session, viewer, by=by)
        lines = [[row.name, *(getattr(row, count) for count in queries.COUNTS)] for row in [*rows, queries.total(rows)]]
        sheets.append((_(title), heads, lines))
    meanings: list[list[Any]] = [[_(name), _(meaning)] for name, meaning in STEPS.values()]
    return workbook([*sheets, (_("What is counted"), [_("Step"), _("Meaning")], meanings)])


def workbook(sheets: Sequence[tuple[str, list[str], list[list[Any]]]]) -> bytes:
    """Return an XLSX file; in come the sheets, each with its title, its headings and its lines."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        bold = book.add_format({"bold": True})
        for title, heads, lines in sheets:
            sheet = book.add_worksheet(title)
            for column, cells in enumerate(zip(heads, *lines, strict=True)):
                sheet.set_column(column, column, _width(cells))
            sheet.write_row(0, 0, heads, bold)
            for number, line in enumerate(lines, start=1):
                sheet.write_row(number, 0, [one if one is not None else "" for one in line])
            sheet.freeze_panes(1, 0)
    return buffer.getvalue()


def _width(cells: Sequence[Any]) -> int:
    """A column as wide as its longest text; letters of East Asia take two places."""
    longest = max(sum(2 if ord(letter) > 0x2E80 else 1 for letter in str(cell)) for cell in cells)
    return min(max(longest + 2, WIDTHS[0]), WIDTHS[1])
