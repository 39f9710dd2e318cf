"""Every query on what was expected of jobs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.tables_forecasts import ForecastRow


async def add(session: AsyncSession, values: Mapping[str, Any]) -> None:
    await session.execute(insert(ForecastRow).values(dict(values)))
