"""Who made a price or a contract and when, and who ended it, is kept for good."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import EAST, NOW, world

from paracloud.billing.agreed import Agreed
from paracloud.billing.contract import contracts_of, end_contract
from paracloud.billing.price import end_price, price_by_id

DAY = timedelta(days=1)


async def test_who_made_and_who_ended_it_is_kept(database):
    opened = await world(database)

    async def kept() -> list[Agreed]:
        async with database.begin() as session:
            (contract,) = await contracts_of(session, None)
            return [(await price_by_id(session, opened.price.id)).agreed, contract.agreed]

    assert await kept() == [Agreed(NOW, "op", None)] * 2
    async with database.begin() as session:
        await end_price(session, opened.price.id, NOW + DAY, person="zhao", now=NOW)
        await end_contract(session, EAST, NOW + DAY, person="qian", now=NOW)
    assert await kept() == [Agreed(NOW, "op", "zhao"), Agreed(NOW, "op", "qian")]


@pytest.mark.parametrize("table", ["price_versions", "contracts"])
@pytest.mark.parametrize("change", ["created_by = 'x'", "created_at = now()", "created_by = NULL"])
async def test_nobody_changes_who_made_it(database, owned, table, change):
    await world(database)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.begin() as session:
            await session.execute(text(f"UPDATE {table} SET {change}"))  # noqa: S608
    with pytest.raises(DBAPIError, match="keeps what was agreed"):
        async with owned.begin() as session:
            await session.execute(text(f"UPDATE {table} SET {change}"))  # noqa: S608
