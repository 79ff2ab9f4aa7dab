"""From the parts of a letter to the bytes that go over the wire.

The headers are written by hand, because ``email.message.EmailMessage`` of Python 3.11 loses spaces of Korean subjects
between encoded words (python/cpython#92081) and takes fifty times as long. The same letter always gives the same bytes.
"""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

LINE = 76  # RFC 2047 section 2: a line with an encoded word has at most 76 characters
HARD_LINE = 998  # RFC 5322 section 2.1.1
_WORD_BYTES = 39  # 'Reply-To: ' + 12 characters of frame + 52 of base64 stay within a line
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")  # RFC 5322 section 3.2.3, with spaces

_OWN_HEADERS = frozenset(
    (
        *("from", "to", "cc", "bcc", "sender", "reply-to", "subject", "date", "message-id", "in-reply-to"),
        *("references", "list-unsubscribe", "list-unsubscribe-post", "content-language", "mime-version"),
        *("content-type", "content-transfer-encoding", "return-path"),
    )
)


class CannotCompose(ValueError):
    """A part of the letter cannot stand in a mail: a line break in a header, or an address that is none."""


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One letter, ready to be written down. Names may be empty; addresses are plain ASCII (IDN as punycode).

    ``date`` is aware. ``list_unsubscribe_url`` is https (http on this machine only) and answers a POST at once
    (RFC 8058); ``list_unsubscribe_mailto`` is a bare address.
    """

    from_name: str
    from_address: str
    to_name: str
    to_address: str
    subject: str
    text: str
    message_id: str
    date: datetime
    html: str = ""
    reply_to: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    list_unsubscribe_url: str = ""
    list_unsubscribe_mailto: str = ""
    language: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def compose(letter: Outgoing) -> bytes:
    """Return the letter as MIME bytes with CRLF line ends; no byte above 127, no line longer than 998.

    Raises CannotCompose for control characters in a header, unusable addresses, Message-IDs or addresses of links.
    """
    lines = list(_headers(letter))
    _refuse_long_lines(lines)
    return ("".join(lines) + _body(letter)).encode("ascii")


def _headers(letter: Outgoing) -> Iterator[str]:
    yield _address_header("From", letter.from_name, letter.from_address)
    yield _address_header("To", letter.to_name, letter.to_address)
    if letter.reply_to:
        yield _address_header("Reply-To", "", letter.reply_to)
    yield _folded("Subject", _text_tokens("Subject", letter.subject))
    if letter.date.tzinfo is None:
        raise CannotCompose("Date: an aware datetime is needed")
    yield _folded("Date", [format_datetime(letter.date)])
    yield _folded("Message-ID", [_message_id("Message-ID", letter.message_id)])
    if letter.in_reply_to:
        yield _folded("In-Reply-To", [_message_id("In-Reply-To", letter.in_reply_to)])
    if letter.references:
        yield _folded("References", [_message_id("References", item) for item in letter.references])
    yield from _unsubscribe_headers(letter)
    if letter.language:
        yield _folded("Content-Language", _ascii_tokens("Content-Language", letter.language))
    yield from _extra_headers(letter.headers)
    yield "MIME-Version: 1.0\r\n"


def _unsubscribe_headers(letter: Outgoing) -> Iterator[str]:
    """RFC 2369 and RFC 8058. The relay's DKIM signature has to cover both lines."""
    places = []
    if letter.list_unsubscribe_url:
        places.append(f"<{_link(letter.list_unsubscribe_url)}>")
    if letter.list_unsubscribe_mailto:
        places.append(f"<mailto:{_address('List-Unsubscribe', letter.list_unsubscribe_mailto)}?subject=unsubscribe>")
    if places:
        yield _folded("List-Unsubscribe", ", ".join(places).split(" "))
    if letter.list_unsubscribe_url:
        yield "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


def _extra_headers(headers: Mapping[str, str]) -> Iterator[str]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise CannotCompose(f"{name!r} cannot be added as a header")
        yield _folded(name, _ascii_tokens(name, value))


def _address_header(name: str, display: str, address: str) -> str:
    address = _address(name, address)
    return _folded(name, [*_phrase_tokens(name, display), f"<{address}>"] if display else [address])


def _address(name: str, address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise CannotCompose(f"{name}: {address!r} is not an address that can stand in a mail")
    return address


def _message_id(name: str, value: str) -> str:
    if not _MESSAGE_ID.fullmatch(value):
        raise CannotCompose(f"{name}: {value!r} is not a Message-ID in angle brackets")
    return value


def _link(url: str) -> str:
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (parts.scheme == "https" or local) or not re.fullmatch(r"[!-;=?-~]+", url):
        raise CannotCompose(f"List-Unsubscribe: {url!r} is not an https address")
    return url


def _text_tokens(name: str, value: str) -> list[str]:
    """Words of an unstructured header: as they are where that is safe, else encoded words (RFC 2047)."""
    _refuse_controls(name, value)
    return value.split(" ") if _is_plain(value) else _encoded_words(name, value)


def _phrase_tokens(name: str, value: str) -> list[str]:
    """Words of a display name: bare atoms, a quoted string, or encoded words."""
    _refuse_controls(name, value)
    if not _is_plain(value):
        return _encoded_words(name, value)
    if _ATOMS.fullmatch(value):
        return value.split(" ")
    quoted = re.sub(r'(["\\])', r"\\\1", value)
    return f'"{quoted}"'.split(" ")


def _ascii_tokens(name: str, value: str) -> list[str]:
    _refuse_controls(name, value)
    if not value.isascii():
        raise CannotCompose(f"{name}: only ASCII can stand here")
    return value.split(" ")


def _is_plain(value: str) -> bool:
    """True where readers of all kinds get the value back unchanged after it was folded at its spaces."""
    words = value.split(" ")
    return value.isascii() and "=?" not in value and all(0 < len(word) <= LINE - 12 for word in words)


def _encoded_words(name: str, value: str) -> list[str]:
    """The whole value in encoded words, cut between characters, so that no space lies between two of them."""
    words, piece = [], b""
    for character in value:
        try:
            encoded = character.encode()
        except UnicodeEncodeError:
            raise CannotCompose(f"{name}: half a character (surrogate) cannot be written") from None
        if len(piece) + len(encoded) > _WORD_BYTES:
            words.append(piece)
            piece = b""
        piece += encoded
    words.append(piece)
    return [f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words if word]


def _refuse_controls(name: str, value: str) -> None:
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise CannotCompose(f"{name}: line breaks and control characters cannot stand in a header")


def _folded(name: str, tokens: list[str]) -> str:
    """Join tokens with single spaces, breaking before a token that would pass the end of the line."""
    lines, line = [], f"{name}:"
    for number, token in enumerate(tokens):
        if number and len(line) + 1 + len(token) > LINE:
            lines.append(line)
            line = ""
        line += f" {token}"
    return "\r\n".join([*lines, line]) + "\r\n"


def _refuse_long_lines(headers: list[str]) -> None:
    for header in headers:
        if any(len(line) > HARD_LINE for line in header.split("\r\n")):
            raise CannotCompose(f"{header.partition(':')[0]}: a part is longer than a mail line may be")


def _body(letter: Outgoing) -> str:
    if not letter.html:
        return _part("plain", letter.text)
    digest = hashlib.sha256(letter.message_id.encode()).hexdigest()[:32]
    boundary = f"=_{digest}"  # '=_' occurs in no base64 line (RFC 2045 section 6.7)
    parts = "".join(f"--{boundary}\r\n{_part(kind, body)}" for kind, body in _alternatives(letter))
    return f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n{parts}--{boundary}--\r\n'


def _alternatives(letter: Outgoing) -> tuple[tuple[str, str], ...]:
    return ("plain", letter.text), ("html", letter.html)  # plainest first (RFC 2046 section 5.1.4)


def _part(kind: str, body: str) -> str:
    canonical = re.sub(r"\r\n|\r|\n", "\r\n", body)
    try:
        encoded = base64.b64encode(canonical.encode()).decode()
    except UnicodeEncodeError:
        raise CannotCompose("body: half a character (surrogate) cannot be written") from None
    lines = "\r\n".join(encoded[at : at + LINE] for at in range(0, len(encoded), LINE))
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    return f"{head}{lines}\r\n"
