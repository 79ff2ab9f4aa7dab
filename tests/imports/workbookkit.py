"""Workbooks made by hand, as small as their readers allow: what no writer we have makes."""

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

Row = Sequence[str | float | bool]


def zipped(parts: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive of ``parts``: name → content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def ods(sheets: Mapping[str, Sequence[Row]]) -> bytes:
    """Return an OpenDocument spreadsheet."""
    tables = "".join(
        f'<table:table table:name="{escape(name)}">{"".join(_ods_row(row) for row in rows)}</table:table>'
        for name, rows in sheets.items()
    )
    names = {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    }
    spaces = " ".join(f'xmlns:{key}="{name}"' for key, name in names.items())
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} office:version="1.2">'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content,
            "META-INF/manifest.xml": "<manifest/>",
        }
    )


def _ods_row(row: Row) -> str:
    return f"<table:table-row>{''.join(_ods_cell(value) for value in row)}</table:table-row>"


def _ods_cell(value: str | float | bool) -> str:
    if value == "":
        return "<table:table-cell/>"
    if isinstance(value, str):
        return f'<table:table-cell office:value-type="string"><text:p>{escape(value)}</text:p></table:table-cell>'
    kind = f'office:value-type="float" office:value="{value}"'
    return f"<table:table-cell {kind}><text:p>{value}</text:p></table:table-cell>"


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def xlsx(rows: str, *, after: str = "", before: str = "", book_before: str = "", name: str = "S") -> bytes:
    """Return an XLSX of one sheet. ``rows`` is the XML of its rows, ``after`` what follows them in the sheet.

    ``before`` and ``book_before`` stand before the root elements of sheet and workbook.
    """
    spaces = f'xmlns="{MAIN}" xmlns:r="{RELATIONS}"'
    sheet = f'<sheet name="{name}" sheetId="1" r:id="rId1"/>'
    parts = {
        "xl/workbook.xml": f"{book_before}<workbook {spaces}><sheets>{sheet}</sheets></workbook>",
        "xl/worksheets/sheet1.xml": f"{before}<worksheet {spaces}><sheetData>{rows}</sheetData>{after}</worksheet>",
    }
    return zipped(XLSX_FRAME | parts)


def cell(place: str, text: str) -> str:
    """Return the XML of a cell that holds text; without a place it is the next one."""
    return f'<c r="{place}" t="str"><v>{text}</v></c>' if place else f'<c t="str"><v>{text}</v></c>'


XLSX_FRAME: dict[str, str | bytes] = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" Type="{RELATIONS}/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" '
    f'Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def xlsb(name: str, rows: Sequence[Row]) -> bytes:
    """Return a binary workbook of one sheet: only the records that say where the cells are."""
    book = (
        _record(0x83) + _record(0x8F) + _record(0x9C, struct.pack("<II", 0, 1) + _wide("rId1") + _wide(name))
        + _record(0x90) + _record(0x84)
    )  # fmt: skip
    width = max(len(row) for row in rows)
    sheet = _record(0x81) + _record(0x94, struct.pack("<IIII", 0, len(rows) - 1, 0, width - 1)) + _record(0x91)
    for number, row in enumerate(rows):
        sheet += _record(0x00, struct.pack("<IIHHBI", number, 0, 300, 0, 0, 0))
        sheet += b"".join(_xlsb_cell(column, value) for column, value in enumerate(row))
    sheet += _record(0x92) + _record(0x82)
    target = f'<Relationship Id="rId1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.bin"/>'
    return zipped(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            "xl/workbook.bin": book,
            "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{_PACKAGE}">{target}</Relationships>',
            "xl/worksheets/sheet1.bin": sheet,
        }
    )


def _xlsb_cell(column: int, value: str | float | bool) -> bytes:
    place = struct.pack("<II", column, 0)
    if isinstance(value, str):
        return _record(0x06, place + _wide(value)) if value else b""
    return _record(0x05, place + struct.pack("<d", value))


def _record(kind: int, content: bytes = b"") -> bytes:
    return _number(kind) + _number(len(content)) + content


def _number(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")
