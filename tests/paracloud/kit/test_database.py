"""Sessions are transactions, and a server that goes away is Unreachable, nothing else."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from paracloud.kit.database import Database, asyncpg_url
from paracloud.kit.errors import Unreachable
from paracloud.kit.postgres import EmbeddedPostgres


async def test_a_block_that_ends_well_is_committed_and_one_that_fails_is_not(owned: Database) -> None:
    async with owned.begin() as session:
        await session.execute(text("CREATE TABLE kept (n bigint)"))
        await session.execute(text("INSERT INTO kept VALUES (1)"))
    with pytest.raises(ValueError, match="no"):  # noqa: PT012  # the block is the point
        async with owned.begin() as session:
            await session.execute(text("INSERT INTO kept VALUES (2)"))
            raise ValueError("no")
    async with owned.begin() as session:
        assert (await session.execute(text("SELECT array_agg(n) FROM kept"))).scalar() == [1]


async def test_a_notification_arrives_after_its_commit(database: Database) -> None:
    async with database.listen("paracloud_jobs") as queue:
        async with database.begin() as session:
            await session.execute(text("SELECT pg_notify('paracloud_jobs', 'east')"))
            assert queue.empty()
        assert await asyncio.wait_for(queue.get(), 10) == "east"


async def test_a_failure_of_the_callers_own_is_not_taken_for_the_databases(database: Database) -> None:
    with pytest.raises(FileNotFoundError):
        async with database.begin():
            Path("/nowhere/at/all").read_bytes()
    with pytest.raises(TimeoutError):
        async with database.begin(), asyncio.timeout(0):
            await asyncio.sleep(30)


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("SELECT CAST(:v AS bigint)", 10**30),
        ("SELECT CAST(:v AS text)", "\x00"),
        ("SELECT nothing, CAST(:v AS text)", ""),
    ],
)
async def test_a_defect_of_ours_is_not_something_to_try_again_and_shows_no_parameter(
    database: Database, statement: str, value: object
) -> None:
    with pytest.raises(DBAPIError) as failed:
        async with database.begin() as session:
            await session.execute(text(statement), {"v": value})
    assert "parameters hidden" in str(failed.value)


async def test_a_database_that_is_busy_is_to_be_tried_again(owned: Database) -> None:
    async with owned.begin() as holder:
        await holder.execute(text("LOCK TABLE projects"))
        for busy in ("SET LOCAL lock_timeout = '20ms'", "SET LOCAL statement_timeout = '20ms'"):
            with pytest.raises(Unreachable):  # noqa: PT012  # the block is the point
                async with owned.begin() as session:
                    await session.execute(text(busy))
                    await session.execute(text("SELECT count(*) FROM projects"))


async def test_of_two_that_lock_each_other_out_one_is_to_be_tried_again(owned: Database) -> None:
    both = asyncio.Barrier(2)

    async def locks(first: str, second: str) -> None:
        async with owned.begin() as session:
            await session.execute(text(f"LOCK TABLE {first}"))
            await both.wait()
            await session.execute(text(f"LOCK TABLE {second}"))

    ends = await asyncio.gather(locks("projects", "users"), locks("users", "projects"), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["NoneType", "Unreachable"]


async def test_a_used_up_pool_is_unreachable_after_a_while(database_url: str) -> None:
    narrow = Database(create_async_engine(asyncpg_url(database_url), pool_size=1, max_overflow=0, pool_timeout=0.05))
    async with narrow.begin():
        with pytest.raises(Unreachable):
            async with narrow.begin():
                pass
    await narrow.close()


async def test_where_no_server_is_nothing_can_be_begun_or_heard(tmp_path: Path) -> None:
    nowhere = Database.connect(f"postgresql://nobody:x@/postgres?host={tmp_path}")
    for use in (nowhere.begin(), nowhere.listen("paracloud_jobs")):
        with pytest.raises(Unreachable):
            async with use:
                pass
    await nowhere.close()


async def test_a_server_that_stops_is_unreachable_and_serves_again_after_its_restart(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder, {"fsync": "off"}) as server:
        opened = Database.connect(server.url, role=None)
        async with opened.begin() as session:
            await session.execute(text("CREATE TABLE kept (n bigint)"))
        server.stop()
        with pytest.raises(Unreachable):
            async with opened.begin() as session:
                await session.execute(text("SELECT 1"))
        server.start()
        async with opened.begin() as session:
            assert (await session.execute(text("SELECT count(*) FROM kept"))).scalar() == 0
        await opened.close()


def test_a_database_url_without_a_scheme_is_refused_with_an_example() -> None:
    with pytest.raises(ValueError, match="postgresql://user@host/database"):
        asyncpg_url("localhost/db")
