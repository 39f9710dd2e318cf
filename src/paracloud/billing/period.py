"""Billing periods: calendar months (UTC), closed one after the other. Nothing is charged into a closed one."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.tables import BillingPeriodRow
from paracloud.kit.bulk import unnested


def month_of(when: datetime) -> date:
    return when.astimezone(UTC).date().replace(day=1)


def month_after(month: date) -> date:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def begins(month: date) -> datetime:
    return datetime.combine(month, time(), UTC)


async def open_periods(session: AsyncSession, months: Iterable[date]) -> dict[date, date]:
    """For each month the period that is charged into: itself, or the first after all closed ones. They stay open until
    this transaction ends."""
    wanted = sorted(set(months))
    while wanted:
        newest = await newest_closed(session)
        first = month_after(newest) if newest is not None else date.min
        periods = {month: max(month, first) for month in wanted}
        rows = unnested([BillingPeriodRow.period], [(period,) for period in sorted(set(periods.values()))])
        adding = insert(BillingPeriodRow).from_select(["period"], select(*rows.c))
        await session.execute(adding.on_conflict_do_nothing())
        locking = select(BillingPeriodRow.period).where(
            BillingPeriodRow.period.in_(periods.values()), BillingPeriodRow.closed_at.is_(None)
        )
        locking = locking.order_by(BillingPeriodRow.period).with_for_update(read=True, key_share=True)
        held = (await session.scalars(locking)).all()
        if len(held) == len(set(periods.values())):
            return periods
    return {}


async def newest_closed(session: AsyncSession) -> date | None:
    query = select(func.max(BillingPeriodRow.period)).where(BillingPeriodRow.closed_at.is_not(None))
    return (await session.execute(query)).scalar_one()


async def later_closed(session: AsyncSession, period: date) -> date | None:
    """The closed month by which this one, which was not closed itself, takes no charge any more."""
    itself = select(BillingPeriodRow.closed_at).where(BillingPeriodRow.period == period)
    if (await session.execute(itself)).scalar_one_or_none() is not None or not await is_closed(session, period):
        return None
    return await newest_closed(session)


async def is_closed(session: AsyncSession, period: date) -> bool:
    newest = await newest_closed(session)
    return newest is not None and period <= newest
