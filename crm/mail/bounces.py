"""Reports of mail servers: which letter failed, for whom, why, and whether for good; and complaints (ARF).

First the machine-readable parts (RFC 3464, RFC 6533, RFC 5965), then ``X-Failed-Recipients``, then the old formats that
``flufl.bounce`` knows, then wording. Only what says that there is no such mailbox makes ``dead_address`` True: a 5 at
the front of a status is also what a full mailbox and a spam filter give.
"""

import base64
import binascii
import email
import email.policy
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from flufl.bounce import all_failures

from crm.mail.mime import addresses, body, decode, header, headers, payload
from crm.mail.rules import Cause, cause_of, status_in

_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_ADDRESS = re.compile(rf"(?<![\w.]){_ATOM}(?:\.{_ATOM})*@[\w-]+(?:\.[\w-]+)+")
_MESSAGE_ID = re.compile(r"^Message-I[Dd]:\s*(<[^<>\s]+@[^<>\s]+>)", re.MULTILINE)
_DAEMON = re.compile(r"mailer-?daemon|post-?master|mail(er)? ?delivery|mail ?system|postmaster|mdaemon|bounce", re.I)
_SUBJECT = re.compile(
    r"undeliver|not deliver|delivery (status|fail|report|notification|problem|error|has failed)|mail delivery"
    r"|fail(ure|ed)\b.*\b(mail|deliver|notice)|(mail|delivery|message|returned|status).*\bfail|failure notice"
    r"|return(ed|ing) (e?mail|message|to sender)|user unknown|mail system error|unable to deliver|\bbounced?\b"
    r"|could ?n[o']t (be )?deliver|warning: could not send|non ?remis|unzustellbar"
    r"|배달 ?(실패|불가|되지)|반송|전송 ?실패|発送エラー|配信(不能|エラー|失敗)|配達不能"
    r"|退信|无法投递|無法投遞|投递失败|傳遞失敗|no se (puede|pudo|ha podido) entregar|devuelto|no entregado",
    re.I,
)
_TEMPORARY = re.compile(
    r"will (be )?(retr|continue|keep)|still (trying|being)|delayed|has not (yet )?been (delivered|transmitted)"
    r"|warning message|do not need to resend|temporar|try(ing)? again|could not send message for past|deferred",
    re.I,
)


@dataclass(frozen=True)
class Bounce:
    """A report that a letter did not arrive, for one recipient.

    ``given_up``: the letter will not arrive any more (False: the server still tries). ``status`` is stated, or what RFC
    3463 calls such wording. ``recipient`` is lower case; ``message_id`` is that of the returned letter, with brackets,
    if it was enclosed.
    """

    recipient: str
    given_up: bool
    cause: Cause
    status: str = ""
    diagnostic: str = ""
    message_id: str = ""

    @property
    def hard(self) -> bool:
        """The next letter would fail alike: neither a passing fault (4.y.z) nor a full mailbox."""
        return self.given_up and not self.status.startswith("4") and self.cause != "mailbox_full"

    @property
    def dead_address(self) -> bool:
        """There is no such mailbox: do not write to it again."""
        return self.hard and self.cause == "no_such_address"


def bounces_in(message: Message, raw: bytes) -> list[Bounce]:
    """Return what a report says, a Bounce for each recipient; an empty list if the mail is no report of failure."""
    returned = returned_message_id(message)
    reported = _from_status_parts(message)
    if reported is not None:
        made = [_made(message, fields, returned) for fields in reported]
        return list({bounce.recipient: bounce for bounce in made}.values())
    if not _looks_like_a_report(message):
        return []
    return _from_wording(message, raw, returned)


def complaint_in(message: Message) -> str:
    """Return the feedback type of an abuse report (RFC 5965), or an empty string. ``not-spam`` is no complaint."""
    for part in message.walk():
        if part.get_content_type() == "message/feedback-report":
            for fields in _blocks(_report_text(part)):
                kind = fields.get("feedback-type", "").lower()
                if kind and kind != "not-spam":
                    return kind
    return ""


def complained_recipient(message: Message) -> str:
    """Return the address that complained, where the report names it."""
    for part in message.walk():
        if part.get_content_type() == "message/feedback-report":
            for fields in _blocks(_report_text(part)):
                found = _ADDRESS.search(fields.get("original-rcpt-to", ""))
                if found:
                    return found[0].lower()
    return ""


def returned_message_id(message: Message) -> str:
    """Return the Message-ID of the letter that a report encloses, or quotes in its text."""
    own = header(message, "Message-ID")
    for part in message.walk():
        if part is message:
            continue
        kind = part.get_content_type()
        if kind in ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers"):
            found = _MESSAGE_ID.search(_report_text(part))
            if found:
                return found[1]
        elif part.get_content_maintype() != "multipart" and (inner := header(part, "Message-ID")) and inner != own:
            return inner
    quoted = _MESSAGE_ID.search(body(message))
    return quoted[1] if quoted else ""


def _from_status_parts(message: Message) -> list[dict[str, str]] | None:
    """Return the failed or delayed recipients of the delivery-status parts, or None where there is no usable part."""
    recipients = [
        fields
        for part in message.walk()
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status")
        for fields in _blocks(_report_text(part))
        if "final-recipient" in fields or "original-recipient" in fields
    ]
    if not recipients:
        return None
    return [fields for fields in recipients if _action(fields) in ("failed", "delayed")]


def _action(fields: dict[str, str]) -> str:
    stated = re.sub(r"[^a-z].*", "", fields.get("action", "").lower())
    if stated.startswith(("fail", "error")):
        return "failed"
    return stated or {"5": "failed", "4": "delayed"}.get(fields.get("status", "")[:1], "")


def _made(message: Message, fields: dict[str, str], returned: str) -> Bounce:
    diagnostic = fields.get("diagnostic-code") or fields.get("status", "")
    status = status_in(fields.get("status", "")) or status_in(diagnostic)
    more_exact = status_in(diagnostic)
    if status.endswith(".0.0") and more_exact[:1] == status[:1]:
        status = more_exact
    address = fields.get("original-recipient") or fields.get("final-recipient") or ""
    if not _ADDRESS.search(address) or address.lower().startswith("x400"):
        address = fields.get("final-recipient", address)
    cause = cause_of(status, f"{diagnostic}\n{'' if 'diagnostic-code' in fields else body(message)[:2000]}")
    return Bounce(_clean(address), _action(fields) == "failed", cause, status, diagnostic, returned)


def _clean(field: str) -> str:
    """``rfc822; <User@Example.com>`` → ``user@example.com``."""
    value = field.partition(";")[2] or field
    found = _ADDRESS.search(value)
    return (found[0] if found else value.strip().strip("<>")).lower()


def _looks_like_a_report(message: Message) -> bool:
    if headers(message, "X-Failed-Recipients") or message.get_content_type() == "multipart/report":
        return True
    senders = addresses(message, "From", "Sender")
    if any(_DAEMON.search(f"{name} {address}") for name, address in senders):
        return True
    nobody = any(value.strip() in ("<>", "") for value in headers(message, "Return-Path"))
    return bool(_SUBJECT.search(header(message, "Subject"))) and (nobody or not header(message, "In-Reply-To"))


def _from_wording(message: Message, raw: bytes, returned: str) -> list[Bounce]:
    text = body(message)
    temporary, permanent = _known_formats(raw)
    for value in headers(message, "X-Failed-Recipients"):
        permanent += [found.lower() for found in _ADDRESS.findall(value)]
    if not temporary and not permanent:
        permanent, temporary = _in_text(message, text)
    made = {}
    for address in [*temporary, *permanent]:
        nearby = _about(address, text)
        status = status_in(nearby) or status_in(text[:3000])
        cause = cause_of(status, nearby)
        made[address] = Bounce(
            address, address in permanent, cause, status or _usual_status(cause, nearby), nearby[:500], returned
        )
    return list(made.values())


def _usual_status(cause: Cause, text: str) -> str:
    """Return the status RFC 3463 has for wording that came without a number, or an empty string."""
    if cause == "no_such_address":
        return "5.1.2" if re.search(r"domain|host", text, re.I) else "5.1.1"
    return {"mailbox_full": "5.2.2", "too_large": "5.3.4", "blocked": "5.7.1"}.get(cause, "")


def _known_formats(raw: bytes) -> tuple[list[str], list[str]]:
    """Ask flufl.bounce; it wants ``policy.default`` and stumbles over some mails, which must not stop us."""
    try:
        temporary, permanent = all_failures(email.message_from_bytes(raw, policy=email.policy.default))
        gone = sorted(_flat(item) for item in permanent)
        return sorted(set(map(_flat, temporary)) - set(gone)), gone
    except Exception:
        return [], []


def _flat(address: bytes | str) -> str:
    return (address.decode("utf-8", "replace") if isinstance(address, bytes) else address).strip("<>").lower()


def _in_text(message: Message, text: str) -> tuple[list[str], list[str]]:
    """Return the addresses a report speaks of in its own words: those before the returned letter, not our own."""
    own = {address for _name, address in addresses(message, "To", "From", "Delivered-To", "X-Original-To", "Sender")}
    head = re.split(
        r"\n(?:-{3,}.*(?:copy|original|returned|message|headers)|(?:Received|Return-Path):)", text, maxsplit=1
    )[0]
    found = list(dict.fromkeys(item.lower() for item in _ADDRESS.findall(head) if item.lower() not in own))
    if not found:
        return [], []
    return ([], found[:1]) if _TEMPORARY.search(head) else (found[:1], [])


def _about(address: str, text: str) -> str:
    """Return the sentences around an address, where a server's words usually stand."""
    at = text.lower().find(address)
    return text[max(0, at - 300) : at + 700] if at >= 0 else text[:1500]


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """Yield the groups of fields of a report, names in lower case, folded lines joined."""
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
        unfolded = re.sub(r"\n[ \t]+", " ", block)
        pairs = (line.partition(":") for line in unfolded.split("\n") if ":" in line)
        fields = {name.strip().lower(): value.strip() for name, _colon, value in pairs}
        if fields:
            yield fields


def _report_text(part: Message) -> str:
    """Return the text of a report part. Python parses such parts into messages (only the first block of RFC 6533's),
    so they are put together again, and decoded where a server encoded them."""
    inner = part.get_payload()
    if not isinstance(inner, list):
        return decode(payload(part))
    text = "\n\n".join(_written(block) for block in inner if isinstance(block, Message))
    return _decoded(text, header(part, "Content-Transfer-Encoding").lower())


def _written(block: Message) -> str:
    inner = block.get_payload()
    lines = [f"{name}: {decode(str(value).encode('utf-8', 'surrogateescape'))}" for name, value in block.raw_items()]
    if isinstance(inner, list):
        rest = "\n\n".join(_written(item) for item in inner if isinstance(item, Message))
    else:
        rest = decode(payload(block))  # get_payload() without decoding would destroy what is not ASCII
    return "\n".join(lines) + (f"\n\n{rest}" if rest else "")


def _decoded(text: str, coding: str) -> str:
    raw = text.encode("utf-8", "surrogateescape")
    if coding == "quoted-printable":
        return decode(quopri.decodestring(raw))
    if coding == "base64":
        try:
            return decode(base64.b64decode(re.sub(rb"\s", b"", raw)))
        except (binascii.Error, ValueError):
            return text
    return text
