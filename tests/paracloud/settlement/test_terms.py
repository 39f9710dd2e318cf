"""Terms of a contract that cannot be meant are refused."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import EAST, world
from tests.paracloud.settlement.months import START, neighbour

from paracloud.billing.contract import Lent, Month, add_contract
from paracloud.billing.tiers import Tier, Tiers, write_tiers
from paracloud.kit.errors import Invalid

FORGED_CONTRACT = text("""
    INSERT INTO contracts (id, centre, queue, share_basis_points, owner_project_id, owner_basis_points, valid_from,
                           share_tiers)
    VALUES (gen_random_uuid(), 'east', 'big', 5000, :lender, 3000, now(), CAST(:tiers AS jsonb))
""")


@pytest.mark.parametrize(
    "wrong",
    [Month(minimum_micro=-1), Month(fixed_micro=-1), Month(Tiers((Tier(Decimal(0), Decimal("1.01")),)))],
)
async def test_terms_that_cannot_be_meant_are_refused(database, wrong):
    await world(database)
    with pytest.raises(Invalid):
        async with database.begin() as session:
            await add_contract(session, EAST, 7500, person="op", now=START, valid_from=START, queue="gpu", month=wrong)


async def test_a_tier_and_the_lenders_part_come_to_100_percent_at_most(database):
    lender = await neighbour(database, await world(database))
    for rate, queue, is_well in (("0.7", "gpu", True), ("0.700000001", "big", False), ("0.9", "big", False)):
        month = Month(Tiers((Tier(Decimal(0), Decimal("0.5")), Tier(Decimal(10), Decimal(rate)))))
        more = {"valid_from": START, "queue": queue, "lent": Lent(lender, 3000), "month": month}
        if is_well:
            async with database.begin() as session:
                await add_contract(session, EAST, 5000, person="op", now=START, **more)
            continue
        with pytest.raises(Invalid, match="share_tiers"):
            async with database.begin() as session:
                await add_contract(session, EAST, 5000, person="op", now=START, **more)
        tiers = json.dumps(write_tiers(month.share_tiers))
        with pytest.raises(DBAPIError, match="more than 100 %"):
            async with database.begin() as session:
                await session.execute(FORGED_CONTRACT, {"lender": lender, "tiers": tiers})


@pytest.mark.parametrize("end", [START, START - timedelta(days=1)])
async def test_a_contract_that_ends_before_it_begins_is_refused(database, end):
    await world(database)
    with pytest.raises(Invalid, match="valid_to: it must be later"):
        async with database.begin() as session:
            await add_contract(session, EAST, 7500, person="op", now=START, valid_from=START, valid_to=end, queue="gpu")
