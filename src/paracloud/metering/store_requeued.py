"""How long jobs ran before the scheduler runs them again."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from paracloud.dialects.records import NativePhase
from paracloud.metering.tables import UsageRow

BROUGHT_BACK = (NativePhase.NODE_FAILED.value, NativePhase.REQUEUED.value)
"""After these the scheduler may run the same task again."""


async def brought_back(
    session: AsyncSession, references: Collection[str], after: datetime | None = None
) -> dict[str, int]:
    tasks = (
        select(UsageRow.reference, func.sum(_ran(after)).label("seconds"))
        .where(UsageRow.reference.in_(references), UsageRow.phase.in_(BROUGHT_BACK))
        .group_by(UsageRow.reference, UsageRow.task_index)
        .subquery()
    )
    query = select(tasks.c.reference, func.max(tasks.c.seconds)).group_by(tasks.c.reference)
    return {reference: int(seconds) for reference, seconds in (await session.execute(query)).all()}


def _ran(after: datetime | None) -> ColumnElement[int] | InstrumentedAttribute[int]:
    """Seconds of a run that were after that moment, a begun one as a whole, and no more than it ran."""
    if after is None:
        return UsageRow.elapsed_seconds
    span = func.extract("epoch", UsageRow.ended_at - func.greatest(UsageRow.started_at, after))
    return func.greatest(func.least(UsageRow.elapsed_seconds, cast(func.ceil(span), BigInteger)), 0)
