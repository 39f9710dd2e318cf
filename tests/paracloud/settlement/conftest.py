"""A centre at which three jobs ran in June."""

import pytest
from tests.paracloud.billing.builders import World, charged, metered, record, world


@pytest.fixture
async def opened(database) -> World:
    found = await world(database)
    await charged(database, await metered(database, found, *(record(str(number)) for number in range(3))))
    return found
