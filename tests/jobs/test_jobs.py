"""The timetable: everything that is due is done, and one job that fails does not hold up the others."""

import asyncio

import pytest

from crm import jobs
from crm.core.context import Context


async def test_one_round_names_what_each_job_did(context: Context) -> None:
    done = await jobs.run_once(context)
    assert list(done) == [
        "read_inbox", "recover", "open_deals", "expire_quotations", "enrol_leads", "take_steps", "cancel_ended",
        "keep_letters", "keep_drafts_true", "write_held", "make_drafts", "queue_approved", "send_due",
    ]  # fmt: skip
    assert not any(str(result).startswith("failed") for result in done.values())


async def test_a_job_that_fails_is_told_and_the_others_go_on(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = context.settings.model_copy(update={"templates_dir": "/nowhere"})
    done = await jobs.run_once(Context(broken, context.db, context.clock))
    assert str(done["make_drafts"]).startswith("failed")
    assert done["queue_approved"] == 0
    printed = capsys.readouterr()
    assert "job_failed" in printed.out + printed.err


async def test_it_ticks_at_once_and_stops_when_told(context: Context) -> None:
    stop, ticks = asyncio.Event(), []

    async def tick() -> None:
        ticks.append(1)
        stop.set()

    await asyncio.wait_for(jobs.work_forever(context, stop, tick=tick), 10)
    assert ticks == [1]
