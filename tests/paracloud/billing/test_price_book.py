"""Which of several prices and contracts holds, and what volume tiers and owners of lent nodes do to a charge."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, World, charged, left, metered, record, sound, world

from paracloud.billing import store
from paracloud.billing.contract import Lent, add_contract
from paracloud.billing.entry import owner, payable, revenue
from paracloud.billing.price import add_price, price_by_id
from paracloud.billing.rate import Price, graduated
from paracloud.billing.reverse import reverse
from paracloud.billing.tiers import Tier, Tiers
from paracloud.identity.create_project import create_project
from paracloud.identity.product_line import ProductLine
from paracloud.kit.errors import Conflict, Invalid
from paracloud.kit.identifiers import EntryId, OrganisationId, PriceVersionId, ProjectId, new_uuid

DAY = timedelta(days=1)
TIERS = Tiers((Tier(Decimal(0), Decimal(1)), Tier(Decimal("0.02"), Decimal("0.5"))))
"""Half price from two fen a month on: a run of the builders costs 13,717 micro-yuan."""


async def priced(database, core_hour: str, **changes) -> Price:
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal(core_hour), Decimal(0), "CNY", **changes)
    async with database.begin() as session:
        await add_price(session, EAST, "cpu", price, person="op", now=NOW, valid_from=NOW - DAY)
    return price


async def organisation_of(database, opened: World) -> OrganisationId:
    async with database.begin() as session:
        query = text("SELECT organisation_id FROM projects WHERE id = :id")
        return OrganisationId((await session.execute(query, {"id": opened.project})).scalar_one())


async def a_project(database, opened: World) -> ProjectId:
    async with database.begin() as session:
        return await create_project(session, await organisation_of(database, opened), "邻组", now=NOW)


async def test_a_customers_own_price_is_before_everybodys_and_its_projects_before_its_organisations(database):
    opened = await world(database)
    assert await charged(database, await metered(database, opened, record("1"))) == [13_717]
    await priced(database, "18", organisation=await organisation_of(database, opened))
    assert await charged(database, await metered(database, opened, record("2"))) == [2_000_000]
    await priced(database, "9", project=opened.project)
    assert await charged(database, await metered(database, opened, record("3"))) == [1_000_000]
    await priced(database, "900", project=await a_project(database, opened))
    assert await charged(database, await metered(database, opened, record("4"))) == [1_000_000]
    await sound(database)


async def test_a_quality_of_service_has_its_own_price(database):
    opened = await world(database)
    await priced(database, "18", qos="high")
    usages = await metered(database, opened, record("1", qos="high"), record("2", qos="low"))
    assert sorted(await charged(database, usages)) == [13_717, 2_000_000]


async def test_versions_for_different_customers_hold_at_one_time_and_for_one_customer_do_not(database):
    opened = await world(database)
    price = await priced(database, "9", project=opened.project, qos="high", tiers=TIERS)
    await priced(database, "9", project=opened.project)
    async with database.begin() as session:
        assert (await price_by_id(session, price.id)).price == price
    with pytest.raises(Conflict, match="end that version first"):
        await priced(database, "8", project=opened.project)
    with pytest.raises(Invalid, match="no such project"):
        await priced(database, "8", project=ProjectId(new_uuid()))


async def test_a_months_charges_cost_what_the_tiers_make_of_their_sum(database):
    opened = await world(database)
    await priced(database, "0.123456789", project=opened.project, tiers=TIERS)
    runs = [record(str(number)) for number in range(4)]
    got = []
    for one in runs:
        got += await charged(database, await metered(database, opened, one))
    listed = 4 * 13_717
    assert got[0] == 13_717
    assert sum(got) == 20_000 + (listed - 20_000) // 2
    assert await left(database, opened) == 100_000_000 - sum(got)
    await sound(database)
    other_month = replace(runs[0], native_id=record("9").native_id, record_id=record("9").record_id,
                          ended_at=NOW + 31 * DAY)  # fmt: skip
    assert await charged(database, await metered(database, opened, other_month)) == [13_717]


async def test_a_correction_and_a_reversal_take_their_volume_back(database):
    opened = await world(database)
    await priced(database, "0.123456789", project=opened.project, tiers=TIERS)
    await charged(database, await metered(database, opened, record("1"), record("2")))
    await charged(database, await metered(database, opened, record("1", elapsed_seconds=50)))
    await sound(database)
    async with database.begin() as session:
        (entry,) = await session.scalars(
            text("SELECT entry_id FROM charges ORDER BY list_micro DESC, revision LIMIT 1")
        )
        await reverse(session, EntryId(entry), reason="wrong node", person="op", now=NOW)
    await sound(database)
    async with database.begin() as session:
        (volume,) = await session.scalars(text("SELECT list_micro FROM volumes"))
        (net,) = await session.scalars(text("SELECT sum(list_micro) FROM charges"))
    assert volume == net


async def test_an_organisations_tiers_count_all_its_projects(database):
    opened = await world(database)
    await priced(database, "0.123456789", organisation=await organisation_of(database, opened), tiers=TIERS)
    await charged(database, await metered(database, opened, record("1"), record("2")))
    neighbour = replace(opened, project=await a_project(database, opened))
    assert await charged(database, await metered(database, neighbour, record("3"))) == [6_859]
    await sound(database)


@given(
    cuts=st.lists(st.integers(1, 10**9), min_size=1, max_size=12),
    rates=st.lists(st.decimals("0.1", 2, places=2), min_size=1, max_size=4),
)
def test_however_a_month_is_cut_into_charges_its_sum_is_one(cuts, rates):
    tiers = Tiers(tuple(Tier(Decimal(100 * number), rate) for number, rate in enumerate(rates)))
    done, sums = 0, []
    for one in cuts:
        sums.append(graduated(tiers, done, one))
        done += one
    assert sum(sums) == graduated(tiers, 0, sum(cuts))
    dearest, cheapest = max(rates), min(rates)
    assert all(
        cut * Fraction(cheapest) - 1 <= got <= cut * Fraction(dearest) + 1 for cut, got in zip(cuts, sums, strict=True)
    )


async def test_whoever_lends_nodes_has_a_part_of_what_they_earn(database):
    opened = await world(database)
    lender = await a_project(database, opened)
    async with database.begin() as session:
        await add_contract(
            session, EAST, 2000, person="op", now=NOW, valid_from=NOW - DAY, queue="cpu", lent=Lent(lender, 5000)
        )
    assert await charged(database, await metered(database, opened, record("1"))) == [13_717]
    async with database.begin() as session:
        balances = [await store.balance(session, code) for code in (payable(EAST), owner(lender), revenue("general"))]
    assert balances == [2_743, 6_858, 13_717 - 2_743 - 6_858]
    await sound(database)
    async with database.begin() as session:
        (entry,) = await session.scalars(text("SELECT entry_id FROM charges"))
        await reverse(session, EntryId(entry), reason="wrong", person="op", now=NOW)
        assert [await store.balance(session, code) for code in (payable(EAST), owner(lender))] == [0, 0]
    await sound(database)


@pytest.mark.parametrize(("share", "part"), [(10_001, None), (-1, None), (6000, 4001), (0, 0)])
async def test_shares_over_the_whole_are_refused(database, share, part):
    opened = await world(database)
    lent = None if part is None else Lent(opened.project, part)
    with pytest.raises(Invalid, match="10000"):
        async with database.begin() as session:
            await add_contract(session, EAST, share, person="op", now=NOW, valid_from=NOW, queue="gpu", lent=lent)
