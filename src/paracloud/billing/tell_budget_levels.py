"""Whoever a budget is of is told when what it counts comes up to one of its levels: once in each period."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store_notices
from paracloud.billing.budget import PERCENT, Budget, budgets_of, spent_of
from paracloud.billing.notice import Notice, NoticeKind
from paracloud.billing.notices import tell
from paracloud.billing.period import month_of
from paracloud.kit.money import Money


async def tell_budget_levels(session: AsyncSession, *, now: datetime) -> list[Notice]:
    """Each level of a budget has one row for each of its periods, so that no two who look at once both tell it. What
    was told stays told, also where a released hold takes the sum below the level again."""
    budgets = await budgets_of(session, None, now)
    known = await store_notices.told(session, [one.id for one in budgets])
    waiting = [
        one for one in budgets if any((one.id, _period(one, now), level) not in known for level in one.warn_percent)
    ]
    counted = await spent_of(session, waiting, now)
    notices: list[Notice] = []
    for budget in waiting:
        period = _period(budget, now)
        untold = [one for one in budget.warn_percent if (budget.id, period, one) not in known]
        notices += await _told(session, budget, period, untold, counted[budget.id], now)
    await tell(session, notices)
    return notices


async def _told(
    session: AsyncSession, budget: Budget, period: date, untold: Sequence[int], spent: Money, now: datetime
) -> list[Notice]:
    passed = [one for one in untold if spent.micro > 0 and spent.micro * PERCENT >= budget.amount.micro * one]
    if not passed:
        return []
    fresh = await store_notices.mark_budget(session, budget.id, period, passed, now)
    return [_notice(budget, one, spent, now) for one in fresh]


def _period(budget: Budget, now: datetime) -> date:
    """Its month; of one that is no monthly one, the day on which it begins."""
    return month_of(now) if budget.is_monthly else budget.valid_from.date()


def _notice(budget: Budget, percent: int, spent: Money, now: datetime) -> Notice:
    whose_en, whose_zh = (
        ("user's", "用户") if budget.user else ("project's", "课题组") if budget.project else ("organisation's", "组织")
    )
    unit = budget.amount.currency
    what_en = "what would exceed it is refused" if budget.is_hard else "nothing is refused"
    what_zh = "超出部分将被拒绝" if budget.is_hard else "不会拒绝作业"
    # What a whole organisation spends is not for each of its projects to see.
    sum_en, sum_zh = (f" ({spent} {unit})", f"（{spent} {unit}）") if budget.project else ("", "")
    en = (
        f"{percent} % and more of the {whose_en} budget of {budget.amount} {unit} is used or reserved{sum_en}; "
        f"{what_en}."
    )
    zh = f"{whose_zh}预算 {budget.amount} {unit} 已使用或预留达到 {percent}%{sum_zh}；{what_zh}。"
    level = Money(budget.amount.micro * percent // PERCENT, unit)
    return Notice(
        NoticeKind.BUDGET_LEVEL, en, zh, spent, now, project=budget.project, organisation=budget.organisation,
        user=budget.user, level=level, reference=str(budget.id),
    )  # fmt: skip
