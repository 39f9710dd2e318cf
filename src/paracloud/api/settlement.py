"""Settlement: a centre sees its statements, confirms or disputes them."""

import re
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from paracloud.api import shown_settlement
from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.exactly import a_month
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName, UsageId
from paracloud.settlement.answer_settlement import confirm, open_dispute
from paracloud.settlement.people import (
    PAGE,
    contracts_in,
    days_of,
    lines_of,
    require_seen,
    require_speaker,
    settlement_of,
    settlements_of,
)
from paracloud.settlement.store_lines import FIRST, Key
from paracloud.wire.account import Created
from paracloud.wire.paying import Centre, Month
from paracloud.wire.settlement import (
    DisputeRequest,
    SettledLineList,
    SettlementList,
    SettlementModel,
    StatedModel,
)

PLACE = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9]{1,9})\.([01])")
router = APIRouter(tags=["settlement"])


@router.get("/centres/{centre}/settlements")
async def centres_settlements(centre: Centre, deps: TheDeps, token: Token) -> SettlementList:
    """The centre's statements, the newest month first."""
    async with asked(deps, token) as at:
        await require_seen(at.session, at.caller, CentreName(centre))
        found = await settlements_of(at.session, centre=CentreName(centre))
    return SettlementList(items=[shown_settlement.statement(one) for one in found])


@router.get("/centres/{centre}/settlements/{month}")
async def centres_settlement(centre: Centre, month: Month, deps: TheDeps, token: Token) -> StatedModel:
    async with asked(deps, token) as at:
        await require_seen(at.session, at.caller, CentreName(centre))
        found, disputes = await settlement_of(at.session, CentreName(centre), a_month(month))
        days = await days_of(at.session, found.centre, found.period)
        contracts = await contracts_in(at.session, found)
    return StatedModel(
        settlement=shown_settlement.statement(found),
        contracts=[shown_settlement.a_contract(*one, found.currency) for one in contracts],
        days=[shown_settlement.a_day(one, found.currency) for one in days],
        disputes=[shown_settlement.a_dispute(one, found.currency) for one in disputes],
    )


@router.get("/centres/{centre}/settlements/{month}/lines")
async def centres_lines(
    centre: Centre,
    month: Month,
    deps: TheDeps,
    token: Token,
    day: Annotated[date | None, Query(description="What ended on this day, UTC.")] = None,
    after: Annotated[str | None, Query(max_length=80, description="`next` of the page before.")] = None,
) -> SettledLineList:
    """Down to single jobs: the centre's own names, what each cost and the centre's share."""
    async with asked(deps, token) as at:
        await require_seen(at.session, at.caller, CentreName(centre))
        found, _ = await settlement_of(at.session, CentreName(centre), a_month(month))
        lines = await lines_of(at.session, found.centre, found.period, day=day, after=_key(after))
    return SettledLineList(
        items=[shown_settlement.a_line(one, found.currency) for one in lines],
        next=_place(lines[-1].key) if len(lines) == PAGE else None,
    )


@router.post("/centres/{centre}/settlements/{month}:confirm")
async def confirm_settlement(centre: Centre, month: Month, deps: TheDeps, token: Token) -> SettlementModel:
    async with asked(deps, token) as at:
        await require_speaker(at.session, at.caller, CentreName(centre))
        found, _ = await settlement_of(at.session, CentreName(centre), a_month(month))
        return shown_settlement.statement(
            await confirm(at.session, found.id, person=at.caller.login, now=deps.clock.now())
        )


@router.post("/centres/{centre}/settlements/{month}:dispute", status_code=201)
async def dispute(centre: Centre, month: Month, body: DisputeRequest, deps: TheDeps, token: Token) -> Created:
    """A line of it, by its usage, or, without one, what is on no line; with a reason."""
    async with asked(deps, token) as at:
        await require_speaker(at.session, at.caller, CentreName(centre))
        found, _ = await settlement_of(at.session, CentreName(centre), a_month(month))
        made = await open_dispute(
            at.session,
            found.id,
            None if body.usage is None else UsageId(body.usage),
            reason=body.reason,
            person=at.caller.login,
            now=deps.clock.now(),
        )
    return Created(id=str(made.id))


def _place(key: Key) -> str:
    return f"{key.usage}.{key.revision}.{int(key.is_reversal)}"


def _key(place: str | None) -> Key:
    if place is None:
        return FIRST
    found = PLACE.fullmatch(place)
    if found is None:
        raise Invalid("after: what the page before named as next.", "after：请填写上一页给出的 next。", field="after")
    return Key(UsageId(UUID(found[1])), int(found[2]), is_reversal=found[3] == "1")
