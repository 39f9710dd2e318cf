"""A job that waits on dedicated nodes could start when they are dedicated no more."""

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import sound
from tests.paracloud.jobs.dedicated.nodes import DUE, END, charged, dedicated, ended, settled
from tests.paracloud.jobs.flight import SECOND, SLICES
from tests.paracloud.jobs.world import EAST, START

from paracloud.billing.notices import notices_of
from paracloud.dialects.records import NativePhase
from paracloud.jobs.fund import Funder
from paracloud.jobs.state import JobState
from paracloud.kit.money import Money


async def test_a_waiting_job_holds_what_a_new_one_would_before_it_could_start_unpaid(fly):
    flying = await fly("1000")
    own, job = await dedicated(flying), await flying.queued()
    await ended(flying, own, END)
    await flying.look(DUE - 1)
    assert await flying.world.held() == 0
    for seconds in (DUE, DUE + 1, END + 1000):
        await flying.look(seconds)
        assert await flying.world.held() == 90_000
    assert (await flying.told(), await flying.world.state(job)) == ([], "queued")
    late = {"started_at": START + 3000 * SECOND, "ended_at": START + 3900 * SECOND, "elapsed_seconds": 900}
    await settled(flying, job, 3900, **late)
    assert (await charged(flying, job), await flying.world.held()) == (90_000, 0)
    await sound(flying.world.database)


async def test_a_waiting_job_that_starts_just_before_the_end_goes_on_with_what_is_held(fly):
    flying = await fly("1000")
    own, job = await dedicated(flying), await flying.queued()
    await ended(flying, own, END)
    await flying.look(DUE)
    flying.start += END * SECOND - 10 * SECOND
    await flying.world.one("UPDATE jobs SET state = 'running' WHERE id = :job RETURNING 1", job=job)
    await flying.look(579, job)
    assert await flying.world.held() == 90_000
    await flying.look(580, job)
    assert await flying.world.held() == 150_000


async def test_a_waiting_job_that_cannot_be_paid_for_is_told_once_and_never_starts(fly):
    flying = await fly("0.01")
    own, job = await dedicated(flying), await flying.queued()
    await ended(flying, own, END)
    await flying.look(DUE - 1)
    assert (await flying.wishes(), await flying.told()) == ([], [])
    await flying.look(DUE)
    assert (await flying.wishes(), await flying.told(), await flying.events(job)) == (
        ["cancel"], ["stopping"], ["Cancelled"],
    )  # fmt: skip
    await flying.deliver()
    await flying.look(END)
    assert (await flying.wishes(), await flying.told()) == ([], ["stopping"])
    async with flying.world.database.begin() as session:
        ((_, told),) = await notices_of(session, flying.world.project)
    assert told.amount == Money.parse("0.08")
    assert "its dedicated nodes end at 2026-06-01 08:30:00 UTC" in told.en
    assert "独占节点于 2026-06-01 08:30:00 UTC 到期" in told.zh
    await settled(flying, job, 0, phase=NativePhase.CANCELLED, started_at=None, ended_at=START + END * SECOND)
    assert await flying.world.state(job) == JobState.CANCELLED
    assert "资金用尽而停止" in await flying.world.one("SELECT reason FROM jobs")
    await sound(flying.world.database)


@pytest.mark.parametrize(("funds", "held", "told"), [("1000", 90_000, []), ("0.01", 0, ["stopping"])])
async def test_many_who_look_at_once_at_a_waiting_job_hold_and_tell_once(fly, funds, held, told):
    flying = await fly(funds)
    own = await dedicated(flying)
    await flying.queued()
    await ended(flying, own, END)
    flying.world.clock.forward(DUE * SECOND)
    funders = [Funder(flying.world.database, flying.world.clock) for _ in range(6)]
    await asyncio.gather(*(one.round(flying.lease, {}) for one in funders))
    await Funder(flying.world.database, flying.world.clock).round(flying.lease, {})
    assert (await flying.world.held(), await flying.told()) == (held, told)
    await sound(flying.world.database)


async def test_a_job_that_was_not_submitted_yet_is_cancelled_here_and_now(fly):
    flying = await fly("0.01")
    own = await dedicated(flying)
    job = (await flying.world.submit(centre=EAST)).job
    await ended(flying, own, END)
    await flying.look(DUE)
    assert (await flying.world.state(job), await flying.told()) == (JobState.CANCELLED, ["stopping"])
    assert await flying.world.book.intend(flying.lease, limit=10) == ()
    await sound(flying.world.database)


async def test_a_job_that_its_user_cancels_is_neither_held_for_nor_told_of(fly):
    flying = await fly("1000")
    own, job = await dedicated(flying), await flying.queued()
    await flying.world.one("UPDATE jobs SET wish = 'cancel' WHERE id = :job RETURNING 1", job=job)
    await ended(flying, own, END)
    await flying.look(DUE)
    assert (await flying.world.held(), await flying.told()) == (0, [])


async def test_only_a_job_on_dedicated_nodes_may_have_nothing_held(fly):
    flying = await fly("1000", hold=SLICES.hold)
    await flying.running()
    with pytest.raises(DBAPIError):
        await flying.world.one("UPDATE job_funds SET held_seconds = 0 RETURNING 1")
