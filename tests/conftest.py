"""One PostgreSQL for a test run, one migrated template, and for each test a database that is as new."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from tests.files import end_killed, open_below

from paracloud.kit.database import Database
from paracloud.kit.postgres import EmbeddedPostgres
from paracloud.migrations.migrate import migrate

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """What each of thousands of tests leaves open is more than one process may have, and fails another test."""
    folder = item.funcargs.get("tmp_path")  # type: ignore[attr-defined]
    yield
    if folder is not None:
        end_killed(folder)
        left = open_below(folder)
        assert not left, f"left open: {sorted(set(left.values()))}"


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres | None]:
    """This worker's own, unless DATABASE_URL names another."""
    if os.environ.get("DATABASE_URL"):
        yield None
        return
    with _open_folder() as folder, EmbeddedPostgres(folder, FAST) as own:
        yield own


@pytest.fixture(scope="session")
def postgres_url(server: EmbeddedPostgres | None) -> str:
    """The owner's way to the server."""
    return os.environ["DATABASE_URL"] if server is None else server.url


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the account of an embedded PostgreSQL can reach: pytest's own are closed to it."""
    with _open_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def template(postgres_url: str, server: EmbeddedPostgres | None) -> Iterator[str]:
    """The name of a migrated database that nobody is connected to."""
    name = f"template_{uuid4().hex[:12]}"
    _run(postgres_url, f'CREATE DATABASE "{name}"')
    migrate(with_database(postgres_url, name), app_password=None if server is None else server.app_password)
    yield name
    _run(postgres_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def owner_url(postgres_url: str, template: str) -> Iterator[str]:
    """A database of the test's own, made from the template: no table is ever emptied, so no guard is ever lifted."""
    name = f"test_{uuid4().hex[:12]}"
    _run(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    _run(postgres_url, f'REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC')  # a template does not hand this on
    yield with_database(postgres_url, name)
    _run(postgres_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def database_url(owner_url: str, server: EmbeddedPostgres | None) -> str:
    """The application's way to it; on a server of somebody else's, the owner's, and the role is taken after that."""
    return (
        owner_url if server is None else with_database(server.app_url, owner_url.partition("?")[0].rpartition("/")[2])
    )


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """As the application: every test shows that its grants suffice."""
    opened = Database.connect(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def owned(owner_url: str) -> AsyncIterator[Database]:
    """As the owner of the tables, for tests that plant damage."""
    opened = Database.connect(owner_url, role=None)
    yield opened
    await opened.close()


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    head, question, query = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}{question}{query}"


@contextmanager
def _open_folder() -> Iterator[Path]:
    base = "/var/tmp" if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="paracloud-tests-", dir=base) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def _run(url: str, statement: str) -> None:
    async def go() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    # In a thread of its own: a loop may be running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, go()).result()
