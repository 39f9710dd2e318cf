"""The operator's side of settlement: state months, answer disputes, pay, and who speaks for a centre."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from paracloud.api import shown_settlement
from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.exactly import a_month, an_amount
from paracloud.api.operator import operator
from paracloud.kit.identifiers import CentreName, DisputeId, SettlementId
from paracloud.settlement.answer_settlement import answer_dispute, pay
from paracloud.settlement.people import let_speak, people_of, settlements_of, silence, waiting
from paracloud.settlement.state_settlements import state_settlements
from paracloud.wire.paying import Centre, Month
from paracloud.wire.settlement import (
    AnswerRequest,
    CentrePersonList,
    CentrePersonModel,
    CentrePersonRequest,
    PaymentRequest,
    SettlementList,
    SettlementModel,
    SettlingModel,
)

router = APIRouter(prefix="/operator", tags=["settlement"])


@router.get("/settlements")
async def settling(
    deps: TheDeps,
    token: Token,
    month: Annotated[Month | None, Query(description="All statements of this month.")] = None,
) -> SettlingModel:
    """What waits for the operator: disputes without an answer, and statements that are disputed or to be paid."""
    async with asked(deps, token) as at:
        operator(at, deps)
        found, disputes = await waiting(at.session, None if month is None else a_month(month))
    return SettlingModel(
        items=[shown_settlement.statement(one) for one in found],
        disputes=[shown_settlement.an_open_dispute(one, of) for one, of in disputes],
    )


@router.post("/settlements/{month}:state")
async def state(month: Month, deps: TheDeps, token: Token) -> SettlementList:
    """State a closed month to every centre; those that have it already keep it. All statements of the month."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        await state_settlements(at.session, a_month(month), person=at.caller.login, now=now)
        found = await settlements_of(at.session, period=a_month(month))
    return SettlementList(items=[shown_settlement.statement(one) for one in found])


@router.post("/disputes/{dispute_id}:answer")
async def answer(dispute_id: UUID, body: AnswerRequest, deps: TheDeps, token: Token) -> SettlementModel:
    async with asked(deps, token) as at:
        now = operator(at, deps)
        adjustment = an_amount("adjustment", body.adjustment)
        found = await answer_dispute(
            at.session,
            DisputeId(dispute_id),
            text=body.answer,
            adjustment=adjustment,
            beyond_charge=body.beyond_charge,
            person=at.caller.login,
            now=now,
        )
    return shown_settlement.statement(found)


@router.post("/settlements/{settlement_id}:pay")
async def pay_settlement(settlement_id: UUID, body: PaymentRequest, deps: TheDeps, token: Token) -> SettlementModel:
    """It was transferred, to the centre or, of less than nothing, from it. The same transfer counts once."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        found = await pay(
            at.session,
            SettlementId(settlement_id),
            payment=body.payment,
            person=at.caller.login,
            now=now,
            from_centre=body.from_centre,
        )
    return shown_settlement.statement(found)


@router.put("/centre-people", status_code=204)
async def centre_person(body: CentrePersonRequest, deps: TheDeps, token: Token) -> Response:
    """Let a user speak for a centre: see its statements, confirm and dispute them."""
    async with asked(deps, token) as at:
        operator(at, deps)
        await let_speak(at.session, body.login, CentreName(body.centre))
    return Response(status_code=204)


@router.get("/centre-people")
async def centre_people(
    deps: TheDeps, token: Token, centre: Annotated[Centre | None, Query(description="Of this centre alone.")] = None
) -> CentrePersonList:
    """Who speaks for which centre."""
    async with asked(deps, token) as at:
        operator(at, deps)
        found = await people_of(at.session, None if centre is None else CentreName(centre))
    return CentrePersonList(items=[CentrePersonModel(centre=one.centre, login=one.login) for one in found])


@router.delete("/centre-people/{centre}/{login}", status_code=204)
async def no_centre_person(centre: Centre, login: str, deps: TheDeps, token: Token) -> Response:
    """The user no longer speaks for the centre."""
    async with asked(deps, token) as at:
        operator(at, deps)
        await silence(at.session, login, CentreName(centre))
    return Response(status_code=204)
