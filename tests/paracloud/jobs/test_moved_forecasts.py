"""What is said of a job where it was handed over to: shown, held against what comes there, and learnt from."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.full_east import MINUTE, Office, sicken
from tests.paracloud.jobs.world import EAST, SCRIPT, WEST, World, open_world

from paracloud.jobs import store_waits
from paracloud.jobs.book import Move
from paracloud.jobs.build import build
from paracloud.jobs.calibration import Calibration, CentreCalibration, calibrations
from paracloud.jobs.foresee import Foresight
from paracloud.jobs.market import customer_of, read_market
from paracloud.jobs.offers import offers
from paracloud.jobs.show import Forecast, show
from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import CentreName, JobId, NativeId
from paracloud.placement.waits import Features

DAY, SECOND, WAITED = timedelta(days=1), timedelta(seconds=1), timedelta(seconds=90)
NONE = Calibration(0, None, None)
NOTHING_SAID = CentreCalibration(EAST, NONE, NONE, NONE, 0)


@pytest.fixture
def opened(database) -> Callable[[], Awaitable[Office]]:
    return lambda: foreseeing(database)


async def foreseeing(database) -> Office:
    """The east is full, and whoever places and hands over foresees."""
    world = await open_world(database)
    world.foresight = Foresight(world.clock)
    return await Office.open(world)


async def moved(office: Office) -> JobId:
    """Handed over to the west now, long after it was accepted."""
    job = await office.queued()
    assert await office.look(DAY) == [(job, "holding")]
    await office.depart(job)
    assert await office.job("centre", job) == WEST
    return job


async def shown(world: World, job: JobId) -> Forecast | None:
    async with world.database.begin() as session:
        return (await show(session, world.caller, job)).forecast


async def starts(world: World, job: JobId, after: timedelta) -> None:
    """In the west."""
    lease = await world.claim(WEST)
    await world.book.intend(lease, limit=10)
    await world.book.submitted(lease, {job: NativeId("3")}, postponed={})
    world.clock.forward(after)
    now = world.clock.now()
    await world.book.observed(lease, [Move(job, JobState.RUNNING, "RUNNING", "", now, "n1", now)])


async def calibrated(world: World) -> dict[CentreName, CentreCalibration]:
    now = world.clock.now()
    async with world.database.begin() as session:
        return {one.centre: one for one in await calibrations(session, since=now - 9 * DAY, now=now)}


async def learnt(world: World) -> list[tuple[Features, datetime, timedelta]]:
    async with world.database.begin() as session:
        found = await store_waits.waited(session, world.clock.now() - 9 * DAY, 10)
    return [(Features(**one.features), one.placed_at, one.started_at - one.placed_at) for one in found]


async def test_a_job_that_moved_shows_what_is_expected_at_its_new_place_and_the_old_word_is_kept(opened) -> None:
    office = await opened()
    world = office.world
    job = await office.queued()
    before = await shown(world, job)
    assert (before.centre, before.made_at) == (EAST, world.clock.now())
    await office.look(DAY)
    await office.depart(job)
    after = await shown(world, job)
    assert (after.centre, after.queue, after.made_at) == (WEST, "cpu", world.clock.now())
    said = await world.one("SELECT array_agg(centre ORDER BY made_at) FROM job_forecasts WHERE job_id = :job", job=job)
    assert said == [EAST, WEST]


async def test_what_flees_a_sick_centre_is_told_of_at_its_new_place(opened) -> None:
    office = await opened()
    job = await office.accepted()
    await sicken(office)
    await office.rerouter.round(office.lease)
    found = await shown(office.world, job)
    assert (found.centre, found.made_at) == (WEST, office.world.clock.now())


async def test_of_a_place_of_which_nobody_foresaw_anything_nothing_is_shown(opened) -> None:
    office = await opened()
    job = await office.queued()
    assert await shown(office.world, job) is not None
    office.world.foresight = None
    await office.look(DAY)
    await office.depart(job)
    assert await shown(office.world, job) is None


async def test_a_job_is_handed_over_to_a_place_that_is_not_on_the_market_any_more_and_nothing_is_said(opened) -> None:
    office = await opened()
    job = await office.queued()
    assert await office.look(DAY) == [(job, "holding")]
    await office.leave(job)
    async with office.world.database.begin() as session:
        await session.execute(text("DELETE FROM queues WHERE centre = 'west'"))
    await office.departed(job)
    assert await office.job("centre", job) == WEST
    assert await shown(office.world, job) is None


async def test_the_wait_of_a_moved_job_teaches_of_its_new_place_from_when_it_was_handed_over(opened) -> None:
    office = await opened()
    job = await moved(office)
    arrived = office.world.clock.now()
    await starts(office.world, job, WAITED)
    ((known, placed_at, waited),) = await learnt(office.world)
    assert (placed_at, waited) == (arrived, WAITED)
    assert known.free_cores > 0, "as in the west, not in the full east"


async def test_the_wait_of_a_moved_job_counts_at_its_new_centre_from_when_it_was_handed_over(opened) -> None:
    office = await opened()
    job = await moved(office)
    await starts(office.world, job, WAITED)
    found = await shown(office.world, job)
    ratio = WAITED / found.wait.p50
    assert (await calibrated(office.world))[WEST].wait == Calibration(
        1, float(found.wait.p90 >= WAITED), pytest.approx(ratio)
    )


@pytest.mark.parametrize(("p90", "counted"), [(DAY - SECOND, Calibration(1, 0.0, None)), (DAY, NONE)])
async def test_a_job_that_left_after_longer_than_was_said_is_a_miss_of_the_centre_that_it_left(
    opened, p90: timedelta, counted: Calibration
) -> None:
    """And one that left before is nothing: nobody knows how long it would have waited."""
    office = await opened()
    office.world.foresight = None
    job = await office.queued()
    async with office.world.database.begin() as session:
        said = "INSERT INTO job_forecasts VALUES (:job, :at, 'east', 'cpu', 1, :p90, 1, 1, 0, 0, 'plain')"
        values = {"job": job, "at": office.world.clock.now(), "p90": int(p90.total_seconds())}
        await session.execute(text(said), values)
    assert await office.look(DAY) == [(job, "holding")]
    await office.depart(job)
    told = await calibrated(office.world)
    assert told.get(EAST, NOTHING_SAID).wait == counted


async def test_a_moved_job_is_among_those_that_wait_at_its_new_place_and_then_among_those_that_waited(opened) -> None:
    office = await opened()
    job = await moved(office)
    office.world.clock.forward(MINUTE)
    there = await known(office.world, WEST)
    assert (there.waiting_jobs, there.oldest_wait) == (1, 60)
    await starts(office.world, job, WAITED)
    there = await known(office.world, WEST)
    assert (there.waiting_jobs, there.hour_waits, there.hour_p50) == (0, 1, 60 + 90)


async def known(world: World, centre: CentreName) -> Features:
    spec, foresight = build(SCRIPT, {}).spec, Foresight(world.clock)
    async with world.database.begin() as session:
        market = await read_market(session, world.clock.now(), foresight)
        customer = await customer_of(session, world.project, market)
    offer = next(one for one in offers(market, spec, customer) if one.centre == centre)
    return foresight.features(world.project, world.caller.user, spec, offer)
