"""One history: a seed in, everything that happened out."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from uuid import UUID

from tests.simulation.audited import AuditedBook
from tests.simulation.bad_line import BadLine
from tests.simulation.bad_reach import BadReach
from tests.simulation.controller import Controller
from tests.simulation.faults import Faults
from tests.simulation.guard import Guard
from tests.simulation.journal import Journal
from tests.simulation.memory_store import MemoryStore
from tests.simulation.nemesis import Nemesis
from tests.simulation.program import Program, World
from tests.simulation.rows import CentreRow, JobRow, Terms
from tests.simulation.site import build_site
from tests.simulation.users import Users
from tests.simulation.verdict import TOP_UP_MICRO, faults_of
from tests.simulation.virtual_loop import Stuck, VirtualLoop

from paracloud.billing.rate import Price
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import PriceVersionId, ProjectId

PROJECTS = (ProjectId(UUID(int=1)), ProjectId(UUID(int=2)))
TERMS = Terms(Price(PriceVersionId(UUID(int=3)), ProductLine.GENERAL, Decimal("0.36"), Decimal(3), "CNY"), 8000)
CALM_SECONDS = 1800.0
REST_SECONDS = 20.0
"""So long all must stay as it is."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a mutant replaces."""

    book: type[AuditedBook] = AuditedBook
    guard: type[Guard] = Guard
    controller: type[Controller] = Controller
    store: type[MemoryStore] = MemoryStore


@dataclass(frozen=True, slots=True)
class History:
    seed: int
    violations: tuple[str, ...]
    hash: str
    steps: int
    virtual_seconds: float
    executions: int
    text: Callable[[], str]


def play(seed: int, parts: Parts = Parts()) -> History:  # frozen
    random = Random(seed)
    loop = VirtualLoop(random)
    journal = Journal(loop)
    world = _world(loop, random, journal, parts)
    with journal.hears_the_log():
        try:
            loop.run_until_complete(_live(world))
        except Stuck as stuck:
            journal.violate("the history has no end", stuck)
        digest = hashlib.sha256(f"{journal.hash()} {loop.steps} {random.getstate()}".encode()).hexdigest()
        history = History(
            seed=seed,
            violations=tuple(journal.violations),
            hash=digest,
            steps=loop.steps,
            virtual_seconds=loop.time(),
            executions=sum(len(site.controller.executions) for site in world.sites),
            text=journal.text,
        )
        loop.run_until_complete(_bury(world))
    loop.close()
    return history


def _world(loop: VirtualLoop, random: Random, journal: Journal, parts: Parts) -> World:
    faults = Faults.draw(random)
    sites = [
        build_site(loop, faults, journal, name, guard=parts.guard, controller=parts.controller)
        for name in ("east", "west")
    ]
    rows = [CentreRow(site.name, TERMS, dict(zip(site.accounts, PROJECTS, strict=True))) for site in sites]
    store = parts.store(rows)
    for project in PROJECTS:
        store.ledger.top_up(project, TOP_UP_MICRO)
    reach = BadReach(loop, faults, {site.name: site.login for site in sites})
    world = World(
        loop=loop,
        faults=faults,
        journal=journal,
        store=store,
        line=BadLine(loop, faults),
        reach=reach,
        sites=sites,
        book=parts.book,
        believed={},
        refused_by_us=set(),
        processes=[],
    )
    store.on_end = lambda row, state: _judge_end(world, row, state)
    store.on_move = lambda row: _judge_move(world, row)
    return world


async def _live(world: World) -> None:
    programs = [Program(world, f"worker-{number}") for number in range(3)]
    for program in programs:
        program.start()
    users, nemesis = Users(world, programs), Nemesis(world, programs)
    seconds = world.faults.seconds(30, 80)
    await asyncio.gather(users.act(seconds), nemesis.act(seconds))
    nemesis.stop()
    world.journal.note("calm")
    await _rest(world, users)
    for fault in faults_of(world, users):
        world.journal.violate(fault)


async def _rest(world: World, users: Users) -> None:
    """Until all has ended and stays so while it is read again and again, or for as long as calm lasts."""
    until = world.loop.time() + CALM_SECONDS
    while world.loop.time() < until:
        if _is_at_rest(world, users):
            await asyncio.sleep(REST_SECONDS)
            if _is_at_rest(world, users):
                return
        await asyncio.sleep(3)


def _is_at_rest(world: World, users: Users) -> bool:
    if world.journal.violations:
        return True
    is_quiet = all(site.accounting.is_final() and not site.controller.is_busy() for site in world.sites)
    return is_quiet and next(faults_of(world, users), None) is None


def _judge_end(world: World, row: JobRow, state: JobState) -> None:
    """Absence is not an outcome: what ends a job that reached its centre is a record, or that there is none."""
    world.journal.note("ended", row.id, state)
    if row.native_id is None or state is JobState.LOST:
        return
    site = next(site for site in world.sites if site.name == row.centre)
    if not site.accounting.of({int(row.native_id)}):
        world.journal.violate("a job was ended without an accounting record", row.id, state)


def _judge_move(world: World, row: JobRow) -> None:
    """No centre gets a job while another may still start it: unless that one has forgotten that it was cancelled, which
    nobody can see, and has to be harmless."""
    world.journal.note("moved", row.id, row.centre)
    controller = next(site for site in world.sites if site.name == row.centre).controller
    native = controller.jobs.get(int(row.native_id or 0))
    is_known = native is not None and native.id not in controller.back_again
    if (
        native is not None
        and is_known
        and native.name == f"pc-{row.tag}"
        and any(task.ended_at is None for task in native.tasks)
    ):
        world.journal.violate("a job was handed over while its old centre had it", row.id, row.centre)
    if controller.executions.get((row.account, f"pc-{row.tag}", None)):
        world.journal.violate("a job was handed over that has run", row.id, row.centre)


async def _bury(world: World) -> None:
    """End every task, those of the dead too, in a world where nothing answers any more."""
    world.line.is_closed = world.reach.is_closed = True
    own = asyncio.current_task()
    for _ in range(20):
        rest = [task for task in asyncio.all_tasks() if task is not own]
        if not rest:
            return
        for task in rest:
            task.cancel()
        for process in world.processes:
            process.is_dead = False
            world.loop.thaw(process)
        await asyncio.wait(rest, timeout=60)
