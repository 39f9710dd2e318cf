"""Dedicated nodes cost their fee month by month, and are the customer's as long as it is paid."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, charged, left, metered, record, sound, world
from tests.paracloud.billing.paying import DAY, JULY, JULY_1, JUNE, budget, budgeted, closed, dedicated, fees, nodes

from paracloud.billing import store
from paracloud.billing.budget import all_budgets, budgets_of, end_budget
from paracloud.billing.dedication import Dedication, dedicate, dedications_of, end_dedication, new_dedication_id
from paracloud.billing.entry import DEDICATED, Entry, payable, wallet
from paracloud.billing.fee import fee, fee_key
from paracloud.billing.notices import notices_of, operators_notices
from paracloud.billing.post import post
from paracloud.billing.post_fees import pay_first_fee, post_fees
from paracloud.billing.top_up import top_up
from paracloud.identity.create_project import create_project
from paracloud.kit.errors import Conflict, Invalid, NotEnoughFunds, NotFound
from paracloud.kit.identifiers import CentreName, OrganisationId
from paracloud.kit.money import Money


async def test_dedicated_nodes_cost_their_fee_once_a_month_and_what_runs_there_nothing(database):
    opened = await world(database)
    wanted = await dedicated(database, nodes(opened))
    assert await fees(database) == await fees(database) == []
    assert await left(database, opened) == 70_000_000
    assert await charged(database, await metered(database, opened, record("1"))) == [0]
    async with database.begin() as session:
        assert [await store.balance(session, code) for code in (payable(EAST), DEDICATED)] == [18_000_000, 12_000_000]
        (row,) = (await session.execute(text("SELECT dedication_id, list_micro FROM charges"))).all()
    assert tuple(row) == (wanted.id, 0)
    await sound(database)


async def test_what_has_more_nodes_than_are_dedicated_has_its_ordinary_price(database):
    opened = await world(database)
    await dedicated(database, nodes(opened))
    runs = [record("1", nodes=2), record("2", nodes=3), record("3", nodes=500)]
    assert await charged(database, await metered(database, opened, *runs)) == [0, 13_717, 13_717]
    await sound(database)


async def test_a_part_of_a_month_costs_its_part(database):
    opened = await world(database)
    assert fee(nodes(opened, valid_from=datetime(2026, 6, 16, tzinfo=UTC)), JUNE) == 15_000_000
    assert fee(nodes(opened, valid_to=datetime(2026, 6, 11, tzinfo=UTC)), JUNE) == 10_000_000
    assert fee(nodes(opened, valid_from=datetime(2026, 7, 1, tzinfo=UTC)), JUNE) == 0
    assert fee(nodes(opened, valid_to=datetime(2026, 6, 1, tzinfo=UTC) + timedelta(microseconds=1)), JUNE) == 0


async def test_nodes_that_cannot_be_paid_for_are_the_customers_no_longer(database):
    opened = await world(database, "40")
    both = [await dedicated(database, nodes(opened)), await dedicated(database, nodes(opened, queue="gpu"))]
    (lapsed,) = await fees(database)
    assert await left(database, opened) == 10_000_000
    async with database.begin() as session:
        ends = {one.id: one.valid_to for one in await dedications_of(session, [opened.project])}
    paid = next(one for one in both if one.id != lapsed.id)
    assert ends[paid.id] is None
    assert ends[lapsed.id] == lapsed.valid_from
    assert await fees(database) == []
    async with database.begin() as session:
        for told in (await notices_of(session, opened.project), await operators_notices(session)):
            ((_, one),) = told
            assert (one.kind, one.reference, one.amount) == ("dedication-lapsed", str(lapsed.id), Money(30_000_000))
    await sound(database)


async def test_whoever_has_paid_the_months_fees_waits_for_nobody(database):
    opened = await world(database)
    await dedicated(database, nodes(opened))
    await fees(database)
    async with database.begin() as busy:
        await store.locked(busy, {wallet(opened.project): "CNY", payable(EAST): "CNY", DEDICATED: "CNY"})
        async with asyncio.timeout(5):
            assert await fees(database) == []


async def test_many_who_post_one_fee_at_once_post_it_once_and_nobody_loses_the_nodes(database):
    opened = await world(database, "40")
    await dedicated(database, nodes(opened))
    assert await asyncio.gather(*(fees(database) for _ in range(6))) == [[]] * 6
    assert await left(database, opened) == 10_000_000
    await sound(database)


async def test_nodes_that_lapse_while_another_waits_to_post_their_fee_cost_none(database, owned):
    opened = await world(database, "0")
    await dedicated(database, nodes(opened))
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with database.begin() as first:
        await store.locked(first, {wallet(opened.project): "CNY"})
        second = asyncio.create_task(fees(database))
        async with asyncio.timeout(30), owned.engine.connect() as watching:
            while not (await watching.execute(waiting)).scalar_one():
                assert not second.done()
                await watching.rollback()
        assert await post_fees(first, JUNE, now=NOW)
        await top_up(first, opened.project, Money.parse("40"), key="late", person="op", now=NOW)
    assert await second == []
    assert await left(database, opened) == 40_000_000
    await sound(database)


async def test_the_same_nodes_are_not_dedicated_twice_and_an_end_is_not_in_the_past(database):
    opened = await world(database)
    wanted = await dedicated(database, nodes(opened))
    async with database.begin() as session:
        (organisation,) = await session.scalars(text("SELECT organisation_id FROM projects"))
        other = await create_project(session, OrganisationId(organisation), "另一课题", now=NOW)
    for project in (opened.project, other):
        with pytest.raises(Conflict, match="dedicated for some of this time"):
            await dedicated(database, nodes(opened, project=project))
    for wrong in ({"nodes": 0}, {"monthly": Money(-1)}, {"share_basis_points": 10_001}, {"centre": CentreName("x")},
                  {"valid_to": datetime(2026, 5, 1, tzinfo=UTC)}):  # fmt: skip
        with pytest.raises(Invalid):
            await dedicated(database, nodes(opened, queue="big", **wrong))
    async with database.begin() as session:
        with pytest.raises(Invalid):
            await end_dedication(session, wanted.id, NOW - DAY, person="op", now=NOW)
        with pytest.raises(NotFound):
            await end_dedication(session, new_dedication_id(), NOW, person="op", now=NOW)
        await end_dedication(session, wanted.id, NOW + DAY, person="op", now=NOW)
    later = NOW + 2 * DAY
    run = record("1", started_at=later, ended_at=later + timedelta(seconds=100))
    after = await metered(database, opened, run)
    assert await charged(database, after) == [13_717]


async def test_of_two_customers_who_are_promised_one_queue_at_once_one_has_it(database):
    opened = await world(database)
    async with database.begin() as session:
        (organisation,) = await session.scalars(text("SELECT organisation_id FROM projects"))
        other = await create_project(session, OrganisationId(organisation), "另一课题", now=NOW)
    wanted = [dedicated(database, nodes(opened, project=one)) for one in (opened.project, other)]
    done = await asyncio.gather(*wanted, return_exceptions=True)
    assert {type(one) for one in done} == {Conflict, Dedication}
    (first,) = [one for one in done if isinstance(one, Dedication)]
    async with database.begin() as session:
        await end_dedication(session, first.id, NOW + DAY, person="op", now=NOW)
    await dedicated(database, nodes(opened, project=other, valid_from=NOW + DAY))


async def test_dedicated_nodes_and_budgets_that_have_not_begun_are_withdrawn(database):
    opened = await world(database)
    later = await dedicated(database, nodes(opened, valid_from=NOW + 10 * DAY))
    limit = budget(opened, "1", valid_from=NOW + 10 * DAY)
    await budgeted(database, limit)
    async with database.begin() as session:
        await end_dedication(session, later.id, NOW, person="op", now=NOW)
        await end_budget(session, limit.id, person="op", now=NOW)
        with pytest.raises(NotFound):
            await end_budget(session, limit.id, person="op", now=NOW)
        (one,), (other,) = await dedications_of(session, None), await all_budgets(session)
        assert (one.valid_to, other.valid_to, other.ended_by) == (one.valid_from, other.valid_from, "op")
        assert await budgets_of(session, [opened.project], NOW + 11 * DAY) == []
    await dedicated(database, nodes(opened, valid_from=NOW))
    assert await fees(database, JULY_1, JULY) == []


async def test_nodes_from_an_earlier_month_on_are_paid_from_there_at_once_or_there_are_none(database):
    opened = await world(database, "50")
    wanted = nodes(opened, valid_from=datetime(2026, 6, 16, tzinfo=UTC))

    async def agreed(monthly: str) -> None:
        async with database.begin() as session:
            one = replace(wanted, id=new_dedication_id(), monthly=Money.parse(monthly))
            await dedicate(session, one, person="op", now=JULY, is_unseen=True)
            await pay_first_fee(session, one, now=JULY)

    with pytest.raises(NotEnoughFunds, match=r"60\.000000 CNY .* top up 10\.000000 first"):
        await agreed("40")
    assert await left(database, opened) == 50_000_000
    await agreed("30")
    assert await left(database, opened) == 5_000_000
    assert await closed(database)
    async with database.begin() as session:
        assert [one.valid_to for one in await dedications_of(session, None)] == [None]
    assert await left(database, opened) == 5_000_000
    await sound(database)


async def test_nodes_do_not_begin_in_a_closed_month_or_where_something_ran_at_its_price_since(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    with pytest.raises(Conflict, match="ran in this queue since then"):
        await dedicated(database, nodes(opened))
    await closed(database)
    with pytest.raises(Invalid, match="2026-06 is closed"):
        async with database.begin() as session:
            await dedicate(session, nodes(opened, queue="own"), person="op", now=JULY, is_unseen=True)


async def test_fees_of_months_that_nobody_asked_for_are_posted_the_oldest_first(database):
    opened = await world(database, "70")
    wanted = await dedicated(database, nodes(opened))
    assert [one.id for one in await fees(database, date(2026, 8, 1), datetime(2026, 8, 2, tzinfo=UTC))] == [wanted.id]
    assert await left(database, opened) == 10_000_000
    async with database.begin() as session:
        assert [one.valid_to for one in await dedications_of(session, None)] == [datetime(2026, 8, 1, tzinfo=UTC)]


async def test_a_closing_ends_no_nodes_whose_later_month_is_paid(database):
    opened = await world(database, "40")
    wanted = await dedicated(database, nodes(opened))
    async with database.begin() as session:
        key = fee_key(wanted, JULY_1)
        paid = Entry(key, "dedicated", "CNY", {wallet(opened.project): -30_000_000, DEDICATED: 30_000_000})
        await post(session, [paid], now=JULY)
    with pytest.raises(Conflict, match="2026-06 is not paid"):
        await closed(database)
    async with database.begin() as session:
        assert [one.valid_to for one in await dedications_of(session, None)] == [None]
        await top_up(session, opened.project, Money.parse("20"), key="second", person="op", now=JULY)
    assert await closed(database)
    assert await left(database, opened) == 0
