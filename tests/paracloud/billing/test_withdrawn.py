"""What was prepared and has not begun can be withdrawn: it never holds, and leaves its time free."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.paracloud.billing.builders import EAST, NOW, charged, metered, record, world

from paracloud.billing.contract import add_contract, contracts_of, end_contract
from paracloud.billing.price import add_price, all_versions, end_price, price_by_id, prices_at
from paracloud.billing.rate import Price
from paracloud.identity.product_line import ProductLine
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import PriceVersionId, new_uuid

DAY = timedelta(days=1)


def a_price(core_hour: str = "9") -> Price:
    return Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal(core_hour), Decimal(0), "CNY")


async def prepared(database, **changes) -> Price:
    """From tomorrow on, as the next one of a queue that has a price until then."""
    opened, price = await world(database), a_price()
    async with database.begin() as session:
        await end_price(session, opened.price.id, NOW + DAY, person="op", now=NOW)
        await add_price(session, EAST, "cpu", price, person="op", now=NOW, valid_from=NOW + DAY, **changes)
    return price


@pytest.mark.parametrize("at", [NOW, NOW + DAY / 2, NOW + DAY])
async def test_a_price_version_that_has_not_begun_is_withdrawn(database, at):
    price, other = await prepared(database), a_price("18")
    async with database.begin() as session:
        await end_price(session, price.id, at, person="op", now=NOW)
        withdrawn = await price_by_id(session, price.id)
        assert withdrawn.valid_to == withdrawn.valid_from == NOW + DAY
        assert not any(withdrawn.holds_at(NOW + DAY + by) for by in (-DAY, timedelta(0), DAY))
        await add_price(session, EAST, "cpu", other, person="op", now=NOW, valid_from=NOW + DAY)
        assert (await prices_at(session, NOW + DAY))[EAST, "cpu"] == [other]
        assert len(await all_versions(session)) == 3


async def test_a_withdrawn_version_charges_nothing_and_stays_withdrawn(database):
    opened, price = await world(database), a_price()
    async with database.begin() as session:
        await add_price(session, EAST, "big", price, person="op", now=NOW, valid_from=NOW + DAY)
        await end_price(session, price.id, NOW, person="op", now=NOW)
        await end_price(session, price.id, NOW, person="op", now=NOW)
        with pytest.raises(Invalid, match="not after the end"):
            await end_price(session, price.id, NOW + 2 * DAY, person="op", now=NOW)
    late = record("1", queue="big", submitted_at=NOW + DAY, ended_at=NOW + 2 * DAY)
    assert await charged(database, await metered(database, opened, late)) == [None]


async def test_what_holds_is_not_taken_back_and_nothing_ends_in_the_past(database):
    price = await prepared(database)
    async with database.begin() as session:
        for at, now in ((NOW + DAY, NOW + DAY), (NOW + DAY, NOW + 2 * DAY), (NOW - DAY, NOW)):
            with pytest.raises(Invalid, match="now or later"):
                await end_price(session, price.id, at, person="op", now=now)
        assert (await price_by_id(session, price.id)).valid_to is None


async def test_a_contract_that_has_not_begun_is_withdrawn_at_its_beginning(database):
    await world(database)
    async with database.begin() as session:
        await end_contract(session, EAST, NOW + DAY, person="op", now=NOW)
        await add_contract(session, EAST, 8000, person="op", now=NOW, valid_from=NOW + DAY)
        with pytest.raises(Conflict):
            await add_contract(session, EAST, 7000, person="op", now=NOW, valid_from=NOW + DAY)
        await end_contract(session, EAST, NOW + DAY, person="op", now=NOW)
        await add_contract(session, EAST, 7000, person="op", now=NOW, valid_from=NOW + DAY)
        with pytest.raises(NotFound, match="at its very beginning"):
            await end_contract(session, EAST, NOW + DAY, person="op", now=NOW + DAY)
        holding = [one.share_basis_points for one in await contracts_of(session, [EAST]) if one.holds_at(NOW + DAY)]
    assert holding == [7000]


async def test_a_contract_is_withdrawn_within_the_second_of_its_beginning(database):
    """Centres keep whole seconds: it holds for what they date so."""
    await world(database)
    begins = NOW + DAY + timedelta(milliseconds=500)
    async with database.begin() as session:
        await end_contract(session, EAST, NOW + timedelta(hours=1), person="op", now=NOW)
        await add_contract(session, EAST, 8000, person="op", now=NOW, valid_from=begins)
        await end_contract(session, EAST, NOW + DAY, person="op", now=NOW)
        assert [one.valid_to for one in await contracts_of(session, [EAST]) if one.valid_from == begins] == [begins]


async def test_a_contract_ends_after_it_begins(database):
    await world(database)
    async with database.begin() as session:
        with pytest.raises(Invalid, match="valid_to"):
            await add_contract(session, EAST, 8000, person="op", now=NOW, valid_from=NOW + DAY, valid_to=NOW + DAY)
