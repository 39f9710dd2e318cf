"""Make a bearer token. Its text is shown once; the database keeps a keyed hash."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity import store
from paracloud.identity.caller import Scope
from paracloud.identity.names import title
from paracloud.identity.tables import TokenRow
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import TokenId, UserId, new_uuid
from paracloud.kit.secret import Secret, ServerKey

PREFIX = "pc_"
"""Makes a leaked token easy to find for scanners of repositories and logs."""
SECRET_BYTES = 32
LONGEST = timedelta(days=366)


async def issue_token(
    session: AsyncSession,
    key: ServerKey,
    user: UserId,
    *,
    name: str,
    scopes: Iterable[Scope],
    lifetime: timedelta,
    now: datetime,
) -> tuple[TokenId, Secret]:
    """At least one scope, and a lifetime of at most 366 days (Invalid)."""
    wanted = sorted(set(scopes))
    if not wanted:
        raise Invalid(
            "scopes: name at least one of read, write, admin.",
            "scopes：请至少选择 read、write、admin 之一。",
            field="scopes",
        )
    if not timedelta(0) < lifetime <= LONGEST:
        raise Invalid(
            "lifetime: a token lives between one second and 366 days.",
            "lifetime：令牌有效期为 1 秒到 366 天。",
            field="lifetime",
        )
    text = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    row = TokenRow(
        id=new_uuid(),
        user_id=user,
        name=title(name, "name"),
        digest=key.digest(text),
        scopes=[scope.value for scope in wanted],
        created_at=now,
        expires_at=now + lifetime,
        revoked_at=None,
    )
    await store.add(session, row)
    return TokenId(row.id), Secret(text)
