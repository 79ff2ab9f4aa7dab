"""Maildirs on disk, with the UIDs that IMAP needs beside them.

A mail is written under ``tmp`` and renamed into ``new``, so that a reader never sees half of one (Maildir, D. J.
Bernstein). The file ``uids`` maps file names to UIDs; it belongs to the process that serves the folder over IMAP.
"""

import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

_counter = itertools.count(1)


@dataclass(frozen=True)
class Stored:
    """One mail of a folder. ``key`` is its file name without flags; ``flags`` are Maildir letters, S for seen."""

    key: str
    path: Path
    flags: str

    def read(self) -> bytes:
        return self.path.read_bytes()


class Maildir:
    """One folder of mail."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for part in ("tmp", "new", "cur"):
            (path / part).mkdir(parents=True, exist_ok=True)

    def add(self, raw: bytes) -> str:
        """Store a mail and return its key. Keys sort in order of arrival."""
        key = f"{time.time_ns():020d}.P{os.getpid()}Q{next(_counter)}.demo"
        waiting = self.path / "tmp" / key
        waiting.write_bytes(raw)
        waiting.rename(self.path / "new" / key)
        return key

    def mails(self) -> list[Stored]:
        """Return the mails in order of arrival."""
        return sorted(self._found(), key=lambda mail: mail.key)

    def get(self, key: str) -> Stored | None:
        """Return the mail with this key, wherever its flags have moved it."""
        return next((mail for mail in self._found() if mail.key == key), None)

    def set_flags(self, mail: Stored, flags: str) -> None:
        """Store the flags of a mail, which moves it from ``new`` to ``cur``."""
        letters = "".join(sorted(set(flags)))
        mail.path.rename(self.path / "cur" / f"{mail.key}:2,{letters}")

    def _found(self) -> Iterator[Stored]:
        for part in ("new", "cur"):
            for path in (self.path / part).iterdir():
                key, _colon, info = path.name.partition(":2,")
                yield Stored(key, path, info)


class Uids:
    """Numbers for the mails of a Maildir: they grow, and stay the same over restarts (RFC 3501 section 2.3.1.1)."""

    def __init__(self, box: Maildir) -> None:
        self.box = box
        self._file = box.path / "uids"
        self.validity, self.next = int(time.time()), 1
        self._by_key: dict[str, int] = {}
        if self._file.exists():
            self._read()
        else:
            self._file.write_text(f"{self.validity}\n", "utf-8")

    def _read(self) -> None:
        first, *lines = self._file.read_text("utf-8").splitlines()
        self.validity = int(first)
        for line in lines:
            number, _space, key = line.partition(" ")
            self._by_key[key] = int(number)
        self.next = max(self._by_key.values(), default=0) + 1

    def mails(self) -> dict[int, Stored]:
        """Return the mails by UID, in ascending order, numbering those that are new."""
        found = self.box.mails()
        fresh = [mail for mail in found if mail.key not in self._by_key]
        if fresh:
            with self._file.open("a", encoding="utf-8") as file:
                for mail in fresh:
                    self._by_key[mail.key] = self.next
                    file.write(f"{self.next} {mail.key}\n")
                    self.next += 1
        return dict(sorted((self._by_key[mail.key], mail) for mail in found))


def folder_of(mail_dir: Path, address: str) -> Path:
    """Return the folder of a buyer's address; no address can lead out of ``mail_dir``."""
    return mail_dir / "boxes" / quote(address.lower(), safe="@+-_").replace(".", "%2E", address.startswith("."))


def addresses(mail_dir: Path) -> list[str]:
    """Return the addresses of all buyers' mailboxes, sorted."""
    boxes = mail_dir / "boxes"
    return sorted(unquote(path.name) for path in boxes.iterdir()) if boxes.is_dir() else []
