"""A charge that was made at the wrong place of its month's volume is found; volumes that run on are quiet."""

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import CORE_HOUR, EAST, NOW, charged, metered, record, sound
from tests.paracloud.billing.test_planted import COST, DAY, IN_JULY, JUNE, START, named, opened, taken_back

from paracloud.billing.charge import charge
from paracloud.billing.close_period import close_period
from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.tiers import Tier, Tiers
from paracloud.kit.identifiers import PriceVersionId, new_uuid

__all__ = ["opened"]
TIERS = Tiers((Tier(Decimal(0), Decimal(1)), Tier(Decimal("0.02"), Decimal("0.5"))))
VOLUME = "a charge at a price with tiers begins where its month's volume was"


async def tiered(database, opened) -> Price:
    price = Price(PriceVersionId(new_uuid()), "general", CORE_HOUR, Decimal(2), "CNY", tiers=TIERS)
    async with database.begin() as session:
        await add_price(session, EAST, "big", price, person="op", now=NOW, valid_from=START - DAY)
    return price


async def more_volume(database, micro: int) -> None:
    """As the application may."""
    async with database.begin() as session:
        await session.execute(text("UPDATE volumes SET list_micro = list_micro + :more"), {"more": micro})


@pytest.mark.parametrize("off", [10**9, -COST, 1])
async def test_a_charge_at_the_wrong_tier_is_found(database, opened, off):
    await tiered(database, opened)
    await charged(database, await metered(database, opened, record("1", queue="big")))
    (usage,) = await metered(database, opened, record("2", queue="big"))
    await more_volume(database, off)
    await charged(database, [usage])
    await more_volume(database, -off)
    found = await named(database)
    assert {what for what, _, _ in found} == {VOLUME}
    assert (VOLUME, str(usage.id), off) in found


async def test_a_charge_far_beyond_the_volume_is_found_also_in_a_month_with_reversals(database, opened):
    await tiered(database, opened)
    one, two = await metered(database, opened, record("1", queue="big"), record("2", queue="big"))
    await charged(database, [one])
    await taken_back(database, one)
    await more_volume(database, 10**9)
    await charged(database, [two])
    await more_volume(database, -(10**9))
    assert [(what, where) for what, where, _ in await named(database)] == [(VOLUME, str(two.id))]


async def test_volumes_that_run_on_are_quiet_through_corrections_reversals_and_charges_anew(database, opened):
    price = await tiered(database, opened)
    runs = [record(str(number), queue="big", cores=number) for number in range(1, 6)]
    usages = await metered(database, opened, *runs)
    await charged(database, usages[:3])
    await charged(database, usages[3:])
    for seconds in (50, 170, 0):
        await charged(database, await metered(database, opened, replace(runs[1], elapsed_seconds=seconds)))
        await sound(database)
    await taken_back(database, usages[0])
    async with database.begin() as session:
        await decide_usage(session, usages[0].id, price.id, reason="agreed", person="op", now=NOW)
    await sound(database)
    async with database.begin() as session:
        await close_period(session, JUNE, person="op", now=IN_JULY)
    late = await metered(database, opened, replace(runs[2], elapsed_seconds=1))
    async with database.begin() as session:
        await charge(session, late, pinned={}, now=IN_JULY)
    await taken_back(database, usages[4], IN_JULY)
    await sound(database)
