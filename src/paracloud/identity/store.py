"""Every query of this room."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity.tables import MemberRow, OrganisationRow, ProductLineChangeRow, ProjectRow, TokenRow, UserRow
from paracloud.kit.identifiers import OrganisationId, ProjectId, TokenId, UserId, new_uuid


async def find_token(session: AsyncSession, digest: bytes) -> Row[*tuple[Any, ...]] | None:
    """Token, its user, and the user's projects and roles as two parallel arrays, in one query."""
    return (await session.execute(_finding(), {"of_digest": digest})).one_or_none()


@cache
def _finding() -> Select[*tuple[Any, ...]]:
    """Made once: every request asks it."""
    projects = func.array_agg(aggregate_order_by(MemberRow.project_id, MemberRow.project_id)).filter(
        MemberRow.project_id.is_not(None)
    )
    roles = func.array_agg(aggregate_order_by(MemberRow.role, MemberRow.project_id)).filter(
        MemberRow.project_id.is_not(None)
    )
    return (
        select(TokenRow.id, TokenRow.scopes, TokenRow.expires_at, TokenRow.revoked_at, UserRow.id.label("user_id"),
               UserRow.login, UserRow.is_operator, projects.label("projects"), roles.label("roles"))
        .join(UserRow, UserRow.id == TokenRow.user_id)
        .outerjoin(MemberRow, MemberRow.user_id == UserRow.id)
        .where(TokenRow.digest == bindparam("of_digest"))
        .group_by(TokenRow.id, UserRow.id)
    )  # fmt: skip


async def add(session: AsyncSession, row: OrganisationRow | ProjectRow | UserRow | TokenRow) -> bool:
    """False where a row of that name exists already."""
    values = {column.key: getattr(row, column.key) for column in type(row).__table__.columns}
    statement = insert(type(row)).values(**values).on_conflict_do_nothing().returning(type(row).id)
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def put_member(session: AsyncSession, user: UserId, project: ProjectId, role: str) -> None:
    statement = insert(MemberRow).values(user_id=user, project_id=project, role=role)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["user_id", "project_id"], set_={"role": role})
    )


async def is_member(session: AsyncSession, user: UserId, project: ProjectId) -> bool:
    query = select(MemberRow.role).where(MemberRow.user_id == user, MemberRow.project_id == project)
    return (await session.execute(query)).scalar_one_or_none() is not None


async def member_named(session: AsyncSession, project: ProjectId, login: str) -> UserId | None:
    query = select(UserRow.id).join(MemberRow, MemberRow.user_id == UserRow.id)
    found = await session.execute(query.where(MemberRow.project_id == project, UserRow.login == login))
    user = found.scalar_one_or_none()
    return None if user is None else UserId(user)


async def logins_of(session: AsyncSession, users: Collection[UserId]) -> dict[UserId, str]:
    query = select(UserRow.id, UserRow.login).where(UserRow.id.in_(users))
    return {UserId(user): login for user, login in (await session.execute(query)).all()}


async def organisation_named(session: AsyncSession, name: str) -> OrganisationRow | None:
    return (await session.execute(select(OrganisationRow).where(OrganisationRow.name == name))).scalar_one_or_none()


async def project_exists(session: AsyncSession, project: ProjectId) -> bool:
    query = select(func.count()).select_from(ProjectRow).where(ProjectRow.id == project)
    return bool((await session.execute(query)).scalar_one())


async def user_by_login(session: AsyncSession, login: str) -> UserRow | None:
    return (await session.execute(select(UserRow).where(UserRow.login == login))).scalar_one_or_none()


async def projects(session: AsyncSession, ids: Sequence[ProjectId] | None) -> list[tuple[ProjectRow, OrganisationRow]]:
    """These projects with their organisations; None means all, for the operator."""
    query = (
        select(ProjectRow, OrganisationRow)
        .join(OrganisationRow, OrganisationRow.id == ProjectRow.organisation_id)
        .order_by(ProjectRow.id)
    )
    if ids is not None:
        query = query.where(ProjectRow.id.in_(ids))
    return [(project, organisation) for project, organisation in (await session.execute(query)).all()]


async def organisations_of(session: AsyncSession, projects: Collection[ProjectId]) -> dict[ProjectId, OrganisationId]:
    query = select(ProjectRow.id, ProjectRow.organisation_id).where(ProjectRow.id.in_(projects))
    return {ProjectId(project): OrganisationId(of) for project, of in (await session.execute(query)).all()}


async def standings(session: AsyncSession, projects: Collection[ProjectId]) -> Sequence[Row[*tuple[Any, ...]]]:
    """id, organisation_id, product_line; a row for each change of the line, oldest first (changed_at, was), or one."""
    query = (
        select(ProjectRow.id, ProjectRow.organisation_id, ProjectRow.product_line, ProductLineChangeRow.changed_at,
               ProductLineChangeRow.was)
        .outerjoin(ProductLineChangeRow, ProductLineChangeRow.project_id == ProjectRow.id)
        .where(ProjectRow.id.in_(projects))
        .order_by(ProjectRow.id, ProductLineChangeRow.changed_at, ProductLineChangeRow.id)
    )  # fmt: skip
    return (await session.execute(query)).all()


async def lock_product_line(session: AsyncSession, project: ProjectId) -> str | None:
    query = select(ProjectRow.product_line).where(ProjectRow.id == project).with_for_update()
    return (await session.execute(query)).scalar_one_or_none()


async def change_product_line(  # columns of one row
    session: AsyncSession, project: ProjectId, was: str, line: str, person: str, now: datetime
) -> None:
    await session.execute(update(ProjectRow).where(ProjectRow.id == project).values(product_line=line))
    values = {
        "id": new_uuid(), "project_id": project, "changed_at": now, "was": was, "line": line, "person": person,
    }  # fmt: skip
    await session.execute(insert(ProductLineChangeRow).values(values))


async def organisations(session: AsyncSession) -> list[OrganisationRow]:
    return list((await session.execute(select(OrganisationRow).order_by(OrganisationRow.id))).scalars())


async def tokens_of(session: AsyncSession, user: UserId) -> list[TokenRow]:
    query = select(TokenRow).where(TokenRow.user_id == user).order_by(TokenRow.id)
    return list((await session.execute(query)).scalars())


async def revoke(session: AsyncSession, token: TokenId, user: UserId | None, at: datetime) -> bool:
    """False where there is no such token of this user (None: of anybody). Revoking twice keeps the first time."""
    statement = (
        update(TokenRow)
        .where(TokenRow.id == token)
        .values(revoked_at=func.coalesce(TokenRow.revoked_at, at))
        .returning(TokenRow.id)
    )
    if user is not None:
        statement = statement.where(TokenRow.user_id == user)
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def organisation_exists(session: AsyncSession, organisation: OrganisationId) -> bool:
    query = select(func.count()).select_from(OrganisationRow).where(OrganisationRow.id == organisation)
    return bool((await session.execute(query)).scalar_one())
