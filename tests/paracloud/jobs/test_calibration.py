"""What was said of jobs against what came, in the real database."""

from datetime import timedelta

import pytest
from tests.paracloud.jobs.flight import SECOND, Flight, flight
from tests.paracloud.jobs.test_foresee import ran
from tests.paracloud.jobs.world import EAST, WEST

from paracloud.jobs import store_forecasts
from paracloud.jobs.calibration import Calibration, CentreCalibration, calibrations
from paracloud.kit.identifiers import CentreName, JobId

DAY = timedelta(days=1)
NONE = Calibration(0, None, None)


async def said(sky: Flight, job: JobId, *, wait=(60, 600), run=(300, 900), cost=(60_000, 90_000)) -> None:
    """Now, of its place: P50 and P90 of each; 100 micro-yuan are a second."""
    values = {"job_id": job, "made_at": sky.world.clock.now(), "centre": EAST, "queue": "cpu", "model": "plain"}
    for name, (p50, p90) in (("wait", wait), ("run", run), ("cost", cost)):
        unit = "micro" if name == "cost" else "seconds"
        values |= {f"{name}_p50_{unit}": p50, f"{name}_p90_{unit}": p90}
    async with sky.world.database.begin() as session:
        await store_forecasts.add(session, values)


async def found(sky: Flight, centre: CentreName | None = None) -> list[CentreCalibration]:
    now = sky.world.clock.now()
    async with sky.world.database.begin() as session:
        return list(await calibrations(session, since=now - 30 * DAY, now=now, centre=centre))


@pytest.fixture
async def sky(database) -> Flight:
    return await flight(database, "1000")


async def ends(sky: Flight, native_id: str, *, waited: int, seconds: int) -> None:
    """One of which all is said as it comes."""
    came = sky.world.clock.now()
    await ran(sky, native_id, waited=waited, seconds=seconds)
    went = sky.world.clock.now()
    sky.world.clock.forward(came - went)
    await said(sky, JobId(await sky.world.one("SELECT id FROM jobs WHERE native_id = :it", it=native_id)))
    sky.world.clock.forward(went - came)


async def test_by_centre_it_is_counted_how_often_p90_held_and_how_far_p50_was_off(sky: Flight):
    for number, (waited, seconds) in enumerate([(60, 600), (120, 600), (700, 600), (600, 1200)]):
        await ends(sky, str(number), waited=waited, seconds=seconds)
    (east,) = await found(sky)
    assert (east.centre, east.overdue) == (EAST, 0)
    assert east.wait == Calibration(4, 0.75, 6.0)
    assert east.run == Calibration(4, 0.75, 2.0)
    assert east.cost == Calibration(4, 0.75, 1.0)
    assert await found(sky, WEST) == []
    assert await found(sky, EAST) == [east]


async def test_one_that_still_waits_past_its_p90_is_a_miss_and_before_it_nothing(sky: Flight):
    await said(sky, await sky.queued("9"))
    sky.world.clock.forward(600 * SECOND)
    assert await found(sky) == [CentreCalibration(EAST, NONE, NONE, NONE, 0)]
    sky.world.clock.forward(SECOND)
    assert await found(sky) == [CentreCalibration(EAST, Calibration(1, 0.0, None), NONE, NONE, 1)]


async def test_what_its_user_holds_is_no_wait(sky: Flight):
    await said(sky, await sky.queued("9", hold="true"))
    sky.world.clock.forward(DAY)
    assert await found(sky) == [CentreCalibration(EAST, NONE, NONE, NONE, 0)]


async def test_the_last_word_on_a_job_counts_and_an_old_one_is_out_of_sight(sky: Flight):
    job = await sky.queued("9")
    await said(sky, job, wait=(0, 0))
    sky.world.clock.forward(SECOND)
    await said(sky, job, wait=(60, 9999))
    sky.world.clock.forward(600 * SECOND)
    (east,) = await found(sky)
    assert east.overdue == 0
    sky.world.clock.forward(31 * DAY)
    assert await found(sky) == []
