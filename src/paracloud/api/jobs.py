"""Jobs and quotes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.api import shown
from paracloud.api.deps import Deps, TheDeps, Token, asked
from paracloud.api.once import once
from paracloud.identity.caller import Caller
from paracloud.jobs import wish
from paracloud.jobs.build import Built, build
from paracloud.jobs.quote import quote
from paracloud.jobs.show import list_jobs, show
from paracloud.jobs.spec import InputFile
from paracloud.jobs.state import JobState
from paracloud.jobs.submit import submit
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import BlobId, JobId, ProjectId
from paracloud.kit.money import Money
from paracloud.wire.jobs import (
    AcceptedModel,
    JobDetailModel,
    JobModel,
    JobPage,
    JobRequest,
    OfferModel,
    QuoteModel,
    RejectionModel,
)

router = APIRouter(tags=["jobs"])
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


@router.post("/jobs", status_code=201)
async def submit_job(
    body: JobRequest, request: Request, response: Response, deps: TheDeps, token: Token, key: IdempotencyKey = None
) -> AcceptedModel:
    """Accept a job. With an Idempotency-Key, repeating the request gives the same job."""
    built = _built(body)
    market = await deps.market.now()
    async with asked(deps, token) as at:
        at.caller.require_member(ProjectId(body.project))  # also who only asks for the answer again

        async def act() -> dict[str, object]:
            now = deps.clock.now()
            accepted = await submit(at.session, at.caller, ProjectId(body.project), built.spec, market=market, now=now)
            return AcceptedModel(
                id=accepted.job,
                state=JobState.ACCEPTED.value,
                centre=accepted.centre,
                queue=accepted.queue,
                held=shown.money(accepted.held),
                why_en=accepted.why_en,
                why_zh=accepted.why_zh,
                notices=shown.notices(built.notices),
            ).model_dump(mode="json")

        answer = await once(at.session, at.caller.user, key, await request.body(), act, now=deps.clock.now())
    accepted = AcceptedModel.model_validate(answer)
    response.headers["Location"] = f"/api/v1/jobs/{accepted.id}"
    return accepted


@router.post("/quotes")
async def quote_job(body: JobRequest, deps: TheDeps, token: Token) -> QuoteModel:
    """Where the job could run, what it can cost there at most, and why the other partitions are out."""
    built = _built(body)
    market = await deps.market.now()
    async with asked(deps, token) as at:
        found = await quote(at.session, at.caller, ProjectId(body.project), built.spec, market=market)
    return QuoteModel(
        offers=[
            OfferModel(
                centre=one.centre,
                queue=one.queue,
                most=shown.money(one.most or Money(0)),
                free_cores=one.free_cores,
                cores=one.cores,
            )
            for one in found.choice.fitting
        ],
        rejected=[
            RejectionModel(centre=one.centre, queue=one.queue, en=one.en, zh=one.zh) for one in found.choice.rejected
        ],
        why_en=found.why_en,
        why_zh=found.why_zh,
        notices=shown.notices(built.notices),
    )


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
    return await _wish(deps, token, JobId(job), "cancel")


@router.post("/jobs/{job}:hold")
async def hold_job(job: UUID, deps: TheDeps, token: Token) -> JobModel:
    """Keep a waiting job from starting."""
    return await _wish(deps, token, JobId(job), "hold")


@router.post("/jobs/{job}:release")
async def release_job(job: UUID, deps: TheDeps, token: Token) -> JobModel:
    return await _wish(deps, token, JobId(job), "release")


async def _wish(deps: Deps, token: str, job: JobId, kind: str) -> JobModel:
    async with asked(deps, token) as at:
        await _act(at.session, at.caller, job, kind, deps)
        return shown.job((await show(at.session, at.caller, job)).summary)


async def _act(session: AsyncSession, caller: Caller, job: JobId, kind: str, deps: Deps) -> None:
    act = {"cancel": wish.cancel, "hold": wish.hold, "release": wish.release}[kind]
    await act(session, caller, job, now=deps.clock.now())


def _built(body: JobRequest) -> Built:
    inputs = [InputFile(one.path, BlobId(one.sha256), one.size_bytes, one.is_executable) for one in body.inputs]
    if len({one.path for one in inputs}) < len(inputs):
        raise Invalid("inputs: two files have the same path.", "inputs：存在路径相同的文件。", field="inputs")
    return build(
        body.script,
        body.options,
        default_name=body.name,
        centre=body.centre,
        objective=body.objective,
        environment=body.environment,
        inputs=inputs,
    )
