"""What a move meets: those who stand before it in the line, and at the new place packages, waits and own nodes."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.full_east import FULL, MINUTE, Office, sicken
from tests.paracloud.jobs.world import EAST, SCRIPT, START, WEST, World, connect, open_world, person

from paracloud.billing.cover import Package, Unit
from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.sell_package import sell_package
from paracloud.centres.account import account_for
from paracloud.jobs import store_waits
from paracloud.jobs.build import build
from paracloud.jobs.market import read_market
from paracloud.jobs.moving import AT_ONCE, MoveStep
from paracloud.jobs.propose_moves import Rerouter
from paracloud.jobs.submit import submit
from paracloud.kit.identifiers import JobId, NativeId, PackageId
from paracloud.kit.money import Money
from paracloud.placement.constraints import Constraints
from paracloud.placement.prediction import Prediction, Quantiles
from paracloud.placement.reroute import MOVES_A_JOB

WIDE = {"nodes": 8, "cores": 32, "free_nodes": 8, "free_cores": 32}
HOUR_UNITS = 3600
"""Core-seconds of a job of one core and an hour."""


@pytest.fixture
def opened(database) -> Callable[..., Awaitable[World]]:
    return lambda **options: open_world(database, **options)


class Short:
    """Foresees short waits everywhere, the shorter one in the west."""

    async def refresh(self, session) -> None: ...

    async def keep(self, *_told, **_more) -> None: ...

    def predict(self, project, user, spec, offer) -> Prediction:
        wait = MINUTE * (2 if offer.centre == WEST else 3)
        return Prediction(Quantiles(wait, wait), Quantiles(MINUTE, MINUTE), "trees")


async def steps(office: Office) -> list[MoveStep]:
    return [one.step for one in await office.world.book.departures(office.lease)]


async def test_those_that_moved_too_often_do_not_stand_before_the_others(opened) -> None:
    office = await Office.open(await opened())
    tired = [await office.queued(str(100 + number)) for number in range(AT_ONCE)]
    async with office.world.database.begin() as session:
        statement = text("UPDATE jobs SET moves = :most, moved_at = :at WHERE id = ANY(:jobs)")
        values = {"most": MOVES_A_JOB, "at": office.world.clock.now(), "jobs": tired}
        await session.execute(statement, values)
    last = await office.queued("500")
    assert await office.look() == [(last, "holding")]


async def test_a_job_with_a_longest_wait_takes_the_place_that_was_foreseen_to_be_soon(opened) -> None:
    office = await Office.open(await opened())
    world = office.world
    world.foresight = Short()
    office.rerouter = Rerouter(world.database, world.clock, world.market)
    await office.shows(WEST, **FULL)
    await office.shows(EAST)
    spec = replace(build(SCRIPT, {}).spec, constraints=Constraints(most_wait=timedelta(hours=1)))
    async with world.database.begin() as session:
        now = world.clock.now()
        market = await read_market(session, now)
        job = (await submit(session, world.caller, world.project, spec, market=market, now=now)).job
    await office.shows(EAST, **FULL)
    await world.book.intend(office.lease, limit=100)
    await world.book.submitted(office.lease, {job: NativeId("7")}, postponed={})
    assert await office.look() == [(job, "holding")]
    await office.leave(job)
    assert await steps(office) == [MoveStep.LEAVING]


@pytest.mark.parametrize("total", [HOUR_UNITS, 2 * HOUR_UNITS])
async def test_a_package_that_pays_at_both_places_is_reserved_once(opened, total: int) -> None:
    office = await Office.open(await opened(funds="1"))
    now = office.world.clock.now()
    package = Package(
        PackageId(uuid4()), office.world.project, "p", Unit.CORE_SECOND, total, 0, 0, 1_000_000, "CNY", None, None,
        None, now, now + timedelta(days=99),
    )  # fmt: skip
    async with office.world.database.begin() as session:
        await sell_package(session, package, person="op", now=now)
    job = await office.queued()
    assert await office.look() == [(job, "holding")]
    await office.leave(job)
    assert await steps(office) == [MoveStep.LEAVING]
    assert await office.world.one("SELECT reserved FROM packages") == HOUR_UNITS
    assert await office.world.held() == 0
    assert await office.untrue() == {}


async def test_the_wait_of_a_job_that_moved_teaches_nothing_of_the_queue_that_it_left(opened) -> None:
    office = await Office.open(await opened())
    world, placed = office.world, office.world.clock.now()
    job: JobId = await office.queued()
    async with world.database.begin() as session:
        await store_waits.add_features(session, job, placed, {"waiting_jobs": 99})
    await office.look()
    await office.depart(job)
    async with world.database.begin() as session:
        statement = "UPDATE jobs SET native_id = '9', submitted_at = :at, started_at = :at, state = 'running'"
        await session.execute(text(f"{statement} WHERE id = :job"), {"at": world.clock.now(), "job": job})
        assert await store_waits.waited(session, placed - MINUTE, 10) == []


async def test_a_job_flees_past_its_customers_own_nodes_for_which_nothing_is_held(opened) -> None:
    office = await Office.open(await opened())
    world = office.world
    async with world.database.begin() as session:
        await connect(session, "north")
    job = await office.accepted()
    own = Dedication(
        new_dedication_id(), world.project, WEST, "cpu", 4, Money.parse("0"), 0, START, None
    )  # fmt: skip
    async with world.database.begin() as session:
        await dedicate(session, own, person="op", now=world.clock.now())
    await sicken(office)
    world.clock.forward(MINUTE)
    await office.rerouter.round(office.lease)
    assert await office.job("centre", job) == "north"


async def test_a_job_flees_to_where_it_is_foreseen_to_do_best_as_it_is_placed_at_first(opened) -> None:
    office = await Office.open(await opened())
    world = office.world
    async with world.database.begin() as session:
        await connect(session, "north")
    job = await office.accepted(objective="soonest")
    await sicken(office)
    world.foresight = Short()
    office.rerouter = Rerouter(world.database, world.clock, world.market)
    await office.rerouter.round(office.lease)
    assert await office.job("centre", job) == WEST, "as free as the north, and sooner"


async def test_a_job_flees_past_the_best_centre_whose_accounts_are_all_taken(opened) -> None:
    office = await Office.open(await opened())
    world = office.world
    job = await office.accepted()
    async with world.database.begin() as session:
        for login in ("wang", "zhao", "sun"):
            other, _ = await person(session, login)
            await account_for(session, WEST, other, now=START)
    await sicken(office)
    await office.rerouter.round(office.lease)
    assert await office.job("centre", job) == EAST, "there is no other"
    async with world.database.begin() as session:
        await connect(session, "zenith")
    world.clock.forward(MINUTE)
    await office.rerouter.round(office.lease)
    assert await office.job("centre", job) == "zenith"
    assert await world.one("SELECT count(*) FROM job_moves WHERE job_id = :job", job=job) == 1


async def wide(office: Office, count: int) -> list[JobId]:
    """Jobs of the east that fit nowhere else."""
    await office.shows(EAST, **WIDE)
    return [(await office.world.submit(ntasks="17")).job for _ in range(count)]


async def test_those_that_have_nowhere_to_flee_to_do_not_stand_before_the_others(opened) -> None:
    office = await Office.open(await opened())
    bound = await wide(office, AT_ONCE)
    last = (await office.world.submit()).job
    await sicken(office)
    await office.rerouter.round(office.lease)
    assert await office.job("centre", last) == EAST
    await office.rerouter.round(office.lease)
    assert await office.job("centre", last) == WEST
    await office.shows(WEST, **WIDE)
    office.world.clock.forward(MINUTE)
    await office.rerouter.round(office.lease)
    assert await office.job("centre", bound[0]) == WEST, "the first are looked at again"


async def test_those_that_wait_and_have_nowhere_to_go_do_not_stand_before_the_others(opened) -> None:
    office = await Office.open(await opened())
    bound = await wide(office, AT_ONCE)
    await office.world.book.intend(office.lease, limit=100)
    answers = {job: NativeId(str(100 + number)) for number, job in enumerate(bound)}
    await office.world.book.submitted(office.lease, answers, postponed={})
    office.world.clock.forward(MINUTE)
    last = await office.queued("500")
    assert await office.look() == []
    assert await office.look(MINUTE) == [(last, "holding")]
    await office.shows(WEST, **WIDE)
    assert (bound[0], "holding") in await office.look(MINUTE)
