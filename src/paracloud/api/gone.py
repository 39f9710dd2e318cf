"""A centre whose machines are off: what it was sent begins anew elsewhere."""

from fastapi import APIRouter

from paracloud.api.deps import Deps, TheDeps, Token, asked
from paracloud.api.operator import operator
from paracloud.centres.registry import get_centre
from paracloud.jobs import store_given_up
from paracloud.jobs.give_up import Fate, give_up
from paracloud.jobs.given_up import Word
from paracloud.jobs.say_gone import say_gone
from paracloud.kit.identifiers import CentreName, JobId
from paracloud.wire.gone import GivenUpModel, GoneRequest, StaysModel, StrandedModel
from paracloud.wire.paying import Centre

router = APIRouter(prefix="/operator", tags=["operator"])

AT_ONCE = 100
"""Jobs in one call; who asks again goes on with the next."""


@router.get("/centres/{centre}/stranded")
async def stranded(centre: Centre, deps: TheDeps, token: Token) -> StrandedModel:
    """How many jobs the word that the centre's machines are off would be about."""
    async with asked(deps, token) as at:
        operator(at, deps)
        await get_centre(at.session, CentreName(centre))
        waiting, watched = await store_given_up.count(at.session, CentreName(centre))
    return StrandedModel(stranded=waiting, watched=watched)


@router.post("/centres/{centre}:give-up")
async def give_up_centre(centre: Centre, body: GoneRequest, deps: TheDeps, token: Token) -> GivenUpModel:
    """Say that the machines of a sick centre are off, and not merely out of reach: jobs that it was sent and that are
    not known to have started begin anew at other centres, those that run are watched. What it runs of them all the same
    when it is back is the platform's cost. A hundred jobs at a time, each by itself; may be repeated."""
    async with asked(deps, token) as at:
        now, name = operator(at, deps), CentreName(centre)
        word = await say_gone(at.session, name, person=at.caller.login, reason=body.reason, now=now)
        after = None if body.after is None else JobId(body.after)
        jobs = await store_given_up.stranded(at.session, name, AT_ONCE, after=after)
    fates = [fate for job in jobs if (fate := await _one(deps, word, job)) is not None]
    stays = [StaysModel(job=one.job, en=one.stays[0], zh=one.stays[1]) for one in fates if one.stays is not None]
    return GivenUpModel(moved=len(fates) - len(stays), stays=stays, last=jobs[-1] if len(jobs) == AT_ONCE else None)


async def _one(deps: Deps, word: Word, job: JobId) -> Fate | None:
    market = await deps.market.now()
    async with deps.database.begin() as session:
        return await give_up(session, word, job, market=market, now=deps.clock.now())
