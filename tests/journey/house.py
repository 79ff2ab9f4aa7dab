"""The running demo, for tests that look at it from outside: its address, its mailboxes, its database."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from crm.core.config import Settings, load
from crm.core.db import Database
from crm.demo.mailserver import Rack
from crm.demo.world import PASSWORD

ADVISOR = "haeuk.jung@ieum.example"
CHINESE_ADVISOR = "miran.song@ieum.example"
STAFF = "staff@ieum.example"
SME = "seolak@ieum.example"
OTHER_SME = "gaon@ieum.example"
__all__ = ["ADVISOR", "CHINESE_ADVISOR", "OTHER_SME", "PASSWORD", "SME", "STAFF", "House", "running_demo"]


@dataclass(frozen=True)
class House:
    """A demo that runs in a process of its own."""

    url: str
    folder: Path

    @property
    def rack(self) -> Rack:
        return Rack(self.folder / "mail", "ieum.example")

    def letters_to(self, address: str) -> list[EmailMessage]:
        """Return what lies in a buyer's mailbox, parsed by the standard library."""
        found = []
        for mail in self.rack.mails(address):
            message = message_from_bytes(mail.read(), policy=policy.default)
            assert isinstance(message, EmailMessage)
            found.append(message)
        return found

    def settings(self) -> Settings:
        return load(self.folder / "config.toml", {"IEUM_WEB__SECRET_FILE": str(self.folder / "secret")})

    def database(self) -> Database:
        return Database(f"sqlite:///{self.folder / 'ieum.sqlite3'}")


@contextmanager
def running_demo(folder: Path) -> Iterator[House]:
    """Start ``crm demo`` and wait until it has printed its address."""
    command = [sys.executable, "-c", "from crm.cli import main; main()", "demo", "--folder", str(folder), "--port", "0"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("IEUM_")}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ)
    printed: list[str] = []
    try:
        assert process.stderr is not None
        for line in process.stderr:
            printed.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                yield House(found[0], folder)
                return
        raise AssertionError("the demo did not start:\n" + "".join(printed))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
