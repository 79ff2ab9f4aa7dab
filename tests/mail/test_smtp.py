import asyncio

import pytest

from crm.mail.errors import Unreachable
from crm.mail.outcome import Accepted, NotOffered, Refused, Uncertain
from crm.mail.smtp import Session, SmtpPool, probe
from tests.mailkit import Relay, always, running, smtp_settings

LETTER = {"sender": "bounce+1-x@ieum.example", "recipient": "a@buyer.example", "raw": b"Subject: x\r\n\r\nbody\r\n"}


async def never() -> bool:
    return False


async def test_it_hands_a_letter_over() -> None:
    with running(Relay()) as relay:
        async with SmtpPool(smtp_settings(relay.port)) as pool:
            outcome = await pool.deliver(**LETTER, before_data=always)
    assert outcome == Accepted(250, "2.0.0 taken")
    assert relay.taken[0].mail_from == "bounce+1-x@ieum.example"
    assert relay.taken[0].rcpt_tos == ["a@buyer.example"]
    assert relay.taken[0].original_content == LETTER["raw"]


async def test_lines_that_begin_with_a_dot_arrive_whole() -> None:
    raw = b"Subject: x\r\n\r\n.hidden\r\n..\r\n.\r\nend\r\n"
    with running(Relay()) as relay:
        async with SmtpPool(smtp_settings(relay.port)) as pool:
            await pool.deliver(**{**LETTER, "raw": raw}, before_data=always)
    assert relay.taken[0].original_content == raw


@pytest.mark.parametrize(
    ("verb", "reply", "expected"),
    [
        ("MAIL", "550 5.7.1 no", Refused(550, "5.7.1 no", "mail")),
        ("RCPT", "550 5.1.1 unknown", Refused(550, "5.1.1 unknown", "rcpt")),
        ("RCPT", "451 4.7.1 later", Refused(451, "4.7.1 later", "rcpt")),
        ("DATA", "554 5.7.1 spam", Refused(554, "5.7.1 spam", "data")),
        ("DATA", "451 4.3.0 later", Refused(451, "4.3.0 later", "data")),
        ("RCPT", "421 4.3.2 closing", NotOffered("421 4.3.2 closing")),
    ],
)
async def test_a_refusal_says_where_and_the_session_goes_on(verb: str, reply: str, expected: object) -> None:
    answers = iter([reply])
    relay = Relay(lambda asked, _envelope: next(answers, None) if asked == verb else None)
    with running(relay):
        async with SmtpPool(smtp_settings(relay.port)) as pool:
            assert await pool.deliver(**LETTER, before_data=always) == expected
            assert isinstance(await pool.deliver(**LETTER, before_data=always), Accepted)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT"])
async def test_a_line_cut_before_the_body_leaves_no_doubt(verb: str) -> None:
    with running(Relay(lambda asked, _envelope: "drop" if asked == verb else None)) as relay:
        async with SmtpPool(smtp_settings(relay.port)) as pool:
            outcome = await pool.deliver(**LETTER, before_data=always)
    assert isinstance(outcome, NotOffered)
    assert relay.taken == []


async def test_a_line_cut_after_the_body_leaves_doubt() -> None:
    with running(Relay(lambda asked, _envelope: "drop" if asked == "DATA" else None)) as relay:
        async with SmtpPool(smtp_settings(relay.port)) as pool:
            outcome = await pool.deliver(**LETTER, before_data=always)
    assert isinstance(outcome, Uncertain)
    assert len(relay.taken) == 1


async def test_silence_after_the_body_leaves_doubt() -> None:
    class Sleepy(Relay):
        async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
            await asyncio.sleep(5)
            return "250 too late"

    with running(Sleepy()) as relay:
        async with SmtpPool(smtp_settings(relay.port, timeout=0.2)) as pool:
            assert isinstance(await pool.deliver(**LETTER, before_data=always), Uncertain)


async def test_a_withdrawn_letter_is_not_offered() -> None:
    with running(Relay()) as relay:
        async with SmtpPool(smtp_settings(relay.port)) as pool:
            assert await pool.deliver(**LETTER, before_data=never) == NotOffered("withdrawn")
            assert await pool.deliver(**LETTER, before_data=always) == Accepted(250, "2.0.0 taken")
    assert len(relay.taken) == 1


async def test_a_relay_that_is_down_leaves_no_doubt() -> None:
    with running(Relay()) as relay:
        port = relay.port
    outcome = await Session(smtp_settings(port)).deliver(**LETTER, before_data=always)
    assert isinstance(outcome, NotOffered)


async def test_it_reconnects_after_so_many_letters() -> None:
    with running(Relay()) as relay:
        async with SmtpPool(smtp_settings(relay.port, per_connection=2)) as pool:
            for _number in range(5):
                await pool.deliver(**LETTER, before_data=always)
    assert (len(relay.taken), relay.sessions) == (5, 3)


async def test_it_opens_no_more_sessions_than_allowed() -> None:
    with running(Relay()) as relay:
        async with SmtpPool(smtp_settings(relay.port, connections=3)) as pool:
            await asyncio.gather(*(pool.deliver(**LETTER, before_data=always) for _number in range(20)))
    assert len(relay.taken) == 20
    assert relay.sessions <= 3


async def test_a_cancelled_dialogue_is_not_continued_by_the_next_letter() -> None:
    asked = asyncio.Event()

    async def hang() -> bool:
        asked.set()
        await asyncio.sleep(60)
        return True

    with running(Relay()) as relay:
        async with SmtpPool(smtp_settings(relay.port)) as pool:
            stuck = asyncio.create_task(pool.deliver(**LETTER, before_data=hang))
            await asked.wait()
            stuck.cancel()
            await asyncio.gather(stuck, return_exceptions=True)
            await pool.deliver(**LETTER, before_data=always)
    assert (len(relay.taken), relay.sessions) == (1, 2)


async def test_the_probe_says_what_to_check() -> None:
    with running(Relay()) as relay:
        await probe(smtp_settings(relay.port))
        port = relay.port
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        await probe(smtp_settings(port))


async def test_the_probe_tells_that_the_relay_has_no_encryption() -> None:
    with running(Relay()) as relay, pytest.raises(Unreachable, match="STARTTLS"):
        await probe(smtp_settings(relay.port, security="starttls"))
