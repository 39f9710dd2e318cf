"""A queue that is gone for good: nobody waits for it any longer."""

from dataclasses import asdict

from fastapi import APIRouter

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.operator import operator
from paracloud.jobs.vacate_queue import vacate_queue
from paracloud.kit.identifiers import CentreName
from paracloud.wire.paying import Centre
from paracloud.wire.vacated import VacatedModel, VacateRequest

router = APIRouter(prefix="/operator", tags=["operator"])


@router.post("/centres/{centre}:vacate")
async def vacate(centre: Centre, body: VacateRequest, deps: TheDeps, token: Token) -> VacatedModel:
    """Say that a queue, which its centre does not show any more, will not come back: who waits for it moves to another
    centre or ends. A hundred jobs at a time; may be repeated."""
    market = await deps.market.now()
    async with asked(deps, token) as at:
        now, person = operator(at, deps), at.caller.login
        done = await vacate_queue(at.session, CentreName(centre), body.queue, market=market, person=person, now=now)
    return VacatedModel(**asdict(done))
