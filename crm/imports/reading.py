"""Opens a file: from bytes to tables of raw cells. A new format is one more function in ``FORMATS``."""

from collections.abc import Callable

from crm.core.errors import BadInput, Place, Problem
from crm.imports import delimited, encodings, vcards, workbooks
from crm.imports.limits import MAX_BYTES
from crm.imports.records import FileUnreadable, Source
from crm.imports.texts import sentence

_PAGE_STARTS = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<style", b"<head", b"<body", b"<div", b"<!--")
# Formats of other programs, by their first bytes, that people take for a list.
_FOREIGN = {
    b"%PDF": "PDF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"Rar!": "RAR",
    b"7z\xbc\xaf": "7z",
}
_FOREIGN |= {b"\x1f\x8b\x08": "gzip", b"{\\rtf": "RTF", b"SQLite format 3": "SQLite", b"\xed\xab\xee\xdb": "RPM"}


def open_source(data: bytes, filename: str, *, encoding: str | None = None, delimiter: str | None = None) -> Source:
    """Return the tables of a file, to be read as a stream. The content decides what it is, not the name.

    ``encoding`` and ``delimiter`` overrule what a text file seems to be. Raises BadInput naming the file when it is
    empty, too large, encrypted or of a kind that is not read.
    """
    try:
        _check_encoding(encoding)
        return _opened(data, encoding, delimiter)
    except FileUnreadable as error:
        line = error.params.get("line")
        place = Place(filename, line if isinstance(line, int) else None)
        problem = Problem(sentence(error.code, **error.params), place, code=error.code)
        raise BadInput([problem], code=error.code) from None


def _check_encoding(name: str | None) -> None:
    try:
        if name:
            encodings.codec_of(name)
    except LookupError:
        raise FileUnreadable("unknown_encoding", encoding=name) from None


def _opened(data: bytes, encoding: str | None, delimiter: str | None) -> Source:
    if len(data) > MAX_BYTES:
        raise FileUnreadable("too_large", megabytes=MAX_BYTES >> 20)
    if not data[:4096].strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe") and not data.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise FileUnreadable("empty_file")
    for start, kind in _FOREIGN.items():
        if data.startswith(start):
            raise FileUnreadable("foreign_file", kind=kind)
    return FORMATS[container(data)](data, encoding, delimiter)


def container(data: bytes) -> str:
    """Name the container by its first bytes: zip (new workbooks), ole (old or encrypted ones), vcard, html or csv."""
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return "ole"
    start = data[:4096].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if start.startswith(b"begin:vcard"):
        return "vcard"
    return "html" if start.startswith(_PAGE_STARTS) else "csv"


def _read_csv(data: bytes, encoding: str | None, delimiter: str | None) -> Source:
    return delimited.read(data, encoding, delimiter)


def _read_zip(data: bytes, _encoding: str | None, _delimiter: str | None) -> Source:
    return workbooks.read(data, "zip")


def _read_ole(data: bytes, _encoding: str | None, _delimiter: str | None) -> Source:
    return workbooks.read(data, "ole")


def _read_html(data: bytes, encoding: str | None, _delimiter: str | None) -> Source:
    return workbooks.read(data, "html", encoding=encoding or "")


def _read_vcards(data: bytes, encoding: str | None, _delimiter: str | None) -> Source:
    return vcards.read(data, encoding)


FORMATS: dict[str, Callable[[bytes, str | None, str | None], Source]] = {
    "csv": _read_csv,
    "zip": _read_zip,
    "ole": _read_ole,
    "vcard": _read_vcards,
    "html": _read_html,
}
