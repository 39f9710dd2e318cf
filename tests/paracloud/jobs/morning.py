"""A centre with its accounting, on the morning after the day of its connection."""

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.paracloud.jobs.test_settle import Centre
from tests.paracloud.jobs.world import EAST, no_logs, open_world, record

from paracloud.billing.notices import operators_notices
from paracloud.billing.reconciliations import look_at
from paracloud.jobs.outpost import Outpost
from paracloud.jobs.reconcile_due import reconcile_due
from paracloud.kit.identifiers import NativeId

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST = date(2026, 6, 1)
"""The day on which the world's centres were connected."""


def at(day: int, hour: int = 3) -> datetime:
    return datetime(2026, 6, day, hour, tzinfo=UTC)


class Office:
    """One centre with its accounting, and a worker's calls of the duty."""

    def __init__(self, world, lease) -> None:
        self.world, self.lease, self.centre = world, lease, Centre()
        same = self.centre
        self.outpost = Outpost(EAST, "watcher", timedelta(minutes=10), same, same, same, world.clock)

    async def look(self) -> bool:
        return await reconcile_due(self.world.database, no_logs, self.outpost, lambda: self.lease)

    async def settle(self, *records) -> None:
        """As the worker's rounds do, until now."""
        await self.world.book.settle(self.lease, records, alive=[], read_until=self.world.clock.now())

    async def last(self, day: date = FIRST):
        async with self.world.database.begin() as session:
            return await look_at(session, EAST, day)

    async def told(self) -> list[str]:
        async with self.world.database.begin() as session:
            return [one.en for _, one in await operators_notices(session)]


@pytest.fixture
async def office(database):
    """A job of ten minutes ran on the day of the connection; it is the next morning."""
    world = await open_world(database)
    job = (await world.submit()).job
    lease = await world.leases(ttl=400 * DAY).claim(EAST)
    await world.book.intend(lease, limit=5)
    await world.book.submitted(lease, {job: NativeId("7")}, postponed={})
    office = Office(world, lease)
    office.centre.accounted = [record(job, "7")]
    world.clock.forward(20 * HOUR)
    await office.settle(*office.centre.accounted)
    return office
