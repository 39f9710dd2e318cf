"""Every query of this room."""

from datetime import datetime

from sqlalchemy import Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.api.tables import IdempotencyRow
from paracloud.kit.identifiers import UserId

TAKE_KEY = text("""
    INSERT INTO idempotency_keys (user_id, key, digest, created_at) VALUES (:user, :key, :digest, :now)
    ON CONFLICT DO NOTHING RETURNING key
""").bindparams(bindparam("user", type_=Uuid))
KEEP_ANSWER = text("UPDATE idempotency_keys SET answer = :answer WHERE user_id = :user AND key = :key").bindparams(
    bindparam("user", type_=Uuid), bindparam("answer", type_=JSONB)
)


async def take_key(session: AsyncSession, user: UserId, key: str, digest: bytes, now: datetime) -> bool:
    """False where the key was used before. While another transaction holds it, this waits for that one's end."""
    taken = await session.execute(TAKE_KEY, {"user": user, "key": key, "digest": digest, "now": now})
    return taken.scalar_one_or_none() is not None


async def used_key(session: AsyncSession, user: UserId, key: str) -> IdempotencyRow:
    query = select(IdempotencyRow).where(IdempotencyRow.user_id == user, IdempotencyRow.key == key)
    return (await session.execute(query)).scalar_one()


async def keep_answer(session: AsyncSession, user: UserId, key: str, answer: dict[str, object]) -> None:
    await session.execute(KEEP_ANSWER, {"user": user, "key": key, "answer": answer})
