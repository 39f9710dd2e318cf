"""What stands against closing a month: said before it is closed for good."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.look import Look
from paracloud.billing.period import begins, is_closed, later_closed, month_after
from paracloud.billing.reconciliations import looks, unreconciled
from paracloud.billing.store_unrated import unrated_before
from paracloud.billing.tables import BillingPeriodRow, ChargeRow
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import CentreName

SHOWN = 12
Day = tuple[CentreName, date, Look | None]


@dataclass(frozen=True, slots=True)
class Closing:
    """`later_closed`: it was never closed itself, a later month is, and with that it is. `open_before`: an earlier
    month with charges that is open still; `unrated`: usages up to its end. Those, and that it is not over, are mended
    first. `days` do not agree, and `is_untouched` says that nothing was charged in it and no centre's accounting was
    read for it: whoever closes it so says that it is meant."""

    month: date
    is_closed: bool
    later_closed: date | None
    is_over: bool
    open_before: date | None
    unrated: int
    days: tuple[Day, ...]
    is_untouched: bool


async def closing_of(session: AsyncSession, month: date, since: Mapping[CentreName, date], *, now: datetime) -> Closing:
    """`since`: the day on which each centre was connected. Reads only."""
    end = month_after(month)
    earlier = select(func.min(BillingPeriodRow.period)).where(
        BillingPeriodRow.period < month, BillingPeriodRow.closed_at.is_(None)
    )
    return Closing(
        month=month,
        is_closed=await is_closed(session, month),
        later_closed=await later_closed(session, month),
        is_over=begins(end) <= now,
        open_before=(await session.execute(earlier)).scalar_one(),
        unrated=await unrated_before(session, begins(end)),
        days=tuple(await unreconciled(session, since, month, end)),
        is_untouched=await _is_untouched(session, month),
    )


async def require_agreed(session: AsyncSession, month: date, since: Mapping[CentreName, date]) -> None:
    """Conflict, with the days, where some of the month's do not agree, and where it is untouched."""
    days = await unreconciled(session, since, month, month_after(month))
    if days:
        names = ", ".join(f"{centre} {day}" for centre, day, _ in days[:SHOWN])
        more = f" and {len(days) - SHOWN} more" if len(days) > SHOWN else ""
        more_zh = f" 等共 {len(days)} 天" if len(days) > SHOWN else ""
        raise Conflict(
            f"Books of {month:%Y-%m} do not agree: {names}{more}. See `admin close --dry-run` and `admin reconcile`; "
            "or close it `--anyway` (API: anyway).",
            f"{month:%Y-%m} 尚有账目不一致：{names}{more_zh}。请用 admin close --dry-run 与 admin reconcile 核对，"
            "或用 --anyway（API：anyway）强制关账。",
            field="anyway",
        )
    if await _is_untouched(session, month):
        raise Conflict(
            f"Nothing was charged in {month:%Y-%m}, and no centre's accounting was read for it: is it the month that "
            "you mean? Then close it `--anyway` (API: anyway).",
            f"{month:%Y-%m} 没有任何扣费，也未读取过任何超算中心的记账：请确认月份无误，"
            "再用 --anyway（API：anyway）关账。",
            field="anyway",
        )


async def _is_untouched(session: AsyncSession, month: date) -> bool:
    if (await session.execute(select(exists().where(ChargeRow.period == month)))).scalar_one():
        return False
    return not any(look.is_answered for look in await looks(session, start=month, end=month_after(month)))
