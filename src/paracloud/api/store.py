"""Every query of this room."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.api.tables import IdempotencyRow
from paracloud.kit.identifiers import UserId


async def take_key(session: AsyncSession, user: UserId, key: str, digest: bytes, now: datetime) -> bool:
    """False where the key was used before. While another transaction holds it, this waits for that one's end."""
    statement = insert(IdempotencyRow).values(user_id=user, key=key, digest=digest, answer=None, created_at=now)
    taken = await session.execute(statement.on_conflict_do_nothing().returning(IdempotencyRow.key))
    return taken.scalar_one_or_none() is not None


async def used_key(session: AsyncSession, user: UserId, key: str) -> IdempotencyRow:
    query = select(IdempotencyRow).where(IdempotencyRow.user_id == user, IdempotencyRow.key == key)
    return (await session.execute(query)).scalar_one()


async def keep_answer(session: AsyncSession, user: UserId, key: str, answer: dict[str, object]) -> None:
    statement = update(IdempotencyRow).where(IdempotencyRow.user_id == user, IdempotencyRow.key == key)
    await session.execute(statement.values(answer=answer))
