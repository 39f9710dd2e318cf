"""A worker's program on a machine of its own: started, stopped, killed and frozen."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.simulation.audited import AuditedBook, AuditedLeases
from tests.simulation.bad_line import BadLine
from tests.simulation.bad_reach import BadReach
from tests.simulation.faults import Faults
from tests.simulation.journal import Journal
from tests.simulation.memory_store import MemoryStore
from tests.simulation.site import Site
from tests.simulation.virtual_clock import VirtualClock
from tests.simulation.virtual_loop import Process, VirtualLoop

from paracloud.centres.budget import CommandBudget
from paracloud.dialects.slurm.dialect import SlurmDialect
from paracloud.jobs.book import Dispatch
from paracloud.jobs.outpost import Outpost, Tenure
from paracloud.jobs.propose_moves import stay_all
from paracloud.kit.errors import Invalid, ParacloudError
from paracloud.kit.identifiers import JobId, UnixAccount, WorkerId
from paracloud.kit.lease import Lease
from paracloud.transports.transport import Transport
from paracloud.worker.duties import Duties
from paracloud.worker.tenure import HeldLease
from paracloud.worker.worker import Worker

TTL, MARGIN = timedelta(seconds=15), timedelta(seconds=3)
PATIENCE = timedelta(seconds=60)
COMMANDS_PER_MINUTE = 60


@dataclass(slots=True)
class World:
    """What all programs share."""

    loop: VirtualLoop
    faults: Faults
    journal: Journal
    store: MemoryStore
    line: BadLine
    reach: BadReach
    sites: Sequence[Site]
    book: type[AuditedBook]
    believed: dict[str, tuple[int, float]]
    refused_by_us: set[JobId]
    processes: list[Process]


class Program:
    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name
        self._starts = 0
        self.process = Process(name)
        self.worker: Worker | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        world = self._world
        self._starts += 1
        self.process = Process(f"{self._name}-{self._starts}")
        world.processes.append(self.process)
        random = world.faults.random
        ahead = timedelta(seconds=random.uniform(-5, 5))
        clock = VirtualClock(world.loop, ahead=ahead, monotonic_from=random.uniform(0, 10**6))
        leases = AuditedLeases(
            world.store, world.line, WorkerId(self.process.name), clock, world.loop.time, ttl=TTL, margin=MARGIN
        )
        leases.watch(world.journal, clock, world.believed)
        book = world.book(world.store, world.line, clock, world.journal)
        posts = [self._outpost(site, clock) for site in world.sites]

        async def outposts() -> Sequence[Outpost]:
            return await world.line.transact(lambda: posts)

        duties = Duties(
            stage=self._stage, report=self._report, probe=_probe, fund=no_funds, reconcile=no_days, reroute=stay_all
        )
        renew_every = (TTL - MARGIN) / 3
        self.worker = Worker(book, leases, outposts, duties, clock, renew_every=renew_every)
        world.journal.note("worker.started", self.process.name)
        self._task = world.loop.spawn(self._run(self.worker), self.process)

    def stop(self) -> None:
        """As a SIGTERM does."""
        if self._task is not None:
            self._world.journal.note("worker.stopped", self.process.name)
            self._task.cancel()

    def kill(self) -> None:
        self._world.journal.note("worker.killed", self.process.name)
        self.process.is_dead = True
        self.worker = None

    async def _run(self, worker: Worker) -> None:
        try:
            await worker.run()
        except Exception as crash:  # noqa: BLE001  # whatever it is, it is a finding
            self._world.journal.violate("a worker's program crashed", repr(crash))

    def _outpost(self, site: Site, clock: VirtualClock) -> Outpost:
        random = self._world.faults.random
        return Outpost(
            centre=site.name,
            service_account=UnixAccount("watcher"),
            patience=PATIENCE,
            dialect=SlurmDialect(lambda: f"pc{random.getrandbits(64):016x}"),
            reach=self._world.reach,
            budget=CommandBudget(COMMANDS_PER_MINUTE, clock),
            clock=clock,
        )

    async def _stage(self, transport: Transport, item: Dispatch) -> None:
        await transport.write(f"{item.request.work_directory}/{item.inputs[0].path}", b"input")
        if self._world.faults.strikes(self._world.faults.stage_refused):
            self._world.refused_by_us.add(item.job)
            raise Invalid("The input is not there any more.", "输入文件已不存在。")

    async def _report(self, outpost: Outpost, trouble: ParacloudError | None) -> None:
        self._world.journal.note("health", outpost.centre, trouble.code if trouble is not None else "well")
        await self._world.line.transact(lambda: None)


async def no_days(outpost: Outpost, lease: HeldLease) -> bool:
    """Nothing is a day old in a simulation."""
    return False


async def no_funds(lease: Lease, since: Mapping[JobId, datetime]) -> None:
    """All that a job can cost is held from its beginning here."""


async def _probe(outpost: Outpost, tenure: Tenure) -> None:
    await outpost.ask(outpost.service_account, outpost.dialect.ping(), tenure, purpose="probe/ping")
