"""What calamine does not tell about an XLSX file: mail links, hidden rows, the 1904 date system; read from the XML."""

import re
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET  # the memory limit and the refusal of DTDs make it safe

from crm.imports.records import FileUnreadable

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_REL = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_BLOCK = 1 << 20
_LONGEST_TAG = 1 << 12
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\b[^<>]*?\shidden=[\"'](?:1|true)[\"'][^<>]*>")
_ROW_NUMBER = re.compile(rb"\sr=[\"'](\d{1,7})[\"']")
_LINK = re.compile(rb"<(?:\w+:)?hyperlink\b[^<>]*>")
_LINK_PLACE = re.compile(rb"\sref=[\"']([A-Z]{1,3})(\d{1,7})")
_LINK_TARGET = re.compile(rb"\s\w+:id=[\"']([^\"']*)[\"']")
_SMALL_PART = 16 << 20


def beside(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return {"date_1904": bool, "sheets": {name: {"links": [[row, column, address]], "hidden": [row]}}}.

    Raises FileUnreadable, KeyError or ParseError when it is no proper workbook.
    """
    book = _xml(archive, "xl/workbook.xml")
    space = _STRICT if book.tag.startswith(_STRICT) else _NS
    properties = book.find(f"{space}workbookPr")
    flag = "" if properties is None else properties.get("date1904", "")
    targets = _relations(archive, "xl/_rels/workbook.xml.rels")
    sheets = {}
    for sheet in book.iter(f"{space}sheet"):
        target = targets.get(sheet.get(_REL) or sheet.get(_STRICT_REL) or "", "")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if part in archive.NameToInfo:
            sheets[sheet.get("name", "")] = _beside_sheet(archive, part)
    return {"date_1904": flag in ("1", "true"), "sheets": sheets}


def _beside_sheet(archive: zipfile.ZipFile, part: str) -> dict[str, Any]:
    folder, _sep, leaf = part.rpartition("/")
    targets = _relations(archive, f"{folder}/_rels/{leaf}.rels")
    mails = {key: target for key, target in targets.items() if target[:7].lower() == "mailto:"}
    hidden: dict[int, None] = {}
    links: dict[tuple[int, int], str] = {}
    for block in _blocks(archive, part):  # blocks overlap, so that a tag on their border is found whole
        if b"hidden=" in block:
            hidden |= {
                int(found[1]) - 1: None for tag in _HIDDEN_ROW.findall(block) if (found := _ROW_NUMBER.search(tag))
            }
        if mails and b"hyperlink" in block:
            links |= dict(_mail_links(block, mails))
    return {"links": [[row, column, address] for (row, column), address in links.items()], "hidden": list(hidden)}


def _mail_links(block: bytes, mails: dict[str, str]) -> Iterator[tuple[tuple[int, int], str]]:
    for tag in _LINK.findall(block):
        place, target = _LINK_PLACE.search(tag), _LINK_TARGET.search(tag)
        if place and target and target[1].decode() in mails:
            yield (int(place[2]) - 1, _column(place[1])), mails[target[1].decode()][7:]


def _blocks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    with archive.open(part) as stream:
        tail = b""
        while block := stream.read(_BLOCK):
            if not tail and b"<!DOCTYPE" in block[:_LONGEST_TAG]:
                raise FileUnreadable("workbook_unreadable")
            yield tail + block
            tail = block[-_LONGEST_TAG:]


def _xml(archive: zipfile.ZipFile, part: str) -> ET.Element:
    if archive.getinfo(part).file_size > _SMALL_PART:
        raise FileUnreadable("workbook_too_heavy")
    text = archive.read(part)
    if b"<!DOCTYPE" in text:
        raise FileUnreadable("workbook_unreadable")
    return ET.fromstring(text)  # noqa: S314 - no DTD, limited memory


def _relations(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    if part not in archive.NameToInfo:
        return {}
    return {item.get("Id", ""): item.get("Target", "") for item in _xml(archive, part)}


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
