"""Every query on unrated usage."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.charges import Unrated
from paracloud.billing.tables import UnratedRow
from paracloud.kit.bulk import unnested
from paracloud.kit.identifiers import UsageId
from paracloud.metering.usage import Usage

UNRATED = (
    UnratedRow.usage_id, UnratedRow.revision, UnratedRow.reason_en, UnratedRow.reason_zh, UnratedRow.listed_at,
)  # fmt: skip
UNRATED_BEFORE = text("""
    SELECT count(DISTINCT waiting.usage_id) FROM unrated_usage AS waiting JOIN usage ON usage.id = waiting.usage_id
     WHERE usage.ended_at < :end
""")


async def unrated_before(session: AsyncSession, end: datetime) -> int:
    """How many usages that ended before then wait for a price or a contract."""
    return int((await session.execute(UNRATED_BEFORE, {"end": end})).scalar_one())


async def list_unrated(session: AsyncSession, usages: Sequence[tuple[Usage, Unrated]], now: datetime) -> None:
    if usages:
        values = [(usage.id, usage.revision, why.reason_en, why.reason_zh, now) for usage, why in usages]
        rows = unnested(UNRATED, values)
        statement = insert(UnratedRow).from_select([one.key for one in UNRATED], select(*rows.c))
        await session.execute(statement.on_conflict_do_nothing())


async def unrated(session: AsyncSession, *, after: UsageId | None, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """usage_id, revision, reason_en, reason_zh, listed_at: the newest revision of each, oldest usage first."""
    query = (
        select(*UNRATED).ext(distinct_on(UnratedRow.usage_id)).order_by(UnratedRow.usage_id, UnratedRow.revision.desc())
    )
    if after is not None:
        query = query.where(UnratedRow.usage_id > after)
    return (await session.execute(query.limit(limit))).all()
