"""Billing periods: what is open, and closing a month."""

from fastapi import APIRouter

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.exactly import a_month
from paracloud.api.operator import operator
from paracloud.billing.close_period import close_period
from paracloud.billing.periods import periods
from paracloud.wire.paying import ClosedModel, Month, PeriodList, PeriodModel

router = APIRouter(prefix="/operator", tags=["operator"])


@router.get("/periods")
async def list_periods(deps: TheDeps, token: Token) -> PeriodList:
    """Every month that something was charged in, the newest first."""
    async with asked(deps, token) as at:
        operator(at, deps)
        found = await periods(at.session)
    return PeriodList(
        items=[
            PeriodModel(
                month=f"{one.month:%Y-%m}", closed_at=one.closed_at, closed_by=one.closed_by, unrated=one.unrated
            )
            for one in found
        ]
    )


@router.post("/periods/{month}:close")
async def close(month: Month, deps: TheDeps, token: Token) -> ClosedModel:
    """Once and for all: what is charged later falls into the next. Again: it was closed before."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        is_new = await close_period(at.session, a_month(month), person=at.caller.login, now=now)
    return ClosedModel(month=month, is_new=is_new)
