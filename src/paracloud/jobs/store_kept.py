"""Every query on jobs that are kept back, and on what of ours is where they may go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.state import AT_CENTRE, BEFORE_CENTRE, JobState
from paracloud.jobs.store_experience import IS_FREE
from paracloud.jobs.store_moves import WHOLE
from paracloud.jobs.store_rounds import is_kept
from paracloud.jobs.tables import PLACED_AT, AnyRow, JobRow, is_in
from paracloud.jobs.tables_forecasts import ForecastRow
from paracloud.kit.identifiers import CentreName, JobId

RUNS = frozenset({JobState.RUNNING})
_WAITS = (is_in(BEFORE_CENTRE) | (is_in(AT_CENTRE) & is_in(frozenset({JobState.QUEUED})))) & IS_FREE
_TAKEN = func.coalesce(JobRow.cores_taken, JobRow.cores)
_CORES = _TAKEN * JobRow.tasks
_CARDS = JobRow.gpus * JobRow.tasks


async def is_any(session: AsyncSession) -> bool:
    return (await session.execute(select(JobRow.id).where(is_kept()).limit(1))).scalar_one_or_none() is not None


async def shortest(session: AsyncSession, cores_most: int, limit: int) -> Sequence[AnyRow]:
    """Of those that are no wider, whoever is expected to run shortest first: where nothing was foreseen, by the time
    limit."""
    expected = (
        select(ForecastRow.run_p50_seconds)
        .where(ForecastRow.job_id == JobRow.id)
        .order_by(ForecastRow.made_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = _kept().where(cores_most >= _TAKEN)
    query = query.order_by(func.coalesce(expected, JobRow.wall_limit_seconds), JobRow.id).limit(limit)
    return (await session.execute(query)).all()


async def oldest(session: AsyncSession, limit: int) -> Sequence[AnyRow]:
    return (await session.execute(_kept().order_by(JobRow.accepted_at, JobRow.id).limit(limit))).all()


async def sent(session: AsyncSession, centre: CentreName) -> Sequence[AnyRow]:
    """What of ours runs or waits there by now, in the order in which it came: queue, cores, gpus, spec, if it runs,
    when it started, its time limit. One that is kept back is not there."""
    query = (
        select(
            JobRow.queue, _CORES.label("cores"), _CARDS.label("gpus"), JobRow.spec, is_in(RUNS).label("runs"),
            JobRow.started_at, JobRow.wall_limit_seconds,
        )
        .where(JobRow.centre == centre, is_in(BEFORE_CENTRE) | is_in(AT_CENTRE), is_in(RUNS) | (_WAITS & ~is_kept()))
        .order_by(PLACED_AT, JobRow.id)
    )  # fmt: skip
    return (await session.execute(query)).all()


async def awaited(session: AsyncSession) -> frozenset[tuple[str, str]]:
    """Queues in which one of ours waits."""
    query = select(JobRow.centre, JobRow.queue).where(_WAITS & ~is_kept()).distinct()
    return frozenset((centre, queue) for centre, queue in (await session.execute(query)).all())


async def taken(session: AsyncSession, centre: CentreName, queue: str, since: datetime) -> tuple[int, int]:
    """Cores and cards, by ours that wait for this queue, there or here, or started in it since then."""
    is_open = is_in(BEFORE_CENTRE) | is_in(AT_CENTRE)
    takes = _WAITS | (is_in(RUNS) & (JobRow.started_at > since))
    query = select(func.sum(_CORES), func.sum(_CARDS))
    query = query.where(JobRow.centre == centre, JobRow.queue == queue, is_open, takes)
    cores, cards = (await session.execute(query)).one()
    return int(cores or 0), int(cards or 0)


async def let_go(session: AsyncSession, centre: CentreName, of: ColumnElement[bool] | None = None) -> int:
    """They are sent to where they were placed; how many."""
    query = update(JobRow).where(JobRow.centre == centre, is_kept())
    query = (query if of is None else query.where(of)).values(kept=False, reason="")
    result = await session.execute(query.execution_options(synchronize_session=False))
    return int(result.rowcount)  # type: ignore[attr-defined]


async def let_one_go(session: AsyncSession, centre: CentreName, job: JobId) -> None:
    await let_go(session, centre, JobRow.id == job)


def _kept() -> Select[*tuple[Any, ...]]:
    return select(*WHOLE, JobRow.wall_limit_seconds, JobRow.gpus, _TAKEN.label("taken")).where(is_kept())
