"""Jobs that run and are looked after, and what is told of them, held for them and wished."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import pytest
from tests.paracloud.jobs.world import EAST, START, World, open_world

from paracloud.billing.funding import Funding, set_funding
from paracloud.billing.notices import notices_of
from paracloud.billing.top_up import top_up
from paracloud.jobs.book import Move
from paracloud.jobs.fund import Funder
from paracloud.jobs.show import show
from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import JobId, NativeId, new_uuid
from paracloud.kit.lease import Lease
from paracloud.kit.money import Money

SLICES = Funding(hold=timedelta(minutes=10), grace=timedelta(minutes=5))
SECOND = timedelta(seconds=1)


@dataclass
class Flight:
    """Jobs of one core and an hour that run since `start` at 100 micro-yuan a second; 900 s are held at first."""

    world: World
    lease: Lease
    funder: Funder
    start: datetime = START

    async def queued(self, native_id: str = "7", **options) -> JobId:
        book, job = self.world.book, (await self.world.submit(centre=EAST, **options)).job
        await book.intend(self.lease, limit=10)
        await book.submitted(self.lease, {job: NativeId(native_id)}, postponed={})
        return job

    async def running(self, native_id: str = "7", **options) -> JobId:
        job = await self.queued(native_id, **options)
        await self.world.book.observed(
            self.lease, [Move(job, JobState.RUNNING, "RUNNING", "", self.start, "n1", self.start)]
        )
        return job

    async def look(self, seconds: int, *jobs: JobId) -> None:
        """At so many seconds after `start`; the jobs run since then."""
        self.world.clock.forward(self.start + seconds * SECOND - self.world.clock.now())
        await self.funder.round(self.lease, dict.fromkeys(jobs, self.start))

    async def wishes(self) -> list[str]:
        return [wish.kind for wish in await self.world.book.wishes(self.lease)]

    async def deliver(self) -> None:
        await self.world.book.granted(self.lease, await self.world.book.wishes(self.lease))

    async def told(self) -> list[str]:
        async with self.world.database.begin() as session:
            return [one.kind.value for _, one in await notices_of(session, self.world.project)]

    async def events(self, job: JobId) -> list[str]:
        async with self.world.database.begin() as session:
            found = (await show(session, self.world.caller, job)).events
        assert all(one.note for one in found if one.reason)
        return [one.reason.partition(" ")[0].rstrip(":") for one in found if one.reason]

    async def pay(self, amount: str) -> None:
        async with self.world.database.begin() as session:
            now = self.world.clock.now()
            await top_up(session, self.world.project, Money.parse(amount), key=str(new_uuid()), person="op", now=now)


async def flight(database, funds: str, **changes) -> Flight:
    world = await open_world(database, funds=funds)
    async with database.begin() as session:
        await set_funding(session, world.project, SLICES if not changes else Funding(**changes))
    return Flight(world, await world.claim(), Funder(database, world.clock))


@pytest.fixture
def fly(database):
    return partial(flight, database)
