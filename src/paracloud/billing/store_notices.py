"""Every query on notices, and on the marks that make each be told once."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import func, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.notice import Notice, NoticeKind
from paracloud.billing.tables import LedgerAccountRow
from paracloud.billing.tables_notices import BudgetMarkRow, NoticeRow, WalletMarkRow
from paracloud.billing.tables_paying import FundingRow
from paracloud.kit.identifiers import BudgetId, OrganisationId, ProjectId, UserId
from paracloud.kit.money import Money


async def add(session: AsyncSession, notices: Sequence[Notice]) -> None:
    if notices:
        await session.execute(insert(NoticeRow), [_values(one) for one in notices])


async def page(
    session: AsyncSession,
    project: ProjectId,
    organisation: OrganisationId | None,
    *,
    after: int,
    limit: int,
    user: UserId | None,
) -> list[tuple[int, Notice]]:
    of = NoticeRow.project_id == project
    if organisation is not None:
        of = or_(of, NoticeRow.organisation_id == organisation)
    query = select(NoticeRow).where(of, NoticeRow.id > after)
    if user is not None:
        query = query.where(or_(NoticeRow.user_id.is_(None), NoticeRow.user_id == user))
    rows = (await session.scalars(query.order_by(NoticeRow.id).limit(limit))).all()
    return [(row.id, _notice(row)) for row in rows]


async def operators_page(session: AsyncSession, *, after: int, limit: int) -> list[tuple[int, Notice]]:
    of = NoticeRow.project_id.is_(None) & NoticeRow.organisation_id.is_(None) & (NoticeRow.id > after)
    rows = (await session.scalars(select(NoticeRow).where(of).order_by(NoticeRow.id).limit(limit))).all()
    return [(row.id, _notice(row)) for row in rows]


async def lock_levels(session: AsyncSession) -> list[ProjectId]:
    """The projects that have levels, less those that somebody else looks at now: so two never tell one crossing."""
    query = select(FundingRow.project_id).where(func.cardinality(FundingRow.warn_micro) > 0)
    locking = query.order_by(FundingRow.project_id).with_for_update(skip_locked=True)
    return [ProjectId(project) for project in (await session.scalars(locking)).all()]


async def crossed(session: AsyncSession, projects: Collection[ProjectId]) -> list[tuple[ProjectId, Money, Money, bool]]:
    """Project, level, what is available (wallet and credit line), and whether that is at or below the level now: for
    each level where it is otherwise than its mark says."""
    levels = select(
        FundingRow.project_id,
        FundingRow.currency,
        FundingRow.credit_line_micro,
        func.unnest(FundingRow.warn_micro).label("level"),
    ).where(FundingRow.project_id.in_(projects))
    of = levels.subquery()
    available = func.coalesce(LedgerAccountRow.balance_micro, 0) + of.c.credit_line_micro
    is_below = available <= of.c.level
    query = (
        select(of.c.project_id, of.c.level, of.c.currency, available.label("available"), is_below.label("is_below"))
        .outerjoin(LedgerAccountRow, LedgerAccountRow.code == func.concat("wallet:", of.c.project_id))
        .outerjoin(
            WalletMarkRow,
            (WalletMarkRow.project_id == of.c.project_id) & (WalletMarkRow.level_micro == of.c.level),
        )
        .where(is_below.is_distinct_from(func.coalesce(WalletMarkRow.is_below, False)))
        .order_by(of.c.project_id, of.c.level.desc())
    )
    return [
        (ProjectId(row.project_id), Money(row.level, row.currency), Money(row.available, row.currency), row.is_below)
        for row in (await session.execute(query)).all()
    ]


async def mark_wallet(session: AsyncSession, project: ProjectId, level: Money, *, is_below: bool) -> None:
    values = {"project_id": project, "level_micro": level.micro, "is_below": is_below}
    adding = upsert(WalletMarkRow).values(values)
    await session.execute(
        adding.on_conflict_do_update(index_elements=["project_id", "level_micro"], set_={"is_below": is_below})
    )


async def told(session: AsyncSession, budgets: Collection[BudgetId]) -> set[tuple[BudgetId, date, int]]:
    query = select(BudgetMarkRow).where(BudgetMarkRow.budget_id.in_(budgets))
    rows = (await session.scalars(query)).all()
    return {(BudgetId(row.budget_id), row.period, row.percent) for row in rows}


async def mark_budget(
    session: AsyncSession, budget: BudgetId, period: date, percents: Collection[int], now: datetime
) -> list[int]:
    """Those that nobody has marked before."""
    values = [{"budget_id": budget, "period": period, "percent": one, "told_at": now} for one in sorted(percents)]
    adding = upsert(BudgetMarkRow).values(values).on_conflict_do_nothing().returning(BudgetMarkRow.percent)
    return sorted((await session.scalars(adding)).all())


def _values(one: Notice) -> dict[str, object]:
    return {
        "organisation_id": one.organisation,
        "project_id": one.project,
        "user_id": one.user,
        "kind": one.kind.value,
        "reference": one.reference,
        "text_en": one.en,
        "text_zh": one.zh,
        "amount_micro": one.amount.micro,
        "level_micro": None if one.level is None else one.level.micro,
        "currency": one.amount.currency,
        "created_at": one.at,
    }


def _notice(row: NoticeRow) -> Notice:
    return Notice(
        kind=NoticeKind(row.kind),
        en=row.text_en,
        zh=row.text_zh,
        amount=Money(row.amount_micro, row.currency),
        at=row.created_at,
        project=None if row.project_id is None else ProjectId(row.project_id),
        organisation=None if row.organisation_id is None else OrganisationId(row.organisation_id),
        user=None if row.user_id is None else UserId(row.user_id),
        level=None if row.level_micro is None else Money(row.level_micro, row.currency),
        reference=row.reference,
    )
