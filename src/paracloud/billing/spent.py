"""What was spent and is reserved, as budgets count it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.period import month_of
from paracloud.kit.identifiers import BudgetId

COUNTED = """charge.project_id = ANY(one.projects) AND NOT charge.is_duplicate
                      AND (one.user_id IS NULL OR charge.user_id = one.user_id)"""
SPENT = text(f"""
    WITH one AS MATERIALIZED (
      SELECT budget.id, budget.user_id, budget.is_monthly, budget.valid_from,
             date_trunc('month', budget.valid_from AT TIME ZONE 'UTC')::date AS since,
             CASE WHEN budget.project_id IS NOT NULL THEN ARRAY[budget.project_id]
                  ELSE ARRAY(SELECT id FROM projects WHERE organisation_id = budget.organisation_id) END AS projects
        FROM budgets AS budget WHERE budget.id = ANY(:budgets))
    SELECT one.id,
           coalesce(CASE WHEN one.is_monthly
             THEN (SELECT sum(charge.amount_micro) FROM charges AS charge
                    WHERE {COUNTED} AND charge.period = :month)
             ELSE (SELECT sum(charge.amount_micro) FROM charges AS charge JOIN usage ON usage.id = charge.usage_id
                    WHERE {COUNTED} AND usage.ended_at > one.valid_from AND charge.period >= one.since) END, 0)
           + coalesce((
               SELECT sum(greatest(hold.ceiling_micro - coalesce((
                        SELECT sum(charge.amount_micro) FROM charges AS charge
                         WHERE charge.reference = hold.reference AND NOT charge.is_duplicate), 0), 0))
                 FROM holds AS hold
                WHERE hold.project_id = ANY(one.projects) AND hold.released_at IS NULL
                  AND (one.user_id IS NULL OR hold.user_id = one.user_id)), 0)
      FROM one
""").bindparams(bindparam("budgets", type_=ARRAY(Uuid)))  # noqa: S608  # constants alone


async def spent(session: AsyncSession, budgets: Collection[BudgetId], now: datetime) -> dict[BudgetId, int]:
    """Of each budget, in micro-units: what was charged in this month (or of what ended since it holds), and of each
    open hold what its job can still cost: its ceiling, less what was charged to it so far, whoever pays for it."""
    if not budgets:
        return {}
    rows = await session.execute(SPENT, {"budgets": list(budgets), "month": month_of(now)})
    return {BudgetId(budget): int(micro) for budget, micro in rows.all()}
