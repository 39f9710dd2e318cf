"""What jobs have taught: the queries that a process follows them by."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.state import AT_CENTRE, BEFORE_CENTRE, JobState
from paracloud.jobs.tables import PLACED_AT, WAITS_SINCE, AnyRow, DependencyRow, EventRow, JobRow, TaskRow, is_in

RAN = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.TIMEOUT})
"""Ends that say how long a job runs; one that was cancelled would have run on."""
RUNS = frozenset({JobState.RUNNING})
STARTED = RAN | RUNS
IS_FREE = ~JobRow.starts_held & ~exists().where(DependencyRow.job_id == JobRow.id)
"""Nothing but this one queue keeps it waiting."""
WAITS = or_(is_in(BEFORE_CENTRE), and_(is_in(AT_CENTRE), is_in(frozenset({JobState.QUEUED})))) & IS_FREE
"""For its queue, there or on its way."""


def _taught() -> Select[*tuple[Any, ...]]:
    mean = select(func.avg(TaskRow.elapsed_seconds)).where(TaskRow.job_id == JobRow.id).scalar_subquery()
    script = func.sha256(func.convert_to(JobRow.script, "UTF8")).label("script")
    return select(
        JobRow.id, JobRow.project_id, JobRow.user_id, JobRow.centre, JobRow.queue, JobRow.name, script,
        JobRow.wall_limit_seconds, JobRow.state, WAITS_SINCE.label("waits_since"), JobRow.started_at,
        case((is_in(RAN), mean)).label("ran_seconds"), IS_FREE.label("is_free"),
    )  # fmt: skip


async def newest_event(session: AsyncSession) -> int:
    return (await session.execute(select(func.max(EventRow.id)))).scalar_one() or 0


async def newest_started(session: AsyncSession, limit: int) -> Sequence[AnyRow]:
    """The jobs that were accepted last, of those that run or ran; the first accepted first."""
    query = _taught().where(is_in(STARTED), JobRow.started_at.is_not(None)).order_by(JobRow.id.desc()).limit(limit)
    return list(reversed((await session.execute(query)).all()))


async def moved_after(session: AsyncSession, event: int, limit: int) -> Sequence[tuple[int, UUID]]:
    """Events in which a job began to run or ended, with their numbers, in order."""
    states = [state.value for state in STARTED]
    query = select(EventRow.id, EventRow.job_id).where(EventRow.id > event, EventRow.to_state.in_(states))
    return [(number, job) for number, job in await session.execute(query.order_by(EventRow.id).limit(limit))]


async def taught(session: AsyncSession, jobs: Sequence[UUID]) -> Sequence[AnyRow]:
    query = _taught().where(JobRow.id.in_(jobs), is_in(STARTED), JobRow.started_at.is_not(None)).order_by(JobRow.id)
    return (await session.execute(query)).all()


async def loads(session: AsyncSession) -> Sequence[AnyRow]:
    """By centre, queue and whether they run: how many jobs of ours are there, what they ask for, and since when the
    oldest of them was sent there."""
    cores, runs = JobRow.cores * JobRow.tasks, is_in(RUNS).label("runs")
    query = select(
        JobRow.centre, JobRow.queue, runs, func.count().label("jobs"), func.sum(cores).label("cores"),
        func.sum(cores * JobRow.wall_limit_seconds).label("core_seconds"), func.min(PLACED_AT).label("oldest"),
    )  # fmt: skip
    query = query.where(or_(WAITS, and_(is_in(AT_CENTRE), is_in(RUNS)))).group_by(JobRow.centre, JobRow.queue, runs)
    return (await session.execute(query)).all()
