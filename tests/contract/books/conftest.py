"""Every implementation of `Book`, one after the other."""

from collections.abc import Awaitable, Callable

import pytest
from tests.contract.stands import MemoryStand, PostgresStand, Stand


@pytest.fixture(params=["postgres", "memory"])
def opener(request: pytest.FixtureRequest) -> Callable[[], Awaitable[Stand]]:
    """How to open the implementation; the database's own fixtures must be made outside of a running loop."""
    if request.param == "memory":
        return _open_memory
    database = request.getfixturevalue("database")
    return lambda: PostgresStand.open(database)


async def _open_memory() -> Stand:
    return MemoryStand()


@pytest.fixture
async def stand(opener: Callable[[], Awaitable[Stand]]) -> Stand:
    return await opener()
