"""Reads workbooks, and web pages that pose as such, in a child process with little memory and little time.

The file goes in and the rows come back through files without a name, which vanish however either process ends.
"""

import subprocess
import sys
import tempfile
from typing import IO

from crm.imports import limits
from crm.imports.records import FileUnreadable, Issue, Source
from crm.imports.spool import Spool
from crm.imports.workbook_child import EXIT_CODES


def read(data: bytes, kind: str, *, encoding: str = "", seconds: float = limits.CHILD_SECONDS) -> Source:
    """Return the workbook. ``kind`` names its container: zip, ole or html; ``encoding`` is for html.

    Raises FileUnreadable when the child says so, dies of its limits or takes longer than ``seconds`` on the clock.
    """
    spool = Spool(_spooled(data, [kind, encoding], seconds))
    about = spool.about
    tables = spool.tables()
    notes = [Issue("macro_workbook")] if about["macros"] else []
    if about["date_1904"]:
        notes.append(Issue("date_1904"))
    hidden = sum(len(table.hidden_rows) for table in tables)
    if hidden:
        notes.append(Issue("hidden_rows", {"count": hidden}))
    notes += [Issue(code, params) for code, params in about.get("notes", ())]
    return Source(about["format"], tables, about.get("encoding"), date_1904=about["date_1904"], notes=notes)


def _spooled(data: bytes, how: list[str], seconds: float) -> IO[bytes]:
    rows = tempfile.TemporaryFile()  # noqa: SIM115 - the spool closes it
    try:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            command = [sys.executable, "-m", "crm.imports.workbook_child", *how]
            done = subprocess.run(  # noqa: S603 - our own module
                command, stdin=file, stdout=rows, stderr=subprocess.DEVNULL, timeout=seconds, check=False
            )
        _refuse(done.returncode)
    except BaseException as error:
        rows.close()
        if isinstance(error, subprocess.TimeoutExpired):
            raise FileUnreadable("workbook_slow") from None
        raise
    return rows


def _refuse(exit_code: int) -> None:
    """Raise what the child's exit code says. Killed by a signal, it ran into one of its limits."""
    if exit_code < 0:
        raise FileUnreadable("workbook_too_heavy")
    if exit_code:
        code = EXIT_CODES.get(exit_code, "workbook_unreadable")
        limit = {"too_many_rows": limits.MAX_ROWS, "too_many_columns": limits.MAX_COLUMNS}.get(code)
        raise FileUnreadable(code, **({} if limit is None else {"limit": limit}))
