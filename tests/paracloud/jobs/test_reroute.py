"""Jobs that wait too long are found, and go to other centres: in PostgreSQL, with prices, wallets and health."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.world import EAST, START, WEST, World, connect, open_world, queue, record

from paracloud.billing.truths import TRUTHS
from paracloud.centres.store import keep_queues
from paracloud.dialects.records import NativePhase
from paracloud.identity.residency import restrict_residency
from paracloud.jobs.foresee import Foresight
from paracloud.jobs.go_at_once import go_at_once
from paracloud.jobs.intend import intend
from paracloud.jobs.market import read_market
from paracloud.jobs.moving import AT_ONCE, HOLDING_MOST, MoveStep, moves_at_once
from paracloud.jobs.propose_moves import Rerouter
from paracloud.jobs.show import show
from paracloud.jobs.wish import hold
from paracloud.kit.errors import Unreachable
from paracloud.kit.identifiers import JobId, NativeId, UnixAccount, submit_tag
from paracloud.kit.lease import Lease
from paracloud.kit.money import Money
from paracloud.placement.constraints import Constraints
from paracloud.placement.reroute import COOL_DOWN, PATIENCE
from paracloud.worker.report import Reporter

MINUTE = timedelta(minutes=1)
FULL = {"free_cores": 0, "free_nodes": 0}


@pytest.fixture
def opened(database) -> Callable[..., Awaitable[World]]:
    return lambda **options: open_world(database, **options)


class Office:
    """A world whose east is full, with its lease."""

    def __init__(self, world: World, lease: Lease) -> None:
        self.world, self.lease = world, lease
        self.rerouter = Rerouter(world.database, world.clock, world.market)

    @classmethod
    async def open(cls, world: World) -> "Office":
        return cls(world, await world.leases(ttl=timedelta(days=1)).claim(EAST))

    async def shows(self, centre, **changes) -> None:
        async with self.world.database.begin() as session:
            await keep_queues(session, centre, [queue(**changes)], self.world.clock.now())

    async def accepted(self, **options) -> JobId:
        """While there was room in the east."""
        await self.shows(EAST)
        job = (await self.world.submit(**options)).job
        await self.shows(EAST, **FULL)
        return job

    async def queued(self, native_id: str = "7", **options) -> JobId:
        job = await self.accepted(**options)
        await self.world.book.intend(self.lease, limit=100)
        await self.world.book.submitted(self.lease, {job: NativeId(native_id)}, postponed={})
        return job

    async def look(self, after: timedelta = PATIENCE + MINUTE) -> list[tuple[UUID, str]]:
        self.world.clock.forward(after)
        await self.rerouter.round(self.lease)
        return [(one.job, one.step.value) for one in await self.world.book.departures(self.lease)]

    async def leave(self, job: JobId) -> None:
        await self.world.book.leave(self.lease, job)

    async def depart(self, job: JobId, native_id: str = "7") -> None:
        await self.leave(job)
        await self.departed(job, native_id)

    async def departed(self, job: JobId, native_id: str = "7") -> None:
        await self.world.book.fenced(self.lease, {job: True})
        never_ran = {"started_at": None, "elapsed_seconds": 0, "cores": 0, "nodes": 0}
        gone = record(job, native_id, phase=NativePhase.CANCELLED, account=UnixAccount("east0"), **never_ran)
        await self.world.book.settle(self.lease, [gone], alive=[], read_until=None)

    async def untrue(self) -> dict[str, object]:
        async with self.world.database.begin() as session:
            found = {name: (await session.execute(text(query))).first() for name, query in TRUTHS.items()}
        return {name: row for name, row in found.items() if row is not None}

    async def job(self, column: str, job: JobId) -> object:
        return await self.world.one(f"SELECT {column} FROM jobs WHERE id = :job", job=job)  # noqa: S608


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
    north = await world.leases("north", timedelta(days=1)).claim("north")
    await world.book.intend(north, limit=10)
    await world.book.submitted(north, {job: NativeId("3")}, postponed={})
    tag, ended = submit_tag(job, 1), world.clock.now()
    done = record(job, "3", tag=tag, name=f"pc-{tag}", account="north0", submitted_at=START, ended_at=ended)
    await world.book.settle(north, [done], alive=[], read_until=None)
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
    north = await world.leases("north", timedelta(days=1)).claim("north")
    await world.book.intend(north, limit=10)
    await world.book.submitted(north, {job: NativeId("3")}, postponed={})
    tag, ended = submit_tag(job, 1), world.clock.now()
    done = record(job, "3", tag=tag, name=f"pc-{tag}", account="north0", submitted_at=START, ended_at=ended)
    await world.book.settle(north, [done], alive=[], read_until=None)
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


async def test_a_job_that_its_scheduler_does_not_hold_is_left_alone_after_a_while(opened) -> None:
    office = await Office.open(await opened())
    job = await office.queued()
    assert await office.look() == [(job, "holding")]
    assert await office.look(HOLDING_MOST + MINUTE) == [(job, "releasing")]


async def sicken(office: Office, minutes: int = 6) -> None:
    reporter, lost = Reporter(office.world.database), Unreachable("The line is cut.", "线路中断。")

    class Post:
        centre, clock = EAST, office.world.clock

    for _ in range(minutes + 1):
        await reporter.health(Post, lost)
        office.world.clock.forward(MINUTE)


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


async def test_a_script_that_names_its_partition_moves_to_the_partition_of_that_name(opened) -> None:
    world = await opened()
    office = await Office.open(world)
    job = await office.queued(partition="cpu")
    assert await office.look() == [(job, "holding")]


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


async def test_a_job_is_not_moved_to_where_its_projects_data_may_not_be(opened) -> None:
    office = await Office.open(await opened())
    await office.queued()
    async with office.world.database.begin() as session:
        await session.execute(text("UPDATE centres SET region = '华北' WHERE name = 'west'"))
        await restrict_residency(session, office.world.project, ["华东"], person="op", now=office.world.clock.now())
    assert await office.look() == []
