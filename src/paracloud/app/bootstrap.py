"""A first operator and its token, so that everything else can go through the API."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

from paracloud.app.compose import Composed
from paracloud.identity.caller import Scope
from paracloud.identity.create_user import create_user
from paracloud.identity.issue_token import issue_token
from paracloud.identity.overview import user_named
from paracloud.kit.errors import NotFound
from paracloud.kit.secret import server_key

OPERATOR = "operator"
LIFETIME = timedelta(days=90)


async def bootstrap(composed: Composed, token_file: Path) -> None:
    """Write the token of the user "operator" to `token_file` (0600) where that does not exist yet."""
    if await asyncio.to_thread(token_file.exists):
        return
    now = composed.clock.now()
    async with composed.database.begin() as session:
        try:
            user = await user_named(session, OPERATOR)
        except NotFound:
            user = await create_user(session, OPERATOR, is_operator=True, now=now)
        key = server_key(composed.settings.secret_key_file)
        _, secret = await issue_token(session, key, user, name="first", scopes=list(Scope), lifetime=LIFETIME, now=now)
    with os.fdopen(os.open(token_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secret.reveal() + "\n")
