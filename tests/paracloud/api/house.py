"""The real application over a real database: tenants who do not know each other, the operator, two priced centres."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy import text
from tests.paracloud.contents import contents
from tests.paracloud.jobs.world import EAST, SCRIPT, START, WEST, StillClock, connect, queue

from paracloud.api.application import PREFIX, build
from paracloud.api.deps import Deps
from paracloud.billing.budget import Budget, set_budget
from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.receipt import Signer
from paracloud.billing.top_up import top_up
from paracloud.centres.store import keep_queues
from paracloud.data.blobs import Blobs
from paracloud.history.imported import By
from paracloud.history.request import Wanted, request_import
from paracloud.identity.add_member import add_member
from paracloud.identity.caller import Category, Role, Scope
from paracloud.identity.create_organisation import create_organisation
from paracloud.identity.create_project import create_project
from paracloud.identity.create_user import create_user
from paracloud.identity.issue_token import issue_token
from paracloud.jobs.foresee import Foresight
from paracloud.jobs.market import MarketReader
from paracloud.jobs.placer import Placers
from paracloud.kit.database import Database
from paracloud.kit.errors import Unreachable
from paracloud.kit.identifiers import (
    BlobId,
    BudgetId,
    CentreName,
    OrganisationId,
    ProjectId,
    TokenId,
    UnixAccount,
    UserId,
    new_uuid,
)
from paracloud.kit.money import Money
from paracloud.kit.secret import ServerKey
from paracloud.transports.scout import Scout
from paracloud.transports.signing import SocketSigner
from paracloud.transports.transport import Transport

KEY = ServerKey(b"a server key of thirty-two bytes" * 2)
STORAGE_BYTES = 5 << 19
"""Of a project: two and a half of the largest files."""
QUEUES = (queue(), queue("long", is_default=False))
READ, WRITE, ADMIN = Scope.READ, Scope.WRITE, Scope.ADMIN


class NoWay:
    """No centre is up: what would reach one is told so."""

    async def to(self, centre: CentreName, account: UnixAccount, *, purpose: str) -> Transport:
        raise Unreachable(f"{centre} does not answer {account} ({purpose}).", "超算中心没有响应。")


@dataclass(frozen=True)
class Person:
    login: str
    user: UserId
    token: str
    token_id: TokenId


@dataclass(frozen=True)
class Tenant(Person):
    """`token` may read and write; `reading` only reads; `administering` has all scopes, and its user is no operator."""

    organisation: OrganisationId
    project: ProjectId
    reading: str
    administering: str


@dataclass
class House:
    database: Database
    app: FastAPI
    clock: StillClock
    clients: dict[str | None, httpx.AsyncClient] = field(default_factory=dict)

    async def ask(
        self, who: Person | str | None, method: str, path: str, *, to_root: bool = False, **more
    ) -> httpx.Response:
        """`who`: a person, a token's text, or nobody."""
        token = who.token if isinstance(who, Person) else who
        return await self._client(token).request(method, path if to_root else PREFIX + path, **more)

    async def submit(self, who: Tenant, **changes) -> str:
        answer = await self.ask(who, "POST", "/jobs", json=job(who, **changes))
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def one(self, query: str, **values):
        async with self.database.begin() as session:
            return (await session.execute(text(query), values)).scalar_one()

    async def contents(self) -> dict[str, str]:
        return await contents(self.database)

    async def tenant(self, login: str, *, funds: str = "1000") -> Tenant:
        async with self.database.begin() as session:
            organisation = await create_organisation(session, f"大学 {login}", Category.UNIVERSITY, now=START)
            project = await create_project(session, organisation, "熔体", now=START)
            user = await create_user(session, login, now=START)
            await add_member(session, login, project, Role.MEMBER)
            await top_up(session, project, Money.parse(funds), key=f"first-{login}", person="boss", now=START)
        token, token_id = await self.token(user, READ, WRITE)
        reading, administering = [(await self.token(user, *scopes))[0] for scopes in ((READ,), tuple(Scope))]
        return Tenant(login, user, token, token_id, organisation, project, reading, administering)

    async def operator(self, login: str = "boss") -> Person:
        async with self.database.begin() as session:
            user = await create_user(session, login, is_operator=True, now=START)
        return Person(login, user, *await self.token(user, *Scope))

    async def colleague(self, tenant: Tenant, login: str, role: Role = Role.MEMBER) -> Person:
        """Another user in the tenant's project."""
        async with self.database.begin() as session:
            user = await create_user(session, login, now=START)
            await add_member(session, login, tenant.project, role)
        return Person(login, user, *await self.token(user, READ, WRITE))

    async def token(self, user: UserId, *scopes: Scope) -> tuple[str, TokenId]:
        async with self.database.begin() as session:
            id_, secret = await issue_token(
                session, KEY, user, name="t", scopes=scopes, lifetime=timedelta(days=30), now=self.clock.now()
            )
        return secret.reveal(), id_

    async def agreed(self, owner: Tenant) -> tuple[str, str, str]:
        """Dedicated nodes, in a queue of their own that is gone by now, and two budgets that refuse nothing, the
        second set by an owner of the project for the tenant: all since yesterday."""
        since = START - timedelta(days=1)
        nodes = Dedication(new_dedication_id(), owner.project, EAST, "own", 1, Money(0), 0, since, None)
        limit = Budget(
            BudgetId(new_uuid()), None, owner.project, None, Money(1), is_monthly=True, is_hard=False, warn_percent=(),
            valid_from=since, valid_to=None,
        )  # fmt: skip
        async with self.database.begin() as session:
            await keep_queues(session, EAST, (*QUEUES, queue("own", nodes=1)), START)
            await dedicate(session, nodes, person="op", now=START)
            await keep_queues(session, EAST, QUEUES, START)
            await set_budget(session, limit, person="op", now=START)
            own = replace(limit, id=BudgetId(new_uuid()), user=owner.user, is_owners=True)
            await set_budget(session, own, person="head", now=START)
        return str(nodes.id), str(limit.id), str(own.id)

    async def imported(self, owner: Tenant, content: bytes) -> str:
        """An import that waits, of a log that was sent."""
        log = BlobId(sha256(content).hexdigest())

        async def chunks():
            yield content

        await self.app.state.deps.logs.put(chunks(), expected=log)
        wanted = Wanted(log, "old.log", EAST, "sacct", By.USER, {"lin": owner.project})
        async with self.database.begin() as session:
            return str((await request_import(session, wanted, person="boss", now=START)).id)

    async def blob(self, who: Tenant, content: bytes) -> str:
        name = sha256(content).hexdigest()
        answer = await self.ask(who, "PUT", f"/projects/{who.project}/blobs/{name}", content=content)
        assert answer.status_code == 201, answer.text
        return name

    async def close(self) -> None:
        for client in self.clients.values():
            await client.aclose()

    def _client(self, token: str | None) -> httpx.AsyncClient:
        if token not in self.clients:
            headers = {} if token is None else {"Authorization": f"Bearer {token}"}
            transport = httpx.ASGITransport(self.app)
            self.clients[token] = httpx.AsyncClient(transport=transport, base_url="http://house", headers=headers)
        return self.clients[token]


async def open_house(database: Database, folder: Path) -> House:
    clock = StillClock()
    async with database.begin() as session:
        for name in (EAST, WEST):
            await connect(session, name, queues=QUEUES)
    deps = Deps(
        database=database,
        reach=NoWay(),
        scout=Scout(SocketSigner(folder / "no-authority"), clock),
        blobs=Blobs(folder, limit_bytes=1 << 20),
        logs=Blobs(folder / "logs", limit_bytes=1 << 20),
        clock=clock,
        key=KEY,
        signer=Signer(bytes(range(32))),
        market=MarketReader(database, clock, Foresight(clock)),
        placers=Placers(),
        dialects=("slurm",),
        operator_name="云算",
        authority_key_file=folder / "no-authority.pub",
        storage_limit_bytes=STORAGE_BYTES,
    )
    return House(database, build(deps), clock)


def job(who: Tenant, **changes) -> dict[str, object]:
    """A job of one core and an hour; `changes` are fields of the request."""
    return {"project": str(who.project), "script": SCRIPT, **changes}


def nobodys() -> str:
    """An id that nothing has."""
    return str(UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0000))
