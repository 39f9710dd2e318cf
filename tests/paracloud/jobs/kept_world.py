"""A small grid in which whoever comes has to wait: on real PostgreSQL, with prices and wallets."""

from datetime import datetime, timedelta

from sqlalchemy import text
from tests.paracloud.jobs.world import EAST, START, WEST, World, connect, person, queue

from paracloud.billing.truths import TRUTHS
from paracloud.centres.account import account_for
from paracloud.centres.store import keep_queues
from paracloud.jobs.draw import Drawer
from paracloud.jobs.foresee import Foresight
from paracloud.jobs.market import MarketReader
from paracloud.kit.identifiers import CentreName, JobId, NativeId
from paracloud.kit.lease import Lease

FULL = {"free_cores": 0, "free_nodes": 0}
SECOND = timedelta(seconds=1)


class Grid:
    """Two centres of sixteen cores, both full, with a job of ours waiting in each; whatever comes next has to wait."""

    def __init__(self, world: World, leases: dict[CentreName, Lease]) -> None:
        self.world, self.leases = world, leases
        market = MarketReader(world.database, world.clock, world.foresight, binds_late=True)
        self.drawer = Drawer(world.database, world.clock, market)

    @classmethod
    async def open(cls, world: World, *, waiting: tuple[CentreName, ...] = (EAST, WEST)) -> "Grid":
        world.binds_late, world.foresight = True, Foresight(world.clock)
        leases = world.leases(ttl=timedelta(days=1))
        grid = cls(world, {name: await leases.claim(name) for name in (EAST, WEST)})
        for name in (EAST, WEST):
            await grid.shows(name, **FULL)
        for name in waiting:
            await grid.at(name, str(await world.submit(centre=name, ntasks="16")))
        return grid

    async def join(self, name: str, *, price: str, accounts: int = 3, lent_to: str = "") -> CentreName:
        """Another centre, full; its first account is that project's."""
        centre = CentreName(name)
        async with self.world.database.begin() as session:
            await connect(session, centre, price=price, queues=[queue(**FULL)], accounts=accounts)
            if lent_to:
                project, _ = await person(session, lent_to)
                await account_for(session, centre, project, now=START)
        self.leases[centre] = await self.world.leases(ttl=timedelta(days=1)).claim(centre)
        return centre

    async def begins(self, job: JobId, at: datetime) -> None:
        """To run, as we see it, whatever its centre's clock says."""
        await self.change("UPDATE jobs SET state = 'running', started_at = '1999-01-01Z' WHERE id = :id", id=job)
        event = "INSERT INTO job_events (job_id, at, from_state, to_state) VALUES (:id, :at, 'queued', 'running')"
        await self.change(event, id=job, at=at)

    async def shows(self, centre: CentreName, **changes) -> None:
        async with self.world.database.begin() as session:
            await keep_queues(session, centre, [queue(**changes)], self.world.clock.now())

    async def at(self, centre: CentreName, _what: str = "") -> list[JobId]:
        """What is intended there is queued there."""
        lease = self.leases[centre]
        jobs = [one.job for one in await self.world.book.intend(lease, limit=100)]
        await self.world.book.submitted(lease, {job: NativeId(str(job.int % 10**9)) for job in jobs}, postponed={})
        return jobs

    async def kept(self, **options) -> JobId:
        """A job that is kept back."""
        job = (await self.world.submit(**options)).job
        assert await self.job("kept", job) is True
        return job

    async def draw(self, centre: CentreName) -> bool:
        self.world.clock.forward(3 * SECOND)
        return await self.drawer.round(self.leases[centre])

    async def job(self, column: str, job: JobId) -> object:
        return await self.world.one(f"SELECT {column} FROM jobs WHERE id = :job", job=job)  # noqa: S608

    async def places(self, *jobs: JobId) -> list[tuple[object, object]]:
        return [(await self.job("centre", one), await self.job("kept", one)) for one in jobs]

    async def change(self, statement: str, **values) -> None:
        async with self.world.database.begin() as session:
            await session.execute(text(statement), values)

    async def untrue(self) -> dict[str, object]:
        async with self.world.database.begin() as session:
            found = {name: (await session.execute(text(query))).first() for name, query in TRUTHS.items()}
        return {name: row for name, row in found.items() if row is not None}
