"""Every query on models of waits and on what they are trained from."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import exists, func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.tables import PLACED_AT, WAITS_SINCE, AnyRow, DependencyRow, JobRow
from paracloud.jobs.tables_waits import WaitFeaturesRow, WaitModelRow, WaitTrainingRow
from paracloud.kit.identifiers import JobId

ADD_FEATURES = insert(WaitFeaturesRow.metadata.tables["wait_features"])


async def add_features(session: AsyncSession, job: JobId, at: datetime, features: Mapping[str, float]) -> None:
    await session.execute(ADD_FEATURES, {"job_id": job, "placed_at": at, "features": dict(features)})


async def waited(session: AsyncSession, since: datetime, limit: int) -> Sequence[AnyRow]:
    """The newest jobs that started, of those that nothing but a queue kept waiting, as they were placed last."""
    query = (
        select(
            WaitFeaturesRow.features,
            WaitFeaturesRow.placed_at,
            JobRow.started_at,
            func.greatest(WaitFeaturesRow.placed_at, WAITS_SINCE).label("waits_since"),
        )
        .join(JobRow, JobRow.id == WaitFeaturesRow.job_id)
        .where(
            JobRow.accepted_at >= since,
            JobRow.started_at >= WaitFeaturesRow.placed_at,
            WaitFeaturesRow.placed_at >= PLACED_AT,  # before, it was in another queue
            ~JobRow.starts_held,
            ~exists().where(DependencyRow.job_id == JobRow.id),
        )
        .ext(distinct_on(WaitFeaturesRow.job_id))
        .order_by(WaitFeaturesRow.job_id.desc(), WaitFeaturesRow.placed_at.desc())
        .limit(limit)
    )
    return (await session.execute(query)).all()


async def is_begun(session: AsyncSession, day: date) -> bool:
    return await session.get(WaitTrainingRow, day) is not None


async def begin_training(session: AsyncSession, day: date, at: datetime) -> bool:
    """False where somebody began on that day already."""
    statement = upsert(WaitTrainingRow).values(day=day, begun_at=at).on_conflict_do_nothing()
    return bool((await session.execute(statement.returning(WaitTrainingRow.day))).all())


async def add_model(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(WaitModelRow).values(dict(values)))


async def newest_model(session: AsyncSession) -> AnyRow | None:
    """Without the model itself."""
    columns = (WaitModelRow.id, WaitModelRow.trained_at, WaitModelRow.is_used, WaitModelRow.format)
    query = select(*columns).order_by(WaitModelRow.trained_at.desc()).limit(1)
    return (await session.execute(query)).one_or_none()


async def models(session: AsyncSession, limit: int) -> Sequence[AnyRow]:
    """The newest first, without the models themselves."""
    columns = [column for column in WaitModelRow.__table__.columns if column.name != "model"]
    query = select(*columns).order_by(WaitModelRow.trained_at.desc()).limit(limit)
    return (await session.execute(query)).all()


async def model_text(session: AsyncSession, row: AnyRow) -> str:
    return (await session.execute(select(WaitModelRow.model).where(WaitModelRow.id == row.id))).scalar_one()
