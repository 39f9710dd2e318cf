"""What becomes of an attempt that was given up: it is looked for, ended, and nobody pays for it but the platform."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text
from tests.paracloud.jobs.full_east import sicken
from tests.paracloud.jobs.gone_east import (
    CORE_SECOND,
    EAST0,
    end_in_the_west,
    notices,
    opened,
    remains,
    say_and_give_up,
    untold,
)
from tests.paracloud.jobs.world import EAST, START, record

from paracloud.billing.reconcile import reconcile
from paracloud.centres.registry import owners
from paracloud.dialects.records import NativePhase
from paracloud.jobs.given_up import GivenUp, Remains
from paracloud.jobs.show import show
from paracloud.kit.identifiers import submit_tag

__all__ = ["opened"]


async def test_a_centre_that_is_back_gets_nothing_before_each_marker_was_looked_at(opened) -> None:
    office = await opened()
    world, free, started = office.world, await office.queued("7"), await office.queued("8")
    await sicken(office)
    await say_and_give_up(office)
    pinned = (await world.submit(centre=None, partition="cpu")).job
    async with world.database.begin() as session:
        await session.execute(text("UPDATE jobs SET centre = 'east' WHERE id = :job"), {"job": pinned})
    tags = submit_tag(free), submit_tag(started)
    assert list(await world.book.intend(office.lease, limit=10)) == []
    await world.book.cleared(office.lease, tags)
    await world.book.marked(office.lease, {tags[0]: True})
    assert list(await world.book.intend(office.lease, limit=10)) == []
    assert await remains(office) == {free: Remains.FENCED, started: Remains.UNREACHED}
    await world.book.marked(office.lease, {tags[1]: False})
    assert [one.job for one in await world.book.intend(office.lease, limit=10)] == [pinned]
    await world.book.marked(office.lease, {tags[0]: False, tags[1]: True})
    assert await remains(office) == {free: Remains.FENCED, started: Remains.STARTED}
    assert await world.book.remains(office.lease) == [
        GivenUp(free, tags[0], EAST0, Remains.FENCED), GivenUp(started, tags[1], EAST0, Remains.STARTED)
    ]  # fmt: skip
    async with world.database.begin() as session:
        last = (await show(session, world.caller, started)).events[-1]
    assert "it had started at east as well" in last.reason
    assert "不计费" in last.note
    await world.book.cleared(office.lease, tags)
    assert await remains(office) == {}


async def test_what_a_given_up_attempt_ran_is_the_platforms_cost_and_the_user_pays_for_the_new_one_alone(
    opened,
) -> None:
    office = await opened()
    world, job = office.world, await office.queued()
    before = await world.wallet() + await world.held()
    await sicken(office)
    await say_and_give_up(office)
    ran = record(job, "7", elapsed_seconds=3000, ended_at=START + timedelta(seconds=3000), phase=NativePhase.CANCELLED)
    for _ in range(2):
        await world.book.settle(office.lease, [ran], alive=[], read_until=None)
    assert (await world.state(job), await office.job("centre", job)) == ("accepted", "west")
    assert await world.wallet() + await world.held() == before
    cost = 3000 * CORE_SECOND * 4 // 5
    assert await world.balance("expense:duplicates") == -cost
    ((en, zh, amount),) = await notices(office, "given-up-ran")
    assert amount == cost
    assert f"Job {job} was given up at east" in en
    assert "for 3000 s: the centre gets 0.240000 CNY" in en
    assert "课题组不付费" in zh
    more = replace(ran, elapsed_seconds=3600, ended_at=START + timedelta(seconds=3600))
    await world.book.settle(office.lease, [more], alive=[], read_until=None)
    assert [amount for _, _, amount in await notices(office, "given-up-ran")] == [cost, 600 * CORE_SECOND * 4 // 5]
    async with world.database.begin() as session:
        day, lent = timedelta(days=1), await owners(session, EAST)
        found = await reconcile(
            session, EAST, [more], start=START, end=START + day, lent=lent, pinned={}, since=START - day
        )
    assert (found.settled_micro, found.mismatches) == (3600 * CORE_SECOND * 4 // 5, ())
    await end_in_the_west(office, job)
    assert (await world.wallet(), await world.held()) == (before - 600 * CORE_SECOND, 0)
    assert await office.job("charged_micro", job) == 600 * CORE_SECOND
    assert await office.untrue() == {}


async def test_an_attempt_that_never_ran_is_told_to_nobody(opened) -> None:
    office = await opened()
    job = await office.queued()
    await sicken(office)
    await say_and_give_up(office)
    never_ran = {"started_at": None, "elapsed_seconds": 0, "cores": 0, "nodes": 0}
    gone = record(job, "7", phase=NativePhase.CANCELLED, **never_ran)
    assert (await office.world.book.settle(office.lease, [gone], alive=[], read_until=None)).charged == 1
    assert await notices(office, "given-up-ran") == []
    assert await office.job("centre", job) == "west"


async def test_what_a_tenant_runs_under_the_name_of_a_given_up_attempt_is_the_tenants(opened) -> None:
    office = await opened()
    world, job, unheard = office.world, await office.queued(), await untold(office)
    before = await world.wallet() + await world.held()
    await sicken(office)
    await say_and_give_up(office)
    await world.book.settle(office.lease, [record(job, "70")], alive=[], read_until=None)
    assert await world.wallet() + await world.held() == before - 600 * CORE_SECOND
    ran = [record(unheard, "71"), record(unheard, "72", elapsed_seconds=300)]
    await world.book.settle(office.lease, ran, alive=[], read_until=None)
    assert await world.wallet() + await world.held() == before - 900 * CORE_SECOND, "one try was made"
    assert [amount for _, _, amount in await notices(office, "given-up-ran")] == [600 * CORE_SECOND * 4 // 5]
    assert await office.untrue() == {}
