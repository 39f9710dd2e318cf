"""A project's money and what moved it, as the API shows them."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.api import shown
from paracloud.billing.statement import balance, statement
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import ProjectId
from paracloud.wire.account import BalanceModel, LineModel, StatementModel
from paracloud.wire.base import FIRST_YEAR

MONTH = timedelta(days=31)
FIRST = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)


async def balance_of(session: AsyncSession, project: ProjectId) -> BalanceModel:
    both = await balance(session, project)
    return BalanceModel(
        available=shown.money(both.available), held=shown.money(both.held), spendable=shown.money(both.spendable)
    )


async def moved(
    session: AsyncSession, project: ProjectId, now: datetime, start: datetime | None, end: datetime | None
) -> StatementModel:
    """In [start, end); Invalid for more than a year."""
    until = end or now + timedelta(seconds=1)
    since = start or max(until - MONTH, FIRST)
    if not timedelta(0) < until - since <= 12 * MONTH:
        raise Invalid(
            "end must be later than start, by a year at most.", "end 必须晚于 start，且不超过一年。", field="end"
        )
    found = await statement(session, project, since, until)
    return StatementModel(
        project=found.project,
        start=found.start,
        end=found.end,
        opening=shown.money(found.opening),
        lines=[
            LineModel(
                entry=one.entry,
                at=one.at,
                kind=one.kind,
                reference=one.reference,
                reason=one.reason,
                amount=shown.money(one.amount),
                balance=shown.money(one.balance),
            )
            for one in found.lines
        ],
        closing=shown.money(found.closing),
    )
