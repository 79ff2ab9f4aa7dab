from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from crm.core.clock import FrozenClock
from crm.core.context import Context
from crm.core.db import Database
from crm.delivery import service as delivery
from crm.demo.buyer import Answer, Kind, answer_as_buyer, hand_in
from crm.demo.mailserver import DemoMailServer, Ports
from crm.exporters.models import Exporter
from crm.inbox import service
from crm.inbox.models import InboxMessage
from crm.mail.smtp import SmtpPool
from tests.mailkit import imap_settings, smtp_settings
from tests.postroom import World, build, campaign_letter, in_outbox, met, posted

BOTH = pytest.mark.parametrize("db", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)


@pytest.fixture
def db(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_db")
    return found


class Office:
    """A house with a real mail server, and the buyers at the other end of it."""

    def __init__(self, context: Context, clock: FrozenClock, server: DemoMailServer, ports: Ports) -> None:
        self.context, self.clock, self.server, self.ports = context, clock, server, ports
        with context.db.writing() as session:
            self.world: World = build(session)
            # The exporters write under our own domain, so that the engine reads what buyers answer.
            for exporter in session.exec(select(Exporter)):
                exporter.sender_email = f"{exporter.code.lower()}@ieum.example"

    async def write_to(self, name: str, *, campaign: bool = False) -> int:
        """Send a letter to a new buyer of this name and return the lead's id."""
        with self.context.db.writing() as session:
            lead = met(session, self.world, name)
            if campaign:
                draft = campaign_letter(session, self.context.settings, self.world, lead)
                post = in_outbox(session, self.context.settings, draft)
                self.clock.set(post.approval.send_at)
            else:
                posted(session, self.context.settings, lead, now=self.clock.now())
                self.clock.advance(timedelta(minutes=11))
        await self.send()
        assert lead.id is not None
        return lead.id

    async def send(self) -> None:
        async with SmtpPool(self.context.settings.smtp) as pool:
            await delivery.send_due(self.context, pool)

    def received(self, name: str) -> bytes:
        """The newest letter in a buyer's mailbox."""
        return self.server.rack.mails(f"{name.lower()}@buyer.example")[-1].read()

    def answer(self, name: str, kind: Kind, text: str = "") -> None:
        made = answer_as_buyer(self.received(name), kind, now=self.clock.now(), text=text)
        hand_in(made, host="127.0.0.1", port=self.ports.smtp)

    def hand_in(self, raw: bytes, recipient: str = "valve@ieum.example") -> None:
        hand_in(Answer("someone@buyer.example", recipient, raw), host="127.0.0.1", port=self.ports.smtp)

    def read(self) -> int:
        return service.read_mailbox(self.context)

    def messages(self) -> list[InboxMessage]:
        with self.context.db.reading() as session:
            return list(session.exec(select(InboxMessage).order_by(InboxMessage.id)))  # type: ignore[arg-type]

    def message(self) -> InboxMessage:
        [found] = self.messages()
        return found


@pytest.fixture
def office(context: Context, clock: FrozenClock, tmp_path: Path) -> Iterator[Office]:
    server = DemoMailServer(tmp_path / "mail", "ieum.example")
    ports = server.start()
    context.settings = context.settings.model_copy(
        update={"smtp": smtp_settings(ports.smtp), "imap": imap_settings(ports)}
    )
    yield Office(context, clock, server, ports)
    server.stop()
