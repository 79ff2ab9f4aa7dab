from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from crm.core.clock import FrozenClock
from crm.core.context import Context
from crm.core.db import Database
from crm.delivery import service
from crm.delivery.models import Outbox
from crm.mail.smtp import SmtpPool
from tests.mailkit import Relay, running, smtp_settings
from tests.postroom import Post, World, build, met, posted

DUE = timedelta(minutes=11)
BOTH = pytest.mark.parametrize("db", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
"""For tests of what the two databases do differently: claiming, locking, recovering. The others run on SQLite."""


@pytest.fixture
def db(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_db")
    return found


@pytest.fixture
def relay() -> Iterator[Relay]:
    with running(Relay()) as found:
        yield found


@pytest.fixture
def house(context: Context, relay: Relay) -> Context:
    """The context of a house whose letters go to ``relay``."""
    context.settings = context.settings.model_copy(update={"smtp": smtp_settings(relay.port, timeout=2)})
    return context


class Desk:
    """Posts letters and sends what is due, as the tests need it."""

    def __init__(self, house: Context, clock: FrozenClock) -> None:
        self.house, self.clock = house, clock
        with house.db.writing() as session:
            self.world: World = build(session)

    def post(self, *names: str) -> list[Post]:
        with self.house.db.writing() as session:
            return [posted(session, self.house.settings, met(session, self.world, name)) for name in names]

    def pass_time(self, by: timedelta = DUE) -> None:
        self.clock.advance(by)

    async def send(self) -> int:
        async with SmtpPool(self.house.settings.smtp) as pool:
            return await service.send_due(self.house, pool)

    def rows(self) -> dict[str, Outbox]:
        with self.house.db.reading() as session:
            return {row.recipient: row for row in session.exec(select(Outbox).order_by(Outbox.id))}  # type: ignore[arg-type]

    def row(self) -> Outbox:
        [row] = self.rows().values()
        return row

    def change(self) -> "SessionOf":
        return SessionOf(self.house)


class SessionOf:
    """``with desk.change() as session``: one committed transaction."""

    def __init__(self, house: Context) -> None:
        self._manager = house.db.writing()

    def __enter__(self) -> Session:
        return self._manager.__enter__()

    def __exit__(self, *error: object) -> None:
        self._manager.__exit__(*error)  # type: ignore[arg-type]


@pytest.fixture
def desk(house: Context, clock: FrozenClock) -> Desk:
    return Desk(house, clock)
