"""Settlement: a centre sees its statements, confirms or disputes them; the operator states, answers and pays."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from paracloud.api import shown
from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.exactly import a_month, an_amount
from paracloud.api.operator import operator
from paracloud.kit.identifiers import CentreName, DisputeId, SettlementId, UsageId
from paracloud.kit.money import Money
from paracloud.settlement.answer_settlement import answer_dispute, confirm, dispute_line, pay
from paracloud.settlement.people import (
    PAGE,
    days_of,
    let_speak,
    lines_of,
    require_centre,
    settlement_of,
    settlements_of,
)
from paracloud.settlement.settled import Dispute, Settlement
from paracloud.settlement.state_settlements import state_settlements
from paracloud.settlement.store import Day, Line
from paracloud.wire.account import Created
from paracloud.wire.paying import Centre, Month
from paracloud.wire.settlement import (
    AnswerRequest,
    CentrePersonRequest,
    DayModel,
    DisputeModel,
    DisputeRequest,
    PaymentRequest,
    SettledLineList,
    SettledLineModel,
    SettlementList,
    SettlementModel,
    StatedModel,
)

router = APIRouter(tags=["settlement"])
SECONDS_AN_HOUR = 3600


@router.get("/centres/{centre}/settlements")
async def centres_settlements(centre: Centre, deps: TheDeps, token: Token) -> SettlementList:
    """The centre's statements, the newest month first."""
    async with asked(deps, token) as at:
        await require_centre(at.session, at.caller, CentreName(centre))
        found = await settlements_of(at.session, centre=CentreName(centre))
    return SettlementList(items=[_shown(one) for one in found])


@router.get("/centres/{centre}/settlements/{month}")
async def centres_settlement(centre: Centre, month: Month, deps: TheDeps, token: Token) -> StatedModel:
    async with asked(deps, token) as at:
        await require_centre(at.session, at.caller, CentreName(centre))
        found, disputes = await settlement_of(at.session, CentreName(centre), a_month(month))
        days = await days_of(at.session, found.centre, found.period)
    return StatedModel(
        settlement=_shown(found),
        days=[_day(one, found.currency) for one in days],
        disputes=[_dispute(one, found.currency) for one in disputes],
    )


@router.get("/centres/{centre}/settlements/{month}/lines")
async def centres_lines(
    centre: Centre,
    month: Month,
    deps: TheDeps,
    token: Token,
    day: Annotated[date | None, Query(description="What ended on this day, UTC.")] = None,
    after: UUID | None = None,
) -> SettledLineList:
    """Down to single jobs: the centre's own names, and its share of each."""
    async with asked(deps, token) as at:
        await require_centre(at.session, at.caller, CentreName(centre))
        found, _ = await settlement_of(at.session, CentreName(centre), a_month(month))
        past = None if after is None else UsageId(after)
        lines = await lines_of(at.session, found.centre, found.period, day=day, after=past)
    return SettledLineList(
        items=[_line(one, found.currency) for one in lines],
        next=str(lines[-1].usage) if len(lines) == PAGE else None,
    )


@router.post("/centres/{centre}/settlements/{month}:confirm")
async def confirm_settlement(centre: Centre, month: Month, deps: TheDeps, token: Token) -> SettlementModel:
    async with asked(deps, token) as at:
        at.caller.require_writer()
        await require_centre(at.session, at.caller, CentreName(centre))
        found, _ = await settlement_of(at.session, CentreName(centre), a_month(month))
        return _shown(await confirm(at.session, found.id, person=at.caller.login, now=deps.clock.now()))


@router.post("/centres/{centre}/settlements/{month}:dispute", status_code=201)
async def dispute(centre: Centre, month: Month, body: DisputeRequest, deps: TheDeps, token: Token) -> Created:
    """A line of it, by its usage, with a reason."""
    async with asked(deps, token) as at:
        at.caller.require_writer()
        await require_centre(at.session, at.caller, CentreName(centre))
        found, _ = await settlement_of(at.session, CentreName(centre), a_month(month))
        made = await dispute_line(
            at.session,
            found.id,
            UsageId(body.usage),
            reason=body.reason,
            person=at.caller.login,
            now=deps.clock.now(),
        )
    return Created(id=str(made.id))


@router.post("/operator/settlements/{month}:state")
async def state(month: Month, deps: TheDeps, token: Token) -> SettlementList:
    """State a closed month to every centre; those that have it already keep it. All statements of the month."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        await state_settlements(at.session, a_month(month), person=at.caller.login, now=now)
        found = await settlements_of(at.session, period=a_month(month))
    return SettlementList(items=[_shown(one) for one in found])


@router.post("/operator/disputes/{dispute_id}:answer")
async def answer(dispute_id: UUID, body: AnswerRequest, deps: TheDeps, token: Token) -> SettlementModel:
    async with asked(deps, token) as at:
        now = operator(at, deps)
        adjustment = an_amount("adjustment", body.adjustment)
        found = await answer_dispute(
            at.session,
            DisputeId(dispute_id),
            text=body.answer,
            adjustment=adjustment,
            person=at.caller.login,
            now=now,
        )
    return _shown(found)


@router.post("/operator/settlements/{settlement_id}:pay")
async def pay_settlement(settlement_id: UUID, body: PaymentRequest, deps: TheDeps, token: Token) -> SettlementModel:
    """It was transferred. The same transfer counts once."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        found = await pay(
            at.session, SettlementId(settlement_id), payment=body.payment, person=at.caller.login, now=now
        )
    return _shown(found)


@router.put("/operator/centre-people", status_code=204)
async def centre_person(body: CentrePersonRequest, deps: TheDeps, token: Token) -> Response:
    """Let a user speak for a centre: see its statements, confirm and dispute them."""
    async with asked(deps, token) as at:
        operator(at, deps)
        await let_speak(at.session, body.login, CentreName(body.centre))
    return Response(status_code=204)


def _shown(one: Settlement) -> SettlementModel:
    amounts = {
        name: shown.money(Money(getattr(one, name), one.currency))
        for name in ("share", "tiers", "minimum", "fixed", "fees", "adjusted", "total")
    }
    return SettlementModel(
        id=one.id,
        centre=one.centre,
        month=f"{one.period:%Y-%m}",
        state=one.state.value,
        charges=one.charges,
        **amounts,
        stated_at=one.stated_at,
        confirmed_at=one.confirmed_at,
        paid_at=one.paid_at,
        payment=one.payment,
    )


def _day(one: Day, currency: str) -> DayModel:
    return DayModel(
        day=one.day,
        queue=one.queue,
        charges=one.count,
        core_hours=f"{Decimal(one.core_seconds) / SECONDS_AN_HOUR:.4f}",
        card_hours=f"{Decimal(one.card_seconds) / SECONDS_AN_HOUR:.4f}",
        share=shown.money(Money(one.share, currency)),
    )


def _line(one: Line, currency: str) -> SettledLineModel:
    same = {name: getattr(one, name) for name in Line.__dataclass_fields__ if name != "share"}
    return SettledLineModel(**same, share=shown.money(Money(one.share, currency)))


def _dispute(one: Dispute, currency: str) -> DisputeModel:
    return DisputeModel(
        id=one.id,
        usage=one.usage,
        reason=one.reason,
        person=one.person,
        opened_at=one.opened_at,
        adjusted=shown.money(Money(one.adjusted, currency)),
        answer=one.answer,
        answered_at=one.answered_at,
    )
