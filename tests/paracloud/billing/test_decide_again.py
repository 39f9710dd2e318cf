"""What is decided of usage twice, at once, by mistake, or where there is nothing to decide."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import (
    EAST,
    NOW,
    charged,
    left,
    metered,
    record,
    sound,
    world,
)
from tests.paracloud.billing.deciding import JUNE, decided, differences, priced, reversed_, taken_back, waiting

from paracloud.billing.close_period import close_period
from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.period import begins
from paracloud.billing.rate import rate
from paracloud.identity.create_project import create_project
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import OrganisationId, PriceVersionId, UsageId, new_uuid
from paracloud.kit.money import Money


async def test_the_same_words_again_change_nothing_and_other_words_are_refused(database):
    opened, usage = await reversed_(database)
    price = await priced(database)
    first = await decided(database, usage.id, price)
    before = await left(database, opened)
    assert await decided(database, usage.id, price) == replace(first, is_new=False)
    for other, words in ((None, {}), (opened.price.id, {}), (price, {"person": "chen"}), (price, {"reason": "else"})):
        with pytest.raises(Conflict, match="What it was charged stands"):
            await decided(database, usage.id, other, **words)
    assert await left(database, opened) == before
    await sound(database)


async def test_a_waiver_is_said_once_and_holds(database):
    _, usage = await reversed_(database)
    first = await decided(database, usage.id, None)
    assert (await decided(database, usage.id, None), first.decision.revision) == (replace(first, is_new=False), 1)
    with pytest.raises(Conflict, match="costs nothing already"):
        await decided(database, usage.id, None, reason="else")
    await sound(database)


@pytest.mark.parametrize("was_charged", [False, True])
async def test_a_waiver_by_mistake_is_revoked_by_a_price(database, was_charged):
    if was_charged:
        opened, usage = await reversed_(database)
        there = record()
    else:
        opened, there = await world(database), record(queue="nowhere")
        (usage,) = await metered(database, opened, there)
        await charged(database, [usage])
    before = await left(database, opened)
    await decided(database, usage.id, None)
    made = await decided(database, usage.id, opened.price.id, reason="the wrong usage was waived")
    assert (made.amount_micro, made.is_new) == (rate(400, 0, opened.price, 7500).amount.micro, True)
    assert await left(database, opened) == before - made.amount_micro
    await sound(database)
    assert await differences(database, opened, there) == []
    await taken_back(database, usage.id)
    assert await left(database, opened) == before
    await decided(database, usage.id, None)
    await sound(database)
    assert await differences(database, opened, there) == []


@pytest.mark.parametrize("second", ["price", "waiver"])
async def test_of_two_who_decide_at_once_one_does(database, second):
    _, usage = await reversed_(database)
    price = await priced(database)
    words = [(price, "op"), (price if second == "price" else None, "chen")]

    async def tried(price: PriceVersionId | None, person: str) -> bool:
        try:
            return (await decided(database, usage.id, price, person=person)).is_new
        except Conflict:
            return False

    assert sorted(await asyncio.gather(*(tried(*word) for word in words))) == [False, True]
    async with database.begin() as session:
        count = "SELECT count(*) FROM charges WHERE NOT is_reversal AND revision > 1"
        assert (await session.scalars(text(count))).one() <= 1
        assert (await session.scalars(text("SELECT count(*) FROM usage_decisions"))).one() == 1
    await sound(database)


async def test_two_who_waive_what_nobody_ever_paid_for_waive_it_once(database):
    """The project has no account yet that they could wait for."""
    opened = await world(database, "0")
    (usage,) = await metered(database, opened, record(queue="nowhere"))
    await charged(database, [usage])
    made = await asyncio.gather(
        *(decided(database, usage.id, None, person=who) for who in ("op", "chen")), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in made) == ["Conflict", "Decided"]
    await sound(database)


async def test_what_is_charged_and_stands_is_nobodys_to_decide(database):
    opened = await world(database)
    (usage,) = await metered(database, opened, record())
    await charged(database, [usage])
    for price in (opened.price.id, None):
        with pytest.raises(Conflict, match=f"admin reverse-usage {usage.id}"):
            await decided(database, usage.id, price)
    absurd = await metered(database, opened, record(cores=10**8, elapsed_seconds=10**9))
    assert await charged(database, absurd) == [None]
    for price in (opened.price.id, None):
        with pytest.raises(Conflict, match="What it was charged stands"):
            await decided(database, usage.id, price)
    await taken_back(database, usage.id)
    await decided(database, usage.id, None)
    assert await waiting(database) == []
    await sound(database)


async def test_a_price_of_another_centre_or_customer_an_unknown_one_and_no_reason_are_refused(database):
    opened, usage = await reversed_(database)
    async with database.begin() as session:
        organisation = OrganisationId((await session.scalars(text("SELECT organisation_id FROM projects"))).one())
        other = await create_project(session, organisation, "邻组", now=NOW)
    own = await priced(database, "theirs", project=other)
    with pytest.raises(Invalid, match="another customer"):
        await decided(database, usage.id, own)
    with pytest.raises(NotFound):
        await decided(database, usage.id, PriceVersionId(new_uuid()))
    with pytest.raises(NotFound):
        await decided(database, UsageId(new_uuid()), opened.price.id)
    with pytest.raises(Invalid, match="reason"):
        await decided(database, usage.id, opened.price.id, reason=" ")
    await sound(database)


async def test_what_was_decided_is_not_changed_by_the_owner_of_the_tables_either(database, owned):
    _, usage = await reversed_(database)
    await decided(database, usage.id, None)
    for statement in (
        "UPDATE usage_decisions SET person = 'x'",
        "DELETE FROM usage_decisions",
        "TRUNCATE usage_decisions",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with owned.engine.begin() as connection:
                await connection.execute(text(statement))


async def test_a_decision_and_a_closing_that_posts_a_fee_come_one_after_the_other(database, owned):
    """Each takes the month first, and the wallet then; the decision waits in between for one that is given up."""
    opened = await world(database)
    nodes = Dedication(new_dedication_id(), opened.project, EAST, "gpu", 2, Money.parse("30"), 0, begins(JUNE), None)
    async with database.begin() as session:
        await dedicate(session, nodes, person="op", now=NOW, is_unseen=True)
    (usage,) = await metered(database, opened, record("1", queue="unknown"))
    await charged(database, [usage])
    price = await priced(database)
    same = text("INSERT INTO usage_decisions VALUES (:usage, 1, NULL, false, 'x', 'op', now())")
    lock = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")

    async def waiting_for_locks(many: int) -> None:
        async with asyncio.timeout(30), owned.engine.connect() as watching:
            while (await watching.execute(lock)).scalar_one() < many:
                await watching.rollback()

    async def closed() -> bool:
        async with database.begin() as session:
            return await close_period(session, JUNE, person="op", now=begins(date(2026, 7, 2)))

    async with database.engine.connect() as given_up:
        await given_up.execute(same, {"usage": usage.id})
        deciding = asyncio.create_task(decided(database, usage.id, price))
        await waiting_for_locks(1)
        closing = asyncio.create_task(closed())
        await waiting_for_locks(2)
        await given_up.rollback()
    assert (await deciding).is_new
    assert await closing
    await sound(database)
