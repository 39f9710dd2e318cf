"""A job runs on beyond an end of its dedicated nodes that was agreed under it."""

import asyncio

from tests.paracloud.billing.builders import sound
from tests.paracloud.jobs.dedicated.nodes import DUE, END, charged, dedicated, ended, settled
from tests.paracloud.jobs.flight import SECOND, SLICES
from tests.paracloud.jobs.world import START, record

from paracloud.billing.notices import notices_of
from paracloud.dialects.records import NativePhase
from paracloud.jobs.fund import Funder
from paracloud.jobs.show import show
from paracloud.kit.identifiers import NativeId
from paracloud.kit.money import Money


async def test_a_job_on_nodes_that_stay_dedicated_holds_nothing_and_hears_nothing(fly):
    flying = await fly("0.01")
    own = await dedicated(flying)
    job, waiting = await flying.running(), await flying.queued("8")
    for seconds in (1, END, 3599, 3700):
        await flying.look(seconds, job)
    assert (await flying.world.held(), await flying.told(), await flying.wishes()) == (0, [], [])
    assert await flying.world.one("SELECT sum(held_micro) FROM jobs") == 0
    assert await flying.world.one("SELECT count(*) FROM job_funds WHERE dedication_id = :own", own=own.id) == 2
    await settled(flying, job, 3600)
    assert (await charged(flying, job), await flying.world.state(waiting)) == (0, "queued")
    await sound(flying.world.database)


async def test_before_an_end_that_is_agreed_under_a_running_job_its_price_is_held_and_then_charged_from_it(fly):
    flying = await fly("1000")
    own, job = await dedicated(flying), await flying.running()
    await ended(flying, own, END)
    await flying.look(DUE - 1, job)
    assert await flying.world.held() == 0
    for seconds, held in ((DUE, 60_000), (DUE + 599, 60_000), (DUE + 600, 120_000), (DUE + 1200, 180_000)):
        await flying.look(seconds, job)
        assert await flying.world.held() == held
    assert await flying.world.one("SELECT held_micro FROM jobs") == 180_000
    await flying.look(3599, job)
    await settled(flying, job, 3600)
    assert await charged(flying, job) == 180_000
    assert (await flying.world.held(), await flying.world.wallet()) == (0, 1_000_000_000 - 180_000)
    assert await flying.told() == []
    await sound(flying.world.database)


async def test_a_project_without_slices_holds_all_that_is_left_of_the_limit(fly):
    flying = await fly("1000", grace=SLICES.grace)
    own, job = await dedicated(flying), await flying.running()
    await ended(flying, own, END)
    for seconds in (DUE, 3599):
        await flying.look(seconds, job)
        assert await flying.world.held() == 180_000


async def test_what_its_limit_ends_before_the_nodes_do_holds_nothing(fly):
    flying = await fly("0.01")
    own, job = await dedicated(flying), await flying.running(time="30")
    await ended(flying, own, END)
    await flying.look(END - 1, job)
    assert (await flying.world.held(), await flying.told()) == (0, [])


async def test_many_who_look_at_once_and_one_who_began_again_hold_one_slice(fly):
    flying = await fly("1000")
    own, job = await dedicated(flying), await flying.running()
    await ended(flying, own, END)
    flying.world.clock.forward(DUE * SECOND)
    funders = [Funder(flying.world.database, flying.world.clock) for _ in range(6)]
    await asyncio.gather(*(one.round(flying.lease, {job: START}) for one in funders))
    await Funder(flying.world.database, flying.world.clock).round(flying.lease, {job: START})
    assert await flying.world.held() == 60_000
    await sound(flying.world.database)


async def test_who_cannot_pay_after_the_end_is_warned_and_signalled_and_stopped_by_then(fly):
    flying = await fly("0.01")
    own, job = await dedicated(flying), await flying.running()
    await ended(flying, own, END)
    await flying.look(DUE - 1, job)
    assert await flying.told() == []
    await flying.look(DUE, job)
    assert (await flying.wishes(), await flying.told()) == (["signal"], ["landing"])
    await flying.look(DUE + 20, job)
    await flying.deliver()
    await flying.look(DUE + 319, job)
    assert await flying.wishes() == []
    await flying.look(DUE + 320, job)
    assert (await flying.wishes(), await flying.told()) == (["cancel"], ["landing", "stopping"])
    assert await flying.events(job) == ["The", "The", "Stopped"]
    await settled(flying, job, DUE + 322, phase=NativePhase.CANCELLED)
    assert (await charged(flying, job), await flying.world.wallet()) == (0, 10_000)
    async with flying.world.database.begin() as session:
        assert (
            "money that the project can spend ended" in (await show(session, flying.world.caller, job)).summary.reason
        )
    await sound(flying.world.database)


async def test_what_is_told_names_the_end_in_both_languages(fly):
    flying = await fly("0.01")
    own, job = await dedicated(flying), await flying.running()
    await ended(flying, own, END)
    await flying.look(DUE, job)
    async with flying.world.database.begin() as session:
        ((_, told),) = await notices_of(session, flying.world.project)
    assert told.amount == Money.parse("0.05")
    assert "The dedicated nodes end: to go on after 2026-06-01 08:30:00 UTC, 0.050000 CNY is missing" in told.en
    assert "独占节点即将到期：2026-06-01 08:30:00 UTC 之后继续运行还差 0.050000 CNY" in told.zh


async def test_a_signal_that_comes_late_leaves_the_grace_that_there_is_until_the_end(fly):
    flying = await fly("0.01")
    own, job = await dedicated(flying), await flying.running()
    await ended(flying, own, END)
    await flying.look(DUE + 200, job)
    await flying.deliver()
    await flying.look(END - 1, job)
    assert await flying.wishes() == []
    await flying.look(END, job)
    assert await flying.wishes() == ["cancel"]


async def test_an_end_at_this_moment_is_a_landing_at_once(fly):
    flying = await fly("0.01")
    own, job = await dedicated(flying), await flying.running()
    await flying.look(600, job)
    await ended(flying, own, 600)
    await flying.look(601, job)
    assert (await flying.wishes(), await flying.told()) == (["signal"], ["landing"])
    await flying.deliver()
    await flying.look(602, job)
    assert await flying.wishes() == ["cancel"]


async def test_the_time_that_a_centre_takes_to_end_a_job_is_kept_of_what_is_free(fly):
    flying = await fly("0.01")
    await flying.world.one("UPDATE centres SET overrun_seconds = 60 WHERE name = 'east' RETURNING 1")
    own, job = await dedicated(flying), await flying.running()
    await ended(flying, own, END)
    await flying.look(DUE - 61, job)
    assert await flying.told() == []
    await flying.look(DUE - 60, job)
    await flying.deliver()
    await flying.look(DUE + 239, job)
    assert await flying.wishes() == []
    await flying.look(DUE + 240, job)
    assert await flying.wishes() == ["cancel"]


async def test_the_first_hold_after_the_end_covers_an_overrun_once(fly):
    flying = await fly("1000")
    await flying.world.one("UPDATE centres SET overrun_seconds = 60 WHERE name = 'east' RETURNING 1")
    own, job = await dedicated(flying), await flying.running()
    await ended(flying, own, END)
    await flying.look(DUE - 60, job)
    assert 60_000 <= await flying.world.held() <= 72_000
    for seconds in (DUE + 600, DUE + 1200, 3599):
        await flying.look(seconds, job)
    assert await flying.world.held() == 180_000 + 6_000
    await settled(flying, job, 3660)
    assert (await flying.world.held(), await charged(flying, job)) == (0, 186_000)
    await sound(flying.world.database)


async def test_nodes_that_are_dedicated_again_without_a_gap_end_nothing(fly):
    flying = await fly("0.01")
    own, job = await dedicated(flying), await flying.running()
    await ended(flying, own, END)
    after = await dedicated(flying, start=START + END * SECOND)
    await flying.look(DUE, job)
    assert await flying.told() == []
    await ended(flying, after, END + 600)
    await flying.look(DUE + 599, job)
    assert await flying.told() == []
    await flying.look(DUE + 600, job)
    assert await flying.told() == ["landing"]


async def test_tasks_of_an_array_that_begin_after_the_end_are_paid_for_whole(fly):
    flying = await fly("1000", grace=SLICES.grace)
    own, job = await dedicated(flying), await flying.running(array="1-2")
    await ended(flying, own, END)
    await flying.look(3599, job)
    assert await flying.world.held() == 2 * 180_000
    flying.world.clock.forward(5 * SECOND)
    await flying.funder.round(flying.lease, {job: flying.world.clock.now()})
    assert await flying.world.held() == 2 * 180_000
    flying.world.clock.forward(3000 * SECOND)
    await flying.funder.round(flying.lease, {job: START + 3600 * SECOND})
    assert await flying.world.held() == 2 * 360_000


async def test_of_a_run_before_a_requeue_only_what_was_after_the_end_is_counted(fly):
    flying = await fly("1000")
    own, job = await dedicated(flying), await flying.running()
    await ended(flying, own, END)
    await flying.look(DUE, job)
    await flying.look(END + 100, job)
    before = {"started_at": START, "ended_at": START + (END + 100) * SECOND, "elapsed_seconds": END + 100}
    failed = record(job, "7", phase=NativePhase.REQUEUED, **before)
    await flying.world.book.settle(flying.lease, [failed], alive=[NativeId("7")], read_until=None)
    assert await flying.world.held() == 60_000 - 10_000
    flying.start = START + (END + 200) * SECOND
    await flying.look(169, job)
    assert await flying.world.held() == 50_000
    await flying.look(170, job)
    assert await flying.world.held() == 50_000 + 60_000
    await sound(flying.world.database)


async def test_a_run_before_a_requeue_that_was_free_counts_as_nothing(fly):
    flying = await fly("1000")
    own, job = await dedicated(flying), await flying.running()
    failed = record(job, "7", phase=NativePhase.REQUEUED)
    await flying.world.book.settle(flying.lease, [failed], alive=[NativeId("7")], read_until=None)
    await ended(flying, own, END)
    flying.start = START + 1000 * SECOND
    await flying.look(469, job)
    assert await flying.world.held() == 0
    await flying.look(470, job)
    assert await flying.world.held() == 60_000
