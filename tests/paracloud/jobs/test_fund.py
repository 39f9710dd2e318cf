"""Running jobs are paid for a slice at a time. (Who cannot pay: test_landing.)"""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import sold, sound
from tests.paracloud.jobs.flight import SECOND, Flight, fly
from tests.paracloud.jobs.world import EAST, START, record

from paracloud.billing.budget import Budget, set_budget
from paracloud.billing.funding import Funding, set_funding
from paracloud.billing.hold import release
from paracloud.billing.notices import notices_of
from paracloud.dialects.records import NativePhase
from paracloud.jobs.fund import Funder
from paracloud.jobs.show import show
from paracloud.kit.errors import Fenced
from paracloud.kit.identifiers import BudgetId, NativeId, new_uuid
from paracloud.kit.money import Money

__all__ = ["fly"]

DUE = 570
"""Seconds after which the first ten minutes must be followed: a margin of thirty before them."""


async def test_of_a_limit_a_slice_and_the_grace_are_held_at_first(fly):
    flying = await fly("1000")
    job = await flying.running()
    assert await flying.world.held() == 90_000
    assert await flying.world.one("SELECT held_micro FROM jobs WHERE id = :job", job=job) == 90_000


async def test_a_limit_that_a_slice_covers_and_a_project_without_slices_hold_all_at_once(fly):
    flying = await fly("1000")
    await flying.running(time="14")
    assert await flying.world.held() == 84_000
    async with flying.world.database.begin() as session:
        await set_funding(session, flying.world.project, Funding())
    await flying.running("8")
    assert await flying.world.held() == 84_000 + 360_000
    assert await flying.world.one("SELECT count(*) FROM job_funds") == 0


async def test_slice_after_slice_is_held_up_to_the_limit_and_the_bill_is_the_same(fly):
    flying = await fly("1000")
    job = await flying.running()
    await flying.look(DUE - 1, job)
    assert await flying.world.held() == 90_000
    for number in range(1, 5):
        await flying.look(DUE + 600 * (number - 1), job)
        assert await flying.world.held() == 90_000 + number * 60_000
    for seconds in (DUE + 2400, DUE + 2401, 3599):
        await flying.look(seconds, job)
        assert await flying.world.held() == 360_000
    assert await flying.world.one("SELECT held_micro FROM jobs") == 360_000
    await sound(flying.world.database)
    done = record(job, "7", elapsed_seconds=3599)
    await flying.world.book.settle(flying.lease, [done], alive=[], read_until=None)
    assert (await flying.world.held(), await flying.world.wallet()) == (0, 1_000_000_000 - 359_900)
    assert await flying.told() == []
    await sound(flying.world.database)


async def test_many_who_look_at_once_hold_one_slice(fly):
    flying = await fly("1000")
    job = await flying.running()
    flying.world.clock.forward(DUE * SECOND)
    funders = [Funder(flying.world.database, flying.world.clock) for _ in range(6)]
    await asyncio.gather(*(one.round(flying.lease, {job: START}) for one in funders))
    assert await flying.world.held() == 150_000
    await sound(flying.world.database)


async def test_after_a_silence_as_much_is_held_as_the_job_has_used(fly):
    flying = await fly("1000")
    job = await flying.running()
    await flying.look(1, job)
    await flying.look(2000)  # the centre shows nothing, and what was seen before goes on
    assert await flying.world.held() == 270_000


async def test_every_task_of_an_array_is_paid_for(fly):
    flying = await fly("1000")
    job = await flying.running(array="1-4")
    assert await flying.world.held() == 4 * 90_000
    await flying.look(DUE, job)
    assert await flying.world.held() == 4 * 150_000


async def test_a_run_before_a_requeue_is_counted(fly):
    flying = await fly("1000")
    job = await flying.running()
    failed = record(job, "7", phase=NativePhase.REQUEUED, elapsed_seconds=400)
    await flying.world.book.settle(flying.lease, [failed], alive=[NativeId("7")], read_until=None)
    again = START + timedelta(seconds=500)
    flying.world.clock.forward(669 * SECOND)
    await flying.funder.round(flying.lease, {job: again})
    assert await flying.world.held() == 90_000 - 40_000
    flying.world.clock.forward(SECOND)
    await flying.funder.round(flying.lease, {job: again})
    assert await flying.world.held() == 150_000 - 40_000
    await sound(flying.world.database)


async def test_a_job_that_may_be_requeued_is_held_for_again_also_without_slices(fly):
    flying = await fly("1000", grace=timedelta(minutes=5))
    job = await flying.running(requeue="true")
    assert await flying.world.held() == 360_000
    failed = record(job, "7", phase=NativePhase.NODE_FAILED, elapsed_seconds=400)
    await flying.world.book.settle(flying.lease, [failed], alive=[NativeId("7")], read_until=None)
    again = START + timedelta(seconds=500)
    flying.world.clock.forward(3369 * SECOND)
    await flying.funder.round(flying.lease, {job: again})
    assert await flying.world.held() == 360_000 - 40_000
    flying.world.clock.forward(SECOND)
    await flying.funder.round(flying.lease, {job: again})
    assert await flying.world.held() == 360_000
    await sound(flying.world.database)


async def limited(flying: Flight, amount: str, **whose) -> None:
    payer = {"organisation": None, "project": None, "user": None} | whose
    limit = Budget(
        id=BudgetId(new_uuid()), **payer, amount=Money.parse(amount), is_monthly=False, is_hard=True, warn_percent=(),
        valid_from=START, valid_to=None,
    )  # fmt: skip
    async with flying.world.database.begin() as session:
        await set_budget(session, limit, person="op", now=START)


async def test_a_hard_budget_that_is_used_up_lands_a_job_as_an_empty_wallet_does(fly):
    flying = await fly("1000")
    await limited(flying, "0.10", project=flying.world.project)
    await flying.look(DUE, await flying.running())
    assert await flying.told() == ["landing"]


async def test_a_hard_budget_lands_a_job_also_where_a_package_pays_for_its_slices(fly):
    flying = await fly("1000")
    await sold(flying.world.database, flying.world)
    await limited(flying, "0.20", project=flying.world.project)
    job = await flying.running()
    assert await flying.world.held() == 0
    await flying.look(DUE, job)
    assert await flying.told() == []
    await flying.look(DUE + 600, job)
    assert await flying.told() == ["landing"]


@pytest.mark.parametrize("whose", ["organisation", "user"])
async def test_a_budget_that_is_not_the_projects_lands_a_job_without_its_figures(fly, whose):
    flying = await fly("1000")
    organisation = await flying.world.one("SELECT id FROM organisations")
    payers = {
        "organisation": {"organisation": organisation},
        "user": {"project": flying.world.project, "user": flying.world.caller.user},
    }
    await limited(flying, "0.10", **payers[whose])
    job = await flying.running()
    await flying.look(DUE, job)
    await flying.deliver()
    await flying.look(DUE + 320, job)
    async with flying.world.database.begin() as session:
        told = [one for _, one in await notices_of(session, flying.world.project)]
        events = (await show(session, flying.world.caller, job)).events
    assert [(one.kind.value, one.amount) for one in told] == [
        ("landing", Money.parse("0.06")), ("stopping", Money.parse("0.06")),
    ]  # fmt: skip
    for said in (*(one.en for one in told), *(one.reason for one in events)):
        assert "0.05" not in said, said
    assert "a hard budget of the organisation or of the user does not allow it" in told[0].en
    assert "组织或用户的硬预算不允许" in told[1].zh


async def test_one_jobs_trouble_keeps_no_other_from_being_paid_for(fly):
    flying = await fly("1000")
    broken, job = await flying.running(), await flying.running("8")
    async with flying.world.database.begin() as session:
        await release(session, [str(broken)], now=START)
    await flying.look(DUE, broken, job)
    assert await flying.world.held() == 150_000


async def test_a_job_whose_price_no_longer_covers_it_keeps_no_other_from_being_paid_for(fly, owned):
    flying = await fly("1000")
    broken, job = await flying.running(), await flying.running("8")
    before = await flying.world.held()
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text("UPDATE price_versions SET card_hour = NULL"))
        await session.execute(text("UPDATE job_funds SET gpus = 1 WHERE job_id = :job"), {"job": broken})
    await flying.look(DUE, broken, job)
    after = await flying.world.held()
    await flying.look(DUE, broken)
    assert before < after
    assert await flying.world.held() == after


async def test_who_lost_the_lease_holds_and_tells_nothing(fly):
    flying = await fly("0.10")
    job = await flying.running()
    await flying.world.leases().release(flying.lease)
    await flying.world.leases("worker-2").claim(EAST)
    with pytest.raises(Fenced):
        await flying.look(DUE, job)
    assert await flying.told() == []
