"""Which months are open, and what keeps them so."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.period import begins, month_after
from paracloud.billing.store_unrated import unrated_before
from paracloud.billing.tables import BillingPeriodRow

MOST = 120


@dataclass(frozen=True, slots=True)
class Period:
    """`unrated`: how many usages that ended in it, or in a month before it that is closed or has no charges, wait for a
    price. Those of the open months before keep it from being closed, too."""

    month: date
    closed_at: datetime | None
    closed_by: str | None
    unrated: int


async def periods(session: AsyncSession) -> list[Period]:
    """The newest first; at most ten years."""
    query = select(BillingPeriodRow).order_by(BillingPeriodRow.period.desc()).limit(MOST)
    rows = (await session.scalars(query)).all()
    found, before = [], 0
    for row in reversed(rows):
        until = before if row.closed_at else await unrated_before(session, begins(month_after(row.period)))
        found.append(Period(row.period, row.closed_at, row.closed_by, until - before))
        before = until
    return found[::-1]
