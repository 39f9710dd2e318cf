"""Sessions are transactions, and a server that goes away is Unreachable, nothing else."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from paracloud.kit.database import Database, asyncpg_url
from paracloud.kit.errors import Unreachable
from paracloud.kit.postgres import EmbeddedPostgres


async def test_a_block_that_ends_well_is_committed_and_one_that_fails_is_not(database: Database) -> None:
    async with database.begin() as session:
        await session.execute(text("CREATE TABLE kept (n bigint)"))
        await session.execute(text("INSERT INTO kept VALUES (1)"))
    with pytest.raises(ValueError, match="no"):  # noqa: PT012  # the block is the point
        async with database.begin() as session:
            await session.execute(text("INSERT INTO kept VALUES (2)"))
            raise ValueError("no")
    async with database.begin() as session:
        assert (await session.execute(text("SELECT array_agg(n) FROM kept"))).scalar() == [1]


async def test_a_notification_arrives_after_its_commit(database: Database) -> None:
    async with database.listen("paracloud_jobs") as queue:
        async with database.begin() as session:
            await session.execute(text("SELECT pg_notify('paracloud_jobs', 'east')"))
            assert queue.empty()
        assert await asyncio.wait_for(queue.get(), 10) == "east"


async def test_a_server_that_stops_is_unreachable_and_serves_again_after_its_restart(tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("postgres")
    for parent in [folder, *folder.parents]:
        if parent.stat().st_mode & 0o055 != 0o055 and parent != Path("/"):
            parent.chmod(0o755)
    with EmbeddedPostgres(folder, {"fsync": "off"}) as server:
        opened = Database.connect(server.url)
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
