"""A customer with money enough for any log."""

import pytest
from tests.paracloud.billing.builders import World, world


@pytest.fixture
async def opened(database) -> World:
    return await world(database, "1000000")
