"""Every query on moves of waiting jobs to other centres."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, insert, select, true, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.moving import MoveStep, OpenMove, TakenPlace
from paracloud.jobs.state import AT_CENTRE, BEFORE_CENTRE, JobState
from paracloud.jobs.tables import PLACED_AT, AnyRow, DependencyRow, JobRow, is_in
from paracloud.jobs.tables_forecasts import ForecastRow
from paracloud.jobs.tables_moves import MoveRow
from paracloud.kit.identifiers import CentreName, JobId, PriceVersionId, ProjectId, UnixAccount
from paracloud.placement.reroute import COOL_DOWN, MOVES_A_JOB
from paracloud.placement.waits import PLAIN

WHOLE = (
    JobRow.id, JobRow.project_id, JobRow.user_id, JobRow.centre, JobRow.account, JobRow.queue, JobRow.script,
    JobRow.spec, JobRow.state, JobRow.native_id, JobRow.wish, JobRow.tries, JobRow.moves, JobRow.movable,
    JobRow.currency, JobRow.accepted_at, JobRow.submitted_at, JobRow.started_at, JobRow.starts_held, JobRow.cores,
    JobRow.kept,
)  # fmt: skip
"""All that a move asks of a job."""
WAITING = frozenset({JobState.QUEUED})
_OPEN = MoveRow.ended_at.is_(None)
Seen = tuple[datetime, JobId]
"""A waiting job by when it was submitted: the next page begins after it."""


async def add(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(MoveRow).values(dict(values)))


async def take(session: AsyncSession, move: int, place: TakenPlace, now: datetime) -> None:
    await change(
        session,
        move,
        now,
        step=MoveStep.LEAVING.value,
        to_account=place.account,
        to_price_version_id=place.price,
    )


async def change(session: AsyncSession, move: int, now: datetime, **values: Any) -> None:  # noqa: ANN401  # columns
    changing = update(MoveRow).where(MoveRow.id == move).values(changed_at=now, **values)
    await session.execute(changing.execution_options(synchronize_session=False))


async def end_open(session: AsyncSession, jobs: Collection[JobId], now: datetime, en: str, zh: str) -> None:
    """These jobs stay where they are."""
    values = {"step": MoveStep.STAYED.value, "changed_at": now, "ended_at": now, "end_en": en, "end_zh": zh}
    changing = update(MoveRow).where(MoveRow.job_id.in_(jobs), _OPEN).values(values)
    await session.execute(changing.execution_options(synchronize_session=False))


async def open_at(session: AsyncSession, centre: CentreName) -> Sequence[AnyRow]:
    """Each move that is under way from this centre: job_id, step, and what the centre knows the job as."""
    query = (
        select(MoveRow.job_id, MoveRow.step, JobRow.native_id, JobRow.account, JobRow.moves)
        .join(JobRow, JobRow.id == MoveRow.job_id)
        .where(MoveRow.from_centre == centre, _OPEN, is_in(AT_CENTRE))
        .order_by(MoveRow.job_id)
    )
    return (await session.execute(query)).all()


async def open_of(session: AsyncSession, jobs: Collection[JobId]) -> dict[JobId, OpenMove]:
    """Locked; the jobs' own rows are before."""
    query = select(MoveRow).where(MoveRow.job_id.in_(jobs), _OPEN).order_by(MoveRow.id).with_for_update()
    rows = (await session.execute(query.execution_options(populate_existing=True))).scalars().all()
    return {JobId(row.job_id): _open_move(row) for row in rows}


async def departed(session: AsyncSession, jobs: Collection[JobId]) -> frozenset[JobId]:
    """Those of these jobs whose run markers are ours."""
    query = select(MoveRow.job_id).where(MoveRow.job_id.in_(list(jobs)), _OPEN, MoveRow.step == MoveStep.CANCELLING)
    return frozenset(JobId(job) for job in (await session.scalars(query)).all()) if jobs else frozenset()


async def is_cancelling(session: AsyncSession, centre: CentreName) -> bool:
    """Whether any job is about to be handed over from this centre."""
    query = select(MoveRow.id).where(MoveRow.from_centre == centre, _OPEN, MoveRow.step == MoveStep.CANCELLING)
    return (await session.execute(query.limit(1))).scalar_one_or_none() is not None


async def too_long_held(session: AsyncSession, centre: CentreName, before: datetime) -> list[JobId]:
    of = (MoveRow.from_centre == centre, _OPEN, MoveRow.step == MoveStep.HOLDING, MoveRow.began_at < before)
    return [JobId(job) for job in (await session.scalars(select(MoveRow.job_id).where(*of))).all()]


async def under_way(session: AsyncSession, centre: CentreName) -> int:
    """How many are leaving this centre; what only waits to be released asks nothing of it."""
    query = select(func.count()).where(MoveRow.from_centre == centre, _OPEN, MoveRow.step != _RELEASING)
    return (await session.execute(query)).scalar_one()


async def left(session: AsyncSession, centre: CentreName, jobs: Collection[JobId]) -> Sequence[AnyRow]:
    """What these jobs were at this centre before they were moved away: attempt, account, native id, tries, cores, and
    what remains of it where it was given up."""
    query = (
        select(
            MoveRow.job_id, MoveRow.attempt, MoveRow.from_account, MoveRow.from_native_id, MoveRow.from_tries,
            MoveRow.remains, JobRow.cores,
        )
        .join(JobRow, JobRow.id == MoveRow.job_id)
        .where(MoveRow.from_centre == centre, MoveRow.job_id.in_(jobs), MoveRow.step == MoveStep.MOVED)
    )  # fmt: skip
    return (await session.execute(query)).all()


async def lock(session: AsyncSession, job: JobId, *, skip: bool = False) -> AnyRow | None:
    query = select(*WHOLE).where(JobRow.id == job).with_for_update(key_share=True, skip_locked=skip)
    return (await session.execute(query)).one_or_none()


async def late(
    session: AsyncSession, centre: CentreName, limit: int, now: datetime, *, after: Seen | None = None
) -> Sequence[AnyRow]:
    """Jobs that may move and wait in a queue there, those that wait longest first, with what was expected of them and
    when the last try to move them ended; locked. One that a user is changing at this moment is left out, and so is one
    that has moved too often or too lately: it would only stand before the others."""
    newest = (
        # The plain rule foresees nothing of this queue: the broker's patience is the better guess.
        select(case((ForecastRow.model == PLAIN, None), else_=ForecastRow.wait_p90_seconds))
        .where(ForecastRow.job_id == JobRow.id, ForecastRow.made_at >= PLACED_AT)
        .order_by(ForecastRow.made_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    tried = select(func.max(MoveRow.changed_at)).where(MoveRow.job_id == JobRow.id).scalar_subquery()
    rested = func.coalesce(tried <= now - COOL_DOWN, true())
    turn = tuple_(JobRow.submitted_at, JobRow.id)
    is_leaving = exists(select(MoveRow.id).where(MoveRow.job_id == JobRow.id, _OPEN, MoveRow.step != _RELEASING))
    query = (
        select(*WHOLE, newest.label("expected_seconds"), tried.label("tried_at"))
        .where(JobRow.centre == centre, is_in(AT_CENTRE), is_in(WAITING), JobRow.movable, JobRow.wish.is_(None))
        .where(JobRow.started_at.is_(None), JobRow.submitted_at.is_not(None), ~is_leaving, ~_needed())
        .where(JobRow.moves < MOVES_A_JOB, rested, true() if after is None else turn > after)
        .order_by(JobRow.submitted_at, JobRow.id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return (await session.execute(query)).all()


async def untried(session: AsyncSession, centre: CentreName, limit: int, *, after: JobId | None = None) -> list[JobId]:
    """Jobs that may move, were accepted for this centre, and of which it can know nothing yet; by their ids."""
    query = (
        select(JobRow.id)
        .where(JobRow.centre == centre, is_in(BEFORE_CENTRE), JobRow.state == JobState.ACCEPTED, JobRow.movable)
        .where(JobRow.tries == 0, JobRow.wish.is_(None), ~_needed(), true() if after is None else JobRow.id > after)
        .where(~JobRow.kept)  # bound to no place yet: whoever has room draws it
        .order_by(JobRow.id)
        .limit(limit)
    )
    return [JobId(job) for job in (await session.scalars(query)).all()]


async def waiting_at(session: AsyncSession, centre: CentreName, queue: str, limit: int) -> list[JobId]:
    """Jobs that wait for this queue and neither leave it nor are to be cancelled there: accepted for it, of which its
    centre can know nothing, or queued in it."""
    is_leaving = exists(select(MoveRow.id).where(MoveRow.job_id == JobRow.id, _OPEN, MoveRow.step != _RELEASING))
    untried = is_in(BEFORE_CENTRE) & (JobRow.state == JobState.ACCEPTED) & (JobRow.tries == 0)
    queued = is_in(AT_CENTRE) & is_in(WAITING) & JobRow.started_at.is_(None)
    query = (
        select(JobRow.id)
        .where(JobRow.centre == centre, JobRow.queue == queue, untried | queued, ~is_leaving)
        .where(JobRow.wish.is_distinct_from("cancel"))
        .order_by(JobRow.id)
        .limit(limit)
    )
    return [JobId(job) for job in (await session.scalars(query)).all()]


async def is_needed(session: AsyncSession, job: JobId) -> bool:
    query = select(DependencyRow.job_id).where(DependencyRow.needs_job_id == job).limit(1)
    return (await session.execute(query)).scalar_one_or_none() is not None


async def cores_coming(session: AsyncSession) -> dict[tuple[str, str], int]:
    """Cores of our own jobs that are on their way to each queue."""
    coming = (
        select(MoveRow.to_centre, MoveRow.to_queue, func.sum(JobRow.cores * JobRow.tasks))
        .join(JobRow, JobRow.id == MoveRow.job_id)
        .where(_OPEN, MoveRow.step != _RELEASING)
        .group_by(MoveRow.to_centre, MoveRow.to_queue)
    )
    return {(centre, queue): int(cores) for centre, queue, cores in (await session.execute(coming)).all()}


async def cores_waiting(session: AsyncSession) -> dict[tuple[str, str], int]:
    """Cores of our own jobs that wait in each queue."""
    here = (
        select(JobRow.centre, JobRow.queue, func.sum(JobRow.cores * JobRow.tasks))
        .where(is_in(BEFORE_CENTRE) | is_in(AT_CENTRE), is_in(BEFORE_CENTRE | WAITING))
        .group_by(JobRow.centre, JobRow.queue)
    )
    return {(centre, queue): int(cores) for centre, queue, cores in (await session.execute(here)).all()}


async def bind(session: AsyncSession, project: ProjectId, jobs: Collection[JobId]) -> dict[JobId, str]:
    """Others depend on these jobs of the project from now on: they stay where they are, or where one that is leaving
    goes to. Where that is, by job."""
    bound = update(JobRow).where(JobRow.project_id == project, JobRow.id.in_(jobs), JobRow.movable)
    bound = bound.values(movable=False)
    await session.execute(bound.execution_options(synchronize_session=False))
    query = (
        select(MoveRow.job_id, MoveRow.to_centre)
        .join(JobRow, JobRow.id == MoveRow.job_id)
        .where(JobRow.project_id == project, MoveRow.job_id.in_(jobs), _OPEN)
        .where(MoveRow.step.in_([MoveStep.LEAVING, MoveStep.CANCELLING]))
    )
    return {JobId(job): centre for job, centre in (await session.execute(query)).all()}


_RELEASING = MoveStep.RELEASING.value


def _needed() -> ColumnElement[bool]:
    return exists(select(DependencyRow.job_id).where(DependencyRow.needs_job_id == JobRow.id))


def _open_move(row: MoveRow) -> OpenMove:
    return OpenMove(
        id=row.id,
        job=JobId(row.job_id),
        attempt=row.attempt,
        step=MoveStep(row.step),
        began_at=row.began_at,
        from_place=(CentreName(row.from_centre), row.from_queue),
        to_place=(CentreName(row.to_centre), row.to_queue),
        why_en=row.why_en,
        why_zh=row.why_zh,
        taken=_taken(row),
    )


def _taken(row: MoveRow) -> TakenPlace | None:
    if row.to_account is None or row.to_price_version_id is None:
        return None
    return TakenPlace(UnixAccount(row.to_account), PriceVersionId(row.to_price_version_id))
