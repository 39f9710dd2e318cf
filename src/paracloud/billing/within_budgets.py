"""No more than the hard budgets allow, and a refusal that tells no more of them than its reader may know."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.budget import Budget, budgets_of, lock_budgets, spent_of
from paracloud.kit.errors import NotEnoughFunds
from paracloud.kit.identifiers import ProjectId, UserId
from paracloud.kit.money import Money


class OverBudget(NotEnoughFunds):
    """`wanted` is what was asked for. What an organisation has left tells of its other projects: that is not said.
    `is_for_all`: everybody in the project may know what is missing; of a user's budget only that user may."""

    def __init__(self, budget: Budget, left: Money, wanted: Money) -> None:
        missing = None if budget.project is None else (wanted - left).micro
        super().__init__(*_texts(budget, left, wanted), missing_micro=missing, currency=wanted.currency)
        self.wanted = wanted
        self.is_for_all = budget.project is not None and budget.user is None


async def require_within(
    session: AsyncSession, project: ProjectId, user: UserId | None, more_micro: int, now: datetime
) -> None:
    """OverBudget where a hard budget could be exceeded by so much more. The budgets that count it stay locked, so that
    what other projects of the organisation hold at this moment counts too. What costs nothing more exceeds nothing."""
    if more_micro == 0:
        return
    ids = [one.id for one in await budgets_of(session, [project], now) if one.is_hard and one.user in (None, user)]
    locked = await lock_budgets(session, ids) if ids else []
    counted = await spent_of(session, locked, now)
    for budget in locked:
        left = budget.amount - counted[budget.id]
        if left.micro < more_micro:
            raise OverBudget(budget, left, Money(more_micro, budget.amount.currency))


def _texts(budget: Budget, left: Money, wanted: Money) -> tuple[str, str]:
    unit = budget.amount.currency
    if budget.project is None:
        return (
            f"The organisation's budget does not allow it: the job can cost up to {wanted} {unit}. Ask for less, or "
            "have the budget raised.",
            f"组织预算不允许：该作业最多需要 {wanted} {unit}。请减少申请，或提高预算。",
        )
    whose_en, whose_zh = ("user's", "用户") if budget.user else ("project's", "课题组")
    return (
        f"The {whose_en} budget of {budget.amount} {unit} has {left} left, and the job can cost up to {wanted}. Ask "
        "for less, or have the budget raised.",
        f"该{whose_zh}预算 {budget.amount} {unit} 剩余 {left}，而该作业最多需要 {wanted}。请减少申请，或提高预算。",
    )
