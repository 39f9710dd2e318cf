"""What the operator does: customers, money in, prices, contracts, centres, the daily check."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response

from paracloud.api.deps import Asked, Deps, TheDeps, Token, asked
from paracloud.api.exactly import an_amount
from paracloud.api.once import Key, created_once
from paracloud.billing.check import check, ledger_sum_micro
from paracloud.billing.top_up import top_up
from paracloud.centres.centre import Centre
from paracloud.centres.connect_centre import connect_centre, keep_history
from paracloud.identity.add_member import add_member
from paracloud.identity.caller import Category, Role, Scope
from paracloud.identity.change_product_line import change_product_line
from paracloud.identity.create_organisation import create_organisation
from paracloud.identity.create_project import create_project
from paracloud.identity.create_user import create_user
from paracloud.identity.issue_token import issue_token
from paracloud.identity.overview import all_projects, user_named
from paracloud.identity.product_line import ProductLine
from paracloud.jobs.correct_bill import take_back
from paracloud.kit.errors import NotFound
from paracloud.kit.identifiers import (
    CentreName,
    EntryId,
    OrganisationId,
    ProjectId,
    UnixAccount,
    UsageId,
)
from paracloud.wire.account import (
    BookedModel,
    CentreRequest,
    CheckModel,
    Created,
    DifferenceModel,
    IssuedToken,
    MemberRequest,
    OrganisationRequest,
    ProductLineModel,
    ProductLineRequest,
    ProjectRequest,
    ReversalRequest,
    TokenRequest,
    TopUpRequest,
    UserRequest,
)

router = APIRouter(prefix="/operator", tags=["operator"])


@router.post("/organisations", status_code=201)
async def organisation(
    body: OrganisationRequest, request: Request, deps: TheDeps, token: Token, key: Key = None
) -> Created:
    async with asked(deps, token) as at:
        now = operator(at, deps)
        create = partial(create_organisation, at.session, body.name, Category(body.category), now=now)
        return await created_once(at, key, request, create, now=now)


@router.post("/projects", status_code=201)
async def project(body: ProjectRequest, request: Request, deps: TheDeps, token: Token, key: Key = None) -> Created:
    async with asked(deps, token) as at:
        now = operator(at, deps)
        line, owner = ProductLine(body.product_line), OrganisationId(body.organisation)
        create = partial(create_project, at.session, owner, body.name, product_line=line, now=now)
        return await created_once(at, key, request, create, now=now)


@router.put("/projects/{project}/product-line")
async def product_line(project: UUID, body: ProductLineRequest, deps: TheDeps, token: Token) -> ProductLineModel:
    """Which offers the project buys from now on. Jobs that were accepted keep their price."""
    async with asked(deps, token) as at:
        now, line = operator(at, deps), ProductLine(body.product_line)
        was = await change_product_line(at.session, ProjectId(project), line, person=at.caller.login, now=now)
    return ProductLineModel(project=project, product_line=line.value, was=was.value)


@router.post("/users", status_code=201)
async def user(body: UserRequest, deps: TheDeps, token: Token) -> Created:
    async with asked(deps, token) as at:
        now = operator(at, deps)
        return Created(id=str(await create_user(at.session, body.login, is_operator=body.is_operator, now=now)))


@router.post("/users/{login}/tokens", status_code=201)
async def user_token(login: str, body: TokenRequest, deps: TheDeps, token: Token) -> IssuedToken:
    """A first token for a user."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        if not login.isprintable():
            raise NotFound("There is no such user.", "用户不存在。", field="login")
        id_, secret = await issue_token(
            at.session,
            deps.key,
            await user_named(at.session, login),
            name=body.name,
            scopes=[Scope(scope) for scope in body.scopes],
            lifetime=timedelta(days=body.days),
            now=now,
        )
    return IssuedToken(id=id_, token=secret.reveal())


@router.put("/members", status_code=204)
async def member(body: MemberRequest, deps: TheDeps, token: Token) -> Response:
    async with asked(deps, token) as at:
        operator(at, deps)
        await add_member(at.session, body.login, ProjectId(body.project), Role(body.role))
    return Response(status_code=204)


@router.post("/top-ups", status_code=201)
async def top_up_project(body: TopUpRequest, deps: TheDeps, token: Token) -> BookedModel:
    """Money came in. The same payment number counts once: `is_new` says whether it counted now."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        if body.project not in {one.id for one in await all_projects(at.session)}:
            raise NotFound("There is no such project.", "课题组不存在。", field="project")
        amount = an_amount("amount", body.amount)
        person, project = at.caller.login, ProjectId(body.project)
        is_new = await top_up(at.session, project, amount, key=body.key, person=person, now=now)
    return BookedModel(id=body.key, is_new=is_new)


@router.post("/centres", status_code=201)
async def centre(body: CentreRequest, deps: TheDeps, token: Token) -> Created:
    """Connect a centre; the worker's next look takes it up. Without a host: keep its history alone."""
    described = described_centre(body)
    async with asked(deps, token) as at:
        now = operator(at, deps)
        accounts = [UnixAccount(account) for account in body.accounts]
        if described.is_reached:
            await connect_centre(at.session, described, accounts, dialects=deps.dialects, now=now)
        else:
            await keep_history(at.session, described, accounts, now=now)
    return Created(id=body.name)


@router.post("/reversals", status_code=201)
async def reversal(body: ReversalRequest, deps: TheDeps, token: Token) -> Created:
    """The entry that takes it back; the same one, where nothing was left to give back."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        usage = None if body.usage is None else UsageId(body.usage)
        entry = await take_back(
            at.session,
            EntryId(body.entry),
            reason=body.reason,
            person=at.caller.login,
            now=now,
            usage=usage,
            anyway=body.anyway,
        )
    return Created(id=str(entry or body.entry))


@router.get("/check")
async def daily_check(deps: TheDeps, token: Token) -> CheckModel:
    """Every difference in the ledger by name and amount: none, when all is well."""
    async with asked(deps, token) as at:
        operator(at, deps)
        found, total = await check(at.session), await ledger_sum_micro(at.session)
    differences = [DifferenceModel(what=one.what, where=one.where, micro=one.micro) for one in found]
    return CheckModel(ledger_sum_micro=total, differences=differences)


def operator(at: Asked, deps: Deps) -> datetime:
    """The moment of the act; Forbidden for anybody else."""
    at.caller.require_operator()
    return deps.clock.now()


def described_centre(body: CentreRequest) -> Centre:
    return Centre(
        name=CentreName(body.name),
        title_en=body.title_en,
        title_zh=body.title_zh,
        host=body.host or "",
        port=body.port,
        host_key=body.host_key,
        dialect=body.dialect,
        service_account=UnixAccount(body.service_account or ""),
        commands_per_minute=body.commands_per_minute,
        patience=timedelta(seconds=body.patience_seconds),
        overrun=timedelta(seconds=body.overrun_seconds),
        region=body.region,
        is_enabled=body.host is not None,
    )
