"""Budgets: the most that an organisation, a project, or a user within a project is to spend."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import spent
from paracloud.billing.tables_paying import BudgetRow
from paracloud.identity.overview import is_member, organisations_of
from paracloud.kit.errors import Invalid, NotFound
from paracloud.kit.identifiers import BudgetId, OrganisationId, ProjectId, UserId
from paracloud.kit.money import Money

PERCENT = 100
MOST_LEVELS = 10


@dataclass(frozen=True, slots=True)
class Budget:
    """Of an organisation, or of a project, there also of one user. `is_monthly`: anew each calendar month (UTC). A hard
    one refuses what could exceed it, a soft one only tells, at each of the levels. It counts what was charged, however
    it was paid, and what is held."""

    id: BudgetId
    organisation: OrganisationId | None
    project: ProjectId | None
    user: UserId | None
    amount: Money
    is_monthly: bool
    is_hard: bool
    warn_percent: tuple[int, ...]
    valid_from: datetime
    valid_to: datetime | None
    is_owners: bool = False
    """Set by an owner of the project."""
    created_at: datetime | None = None
    created_by: str | None = None
    ended_by: str | None = None


async def set_budget(session: AsyncSession, wanted: Budget, *, person: str, now: datetime) -> None:
    """Invalid for what cannot be meant, a payer that is not there, or a user who is not in the project."""
    if (wanted.organisation is None) == (wanted.project is None) or (wanted.user and wanted.project is None):
        raise Invalid(
            "A budget is an organisation's, a project's, or a user's within a project.",
            "预算须属于一个组织、一个课题组，或课题组内的一个用户。",
            field="project",
        )
    if wanted.amount.micro < 0:
        raise Invalid("amount: nothing or more.", "amount：预算不得为负。", field="amount")
    if wanted.valid_to is not None and wanted.valid_to <= wanted.valid_from:
        raise Invalid("valid_to: later than valid_from.", "valid_to：必须晚于 valid_from。", field="valid_to")
    if len(wanted.warn_percent) > MOST_LEVELS or not all(0 < one <= PERCENT for one in wanted.warn_percent):
        raise Invalid("warn_percent: 1 to 100.", "warn_percent：须为 1 到 100。", field="warn_percent")
    if wanted.user and wanted.project and not await is_member(session, wanted.user, wanted.project):
        raise Invalid(
            "The user is no member of this project: have them added first.",
            "该用户不是该课题组成员：请先加入。",
            field="login",
        )
    row = BudgetRow(
        id=wanted.id, organisation_id=wanted.organisation, project_id=wanted.project, user_id=wanted.user,
        amount_micro=wanted.amount.micro, currency=wanted.amount.currency, is_monthly=wanted.is_monthly,
        is_hard=wanted.is_hard, warn_percent=sorted(set(wanted.warn_percent)), valid_from=wanted.valid_from,
        valid_to=wanted.valid_to, is_owners=wanted.is_owners, created_at=now, created_by=person,
    )  # fmt: skip
    try:
        async with session.begin_nested():
            session.add(row)
            await session.flush()
    except IntegrityError as error:
        raise Invalid("There is no such payer.", "预算主体不存在。", field="project") from error


async def end_budget(
    session: AsyncSession, id_: BudgetId, *, person: str, now: datetime, of_owners: ProjectId | None = None
) -> None:
    """From now on it holds no more; one that has not begun never does. NotFound where none that holds or will has this
    id; `of_owners`: among those that the owners of this project have set."""
    ending = update(BudgetRow).where(BudgetRow.id == id_, _open_at(now), _ever_holds())
    if of_owners is not None:
        ending = ending.where(BudgetRow.project_id == of_owners, BudgetRow.is_owners)
    ended = ending.values(valid_to=func.greatest(BudgetRow.valid_from, now), ended_by=person).returning(BudgetRow.id)
    if (await session.execute(ended)).scalar_one_or_none() is None:
        raise NotFound("There is no such budget that holds or will.", "没有该有效预算。", field="budget")


async def budgets_of(session: AsyncSession, projects: Collection[ProjectId] | None, now: datetime) -> list[Budget]:
    """Those that hold for these projects (None: all), their organisations' among them."""
    query = select(BudgetRow).where(BudgetRow.valid_from <= now, _open_at(now)).order_by(BudgetRow.id)
    if projects is not None:
        organisations = set((await organisations_of(session, projects)).values())
        query = query.where(or_(BudgetRow.project_id.in_(projects), BudgetRow.organisation_id.in_(organisations)))
    return [_budget(row) for row in (await session.scalars(query)).all()]


async def all_budgets(session: AsyncSession) -> list[Budget]:
    """For the operator: those that are over or have not begun too."""
    return [_budget(row) for row in (await session.scalars(select(BudgetRow).order_by(BudgetRow.id))).all()]


async def spent_of(session: AsyncSession, budgets: Collection[Budget], now: datetime) -> dict[BudgetId, Money]:
    """What was charged and is held, of what each of these budgets counts."""
    micro = await spent.spent(session, [one.id for one in budgets], now)
    return {one.id: Money(micro[one.id], one.amount.currency) for one in budgets}


async def lock_budgets(session: AsyncSession, ids: Collection[BudgetId]) -> list[Budget]:
    """As they are while their rows are locked."""
    locking = select(BudgetRow).where(BudgetRow.id.in_(ids)).order_by(BudgetRow.id).with_for_update()
    return [_budget(row) for row in (await session.scalars(locking)).all()]


def _ever_holds() -> ColumnElement[bool]:
    """One that was withdrawn ends as it begins."""
    return or_(BudgetRow.valid_to.is_(None), BudgetRow.valid_to > BudgetRow.valid_from)


def _open_at(now: datetime) -> ColumnElement[bool]:
    return or_(BudgetRow.valid_to.is_(None), BudgetRow.valid_to > now)


def _budget(row: BudgetRow) -> Budget:
    return Budget(
        id=BudgetId(row.id),
        organisation=None if row.organisation_id is None else OrganisationId(row.organisation_id),
        project=None if row.project_id is None else ProjectId(row.project_id),
        user=None if row.user_id is None else UserId(row.user_id),
        amount=Money(row.amount_micro, row.currency),
        is_monthly=row.is_monthly,
        is_hard=row.is_hard,
        warn_percent=tuple(row.warn_percent),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        is_owners=row.is_owners,
        created_at=row.created_at,
        created_by=row.created_by,
        ended_by=row.ended_by,
    )
