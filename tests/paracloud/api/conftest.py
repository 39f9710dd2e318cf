"""The application with its tenants, made anew for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.paracloud.api.house import House, Person, Tenant, open_house

from paracloud.kit.database import Database


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[House]:
    opened = await open_house(database, tmp_path / "blobs")
    yield opened
    await opened.close()


@pytest.fixture
async def lin(house: House) -> Tenant:
    return await house.tenant("lin")


@pytest.fixture
async def wang(house: House) -> Tenant:
    return await house.tenant("wang")


@pytest.fixture
async def boss(house: House) -> Person:
    return await house.operator()
