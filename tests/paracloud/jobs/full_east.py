"""A world whose east is full, or sick, so that jobs leave it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.world import EAST, World, open_world, queue, record

from paracloud.billing.truths import TRUTHS
from paracloud.centres.store import keep_queues
from paracloud.dialects.records import NativePhase
from paracloud.jobs.propose_moves import Rerouter
from paracloud.kit.errors import Unreachable
from paracloud.kit.identifiers import JobId, NativeId, UnixAccount
from paracloud.kit.lease import Lease
from paracloud.placement.reroute import PATIENCE
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


async def sicken(office: Office, minutes: int = 6) -> None:
    reporter, lost = Reporter(office.world.database), Unreachable("The line is cut.", "线路中断。")

    class Post:
        centre, clock = EAST, office.world.clock

    for _ in range(minutes + 1):
        await reporter.health(Post, lost)
        office.world.clock.forward(MINUTE)
