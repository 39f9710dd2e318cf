"""Every query on what was expected of jobs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.tables import PLACED_AT, JobRow
from paracloud.jobs.tables_forecasts import ForecastRow
from paracloud.kit.identifiers import JobId


async def add(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(ForecastRow).values(dict(values)))


async def last(session: AsyncSession, job: JobId) -> ForecastRow | None:
    """Of whatever place."""
    query = select(ForecastRow).where(ForecastRow.job_id == job).order_by(ForecastRow.made_at.desc()).limit(1)
    return (await session.execute(query)).scalar_one_or_none()


async def newest(session: AsyncSession, job: JobId) -> ForecastRow | None:
    """That of the place where the job is; None where nothing was foreseen of it there."""
    query = (
        select(ForecastRow)
        .join(JobRow, JobRow.id == ForecastRow.job_id)
        .where(ForecastRow.job_id == job, ForecastRow.made_at >= PLACED_AT)
        .order_by(ForecastRow.made_at.desc())
        .limit(1)
    )
    return (await session.execute(query)).scalar_one_or_none()
