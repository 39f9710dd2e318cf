"""Jobs that wait too long are found, and go to other centres: in PostgreSQL, with prices, wallets and health."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.full_east import MINUTE, Office, opened, sicken
from tests.paracloud.jobs.world import EAST, START, WEST, record

from paracloud.dialects.records import NativePhase
from paracloud.jobs.foresee import Foresight
from paracloud.jobs.go_at_once import go_at_once
from paracloud.jobs.intend import intend
from paracloud.jobs.market import read_market
from paracloud.jobs.moving import AT_ONCE, HOLDING_MOST, moves_at_once
from paracloud.jobs.show import show
from paracloud.jobs.wish import hold
from paracloud.kit.identifiers import UnixAccount, submit_tag
from paracloud.placement.reroute import COOL_DOWN, PATIENCE

__all__ = ["opened"]


async def test_a_job_that_waits_too_long_moves_and_its_page_says_why(opened) -> None:
    office = await Office.open(await opened())
    job = await office.queued(centre=None)
    assert await office.look(PATIENCE - MINUTE) == []
    assert await office.look(2 * MINUTE) == [(job, "holding")]
    assert await office.look(MINUTE) == [(job, "holding")]
    await office.depart(job)
    assert (await office.job("centre", job), await office.job("state", job)) == ("west", "accepted")
    async with office.world.database.begin() as session:
        shown = await show(session, office.world.caller, job)
    assert "moved from east/cpu to west/cpu because it has waited" in shown.events[-1].reason
    assert "由 east/cpu 改派至 west/cpu" in shown.events[-1].note
    assert shown.summary.why_en == shown.events[-1].reason
    assert await office.untrue() == {}


async def test_a_forecast_says_when_a_job_is_late(opened) -> None:
    office = await Office.open(await opened())
    job = await office.queued()
    async with office.world.database.begin() as session:
        values = "(:job, :at, 'east', 'cpu', 1, 61, 1, 1, 0, 0, 'trees')"
        statement = text(f"INSERT INTO job_forecasts VALUES {values}")  # noqa: S608
        await session.execute(statement, {"job": job, "at": START})
    assert await office.look(timedelta(seconds=61)) == []
    assert await office.look(timedelta(seconds=4)) == [(job, "holding")]


async def test_what_the_plain_rule_says_of_a_full_queue_makes_no_job_wait_a_day(opened) -> None:
    office = await Office.open(await opened())
    job = await office.queued()
    async with office.world.database.begin() as session:
        values = "(:job, :at, 'east', 'cpu', 3600, 86400, 1, 1, 0, 0, 'plain')"
        statement = text(f"INSERT INTO job_forecasts VALUES {values}")  # noqa: S608
        await session.execute(statement, {"job": job, "at": START})
    assert await office.look(PATIENCE - MINUTE) == []
    assert await office.look(2 * MINUTE) == [(job, "holding")]


@pytest.mark.parametrize(
    "options",
    [
        {"centre": "east"}, {"array": "1-3"}, {"hold": "true"}, {"requeue": "true"}, {"constraint": "fast"},
        {"movable": False},
    ],
    ids=str,
)  # fmt: skip
async def test_a_job_that_is_bound_to_its_place_stays(opened, options) -> None:
    office = await Office.open(await opened())
    await office.queued(**options)
    assert await office.look() == []


async def test_a_job_that_others_need_or_that_needs_others_stays(opened) -> None:
    office = await Office.open(await opened())
    first = await office.queued()
    await office.queued("8", dependency=f"afterok:{first}")
    assert await office.look() == []


async def test_a_job_that_started_was_held_or_was_moved_a_moment_ago_stays(opened) -> None:
    office = await Office.open(await opened())
    held, fresh = await office.queued("7"), await office.queued("8")
    async with office.world.database.begin() as session:
        await hold(session, office.world.caller, held, now=office.world.clock.now())
    await office.world.book.granted(office.lease, await office.world.book.wishes(office.lease))
    assert await office.look() == [(fresh, "holding")]
    async with office.world.database.begin() as session:
        await session.execute(text("UPDATE jobs SET movable = false WHERE id = :job"), {"job": fresh})
    await office.leave(fresh)
    async with office.world.database.begin() as session:
        await session.execute(text("UPDATE jobs SET movable = true WHERE id = :job"), {"job": fresh})
    assert await office.look(COOL_DOWN - MINUTE) == [(fresh, "releasing")]
    assert await office.look(2 * MINUTE) == [(fresh, "holding")]


@pytest.mark.parametrize("foresees", [False, True])
async def test_no_more_jobs_move_than_the_other_centre_has_room_for(opened, foresees: bool) -> None:
    world = await opened()
    world.foresight = Foresight(world.clock) if foresees else None
    office = await Office.open(world)
    jobs = [await office.queued(str(number), ntasks="4") for number in range(7, 13)]
    await office.shows(WEST, free_cores=9, free_nodes=2)
    assert [job for job, _ in await office.look(2 * PATIENCE)] == jobs[:2]
    assert [job for job, _ in await office.look(MINUTE)] == jobs[:2]
    assert len(jobs) < AT_ONCE


async def test_no_more_jobs_leave_a_centre_at_once_than_its_budget_of_commands_bears(opened) -> None:
    office = await Office.open(await opened())
    async with office.world.database.begin() as session:
        await session.execute(text("UPDATE centres SET commands_per_minute = 12 WHERE name = 'east'"))
    first, second, third = [await office.queued(str(number)) for number in range(7, 10)]
    assert await office.look() == [(first, "holding")]
    assert await office.look(MINUTE) == [(first, "holding")]
    await office.depart(first)
    assert await office.look(MINUTE) == [(second, "holding")]
    assert await office.look(HOLDING_MOST + MINUTE) == [(second, "releasing"), (third, "holding")]


@pytest.mark.parametrize(("commands", "moves"), [(1, 1), (12, 1), (24, 2), (60, 5), (240, AT_ONCE), (6000, AT_ONCE)])
def test_moves_take_a_fourth_of_a_centres_commands_at_the_most_but_one_goes_always(commands: int, moves: int) -> None:
    assert moves_at_once(commands) == moves


async def test_a_job_that_its_scheduler_does_not_hold_is_left_alone_after_a_while(opened) -> None:
    office = await Office.open(await opened())
    job = await office.queued()
    assert await office.look() == [(job, "holding")]
    assert await office.look(HOLDING_MOST + MINUTE) == [(job, "releasing")]


async def test_what_a_sick_centre_knows_nothing_of_goes_elsewhere_at_once(opened) -> None:
    office = await Office.open(await opened())
    free, pinned, tried = await office.accepted(), await office.accepted(centre="east"), await office.accepted()
    async with office.world.database.begin() as session:
        await session.execute(text("UPDATE jobs SET tries = 1, state = 'submitting' WHERE id = :job"), {"job": tried})
    assert await office.look(timedelta(0)) == []
    assert await office.job("centre", free) == "east"
    await sicken(office)
    await office.rerouter.round(office.lease)
    assert [await office.job("centre", one) for one in (free, pinned, tried)] == ["west", "east", "east"]
    assert (await office.job("moves", free), await office.job("account", free)) == (1, "west0")
    assert await office.untrue() == {}
    west = await office.world.leases("west", timedelta(days=1)).claim(WEST)
    async with office.world.database.begin() as session:
        (dispatch,) = await intend(session, WEST, limit=10, now=office.world.clock.now())
    assert (dispatch.job, dispatch.tag, west.name) == (free, submit_tag(free, 1), WEST)
    reason = await office.world.one("SELECT why_en FROM jobs WHERE id = :job", job=free)
    assert reason == "moved from east/cpu to west/cpu because east does not answer and knew nothing of it yet"


async def test_a_job_that_needs_one_that_is_leaving_goes_where_that_one_goes_and_waits_for_it_there(opened) -> None:
    office = await Office.open(await opened())
    first = await office.queued()
    assert await office.look() == [(first, "holding")]
    await office.leave(first)
    second = (await office.world.submit(dependency=f"afterok:{first}")).job
    assert await office.job("centre", second) == "west"
    west = await office.world.leases("west", timedelta(days=1)).claim(WEST)
    assert list(await office.world.book.intend(west, limit=10)) == []
    await office.world.book.fenced(office.lease, {first: True})
    assert await office.job("movable", first) is False
    never_ran = {"started_at": None, "elapsed_seconds": 0, "cores": 0, "nodes": 0}
    gone = record(first, "7", phase=NativePhase.CANCELLED, account=UnixAccount("east0"), **never_ran)
    await office.world.book.settle(office.lease, [gone], alive=[], read_until=None)
    assert [one.job for one in await office.world.book.intend(west, limit=10)] == [first]


async def test_a_job_whose_intent_came_meanwhile_does_not_go_at_once(opened) -> None:
    office = await Office.open(await opened())
    job, world = await office.accepted(), office.world
    await world.book.intend(office.lease, limit=10)
    async with world.database.begin() as session:
        market = await read_market(session, world.clock.now())
        await go_at_once(session, EAST, job, market=market, now=world.clock.now())
    assert (await office.job("centre", job), await office.job("moves", job)) == ("east", 0)
