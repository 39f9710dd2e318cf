"""Jobs to accept: one, or many together."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from paracloud.api import shown
from paracloud.api.deps import Asked, Deps, TheDeps, Token, asked
from paracloud.api.exactly import an_amount
from paracloud.api.once import once
from paracloud.billing.hold import lock_funds
from paracloud.centres.provide import check_names
from paracloud.identity.residency import check_regions
from paracloud.jobs.build import Built, build
from paracloud.jobs.market import Market
from paracloud.jobs.spec import InputFile
from paracloud.jobs.state import JobState
from paracloud.jobs.submit import Accepted, submit
from paracloud.kit.errors import Invalid, Refused
from paracloud.kit.identifiers import BlobId, ProjectId
from paracloud.placement.constraints import Constraints
from paracloud.wire.constraints import ConstraintsModel
from paracloud.wire.jobs import AcceptedBatch, AcceptedModel, JobBatch, JobRequest

router = APIRouter(tags=["jobs"])
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]


@router.post("/jobs", status_code=201)
async def submit_job(
    body: JobRequest, request: Request, response: Response, deps: TheDeps, token: Token, key: IdempotencyKey = None
) -> AcceptedModel:
    """Accept a job. With an Idempotency-Key, repeating the request gives the same job."""
    built = built_of(body)
    market = await deps.market.now()
    async with asked(deps, token) as at:
        at.caller.require_member(ProjectId(body.project))  # also who only asks for the answer again

        async def act() -> dict[str, object]:
            return (await _accept(deps, at, body, built, market)).model_dump(mode="json")

        answer = await once(at.session, at.caller.user, key, request, act, now=deps.clock.now())
    accepted = AcceptedModel.model_validate(answer)
    response.headers["Location"] = f"/api/v1/jobs/{accepted.id}"
    return accepted


@router.post("/jobs:batch", status_code=201)
async def submit_jobs(
    body: JobBatch, request: Request, deps: TheDeps, token: Token, key: IdempotencyKey = None
) -> AcceptedBatch:
    """Accept all jobs, or none where one is refused: the refusal names it. With an Idempotency-Key, repeating the
    request gives the same jobs."""
    built = _each_built(body.jobs)
    market = await deps.market.now()
    async with asked(deps, token) as at:
        projects = {ProjectId(one.project) for one in body.jobs}
        for project in projects:
            at.caller.require_member(project)

        async def act() -> dict[str, object]:
            await lock_funds(at.session, projects)
            accepted = []
            for number, (one, what) in enumerate(zip(body.jobs, built, strict=True)):
                try:
                    accepted.append(await _accept(deps, at, one, what, market))
                except Refused as refusal:
                    raise refusal.within(f"jobs[{number}]") from None
            return AcceptedBatch(items=accepted).model_dump(mode="json")

        answer = await once(at.session, at.caller.user, key, request, act, now=deps.clock.now())
    return AcceptedBatch.model_validate(answer)


def built_of(body: JobRequest) -> Built:
    inputs = [InputFile(one.path, BlobId(one.sha256), one.size_bytes, one.is_executable) for one in body.inputs]
    if len({one.path for one in inputs}) < len(inputs):
        raise Invalid("inputs: two files have the same path.", "inputs：存在路径相同的文件。", field="inputs")
    built = build(
        body.script,
        body.options,
        default_name=body.name,
        centre=body.centre,
        objective=body.objective,
        constraints=constraints_of(body.constraints),
        environment=body.environment,
        inputs=inputs,
    )
    return replace(built, spec=replace(built.spec, movable=body.movable, monitored=body.monitored))


def constraints_of(body: ConstraintsModel) -> Constraints:
    """Invalid for a name that no region or application has, and for a cost below nothing."""
    check_regions("residency", body.residency or [])
    check_regions("region", [] if body.region is None else [body.region])
    check_names("applications", body.applications)
    cost = None if body.most_cost is None else an_amount("most_cost", body.most_cost)
    if cost is not None and cost.micro < 0:
        raise Invalid("most_cost: nothing or more.", "most_cost：不得为负。", field="most_cost")
    wait = body.most_wait_seconds
    return Constraints(
        region=body.region,
        residency=None if body.residency is None else frozenset(body.residency),
        applications=frozenset(body.applications),
        least_trust=body.least_trust,
        most_cost=cost,
        most_wait=None if wait is None else timedelta(seconds=wait),
        deadline=body.deadline,
    )


def _each_built(jobs: Sequence[JobRequest]) -> list[Built]:
    built = []
    for number, one in enumerate(jobs):
        try:
            built.append(built_of(one))
        except Refused as refusal:
            raise refusal.within(f"jobs[{number}]") from None
    return built


async def _accept(deps: Deps, at: Asked, body: JobRequest, built: Built, market: Market) -> AcceptedModel:
    now, project = deps.clock.now(), ProjectId(body.project)
    placer = deps.placers.of(market)
    accepted = await submit(at.session, at.caller, project, built.spec, market=market, now=now, placer=placer)
    return _shown(accepted, built)


def _shown(accepted: Accepted, built: Built) -> AcceptedModel:
    return AcceptedModel(
        id=accepted.job,
        state=JobState.ACCEPTED.value,
        centre=accepted.centre,
        queue=accepted.queue,
        held=shown.money(accepted.held),
        why_en=accepted.why_en,
        why_zh=accepted.why_zh,
        notices=shown.notices(built.notices),
    )
