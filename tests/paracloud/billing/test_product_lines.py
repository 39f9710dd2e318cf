"""A customer buys at the prices of its own product line, else at the general ones, and at nobody else's."""

from datetime import timedelta
from decimal import Decimal
from itertools import permutations, product
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import EAST, NOW, charged, metered, record, sound, world

from paracloud.billing.pick import Customer, pick_price
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.reconcile import reconcile
from paracloud.identity.change_product_line import change_product_line
from paracloud.identity.product_line import Lines, ProductLine
from paracloud.kit.errors import Conflict, NotFound
from paracloud.kit.identifiers import OrganisationId, PriceVersionId, ProjectId, new_uuid

DAY = timedelta(days=1)
OURS, THEIRS = ProjectId(UUID(int=1)), OrganisationId(UUID(int=2))
AI, INDUSTRY, GENERAL = ProductLine.AI, ProductLine.INDUSTRY, ProductLine.GENERAL
A_RUN = {"general": 13_717, "ai": 1_000_000, "industry": 2_000_000}


def price(line: ProductLine, core_hour: str = "1", **changes) -> Price:
    return Price(PriceVersionId(new_uuid()), line, Decimal(core_hour), Decimal(0), "CNY", **changes)


async def lines(database) -> None:
    async with database.begin() as session:
        await add_price(session, EAST, "cpu", price(AI, "9"), person="op", now=NOW, valid_from=NOW - DAY)
        await add_price(session, EAST, "cpu", price(INDUSTRY, "18"), person="op", now=NOW, valid_from=NOW - DAY)


async def moved(database, opened, line: ProductLine, at=NOW, person: str = "boss") -> ProductLine:
    async with database.begin() as session:
        return await change_product_line(session, opened.project, line, person=person, now=at)


@pytest.mark.parametrize(
    "ranked",
    [
        [price(GENERAL, project=OURS), price(AI, organisation=THEIRS), price(GENERAL, organisation=THEIRS), price(AI)],
        [price(AI, qos="high"), price(AI), price(GENERAL, qos="high"), price(GENERAL)],
        [price(AI, project=OURS), price(GENERAL, project=OURS, qos="high"), price(AI, qos="high"), price(AI)],
    ],
)
def test_whose_it_is_comes_before_the_line_and_the_line_before_the_quality_of_service(ranked):
    others = [price(INDUSTRY), price(INDUSTRY, project=OURS, qos="high"), price(AI, project=ProjectId(UUID(int=9)))]
    customer = Customer(OURS, THEIRS, AI)
    for left in range(len(ranked)):
        for order in permutations(ranked[left:]):
            assert pick_price([*others, *order], customer, "high") is ranked[left]
    assert pick_price(others, customer, "high") is None


@pytest.mark.parametrize(("line", "other"), list(product(ProductLine, ProductLine)))
def test_a_price_of_another_line_is_nobodys_but_its_own_customers(line, other):
    is_theirs = line in (other, GENERAL)
    assert (pick_price([price(line)], Customer(OURS, None, other), "") is not None) is is_theirs


@pytest.mark.parametrize("line", ProductLine)
async def test_usage_is_charged_at_its_projects_own_line(database, line):
    opened = await world(database)
    await lines(database)
    await moved(database, opened, line, at=NOW - DAY)
    assert await charged(database, await metered(database, opened, record("1"))) == [A_RUN[line]]
    await sound(database)


async def test_where_only_another_line_has_a_price_usage_is_unrated_and_told_why(database):
    opened = await world(database)
    async with database.begin() as session:
        await add_price(session, EAST, "gpu", price(AI), person="op", now=NOW, valid_from=NOW - DAY)
    assert await charged(database, await metered(database, opened, record("1", queue="gpu"))) == [None]
    async with database.begin() as session:
        why = (await session.execute(text("SELECT reason_en, reason_zh FROM unrated_usage"))).one()
    assert why.reason_en.endswith("of the general line")
    assert "通用产品线" in why.reason_zh


async def test_what_was_submitted_before_a_project_moved_keeps_its_prices_and_reconciles(database):
    opened = await world(database)
    await lines(database)
    sooner = record("1", submitted_at=NOW)
    later = record("2", submitted_at=NOW + timedelta(hours=1), ended_at=NOW + timedelta(hours=2))
    assert await charged(database, await metered(database, opened, sooner)) == [A_RUN["general"]]
    assert await moved(database, opened, AI, NOW + timedelta(minutes=30)) is GENERAL
    assert await moved(database, opened, AI, NOW + timedelta(minutes=31)) is AI
    assert await charged(database, await metered(database, opened, later)) == [A_RUN["ai"]]
    async with database.begin() as session:
        found = await reconcile(
            session, EAST, [sooner, later], start=NOW - DAY, end=NOW + DAY, lent=opened.lent, pinned={}, since=NOW - DAY
        )
    assert found.mismatches == ()


def test_of_several_moves_each_line_held_until_the_next():
    had = Lines(INDUSTRY, ((NOW, GENERAL), (NOW + DAY, AI)))
    second = timedelta(seconds=1)
    assert [had.at(when) for when in (NOW - second, NOW, NOW + DAY - second, NOW + DAY)] == [GENERAL, AI, AI, INDUSTRY]


async def test_who_moved_a_project_is_kept_for_good(database, owned):
    opened = await world(database)
    await moved(database, opened, AI, person="zhao")
    async with database.begin() as session:
        row = (await session.execute(text("SELECT was, line, person, changed_at FROM product_line_changes"))).one()
    assert tuple(row) == ("general", "ai", "zhao", NOW)
    for statement in ("UPDATE product_line_changes SET person = 'x'", "DELETE FROM product_line_changes"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with owned.begin() as session:
                await session.execute(text(statement))


async def test_a_project_that_is_not_there_is_not_moved(database):
    async with database.begin() as session:
        with pytest.raises(NotFound, match="no such project"):
            await change_product_line(session, ProjectId(new_uuid()), AI, person="boss", now=NOW)


async def test_two_versions_of_one_line_do_not_hold_at_one_time_and_of_two_lines_they_do(database):
    await world(database)
    await lines(database)
    with pytest.raises(Conflict, match="end that version first"):
        async with database.begin() as session:
            await add_price(session, EAST, "cpu", price(AI), person="op", now=NOW, valid_from=NOW)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE projects SET product_line = 'quantum'",
     "INSERT INTO price_versions SELECT gen_random_uuid(), 'quantum', centre, 'q', core_hour, card_hour, currency, "
     "valid_from FROM price_versions"],
)  # fmt: skip
async def test_the_database_knows_three_lines(database, statement):
    await world(database)
    with pytest.raises(DBAPIError, match="product_line"):
        async with database.begin() as session:
            await session.execute(text(statement))
