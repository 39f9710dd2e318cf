"""All that a usage was charged is taken back by its id, also where that was nothing, and its price decided anew."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import (
    EAST,
    NOW,
    charged,
    left,
    metered,
    package_now,
    record,
    sold,
    sound,
    world,
)

from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.end_package import end_package
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.reconcile import reconcile
from paracloud.billing.reverse import reverse
from paracloud.billing.reverse_usage import Reversed, reverse_usage
from paracloud.billing.rule_text import read_rule
from paracloud.dialects.records import NativePhase
from paracloud.identity.product_line import ProductLine
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import EntryId, PriceVersionId, UsageId, new_uuid
from paracloud.kit.money import Money

DAY = timedelta(days=1)
CORES = {"units": {"resource": "cores", "weight": "0.1"}, "free": ["nodes", "memory_bytes", "gpus"]}


async def priced(database, queue, core_hour="0", **changes):
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal(core_hour), None, "CNY", **changes)
    async with database.begin() as session:
        await add_price(session, EAST, queue, price, person="op", now=NOW, valid_from=NOW - DAY)
    return price


async def taken_back(database, usage, **words) -> Reversed:
    said = {"reason": "wrong price", "person": "op"} | words
    async with database.begin() as session:
        return await reverse_usage(session, usage, now=NOW, **said)


async def rated(database, usage, price) -> int:
    async with database.begin() as session:
        made = await decide_usage(session, usage, price.id, reason="as agreed", person="op", now=NOW)
    return made.amount_micro


async def agrees(database, opened, one) -> None:
    await sound(database)
    start = NOW.replace(hour=0)
    async with database.begin() as session:
        found = await reconcile(
            session, EAST, [one], start=start, end=start + DAY, lent=opened.lent, pinned={},
            since=start,
        )  # fmt: skip
    assert found.mismatches == ()
    assert found.accounted_micro == found.charged_micro


async def free_price(database, opened):
    await priced(database, "free")
    return record(queue="free")


async def free_state(database, opened):
    await priced(database, "free", rule=read_rule(CORES | {"free_states": ["node_failed"]}))
    return record(queue="free", phase=NativePhase.NODE_FAILED, native_state="NODE_FAIL")


async def dedicated(database, opened):
    async with database.begin() as session:
        nodes = Dedication(new_dedication_id(), opened.project, EAST, "cpu", 2, Money(0), 0, NOW - DAY, None)
        await dedicate(session, nodes, person="op", now=NOW, is_unseen=True)
    return record()


@pytest.mark.parametrize("money", ["100", "0"])
@pytest.mark.parametrize("how", [free_price, free_state, dedicated])
async def test_what_was_charged_nothing_is_taken_back_and_rated_anew(database, how, money):
    opened = await world(database, money)
    one = await how(database, opened)
    (usage,) = await metered(database, opened, one)
    assert await charged(database, [usage]) == [0]
    with pytest.raises(Conflict, match=f"admin reverse-usage {usage.id}"):
        await rated(database, usage.id, opened.price)
    assert await taken_back(database, usage.id) == Reversed(0, None)
    await agrees(database, opened, one)
    before = await left(database, opened)
    assert await rated(database, usage.id, opened.price) == 13_717
    assert await left(database, opened) == before - 13_717
    await agrees(database, opened, one)


async def test_what_was_corrected_to_nothing_is_taken_back_and_rated_anew(database):
    opened = await world(database)
    (usage,) = await metered(database, opened, record())
    await charged(database, [usage])
    nothing = record(elapsed_seconds=0)
    assert await charged(database, await metered(database, opened, nothing)) == [-13_717]
    async with database.begin() as session:
        entry = (await session.scalars(text("SELECT entry_id FROM charges WHERE revision = 1"))).one()
        assert await reverse(session, EntryId(entry), reason="x", person="op", now=NOW) is None
    with pytest.raises(Conflict, match="reversed before"):
        await taken_back(database, usage.id)
    assert await rated(database, usage.id, opened.price) == 0
    await agrees(database, opened, nothing)


async def test_all_of_a_corrected_usage_is_taken_back_by_its_id(database):
    opened = await world(database)
    before = await left(database, opened)
    for seconds in (100, 300):
        (usage,) = await metered(database, opened, record(elapsed_seconds=seconds))
        await charged(database, [usage])
    made = await taken_back(database, usage.id)
    assert (made.amount_micro, made.entry is None) == (-41_152, False)
    assert await left(database, opened) == before
    await agrees(database, opened, record(elapsed_seconds=300))


async def test_a_package_that_was_sold_for_nothing_gives_its_hours_once(database):
    opened = await world(database)
    paid = await sold(database, opened, price="0", hours=1)
    price = await priced(database, "q", "36")
    one = record(queue="q")
    (usage,) = await metered(database, opened, one)
    assert await charged(database, [usage]) == [0]
    assert await charged(database, await metered(database, opened, replace(one, gpus=1))) == [None]
    with pytest.raises(Conflict, match="reverse-usage"):
        await rated(database, usage.id, opened.price)
    assert await taken_back(database, usage.id) == Reversed(0, None)
    assert (await package_now(database, paid)).used == 0
    assert await rated(database, usage.id, opened.price) == round(Decimal(200) / 3600 * 10**6)
    assert (await package_now(database, paid)).used == 400
    await sound(database)
    assert price.card_hour is None


@pytest.mark.parametrize("core_hour", ["0", "36"])
@pytest.mark.parametrize("money", ["100", "0"])
async def test_of_many_who_take_it_back_at_once_one_does(database, core_hour, money):
    opened = await world(database, money)
    await priced(database, "q", core_hour)
    (usage,) = await metered(database, opened, record(queue="q"))
    await charged(database, [usage])
    made = await asyncio.gather(*(taken_back(database, usage.id) for _ in range(4)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in made) == ["Conflict"] * 3 + ["Reversed"]
    await sound(database)


async def test_what_was_never_charged_and_what_has_no_reason_is_refused(database):
    opened = await world(database)
    (usage,) = await metered(database, opened, record())
    for unknown in (usage.id, UsageId(new_uuid())):
        with pytest.raises(NotFound):
            await taken_back(database, unknown)
    await charged(database, [usage])
    with pytest.raises(Invalid, match="reason"):
        await taken_back(database, usage.id, reason=" ")


async def test_the_daily_check_is_silent_where_a_package_took_back_at_other_worth_than_it_gave(database):
    """Of ten micro-units for 1600 units it gave 2 and then 3, had 2 back for the first, and ended."""
    opened = await world(database)
    paid = await sold(database, opened, price="0.000010", total=1600)
    price = await priced(database, "q", "0.00009")
    usages = [(await metered(database, opened, record(number)))[0] for number in "12"]
    assert [await charged(database, [one]) for one in usages] == [[2], [3]]
    await taken_back(database, usages[0].id)
    await sound(database)
    async with database.begin() as session:
        await end_package(session, paid.id, reason="x", person="op", now=NOW)
    assert await rated(database, usages[0].id, price) == 10
    await sound(database)
    await taken_back(database, usages[0].id)
    await sound(database)
