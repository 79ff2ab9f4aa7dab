"""Reads one XLSX file in a child process with little memory and little time: ``python -m crm.imports.workbooks FILE``.

A workbook is a zip of XML and may be built to explode. The child bounds its own memory, the parent its time; what comes
back is JSON on standard output. Values come from calamine; links, hidden rows and the 1904 switch, which calamine does
not tell, from the XML itself.
"""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET  # the memory limit and the refusal of DTDs make it safe

MEMORY_BYTES = 1 << 30
TIMEOUT_SECONDS = 60
UNPACKED_BYTES = 400 << 20
_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


_PARSERS: dict[str, Callable[[str], Any]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "text": str,
}


class WorkbookUnreadable(Exception):
    """The workbook cannot be read; ``code`` is one of the file codes of ``texts.py``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read(path: Path, *, rows: int, timeout: float = TIMEOUT_SECONDS) -> dict[str, Any]:
    """Return the workbook as {"date_1904", "macros", "sheets": [{"name", "rows", "merged", "links", "hidden"}]}.

    ``rows`` bounds the rows of a sheet; one more is returned so that the caller sees the excess. Raises
    WorkbookUnreadable when the child fails, dies of its limits or takes longer than ``timeout`` seconds.
    """
    command = [sys.executable, "-m", "crm.imports.workbooks", str(path), str(rows)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout, check=False)  # noqa: S603 - our own module
    except subprocess.TimeoutExpired:
        raise WorkbookUnreadable("workbook_too_heavy") from None
    if done.returncode == 3:
        raise WorkbookUnreadable(done.stdout.decode() or "workbook_unreadable")
    if done.returncode != 0:
        raise WorkbookUnreadable("workbook_too_heavy" if done.returncode < 0 else "workbook_unreadable")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(path: str, rows: int) -> None:
    """Read the file named ``path`` and write JSON; exit code 3 with a code when it cannot be read."""
    _limit_memory()
    try:
        found = _workbook(path, rows)
    except WorkbookUnreadable as error:
        sys.stdout.write(error.code)
        sys.exit(3)
    json.dump(found, sys.stdout, default=_encoded, ensure_ascii=True)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not a Unix machine: the time limit and the size check remain
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def _workbook(path: str, rows: int) -> dict[str, Any]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > UNPACKED_BYTES:
                raise WorkbookUnreadable("workbook_too_heavy")
            extras = _extras(archive)
            macros = any(name.endswith("vbaProject.bin") for name in archive.namelist())
        with CalamineWorkbook.from_path(path) as book:
            sheets = [_sheet(book, name, rows) | extras["sheets"].get(name, {}) for name in book.sheet_names]
    except (zipfile.BadZipFile, CalamineError, ET.ParseError, KeyError):
        raise WorkbookUnreadable("workbook_unreadable") from None
    except MemoryError:
        raise WorkbookUnreadable("workbook_too_heavy") from None
    return {"date_1904": extras["date_1904"], "macros": macros, "sheets": sheets}


def _sheet(book: Any, name: str, rows: int) -> dict[str, Any]:
    sheet = book.get_sheet_by_name(name)
    start = sheet.start or (0, 0)
    above: list[list[Any]] = [[] for _ in range(start[0])]  # iter_rows begins at the first used row
    cells = [[""] * start[1] + list(row) for row in islice(sheet.iter_rows(), max(rows + 1 - len(above), 0))]
    return {"name": name, "rows": above + cells, "merged": sheet.merged_cell_ranges or [], "links": [], "hidden": []}


def _extras(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return what calamine does not tell: mail links (row, column, address), hidden rows, the 1904 date system."""
    book = _xml(archive, "xl/workbook.xml")
    properties = book.find(f"{_NS}workbookPr")
    flag = "" if properties is None else properties.get("date1904", "")
    targets = _relations(archive, "xl/_rels/workbook.xml.rels")
    sheets = {}
    for sheet in book.iter(f"{_NS}sheet"):
        target = targets.get(sheet.get(_REL, ""), "")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if part in archive.namelist():
            sheets[sheet.get("name", "")] = _sheet_extras(archive, part)
    return {"date_1904": flag in ("1", "true"), "sheets": sheets}


def _sheet_extras(archive: zipfile.ZipFile, part: str) -> dict[str, Any]:
    folder, _sep, leaf = part.rpartition("/")
    targets = _relations(archive, f"{folder}/_rels/{leaf}.rels")
    links, hidden = [], []
    for element in _elements(archive, part):
        if element.tag == f"{_NS}row" and element.get("hidden") in ("1", "true"):
            hidden.append(int(element.get("r", "0")) - 1)
        elif element.tag == f"{_NS}hyperlink":
            place = re.match(r"([A-Z]+)(\d+)", element.get("ref", ""))
            target = targets.get(element.get(_REL, ""), "")
            if place and target.lower().startswith("mailto:"):
                links.append((int(place[2]) - 1, _column(place[1]), target[7:]))
    return {"links": links, "hidden": hidden}


def _elements(archive: zipfile.ZipFile, part: str) -> Iterator[ET.Element]:
    with archive.open(part) as stream:
        if b"<!DOCTYPE" in stream.peek(1000)[:1000]:  # type: ignore[attr-defined]
            raise WorkbookUnreadable("workbook_unreadable")
        for _event, element in ET.iterparse(stream):  # noqa: S314 - no DTD, limited memory
            yield element
            if element.tag in (f"{_NS}row", f"{_NS}hyperlink"):
                element.clear()


def _xml(archive: zipfile.ZipFile, part: str) -> ET.Element:
    text = archive.read(part)
    if b"<!DOCTYPE" in text:
        raise WorkbookUnreadable("workbook_unreadable")
    return ET.fromstring(text)  # noqa: S314 - no DTD, limited memory


def _relations(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    if part not in archive.namelist():
        return {}
    return {item.get("Id", ""): item.get("Target", "") for item in _xml(archive, part)}


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _encoded(value: object) -> dict[str, str]:
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, time):
        return {"time": value.isoformat()}
    if isinstance(value, timedelta):
        return {"text": str(value)}
    raise TypeError(type(value).__name__)


def decoded(value: Any) -> Any:
    """Turn a cell of the JSON back into a value."""
    if not isinstance(value, dict):
        return value
    [(kind, text)] = value.items()
    return _PARSERS[kind](text)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
