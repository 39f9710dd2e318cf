"""A queue that is gone for good: nobody waits for it any longer."""

from collections import Counter

import structlog
from fastapi import APIRouter

from paracloud.api.deps import Deps, TheDeps, Token, asked
from paracloud.api.operator import operator
from paracloud.jobs.vacate_queue import AT_ONCE, Way, vacate_job, waiting_for
from paracloud.kit.identifiers import CentreName, JobId
from paracloud.wire.paying import Centre
from paracloud.wire.vacated import VacatedModel, VacateRequest

log = structlog.get_logger()
router = APIRouter(prefix="/operator", tags=["operator"])


@router.post("/centres/{centre}:vacate")
async def vacate(centre: Centre, body: VacateRequest, deps: TheDeps, token: Token) -> VacatedModel:
    """Say that a queue, which its centre does not show any more, will not come back: who waits for it moves to another
    centre or ends. A hundred jobs at a time; may be repeated."""
    place = CentreName(centre), body.queue
    async with asked(deps, token) as at:
        operator(at, deps)
        jobs = await waiting_for(at.session, *place)
        log.info("queue.vacated", centre=centre, queue=body.queue, jobs=len(jobs), person=at.caller.login)
    ways = Counter([await _one(deps, place, job) for job in jobs])
    return VacatedModel(
        moved=ways[Way.MOVED],
        leaving=ways[Way.LEAVING],
        ended=ways[Way.ENDED],
        cancelling=ways[Way.CANCELLING],
        has_more=len(jobs) == AT_ONCE,
    )


async def _one(deps: Deps, place: tuple[CentreName, str], job: JobId) -> Way | None:
    market = await deps.market.now()
    async with deps.database.begin() as session:
        return await vacate_job(session, job, place, market=market, now=deps.clock.now())
