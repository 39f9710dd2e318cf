"""What an owner of a project lets its users spend. The operator's budgets are out of an owner's reach."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.budget import Budget, end_budget, set_budget
from paracloud.identity.caller import Caller
from paracloud.identity.overview import member_named
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import BudgetId, ProjectId, new_uuid
from paracloud.kit.money import Money


@dataclass(frozen=True, slots=True)
class UsersBudget:
    """For the user with this login; the rest as in `Budget`."""

    login: str
    amount: Money
    is_monthly: bool
    is_hard: bool
    warn_percent: tuple[int, ...]
    valid_from: datetime
    valid_to: datetime | None


async def set_users_budget(
    session: AsyncSession, caller: Caller, project: ProjectId, wanted: UsersBudget, *, now: datetime
) -> BudgetId:
    """NotFound or Forbidden for the project; Invalid for who is no member of it, whoever else has that login."""
    caller.require_owner(project)
    user = await member_named(session, project, wanted.login)
    if user is None:
        raise Invalid("No member of this project has this login.", "该课题组没有此登录名的成员。", field="login")
    budget = Budget(
        BudgetId(new_uuid()), None, project, user, wanted.amount, wanted.is_monthly, wanted.is_hard,
        wanted.warn_percent, wanted.valid_from, wanted.valid_to, is_owners=True,
    )  # fmt: skip
    await set_budget(session, budget, person=caller.login, now=now)
    return budget.id


async def end_users_budget(
    session: AsyncSession, caller: Caller, project: ProjectId, id_: BudgetId, *, now: datetime
) -> None:
    """NotFound for what no owner of this project has set, too."""
    caller.require_owner(project)
    await end_budget(session, id_, person=caller.login, now=now, of_owners=project)
