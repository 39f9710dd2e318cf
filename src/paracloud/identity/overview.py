"""What there is, as values: projects with their organisations, organisations, tokens without their texts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity import store
from paracloud.identity.caller import Caller, Category, Scope
from paracloud.identity.product_line import Lines, ProductLine
from paracloud.kit.errors import NotFound
from paracloud.kit.identifiers import OrganisationId, ProjectId, TokenId, UserId


@dataclass(frozen=True, slots=True)
class Organisation:
    id: OrganisationId
    name: str
    category: Category


@dataclass(frozen=True, slots=True)
class Project:
    id: ProjectId
    name: str
    organisation: Organisation
    product_line: ProductLine


@dataclass(frozen=True, slots=True)
class Standing:
    """Whose a project is, and of which product line."""

    organisation: OrganisationId
    lines: Lines


@dataclass(frozen=True, slots=True)
class Token:
    id: TokenId
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


async def projects_of(session: AsyncSession, caller: Caller) -> list[Project]:
    return await _projects(session, caller.reads())


async def organisations_of(session: AsyncSession, projects: Collection[ProjectId]) -> dict[ProjectId, OrganisationId]:
    """Whose each project is."""
    return await store.organisations_of(session, projects)


async def standings_of(session: AsyncSession, projects: Collection[ProjectId]) -> dict[ProjectId, Standing]:
    """What decides which prices are theirs."""
    found: dict[ProjectId, Standing] = {}
    for row in await store.standings(session, projects):
        before = found.get(ProjectId(row.id))
        past = before.lines.past if before is not None else ()
        if row.changed_at is not None:
            past = (*past, (row.changed_at, ProductLine(row.was)))
        lines = Lines(ProductLine(row.product_line), past)
        found[ProjectId(row.id)] = Standing(OrganisationId(row.organisation_id), lines)
    return found


async def is_member(session: AsyncSession, user: UserId, project: ProjectId) -> bool:
    """Whatever the role."""
    return await store.is_member(session, user, project)


async def member_named(session: AsyncSession, project: ProjectId, login: str) -> UserId | None:
    """None also where somebody has this login who is not in the project."""
    return await store.member_named(session, project, login)


async def logins_of(session: AsyncSession, users: Collection[UserId]) -> dict[UserId, str]:
    return await store.logins_of(session, users) if users else {}


async def some_projects(session: AsyncSession, projects: Collection[ProjectId]) -> list[Project]:
    return await _projects(session, list(projects))


async def all_projects(session: AsyncSession) -> list[Project]:
    """For the operator."""
    return await _projects(session, None)


async def all_organisations(session: AsyncSession) -> list[Organisation]:
    """For the operator."""
    rows = await store.organisations(session)
    return [Organisation(OrganisationId(row.id), row.name, Category(row.category)) for row in rows]


async def tokens_of(session: AsyncSession, user: UserId) -> list[Token]:
    return [
        Token(
            TokenId(row.id), row.name, frozenset(map(Scope, row.scopes)), row.created_at, row.expires_at, row.revoked_at
        )
        for row in await store.tokens_of(session, user)
    ]


async def user_named(session: AsyncSession, login: str) -> UserId:
    """NotFound where there is no such user."""
    row = await store.user_by_login(session, login)
    if row is None:
        raise NotFound(f"There is no user {login}.", f"用户 {login} 不存在。", field="login")
    return UserId(row.id)


async def _projects(session: AsyncSession, ids: list[ProjectId] | None) -> list[Project]:
    return [
        Project(
            ProjectId(project.id),
            project.name,
            Organisation(OrganisationId(organisation.id), organisation.name, Category(organisation.category)),
            ProductLine(project.product_line),
        )
        for project, organisation in await store.projects(session, ids)
    ]
