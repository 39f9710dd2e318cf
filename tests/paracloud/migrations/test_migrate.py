"""Two programs may start at once: one migrates, the other waits, and both go on."""

import asyncio
import sys
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from tests.conftest import with_database

from paracloud.migrations.migrate import migrate

QUICK = timedelta(milliseconds=200)
NEWEST = "SELECT version_num FROM alembic_version"


@pytest.fixture
async def empty(postgres_url: str) -> AsyncIterator[str]:
    name = f"empty_{uuid4().hex[:12]}"
    server = await asyncpg.connect(postgres_url)
    await server.execute(f'CREATE DATABASE "{name}"')
    yield with_database(postgres_url, name)
    await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await server.close()


async def test_a_second_migrator_waits_for_the_first_however_long_that_takes(empty: str) -> None:
    first = await asyncpg.connect(empty)
    await first.execute("SELECT pg_advisory_lock(7305001)")
    with ThreadPoolExecutor(1) as thread:
        second = thread.submit(migrate, empty, lock_timeout=QUICK)
        await _until_it_has_waited(first, second)
        assert await first.fetchval("SELECT to_regclass('jobs')") is None
        await first.execute("SELECT pg_advisory_unlock(7305001)")
        await asyncio.wrap_future(second)
    assert await first.fetchval(NEWEST) is not None
    await first.close()


async def test_of_many_programs_that_migrate_at_once_none_fails(empty: str) -> None:
    program = "import sys; from paracloud.migrations.migrate import migrate; migrate(sys.argv[1])"
    starting = (asyncio.create_subprocess_exec(sys.executable, "-c", program, empty) for _ in range(3))
    ends = [await process.wait() for process in await asyncio.gather(*starting)]
    assert ends == [0, 0, 0]


async def test_a_table_in_use_is_given_up_and_nothing_is_changed(empty: str) -> None:
    user = await asyncpg.connect(empty)
    await asyncio.to_thread(migrate, empty)
    await user.execute("UPDATE alembic_version SET version_num = '0001_identity'")
    async with user.transaction():
        await user.execute("LOCK TABLE projects")
        with pytest.raises((DBAPIError, asyncpg.PostgresError)):
            await asyncio.to_thread(migrate, empty, lock_timeout=QUICK)
    assert await user.fetchval(NEWEST) == "0001_identity"
    await user.close()


async def _until_it_has_waited(connection: asyncpg.Connection, running: Future[None]) -> None:
    waiting = """SELECT count(*) FROM pg_stat_activity
        WHERE wait_event = 'advisory' AND clock_timestamp() - query_start > interval '500 ms'"""
    async with asyncio.timeout(30):
        while not await connection.fetchval(waiting):
            assert not running.done(), "it did not wait"
            await asyncio.sleep(0.02)
