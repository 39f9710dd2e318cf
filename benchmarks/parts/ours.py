"""Our own turn: the jobs go through the API, until each is completed and charged."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from demo.stage import Stage, Tenant

from benchmarks.parts.centre import NAME, QUEUE, requests
from benchmarks.parts.figures import cpu_seconds, processes, rss_mib, say
from benchmarks.parts.peers import Turn
from paracloud.client.client import Client
from paracloud.wire.jobs import JobRequest

SCRIPT = "#!/bin/bash\necho $EPOCHREALTIME\n"
"""The native loop's own. What it writes is the moment of its end, to a microsecond; Slurm keeps whole seconds."""
OPEN_STATES = ["accepted", "submitting", "queued", "running", "ending", "vanished"]
LONGER = "#!/bin/bash\nsleep {seconds:.2f}\necho $EPOCHREALTIME\n"
LONGER_JOBS, SHORTEST_SECONDS = 20, 7.0
"""slurmctld tells slurmdbd of new jobs once in five seconds (accounting_storage/slurmdbd, 22.05): of one that ended
before that, accounting does not say whose it is, and nobody can charge it. These here are known before they end."""
LOOK_SECONDS = 0.2
TURN_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class OurTurn:
    turn: Turn
    batch: int
    accept_ms: list[float]
    detect_s: list[float]
    rss_mib: dict[str, float]
    cpu_s: dict[str, float]


def run(stage: Stage, tenant: Tenant, jobs: int, *, batch: int) -> OurTurn:
    """`batch` jobs in a POST; each is sent when the one before it was answered."""
    centre, pids = stage.lab.centres[NAME], processes(stage)
    client = stage.client(tenant.token)
    client.whoami()
    before, cpu_before = requests(centre), {word: cpu_seconds(pids[word]) for word in pids}
    with _watched(stage.database_url, tenant.project) as seen:
        first = time.monotonic()
        accepted = [_accept(client, tenant.project, min(batch, jobs - at)) for at in range(0, jobs, batch)]
        all_accepted = time.monotonic()
        _until_ended(tenant, first)
        ended = time.monotonic()
    turn = Turn(ended - first, all_accepted - first, requests(centre).since(before))
    ids = [job for posted, _ in accepted for job in posted]
    _require_charged(stage, ids)
    cpu = {word: round(cpu_seconds(pids[word]) - cpu_before[word], 2) for word in pids}
    rss = {word: rss_mib(pids[word]) for word in ("api", "worker")}
    return OurTurn(turn, batch, [ms for _, ms in accepted], _detected(stage, ids, seen), rss, cpu)


def _accept(client: Client, project: UUID, jobs: int) -> tuple[list[UUID], float]:
    """One POST: its jobs, and the milliseconds until they were accepted."""
    at = time.monotonic()
    if jobs == 1:
        ids = [_submit(client, project, SCRIPT)]
    else:
        ids = [one.id for one in client.submit_all([_request(project, SCRIPT)] * jobs)]
    return ids, (time.monotonic() - at) * 1000


def detect(stage: Stage, tenant: Tenant) -> list[float]:
    """Seconds from the end to `completed` on our side, of jobs that run long enough to be known before they end; they
    end one by one."""
    with _watched(stage.database_url, tenant.project) as seen:
        ids = [
            _submit(tenant.client, tenant.project, LONGER.format(seconds=SHORTEST_SECONDS + 0.37 * at))
            for at in range(LONGER_JOBS)
        ]
        _until_ended(tenant, time.monotonic())
    return _detected(stage, ids, seen)


def warm_up(stage: Stage, tenant: Tenant) -> None:
    """One job to its end: connections are open, and the round before it has settled what others left at the centre."""
    _submit(tenant.client, tenant.project, SCRIPT)
    _until_ended(tenant, time.monotonic())


def _submit(client: Client, project: UUID, script: str) -> UUID:
    return client.submit(_request(project, script)).id


def _request(project: UUID, script: str) -> JobRequest:
    return JobRequest(project=project, script=script, options={"partition": QUEUE, "time": "5"}, centre=NAME)


def _until_ended(tenant: Tenant, started: float) -> None:
    """By the API alone: none of the project's jobs is open."""
    shown = time.monotonic()
    while tenant.client.jobs(project=str(tenant.project), state=OPEN_STATES, limit=1).items:
        if time.monotonic() - started > TURN_SECONDS:
            raise TimeoutError("our jobs did not end in time")
        if time.monotonic() - shown > 5:
            shown = time.monotonic()
            say(f"  ours: {shown - started:.0f} s, jobs are still open")
        time.sleep(LOOK_SECONDS)


def _require_charged(stage: Stage, ids: list[UUID]) -> None:
    """Each completed, each with exactly one charge, and the books are sound."""
    query = """SELECT count(*) AS jobs, count(*) FILTER (WHERE state = 'completed') AS completed,
                      (SELECT count(*) FROM charges WHERE reference = ANY($2)) AS charges
                 FROM jobs WHERE id = ANY($1)"""
    row = asyncio.run(ask(stage.database_url, query, ids, [str(one) for one in ids]))
    assert tuple(row) == (len(ids),) * 3, f"{row} for {len(ids)} jobs"
    check = stage.operator.check()
    assert (check.ledger_sum_micro, check.differences) == (0, []), check


async def ask(url: str, query: str, *arguments: object) -> asyncpg.Record:
    connection = await asyncpg.connect(url)
    try:
        return (await connection.fetch(query, *arguments))[0]
    finally:
        await connection.close()


@contextmanager
def _watched(url: str, project: UUID) -> Iterator[dict[UUID, float]]:
    """When each job was first seen as completed by an own connection to the database, by the wall clock. A look costs
    it about a millisecond; asking the API for every job would be a load of its own."""
    seen: dict[UUID, float] = {}
    over = threading.Event()
    query = "SELECT id FROM jobs WHERE project_id = $1 AND state = 'completed' AND ended_at > $2"

    async def look() -> None:
        connection = await asyncpg.connect(url)
        began = await connection.fetchval("SELECT now() - interval '5 seconds'")
        while True:
            last = over.is_set()
            for row in await connection.fetch(query, project, began):
                seen.setdefault(row["id"], time.time())
            if last:
                break
            await asyncio.sleep(LOOK_SECONDS)
        await connection.close()

    thread = threading.Thread(target=lambda: asyncio.run(look()))
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _detected(stage: Stage, ids: list[UUID], seen: dict[UUID, float]) -> list[float]:
    """Seconds from what each job wrote at its end to when it was seen as completed."""
    say_ends = 'cd paracloud && for one in "$@"; do echo "$one $(cat "$one"/slurm-*.out)"; done'
    account = stage.lab.centres[NAME].pool[0]
    told = stage.lab.centres[NAME].exec(["bash", "-c", say_ends, "ends", *map(str, ids)], account=account)
    ends = dict(line.split() for line in told.stdout.splitlines())
    return [seen[one] - float(ends[str(one)]) for one in ids]
