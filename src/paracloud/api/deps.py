"""What every route gets: the objects that the composition root made, and the caller."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.receipt import Signer
from paracloud.data.blobs import Blobs
from paracloud.identity.authenticate import authenticate
from paracloud.identity.caller import Caller
from paracloud.jobs.market import MarketReader
from paracloud.jobs.placer import Placers
from paracloud.jobs.profile_looks import Looks
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import Unauthenticated
from paracloud.kit.secret import ServerKey
from paracloud.transports.scout import Scout
from paracloud.transports.transport import Reach


@dataclass(frozen=True, slots=True)
class Deps:
    database: Database
    reach: Reach
    scout: Scout
    """To centres that are not connected yet."""
    blobs: Blobs
    logs: Blobs
    """Old accounting logs, which no project's room counts."""
    clock: Clock
    key: ServerKey
    signer: Signer
    """Of receipts."""
    market: MarketReader
    placers: Placers
    dialects: tuple[str, ...]
    operator_name: str
    """Who sends the bills."""
    authority_key_file: Path
    """The public key that centres trust; it may be on another machine."""
    storage_limit_bytes: int
    """Of one project's uploads together."""
    looks: Looks = field(default_factory=Looks)
    """At profiles of jobs."""


OPERATORS = "/operator/"
"""In the path of a route that is the operator's alone."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token as it was sent, not looked at yet."""

    token: str
    is_at_operators_door: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its one transaction, and who asks. `session` commits when the block ends well."""

    session: AsyncSession
    caller: Caller


# Both async: what is not, FastAPI hands to a thread and back, at every request.
async def deps_of(request: Request) -> Deps:
    return cast(Deps, request.app.state.deps)


async def bearer(request: Request) -> Bearer:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Unauthenticated(
            "Send the header `Authorization: Bearer TOKEN`.", "请在请求头中提供 Authorization: Bearer 令牌。"
        )
    return Bearer(token, is_at_operators_door=OPERATORS in request.scope["route"].path)


@asynccontextmanager
async def asked(deps: Deps, bearer: Bearer) -> AsyncIterator[Asked]:
    """Forbidden for anybody but the operator, where the route is one of the operator's: here, where every request comes
    through, so that no route can forget it."""
    async with deps.database.begin() as session:
        caller = await authenticate(session, deps.key, bearer.token, now=deps.clock.now())
        if bearer.is_at_operators_door:
            caller.require_operator()
        yield Asked(session, caller)


TheDeps = Annotated[Deps, Depends(deps_of)]
Token = Annotated[Bearer, Depends(bearer)]
