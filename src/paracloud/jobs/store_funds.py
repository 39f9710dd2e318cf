"""Every query on jobs whose money is reserved a slice at a time."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.state import BEFORE_CENTRE, JobState
from paracloud.jobs.tables import AnyRow, JobRow, is_in
from paracloud.jobs.tables_funds import FundsRow
from paracloud.kit.bulk import unnested
from paracloud.kit.identifiers import CentreName, JobId

RUNNING = frozenset({JobState.RUNNING})
WAITING = BEFORE_CENTRE | {JobState.QUEUED}
"""What runs nowhere yet."""
COLUMNS = (
    JobRow.id, JobRow.project_id, JobRow.user_id, JobRow.centre, JobRow.queue, JobRow.tasks, JobRow.wall_limit_seconds,
    JobRow.price_version_id, JobRow.held_micro, JobRow.charged_micro, JobRow.state, JobRow.wish, JobRow.started_at,
    FundsRow.cores, FundsRow.nodes, FundsRow.gpus, FundsRow.memory_bytes, FundsRow.resources, FundsRow.slice_seconds,
    FundsRow.grace_seconds, FundsRow.overrun_seconds, FundsRow.signal, FundsRow.held_seconds, FundsRow.running_since,
    FundsRow.warned_at, FundsRow.signalled_at, FundsRow.stop_at, FundsRow.stopping_at, FundsRow.dedication_id,
)  # fmt: skip


async def add(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(FundsRow).values(dict(values)))


async def running(session: AsyncSession, centre: CentreName) -> list[AnyRow]:
    """Those that run there, by id."""
    query = _joined().where(JobRow.centre == centre, is_in(RUNNING), FundsRow.running_since.is_not(None))
    return list((await session.execute(query.order_by(JobRow.id))).all())


async def unpaid(session: AsyncSession, centre: CentreName) -> list[AnyRow]:
    """Those that wait for dedicated nodes there, by id, and of which nothing is held and nothing told."""
    waits = is_in(BEFORE_CENTRE) | is_in(WAITING - BEFORE_CENTRE)  # each half has its partial index
    is_unpaid = (FundsRow.dedication_id.is_not(None), FundsRow.held_seconds == 0, FundsRow.warned_at.is_(None))
    query = _joined().where(JobRow.centre == centre, waits, *is_unpaid)
    return list((await session.execute(query.order_by(JobRow.id))).all())


async def lock(session: AsyncSession, centre: CentreName, jobs: Collection[JobId]) -> dict[JobId, AnyRow]:
    """The jobs' own rows and these, locked by id; those without a slice are left out."""
    query = _joined().where(JobRow.centre == centre, JobRow.id.in_(jobs)).order_by(JobRow.id).with_for_update()
    return {JobId(row.id): row for row in (await session.execute(query)).all()}


async def change(session: AsyncSession, job: JobId, **values: Any) -> None:  # noqa: ANN401  # columns of one row
    await session.execute(update(FundsRow).where(FundsRow.job_id == job).values(**values))


async def keep_since(session: AsyncSession, since: Mapping[JobId, datetime]) -> None:
    """Since when each job's longest task runs, as the centre shows it at this moment."""
    if since:
        new = unnested([FundsRow.job_id, FundsRow.running_since], list(since.items()))
        is_news = FundsRow.running_since.is_distinct_from(new.c.running_since)
        changing = update(FundsRow).where(FundsRow.job_id == new.c.job_id, is_news)
        changing = changing.values(running_since=new.c.running_since)
        await session.execute(changing.execution_options(synchronize_session=False))


async def landed(session: AsyncSession, jobs: Collection[JobId]) -> dict[JobId, bool]:
    """Those that got their signal because money ended, and whether they were stopped then; those that were told so
    while they waited, and never ran, were."""
    never_ran = FundsRow.warned_at.is_not(None) & FundsRow.running_since.is_(None)
    was_stopped = FundsRow.stopping_at.is_not(None) | FundsRow.signalled_at.is_(None)
    query = select(FundsRow.job_id, was_stopped)
    query = query.where(FundsRow.job_id.in_(jobs), FundsRow.signalled_at.is_not(None) | never_ran)
    return {JobId(job): was for job, was in (await session.execute(query)).all()}


def _joined() -> Select[*tuple[Any, ...]]:
    return select(*COLUMNS).join(FundsRow, FundsRow.job_id == JobRow.id)
