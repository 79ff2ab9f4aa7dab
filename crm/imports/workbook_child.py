"""The process that opens a workbook: ``python -m crm.imports.workbook_child KIND ENCODING <file >rows``.

A workbook is a zip of XML, or an old binary file, and may be built to explode. This process bounds its own memory,
processor time and output, its parent the time on the clock. It ends with one of ``EXIT_CODES`` when it cannot read the
file.
"""

import io
import sys
import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any
from xml.etree import ElementTree as ET

from crm.imports import limits, spool
from crm.imports.records import FileUnreadable

EXIT_CODES = {
    3: "workbook_unreadable",
    4: "workbook_too_heavy",
    5: "encrypted_workbook",
    6: "encrypted_old_workbook",
    7: "too_many_rows",
    8: "no_workbook",
    9: "html_not_read",
    10: "too_many_columns",
}
_BIFF8_BEGIN = b"\x09\x08\x10\x00\x00\x06\x05\x00"
_FILEPASS = 0x2F
_RECORDS_BEFORE_FILEPASS = 8


def main(kind: str, encoding: str) -> int:
    """Read the file on standard input and write its rows to standard output; return the exit code."""
    _limit()
    try:
        about = READERS[kind](sys.stdin.buffer, sys.stdout.buffer, encoding)
        spool.finish(sys.stdout.buffer, about)
    except FileUnreadable as error:
        return next(number for number, code in EXIT_CODES.items() if code == error.code)
    except MemoryError:
        return 4
    return 0


def _limit() -> None:
    try:
        import resource
    except ImportError:  # not a Unix machine: the limit on the clock and the size check remain
        return
    seconds = limits.CHILD_CPU_SECONDS
    for what, most in (
        (resource.RLIMIT_AS, limits.CHILD_MEMORY_BYTES),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, limits.SPOOL_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _read_zip(source: IO[bytes], target: IO[bytes], _encoding: str) -> dict[str, Any]:
    from crm.imports import ooxml

    try:
        with zipfile.ZipFile(source) as archive:
            _refuse_bomb(archive)
            names = archive.NameToInfo
            kind = _kind_of_zip(archive)
            extras: dict[str, Any] = {"date_1904": False, "sheets": {}}
            if kind == "xlsx":
                extras = ooxml.beside(archive)
            macros = any(name.endswith(("vbaProject.bin", "Basic/script-lc.xml")) for name in names)
    except (zipfile.BadZipFile, ET.ParseError, KeyError, EOFError, NotImplementedError, ValueError, OSError):
        raise FileUnreadable("workbook_unreadable") from None
    except RuntimeError:  # the zip module's word for an encrypted member
        raise FileUnreadable("encrypted_workbook") from None
    sheets = _read_sheets(source, target, extras["sheets"])
    return {"format": kind, "date_1904": extras["date_1904"], "macros": macros, "sheets": sheets}


def _refuse_bomb(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    if sum(entry.file_size for entry in entries) > limits.UNPACKED_BYTES:
        raise FileUnreadable("workbook_too_heavy")
    if any(entry.flag_bits & 1 for entry in entries):
        raise FileUnreadable("encrypted_workbook")


def _kind_of_zip(archive: zipfile.ZipFile) -> str:
    names = archive.NameToInfo
    if "xl/workbook.bin" in names:
        return "xlsb"
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "content.xml" in names:
        manifest = archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in names else b""
        if b"encryption-data" in manifest:
            raise FileUnreadable("encrypted_workbook")
        with archive.open("content.xml") as stream:
            if b"<!DOCTYPE" in stream.read(4096):
                raise FileUnreadable("workbook_unreadable")
        return "ods"
    raise FileUnreadable("no_workbook")


def _read_ole(source: IO[bytes], target: IO[bytes], _encoding: str) -> dict[str, Any]:
    data = source.read()
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise FileUnreadable("encrypted_workbook")
    if _is_protected(data):
        raise FileUnreadable("encrypted_old_workbook")
    macros = "_VBA_PROJECT".encode("utf-16-le") in data
    sheets = _read_sheets(io.BytesIO(data), target, {})
    return {"format": "xls", "date_1904": False, "macros": macros, "sheets": sheets}


def _read_html(source: IO[bytes], target: IO[bytes], encoding: str) -> dict[str, Any]:
    from crm.imports import htmltables

    return htmltables.read(source.read(), target, encoding)


def _is_protected(data: bytes) -> bool:
    """Tell whether one of the first records of an old workbook is FILEPASS; calamine keeps that to itself."""
    place = data.find(_BIFF8_BEGIN)
    for _number in range(_RECORDS_BEFORE_FILEPASS if place >= 0 else 0):
        kind, length = int.from_bytes(data[place : place + 2], "little"), data[place + 2 : place + 4]
        if kind == _FILEPASS:
            return True
        place += 4 + int.from_bytes(length, "little")
    return False


def _read_sheets(source: IO[bytes], target: IO[bytes], extras: dict[str, Any]) -> list[dict[str, Any]]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum

    source.seek(0)
    try:
        with CalamineWorkbook.from_filelike(source) as book:
            names = [about.name for about in book.sheets_metadata if about.typ == SheetTypeEnum.WorkSheet]
            return [_write_sheet(book, name, target, extras.get(name, {})) for name in names]
    except PasswordError:
        raise FileUnreadable("encrypted_workbook") from None
    except (CalamineError, OSError, ValueError):
        raise FileUnreadable("workbook_unreadable") from None


def _write_sheet(book: Any, name: str, target: IO[bytes], extras: dict[str, Any]) -> dict[str, Any]:
    sheet = book.get_sheet_by_name(name)
    if sheet.total_width > limits.MAX_COLUMNS:
        raise FileUnreadable("too_many_columns")
    if sheet.total_width * sheet.total_height > limits.CELLS and sheet.total_height <= limits.MAX_ROWS:
        raise FileUnreadable("workbook_too_heavy")
    merged = sheet.merged_cell_ranges or []
    writer = spool.SheetWriter(target, name, merged, extras.get("links", []), extras.get("hidden", []))
    for row in _rows(sheet):
        writer.write(row)
        if writer.rows > limits.MAX_ROWS + limits.TITLE_ROWS:
            raise FileUnreadable("too_many_rows")
    return writer.close()


def _rows(sheet: Any) -> Iterator[list[Any]]:
    """Yield the rows from the sheet's first cell on; calamine begins at the first used one."""
    top, left = sheet.start or (0, 0)
    if top > limits.MAX_ROWS:
        raise FileUnreadable("too_many_rows")
    yield from ([] for _ in range(top))
    if not left:
        yield from sheet.iter_rows()
        return
    for row in islice(sheet.iter_rows(), limits.MAX_ROWS + limits.TITLE_ROWS + 1):
        yield [""] * left + list(row)


READERS = {"zip": _read_zip, "ole": _read_ole, "html": _read_html}

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
