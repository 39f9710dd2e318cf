"""A month's books are closed: what is charged later falls into the next."""

from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.period import begins, is_closed, month_after
from paracloud.billing.post_fees import due_fees, post_fees
from paracloud.billing.store_unrated import unrated_before
from paracloud.billing.tables import BillingPeriodRow
from paracloud.kit.errors import Conflict, Invalid


async def close_period(session: AsyncSession, period: date, *, person: str, now: datetime) -> bool:
    """False where it was closed before. Invalid for what is no month or not over; Conflict while usage that ended in it
    is unrated, a fee is due, or an earlier month with charges is open. What is charged later falls into the next."""
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
    await post_fees(session, period, now=now)  # after the periods, as whoever charges locks them before the wallets
    if unpaid := await due_fees(session, period, now=now):
        one, month = unpaid[0]
        raise Conflict(
            f"The fee of the dedicated nodes {one.id} for {month:%Y-%m} is not paid, and a later one is: have project "
            f"{one.project} topped up first.",
            f"独占节点 {one.id} {month:%Y-%m} 的月费尚未支付，而其后月份已付：请先为课题组 {one.project} 充值。",
        )
    earlier = next((one.period for one in rows[:-1] if one.closed_at is None), None)
    if earlier is not None:
        raise Conflict(f"{earlier:%Y-%m} is still open; close it first.", f"{earlier:%Y-%m} 尚未关账；请先关账。")
    if waiting := await unrated_before(session, begins(month_after(period))):
        raise Conflict(
            f"Usages of {period:%Y-%m} or before that are unrated: {waiting}; see `admin unrated`, give them their "
            "price or contract, and charge them.",
            f"{period:%Y-%m} 及以前有 {waiting} 条用量尚未定价；请用 admin unrated 查看，补齐价格或合同后计费。",
        )
    closing = update(BillingPeriodRow).where(BillingPeriodRow.period == period)
    await session.execute(closing.values(closed_at=now, closed_by=person))
    return True
