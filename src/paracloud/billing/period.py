"""Billing periods: calendar months (UTC), closed one after the other. Nothing is charged into a closed one."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.charges import unrated_before
from paracloud.billing.tables import BillingPeriodRow
from paracloud.kit.bulk import unnested
from paracloud.kit.errors import Conflict, Invalid


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
        held = (await session.scalars(locking.with_for_update(read=True, key_share=True))).all()
        if len(held) == len(set(periods.values())):
            return periods
    return {}


async def newest_closed(session: AsyncSession) -> date | None:
    query = select(func.max(BillingPeriodRow.period)).where(BillingPeriodRow.closed_at.is_not(None))
    return (await session.execute(query)).scalar_one()


async def is_closed(session: AsyncSession, period: date) -> bool:
    newest = await newest_closed(session)
    return newest is not None and period <= newest


async def close_period(session: AsyncSession, period: date, *, person: str, now: datetime) -> bool:
    """False where it was closed before. Invalid for what is no month or not over; Conflict while usage that ended in it
    is unrated, and while an earlier month with charges is open. What is charged later falls into the next."""
    if period.day != 1 or begins(month_after(period)) > now:
        raise Invalid(
            "period: a month that is over, as its first day.",
            "period：须为已结束的月份，写作该月第一天。",
            field="period",
        )
    if await is_closed(session, period):
        return False
    await session.execute(insert(BillingPeriodRow).values(period=period).on_conflict_do_nothing())
    row = select(BillingPeriodRow).where(BillingPeriodRow.period <= period).order_by(BillingPeriodRow.period)
    rows = list((await session.scalars(row.with_for_update())).all())
    if rows[-1].closed_at is not None:
        return False
    earlier = next((one.period for one in rows[:-1] if one.closed_at is None), None)
    if earlier is not None:
        raise Conflict(f"{earlier:%Y-%m} is still open; close it first.", f"{earlier:%Y-%m} 尚未关账；请先关账。")
    if waiting := await unrated_before(session, begins(month_after(period))):
        raise Conflict(
            f"{waiting} usages of {period:%Y-%m} or before are unrated; see `admin unrated`, give them their price or "
            "contract, and charge them.",
            f"{period:%Y-%m} 及以前有 {waiting} 条用量尚未定价；请用 admin unrated 查看，补齐价格或合同后计费。",
        )
    closing = update(BillingPeriodRow).where(BillingPeriodRow.period == period)
    await session.execute(closing.values(closed_at=now, closed_by=person))
    return True
