"""Budgets, from the house's values to the wire's models."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.api import shown
from paracloud.billing.budget import Budget, all_budgets, budgets_of, spent_of
from paracloud.identity.caller import Caller
from paracloud.identity.overview import all_organisations, all_projects, logins_of, some_projects
from paracloud.kit.identifiers import ProjectId, UserId
from paracloud.kit.money import Money
from paracloud.wire.paying import BudgetModel


async def projects_budgets(
    session: AsyncSession, project: ProjectId, caller: Caller | None, now: datetime
) -> list[BudgetModel]:
    """As the caller may see those that hold; None: the operator, who sees all. Whoever does not own the project sees no
    other user's budget, and nobody of it what the rest of the organisation spent."""
    found = await budgets_of(session, [project], now)
    seen = [one for one in found if caller is None or _sees(caller, project, one)]
    names: dict[UUID, str] = {}
    for one in await some_projects(session, [project]):
        names |= {one.id: one.name, one.organisation.id: one.organisation.name}
    return await _budgets(session, seen, names, now, is_operator=caller is None)


async def operators_budgets(session: AsyncSession, now: datetime, *, with_past: bool) -> list[BudgetModel]:
    found = await all_budgets(session) if with_past else await budgets_of(session, None, now)
    names: dict[UUID, str] = {one.id: one.name for one in await all_projects(session)}
    names |= {one.id: one.name for one in await all_organisations(session)}
    return await _budgets(session, found, names, now, is_operator=True)


def _sees(caller: Caller, project: ProjectId, budget: Budget) -> bool:
    return budget.user in (None, caller.user) or caller.owns(project)


async def _budgets(
    session: AsyncSession, budgets: Sequence[Budget], names: Mapping[UUID, str], now: datetime, *, is_operator: bool
) -> list[BudgetModel]:
    counted = await spent_of(session, budgets, now)
    logins = await logins_of(session, {one.user for one in budgets if one.user is not None})
    return [_budget(one, counted[one.id], names, logins, is_operator=is_operator) for one in budgets]


def _budget(
    one: Budget, spent: Money, names: Mapping[UUID, str], logins: Mapping[UserId, str], *, is_operator: bool
) -> BudgetModel:
    payer = one.project or one.organisation
    return BudgetModel(
        id=one.id,
        of="user" if one.user else "project" if one.project else "organisation",
        organisation=one.organisation,
        project=one.project,
        payer=names[payer] if payer is not None else "",
        user=one.user,
        login=None if one.user is None else logins[one.user],
        amount=shown.money(one.amount),
        spent=shown.money(spent) if is_operator or one.project is not None else None,
        is_monthly=one.is_monthly,
        is_hard=one.is_hard,
        warn_percent=list(one.warn_percent),
        valid_from=one.valid_from,
        valid_to=one.valid_to,
        is_owners=one.is_owners,
        created_at=one.created_at,
        created_by=one.created_by,
        ended_by=one.ended_by,
    )
