"""Writes vCards (RFC 6350; RFC 2426 for older telephones). Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crm.contacts.cells import holdable

NEWEST = "4.0"
VERSIONS = (NEWEST, "3.0")
LINE = 75
SINGLE = (
    "full_name", "family_name", "given_name", "name_alt", "name_reading", "company", "department", "title", "website",
    "address", "city", "region", "postal_code",
)  # fmt: skip
_MESSENGERS = {"wechat": "X-WECHAT", "kakao": "X-KAKAOTALK"}


@dataclass
class Holder:
    """Whom a card is of. ``texts``: the names of ``SINGLE``, and country; ``phones``: (cell, work or fax, number)."""

    texts: Mapping[str, str]
    tags: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    phones: list[tuple[str, str]] = field(default_factory=list)
    messengers: Mapping[str, str] = field(default_factory=dict)


def card(holder: Holder, version: str = NEWEST) -> bytes:
    """Return one card: UTF-8, CRLF, lines folded at 75 octets. What a talk was about is in no card."""
    newest = version == NEWEST
    texts = {name: holdable(text) for name, text in holder.texts.items()}  # what nothing is left of is not told
    lines = ["BEGIN:VCARD", f"VERSION:{version}", *_names(texts, newest), *_firm(texts)]
    lines += [_property(f"EMAIL;PREF={n}" if newest else "EMAIL;TYPE=INTERNET", a) for n, a in _ranked(holder.emails)]
    lines += [_property(f"TEL;TYPE={kind if newest else kind.upper()}", number) for kind, number in holder.phones]
    lines += _place(texts)
    lines += [_property("CATEGORIES", *holder.tags, by=",")] if holder.tags else []
    for name, text in holder.messengers.items():
        lines += [_property(_MESSENGERS[name], text)] if name in _MESSENGERS and text else []
    return b"".join(_folded(line) for line in [*lines, "END:VCARD"])


def _names(texts: Mapping[str, str], newest: bool) -> Iterator[str]:
    """Give a name in halves only where it is known in halves. Version 3.0 must have them: there it is the given one."""
    full, family, given = (texts.get(name, "") for name in ("full_name", "family_name", "given_name"))
    if newest and not full and texts.get("company"):
        yield "KIND:org"
    other = texts.get("name_alt") if newest else ""
    mark = "FN;ALTID=1" if other else "FN"
    yield _property(mark, full or texts.get("company", ""))
    if other:
        yield _property(mark, other)
    if family or given:
        yield _property("N", family, given, "", "", "")
    elif not newest:
        yield _property("N", "", full, "", "", "")
    last, _space, first = texts.get("name_reading", "").partition(" ")
    for name, text in (("X-PHONETIC-LAST-NAME", last), ("X-PHONETIC-FIRST-NAME", first)):
        if text:
            yield _property(name, text)


def _firm(texts: Mapping[str, str]) -> Iterator[str]:
    units = [texts.get("company", ""), texts.get("department", "")]
    if any(units):
        yield _property("ORG", *(units if units[1] else units[:1]))
    if texts.get("title"):
        yield _property("TITLE", texts["title"])


def _place(texts: Mapping[str, str]) -> Iterator[str]:
    parts = [texts.get(name, "") for name in ("address", "city", "region", "postal_code", "country")]
    if any(parts):
        yield _property("ADR;TYPE=work", "", "", *parts)
    if texts.get("website"):
        yield f"URL:{' '.join(holdable(texts['website']).split())}"  # an address is not escaped


def _ranked(emails: list[str]) -> list[tuple[int, str]]:
    return [(min(rank, 100), address) for rank, address in enumerate(emails, start=1)]


def _property(name: str, *values: str, by: str = ";") -> str:
    return f"{name}:{by.join(_escaped(value) for value in values)}"


def _escaped(text: str) -> str:
    text = holdable(text).replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace(",", "\\,").replace(";", "\\;")


def _folded(line: str) -> bytes:
    """Cut a line at 75 octets, never inside a character; what goes on begins with a space."""
    octets = line.encode()
    pieces = []
    limit = LINE
    while len(octets) > limit:
        end = limit
        while octets[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(octets[:end])
        octets, limit = octets[end:], LINE - 1
    return b"\r\n ".join([*pieces, octets]) + b"\r\n"
