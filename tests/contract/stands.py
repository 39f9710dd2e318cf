"""What the contract suite of `Book` needs of an implementation: a book over one centre with one funded project."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import text
from tests.paracloud.jobs.world import EAST, SCRIPT, WEST, StillClock, World, open_world
from tests.simulation.line import GoodLine
from tests.simulation.memory_book import MemoryBook
from tests.simulation.memory_leases import MemoryLeases
from tests.simulation.memory_store import MemoryStore
from tests.simulation.rows import CentreRow, Terms

from paracloud.billing.entry import held, wallet
from paracloud.billing.pick import Customer
from paracloud.billing.rate import Price
from paracloud.identity.product_line import ProductLine
from paracloud.jobs import store_moves
from paracloud.jobs.begin_move import begin
from paracloud.jobs.book import Book
from paracloud.jobs.give_up import Fate, give_up
from paracloud.jobs.market import read_market
from paracloud.jobs.offers import offers
from paracloud.jobs.say_gone import say_gone
from paracloud.jobs.spec import Dependency, JobSpec
from paracloud.jobs.state import JobState
from paracloud.jobs.wish import SIGNAL, cancel, hold, release
from paracloud.jobs.written import read_spec
from paracloud.kit.database import Database
from paracloud.kit.identifiers import CentreName, JobId, PriceVersionId, ProjectId, UnixAccount, WorkerId, new_uuid
from paracloud.kit.lease import Lease

LANDING = """
    INSERT INTO job_funds (job_id, cores, nodes, gpus, memory_bytes, slice_seconds, grace_seconds, overrun_seconds,
                           signal, held_seconds, running_since, warned_at)
    VALUES (:job, 1, 1, 0, 1, 60, 60, 0, 'USR1', 120, :now, :now)
"""


SICK = """
    INSERT INTO centre_health (centre, checked_at, failures, failing_since, sick_since, error_en, error_zh)
    VALUES ('east', :now, 9, :now, :now, 'x', 'x')
        ON CONFLICT (centre) DO UPDATE SET failing_since = :now, sick_since = :now
"""


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

    async def claim_west(self) -> Lease:
        """The other centre's, where the project has an account too."""
        ...

    async def accept(self, *, array: str | None = None, after: JobId | None = None, movable: bool = False) -> JobId:
        """A job of one core and an hour at most for each task, in the east; `after`: by afterok."""
        ...

    async def move(self, job: JobId) -> None:
        """Somebody finds that it should go west."""
        ...

    async def move_back(self, job: JobId) -> None:
        """And that it should come east again."""
        ...

    async def give_up(self, job: JobId) -> None:
        """Its centre, the east, is off by a person's word: it begins anew in the west."""
        ...

    async def place(self, job: JobId) -> CentreName: ...

    async def wish(self, job: JobId, kind: str) -> None:
        """cancel, hold or release, as a user asks for it; signal (USR1), as a landing does."""
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
                    text("UPDATE centre_accounts SET project_id = :owner, assigned_at = :at WHERE account = :account"),
                    {"owner": owner, "account": account, "at": world.clock.now()},
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

    async def claim_west(self) -> Lease:
        return await self._world.claim(WEST)

    async def accept(self, *, array: str | None = None, after: JobId | None = None, movable: bool = False) -> JobId:
        options: dict[str, Any] = {"array": array} if array else {}
        options |= {"dependency": f"afterok:{after}"} if after else {}
        options |= {} if movable else {"centre": EAST}
        return (await self._world.submit(**options)).job

    async def move(self, job: JobId, to: CentreName = WEST) -> None:
        async with self._world.database.begin() as session:
            market = await read_market(session, self._world.clock.now())
            row = await store_moves.lock(session, job)
            spec, customer = read_spec(row.spec, row.script), Customer(self._world.project, None)
            place = next(one for one in offers(market, spec, customer) if one.centre == to)
            await begin(session, row, place, ("it is sooner", "更快"), self._world.clock.now())

    async def move_back(self, job: JobId) -> None:
        await self.move(job, EAST)

    async def give_up(self, job: JobId) -> None:
        async with self._world.database.begin() as session:
            now = self._world.clock.now()
            await session.execute(text(SICK), {"now": now})
            word = await say_gone(session, EAST, person="op", reason="no power", now=now)
            fate = await give_up(session, word, job, market=await read_market(session, now), now=now)
            assert fate == Fate(job, None)
            await session.execute(text("UPDATE centre_health SET failing_since = NULL, sick_since = NULL"))

    async def place(self, job: JobId) -> CentreName:
        return CentreName(await self._world.one("SELECT centre FROM jobs WHERE id = :job", job=job))

    async def wish(self, job: JobId, kind: str) -> None:
        async with self._world.database.begin() as session:
            if kind == SIGNAL:
                await session.execute(text(LANDING), {"job": job, "now": self._world.clock.now()})
                await session.execute(text("UPDATE jobs SET wish = 'signal' WHERE id = :job"), {"job": job})
                return
            verb = {"cancel": cancel, "hold": hold, "release": release}[kind]
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


class MemoryStand:
    """The book that the simulation runs on, under the same suite as the one in PostgreSQL."""

    def __init__(self) -> None:
        self.account, self.foreign_account = UnixAccount("east0"), UnixAccount("east1")
        self._project, other = ProjectId(UUID(int=1)), ProjectId(UUID(int=2))
        price = Price(PriceVersionId(UUID(int=3)), ProductLine.GENERAL, Decimal("0.36"), Decimal(3), "CNY")
        owners = {self.account: self._project, self.foreign_account: other}
        there = {UnixAccount("west0"): self._project, UnixAccount("west1"): other}
        self._store = MemoryStore(
            [CentreRow(EAST, Terms(price, 8000), owners), CentreRow(WEST, Terms(price, 8000), there)]
        )
        self._store.ledger.top_up(self._project, 1000 * 10**6)
        self._clock = StillClock()
        self.book = MemoryBook(self._store, GoodLine(), self._clock)
        self._lease: Lease | None = None
        self._claims = 0

    async def claim(self) -> Lease:
        self._claims += 1
        holder = WorkerId(f"worker-{self._claims}")
        ttl, margin = timedelta(seconds=15), timedelta(seconds=3)
        clock = self._clock
        leases = MemoryLeases(self._store, GoodLine(), holder, clock, clock.monotonic, ttl=ttl, margin=margin)
        if self._lease is not None:
            assert self._store.centres[EAST].lease is not None
            self._store.centres[EAST].lease.expires_at = clock.monotonic()
        self._lease = await leases.claim(EAST)
        assert self._lease is not None
        return self._lease

    async def claim_west(self) -> Lease:
        ttl, margin = timedelta(minutes=5), timedelta(seconds=3)
        holder, clock = WorkerId("worker-west"), self._clock
        leases = MemoryLeases(self._store, GoodLine(), holder, clock, clock.monotonic, ttl=ttl, margin=margin)
        lease = await leases.claim(WEST)
        assert lease is not None
        return lease

    async def accept(self, *, array: str | None = None, after: JobId | None = None, movable: bool = False) -> JobId:
        needs = (Dependency("afterok", after),) if after else ()
        place = None if movable else EAST
        spec = JobSpec("x", SCRIPT, timedelta(hours=1), array=array, depends_on=needs, centre=place)
        return self._store.accept(JobId(new_uuid()), EAST, self.account, spec, self._clock.now()).id

    async def move(self, job: JobId) -> None:
        self._store.propose(self._store.job(job), WEST)

    async def move_back(self, job: JobId) -> None:
        self._store.propose(self._store.job(job), EAST)

    async def give_up(self, job: JobId) -> None:
        self._store.give_up(self._store.job(job), WEST, self._clock.now())

    async def place(self, job: JobId) -> CentreName:
        return self._store.job(job).centre

    async def wish(self, job: JobId, kind: str) -> None:
        self._store.wish(job, kind, self._clock.now())

    async def state(self, job: JobId) -> JobState:
        return self._store.job(job).state

    async def held_micro(self) -> int:
        return self._store.ledger.balances[held(self._project)]

    async def wallet_micro(self) -> int:
        return self._store.ledger.balances[wallet(self._project)]

    async def ledger_sum_micro(self) -> int:
        return self._store.ledger.sum_micro()

    def cost_micro(self, core_seconds: int) -> int:
        return core_seconds * 100  # 0.36 yuan an hour

    def forward(self, duration: timedelta) -> None:
        self._clock.forward(duration)
