"""Register a user."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity import names, store
from paracloud.identity.tables import UserRow
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import UserId, new_uuid


async def create_user(session: AsyncSession, login: str, *, is_operator: bool = False, now: datetime) -> UserId:
    """Conflict where the login is taken."""
    row = UserRow(id=new_uuid(), login=names.login(login), is_operator=is_operator, created_at=now)
    if not await store.add(session, row):
        raise Conflict(f"There is a user {login} already.", f"已存在用户 {login}。", field="login")
    return UserId(row.id)
