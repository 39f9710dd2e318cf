"""From a bearer token to a caller, in one query."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity import store
from paracloud.identity.caller import Caller, Role, Scope
from paracloud.identity.issue_token import PREFIX
from paracloud.kit.errors import Unauthenticated
from paracloud.kit.identifiers import ProjectId, TokenId, UserId
from paracloud.kit.secret import ServerKey

LONGEST_TOKEN = 200


async def authenticate(session: AsyncSession, key: ServerKey, token: str, *, now: datetime) -> Caller:
    """Unauthenticated for an unknown, expired or revoked token; the answer does not say which."""
    if not token.startswith(PREFIX) or len(token) > LONGEST_TOKEN:
        raise _refused()
    found = await store.find_token(session, key.digest(token))
    if found is None or found.revoked_at is not None or found.expires_at <= now:
        raise _refused()
    roles = zip(found.projects or (), found.roles or (), strict=True)
    return Caller(
        user=UserId(found.user_id),
        token=TokenId(found.id),
        login=found.login,
        is_operator=found.is_operator,
        scopes=frozenset(Scope(scope) for scope in found.scopes),
        projects={ProjectId(project): Role(role) for project, role in roles},
    )


def _refused() -> Unauthenticated:
    return Unauthenticated(
        "The token is not valid (unknown, expired or revoked); log in again.",
        "令牌无效（不存在、已过期或已撤销），请重新登录。",
    )
