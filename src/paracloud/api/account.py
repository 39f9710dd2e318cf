"""Who asks, the own tokens, the own money."""

from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Response

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.shown_money import balance_of, moved
from paracloud.api.shown_paying import paying
from paracloud.identity.caller import Scope
from paracloud.identity.issue_token import issue_token
from paracloud.identity.overview import projects_of, tokens_of
from paracloud.identity.revoke_token import revoke_token
from paracloud.kit.errors import Forbidden
from paracloud.kit.identifiers import ProjectId, TokenId
from paracloud.wire.account import (
    BalanceModel,
    IssuedToken,
    ProjectModel,
    StatementModel,
    TokenList,
    TokenModel,
    TokenRequest,
    WhoAmI,
)
from paracloud.wire.base import Time
from paracloud.wire.paying import PayingModel

router = APIRouter(tags=["account"])


@router.get("/whoami")
async def whoami(deps: TheDeps, token: Token) -> WhoAmI:
    async with asked(deps, token) as at:
        projects = await projects_of(at.session, at.caller)
    roles = at.caller.projects
    return WhoAmI(
        login=at.caller.login,
        is_operator=at.caller.is_operator,
        scopes=sorted(at.caller.scopes),
        projects=[
            ProjectModel(
                id=one.id,
                name=one.name,
                organisation=one.organisation.name,
                category=one.organisation.category.value,
                product_line=one.product_line.value,
                role=roles[one.id].value,
            )
            for one in projects
        ],
    )


@router.get("/tokens")
async def list_tokens(deps: TheDeps, token: Token) -> TokenList:
    async with asked(deps, token) as at:
        found = await tokens_of(at.session, at.caller.user)
    return TokenList(
        items=[
            TokenModel(
                id=one.id,
                name=one.name,
                scopes=sorted(one.scopes),
                created_at=one.created_at,
                expires_at=one.expires_at,
                revoked_at=one.revoked_at,
            )
            for one in found
        ]
    )


@router.post("/tokens", status_code=201)
async def issue(body: TokenRequest, deps: TheDeps, token: Token) -> IssuedToken:
    """A token for oneself, with no more scopes than the one that asks. One that only reads makes none: whoever found it
    could make it live for ever."""
    async with asked(deps, token) as at:
        at.caller.require_writer()
        scopes = {Scope(scope) for scope in body.scopes}
        if not scopes <= at.caller.scopes:
            raise Forbidden("A token cannot give more than the one that asks has.", "新令牌的权限不能超过当前令牌。")
        lifetime, now = timedelta(days=body.days), deps.clock.now()
        id_, secret = await issue_token(
            at.session, deps.key, at.caller.user, name=body.name, scopes=scopes, lifetime=lifetime, now=now
        )
    return IssuedToken(id=id_, token=secret.reveal())


@router.delete("/tokens/{id}", status_code=204)
async def revoke(id: UUID, deps: TheDeps, token: Token) -> Response:  # noqa: A002  # the path's own word
    """Ends a token of one's own; one that only reads ends itself alone."""
    async with asked(deps, token) as at:
        if at.caller.token != id:
            at.caller.require_writer()
        await revoke_token(at.session, TokenId(id), of_user=at.caller.user, now=deps.clock.now())
    return Response(status_code=204)


@router.get("/projects/{project}/balance")
async def show_balance(project: UUID, deps: TheDeps, token: Token) -> BalanceModel:
    async with asked(deps, token) as at:
        at.caller.require_reader(ProjectId(project))
        return await balance_of(at.session, ProjectId(project))


@router.get("/projects/{project}/statement")
async def show_statement(
    project: UUID, deps: TheDeps, token: Token, start: Time | None = None, end: Time | None = None
) -> StatementModel:
    """What moved the project's money in [start, end); the last 31 days by default, a year at most."""
    async with asked(deps, token) as at:
        at.caller.require_reader(ProjectId(project))
        return await moved(at.session, ProjectId(project), deps.clock.now(), start, end)


@router.get("/projects/{project}/paying")
async def show_paying(project: UUID, deps: TheDeps, token: Token) -> PayingModel:
    """How the project pays, and what it may spend: credit line, packages and credits, dedicated nodes, budgets."""
    async with asked(deps, token) as at:
        at.caller.require_reader(ProjectId(project))
        return await paying(at.session, ProjectId(project), at.caller, deps.clock.now())
