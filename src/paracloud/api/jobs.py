"""Jobs to look at and to change."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from paracloud.api import shown
from paracloud.api.deps import Bearer, Deps, TheDeps, Token, asked
from paracloud.jobs import wish
from paracloud.jobs.show import list_jobs, show
from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import JobId, ProjectId
from paracloud.wire.jobs import JobDetailModel, JobModel, JobPage

router = APIRouter(tags=["jobs"])
Wish = Callable[..., Awaitable[JobState]]


@router.get("/jobs")
async def list_page(
    deps: TheDeps,
    token: Token,
    project: UUID | None = None,
    state: Annotated[list[JobState] | None, Query(max_length=20)] = None,
    cursor: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> JobPage:
    """Newest first."""
    async with asked(deps, token) as at:
        items = await list_jobs(
            at.session,
            at.caller,
            project=None if project is None else ProjectId(project),
            states=state or (),
            before=None if cursor is None else JobId(cursor),
            limit=limit,
        )
    following = str(items[-1].job) if len(items) == limit else None
    return JobPage(items=[shown.job(one) for one in items], next=following)


@router.get("/jobs/{job}")
async def show_job(job: UUID, deps: TheDeps, token: Token) -> JobDetailModel:
    async with asked(deps, token) as at:
        return shown.detail(await show(at.session, at.caller, JobId(job)))


@router.post("/jobs/{job}:cancel")
async def cancel_job(job: UUID, deps: TheDeps, token: Token) -> JobModel:
    """Cancel; a job that is cancelled already stays so."""
    return await _wish(deps, token, JobId(job), wish.cancel)


@router.post("/jobs/{job}:hold")
async def hold_job(job: UUID, deps: TheDeps, token: Token) -> JobModel:
    """Keep a waiting job from starting."""
    return await _wish(deps, token, JobId(job), wish.hold)


@router.post("/jobs/{job}:release")
async def release_job(job: UUID, deps: TheDeps, token: Token) -> JobModel:
    return await _wish(deps, token, JobId(job), wish.release)


async def _wish(deps: Deps, token: Bearer, job: JobId, act: Wish) -> JobModel:
    async with asked(deps, token) as at:
        await act(at.session, at.caller, job, now=deps.clock.now())
        return shown.job((await show(at.session, at.caller, job)).summary)
