"""Where a job that leaves goes: a place that it may have, that can be paid, and that is paid for first."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.full_east import MINUTE, Office, opened
from tests.paracloud.jobs.world import START, WEST, connect, record

from paracloud.identity.residency import restrict_residency
from paracloud.jobs.moving import MoveStep
from paracloud.kit.identifiers import NativeId, submit_tag
from paracloud.kit.money import Money
from paracloud.placement.constraints import Constraints
from paracloud.placement.reroute import COOL_DOWN

__all__ = ["opened"]


@pytest.mark.parametrize(
    "asks",
    [{"objective": "soonest"}, {"constraints": Constraints(most_cost=Money(720_000))}],
    ids=["hurry", "max-cost"],
)
async def test_a_dearer_place_is_paid_for_before_anything_is_given_up(opened, asks) -> None:
    """By who is in a hurry, and by who has named the most that it may cost."""
    world = await opened()
    office = await Office.open(world)
    async with world.database.begin() as session:
        await session.execute(text("DELETE FROM queues WHERE centre = 'west'"))
        await connect(session, "north", price="0.72")
    job = await office.queued(**asks)
    before = await world.wallet() + await world.held()
    assert await world.held() == 360_000
    assert await office.look() == [(job, "holding")]
    await office.leave(job)
    assert (await world.held(), await office.job("held_micro", job)) == (720_000, 720_000)
    await office.depart(job)
    assert (await world.held(), await office.job("held_micro", job)) == (720_000, 720_000)
    assert await office.untrue() == {}
    await _completes_at_north(world, job)
    assert (await office.job("state", job), await world.held()) == ("completed", 0)
    assert await world.wallet() == before - 600 * 200
    assert await office.untrue() == {}


async def test_at_a_cheaper_place_the_job_costs_what_that_one_costs(opened) -> None:
    world = await opened()
    office = await Office.open(world)
    job = await office.queued()
    async with world.database.begin() as session:
        await session.execute(text("DELETE FROM queues WHERE centre = 'west'"))
        await connect(session, "north", price="0.18")
    before = await world.wallet() + await world.held()
    assert await office.look() == [(job, "holding")]
    await office.leave(job)
    await office.depart(job)
    assert (await office.job("centre", job), await world.held()) == ("north", 360_000)
    await _completes_at_north(world, job)
    assert (await world.held(), await world.wallet()) == (0, before - 600 * 50)
    assert await office.untrue() == {}


async def test_a_place_that_cannot_be_paid_is_not_taken_and_the_job_stays(opened) -> None:
    world = await opened(funds="0.5")
    office = await Office.open(world)
    async with world.database.begin() as session:
        await session.execute(text("DELETE FROM queues WHERE centre = 'west'"))
        await connect(session, "north", price="0.72")
    job = await office.queued(objective="soonest")
    assert await office.look() == [(job, "holding")]
    await office.leave(job)
    assert [one.step for one in await world.book.departures(office.lease)] == [MoveStep.RELEASING]
    assert (await world.held(), await world.wallet()) == (360_000, 140_000)
    reason = await world.one("SELECT reason FROM job_events WHERE job_id = :job ORDER BY id DESC LIMIT 1", job=job)
    assert reason.startswith("stays at east/cpu, and is not moved to north/cpu: The job can cost up to 0.72")
    lent = "SELECT count(*) FROM centre_accounts WHERE centre = 'north' AND project_id IS NOT NULL"
    assert await world.one(lent) == 0
    assert await office.untrue() == {}


async def test_a_place_that_is_gone_is_not_taken_and_who_asked_for_the_cheapest_gets_no_dearer_one(opened) -> None:
    world = await opened()
    office = await Office.open(world)
    job = await office.queued()
    assert await office.look() == [(job, "holding")]
    async with world.database.begin() as session:
        await connect(session, "north", price="0.72")
    await office.shows(WEST, is_up=False)
    await office.leave(job)
    assert [one.step for one in await world.book.departures(office.lease)] == [MoveStep.RELEASING]
    assert await office.look(COOL_DOWN + MINUTE) == [(job, "releasing")]


async def test_a_script_that_names_its_partition_moves_to_the_partition_of_that_name(opened) -> None:
    world = await opened()
    office = await Office.open(world)
    job = await office.queued(partition="cpu")
    assert await office.look() == [(job, "holding")]


async def test_a_job_is_not_moved_to_where_its_projects_data_may_not_be(opened) -> None:
    office = await Office.open(await opened())
    await office.queued()
    async with office.world.database.begin() as session:
        await session.execute(text("UPDATE centres SET region = '华北' WHERE name = 'west'"))
        await restrict_residency(session, office.world.project, ["华东"], person="op", now=office.world.clock.now())
    assert await office.look() == []


async def _completes_at_north(world, job) -> None:
    """Where it was moved to."""
    north = await world.leases("north", timedelta(days=1)).claim("north")
    await world.book.intend(north, limit=10)
    await world.book.submitted(north, {job: NativeId("3")}, postponed={})
    tag, ended = submit_tag(job, 1), world.clock.now()
    done = record(job, "3", tag=tag, name=f"pc-{tag}", account="north0", submitted_at=START, ended_at=ended)
    await world.book.settle(north, [done], alive=[], read_until=None)
