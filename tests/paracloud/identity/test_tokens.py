"""A token proves who asks, until it is revoked or expires; the database alone proves nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from paracloud.identity.add_member import add_member
from paracloud.identity.authenticate import authenticate
from paracloud.identity.caller import Caller, Category, Role, Scope
from paracloud.identity.create_organisation import create_organisation
from paracloud.identity.create_project import create_project
from paracloud.identity.create_user import create_user
from paracloud.identity.issue_token import issue_token
from paracloud.identity.overview import projects_of
from paracloud.identity.revoke_token import revoke_token
from paracloud.kit.database import Database
from paracloud.kit.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from paracloud.kit.identifiers import OrganisationId, ProjectId, UserId, new_uuid
from paracloud.kit.secret import ServerKey, server_key

KEY = ServerKey(b"k" * 32)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


async def person(database: Database, login: str, role: Role | None = Role.MEMBER) -> tuple[UserId, ProjectId, str]:
    async with database.begin() as session:
        organisation = await create_organisation(session, f"大学 {login}", Category.UNIVERSITY, now=NOW)
        project = await create_project(session, organisation, "熔体", now=NOW)
        user = await create_user(session, login, now=NOW)
        if role is not None:
            await add_member(session, login, project, role)
        _, secret = await issue_token(
            session, KEY, user, name="laptop", scopes=[Scope.READ, Scope.WRITE], lifetime=DAY, now=NOW
        )
    return user, project, secret.reveal()


async def caller(database: Database, token: str, now: datetime = NOW) -> Caller:
    async with database.begin() as session:
        return await authenticate(session, KEY, token, now=now)


async def test_a_token_gives_its_user_with_all_projects_and_roles(database: Database) -> None:
    user, project, token = await person(database, "lin")
    found = await caller(database, token)
    assert (found.user, found.login, found.is_operator) == (user, "lin", False)
    assert found.projects == {project: Role.MEMBER}
    async with database.begin() as session:
        assert [p.organisation.category for p in await projects_of(session, found)] == [Category.UNIVERSITY]


async def test_a_user_without_projects_is_a_caller_without_projects(database: Database) -> None:
    _, _, token = await person(database, "lin", role=None)
    assert (await caller(database, token)).projects == {}


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "x", lambda _: "", lambda _: "pc_", lambda t: t * 9]
)
async def test_any_other_text_is_refused(database: Database, change) -> None:
    _, _, token = await person(database, "lin")
    with pytest.raises(Unauthenticated):
        await caller(database, change(token))


async def test_an_expired_token_is_refused(database: Database) -> None:
    _, _, token = await person(database, "lin")
    await caller(database, token, NOW + DAY - timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        await caller(database, token, NOW + DAY)


async def test_a_revoked_token_is_refused_and_only_its_user_revokes_it(database: Database) -> None:
    user, _, token = await person(database, "lin")
    other, _, _ = await person(database, "wang")
    found = await caller(database, token)
    with pytest.raises(NotFound):
        async with database.begin() as session:
            await revoke_token(session, found.token, of_user=other, now=NOW)
    await caller(database, token)
    async with database.begin() as session:
        await revoke_token(session, found.token, of_user=user, now=NOW)
    with pytest.raises(Unauthenticated):
        await caller(database, token)


async def test_the_database_does_not_hold_the_token_and_another_key_does_not_know_it(database: Database) -> None:
    _, _, token = await person(database, "lin")
    async with database.begin() as session:
        dump = str((await session.execute(text("SELECT tokens::text FROM tokens"))).all())
        assert token not in dump
        assert token.encode().hex() not in dump
        with pytest.raises(Unauthenticated):
            await authenticate(session, ServerKey(b"o" * 32), token, now=NOW)


async def test_a_foreign_project_is_not_found_and_a_viewer_may_only_read(database: Database) -> None:
    _, project, token = await person(database, "lin", Role.VIEWER)
    found = await caller(database, token)
    found.require_reader(project)
    with pytest.raises(Forbidden):
        found.require_member(project)
    with pytest.raises(NotFound):
        found.require_reader(ProjectId(new_uuid()))
    with pytest.raises(Forbidden):
        found.require_operator()


async def test_what_exists_twice_or_not_at_all_is_refused(database: Database) -> None:
    await person(database, "lin")
    with pytest.raises(Conflict):
        async with database.begin() as session:
            await create_user(session, "lin", now=NOW)
    with pytest.raises(NotFound):
        async with database.begin() as session:
            await create_project(session, OrganisationId(new_uuid()), "x", now=NOW)
    for bad in ("", " ", "a\nb", "x" * 201):
        with pytest.raises(Invalid):
            async with database.begin() as session:
                await create_organisation(session, bad, Category.INDIVIDUAL, now=NOW)


def test_the_server_key_is_made_once_closed_and_refused_when_open(tmp_path: Path) -> None:
    path = tmp_path / "key"
    first = server_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert server_key(path).digest("x") == first.digest("x")
    path.chmod(0o644)
    with pytest.raises(Forbidden, match="chmod 600"):
        server_key(path)
    assert "***" in repr(first)
