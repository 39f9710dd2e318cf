"""Budgets: the operator's, and those that owners of a project set for its users."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.exactly import an_amount
from paracloud.api.once import Key, created_once
from paracloud.api.operator import operator
from paracloud.api.shown_budgets import operators_budgets, projects_budgets
from paracloud.billing.budget import Budget, end_budget, set_budget
from paracloud.billing.users_budgets import UsersBudget, end_users_budget, set_users_budget
from paracloud.identity.overview import user_named
from paracloud.kit.identifiers import BudgetId, OrganisationId, ProjectId, new_uuid
from paracloud.wire.account import Created
from paracloud.wire.paying import BudgetList, BudgetRequest, UsersBudgetRequest

router = APIRouter()


@router.get("/projects/{project}/budgets", tags=["account"])
async def show_budgets(project: UUID, deps: TheDeps, token: Token) -> BudgetList:
    """Those that hold: one's own, the project's and its organisation's; for an owner, every user's too."""
    async with asked(deps, token) as at:
        at.caller.require_reader(ProjectId(project))
        return BudgetList(items=await projects_budgets(at.session, ProjectId(project), at.caller, deps.clock.now()))


@router.post("/projects/{project}/budgets", status_code=201, tags=["account"])
async def set_for_user(
    project: UUID, body: UsersBudgetRequest, request: Request, deps: TheDeps, token: Token, key: Key = None
) -> Created:
    """For a user of the project, by an owner of it. What else limits that user holds as well."""
    async with asked(deps, token) as at:
        now = deps.clock.now()
        wanted = UsersBudget(
            body.login, an_amount("amount", body.amount), body.is_monthly, body.is_hard, tuple(body.warn_percent),
            body.valid_from or now, body.valid_to,
        )  # fmt: skip
        create = partial(set_users_budget, at.session, at.caller, ProjectId(project), wanted, now=now)
        return await created_once(at, key, request, create, now=now)


@router.post("/projects/{project}/budgets/{users_budget}:end", tags=["account"])
async def end_for_user(project: UUID, users_budget: UUID, deps: TheDeps, token: Token) -> Created:
    """By an owner of the project: of those that its owners have set."""
    async with asked(deps, token) as at:
        now = deps.clock.now()
        await end_users_budget(at.session, at.caller, ProjectId(project), BudgetId(users_budget), now=now)
    return Created(id=str(users_budget))


@router.get("/operator/budgets", tags=["operator"])
async def all_budgets(deps: TheDeps, token: Token, *, with_past: bool = False) -> BudgetList:
    """Those that hold; `with_past`: those that are over, or begin later, too."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        return BudgetList(items=await operators_budgets(at.session, now, with_past=with_past))


@router.post("/operator/budgets", status_code=201, tags=["operator"])
async def budget(body: BudgetRequest, request: Request, deps: TheDeps, token: Token, key: Key = None) -> Created:
    async with asked(deps, token) as at:
        now = operator(at, deps)
        wanted = Budget(
            id=BudgetId(new_uuid()),
            organisation=None if body.organisation is None else OrganisationId(body.organisation),
            project=None if body.project is None else ProjectId(body.project),
            user=None if body.login is None else await user_named(at.session, body.login),
            amount=an_amount("amount", body.amount),
            is_monthly=body.is_monthly,
            is_hard=body.is_hard,
            warn_percent=tuple(body.warn_percent),
            valid_from=body.valid_from or now,
            valid_to=body.valid_to,
        )

        async def create() -> BudgetId:
            await set_budget(at.session, wanted, person=at.caller.login, now=now)
            return wanted.id

        return await created_once(at, key, request, create, now=now)


@router.post("/operator/budgets/{budget}:end", tags=["operator"])
async def end_a_budget(budget: UUID, deps: TheDeps, token: Token) -> Created:
    async with asked(deps, token) as at:
        now = operator(at, deps)
        await end_budget(at.session, BudgetId(budget), person=at.caller.login, now=now)
    return Created(id=str(budget))
