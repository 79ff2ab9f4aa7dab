"""The workbook of rows that were not imported or need a look: staff mend it and import it again.

Before the original columns, under their original headers, stand the reasons and the row's number; an import knows these
two columns and passes over them. Every cell is text, so nothing that a buyer wrote becomes a formula.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import xlsxwriter  # type: ignore[import-untyped]
from sqlmodel import Session

from crm.core.i18n import language
from crm.imports import aliases
from crm.imports.contactlist import ContactList
from crm.imports.matching import ROWS
from crm.imports.models import ImportBatch
from crm.imports.queries import with_code
from crm.imports.records import Issue
from crm.imports.report import TO_MEND
from crm.imports.text import folded
from crm.imports.texts import say

HEADS = {"ko": ("이유 (이음)", "원본 행 (이음)"), "en": ("Reason (Ieum)", "Original row (Ieum)")}
"""Not translated by the catalogue: an import must know them again, whatever language it is done in."""
NAMES = {"ko": "고칠 행", "en": "to-mend"}
_OURS = frozenset(folded(head) for heads in HEADS.values() for head in heads)
CELL_LIMIT = 32_767
_COLUMNS = (ROWS.c.id, ROWS.c.sheet, ROWS.c.number, ROWS.c.outcome, ROWS.c.messages, ROWS.c.raw)
PORTION = 1_000
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def is_ours(header: str) -> bool:
    """Tell whether a column is one that we put before the rows of a file to be mended."""
    return folded(header) in _OURS


@dataclass(frozen=True)
class BadRow:
    """A row with its reasons, as sentences, and its cells as they stood in the file (none where none may be kept)."""

    sheet: str
    number: int
    reasons: list[str]
    cells: Sequence[str] = field(default_factory=list)


def of_batch(session: Session, batch: ImportBatch, *, everything: bool = False) -> Iterator[BadRow]:
    """Yield the refused rows of an import; ``everything`` adds those that came in with something to mend."""
    wanted: Any = ROWS.c.outcome == "refused"
    if everything:
        wanted = sa.or_(wanted, *(with_code(code) for code in TO_MEND))
    after = 0
    while True:
        rows = sa.select(*_COLUMNS).where(ROWS.c.batch_id == batch.id, wanted, ROWS.c.id > after)
        found = session.execute(rows.order_by(ROWS.c.id).limit(PORTION)).all()
        for row in found:
            reasons = [say(one["code"], row.number, one) for one in row.messages if _counts(one["code"], row.outcome)]
            yield BadRow(row.sheet, row.number, reasons, row.raw)
        if len(found) < PORTION:
            return
        after = found[-1].id


def of_list(listed: ContactList, *, everything: bool = False) -> Iterator[BadRow]:
    """Yield the same from a file that was not imported yet; what only the database knows is not told."""
    for row in listed.lines():
        refused = row.outcome == "refused"
        issues = [Issue(row.code), *row.issues] if refused else row.issues
        reasons = [issue for issue in issues if _counts(issue.code, row.outcome)]
        if refused or (everything and row.outcome == "accepted" and reasons):
            yield BadRow(
                row.sheet or "", row.number, [say(one.code, row.number, one.params) for one in reasons], row.raw
            )


def _counts(code: str, outcome: str) -> bool:
    return outcome == "refused" or code in TO_MEND


def name_for(filename: str) -> str:
    """Return the name of the workbook with the bad rows of a file."""
    return f"{Path(filename).stem or 'rows'}-{NAMES.get(language(), NAMES['en'])}.xlsx"


@contextmanager
def workbook(rows: Iterable[BadRow], profile: Mapping[str, Any]) -> Iterator[Path]:
    """Write rows under the headers of a stored reading profile and give the file, which goes when the block ends."""
    with tempfile.TemporaryDirectory(prefix="ieum-rows-") as folder:
        path = Path(folder) / "rows.xlsx"
        write(path, rows, profile)
        yield path


def write(path: Path, rows: Iterable[BadRow], profile: Mapping[str, Any]) -> int:
    """Write the workbook, a sheet for each of the file's that has such rows, and return how many rows it holds."""
    headers = {sheet["name"] or "": _headers(sheet) for sheet in profile["sheets"]}
    only = len(headers) == 1
    count = 0
    with xlsxwriter.Workbook(str(path), {**_OPTIONS, "tmpdir": str(path.parent)}) as book:
        bold = book.add_format({"bold": True})
        sheets: dict[str, tuple[Any, int]] = {}
        for row in rows:
            if row.sheet not in sheets:
                sheets[row.sheet] = (_begin(book, row.sheet, headers.get(row.sheet, []), bold, only), 1)
            sheet, line = sheets[row.sheet]
            _write(sheet, line, [" ".join(row.reasons), str(row.number), *row.cells])
            sheets[row.sheet] = (sheet, line + 1)
            count += 1
        if not sheets:
            _begin(book, "", next(iter(headers.values()), []), bold, True)
    return count


def _begin(book: Any, name: str, headers: list[str], bold: Any, only: bool) -> Any:
    sheet = book.add_worksheet(None if only and not name else name[:31] or None)
    sheet.set_column(0, 0, 60)
    sheet.set_column(1, max(2, len(headers) + 1), 18)
    sheet.freeze_panes(1, 0)
    _write(sheet, 0, [*HEADS[language() if language() in HEADS else "en"], *headers], bold)
    return sheet


def _write(sheet: Any, line: int, cells: Sequence[str], style: Any = None) -> None:
    for place, text in enumerate(cells):
        if text:
            sheet.write_string(line, place, text[:CELL_LIMIT], style)


def _headers(sheet: Mapping[str, Any]) -> list[str]:
    """Return the headers as written; where the file had none, names that are recognised as the same fields."""
    columns = sheet["columns"]
    width = max((column["index"] for column in columns), default=-1) + 1
    headers = [""] * width
    for column in columns:
        name = column["header"]
        ours = not name or (name == column["field"])
        headers[column["index"]] = _alias(column["field"]) if ours and column["field"] else name
    return headers


def _alias(name: str) -> str:
    return aliases.first_name(name)
