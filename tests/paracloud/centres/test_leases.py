"""One holder at a time, and a fence that keeps late writes out."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from paracloud.centres import store
from paracloud.centres.account import account_for
from paracloud.centres.centre import Centre
from paracloud.centres.connect_centre import connect_centre
from paracloud.centres.leases import PostgresLeases, check
from paracloud.identity.caller import Category
from paracloud.identity.create_organisation import create_organisation
from paracloud.identity.create_project import create_project
from paracloud.kit.clock import SystemClock
from paracloud.kit.database import Database
from paracloud.kit.errors import Conflict, Fenced, Invalid
from paracloud.kit.identifiers import CentreName, ProjectId, UnixAccount, WorkerId

NOW = datetime(2026, 6, 1, tzinfo=UTC)
EAST = CentreName("east")


def centre(**changes: object) -> Centre:
    values: dict[str, object] = {
        "name": EAST, "title_en": "East", "title_zh": "东部", "host": "127.0.0.1", "port": 22,
        "host_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "dialect": "slurm", "service_account": UnixAccount("eastsvc"),
        "commands_per_minute": 90, "patience": timedelta(minutes=10), "overrun": timedelta(minutes=2),
        "region": "cn-east", "is_enabled": True,
    }  # fmt: skip
    return Centre(**(values | changes))  # type: ignore[arg-type]


async def connect(database: Database, accounts: list[str], **changes: object) -> None:
    async with database.begin() as session:
        lent = [UnixAccount(account) for account in accounts]
        await connect_centre(session, centre(**changes), lent, dialects=["slurm"], now=NOW)


async def projects(database: Database, count: int) -> list[ProjectId]:
    async with database.begin() as session:
        organisation = await create_organisation(session, "大学", Category.UNIVERSITY, now=NOW)
        return [await create_project(session, organisation, f"p{n}", now=NOW) for n in range(count)]


def leases(database: Database, holder: str, ttl: timedelta = timedelta(seconds=30)) -> PostgresLeases:
    return PostgresLeases(database, WorkerId(holder), SystemClock(), ttl=ttl, margin=ttl / 3)


async def test_of_two_workers_at_once_one_gets_the_lease(database: Database) -> None:
    await connect(database, ["east001"])
    claims = await asyncio.gather(*(leases(database, f"w{n}").claim(EAST) for n in range(8)))
    assert len([lease for lease in claims if lease is not None]) == 1


async def test_a_released_lease_is_taken_with_a_higher_fence_and_the_old_holder_writes_nothing(
    database: Database,
) -> None:
    await connect(database, ["east001"])
    first, second = leases(database, "a"), leases(database, "b")
    old = await first.claim(EAST)
    assert old is not None
    await first.renew(old)
    assert await second.claim(EAST) is None
    await first.release(old)
    new = await second.claim(EAST)
    assert new is not None
    assert new.fence == old.fence + 1
    with pytest.raises(Fenced):
        await first.renew(old)
    async with database.begin() as session:
        await check(session, new)
        with pytest.raises(Fenced):
            await check(session, old)


async def test_an_expired_lease_is_taken_by_the_next(database: Database) -> None:
    await connect(database, ["east001"])
    old = await leases(database, "a", timedelta(milliseconds=1)).claim(EAST)
    assert old is not None
    new = None
    while new is None:
        new = await leases(database, "b").claim(EAST)
    assert new.fence == old.fence + 1


async def test_a_write_under_a_fence_holds_off_the_next_holder_until_it_is_committed(database: Database) -> None:
    await connect(database, ["east001"])
    old = await leases(database, "a", timedelta(milliseconds=1)).claim(EAST)
    assert old is not None
    async with database.begin() as session:
        await check(session, old)
        claim = asyncio.create_task(leases(database, "b").claim(EAST))
        done, _ = await asyncio.wait([claim], timeout=0.2)
        assert not done
    assert await claim is not None


async def test_a_project_keeps_its_account_and_no_two_projects_share_one(database: Database) -> None:
    await connect(database, [f"east{n:03}" for n in range(8)])
    opened = await projects(database, 8)

    async def take(project: ProjectId) -> UnixAccount:
        async with database.begin() as session:
            return await account_for(session, EAST, project, now=NOW)

    first = await asyncio.gather(*map(take, opened))
    assert len(set(first)) == 8
    assert await asyncio.gather(*map(take, opened)) == first
    async with database.begin() as session:
        found = {account: owner.project for account, owner in (await store.owners(session, EAST)).items()}
    assert found == dict(zip(first, opened, strict=True))


async def test_first_needs_at_the_same_moment_take_one_account(database: Database) -> None:
    await connect(database, [f"east{n:03}" for n in range(8)])
    [project] = await projects(database, 1)

    async def take() -> UnixAccount:
        async with database.begin() as session:
            return await account_for(session, EAST, project, now=NOW)

    assert len(set(await asyncio.gather(*(take() for _ in range(8))))) == 1


async def test_a_used_up_pool_is_said_so(database: Database) -> None:
    await connect(database, ["east001"])
    one, two = await projects(database, 2)
    async with database.begin() as session:
        await account_for(session, EAST, one, now=NOW)
    with pytest.raises(Conflict, match="choose another centre"):
        async with database.begin() as session:
            await account_for(session, EAST, two, now=NOW)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "East"}, "name"),
        ({"host": "a b"}, "host"),
        ({"host": "-oProxyCommand=x"}, "host"),
        ({"host_key": "ssh-ed25519 AAAA\nssh-rsa BBBB"}, "host_key"),
        ({"service_account": "root"}, "accounts"),
        ({"service_account": "east001"}, "service_account"),
        ({"port": 0}, "port"),
        ({"dialect": "lsf"}, "dialect"),
        ({"commands_per_minute": 0}, "commands_per_minute"),
    ],
)
async def test_a_centre_that_is_described_wrongly_is_refused_by_field(database: Database, changes, field) -> None:
    with pytest.raises(Invalid) as refused:
        await connect(database, ["east001"], **changes)
    assert refused.value.field == field
