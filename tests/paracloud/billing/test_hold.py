"""Holds: taken once, never beyond the wallet, and the accounts under them locked all or none."""

import pytest
from tests.paracloud.billing.builders import NOW, world

from paracloud.billing import store
from paracloud.billing.entry import held, wallet
from paracloud.billing.hold import hold
from paracloud.kit.database import Database
from paracloud.kit.errors import NotEnoughFunds
from paracloud.kit.money import Money


async def test_a_hold_taken_again_stays_as_it_is_also_when_the_wallet_is_empty(database: Database) -> None:
    opened = await world(database, money="10")
    for _ in range(2):
        async with database.begin() as session:
            await hold(session, opened.project, "job-1", Money.parse("10"), now=NOW)
    async with database.begin() as session:
        assert await store.balance(session, held(opened.project)) == 10_000_000
        assert await store.balance(session, wallet(opened.project)) == 0
    with pytest.raises(NotEnoughFunds):
        async with database.begin() as session:
            await hold(session, opened.project, "job-2", Money.parse("0.000001"), now=NOW)


async def test_a_hold_taken_again_takes_nothing_more_from_a_full_wallet(database: Database) -> None:
    opened = await world(database, money="100")
    for _ in range(2):
        async with database.begin() as session:
            await hold(session, opened.project, "job-1", Money.parse("10"), now=NOW)
    async with database.begin() as session:
        assert await store.balance(session, wallet(opened.project)) == 90_000_000


async def test_accounts_are_locked_with_their_balances_and_what_is_missing_is_opened(database: Database) -> None:
    opened = await world(database, money="7")
    codes = {wallet(opened.project): "CNY", held(opened.project): "CNY"}
    for _ in range(2):
        async with database.begin() as session:
            found = await store.locked(session, codes, also=["wallet:nobody"])
        assert {code: one.balance_micro for code, one in found.items()} == {
            wallet(opened.project): 7_000_000,
            held(opened.project): 0,
        }


async def test_a_second_hold_in_one_transaction_sees_what_the_first_has_taken(database: Database) -> None:
    opened = await world(database, money="10")
    async with database.begin() as session:
        await hold(session, opened.project, "job-1", Money.parse("6"), now=NOW)
        with pytest.raises(NotEnoughFunds) as refused:
            await hold(session, opened.project, "job-2", Money.parse("6"), now=NOW)
    assert refused.value.missing_micro == 2_000_000
