"""What was accepted on dedicated nodes costs its price after their end: it is paid for by then, or landed by then."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import sound
from tests.paracloud.jobs.flight import SECOND, SLICES, Flight, flight
from tests.paracloud.jobs.world import EAST, START, open_world, record

from paracloud.billing.dedication import Dedication, dedicate, end_dedication, new_dedication_id
from paracloud.billing.funding import set_funding
from paracloud.billing.notices import notices_of
from paracloud.billing.period import month_of
from paracloud.billing.post_fees import pay_first_fee, post_fees
from paracloud.dialects.records import NativePhase
from paracloud.jobs.fund import Funder
from paracloud.jobs.show import show
from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import JobId, NativeId
from paracloud.kit.money import Money

END = 1800
"""Seconds after which the nodes are the customer's no longer; a job runs for an hour, at 100 micro-yuan a second."""
DUE = END - 330
"""The grace and a margin of thirty seconds before it."""
JULY = datetime(2026, 7, 1, tzinfo=UTC)
JUNES_FEE = "35.6"
"""Of 36 a month, for what is left of June at START."""


async def dedicated(flying: Flight, monthly: str = "0", start: datetime = START, **changes) -> Dedication:
    own = Dedication(new_dedication_id(), flying.world.project, EAST, "cpu", 4, Money.parse(monthly), 0, start, None)
    own = replace(own, **changes)
    async with flying.world.database.begin() as session:
        await dedicate(session, own, person="op", now=flying.world.clock.now())
        await pay_first_fee(session, own, now=flying.world.clock.now())
    return own


async def ended(flying: Flight, own: Dedication, seconds: int) -> None:
    async with flying.world.database.begin() as session:
        at, now = flying.start + seconds * SECOND, flying.world.clock.now()
        await end_dedication(session, own.id, at, person="op", now=now)


async def settled(flying: Flight, job: JobId, seconds: int, **changes) -> None:
    end = flying.start + seconds * SECOND
    times = {"submitted_at": flying.start, "started_at": flying.start, "ended_at": end, "elapsed_seconds": seconds}
    flying.world.clock.forward(max(end - flying.world.clock.now(), timedelta(0)))
    await flying.world.book.settle(flying.lease, [record(job, "7", **times | changes)], alive=[], read_until=None)


async def charged(flying: Flight, job: JobId) -> int:
    return await flying.world.one("SELECT charged_micro FROM jobs WHERE id = :job", job=job)


@pytest.fixture
def fly(database):
    return partial(flight, database)


@pytest.fixture
def fly_on_own(database):
    """Half an hour before July, on nodes whose fee of June is paid; `funds` are left."""

    async def opened(funds: str) -> Flight:
        world = await open_world(database, funds=str(Money.parse(JUNES_FEE) + Money.parse(funds)))
        async with database.begin() as session:
            await set_funding(session, world.project, SLICES)
        lease = await world.leases(ttl=timedelta(days=90)).claim(EAST)
        assert lease is not None
        flying = Flight(world, lease, Funder(database, world.clock), JULY - END * SECOND)
        await dedicated(flying, "36")
        assert await world.wallet() == Money.parse(funds).micro
        world.clock.forward(flying.start - START)
        return flying

    return opened


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


async def test_before_a_month_whose_fee_cannot_be_paid_the_price_is_held_and_then_charged_from_it(fly_on_own):
    flying = await fly_on_own("1")
    job = await flying.running()
    await flying.look(DUE - 1, job)
    assert await flying.world.held() == 0
    for seconds, held in ((DUE, 60_000), (END + 300, 120_000)):
        await flying.look(seconds, job)
        assert await flying.world.held() == held
    async with flying.world.database.begin() as session:
        assert await post_fees(session, month_of(JULY), now=flying.world.clock.now())
    await flying.look(END + 301, job)
    await settled(flying, job, END + 600)
    assert (await charged(flying, job), await flying.world.held()) == (60_000, 0)
    assert await flying.world.wallet() == 1_000_000 - 60_000
    await sound(flying.world.database)


async def test_before_a_month_that_nothing_can_be_paid_of_the_job_is_landed(fly_on_own):
    flying = await fly_on_own("0.01")
    job = await flying.running()
    await flying.look(DUE - 1, job)
    assert await flying.told() == []
    await flying.look(DUE, job)
    assert (await flying.wishes(), await flying.told()) == (["signal"], ["landing"])
    await flying.deliver()
    await flying.look(DUE + 300, job)
    assert await flying.wishes() == ["cancel"]
    await settled(flying, job, DUE + 302, phase=NativePhase.CANCELLED)
    assert (await charged(flying, job), await flying.world.wallet()) == (0, 10_000)


@pytest.mark.parametrize("is_signalled", [False, True])
async def test_a_top_up_that_pays_the_fee_calls_the_landing_off_and_nothing_is_held(fly_on_own, is_signalled):
    flying = await fly_on_own("0")
    job = await flying.running()
    await flying.look(DUE, job)
    if is_signalled:
        await flying.deliver()
    await flying.pay("36")
    await flying.look(DUE + 5, job)
    assert (await flying.wishes(), await flying.told()) == ([], ["landing", "landing-called-off"])
    await flying.look(END - 1, job)
    async with flying.world.database.begin() as session:
        assert await post_fees(session, month_of(JULY), now=JULY) == []
    await flying.look(3599, job)
    assert (await flying.world.held(), await flying.wishes(), len(await flying.told())) == (0, [], 2)
    await settled(flying, job, 3600)
    assert (await charged(flying, job), await flying.world.wallet()) == (0, 0)
    await sound(flying.world.database)


async def test_a_top_up_that_pays_the_price_but_not_the_fee_calls_the_landing_off_with_a_hold(fly_on_own):
    flying = await fly_on_own("0")
    job = await flying.running()
    await flying.look(DUE, job)
    await flying.pay("1")
    await flying.look(DUE + 5, job)
    assert await flying.told() == ["landing", "landing-called-off"]
    assert await flying.world.held() == 60_000


async def test_a_fee_that_the_credit_line_pays_bothers_nobody(fly_on_own):
    flying = await fly_on_own("0")
    async with flying.world.database.begin() as session:
        await set_funding(session, flying.world.project, replace(SLICES, line=Money.parse("36")))
    job = await flying.running()
    await flying.look(END - 1, job)
    assert (await flying.world.held(), await flying.told()) == (0, [])


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
