"""Usage that could not be charged when it came, to look at."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store_unrated
from paracloud.kit.identifiers import UsageId
from paracloud.metering.listing import usage_by_id
from paracloud.metering.usage import Usage


@dataclass(frozen=True, slots=True)
class UnratedUsage:
    usage: Usage
    reason_en: str
    reason_zh: str
    listed_at: datetime


async def unrated_page(session: AsyncSession, *, after: UsageId | None = None, limit: int = 100) -> list[UnratedUsage]:
    """Oldest usage first, for the operator; `after` is the last usage of the page before."""
    rows = await store_unrated.unrated(session, after=after, limit=limit)
    usages = {usage.id: usage for usage in await usage_by_id(session, [UsageId(row.usage_id) for row in rows])}
    return [UnratedUsage(usages[UsageId(row.usage_id)], row.reason_en, row.reason_zh, row.listed_at) for row in rows]
