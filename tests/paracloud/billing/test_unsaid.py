"""What a plain price does not say is never free and never guessed: it is listed, with what to do."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, charged, metered, package_now, record, sold, sound, world

from paracloud.billing.cover import Unit
from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.issue_receipts import issue_receipts, receipts_page
from paracloud.billing.price import add_price, price_by_id
from paracloud.billing.rate import Price, most
from paracloud.billing.receipt import Signer
from paracloud.billing.rule import Unrated
from paracloud.billing.rule_text import read_rule
from paracloud.dialects.records import NativePhase
from paracloud.identity.product_line import ProductLine
from paracloud.kit.identifiers import PriceVersionId, new_uuid
from paracloud.kit.money import Money

GPU = "gpu"


async def priced(database, card_hour: str | None, rule: dict | None = None) -> Price:
    card = None if card_hour is None else Decimal(card_hour)
    core, read = (Decimal("0.36"), None) if rule is None else (Decimal(0), read_rule(rule))
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, core, card, "CNY", read)
    async with database.begin() as session:
        await add_price(session, EAST, GPU, price, person="op", now=NOW, valid_from=NOW - timedelta(days=1))
        assert (await price_by_id(session, price.id)).price == price
    return price


async def reasons(database) -> list[tuple[str, str]]:
    async with database.begin() as session:
        rows = (await session.execute(text("SELECT reason_en, reason_zh FROM unrated_usage ORDER BY usage_id"))).all()
    return [(en, zh) for en, zh in rows]


async def test_cards_are_not_free_because_a_price_says_nothing_of_them(database):
    opened = await world(database)
    await priced(database, None)
    with_cards, without = record("1", queue=GPU, gpus=2), record("2", queue=GPU)
    assert await charged(database, await metered(database, opened, with_cards, without)) == [None, 40_000]
    ((en, zh),) = await reasons(database)
    assert "nothing of cards (the operator adds a version with a card price, or with 0" in en
    assert "卡时价" in zh
    await sound(database)


async def test_cards_are_free_where_the_price_says_so(database):
    opened = await world(database)
    await priced(database, "0")
    assert await charged(database, await metered(database, opened, record("1", queue=GPU, gpus=2))) == [40_000]


@pytest.mark.parametrize("unit", [Unit.CORE_SECOND, Unit.CARD_SECOND])
async def test_what_is_not_charged_takes_nothing_from_a_package(database, unit):
    opened = await world(database)
    await priced(database, None)
    wanted = await sold(database, opened, unit=unit)
    await charged(database, await metered(database, opened, record("1", queue=GPU, gpus=2)))
    assert (await package_now(database, wanted)).used == 0
    await sound(database)


async def test_what_would_cost_more_than_anything_takes_nothing_from_a_package_either(database):
    opened = await world(database)
    wanted = await sold(database, opened)
    absurd = record("1", cores=10**6, elapsed_seconds=10**9)
    assert await charged(database, await metered(database, opened, absurd)) == [None]
    assert (await package_now(database, wanted)).used == 0
    await sound(database)


async def test_the_most_that_cards_can_cost_is_not_known_without_their_price(database):
    await world(database)
    price = await priced(database, None)
    hour = timedelta(hours=1)
    with pytest.raises(Unrated, match="nothing of cards"):
        most({"cores": 1, "gpus": 1}, hour, timedelta(0), price)
    assert most({"cores": 1, "gpus": 0}, hour, timedelta(0), price).amount.micro == 360_000


async def test_a_receipt_says_that_its_price_says_nothing_of_cards(database):
    opened = await world(database)
    await priced(database, None)
    await charged(database, await metered(database, opened, record("1", queue=GPU)))
    async with database.begin() as session:
        assert await issue_receipts(session, Signer(bytes(32)), opened.project, now=NOW) == 1
        (receipt,) = await receipts_page(session, opened.project, 1)
    assert '"card_hour":null' in receipt.text


@pytest.mark.parametrize("rule", [None, {"units": {"resource": "cores", "weight": "0.36"}, "free": ["nodes"]}])
async def test_what_ended_nobody_knows_how_waits_whatever_its_price_and_is_charged_when_it_is_known(database, rule):
    opened = await world(database)
    await priced(database, None, rule)
    unknown = record("1", queue=GPU, phase=NativePhase.UNKNOWN, native_state="FOO")
    assert await charged(database, await metered(database, opened, unknown)) == [None]
    assert await reasons(database) == [("the state FOO is unknown", "作业状态未知：FOO")]
    assert await charged(database, await metered(database, opened, record("1", queue=GPU))) == [40_000]
    assert await reasons(database) == []
    await sound(database)


async def test_on_nodes_that_are_paid_by_the_month_an_unknown_state_costs_nothing(database):
    opened = await world(database)
    nodes = Dedication(new_dedication_id(), opened.project, EAST, "cpu", 2, Money(0), 0, NOW - timedelta(days=1), None)
    async with database.begin() as session:
        await dedicate(session, nodes, person="op", now=NOW, is_unseen=True)
    unknown = record("1", phase=NativePhase.UNKNOWN, native_state="FOO")
    assert await charged(database, await metered(database, opened, unknown)) == [0]
