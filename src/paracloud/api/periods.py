"""Billing periods: what is open, and closing a month."""

from datetime import date

from fastapi import APIRouter

from paracloud.api import shown
from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.exactly import a_month
from paracloud.api.operator import operator
from paracloud.billing.close_period import close_period
from paracloud.billing.closing import closing_of, require_agreed
from paracloud.billing.look import Look
from paracloud.billing.period import later_closed, month_after
from paracloud.billing.periods import periods
from paracloud.billing.reconciliations import unreconciled
from paracloud.centres.registry import connected
from paracloud.kit.identifiers import CentreName
from paracloud.kit.money import Money
from paracloud.wire.paying import Month, PeriodList, PeriodModel
from paracloud.wire.reconciliation import ClosedModel, CloseRequest, ClosingModel, OpenDayModel

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


@router.get("/periods/{month}")
async def closing(month: Month, deps: TheDeps, token: Token) -> ClosingModel:
    """What stands against closing a month."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        found = await closing_of(at.session, a_month(month), await connected(at.session), now=now)
    return ClosingModel(
        month=month,
        is_closed=found.is_closed,
        is_over=found.is_over,
        later_closed=_month(found.later_closed),
        open_before=_month(found.open_before),
        unrated=found.unrated,
        unreconciled=[_open_day(*one) for one in found.days],
        is_untouched=found.is_untouched,
    )


@router.post("/periods/{month}:close")
async def close(month: Month, deps: TheDeps, token: Token, body: CloseRequest | None = None) -> ClosedModel:
    """Once and for all: what is charged later falls into the next. Again: it was closed before. Names the days whose
    books do not agree, and closes it then `anyway` only."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        period = a_month(month)
        is_new = await close_period(at.session, period, person=at.caller.login, now=now)
        since = await connected(at.session)
        if is_new and not (body is not None and body.anyway):
            await require_agreed(at.session, period, since)
        days = await unreconciled(at.session, since, period, month_after(period))
        later = await later_closed(at.session, period)
    open_days = [_open_day(*one) for one in days]
    return ClosedModel(month=month, is_new=is_new, later_closed=_month(later), unreconciled=open_days)


def _month(month: date | None) -> str | None:
    return None if month is None else f"{month:%Y-%m}"


def _open_day(centre: CentreName, day: date, look: Look | None) -> OpenDayModel:
    off = Money(0 if look is None else look.off_micro)
    return OpenDayModel(centre=centre, day=day, state=None if look is None else look.state.value, off=shown.money(off))
