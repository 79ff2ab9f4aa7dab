"""Reads vCards 2.1, 3.0 and 4.0 into one table: a header of canonical field names, then a record a card.

Everything is taken from bytes, as one file may mix encodings. The order for every property: unfold, split at the first
colon, undo quoted-printable or base64, decode by the property's own charset, split at unescaped semicolons, unescape.
(In Shift_JIS a character may end in the byte of a backslash.) No property stops a card and no card stops the file: the
column ``card_state`` says ``malformed_card`` of one that is not closed and ``group_card`` of one that is no contact.
Birthdays are only told (column ``sensitive``); pictures, sounds, keys and private addresses are not even decoded.
"""

import binascii
import io
import json
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from crm.imports import encodings, guessing
from crm.imports.limits import MAX_CARDS
from crm.imports.records import Cell, FileUnreadable, Issue, Source, Table

_FIELDS = (
    *("card_state", "full_name", "family_name", "given_name", "middle_name", "name_alt", "name_reading", "prefix"),
    *("suffix", "gender", "company", "company_alt", "company_reading", "department", "title", "email", "mobile"),
    *("phone", "fax", "website", "country", "region", "city", "postal_code", "address", "tags", "wechat", "whatsapp"),
    *("line", "kakao", "linkedin", "language", "notes", "sensitive"),
)
_MOST_ALIKE = 40
_MOST_UNKNOWN = 60
_SAMPLE_BYTES = 1 << 16
_LONGEST_HEAD = 1 << 12
_LONGEST_LINE = 1 << 20
"""No text of a contact is longer; what is, was made to be slow."""
_MOST_LINES = 1000
_CARDS_PACKED = 100
_TOKENS = re.compile(r"\\(.)|([;,])", re.DOTALL)
_PARAMETERS = re.compile(rb'((?:[^;:"]|"[^"]*+"?+)*+)([;:])')
_BEGIN = re.compile(rb"^\s*BEGIN:VCARD", re.IGNORECASE | re.MULTILINE)
_BINARY = re.compile(rb"(?:[\w-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)[;:]", re.IGNORECASE)
_LABEL = re.compile(r"^_\$!<(.*)>!\$_$")
_CJK = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]")

# Never decoded and never kept.
_DROPPED = frozenset(
    {"PHOTO", "LOGO", "SOUND", "KEY", "AGENT", "UID", "REV", "PRODID", "VERSION", "MAILER", "TZ", "GEO", "CLASS"}
    | {"SOURCE", "NAME", "PROFILE", "XML", "CLIENTPIDMAP", "CALURI", "CALADRURI", "FBURL", "ANNIVERSARY", "MEMBER"}
    | {"RELATED", "DEATHDATE", "BIRTHPLACE", "DEATHPLACE", "BEGIN", "END"}
)
_DROPPED_STARTS: tuple[str, ...] = ("X-MS-OL-", "X-AB", "X-EVOLUTION-", "X-COUCHDB", "X-LOTUS", "X-SPOUSE", "X-CHILD")
_DROPPED_STARTS += ("X-MS-ANNIVERSARY", "X-MS-SPOUSE", "X-MS-CHILD", "X-KADDRESSBOOK", "X-MOZILLA", "X-ANNIVERSARY")
_DROPPED_STARTS += ("X-ETAG", "X-GENERATOR")
_SENSITIVE = frozenset({"BDAY", "X-BDAY", "X-BIRTHDAY", "X-SSN", "X-NATIONAL-ID", "X-PASSPORT"})
_MESSENGERS = {
    "wechat": "wechat",
    "weixin": "wechat",
    "whatsapp": "whatsapp",
    "line": "line",
    "kakao": "kakao",
    "kakaotalk": "kakao",
    "linkedin": "linkedin",
}
_PLAIN = {"TITLE": "title", "URL": "website", "NOTE": "notes", "CATEGORIES": "tags", "LANG": "language"}
_PLAIN |= {"X-PHONETIC-ORG": "company_reading", "X-GENDER": "gender", "ROLE": "title"}


@dataclass
class _Property:
    """One line of a card, unfolded but not decoded."""

    name: str
    group: str
    parameters: dict[str, list[str]]
    value: bytes

    @property
    def types(self) -> set[str]:
        return {kind.upper() for kind in self.parameters.get("TYPE", ())}

    @property
    def preference(self) -> int:
        """Return where it stands among its like: 1 is preferred, 101 says nothing."""
        given = self.parameters.get("PREF", [""])[0]
        return int(given) if given.isascii() and given.isdigit() else 1 if "PREF" in self.types else 101


@dataclass
class _Card:
    properties: list[_Property] = field(default_factory=list)
    closed: bool = False
    version: str = ""


@dataclass
class _Charset:
    """How text without a charset of its own is decoded: UTF-8, else ``other``."""

    other: str = ""
    chosen: bool = False
    sample: bytes = b""

    def text(self, raw: bytes, stated: str) -> str:
        if self.chosen and not stated:
            return raw.decode(self.other, errors="replace")
        try:
            codec = encodings.codec_of(stated) if stated else "utf-8"
        except LookupError:
            codec = "utf-8"
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            return self._fallback(raw, codec)

    def _fallback(self, raw: bytes, codec: str) -> str:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            if codec == "utf-8" and len(self.sample) < _SAMPLE_BYTES:
                self.sample += raw[:1000] + b"\n"
        return raw.decode(self.other if codec == "utf-8" and self.other else codec, errors="replace")


def read(data: bytes, encoding: str | None) -> Source:
    """Open a file of cards. ``encoding`` is for the text that does not name its own; it must be one that is read.

    Raises FileUnreadable when there are more cards than may be read at once.
    """
    plain = _as_bytes(data)
    if len(_BEGIN.findall(plain)) > MAX_CARDS:
        raise FileUnreadable("too_many_rows", limit=MAX_CARDS)
    charset = _Charset(encodings.codec_of(encoding), chosen=True) if encoding else _Charset()
    header, blocks = _survey(plain, charset)
    notes = []
    if charset.sample and not charset.chosen:
        charset.other = guessing.guess(charset.sample)
        notes.append(Issue("encoding_guessed", {"encoding": charset.other}))
        header, blocks = _survey(plain, charset)

    def records() -> Iterator[list[Cell]]:
        yield cast(list[Cell], [name for name, _number in header])
        for block in blocks:
            for facts in json.loads(block):
                yield _record(facts, header)

    return Source("vcf", [Table(records)], charset.other or None, notes=notes)


def _as_bytes(data: bytes) -> bytes:
    """Return the file with line feeds, in an encoding whose ASCII is ASCII."""
    if b"\x00" in data[:4]:  # BEGIN in UTF-16, or its mark before that
        encoding = encodings.of(data[:4096])
        data = data.decode("utf-16" if encoding.mark else encoding.codec, errors="replace").encode()
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def _survey(data: bytes, charset: _Charset) -> tuple[list[tuple[str, int]], list[bytes]]:
    """Return the columns and what the cards state, packed.

    There is a column for every field as often as the card that has most of it, then those of properties we do not know.
    Reading a card costs ten times as much as reading a row, so what it states is kept; pictures are not in it.
    """
    most: dict[str, int] = dict.fromkeys(_FIELDS, 0) | {"card_state": 1}
    blocks: list[bytes] = []
    waiting: list[dict[str, list[str]]] = []
    for card in _cards(data):
        facts = _facts(card, charset)
        for name, values in facts.items():
            if name in most or len(most) < len(_FIELDS) + _MOST_UNKNOWN:
                most[name] = max(most.get(name, 0), min(len(values), _MOST_ALIKE))
        waiting.append(facts)
        if len(waiting) == _CARDS_PACKED:
            blocks.append(json.dumps(waiting, ensure_ascii=False).encode("utf-8", "replace"))
            waiting = []
    blocks.append(json.dumps(waiting, ensure_ascii=False).encode("utf-8", "replace"))
    return [(name, number) for name, times in most.items() for number in range(times)], blocks


def _record(facts: dict[str, list[str]], header: list[tuple[str, int]]) -> list[Cell]:
    record: list[Cell] = []
    for name, number in header:
        values = facts.get(name, ())
        last = number == _MOST_ALIKE - 1  # whatever is left goes here
        record.append("\n".join(values[number:]) if last else values[number] if number < len(values) else "")
    return record


def _cards(data: bytes) -> Iterator[_Card]:
    card: _Card | None = None
    line: list[bytes] = []
    size = 0
    nested = dropping = False
    for physical in io.BytesIO(data):
        if dropping and physical[:1] in b" \t" and physical.strip():
            continue
        text = physical.rstrip(b"\r\n")
        mark = text.strip(b" \t\xef\xbb\xbf").upper() if len(text) < 40 else b""
        if mark == b"BEGIN:VCARD":
            if card is not None and line and line[0].upper().startswith(b"AGENT"):
                nested = True
                continue
            if card is not None:
                yield _with(card, line)
            card, line, dropping = _Card(), [], False
        elif mark == b"END:VCARD" and nested:
            nested = False
        elif mark == b"END:VCARD" and card is not None:
            _with(card, line).closed = True
            yield card
            card, line, dropping = None, [], False
        elif card is not None and not nested:
            if line and _goes_on(line, text):
                size += len(text)
                dropping = size > _LONGEST_LINE
                line.append(_continuation(line, text, card.version))
                continue
            _with(card, line)
            line, size, dropping = [text[:_LONGEST_LINE]], len(text), _is_binary(text)
    if card is not None:
        yield _with(card, line)


def _goes_on(line: list[bytes], text: bytes) -> bool:
    return text[:1] in (b" ", b"\t") or _is_soft_break(line)


def _is_soft_break(line: list[bytes]) -> bool:
    return line[-1].endswith(b"=") and b"QUOTED-PRINTABLE" in line[0][:_LONGEST_HEAD].upper()


def _continuation(line: list[bytes], text: bytes, version: str) -> bytes:
    if _is_soft_break(line):
        return b"\n" + text
    return text if version == "2.1" else text[1:]


def _is_binary(text: bytes) -> bool:
    return _BINARY.match(text) is not None


def _with(card: _Card, line: list[bytes]) -> _Card:
    """Add the line to the card, unless it is nothing we read."""
    found = _property(b"".join(line)) if line and len(card.properties) < _MOST_LINES else None
    if found is None:
        return card
    if found.name == "VERSION":
        card.version = found.value.decode("ascii", errors="ignore").strip()
    elif found.name in _SENSITIVE:
        card.properties.append(_Property("BDAY", "", {}, b""))
    elif found.name not in _DROPPED:
        card.properties.append(found)
    return card


def _property(line: bytes) -> _Property | None:
    """Split a line into name, parameters and value; None when it is none, like a line of stray base64."""
    parts, end = _head(line)
    if not parts:
        return None
    group, _dot, name = parts[0].strip().upper().rpartition(".")
    if not re.fullmatch(r"[A-Z][A-Z0-9-]*", name):
        return None
    value = b"" if name in _DROPPED else line[end:]
    return _Property(name, group, _parameters(parts[1:]), value)


def _head(line: bytes) -> tuple[list[str], int]:
    """Return what stands before the first colon that is not quoted, split at semicolons, and where the value begins."""
    colon = line.find(b":", 0, _LONGEST_HEAD)
    if colon < 0:
        return [], 0
    if b'"' not in line[:colon]:
        return line[:colon].decode("utf-8", errors="replace").split(";"), colon + 1
    parts, end = [], 0
    while (found := _PARAMETERS.match(line, end, end + _LONGEST_HEAD)) is not None:
        parts.append(found[1].decode("utf-8", errors="replace"))
        end = found.end()
        if found[2] == b":":
            return parts, end
    return [], 0


def _parameters(parts: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in parts:
        key, equals, value = part.partition("=")
        key = key.strip().upper()
        if not equals:  # vCard 2.1 names types and encodings without saying that they are
            key, value = ("ENCODING" if key in ("QUOTED-PRINTABLE", "BASE64", "8BIT", "7BIT") else "TYPE"), key
        found.setdefault(key, []).extend(item.strip().strip('"') for item in value.strip().strip('"').split(","))
    return found


def _text(of: _Property, charset: _Charset) -> str:
    how = of.parameters.get("ENCODING", [""])[0].upper()
    raw = of.value
    if how == "QUOTED-PRINTABLE":
        raw = quopri.decodestring(raw)
    elif how in ("B", "BASE64"):
        try:
            raw = binascii.a2b_base64(raw)
        except binascii.Error:
            return ""
    return charset.text(raw, of.parameters.get("CHARSET", [""])[0])


def _parts(text: str, version: str, separators: str = ";") -> list[str]:
    """Split at unescaped separators and unescape what lies between."""
    parts, begin, current = [], 0, ""
    for found in _TOKENS.finditer(text):
        if found[1] is not None:
            current += text[begin : found.start()] + _unescaped(found[1], version)
        elif found[2] in separators:
            parts.append(current + text[begin : found.start()])
            current = ""
        else:
            continue
        begin = found.end()
    return [*parts, current + text[begin:]]


def _unescaped(char: str, version: str) -> str:
    if char in ";,:":
        return char
    if version == "2.1":
        return "\\" + char
    return {"n": "\n", "N": "\n"}.get(char, char if char in '\\"' else "\\" + char)


class _Facts(dict[str, list[str]]):
    def add(self, name: str, value: str) -> None:
        if value.strip():
            values = self.setdefault(name, [])
            if len(values) < _MOST_LINES and value not in values:
                values.append(value)


def _facts(card: _Card, charset: _Charset) -> dict[str, list[str]]:
    """Return field → values of one card; what is no field of ours goes by the property's name."""
    facts = _Facts()
    labels = {p.group: _label(_text(p, charset)) for p in card.properties if p.name == "X-ABLABEL" and p.group}
    texts: dict[str, list[tuple[_Property, str]]] = {}
    for each in sorted(card.properties, key=lambda item: item.preference):
        if each.group in labels:
            each.parameters.setdefault("TYPE", []).append(labels[each.group])
        try:
            texts.setdefault(each.name, []).append((each, _text(each, charset)))
        except (ValueError, LookupError):  # a property that cannot be undone is left out, not its card
            continue
    stated = texts.pop("KIND", []) or texts.pop("X-ADDRESSBOOKSERVER-KIND", [])
    kind = stated[0][1].strip().lower() if stated else ""
    facts.add("card_state", "" if card.closed else "malformed_card")
    if card.closed and kind == "group":
        facts.add("card_state", "group_card")
    _add_names(facts, texts, card.version)
    _add_company(facts, texts, card.version)
    if _is_firm(kind, facts, texts):
        for name in ("full_name", "family_name", "given_name", "middle_name"):
            named = facts.pop(name, [])
            if name == "full_name" and "company" not in facts:
                facts["company"] = named[:1]
    _add_addresses(facts, texts, card.version)
    for name, found in texts.items():
        for each, text in found:
            _add(facts, name, each, text, card.version)
    return facts


def _label(text: str) -> str:
    found = _LABEL.match(text.strip())
    return (found[1] if found else text).strip().upper()


def _is_firm(kind: str, facts: _Facts, texts: dict[str, list[tuple[_Property, str]]]) -> bool:
    shown_as = any(text.strip().upper() == "COMPANY" for _p, text in texts.pop("X-ABSHOWAS", ()))
    if kind == "org":
        return True
    is_person = facts.get("family_name") or facts.get("given_name")
    return not is_person and (shown_as or facts.get("full_name", [""])[:1] == facts.get("company", [])[:1])


def _add_names(facts: _Facts, texts: dict[str, list[tuple[_Property, str]]], version: str) -> None:
    shown = [_parts(text, version, "")[0].strip() for _p, text in texts.pop("FN", ())]
    structured = [(p, _parts(text, version)) for p, text in texts.pop("N", ())]
    for part, name in enumerate(("family_name", "given_name", "middle_name", "prefix", "suffix")):
        for _p, parts in structured[:1]:
            facts.add(name, parts[part].strip() if part < len(parts) else "")
    shown = [text for text in shown if text]
    facts.add("full_name", shown[0] if shown else "")
    first = shown[0] if shown else "".join(structured[0][1][:2]) if structured else ""
    others = shown[1:] or [_in_order(parts) for _p, parts in structured[1:]]
    facts.add("name_alt", next((text for text in others if bool(_CJK.search(text)) != bool(_CJK.search(first))), ""))
    facts.add("name_reading", _reading(texts, structured, first))


def _in_order(parts: list[str]) -> str:
    family, given = (part.strip() for part in (*parts[:2], "", "")[:2])
    return f"{family}{given}" if _CJK.search(family + given) else f"{given} {family}".strip()


def _reading(
    texts: dict[str, list[tuple[_Property, str]]], structured: list[tuple[_Property, list[str]]], name: str
) -> str:
    """Return the phonetic name, family name first. A sort key is one when the name itself is in Chinese characters."""
    spoken = [_only(texts, f"X-PHONETIC-{part}-NAME") for part in ("LAST", "MIDDLE", "FIRST")]
    if any(spoken):
        return " ".join(part for part in spoken if part)
    keys = [" ".join(p.parameters.get("SORT-AS", ())).replace(",", " ") for p, _parts in structured[:1]]
    keys.append(_only(texts, "SORT-STRING"))
    return next((key.strip() for key in keys if key.strip() and _CJK.search(name) and key.strip() != name), "")


def _only(texts: dict[str, list[tuple[_Property, str]]], name: str) -> str:
    return next((text.strip() for _p, text in texts.pop(name, ())), "")


def _add_company(facts: _Facts, texts: dict[str, list[tuple[_Property, str]]], version: str) -> None:
    for number, (_p, text) in enumerate(texts.pop("ORG", ())):
        company, *units = (part.strip() for part in _parts(text, version))
        facts.add("company" if number == 0 else "company_alt", company)
        if number == 0:
            facts.add("department", " ".join(unit for unit in units if unit))


def _add_addresses(facts: _Facts, texts: dict[str, list[tuple[_Property, str]]], version: str) -> None:
    """Keep the first address that is not private; where people live is never stored."""
    stated = texts.pop("ADR", [])
    labels = texts.pop("LABEL", [])
    for number, (_p, text) in enumerate(p for p in stated if not _is_private(p[0])):
        parts = [part.strip() for part in _parts(text, version)] + [""] * 7
        street = " ".join(part for part in (parts[2], parts[1], parts[0]) if part)
        if number:
            facts.add("ADR", " ".join(part for part in (street, *parts[3:7]) if part))
            continue
        for name, value in zip(
            ("address", "city", "region", "postal_code", "country"), (street, *parts[3:7]), strict=True
        ):
            facts.add(name, value)
    if not any(facts.get(name) for name in ("address", "city", "country")):
        for p, text in labels:
            if not _is_private(p):
                facts.add("address", _parts(text, version, "")[0])


def _is_private(of: _Property) -> bool:
    return "HOME" in of.types and "WORK" not in of.types


def _add(facts: _Facts, name: str, of: _Property, text: str, version: str) -> None:
    whole = _parts(text, version, "")[0].strip()
    if name == "BDAY":
        facts.add("sensitive", "BDAY")
    elif name == "TEL":
        facts.add(_kind_of_number(of.types), _number(whole))
    elif name == "EMAIL":
        facts.add("email", re.sub(r"^mailto:", "", whole, flags=re.IGNORECASE))
    elif name == "GENDER":
        facts.add("gender", _parts(text, version)[0])
    elif name == "IMPP":
        _add_messenger(facts, of, whole)
    elif name in _PLAIN:
        facts.add(_PLAIN[name], whole)
    elif _messenger_in(name.removeprefix("X-")):
        facts.add(_messenger_in(name.removeprefix("X-")), whole)
    elif not name.startswith(_DROPPED_STARTS):
        facts.add(name, whole)


def _kind_of_number(types: set[str]) -> str:
    if "FAX" in types:
        return "fax"
    return "mobile" if types & {"CELL", "MOBILE", "IPHONE"} else "phone"


def _number(text: str) -> str:
    """Return a number as one writes it: ``tel:+82-2-123;ext=4`` → ``+82-2-123 ext. 4``."""
    bare, *rest = re.sub(r"^tel:", "", text, flags=re.IGNORECASE).split(";")
    extension = next((part[4:] for part in rest if part.lower().startswith("ext=")), "")
    if rest and not text.lower().startswith("tel:"):
        return text
    return f"{bare} ext. {extension}" if extension else bare


def _add_messenger(facts: _Facts, of: _Property, text: str) -> None:
    scheme, colon, handle = text.partition(":")
    service = of.parameters.get("X-SERVICE-TYPE", [scheme if colon else ""])[0]
    name = _messenger_in(service) or next((found for kind in of.types if (found := _messenger_in(kind))), "")
    facts.add(name or "IMPP", (handle if colon else text) if name else text)


def _messenger_in(text: str) -> str:
    return _MESSENGERS.get(text.casefold().replace("-", "").removesuffix("id"), "")
