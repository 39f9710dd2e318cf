"""Once a day a model of waits is trained from the jobs of the last weeks, in a process of its own that yields to all
others: it takes seconds of a whole core, and the loops at the centres must not feel it."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store_waits
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import Broken, Unreachable
from paracloud.kit.identifiers import new_uuid
from paracloud.placement.wait_model import FORMAT, LEAST_JOBS
from paracloud.placement.waits import Features

SINCE: Final = timedelta(days=60)
MOST_JOBS: Final = 50_000
PATIENCE: Final = timedelta(minutes=30)
TRAINER: Final = (sys.executable, "-m", "paracloud.placement.wait_trainer")
QUIET: Final = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
"""Threads that wait for work by turning take the core from others."""

Job = tuple[list[float], float, float]
"""As the trainer reads it."""


async def learn_waits(database: Database, clock: Clock) -> bool | None:
    """Whether the new model is used; None where somebody trains on this day already, or too few jobs have waited.
    Broken or Unreachable where the trainer fails; then the day has no model."""
    now = clock.now()
    day = now.astimezone(UTC).date()
    async with database.begin() as session:
        if await store_waits.is_begun(session, day):
            return None
        jobs = await _waited(session, now)
        if len(jobs) < LEAST_JOBS or not await store_waits.begin_training(session, day, now):
            return None
    trained = await _train(jobs)
    if trained is None:
        return None
    values = _values(trained) | {"id": new_uuid(), "trained_at": now}
    async with database.begin() as session:
        await store_waits.add_model(session, values)
    return bool(values["is_used"])


async def _waited(session: AsyncSession, now: datetime) -> list[Job]:
    """Those placed by a program that knew other features are left out."""
    rows = await store_waits.waited(session, now - SINCE, MOST_JOBS)
    return [
        (
            [float(row.features[name]) for name in Features._fields],
            row.placed_at.timestamp(),
            max((row.started_at - row.waits_since).total_seconds(), 0.0),
        )
        for row in rows
        if row.features.keys() == set(Features._fields)
    ]


async def _train(jobs: list[Job]) -> dict[str, Any] | None:
    """As the trainer writes it."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        *TRAINER, stdin=pipe, stdout=pipe, stderr=pipe, env=dict(os.environ) | QUIET
    )
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            out, err = await child.communicate(json.dumps(jobs).encode())
    except TimeoutError as late:
        raise Unreachable(
            f"The trainer of waits was not done within {PATIENCE}.", f"排队时间模型训练未能在 {PATIENCE} 内完成。"
        ) from late
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise Broken(
            "The trainer of waits failed; the log has its last words.",
            "排队时间模型训练失败，详见日志。",
            argv=TRAINER,
            exit_status=child.returncode,
            evidence=err[-2000:],
        )
    trained: dict[str, Any] | None = json.loads(out)
    return trained


def _values(trained: dict[str, Any]) -> dict[str, Any]:
    scores = trained["scores"]
    judged = {name: Decimal(f"{scores[name]:.6f}") for name in ("loss", "plain_loss", "held", "plain_held")}
    return judged | {
        "jobs": trained["jobs"],
        "hours": trained["hours"],
        "judged": scores["jobs"],
        "is_used": judged["loss"] < judged["plain_loss"],
        "format": FORMAT,
        "model": trained["model"],
    }
