"""Asks SpamAssassin, where it is installed, what it thinks of our letters: by local rules, nothing leaves the house."""

import email
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from crm.core.errors import Refused
from crm.core.i18n import _

LIMIT = 1.0
"""Letters are refused from five points on as a rule; ours stay far below."""
_STATUS = re.compile(r"score=(-?\d+(?:\.\d+)?)\s.*?tests=(.*?)(?:\s+\w+=|$)")
_NUMBER = "X-Letter-Number"
_SEPARATOR = b"From ieum@ieum.example Wed Apr 15 01:00:00 2026\n"
_BEGIN = re.compile(rb"(?m)^From ieum@ieum\.example .*\n")


@dataclass(frozen=True)
class Score:
    """What SpamAssassin says of one mail: its points and the rules that gave or took some."""

    points: float
    rules: tuple[str, ...]


def program() -> str | None:
    """Return where SpamAssassin is installed, None if it is not."""
    return shutil.which("spamassassin")


def scores(mails: Sequence[bytes], *, seconds: int = 600) -> list[Score]:
    """Return the score of each mail in order. Raises Refused when the program is missing or does not answer."""
    path = program()
    if path is None:
        raise Refused(_("SpamAssassin is not installed."))
    with tempfile.TemporaryDirectory() as folder:
        box = Path(folder) / "letters.mbox"
        box.write_bytes(b"\n".join(_numbered(number, mail) for number, mail in enumerate(mails)))
        try:
            done = subprocess.run(  # noqa: S603 - no shell; the arguments are ours
                [path, "--local", "--nocreate-prefs", "--mbox", str(box)],
                capture_output=True, timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Refused(_("SpamAssassin did not answer within {seconds} seconds.", seconds=seconds)) from None
    answers = [email.message_from_bytes(part) for part in re.split(_BEGIN, done.stdout)[1:]]
    found = {str(answer.get(_NUMBER)): _score(answer) for answer in answers}
    if found.keys() != set(map(str, range(len(mails)))):
        told = done.stderr.decode(errors="replace").strip().splitlines()
        raise Refused(_("SpamAssassin did not answer: {reason}", reason=told[-1] if told else done.returncode))
    return [found[str(number)] for number in range(len(mails))]


def _numbered(number: int, mail: bytes) -> bytes:
    """Return a mail of the box; the number finds it again, for the answers come in an order of their own."""
    quoted = re.sub(rb"(?m)^(>*From )", rb">\1", mail.replace(b"\r\n", b"\n"))
    return _SEPARATOR + f"{_NUMBER}: {number}\n".encode() + quoted


def _score(answer: Message) -> Score:
    status = " ".join(str(answer.get("X-Spam-Status", "")).split())
    found = _STATUS.search(status)
    if not found:
        raise Refused(_("SpamAssassin did not answer: {reason}", reason=status or _("no score")))
    rules = tuple(rule for rule in re.split(r"[,\s]+", found[2]) if rule and rule != "none")
    return Score(float(found[1]), rules)
