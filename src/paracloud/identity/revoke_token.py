"""End a token at once."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity import store
from paracloud.kit.errors import NotFound
from paracloud.kit.identifiers import TokenId, UserId


async def revoke_token(session: AsyncSession, token: TokenId, *, of_user: UserId | None, now: datetime) -> None:
    """`of_user` None: the operator revokes anybody's. NotFound for a foreign or unknown token."""
    if not await store.revoke(session, token, of_user, now):
        raise NotFound("There is no such token of yours.", "您没有该令牌。")
