"""A centre takes no new jobs, or takes them again."""

from fastapi import APIRouter

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.operator import operator
from paracloud.centres.drain import drain, resume
from paracloud.kit.identifiers import CentreName
from paracloud.wire.drained import DrainedModel
from paracloud.wire.paying import Centre

router = APIRouter(prefix="/operator", tags=["operator"])


@router.post("/centres/{centre}:drain")
async def drain_centre(centre: Centre, deps: TheDeps, token: Token) -> DrainedModel:
    """Let a centre take no new jobs. What it has goes on there; jobs that wait long move as they always do."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        await drain(at.session, CentreName(centre), person=at.caller.login, now=now)
    return DrainedModel(centre=centre, is_drained=True)


@router.post("/centres/{centre}:resume")
async def resume_centre(centre: Centre, deps: TheDeps, token: Token) -> DrainedModel:
    """Let a drained centre take jobs again."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        await resume(at.session, CentreName(centre), person=at.caller.login, now=now)
    return DrainedModel(centre=centre, is_drained=False)
