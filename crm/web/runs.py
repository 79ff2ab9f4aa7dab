"""Work that takes longer than a person waits for a page: it runs in a thread, and pages and events tell how far it is.

A run is known to this process only. That is enough: what it does is one transaction, so when the process ends half-way,
nothing has happened, and the page that was asked for offers to begin again.
"""

import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
import orjson
import structlog
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from crm.core.context import Context
from crm.core.errors import BadInput, CrmError, Problem
from crm.core.i18n import N_, _

log = structlog.get_logger()

LOOK_SECONDS = 0.2
"""How often the events look whether something has changed."""
PATIENCE = 40
"""How often a run asks for the lock of the database; each time it waits as long as the database is set to."""
PHASES = {
    "begun": N_("It is about to begin."),
    "reading": N_("The file is being read."),
    "waiting": N_("Something else is being stored just now. This waits for its turn."),
    "checking": N_("The rows are being compared with the known buyers."),
    "importing": N_("The rows are being stored."),
    "undoing": N_("The import is being taken back."),
}


@dataclass
class Run:
    """One piece of work. ``to`` is the page to go to when it has ended well; ``problems`` say why it has not."""

    address: str
    phase: str = "begun"
    done: int = 0
    total: int = 0
    ended: bool = False
    to: str = ""
    problems: list[Problem] = field(default_factory=list)
    thread: threading.Thread | None = None

    def tell(self, done: int, total: int) -> None:
        """Note how many rows of how many are done."""
        self.done, self.total = done, total

    @property
    def sentence(self) -> str:
        """Return what is going on."""
        return _(PHASES[self.phase])

    @contextmanager
    def writing(self, context: Context, phase: str) -> Iterator[Session]:
        """Give a writing session as soon as nobody else writes, and say so while it has to wait."""
        for turn in range(1, PATIENCE + 1):
            self.phase = "waiting"
            with context.db.writing() as session:
                try:
                    session.connection()  # takes the lock
                except OperationalError:
                    if turn == PATIENCE:
                        raise
                    continue
                self.phase = phase
                yield session
                return


Work = Callable[[Run], str]
"""Does the work and returns the page to go to."""


class Runs:
    """The runs of this process by the address of what they are about; of each only the last is remembered."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def of(self, address: str) -> Run | None:
        """Return the run about an address, also when it has ended."""
        return self._runs.get(address)

    def going_on(self, address: str) -> bool:
        """Tell whether a run about an address has not ended yet."""
        run = self.of(address)
        return run is not None and not run.ended

    def forget(self, address: str) -> None:
        """Forget a run that has ended."""
        with self._lock:
            if not self.going_on(address):
                self._runs.pop(address, None)

    def begin(self, address: str, work: Work) -> Run:
        """Begin a run, unless one about the same address is going on; then that one is returned."""
        with self._lock:
            going = self._runs.get(address)
            if going and not going.ended:
                return going
            run = self._runs[address] = Run(address)
        spoken = contextvars.copy_context()  # the language of who asked
        run.thread = threading.Thread(target=spoken.run, args=(_work, run, work), daemon=True, name=f"run {address}")
        run.thread.start()
        return run

    async def events(self, address: str, otherwise: str) -> AsyncIterator[bytes]:
        """Yield server-sent events until the run has ended: ``progress``, then ``finished`` with the page to go to."""
        last = b""
        while (run := self.of(address)) and not run.ended:
            event = _event("progress", {"sentence": run.sentence, "done": run.done, "total": run.total})
            if event != last:
                yield (last := event)
            await anyio.sleep(LOOK_SECONDS)
        yield _event("finished", {"to": run.to if run and run.to else otherwise})


def _event(name: str, data: dict[str, object]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))


def _work(run: Run, work: Work) -> None:
    try:
        run.to = work(run)
    except BadInput as error:
        run.problems = list(error.problems)
    except CrmError as error:
        run.problems = [Problem(error.message)]
    except OperationalError:
        log.exception("run_failed", address=run.address)
        run.problems = [Problem(_("The database is busy with something else. Nothing was stored; try again later."))]
    except Exception:
        log.exception("run_failed", address=run.address)
        run.problems = [Problem(_("Something went wrong here. Nothing was stored."))]
    finally:
        run.ended = True
