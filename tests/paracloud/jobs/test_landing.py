"""Who cannot pay for a running job any more: warned, signalled, stopped after the grace, and never without a word."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import sound
from tests.paracloud.jobs.flight import SECOND, SLICES, fly
from tests.paracloud.jobs.world import START, record

from paracloud.billing.notices import notices_of
from paracloud.dialects.records import NativePhase
from paracloud.jobs.show import show
from paracloud.jobs.state import JobState
from paracloud.jobs.wish import cancel
from paracloud.kit.money import Money

__all__ = ["fly"]

DUE = 570


async def test_who_cannot_pay_is_warned_then_signalled_and_stopped_after_the_grace(fly):
    flying = await fly("0.10")
    job = await flying.running()
    await flying.look(DUE, job)
    assert (await flying.wishes(), await flying.told()) == (["signal"], ["landing"])
    await flying.look(DUE + 20, job)
    await flying.deliver()
    for seconds in (DUE + 21, DUE + 319):
        await flying.look(seconds, job)
        assert await flying.wishes() == []
    await flying.look(DUE + 320, job)
    assert (await flying.wishes(), await flying.told()) == (["cancel"], ["landing", "stopping"])
    await flying.look(DUE + 321, job)
    assert await flying.events(job) == ["Money", "The", "Stopped"]
    ended = record(job, "7", phase=NativePhase.CANCELLED, elapsed_seconds=DUE + 320)
    await flying.world.book.settle(flying.lease, [ended], alive=[], read_until=None)
    async with flying.world.database.begin() as session:
        shown = (await show(session, flying.world.caller, job)).summary
    assert shown.state is JobState.CANCELLED
    assert "money that the project can spend ended" in shown.reason
    assert "资金用尽" in shown.reason
    assert shown.charged <= shown.held
    assert await flying.world.wallet() == 100_000 - 89_000
    await sound(flying.world.database)


async def test_what_is_told_names_what_is_missing_in_both_languages(fly):
    flying = await fly("0.10")
    await flying.look(DUE, await flying.running())
    async with flying.world.database.begin() as session:
        ((_, told),) = await notices_of(session, flying.world.project)
    assert told.amount == Money.parse("0.05")
    assert "0.050000 CNY is missing" in told.en
    assert "还差 0.050000 CNY" in told.zh
    assert "2026-06-01 08:15:00 UTC" in told.en
    assert "USR1" in told.en


async def test_money_that_comes_before_the_stop_calls_the_landing_off(fly):
    flying = await fly("0.10")
    job = await flying.running()
    await flying.look(DUE, job)
    await flying.deliver()
    await flying.pay("0.05")
    await flying.look(DUE + 299, job)
    assert await flying.told() == ["landing", "landing-called-off"]
    assert await flying.world.held() == 150_000
    for seconds in (DUE + 300, DUE + 599):
        await flying.look(seconds, job)
        assert await flying.wishes() == []
    await flying.look(DUE + 600, job)
    assert (await flying.wishes(), (await flying.told())[2:]) == (["signal"], ["landing"])
    await sound(flying.world.database)


async def test_money_that_comes_before_the_signal_is_sent_spares_the_job_the_signal(fly):
    flying = await fly("0.10")
    job = await flying.running()
    await flying.look(DUE, job)
    late = await flying.world.book.wishes(flying.lease)
    await flying.pay("1")
    await flying.look(DUE + 5, job)
    assert await flying.wishes() == []
    await flying.world.book.granted(flying.lease, late)  # it was on its way already
    await flying.look(DUE + 400, job)
    assert await flying.wishes() == []


@pytest.mark.parametrize(("phase", "is_told"), [(NativePhase.FAILED, True), (NativePhase.COMPLETED, False)])
async def test_a_job_that_the_signal_ends_says_why(fly, phase, is_told):
    flying = await fly("0.10")
    job = await flying.running()
    await flying.look(DUE, job)
    await flying.deliver()
    ended = record(job, "7", phase=phase, elapsed_seconds=DUE)
    await flying.world.book.settle(flying.lease, [ended], alive=[], read_until=None)
    reason = await flying.world.one("SELECT reason FROM jobs")
    assert ("after the signal" in reason, "收到信号后结束" in reason) == (is_told, is_told)


async def test_money_is_looked_for_at_the_last_moment_too(fly):
    flying = await fly("0.10")
    job = await flying.running()
    await flying.look(DUE, job)
    await flying.deliver()
    await flying.look(DUE + 299, job)
    await flying.pay("1")
    await flying.look(DUE + 300, job)
    assert (await flying.wishes(), (await flying.told())[-1]) == ([], "landing-called-off")


async def test_a_signal_that_cannot_be_delivered_holds_the_stop_back_and_then_the_line_goes_before_the_grace(fly):
    flying = await fly("0.10")
    job = await flying.running()
    for seconds in (DUE, DUE + 400, 2000):
        await flying.look(seconds, job)
        assert await flying.wishes() == ["signal"]
    await flying.deliver()
    await flying.look(2001, job)
    assert await flying.wishes() == ["cancel"]


async def test_what_a_user_wishes_goes_before_the_signal_which_is_wished_for_again(fly):
    flying = await fly("0.10", hold=SLICES.hold, grace=SLICES.grace, signal="TERM", line=Money.parse("0.10"))
    job = await flying.running(array="1-2")
    await flying.world.one("UPDATE jobs SET wish = 'hold' WHERE id = :job RETURNING 1", job=job)
    await flying.look(DUE, job)
    assert await flying.wishes() == ["hold"]
    await flying.deliver()
    await flying.look(DUE + 10, job)
    (wish,) = await flying.world.book.wishes(flying.lease)
    assert (wish.kind, wish.signal) == ("signal", "TERM")
    await flying.world.one("UPDATE jobs SET wish = 'cancel' WHERE id = :job RETURNING 1", job=job)
    await flying.look(DUE + 500, job)
    assert await flying.wishes() == ["cancel"]
    assert await flying.told() == ["landing"]


@pytest.mark.parametrize("funds", ["1000", "0.10"])
async def test_a_job_that_its_user_cancels_is_neither_paid_for_nor_warned(fly, funds):
    flying = await fly(funds)
    job = await flying.running()
    async with flying.world.database.begin() as session:
        await cancel(session, flying.world.caller, job, now=START)
    await flying.look(DUE, job)
    assert (await flying.world.held(), await flying.told()) == (90_000, [])


async def test_a_run_that_began_after_the_signal_gets_its_own(fly):
    flying = await fly("0.10")
    job = await flying.running()
    await flying.look(DUE, job)
    await flying.deliver()
    flying.world.clock.forward(600 * SECOND)
    again = flying.world.clock.now() - SECOND
    await flying.funder.round(flying.lease, {job: again})
    assert await flying.wishes() == ["signal"]


@pytest.mark.parametrize(
    "forgery",
    ["UPDATE job_funds SET stopping_at = now()", "UPDATE job_funds SET signalled_at = now(), stop_at = now()"],
)
async def test_the_database_knows_that_a_warning_and_a_signal_come_before_a_stop(fly, forgery):
    flying = await fly("1000")
    await flying.running()
    with pytest.raises(DBAPIError):
        async with flying.world.database.begin() as session:
            await session.execute(text(forgery))
