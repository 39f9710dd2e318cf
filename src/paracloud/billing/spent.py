"""What projects have spent and reserved, as budgets count it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.period import month_of
from paracloud.billing.tables import ChargeRow, HoldRow
from paracloud.kit.identifiers import ProjectId, UserId


async def spent(
    session: AsyncSession,
    projects: Collection[ProjectId],
    user: UserId | None,
    since: datetime,
    now: datetime,
    *,
    is_monthly: bool,
) -> int:
    """Micro-units charged in this month (or since then) and held now; of a user only what that user's jobs are."""
    charged = select(func.coalesce(func.sum(ChargeRow.amount_micro), 0)).where(
        ChargeRow.project_id.in_(projects), ChargeRow.is_duplicate.is_(False)
    )
    held = select(func.coalesce(func.sum(HoldRow.amount_micro - HoldRow.captured_micro), 0)).where(
        HoldRow.project_id.in_(projects), HoldRow.released_at.is_(None)
    )
    if is_monthly:
        charged = charged.where(ChargeRow.period == month_of(now))
    else:
        charged = charged.where(ChargeRow.charged_at >= since)
    if user is not None:
        charged, held = charged.where(ChargeRow.user_id == user), held.where(HoldRow.user_id == user)
    query = select(charged.scalar_subquery() + held.scalar_subquery())
    return int((await session.execute(query)).scalar_one())
