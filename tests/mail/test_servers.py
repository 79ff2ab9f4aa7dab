"""The demo's mail server and our IMAP reader, over real connections."""

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest
from imapclient import IMAPClient

from crm.demo.buyer import CannotAnswer, Kind, answer_as_buyer, hand_in
from crm.demo.maildir import folder_of
from crm.demo.mailserver import ENGINE, DemoMailServer, Ports
from crm.mail.compose import compose
from crm.mail.errors import Unreachable
from crm.mail.imap import open_mailbox, probe
from crm.mail.incoming import parse
from tests.mailkit import NOW, imap_settings, letter

DOMAIN = "ieum.example"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DemoMailServer]:
    found = DemoMailServer(tmp_path / "mail", DOMAIN)
    found.ports = found.start()  # type: ignore[attr-defined]
    yield found
    found.stop()


@pytest.fixture
def ports(server: DemoMailServer) -> Ports:
    return server.ports  # type: ignore[attr-defined, no-any-return]


def send(
    ports: Ports, recipient: str, raw: bytes = b"Subject: x\r\n\r\nbody\r\n", sender: str = "a@buyer.example"
) -> None:
    with smtplib.SMTP("127.0.0.1", ports.smtp, local_hostname="localhost") as client:
        client.sendmail(sender, [recipient], raw)


def test_our_domain_goes_to_the_engine_and_everybody_else_has_a_mailbox(server: DemoMailServer, ports: Ports) -> None:
    send(ports, "bounce+1-x@IEUM.example")
    send(ports, "Tanaka@buyer.example")
    assert len(server.rack.mails(ENGINE)) == 1
    assert server.rack.buyers() == ["tanaka@buyer.example"]
    [mail] = server.rack.mails("tanaka@BUYER.example")
    assert mail.read().startswith(b"Return-Path: <a@buyer.example>\r\nDelivered-To: Tanaka@buyer.example\r\n")
    assert mail.read().endswith(b"Subject: x\r\n\r\nbody\r\n")


@pytest.mark.parametrize("address", ["..", "../../x@y.example", ".@x.example", "/etc/x@y.example", "한@x.example"])
def test_no_address_leads_out_of_the_folder(tmp_path: Path, address: str) -> None:
    assert folder_of(tmp_path, address).resolve().parent == (tmp_path / "boxes").resolve()


def test_mails_are_read_in_order_and_only_once(ports: Ports) -> None:
    for number in range(5):
        send(ports, f"desk{number}@{DOMAIN}")
    with open_mailbox(imap_settings(ports)) as box:
        found = list(box.read_new(0, 0))
        assert [mail.uid for mail in found] == [1, 2, 3, 4, 5]
        assert [parse(mail.raw).to_addresses for mail in found] == [(f"desk{number}@{DOMAIN}",) for number in range(5)]
        assert list(box.read_new(box.uidvalidity, 5)) == []
        send(ports, f"late@{DOMAIN}")
        assert [mail.uid for mail in box.read_new(box.uidvalidity, 5)] == [6]


def test_another_uidvalidity_means_reading_from_the_beginning(ports: Ports) -> None:
    send(ports, f"desk@{DOMAIN}")
    with open_mailbox(imap_settings(ports)) as box:
        assert [mail.uid for mail in box.read_new(box.uidvalidity + 1, 99)] == [1]


def test_reading_leaves_no_trace_until_it_is_wanted(ports: Ports) -> None:
    send(ports, f"desk@{DOMAIN}")
    with open_mailbox(imap_settings(ports)) as box:
        list(box.read_new(0, 0))
    with client(ports) as imap:
        assert imap.search("UNSEEN") == [1]
    with open_mailbox(imap_settings(ports)) as box:
        box.mark_seen([1])
    with client(ports) as imap:
        assert imap.search("UNSEEN") == []


def test_numbers_survive_a_restart(tmp_path: Path) -> None:
    def read() -> list[tuple[int, int]]:
        with DemoMailServer(tmp_path, DOMAIN) as ports:
            send(ports, f"desk@{DOMAIN}")
            with open_mailbox(imap_settings(ports)) as box:
                return [(mail.uidvalidity, mail.uid) for mail in box.read_new(0, 0)]

    [first] = read()
    assert read() == [first, (first[0], 2)]


def client(ports: Ports, user: str = ENGINE) -> IMAPClient:
    imap = IMAPClient("127.0.0.1", port=ports.imap, ssl=False)
    imap.login(user, "any")
    imap.select_folder("INBOX")
    return imap


def test_a_mail_program_can_wait_for_mail(ports: Ports) -> None:
    with client(ports) as imap:
        imap.idle()
        send(ports, f"desk@{DOMAIN}")
        assert (1, b"EXISTS") in imap.idle_check(timeout=5)
        imap.idle_done()
        assert imap.noop()[0] == b"NOOP"


def test_a_buyers_own_mailbox_can_be_opened_too(ports: Ports) -> None:
    send(ports, "tanaka@buyer.example")
    with client(ports, "tanaka@buyer.example") as imap:
        answer = imap.fetch([1], ["FLAGS", "RFC822.SIZE", "INTERNALDATE", "BODY.PEEK[HEADER]", "UID"])[1]
    assert answer[b"FLAGS"] == ()
    assert b"Subject: x" in answer[b"BODY[HEADER]"]


def test_reading_without_peek_marks_as_seen(ports: Ports) -> None:
    send(ports, f"desk@{DOMAIN}")
    with client(ports) as imap:
        imap.fetch([1], ["BODY[]"])
        assert imap.search(["UID", "1:*", "SEEN"]) == [1]
        imap.remove_flags([1], [b"\\Seen"])
        assert imap.search(["UNSEEN"]) == [1]
        assert imap.folder_status("INBOX", ["MESSAGES", "UNSEEN"]) == {b"MESSAGES": 1, b"UNSEEN": 1}


def test_a_stranger_is_not_let_in(ports: Ports) -> None:
    with pytest.raises(Unreachable, match=r": \[AUTHENTICATIONFAILED\]"):
        probe(imap_settings(ports, "nobody@buyer.example"))


def test_a_mailbox_that_is_down_is_named(ports: Ports, server: DemoMailServer) -> None:
    probe(imap_settings(ports))
    server.stop()
    with pytest.raises(Unreachable, match=f"127.0.0.1:{ports.imap}"):
        probe(imap_settings(ports))


LANGUAGES = ("ko", "en", "ja", "zh-Hans", "zh-Hant", "es")


def received(server: DemoMailServer, ports: Ports, language: str) -> bytes:
    """Send a letter as the engine does and return it as the buyer got it."""
    raw = compose(letter(language=language, from_address=f"hanbit@{DOMAIN}"))
    send(ports, "tanaka@buyer.example", raw, f"bounce+1-abc@{DOMAIN}")
    return server.rack.mails("tanaka@buyer.example")[-1].read()


def answered(server: DemoMailServer, ports: Ports, kind: Kind, language: str = "ja") -> object:
    answer = answer_as_buyer(received(server, ports, language), kind, now=NOW)
    hand_in(answer, host="127.0.0.1", port=ports.smtp)
    return parse(server.rack.mails(ENGINE)[-1].read())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_buyer_can_answer(server: DemoMailServer, ports: Ports, language: str) -> None:
    found = answered(server, ports, "reply", language)
    assert (found.in_reply_to, found.from_address) == ("<letter-1@ieum.example>", "tanaka@buyer.example")
    assert (found.is_auto_reply, found.wants_no_more, found.is_bounce) == (False, False, False)
    assert "お世話になっております" not in found.reply_text.replace(found.reply_text[:60], "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_buyer_can_be_away(server: DemoMailServer, ports: Ports, language: str) -> None:
    found = answered(server, ports, "out_of_office", language)
    assert (found.is_out_of_office, str(found.returns_on)) == (True, "2026-12-02")
    assert found.to_addresses[0] == "bounce+1-abc@ieum.example"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_buyer_can_ask_to_stop(server: DemoMailServer, ports: Ports, language: str) -> None:
    assert answered(server, ports, "unsubscribe", language).wants_no_more


def test_a_buyers_server_can_bounce(server: DemoMailServer, ports: Ports) -> None:
    found = answered(server, ports, "bounce")
    [bounce] = found.bounces
    assert (bounce.recipient, bounce.dead_address) == ("tanaka@buyer.example", True)
    assert found.to_addresses[0] == "bounce+1-abc@ieum.example"
    assert found.returned_message_id == "<letter-1@ieum.example>"


def test_a_letter_without_sender_cannot_be_answered() -> None:
    with pytest.raises(CannotAnswer):
        answer_as_buyer(b"Subject: x\r\n\r\nbody", "reply", now=NOW)


def test_answers_go_to_this_machine_only() -> None:
    answer = answer_as_buyer(compose(letter()), "reply", now=NOW)
    with pytest.raises(ValueError, match="own mail server"):
        hand_in(answer, host="mail.example.com", port=25)
