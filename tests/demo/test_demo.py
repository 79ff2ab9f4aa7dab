"""The demo is the whole house on this machine: lived-in, movable in time, and unable to mail anybody real."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session, col, func, select

from crm.accounts import service as accounts
from crm.accounts.models import Role, User, WebSession
from crm.campaigns.models import Step
from crm.contacts.models import Contact, EmailAddress
from crm.core.clock import FrozenClock
from crm.core.config import LOOPBACK, Settings
from crm.core.context import Context, InstanceClock, open_context
from crm.core.db import Database
from crm.core.errors import BadInput
from crm.core.models import Instance
from crm.demo import clock, pages, run
from crm.demo.mailserver import DemoMailServer, Ports
from crm.web.app import create_app
from tests.conftest import NOW


@pytest.fixture
def made(demo_db: Database, settings: Settings) -> Context:
    """The demo's database, made on a Monday in November."""
    return Context(settings, demo_db, FrozenClock(NOW))


def test_it_has_visitors_from_many_countries_and_three_roles(made: Context) -> None:
    with made.db.reading() as session:
        people = session.exec(select(func.count()).select_from(Contact)).one()
        countries = set(session.exec(select(Contact.country)))
        roles = set(session.exec(select(User.role)))
        languages = {language for user in session.exec(select(User)) for language in user.languages}
    assert people > 150
    assert len(countries - {None}) >= 15
    assert roles == {role.value for role in Role}
    assert {"en", "es", "ja", "zh-Hans", "zh-Hant"} <= languages


def test_all_its_addresses_end_where_no_mail_can_go(made: Context) -> None:
    with made.db.reading() as session:
        found = session.exec(select(EmailAddress.address)).all()
    assert [address for address in found if not address.endswith((".example", ".test", "example.com"))] == []


def test_its_settings_name_this_machine_only(tmp_path: Path) -> None:
    settings = run.prepare(tmp_path, Ports(2525, 1143), 8000)
    assert settings.demo.enabled
    assert {settings.smtp.host, settings.imap.host} <= set(LOOPBACK)
    assert (settings.smtp.port, settings.imap.port) == (2525, 1143)


def test_its_secret_is_kept_for_its_owner_and_used_again(tmp_path: Path) -> None:
    first = run.prepare(tmp_path, Ports(1, 2), 8000).web.secret
    assert run.prepare(tmp_path, Ports(3, 4), 8000).web.secret == first
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


def test_reset_removes_no_folder_that_is_not_a_demo(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work", encoding="utf-8")
    with pytest.raises(BadInput):
        run.main(tmp_path, port=0, reset=True, say=print)
    assert (tmp_path / "thesis.docx").exists()


def test_the_next_due_moment_is_when_the_first_letter_is_to_be_drafted(made: Context) -> None:
    with made.db.reading() as session:
        due = session.exec(select(Step.due_at).where(Step.status == "waiting").order_by(col(Step.due_at))).all()
        ahead = timedelta(hours=made.settings.campaigns.draft_ahead_hours)
        later = [at - ahead for at in due if at - ahead > NOW]
        found = clock.next_due(session, made.settings, NOW)
    assert found is not None
    assert found <= min(later) + clock.A_LITTLE


def test_nothing_is_due_where_nothing_waits(session: Session, settings: Settings) -> None:
    assert clock.next_due(session, settings, NOW) is None


def test_the_clock_only_goes_forward(session: Session) -> None:
    with pytest.raises(ValueError, match="forward"):
        clock.move(session, timedelta(0))


def test_who_is_signed_in_stays_so_when_the_clock_moves(session: Session) -> None:
    user = accounts.add_user(
        session, email="a@ieum.example", name="A", role="staff", password="long-enough-pass", now=NOW, by="t"
    )
    accounts.start_session(session, user, now=NOW, hours=12)
    clock.move(session, timedelta(days=30))
    assert session.exec(select(WebSession.expires_at)).one() == NOW + timedelta(days=30, hours=12)
    assert session.get_one(Instance, 1).clock_offset == 30 * 86400


@pytest.fixture
def site(demo_db: Database, tmp_path: Path) -> Iterator[tuple[TestClient, DemoMailServer, Context]]:
    """The demo's pages over its own mail server."""
    server = DemoMailServer(tmp_path / "mail", run.DOMAIN)
    ports = server.start()
    context = open_context(run.prepare(tmp_path, ports, 8000))
    demo = pages.Demo(context, server.rack, ports.smtp)
    app = create_app(context, routers=[pages.router(demo)], templates=[pages.TEMPLATES], banner=pages.banner(demo))
    with TestClient(
        app, base_url="http://127.0.0.1:8000", headers={"accept-language": "ko", "sec-fetch-site": "same-origin"}
    ) as client:
        yield client, server, context
    context.db.close()
    server.stop()


def test_a_button_moves_the_clock_and_lets_the_worker_do_what_is_due(
    site: tuple[TestClient, DemoMailServer, Context],
) -> None:
    client, _server, context = site
    before = InstanceClock(context.db).now()
    answer = client.post("/demo/clock", data={"step": "day", "to": "/login"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert InstanceClock(context.db).now() - before >= timedelta(days=1)


def test_the_clock_leads_back_to_no_other_site(site: tuple[TestClient, DemoMailServer, Context]) -> None:
    answer = site[0].post("/demo/clock", data={"step": "hour", "to": "//evil.example/"}, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_a_letter_is_shown_as_its_owner_sees_it_and_can_be_answered(
    site: tuple[TestClient, DemoMailServer, Context],
) -> None:
    client, server, _context = site
    raw = (
        b"From: Gaon <seoyeon.kim@ieum.example>\r\nTo: lucia@azahar.example\r\nSubject: Hola\r\n"
        b"Message-ID: <1@ieum.example>\r\nContent-Language: es\r\nContent-Type: text/plain\r\n\r\nBuenos\r\n"
    )
    server.rack.deliver("seoyeon.kim@ieum.example", "lucia@azahar.example", raw)
    assert "lucia@azahar.example" in client.get("/demo/mail").text
    page = client.get("/demo/mail/lucia@azahar.example")
    assert "Hola" in page.text
    key = server.rack.mails("lucia@azahar.example")[0].key
    client.post(f"/demo/mail/lucia@azahar.example/{key}", data={"kind": "reply", "text": "Sí"}, follow_redirects=False)
    assert len(server.rack.mails("inbox")) == 1


def test_an_unknown_mailbox_is_not_found(site: tuple[TestClient, DemoMailServer, Context]) -> None:
    assert site[0].get("/demo/mail/nobody@nowhere.example").status_code == 404


def test_the_html_part_is_shown_without_any_power(site: tuple[TestClient, DemoMailServer, Context]) -> None:
    client, server, _context = site
    raw = b"From: a@ieum.example\r\nSubject: x\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>\r\n"
    server.rack.deliver("a@ieum.example", "b@buyer.example", raw)
    key = server.rack.mails("b@buyer.example")[0].key
    policy = client.get(f"/demo/mail/b@buyer.example/{key}/html").headers["content-security-policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
