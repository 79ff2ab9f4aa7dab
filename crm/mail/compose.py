"""From the parts of a letter to the bytes that go over the wire.

The headers are written by hand, because ``email.message.EmailMessage`` of Python 3.11 loses spaces of Korean subjects
between encoded words (python/cpython#92081) and takes fifty times as long. The same letter always gives the same bytes.

An attachment may be given by its hash alone (``Attachment.sha256`` without ``content``): then a mark stands where its
body belongs, and ``filled`` puts it in when the letter leaves. A catalogue is so kept once, not once a letter.
"""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Literal
from urllib.parse import quote, urlsplit

LINE = 76  # RFC 2047 section 2: a line with an encoded word has at most 76 characters
HARD_LINE = 998  # RFC 5322 section 2.1.1
_WORD_BYTES = 39  # 'Reply-To: ' + 12 characters of frame + 52 of base64 stay within a line
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")  # RFC 5322 section 3.2.3, with spaces

_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,126}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MARK = re.compile(rb"\x00([0-9a-f]{64})\x00\r\n")
_NAME_BYTES = 240

_OWN_HEADERS = frozenset(
    (
        *("from", "to", "cc", "bcc", "sender", "reply-to", "subject", "date", "message-id", "in-reply-to"),
        *("references", "list-unsubscribe", "list-unsubscribe-post", "content-language", "mime-version"),
        *("content-type", "content-transfer-encoding", "return-path"),
    )
)


class CannotCompose(ValueError):
    """A part of the letter cannot stand in a mail: a line break in a header, or an address that is none."""


Method = Literal["PUBLISH", "REQUEST"]


@dataclass(frozen=True)
class Attachment:
    """A file that goes along. ``content`` None: only a mark with ``sha256`` is written, which ``filled`` replaces.

    ``method`` is that of a calendar (RFC 5545), which is a text in UTF-8; other files go as they are.
    """

    name: str
    media_type: str
    content: bytes | None = None
    sha256: str = ""
    method: Method | None = None


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
    attachments: tuple[Attachment, ...] = ()


def compose(letter: Outgoing) -> bytes:
    """Return the letter as MIME bytes with CRLF line ends; no byte above 127, no line longer than 998.

    Attachments without their content leave a mark; such bytes are no mail before ``filled`` has been asked.
    Raises CannotCompose for control characters in a header, unusable addresses, Message-IDs or addresses of links, and
    for attachments without a usable name or kind.
    """
    lines = list(_headers(letter))
    _refuse_long_lines(lines)
    return ("".join(lines) + _body(letter)).encode("ascii")


def marks(raw: bytes) -> list[str]:
    """Return the hashes of the files that are still to be put in, in the order in which they stand."""
    return [found[1].decode() for found in _MARK.finditer(raw)]


def filled(raw: bytes, content: Callable[[str], bytes]) -> bytes:
    """Return the mail with its files put in; ``content`` gives the bytes for a SHA-256.

    Raises CannotCompose when it gives other bytes than those the mark names.
    """

    def body(found: re.Match[bytes]) -> bytes:
        wanted, data = found[1].decode(), content(found[1].decode())
        if hashlib.sha256(data).hexdigest() != wanted:
            raise CannotCompose(f"attachment: the file {wanted[:12]} is not the one that was approved")
        return _base64(data).encode("ascii")

    return _MARK.sub(body, raw)


def encoded_size(size: int) -> int:
    """Return how many bytes a file of ``size`` bytes takes in a mail: four thirds and the line ends."""
    characters = 4 * -(-size // 3)
    return characters + 2 * max(1, -(-characters // LINE))


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
    written = _written(letter)
    if not letter.attachments:
        return written
    # Mixed holds what is read and then the files, so that every mail program lists them below the letter.
    return _multipart("mixed", letter, [written, *(_attached(item) for item in letter.attachments)])


def _written(letter: Outgoing) -> str:
    if not letter.html:
        return _part("plain", letter.text)
    return _multipart("alternative", letter, [_part(kind, body) for kind, body in _alternatives(letter)])


def _multipart(kind: str, letter: Outgoing, parts: list[str]) -> str:
    # The boundary of letters without files is as it always was: the same letter gives the same bytes.
    seed = letter.message_id if kind == "alternative" else f"{kind} {letter.message_id}"
    boundary = f"=_{hashlib.sha256(seed.encode()).hexdigest()[:32]}"  # '=_' is in no base64 (RFC 2045 section 6.7)
    inside = "".join(f"--{boundary}\r\n{part}" for part in parts)
    return f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n{inside}--{boundary}--\r\n'


def _alternatives(letter: Outgoing) -> tuple[tuple[str, str], ...]:
    return ("plain", letter.text), ("html", letter.html)  # plainest first (RFC 2046 section 5.1.4)


def _part(kind: str, body: str) -> str:
    canonical = re.sub(r"\r\n|\r|\n", "\r\n", body)
    try:
        encoded = canonical.encode()
    except UnicodeEncodeError:
        raise CannotCompose("body: half a character (surrogate) cannot be written") from None
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    return head + _base64(encoded)


def _base64(data: bytes) -> str:
    encoded = base64.b64encode(data).decode()
    return "\r\n".join(encoded[at : at + LINE] for at in range(0, len(encoded), LINE)) + "\r\n"


def _attached(item: Attachment) -> str:
    if not _MEDIA_TYPE.fullmatch(item.media_type) or item.media_type.startswith(("multipart/", "message/")):
        raise CannotCompose(f"attachment: {item.media_type!r} is no kind of file that can be attached")
    head = "".join(
        (
            _folded("Content-Type", _content_type(item)),
            _folded("Content-Disposition", ["attachment;", *_filename(_file_name(item.name))]),
            "Content-Transfer-Encoding: base64\r\n\r\n",
        )
    )
    if item.content is not None:
        return head + _base64(item.content)
    if not _SHA256.fullmatch(item.sha256):
        raise CannotCompose("attachment: neither its content nor its hash is known")
    return f"{head}\0{item.sha256}\0\r\n"


def _content_type(item: Attachment) -> list[str]:
    """The kind with the name in encoded words (RFC 2047).

    RFC 2231 is the standard for names, and stands in Content-Disposition; programs that never learnt it (Outlook
    before 2010, older Naver and QQ) look here, and this is how Thunderbird writes for both.
    """
    text = [f"method={item.method};", 'charset="utf-8";'] if item.method else []
    return [f"{item.media_type};", *text, *_encoded_name(_file_name(item.name))]


def _encoded_name(name: str) -> list[str]:
    if _is_plain(name):
        return [f'name="{_escaped(name)}"']
    first, *more = _encoded_words("name", name)
    if not more:
        return [f'name="{first}"']
    return [f'name="{first}', *more[:-1], f'{more[-1]}"']  # one quoted string, folded between its words


def _filename(name: str) -> list[str]:
    """The name as RFC 2231 has it: quoted where ASCII will do, else percent-encoded UTF-8 in numbered pieces."""
    if _is_plain(name) and len(name) < LINE - 20:
        return [f'filename="{_escaped(name)}"']
    pieces = _percent_pieces(name, LINE - 20)
    if len(pieces) == 1 and len(pieces[0]) <= LINE - 40:
        return [f"filename*=utf-8''{pieces[0]}"]
    pieces = [f"utf-8''{pieces[0]}", *pieces[1:]]
    return [f"filename*{n}*={piece}{';' if n < len(pieces) - 1 else ''}" for n, piece in enumerate(pieces)]


def _percent_pieces(name: str, width: int) -> list[str]:
    """Cut between characters, so that a reader who decodes piece by piece gets whole ones."""
    pieces = [""]
    for character in name:
        encoded = quote(character, safe="")
        limit = width - (7 if len(pieces) == 1 else 0)
        if len(pieces[-1]) + len(encoded) > limit:
            pieces.append("")
        pieces[-1] += encoded
    return pieces


def _escaped(name: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", name)


def _file_name(name: str) -> str:
    """Refuse what is no name of a file on some machine of a reader: paths, controls, signs that turn the reading."""
    bad = [c for c in name if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") or c in '/\\:*?"<>|']
    if bad or name != name.strip(" .") or not 0 < len(name.encode("utf-8", "replace")) <= _NAME_BYTES:
        raise CannotCompose(f"attachment: {name!r} cannot be the name of a file")
    return name
