"""Every query on what was expected of jobs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.tables_forecasts import ForecastRow
from paracloud.kit.identifiers import JobId


async def add(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(ForecastRow).values(dict(values)))


async def newest(session: AsyncSession, job: JobId) -> ForecastRow | None:
    """That of the place where the job was sent to last."""
    query = select(ForecastRow).where(ForecastRow.job_id == job).order_by(ForecastRow.made_at.desc()).limit(1)
    return (await session.execute(query)).scalar_one_or_none()
