"""What the contract suite of `Book` needs of an implementation: a book over one centre with one funded project."""

from datetime import timedelta
from typing import Protocol

from sqlalchemy import text
from tests.paracloud.jobs.world import EAST, World, open_world

from paracloud.jobs.book import Book
from paracloud.jobs.state import JobState
from paracloud.jobs.wish import cancel, hold, release
from paracloud.kit.database import Database
from paracloud.kit.identifiers import JobId, UnixAccount
from paracloud.kit.lease import Lease


class Stand(Protocol):
    @property
    def book(self) -> Book: ...

    @property
    def account(self) -> UnixAccount:
        """The funded project's Unix account at the centre."""
        ...

    @property
    def foreign_account(self) -> UnixAccount:
        """Another project's account at the same centre."""
        ...

    async def claim(self) -> Lease:
        """The centre's lease for a new holder: the one before, if any, is fenced off."""
        ...

    async def accept(self, *, array: str | None = None, after: JobId | None = None) -> JobId:
        """A job of one core and an hour at most for each task; `after`: by afterok."""
        ...

    async def wish(self, job: JobId, kind: str) -> None:
        """cancel, hold or release, as a user asks for it."""
        ...

    async def state(self, job: JobId) -> JobState: ...
    async def held_micro(self) -> int: ...
    async def wallet_micro(self) -> int: ...
    async def ledger_sum_micro(self) -> int: ...

    def cost_micro(self, core_seconds: int) -> int:
        """What the project pays for them."""
        ...

    def forward(self, duration: timedelta) -> None:
        """Move the clock."""
        ...


class PostgresStand:
    def __init__(self, world: World) -> None:
        self._world = world
        self.book = world.book
        self.account = UnixAccount("east0")
        self.foreign_account = UnixAccount("east1")
        self._lease: Lease | None = None
        self._claims = 0

    @classmethod
    async def open(cls, database: Database) -> "PostgresStand":
        world = await open_world(database)
        async with database.begin() as session:
            statement = "INSERT INTO organisations SELECT gen_random_uuid(), 'other', 'institute', now() RETURNING id"
            organisation = (await session.execute(text(statement))).scalar_one()
            statement = "INSERT INTO projects SELECT gen_random_uuid(), :organisation, 'other', now() RETURNING id"
            project = (await session.execute(text(statement), {"organisation": organisation})).scalar_one()
            for owner, account in ((world.project, "east0"), (project, "east1")):
                await session.execute(
                    text(
                        "UPDATE centre_accounts SET project_id = :owner, assigned_at = now() WHERE account = :account"
                    ),
                    {"owner": owner, "account": account},
                )
        return cls(world)

    async def claim(self) -> Lease:
        self._claims += 1
        leases = self._world.leases(f"worker-{self._claims}")
        if self._lease is not None:
            await self._world.leases(self._lease.holder).release(self._lease)
        self._lease = await leases.claim(EAST)
        assert self._lease is not None
        return self._lease

    async def accept(self, *, array: str | None = None, after: JobId | None = None) -> JobId:
        options = {"array": array} if array else {}
        options |= {"dependency": f"afterok:{after}"} if after else {}
        return (await self._world.submit(centre=EAST, **options)).job

    async def wish(self, job: JobId, kind: str) -> None:
        verb = {"cancel": cancel, "hold": hold, "release": release}[kind]
        async with self._world.database.begin() as session:
            await verb(session, self._world.caller, job, now=self._world.clock.now())

    async def state(self, job: JobId) -> JobState:
        return JobState(await self._world.state(job))

    async def held_micro(self) -> int:
        return await self._world.held()

    async def wallet_micro(self) -> int:
        return await self._world.wallet()

    async def ledger_sum_micro(self) -> int:
        return await self._world.ledger_sum()

    def cost_micro(self, core_seconds: int) -> int:
        return core_seconds * 100  # 0.36 yuan an hour

    def forward(self, duration: timedelta) -> None:
        self._world.clock.forward(duration)
