"""A request that names an Idempotency-Key happens once: repeating it gives the same answer."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256
from typing import Annotated
from uuid import UUID

from fastapi import Header, Request
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.api import store
from paracloud.api.deps import Asked
from paracloud.kit.errors import Conflict, Invalid
from paracloud.kit.identifiers import UserId
from paracloud.wire.account import Created

KEY_LIMIT = 200
Key = Annotated[str | None, Header(alias="Idempotency-Key")]


async def created_once(
    at: Asked, key: str | None, request: Request, create: Callable[[], Awaitable[UUID]], *, now: datetime
) -> Created:
    """The id of what `create` made, at this request or at an earlier one with the same key."""

    async def act() -> dict[str, object]:
        return {"id": str(await create())}

    return Created.model_validate(await once(at.session, at.caller.user, key, request, act, now=now))


async def once(
    session: AsyncSession,
    user: UserId,
    key: str | None,
    request: Request,
    act: Callable[[], Awaitable[dict[str, object]]],
    *,
    now: datetime,
) -> dict[str, object]:
    """In the caller's one transaction: key and deed are kept together or not at all. Of two at once the second waits,
    and gets the first one's answer. Conflict where the key was used for something else."""
    if key is None:
        return await act()
    if not 1 <= len(key) <= KEY_LIMIT or not key.isprintable() or not key.isascii():
        raise Invalid(
            f"Idempotency-Key: 1 to {KEY_LIMIT} printable ASCII characters.",
            f"Idempotency-Key：1 到 {KEY_LIMIT} 个可见 ASCII 字符。",
            field="Idempotency-Key",
        )
    digest = sha256(request.url.path.encode() + b"\n" + await request.body()).digest()
    if await store.take_key(session, user, key, digest, now):
        answer = await act()
        await store.keep_answer(session, user, key, answer)
        return answer
    used = await store.used_key(session, user, key)
    if used.digest != digest or used.answer is None:
        raise Conflict(
            "This Idempotency-Key was used for another request; make a new one.",
            "该 Idempotency-Key 已用于其他请求，请更换。",
            field="Idempotency-Key",
        )
    return used.answer
