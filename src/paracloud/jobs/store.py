"""Every query that an entrance asks of this room. Those of the worker's rounds are in `store_rounds`."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.moving import Leaving, MoveStep
from paracloud.jobs.state import JobState
from paracloud.jobs.tables import AnyRow, DependencyRow, EventRow, JobRow, TaskRow
from paracloud.jobs.tables_moves import MoveRow
from paracloud.kit.identifiers import CentreName, JobId, PriceVersionId, ProjectId

CHANNEL = "paracloud_jobs"
"""Where an accepted job or a new wish is announced, with the centre's name as payload."""
SUMMARY = (
    JobRow.id, JobRow.project_id, JobRow.user_id, JobRow.centre, JobRow.account, JobRow.queue, JobRow.name,
    JobRow.array, JobRow.tasks, JobRow.tasks_ended, JobRow.cores, JobRow.gpus, JobRow.wall_limit_seconds, JobRow.why_en,
    JobRow.why_zh,
    JobRow.currency, JobRow.held_micro, JobRow.charged_micro, JobRow.state, JobRow.native_id, JobRow.native_state,
    JobRow.reason, JobRow.node_list, JobRow.wish, JobRow.exit_code, JobRow.exit_signal, JobRow.accepted_at,
    JobRow.submitted_at, JobRow.started_at, JobRow.ended_at, JobRow.moves,
)  # fmt: skip
"""All that a list shows: neither script nor spec, which may be large."""
ADD_JOB, ADD_EVENT = insert(JobRow.metadata.tables["jobs"]), insert(JobRow.metadata.tables["job_events"])
ANNOUNCE = text("SELECT pg_notify(:channel, :centre)")
"""Made once and of plain tables: building a statement takes longer than sending it."""


async def add_job(
    session: AsyncSession, values: Mapping[str, Any], needs: Sequence[Mapping[str, Any]], at: datetime
) -> None:
    await session.execute(ADD_JOB, values)
    await session.execute(
        ADD_EVENT, {"job_id": values["id"], "at": at, "from_state": None, "to_state": values["state"]}
    )
    if needs:
        await session.execute(insert(DependencyRow), list(needs))


async def announce(session: AsyncSession, centre: str) -> None:
    """Listeners hear it when the transaction is committed."""
    await session.execute(ANNOUNCE, {"channel": CHANNEL, "centre": centre})


async def summary(session: AsyncSession, job: JobId, projects: Sequence[ProjectId]) -> AnyRow | None:
    query = select(*SUMMARY, JobRow.script, JobRow.spec).where(JobRow.id == job, JobRow.project_id.in_(projects))
    return (await session.execute(query)).one_or_none()


async def page(
    session: AsyncSession,
    projects: Sequence[ProjectId],
    *,
    before: JobId | None,
    limit: int,
    states: Sequence[JobState] = (),
) -> Sequence[AnyRow]:
    """Newest first. Every project walks its own index and gives at most `limit` rows."""
    query: Select[*tuple[Any, ...]] = select(*SUMMARY).where(JobRow.project_id.in_(projects))
    if before is not None:
        query = query.where(JobRow.id < before)
    if states:
        query = query.where(JobRow.state.in_([state.value for state in states]))
    return (await session.execute(query.order_by(JobRow.id.desc()).limit(limit))).all()


async def leaving(session: AsyncSession, jobs: Sequence[JobId]) -> dict[JobId, Leaving]:
    """Those of these jobs whose move to another centre is under way."""
    query = select(MoveRow.job_id, MoveRow.to_centre, MoveRow.to_queue, MoveRow.step)
    rows = (await session.execute(query.where(MoveRow.job_id.in_(jobs), MoveRow.ended_at.is_(None)))).all()
    return {JobId(job): Leaving(CentreName(to), queue, step == MoveStep.RELEASING) for job, to, queue, step in rows}


async def lock(session: AsyncSession, job: JobId, projects: Sequence[ProjectId]) -> AnyRow | None:
    query = select(*SUMMARY, JobRow.tries).where(JobRow.id == job, JobRow.project_id.in_(projects))
    return (await session.execute(query.with_for_update(key_share=True))).one_or_none()


async def change(session: AsyncSession, job: JobId, **values: Any) -> None:  # noqa: ANN401  # columns of one row
    await session.execute(update(JobRow).where(JobRow.id == job).values(**values))


async def prices_of(session: AsyncSession, jobs: Sequence[JobId], *, lock: bool = False) -> dict[JobId, PriceVersionId]:
    """The price version that each was accepted with; `lock` them for who charges them, before any account is."""
    query = select(JobRow.id, JobRow.price_version_id).where(JobRow.id.in_(jobs))
    if lock:
        query = query.order_by(JobRow.id).with_for_update(key_share=True)
    return {JobId(job): PriceVersionId(price) for job, price in (await session.execute(query)).all()}


async def whose(session: AsyncSession, job: JobId) -> tuple[ProjectId, str] | None:
    """Its project and currency."""
    query = select(JobRow.project_id, JobRow.currency).where(JobRow.id == job)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else (ProjectId(row.project_id), row.currency)


async def add_events(session: AsyncSession, events: Sequence[Mapping[str, Any]]) -> None:
    if events:
        await session.execute(insert(EventRow), list(events))


async def tasks(session: AsyncSession, job: JobId, *, after: int, limit: int) -> Sequence[TaskRow]:
    query = select(TaskRow).where(TaskRow.job_id == job, TaskRow.task_index > after)
    return (await session.execute(query.order_by(TaskRow.task_index).limit(limit))).scalars().all()


async def events(session: AsyncSession, job: JobId, *, limit: int) -> Sequence[EventRow]:
    query = select(EventRow).where(EventRow.job_id == job).order_by(EventRow.id.desc()).limit(limit)
    return list(reversed((await session.execute(query)).scalars().all()))


async def needed(session: AsyncSession, project: ProjectId, jobs: Iterable[JobId]) -> dict[JobId, str]:
    """Those of these jobs that belong to the project, with their centres."""
    query = select(JobRow.id, JobRow.centre).where(JobRow.project_id == project, JobRow.id.in_(list(jobs)))
    return {JobId(job): centre for job, centre in (await session.execute(query)).all()}
