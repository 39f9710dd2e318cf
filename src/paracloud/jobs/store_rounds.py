"""Every query of the worker's rounds. All are about one centre and touch only the rows that the round is about."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, literal_column, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from paracloud.jobs.given_up import Remains
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.state import AT_CENTRE, BEFORE_CENTRE, FINAL, JobState
from paracloud.jobs.tables import AnyRow, DependencyRow, JobRow, TaskRow, WindowRow, is_in
from paracloud.jobs.tables_funds import FundsRow
from paracloud.jobs.tables_moves import MoveRow
from paracloud.kit.identifiers import CentreName, JobId

UNREACHED: ColumnElement[str] = literal_column(f"'{Remains.UNREACHED}'")
"""No parameter, so that the planner sees that the partial index fits."""
LEAVING = (MoveStep.LEAVING.value, MoveStep.CANCELLING.value)
_FINAL = [state.value for state in FINAL]


async def intended(session: AsyncSession, centre: CentreName, now: datetime, limit: int) -> Sequence[JobRow]:
    """Oldest first, locked. A job waits while one that it needs has neither a native id at the same centre nor an end;
    one that a user is changing at this moment is left for the next round. One that is kept back stays here, as long as
    it may go elsewhere and its user wants nothing else of it. Nobody goes there as long as the centre has
    jobs that were given up and whose run markers nobody has looked at."""
    other = aliased(JobRow)
    waits = exists(
        select(DependencyRow.job_id)
        .join(other, other.id == DependencyRow.needs_job_id)
        .where(DependencyRow.job_id == JobRow.id, other.state.not_in(_FINAL))
        .where(other.native_id.is_(None) | (other.centre != JobRow.centre))
    )
    is_unreached = exists(select(MoveRow.id).where(MoveRow.from_centre == centre, MoveRow.remains == UNREACHED))
    query = (
        select(JobRow)
        .where(JobRow.centre == centre, is_in(BEFORE_CENTRE), JobRow.retry_at <= now, ~waits, ~is_unreached)
        .where(~is_kept())
        .order_by(JobRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return (await session.execute(query)).scalars().all()


def is_kept() -> ColumnElement[bool]:
    """It waits here for the first queue that has room."""
    is_untried = (JobRow.state == literal_column(f"'{JobState.ACCEPTED}'")) & (JobRow.tries == 0)
    return JobRow.kept & is_untried & JobRow.movable & JobRow.wish.is_(None)


async def needs(session: AsyncSession, jobs: Collection[JobId]) -> Sequence[AnyRow]:
    """job_id, kind, and the needed job's native_id and state."""
    query = (
        select(DependencyRow.job_id, DependencyRow.kind, JobRow.native_id, JobRow.state)
        .join(JobRow, JobRow.id == DependencyRow.needs_job_id)
        .where(DependencyRow.job_id.in_(jobs))
        .order_by(DependencyRow.job_id, DependencyRow.needs_job_id, DependencyRow.kind)
    )
    return (await session.execute(query)).all()


async def live(session: AsyncSession, centre: CentreName) -> Sequence[AnyRow]:
    query = (
        select(
            JobRow.id, JobRow.moves, JobRow.native_id, JobRow.account, JobRow.state, JobRow.native_state,
            JobRow.reason, JobRow.tasks, JobRow.absent_since,
        )
        .where(JobRow.centre == centre, is_in(AT_CENTRE))
        .order_by(JobRow.id)
    )  # fmt: skip
    return (await session.execute(query)).all()


async def lock(session: AsyncSession, centre: CentreName, jobs: Iterable[JobId]) -> dict[JobId, AnyRow]:
    """Those of these jobs that are at this centre, locked by id, so that no two wait for each other; before any account
    is. A new job that needs one of them does not wait for it."""
    query = (
        select(
            JobRow.id, JobRow.project_id, JobRow.account, JobRow.native_id, JobRow.state, JobRow.array, JobRow.tasks,
            JobRow.started_at, JobRow.absent_since, JobRow.tries, JobRow.tasks_ended,
            JobRow.price_version_id, JobRow.cores, JobRow.moves,
        )
        .where(JobRow.centre == centre, JobRow.id.in_(list(jobs)))
        .order_by(JobRow.id)
        .with_for_update(key_share=True)
    )  # fmt: skip
    return {JobId(row.id): row for row in (await session.execute(query)).all()}


async def change(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Each row has an id and the same columns as the others; all go in one round trip."""
    if rows:
        await session.execute(update(JobRow), list(rows))


async def wishes(session: AsyncSession, centre: CentreName) -> Sequence[AnyRow]:
    """Of a job that is leaving only that it be cancelled: all else is for its new place."""
    leaving = exists(select(MoveRow.id).where(MoveRow.job_id == JobRow.id, MoveRow.step.in_(LEAVING)))
    query = (
        select(JobRow.id, JobRow.native_id, JobRow.account, JobRow.wish, JobRow.moves, FundsRow.signal)
        .outerjoin(FundsRow, FundsRow.job_id == JobRow.id)
        .where(JobRow.centre == centre, JobRow.wish.is_not(None), is_in(AT_CENTRE - {JobState.VANISHED}))
        .where((JobRow.wish == "cancel") | ~leaving)
        .order_by(JobRow.id)
    )
    return (await session.execute(query)).all()


async def grant(session: AsyncSession, centre: CentreName, jobs: Collection[JobId], wish: str) -> None:
    """A newer, different wish stays."""
    of = and_(JobRow.centre == centre, JobRow.id.in_(jobs), JobRow.wish == wish)
    await session.execute(update(JobRow).where(of).values(wish=None))


async def put_tasks(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """The newest run of a task stays, whatever the order in which records come."""
    if not rows:
        return
    statement = upsert(TaskRow)
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["job_id", "task_index"],
            set_={column.name: new[column.name] for column in TaskRow.__table__.c if not column.primary_key},
            where=tuple_(new.submitted_at, new.restart_count) >= tuple_(TaskRow.submitted_at, TaskRow.restart_count),
        ),
        list(rows),
    )


async def fill_tasks(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Tasks that never started: a task that has a record of its own keeps it."""
    if rows:
        await session.execute(upsert(TaskRow).on_conflict_do_nothing(), list(rows))


async def ended_tasks(session: AsyncSession, jobs: Collection[JobId]) -> dict[JobId, int]:
    query = select(TaskRow.job_id, func.count()).where(TaskRow.job_id.in_(jobs)).group_by(TaskRow.job_id)
    return {JobId(job): count for job, count in (await session.execute(query)).all()}


async def tasks(session: AsyncSession, jobs: Collection[JobId]) -> Sequence[TaskRow]:
    query = select(TaskRow).where(TaskRow.job_id.in_(jobs)).order_by(TaskRow.job_id, TaskRow.task_index)
    return (await session.execute(query)).scalars().all()


async def add_charged(session: AsyncSession, amounts: Mapping[JobId, int]) -> None:
    """Micro-units, also negative, on top of what was charged before; all in one round trip."""
    if not amounts:
        return
    table = JobRow.metadata.tables[JobRow.__tablename__]
    statement = (
        update(table)
        .where(table.c.id == bindparam("of_job"))
        .values(charged_micro=table.c.charged_micro + bindparam("more_micro"))
    )
    connection = await session.connection()
    await connection.execute(statement, [{"of_job": job, "more_micro": micro} for job, micro in amounts.items()])


async def read_until(session: AsyncSession, centre: CentreName) -> datetime | None:
    query = select(WindowRow.read_until).where(WindowRow.centre == centre)
    return (await session.execute(query)).scalar_one_or_none()


async def put_read_until(session: AsyncSession, centre: CentreName, until: datetime) -> None:
    """It only moves forward."""
    statement = upsert(WindowRow).values(centre=centre, read_until=until)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["centre"], set_={"read_until": func.greatest(WindowRow.read_until, until)}
        )
    )
