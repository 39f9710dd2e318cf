"""Every query on jobs that are kept back, and on what of ours is where they may go."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.state import AT_CENTRE, BEFORE_CENTRE, JobState
from paracloud.jobs.store_experience import RUNS, WAITS
from paracloud.jobs.store_moves import WHOLE
from paracloud.jobs.store_rounds import is_kept
from paracloud.jobs.tables import PLACED_AT, AnyRow, EventRow, JobRow, is_in
from paracloud.jobs.tables_forecasts import ForecastRow
from paracloud.kit.identifiers import CentreName, JobId

_TAKEN = func.coalesce(JobRow.cores_taken, JobRow.cores)
_CORES = _TAKEN * JobRow.tasks
_CARDS = JobRow.gpus * JobRow.tasks
_BEGAN = (
    select(func.max(EventRow.at))
    .where(EventRow.job_id == JobRow.id, EventRow.to_state == JobState.RUNNING.value)
    .scalar_subquery()
)
"""When we saw it run: a centre's own clock may be wrong."""


async def is_any(session: AsyncSession) -> bool:
    return (await session.execute(select(JobRow.id).where(is_kept()).limit(1))).scalar_one_or_none() is not None


async def shortest(
    session: AsyncSession,
    limit: int,
    *,
    cores_most: int,
    after: tuple[int, JobId] | None = None,
    without: Collection[JobId] = (),
) -> Sequence[AnyRow]:
    """Of those that ask for no more, whoever is expected to run shortest first (`expected`, in seconds): where nothing
    was foreseen, by the time limit."""
    foreseen = (
        select(ForecastRow.run_p50_seconds)
        .where(ForecastRow.job_id == JobRow.id)
        .order_by(ForecastRow.made_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    expected = func.coalesce(foreseen, JobRow.wall_limit_seconds)
    query = _kept(without).add_columns(expected.label("expected")).where(JobRow.cores <= cores_most)
    if after is not None:
        query = query.where(tuple_(expected, JobRow.id) > after)
    return (await session.execute(query.order_by(expected, JobRow.id).limit(limit))).all()


async def oldest(
    session: AsyncSession, limit: int, *, after: tuple[datetime, JobId] | None = None, without: Collection[JobId] = ()
) -> Sequence[AnyRow]:
    query = _kept(without)
    if after is not None:
        query = query.where(tuple_(JobRow.accepted_at, JobRow.id) > after)
    return (await session.execute(query.order_by(JobRow.accepted_at, JobRow.id).limit(limit))).all()


async def sent(session: AsyncSession, centre: CentreName) -> Sequence[AnyRow]:
    """What of ours runs or waits there by now, in the order in which it came: queue, cores, gpus, spec, if it runs,
    since when by our own clock, its time limit. One that is kept back is not there."""
    query = (
        select(
            JobRow.queue, _CORES.label("cores"), _CARDS.label("gpus"), JobRow.spec, is_in(RUNS).label("runs"),
            _BEGAN.label("began_at"), JobRow.wall_limit_seconds,
        )
        .where(JobRow.centre == centre, is_in(BEFORE_CENTRE) | is_in(AT_CENTRE), is_in(RUNS) | (WAITS & ~is_kept()))
        .order_by(PLACED_AT, JobRow.id)
    )  # fmt: skip
    return (await session.execute(query)).all()


async def awaited(session: AsyncSession) -> frozenset[tuple[str, str]]:
    """Queues in which one of ours waits."""
    query = select(JobRow.centre, JobRow.queue).where(WAITS & ~is_kept()).distinct()
    return frozenset((centre, queue) for centre, queue in (await session.execute(query)).all())


async def taken(session: AsyncSession, centre: CentreName, queue: str, since: datetime) -> tuple[int, int]:
    """Cores and cards, by ours that wait for this queue, there or here, or started in it since then."""
    is_open = is_in(BEFORE_CENTRE) | is_in(AT_CENTRE)
    takes = WAITS | (is_in(RUNS) & (since < _BEGAN))
    query = select(func.sum(_CORES), func.sum(_CARDS))
    query = query.where(JobRow.centre == centre, JobRow.queue == queue, is_open, takes)
    cores, cards = (await session.execute(query)).one()
    return int(cores or 0), int(cards or 0)


async def let_go(session: AsyncSession, centre: CentreName, *, before: datetime | None = None) -> Sequence[JobId]:
    """Those that were accepted before then are sent to where they were placed."""
    query = update(JobRow).where(JobRow.centre == centre, is_kept())
    query = query if before is None else query.where(JobRow.accepted_at < before)
    query = query.values(kept=False, reason="").returning(JobRow.id)
    found = await session.execute(query.execution_options(synchronize_session=False))
    return [JobId(job) for job in found.scalars().all()]


def _kept(without: Collection[JobId]) -> Select[*tuple[Any, ...]]:
    query = select(*WHOLE, JobRow.wall_limit_seconds, JobRow.gpus).where(is_kept())
    return query.where(JobRow.id.not_in(list(without))) if without else query
