"""Give a user a role in a project, or change it."""

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity import store
from paracloud.identity.caller import Role
from paracloud.kit.errors import NotFound
from paracloud.kit.identifiers import ProjectId, UserId


async def add_member(session: AsyncSession, login: str, project: ProjectId, role: Role) -> None:
    """NotFound for an unknown user or project."""
    user = await store.user_by_login(session, login)
    if user is None:
        raise NotFound(f"There is no user {login}.", f"用户 {login} 不存在。", field="login")
    if not await store.project_exists(session, project):
        raise NotFound("There is no such project.", "课题组不存在。", field="project")
    await store.put_member(session, UserId(user.id), project, role.value)
