"""What every story does: submit, wait, ask the centre itself, and hold our books against its answer."""

import asyncio
import subprocess
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from demo.stage import PRICES, Stage, Tenant

from paracloud.wire.jobs import JobDetailModel, JobRequest

END_SECONDS = 120.0


def script(tenant: Tenant, body: str, *, centre: str | None = "east", **options: str) -> JobRequest:
    wanted = {"partition": "cpu", "time": "5"} | options
    return JobRequest(project=tenant.project, script=f"#!/bin/bash\n{body}\n", options=wanted, centre=centre)


def ended(stage: Stage, tenant: Tenant, job: UUID) -> JobDetailModel:
    stage.wait(lambda: tenant.client.job(job).job.is_final, f"the end of {job}", END_SECONDS)
    return tenant.client.job(job)


def reached(stage: Stage, tenant: Tenant, job: UUID, *states: str) -> JobDetailModel:
    stage.wait(lambda: tenant.client.job(job).job.state in states, f"{job} to be {states}", END_SECONDS)
    return tenant.client.job(job)


def sacct(stage: Stage, centre: str, *arguments: str) -> list[list[str]]:
    """Rows of an own sacct call inside the centre."""
    argv = ["sacct", "-X", "-n", "-P", "-D", "-o", "JobIDRaw,State,CPUTimeRAW,JobName,Partition", *arguments]
    return [line.split("|") for line in stage.lab.centres[centre].exec(argv).stdout.splitlines()]


def price(core_seconds: int, centre: str, queue: str = "cpu") -> int:
    return round(core_seconds * Fraction(PRICES[centre][queue][0]) * 1_000_000 / 3600)


def micro(amount: str) -> int:
    return int(Fraction(amount) * 1_000_000)


def assert_sound(stage: Stage) -> None:
    check = stage.operator.check()
    assert (check.ledger_sum_micro, check.differences) == (0, [])


def assert_charged_as_accounted(stage: Stage, tenant: Tenant, done: JobDetailModel) -> None:
    rows = sacct(stage, done.job.centre, "-j", str(done.job.native_id))
    expected = sum(price(int(row[2]), done.job.centre, done.job.queue) for row in rows)
    assert micro(done.job.charged.amount) == expected
    balance = tenant.client.balance(tenant.project)
    assert micro(balance.held.amount) == 0
    assert_sound(stage)


def names_at(stage: Stage, centre: str) -> list[str]:
    """The names of all executions that the centre's accounting knows, one for each that was ever accepted."""
    return [row[3] for row in sacct(stage, centre)]


def queued_at(stage: Stage, centre: str) -> list[str]:
    """The names of what the centre's scheduler holds at this moment."""
    return stage.lab.centres[centre].exec(["squeue", "-h", "-t", "all", "-o", "%j"]).stdout.split()


def sql(stage: Stage, query: str, *arguments: object) -> list[Any]:
    """Rows of the server's own database."""

    async def ask() -> list[Any]:
        connection = await asyncpg.connect(stage.database_url)
        try:
            return list(await connection.fetch(query, *arguments))
        finally:
            await connection.close()

    return asyncio.run(ask())


def workers(stage: Stage) -> list[int]:
    """Process ids."""
    found = subprocess.run(["pgrep", "-P", str(stage.server_pid)], capture_output=True, text=True, check=True).stdout
    pids = []
    for pid in map(int, found.split()):
        with suppress(FileNotFoundError):
            if b"\0worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                pids.append(pid)
    return pids


def log_lines(stage: Stage, event: str) -> list[str]:
    text = (stage.folder / "server.log").read_text(errors="replace")
    return [line for line in text.splitlines() if f"event={event}" in line or event in line.split()]
