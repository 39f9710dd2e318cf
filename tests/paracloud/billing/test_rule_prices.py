"""A price that is a charging rule: usage is charged by it, and what it does not know waits for a person."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, charged, metered, record, world

from paracloud.billing.price import add_price, price_by_id, prices_at
from paracloud.billing.rate import Price
from paracloud.billing.rule_text import read_rule
from paracloud.dialects.records import NativePhase
from paracloud.identity.product_line import ProductLine
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import PriceVersionId, new_uuid
from paracloud.statements.state_month import bill_of

GIB = 1 << 30
RULE = {
    "units": {
        "max": [
            {"resource": "cores", "weight": "0.36"},
            {"resource": "memory_bytes", "weight": "0.18", "per": "GiB"},
        ]
    },
    "free": ["nodes"],
    "free_states": ["node_failed"],
    "least_seconds": 60,
}


async def ruled(database, queue: str = "big", tree: dict = RULE, core_hour: str = "0") -> Price:
    price = Price(
        PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal(core_hour), Decimal(0), "CNY", read_rule(tree)
    )
    async with database.begin() as session:
        await add_price(session, EAST, queue, price, person="op", now=NOW, valid_from=NOW - timedelta(days=1))
    return price


async def test_usage_is_charged_by_the_rule(database):
    opened = await world(database)
    await ruled(database)
    by_cores = record("1", queue="big", cores=4, memory_bytes=GIB)
    by_memory = record("2", queue="big", cores=4, memory_bytes=16 * GIB)
    brief = record("3", queue="big", cores=4, memory_bytes=GIB, elapsed_seconds=1)
    assert await charged(database, await metered(database, opened, by_cores)) == [40_000]
    assert await charged(database, await metered(database, opened, by_memory)) == [80_000]
    assert await charged(database, await metered(database, opened, brief)) == [24_000]


async def test_what_the_rule_does_not_know_is_listed_and_not_charged(database):
    opened = await world(database)
    await ruled(database)
    with_cards = record("1", queue="big", cores=4, gpus=2)
    assert await charged(database, await metered(database, opened, with_cards)) == [None]
    async with database.begin() as session:
        why = (await session.execute(text("SELECT reason_en FROM unrated_usage"))).scalar_one()
    assert why == "the rule says nothing of gpus"


async def test_a_state_that_is_free_costs_nothing_and_is_a_charge_of_zero(database):
    opened = await world(database)
    await ruled(database)
    lost = record("1", queue="big", cores=4, memory_bytes=GIB)
    lost = replace(lost, phase=type(lost.phase).NODE_FAILED, native_state="NODE_FAIL")
    assert await charged(database, await metered(database, opened, lost)) == [0]


async def test_a_rule_is_kept_and_comes_back_as_itself(database):
    opened = await world(database)
    price = await ruled(database)
    async with database.begin() as session:
        assert (await price_by_id(session, price.id)).price == price
        assert (await prices_at(session, NOW))[EAST, "big"] == [price]
    await charged(database, await metered(database, opened, record("1", queue="big", memory_bytes=GIB), job="job-1"))
    async with database.begin() as session:
        (line,) = await bill_of(session, opened.project, "job-1")
    assert (line.price, line.core_hour) == (price.id, None)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("PREEMTED", "PREEMPTED"), ("NODE_FAILED", "NODE_FAIL"), ("OUT_OF_MEMROY", "OUT_OF_MEMORY"), ("RUNNING", None),
     ("XYZZY", None), ("Failed=21", None), ("exit_status=x", None)],
)  # fmt: skip
async def test_a_state_that_no_scheduler_says_is_refused_with_the_nearest_that_one_does(database, word, meant):
    await world(database)
    with pytest.raises(Invalid) as refusal:
        await ruled(database, tree=RULE | {"free_states": ["completed", word]})
    assert str(refusal.value.field).startswith("rule.free_states")
    assert meant is None or (f"did you mean {meant}." in refusal.value.en and f"是否应为 {meant}。" in refusal.value.zh)


@pytest.mark.parametrize(
    "word", ["PREEMPTED", "BOOT_FAIL", "DEADLINE", "failed=21", "exit_status=137", "Exit_status=-29"]
)
async def test_what_schedulers_do_say_is_free_where_the_rule_says_so(database, word):
    opened = await world(database)
    price = await ruled(database, tree=RULE | {"free_states": [word]})
    ended = record("1", queue="big", memory_bytes=GIB, native_state=word, phase=NativePhase.FAILED)
    other = record("2", queue="big", memory_bytes=GIB, native_state="FAILED", phase=NativePhase.FAILED)
    assert await charged(database, await metered(database, opened, ended, other)) == [0, 40_000]
    async with database.begin() as session:
        assert (await price_by_id(session, price.id)).price == price


async def test_a_rule_that_is_kept_with_an_unknown_word_still_charges(database, owned):
    opened = await world(database)
    price = await ruled(database)
    async with owned.begin() as session:
        await session.execute(text("ALTER TABLE price_versions DISABLE TRIGGER agreed"))
        kept = "UPDATE price_versions SET rule = jsonb_set(rule, '{free_states}', '[\"PREEMTED\"]') WHERE id = :id"
        await session.execute(text(kept), {"id": price.id})
        await session.execute(text("ALTER TABLE price_versions ENABLE TRIGGER agreed"))
    usages = await metered(database, opened, record("1", queue="big", memory_bytes=GIB))
    assert await charged(database, usages) == [40_000]


async def test_a_price_is_a_rule_or_a_price_of_hours(database):
    await world(database)
    with pytest.raises(Invalid, match="not both"):
        await ruled(database, core_hour="0.1")
