"""Reads and cleans a long list in a process of its own, some thousand rows ahead of the one that stores them.

Half of the work of an import needs no database. A second process does it on another processor meanwhile; it is handed
the file, never the database, and is only a help: should it die, the rows it still owes are read here.
"""

import pickle
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import IO, Any

import orjson

from crm.contacts.rules import Identity
from crm.imports.cleaning import TableCleaner
from crm.imports.identities import identity, keys_of
from crm.imports.records import Cell, Issue, ReadRow

PORTION = 400
"""Of so many rows everybody who may be meant is fetched at once; each costs some 25 kB on its way."""
LEAST_ROWS = 3_000
"""A shorter list is read before a second process would have begun."""
_LENGTH = 8
"""Bytes in which the length of what follows is written."""


@dataclass(eq=False, slots=True)
class Prepared:
    """One line of a list with all that can be known of it without a database.

    ``told`` and ``keys`` are empty of a line that is not accepted. ``facts`` and ``raw`` are the row's as JSON; the row
    itself may come without its raw cells.
    """

    row: ReadRow
    told: Identity
    keys: dict[int, str]
    facts: str
    raw: str


_NOBODY = Identity()


def prepare(row: ReadRow, exhibition_id: int) -> Prepared:
    """Work out whom a line is about and how it is stored."""
    raw = orjson.dumps(row.raw).decode()
    if row.outcome != "accepted":
        return Prepared(row, _NOBODY, {}, "{}", raw)
    told = identity(row.facts, exhibition_id)
    return Prepared(row, told, keys_of(told), orjson.dumps(row.facts).decode(), raw)


def portions(cleaners: Sequence[TableCleaner], exhibition_id: int) -> Iterator[list[Prepared]]:
    """Yield every line of the tables in the order of the file, at most ``PORTION`` at a time."""
    for cleaner in cleaners:
        done: int | None = 0
        if cleaner.of.records >= LEAST_ROWS and cleaner.of.table.moved:
            done = yield from _by_helper(cleaner, exhibition_id)
        if done is not None:
            yield from _here(islice(cleaner.lines(), done, None), exhibition_id)


def _here(rows: Iterable[ReadRow], exhibition_id: int) -> Iterator[list[Prepared]]:
    remaining = iter(rows)
    while portion := [prepare(row, exhibition_id) for row in islice(remaining, PORTION)]:
        yield portion


# What this process does of it


def _by_helper(cleaner: TableCleaner, exhibition_id: int) -> Generator[list[Prepared], None, int | None]:
    """Yield what the helper reads and return None; when it ended too early, how many lines it has read."""
    assert cleaner.of.table.moved is not None
    done = 0
    file, read = cleaner.of.table.moved()
    with file, suppress(OSError), _helper(file) as helper:  # where no process can be begun, nothing is read by one
        try:
            _order(helper, (_packed(cleaner), read, exhibition_id))
            while parcel := _received(helper):
                portion = [_unpacked(one) for one in pickle.loads(parcel)]  # noqa: S301 - our own process, of our own rows
                done += len(portion)
                yield portion
            return done if parcel is None else None
        finally:
            helper.kill()
    return done


def _order(helper: "subprocess.Popen[bytes]", order: tuple[Any, ...]) -> None:
    assert helper.stdin
    with suppress(BrokenPipeError):
        pickle.dump(order, helper.stdin)
        helper.stdin.close()


def _helper(file: IO[bytes]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "crm.imports.ahead", str(file.fileno())]
    pipe = subprocess.PIPE
    return subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, pass_fds=[file.fileno()]
    )


def _packed(cleaner: TableCleaner) -> tuple[Any, ...]:
    """Return what makes the same cleaner over there, where its table is opened anew."""
    return (
        replace(cleaner.of, table=replace(cleaner.of.table, opened=_nothing, moved=None)),
        cleaner.home,
        cleaner.corrections,
        cleaner.left_out,
        cleaner.has_shape,
        cleaner.all_texts,
        cleaner.first_number,
    )


def _nothing() -> Iterator[list[Cell]]:
    return iter(())


def _received(helper: "subprocess.Popen[bytes]") -> bytes | None:
    """Return the next parcel, empty when that was all; None when it did not come whole."""
    assert helper.stdout
    told = helper.stdout.read(_LENGTH)
    length = int.from_bytes(told)
    parcel = helper.stdout.read(length)
    return parcel if len(told) == _LENGTH and len(parcel) == length else None


def _unpacked(one: tuple[Any, ...]) -> Prepared:
    number, sheet, outcome, code, row_facts, issues, told, keys, facts, raw = one
    row = ReadRow(number, sheet, outcome, code, row_facts, [Issue(*issue) for issue in issues])
    return Prepared(row, Identity(*told) if told else _NOBODY, keys, facts, raw)


# What the helper does of it


def main(descriptor: int) -> None:
    """Read the table whose file is open as ``descriptor`` as the cleaner on standard input says, to the last line."""
    with open(descriptor, "rb") as file:
        packed, read, exhibition_id = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that began this one
        survey, *how = packed
        survey.table.opened = partial(read, file)
        for portion in _here(TableCleaner(survey, *how).lines(), exhibition_id):
            parcel = pickle.dumps([_parcel(one) for one in portion], pickle.HIGHEST_PROTOCOL)
            sys.stdout.buffer.write(len(parcel).to_bytes(_LENGTH) + parcel)
            sys.stdout.buffer.flush()
        sys.stdout.buffer.write(bytes(_LENGTH))


def _parcel(one: Prepared) -> tuple[Any, ...]:
    row = one.row
    issues = [(issue.code, dict(issue.params)) for issue in row.issues]
    told = one.told.parts() if one.told is not _NOBODY else ()
    return row.number, row.sheet, row.outcome, row.code, row.facts, issues, told, one.keys, one.facts, one.raw


if __name__ == "__main__":
    main(int(sys.argv[1]))
