"""A small IMAP4rev1 server over Maildirs (RFC 3501, RFC 2177 IDLE), for the demo and for tests.

It serves one folder, INBOX, to each user: reading by UID or number, searching by UID and the common flags, storing
flags, waiting with IDLE. No folders can be made, no mail can be added or deleted over it.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import format_datetime

from crm.demo.maildir import Stored, Uids

IDLE_LOOK = 0.2  # seconds between two looks into the folder while a client waits
MAX_LINE = 65536
CAPABILITIES = b"IMAP4rev1 IDLE UIDPLUS"
_FLAGS = {"S": b"\\Seen", "R": b"\\Answered", "F": b"\\Flagged", "T": b"\\Deleted", "D": b"\\Draft"}
_TOKENS = re.compile(rb'"((?:[^"\\]|\\.)*)"|([^\s"]+)')

Login = Callable[[str, str], Uids | None]


class Session:
    """One client from greeting to good-bye."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, login: Login) -> None:
        self.reader, self.writer, self._login = reader, writer, login
        self.uids: Uids | None = None
        self.selected = False
        self.read_only = False
        self.mails: dict[int, Stored] = {}

    async def run(self) -> None:
        """Answer commands until the client leaves."""
        self._say(b"* OK [CAPABILITY " + CAPABILITIES + b"] Ieum demo mailbox")
        while not self.reader.at_eof():
            await self.writer.drain()
            line = await self._command()
            tag, _space, rest = line.strip().partition(b" ")
            if not tag:
                return
            name, _space, arguments = rest.partition(b" ")
            if name.upper() == b"LOGOUT":
                self._say(b"* BYE see you", tag + b" OK LOGOUT")
                return
            await self._answer(tag, name.upper().decode("ascii", "replace"), arguments)

    async def _command(self) -> bytes:
        """Read one command with its literals, which are put back as quoted strings."""
        line = await self.reader.readline()
        while found := re.search(rb"\{(\d{1,5})(\+?)\}\r?\n$", line):
            if not found[2]:
                self._say(b"+ go on")
                await self.writer.drain()
            literal = await self.reader.readexactly(int(found[1]))
            quoted = b'"' + literal.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
            line = line[: found.start()] + quoted + await self.reader.readline()
        return line

    async def _answer(self, tag: bytes, name: str, arguments: bytes) -> None:
        if name == "UID":
            name, arguments = f"UID {arguments.partition(b' ')[0].upper().decode()}", arguments.partition(b" ")[2]
        method = getattr(self, "do_" + name.lower().replace(" ", "_"), None) if name in _COMMANDS else None
        if method is None:
            self._say(tag + b" BAD unknown command")
        elif name in _NEEDS_LOGIN and self.uids is None:
            self._say(tag + b" NO sign in first")
        elif name in _NEEDS_FOLDER and not self.selected:
            self._say(tag + b" BAD select a folder first")
        else:
            try:
                text = await method(arguments)
            except (ValueError, IndexError):
                text = b"BAD cannot read this command"
            self._say(tag + b" " + text)

    async def do_capability(self, _arguments: bytes) -> bytes:
        self._say(b"* CAPABILITY " + CAPABILITIES)
        return b"OK CAPABILITY"

    async def do_login(self, arguments: bytes) -> bytes:
        user, password = _words(arguments)
        self.uids = self._login(user.decode(), password.decode())
        return b"OK LOGIN" if self.uids else b"NO [AUTHENTICATIONFAILED] wrong user or password"

    async def do_list(self, _arguments: bytes) -> bytes:
        self._say(b'* LIST () "/" INBOX')
        return b"OK LIST"

    async def do_select(self, arguments: bytes) -> bytes:
        return self._open(arguments, read_only=False)

    async def do_examine(self, arguments: bytes) -> bytes:
        return self._open(arguments, read_only=True)

    async def do_status(self, arguments: bytes) -> bytes:
        if _words(arguments)[0].upper() != b"INBOX" or self.uids is None:
            return b"NO no such folder"
        mails = self.uids.mails()
        figures = {
            b"MESSAGES": len(mails),
            b"RECENT": 0,
            b"UIDNEXT": self.uids.next,
            b"UIDVALIDITY": self.uids.validity,
            b"UNSEEN": sum("S" not in mail.flags for mail in mails.values()),
        }
        asked = [word for word in figures if word in arguments.upper()]
        self._say(b"* STATUS INBOX (%s)" % b" ".join(b"%s %d" % (word, figures[word]) for word in asked))
        return b"OK STATUS"

    def _open(self, arguments: bytes, *, read_only: bool) -> bytes:
        self.selected = bool(self.uids) and _words(arguments)[0].upper() == b"INBOX"
        if not self.selected or self.uids is None:
            return b"NO no such folder"
        self.read_only = read_only
        self.mails = self.uids.mails()
        flags = b" ".join(_FLAGS.values())
        self._say(
            b"* FLAGS (%s)" % flags,
            b"* %d EXISTS" % len(self.mails),
            b"* 0 RECENT",
            b"* OK [PERMANENTFLAGS (%s)] flags" % (b"" if read_only else flags),
            b"* OK [UIDVALIDITY %d] valid" % self.uids.validity,
            b"* OK [UIDNEXT %d] next" % self.uids.next,
        )
        return b"OK [READ-ONLY] EXAMINE" if read_only else b"OK [READ-WRITE] SELECT"

    async def do_noop(self, _arguments: bytes) -> bytes:
        self._look()
        return b"OK NOOP"

    do_check = do_noop

    async def do_close(self, _arguments: bytes) -> bytes:
        self.selected, self.mails = False, {}
        return b"OK CLOSE"

    do_unselect = do_close

    async def do_idle(self, _arguments: bytes) -> bytes:
        self._say(b"+ idling")
        done = asyncio.ensure_future(self.reader.readline())
        while not done.done():
            self._look()
            await self.writer.drain()
            await asyncio.wait([done], timeout=IDLE_LOOK)
        return b"OK IDLE" if done.result().strip().upper() == b"DONE" else b"BAD expected DONE"

    async def do_search(self, arguments: bytes) -> bytes:
        return self._search(arguments, by_uid=False)

    async def do_uid_search(self, arguments: bytes) -> bytes:
        return self._search(arguments, by_uid=True)

    def _search(self, arguments: bytes, *, by_uid: bool) -> bytes:
        self._look()
        words = [word.upper() for word in _words(arguments)]
        if words[:1] == [b"CHARSET"]:
            words = words[2:]
        numbers = {uid: number for number, uid in enumerate(self.mails, 1)}
        chosen = set(self.mails)
        while words:
            chosen &= self._matching(words, numbers)
        shown = sorted(chosen) if by_uid else sorted(numbers[uid] for uid in chosen)
        self._say(b" ".join([b"* SEARCH", *(b"%d" % number for number in shown)]))
        return b"OK SEARCH"

    def _matching(self, words: list[bytes], numbers: dict[int, int]) -> set[int]:
        """Take one criterion off ``words`` and return the UIDs it allows."""
        key = words.pop(0)
        if key == b"ALL":
            return set(self.mails)
        if key in _SEARCH_FLAGS:
            letter, wanted = _SEARCH_FLAGS[key]
            return {uid for uid, mail in self.mails.items() if (letter in mail.flags) == wanted}
        if key == b"UID":
            return set(_chosen(words.pop(0), self.mails))
        wanted_numbers = set(_chosen(key, numbers.values()))
        return {uid for uid, number in numbers.items() if number in wanted_numbers}

    async def do_fetch(self, arguments: bytes) -> bytes:
        return self._fetch(arguments, by_uid=False)

    async def do_uid_fetch(self, arguments: bytes) -> bytes:
        return self._fetch(arguments, by_uid=True)

    def _fetch(self, arguments: bytes, *, by_uid: bool) -> bytes:
        which, _space, items = arguments.partition(b" ")
        items = items.upper()
        for number, uid in self._named(which, by_uid=by_uid):
            mail = self._fresh(uid)
            if mail is not None:
                self._show(number, uid, mail, items, by_uid=by_uid)
        return b"OK FETCH"

    def _show(self, number: int, uid: int, mail: Stored, items: bytes, *, by_uid: bool) -> None:
        raw = mail.read()
        head = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        peeking = b"BODY.PEEK" in items or self.read_only
        parts = []
        if b"BODY[HEADER]" in items.replace(b".PEEK", b"") or b"RFC822.HEADER" in items:
            parts.append(b"BODY[HEADER] " + _literal(head))
        if b"BODY[]" in items.replace(b".PEEK", b""):
            parts.append(b"BODY[] " + _literal(raw))
        if re.search(rb"RFC822(?![.\w])", items):
            parts.append(b"RFC822 " + _literal(raw))
        if parts and not peeking and "S" not in mail.flags:
            mail = self._flagged(uid, mail, mail.flags + "S")
        if b"FLAGS" in items or (parts and not peeking):
            parts.append(b"FLAGS (" + _flag_names(mail.flags) + b")")
        if b"UID" in items or by_uid:
            parts.append(b"UID %d" % uid)
        if b"RFC822.SIZE" in items:
            parts.append(b"RFC822.SIZE %d" % len(raw))
        if b"INTERNALDATE" in items:
            parts.append(b'INTERNALDATE "' + _internal_date(mail) + b'"')
        self._say(b"* %d FETCH (%s)" % (number, b" ".join(parts)))

    async def do_store(self, arguments: bytes) -> bytes:
        return self._store(arguments, by_uid=False)

    async def do_uid_store(self, arguments: bytes) -> bytes:
        return self._store(arguments, by_uid=True)

    def _store(self, arguments: bytes, *, by_uid: bool) -> bytes:
        if self.read_only:
            return b"NO the folder is open for reading"
        which, action, names = arguments.split(b" ", 2)
        letters = {letter for letter, name in _FLAGS.items() if name.lower() in names.lower()}
        for number, uid in self._named(which, by_uid=by_uid):
            mail = self._fresh(uid)
            if mail is None:
                continue
            old = set(mail.flags)
            new = old | letters if action.startswith(b"+") else old - letters if action.startswith(b"-") else letters
            mail = self._flagged(uid, mail, "".join(new))
            if not action.upper().endswith(b".SILENT"):
                self._say(b"* %d FETCH (FLAGS (%s) UID %d)" % (number, _flag_names(mail.flags), uid))
        return b"OK STORE"

    def _flagged(self, uid: int, mail: Stored, flags: str) -> Stored:
        if self.uids is None:
            raise ValueError("no folder")
        self.uids.box.set_flags(mail, flags)
        self.mails = self.uids.mails() if uid not in self.mails else self.mails
        fresh = self.uids.box.get(mail.key)
        if fresh is None:
            raise ValueError("the mail is gone")
        self.mails[uid] = fresh
        return fresh

    def _fresh(self, uid: int) -> Stored | None:
        mail = self.mails[uid]
        return mail if mail.path.exists() else self.uids.box.get(mail.key) if self.uids else None

    def _named(self, which: bytes, *, by_uid: bool) -> list[tuple[int, int]]:
        """Return (number, UID) of the mails a sequence set names."""
        numbered = list(enumerate(self.mails, 1))
        wanted = set(_chosen(which, self.mails if by_uid else [number for number, _uid in numbered]))
        return [pair for pair in numbered if pair[1 if by_uid else 0] in wanted]

    def _look(self) -> None:
        """Tell the client of mails that came in. Numbers never shrink within a session: nothing is expunged."""
        if self.uids is None or not self.selected:
            return
        before = len(self.mails)
        self.mails = self.uids.mails()
        if len(self.mails) > before:
            self._say(b"* %d EXISTS" % len(self.mails))

    def _say(self, *lines: bytes) -> None:
        self.writer.write(b"".join(line + b"\r\n" for line in lines))


_NEEDS_FOLDER = {
    *("CLOSE", "UNSELECT", "CHECK", "IDLE", "SEARCH", "FETCH", "STORE", "UID SEARCH", "UID FETCH", "UID STORE"),
}
_NEEDS_LOGIN = {*_NEEDS_FOLDER, "LIST", "SELECT", "EXAMINE", "STATUS"}
_COMMANDS = {*_NEEDS_LOGIN, "CAPABILITY", "LOGIN", "NOOP"}
_SEARCH_FLAGS = {
    b"SEEN": ("S", True),
    b"UNSEEN": ("S", False),
    b"ANSWERED": ("R", True),
    b"UNANSWERED": ("R", False),
    b"FLAGGED": ("F", True),
    b"UNFLAGGED": ("F", False),
    b"DELETED": ("T", True),
    b"UNDELETED": ("T", False),
}


def _words(arguments: bytes) -> list[bytes]:
    """Split arguments at spaces, with quoted strings unquoted."""
    return [re.sub(rb"\\(.)", rb"\1", quoted) or atom for quoted, atom in _TOKENS.findall(arguments)]


def _chosen(sequence_set: bytes, known: Iterable[int]) -> list[int]:
    """Return the known numbers in a set such as ``2,4:7,9:*``; ``n:*`` always names the last (RFC 3501 section 9)."""
    numbers = list(known)
    last = max(numbers, default=0)
    chosen = []
    for piece in sequence_set.split(b","):
        ends = [last if end == b"*" else int(end) for end in piece.split(b":")]
        low, high = min(ends), max(ends)
        chosen += [number for number in numbers if low <= number <= high]
    return chosen


def _literal(raw: bytes) -> bytes:
    return b"{%d}\r\n%s" % (len(raw), raw)


def _flag_names(letters: str) -> bytes:
    return b" ".join(_FLAGS[letter] for letter in letters if letter in _FLAGS)


def _internal_date(mail: Stored) -> bytes:
    moment = datetime.fromtimestamp(mail.path.stat().st_mtime, UTC)
    return format_datetime(moment)[5:].replace(" ", "-", 2).encode()
