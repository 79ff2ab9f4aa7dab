"""Reading foreign mails without ever stumbling: headers in any coding, bodies in any character set, HTML as text.

Python's header objects of ``policy.default`` raise or lose spaces on mails of the wild, so headers are decoded here
from their raw form (RFC 2047), joining words that were split inside a character as many Asian programs do.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from email.message import Message
from email.utils import getaddresses
from html.parser import HTMLParser

MAX_TEXT = 200_000
# What a name in a Content-Type usually means; the larger set that contains the named one.
_ALIASES = {
    **dict.fromkeys(("ks_c_5601-1987", "ks_c_5601", "euc-kr", "euckr", "ksc5601", "x-windows-949"), "cp949"),
    **dict.fromkeys(("gb2312", "gbk", "gb_2312-80", "x-gbk"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j"), "cp932"),
    **dict.fromkeys(("iso-2022-jp", "csiso2022jp"), "iso2022_jp_ext"),
    **dict.fromkeys(("big5", "big5-hkscs"), "big5hkscs"),
    **dict.fromkeys(("us-ascii", "ascii", "iso-8859-1", "latin-1"), "cp1252"),
    **dict.fromkeys(("unicode-1-1-utf-7", "utf-7"), "utf-7"),
}
_GUESSES = ("utf-8", "cp949", "cp932", "gb18030")
_WORD = re.compile(r"=\?([^?\s*]+)(?:\*[^?]*)?\?([bBqQ])\?([^?]*)\?=")


def decode(raw: bytes, charset: str = "") -> str:
    """Return text from bytes: as the mail declares, else as what they can be; never raises."""
    name = charset.strip().strip("\"'").lower()
    declared = [_ALIASES.get(name, name)] if name else []
    for candidate in [*(["utf-8"] if raw.isascii() and b"\x1b" not in raw else []), *declared, *_GUESSES]:
        try:
            return _storable(raw.decode(candidate))
        except (LookupError, ValueError):
            continue
    return _storable(raw.decode("cp1252", "replace"))


def _storable(text: str) -> str:
    """Take out what no database stores: NUL, and the half characters that some codecs (UTF-7) let through."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def header(message: Message, name: str) -> str:
    """Return a header decoded and on one line, or an empty string."""
    return next(iter(headers(message, name)), "")


def headers(message: Message, name: str) -> list[str]:
    """Return every header of this name, decoded."""
    return [header_text(raw) for key, raw in message.raw_items() if key.lower() == name.lower()]


def header_text(raw: object) -> str:
    """Decode a header's raw value: RFC 2047 words, or raw 8-bit text."""
    value = str(raw)
    if not value.isascii():
        value = decode(value.encode("utf-8", "surrogateescape"))
    unfolded = re.sub(r"[\r\n]+[ \t]*", " ", value)
    joined = re.sub(r"(\?=)\s+(=\?)", r"\1\2", unfolded)
    return _storable("".join(_words_decoded(joined))).strip()


def _words_decoded(value: str) -> Iterator[str]:
    """Yield plain stretches and decoded words; neighbours in one charset are decoded together."""
    end, charset, gathered = 0, "", b""
    for word in _WORD.finditer(value):
        if gathered and (word.start() > end or word[1].lower() != charset):
            yield decode(gathered, charset)
            gathered = b""
        yield value[end : word.start()]
        charset, gathered, end = word[1].lower(), gathered + _word_bytes(word[2], word[3]), word.end()
    if gathered:
        yield decode(gathered, charset)
    yield value[end:]


def _word_bytes(coding: str, content: str) -> bytes:
    ascii_bytes = content.encode("ascii", "ignore")
    if coding in "qQ":
        return quopri.decodestring(ascii_bytes.replace(b"_", b" "))
    try:
        return base64.b64decode(ascii_bytes + b"=" * (-len(ascii_bytes) % 4))
    except (binascii.Error, ValueError):
        return ascii_bytes


def addresses(message: Message, *names: str) -> list[tuple[str, str]]:
    """Return (name, address) pairs of address headers, addresses in lower case, without empty ones."""
    found = []
    for name in names:
        for key, raw in message.raw_items():
            if key.lower() == name.lower():
                pairs = getaddresses([re.sub(r"[\r\n]+", " ", str(raw))])
                found += [(header_text(display), header_text(address).lower()) for display, address in pairs if address]
    return found


def payload(part: Message) -> bytes:
    """Return the decoded bytes of a part that is not multipart; never raises."""
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        content = None
    return content if isinstance(content, bytes) else b""


def part_text(part: Message) -> str:
    """Return a text part as text with newlines, at most MAX_TEXT characters."""
    try:
        charset = str(part.get_param("charset", "") or "")
    except (ValueError, LookupError):
        charset = ""
    text = decode(payload(part), charset)[:MAX_TEXT]
    return text.replace("\r\n", "\n").replace("\r", "\n")


def leaves(message: Message) -> Iterator[Message]:
    """Yield the parts of the mail itself, not those of mails enclosed in it, and no attachments."""
    if message.get_content_maintype() == "message":
        return
    inner = message.get_payload()
    if message.is_multipart() and isinstance(inner, list):
        for part in inner:
            if isinstance(part, Message):
                yield from leaves(part)
    elif message.get_content_disposition() != "attachment":
        yield message


def body(message: Message) -> str:
    """Return what a reader sees as text: the plain parts, or the HTML ones turned into text."""
    plain, html = [], []
    for part in leaves(message):
        kind = part.get_content_type()
        if kind == "text/plain":
            plain.append(part_text(part))
        elif kind == "text/html":
            html.append(html_to_text(part_text(part)))
    text = "\n".join(plain)
    return (text if text.strip() else "\n".join(html))[:MAX_TEXT]


def html_to_text(html: str) -> str:
    """Return the text of an HTML mail: blocks on lines of their own, quotations marked with ``>``, nothing hidden."""
    walker = _Walker()
    walker.feed(html[: MAX_TEXT * 4])
    walker.close()
    return walker.text()


class _Walker(HTMLParser):
    _SILENT = frozenset(("script", "style", "head", "title", "template"))
    _BLOCKS = frozenset(
        ("p", "div", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "pre", "hr", "blockquote")
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._silent = 0
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._SILENT and tag != "head":
            self._silent += 1
        if tag == "br" or tag in self._BLOCKS:
            self._break()
        if tag == "blockquote":
            self._depth += 1
        if tag == "hr" or dict(attrs).get("id") == "divRplyFwdMsg":  # Outlook puts its quoted headers behind a rule
            self._lines += ["_" * 20, ""]

    def handle_endtag(self, tag: str) -> None:
        if tag in self._SILENT and tag != "head":
            self._silent = max(0, self._silent - 1)
        if tag in ("td", "th"):
            self._lines[-1] += " "
        if tag == "blockquote":
            self._break()
            self._depth = max(0, self._depth - 1)
        if tag in self._BLOCKS:
            self._break()

    def handle_data(self, data: str) -> None:
        if not self._silent:
            words = re.sub(r"\s+", " ", data)
            self._lines[-1] += words if self._lines[-1].strip("> ") else words.lstrip()

    def _break(self) -> None:
        self._lines[-1] = ("> " if self._depth and self._lines[-1].strip() else "") + self._lines[-1]
        self._lines.append("")

    def text(self) -> str:
        self._break()
        joined = "\n".join(line.rstrip() for line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", joined).strip("\n")
