"""What the commands share: opening the house, printing rows, asking who acts."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from crm.core.errors import BadInput
from crm.core.i18n import _

if TYPE_CHECKING:
    from sqlmodel import Session

    from crm.accounts.models import User
    from crm.core.config import Settings
    from crm.core.context import Context

DEFAULT_CONFIG = Path("config.toml")
messages = Console(stderr=True, highlight=False)


@dataclass
class Options:
    """The options that stand before the command."""

    config: Path | None = None
    opened: "list[Context]" = field(default_factory=list)


options = Options()


def load_settings() -> "Settings":
    """Read the configuration named by --config or IEUM_CONFIG, else ./config.toml where there is one."""
    from crm.core.config import load

    named = options.config or (Path(os.environ["IEUM_CONFIG"]) if os.environ.get("IEUM_CONFIG") else None)
    return load(named or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None))


def open_house(*, must_exist: bool = True) -> "Context":
    """Return settings, database and clock; refuse a database of another version with the command that mends it."""
    from crm import migrations, tables  # noqa: F401 - all tables must be known before the first query
    from crm.core import logs
    from crm.core.context import open_context

    logs.configure()
    context = open_context(load_settings())
    options.opened.append(context)
    if must_exist and migrations.current(context.db) != migrations.newest():
        raise BadInput(_("The database is not set up for this version. Run: crm init"))
    return context


def acting(session: "Session", email: str) -> "User":
    """Return the person in whose name a command acts."""
    from sqlmodel import select

    from crm.accounts.models import User

    user = session.exec(select(User).where(User.email == email.strip().lower())).first()
    if user is None or not user.active:
        raise BadInput(_("There is no active user {email}. See: crm users list", email=email))
    return user


def operator() -> str:
    """Return the name that the event log shows for what was done on the command line without --by."""
    return f"cli:{os.environ.get('USER') or os.environ.get('LOGNAME') or 'unknown'}"


def emit(rows: Iterable[dict[str, Any]], columns: Sequence[tuple[str, str]], *, as_json: bool) -> None:
    """Print rows as one JSON object a line, or as a table of ``(key, heading)`` columns."""
    if as_json:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for _key, heading in columns:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(key)) for key, _heading in columns))
    Console(highlight=False).print(table)


def _cell(value: Any) -> str:
    from rich.markup import escape

    if value is None:
        return ""
    return escape(", ".join(map(str, value)) if isinstance(value, list | tuple | set) else str(value))


def say(message: str) -> None:
    """Tell the person something on stderr, so that stdout stays data."""
    messages.print(message, markup=False, soft_wrap=True)


def progress() -> Progress:
    """Return a progress display on stderr that is silent where there is no terminal."""
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=messages, transient=True
    )


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr (of a terminal) and give the function that tells it how many of how many are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
