"""A small world for tests on real PostgreSQL: one funded project, two priced centres, a clock that stands still."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import text

from paracloud.billing.contract import add_contract
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.top_up import top_up
from paracloud.centres.centre import Centre
from paracloud.centres.connect_centre import connect_centre
from paracloud.centres.leases import PostgresLeases
from paracloud.centres.store import keep_queues
from paracloud.dialects.records import AccountingRecord, NativePhase, QueueInfo
from paracloud.identity.add_member import add_member
from paracloud.identity.caller import Caller, Category, Role, Scope
from paracloud.identity.create_organisation import create_organisation
from paracloud.identity.create_project import create_project
from paracloud.identity.create_user import create_user
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.build import build
from paracloud.jobs.ledgered import PostgresBook
from paracloud.jobs.market import Foresees, MarketReader, read_market
from paracloud.jobs.submit import Accepted, submit
from paracloud.kit.database import Database
from paracloud.kit.identifiers import (
    CentreName,
    JobId,
    NativeId,
    PriceVersionId,
    ProjectId,
    TokenId,
    UnixAccount,
    WorkerId,
    new_uuid,
    submit_tag,
)
from paracloud.kit.lease import Lease
from paracloud.kit.money import Money

START = datetime(2026, 6, 1, 8, tzinfo=UTC)
EAST, WEST = CentreName("east"), CentreName("west")
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="
GIB = 1 << 30
SCRIPT = "#!/bin/sh\n#SBATCH --time=60\ntrue\n"


@dataclass
class StillClock:
    """Wall time moves only when a test says so."""

    at: datetime = START
    seconds: float = 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, duration: timedelta) -> None:
        self.forward(duration)

    def forward(self, duration: timedelta) -> None:
        self.at += duration
        self.seconds += duration.total_seconds()


def queue(name: str = "cpu", **changes) -> QueueInfo:
    values = {
        "name": name, "is_up": True, "is_default": True, "nodes": 4, "cores": 16, "free_cores": 16, "free_nodes": 4,
        "cores_per_node": 4, "memory_per_node_bytes": 8 * GIB, "gpus_per_node": 0, "gpu_model": None, "free_gpus": 0,
        "max_wall": timedelta(days=1), "max_nodes": None,
    }  # fmt: skip
    return QueueInfo(**{**values, **changes})


@dataclass
class World:
    database: Database
    project: ProjectId
    caller: Caller
    clock: StillClock = field(default_factory=StillClock)
    lease: Lease | None = None
    worker: str = "worker-1"
    foresight: Foresees | None = None
    binds_late: bool = False

    @property
    def market(self) -> MarketReader:
        return MarketReader(self.database, self.clock, self.foresight)

    @property
    def book(self) -> PostgresBook:
        return PostgresBook(self.database, self.clock, self.market if self.foresight else None)

    def leases(self, worker: str = "worker-1", ttl: timedelta = timedelta(minutes=5)) -> PostgresLeases:
        return PostgresLeases(self.database, WorkerId(worker), self.clock, ttl=ttl, margin=timedelta(seconds=1))

    async def claim(self, centre: CentreName = EAST) -> Lease:
        lease = await self.leases().claim(centre)
        assert lease is not None
        return lease

    async def submit(self, script: str = SCRIPT, *, caller: Caller | None = None, **options) -> Accepted:
        extra = {
            name: options.pop(name) for name in ("inputs", "centre", "objective", "constraints") if name in options
        }
        movable = options.pop("movable", True)
        spec = build(script, {name.replace("_", "-"): value for name, value in options.items()}, **extra).spec
        spec = replace(spec, movable=movable)
        async with self.database.begin() as session:
            market = await read_market(session, self.clock.now(), self.foresight, binds_late=self.binds_late)
            return await submit(session, caller or self.caller, self.project, spec, market=market, now=self.clock.now())

    async def one(self, query: str, **values):
        async with self.database.begin() as session:
            return (await session.execute(text(query), values)).scalar_one()

    async def state(self, job: JobId) -> str:
        return await self.one("SELECT state FROM jobs WHERE id = :job", job=job)

    async def balance(self, code: str) -> int:
        return await self.one(
            "SELECT coalesce(sum(balance_micro), 0)::bigint FROM ledger_accounts WHERE code = :code", code=code
        )

    async def wallet(self) -> int:
        return await self.balance(f"wallet:{self.project}")

    async def held(self) -> int:
        return await self.balance(f"held:{self.project}")

    async def ledger_sum(self) -> int:
        return await self.one("SELECT coalesce(sum(micro), 0)::bigint FROM ledger_postings")


async def open_world(database: Database, *, funds: str = "1000") -> World:
    async with database.begin() as session:
        project, caller = await person(session, "lin")
        for name in (EAST, WEST):
            await connect(session, name)
        await top_up(session, project, Money.parse(funds), key="first", person="operator", now=START)
    return World(database, project, caller)


async def person(session, login: str, role: Role = Role.MEMBER) -> tuple[ProjectId, Caller]:
    organisation = await create_organisation(session, f"大学 {login}", Category.UNIVERSITY, now=START)
    project = await create_project(session, organisation, "熔体", now=START)
    user = await create_user(session, login, now=START)
    await add_member(session, login, project, role)
    scopes = frozenset({Scope.READ, Scope.WRITE})
    return project, Caller(user, TokenId(uuid4()), login, False, scopes, {project: role})


async def connect(
    session, name: CentreName, *, price: str = "0.36", card: str | None = "3", rule=None, queues=(), accounts: int = 3
) -> None:
    centre = Centre(
        name=name, title_en=name, title_zh=name, host="127.0.0.1", port=22, host_key=HOST_KEY, dialect="slurm",
        service_account=UnixAccount("watcher"), commands_per_minute=60, patience=timedelta(minutes=10),
        overrun=timedelta(0), region="华东", is_enabled=True,
    )  # fmt: skip
    lent = [UnixAccount(f"{name}{number}") for number in range(accounts)]
    await connect_centre(session, centre, lent, dialects=["slurm"], now=START)
    shown = queues or (queue(),)
    await keep_queues(session, name, shown, START)
    for one in shown:
        hours = (Decimal(price), None if card is None else Decimal(card)) if rule is None else (Decimal(0), None)
        version = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, *hours, "CNY", rule)
        await add_price(session, name, one.name, version, person="op", now=START, valid_from=START - timedelta(days=1))
    await add_contract(session, name, 8000, person="op", now=START, valid_from=START - timedelta(days=1))


def record(job: JobId | None, native_id: str, /, **changes) -> AccountingRecord:
    """Ended well after ten minutes on one core, unless it is said otherwise."""
    values = {
        "native_id": NativeId(native_id), "record_id": NativeId(native_id), "task_index": None,
        "restart_count": 0, "tag": submit_tag(job) if job is not None else None,
        "name": f"pc-{job.hex}" if job is not None else "by-hand", "account": UnixAccount("east0"), "queue": "cpu",
        "phase": NativePhase.COMPLETED, "native_state": "COMPLETED", "exit_code": 0, "exit_signal": 0,
        "submitted_at": START, "started_at": START, "ended_at": START + timedelta(seconds=600), "elapsed_seconds": 600,
        "cores": 1, "nodes": 1, "gpus": 0, "memory_bytes": GIB, "node_list": "n1", "raw": "a row",
    }  # fmt: skip
    return AccountingRecord(**{**values, **changes})


async def no_logs(centre, start, end):
    """Of a centre that has no old logs."""
    return ()
